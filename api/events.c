/* events.c - the latest changes of a pipeline's states. */
#include "api/call.h"

#include <ctype.h>

#define PARAM_EVENT 1

/* ---- as JSON --------------------------------------------------------------- */

static void view_runtime(json_writer *w, const pipeline_event *event) {
  bool up = view_provisioned(event->status);
  jw_key_string(w, "deployment_runtime_status", up ? deployment_status_name(event->status) : NULL);
  jw_key_string(w, "deployment_runtime_desired_status",
                up && event->desired != DEPLOYMENT_STOPPED ? deployment_status_name(event->desired) : NULL);
}

static void view_details(json_writer *w, const pipeline_event *event) {
  jw_key_null(w, "deployment_resources_status_details");
  jw_key_null(w, "deployment_runtime_status_details");
  view_deployment_error(w, event->error_code ? event->error_code : "", event->error_message);
  view_storage_details(w, event->storage_in_use);
}

void view_event(json_writer *w, const pipeline_event *event, bool whole) {
  jw_object(w);
  jw_key_string(w, "event_id", event->id);
  jw_key_time(w, "recorded_at", event->recorded_at_us);
  jw_key_string(w, "deployment_resources_status", view_resources_status(event->status));
  jw_key_string(w, "deployment_resources_desired_status", view_desired_resources_status(event->desired));
  view_runtime(w, event);
  jw_key_bool(w, "deployment_has_error", event->error_message != NULL);
  jw_key_string(w, "program_status", program_status_name(event->program_status));
  jw_key_string(w, "storage_status", view_storage_status(event->storage_in_use));
  if (whole) view_details(w, event);
  jw_object_end(w);
}

/* ---- handlers -------------------------------------------------------------- */

/* The events of the pipeline in the path; false: replied. */
static bool get_all(const api_call *call, const char *id, pipeline_event **events, size_t *n) {
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return false;
  bool there = pipeline_get_events(p, id, events, n) == HW_OK;
  hw_pipeline_unref(p);
  if (!there) http_reply_no_memory(call->req);
  return there;
}

void list_events(const api_call *call) {
  bool whole;
  pipeline_event *events;
  size_t n;
  if (!call_read_whole(call, &whole) || !get_all(call, NULL, &events, &n)) return;
  json_writer w;
  reply_begin(call->req, &w);
  jw_array(&w);
  for (size_t i = 0; i < n; i++) view_event(&w, &events[i], whole);
  jw_array_end(&w);
  pipeline_events_free(events, n);
  reply_json(call->req, 200, &w);
}

/* "latest", or an identity as ours are written. */
static bool read_id(const api_call *call, char id[37]) {
  const char *text = call->params[PARAM_EVENT];
  bool good = strcmp(text, "latest") == 0 || call_is_uuid(text);
  snprintf(id, 37, "%s", text);
  for (char *c = id; *c; c++) *c = (char)tolower((unsigned char)*c);
  if (good) return true;
  const reply_detail details[] = {{"event_id", text}, {NULL, NULL}};
  reply_error(call->req, 400, "InvalidUuidParam", details, "'%.100s' is neither a UUID nor 'latest'", text);
  return false;
}

static void refuse_event(const api_call *call, const char *id) {
  const reply_detail details[] = {{"pipeline_name", call->params[PARAM_PIPELINE]}, {"event_id", id}, {NULL, NULL}};
  if (strcmp(id, "latest") == 0)
    reply_error(call->req, 404, "NoPipelineMonitorEventsAvailable", details, "pipeline '%s' has no events yet",
                call->params[PARAM_PIPELINE]);
  else
    reply_error(call->req, 404, "UnknownPipelineMonitorEvent", details,
                "pipeline '%s' has no event %s (any more: the latest %d are kept)", call->params[PARAM_PIPELINE], id,
                PIPELINE_EVENTS_MAX);
}

void get_event(const api_call *call) {
  bool whole;
  char id[37];
  pipeline_event *events;
  size_t n;
  if (!call_read_whole(call, &whole) || !read_id(call, id) || !get_all(call, id, &events, &n)) return;
  if (n == 1) {
    json_writer w;
    reply_begin(call->req, &w);
    view_event(&w, &events[0], whole);
    reply_json(call->req, 200, &w);
  } else {
    refuse_event(call, id);
  }
  pipeline_events_free(events, n);
}
