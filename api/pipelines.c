/* pipelines.c - showing and deleting pipelines. */
#include "api/control.h"

#include <stdlib.h>

/* ---- showing -------------------------------------------------------------- */

static bool read_selector(const api_call *call, pipeline_selector *out) {
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

/* Without memory the writer is marked failed. */
static void write_pipeline(json_writer *w, hw_pipeline *p, pipeline_selector selector) {
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
  write_pipeline(&w, p, selector);
  reply_json(call->req, status, &w);
}

void get_pipeline(const api_call *call) {
  pipeline_selector selector;
  if (!read_selector(call, &selector)) return;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  call_reply_pipeline(call, 200, p, selector);
  hw_pipeline_unref(p);
}

void list_pipelines(const api_call *call) {
  pipeline_selector selector;
  hw_pipeline **all;
  size_t n;
  if (!read_selector(call, &selector)) return;
  if (manager_list(call->context->engine, &all, &n) != HW_OK) {
    http_reply_no_memory(call->req);
    return;
  }
  json_writer w;
  reply_begin(call->req, &w);
  jw_array(&w);
  for (size_t i = 0; i < n; i++) {
    write_pipeline(&w, all[i], selector);
    hw_pipeline_unref(all[i]);
  }
  jw_array_end(&w);
  free(all);
  reply_json(call->req, 200, &w);
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
