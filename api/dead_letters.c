/* dead_letters.c - records that could not be read: listed, dropped, submitted again. */
#include "api/call.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MOST 1000
#define IDS_MOST 10000

/* ---- listing -------------------------------------------------------------- */

/* A whole number of the query; false: it is none, and has been replied to. */
static bool read_number(const api_call *call, const char *name, uint64_t fallback, uint64_t most, uint64_t *out) {
  const char *text = http_query(call->req, name);
  char *end;
  *out = fallback;
  if (!text) return true;
  unsigned long long n = strtoull(text, &end, 10);
  if (*text >= '0' && *text <= '9' && !*end && n <= most) {
    *out = n;
    return true;
  }
  call_refuse_query(call, name, "a whole number");
  return false;
}

static void view_base64(json_writer *w, const char *key, const char *data, size_t len) {
  unsigned char *text = malloc(len / 3 * 4 + 5);
  if (!text) {
    w->out->failed = true;
    return;
  }
  int n = EVP_EncodeBlock(text, (const unsigned char *)data, (int)len);
  jw_key(w, key);
  jw_text(w, (const char *)text, (size_t)n);
  free(text);
}

static void view_letter(json_writer *w, const dead_letter *l) {
  jw_object(w);
  jw_key_u64(w, "id", l->id);
  jw_key_string(w, "connector", l->connector);
  jw_key_string(w, "position", l->position);
  jw_key_time(w, "time", l->time_us);
  jw_key_string(w, "reason", l->reason);
  jw_key_string(w, "field", *l->field ? l->field : NULL);
  view_base64(w, "raw_base64", l->raw, l->raw_len);
  jw_key(w, "raw_text");
  jw_text(w, l->raw, l->raw_len);
  jw_key_u64(w, "record_bytes", l->record_len);
  jw_key_bool(w, "cut", l->cut);
  jw_object_end(w);
}

static void view_letters(json_writer *w, const dead_letter *letters, const dead_letters_count *count) {
  jw_object(w);
  jw_key(w, "letters");
  jw_array(w);
  for (const dead_letter *l = letters; l; l = l->next) view_letter(w, l);
  jw_array_end(w);
  jw_key_u64(w, "kept", count->letters);
  jw_key_u64(w, "kept_bytes", count->bytes);
  jw_key_u64(w, "total", count->total);
  jw_key_u64(w, "dropped", count->dropped);
  jw_key_u64(w, "resubmitted", count->resubmitted);
  jw_key_u64(w, "cleared", count->cleared);
  jw_object_end(w);
}

void get_dead_letters(const api_call *call) {
  uint64_t limit, after;
  dead_letter *letters;
  if (!read_number(call, "limit", LIMIT_DEFAULT, LIMIT_MOST, &limit) ||
      !read_number(call, "after", 0, INT64_MAX, &after))
    return;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  if (pipeline_list_letters(p, http_query(call->req, "connector"), after, limit, &letters) == HW_OK) {
    dead_letters_count count = pipeline_count_letters(p);
    json_writer w;
    reply_begin(call->req, &w);
    view_letters(&w, letters, &count);
    dead_letters_free_list(letters);
    reply_json(call->req, 200, &w);
  } else {
    http_reply_no_memory(call->req);
  }
  hw_pipeline_unref(p);
}

void delete_dead_letters(const api_call *call) {
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  uint64_t n = pipeline_clear_letters(p, http_query(call->req, "connector"));
  json_writer w;
  reply_begin(call->req, &w);
  jw_object(&w);
  jw_key_u64(&w, "cleared", n);
  jw_object_end(&w);
  reply_json(call->req, 200, &w);
  hw_pipeline_unref(p);
}

/* ---- submitting again ------------------------------------------------------- */

/* Parsing bodies and records is the worker's: here as in create.c. */
typedef struct resubmission {
  job job; /* first */
  api_call call; /* API thread; req is NULL once the client has left */
  hw_pipeline *pipeline; /* a reference */
  char *text;
  size_t len;
  hw_status status;
  hw_error err;
  letters_outcome outcome;
} resubmission;

static void resubmission_free(resubmission *r) {
  hw_pipeline_unref(r->pipeline);
  free(r->text);
  free(r);
}

static void discard(mail *m) { resubmission_free((resubmission *)m); }

static void gone(void *arg) { ((resubmission *)arg)->call.req = NULL; }

static hw_status bad_body(hw_error *err, const char *code, const char *message) {
  return hw_error_code(err, HW_EINVAL, code, "%s", message);
}

static hw_status resubmit_ids(resubmission *r, const json_t *ids) {
  size_t n = json_array_size(ids);
  if (!json_is_array(ids) || n > IDS_MOST)
    return bad_body(&r->err, "InvalidBody", "'ids' must be an array of at most 10000 ids of letters");
  uint64_t *list = malloc((n + 1) * sizeof *list);
  if (!list) return hw_error_set(&r->err, HW_ENOMEM, "out of memory");
  hw_status status = HW_OK;
  for (size_t i = 0; i < n && status == HW_OK; i++) {
    const json_t *id = json_array_get(ids, i);
    if (!json_is_integer(id)) status = bad_body(&r->err, "InvalidBody", "'ids' must be whole numbers");
    list[i] = (uint64_t)json_integer_value(id);
  }
  if (status == HW_OK) status = pipeline_resubmit_letters(r->pipeline, list, n, &r->outcome, &r->err);
  free(list);
  return status;
}

static hw_status resubmit(resubmission *r, const json_t *body) {
  const json_t *ids = json_object_get(body, "ids"), *connector = json_object_get(body, "connector");
  if (!json_is_object(body)) return bad_body(&r->err, "InvalidBody", "the body must be a JSON object");
  if (json_object_size(body) > 1 || (json_object_size(body) == 1 && !ids && !connector))
    return bad_body(&r->err, "InvalidBody", "the body has one of 'ids' and 'connector', or neither");
  if (connector && !json_is_string(connector))
    return bad_body(&r->err, "InvalidBody", "'connector' must be a text: the endpoint, \"table.connector\"");
  if (ids) return resubmit_ids(r, ids);
  return pipeline_resubmit_all_letters(r->pipeline, json_string_value(connector), &r->outcome, &r->err);
}

static void run(job *j) {
  resubmission *r = (resubmission *)j;
  json_error_t fault;
  json_t *body = json_loadb(r->text, r->len, JSON_REJECT_DUPLICATES, &fault);
  if (body) r->status = resubmit(r, body);
  else
    r->status = hw_error_code(&r->err, HW_EINVAL, "MalformedJson", "the body is not JSON: line %d, column %d: %s",
                              fault.line, fault.column, fault.text);
  json_decref(body);
}

static void reply_outcome(const resubmission *r) {
  json_writer w;
  reply_begin(r->call.req, &w);
  jw_object(&w);
  jw_key_u64(&w, "resubmitted", r->outcome.resubmitted);
  jw_key_u64(&w, "failed", r->outcome.failed);
  jw_key_u64(&w, "missing", r->outcome.missing);
  jw_key_string(&w, "first_fault", r->outcome.first.status ? r->outcome.first.message : NULL);
  jw_object_end(&w);
  reply_json(r->call.req, 200, &w);
}

static void deliver(mail *m) {
  resubmission *r = (resubmission *)m;
  if (r->call.req && r->status == HW_OK) reply_outcome(r);
  else if (r->call.req) call_refuse(&r->call, r->pipeline, &r->err);
  resubmission_free(r);
}

static resubmission *resubmission_new(const api_call *call, hw_pipeline *p) {
  const outbuf *text = &call->req->body;
  resubmission *r = calloc(1, sizeof *r);
  if (!r) return NULL;
  *r = (resubmission){.job = {.mail = {.deliver = deliver, .discard = discard}, .run = run}, .call = *call,
                      .len = text->len};
  if (!(r->text = malloc(text->len + 1))) {
    free(r);
    return NULL;
  }
  if (text->len) memcpy(r->text, text->data, text->len);
  r->pipeline = p;
  return r;
}

void resubmit_dead_letters(const api_call *call) {
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  resubmission *r = resubmission_new(call, p);
  if (!r) {
    hw_pipeline_unref(p);
    http_reply_no_memory(call->req);
  } else if (worker_submit(call->context->worker, &r->job)) {
    http_defer(call->req, gone, r);
  } else {
    resubmission_free(r);
    reply_error(call->req, 503, "ServerBusy", NULL, "too many bodies wait to be parsed; try again");
  }
}
