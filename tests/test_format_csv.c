/* test_format_csv.c - the csv format against its hard cases, and against a plain
 * reader of RFC 4180 on made-up text. */
#include "tests/format_fixture.h"
#include "tests/reference_csv.h"

#include <stdlib.h>
#include <string.h>

static void csv(const char *options, const char *schema, const char *text, const char *expected) {
  fixture_expect(&format_csv, options, fixture_schema(schema), text, expected);
}

/* One cell of a nullable column and a second cell after it, strictly and fast. */
static void cell(const char *type, const char *text, const char *expected) {
  fixture_text schema = {0}, input = {0}, outcome = {0};
  fixture_print(&schema, "v %s, w INT", type);
  fixture_print(&input, "%s,1\n,2\n%s,3\r\n", text, text);
  size_t len = strlen(text) + 2;
  if (*expected == '!')
    fixture_print(&outcome, "NULL|2\n%s v @0+%zu\n%s v @%zu+%zu\n", expected, len, expected, len + 4, len);
  else
    fixture_print(&outcome, "%s|1\nNULL|2\n%s|3\n", expected, expected);
  csv("", schema.data, input.data, outcome.data);
  csv("\"trim\": \"fields\"", schema.data, input.data, outcome.data); /* the strict readers only */
  free(schema.data);
  free(input.data);
  free(outcome.data);
}

START_TEST(records) {
  const char *schema = "a INT, b VARCHAR";
  csv("", schema, "", "");
  csv("", schema, "1,x\n2,y\n", "1|\"x\"\n2|\"y\"\n");
  csv("", schema, "1,x\r\n2,y", "1|\"x\"\n2|\"y\"\n");
  csv("", schema, "1,x\r\n2,y\r", "1|\"x\"\n2|\"y\"\n");
  csv("", schema, "1,x\ry\n", "1|\"x\ry\"\n");
  csv("", schema,
      "\xef\xbb\xbf"
      "1,x\n",
      "1|\"x\"\n");
  csv("", schema, "\n1,x\n\r\n\n2,y\n\n", "1|\"x\"\n2|\"y\"\n");
  csv("", schema, "1,\n,x\n,", "1|NULL\nNULL|\"x\"\nNULL|NULL\n");
  csv("", schema, "1,\"\"\n2,\"x\"\n", "1|\"\"\n2|\"x\"\n");
  csv("", "a INT", "1\n\n2\n", "1\nNULL\n2\n");
  csv("", "a INT!", "1\n\n2\n", "1\n2\n");
}
END_TEST

START_TEST(quotes) {
  const char *schema = "a INT, b VARCHAR, c VARCHAR";
  csv("", schema, "1,\"x,y\",z\n2,\"x\ny\",z\n3,\"x\r\ny\",\"z\"\n",
      "1|\"x,y\"|\"z\"\n2|\"x\ny\"|\"z\"\n3|\"x\r\ny\"|\"z\"\n");
  csv("", schema, "1,\"say \"\"hi\"\"\",\"\"\"\"\n\"2\",\"\"\"\"\"\",z\n",
      "1|\"say \"hi\"\"|\"\"\"\n2|\"\"\"\"|\"z\"\n");
  csv("", schema, "1,5\" disk,x\"\"y\n", "1|\"5\" disk\"|\"x\"\"y\"\n");
  csv("", schema, "1,\"x\"y,z\n2,a,b\n", "2|\"a\"|\"b\"\n!syntax - @0+8\n");
  csv("", schema, "1,\"x\" ,z\n2,a,\"b\" \n3,a,b", "3|\"a\"|\"b\"\n!syntax - @0+8\n!syntax - @9+8\n");
  csv("", schema, "1,a,b\n2,\"x\n3,a,b\n", "1|\"a\"|\"b\"\n3|\"a\"|\"b\"\n!truncated - @6+4\n");
  csv("", schema, "1,\"a\\b\",\"a/b\"\n", "1|\"a\\b\"|\"a/b\"\n");
  csv("", schema,
      "1,\"a text, longer than any vector, \"\"quoted\"\" in it\",\"and another, as long as the first one\"\n",
      "1|\"a text, longer than any vector, \"quoted\" in it\"|\"and another, as long as the first one\"\n");
  csv("\"quoting\": false", schema, "1,\"x\",y\"\n", "1|\"\"x\"\"|\"y\"\"\n");
  csv("\"quote\": \"'\"", schema, "1,'x,\"y''s',\"\n", "1|\"x,\"y's\"|\"\"\"\n");
  csv("\"escape\": \"\\\\\"", schema, "1,\"a\\\"b\",\"\\\\\"\n2,\"x\\,\",\\y\n",
      "1|\"a\"b\"|\"\\\"\n2|\"x,\"|\"\\y\"\n");
  csv("\"double_quote\": false", schema, "1,\"a\",\"b\"\n2,\"a\"\"b\",c\n3,a,b\n",
      "1|\"a\"|\"b\"\n3|\"a\"|\"b\"\n!syntax - @10+10\n");
}
END_TEST

START_TEST(dialects) {
  csv("\"delimiter\": \"\\t\"", "a INT, b VARCHAR", "1\tx,y\n2\t\"x\ty\"\n", "1|\"x,y\"\n2|\"x\ty\"\n");
  csv("\"delimiter\": \";\"", "a DOUBLE, b VARCHAR", "1.5;x\n", "1.5|\"x\"\n");
  csv("\"delimiter\": \" \"", "a TIMESTAMP, b INT", "2026-01-02 3\n\"2026-01-02 03:04:05\" 4\n",
      "2026-01-02 00:00:00|3\n2026-01-02 03:04:05|4\n");
  csv("\"comment\": \"#\"", "a INT, b VARCHAR", "# x\n1,#y\n#\"\n2,z\n#", "1|\"#y\"\n2|\"z\"\n");
  csv("\"trim\": \"fields\"", "a INT, b VARCHAR", " 1\t, x y \n2 ,\t\" x \" \n3,  \n",
      "1|\"x y\"\n2|\" x \"\n3|NULL\n");
  csv("", "a VARCHAR, b VARCHAR", " 1 , x\n", "\" 1 \"|\" x\"\n");
}
END_TEST

START_TEST(field_counts) {
  const char *schema = "a INT!, b VARCHAR, c INT";
  csv("", schema, "1\n2,x\n3,x,4,5,\"6\"\n4,x,5\n", "1|NULL|NULL\n2|\"x\"|NULL\n3|\"x\"|4\n4|\"x\"|5\n");
  csv("\"flexible\": false", schema, "1\n2,x\n3,x,4,5\n4,x,5\n",
      "4|\"x\"|5\n!cells - @0+1\n!cells - @2+3\n!cells - @6+7\n");
  hw_schema *defaults = fixture_schema("a INT!, b INT!, c VARCHAR!");
  fixture_default(defaults, 1, "42");
  fixture_expect(&format_csv, "", defaults, "1\n2,3,x\n4,,x\n5,6,\n",
                 "2|3|\"x\"\n5|6|\"\"\n!missing c @0+1\n!null b @8+4\n");
}
END_TEST

START_TEST(headers) {
  const char *o = "\"headers\": true";
  csv(o, "a INT, b VARCHAR", "b,a\nx,1\ny,2\n", "1|\"x\"\n2|\"y\"\n");
  csv(o, "a INT, b VARCHAR", "A,\"B\"\r\n1,x\r\n", "1|\"x\"\n");
  csv(o, "a INT, b VARCHAR",
      "\xef\xbb\xbf"
      "a,other,b\n1,\"x,\"\"y\",z\n",
      "1|\"z\"\n");
  csv(o, "a INT, b VARCHAR", "a\n1\n2,x\n", "1|NULL\n2|NULL\n");
  csv(o, "a INT, \"B\" VARCHAR, b INT", "B,A,b\nx,1,2\n", "1|\"x\"|2\n");
  csv("\"headers\": true, \"flexible\": false", "a INT, b VARCHAR", "b,a\nx,1\ny\n", "1|\"x\"\n!cells - @8+1\n");
  csv("\"headers\": true, \"trim\": \"headers\"", "a INT, b VARCHAR", " b , a\n x,1\n", "1|\" x\"\n");
  csv(o, "a INT, b VARCHAR", "", "");
  csv(o, "a INT, b VARCHAR", "a,b", "");
}
END_TEST

static void bad_header(const char *schema, const char *text, const char *expected) {
  fixture_result r = fixture_all_ways(&format_csv, "\"headers\": true", fixture_schema(schema), text, strlen(text));
  ck_assert_int_eq(r.status, HW_EPARSE);
  ck_assert_str_eq(r.brief, expected);
  fixture_result_fini(&r);
}

START_TEST(bad_headers) {
  bad_header("a INT, b INT", "x,y\n1,2\n", "!header - @0+3\n");
  bad_header("a INT, b INT", "a,b,a\n1,2,3\n", "!header a @0+5\n");
  bad_header("a INT!, b INT", "b,c\n1,2\n", "!header a @0+3\n");
  bad_header("a INT, b INT", "\"a\"x,b\n1,2\n", "!syntax - @0+6\n");
}
END_TEST

START_TEST(values) {
  cell("TINYINT", "127", "127");
  cell("TINYINT", "128", "!range");
  cell("TINYINT", "-128", "-128");
  cell("INT", "007", "7");
  cell("INT", "1.0", "!type");
  cell("INT", "+5", "!type");
  cell("INT", "x", "!type");
  cell("INT", " 1x", "!type");
  cell("BIGINT", "9223372036854775807", "9223372036854775807");
  cell("BIGINT", "9223372036854775808", "!range");
  cell("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615");
  cell("SMALLINT UNSIGNED", "-1", "!range");
  cell("DOUBLE", "3661.32", "3661.32");
  cell("DOUBLE", "1e400", "!range");
  cell("DOUBLE", "NaN", "NaN");
  cell("DOUBLE", "-Infinity", "-Infinity");
  cell("REAL", "0.1", "0.1");
  cell("DECIMAL(6,2)", "1234.565", "1234.57");
  cell("DECIMAL(6,2)", "12345", "!range");
  cell("BOOLEAN", "true", "true");
  cell("BOOLEAN", "FALSE", "false");
  cell("BOOLEAN", "1", "!type");
  cell("VARCHAR", "caf\xc3\xa9", "\"caf\xc3\xa9\"");
  cell("VARCHAR", "\xff", "!utf8");
  cell("VARCHAR", "\"\"", "\"\"");
  cell("VARCHAR", "NULL", "\"NULL\"");
  cell("VARCHAR(3)", "abcd", "!length");
  cell("VARCHAR(3)", "abc", "\"abc\"");
  cell("CHAR(3)", "ab", "\"ab \"");
  cell("VARBINARY", "0x00fF", "x00ff");
  cell("VARBINARY", "00ff", "x00ff");
  cell("VARBINARY", "\\x41", "x41");
  cell("VARBINARY", "0x", "x");
  cell("VARBINARY", "0x0", "!type");
  cell("VARBINARY", "zz", "!type");
  cell("VARBINARY(1)", "0011", "!length");
  cell("DATE", "2026-01-02", "2026-01-02");
  cell("DATE", "2026-02-30", "!range");
  cell("TIME", "03:04:05.5", "03:04:05.5");
  cell("TIMESTAMP", "2026-01-02T03:04:05.695Z", "2026-01-02 03:04:05.695");
  cell("TIMESTAMP", "\"2026-01-02 03:04:05\"", "2026-01-02 03:04:05");
  cell("UUID", "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff");
  cell("INT", "\"\"", "!type");
}
END_TEST

/* Numbers with a known end: of up to eight characters, which are read at once, and longer. */
START_TEST(numbers) {
  static const char *const whole[] = {"0", "7", "-7", "10", "1234567", "12345678", "-12345678", "123456789", NULL};
  static const char *const any[] = {"0.5", "-0.5", "1.5", "1.25", "9.999999", "123456.5", "1234567.5", "12345678.25",
                                    "-1234.5", NULL};
  static const char *const no_whole[] = {"1-", "-", "--1", "1.", "1a", "a1", "12 4", "1234:678", "/1", NULL};
  static const char *const no_number[] = {"1..5", "1.2.3", ".", "-.", "1.5x", "1/5", "1-5", "x.5", "1.5.", "..1", NULL};
  for (size_t i = 0; whole[i]; i++) cell("INT", whole[i], whole[i]), cell("BIGINT", whole[i], whole[i]);
  for (size_t i = 0; any[i]; i++) cell("DOUBLE", any[i], any[i]);
  for (size_t i = 0; no_whole[i]; i++) cell("INT", no_whole[i], "!type");
  for (size_t i = 0; no_number[i]; i++) cell("DOUBLE", no_number[i], "!type");
  cell("DOUBLE", "00.50", "!type");
  cell("DOUBLE", "-0", "-0.0");
  cell("DOUBLE", "12345678", "12345678.0");
  cell("DOUBLE", "5.", "!type");
  cell("DOUBLE", ".5", "!type");
  cell("DECIMAL(8,2)", "1234.5", "1234.50");
  cell("DECIMAL(4,2)", "123.5", "!range");
  cell("TINYINT", "128", "!range");
  cell("TINYINT", "-128", "-128");
}
END_TEST

/* What is left of a window of one record must not end a cell of the next. */
START_TEST(many_records) {
  const char *schema = "a VARCHAR, b INT, c VARCHAR";
  csv("", schema, "x,1,\"y\"\r\n\"u,\"\"\",2,v\r\nw,3,\"z\n\"\r\n,,\r\ns,4,t\r\n",
      "\"x\"|1|\"y\"\n\"u,\"\"|2|\"v\"\n\"w\"|3|\"z\n\"\nNULL|NULL|NULL\n\"s\"|4|\"t\"\n");
  csv("", schema, "x,1\ny,\"2\",\"z\",more,\"yet\nmore\"\n\nu,3,v\n",
      "\"x\"|1|NULL\n\"y\"|2|\"z\"\n\"u\"|3|\"v\"\n");
  csv("\"headers\": true", schema, "c,?,b\nx,\"a\nb\",1\r\n\"y\",,2\r\n\"\",z,\"3\"\r\n",
      "NULL|1|\"x\"\nNULL|2|\"y\"\nNULL|3|\"\"\n");
}
END_TEST

START_TEST(nul_bytes) {
  static const char text[] = "1,a\0b\n\0,x\n2,y\n";
  fixture_expect_bytes(&format_csv, "", fixture_schema("a INT, b VARCHAR(9)"), text, sizeof text - 1,
                       "1|\"a\\0b\"\n2|\"y\"\n!type a @6+3\n");
}
END_TEST

/* ---- against a plain reader ------------------------------------------------------ */

START_TEST(made_up) {
  static const char *const bits[] = {"a",  "bc", "17", " ", ";", "\xc3\xa9", "quite a long piece of text",
                                     "\\", "'",  "\t"};
  static const char *const inside[] = {",", "\n", "\"\"", "\r\n"};
  static const csv_rules rules = {
      .delimiter = ',', .quote = '"', .quoting = true, .double_quote = true, .flexible = true};
  hw_schema *schema = fixture_schema("a VARCHAR, b VARCHAR, c VARCHAR");
  uint64_t seed = 3;
  for (int round = 0; round < 400; round++) {
    fixture_text text = {0}, expected = {0};
    for (uint32_t rows = 1 + fixture_random(&seed) % 5; rows > 0; rows--) {
      for (int i = 0; i < 3; i++) {
        bool quoted = fixture_random(&seed) % 3 == 0;
        if (i) fixture_put(&text, ",", 1);
        if (quoted) fixture_put(&text, "\"", 1);
        for (uint32_t n = fixture_random(&seed) % 4; n > 0; n--) {
          if (quoted && fixture_random(&seed) % 3 == 0)
            fixture_print(&text, "%s", inside[fixture_random(&seed) % 4]);
          else
            fixture_print(&text, "%s", bits[fixture_random(&seed) % 10]);
        }
        if (quoted) fixture_put(&text, "\"", 1);
      }
      fixture_put(&text, "\n", 1);
    }
    reference_csv(&expected, schema, &rules, text.data, text.len);
    fixture_expect(&format_csv, "", schema, text.data, expected.data);
    free(text.data);
    free(expected.data);
  }
}
END_TEST

/* ---- writing ------------------------------------------------------------------------ */

static void encodes(const char *options, const hw_batch *batch, const char *expected, const char *expected_faults) {
  for (size_t limit = 0; limit < 40; limit += 13) {
    char *faults;
    char *text = fixture_encode(&format_csv, options, batch, limit, NULL, &faults);
    ck_assert_str_eq(text, expected);
    ck_assert_str_eq(faults, expected_faults);
    free(text);
    free(faults);
  }
}

START_TEST(encoding) {
  int64_t weights[] = {1, -1, 3, 0, 1, 1, 1};
  const hw_batch *batch = fixture_batch(
      fixture_schema("a INT, \"b,c\" VARCHAR"),
      "[1,\"x\"][2,\"a,b\"][3,null][4,\"\"][5,\"\"][6,\"say \\\"hi\\\"\\nyou, there\"][7,\" x\"]", weights);
  encodes("", batch, "1,x,1\n2,\"a,b\",-1\n3,,3\n5,\"\",1\n6,\"say \"\"hi\"\"\nyou, there\",1\n7,\" x\",1\n", "");
  encodes("\"weight\": false, \"headers\": true, \"buffer_size_records\": 1", batch,
          "a,\"b,c\"\n1,x\n3,\n3,\n3,\n5,\"\"\n6,\"say \"\"hi\"\"\nyou, there\"\n7,\" x\"\n", "!delete 1\n");
  encodes("\"headers\": true, \"delimiter\": \";\", \"quote\": \"'\"",
          fixture_batch(fixture_schema("a VARCHAR, b VARBINARY"), "[\"it's; \\\"\",[1,255]][\"a,b\",[]]", NULL),
          "a;b;weight\n'it''s; \"';0x01ff;1\na,b;0x;1\n", "");
  encodes("\"weight\": false",
          fixture_batch(fixture_schema("a VARCHAR"), "[\"\\ufeff\"][\"\\ufeffx\"][\"\\uff01\"][\"\\ue000\"]", NULL),
          "\"\xef\xbb\xbf\"\n\"\xef\xbb\xbfx\"\n\"\xef\xbc\x81\"\n\xee\x80\x80\n", "");
  encodes("\"delimiter\": \" \"",
          fixture_batch(fixture_schema("a TIMESTAMP, b DOUBLE"), "[\"2026-01-02 03:04:05\",1.5]", NULL),
          "\"2026-01-02 03:04:05\" 1.5 1\n", "");
}
END_TEST

START_TEST(refusals) {
  hw_schema *schema = fixture_schema("a INT");
  fixture_expect_refusal(&format_csv, true, "\"delimiter\": \"ab\"", schema, "more than one character");
  fixture_expect_refusal(&format_csv, true, "\"delimiter\": \"ab\", \"quote\": \"\u00e9\", \"comment\": \"cd\"",
                         schema,
                         "delimiter: \"ab\" is more than one character; quote: must be an ASCII character other than "
                         "CR and LF; comment: \"cd\" is more than one character");
  fixture_expect_refusal(&format_csv, true, "\"delimiter\": \"\\n\"", schema, "ASCII");
  fixture_expect_refusal(&format_csv, true, "\"delimiter\": \"\xc3\xa9\"", schema, "character");
  fixture_expect_refusal(&format_csv, true, "\"quote\": \",\"", schema, "differ from the delimiter");
  fixture_expect_refusal(&format_csv, true, "\"comment\": \",\"", schema, "differ from the delimiter");
  fixture_expect_refusal(&format_csv, true, "\"quote\": \"5\"", schema, "quote");
  fixture_expect_refusal(&format_csv, false, "\"quote\": \",\"", schema, "differ from the delimiter");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_csv");
  TCase *reading = tcase_create("reading"), *writing = tcase_create("writing");
  tcase_set_timeout(reading, 60);
  tcase_add_test(reading, records);
  tcase_add_test(reading, quotes);
  tcase_add_test(reading, dialects);
  tcase_add_test(reading, field_counts);
  tcase_add_test(reading, headers);
  tcase_add_test(reading, bad_headers);
  tcase_add_test(reading, values);
  tcase_add_test(reading, numbers);
  tcase_add_test(reading, many_records);
  tcase_add_test(reading, nul_bytes);
  tcase_add_test(reading, made_up);
  tcase_add_test(writing, encoding);
  tcase_add_test(writing, refusals);
  suite_add_tcase(suite, reading);
  suite_add_tcase(suite, writing);
  return fixture_run(suite);
}
