/* api_client.c - see api_client.h. */
#include "tests/api_client.h"

#include "tests/api_schema.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* ---- the server ----------------------------------------------------------- */

static void no_log(void *arg, hw_log_level level, const char *line) { (void)arg, (void)level, (void)line; }

api_fixture api_fixture_open(const api_options *options) {
  api_options o = options ? *options : (api_options){0};
  o.listen = "127.0.0.1:0";
  o.log_level = HW_LOG_DEBUG;
  o.log = no_log;
  hw_error err;
  api_fixture f = {.engine = fake_engine_new()};
  f.server = api_server_new(f.engine, &o, &err);
  ck_assert_msg(f.server != NULL, "%s", err.message);
  ck_assert_msg(api_server_start(f.server, &err) == HW_OK, "%s", err.message);
  f.port = api_server_port(f.server);
  return f;
}

void api_fixture_close(api_fixture *f) {
  api_server_free(f->server);
  fake_engine_free(f->engine);
}

/* ---- the connection ------------------------------------------------------- */

api_client api_connect(uint16_t port) {
  api_client c = {.port = port};
  const struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  const struct timeval limit = {.tv_sec = 10};
  c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_ge(c.fd, 0);
  ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
  const int on = 1;
  ck_assert_int_eq(setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
  ck_assert_int_eq(connect(c.fd, (const struct sockaddr *)&to, sizeof to), 0);
  return c;
}

void api_disconnect(api_client *c) {
  close(c->fd);
  free(c->data);
  *c = (api_client){.fd = -1};
}

void api_send(api_client *c, const char *data, size_t len) {
  while (len > 0) {
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
    if (n < 0) return; /* the server may have closed: the reply tells */
    data += n;
    len -= (size_t)n;
  }
}

void api_say(api_client *c, const char *text) { api_send(c, text, strlen(text)); }

void api_sayf(api_client *c, const char *fmt, ...) {
  char text[8192], host[64];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  snprintf(host, sizeof host, "Host: 127.0.0.1:%u", c->port);
  for (char *at = text, *hole; *at; at = hole + 6) {
    hole = strstr(at, "{host}");
    if (!hole) {
      api_say(c, at);
      return;
    }
    api_send(c, at, (size_t)(hole - at));
    api_say(c, host);
  }
}

/* Reads some more; false: the end, or a reset. */
static bool fill(api_client *c) {
  c->data = realloc(c->data, c->len + 65536 + 1);
  ck_assert_ptr_nonnull(c->data);
  ssize_t n = recv(c->fd, c->data + c->len, 65536, 0);
  ck_assert_msg(n >= 0 || errno == ECONNRESET, "no reply came: %s", strerror(errno));
  if (n <= 0) return false;
  c->len += (size_t)n;
  c->data[c->len] = '\0';
  return true;
}

static char *cut(api_client *c, size_t len) {
  char *text = malloc(len + 1);
  ck_assert_ptr_nonnull(text);
  memcpy(text, c->data, len);
  text[len] = '\0';
  c->len -= len;
  memmove(c->data, c->data + len, c->len);
  c->data[c->len] = '\0';
  return text;
}

const char *api_header(const api_reply *r, const char *name) {
  static _Thread_local char value[4096];
  size_t len = strlen(name);
  value[0] = '\0';
  for (const char *line = strstr(r->head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, len) != 0 || line[2 + len] != ':') continue;
    const char *from = line + 2 + len + 1 + strspn(line + 2 + len + 1, " ");
    snprintf(value, sizeof value, "%.*s", (int)strcspn(from, "\r"), from);
    break;
  }
  return value;
}

/* The next chunk's bytes are added to the body; false: it was the last. */
static bool receive_chunk(api_client *c, api_reply *r) {
  char *end;
  while (!(end = c->len ? strstr(c->data, "\r\n") : NULL)) ck_assert(fill(c));
  size_t size = strtoul(c->data, NULL, 16), head = (size_t)(end - c->data) + 2;
  while (c->len < head + size + 2) ck_assert(fill(c));
  r->body = realloc(r->body, r->len + size + 1);
  ck_assert_ptr_nonnull(r->body);
  memcpy(r->body + r->len, c->data + head, size);
  r->len += size;
  r->body[r->len] = '\0';
  free(cut(c, head + size + 2));
  return size > 0;
}

api_reply api_receive(api_client *c, bool head_only) {
  api_reply r = {0};
  char *end = NULL;
  while (!(end = c->len ? strstr(c->data, "\r\n\r\n") : NULL)) {
    if (fill(c)) continue;
    ck_assert_uint_eq(c->len, 0); /* never half a reply */
    r.head = strdup("");
    r.body = strdup("");
    return r;
  }
  r.head = cut(c, (size_t)(end - c->data) + 4);
  ck_assert_int_eq(sscanf(r.head, "HTTP/1.1 %d", &r.status), 1);
  if (strcmp(api_header(&r, "Transfer-Encoding"), "chunked") == 0) {
    if (head_only) r.body = strdup("");
    while (!head_only && receive_chunk(c, &r)) continue;
    return r;
  }
  if (r.status != 100) ck_assert_str_ne(api_header(&r, "Content-Length"), "");
  r.len = head_only || r.status == 100 ? 0 : strtoul(api_header(&r, "Content-Length"), NULL, 10);
  while (c->len < r.len) ck_assert(fill(c));
  r.body = c->data ? cut(c, r.len) : strdup("");
  return r;
}

bool api_closed(api_client *c) {
  while (fill(c)) continue;
  return true;
}

void api_reply_free(api_reply *r) {
  free(r->head);
  free(r->body);
  *r = (api_reply){0};
}

/* ---- whole requests ------------------------------------------------------- */

api_reply api_request(uint16_t port, const char *method, const char *path, const char *body) {
  api_client c = api_connect(port);
  api_sayf(&c, "%s %s HTTP/1.1\r\n{host}\r\n", method, path);
  if (body) {
    char head[128];
    snprintf(head, sizeof head, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", strlen(body));
    api_say(&c, head);
    api_say(&c, body);
  } else {
    api_say(&c, "\r\n");
  }
  api_reply r = api_receive(&c, strcmp(method, "HEAD") == 0);
  api_disconnect(&c);
  return r;
}

json_t *api_json(uint16_t port, const char *method, const char *path, const char *body, int status) {
  json_error_t fault;
  api_reply r = api_request(port, method, path, body);
  ck_assert_msg(r.status == status, "%s %s: %d instead of %d: %s", method, path, r.status, status, r.body);
  ck_assert_str_eq(api_header(&r, "Content-Type"), "application/json");
  json_t *json = json_loadb(r.body, r.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
  ck_assert_msg(json != NULL, "%s %s: %s: %s", method, path, fault.text, r.body);
  api_check_reply(method, path, status, json);
  api_reply_free(&r);
  return json;
}

void api_check_keys(const json_t *object, const char *keys) {
  size_t n = 0;
  ck_assert(json_is_object(object));
  for (const char *at = keys; *(at += strspn(at, " ")); n++) {
    char name[64];
    size_t len = strcspn(at, " ");
    snprintf(name, sizeof name, "%.*s", (int)len, at);
    ck_assert_msg(json_object_get(object, name) != NULL, "key %s is missing", name);
    at += len;
  }
  ck_assert_msg(json_object_size(object) == n, "%zu keys instead of %zu", json_object_size(object), n);
}

void api_check_error(const api_reply *r, int status, const char *code) {
  json_error_t fault;
  ck_assert_msg(r->status == status, "%d instead of %d %s: %s", r->status, status, code, r->body);
  ck_assert_str_eq(api_header(r, "Content-Type"), "application/json");
  if (status == 503) ck_assert_str_eq(api_header(r, "Retry-After"), "5");
  json_t *json = json_loadb(r->body, r->len, JSON_REJECT_DUPLICATES, &fault);
  ck_assert_msg(json != NULL, "%s: %s", fault.text, r->body);
  api_check_keys(json, "message error_code details");
  ck_assert_str_eq(json_string_value(json_object_get(json, "error_code")), code);
  ck_assert_uint_gt(json_string_length(json_object_get(json, "message")), 0);
  ck_assert(json_is_object(json_object_get(json, "details")));
  json_decref(json);
}

void api_expect_error(uint16_t port, const char *method, const char *path, const char *body, int status,
                      const char *code) {
  api_reply r = api_request(port, method, path, body);
  api_check_error(&r, status, code);
  json_t *json = json_loadb(r.body, r.len, 0, NULL);
  api_check_reply(method, path, status, json);
  json_decref(json);
  api_reply_free(&r);
}
