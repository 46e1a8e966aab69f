/* pipelines.c - showing and deleting a pipeline. */
#include "api/control.h"

/* ---- showing -------------------------------------------------------------- */

bool call_read_selector(const api_call *call, pipeline_selector *out) {
  const char *text = http_query(call->req, "selector");
  *out = SELECT_ALL;
  if (!text || strcmp(text, "all") == 0) return true;
  *out = SELECT_STATUS;
  if (strcmp(text, "status") == 0) return true;
  *out = SELECT_STATUS_WITH_CONNECTORS;
  if (strcmp(text, "status_with_connectors") == 0) return true;
  call_refuse_query(call, "selector", "all, status, status_with_connectors");
  return false;
}

void call_write_pipeline(json_writer *w, hw_pipeline *p, pipeline_selector selector) {
  pipeline_info info;
  if (pipeline_get_info(p, &info) != HW_OK) {
    w->out->failed = true;
    return;
  }
  view_pipeline(w, &info, selector);
  pipeline_info_fini(&info);
}

void call_reply_pipeline(const api_call *call, unsigned status, hw_pipeline *p, pipeline_selector selector) {
  json_writer w;
  reply_begin(call->req, &w);
  call_write_pipeline(&w, p, selector);
  reply_json(call->req, status, &w);
}

void get_pipeline(const api_call *call) {
  pipeline_selector selector;
  if (!call_read_selector(call, &selector)) return;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  call_reply_pipeline(call, 200, p, selector);
  hw_pipeline_unref(p);
}

static void reply_deleted(const api_call *call, const control *op, const hw_reply *reply) {
  (void)op, (void)reply;
  reply_empty(call->req, 200, NULL);
}

void delete_pipeline(const api_call *call) {
  hw_error err = {0};
  control *op = control_new_found(call, reply_deleted);
  if (op) control_begun(op, manager_delete(control_pipeline(op), control_done, op, &err), &err);
}
