/* http_reply.c - replies put together and handed to the connection. */
#include "api/http_conn.h"

#include "runtime/sched.h"

#include <assert.h>
#include <stdio.h>
#include <sys/uio.h>
#include <time.h>

static const char no_memory_body[] =
    "{\"message\":\"out of memory; try again\",\"error_code\":\"OutOfMemory\",\"details\":{}}";

/* The text of a Date header, made once a second. */
static const char *date_text(http_server *server) {
  struct timeval now;
  struct tm parts;
  if (event_base_gettimeofday_cached(server->base, &now) != 0) return server->date;
  if (now.tv_sec == server->date_second) return server->date;
  server->date_second = now.tv_sec;
  if (gmtime_r(&now.tv_sec, &parts)) strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return server->date;
}

void http_add_header(outbuf *extra, const char *name, const char *value) {
  outbuf_add_str(extra, name);
  outbuf_add(extra, ": ", 2);
  for (; *value; value++) {
    unsigned char c = (unsigned char)*value;
    outbuf_add_char(extra, c < 0x20 || c >= 0x7F ? '?' : *value);
  }
  outbuf_add(extra, "\r\n", 2);
}

static const char *connection_line(const http_request *req, bool keep_alive) {
  if (!keep_alive) return "Connection: close\r\n";
  return req->conn->parser.http_minor == 0 ? "Connection: keep-alive\r\n" : "";
}

void reply_head_begin(const http_request *req, unsigned status) {
  http_server *server = req->conn->server;
  outbuf *head = &server->head;
  outbuf_reset(head, HTTP_SCRATCH_KEPT);
  outbuf_reserve(head, 256);
  outbuf_printf(head, "HTTP/1.1 %u %s\r\nDate: %s\r\n", status, http_status_str((enum http_status)status),
                date_text(server));
}

void reply_head_end(const http_request *req, const char *type, const outbuf *extra) {
  outbuf *head = &req->conn->server->head;
  if (type) {
    outbuf_add_str(head, "Content-Type: ");
    outbuf_add_str(head, type);
    outbuf_add_str(head, "\r\n");
  }
  guard_add_cors(req, head);
  if (req->kept_us)
    outbuf_printf(head, "Server-Timing: catalog;dur=%llu.%03llu\r\n", (unsigned long long)(req->kept_us / 1000),
                  (unsigned long long)(req->kept_us % 1000));
  if (extra) outbuf_add(head, extra->data, extra->len);
  if (extra && extra->failed) head->failed = true;
  outbuf_add(head, "\r\n", 2);
}

static void add_head(const http_request *req, unsigned status, const char *type, const outbuf *extra, size_t len,
                     bool keep_alive) {
  reply_head_begin(req, status);
  outbuf *head = &req->conn->server->head;
  outbuf_printf(head, "Content-Length: %zu\r\nCache-Control: no-cache\r\n%s%s", len, connection_line(req, keep_alive),
                status == 503 ? "Retry-After: 5\r\n" : "");
  reply_head_end(req, type, extra);
}

void http_set_kept(http_request *req, uint64_t us) { req->kept_us = us; }

static void log_reply(const http_request *req, unsigned status, size_t len) {
  logger *log = req->conn->server->log;
  if (!log || log->level < HW_LOG_DEBUG) return;
  char path[256] = "";
  size_t used = 0;
  for (unsigned i = 0; i < req->target.n_segments && used < sizeof path; i++)
    used += (size_t)snprintf(path + used, sizeof path - used, "/%s", req->target.segments[i]);
  for (char *p = path; *p; p++) *p = (unsigned char)*p < 0x20 || *p == 0x7F ? '?' : *p;
  logger_write(log, HW_LOG_DEBUG, "api", "%s %s: %u, %zu bytes", http_method_str(req->method), path, status, len);
}

void reply_note(const http_request *req, unsigned status, size_t len) {
  const http_server *server = req->conn->server;
  log_reply(req, status, len);
  if (server->observer)
    server->observer(server->observer_arg, req, status, req->began_ns ? sched_now_ns() - req->began_ns : 0);
}

void http_reply(http_request *req, unsigned status, const char *type, const outbuf *extra, const char *body,
                size_t len) {
  http_conn *c = req->conn;
  assert(!req->answered);
  req->answered = true;
  req->gone = NULL;
  conn_enter(c);
  bool outermost = c->depth == 1;
  bool keep_alive = req->keep_alive && c->phase == CONN_BUSY && !c->server->draining;
  reply_note(req, status, len);
  add_head(req, status, type, extra, len, keep_alive);
  if (c->server->head.failed) c->dead = true; /* not even room for a status line */
  bool headless = req->method == HTTP_HEAD;
  struct iovec parts[2] = {{.iov_base = c->server->head.data, .iov_len = c->server->head.len},
                           {.iov_base = (char *)body, .iov_len = headless ? 0 : len}};
  conn_send(c, parts, 2);
  if (!c->dead) conn_replied(c, keep_alive);
  if (outermost) conn_process(c);
  conn_leave(c);
}

void http_defer(http_request *req, void (*gone)(void *arg), void *arg) {
  assert(gone && (req->conn->phase == CONN_BODY || req->conn->phase == CONN_BUSY));
  req->gone = gone;
  req->gone_arg = arg;
}

outbuf *http_scratch(http_request *req) {
  outbuf *scratch = &req->conn->server->scratch;
  outbuf_reset(scratch, HTTP_SCRATCH_KEPT);
  return scratch;
}

void http_reply_no_memory(http_request *req) {
  http_reply(req, 503, "application/json", NULL, no_memory_body, sizeof no_memory_body - 1);
}
