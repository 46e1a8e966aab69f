/* ingress.c - bodies that go into tables, and completion tokens.
 *
 * DESIGN
 * An ingest is born with the request, before its body arrives, and passes the body
 * on as it comes; when the engine has enough, the connection is not read until
 * there is room again. The engine's events come by mail. A mail holds a reference,
 * as the request does until it is answered or its client has left.
 *
 *     request ─data─▸ ingress_write ─false─▸ body paused ─ room ─▸ resumed
 *             ─lend─▸ ingress_lend ──true──▸      "           "       "
 *             ─complete─▸ ingress_end                    ─ done ─▸ reply
 *             ─gone─▸ ingress_cut
 *
 * Of a body that could not begin within its time (the pipeline is paused, a queue
 * is full) nothing is taken and the reply is 503: a client that sends it again
 * doubles nothing. So no reply that clients take as leave to try again (408, 429,
 * 502, 503, 504) is given once some of it has landed. */
#include "api/call.h"
#include "engine/ingress.h"
#include "engine/token.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>

#define WAIT_MS 20000u     /* clients give up after 30 s */
#define WAIT_MOST_MS 25000u
#define MESSAGE_FAULTS 20u /* told in the message; all that are kept are in the details */

typedef struct ingest {
  mail room, done;
  _Atomic unsigned refs;
  http_request *req;     /* NULL: answered, or the client has left */
  mailbox *box;          /* a reference */
  hw_pipeline *pipeline; /* a reference */
  ingress_body *body;
  struct event *timer;
  ingress_options options;
  unsigned wait_ms;
  bool whole;            /* all of the body has arrived */
} ingest;

static void ingest_unref(ingest *op) {
  if (atomic_fetch_sub(&op->refs, 1) != 1) return;
  if (op->body) ingress_release(op->body);
  mailbox_unref(op->box);
  hw_pipeline_unref(op->pipeline);
  free(op);
}

static ingest *of_room(mail *m) { return (ingest *)m; }
static ingest *of_done(mail *m) { return (ingest *)((char *)m - offsetof(ingest, done)); }
static void discard_room(mail *m) { ingest_unref(of_room(m)); }
static void discard_done(mail *m) { ingest_unref(of_done(m)); }

/* The request is over: the timer and its reference go with it. */
static void end_request(ingest *op) {
  op->req = NULL;
  event_free(op->timer);
  op->timer = NULL;
  ingest_unref(op);
}

/* ---- replies ---------------------------------------------------------------- */

static void add_rows_header(outbuf *extra, const ingress_result *r) {
  outbuf_printf(extra, "Headworks-Rows: %llu\r\n", (unsigned long long)r->rows);
  if (r->token[0]) outbuf_printf(extra, "Headworks-Token: %s\r\n", r->token);
}

static void send_result(http_request *req, unsigned status, const ingress_result *r, const json_writer *w) {
  outbuf extra = {0};
  add_rows_header(&extra, r);
  if (extra.failed || w->out->failed)
    http_reply_no_memory(req);
  else
    http_reply(req, status, "application/json", &extra, w->out->data, w->out->len);
  outbuf_fini(&extra);
}

static void reply_taken(http_request *req, const ingress_result *r) {
  json_writer w;
  reply_begin(req, &w);
  jw_object(&w);
  jw_key_string(&w, "token", r->token);
  jw_object_end(&w);
  send_result(req, 200, r, &w);
}

/* The words that clients of the contract look for. */
static const char *kind_of(const ingress_fault *f, const char *format) {
  static const char *const not_json[] = {"syntax", "escape", "depth", "truncated", "utf8"};
  if (strcmp(format, "csv") == 0) return "failed to deserialize CSV record";
  if (strcmp(format, "json") != 0) return "failed to parse record";
  for (size_t i = 0; i < sizeof not_json / sizeof *not_json; i++)
    if (strcmp(f->tag, not_json[i]) == 0) return "failed to parse string as a JSON document";
  return "failed to deserialize JSON record";
}

static void describe(outbuf *out, const ingress_fault *f, const char *format) {
  outbuf_add_str(out, kind_of(f, format));
  if (f->field) outbuf_printf(out, ": column \"%.200s\"", f->field);
  outbuf_printf(out, ": %.400s", f->reason ? f->reason : "no memory to keep the reason");
}

/* As text where it is such, else as numbers; one of the two is null. */
static void write_invalid(json_writer *w, const ingress_fault *f) {
  bool text = f->text && hw_utf8_valid(f->text, f->text_len);
  jw_key(w, "invalid_bytes");
  if (f->text && !text) {
    jw_array(w);
    for (size_t i = 0; i < f->text_len; i++) jw_u64(w, (unsigned char)f->text[i]);
    jw_array_end(w);
  } else {
    jw_null(w);
  }
  jw_key(w, "invalid_text");
  if (text) jw_text(w, f->text, f->text_len);
  else jw_null(w);
}

static void write_fault(json_writer *w, const ingress_fault *f, const char *format) {
  outbuf text = {0};
  describe(&text, f, format);
  jw_object(w);
  jw_key(w, "description");
  jw_text(w, text.data ? text.data : "", text.len);
  jw_key_u64(w, "event_number", f->event);
  jw_key_string(w, "field", f->field);
  write_invalid(w, f);
  jw_key_null(w, "suggestion");
  jw_key_string(w, "tag", f->tag[0] ? f->tag : NULL);
  jw_object_end(w);
  if (text.failed) w->out->failed = true;
  outbuf_fini(&text);
}

static void write_message(json_writer *w, const ingress_result *r, const char *format) {
  outbuf text = {0};
  uint64_t kept = r->n_faults < INGRESS_FAULTS_KEPT ? r->n_faults : INGRESS_FAULTS_KEPT;
  if (!r->faults) kept = 0;
  outbuf_printf(&text, "Errors parsing input data (%llu errors):", (unsigned long long)r->n_faults);
  for (uint64_t i = r->n_faults - kept, n = 0; i < r->n_faults && n < MESSAGE_FAULTS; i++, n++) {
    const ingress_fault *f = &r->faults[i % INGRESS_FAULTS_KEPT];
    outbuf_printf(&text, "\n    Parse error (event #%llu): ", (unsigned long long)f->event);
    describe(&text, f, format);
  }
  if (kept > MESSAGE_FAULTS) outbuf_add_str(&text, "\n    ...");
  jw_key(w, "message");
  jw_text(w, text.data ? text.data : "", text.len);
  if (text.failed) w->out->failed = true;
  outbuf_fini(&text);
}

static void reply_faults(http_request *req, const ingress_result *r, const char *format) {
  json_writer w;
  reply_begin(req, &w);
  jw_object(&w);
  write_message(&w, r, format);
  jw_key_string(&w, "error_code", "ParseErrors");
  jw_key(&w, "details");
  jw_object(&w);
  jw_key_u64(&w, "num_errors", r->n_faults);
  jw_key(&w, "errors");
  jw_array(&w);
  uint64_t kept = !r->faults ? 0 : r->n_faults < INGRESS_FAULTS_KEPT ? r->n_faults : INGRESS_FAULTS_KEPT;
  for (uint64_t i = r->n_faults - kept; i < r->n_faults; i++)
    write_fault(&w, &r->faults[i % INGRESS_FAULTS_KEPT], format);
  jw_array_end(&w);
  jw_key_u64(&w, "num_rows_ingested", r->rows);
  jw_object_end(&w);
  jw_object_end(&w);
  send_result(req, 400, r, &w);
}

/* A body that was not taken, or not to its end, and how many of its rows were. */
static void write_refusal(const ingest *op, json_writer *w, const char *code, const char *message, uint64_t rows) {
  reply_begin(op->req, w);
  jw_object(w);
  jw_key_string(w, "message", message);
  jw_key_string(w, "error_code", code);
  jw_key(w, "details");
  jw_object(w);
  jw_key_string(w, "pipeline_name", hw_pipeline_name(op->pipeline));
  jw_key_u64(w, "num_rows_ingested", rows);
  jw_object_end(w);
  jw_object_end(w);
}

/* What stopped it half-way, and how much of it is in. */
static void reply_stopped(ingest *op, const ingress_result *r) {
  static const struct {
    hw_status engine;
    unsigned status;
    const char *code;
  } kinds[] = {
      {HW_ELIMIT, 413, "PayloadTooLarge"}, {HW_EPARSE, 400, "InvalidContentEncoding"},
      {HW_ENOMEM, 503, "OutOfMemory"},     {HW_ESTATE, 503, "PipelineInteractionNotDeployed"},
  };
  unsigned status = 500;
  const char *code = "IngressIncomplete";
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (kinds[i].engine == r->error.status) status = kinds[i].status, code = kinds[i].code;
  if (status == 503 && r->rows) status = 500, code = "IngressIncomplete";
  json_writer w;
  write_refusal(op, &w, code, r->error.message, r->rows);
  send_result(op->req, status, r, &w);
}

static void deliver_done(mail *m) {
  ingest *op = of_done(m);
  if (op->req) {
    const ingress_result *r = ingress_outcome(op->body);
    if (r->error.status != HW_OK) reply_stopped(op, r);
    else if (r->n_faults) reply_faults(op->req, r, op->options.format);
    else reply_taken(op->req, r);
    end_request(op);
  }
  ingest_unref(op);
}

static void deliver_room(mail *m) {
  ingest *op = of_room(m);
  if (op->req) http_body_resume(op->req, ingress_received(op->body));
  ingest_unref(op);
}

/* ---- events of the engine: any thread ----------------------------------------- */

/* At most one is under way: the next comes after a write or a lend, which comes after its delivery. */
static void on_room(void *arg) {
  ingest *op = arg;
  atomic_fetch_add(&op->refs, 1);
  mailbox_post(op->box, &op->room);
}

/* Its reference was counted beforehand. The post may free the ingest. */
static void on_done(void *arg) {
  ingest *op = arg;
  mailbox *box = mailbox_ref(op->box);
  mailbox_post(box, &op->done);
  mailbox_unref(box);
}

/* ---- the request ----------------------------------------------------------------- */

static ingest *of_request(const http_request *req) { return (ingest *)(uintptr_t)req->context; }

static void arm(ingest *op) {
  const struct timeval wait = {.tv_sec = op->wait_ms / 1000, .tv_usec = (suseconds_t)(op->wait_ms % 1000) * 1000};
  event_add(op->timer, &wait); /* without memory the client waits longer */
}

/* A piece that arrived; what comes after the outcome is dropped. */
static void take_data(http_request *req, const char *data, size_t len) {
  ingest *op = of_request(req);
  if (op->options.atomic) arm(op); /* it may take its time, as long as it arrives */
  if (!ingress_write(op->body, data, len)) http_body_pause(req);
}

static bool lend(http_request *req, int fd, uint64_t most) { return ingress_lend(of_request(req)->body, fd, most); }

static void recall(http_request *req) {
  ingress_body *b = of_request(req)->body;
  if (ingress_recall(b)) http_body_resume(req, ingress_received(b));
}

static void take_end(http_request *req) {
  ingest *op = of_request(req);
  op->whole = true;
  ingress_end(op->body);
}

/* The client has left. What it sent whole is taken. */
static void client_gone(void *arg) {
  ingest *op = arg;
  if (!op->whole) ingress_cut(op->body);
  end_request(op);
}

static void give_up(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  ingest *op = arg;
  if (!ingress_refuse(op->body)) {
    if (op->options.atomic) arm(op);
    return;
  }
  char message[512];
  snprintf(message, sizeof message,
           "nothing of the body could be taken within %u ms, for the pipeline is paused or its queue for table "
           "'%.100s' is full; nothing of it will be: send it again when the pipeline runs, or with force=true to "
           "have it taken while the pipeline is paused", op->wait_ms, op->options.table);
  json_writer w;
  write_refusal(op, &w, "PipelineInteractionUnreachable", message, 0);
  reply_json(op->req, 503, &w);
  end_request(op);
}

/* ---- what was asked for ------------------------------------------------------------ */

static bool read_wait(const api_call *call, unsigned *out) {
  const char *text = http_query(call->req, "wait_ms");
  *out = WAIT_MS;
  if (!text) return true;
  uint64_t value;
  if (hw_parse_u64(text, strlen(text), &value) == HW_OK && value <= WAIT_MOST_MS) {
    *out = (unsigned)value;
    return true;
  }
  call_refuse_query(call, "wait_ms", "0 to 25000");
  return false;
}

static bool read_encoding(const api_call *call, unpack_kind *out) {
  static const struct {
    const char *name;
    unpack_kind kind;
  } known[] = {{"identity", UNPACK_PLAIN}, {"gzip", UNPACK_GZIP}, {"x-gzip", UNPACK_GZIP}, {"zstd", UNPACK_ZSTD}};
  const char *name = http_header(call->req, "Content-Encoding");
  *out = UNPACK_PLAIN;
  for (size_t i = 0; name && i < sizeof known / sizeof *known; i++) {
    if (strcasecmp(name, known[i].name) != 0) continue;
    *out = known[i].kind;
    return true;
  }
  if (!name) return true;
  outbuf extra = {0};
  http_add_header(&extra, "Accept-Encoding", "gzip, zstd");
  reply_error_with(call->req, 415, "UnsupportedMediaType", NULL, &extra,
                   "the body's Content-Encoding is %.60s; it can be: identity, gzip, zstd", name);
  outbuf_fini(&extra);
  return false;
}

/* Options of JSON that clients send with every format, where they ask for nothing. */
static bool asks_nothing(const char *format, const char *name, const char *value) {
  static const char *const neutral[][2] = {
      {"array", "false"}, {"json_flavor", "default"}, {"update_format", "insert_delete"}, {"lines", "multiple"}};
  if (strcmp(format, "json") == 0) return false;
  for (size_t i = 0; i < sizeof neutral / sizeof *neutral; i++)
    if (strcmp(name, neutral[i][0]) == 0 && strcmp(value, neutral[i][1]) == 0) return true;
  return false;
}

/* Whatever is not about the request itself is an option of its format. NULL: no memory. */
static json_t *format_options(const http_request *req, const char *format) {
  static const char *const own[] = {"format", "force", "atomic", "wait_ms"};
  json_t *options = json_object();
  for (unsigned i = 0; options && i < req->target.n_query; i++) {
    const char *name = req->target.query[i].name, *value = req->target.query[i].value;
    bool skip = asks_nothing(format, name, value);
    for (size_t k = 0; k < sizeof own / sizeof *own; k++) skip = skip || strcmp(name, own[k]) == 0;
    if (skip || json_object_set_new(options, name, json_string(value)) == 0) continue;
    json_decref(options);
    options = NULL;
  }
  return options;
}

static bool read_options(const api_call *call, ingress_options *o, unsigned *wait_ms) {
  const char *format = http_query(call->req, "format");
  *o = (ingress_options){.table = call->params[PARAM_RELATION], .format = format ? format : "csv",
                         .atomic_max = call->context->atomic_max};
  return call_query_bool(call, "force", false, &o->force) && call_query_bool(call, "atomic", false, &o->atomic) &&
         read_wait(call, wait_ms) && read_encoding(call, &o->packed);
}

/* ---- beginning ------------------------------------------------------------------------ */

/* Takes the reference to p. */
static ingest *ingest_new(const api_call *call, hw_pipeline *p, const ingress_options *o, unsigned wait_ms) {
  ingest *op = calloc(1, sizeof *op);
  if (!op) goto no_memory;
  op->timer = event_new(call->context->base, -1, 0, give_up, op);
  if (!op->timer) goto no_timer;
  op->room = (mail){.deliver = deliver_room, .discard = discard_room};
  op->done = (mail){.deliver = deliver_done, .discard = discard_done};
  atomic_init(&op->refs, 2); /* the request's, and that of `done` */
  op->req = call->req;
  op->box = mailbox_ref(call->context->box);
  op->pipeline = p;
  op->options = *o;
  op->wait_ms = wait_ms;
  return op;

no_timer:
  free(op);
no_memory:
  hw_pipeline_unref(p);
  http_reply_no_memory(call->req);
  return NULL;
}

static void refuse_body(const api_call *call, ingest *op, const hw_error *err) {
  call_refuse(call, op->pipeline, err);
  atomic_fetch_sub(&op->refs, 1); /* `done` will not come */
  end_request(op);
}

static void begin(const api_call *call, ingest *op) {
  hw_error err = {0};
  const ingress_events events = {.arg = op, .room = on_room, .done = on_done};
  json_t *config = format_options(call->req, op->options.format);
  op->options.config = config;
  if (config)
    op->body = ingress_begin(op->pipeline, &op->options, &events, &err);
  else
    (void)hw_error_set(&err, HW_ENOMEM, "out of memory");
  json_decref(config);
  if (!op->body) {
    refuse_body(call, op, &err);
    return;
  }
  call->req->context = op;
  call->req->data = take_data;
  call->req->lend = lend;
  call->req->recall = recall;
  call->req->complete = take_end;
  http_defer(call->req, client_gone, op);
  arm(op);
}

void post_ingress(const api_call *call) {
  ingress_options o;
  unsigned wait_ms;
  if (!read_options(call, &o, &wait_ms)) return;
  bool announced = call->req->has_body && call->req->content_length != UINT64_MAX;
  if (o.atomic && announced && call->req->content_length > o.atomic_max) {
    reply_error(call->req, 413, "PayloadTooLarge", NULL,
                "the body has %llu bytes, and an atomic one may have %llu: send it in parts, or without atomic=true",
                (unsigned long long)call->req->content_length, (unsigned long long)o.atomic_max);
    return;
  }
  hw_pipeline *p = call_find_pipeline(call);
  ingest *op = p ? ingest_new(call, p, &o, wait_ms) : NULL;
  if (op) begin(call, op);
}

/* ---- completion tokens -------------------------------------------------------------------- */

void get_completion_token(const api_call *call) {
  char token[TOKEN_SIZE];
  hw_error err = {0};
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  if (pipeline_get_token(p, call->params[PARAM_RELATION], call->params[PARAM_CONNECTOR], token, &err) == HW_OK) {
    json_writer w;
    reply_begin(call->req, &w);
    jw_object(&w);
    jw_key_string(&w, "token", token);
    jw_object_end(&w);
    reply_json(call->req, 200, &w);
  } else {
    call_refuse(call, p, &err);
  }
  hw_pipeline_unref(p);
}

void get_completion_status(const api_call *call) {
  const char *token = http_query(call->req, "token");
  bool complete;
  uint64_t step;
  hw_error err = {0};
  if (!token) {
    reply_error(call->req, 400, "InvalidParam", NULL, "the query parameter 'token' is missing");
    return;
  }
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  if (pipeline_get_completion(p, token, &complete, &step, &err) == HW_OK) {
    json_writer w;
    reply_begin(call->req, &w);
    jw_object(&w);
    jw_key_string(&w, "status", complete ? "complete" : "inprogress");
    jw_key(&w, "step");
    if (step || complete) jw_u64(&w, step);
    else jw_null(&w);
    jw_object_end(&w);
    reply_json(call->req, 200, &w);
  } else {
    call_refuse(call, p, &err);
  }
  hw_pipeline_unref(p);
}
