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

/* There is no bootstrapping yet: what a start is told about it is checked only. */
static bool check_bootstrap(const api_call *call) {
  bool silent, concurrent;
  const char *policy = http_query(call->req, "bootstrap_policy");
  if (policy && strcmp(policy, "allow") != 0 && strcmp(policy, "reject") != 0 &&
      strcmp(policy, "await_approval") != 0) {
    call_refuse_query(call, "bootstrap_policy", "allow, reject, await_approval");
    return false;
  }
  if (!call_query_bool(call, "silent_bootstrap", false, &silent) ||
      !call_query_bool(call, "concurrent_bootstrap", false, &concurrent))
    return false;
  if (!silent || !concurrent) return true;
  reply_error(call->req, 400, "InvalidBootstrapConfig", NULL,
              "silent_bootstrap and concurrent_bootstrap cannot both be true");
  return false;
}

void start_pipeline(const api_call *call) {
  hw_run_state initial;
  bool dismiss;
  hw_error err = {0};
  if (!check_bootstrap(call) || !call_query_bool(call, "dismiss_error", true, &dismiss) ||
      !read_initial(call, &initial))
    return;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  /* Where the error may not be dismissed yet, the start is refused for a better reason. */
  if (dismiss) (void)manager_dismiss_error(p, &err);
  if (manager_start(p, initial, &err) == HW_OK) {
    reply_sentence(call->req, 202, "Pipeline is starting");
  } else {
    call_refuse(call, p, &err);
  }
  hw_pipeline_unref(p);
}

/* ---- stop, clear, dismiss ------------------------------------------------- */

static void finish(const api_call *call, hw_pipeline *p, hw_status status, const hw_error *err, unsigned code,
                   const char *sentence) {
  if (status == HW_OK) {
    reply_sentence(call->req, code, "%s", sentence);
  } else {
    call_refuse(call, p, err);
  }
  hw_pipeline_unref(p);
}

void stop_pipeline(const api_call *call) {
  bool force;
  hw_error err = {0};
  if (!call_query_bool(call, "force", false, &force)) return;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  hw_status status = manager_stop(p, force, &err);
  finish(call, p, status, &err, 202, force ? "Pipeline is forcefully stopping" : "Pipeline is stopping");
}

void clear_pipeline(const api_call *call) {
  hw_error err = {0};
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  hw_status status = manager_clear(p, &err);
  finish(call, p, status, &err, 202, "Pipeline storage is being cleared");
}

void dismiss_pipeline_error(const api_call *call) {
  hw_error err = {0};
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  hw_status status = manager_dismiss_error(p, &err);
  finish(call, p, status, &err, 200, "Pipeline deployment error has been dismissed");
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
  if (op) control_begun(op, hw_pipeline_pause(p, control_done, op, &err), &err);
}

void resume_pipeline(const api_call *call) {
  hw_pipeline *p;
  hw_error err = {0};
  control *op = begin(call, false, reply_resumed, &p);
  if (op) control_begun(op, hw_pipeline_resume(p, control_done, op, &err), &err);
}
