/* connectors.c - statistics, and the start and pause of connectors. */
#include "api/control.h"

/* ---- statistics ----------------------------------------------------------- */

void get_stats(const api_call *call) {
  bool with_errors;
  pipeline_stats stats;
  hw_error err = {0};
  if (!call_query_bool(call, "include_connector_errors", false, &with_errors)) return;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  if (pipeline_get_stats(p, with_errors, &stats, &err) == HW_OK) {
    json_writer w;
    reply_begin(call->req, &w);
    view_stats(&w, &stats, with_errors);
    pipeline_stats_fini(&stats);
    reply_json(call->req, 200, &w);
  } else {
    call_refuse(call, p, &err);
  }
  hw_pipeline_unref(p);
}

static void get_connector(const api_call *call, bool is_input) {
  connector_stats stats;
  hw_error err = {0};
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  hw_status status = pipeline_get_connector_stats(p, is_input, call->params[PARAM_RELATION],
                                                  call->params[PARAM_CONNECTOR], &stats, &err);
  if (status == HW_OK) {
    json_writer w;
    reply_begin(call->req, &w);
    view_connector(&w, &stats, true);
    connector_stats_fini(&stats);
    reply_json(call->req, 200, &w);
  } else {
    call_refuse(call, p, &err);
  }
  hw_pipeline_unref(p);
}

void get_table_connector(const api_call *call) { get_connector(call, true); }
void get_view_connector(const api_call *call) { get_connector(call, false); }

/* ---- start and pause ------------------------------------------------------ */

static void reply_transition(const api_call *call, const control *op, const hw_reply *reply) {
  (void)op;
  outbuf extra = {0};
  outbuf_printf(&extra, "Headworks-Epoch: %llu\r\nHeadworks-Total-Records: %llu\r\n", (unsigned long long)reply->epoch,
                (unsigned long long)reply->total_records);
  http_add_header(&extra, "Headworks-Position", reply->position);
  reply_empty(call->req, 200, &extra);
  outbuf_fini(&extra);
}

static void refuse_action(const api_call *call, const char *action) {
  const reply_detail details[] = {{"action", action}, {NULL, NULL}};
  reply_error(call->req, 400, "InvalidConnectorAction", details,
              "Invalid connector action '%.100s'; valid actions are: 'start' or 'pause'", action);
}

static void post_action(const api_call *call, bool is_input) {
  const char *action = call->params[PARAM_ACTION];
  bool pause = strcmp(action, "pause") == 0, drained;
  hw_error err = {0};
  if (!pause && strcmp(action, "start") != 0) {
    refuse_action(call, action);
    return;
  }
  if (!control_read_wait(call, &drained)) return;
  if (drained && !pause) {
    reply_error(call->req, 400, "InvalidParam", NULL, "wait=drained belongs to a pause; a start is true at once");
    return;
  }
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  control *op = control_new(call, p, drained, reply_transition);
  if (!op) return;
  if (pause) control_set_pause(op);
  const char *relation = call->params[PARAM_RELATION], *connector = call->params[PARAM_CONNECTOR];
  hw_status status = pipeline_control_connector(p, is_input, relation, connector, pause, control_done, op, &err);
  control_begun(op, status, &err);
}

void post_table_connector(const api_call *call) { post_action(call, true); }
void post_view_connector(const api_call *call) { post_action(call, false); }
