/* logs.c - a pipeline's log as a stream.
 *
 * DESIGN
 * A follower reads its logbook at its own pace: it sends while the client takes
 * what it gets, then waits for room, or at the end of the book for more lines.
 * These are told by a watch from any thread; its mail is on its way at most once,
 * and while it is the follower stays, be the client gone or not. */
#include "api/call.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define BACKLOG_MAX (64u << 10) /* a client that has so much before it gets no more */

typedef struct follower {
  mail mail; /* first; "there are more lines" */
  logbook_watch watch;
  _Atomic bool posted;
  mailbox *box;          /* a reference */
  hw_pipeline *pipeline; /* a reference */
  http_request *req;     /* API thread; NULL once the client has left */
  logbook_place at;
  bool sending;          /* whoever sends looks whether the client has left, and frees */
  bool waits_for_room;
} follower;

static void follower_free(follower *f) {
  hw_pipeline_unref(f->pipeline);
  mailbox_unref(f->box);
  free(f);
}

/* The client has left, or has got all. While mail is under way, that frees it. */
static void release(follower *f) {
  f->req = NULL;
  logbook_remove_watch(pipeline_logbook(f->pipeline), &f->watch);
  if (!atomic_load(&f->posted)) follower_free(f);
}

/* Also from within a send that finds the client gone. */
static void on_gone(void *arg) {
  follower *f = arg;
  f->req = NULL;
  if (!f->sending) release(f);
}

/* ---- sending -------------------------------------------------------------- */

static void say(follower *f, const char *text, size_t len) {
  if (f->req) http_stream_send(f->req, text, len);
}

static void tell_lost(follower *f, uint64_t lost, const char *what) {
  char text[128];
  int n = snprintf(text, sizeof text, "--- %llu %s ---\n", (unsigned long long)lost, what);
  say(f, text, (size_t)n);
}

/* Sends a piece; false: there was none. */
static bool send_piece(follower *f) {
  static char text[4 * LOGBOOK_LINE_BYTES]; /* the API thread's */
  uint64_t lost;
  size_t len = logbook_read(pipeline_logbook(f->pipeline), &f->at, text, sizeof text, &lost);
  if (lost) tell_lost(f, lost, "lines were discarded before they could be sent");
  say(f, text, len);
  return len > 0;
}

static void on_room(void *arg);

/* Sends what there is and the client takes; true: there is nothing more to come. */
static bool send_some(follower *f) {
  bool closed = logbook_is_closed(pipeline_logbook(f->pipeline)); /* before the last look */
  while (f->req && http_stream_backlog(f->req) < BACKLOG_MAX)
    if (!send_piece(f)) return closed;
  f->waits_for_room = true;
  if (f->req) http_stream_on_room(f->req, on_room, f);
  return false;
}

static void send_on(follower *f) {
  if (f->waits_for_room) return;
  f->sending = true;
  bool over = send_some(f);
  f->sending = false;
  http_request *req = f->req;
  if (req && !over) return;
  release(f);
  if (req) http_stream_end(req);
}

static void on_room(void *arg) {
  follower *f = arg;
  f->waits_for_room = false;
  send_on(f);
}

/* ---- more lines ----------------------------------------------------------- */

static void on_grew(void *arg) {
  follower *f = arg;
  if (!atomic_exchange(&f->posted, true)) mailbox_post(f->box, &f->mail);
}

static void deliver(mail *m) {
  follower *f = (follower *)m;
  atomic_store(&f->posted, false); /* before the look: lines added after it come with mail of their own */
  if (f->req) send_on(f);
  else follower_free(f);
}

/* The connections were closed before the mailbox: nobody is there any more. */
static void discard(mail *m) { follower_free((follower *)m); }

/* ---- the handler ---------------------------------------------------------- */

static void send_first_line(follower *f) {
  static const char fresh[] = "--- Fresh start of pipeline log ---\n";
  uint64_t lost = logbook_skip_lost(pipeline_logbook(f->pipeline), &f->at);
  if (lost) tell_lost(f, lost, "prior log lines were discarded due to buffer constraints");
  else say(f, fresh, sizeof fresh - 1);
}

void get_logs(const api_call *call) {
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  follower *f = calloc(1, sizeof *f);
  if (!f) {
    hw_pipeline_unref(p);
    http_reply_no_memory(call->req);
    return;
  }
  *f = (follower){.mail = {.deliver = deliver, .discard = discard}, .watch = {.grew = on_grew, .arg = f}};
  f->box = mailbox_ref(call->context->box);
  f->pipeline = p;
  f->req = call->req;
  logbook_add_watch(pipeline_logbook(p), &f->watch);
  if (!http_stream_begin(call->req, 200, "text/plain", NULL, true, on_gone, f)) {
    release(f);
    return;
  }
  f->sending = true;
  send_first_line(f);
  send_on(f);
}
