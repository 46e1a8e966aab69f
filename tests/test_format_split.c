/* test_format_split.c - how a stream is cut into buffers and batches must not show,
 * whatever is in it: mutated streams of every format, cut everywhere. Every byte
 * must be accounted for, and no fault may touch a row outside its record. */
#include "tests/format_fixture.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed;
static uint32_t dice(uint32_t n) {
  return fixture_random(&seed) % n;
}

static void mutate(fixture_text *t, const char *marks, size_t n_marks) {
  for (uint32_t n = dice(4); n > 0; n--) {
    size_t at = dice((uint32_t)t->len), from = dice((uint32_t)t->len);
    switch (dice(4)) {
    case 0:
    case 1: t->data[at] = marks[dice((uint32_t)n_marks)]; break;
    case 2: t->data[at] = t->data[from]; break;
    default:
      memmove(t->data + at, t->data + at + 1, t->len - at - 1);
      if (t->len > 1) t->len--;
      break;
    }
  }
}

static void run_mutations(const hw_format *format, const char *options, const char *schema, const char *base,
                          size_t base_len, const char *marks, size_t n_marks, int rounds) {
  hw_schema *s = fixture_schema(schema);
  unsigned with_rows = 0, with_faults = 0;
  for (int i = 0; i < rounds; i++) {
    fixture_text t = {0};
    fixture_put(&t, base, base_len);
    mutate(&t, marks, n_marks);
    fixture_result r = fixture_all_ways(format, options, s, t.data, t.len);
    with_rows += r.n_rows > 0;
    with_faults += r.n_bad > 0;
    fixture_result_fini(&r);
    free(t.data);
  }
  ck_assert_uint_gt(with_rows, 0);
  ck_assert_uint_gt(with_faults, 0);
}

static const char json_marks[] = "{}[]\",:\\\n\n \r0-e.tn\x01\xc3";

START_TEST(json) {
  static const char base[] =
      "{\"a\":1,\"b\":\"x\\n\",\"c\":2.5}\n{\"a\":2,\"b\":\"caf\xc3\xa9\",\"z\":{\"y\":[1,2]}}\n{ \"a\" : 3 }\n"
      "{\"a\":4,\"b\":null,\"c\":1e3}{\"a\":5}\n";
  seed = 11;
  run_mutations(&format_json, "\"update_format\": \"raw\"", "a INT!, b VARCHAR, c DOUBLE", base, sizeof base - 1,
                json_marks, sizeof json_marks - 1, 150);
  run_mutations(&format_json, "\"update_format\": \"raw\", \"lines\": \"single\"", "a INT!, b VARCHAR, c DOUBLE", base,
                sizeof base - 1, json_marks, sizeof json_marks - 1, 100);
}
END_TEST

START_TEST(json_pretty) {
  static const char base[] =
      "{\n \"a\": 1,\n \"z\": {\n  \"a\": 7\n }\n}\n{\n \"a\": 2,\n \"b\": \"x\"\n}\n[3, \"y\"]\n";
  seed = 12;
  run_mutations(&format_json, "\"update_format\": \"raw\"", "a INT!, b VARCHAR", base, sizeof base - 1, json_marks,
                sizeof json_marks - 1, 200);
}
END_TEST

START_TEST(json_updates) {
  static const char base[] = "{\"insert\":{\"a\":1,\"b\":\"x\"}}\n{\"delete\":{\"a\":2}}\n{ \"insert\": [3, \"y\"] }\n"
                             "{\"insert\":{\"b\":\"z\",\"a\":4}}\n";
  seed = 13;
  run_mutations(&format_json, "", "a INT!, b VARCHAR", base, sizeof base - 1, json_marks, sizeof json_marks - 1, 150);
}
END_TEST

START_TEST(json_arrays) {
  static const char base[] =
      "[{\"a\":1,\"b\":\"x\"},{\"a\":2}, {\"a\":3,\"z\":[1]}]\n[\n{\"a\":4},\n{\"a\":5}\n]\n[][[6,\"]\"]]";
  seed = 14;
  run_mutations(&format_json, "\"update_format\": \"raw\", \"array\": true", "a INT!, b VARCHAR", base, sizeof base - 1,
                json_marks, sizeof json_marks - 1, 300);
}
END_TEST

START_TEST(csv) {
  static const char base[] = "1,x,2.5\n2,\"a,\"\"b\"\"\nc\",3\r\n\n3,,\n# no\n4,caf\xc3\xa9,1e3\r\n5,\"x\",7";
  static const char marks[] = "\"\"\"\n\r,,# x1\xff";
  static const char *const options[] = {"", "\"comment\": \"#\", \"trim\": \"all\"",
                                        "\"escape\": \"#\", \"flexible\": false", "\"quoting\": false"};
  seed = 15;
  for (int i = 0; i < 4; i++)
    run_mutations(&format_csv, options[i], "a INT, b VARCHAR, c DOUBLE!", base, sizeof base - 1, marks,
                  sizeof marks - 1, 150);
}
END_TEST

START_TEST(csv_headers) {
  static const char base[] = "\xef\xbb\xbf"
                             "b,\"a\"\r\nx,1\r\n\"y\",2\r\n";
  static const char marks[] = "\"\n\r,a1\xef";
  seed = 16;
  run_mutations(&format_csv, "\"headers\": true", "a INT, b VARCHAR", base, sizeof base - 1, marks, sizeof marks - 1,
                200);
}
END_TEST

START_TEST(msgpack) {
  static const char base[] = "\x82\xa1"
                             "a\x01\xa1"
                             "b\xa1x\x82\xa1"
                             "a\x02\xa1z\x92\x01\xc4\x02zz\x92\x03\xd9\x02yy\x82\xa1"
                             "a\xcd\x01\x02\xa1"
                             "b\xc0\xde\x00\x01\xa1"
                             "a\x05";
  static const char marks[] = "\x00\x01\x81\x91\xa2\xc0\xc1\xc4\xd9\xdb\xcf\xff\x7f";
  seed = 17;
  run_mutations(&format_msgpack, "\"update_format\": \"raw\"", "a INT!, b VARCHAR", base, sizeof base - 1, marks,
                sizeof marks - 1, 400);
}
END_TEST

START_TEST(raw) {
  static const char base[] = "one\ntwo\r\n\n\xc3\xa9t\xc3\xa9\nlast";
  static const char marks[] = "\n\r\xc3\xa9z";
  seed = 18;
  run_mutations(&format_raw, "", "v VARCHAR", base, sizeof base - 1, marks, sizeof marks - 1, 300);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_split");
  TCase *all = tcase_create("mutated");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, json);
  tcase_add_test(all, json_pretty);
  tcase_add_test(all, json_updates);
  tcase_add_test(all, json_arrays);
  tcase_add_test(all, csv);
  tcase_add_test(all, csv_headers);
  tcase_add_test(all, msgpack);
  tcase_add_test(all, raw);
  suite_add_tcase(suite, all);
  return fixture_run(suite);
}
