/* Replies in pieces, bodies that are taken when there is room, and connections
 * that become two-way streams: bounded, complete, and noticed when left. */
#include "api/http_conn.h"
#include "tests/api_client.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE 10000u
#define BACKLOG_MOST 65536u

/* What goes on in the server's thread; one exchange at a time. */
typedef struct exchange {
  http_request *req;
  unsigned pieces;   /* still to send */
  size_t received;
  int socket;        /* lent */
  uint64_t most;     /* to be received from it */
  unsigned lent;     /* times */
  bool keeps;        /* what it was lent, until it is asked for it */
  struct event *later;
} exchange;

static struct event_base *base;
static http_server *server;
static pthread_t thread;
static int orders[2];
static _Atomic unsigned gone_count, ended_count, recalls;
static _Atomic size_t backlog_most;
static const http_limits quick = {.write_ms = 200, .body_ms = 1000, .linger_ms = 200};

static void exchange_free(exchange *x) {
  if (x->later) event_free(x->later);
  free(x);
}

static void on_gone(void *arg) {
  exchange_free(arg);
  atomic_fetch_add(&gone_count, 1);
}

/* Sends while little waits, and goes on when there is room. */
static void send_pieces(void *arg) {
  exchange *x = arg;
  char piece[PIECE];
  memset(piece, 'x', sizeof piece);
  while (x->pieces && http_stream_backlog(x->req) < BACKLOG_MOST) {
    x->pieces--;
    http_stream_send(x->req, piece, sizeof piece);
    size_t backlog = http_stream_backlog(x->req);
    if (backlog > atomic_load(&backlog_most)) atomic_store(&backlog_most, backlog);
  }
  if (x->pieces) {
    http_stream_on_room(x->req, send_pieces, x);
    return;
  }
  http_stream_end(x->req);
  exchange_free(x);
  atomic_fetch_add(&ended_count, 1);
}

static exchange *exchange_new(http_request *req) {
  exchange *x = calloc(1, sizeof *x);
  ck_assert_ptr_nonnull(x);
  x->req = req;
  return x;
}

static void count(http_request *req) {
  exchange *x = exchange_new(req);
  x->pieces = (unsigned)atoi(http_query(req, "n"));
  if (http_stream_begin(req, 200, "text/plain", NULL, false, on_gone, x))
    send_pieces(x);
  else
    exchange_free(x);
}

static uint64_t key_of(const http_request *req) {
  const char *key = http_query(req, "key");
  return key ? strtoull(key, NULL, 10) : 0;
}

static void follow(http_request *req) {
  exchange *x = exchange_new(req);
  req->key = key_of(req);
  ck_assert(http_stream_begin(req, 200, "text/plain", NULL, true, on_gone, x));
  http_stream_send(req, "hello", 5);
}

static void end_streams(http_request *req) {
  http_end_streams(server, key_of(req));
  http_reply(req, 200, NULL, NULL, NULL, 0);
}

static void break_off(http_request *req) {
  exchange *x = exchange_new(req);
  ck_assert(http_stream_begin(req, 200, "text/plain", NULL, false, on_gone, x));
  http_stream_send(req, "half", 4);
  http_stream_abort(req);
  exchange_free(x);
}

static void echo_back(http_request *req, const char *data, size_t len) {
  exchange *x = (exchange *)(uintptr_t)req->context;
  if (!memchr(data, '.', len)) {
    http_stream_send(req, data, len);
    return;
  }
  http_stream_end(req);
  exchange_free(x);
}

static void upgrade(http_request *req) {
  outbuf extra = {0};
  http_add_header(&extra, "Upgrade", "echo");
  req->data = echo_back;
  exchange *x = exchange_new(req);
  req->context = x;
  ck_assert(http_upgrade(req, &extra, on_gone, x));
  outbuf_fini(&extra);
}

/* ---- a body that is taken slowly -------------------------------------------- */

static void resume(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  http_body_resume(((exchange *)arg)->req, 0);
}

static void take(http_request *req, const char *data, size_t len) {
  exchange *x = (exchange *)(uintptr_t)req->context;
  (void)data;
  x->received += len;
  http_body_pause(req);
  event_active(x->later, EV_TIMEOUT, 0);
}

/* A longer pause than the client's clock allows for. */
static void take_late(http_request *req, const char *data, size_t len) {
  exchange *x = (exchange *)(uintptr_t)req->context;
  (void)data;
  http_body_pause(req);
  event_add(x->later, &(struct timeval){.tv_sec = x->received ? 0 : 2});
  x->received += len;
}

/* Bodies have the remainder of their place in them. */
static void check_bytes(exchange *x, const char *data, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (data[i] != (char)((x->received + i) % 251)) ck_abort_msg("byte %zu is another one's", x->received + i);
  x->received += len;
}

static void receive_lent(exchange *x) {
  static char buffer[100001]; /* of the server's thread */
  uint64_t sum = 0;
  for (ssize_t n = 1; n > 0 && sum < x->most; sum += n > 0 ? (uint64_t)n : 0) {
    uint64_t left = x->most - sum;
    n = recv(x->socket, buffer, left < sizeof buffer ? (size_t)left : sizeof buffer, MSG_DONTWAIT);
    if (n > 0) check_bytes(x, buffer, (size_t)n);
  }
  x->socket = -1;
  http_body_resume(x->req, sum);
}

/* Its event is on its way. */
static void recall(http_request *req) {
  exchange *x = (exchange *)(uintptr_t)req->context;
  atomic_fetch_add(&recalls, 1);
  if (x->keeps) receive_lent(x);
}

/* First nothing is taken until there is enough at once for the socket to be lent. */
static void go_on(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  exchange *x = arg;
  int waiting = 0;
  ck_assert_int_eq(ioctl(x->req->conn->fd, FIONREAD, &waiting), 0);
  if (x->socket >= 0) receive_lent(x);
  else if (waiting < HTTP_RECEIVE_SIZE / 2) event_active(x->later, EV_TIMEOUT, 0);
  else http_body_resume(x->req, 0);
}

static bool borrow(http_request *req, int fd, uint64_t most) {
  exchange *x = (exchange *)(uintptr_t)req->context;
  ck_assert_uint_eq(x->received + most + 1, req->content_length);
  x->socket = fd;
  x->most = most;
  x->lent++;
  if (!x->keeps) event_active(x->later, EV_TIMEOUT, 0);
  return true;
}

static void take_until_lent(http_request *req, const char *data, size_t len) {
  exchange *x = (exchange *)(uintptr_t)req->context;
  ck_assert_int_lt(x->socket, 0); /* or bytes would come from two sides */
  check_bytes(x, data, len);
  if (x->lent || x->received > len) return;
  int room = 1 << 20;
  ck_assert_int_eq(setsockopt(req->conn->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
  http_body_pause(req);
  event_active(x->later, EV_TIMEOUT, 0);
}

static void taken(http_request *req) {
  exchange *x = (exchange *)(uintptr_t)req->context;
  char text[64];
  int n = snprintf(text, sizeof text, "%zu%s", x->received, x->lent ? ", lent" : "");
  http_reply(req, 200, "text/plain", NULL, text, (size_t)n);
  exchange_free(x);
}

static void begin_take(http_request *req, void (*data)(http_request *, const char *, size_t)) {
  exchange *x = exchange_new(req);
  x->socket = -1;
  x->later = event_new(base, -1, 0, data == take_until_lent ? go_on : resume, x);
  ck_assert_ptr_nonnull(x->later);
  req->context = x;
  req->data = data;
  req->lend = data == take_until_lent ? borrow : NULL;
  req->recall = recall;
  x->keeps = http_query(req, "keeps");
  req->complete = taken;
  http_defer(req, on_gone, x);
}

static void handle(void *arg, http_request *req) {
  (void)arg;
  const char *path = req->target.segments[0];
  if (strcmp(path, "take") == 0) begin_take(req, take);
  if (strcmp(path, "take_late") == 0) begin_take(req, take_late);
  if (strcmp(path, "lend") == 0) begin_take(req, take_until_lent);
  if (strcmp(path, "count") == 0) req->complete = count;
  if (strcmp(path, "follow") == 0) req->complete = follow;
  if (strcmp(path, "revoke") == 0) req->complete = end_streams;
  if (strcmp(path, "half") == 0) req->complete = break_off;
  if (strcmp(path, "upgrade") == 0) req->complete = upgrade;
}

/* ---- the server ------------------------------------------------------------ */

static void leave(void *arg) {
  (void)arg;
  event_base_loopbreak(base);
}

static void on_order(evutil_socket_t fd, short what, void *arg) {
  (void)what, (void)arg;
  char order;
  ck_assert_int_eq(read(fd, &order, 1), 1);
  if (order == 'd')
    http_server_drain(server, leave, NULL);
  else
    leave(NULL);
}

static void *serve(void *arg) {
  event_base_dispatch(base);
  return arg;
}

static void open_server(const http_limits *limits) {
  hw_error err;
  base = event_base_new();
  server = http_server_new(base, "127.0.0.1:0", limits, NULL, NULL, handle, NULL, &err);
  ck_assert_msg(server != NULL, "%s", err.message);
  ck_assert_int_eq(pipe(orders), 0);
  ck_assert_int_eq(event_base_once(base, orders[0], EV_READ, on_order, NULL, NULL), 0);
  ck_assert_int_eq(pthread_create(&thread, NULL, serve, NULL), 0);
}

static void setup(void) { open_server(NULL); }
static void setup_quick(void) { open_server(&quick); }

static void stop(const char *order) {
  ck_assert_int_eq(write(orders[1], order, 1), 1);
  ck_assert_int_eq(pthread_join(thread, NULL), 0);
  http_server_free(server);
  server = NULL;
}

static void teardown(void) {
  if (server) stop("n");
  event_base_free(base);
  close(orders[0]);
  close(orders[1]);
}

static api_client ask(const char *line) {
  api_client c = api_connect(http_server_port(server));
  api_sayf(&c, "%s\r\n{host}\r\n\r\n", line);
  return c;
}

static void wait_for(_Atomic unsigned *counter, unsigned n) {
  while (atomic_load(counter) < n) sched_yield();
}

/* What comes until the server closes; freed by the caller. */
static char *rest_of(api_client *c, size_t *len) {
  char *all = NULL;
  size_t room = 0;
  *len = 0;
  for (ssize_t n = 1; n > 0;) {
    if (room - *len < 65536) all = realloc(all, room += 1 << 20);
    ck_assert_ptr_nonnull(all);
    n = recv(c->fd, all + *len, room - *len - 1, 0);
    if (n > 0) *len += (size_t)n;
  }
  all[*len] = '\0';
  return all;
}

/* ---- tests ----------------------------------------------------------------- */

static api_client follow_with(const char *line) {
  api_client c = ask(line);
  char byte = 0, last = 0;
  while (last != 'l' || byte != 'o') { /* of "hello": it streams */
    last = byte;
    ck_assert_int_eq(recv(c.fd, &byte, 1, 0), 1);
  }
  return c;
}

/* What a key has let in ends with the key, and nothing else does. */
START_TEST(streams_of_a_key_end_with_it) {
  size_t len;
  api_client mine = follow_with("GET /follow?key=7 HTTP/1.0"), other = follow_with("GET /follow?key=8 HTTP/1.0");
  api_client no_key = follow_with("GET /follow HTTP/1.0"), boss = ask("GET /revoke?key=7 HTTP/1.1");
  api_reply r = api_receive(&boss, false);
  ck_assert_int_eq(r.status, 200);
  free(rest_of(&mine, &len));
  ck_assert_uint_eq(atomic_load(&gone_count), 1);
  shutdown(other.fd, SHUT_WR); /* these are there until they leave themselves */
  wait_for(&gone_count, 2);
  shutdown(no_key.fd, SHUT_WR);
  wait_for(&gone_count, 3);
  api_reply_free(&r);
  api_disconnect(&mine);
  api_disconnect(&other);
  api_disconnect(&no_key);
  api_disconnect(&boss);
}
END_TEST

START_TEST(pieces_make_a_whole) {
  api_client c = ask("GET /count?n=3 HTTP/1.1");
  api_reply r = api_receive(&c, false);
  ck_assert_int_eq(r.status, 200);
  ck_assert_str_eq(api_header(&r, "Transfer-Encoding"), "chunked");
  ck_assert_uint_eq(r.len, 3 * PIECE);
  api_reply_free(&r);
  /* The connection is good for another, and for a HEAD. */
  api_sayf(&c, "HEAD /count?n=3 HTTP/1.1\r\n{host}\r\n\r\nGET /count?n=0 HTTP/1.1\r\n{host}\r\n\r\n");
  r = api_receive(&c, true);
  ck_assert_int_eq(r.status, 200);
  api_reply_free(&r);
  r = api_receive(&c, false);
  ck_assert_int_eq(r.status, 200);
  ck_assert_uint_eq(r.len, 0);
  api_reply_free(&r);
  api_disconnect(&c);
}
END_TEST

START_TEST(to_http_1_0_it_ends_with_the_connection) {
  api_client c = ask("GET /count?n=2 HTTP/1.0");
  size_t len;
  char *all = rest_of(&c, &len);
  char *body = strstr(all, "\r\n\r\n");
  ck_assert_ptr_nonnull(body);
  ck_assert_ptr_null(strstr(all, "chunked"));
  ck_assert_uint_eq(len - (size_t)(body + 4 - all), 2 * PIECE);
  free(all);
  api_disconnect(&c);
}
END_TEST

START_TEST(a_slow_client_makes_the_sender_wait) {
  unsigned pieces = 5000;
  api_client c = ask("GET /count?n=5000 HTTP/1.0");
  size_t len;
  char *all = rest_of(&c, &len); /* begins late, and what waits meanwhile is bounded */
  ck_assert_uint_gt(len, (size_t)pieces * PIECE);
  ck_assert_uint_le(atomic_load(&backlog_most), BACKLOG_MOST + PIECE + 64);
  free(all);
  api_disconnect(&c);
}
END_TEST

START_TEST(a_client_that_takes_nothing_is_left) {
  api_client c = ask("GET /count?n=100000 HTTP/1.1");
  wait_for(&gone_count, 1);
  ck_assert_uint_eq(atomic_load(&ended_count), 0);
  api_disconnect(&c);
}
END_TEST

START_TEST(a_follower_that_leaves_is_noticed) {
  api_client c = ask("GET /follow HTTP/1.1");
  char head[1024];
  ck_assert_int_gt(recv(c.fd, head, sizeof head, 0), 0);
  api_disconnect(&c);
  wait_for(&gone_count, 1);
}
END_TEST

START_TEST(half_a_reply_is_seen_as_such) {
  api_client c = ask("GET /half HTTP/1.1");
  size_t len;
  char *all = rest_of(&c, &len);
  ck_assert_ptr_nonnull(strstr(all, "half"));
  ck_assert_ptr_null(strstr(all, "\r\n0\r\n"));
  free(all);
  api_disconnect(&c);
}
END_TEST

START_TEST(a_drain_ends_what_is_endless) {
  api_client c = ask("GET /follow HTTP/1.1");
  char head[1024];
  ck_assert_int_gt(recv(c.fd, head, sizeof head, 0), 0);
  stop("d");
  ck_assert_uint_eq(atomic_load(&gone_count), 1);
  api_disconnect(&c);
}
END_TEST

START_TEST(upgraded_both_ways) {
  api_client c = ask("GET /upgrade HTTP/1.1");
  char text[4096] = "";
  size_t len = 0;
  api_say(&c, "ping");
  while (!strstr(text, "ping")) {
    ssize_t n = recv(c.fd, text + len, sizeof text - 1 - len, 0);
    ck_assert_int_gt(n, 0);
    len += (size_t)n;
    text[len] = '\0';
  }
  ck_assert_ptr_nonnull(strstr(text, "HTTP/1.1 101 "));
  ck_assert_ptr_nonnull(strstr(text, "Upgrade: echo\r\n"));
  api_say(&c, ".");
  ck_assert(api_closed(&c));
  api_disconnect(&c);
}
END_TEST

/* ---- bodies ---------------------------------------------------------------- */

#define BODY (3u << 20)

static void post(api_client *c, const char *path, size_t announced, size_t sent) {
  api_sayf(c, "POST %s HTTP/1.1\r\n{host}\r\nContent-Length: %zu\r\n\r\n", path, announced);
  char *body = calloc(1, sent + 1);
  ck_assert_ptr_nonnull(body);
  for (size_t i = 0; i < sent; i++) body[i] = (char)(i % 251);
  api_send(c, body, sent);
  free(body);
}

static void expect_taken(api_client *c, const char *path) {
  post(c, path, BODY, BODY);
  api_reply r = api_receive(c, false);
  ck_assert_int_eq(r.status, 200);
  ck_assert_uint_eq((size_t)atol(r.body), BODY);
  api_reply_free(&r);
}

static void expect_malformed(api_client *c) {
  api_reply r = api_receive(c, false);
  api_check_error(&r, 400, "MalformedRequest");
  api_reply_free(&r);
}

START_TEST(a_body_waits_until_it_is_taken) {
  api_client c = api_connect(http_server_port(server));
  expect_taken(&c, "/take");
  api_sayf(&c, "POST /take HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\n"
               "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  api_reply r = api_receive(&c, false);
  ck_assert_str_eq(r.body, "5");
  api_reply_free(&r);
  api_disconnect(&c);
  ck_assert_uint_eq(atomic_load(&gone_count), 0);
}
END_TEST

START_TEST(others_may_receive_a_body) {
  api_client c = api_connect(http_server_port(server));
  for (int i = 0; i < 3; i++) { /* the connection is good for the next */
    post(&c, "/lend", BODY, BODY);
    api_reply r = api_receive(&c, false);
    ck_assert_int_eq(r.status, 200);
    char text[64];
    snprintf(text, sizeof text, "%u, lent", BODY);
    ck_assert_str_eq(r.body, text);
    api_reply_free(&r);
  }
  post(&c, "/lend", BODY, BODY / 2); /* its end is seen by the connection */
  ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
  expect_malformed(&c);
  api_disconnect(&c);
  ck_assert_uint_eq(atomic_load(&gone_count), 1);
  c = api_connect(http_server_port(server));
  post(&c, "/lend?keeps=1", BODY, BODY / 2); /* and so it is where nobody receives */
  api_disconnect(&c);
  wait_for(&gone_count, 2);
  ck_assert_uint_ge(atomic_load(&recalls), 1);
}
END_TEST

START_TEST(a_clock_stands_still_while_a_body_is_paused) {
  api_client c = api_connect(http_server_port(server));
  expect_taken(&c, "/take_late");
  api_disconnect(&c);
}
END_TEST

START_TEST(a_body_that_breaks_off_is_told) {
  api_client c = api_connect(http_server_port(server));
  post(&c, "/take", 1000, 10);
  ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
  expect_malformed(&c);
  api_disconnect(&c);
  ck_assert_uint_eq(atomic_load(&gone_count), 1);
  c = api_connect(http_server_port(server));
  api_sayf(&c, "POST /take HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n");
  expect_malformed(&c);
  api_disconnect(&c);
  ck_assert_uint_eq(atomic_load(&gone_count), 2);
}
END_TEST

START_TEST(a_body_that_stalls_is_told) {
  api_client c = api_connect(http_server_port(server));
  post(&c, "/take", 1000, 10); /* and then nothing */
  api_reply r = api_receive(&c, false);
  api_check_error(&r, 408, "RequestTimeout");
  api_reply_free(&r);
  api_disconnect(&c);
  ck_assert_uint_eq(atomic_load(&gone_count), 1);
}
END_TEST

int main(void) {
  Suite *s = suite_create("api_stream");
  TCase *t = tcase_create("api_stream");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, pieces_make_a_whole);
  tcase_add_test(t, to_http_1_0_it_ends_with_the_connection);
  tcase_add_test(t, a_slow_client_makes_the_sender_wait);
  tcase_add_test(t, streams_of_a_key_end_with_it);
  tcase_add_test(t, a_follower_that_leaves_is_noticed);
  tcase_add_test(t, half_a_reply_is_seen_as_such);
  tcase_add_test(t, a_drain_ends_what_is_endless);
  tcase_add_test(t, upgraded_both_ways);
  tcase_add_test(t, a_body_waits_until_it_is_taken);
  tcase_add_test(t, others_may_receive_a_body);
  tcase_add_test(t, a_body_that_breaks_off_is_told);
  suite_add_tcase(s, t);
  TCase *q = tcase_create("clocks");
  tcase_add_checked_fixture(q, setup_quick, teardown);
  tcase_set_timeout(q, 60);
  tcase_add_test(q, a_client_that_takes_nothing_is_left);
  tcase_add_test(q, a_clock_stands_still_while_a_body_is_paused);
  tcase_add_test(q, a_body_that_stalls_is_told);
  suite_add_tcase(s, q);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
