/* http.c - HTTP requests as a connection takes them: input is two bytes of cuts, what
 * the client sends. The replies are the same however it comes, each begins as a reply
 * does, and nothing of the connection is left afterwards. Requests are answered with
 * what was understood of them. */
#include "tests/fuzz/fuzz.h"

#include "api/http_conn.h"
#include "api/reply.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BODY_MAX 4096
#define TURNS_MAX 1000

static void answer(http_request *req) {
  outbuf *out = http_scratch(req);
  outbuf_printf(out, "%s", http_method_str(req->method));
  for (unsigned i = 0; i < req->target.n_segments; i++) outbuf_printf(out, " /%s", req->target.segments[i]);
  for (unsigned i = 0; i < req->target.n_query; i++)
    outbuf_printf(out, " %s=%s", req->target.query[i].name, req->target.query[i].value);
  const char *type = http_header(req, "Content-Type");
  outbuf_printf(out, " %s %zu:", type ? type : "-", req->body.len);
  outbuf_add(out, req->body.data, req->body.len);
  http_reply(req, 200, "text/plain", NULL, out->data, out->len);
}

static void handle(void *arg, http_request *req) {
  (void)arg;
  http_collect_body(req, BODY_MAX);
  req->complete = answer;
}

static http_server *server_of(struct event_base **base) {
  static http_server *server;
  static struct event_base *server_base;
  static const char *const hosts[] = {"h", "host.example:80", NULL};
  static const char *const origins[] = {"https://console.example", NULL};
  static const http_access access = {.hosts = hosts, .origins = origins};
  static const http_limits limits = {.max_url = 200, .max_head = 1000, .max_headers = 10, .linger_ms = 1};
  hw_error err;
  if (!server) {
    server_base = event_base_new();
    if (!server_base) fixture_fail("no event base");
    server = http_server_new(server_base, "127.0.0.1:0", &limits, &access, NULL, handle, NULL, &err);
    if (!server) fixture_fail("%s", err.message);
  }
  *base = server_base;
  return server;
}

/* What the server has to do now, and what it has sent. False: it has closed. */
static bool turn(struct event_base *base, int fd, fixture_text *replies) {
  char bytes[4096];
  ssize_t n;
  (void)event_base_loop(base, EVLOOP_NONBLOCK);
  while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) fixture_put(replies, bytes, (size_t)n);
  return n != 0;
}

/* Sends all in pieces of `step` bytes after the first. */
static fixture_text talk(fuzz_input in, size_t first, size_t step) {
  static const struct in6_addr client = {{{[10] = 0xff, 0xff, 127, 0, 0, 1}}};
  struct event_base *base;
  http_server *server = server_of(&base);
  fixture_text replies = {0};
  int fds[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) fixture_fail("no sockets");
  fixture_put(&replies, "", 0);
  conn_open(server, fds[0], &client, false);
  for (size_t n = first; in.len > 0; n = step) {
    size_t piece = n < in.len ? n : in.len;
    if (send(fds[1], in.data, piece, MSG_NOSIGNAL) < 0) break; /* it reads no more */
    in.data += piece;
    in.len -= piece;
    (void)turn(base, fds[1], &replies);
  }
  (void)shutdown(fds[1], SHUT_WR);
  for (unsigned turns = 0; turn(base, fds[1], &replies); turns++)
    if (turns == TURNS_MAX) fixture_fail("the connection is not closed after\n%s", replies.data);
  close(fds[1]);
  for (unsigned turns = 0; http_server_connections(server); turns++) {
    (void)event_base_loop(base, EVLOOP_NONBLOCK);
    if (turns == TURNS_MAX) fixture_fail("the connection is not freed");
  }
  if (server->bodies || server->backlog) fixture_fail("%zu bytes of bodies are left", server->bodies);
  return replies;
}

/* The status lines and bodies of replies that are good, and which are not: the time may
 * change between two, and which of several faults is found first depends on the cuts. */
static fixture_text summary(fixture_text replies) {
  fixture_text t = {0};
  const char *p = replies.data, *end = replies.data + replies.len;
  while (p < end) {
    const char *body = strstr(p, "\r\n\r\n"), *length = strstr(p, "\r\nContent-Length: ");
    if (strncmp(p, "HTTP/1.1 ", 9) != 0 || !body) fixture_fail("no reply: %s", p);
    fixture_print(&t, "%.*s\n", p[9] < '4' ? (int)strcspn(p, "\r") : 7, p[9] < '4' ? p : "refused");
    body += 4;
    size_t len = length && length < body ? strtoul(length + 18, NULL, 10) : 0;
    if (len > (size_t)(end - body) || !strncmp(body, "HTTP/1.1 ", 9)) len = 0; /* of HEAD */
    if (p[9] == '2') fixture_put(&t, body, len);
    p = body + len;
  }
  fixture_put(&t, "", 0);
  free(replies.data);
  return t;
}

void fuzz_http(fuzz_input in) {
  size_t first = 1 + fuzz_choose(&in, 64), step = 1 + fuzz_choose(&in, 64);
  fixture_text whole = summary(talk(in, SIZE_MAX, SIZE_MAX)), pieces = summary(talk(in, first, step));
  if (whole.len != pieces.len || memcmp(whole.data, pieces.data, whole.len) != 0)
    fixture_fail("%.*s\ngets\n%s\nand in pieces of %zu and %zu\n%s", (int)in.len, in.data, whole.data, first, step,
                 pieces.data);
  free(whole.data);
  free(pieces.data);
}
