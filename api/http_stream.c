/* http_stream.c - replies in pieces, and connections that are HTTP no more.
 *
 * DESIGN
 * A stream is a phase of its connection, between BUSY and FLUSH. Its pieces go out
 * as chunks (to HTTP/1.0 as they are, until the connection closes). Nothing here
 * holds a piece back: the sender looks at the backlog and waits for `room`, so
 * what a slow client makes wait is bounded by its sender.
 *
 * A client that closes its side while it streams has left: nobody reads logs or
 * changes with one half of a connection, and only so is a follower that went away
 * noticed before there is something to send it.
 *
 * Upgraded, the connection's input goes to the request's data instead of to the
 * parser, and pieces go out as they are. */
#include "api/http_conn.h"

#include <assert.h>
#include <stdio.h>

static void send_head(http_conn *c, const char *type, const outbuf *extra) {
  outbuf *head = &c->server->head;
  reply_head_end(&c->request, type, extra);
  if (head->failed) c->dead = true;
  conn_send(c, &(struct iovec){.iov_base = head->data, .iov_len = head->len}, 1);
}

static void begin(http_request *req, bool endless, void (*gone)(void *arg), void *arg) {
  http_conn *c = req->conn;
  req->answered = true;
  req->streams = true;
  req->endless = endless;
  req->gone = gone;
  req->gone_arg = arg;
  c->streamed = c->taken = 0;
  conn_set_phase(c, CONN_STREAM);
}

/* Leaves the connection after a begin; false: it is gone, or has no more to get. */
static bool begun(http_conn *c, bool headless) {
  http_request *req = &c->request;
  bool over = headless || c->dead;
  if (over) req->gone = NULL;
  if (over && !c->dead) http_stream_end(req);
  conn_leave(c);
  return !over;
}

bool http_stream_begin(http_request *req, unsigned status, const char *type, const outbuf *extra, bool endless,
                       void (*gone)(void *arg), void *arg) {
  http_conn *c = req->conn;
  assert(!req->answered && c->phase == CONN_BUSY);
  conn_enter(c);
  req->chunked = c->parser.http_minor == 1;
  req->keep_alive = req->keep_alive && req->chunked;
  reply_note(req, status, 0);
  reply_head_begin(req, status);
  outbuf_printf(&c->server->head, "Cache-Control: no-cache\r\n%s%s",
                req->chunked ? "Transfer-Encoding: chunked\r\n" : "", req->keep_alive ? "" : "Connection: close\r\n");
  begin(req, endless, gone, arg);
  send_head(c, type, extra);
  return begun(c, req->method == HTTP_HEAD);
}

bool http_upgrade(http_request *req, const outbuf *extra, void (*gone)(void *arg), void *arg) {
  http_conn *c = req->conn;
  assert(!req->answered && c->phase == CONN_BUSY && req->data);
  conn_enter(c);
  c->upgraded = true;
  req->keep_alive = false;
  reply_note(req, 101, 0);
  reply_head_begin(req, 101);
  outbuf_add_str(&c->server->head, "Connection: Upgrade\r\n");
  begin(req, true, gone, arg);
  send_head(c, NULL, extra);
  return begun(c, false);
}

void http_stream_send(http_request *req, const char *data, size_t len) {
  http_conn *c = req->conn;
  char size[24];
  assert(req->streams);
  if (len == 0) return; /* as a chunk it would be the end */
  conn_enter(c);
  int n = req->chunked ? snprintf(size, sizeof size, "%zx\r\n", len) : 0;
  struct iovec parts[3] = {{.iov_base = size, .iov_len = (size_t)n},
                           {.iov_base = (char *)data, .iov_len = len},
                           {.iov_base = (char *)"\r\n", .iov_len = req->chunked ? 2 : 0}};
  c->streamed += parts[0].iov_len + len + parts[2].iov_len;
  conn_send(c, parts, 3);
  conn_leave(c);
}

/* The request is over; what the client has not taken yet still goes out. */
static void end(http_request *req, bool whole) {
  http_conn *c = req->conn;
  assert(req->streams);
  conn_enter(c);
  bool outermost = c->depth == 1;
  req->gone = NULL;
  req->room = NULL;
  if (whole && req->chunked && req->method != HTTP_HEAD)
    conn_send(c, &(struct iovec){.iov_base = (char *)"0\r\n\r\n", .iov_len = 5}, 1);
  if (!whole) c->dead = true;
  if (!c->dead) conn_replied(c, req->keep_alive && whole && !c->server->draining);
  if (outermost) conn_process(c);
  conn_leave(c);
}

void http_stream_end(http_request *req) { end(req, true); }
void http_stream_abort(http_request *req) { end(req, false); }

size_t http_stream_backlog(const http_request *req) { return conn_unsent(req->conn); }

void http_stream_on_room(http_request *req, void (*room)(void *arg), void *arg) {
  req->room = room;
  req->room_arg = arg;
}

/* ---- from the connection -------------------------------------------------- */

void stream_emptied(http_conn *c) {
  http_request *req = &c->request;
  void (*room)(void *) = req->room;
  req->room = NULL;
  if (room) room(req->room_arg);
}

static void tunnel(http_conn *c) {
  struct evbuffer *in = bufferevent_get_input(c->bev);
  struct evbuffer_iovec piece;
  while (c->phase == CONN_STREAM && !c->dead && evbuffer_peek(in, -1, NULL, &piece, 1) > 0 && piece.iov_len > 0) {
    if (c->request.data) c->request.data(&c->request, piece.iov_base, piece.iov_len);
    evbuffer_drain(in, piece.iov_len);
  }
}

void stream_input(http_conn *c) {
  if (c->upgraded) tunnel(c);
  if (c->ended && c->phase == CONN_STREAM) c->dead = true;
}

void stream_drain(http_conn *c) {
  http_request *req = &c->request;
  if (!req->endless) return;
  conn_enter(c);
  conn_abandon(c);
  req->keep_alive = false;
  http_stream_end(req);
  conn_leave(c);
}

void http_end_streams(http_server *server, uint64_t key) {
  for (http_conn *c = server->conns, *next; c; c = next) {
    next = c->next;
    if (c->phase != CONN_STREAM || c->request.key != key) continue;
    conn_enter(c);
    conn_abandon(c);
    c->dead = true;
    conn_leave(c);
  }
}

/* ---- bodies that wait ----------------------------------------------------- */

void http_body_pause(http_request *req) {
  http_conn *c = req->conn;
  conn_enter(c);
  c->paused = true;
  c->armed = -1;
  conn_leave(c);
}

void http_body_resume(http_request *req, uint64_t received) {
  http_conn *c = req->conn;
  if (!c->paused) return;
  conn_enter(c);
  bool outermost = c->depth == 1;
  c->paused = false;
  c->armed = -1;
  parse_over(c, received);
  c->lent = false;
  if (outermost) conn_process(c);
  conn_leave(c);
}
