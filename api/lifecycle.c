/* lifecycle.c - starting, pausing, resuming, stopping and clearing pipelines. */
#include "api/control.h"

/* ---- start ---------------------------------------------------------------- */

static void refuse_initial(const api_call *call, const char *initial) {
  const reply_detail details[] = {{"action", "start"}, {"initial", initial}, {NULL, NULL}};
  if (strcmp(initial, "standby") == 0) {
    reply_error(call->req, 400, "InitialStandbyNotAllowed", details,
                "a pipeline can start as standby only with a file storage backend that is synchronized, which "
                "this server does not have; start it as 'running' or 'paused'");
    return;
  }
  outbuf extra = {0};
  http_add_header(&extra, "Allow", "POST");
  reply_error_with(call->req, 405, "UnsupportedPipelineAction", details, &extra,
                   "Unsupported pipeline action 'start': initial '%.100s' is not known; it can be: running, paused",
                   initial);
  outbuf_fini(&extra);
}

static bool read_initial(const api_call *call, hw_run_state *out) {
  const char *initial = http_query(call->req, "initial");
  *out = HW_RUNNING;
  if (!initial || strcmp(initial, "running") == 0) return true;
  *out = HW_PAUSED;
  if (strcmp(initial, "paused") == 0) return true;
  refuse_initial(call, initial);
  return false;
}

static bool read_policy(const api_call *call, bootstrap_policy *out) {
  const char *word = http_query(call->req, "bootstrap_policy");
  *out = BOOTSTRAP_AWAIT_APPROVAL;
  for (int i = BOOTSTRAP_AWAIT_APPROVAL; word && i <= BOOTSTRAP_REJECT; i++) {
    *out = (bootstrap_policy)i;
    if (strcmp(word, bootstrap_policy_name(*out)) == 0) return true;
  }
  if (word) call_refuse_query(call, "bootstrap_policy", "allow, reject, await_approval");
  return !word;
}

/* There is no bootstrapping: what a start is told about it is checked, kept and shown. */
static bool read_bootstrap(const api_call *call, bootstrap *out) {
  if (!read_policy(call, &out->policy) || !call_query_bool(call, "silent_bootstrap", false, &out->silent) ||
      !call_query_bool(call, "concurrent_bootstrap", false, &out->concurrent))
    return false;
  if (!out->silent || !out->concurrent) return true;
  reply_error(call->req, 400, "InvalidBootstrapConfig", NULL,
              "silent_bootstrap and concurrent_bootstrap cannot both be true");
  return false;
}

static void reply_started(const api_call *call, const control *op, const hw_reply *reply) {
  (void)op, (void)reply;
  reply_sentence(call->req, 202, "Pipeline is starting");
}

void start_pipeline(const api_call *call) {
  start_options options;
  hw_error err = {0};
  if (!read_bootstrap(call, &options.bootstrap) || !call_query_bool(call, "dismiss_error", true, &options.dismiss) ||
      !read_initial(call, &options.initial))
    return;
  control *op = control_new_found(call, reply_started);
  if (op) control_begun(op, manager_start(control_pipeline(op), &options, control_done, op, &err), &err);
}

/* ---- stop, clear, dismiss ------------------------------------------------- */

static void reply_stopping(const api_call *call, const control *op, const hw_reply *reply) {
  (void)op, (void)reply;
  reply_sentence(call->req, 202, "Pipeline is stopping");
}

static void reply_stopping_by_force(const api_call *call, const control *op, const hw_reply *reply) {
  (void)op, (void)reply;
  reply_sentence(call->req, 202, "Pipeline is forcefully stopping");
}

void stop_pipeline(const api_call *call) {
  bool force;
  hw_error err = {0};
  if (!call_query_bool(call, "force", false, &force)) return;
  control *op = control_new_found(call, force ? reply_stopping_by_force : reply_stopping);
  if (op) control_begun(op, manager_stop(control_pipeline(op), force, control_done, op, &err), &err);
}

static void reply_clearing(const api_call *call, const control *op, const hw_reply *reply) {
  (void)op, (void)reply;
  reply_sentence(call->req, 202, "Pipeline storage is being cleared");
}

void clear_pipeline(const api_call *call) {
  hw_error err = {0};
  control *op = control_new_found(call, reply_clearing);
  if (op) control_begun(op, manager_clear(control_pipeline(op), control_done, op, &err), &err);
}

static void reply_dismissed(const api_call *call, const control *op, const hw_reply *reply) {
  (void)op, (void)reply;
  reply_sentence(call->req, 200, "Pipeline deployment error has been dismissed");
}

void dismiss_pipeline_error(const api_call *call) {
  hw_error err = {0};
  control *op = control_new_found(call, reply_dismissed);
  if (op) control_begun(op, manager_dismiss_error(control_pipeline(op), control_done, op, &err), &err);
}

/* ---- pause and resume ----------------------------------------------------- */

static void reply_paused(const api_call *call, const control *op, const hw_reply *reply) {
  (void)reply;
  reply_sentence(call->req, 202, "Pipeline transitioning from %s to Paused",
                 deployment_status_name(control_former(op)));
}

static void reply_resumed(const api_call *call, const control *op, const hw_reply *reply) {
  (void)reply;
  reply_sentence(call->req, 202, "Pipeline transitioning from %s to Running",
                 deployment_status_name(control_former(op)));
}

/* A control that knows the pipeline's present status; NULL: replied. */
static control *begin(const api_call *call, bool drained, control_succeed *succeed, hw_pipeline **p) {
  pipeline_info info;
  *p = call_find_pipeline(call);
  if (!*p) return NULL;
  if (pipeline_get_info(*p, &info) != HW_OK) {
    hw_pipeline_unref(*p);
    http_reply_no_memory(call->req);
    return NULL;
  }
  control *op = control_new(call, *p, drained, succeed);
  if (op) control_set_former(op, info.status);
  pipeline_info_fini(&info);
  return op;
}

void pause_pipeline(const api_call *call) {
  bool drained;
  hw_pipeline *p;
  hw_error err = {0};
  if (!control_read_wait(call, &drained)) return;
  control *op = begin(call, drained, reply_paused, &p);
  if (op) control_set_pause(op);
  if (op) control_begun(op, hw_pipeline_pause(p, control_done, op, &err), &err);
}

void resume_pipeline(const api_call *call) {
  hw_pipeline *p;
  hw_error err = {0};
  control *op = begin(call, false, reply_resumed, &p);
  if (op) control_begun(op, hw_pipeline_resume(p, control_done, op, &err), &err);
}
