/* The protocol: what is malformed, slow, too large, cut short or odd has a
 * defined outcome, in the one shape of an error, and harms nobody else. */
#include "api/outbuf.h"
#include "tests/api_client.h"

#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static api_fixture f;

/* Times short enough for a test, sizes small enough to be reached. */
static const api_options quick = {
    .limits = {.max_connections = 20,
               .max_bodies = 4 << 20,
               .idle_ms = 300,
               .head_ms = 300,
               .body_ms = 300,
               .write_ms = 300,
               .linger_ms = 300},
    .stop_ms = 500,
};

static void setup(void) { f = api_fixture_open(NULL); }
static void setup_quick(void) { f = api_fixture_open(&quick); }
static void teardown(void) {
  /* Whatever a test did: the server still answers. */
  json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
  api_fixture_close(&f);
}

#define OK_REQUEST "GET /healthz HTTP/1.1\r\n{host}\r\n\r\n"

/* Sends text; the reply is this error, and the connection is closed after it. */
static void expect_refusal(const char *text, int status, const char *code) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "%s", text);
  api_reply r = api_receive(&c, false);
  ck_assert_msg(r.status == status, "%s\n%d %s", text, r.status, r.body);
  api_check_error(&r, status, code);
  ck_assert_str_eq(api_header(&r, "Connection"), "close");
  ck_assert(shutdown(c.fd, SHUT_WR) == 0);
  ck_assert(api_closed(&c));
  api_reply_free(&r);
  api_disconnect(&c);
}

static void expect_status(api_client *c, int status) {
  api_reply r = api_receive(c, false);
  ck_assert_msg(r.status == status, "%d instead of %d: %s", r.status, status, r.body);
  if (status >= 400) ck_assert_ptr_nonnull(strstr(r.body, "\"error_code\""));
  api_reply_free(&r);
}

/* Sends text, and expects this status; no matter whether the connection stays. */
static void expect_answer(const char *text, int status) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "%s", text);
  expect_status(&c, status);
  api_disconnect(&c);
}

/* ---- malformed ------------------------------------------------------------ */

START_TEST(malformed_requests) {
  static const char *const texts[] = {
      "garbage\r\n\r\n",
      "\x16\x03\x01\x02",
      "GET\r\n\r\n",
      "GET  HTTP/1.1\r\n\r\n",
      "get /healthz HTTP/1.1\r\n{host}\r\n\r\n",
      "GET /healthz XTTP/1.1\r\n{host}\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n{host}\r\nNo colon\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n{host}\r\nBad name: x\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n{host}\r\nContent-Length : 3\r\n\r\nabc",
      "GET /healthz HTTP/1.1\r\n{host}\r\nX: a\x01"
      "b\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n{host}\r\n: empty\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n\r\n",
      "GET /healthz HTTP/1.1\r\n{host}\r\n{host}\r\n\r\n",
      "GET /healthz\x7f HTTP/1.1\r\n{host}\r\n\r\n",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Length: -1\r\n\r\n",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Length: 1x\r\n\r\na",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Length: 99999999999999999999999\r\n\r\na",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\nzz\r\n",
      "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
      "fffffffffffffffff\r\n",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect_refusal(texts[i], 400, "MalformedRequest");
}
END_TEST

START_TEST(nul_bytes) {
  static const struct {
    const char *text;
    size_t len;
  } cases[] = {
#define CASE(text) {text, sizeof text - 1}
      CASE("\0"),
      CASE("GET /healthz\0 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      CASE("GET /healthz HTTP/1.1\r\nHo\0st: localhost\r\n\r\n"),
      CASE("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n"),
#undef CASE
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    api_client c = api_connect(f.port);
    api_send(&c, cases[i].text, cases[i].len);
    api_reply r = api_receive(&c, false);
    api_check_error(&r, 400, "MalformedRequest");
    api_reply_free(&r);
    api_disconnect(&c);
  }
  api_client c = api_connect(f.port);
  api_sayf(&c, "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n");
  api_send(&c, "{\0 }", 4);
  expect_status(&c, 400);
  api_disconnect(&c);
}
END_TEST

START_TEST(versions_methods_expectations) {
  expect_refusal("GET /healthz HTTP/2.0\r\n{host}\r\n\r\n", 505, "HttpVersionNotSupported");
  expect_refusal("GET /healthz HTTP/1.2\r\n{host}\r\n\r\n", 505, "HttpVersionNotSupported");
  expect_refusal("GET /healthz\r\n\r\n", 505, "HttpVersionNotSupported");
  expect_refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "MalformedRequest");
  expect_refusal("CONNECT localhost:80 HTTP/1.1\r\n{host}\r\n\r\n", 501, "NotImplemented");
  expect_answer("OPTIONS * HTTP/1.1\r\n{host}\r\n\r\n", 400);
  expect_answer("TRACE /healthz HTTP/1.1\r\n{host}\r\n\r\n", 405);
  expect_refusal("GET /healthz HTTP/1.1\r\n{host}\r\nExpect: 200-ok\r\n\r\n", 417, "ExpectationFailed");
  expect_refusal("POST /v0/pipelines HTTP/1.1\r\n{host}\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "NotImplemented");
  static const char *const codings[] = {"gzip, chunked", "chunked, chunked", "gzip\r\nTransfer-Encoding: chunked",
                                        "chunked\r\nTransfer-Encoding: chunked", "identity, chunked", ", chunked"};
  for (size_t i = 0; i < sizeof codings / sizeof *codings; i++) {
    char text[256];
    snprintf(text, sizeof text, "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nTransfer-Encoding: %s\r\n\r\n0\r\n\r\n",
             codings[i]);
    expect_refusal(text, 501, "NotImplemented");
  }
}
END_TEST

START_TEST(lenient_where_the_standard_is) {
  expect_answer("\r\n\r\nGET /healthz HTTP/1.1\r\n{host}\r\n\r\n", 200);
  expect_answer("GET /healthz HTTP/1.1\n{host}\n\n", 200);
  expect_answer("GET /healthz HTTP/1.1\r\n{host}   \r\nX:\r\nY:   \r\n\r\n", 200);
  expect_answer("GET /healthz HTTP/1.1\r\nhOST:localhost\r\n\r\n", 200);
  expect_answer("GET /healthz HTTP/1.1\r\n{host}\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 200);
  expect_answer("GET /healthz HTTP/1.1\r\n{host}\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
                200);
  expect_answer("GET /healthz HTTP/1.1\r\n{host}\r\nContent-Length: 0\r\n\r\n", 200);
}
END_TEST

/* ---- who may ask ---------------------------------------------------------- */

START_TEST(foreign_hosts_and_origins) {
  char ours[512];
  expect_refusal("GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403, "ForeignHost");
  expect_refusal("GET /healthz HTTP/1.1\r\nHost: localhost:1\r\n\r\n", 403, "ForeignHost");
  expect_refusal("GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 403, "ForeignHost");
  expect_refusal("GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 403, "ForeignHost");
  expect_refusal("GET http://user@localhost/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", 403, "ForeignHost");
  expect_refusal("GET /healthz HTTP/1.1\r\n{host}\r\nOrigin: http://evil.example\r\n\r\n", 403, "ForeignOrigin");
  expect_refusal("GET /healthz HTTP/1.1\r\n{host}\r\nOrigin: null\r\n\r\n", 403, "ForeignOrigin");
  expect_refusal("OPTIONS /v0/pipelines HTTP/1.1\r\n{host}\r\nOrigin: http://localhost:3000\r\n"
                 "Access-Control-Request-Method: POST\r\n\r\n",
                 403, "ForeignOrigin");
  snprintf(ours, sizeof ours,
           "GET http://[::1]:%u/healthz HTTP/1.1\r\nHost: LOCALHOST:%u\r\nOrigin: http://127.0.0.1:%u\r\n\r\n", f.port,
           f.port, f.port);
  expect_answer(ours, 200);
  expect_answer("GET /healthz HTTP/1.1\r\nHost: 127.8.9.10\r\n\r\n", 200);
  expect_answer("GET /healthz HTTP/1.0\r\n\r\n", 200);
}
END_TEST

START_TEST(listens_on_loopback_only) {
  static const char *const refused[] = {
      "0.0.0.0:0",  "8.8.8.8:80",  "[::]:0",          "[2001:db8::1]:80", "example.com:80", "127.0.0.1",
      "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",     "::1:80",         "[127.0.0.1]:0",
      "",           ":8080",       "[]:80",           "127.0.0.1: 80"};
  static const char *const taken[] = {"127.0.0.1:0", "localhost:0", "127.9.9.9:0"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    hw_error err = {0};
    const api_options o = {.listen = refused[i]};
    ck_assert_msg(api_server_new(f.engine, &o, &err) == NULL, "%s", refused[i]);
    ck_assert_msg(strstr(err.message, refused[i]) != NULL, "%s", err.message);
  }
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
    hw_error err;
    const api_options o = {.listen = taken[i]};
    api_server *server = api_server_new(f.engine, &o, &err);
    ck_assert_msg(server != NULL, "%s", err.message);
    ck_assert_uint_ne(api_server_port(server), 0);
    api_server_free(server);
  }
}
END_TEST

START_TEST(a_taken_port_is_named) {
  char listen[32];
  hw_error err;
  snprintf(listen, sizeof listen, "127.0.0.1:%u", f.port);
  const api_options o = {.listen = listen};
  ck_assert_ptr_null(api_server_new(f.engine, &o, &err));
  ck_assert_ptr_nonnull(strstr(err.message, listen));
}
END_TEST

/* ---- bounds --------------------------------------------------------------- */

static char *repeat(const char *unit, size_t n) {
  size_t len = strlen(unit);
  char *text = malloc(len * n + 1), *to = text;
  ck_assert_ptr_nonnull(text);
  for (; n > 0; n--, to += len) memcpy(to, unit, len);
  *to = '\0';
  return text;
}

/* Sends before, n times unit, after; expects the error. */
static void expect_large(const char *before, const char *unit, size_t n, const char *after, int status,
                         const char *code) {
  char *middle = repeat(unit, n);
  api_client c = api_connect(f.port);
  api_sayf(&c, "%s", before);
  api_say(&c, middle);
  api_sayf(&c, "%s", after);
  api_reply r = api_receive(&c, false);
  if (code) {
    api_check_error(&r, status, code);
  } else {
    ck_assert_msg(r.status == status, "%d instead of %d: %s", r.status, status, r.body);
  }
  api_reply_free(&r);
  api_disconnect(&c);
  free(middle);
}

#define POST_JSON "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\n"

START_TEST(bounds) {
  const char *after = " HTTP/1.1\r\n{host}\r\n\r\n", *get = "GET /healthz HTTP/1.1\r\n{host}\r\n";
  expect_large("GET /", "a", 8191, after, 404, "NotFound");
  expect_large("GET /", "a", 8192, after, 414, "UriTooLong");
  expect_large("GET /", "a", 1 << 20, after, 414, "UriTooLong");
  expect_large(get, "A: b\r\n", 99, "\r\n", 200, NULL);
  expect_large(get, "A: b\r\n", 100, "\r\n", 431, "HeadersTooLarge");
  expect_large("GET /healthz HTTP/1.1\r\n{host}\r\nX: ", "x", 16000, "\r\n\r\n", 200, NULL);
  expect_large("GET /healthz HTTP/1.1\r\n{host}\r\nX: ", "x", 16384, "\r\n\r\n", 431, "HeadersTooLarge");
  expect_large("GET /healthz HTTP/1.1\r\n{host}\r\n", "y", 17000, ": x\r\n\r\n", 431, "HeadersTooLarge");
  expect_large(POST_JSON "Content-Length: 2097152\r\n\r\n", " ", 2097152, "", 400, "MalformedJson");
  expect_large(POST_JSON "Content-Length: 2097153\r\n\r\n", " ", 2097153, "", 413, "PayloadTooLarge");
  expect_large(POST_JSON "Transfer-Encoding: chunked\r\n\r\n200001\r\n", " ", 2097153, "\r\n0\r\n\r\n", 413,
               "PayloadTooLarge");
  expect_large(POST_JSON "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", 3000, "0\r\n\r\n", 400, "MalformedJson");
  expect_large(POST_JSON "Transfer-Encoding: chunked\r\n\r\n0\r\n", "T: x\r\n", 5000, "\r\n", 431, "HeadersTooLarge");
}
END_TEST

/* A refusal that is known from the headers does not wait for the body. */
START_TEST(early_refusals) {
  expect_refusal(POST_JSON "Content-Length: 9999999999\r\n\r\n", 413, "PayloadTooLarge");
  expect_refusal(POST_JSON "Content-Length: 9999999999\r\nExpect: 100-continue\r\n\r\n", 413, "PayloadTooLarge");
  expect_refusal("POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Length: 10\r\n\r\n", 415, "UnsupportedMediaType");
  expect_refusal("POST /nowhere HTTP/1.1\r\n{host}\r\nContent-Length: 10\r\n\r\n", 404, "NotFound");
  expect_refusal("PUT /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Length: 10\r\n\r\n", 405, "MethodNotAllowed");
}
END_TEST

START_TEST(bodies_together_are_bounded) {
  /* A dozen clients hold 1 MiB each of 4 MiB; some are told that there is no room. */
  enum { N = 12 };
  api_client c[N];
  char *half = repeat("x", 1 << 20);
  int refused = 0;
  for (int i = 0; i < N; i++) {
    c[i] = api_connect(f.port);
    api_sayf(&c[i], POST_JSON "Content-Length: 2000000\r\n\r\n");
    api_say(&c[i], half);
  }
  for (int i = 0; i < N; i++) {
    api_reply r = api_receive(&c[i], false);
    refused += r.status == 503;
    if (r.status == 503) api_check_error(&r, 503, "ServerBusy");
    if (r.status != 503) api_check_error(&r, 408, "RequestTimeout");
    api_reply_free(&r);
    api_disconnect(&c[i]);
  }
  ck_assert_int_ge(refused, N - 4);
  free(half);
}
END_TEST

/* ---- bodies --------------------------------------------------------------- */

#define SMALL "{\"name\":\"p\",\"program_code\":\"x\"}"

START_TEST(chunked_bodies) {
  api_client c = api_connect(f.port);
  api_sayf(&c,
           POST_JSON
           "Transfer-Encoding: chunked\r\n\r\n5;ext=\"x\"\r\n%.5s\r\n1A\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" OK_REQUEST,
           SMALL, &SMALL[5]);
  ck_assert_uint_eq(strlen(SMALL), 5 + 0x1A);
  expect_status(&c, 201);
  expect_status(&c, 200);
  api_disconnect(&c);
}
END_TEST

START_TEST(expect_continue) {
  api_client c = api_connect(f.port);
  api_sayf(&c, POST_JSON "Expect: 100-Continue\r\nContent-Length: %zu\r\n\r\n", strlen(SMALL));
  api_reply r = api_receive(&c, false);
  ck_assert_int_eq(r.status, 100);
  api_reply_free(&r);
  api_say(&c, SMALL);
  expect_status(&c, 201);
  api_sayf(&c, "GET /healthz HTTP/1.1\r\n{host}\r\nExpect: 100-continue\r\n\r\n"); /* no body: nothing to wait for */
  expect_status(&c, 200);
  api_disconnect(&c);
}
END_TEST

/* Every split of a request into two pieces, and one byte at a time. */
START_TEST(any_fragments) {
  char text[512];
  int len = snprintf(text, sizeof text,
                     "POST /v0/pipelines HTTP/1.1\r\nHost: localhost:%u\r\nContent-Type: application/json\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                     f.port);
  for (int at = 1; at < len; at++) {
    api_client c = api_connect(f.port);
    api_send(&c, text, (size_t)at);
    api_send(&c, text + at, (size_t)(len - at));
    expect_status(&c, 400); /* {} lacks a name */
    api_disconnect(&c);
  }
  api_client c = api_connect(f.port);
  for (int i = 0; i < len; i++) api_send(&c, text + i, 1);
  expect_status(&c, 400);
  api_disconnect(&c);
}
END_TEST

/* ---- connections ---------------------------------------------------------- */

START_TEST(keep_alive_and_close) {
  api_client c = api_connect(f.port);
  for (int i = 0; i < 5; i++) {
    api_sayf(&c, OK_REQUEST);
    expect_status(&c, 200);
  }
  api_sayf(&c, "GET /v0/pipelines/none HTTP/1.1\r\n{host}\r\n\r\n"); /* an error of a handler closes nothing */
  expect_status(&c, 404);
  api_sayf(&c, "GET /healthz HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n" OK_REQUEST);
  api_reply r = api_receive(&c, false);
  ck_assert_str_eq(api_header(&r, "Connection"), "close");
  api_reply_free(&r);
  ck_assert(api_closed(&c));
  ck_assert_uint_eq(c.len, 0); /* what came after was not answered */
  api_disconnect(&c);
}
END_TEST

START_TEST(http_1_0) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  api_reply r = api_receive(&c, false);
  ck_assert_str_eq(api_header(&r, "Connection"), "keep-alive");
  api_reply_free(&r);
  api_sayf(&c, "GET /healthz HTTP/1.0\r\n\r\n");
  r = api_receive(&c, false);
  ck_assert_str_eq(api_header(&r, "Connection"), "close");
  api_reply_free(&r);
  ck_assert(api_closed(&c));
  api_disconnect(&c);
}
END_TEST

START_TEST(pipelining_keeps_order) {
  enum { N = 2000 };
  api_client c = api_connect(f.port);
  outbuf text = {0};
  for (int i = 0; i < N; i++)
    outbuf_printf(&text, "GET /v0/pipelines/p%d HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", i, f.port);
  ck_assert(!text.failed);
  /* The replies are larger than what the kernel holds: they are taken while the requests are sent. */
  pid_t child = fork();
  ck_assert_int_ge(child, 0);
  if (child == 0) {
    api_send(&c, text.data, text.len);
    _exit(0);
  }
  for (int i = 0; i < N; i++) {
    char name[32];
    snprintf(name, sizeof name, "'p%d'", i);
    api_reply r = api_receive(&c, false);
    ck_assert_int_eq(r.status, 404);
    ck_assert_msg(strstr(r.body, name) != NULL, "%s is not %s", r.body, name);
    api_reply_free(&r);
  }
  outbuf_fini(&text);
  api_disconnect(&c);
}
END_TEST

START_TEST(half_closed) {
  api_client c = api_connect(f.port); /* whole requests are answered */
  api_sayf(&c, OK_REQUEST OK_REQUEST);
  ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
  expect_status(&c, 200);
  expect_status(&c, 200);
  ck_assert(api_closed(&c));
  api_disconnect(&c);
  static const char *const cut[] = {"GET /hea", "GET /healthz HTTP/1.1\r\nHos", POST_JSON "Content-Length: 10\r\n\r\n{",
                                    POST_JSON "Transfer-Encoding: chunked\r\n\r\n3\r\n{"};
  for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
    c = api_connect(f.port);
    api_sayf(&c, cut[i], "");
    ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
    api_reply r = api_receive(&c, false);
    api_check_error(&r, 400, "MalformedRequest");
    api_reply_free(&r);
    ck_assert(api_closed(&c));
    api_disconnect(&c);
  }
  c = api_connect(f.port); /* nothing at all */
  ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
  ck_assert(api_closed(&c));
  api_disconnect(&c);
}
END_TEST

static void reset(api_client *c) {
  const struct linger now = {.l_onoff = 1, .l_linger = 0};
  ck_assert_int_eq(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
  api_disconnect(c);
}

START_TEST(resets) {
  static const char *const before[] = {"", "GET /", OK_REQUEST, POST_JSON "Content-Length: 10\r\n\r\n{",
                                       OK_REQUEST "GET"};
  for (int i = 0; i < 200; i++) {
    api_client c = api_connect(f.port);
    api_sayf(&c, before[i % 5], "");
    reset(&c);
  }
}
END_TEST

START_TEST(slow_clients_are_cut_off) {
  api_client idle = api_connect(f.port), slow = api_connect(f.port), stuck = api_connect(f.port),
             used = api_connect(f.port);
  api_sayf(&used, OK_REQUEST);
  expect_status(&used, 200);
  api_say(&slow, "GET /healthz HTTP/1.1\r\nHo");
  api_sayf(&stuck, POST_JSON "Content-Length: 10\r\n\r\n{");
  ck_assert(api_closed(&idle)); /* in silence: it asked nothing */
  ck_assert_uint_eq(idle.len, 0);
  ck_assert(api_closed(&used));
  expect_status(&slow, 408);
  ck_assert(api_closed(&slow));
  expect_status(&stuck, 408);
  ck_assert(api_closed(&stuck));
  api_disconnect(&idle);
  api_disconnect(&slow);
  api_disconnect(&stuck);
  api_disconnect(&used);
}
END_TEST

/* A byte now and then does not hold the headers open. */
START_TEST(trickled_headers_are_cut_off) {
  api_client c = api_connect(f.port);
  const struct timeval step = {.tv_usec = 20000};
  api_say(&c, "GET /healthz HTTP/1.1\r\nX: ");
  ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &step, sizeof step), 0);
  int steps = 0;
  char byte;
  while (recv(c.fd, &byte, 1, MSG_PEEK) < 0 && steps++ < 200) api_say(&c, "x"); /* the read waits a step */
  ck_assert_int_lt(steps, 100);
  expect_status(&c, 408);
  api_disconnect(&c);
}
END_TEST

/* Asks for more than the kernel buffers and reads nothing: the server stops
 * reading from it, keeps a bounded backlog, and gives it up. */
START_TEST(client_that_does_not_read) {
  api_client c = api_connect(f.port);
  char *requests = repeat("GET /v0/config HTTP/1.1\r\nHost: localhost\r\n\r\n", 100);
  const struct timeval limit = {.tv_sec = 5};
  ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
  size_t sent = 0;
  ssize_t n;
  while (sent < (64u << 20) && (n = send(c.fd, requests, strlen(requests), MSG_NOSIGNAL)) > 0) sent += (size_t)n;
  ck_assert_uint_lt(sent, 64u << 20); /* ended by the server's giving up, or by its not reading */
  free(requests);
  api_disconnect(&c);
}
END_TEST

START_TEST(too_many_connections) {
  enum { N = 20 };
  api_client c[N];
  for (int i = 0; i < N; i++) {
    c[i] = api_connect(f.port);
    api_sayf(&c[i], OK_REQUEST);
    expect_status(&c[i], 200);
  }
  api_client more = api_connect(f.port);
  api_reply r = api_receive(&more, false);
  api_check_error(&r, 503, "TooManyConnections");
  api_reply_free(&r);
  ck_assert_int_eq(shutdown(more.fd, SHUT_WR), 0);
  ck_assert(api_closed(&more));
  api_disconnect(&more);
  for (int i = 0; i < N; i++) api_disconnect(&c[i]);
}
END_TEST

/* Descriptors run out: accepting waits, and goes on when there are some again. */
START_TEST(out_of_descriptors) {
  api_client first = api_connect(f.port), late = {.port = f.port};
  api_sayf(&first, OK_REQUEST);
  expect_status(&first, 200);
  late = api_connect(f.port);
  struct rlimit before, none;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
  api_sayf(&late, OK_REQUEST);
  expect_status(&late, 200);
  /* No number below the limit is free: a dup gives the next one. */
  int next = dup(first.fd);
  ck_assert_int_ge(next, 0);
  none = (struct rlimit){.rlim_cur = (rlim_t)next + 1, .rlim_max = before.rlim_max};
  int waiting = socket(AF_INET, SOCK_STREAM, 0); /* takes next + 1 */
  ck_assert_int_ge(waiting, 0);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
  struct sockaddr_in to;
  socklen_t len = sizeof to;
  ck_assert_int_eq(getpeername(first.fd, (struct sockaddr *)&to, &len), 0);
  ck_assert_int_eq(connect(waiting, (struct sockaddr *)&to, len), 0); /* the kernel takes it; the server cannot */
  for (int i = 0; i < 20; i++) {                                      /* others are still served meanwhile */
    api_sayf(&first, OK_REQUEST);
    expect_status(&first, 200);
  }
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
  api_client w = {.fd = waiting, .port = f.port};
  api_sayf(&w, OK_REQUEST);
  expect_status(&w, 200);
  close(next);
  api_disconnect(&w);
  api_disconnect(&first);
  api_disconnect(&late);
}
END_TEST

/* ---- stopping ------------------------------------------------------------- */

START_TEST(stop_closes_idle_connections) {
  api_fixture g = api_fixture_open(&quick);
  api_client idle = api_connect(g.port);
  api_sayf(&idle, OK_REQUEST);
  expect_status(&idle, 200);
  api_server_stop(g.server, false);
  ck_assert(api_closed(&idle));
  api_disconnect(&idle);
  api_fixture_close(&g);
}
END_TEST

START_TEST(stop_before_start_and_twice) {
  hw_error err;
  const api_options o = {.listen = "127.0.0.1:0"};
  api_server *server = api_server_new(f.engine, &o, &err);
  ck_assert_ptr_nonnull(server);
  api_server_stop(server, false);
  api_server_stop(server, false);
  api_server_stop(server, true);
  api_server_run(server); /* returns */
  api_server_stop(server, true);
  api_server_free(server);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("api_http");
  TCase *tc = tcase_create("protocol"), *slow = tcase_create("bounds in time and number");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 30);
  tcase_add_test(tc, malformed_requests);
  tcase_add_test(tc, nul_bytes);
  tcase_add_test(tc, versions_methods_expectations);
  tcase_add_test(tc, lenient_where_the_standard_is);
  tcase_add_test(tc, foreign_hosts_and_origins);
  tcase_add_test(tc, listens_on_loopback_only);
  tcase_add_test(tc, a_taken_port_is_named);
  tcase_add_test(tc, bounds);
  tcase_add_test(tc, early_refusals);
  tcase_add_test(tc, chunked_bodies);
  tcase_add_test(tc, expect_continue);
  tcase_add_test(tc, any_fragments);
  tcase_add_test(tc, keep_alive_and_close);
  tcase_add_test(tc, http_1_0);
  tcase_add_test(tc, pipelining_keeps_order);
  tcase_add_test(tc, half_closed);
  tcase_add_test(tc, resets);
  tcase_add_test(tc, out_of_descriptors);
  tcase_add_test(tc, stop_closes_idle_connections);
  tcase_add_test(tc, stop_before_start_and_twice);
  tcase_add_checked_fixture(slow, setup_quick, teardown);
  tcase_set_timeout(slow, 30);
  tcase_add_test(slow, slow_clients_are_cut_off);
  tcase_add_test(slow, trickled_headers_are_cut_off);
  tcase_add_test(slow, client_that_does_not_read);
  tcase_add_test(slow, too_many_connections);
  tcase_add_test(slow, bodies_together_are_bounded);
  suite_add_tcase(suite, tc);
  suite_add_tcase(suite, slow);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
