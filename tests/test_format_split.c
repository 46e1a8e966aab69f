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

/* A fault on a later line gives the lines before it back, as soon as it can be seen: also one
 * inside a number or a word that the data cuts. */
START_TEST(json_faults_in_tokens) {
  static const char *const tokens[] = {"SSSSSS", "trux   ", "nulll  ", "01111111",
                                       "1.x   ", "1e+-  ", "--1    ", "1x    "};
  hw_schema *s = fixture_schema("a INT, b VARCHAR");
  for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
    fixture_text t = {0};
    fixture_print(&t, "[\n{\"a\":4},%s", tokens[i]);
    fixture_result r = fixture_all_ways(&format_json, "\"update_format\": \"raw\"", s, t.data, t.len);
    ck_assert_msg(!strncmp(r.brief, "4|NULL\n!type a @0+1\n!", 21), "%s\ngives\n%s", t.data, r.full);
    fixture_result_fini(&r);
    free(t.data);
  }
}
END_TEST

/* ---- long records in small pieces ---- */

#define LONG 400000u
#define PIECE 1500u

/* before, text again and again up to LONG bytes, after: its bytes are parsed a few times, however small the pieces. */
static void parse_long(const hw_format *format, const char *options, const char *before, const char *text,
                       const char *after, uint32_t n_rows, uint32_t n_bad) {
  hw_schema *s = fixture_schema("a INT, b VARCHAR");
  fixture_text t = {0};
  fixture_put(&t, before, strlen(before));
  while (t.len < LONG) fixture_put(&t, text, strlen(text));
  fixture_put(&t, after, strlen(after));
  fixture_result r =
      fixture_parse(format, options, s, t.data, t.len, (fixture_feed){.first = PIECE, .step = PIECE, .sparing = true});
  ck_assert_int_eq(r.status, HW_OK);
  ck_assert_uint_eq(r.n_rows, n_rows);
  ck_assert_uint_eq(r.n_bad, n_bad);
  ck_assert_msg(r.n_parsed <= 4 * t.len, "%s...%s: %llu bytes parsed of %zu", before, text,
                (unsigned long long)r.n_parsed, t.len);
  fixture_result_fini(&r);
  free(t.data);
}

START_TEST(long_json) {
  static const char rows[] = "\"update_format\": \"raw\"";
  static const char array[] = "\"update_format\": \"raw\", \"array\": true";
  static const char single[] = "\"update_format\": \"raw\", \"lines\": \"single\"";
  parse_long(&format_json, rows, "{\"b\":\"", "caf\xc3\xa9 \\u00e9\\\"}{", "\"}\n{\"a\":2}\n", 2, 0);
  parse_long(&format_json, rows, "{\"z\":[", "\n  {\"y\": [1, -2.5e3, true, null, \"\\n\"]},", "0]}{\"a\":2}\n", 2, 0);
  parse_long(&format_json, rows, "{\"z\":", "1", "}\n{\"a\":2}\n", 2, 0);
  parse_long(&format_json, rows, "{\"z\":0.", "0", "}\n{\"a\":2}\n", 2, 0);
  parse_long(&format_json, rows, "{", "\n  ", "}\n", 1, 0);
  parse_long(&format_json, rows, "{\"a\":\"no number\",\"z\":[", "\n{},", "0]}{\"a\":2}\n", 1, 1);
  parse_long(&format_json, rows, "{\"a\" 1, ", "{\"x\":[],", "\n{\"a\":2}\n", 1, 1);        /* broken on one line */
  parse_long(&format_json, rows, "{\n\"a\" 1, ", "\n  [{},", "\n{\"a\":2}\n", 1, 1);       /* and on many */
  parse_long(&format_json, array, "[{\"a\":1},{\"b\":\"", "x, ", "\"},{\"a\":3}]", 3, 0);
  parse_long(&format_json, array, "[{\"a\":1},{\"b\" ", "[{}, \"]\"], ", "},{\"a\":3}]", 2, 1);
  parse_long(&format_json, array, "[{\"a\":1},{\"b\"]", "x\n y", "\n,{\"a\":3}]", 2, 1);
  parse_long(&format_json, single, "{\"b\":\"", "x", "\"}\n{\"a\":2}\n", 2, 0);
  parse_long(&format_json, "", "{\"insert\":{\"b\":\"", "x", "\"}}{\"insert\":{\"a\":2}}", 2, 0);
}
END_TEST

START_TEST(long_csv) {
  parse_long(&format_csv, "", "1,\"", "x,\n\"\"", "\"\n2,y\n", 2, 0);
  parse_long(&format_csv, "", "1,", "xyz ", "\n2,y\n", 2, 0);
  parse_long(&format_csv, "", "1,x", ",\"a\"", "\n2,y\n", 2, 0);
  parse_long(&format_csv, "", "no number,\"", "x\r\n", "\"\n2,y\n", 1, 1);
  parse_long(&format_csv, "\"comment\": \"#\"", "#", " comment \"", "\n2,y\n", 1, 0);
  parse_long(&format_csv, "\"escape\": \"#\"", "1,\"", "#\"##", "\"\n2,y\n", 2, 0);
}
END_TEST

START_TEST(long_others) {
  hw_schema *s = fixture_schema("b VARCHAR");
  fixture_text t = {0};
  while (t.len < LONG) fixture_put(&t, "xyz", 3);
  fixture_put(&t, "\nnext\n", 6);
  fixture_result r =
      fixture_parse(&format_raw, "", s, t.data, t.len, (fixture_feed){.first = PIECE, .step = PIECE, .sparing = true});
  ck_assert_uint_eq(r.n_rows, 2);
  ck_assert_uint_le(r.n_parsed, 4 * t.len);
  fixture_result_fini(&r);
  free(t.data);
  t = (fixture_text){0};
  fixture_put(&t, "\x92\xa1x\xdd\x00\x01\x00\x00", 8); /* x, and what is dropped: 65,536 items */
  for (unsigned i = 0; i < 65536; i++) fixture_put(&t, "\xa4text", 5);
  fixture_put(&t, "\x91\xa1y", 3);
  r = fixture_parse(&format_msgpack, "\"update_format\": \"raw\"", s, t.data, t.len,
                    (fixture_feed){.first = PIECE, .step = PIECE, .sparing = true});
  ck_assert_msg(r.n_parsed <= 4 * t.len, "%llu bytes parsed of %zu", (unsigned long long)r.n_parsed, t.len);
  fixture_result_fini(&r);
  free(t.data);
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
  tcase_add_test(all, json_faults_in_tokens);
  tcase_add_test(all, csv);
  tcase_add_test(all, csv_headers);
  tcase_add_test(all, msgpack);
  tcase_add_test(all, raw);
  tcase_add_test(all, long_json);
  tcase_add_test(all, long_csv);
  tcase_add_test(all, long_others);
  suite_add_tcase(suite, all);
  return fixture_run(suite);
}
