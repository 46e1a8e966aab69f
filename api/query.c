/* query.c - GET .../query: ad-hoc SQL, its rows as a reply in pieces. */
#include "api/query_reply.h"
#include "api/query_socket.h"

#include <stdlib.h>

#define DEFAULT_FORMAT "text"

typedef struct query_call {
  api_call call;         /* req is NULL once the client has left */
  hw_pipeline *pipeline; /* a reference */
  query_reply *reply;    /* NULL: it has ended */
  query_format format;
  bool begun;   /* the reply's head was sent */
  bool sending; /* inside of a call that may find the client gone */
} query_call;

static void call_free(query_call *c) {
  hw_pipeline_unref(c->pipeline);
  free(c);
}

/* ---- the client --------------------------------------------------------------- */

static void on_gone(void *arg) {
  query_call *c = arg;
  c->call.req = NULL;
  if (c->reply) query_reply_leave(c->reply);
  c->reply = NULL;
  if (!c->sending) call_free(c);
}

static void on_room(void *arg) { query_reply_taken(((query_call *)arg)->reply); }

/* False: the client is gone, and so is c. */
static bool send_piece(query_call *c, const char *data, size_t len) {
  c->sending = true;
  http_stream_send(c->call.req, data, len);
  c->sending = false;
  if (c->call.req) return true;
  call_free(c);
  return false;
}

/* False: the client is gone, or wants no body, and c is gone too. */
static bool begin(query_call *c) {
  if (c->begun) return true;
  c->begun = true;
  if (http_stream_begin(c->call.req, 200, query_format_type(c->format), NULL, false, on_gone, c)) return true;
  on_gone(c);
  return false;
}

static void on_piece(void *arg, const char *data, size_t len) {
  query_call *c = arg;
  if (!begin(c) || !send_piece(c, data, len)) return;
  if (http_stream_backlog(c->call.req)) http_stream_on_room(c->call.req, on_room, c);
  else query_reply_taken(c->reply);
}

static void on_end(void *arg, const hw_error *err) {
  query_call *c = arg;
  c->reply = NULL;
  if (err && !c->begun) {
    call_refuse(&c->call, c->pipeline, err);
    call_free(c);
    return;
  }
  if (!begin(c)) return;
  outbuf bytes = {0};
  http_stream_on_room(c->call.req, NULL, NULL);
  if (err) query_write_error(c->format, err->message, &bytes);
  if (bytes.failed) http_stream_abort(c->call.req);
  else if (!send_piece(c, bytes.data, bytes.len)) goto gone;
  else http_stream_end(c->call.req);
  call_free(c);
gone:
  outbuf_fini(&bytes);
}

/* ---- the request ----------------------------------------------------------------- */

void query_refuse_format(http_request *req, const char *name) {
  const reply_detail details[] = {{"format", name}, {NULL, NULL}};
  reply_error(req, 400, "AdHocQueryError", details,
              "there is no format '%.40s' for the rows of a query here; there are: text, json", name);
}

static void start(const api_call *call, hw_pipeline *p, const char *sql, query_format format) {
  query_call *c = calloc(1, sizeof *c);
  if (!c) {
    hw_pipeline_unref(p);
    http_reply_no_memory(call->req);
    return;
  }
  *c = (query_call){.call = *call, .pipeline = p, .format = format};
  const query_client client = {.arg = c, .piece = on_piece, .end = on_end};
  hw_error err = {0};
  c->reply = query_reply_new(call->context, p, sql, strlen(sql), format, &client, &err);
  if (c->reply) {
    call->req->leaves = true;
    http_defer(call->req, on_gone, c); /* events come from the loop, not before */
    return;
  }
  call_refuse(call, p, &err);
  call_free(c);
}

void get_query(const api_call *call) {
  if (query_socket_is_asked(call->req)) {
    query_socket_open(call);
    return;
  }
  const char *sql = http_query(call->req, "sql"), *name = http_query(call->req, "format");
  query_format format = query_format_find(name ? name : DEFAULT_FORMAT);
  if (!sql) {
    reply_error(call->req, 400, "InvalidParam", NULL, "query parameter 'sql' is missing: the statements to run");
    return;
  }
  if (format == QUERY_FORMATS) {
    query_refuse_format(call->req, name);
    return;
  }
  hw_pipeline *p = call_find_pipeline(call);
  if (p) start(call, p, sql, format);
}
