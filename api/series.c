#include "api/series.h"

#include "api/call.h"

#include <assert.h>
#include <stdlib.h>

typedef struct follower {
  struct follower *next, **link;
  hw_pipeline *pipeline; /* a reference */
  http_request *req;
  int64_t last_us;       /* time of the latest sample that was sent */
  bool sending, gone;    /* gone while sending: freed after it */
} follower;

struct series_board {
  hw_engine *engine;
  struct event *clock;
  unsigned still;      /* ticks in a row in which nothing had happened */
  follower *followers;
};

#define STILL_MAX 3u /* then the clock rests */

/* ---- writing -------------------------------------------------------------- */

static void write_sample(json_writer *w, const pipeline_sample *s) {
  jw_object(w);
  jw_key_i64(w, "t", s->at_us / 1000);
  jw_key_u64(w, "r", s->processed_records);
  jw_key_u64(w, "m", s->resident_bytes);
  jw_key_u64(w, "s", s->storage_bytes);
  jw_object_end(w);
}

static int64_t now_us(const api_call *call) {
  struct timeval now = {0};
  event_base_gettimeofday_cached(call->context->base, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_usec;
}

void get_time_series(const api_call *call) {
  pipeline_sample samples[PIPELINE_SAMPLES];
  uint32_t n;
  hw_error err = {0};
  json_writer w;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  if (pipeline_get_samples(p, samples, &n, &err) == HW_OK) {
    reply_begin(call->req, &w);
    jw_object(&w);
    jw_key_i64(&w, "now", now_us(call) / 1000);
    jw_key(&w, "samples");
    jw_array(&w);
    for (uint32_t i = 0; i < n; i++) write_sample(&w, &samples[i]);
    jw_array_end(&w);
    jw_object_end(&w);
    reply_json(call->req, 200, &w);
  } else {
    call_refuse(call, p, &err);
  }
  hw_pipeline_unref(p);
}

/* ---- followers ------------------------------------------------------------ */

static void follower_free(follower *f) {
  *f->link = f->next;
  if (f->next) f->next->link = f->link;
  hw_pipeline_unref(f->pipeline);
  free(f);
}

/* Also from within a send that finds the client gone. */
static void on_gone(void *arg) {
  follower *f = arg;
  f->gone = true;
  if (!f->sending) follower_free(f);
}

/* One that does not take what it gets misses samples, which are worth nothing later. */
#define BACKLOG_MAX (64u << 10)

static void send_samples(follower *f, const pipeline_sample *samples, uint32_t n) {
  outbuf line = {0};
  json_writer w;
  for (uint32_t i = 0; i < n; i++) {
    if (samples[i].at_us <= f->last_us) continue;
    f->last_us = samples[i].at_us;
    jw_begin(&w, &line);
    write_sample(&w, &samples[i]);
    outbuf_add_char(&line, '\n');
  }
  if (!line.failed && http_stream_backlog(f->req) < BACKLOG_MAX) http_stream_send(f->req, line.data, line.len);
  outbuf_fini(&line);
}

/* Sends what is new; the stream ends with the deployment. */
static void advance(follower *f) {
  pipeline_sample samples[PIPELINE_SAMPLES];
  uint32_t n;
  bool over = pipeline_get_samples(f->pipeline, samples, &n, NULL) != HW_OK;
  f->sending = true;
  if (!over) send_samples(f, samples, n);
  f->sending = false;
  http_request *req = f->gone ? NULL : f->req;
  if (req && !over) return;
  follower_free(f);
  if (req) http_stream_end(req);
}

void get_time_series_stream(const api_call *call) {
  series_board *board = call->context->series;
  pipeline_sample samples[PIPELINE_SAMPLES];
  uint32_t n;
  hw_error err = {0};
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  follower *f = calloc(1, sizeof *f);
  if (!f || pipeline_get_samples(p, samples, &n, &err) != HW_OK) {
    if (f) call_refuse(call, p, &err);
    else http_reply_no_memory(call->req);
    hw_pipeline_unref(p);
    free(f);
    return;
  }
  *f = (follower){.next = board->followers, .link = &board->followers, .pipeline = p, .req = call->req};
  if (f->next) f->next->link = &f->next;
  board->followers = f;
  if (http_stream_begin(call->req, 200, "application/x-ndjson", NULL, true, on_gone, f)) advance(f);
  else follower_free(f);
}

/* ---- the clock ------------------------------------------------------------ */

void series_board_tick(series_board *board) {
  bool moved = false;
  /* Without memory: a second later. */
  if (manager_sample(board->engine, stats_resident_bytes(), &moved) != HW_OK) moved = true;
  board->still = moved || board->followers ? 0 : board->still + 1;
  for (follower *f = board->followers, *next; f; f = next) {
    next = f->next; /* sending to one frees none but it */
    advance(f);
  }
}

static const struct timeval second = {.tv_sec = 1};

static void on_clock(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  series_board *board = arg;
  series_board_tick(board);
  if (board->still >= STILL_MAX) event_del(board->clock);
}

void series_board_wake(series_board *board) {
  board->still = 0;
  /* Where that fails, with the next request. */
  if (!event_pending(board->clock, EV_TIMEOUT, NULL)) (void)event_add(board->clock, &second);
}

series_board *series_board_new(struct event_base *base, hw_engine *engine) {
  series_board *board = calloc(1, sizeof *board);
  if (!board) return NULL;
  board->engine = engine;
  board->clock = event_new(base, -1, EV_PERSIST, on_clock, board);
  if (board->clock && event_add(board->clock, &second) == 0) return board;
  series_board_free(board);
  return NULL;
}

void series_board_free(series_board *board) {
  if (!board) return;
  assert(!board->followers);
  if (board->clock) event_free(board->clock);
  free(board);
}
