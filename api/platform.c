/* platform.c - what the server says of itself. */
#include "api/call.h"

#include <sys/time.h>

void get_healthz(const api_call *call) {
  json_writer w;
  reply_begin(call->req, &w);
  jw_object(&w);
  jw_key_string(&w, "status", "healthy");
  jw_object_end(&w);
  reply_json(call->req, 200, &w);
}

/* No provider of identities: whoever reaches the server may use it. */
void get_authentication(const api_call *call) {
  json_writer w;
  reply_begin(call->req, &w);
  jw_object(&w);
  jw_object_end(&w);
  reply_json(call->req, 200, &w);
}

/* Members that describe a Rust build are there for clients that insist on them. */
static void write_build(json_writer *w) {
  static const char *const keys[] = {"build_timestamp",    "build_cpu",           "build_os",
                                     "cargo_dependencies", "cargo_features",      "cargo_debug",
                                     "cargo_opt_level",    "cargo_target_triple", "rustc_version"};
  jw_object(w);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) jw_key_string(w, keys[i], "");
  jw_object_end(w);
}

void get_config(const api_call *call) {
  json_writer w;
  reply_begin(call->req, &w);
  jw_object(&w);
  jw_key_string(&w, "posthog", "");
  jw_key_string(&w, "conceptualhq", "");
  jw_key_string(&w, "product_fruits", "");
  jw_key_string(&w, "edition", "Open source"); /* clients accept only the editions they know */
  jw_key_string(&w, "version", hw_version());
  jw_key_string(&w, "revision", "");
  jw_key_string(&w, "runtime_revision", "");
  jw_key_null(&w, "unstable_features");
  jw_key_string(&w, "changelog_url", "");
  jw_key_null(&w, "license_validity");
  jw_key_null(&w, "update_info");
  jw_key(&w, "build_info");
  write_build(&w);
  jw_key_string(&w, "build_source", "source");
  jw_object_end(&w);
  reply_json(call->req, 200, &w);
}

static void write_service(json_writer *w, const char *name, int64_t since_us, int64_t now_us) {
  jw_key(w, name);
  jw_object(w);
  jw_key_bool(w, "healthy", true);
  jw_key_string(w, "message", "");
  jw_key_time(w, "unchanged_since", since_us);
  jw_key_time(w, "checked_at", now_us);
  jw_object_end(w);
}

/* One process: that this is answered is the health of all three. */
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
