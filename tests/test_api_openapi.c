/* The tables of routes and shapes: whole, well-formed, and told as they are. */
#include "api/openapi.h"
#include "tests/api_client.h"
#include "tests/api_schema.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- the tables ----------------------------------------------------------- */

static void check_sentence(const char *text, const char *what) {
  ck_assert_msg(text && *text, "%s has no text", what);
  ck_assert_msg(text[strlen(text) - 1] != '.', "%s: no period at the end: %s", what, text);
}

static void check_params(const api_route *r, const char *what) {
  for (const api_param *p = r->query; p && p->name; p++) {
    ck_assert_msg(p->type != NULL, "%s: parameter %s has no type", what, p->name);
    check_sentence(p->text, what);
  }
  for (const char *at = strchr(r->path, '{'); at; at = strchr(at + 1, '{'))
    ck_assert_msg(api_path_param(at + 1, strcspn(at + 1, "}")), "%s: {%s is not in path_params", what, at + 1);
}

/* Nobody adds a route without telling what it is. */
START_TEST(routes_are_described) {
  for (size_t i = 0; i < api_n_routes; i++) {
    const api_route *r = &api_routes[i];
    char what[160];
    snprintf(what, sizeof what, "%s %s", http_method_str(r->method), r->path);
    ck_assert_msg(r->tag && *r->tag, "%s has no tag", what);
    check_sentence(r->summary, what);
    if (r->text) ck_assert_msg(r->text[strlen(r->text) - 1] == '.', "%s: its text has no period", what);
    ck_assert_msg(r->answers && r->answers->status, "%s has no answers", what);
    for (const api_answer *a = r->answers; a->status; a++) check_sentence(a->text, what);
    check_params(r, what);
    if (strstr(r->path, "{pipeline_name}"))
      ck_assert_msg(r->errors && strstr(r->errors, "404 UnknownPipelineName"), "%s never answers 404", what);
  }
}
END_TEST

/* A literal part that stands behind a {part} is never reached. */
START_TEST(routes_can_be_reached) {
  for (size_t i = 0; i < api_n_routes; i++)
    for (size_t j = i + 1; j < api_n_routes; j++) {
      const api_route *a = &api_routes[i], *b = &api_routes[j];
      if (a->method != b->method) continue;
      const char *at = a->path, *to = b->path;
      while (*at == '/' && *to == '/') {
        size_t len = strcspn(++at, "/"), other = strcspn(++to, "/");
        if (*at != '{' && (len != other || memcmp(at, to, len) != 0)) break;
        at += len;
        to += other;
      }
      ck_assert_msg(*at || *to, "%s hides %s", a->path, b->path);
    }
}
END_TEST

/* ---- shapes --------------------------------------------------------------- */

static void count_uses(json_t *node, const char *ref, unsigned *uses) {
  const char *key;
  json_t *item;
  size_t i;
  json_object_foreach(node, key, item) {
    if (strcmp(key, "$ref") == 0 && strcmp(json_string_value(item), ref) == 0) (*uses)++;
    count_uses(item, ref, uses);
  }
  json_array_foreach(node, i, item) count_uses(item, ref, uses);
}

START_TEST(shapes_are_used) {
  for (size_t i = 0; i < api_n_shapes; i++) {
    char ref[96];
    unsigned uses = 0;
    snprintf(ref, sizeof ref, "#/components/schemas/%s", api_shapes[i].name);
    count_uses((json_t *)api_document(), ref, &uses);
    ck_assert_msg(uses > 0, "shape %s is used nowhere", api_shapes[i].name);
    check_sentence(api_shapes[i].text, api_shapes[i].name);
  }
}
END_TEST

static bool is_type(const char *type) {
  outbuf out = {0};
  json_writer w;
  jw_begin(&w, &out);
  bool ok = openapi_write_type(&w, type);
  outbuf_fini(&out);
  return ok;
}

static char *type_text(const char *type) {
  outbuf out = {0};
  json_writer w;
  jw_begin(&w, &out);
  ck_assert_msg(openapi_write_type(&w, type), "%s", type);
  outbuf_add_char(&out, '\0');
  return out.data;
}

static void expect_type(const char *type, const char *schema) {
  char *text = type_text(type);
  ck_assert_str_eq(text, schema);
  free(text);
}

START_TEST(types) {
  expect_type("bool", "{\"type\":\"boolean\"}");
  expect_type("any", "{}");
  expect_type("time?", "{\"type\":\"string\",\"format\":\"date-time\",\"nullable\":true}");
  expect_type("'a' | 'b c'", "{\"type\":\"string\",\"enum\":[\"a\",\"b c\"]}");
  expect_type("'a' | 'b'?", "{\"type\":\"string\",\"enum\":[\"a\",\"b\",null],\"nullable\":true}");
  expect_type("[integer]?",
              "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"format\":\"int64\"},\"nullable\":true}");
  expect_type("{[string?]}", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"array\",\"items\":"
                             "{\"type\":\"string\",\"nullable\":true}}}");
  expect_type("Health", "{\"$ref\":\"#/components/schemas/Health\"}");
  expect_type("Health?", "{\"allOf\":[{\"$ref\":\"#/components/schemas/Health\"}],\"nullable\":true}");
  static const char *const bad[] = {"", "?", "strin", "Nothing", "[string", "'a", "'a' |", "string?]",
                                    "string x", "{}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ck_assert_msg(!is_type(bad[i]), "'%s' is taken", bad[i]);
}
END_TEST

START_TEST(malformed_shapes) {
  static const char *const bad[] = {"", "a", "a:", "a: string,", "a: string b: bool", "a: [string", "= Nothing"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const api_shape shape = {"Bad", "Bad", bad[i]};
    outbuf out = {0};
    json_writer w;
    jw_begin(&w, &out);
    ck_assert_msg(!openapi_write_shape(&w, &shape), "'%s' is taken", bad[i]);
    outbuf_fini(&out);
  }
}
END_TEST

/* The check of replies sees what is wrong with them. */
START_TEST(replies_are_seen_through) {
  static const struct {
    const char *type, *value, *where;
  } cases[] = {
      {"Health", "{\"status\":\"healthy\"}", NULL},
      {"Health", "{\"status\":\"ill\"}", ".status has an unknown word: ill"},
      {"Health", "{}", "lacks 'status'"},
      {"Health", "{\"status\":\"healthy\",\"x\":1}", "has a member 'x'"},
      {"Health", "null", "is no object"},
      {"Health?", "null", NULL},
      {"[Health]", "[{\"status\":\"healthy\"},{}]", ".1 lacks 'status'"},
      {"{integer}", "{\"a\":1,\"b\":\"2\"}", ".b is no integer"},
      {"time", "\"2026-01-01T00:00:00.000001Z\"", NULL},
      {"time", "\"yesterday\"", "is no time: yesterday"},
      {"uuid", "\"0\"", "is no UUID: 0"},
      {"'a'?", "null", NULL},
      {"string", "null", "is no string"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *text = type_text(cases[i].type), where[400] = "";
    json_t *schema = json_loads(text, 0, NULL), *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
    int fits = api_schema_fits(schema, value, where, sizeof where);
    ck_assert_msg(fits == !cases[i].where, "%s %s: %s", cases[i].type, cases[i].value, where);
    if (!fits) ck_assert_str_eq(where, cases[i].where);
    json_decref(value);
    json_decref(schema);
    free(text);
  }
}
END_TEST

/* ---- the document --------------------------------------------------------- */

static const json_t *operation_of(const api_route *r) {
  char method[16] = "";
  for (size_t i = 0; http_method_str(r->method)[i]; i++) method[i] = (char)(http_method_str(r->method)[i] | 32);
  return json_object_get(json_object_get(json_object_get(api_document(), "paths"), r->path), method);
}

static bool has_param(const json_t *operation, const char *name, const char *in) {
  const json_t *p;
  size_t i;
  json_array_foreach(json_object_get(operation, "parameters"), i, p) {
    if (strcmp(json_string_value(json_object_get(p, "name")), name) == 0)
      return strcmp(json_string_value(json_object_get(p, "in")), in) == 0;
  }
  return false;
}

/* Both ways: each route is told, and no more than the routes is. */
START_TEST(document_has_the_routes) {
  size_t told = 0;
  const char *path;
  json_t *item;
  for (size_t i = 0; i < api_n_routes; i++) {
    const json_t *operation = operation_of(&api_routes[i]);
    ck_assert_msg(operation != NULL, "%s is not told", api_routes[i].path);
    size_t params = 0;
    for (const api_param *p = api_routes[i].query; p && p->name; p++, params++)
      ck_assert_msg(has_param(operation, p->name, "query"), "%s: %s is not told", api_routes[i].path, p->name);
    for (const char *at = strchr(api_routes[i].path, '{'); at; at = strchr(at + 1, '{')) params++;
    ck_assert_uint_eq(json_array_size(json_object_get(operation, "parameters")), params);
    ck_assert(!json_object_get(operation, "requestBody") == !api_routes[i].body);
  }
  json_object_foreach(json_object_get(api_document(), "paths"), path, item) told += json_object_size(item);
  ck_assert_uint_eq(told, api_n_routes);
}
END_TEST

/* What is served is what is told: every operation answers, and not with NotFound. */
START_TEST(routes_are_served) {
  api_fixture f = api_fixture_open(NULL);
  for (size_t i = 0; i < api_n_routes; i++) {
    if (strchr(api_routes[i].path, '{') || api_routes[i].method != HTTP_GET) continue;
    api_reply r = api_request(f.port, "GET", api_routes[i].path, NULL);
    ck_assert_msg(r.status == 200, "%s: %d", api_routes[i].path, r.status);
    api_reply_free(&r);
  }
  json_t *served = api_json(f.port, "GET", "/api-doc/openapi.json", NULL, 200);
  ck_assert(json_equal(served, api_document()));
  json_decref(served);
  api_fixture_close(&f);
}
END_TEST

int main(void) {
  Suite *s = suite_create("api_openapi");
  TCase *t = tcase_create("tables");
  tcase_add_test(t, routes_are_described);
  tcase_add_test(t, routes_can_be_reached);
  tcase_add_test(t, shapes_are_used);
  tcase_add_test(t, types);
  tcase_add_test(t, malformed_shapes);
  tcase_add_test(t, replies_are_seen_through);
  tcase_add_test(t, document_has_the_routes);
  tcase_add_test(t, routes_are_served);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
