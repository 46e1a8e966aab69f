/* http_conn.c - how a connection lives.
 *
 * DESIGN
 * Problem: many clients on one thread, any of which may be slow, malformed,
 * gone, or never reading what it asked for; memory must stay bounded and no
 * client may hold up another.
 *
 * Structure: a bufferevent per connection for readiness and buffers, http-parser
 * for the text, and the phases of http_conn.h. One request at a time: while its
 * reply is being made, what the client has pipelined waits unparsed in the input
 * buffer (at most HTTP_INPUT_MAX, then the socket is not read). So replies keep
 * the order of requests by construction, and what one connection can have
 * outstanding is bounded. Nor is a request parsed while the client has not taken
 * the reply before it. A connection that has much waiting handles a few
 * requests, then lets the others have their turn.
 *
 * A reply is offered to the socket at once; only what it does not take is copied
 * into the bufferevent's output (with TLS, all of it). One timer per connection follows the phase; all
 * timers of a phase have one length, so libevent keeps them in a plain queue.
 *
 * Bodies arrive in pieces through request.data: http_collect_body gathers them,
 * a handler may as well take them as they come, and pause them.
 *
 * Threads: all of it on the thread of the event base. A connection is freed only
 * in the last conn_leave, so code in between may mark it dead and go on.
 *
 * Rejected: evhttp (answers protocol errors in HTML, holds whole bodies, knows
 * no Upgrade); several requests of one connection at once (order would have to
 * be restored, and a pause and a start sent in one go would race). */
#include "api/http_conn.h"

#include "api/reply.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define TURNS_MAX 32 /* pieces or requests handled before others have their turn */
#define RECEIVE_TURNS 4 /* likewise, of HTTP_RECEIVE_SIZE */
#define LINGER_MAX (4 << 20)

/* Which phases may follow which; bits. */
static const unsigned followers[CONN_PHASES] = {
    [CONN_IDLE] = 1u << CONN_HEAD | 1u << CONN_CLOSING,
    [CONN_HEAD] = 1u << CONN_BODY | 1u << CONN_BUSY | 1u << CONN_CLOSING,
    [CONN_BODY] = 1u << CONN_BUSY | 1u << CONN_CLOSING,
    [CONN_BUSY] = 1u << CONN_STREAM | 1u << CONN_FLUSH | 1u << CONN_IDLE | 1u << CONN_CLOSING,
    [CONN_STREAM] = 1u << CONN_FLUSH | 1u << CONN_IDLE | 1u << CONN_CLOSING,
    [CONN_FLUSH] = 1u << CONN_IDLE,
    [CONN_CLOSING] = 1u << CONN_LINGER,
    [CONN_HANDSHAKE] = 1u << CONN_IDLE,
};

void conn_set_phase(http_conn *c, conn_phase phase) {
  assert(followers[c->phase] & 1u << phase);
  c->phase = phase;
}

static bool takes_input(const http_conn *c) { return !c->dead && !c->paused && c->phase <= CONN_BODY; }

size_t conn_unsent(const http_conn *c) { return evbuffer_get_length(bufferevent_get_output(c->bev)); }

/* ---- entering and leaving ------------------------------------------------- */

void conn_enter(http_conn *c) { c->depth++; }

static void arm_timer(http_conn *c) {
  if (c->armed == (int)c->phase) return;
  const struct timeval *timeout = c->server->timeouts[c->phase];
  if (c->paused) timeout = c->lent ? c->server->recall_every : NULL;
  if (c->phase == CONN_STREAM) c->taken = c->streamed - conn_unsent(c);
  if (timeout) {
    event_add(&c->timer, timeout);
  } else {
    event_del(&c->timer);
  }
  c->armed = (int)c->phase;
}

static void count_backlog(http_conn *c) {
  size_t now = conn_unsent(c);
  c->server->backlog += now - c->backlog;
  c->backlog = now;
}

/* Stops reading while more waits than may, of a body that is not taken anything, and
 * begins again when it has gone. (A high watermark would do the same, but libevent 2.1 sets one up with an
 * allocation whose failure it does not see.) */
static void bound_input(http_conn *c) {
  bool full = c->lent || evbuffer_get_length(bufferevent_get_input(c->bev)) >= (c->paused ? 1 : HTTP_INPUT_MAX);
  if (full == c->held || c->ended) return;
  c->held = full;
  if ((full ? bufferevent_disable(c->bev, EV_READ) : bufferevent_enable(c->bev, EV_READ)) != 0) c->dead = true;
}

void conn_leave(http_conn *c) {
  if (--c->depth > 0) return;
  bound_input(c);
  if (c->dead || (c->server->draining && c->phase == CONN_IDLE)) {
    conn_free(c);
    return;
  }
  arm_timer(c);
  count_backlog(c);
}

/* ---- sending -------------------------------------------------------------- */

/* Bytes that the socket took at once. */
static size_t send_now(http_conn *c, struct iovec *parts, int n) {
  if (c->tls || conn_unsent(c) > 0) return 0;
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)n};
  ssize_t sent;
  do {
    sent = sendmsg(c->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return (size_t)sent;
  if (errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS) c->dead = true;
  return 0;
}

void conn_send(http_conn *c, struct iovec *parts, int n) {
  if (c->dead) return;
  size_t sent = send_now(c, parts, n);
  struct evbuffer *out = bufferevent_get_output(c->bev);
  for (int i = 0; i < n && !c->dead; i++) {
    size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
    sent -= skip;
    if (skip == parts[i].iov_len) continue;
    if (evbuffer_add(out, (char *)parts[i].iov_base + skip, parts[i].iov_len - skip) != 0) c->dead = true;
  }
}

void conn_abandon(http_conn *c) {
  http_request *req = &c->request;
  void (*gone)(void *) = req->gone;
  req->gone = NULL;
  req->room = NULL;
  if (gone) gone(req->gone_arg);
}

/* All was sent: says so to the client and reads what it still sends. */
static void linger(http_conn *c) {
  tls_say_goodbye(c);
  if (c->ended || shutdown(c->fd, SHUT_WR) != 0) {
    c->dead = true;
    return;
  }
  conn_set_phase(c, CONN_LINGER);
}

void conn_replied(http_conn *c, bool keep_alive) {
  parse_release(c);
  if (!keep_alive) {
    conn_set_phase(c, CONN_CLOSING);
    if (conn_unsent(c) == 0) linger(c);
  } else {
    conn_set_phase(c, conn_unsent(c) ? CONN_FLUSH : CONN_IDLE);
  }
}

/* ---- receiving ------------------------------------------------------------ */

static void handle_whole(http_conn *c) {
  http_request *req = &c->request;
  c->whole = false;
  conn_set_phase(c, CONN_BUSY);
  if (!req->has_body) c->server->handler(c->server->arg, req);
  if (c->phase == CONN_BUSY && !req->answered && req->complete) req->complete(req);
}

/* The client sends no more, and all it sent was handled. */
static void handle_end(http_conn *c) {
  if (c->phase == CONN_IDLE) {
    c->dead = true;
  } else {
    parse_cut_short(c);
  }
}

/* Whether some input is waiting; *piece is its first part. */
static bool next_piece(http_conn *c, struct evbuffer_iovec *piece) {
  struct evbuffer *in = bufferevent_get_input(c->bev);
  return evbuffer_peek(in, -1, NULL, piece, 1) > 0 && piece->iov_len > 0;
}

static void drop_input(http_conn *c) {
  struct evbuffer *in = bufferevent_get_input(c->bev);
  c->lingered += evbuffer_get_length(in);
  evbuffer_drain(in, evbuffer_get_length(in));
  if (c->lingered > LINGER_MAX) c->dead = true;
}

void conn_process(http_conn *c) {
  struct evbuffer_iovec piece;
  unsigned turns = 0;
  while (takes_input(c) && next_piece(c, &piece)) {
    if (turns++ == TURNS_MAX) {
      bufferevent_trigger(c->bev, EV_READ, BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
      return;
    }
    size_t taken = parse_some(c, piece.iov_base, piece.iov_len);
    evbuffer_drain(bufferevent_get_input(c->bev), taken);
    if (c->whole && !c->dead) handle_whole(c);
  }
  if (c->ended && takes_input(c)) handle_end(c);
  if (c->ended && c->phase == CONN_BUSY && c->request.leaves) c->dead = true;
  if (c->phase == CONN_STREAM) stream_input(c);
  if (c->phase == CONN_LINGER) drop_input(c);
}

/* Puts bytes behind those that wait, as if they had just been read. */
static void keep_input(http_conn *c, const char *data, size_t len) {
  struct evbuffer *in = bufferevent_get_input(c->bev);
  if (len == 0 || c->dead) return;
  evbuffer_unfreeze(in, 0); /* a bufferevent keeps its users from that end */
  if (evbuffer_add(in, data, len) != 0) c->dead = true;
  evbuffer_freeze(in, 0);
}

/* The last byte stays: with it the parser sees the end. */
static void lend_socket(http_conn *c) {
  http_request *req = &c->request;
  if (!c->flows || !req->lend || req->answered || c->parser.flags & F_CHUNKED) return;
  if (c->parser.content_length <= HTTP_RECEIVE_SIZE) return;
  c->lent = req->lend(req, c->fd, c->parser.content_length - 1);
  if (c->lent) http_body_pause(req);
}

/* Of a body that is arriving, what the socket has: libevent 2.1 reads no more than
 * 4,096 bytes at a time, however many it is allowed. The end is left to it. */
static void receive_body(http_conn *c) {
  struct evbuffer *in = bufferevent_get_input(c->bev);
  for (unsigned turns = 0; turns < RECEIVE_TURNS; turns++) {
    if (c->phase != CONN_BODY || !takes_input(c) || c->tls || evbuffer_get_length(in) > 0) return;
    char *buffer = c->server->receive;
    ssize_t n = recv(c->fd, buffer, HTTP_RECEIVE_SIZE, MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) c->dead = true;
    if (n <= 0) return;
    c->flows = n >= HTTP_RECEIVE_SIZE / 2;
    size_t taken = parse_some(c, buffer, (size_t)n);
    keep_input(c, buffer + taken, (size_t)n - taken);
    if (c->whole && !c->dead) handle_whole(c);
    if (c->phase == CONN_BODY && takes_input(c) && evbuffer_get_length(in) == 0) lend_socket(c);
  }
}

/* ---- events --------------------------------------------------------------- */

static void on_read(struct bufferevent *bev, void *arg) {
  (void)bev;
  http_conn *c = arg;
  conn_enter(c);
  if (c->phase == CONN_BODY) c->armed = -1; /* the deadline starts anew with each piece */
  conn_process(c);
  receive_body(c);
  conn_process(c); /* another request may stand behind the body */
  conn_leave(c);
}

/* The output has run empty. */
static void on_write(struct bufferevent *bev, void *arg) {
  (void)bev;
  http_conn *c = arg;
  conn_enter(c);
  if (c->phase == CONN_CLOSING) linger(c);
  if (c->phase == CONN_FLUSH) conn_set_phase(c, CONN_IDLE);
  if (c->phase == CONN_STREAM) stream_emptied(c);
  conn_process(c);
  conn_leave(c);
}

static void refuse(http_conn *c) {
  conn_set_phase(c, CONN_HEAD);
  reply_error(&c->request, 503, "TooManyConnections", NULL,
              "the server has its %u connections, or %u of this client; close some", c->server->limits.max_connections,
              c->server->limits.max_per_client);
}

static void begin(http_conn *c) {
  if (c->phase == CONN_HANDSHAKE) conn_set_phase(c, CONN_IDLE);
  if (c->refused) refuse(c);
}

static void on_event(struct bufferevent *bev, short what, void *arg) {
  (void)bev;
  http_conn *c = arg;
  conn_enter(c);
  if (what & BEV_EVENT_CONNECTED) {
    begin(c);
    conn_leave(c);
    return;
  }
  if (c->phase == CONN_HANDSHAKE) tls_handshake_failed(c);
  if (what & BEV_EVENT_ERROR || c->phase == CONN_LINGER) c->dead = true;
  c->ended = true;
  conn_process(c);
  conn_leave(c);
}

/* Whether the client has taken some of its reply since the last look. */
static bool took_some(const http_conn *c) {
  if (c->phase == CONN_STREAM) return !conn_unsent(c) || c->streamed - conn_unsent(c) > c->taken;
  return conn_unsent(c) < c->backlog;
}

static void time_out(http_conn *c) {
  c->armed = -1;
  if (c->lent) {
    c->request.recall(&c->request);
    return;
  }
  if (c->phase == CONN_BODY) conn_abandon(c);
  if (c->phase == CONN_HEAD) {
    reply_error(&c->request, 408, "RequestTimeout", NULL, "the headers did not arrive within %u ms",
                c->server->limits.head_ms);
  } else if (c->phase == CONN_BODY) {
    reply_error(&c->request, 408, "RequestTimeout", NULL, "no byte of the body arrived for %u ms",
                c->server->limits.body_ms);
  } else if (c->phase == CONN_LINGER || c->phase == CONN_IDLE || c->phase == CONN_HANDSHAKE || !took_some(c)) {
    c->dead = true;
  }
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  http_conn *c = arg;
  conn_enter(c);
  time_out(c);
  conn_leave(c);
}

/* ---- birth and death ------------------------------------------------------ */

static void link_conn(http_conn *c) {
  http_server *server = c->server;
  c->next = server->conns;
  c->link = &server->conns;
  if (c->next) c->next->link = &c->next;
  server->conns = c;
  if (c->refused) {
    server->n_refused++;
  } else {
    server->n_conns++;
  }
}

static void unlink_conn(http_conn *c) {
  http_server *server = c->server;
  *c->link = c->next;
  if (c->next) c->next->link = c->link;
  if (c->refused) {
    server->n_refused--;
  } else {
    server->n_conns--;
  }
  if (server->draining && !server->conns) server->drained(server->drained_arg);
}

static http_conn *conn_new(http_server *server, evutil_socket_t fd) {
  http_conn *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->bev = server->access.tls ? tls_open(server, fd, &c->tls)
                              : bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);
  if (!c->bev) {
    free(c);
    return NULL;
  }
  c->server = server;
  c->fd = fd;
  c->armed = -1;
  c->request.conn = c;
  event_assign(&c->timer, server->base, -1, 0, on_timer, c);
  parse_init(c);
  return c;
}

void conn_open(http_server *server, evutil_socket_t fd, const struct in6_addr *client, bool refused) {
  http_conn *c = conn_new(server, fd);
  if (!c) {
    close(fd);
    return;
  }
  int on = 1;
  (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* only a matter of latency */
  c->refused = refused;
  c->client = *client;
  if (c->tls) c->phase = CONN_HANDSHAKE;
  link_conn(c);
  bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
  bufferevent_set_max_single_read(c->bev, HTTP_INPUT_MAX);
  conn_enter(c);
  if (bufferevent_enable(c->bev, EV_READ | EV_WRITE) != 0) c->dead = true;
  if (!c->tls) begin(c);
  conn_leave(c);
}

void conn_free(http_conn *c) {
  conn_abandon(c);
  parse_release(c);
  outbuf_fini(&c->head);
  c->server->backlog -= c->backlog;
  event_del(&c->timer);
  if (c->phase != CONN_LINGER) tls_say_goodbye(c);
  (void)shutdown(c->fd, SHUT_RDWR); /* libevent closes it later; the client need not wait for that */
  bufferevent_free(c->bev);
  unlink_conn(c);
  free(c);
}
