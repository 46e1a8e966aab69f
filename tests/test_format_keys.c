/* test_format_keys.c - deletes by key and updates of some columns, in the formats
 * that have them; what tables do not take. Each case is told as JSON and given to
 * json as it is and to msgpack, with the same values in its own bytes. */
#include "tests/format_fixture.h"

#include <jansson.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

static void pack(msgpack_packer *pk, const json_t *v) {
  const char *name;
  json_t *member;
  switch (json_typeof(v)) {
  case JSON_OBJECT:
    msgpack_pack_map(pk, json_object_size(v));
    json_object_foreach((json_t *)(uintptr_t)v, name, member) {
      msgpack_pack_str_with_body(pk, name, strlen(name));
      pack(pk, member);
    }
    return;
  case JSON_ARRAY:
    msgpack_pack_array(pk, json_array_size(v));
    for (size_t i = 0; i < json_array_size(v); i++) pack(pk, json_array_get(v, i));
    return;
  case JSON_STRING: msgpack_pack_str_with_body(pk, json_string_value(v), json_string_length(v)); return;
  case JSON_INTEGER: msgpack_pack_int64(pk, json_integer_value(v)); return;
  case JSON_NULL: msgpack_pack_nil(pk); return;
  default: ck_abort_msg("this test has no such values");
  }
}

/* The brief result without the places of faults, which differ with the format. */
static void check(const hw_format *format, const hw_schema *schema, const char *data, size_t len,
                  const char *expected) {
  fixture_result r = fixture_all_ways(format, "", schema, data, len);
  fixture_text got = {0};
  for (const char *p = r.brief; *p;) {
    size_t line = strcspn(p, "\n"), kept = *p == '!' ? strcspn(p, "@\n") : line;
    fixture_put(&got, p, kept);
    fixture_put(&got, "\n", 1);
    p += line + (p[line] == '\n');
  }
  ck_assert_msg(strcmp(got.len ? got.data : "", expected) == 0, "%s gives\n%sinstead of\n%s(%s)", format->name,
                got.len ? got.data : "", expected, r.full);
  free(got.data);
  fixture_result_fini(&r);
}

/* text: documents, one a line. */
static void both(const hw_schema *schema, const char *text, const char *expected) {
  msgpack_sbuffer bytes;
  msgpack_packer pk;
  msgpack_sbuffer_init(&bytes);
  msgpack_packer_init(&pk, &bytes, msgpack_sbuffer_write);
  check(&format_json, schema, text, strlen(text), expected);
  for (const char *p = text; *p; p += strcspn(p, "\n") + 1) {
    json_error_t err;
    json_t *v = json_loadb(p, strcspn(p, "\n"), JSON_DECODE_ANY, &err);
    ck_assert_msg(v != NULL, "%s", err.text);
    pack(&pk, v);
    json_decref(v);
  }
  check(&format_msgpack, schema, bytes.data, bytes.size, expected);
  msgpack_sbuffer_destroy(&bytes);
}

static hw_schema *keyed(const char *text, uint32_t first, uint32_t n) {
  hw_schema *schema = fixture_schema(text);
  fixture_key(schema, first, n);
  return schema;
}

#define TABLE "a INT!, b VARCHAR!, c BIGINT, d VARCHAR!"

START_TEST(deletes_by_key) {
  const hw_schema *schema = keyed(TABLE, 0, 2);
  both(schema, "{\"delete\":{\"a\":1,\"b\":\"x\"}}\n", "-1* 1|\"x\"|-|-\n");
  both(schema, "{\"delete\":{\"b\":\"x\",\"A\":1}}\n{\"delete\":[2,\"y\"]}\n", "-1* 1|\"x\"|-|-\n-1* 2|\"y\"|-|-\n");
  /* The rest is passed over, whatever it is. */
  both(schema,
       "{\"delete\":{\"a\":1,\"c\":\"no number\",\"d\":null,\"b\":\"x\",\"z\":[{}]}}\n"
       "{\"delete\":[2,\"y\",[],null]}\n",
       "-1* 1|\"x\"|-|-\n-1* 2|\"y\"|-|-\n");
  both(schema, "{\"delete\":{\"a\":1}}\n{\"delete\":[3]}\n{\"delete\":{}}\n{\"delete\":{\"a\":4,\"b\":\"x\"}}\n",
       "-1* 4|\"x\"|-|-\n!missing b \n!missing b \n!missing a \n");
  both(schema,
       "{\"delete\":{\"a\":\"x\",\"b\":\"x\"}}\n{\"delete\":{\"a\":1,\"b\":null}}\n"
       "{\"delete\":[1,\"x\",1,\"x\",1]}\n",
       "!type a \n!null b \n!columns - \n");
  /* Between inserts, whose order of keys stays what was learned. */
  both(schema,
       "{\"insert\":{\"a\":1,\"b\":\"x\",\"c\":1,\"d\":\"e\"}}\n{\"delete\":{\"a\":1,\"b\":\"x\"}}\n"
       "{\"insert\":{\"a\":2,\"b\":\"x\",\"c\":2,\"d\":\"e\"}}\n{\"insert\":{\"a\":2,\"b\":\"x\"}}\n",
       "1|\"x\"|1|\"e\"\n-1* 1|\"x\"|-|-\n2|\"x\"|2|\"e\"\n!missing d \n");
}
END_TEST

START_TEST(deletes_of_whole_rows) {
  both(fixture_schema("a INT!, b VARCHAR"), "{\"delete\":{\"a\":1}}\n{\"delete\":{\"b\":\"x\"}}\n",
       "-1* 1|NULL\n!missing a \n");
}
END_TEST

START_TEST(updates_of_some_columns) {
  const hw_schema *schema = keyed(TABLE, 0, 2);
  both(schema, "{\"update\":{\"a\":1,\"b\":\"x\",\"c\":5}}\n", "~ 1|\"x\"|5|-\n");
  both(schema, "{\"update\":{\"d\":\"new\",\"b\":\"x\",\"c\":null,\"a\":1}}\n", "~ 1|\"x\"|NULL|\"new\"\n");
  both(schema, "{\"update\":{\"a\":1,\"b\":\"x\"}}\n{\"update\":[1,\"x\",7]}\n", "~ 1|\"x\"|-|-\n~ 1|\"x\"|7|-\n");
  both(schema, "{\"update\":{\"a\":1,\"b\":\"x\",\"c\":1,\"nothing\":{}}}\n", "~ 1|\"x\"|1|-\n");
  both(schema,
       "{\"update\":{\"a\":1,\"c\":5}}\n{\"update\":{\"a\":1,\"b\":\"x\",\"c\":\"x\"}}\n"
       "{\"update\":{\"a\":1,\"b\":\"x\",\"d\":null}}\n{\"update\":{\"a\":2,\"b\":\"x\",\"d\":\"y\"}}\n",
       "~ 2|\"x\"|-|\"y\"\n!missing b \n!type c \n!null d \n");
  both(schema,
       "{\"insert\":{\"a\":1,\"b\":\"x\",\"d\":\"y\"}}\n{\"update\":{\"a\":1,\"b\":\"x\",\"d\":\"z\"}}\n"
       "{\"delete\":{\"a\":1,\"b\":\"x\"}}\n",
       "1|\"x\"|NULL|\"y\"\n~ 1|\"x\"|-|\"z\"\n-1* 1|\"x\"|-|-\n");
}
END_TEST

START_TEST(a_default_is_for_inserts) {
  hw_schema *schema = keyed("k INT!, v SMALLINT!, w INT", 0, 1);
  fixture_default(schema, 1, "7");
  both(schema, "{\"insert\":{\"k\":1}}\n{\"update\":{\"k\":1,\"w\":2}}\n{\"insert\":[2]}\n",
       "1|7|NULL\n~ 1|-|2\n2|7|NULL\n");
}
END_TEST

START_TEST(what_a_table_does_not_take) {
  both(fixture_schema("a INT!, b INT"), "{\"update\":{\"a\":1,\"b\":2}}\n{\"insert\":{\"a\":2}}\n",
       "2|NULL\n!update - \n");
  hw_schema *schema = fixture_schema("a INT!, b INT");
  schema->append_only = true;
  both(schema, "{\"delete\":{\"a\":1}}\n{\"update\":{\"a\":1}}\n{\"insert\":{\"a\":2}}\n",
       "2|NULL\n!append_only - \n!append_only - \n");
}
END_TEST

START_TEST(reasons_are_sentences) {
  static const char part[] = "missing, though it is part of the PRIMARY KEY, by which the row to ";
  static const struct {
    const char *text, *reason;
  } cases[] = {{"{\"delete\":{\"k\":1}}\n", "delete is found"}, {"{\"update\":{\"k\":1}}\n", "update is found"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fixture_result r = fixture_parse(&format_json, "", keyed("k INT!, l INT!", 0, 2), cases[i].text,
                                     strlen(cases[i].text), (fixture_feed){0});
    const char *reason = strstr(r.full, part);
    ck_assert_msg(reason && strncmp(reason + strlen(part), cases[i].reason, 15) == 0, "%s", r.full);
    fixture_result_fini(&r);
  }
  static const char update[] = "{\"update\":{\"k\":1}}\n";
  fixture_result r = fixture_parse(&format_json, "", fixture_schema("k INT!"), update, sizeof update - 1,
                                   (fixture_feed){0});
  ck_assert_msg(strstr(r.full, "which \"t\" has not: delete the row and insert it anew"), "%s", r.full);
  fixture_result_fini(&r);
}
END_TEST

/* Rows of raw JSON and of CSV are inserts; the table makes upserts of them. */
START_TEST(other_formats_insert) {
  fixture_expect(&format_csv, "", keyed("k INT!, v INT", 0, 1), "1,2\n1,\n", "1|2\n1|NULL\n");
  fixture_expect(&format_json, "\"update_format\": \"raw\"", keyed("k INT!, v INT", 0, 1), "{\"k\":1}\n", "1|NULL\n");
}
END_TEST

int main(void) {
  Suite *s = suite_create("format_keys");
  TCase *t = tcase_create("format_keys");
  tcase_add_test(t, deletes_by_key);
  tcase_add_test(t, deletes_of_whole_rows);
  tcase_add_test(t, updates_of_some_columns);
  tcase_add_test(t, a_default_is_for_inserts);
  tcase_add_test(t, what_a_table_does_not_take);
  tcase_add_test(t, reasons_are_sentences);
  tcase_add_test(t, other_formats_insert);
  suite_add_tcase(s, t);
  return fixture_run(s);
}
