/* test_api_edit.c - PUT, PATCH and events over a fake engine: what is passed on,
 * what is refused before, and how it is shown. */
#include "tests/api_client.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static api_fixture f;

static void set_up(void) { f = api_fixture_open(NULL); }
static void tear_down(void) { api_fixture_close(&f); }

#define PIPELINE "/v0/pipelines/p"
#define KEYS_STATUS                                                                                               \
  "event_id recorded_at deployment_resources_status deployment_resources_desired_status deployment_runtime_status " \
  "deployment_runtime_desired_status deployment_has_error program_status storage_status "
#define KEYS_DETAILS                                                                                                \
  "deployment_resources_status_details deployment_runtime_status_details deployment_error storage_status_details"

static const char *text_at(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

static json_int_t number_at(const json_t *object, const char *key) {
  return json_integer_value(json_object_get(object, key));
}

static void create_p(const char *more) {
  char body[400];
  snprintf(body, sizeof body, "{\"name\":\"p\",\"program_code\":\"CREATE TABLE numbers (id INT);\"%s}", more);
  json_decref(api_json(f.port, "POST", "/v0/pipelines", body, 201));
}

START_TEST(a_patch_changes_what_it_names) {
  create_p(",\"description\":\"old\",\"udf_rust\":\"fn f() {}\",\"runtime_config\":{\"workers\":3}");
  static const char patch[] = "{\"description\":\"new\",\"tags\":[\"a b\"],\"udf_toml\":null}";
  json_t *j = api_json(f.port, "PATCH", PIPELINE, patch, 200);
  ck_assert_str_eq(text_at(j, "description"), "new");
  ck_assert_str_eq(json_string_value(json_array_get(json_object_get(j, "tags"), 0)), "a b");
  ck_assert_str_eq(text_at(j, "udf_rust"), "fn f() {}");
  ck_assert_str_eq(text_at(j, "program_code"), "CREATE TABLE numbers (id INT);");
  ck_assert_int_eq(number_at(json_object_get(j, "runtime_config"), "workers"), 3);
  ck_assert_ptr_null(json_object_get(j, "bootstrap_policy"));
  json_decref(j);
  /* A configuration that is given replaces the whole one. */
  j = api_json(f.port, "PATCH", PIPELINE, "{\"runtime_config\":{\"hosts\":2}}", 200);
  ck_assert_int_eq(number_at(json_object_get(j, "runtime_config"), "workers"), 8);
  ck_assert_int_eq(number_at(json_object_get(j, "runtime_config"), "hosts"), 2);
  ck_assert_str_eq(text_at(j, "description"), "new");
  json_decref(j);
}
END_TEST

START_TEST(a_put_replaces_all) {
  create_p(",\"description\":\"old\",\"tags\":[\"x\"],\"runtime_config\":{\"workers\":3}");
  json_t *j = api_json(f.port, "PUT", PIPELINE, "{\"name\":\"p\",\"program_code\":\"\"}", 200);
  ck_assert_str_eq(text_at(j, "description"), "");
  ck_assert_str_eq(text_at(j, "program_code"), "");
  ck_assert_uint_eq(json_array_size(json_object_get(j, "tags")), 0);
  ck_assert_int_eq(number_at(json_object_get(j, "runtime_config"), "workers"), 8);
  json_decref(j);
}
END_TEST

START_TEST(a_put_may_make_one) {
  static const char body[] = "{\"name\":\"p\",\"program_code\":\"SELECT\"}";
  api_expect_error(f.port, "PUT", "/v0/pipelines/q", body, 400, "CannotRenameNonExistingPipeline");
  json_t *j = api_json(f.port, "PUT", PIPELINE, body, 201);
  ck_assert_str_eq(text_at(j, "program_code"), "SELECT");
  json_decref(j);
  json_decref(api_json(f.port, "GET", PIPELINE, NULL, 200));
}
END_TEST

START_TEST(bodies_that_are_refused) {
  static const struct {
    const char *method, *body, *code;
  } cases[] = {
      {"PUT", "{\"name\":\"p\"}", "InvalidBody"},
      {"PUT", "{\"program_code\":\"\"}", "InvalidBody"},
      {"PUT", "{\"name\":\"\",\"program_code\":\"\"}", "EmptyName"},
      {"PATCH", "[]", "InvalidBody"},
      {"PATCH", "{", "MalformedJson"},
      {"PATCH", "{\"name\":1}", "InvalidBody"},
      {"PATCH", "{\"name\":\"\"}", "EmptyName"},
      {"PATCH", "{\"name\":\"a b\"}", "NameDoesNotMatchPattern"},
      {"PATCH", "{\"udf_rust\":1}", "InvalidBody"},
      {"PATCH", "{\"tags\":[\"\\u00e4\"]}", "InvalidTag"},
      {"PATCH", "{\"runtime_config\":{\"workers\":\"x\"}}", "InvalidRuntimeConfig"},
      {"PATCH", "{\"runtime_config\":{\"fault_tolerance\":{\"model\":\"exactly_once\"}}}", "InvalidRuntimeConfig"},
      {"PATCH", "{\"runtime_config\":{\"env\":{\"RUST_LOG\":\"x\"}}}", "InvalidRuntimeConfig"},
      {"PATCH", "{\"program_config\":{\"profile\":\"fast\"}}", "InvalidProgramConfig"},
  };
  create_p("");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    api_expect_error(f.port, cases[i].method, PIPELINE, cases[i].body, 400, cases[i].code);
  api_expect_error(f.port, "PATCH", "/v0/pipelines/q", "{}", 404, "UnknownPipelineName");
}
END_TEST

START_TEST(fields_not_allowed_are_listed) {
  create_p("");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  json_t *j = api_json(f.port, "PATCH", PIPELINE, "{\"name\":\"q\"}", 400);
  ck_assert_str_eq(text_at(j, "error_code"), "EditRestrictedToClearedStorage");
  const json_t *fields = json_object_get(json_object_get(j, "details"), "not_allowed");
  ck_assert_uint_eq(json_array_size(fields), 2);
  ck_assert_str_eq(json_string_value(json_array_get(fields, 1)), "`runtime_config.workers`");
  json_decref(j);
}
END_TEST

START_TEST(the_wait_for_the_disk_is_told) {
  create_p("");
  api_reply r = api_request(f.port, "PATCH", PIPELINE, "{}");
  ck_assert_int_eq(r.status, 200);
  ck_assert_str_eq(api_header(&r, "Server-Timing"), "catalog;dur=1.234");
  api_reply_free(&r);
  r = api_request(f.port, "GET", PIPELINE, NULL);
  ck_assert_str_eq(api_header(&r, "Server-Timing"), "");
  api_reply_free(&r);
}
END_TEST

START_TEST(events_are_shown) {
  create_p("");
  json_t *j = api_json(f.port, "GET", PIPELINE "/events", NULL, 200);
  ck_assert_uint_eq(json_array_size(j), 1);
  const json_t *event = json_array_get(j, 0);
  api_check_keys(event, KEYS_STATUS);
  ck_assert_str_eq(text_at(event, "deployment_resources_status"), "Stopped");
  ck_assert(json_is_null(json_object_get(event, "deployment_runtime_status")));
  ck_assert(json_is_false(json_object_get(event, "deployment_has_error")));
  char path[200];
  snprintf(path, sizeof path, PIPELINE "/events/%s?selector=all", text_at(event, "event_id"));
  json_decref(j);
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  fake_set_error(f.engine, "Broken", "it broke");
  j = api_json(f.port, "GET", path, NULL, 200);
  api_check_keys(j, KEYS_STATUS KEYS_DETAILS);
  ck_assert_str_eq(text_at(j, "deployment_runtime_status"), "Running");
  ck_assert_str_eq(text_at(j, "deployment_resources_status"), "Provisioned");
  ck_assert_str_eq(text_at(j, "storage_status"), "InUse");
  ck_assert(json_is_true(json_object_get(j, "deployment_has_error")));
  ck_assert_str_eq(text_at(json_object_get(j, "deployment_error"), "error_code"), "Broken");
  json_decref(j);
  json_decref(api_json(f.port, "GET", PIPELINE "/events/latest", NULL, 200));
  api_expect_error(f.port, "GET", PIPELINE "/events/last", NULL, 400, "InvalidUuidParam");
  api_expect_error(f.port, "GET", PIPELINE "/events/67e55044-10b1-426f-9247-bb680e5fe000", NULL, 404,
                   "UnknownPipelineMonitorEvent");
  api_expect_error(f.port, "GET", PIPELINE "/events?selector=some", NULL, 400, "InvalidParam");
  api_expect_error(f.port, "GET", "/v0/pipelines/q/events", NULL, 404, "UnknownPipelineName");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("api_edit");
  TCase *tc = tcase_create("edit");
  tcase_add_checked_fixture(tc, set_up, tear_down);
  tcase_add_test(tc, a_patch_changes_what_it_names);
  tcase_add_test(tc, a_put_replaces_all);
  tcase_add_test(tc, a_put_may_make_one);
  tcase_add_test(tc, bodies_that_are_refused);
  tcase_add_test(tc, fields_not_allowed_are_listed);
  tcase_add_test(tc, the_wait_for_the_disk_is_told);
  tcase_add_test(tc, events_are_shown);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
