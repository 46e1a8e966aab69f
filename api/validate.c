/* validate.c - checking a program without making a pipeline of it.
 *
 * The worker parses the body and compiles the program, which for the largest
 * bodies takes milliseconds; what came of it is written on the API thread. */
#include "api/call.h"

#include "sql/compile.h"

#include <jansson.h>
#include <stdlib.h>

typedef struct validation {
  job job;          /* first */
  api_call call;    /* API thread; call.req is NULL once the client has left */
  const char *text; /* the body: the request's, or `taken` */
  size_t len;
  outbuf taken;     /* from a request whose client has left */
  /* Written by the worker: */
  const char *fault; /* why nothing was compiled; NULL: it was */
  json_error_t malformed; /* valid when fault is "" */
  program *program;
  program_messages messages;
} validation;

static void validation_free(validation *v) {
  if (v->program) program_unref(v->program);
  program_messages_fini(&v->messages);
  outbuf_fini(&v->taken);
  free(v);
}

static void discard(mail *m) { validation_free((validation *)m); }

static void gone(void *arg) {
  validation *v = arg;
  v->taken = http_take_body(v->call.req);
  v->call.req = NULL;
}

/* ---- on the worker -------------------------------------------------------- */

static const char *check_members(const json_t *body) {
  const json_t *ir = json_object_get(body, "ir"), *version = json_object_get(body, "runtime_version");
  if (!json_is_object(body)) return "the body must be a JSON object";
  if (!json_is_string(json_object_get(body, "program_code"))) return "'program_code' must be a string";
  if (ir && !json_is_boolean(ir)) return "'ir' must be true or false";
  if (version && !json_is_string(version) && !json_is_null(version)) return "'runtime_version' must be a string";
  return NULL;
}

static void compile(job *j) {
  validation *v = (validation *)j;
  json_t *body = json_loadb(v->text, v->len, JSON_REJECT_DUPLICATES, &v->malformed);
  v->fault = body ? check_members(body) : "";
  const json_t *code = json_object_get(body, "program_code");
  if (!v->fault) v->program = program_compile(json_string_value(code), json_string_length(code), &v->messages);
  json_decref(body);
}

/* ---- on the API thread ---------------------------------------------------- */

static void refuse(const validation *v) {
  if (*v->fault)
    reply_error(v->call.req, 400, "InvalidBody", NULL, "%s", v->fault);
  else
    reply_error(v->call.req, 400, "MalformedJson", NULL, "the body is not JSON: line %d, column %d: %s",
                v->malformed.line, v->malformed.column, v->malformed.text);
}

/* One member, as the contract has it: Success, SqlError or SystemError. */
static void write_result(json_writer *w, const validation *v) {
  const program_messages *ms = &v->messages;
  jw_object(w);
  jw_key(w, v->program ? "Success" : ms->n_errors ? "SqlError" : "SystemError");
  jw_object(w);
  if (v->program) {
    jw_key(w, "program_info");
    view_program(w, v->program);
  } else if (ms->n_errors) {
    jw_key(w, "info");
    view_messages(w, ms, true);
  } else {
    jw_key_string(w, "error", "out of memory while compiling");
  }
  jw_object_end(w);
  jw_object_end(w);
}

static void deliver(mail *m) {
  validation *v = (validation *)m;
  json_writer w;
  if (v->call.req && v->fault) {
    refuse(v);
  } else if (v->call.req) {
    reply_begin(v->call.req, &w);
    write_result(&w, v);
    reply_json(v->call.req, 200, &w);
  }
  validation_free(v);
}

void validate_program(const api_call *call) {
  const outbuf *text = &call->req->body;
  validation *v = calloc(1, sizeof *v);
  if (!v) {
    http_reply_no_memory(call->req);
    return;
  }
  *v = (validation){.job = {.mail = {.deliver = deliver, .discard = discard}, .run = compile}, .call = *call};
  v->text = text->data ? text->data : "";
  v->len = text->len;
  if (worker_submit(call->context->worker, &v->job)) {
    http_defer(call->req, gone, v);
  } else {
    validation_free(v);
    reply_error(call->req, 503, "ServerBusy", NULL, "too many bodies wait to be parsed; try again");
  }
}
