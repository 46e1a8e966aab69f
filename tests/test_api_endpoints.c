/* Every endpoint against a fake engine: replies, key sets, errors, and which
 * error comes first. */
#include "api/outbuf.h"
#include "tests/api_client.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static api_fixture f;

static void setup(void) { f = api_fixture_open(NULL); }
static void teardown(void) { api_fixture_close(&f); }

#define BODY "{\"name\":\"p\",\"program_code\":\"CREATE TABLE numbers (id INT);\"}"

static void create_p(void) { json_decref(api_json(f.port, "POST", "/v0/pipelines", BODY, 201)); }

static const char *text_at(const json_t *o, const char *key) { return json_string_value(json_object_get(o, key)); }

static void expect_error(const char *method, const char *path, int status, const char *code) {
  api_expect_error(f.port, method, path, NULL, status, code);
}

/* The endpoint that an error is about, as it was looked for. */
static void expect_endpoint(const char *path, const char *endpoint) {
  json_t *j = api_json(f.port, "POST", path, NULL, 404);
  ck_assert_str_eq(text_at(json_object_get(j, "details"), "endpoint_name"), endpoint);
  json_decref(j);
}

/* ---- the contract's key sets ---------------------------------------------- */

#define KEYS_EVERYWHERE                                                                                                \
  "id name description tags created_at version platform_version program_config program_version program_status "        \
  "program_status_since deployment_error refresh_version storage_status storage_status_details deployment_id "         \
  "deployment_initial deployment_status deployment_status_since deployment_desired_status "                            \
  "deployment_desired_status_since deployment_resources_status deployment_resources_status_since "                     \
  "deployment_resources_desired_status deployment_resources_desired_status_since deployment_runtime_status "           \
  "deployment_runtime_status_details deployment_runtime_status_since deployment_runtime_desired_status "               \
  "deployment_runtime_desired_status_since "
#define KEYS_WHOLE                                                                                                     \
  "runtime_config program_code udf_rust udf_toml program_error program_info deployment_resources_status_details "
#define KEYS_BOOTSTRAP "bootstrap_policy silent_bootstrap concurrent_bootstrap "

#define KEYS_GLOBAL                                                                                                    \
  "state bootstrap_in_progress transaction_status transaction_id transaction_msecs transaction_records "               \
  "commit_progress transaction_initiators concurrent_bootstrap_phase concurrent_bootstrap_progress rss_bytes "         \
  "memory_pressure memory_pressure_epoch cpu_msecs uptime_msecs start_time incarnation_uuid initial_start_time "       \
  "storage_bytes storage_mb_secs runtime_elapsed_msecs buffered_input_records buffered_input_bytes "                   \
  "total_input_records total_input_bytes total_processed_records total_processed_bytes total_completed_records "       \
  "output_stall_msecs total_initiated_steps total_completed_steps pipeline_complete"

#define KEYS_INPUT "endpoint_name config metrics fatal_error health paused barrier completed_frontier headworks "
#define KEYS_OUTPUT "endpoint_name config metrics fatal_error health headworks "

#define KEYS_CONFIG                                                                                                    \
  "posthog conceptualhq product_fruits edition version revision runtime_revision unstable_features "                   \
  "changelog_url license_validity update_info build_info build_source"

#define KEYS_RUNTIME                                                                                                   \
  "workers hosts storage fault_tolerance max_rss_mb datafusion_memory_mb cpu_profiler tracing "                        \
  "tracing_endpoint_jaeger min_batch_size_records max_buffering_delay_usecs resources clock_resolution_usecs "         \
  "clock_timezone_offset pin_cpus provisioning_timeout_secs max_parallel_connector_init init_containers "              \
  "checkpoint_during_suspend http_workers io_workers env dev_tweaks logging pipeline_template_configmap"

/* ---- the platform --------------------------------------------------------- */

START_TEST(platform) {
  json_t *j = api_json(f.port, "GET", "/healthz", NULL, 200);
  api_check_keys(j, "status");
  ck_assert_str_eq(text_at(j, "status"), "healthy");
  json_decref(j);
  j = api_json(f.port, "GET", "/config/authentication", NULL, 200);
  api_check_keys(j, "");
  json_decref(j);
  j = api_json(f.port, "GET", "/v0/config", NULL, 200);
  api_check_keys(j, KEYS_CONFIG);
  ck_assert_str_eq(text_at(j, "edition"), "Open source");
  ck_assert_str_eq(text_at(j, "version"), hw_version());
  json_decref(j);
  j = api_json(f.port, "GET", "/v0/cluster_healthz", NULL, 200);
  api_check_keys(j, "all_healthy api compiler runner");
  api_check_keys(json_object_get(j, "api"), "healthy message unchanged_since checked_at");
  json_decref(j);
}
END_TEST

START_TEST(unknown_paths_and_methods) {
  expect_error("GET", "/", 404, "NotFound");
  expect_error("GET", "/v0", 404, "NotFound");
  expect_error("GET", "/v0/pipelines/", 404, "NotFound");
  expect_error("GET", "/v0/nothing", 404, "NotFound");
  expect_error("GET", "/V0/config", 404, "NotFound");
  expect_error("POST", "/healthz", 405, "MethodNotAllowed");
  expect_error("GET", "/v0/pipelines/p/start", 405, "MethodNotAllowed");
  expect_error("OPTIONS", "/v0/pipelines", 405, "MethodNotAllowed");
  expect_error("GET", "/v0/pipelines/%zz", 400, "InvalidUrl");
  expect_error("GET", "/v0/pipelines/%00", 400, "InvalidUrl");
  expect_error("GET", "/v0/pipelines/a/b/c/d/e/f/g/h/i/j/k/l/m/n", 404, "NotFound");
  api_reply r = api_request(f.port, "POST", "/v0/pipelines/p", "{}");
  api_check_error(&r, 405, "MethodNotAllowed");
  ck_assert_str_eq(api_header(&r, "Allow"), "GET, HEAD, PUT, PATCH, DELETE");
  api_reply_free(&r);
}
END_TEST

START_TEST(head_is_a_get_without_body) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "HEAD /v0/config HTTP/1.1\r\n{host}\r\n\r\nGET /v0/config HTTP/1.1\r\n{host}\r\n\r\n");
  api_reply head = api_receive(&c, true), get = api_receive(&c, false);
  ck_assert_int_eq(head.status, 200);
  ck_assert_int_eq(get.status, 200);
  char length[32];
  snprintf(length, sizeof length, "%zu", get.len);
  ck_assert_str_eq(api_header(&head, "Content-Length"), length);
  ck_assert_str_eq(api_header(&get, "Cache-Control"), "no-cache");
  api_reply_free(&head);
  api_reply_free(&get);
  api_disconnect(&c);
}
END_TEST

START_TEST(query_parameters_are_checked) {
  create_p();
  expect_error("GET", "/v0/pipelines?selector=bogus", 400, "InvalidParam");
  expect_error("GET", "/v0/pipelines?selector=", 400, "InvalidParam");
  expect_error("GET", "/v0/pipelines?selektor=all", 400, "InvalidParam");
  expect_error("GET", "/v0/pipelines?selector=all&selector=all", 400, "InvalidParam");
  expect_error("GET", "/v0/pipelines/p/stats?include_connector_errors=yes", 400, "InvalidParam");
  expect_error("POST", "/v0/pipelines/p/stop?force=1", 400, "InvalidParam");
  expect_error("GET", "/healthz?x=1", 400, "InvalidParam");
  expect_error("GET", "/healthz?x=%", 400, "InvalidUrl");
}
END_TEST

/* ---- making and showing --------------------------------------------------- */

static void check_record(const json_t *j) {
  ck_assert_str_eq(text_at(j, "name"), "p");
  ck_assert_str_eq(text_at(j, "id"), "67e55044-10b1-426f-9247-bb680e5fe0c8");
  ck_assert_str_eq(text_at(j, "created_at"), "2026-01-02T02:03:05.123456Z");
  ck_assert_str_eq(text_at(j, "program_status"), "Success");
  ck_assert_str_eq(text_at(j, "deployment_status"), "Stopped");
  ck_assert_str_eq(text_at(j, "deployment_desired_status"), "Stopped");
  ck_assert_str_eq(text_at(j, "deployment_resources_status"), "Stopped");
  ck_assert(json_is_null(json_object_get(j, "deployment_runtime_status")));
  ck_assert(json_is_null(json_object_get(j, "deployment_error")));
  ck_assert_str_eq(text_at(j, "storage_status"), "Cleared");
}

START_TEST(create_and_get) {
  json_t *j = api_json(f.port, "POST", "/v0/pipelines", BODY, 201);
  api_check_keys(j, KEYS_EVERYWHERE KEYS_WHOLE);
  check_record(j);
  json_decref(j);
  j = api_json(f.port, "GET", "/v0/pipelines/p", NULL, 200);
  api_check_keys(j, KEYS_EVERYWHERE KEYS_WHOLE KEYS_BOOTSTRAP);
  check_record(j);
  ck_assert_str_eq(text_at(j, "program_code"), "CREATE TABLE numbers (id INT);");
  json_decref(j);
  j = api_json(f.port, "GET", "/v0/pipelines/p?selector=status", NULL, 200);
  api_check_keys(j, KEYS_EVERYWHERE KEYS_BOOTSTRAP);
  json_decref(j);
  j = api_json(f.port, "GET", "/v0/pipelines/p?selector=status_with_connectors", NULL, 200);
  api_check_keys(j, KEYS_EVERYWHERE KEYS_BOOTSTRAP "connectors");
  ck_assert(json_is_null(json_object_get(j, "connectors")));
  json_decref(j);
}
END_TEST

START_TEST(deployed_record) {
  create_p();
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  json_t *j = api_json(f.port, "GET", "/v0/pipelines/p?selector=status_with_connectors", NULL, 200);
  ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(j, "connectors"), "num_errors")), 7);
  ck_assert_str_eq(text_at(j, "deployment_status"), "Running");
  ck_assert_str_eq(text_at(j, "deployment_initial"), "Running");
  ck_assert_str_eq(text_at(j, "deployment_resources_status"), "Provisioned");
  ck_assert_str_eq(text_at(j, "deployment_resources_desired_status"), "Provisioned");
  ck_assert_str_eq(text_at(j, "deployment_runtime_status"), "Running");
  ck_assert_str_eq(text_at(j, "deployment_runtime_desired_status"), "Running");
  ck_assert_str_eq(text_at(j, "storage_status"), "InUse");
  ck_assert_str_eq(text_at(j, "deployment_id"), "67e55044-10b1-426f-9247-bb680e5fe0c9");
  json_decref(j);
  fake_set_status(f.engine, DEPLOYMENT_PROVISIONING);
  j = api_json(f.port, "GET", "/v0/pipelines/p", NULL, 200);
  ck_assert_str_eq(text_at(j, "deployment_status"), "Provisioning");
  ck_assert_str_eq(text_at(j, "deployment_resources_status"), "Provisioning");
  ck_assert(json_is_null(json_object_get(j, "deployment_runtime_status")));
  json_decref(j);
}
END_TEST

START_TEST(deployment_error_has_the_shape) {
  create_p();
  fake_set_error(f.engine, "InitializationError", "numbers.c1: no file \"x\"");
  json_t *j = api_json(f.port, "GET", "/v0/pipelines/p?selector=status", NULL, 200);
  const json_t *e = json_object_get(j, "deployment_error");
  api_check_keys(e, "message error_code details");
  ck_assert_str_eq(text_at(e, "error_code"), "InitializationError");
  ck_assert_str_eq(text_at(e, "message"), "numbers.c1: no file \"x\"");
  json_decref(j);
}
END_TEST

START_TEST(program_error_follows_the_status) {
  create_p();
  fake_set_program(f.engine, PROGRAM_COMPILING_SQL);
  json_t *j = api_json(f.port, "GET", "/v0/pipelines/p", NULL, 200);
  const json_t *e = json_object_get(j, "program_error");
  api_check_keys(e, "sql_compilation rust_compilation system_error");
  ck_assert(json_is_null(json_object_get(e, "sql_compilation")));
  ck_assert(json_is_null(json_object_get(j, "program_info")));
  json_decref(j);
  fake_set_program(f.engine, PROGRAM_SQL_ERROR);
  j = api_json(f.port, "GET", "/v0/pipelines/p", NULL, 200);
  const json_t *sql = json_object_get(json_object_get(j, "program_error"), "sql_compilation");
  api_check_keys(sql, "exit_code messages");
  ck_assert_int_ne(json_integer_value(json_object_get(sql, "exit_code")), 0);
  const json_t *m = json_array_get(json_object_get(sql, "messages"), 0);
  api_check_keys(m, "start_line_number start_column end_line_number end_column warning error_type message snippet");
  ck_assert_str_eq(text_at(m, "message"), "expected TABLE");
  ck_assert_int_eq(json_integer_value(json_object_get(m, "start_column")), 8);
  json_decref(j);
  fake_set_program(f.engine, PROGRAM_SUCCESS);
  j = api_json(f.port, "GET", "/v0/pipelines/p", NULL, 200);
  e = json_object_get(j, "program_error");
  ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(e, "sql_compilation"), "exit_code")), 0);
  api_check_keys(json_object_get(e, "rust_compilation"), "exit_code stdout stderr");
  json_decref(j);
  fake_set_program(f.engine, PROGRAM_SYSTEM_ERROR);
  j = api_json(f.port, "GET", "/v0/pipelines/p", NULL, 200);
  ck_assert_ptr_nonnull(text_at(json_object_get(j, "program_error"), "system_error"));
  json_decref(j);
}
END_TEST

static void check_field(const json_t *field, const char *name, const char *type, const char *fallback) {
  api_check_keys(field, "name case_sensitive columntype lateness default unused watermark");
  const json_t *t = json_object_get(field, "columntype");
  api_check_keys(t, "type nullable precision scale component fields key value");
  ck_assert_str_eq(text_at(field, "name"), name);
  ck_assert_str_eq(text_at(t, "type"), type);
  if (fallback) ck_assert_str_eq(text_at(field, "default"), fallback);
  if (!fallback) ck_assert(json_is_null(json_object_get(field, "default")));
}

START_TEST(program_info) {
  create_p();
  json_t *j = api_json(f.port, "GET", "/v0/pipelines/p", NULL, 200);
  const json_t *info = json_object_get(j, "program_info");
  api_check_keys(info, "schema udf_stubs input_connectors output_connectors");
  const json_t *schema = json_object_get(info, "schema");
  api_check_keys(schema, "inputs outputs");
  ck_assert_uint_eq(json_array_size(json_object_get(schema, "inputs")), 2);
  ck_assert_uint_eq(json_array_size(json_object_get(schema, "outputs")), 1); /* the local view is not shown */
  const json_t *numbers = json_array_get(json_object_get(schema, "inputs"), 0);
  api_check_keys(numbers, "name case_sensitive fields materialized properties primary_key");
  ck_assert_str_eq(json_string_value(json_array_get(json_object_get(numbers, "primary_key"), 0)), "id");
  const json_t *property = json_object_get(json_object_get(numbers, "properties"), "materialized");
  api_check_keys(property, "value key_position value_position");
  api_check_keys(json_object_get(property, "key_position"),
                 "start_line_number start_column end_line_number end_column");
  const json_t *fields = json_object_get(numbers, "fields");
  check_field(json_array_get(fields, 0), "id", "INTEGER", NULL);
  check_field(json_array_get(fields, 1), "price", "DECIMAL", NULL);
  check_field(json_array_get(fields, 2), "note", "VARCHAR", "'it''s'");
  check_field(json_array_get(fields, 3), "On", "BOOLEAN", "TRUE");
  const json_t *inputs = json_object_get(info, "input_connectors");
  api_check_keys(inputs, "numbers.c1 numbers.C2 Quoted.q");
  api_check_keys(json_object_get(inputs, "numbers.c1"), "stream name transport");
  api_check_keys(json_object_get(inputs, "Quoted.q"), "stream transport");
  ck_assert_str_eq(text_at(json_object_get(inputs, "Quoted.q"), "stream"), "Quoted");
  api_check_keys(json_object_get(info, "output_connectors"), "v.out");
  json_decref(j);
}
END_TEST

START_TEST(configurations_are_completed) {
  json_t *j =
      api_json(f.port, "POST", "/v0/pipelines",
               "{\"name\":\"p\",\"program_code\":\"x\",\"unknown\":{\"a\":1},\"tags\":[\"a b\",\"c/d\"],"
               "\"udf_rust\":\"fn\",\"description\":\"d\\u00e9\",\"program_config\":{\"profile\":\"dev\",\"odd\":1},"
               "\"runtime_config\":{\"workers\":3,\"storage\":false,\"odd\":{},\"env\":{\"A\":\"b\"},"
               "\"resources\":{\"cpu_cores_max\":1.5}}}",
               201);
  const json_t *r = json_object_get(j, "runtime_config");
  api_check_keys(r, KEYS_RUNTIME);
  ck_assert_int_eq(json_integer_value(json_object_get(r, "workers")), 3);
  ck_assert(json_is_null(json_object_get(r, "storage")));
  api_check_keys(json_object_get(r, "fault_tolerance"), "model checkpoint_interval_secs");
  api_check_keys(json_object_get(r, "resources"),
                 "cpu_cores_min cpu_cores_max memory_mb_min memory_mb_max storage_mb_max "
                 "storage_class service_account_name namespace");
  api_check_keys(json_object_get(j, "program_config"), "profile cache runtime_version use_platform_compiler");
  ck_assert_str_eq(text_at(json_object_get(j, "program_config"), "profile"), "dev");
  ck_assert_uint_eq(json_array_size(json_object_get(j, "tags")), 2);
  ck_assert_str_eq(text_at(j, "udf_rust"), "fn");
  ck_assert_str_eq(text_at(j, "udf_toml"), "");
  ck_assert_str_eq(text_at(j, "description"), "d\xc3\xa9");
  json_decref(j);
  j = api_json(f.port, "POST", "/v0/pipelines",
               "{\"name\":\"q\",\"program_code\":\"x\",\"runtime_config\":null,\"program_config\":null,\"tags\":null,"
               "\"udf_rust\":null,\"description\":null}",
               201);
  r = json_object_get(j, "runtime_config");
  ck_assert_int_eq(json_integer_value(json_object_get(r, "workers")), 8);
  api_check_keys(json_object_get(r, "storage"),
                 "backend min_storage_bytes min_step_storage_bytes compression cache_mib");
  json_decref(j);
}
END_TEST

START_TEST(bodies_that_are_refused) {
  static const struct {
    const char *body, *code;
  } cases[] = {
      {"", "MalformedJson"},
      {"{", "MalformedJson"},
      {"{\"name\":\"p\",\"name\":\"p\",\"program_code\":\"x\"}", "MalformedJson"},
      {"{\"name\":\"p\",\"program_code\":\"x\"}x", "MalformedJson"},
      {"{\"name\":\"p\",\"program_code\":\"\\u0000\"}", "MalformedJson"},
      {"{\"name\":\"p\xff\",\"program_code\":\"\"}", "MalformedJson"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"workers\":99999999999999999999}}",
       "MalformedJson"},
      {"[]", "InvalidBody"},
      {"null", "MalformedJson"},
      {"{}", "InvalidBody"},
      {"{\"name\":\"p\"}", "InvalidBody"},
      {"{\"program_code\":\"x\"}", "InvalidBody"},
      {"{\"name\":1,\"program_code\":\"x\"}", "InvalidBody"},
      {"{\"name\":\"p\",\"program_code\":[]}", "InvalidBody"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"description\":1}", "InvalidBody"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"udf_toml\":1}", "InvalidBody"},
      {"{\"name\":\"\",\"program_code\":\"x\"}", "EmptyName"},
      {"{\"name\":\"a b\",\"program_code\":\"x\"}", "NameDoesNotMatchPattern"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"tags\":\"a\"}", "InvalidTag"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"tags\":[1]}", "InvalidTag"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"tags\":[\"a,b\"]}", "InvalidTag"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":1}", "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"workers\":\"8\"}}", "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"workers\":-1}}", "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"workers\":null}}", "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"pin_cpus\":[\"a\"]}}", "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"env\":{\"A\":1}}}", "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"env\":{\"RUST_LOG\":\"x\"}}}",
       "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"env\":{\"TOKIO_X\":\"x\"}}}",
       "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"storage\":{\"compression\":\"lz\"}}}",
       "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"runtime_config\":{\"fault_tolerance\":{\"model\":\"exactly_once\"}}}",
       "InvalidRuntimeConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"program_config\":[]}", "InvalidProgramConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"program_config\":{\"profile\":\"fast\"}}", "InvalidProgramConfig"},
      {"{\"name\":\"p\",\"program_code\":\"x\",\"program_config\":{\"cache\":1}}", "InvalidProgramConfig"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    api_expect_error(f.port, "POST", "/v0/pipelines", cases[i].body, 400, cases[i].code);
  json_t *j = api_json(f.port, "GET", "/v0/pipelines", NULL, 200);
  ck_assert_uint_eq(json_array_size(j), 0); /* nothing was left behind */
  json_decref(j);
}
END_TEST

/* A body with n times unit in its middle. */
static void expect_refused_body(const char *before, const char *unit, size_t n, const char *after, const char *code) {
  outbuf body = {0};
  outbuf_add_str(&body, before);
  for (; n > 0; n--) outbuf_add_str(&body, unit);
  outbuf_add_str(&body, after);
  outbuf_add_char(&body, '\0');
  ck_assert(!body.failed);
  api_expect_error(f.port, "POST", "/v0/pipelines", body.data, 400, code);
  outbuf_fini(&body);
}

START_TEST(limits_of_tags_and_depth) {
#define START "{\"name\":\"p\",\"program_code\":\"x\","
  expect_refused_body(START "\"tags\":[\"a\"", ",\"b\"", 50, "]}", "TooManyTags");
  expect_refused_body(START "\"tags\":[\"", "a", 51, "\"]}", "InvalidTag");
  expect_refused_body(START "\"deep\":", "[", 100000, "", "MalformedJson");
  expect_refused_body(START "\"description\":\"", "d", 301, "\"}", "TooLongDescription");
#undef START
}
END_TEST

START_TEST(content_types) {
  static const struct {
    const char *type;
    int status;
  } cases[] = {{"application/json", 201},  {"Application/JSON; charset=utf-8", 409},   {"text/plain", 415},
               {"application/jsonx", 415}, {"application/x-www-form-urlencoded", 415}, {"", 415}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    api_client c = api_connect(f.port);
    api_sayf(&c, "POST /v0/pipelines HTTP/1.1\r\n{host}\r\n%s%s\r\nContent-Length: %zu\r\n\r\n%s",
             *cases[i].type ? "Content-Type: " : "X: y", cases[i].type, strlen(BODY), BODY);
    api_reply r = api_receive(&c, false);
    ck_assert_msg(r.status == cases[i].status, "%s: %d", cases[i].type, r.status);
    if (r.status == 415) api_check_error(&r, 415, "UnsupportedMediaType");
    api_reply_free(&r);
    api_disconnect(&c);
  }
}
END_TEST

START_TEST(list_and_delete) {
  json_t *j = api_json(f.port, "GET", "/v0/pipelines", NULL, 200);
  ck_assert(json_is_array(j) && json_array_size(j) == 0);
  json_decref(j);
  create_p();
  api_expect_error(f.port, "POST", "/v0/pipelines", BODY, 409, "DuplicateName");
  j = api_json(f.port, "GET", "/v0/pipelines?selector=status", NULL, 200);
  ck_assert_uint_eq(json_array_size(j), 1);
  api_check_keys(json_array_get(j, 0), KEYS_EVERYWHERE KEYS_BOOTSTRAP);
  json_decref(j);
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  expect_error("DELETE", "/v0/pipelines/p", 400, "DeleteRestrictedToFullyStopped");
  fake_set_status(f.engine, DEPLOYMENT_STOPPED);
  api_reply r = api_request(f.port, "DELETE", "/v0/pipelines/p", NULL);
  ck_assert_int_eq(r.status, 200);
  ck_assert_uint_eq(r.len, 0);
  api_reply_free(&r);
  expect_error("DELETE", "/v0/pipelines/p", 404, "UnknownPipelineName");
  expect_error("GET", "/v0/pipelines/p?selector=status", 404, "UnknownPipelineName");
}
END_TEST

/* ---- lifecycle ------------------------------------------------------------ */

static void expect_sentence(const char *path, int status, const char *sentence) {
  json_t *j = api_json(f.port, "POST", path, NULL, status);
  ck_assert_str_eq(json_string_value(j), sentence);
  json_decref(j);
}

START_TEST(lifecycle) {
  create_p();
  expect_sentence("/v0/pipelines/p/start", 202, "Pipeline is starting");
  expect_sentence("/v0/pipelines/p/pause", 202, "Pipeline transitioning from Running to Paused");
  expect_sentence("/v0/pipelines/p/resume", 202, "Pipeline transitioning from Paused to Running");
  expect_sentence("/v0/pipelines/p/pause?wait=drained", 202, "Pipeline transitioning from Running to Paused");
  expect_sentence("/v0/pipelines/p/stop", 202, "Pipeline is stopping");
  expect_sentence("/v0/pipelines/p/start?initial=paused&bootstrap_policy=allow&silent_bootstrap=true&"
                  "concurrent_bootstrap=false&dismiss_error=false",
                  202, "Pipeline is starting");
  expect_sentence("/v0/pipelines/p/stop?force=true", 202, "Pipeline is forcefully stopping");
  expect_sentence("/v0/pipelines/p/clear", 202, "Pipeline storage is being cleared");
  expect_sentence("/v0/pipelines/p/dismiss_error", 200, "Pipeline deployment error has been dismissed");
}
END_TEST

START_TEST(lifecycle_errors) {
  create_p();
  expect_error("POST", "/v0/pipelines/p/start?initial=standby", 400, "InitialStandbyNotAllowed");
  expect_error("POST", "/v0/pipelines/p/start?initial=Running", 405, "UnsupportedPipelineAction");
  expect_error("POST", "/v0/pipelines/p/start?bootstrap_policy=never", 400, "InvalidParam");
  expect_error("POST", "/v0/pipelines/p/start?silent_bootstrap=maybe", 400, "InvalidParam");
  expect_error("POST", "/v0/pipelines/p/start?silent_bootstrap=true&concurrent_bootstrap=true", 400,
               "InvalidBootstrapConfig");
  expect_error("POST", "/v0/pipelines/p/pause", 503, "PipelineInteractionNotDeployed");
  expect_error("POST", "/v0/pipelines/p/resume", 503, "PipelineInteractionNotDeployed");
  expect_error("POST", "/v0/pipelines/p/pause?wait=soon", 400, "InvalidParam");
  static const char *const actions[] = {"start", "pause", "resume", "stop", "clear", "dismiss_error"};
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
    char path[64];
    snprintf(path, sizeof path, "/v0/pipelines/none/%s", actions[i]);
    expect_error("POST", path, 404, "UnknownPipelineName");
  }
  fake_set_refusal(f.engine, HW_ESTATE, "IllegalPipelineAction", "it is stopping");
  expect_error("POST", "/v0/pipelines/p/start", 400, "IllegalPipelineAction");
  fake_set_refusal(f.engine, HW_ENOMEM, "", "out of memory");
  expect_error("POST", "/v0/pipelines/p/stop", 503, "OutOfMemory");
  fake_set_refusal(f.engine, HW_EIO, "", "odd");
  expect_error("POST", "/v0/pipelines/p/clear", 500, "InternalError");
}
END_TEST

START_TEST(start_dismisses_unless_told_not_to) {
  create_p();
  fake_set_error(f.engine, "X", "x");
  expect_error("POST", "/v0/pipelines/p/start?dismiss_error=false", 400, "CannotStartWithUndismissedError");
  expect_sentence("/v0/pipelines/p/start", 202, "Pipeline is starting");
}
END_TEST

START_TEST(not_deployed_names_the_states) {
  create_p();
  fake_set_status(f.engine, DEPLOYMENT_STOPPING);
  api_reply r = api_request(f.port, "GET", "/v0/pipelines/p/stats", NULL);
  json_t *j = json_loads(r.body, 0, NULL);
  const json_t *details = json_object_get(j, "details");
  api_check_keys(details, "pipeline_name status desired_status");
  ck_assert_str_eq(text_at(details, "pipeline_name"), "p");
  ck_assert_str_eq(text_at(details, "status"), "Stopping");
  ck_assert_str_eq(text_at(details, "desired_status"), "Provisioned");
  json_decref(j);
  api_reply_free(&r);
}
END_TEST

/* An action's body means nothing, but it is read and its type is asked for. */
START_TEST(bodies_of_actions_are_ignored) {
  create_p();
  json_decref(api_json(f.port, "POST", "/v0/pipelines/p/start", "null", 202));
  json_decref(api_json(f.port, "POST", "/v0/pipelines/p/stop?force=true", "no JSON at all", 202));
}
END_TEST

/* ---- connectors ----------------------------------------------------------- */

START_TEST(connector_actions) {
  create_p();
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  fake_set_position(f.engine, "line 7\r\nEvil: header \xc3\xa9");
  static const struct {
    const char *path, *epoch;
  } cases[] = {
      {"/v0/pipelines/p/tables/numbers/connectors/c1/pause", "1"},
      {"/v0/pipelines/p/tables/NUMBERS/connectors/c1/pause", "2"},
      {"/v0/pipelines/p/tables/%22numbers%22/connectors/c1/start", "3"},
      {"/v0/pipelines/p/tables/%22Quoted%22/connectors/q/pause?wait=drained", "1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    api_reply r = api_request(f.port, "POST", cases[i].path, NULL);
    ck_assert_msg(r.status == 200, "%s: %d %s", cases[i].path, r.status, r.body);
    ck_assert_uint_eq(r.len, 0);
    ck_assert_str_eq(api_header(&r, "Content-Type"), "");
    ck_assert_str_eq(api_header(&r, "Headworks-Epoch"), cases[i].epoch);
    ck_assert_str_eq(api_header(&r, "Headworks-Total-Records"), "0");
    ck_assert_str_eq(api_header(&r, "Headworks-Position"), "line 7??Evil: header ??");
    ck_assert_str_eq(api_header(&r, "Evil"), "");
    api_reply_free(&r);
  }
}
END_TEST

/* Each request has every fault from its own on: the earlier one is told. */
START_TEST(errors_of_actions_in_order) {
  expect_error("POST", "/v0/pipelines/none/tables/t/connectors/c/begin", 400, "InvalidConnectorAction");
  expect_error("POST", "/v0/pipelines/none/tables/t/connectors/c/Pause", 400, "InvalidConnectorAction");
  expect_error("POST", "/v0/pipelines/none/tables/t/connectors/c/stats", 400, "InvalidConnectorAction");
  expect_error("POST", "/v0/pipelines/none/tables/t/connectors/c/pause?wait=x", 400, "InvalidParam");
  expect_error("POST", "/v0/pipelines/none/tables/t/connectors/c/start?wait=drained", 400, "InvalidParam");
  expect_error("POST", "/v0/pipelines/none/tables/t/connectors/c/pause", 404, "UnknownPipelineName");
  create_p();
  expect_error("POST", "/v0/pipelines/p/tables/t/connectors/c/pause", 503, "PipelineInteractionNotDeployed");
  fake_set_status(f.engine, DEPLOYMENT_INITIALIZING);
  expect_error("POST", "/v0/pipelines/p/tables/t/connectors/c/pause", 503, "Initializing");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  expect_error("POST", "/v0/pipelines/p/tables/t/connectors/c1/pause", 404, "UnknownInputEndpoint");
  expect_error("POST", "/v0/pipelines/p/tables/numbers/connectors/C1/pause", 404, "UnknownInputEndpoint");
  expect_endpoint("/v0/pipelines/p/tables/NuMbers/connectors/C1/pause", "numbers.C1");
  expect_endpoint("/v0/pipelines/p/tables/%22NuMbers%22/connectors/C1/pause", "NuMbers.C1");
  expect_error("POST", "/v0/pipelines/p/tables/quoted/connectors/q/pause", 404, "UnknownInputEndpoint");
  expect_error("POST", "/v0/pipelines/p/tables/%22Numbers%22/connectors/c1/pause", 404, "UnknownInputEndpoint");
  expect_error("POST", "/v0/pipelines/p/views/v/connectors/out/pause", 404, "UnknownOutputEndpoint");
  expect_error("POST", "/v0/pipelines/p/views/v/connectors/out/pause?wait=drained", 400, "InvalidParam");
  expect_error("POST", "/v0/pipelines/none/views/v/connectors/out/begin", 400, "InvalidConnectorAction");
  expect_error("GET", "/v0/pipelines/p/tables/numbers/connectors/c1/pause", 405, "MethodNotAllowed");
}
END_TEST

START_TEST(message_of_a_bad_action) {
  api_reply r = api_request(f.port, "POST", "/v0/pipelines/p/tables/t/connectors/c/X", NULL);
  json_t *j = json_loads(r.body, 0, NULL);
  ck_assert_str_eq(text_at(j, "message"), "Invalid connector action 'X'; valid actions are: 'start' or 'pause'");
  json_decref(j);
  api_reply_free(&r);
  r = api_request(f.port, "GET", "/v0/pipelines/x", NULL);
  j = json_loads(r.body, 0, NULL);
  ck_assert_str_eq(text_at(j, "message"), "Unknown pipeline name 'x'");
  ck_assert_str_eq(text_at(json_object_get(j, "details"), "pipeline_name"), "x");
  json_decref(j);
  api_reply_free(&r);
}
END_TEST

START_TEST(answers_that_fail) {
  create_p();
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  fake_set_failure(f.engine, HW_ETIMEOUT, "PauseTimeout", "numbers.c1 did not stop within 5 s; it stays held");
  expect_error("POST", "/v0/pipelines/p/tables/numbers/connectors/c1/pause", 503, "PauseTimeout");
  expect_error("POST", "/v0/pipelines/p/pause", 503, "PauseTimeout");
  fake_set_failure(f.engine, HW_ESTATE, "InvalidTransition", "cannot");
  expect_error("POST", "/v0/pipelines/p/resume", 400, "InvalidTransition");
}
END_TEST

/* ---- transactions --------------------------------------------------------- */

#define START "/v0/pipelines/p/start_transaction"
#define COMMIT "/v0/pipelines/p/commit_transaction"

START_TEST(transactions) {
  create_p();
  api_expect_error(f.port, "POST", START, NULL, 503, "PipelineInteractionNotDeployed");
  api_expect_error(f.port, "POST", COMMIT, NULL, 503, "PipelineInteractionNotDeployed");
  api_expect_error(f.port, "POST", "/v0/pipelines/q/commit_transaction", NULL, 404, "UnknownPipelineName");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  api_expect_error(f.port, "POST", COMMIT, NULL, 400, "NoTransactionInProgress");
  json_t *j = api_json(f.port, "POST", START, NULL, 200);
  ck_assert_int_eq(json_integer_value(json_object_get(j, "transaction_id")), 1);
  json_decref(j);
  api_expect_error(f.port, "POST", START, NULL, 409, "TransactionInProgress");
  j = api_json(f.port, "POST", COMMIT, NULL, 200);
  ck_assert_str_eq(json_string_value(j), "Transaction commit initiated");
  json_decref(j);
}
END_TEST

/* ---- statistics ----------------------------------------------------------- */

START_TEST(stats) {
  create_p();
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  fake_set_position(f.engine, "{\"offset\":7}");
  json_t *j = api_json(f.port, "GET", "/v0/pipelines/p/stats", NULL, 200);
  api_check_keys(j, "global_metrics suspend_error checkpoint_activity permanent_checkpoint_errors inputs outputs");
  const json_t *global = json_object_get(j, "global_metrics");
  api_check_keys(global, KEYS_GLOBAL);
  ck_assert_str_eq(text_at(global, "state"), "Running");
  ck_assert_int_eq(json_integer_value(json_object_get(global, "start_time")), 1767319385);
  api_check_keys(json_object_get(global, "transaction_initiators"),
                 "transaction_id initiated_by_api initiated_by_connectors");
  ck_assert_uint_eq(json_array_size(json_object_get(j, "inputs")), 3);
  const json_t *in = json_array_get(json_object_get(j, "inputs"), 0);
  api_check_keys(in, KEYS_INPUT);
  ck_assert_str_eq(text_at(in, "endpoint_name"), "numbers.c1");
  api_check_keys(json_object_get(in, "config"), "stream");
  api_check_keys(json_object_get(in, "metrics"), "total_bytes total_records buffered_records buffered_bytes "
                                                 "num_transport_errors num_parse_errors end_of_input "
                                                 "processing_latency_p99_micros");
  api_check_keys(json_object_get(in, "health"), "status description");
  ck_assert_str_eq(text_at(json_object_get(in, "health"), "description"), "lost \"it\"");
  const json_t *more = json_object_get(in, "headworks");
  ck_assert(json_is_true(json_object_get(more, "quiescent")));
  ck_assert_uint_eq(json_array_size(json_object_get(more, "holds")), 2);
  ck_assert_str_eq(text_at(more, "position"), "{\"offset\":7}");
  const json_t *out = json_array_get(json_object_get(j, "outputs"), 0);
  api_check_keys(out, KEYS_OUTPUT);
  api_check_keys(
      json_object_get(out, "metrics"),
      "transmitted_records transmitted_bytes queued_records queued_batches buffered_records buffered_batches "
      "num_encode_errors num_transport_errors total_processed_input_records total_processed_steps memory");
  json_decref(j);
}
END_TEST

static void check_errors(const json_t *list) {
  ck_assert_uint_eq(json_array_size(list), 1);
  api_check_keys(json_array_get(list, 0), "timestamp index tag message");
}

START_TEST(stats_with_errors) {
  create_p();
  fake_set_status(f.engine, DEPLOYMENT_PAUSED);
  json_t *j = api_json(f.port, "GET", "/v0/pipelines/p/stats?include_connector_errors=true", NULL, 200);
  const json_t *in = json_array_get(json_object_get(j, "inputs"), 0),
               *out = json_array_get(json_object_get(j, "outputs"), 0);
  api_check_keys(in, KEYS_INPUT "parse_errors transport_errors");
  api_check_keys(out, KEYS_OUTPUT "encode_errors transport_errors");
  check_errors(json_object_get(in, "parse_errors"));
  check_errors(json_object_get(out, "transport_errors"));
  ck_assert_str_eq(text_at(json_array_get(json_object_get(in, "parse_errors"), 0), "message"),
                   "bad \xef\xbf\xbd record");
  json_decref(j);
}
END_TEST

START_TEST(stats_of_one_connector) {
  create_p();
  expect_error("GET", "/v0/pipelines/none/tables/numbers/connectors/c1/stats", 404, "UnknownPipelineName");
  expect_error("GET", "/v0/pipelines/p/tables/numbers/connectors/c1/stats", 503, "PipelineInteractionNotDeployed");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  json_t *j = api_json(f.port, "GET", "/v0/pipelines/p/tables/Numbers/connectors/C2/stats", NULL, 200);
  api_check_keys(j, KEYS_INPUT "parse_errors transport_errors");
  ck_assert_str_eq(text_at(j, "endpoint_name"), "numbers.C2");
  json_decref(j);
  j = api_json(f.port, "GET", "/v0/pipelines/p/views/v/connectors/out/stats", NULL, 200);
  api_check_keys(j, KEYS_OUTPUT "encode_errors transport_errors");
  json_decref(j);
  expect_error("GET", "/v0/pipelines/p/tables/numbers/connectors/x/stats", 404, "UnknownInputEndpoint");
  expect_error("GET", "/v0/pipelines/p/views/v/connectors/x/stats", 404, "UnknownOutputEndpoint");
  expect_error("GET", "/v0/pipelines/p/views/numbers/connectors/c1/stats", 404, "UnknownOutputEndpoint");
}
END_TEST

START_TEST(dead_letters_listed_cleared_resubmitted) {
  const char *path = "/v0/pipelines/p/dead_letters", *again = "/v0/pipelines/p/dead_letters/resubmit";
  expect_error("GET", path, 404, "UnknownPipelineName");
  create_p();
  json_t *j = api_json(f.port, "GET", path, NULL, 200);
  api_check_keys(j, "letters kept kept_bytes total dropped resubmitted cleared");
  const json_t *letter = json_array_get(json_object_get(j, "letters"), 0);
  api_check_keys(letter, "id connector position time reason field raw_base64 raw_text record_bytes cut");
  ck_assert_str_eq(text_at(letter, "raw_base64"), "eP8=");
  ck_assert_str_eq(text_at(letter, "raw_text"), "x\xef\xbf\xbd");
  json_decref(j);
  j = api_json(f.port, "GET", "/v0/pipelines/p/dead_letters?connector=t.d&limit=5&after=3", NULL, 200);
  ck_assert_uint_eq(json_array_size(json_object_get(j, "letters")), 0);
  json_decref(j);
  expect_error("GET", "/v0/pipelines/p/dead_letters?limit=1001", 400, "InvalidParam");
  expect_error("GET", "/v0/pipelines/p/dead_letters?after=-1", 400, "InvalidParam");
  expect_error("GET", "/v0/pipelines/p/dead_letters?after=", 400, "InvalidParam");
  j = api_json(f.port, "DELETE", "/v0/pipelines/p/dead_letters?connector=t.c", NULL, 200);
  ck_assert_int_eq(json_integer_value(json_object_get(j, "cleared")), 1);
  json_decref(j);
  api_reply r = api_request(f.port, "POST", again, "{}");
  api_check_error(&r, 503, "PipelineInteractionNotDeployed");
  api_reply_free(&r);
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  static const struct {
    const char *body, *code;
  } bad[] = {{"", "MalformedJson"},          {"[]", "InvalidBody"},           {"{\"ids\":7}", "InvalidBody"},
             {"{\"ids\":[1.5]}", "InvalidBody"}, {"{\"connector\":1}", "InvalidBody"}, {"{\"id\":[1]}", "InvalidBody"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    r = api_request(f.port, "POST", again, bad[i].body);
    api_check_error(&r, 400, bad[i].code);
    api_reply_free(&r);
  }
  j = api_json(f.port, "POST", again, "{\"ids\":[7,8]}", 200);
  api_check_keys(j, "resubmitted failed missing first_fault");
  ck_assert_int_eq(json_integer_value(json_object_get(j, "resubmitted")), 1);
  ck_assert_int_eq(json_integer_value(json_object_get(j, "missing")), 1);
  json_decref(j);
  j = api_json(f.port, "POST", again, "{\"connector\":\"t.c\"}", 200);
  ck_assert_int_eq(json_integer_value(json_object_get(j, "failed")), 1);
  ck_assert_str_eq(text_at(j, "first_fault"), "still no number");
  json_decref(j);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("api_endpoints");
  TCase *tc = tcase_create("endpoints");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 20);
  tcase_add_test(tc, platform);
  tcase_add_test(tc, unknown_paths_and_methods);
  tcase_add_test(tc, head_is_a_get_without_body);
  tcase_add_test(tc, query_parameters_are_checked);
  tcase_add_test(tc, create_and_get);
  tcase_add_test(tc, deployed_record);
  tcase_add_test(tc, deployment_error_has_the_shape);
  tcase_add_test(tc, program_error_follows_the_status);
  tcase_add_test(tc, program_info);
  tcase_add_test(tc, configurations_are_completed);
  tcase_add_test(tc, bodies_that_are_refused);
  tcase_add_test(tc, limits_of_tags_and_depth);
  tcase_add_test(tc, content_types);
  tcase_add_test(tc, list_and_delete);
  tcase_add_test(tc, lifecycle);
  tcase_add_test(tc, lifecycle_errors);
  tcase_add_test(tc, start_dismisses_unless_told_not_to);
  tcase_add_test(tc, not_deployed_names_the_states);
  tcase_add_test(tc, bodies_of_actions_are_ignored);
  tcase_add_test(tc, connector_actions);
  tcase_add_test(tc, errors_of_actions_in_order);
  tcase_add_test(tc, message_of_a_bad_action);
  tcase_add_test(tc, answers_that_fail);
  tcase_add_test(tc, transactions);
  tcase_add_test(tc, stats);
  tcase_add_test(tc, stats_with_errors);
  tcase_add_test(tc, stats_of_one_connector);
  tcase_add_test(tc, dead_letters_listed_cleared_resubmitted);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
