/* create.c - making a pipeline from a JSON body.
 *
 * A body may be megabytes, which take milliseconds to parse: the worker does
 * that, and the checking of the settings; what it found comes back through the
 * mailbox. The pipeline itself is made on the API thread, with its settings in
 * one go, so that no request sees it without them. */
#include "api/call.h"

#include "api/settings.h"

#include <stdlib.h>

typedef struct creation {
  job job;          /* first */
  api_call call;    /* API thread; call.req is NULL once the client has left */
  const char *text; /* the body: the request's, or `taken` */
  size_t len;
  outbuf taken; /* from a request whose client has left */
  /* Written by the worker: */
  json_t *body; /* NULL: not JSON, see fault */
  json_error_t fault;
  char *settings; /* NULL: see err */
  hw_error err;
} creation;

static void creation_free(creation *c) {
  json_decref(c->body);
  free(c->settings);
  outbuf_fini(&c->taken);
  free(c);
}

static void discard(mail *m) { creation_free((creation *)m); }

/* The worker may be reading the body just now. */
static void gone(void *arg) {
  creation *c = arg;
  c->taken = http_take_body(c->call.req);
  c->call.req = NULL;
}

/* ---- on the worker -------------------------------------------------------- */

static void parse(job *j) {
  creation *c = (creation *)j;
  c->body = json_loadb(c->text, c->len, JSON_REJECT_DUPLICATES, &c->fault);
  if (!json_is_object(c->body)) return;
  json_t *settings = settings_from_body(c->body, &c->err);
  if (!settings) return;
  c->settings = json_dumps(settings, JSON_COMPACT);
  if (!c->settings) hw_error_set(&c->err, HW_ENOMEM, "out of memory");
  json_decref(settings);
}

/* ---- on the API thread ---------------------------------------------------- */

/* Each check replies and returns false when the body is refused. */

static bool check_object(const creation *c) {
  if (json_is_object(c->body)) return true;
  if (c->body) {
    reply_error(c->call.req, 400, "InvalidBody", NULL, "the body must be a JSON object");
  } else {
    reply_error(c->call.req, 400, "MalformedJson", NULL, "the body is not JSON: line %d, column %d: %s", c->fault.line,
                c->fault.column, c->fault.text);
  }
  return false;
}

static bool check_string(const creation *c, const char *name, bool required) {
  const json_t *member = json_object_get(c->body, name);
  if (json_is_string(member) || (!required && (!member || json_is_null(member)))) return true;
  const reply_detail details[] = {{"member", name}, {NULL, NULL}};
  reply_error(c->call.req, 400, "InvalidBody", details, member ? "'%s' must be a string" : "'%s' is missing", name);
  return false;
}

static hw_status make(const creation *c, hw_pipeline **out, hw_error *err) {
  const json_t *code = json_object_get(c->body, "program_code");
  const char *description = json_string_value(json_object_get(c->body, "description"));
  hw_status status =
      manager_create(c->call.context->engine, json_string_value(json_object_get(c->body, "name")),
                     description ? description : "", json_string_value(code), json_string_length(code), out, err);
  if (status != HW_OK || pipeline_set_settings(*out, c->settings) == HW_OK) return status;
  (void)!hw_pipeline_delete(*out, NULL); /* it was just made: nothing speaks against it */
  hw_pipeline_unref(*out);
  return hw_error_set(err, HW_ENOMEM, "out of memory");
}

static void reply_made(creation *c) {
  hw_pipeline *p;
  const reply_detail details[] = {{"pipeline_name", json_string_value(json_object_get(c->body, "name"))}, {NULL, NULL}};
  if (c->settings && make(c, &p, &c->err) == HW_OK) {
    call_reply_pipeline(&c->call, 201, p, SELECT_EDITED);
    hw_pipeline_unref(p);
  } else {
    reply_engine_error(c->call.req, &c->err, details);
  }
}

/* Nothing is made for a client that has left: it may well ask again. */
static void deliver(mail *m) {
  creation *c = (creation *)m;
  if (c->call.req && check_object(c) && check_string(c, "name", true) && check_string(c, "program_code", true) &&
      check_string(c, "description", false))
    reply_made(c);
  creation_free(c);
}

void create_pipeline(const api_call *call) {
  const outbuf *text = &call->req->body;
  creation *c = calloc(1, sizeof *c);
  if (!c) {
    http_reply_no_memory(call->req);
    return;
  }
  *c = (creation){.job = {.mail = {.deliver = deliver, .discard = discard}, .run = parse}, .call = *call};
  c->text = text->data ? text->data : "";
  c->len = text->len;
  if (worker_submit(call->context->worker, &c->job)) {
    http_defer(call->req, gone, c);
  } else {
    creation_free(c);
    reply_error(call->req, 503, "ServerBusy", NULL, "too many bodies wait to be parsed; try again");
  }
}
