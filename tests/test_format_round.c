/* test_format_round.c - what a format writes it reads back the same: every type,
 * extremes, NULLs, odd text; and what happens when memory runs out half-way. */
#include "tests/format_fixture.h"

#include "runtime/batch.h"
#include "runtime/config.h"
#include "runtime/report.h"

#include <stdlib.h>
#include <string.h>

#define SCHEMA                                                                                                         \
  "b BOOLEAN, i1 TINYINT, i2 SMALLINT, i4 INT, i8 BIGINT, u1 TINYINT UNSIGNED, u2 SMALLINT UNSIGNED, "                 \
  "u4 INT UNSIGNED, u8 BIGINT UNSIGNED, r REAL, d DOUBLE, m DECIMAL(38,10), c CHAR(5), v VARCHAR, x BINARY(4), "       \
  "y VARBINARY, da DATE, ti TIME, ts TIMESTAMP, u UUID, last INT!"

static const char rows[] =
    "[true,127,32767,2147483647,9223372036854775807,255,65535,4294967295,18446744073709551615,3.4028235e38,"
    "1.7976931348623157e308,9999999999999999999999999999.9999999999,\"abcde\",\"plain text\",[1,2,3,4],[0,255,10,34],"
    "\"9999-12-31\",\"23:59:59.999999999\",\"9999-12-31 23:59:59.999999\",\"ffffffff-ffff-ffff-ffff-ffffffffffff\",1]\n"
    "[false,-128,-32768,-2147483648,-9223372036854775808,0,0,0,0,-1e-45,5e-324,-0.0000000001,\"\",\"\",[0,0,0,0],[],"
    "\"0001-01-01\",\"00:00:00\",\"0001-01-01 00:00:00.000001\",\"00000000000000000000000000000000\",2]\n"
    "[null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,3]\n"
    "[true,0,0,0,0,1,1,1,1,\"NaN\",\"Infinity\",0,\" x \",\"caf\xc3\xa9 \\\"quoted\\\", \\\\ and\\nlines\\r\\n\\tof it "
    "\\u0001\\u0000\",[44,10,34,13],"
    "[92],\"1970-01-01\",\"12:00:00.5\",\"1969-12-31 23:59:59.999999\",\"00112233-4455-6677-8899-aabbccddeeff\",4]\n"
    "[true,1,-1,1,-1,1,1,1,1,0.1,0.1,0.1,\"\xe2\x82\xac\",\" , "
    "\",[39,59,9,124],[48,120],\"2024-02-29\",\"01:02:03.000000001\","
    "\"2026-01-02T03:04:05.695Z\",\"0123456789abcdef0123456789abcdef\",5]\n";

static void round_trip(const hw_format *format, const char *out_options, const char *in_options) {
  hw_schema *schema = fixture_schema(SCHEMA);
  const hw_batch *filled = fixture_batch(schema, rows, NULL);
  fixture_result expected =
      fixture_parse(&format_json, "\"update_format\": \"raw\"", schema, rows, sizeof rows - 1, (fixture_feed){0});
  ck_assert_uint_eq(expected.n_rows, 5);
  size_t len;
  char *data = fixture_encode(format, out_options, filled, 0, &len, NULL);
  fixture_expect_bytes(format, in_options, schema, data, len, expected.brief);
  free(data);
  fixture_result_fini(&expected);
}

START_TEST(json) {
  round_trip(&format_json, "", "");
  round_trip(&format_json, "\"update_format\": \"raw\"", "\"update_format\": \"raw\", \"lines\": \"single\"");
  round_trip(&format_json, "\"array\": true", "\"array\": true");
  round_trip(&format_json, "\"update_format\": \"raw\", \"array\": true",
             "\"update_format\": \"raw\", \"array\": true");
}
END_TEST

START_TEST(csv) {
  round_trip(&format_csv, "\"weight\": false", "");
  round_trip(&format_csv, "", "");
  round_trip(&format_csv, "\"headers\": true", "\"headers\": true");
  round_trip(&format_csv, "\"delimiter\": \"\\t\", \"quote\": \"'\"", "\"delimiter\": \"\\t\", \"quote\": \"'\"");
  round_trip(&format_csv, "\"delimiter\": \" \"", "\"delimiter\": \" \"");
  round_trip(&format_csv, "\"delimiter\": \"1\"", "\"delimiter\": \"1\"");
  round_trip(&format_csv, "\"delimiter\": \"\\\\\"", "\"delimiter\": \"\\\\\", \"trim\": \"all\"");
}
END_TEST

START_TEST(msgpack) {
  round_trip(&format_msgpack, "", "");
  round_trip(&format_msgpack, "\"rows\": \"arrays\"", "");
  round_trip(&format_msgpack, "\"update_format\": \"raw\"", "\"update_format\": \"raw\"");
}
END_TEST

/* ---- no memory ---------------------------------------------------------------------- */

static void count_bad(hw_report *report, const hw_bad_record *bad) {
  (void)report;
  ck_abort_msg("%s", bad->reason);
}

static void config_failed(void *arg, const char *path, const char *message) {
  (void)arg;
  ck_abort_msg("%s: %s", path, message);
}

/* Parses with a budget that the second row's string does not fit, then with one that it does. */
static void runs_out(const hw_format *format, const char *data, size_t len) {
  static char padded[1 << 17];
  mem small, large;
  hw_error err;
  void *parser;
  size_t consumed, first;
  hw_report report = {count_bad};
  hw_schema *schema = fixture_schema("v VARCHAR, n INT");
  ck_assert_uint_lt(len + HW_PARSE_PADDING, sizeof padded);
  memcpy(padded, data, len);
  json_t *object = format == &format_json ? json_pack("{s:s}", "update_format", "raw") : json_object();
  hw_config *config = config_new(format->parser_options, object, "config", config_failed, NULL);
  json_decref(object);
  ck_assert_int_eq(format->parser->create(config, schema, &parser, &err), HW_OK);
  ck_assert_int_eq(mem_init(&small, 64 << 10), HW_OK);
  ck_assert_int_eq(mem_init(&large, 1 << 30), HW_OK);
  batch *b = batch_new(&small, schema, 64);
  ck_assert_ptr_nonnull(b);
  ck_assert_int_eq(format->parser->parse(parser, padded, len, true, &b->pub, &report, &first), HW_ENOMEM);
  ck_assert_uint_eq(b->pub.n_rows, 1);
  ck_assert_uint_gt(first, 0);
  ck_assert_uint_lt(first, 40);
  ck_assert(!hw_column_valid(&b->pub.columns[0], 1));
  hw_batch_unref(&b->pub);
  b = batch_new(&large, schema, 64);
  ck_assert_int_eq(format->parser->parse(parser, padded + first, len - first, true, &b->pub, &report, &consumed),
                   HW_OK);
  ck_assert_uint_eq(consumed, len - first);
  ck_assert_uint_eq(b->pub.n_rows, 2);
  hw_batch_unref(&b->pub);
  format->parser->destroy(parser);
  config_free(config);
  mem_fini(&small);
  mem_fini(&large);
}

START_TEST(no_memory) {
  fixture_text json_text = {0}, csv_text = {0};
  fixture_print(&json_text, "{\"v\":\"a\",\"n\":1}\n{\"v\":\"\\n");
  fixture_print(&csv_text, "\"a\",1\n\"\"\"");
  for (int i = 0; i < 8000; i++) {
    fixture_put(&json_text, "0123456789", 10);
    fixture_put(&csv_text, "0123456789", 10);
  }
  fixture_print(&json_text, "\",\"n\":2}\n{\"v\":\"b\",\"n\":3}\n");
  fixture_print(&csv_text, "\",2\nb,3\n");
  runs_out(&format_json, json_text.data, json_text.len);
  runs_out(&format_csv, csv_text.data, csv_text.len);
  free(json_text.data);
  free(csv_text.data);
}
END_TEST

/* ---- giving up a record for its length ------------------------------------------------- */

static size_t skip(const hw_format *format, const char *options, const char *data, size_t len) {
  hw_error err;
  void *parser;
  json_t *object = json_loads(options, 0, NULL);
  hw_config *config = config_new(format->parser_options, object, "config", config_failed, NULL);
  json_decref(object);
  ck_assert_int_eq(format->parser->create(config, fixture_schema("v VARCHAR"), &parser, &err), HW_OK);
  size_t n = format->parser->skip(parser, data, len);
  format->parser->destroy(parser);
  config_free(config);
  return n;
}

START_TEST(skipping) {
  ck_assert_uint_eq(skip(&format_json, "{}", "{\"v\":\"aaa\n{\"v\"", 14), 10);
  ck_assert_uint_eq(skip(&format_json, "{}", "{\"v\":\"aaa", 9), 0);
  ck_assert_uint_eq(skip(&format_json, "{\"array\": true}", "[\n1", 3), 2);
  ck_assert_uint_eq(skip(&format_csv, "{}", "\"aaa\nb", 6), 5);
  ck_assert_uint_eq(skip(&format_csv, "{}", "\"aaa", 4), 0);
  ck_assert_uint_eq(skip(&format_raw, "{}", "aaa\nb", 5), 4);
  ck_assert_uint_eq(skip(&format_raw, "{\"mode\": \"blob\"}", "aaa\nb", 5), 0);
  ck_assert_ptr_null(format_msgpack.parser->skip);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_round");
  TCase *all = tcase_create("round trips"), *rest = tcase_create("bounds");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, json);
  tcase_add_test(all, csv);
  tcase_add_test(all, msgpack);
  tcase_add_test(rest, no_memory);
  tcase_add_test(rest, skipping);
  suite_add_tcase(suite, all);
  suite_add_tcase(suite, rest);
  return fixture_run(suite);
}
