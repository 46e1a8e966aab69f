/* listing.c - the list of all pipelines, in pieces.
 *
 * DESIGN
 * Hundreds of pipelines with their programs are megabytes of JSON. Written at once
 * they would hold up every other client for as long as that takes, and wait in
 * memory as a whole for a client that is slow. So the reply is begun with the first
 * piece, and each next one is written when the client has taken what it has and the
 * event loop has looked after everybody else once. A list that fits in one piece is
 * a reply like any other.
 *
 * The list is of the pipelines that there were when it was asked for, held by
 * references; each record is as of the moment it is written. All of it is on the
 * API thread. Rejected: the worker, which would have to hold the whole text;
 * texts kept per pipeline, which would be memory held between requests to save
 * what costs some microseconds each. */
#include "api/call.h"

#include <stdlib.h>

#define PIECE_BYTES (64u << 10) /* a piece ends with the record that makes it so long */

typedef struct listing {
  http_request *req; /* NULL once the client has left */
  struct event *turn; /* comes when the others have had theirs */
  hw_pipeline **all;  /* references to those from `at` on */
  size_t n, at;
  pipeline_selector selector;
  bool sending; /* whoever sends looks whether the client has left, and frees */
} listing;

static void listing_free(listing *l) {
  for (size_t i = l->at; i < l->n; i++) hw_pipeline_unref(l->all[i]);
  if (l->turn) event_free(l->turn);
  free(l->all);
  free(l);
}

/* Also from within a send that finds the client gone. */
static void on_gone(void *arg) {
  listing *l = arg;
  l->req = NULL;
  if (!l->sending) listing_free(l);
}

/* ---- pieces --------------------------------------------------------------- */

/* The next records, with the brackets before the first and after the last; false: no memory. */
static bool write_piece(listing *l, json_writer *w) {
  reply_begin(l->req, w);
  if (l->at == 0) jw_array(w);
  else w->comma = true;
  while (l->at < l->n && w->out->len < PIECE_BYTES && !w->out->failed) {
    hw_pipeline *p = l->all[l->at++];
    call_write_pipeline(w, p, l->selector);
    hw_pipeline_unref(p);
  }
  if (l->at == l->n) jw_array_end(w);
  return !w->out->failed;
}

static void on_room(void *arg);

/* The client sees that the list is not whole. */
static void give_up(listing *l) {
  http_request *req = l->req;
  listing_free(l);
  http_stream_abort(req);
}

/* Until the client has taken all, or if it has, the others have had their turn. */
static void wait_for_turn(listing *l) {
  static const struct timeval at_once = {0};
  if (http_stream_backlog(l->req) > 0) http_stream_on_room(l->req, on_room, l);
  else if (event_add(l->turn, &at_once) != 0) give_up(l);
}

static void send_piece(listing *l, const json_writer *w) {
  l->sending = true;
  http_stream_send(l->req, w->out->data, w->out->len);
  l->sending = false;
  http_request *req = l->req;
  if (req && l->at < l->n) {
    wait_for_turn(l);
    return;
  }
  listing_free(l);
  if (req) http_stream_end(req);
}

static void on_turn(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  listing *l = arg;
  json_writer w;
  if (write_piece(l, &w)) send_piece(l, &w);
  else give_up(l);
}

static void on_room(void *arg) { wait_for_turn(arg); }

/* ---- the handler ---------------------------------------------------------- */

static listing *listing_new(const api_call *call, pipeline_selector selector) {
  listing *l = calloc(1, sizeof *l);
  if (!l) return NULL;
  *l = (listing){.req = call->req, .selector = selector};
  l->turn = event_new(call->context->base, -1, 0, on_turn, l);
  if (l->turn && manager_list(call->context->engine, &l->all, &l->n) == HW_OK) return l;
  listing_free(l);
  return NULL;
}

static void begin(listing *l, const json_writer *w) {
  if (http_stream_begin(l->req, 200, "application/json", NULL, false, on_gone, l)) send_piece(l, w);
  else listing_free(l);
}

void list_pipelines(const api_call *call) {
  pipeline_selector selector;
  if (!call_read_selector(call, &selector)) return;
  json_writer w;
  listing *l = listing_new(call, selector);
  bool written = l && write_piece(l, &w);
  if (written && l->at < l->n) {
    begin(l, &w);
    return;
  }
  if (l) listing_free(l);
  if (written) reply_json(call->req, 200, &w);
  else http_reply_no_memory(call->req);
}
