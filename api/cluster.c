/* cluster.c - the health of the server's parts. They are one process, so that a
 * request is answered is the health of all of them, since the server started:
 * there is one event, and no other can come while somebody is there to ask. */
#include "api/call.h"

#include <sys/time.h>

static void write_service(json_writer *w, const char *name, int64_t since_us, int64_t now_us) {
  jw_key(w, name);
  jw_object(w);
  jw_key_bool(w, "healthy", true);
  jw_key_string(w, "message", "");
  jw_key_time(w, "unchanged_since", since_us);
  jw_key_time(w, "checked_at", now_us);
  jw_object_end(w);
}

void get_cluster_healthz(const api_call *call) {
  struct timeval now = {0};
  event_base_gettimeofday_cached(call->context->base, &now);
  int64_t now_us = (int64_t)now.tv_sec * 1000000 + now.tv_usec;
  json_writer w;
  reply_begin(call->req, &w);
  jw_object(&w);
  jw_key_bool(&w, "all_healthy", true);
  write_service(&w, "api", call->context->started_us, now_us);
  write_service(&w, "compiler", call->context->started_us, now_us);
  write_service(&w, "runner", call->context->started_us, now_us);
  jw_object_end(&w);
  reply_json(call->req, 200, &w);
}

/* ---- events --------------------------------------------------------------- */

static void write_event(json_writer *w, const api_context *context, bool all) {
  static const char *const services[] = {"api", "compiler", "runner"};
  static const char *const details[] = {"self_info", "resources_info"};
  char key[32];
  jw_object(w);
  jw_key_string(w, "id", context->id);
  jw_key_time(w, "recorded_at", context->started_us);
  jw_key_bool(w, "all_healthy", true);
  for (size_t i = 0; i < 3; i++) {
    snprintf(key, sizeof key, "%s_status", services[i]);
    jw_key_string(w, key, "Healthy");
    for (size_t k = 0; all && k < 2; k++) {
      snprintf(key, sizeof key, "%s_%s", services[i], details[k]);
      jw_key_null(w, key);
    }
  }
  jw_object_end(w);
}

void list_cluster_events(const api_call *call) {
  json_writer w;
  bool all;
  if (!call_read_whole(call, &all)) return;
  reply_begin(call->req, &w);
  jw_array(&w);
  write_event(&w, call->context, all);
  jw_array_end(&w);
  reply_json(call->req, 200, &w);
}

void get_cluster_event(const api_call *call) {
  const char *id = call->params[0];
  json_writer w;
  bool all;
  if (!call_read_whole(call, &all)) return;
  if (strcmp(id, "latest") != 0 && strcmp(id, call->context->id) != 0) {
    const reply_detail details[] = {{"event_id", id}, {NULL, NULL}};
    if (call_is_uuid(id))
      reply_error(call->req, 404, "UnknownClusterMonitorEvent", details,
                  "there is no event '%s'; /v0/cluster/events lists them", id);
    else
      reply_error(call->req, 400, "InvalidUuidParam", details, "'%.100s' is no UUID, nor 'latest'", id);
    return;
  }
  reply_begin(call->req, &w);
  write_event(&w, call->context, all);
  reply_json(call->req, 200, &w);
}
