/* platform.c - what the server says of itself. */
#include "api/call.h"

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

/* There are no tenants: everybody is in the one that every server has. */
void get_session(const api_call *call) {
  json_writer w;
  reply_begin(call->req, &w);
  jw_object(&w);
  jw_key_null(&w, "tenant_id");
  jw_key_string(&w, "tenant_name", "default");
  jw_key_string(&w, "role", api_role_name((api_role)call->req->role));
  jw_key(&w, "memberships");
  jw_array(&w);
  jw_array_end(&w);
  jw_object_end(&w);
  reply_json(call->req, 200, &w);
}

void get_robots(const api_call *call) {
  static const char text[] = "User-agent: *\nDisallow: /\n";
  http_reply(call->req, 200, "text/plain", NULL, text, sizeof text - 1);
}
