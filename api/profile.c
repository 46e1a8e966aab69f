/* profile.c - dataflow_graph and circuit_json_profile. */
#include "api/call.h"

static void refuse_not_compiled(const api_call *call, const pipeline_info *info) {
  const char *name = info->definition->members[MEMBER_NAME], *status = program_status_name(info->program_status);
  const reply_detail details[] = {{"pipeline_name", name}, {"program_status", status}, {NULL, NULL}};
  reply_error(call->req, 404, "ProgramNotCompiled", details,
              "the program of pipeline '%s' is not compiled (its program_status is %s)", name, status);
}

/* The pipeline and a snapshot of it, with its program; false: replied. */
static bool find(const api_call *call, hw_pipeline **p, pipeline_info *info) {
  *p = call_find_pipeline(call);
  if (!*p) return false;
  if (pipeline_get_info(*p, info) != HW_OK) {
    http_reply_no_memory(call->req);
  } else if (!info->program) {
    refuse_not_compiled(call, info);
    pipeline_info_fini(info);
  } else {
    return true;
  }
  hw_pipeline_unref(*p);
  return false;
}

void get_dataflow_graph(const api_call *call) {
  hw_pipeline *p;
  pipeline_info info;
  json_writer w;
  if (!find(call, &p, &info)) return;
  reply_begin(call->req, &w);
  view_dataflow(&w, info.program);
  reply_json(call->req, 200, &w);
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
}

void get_circuit_json_profile(const api_call *call) {
  hw_pipeline *p = call_find_pipeline(call);
  pipeline_stats stats;
  pipeline_info info;
  hw_error err = {0};
  json_writer w;
  if (!p) return;
  if (pipeline_get_stats(p, false, &stats, &err) != HW_OK) {
    call_refuse(call, p, &err);
  } else if (pipeline_get_info(p, &info) != HW_OK) {
    pipeline_stats_fini(&stats);
    http_reply_no_memory(call->req);
  } else {
    reply_begin(call->req, &w);
    view_profile(&w, info.program, &stats);
    pipeline_stats_fini(&stats);
    pipeline_info_fini(&info);
    reply_json(call->req, 200, &w);
  }
  hw_pipeline_unref(p);
}
