/* edit.c - making and changing pipelines from a JSON body: POST, PUT, PATCH.
 *
 * A body may be megabytes, which take milliseconds to parse: the worker does
 * that, and the checking of the settings; what it found comes back through the
 * mailbox. The engine is then asked on the API thread, all at once, and the reply
 * waits until the change is on disk (control.c). */
#include "api/control.h"

#include "api/settings.h"

#include <stdlib.h>

typedef enum edit_method { EDIT_POST, EDIT_PUT, EDIT_PATCH } edit_method;

typedef struct edit {
  job job;       /* first */
  api_call call; /* API thread; call.req is NULL once the client has left */
  edit_method method;
  const char *text; /* the body: the request's, or `taken` */
  size_t len;
  outbuf taken; /* from a request whose client has left */
  /* Written by the worker: */
  json_t *body; /* NULL: not JSON, see fault */
  json_error_t fault;
  settings settings;
  hw_error err; /* of the settings; status HW_OK: they are good */
} edit;

static void edit_free(edit *e) {
  json_decref(e->body);
  settings_fini(&e->settings);
  outbuf_fini(&e->taken);
  free(e);
}

static void discard(mail *m) { edit_free((edit *)m); }

/* The worker may be reading the body just now. */
static void gone(void *arg) {
  edit *e = arg;
  e->taken = http_take_body(e->call.req);
  e->call.req = NULL;
}

/* ---- on the worker -------------------------------------------------------- */

static void parse(job *j) {
  edit *e = (edit *)j;
  e->body = json_loadb(e->text, e->len, JSON_REJECT_DUPLICATES, &e->fault);
  if (!json_is_object(e->body)) return;
  if (settings_from_body(e->body, e->method != EDIT_PATCH, &e->settings, &e->err) == HW_OK)
    e->err = (hw_error){.status = HW_OK};
}

/* ---- checks: each replies and returns false when the body is refused ------- */

static bool check_object(const edit *e) {
  if (json_is_object(e->body)) return true;
  if (e->body) {
    reply_error(e->call.req, 400, "InvalidBody", NULL, "the body must be a JSON object");
  } else {
    reply_error(e->call.req, 400, "MalformedJson", NULL, "the body is not JSON: line %d, column %d: %s", e->fault.line,
                e->fault.column, e->fault.text);
  }
  return false;
}

static bool check_string(const edit *e, const char *name, bool required) {
  const json_t *member = json_object_get(e->body, name);
  if (json_is_string(member) || (!required && (!member || json_is_null(member)))) return true;
  const reply_detail details[] = {{"member", name}, {NULL, NULL}};
  reply_error(e->call.req, 400, "InvalidBody", details, member ? "'%s' must be a string" : "'%s' is missing", name);
  return false;
}

static bool check_settings(const edit *e) {
  const reply_detail details[] = {{"pipeline_name", json_string_value(json_object_get(e->body, "name"))},
                                  {NULL, NULL}};
  if (e->err.status == HW_OK) return true;
  reply_engine_error(e->call.req, &e->err, details);
  return false;
}

static bool check_body(const edit *e) {
  bool whole = e->method != EDIT_PATCH;
  return check_object(e) && check_string(e, "name", whole) && check_string(e, "program_code", whole) &&
         check_string(e, "description", false) && check_string(e, "udf_rust", false) &&
         check_string(e, "udf_toml", false) && check_settings(e);
}

/* ---- on the API thread ---------------------------------------------------- */

/* A string of the body; what is not given is empty, or stays as it is. */
static const char *text_of(const edit *e, pipeline_member m) {
  const char *text = json_string_value(json_object_get(e->body, pipeline_member_name(m)));
  return text || e->method == EDIT_PATCH ? text : "";
}

static pipeline_spec make_spec(const edit *e) {
  pipeline_spec spec = {.members = {[MEMBER_TAGS] = e->settings.tags,
                                    [MEMBER_RUNTIME_CONFIG] = e->settings.runtime_config,
                                    [MEMBER_PROGRAM_CONFIG] = e->settings.program_config}};
  static const pipeline_member texts[] = {MEMBER_NAME, MEMBER_DESCRIPTION, MEMBER_CODE, MEMBER_UDF_RUST,
                                          MEMBER_UDF_TOML};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) spec.members[texts[i]] = text_of(e, texts[i]);
  if (spec.members[MEMBER_CODE])
    spec.code_len = json_string_length(json_object_get(e->body, pipeline_member_name(MEMBER_CODE)));
  return spec;
}

static void reply_made(const api_call *call, const control *op, const hw_reply *reply) {
  (void)reply;
  call_reply_pipeline(call, 201, control_pipeline(op), SELECT_EDITED);
}

static void reply_edited(const api_call *call, const control *op, const hw_reply *reply) {
  (void)reply;
  call_reply_pipeline(call, 200, control_pipeline(op), SELECT_EDITED);
}

static void make(const edit *e, const pipeline_spec *spec) {
  hw_error err = {0};
  hw_pipeline *p;
  control *op = control_new(&e->call, NULL, false, reply_made);
  if (!op) return;
  hw_status status = manager_create(e->call.context->engine, spec, &p, control_done, op, &err);
  if (status == HW_OK) {
    control_set_pipeline(op, p);
    return;
  }
  const reply_detail details[] = {{"pipeline_name", spec->members[MEMBER_NAME]}, {NULL, NULL}};
  reply_engine_error(e->call.req, &err, details);
  control_drop(op);
}

/* Takes the reference to p. */
static void change(const edit *e, hw_pipeline *p, const pipeline_spec *spec) {
  hw_error err = {0};
  char not_allowed[EDIT_FIELDS_MAX] = "";
  control *op = control_new(&e->call, p, false, reply_edited);
  if (!op) return;
  hw_status status = manager_edit(p, spec, e->method == EDIT_PUT, not_allowed, control_done, op, &err);
  if (status == HW_OK || !not_allowed[0]) {
    control_begun(op, status, &err);
    return;
  }
  reply_error_list(e->call.req, 400, &err, "not_allowed", not_allowed);
  control_drop(op);
}

/* A PUT to a name that there is not makes it, and gives it no other. */
static void make_put(const edit *e, const pipeline_spec *spec) {
  const char *path = e->call.params[PARAM_PIPELINE], *name = spec->members[MEMBER_NAME];
  if (strcmp(path, name) == 0) {
    make(e, spec);
    return;
  }
  const reply_detail details[] = {{"pipeline_name", path}, {"new_name", name}, {NULL, NULL}};
  reply_error(e->call.req, 400, "CannotRenameNonExistingPipeline", details,
              "there is no pipeline '%.100s' that could be renamed to '%.100s': to make one, give it the name in the "
              "path", path, name);
}

static void perform(const edit *e) {
  const pipeline_spec spec = make_spec(e);
  hw_pipeline *p = NULL;
  if (e->method == EDIT_PUT)
    p = hw_pipeline_find(e->call.context->engine, e->call.params[PARAM_PIPELINE]);
  else if (e->method == EDIT_PATCH && !(p = call_find_pipeline(&e->call)))
    return;
  if (p)
    change(e, p, &spec);
  else if (e->method == EDIT_PUT)
    make_put(e, &spec);
  else
    make(e, &spec);
}

/* Nothing is changed for a client that has left: it may well ask again. */
static void deliver(mail *m) {
  edit *e = (edit *)m;
  if (e->call.req && check_body(e)) perform(e);
  edit_free(e);
}

static void begin(const api_call *call, edit_method method) {
  const outbuf *text = &call->req->body;
  edit *e = calloc(1, sizeof *e);
  if (!e) {
    http_reply_no_memory(call->req);
    return;
  }
  *e = (edit){.job = {.mail = {.deliver = deliver, .discard = discard}, .run = parse}, .call = *call,
              .method = method};
  e->text = text->data ? text->data : "";
  e->len = text->len;
  if (worker_submit(call->context->worker, &e->job)) {
    http_defer(call->req, gone, e);
  } else {
    edit_free(e);
    reply_error(call->req, 503, "ServerBusy", NULL, "too many bodies wait to be parsed; try again");
  }
}

void create_pipeline(const api_call *call) { begin(call, EDIT_POST); }
void put_pipeline(const api_call *call) { begin(call, EDIT_PUT); }
void patch_pipeline(const api_call *call) { begin(call, EDIT_PATCH); }
