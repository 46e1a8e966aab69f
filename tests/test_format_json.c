/* test_format_json.c - the json format against its hard cases. Every case is read
 * whole, cut at every byte, and with batches that fill up at every row. */
#include "tests/format_fixture.h"

#include <stdlib.h>
#include <string.h>

#define RAW "\"update_format\": \"raw\""
#define RAW_SINGLE RAW ", \"lines\": \"single\""
#define RAW_ARRAY RAW ", \"array\": true"

static void raw(const char *schema, const char *text, const char *expected) {
  fixture_expect(&format_json, RAW, fixture_schema(schema), text, expected);
}

static void updates(const char *text, const char *expected) {
  fixture_expect(&format_json, "", fixture_schema("a INT, b VARCHAR"), text, expected);
}

/* One value of a nullable column: its outcome, or "!tag". */
static void value(const char *type, const char *json, const char *expected) {
  fixture_text schema = {0}, text = {0}, outcome = {0};
  fixture_print(&schema, "v %s", type);
  fixture_print(&text, "{\"v\":%s}\n", json);
  if (*expected == '!')
    fixture_print(&outcome, "%s v @0+%zu\n", expected, text.len - 1);
  else
    fixture_print(&outcome, "%s\n", expected);
  raw(schema.data, text.data, outcome.data);
  /* the same behind a blank, where the fast readers decline */
  fixture_text spaced = {0}, outcome2 = {0};
  fixture_print(&spaced, "{ \"v\" : %s }\n", json);
  if (*expected == '!')
    fixture_print(&outcome2, "%s v @0+%zu\n", expected, spaced.len - 1);
  else
    fixture_print(&outcome2, "%s\n", expected);
  raw(schema.data, spaced.data, outcome2.data);
  free(schema.data);
  free(text.data);
  free(outcome.data);
  free(spaced.data);
  free(outcome2.data);
}

/* A row that is not JSON: one bad record, the next line is read. */
static void broken(const char *json) {
  fixture_text text = {0};
  fixture_print(&text, "%s\n{\"v\":7}\n", json);
  fixture_result r = fixture_all_ways(&format_json, RAW, fixture_schema("v BIGINT"), text.data, text.len);
  if (r.n_bad != 1 || strncmp(r.brief, "7\n!", 3) != 0) ck_abort_msg("%s\ngives\n%s", text.data, r.full);
  fixture_result_fini(&r);
  free(text.data);
}

/* Numbers of milliseconds, where another flavor wants text. */
/* A NULL must not outlive its value, nor what was there the next row. */
START_TEST(nulls_and_what_follows) {
  const hw_schema *schema = fixture_schema("a INT, b INT, c VARCHAR");
  fixture_expect(&format_json, RAW, schema,
                 "{\"a\":1,\"b\":2,\"c\":\"x\"}\n{\"a\":null,\"a\":3,\"b\":4,\"c\":\"y\"}\n"
                 "{\"a\":5,\"b\":null,\"a\":6,\"b\":7,\"c\":\"z\"}\n{\"c\":null,\"c\":\"w\",\"b\":null,\"c\":null}\n"
                 "{\"a\":8,\"b\":9,\"c\":\"v\"}\n",
                 "1|2|\"x\"\n3|4|\"y\"\n6|7|\"z\"\nNULL|NULL|NULL\n8|9|\"v\"\n");
  fixture_expect(&format_json, RAW, schema, /* the same keys twice in each row */
                 "{\"a\":null,\"b\":1,\"a\":2}\n{\"a\":null,\"b\":3,\"a\":4}\n{\"a\":5,\"b\":6,\"a\":null}\n"
                 "{\"a\":null,\"b\":7,\"a\":8}\n",
                 "2|1|NULL\n4|3|NULL\nNULL|6|NULL\n8|7|NULL\n");
  fixture_expect(&format_json, RAW, schema, /* a faulty row's NULLs */
                 "{\"a\":1,\"b\":2,\"c\":\"x\"}\n{\"a\":null,\"b\":null,\"c\":7}\n{\"a\":3,\"b\":4,\"c\":\"y\"}\n",
                 "1|2|\"x\"\n3|4|\"y\"\n!type c @22+25\n");
}
END_TEST

START_TEST(pandas) {
  const char *schema = "t TIMESTAMP, d DATE, n BIGINT";
  const char *rows = "[{\"t\":1767323045695,\"d\":1767312000000,\"n\":7},\n"
                     "{\"t\":\"2026-01-02T03:04:05Z\",\"d\":\"2026-01-02\",\"n\":null},\n"
                     "{\"t\":-1,\"d\":-1,\"n\":1},{\"t\":0,\"d\":86399999,\"n\":2}]";
  fixture_expect(&format_json, RAW_ARRAY ", \"json_flavor\": \"pandas\"", fixture_schema(schema), rows,
                 "2026-01-02 03:04:05.695|2026-01-02|7\n2026-01-02 03:04:05|2026-01-02|NULL\n"
                 "1969-12-31 23:59:59.999|1969-12-31|1\n1970-01-01 00:00:00|1970-01-01|2\n");
  fixture_expect(&format_json, RAW ", \"json_flavor\": \"pandas\"", fixture_schema("t TIMESTAMP"),
                 "{\"t\":1.5}\n{\"t\":253402300800000}\n{\"t\":-62135596800000}\n",
                 "0001-01-01 00:00:00\n!type t @0+9\n!range t @10+21\n");
  raw("t TIMESTAMP", "{\"t\":1}\n", "!type t @0+7\n");
}
END_TEST

static void events(const char *text, const char *expected) {
  fixture_expect(&format_json, "\"update_format\": \"debezium\"", fixture_schema("a INT!, b VARCHAR"), text, expected);
}

START_TEST(debezium) {
  events("{\"payload\":{\"op\":\"c\",\"before\":null,\"after\":{\"a\":1,\"b\":\"x\"}}}\n"
         "{\"schema\":{\"fields\":[1,{}]},\"payload\":{\"source\":{\"op\":\"z\"},\"after\":{\"a\":2},\"op\":\"r\"}}\n"
         "{\"payload\":{\"before\":{\"a\":1,\"b\":\"x\"},\"after\":{\"a\":1,\"b\":\"y\"},\"op\":\"u\",\"ts_ms\":5}}\n"
         "{\"payload\":{\"op\":\"u\",\"before\":null,\"after\":[3,\"z\"]}}\n"
         "{\"payload\":{\"op\":\"d\",\"before\":{\"a\":2},\"after\":null}}",
         "1|\"x\"\n2|NULL\n-1* 1|\"x\"\n1|\"y\"\n3|\"z\"\n-1* 2|NULL\n");
  /* a bad event leaves nothing, whichever part of it is bad */
  events("{\"payload\":{\"op\":\"u\",\"before\":{\"a\":1},\"after\":{\"a\":\"?\"}}}\n"
         "{\"payload\":{\"op\":\"u\",\"before\":{\"b\":1},\"after\":{\"a\":1}}}\n"
         "{\"payload\":{\"op\":\"c\",\"after\":{\"a\":5}}}\n",
         "5|NULL\n!type a @0+57\n!type b @58+55\n");
  events("{\"payload\":{\"op\":\"t\"}}\n{\"payload\":{\"op\":\"d\",\"after\":{}}}\n{}\n{\"payload\":1}\n[1]\n"
         "{\"payload\":{\"op\":\"c\",\"after\":7}}\n",
         "!update - @0+22\n!update - @23+33\n!update - @57+2\n!update - @60+13\n!record - @74+3\n"
         "!update - @78+32\n");
}
END_TEST

START_TEST(rows_and_blanks) {
  const char *schema = "a BIGINT!, b VARCHAR";
  raw(schema, "", "");
  raw(schema, " \n\r\n\t", "");
  raw(schema, "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n", "1|\"x\"\n2|\"y\"\n");
  raw(schema, "{\"a\":1,\"b\":\"x\"}\r\n\r\n{\"a\":2,\"b\":\"y\"}", "1|\"x\"\n2|\"y\"\n");
  raw(schema, "{\"a\":1}{\"a\":2} {\"a\":3}", "1|NULL\n2|NULL\n3|NULL\n");
  raw(schema, "\xef\xbb\xbf{\"a\":1}\n", "1|NULL\n");
  raw(schema, "{\"a\":1,\"b\":null}\n", "1|NULL\n");
  raw(schema, " {\t\"a\" :\r\n1 ,\n\"b\"\n:\n\"x\"\n}\n{ \"a\":2 }", "1|\"x\"\n2|NULL\n");
  raw(schema, "{\"b\":\"x\",\"a\":1}\n{\"a\":2,\"b\":\"y\"}\n{\"b\":\"z\",\"a\":3}\n", "1|\"x\"\n2|\"y\"\n3|\"z\"\n");
  raw(schema, "{\"a\":1,\"b\":\"x\"}\n{\"a\": 2,\"b\":\t\"y\"}\n", "1|\"x\"\n2|\"y\"\n");
  raw("a BIGINT", "{}\n{ }\n{\n}", "NULL\nNULL\nNULL\n");
}
END_TEST

START_TEST(keys) {
  raw("id INT, name VARCHAR", "{\"ID\":1,\"Name\":\"x\"}\n{\"id\":2,\"nAME\":\"y\"}", "1|\"x\"\n2|\"y\"\n");
  raw("\"Id\" INT, id INT", "{\"Id\":1,\"id\":2}\n{\"ID\":3}\n{\"iD\":4}\n{\"Id\":5}", "1|2\nNULL|3\nNULL|4\n5|NULL\n");
  raw("id INT", "{\"\\u0069\\u0064\":1}\n{\"\\u0069d\":2}\n{\"id\":3}", "1\n2\n3\n");
  raw("a INT, b INT", "{\"a\":1,\"b\":2}\n{\"a\":1,\"a\":2}\n{\"a\":3,\"b\":4,\"a\":null}\n{\"b\":1,\"b\":2,\"b\":3}",
      "1|2\n2|NULL\nNULL|4\nNULL|3\n");
  raw("a INT", "{\"\":0,\"a\":1}\n{\"\":{\"\":[]},\"a\":2}", "1\n2\n");
  raw("a_column_whose_name_is_longer_than_a_vector INT, b INT",
      "{\"a_column_whose_name_is_longer_than_a_vector\":1,\"b\":2}\n"
      "{\"a_column_whose_name_is_longer_than_a_vector\":3,\"b\":4}\n",
      "1|2\n3|4\n");
  raw("a INT", "{\"a key that no column has, and a long one at that\":1,\"a\":2}\n{\"a\":3}", "2\n3\n");
}
END_TEST

START_TEST(orders_that_change) {
  const char *schema = "a INT, b INT, c INT!, d INT";
  fixture_text text = {0}, expected = {0};
  uint64_t seed = 7;
  for (int i = 0; i < 150; i++) {
    const char *names[] = {"a", "b", "c", "d", "x"};
    int order[] = {0, 1, 2, 3, 4}, values[5];
    bool given[5];
    for (int k = 4; k > 0 && i > 20; k--) {
      int other = (int)(fixture_random(&seed) % (unsigned)(k + 1)), swap = order[k];
      order[k] = order[other];
      order[other] = swap;
    }
    const char *comma = "{";
    for (int k = 0; k < 5; k++) {
      int column = order[k];
      given[column] = column == 2 || fixture_random(&seed) % 4 != 0;
      values[column] = (int)(fixture_random(&seed) % 1000);
      if (!given[column]) continue;
      fixture_print(&text, "%s\"%s\":%d", comma, names[column], values[column]);
      comma = ",";
    }
    fixture_print(&text, "}\n");
    for (int column = 0; column < 4; column++) {
      if (given[column])
        fixture_print(&expected, "%s%d", column ? "|" : "", values[column]);
      else
        fixture_print(&expected, "%sNULL", column ? "|" : "");
    }
    fixture_print(&expected, "\n");
  }
  fixture_result r = fixture_parse(&format_json, RAW, fixture_schema(schema), text.data, text.len,
                                   (fixture_feed){.first = 11, .step = 13, .capacity = 9});
  ck_assert_str_eq(r.brief, expected.data);
  fixture_result_fini(&r);
  free(text.data);
  free(expected.data);
}
END_TEST

START_TEST(missing_and_null) {
  hw_schema *schema = fixture_schema("a INT!, b INT!, c VARCHAR, d VARCHAR!");
  fixture_default(schema, 1, "42");
  fixture_default(schema, 3, "dflt");
  fixture_expect(&format_json, RAW, schema, "{\"a\":1}\n{\"b\":2}\n{\"a\":3,\"b\":null}\n{\"a\":4,\"d\":\"x\"}\n",
                 "1|42|NULL|\"dflt\"\n4|42|NULL|\"x\"\n!missing a @8+7\n!null b @16+16\n");
  hw_schema *nullable = fixture_schema("a INT, b INT");
  fixture_default(nullable, 0, "5");
  fixture_expect(&format_json, RAW, nullable, "{}\n{\"a\":null}\n", "5|NULL\nNULL|NULL\n");
}
END_TEST

START_TEST(unknown_fields) {
  static const char brace[] = "{\"v\":1}\n{\"x\":1,\"v\":2}\n{\"v\":3{\"x\":2}\n{\"v\":4}\n";
  static const char first[] = "{\"v\":1}\n{\"x\":7{\"v\":2}\n{\"w\":7{\"v\":3}\n{\"v\":4}\n";
  const char *schema = "v INT";
  raw(schema, "{\"x\":{\"y\":[1,{\"z\":\"}]\\\"\"}],\"w\":null},\"v\":1}\n{\"x\":[],\"v\":2}\n{\"x\":{},\"v\":3}\n",
      "1\n2\n3\n");
  raw(schema, "{\"x\":-1.5e-7,\"v\":1}\n{\"x\":true,\"v\":2}\n{\"x\":\"\\u00e9\",\"v\":3}\n{\"v\":4,\"x\":[[],[[]]]}\n",
      "1\n2\n3\n4\n");
  /* Anywhere, again, or not at all, after rows that had it: learned with the order, and astray. */
  raw("a INT, b INT",
      "{\"a\":1,\"x\":[1,{\"y\":2}],\"b\":2}\n{\"a\":3,\"b\":4}\n{\"x\":0,\"a\":5,\"b\":6}\n"
      "{\"a\":7,\"b\":8,\"x\":9}\n{\"a\":9,\"x\":1,\"x\":2,\"b\":10,\"x\":\"}\"}\n{\"b\":11,\"x\":5,\"a\":12}\n"
      "{\"x\":1,\"x\":2}\n{\"a\":13,\"x\":1}\n{\"a\":14,\"z\":1,\"b\":15}\n"
      "{\"a\":16,\"b\":17,\"z\":1,\"x\":2,\"z\":3}\n",
      "1|2\n3|4\n5|6\n7|8\n9|10\n12|11\nNULL|NULL\n13|NULL\n14|15\n16|17\n");
  /* Not without what stands before a key, however well its spelling is known. */
  fixture_result r = fixture_all_ways(&format_json, RAW, fixture_schema("v BIGINT"), brace, sizeof brace - 1);
  if (r.n_bad != 1 || strncmp(r.brief, "1\n2\n4\n!", 7) != 0) ck_abort_msg("gives\n%s", r.full);
  fixture_result_fini(&r);
  raw("v INT, w INT", first, "1|NULL\n4|NULL\n!syntax - @8+13\n!syntax - @22+13\n");
  broken("{\"x\":{\"y\":01},\"v\":1}");
  broken("{\"x\":[1,],\"v\":1}");
  broken("{\"x\":{\"y\"},\"v\":1}");
  broken("{\"x\":{,},\"v\":1}");
  broken("{\"x\":[1 2],\"v\":1}");
  broken("{\"x\":[}],\"v\":1}");
  broken("{\"x\":tru,\"v\":1}");
  broken("{\"x\":nul,\"v\":1}");
  broken("{\"x\":\"\\q\",\"v\":1}");
  broken("{\"x\":\"\xff\",\"v\":1}");
  broken("{\"x\":{\"a\":1,},\"v\":1}");
  broken("{\"x\":{1:1},\"v\":1}");
  broken("{\"x\":.5,\"v\":1}");
  broken("{\"x\":+5,\"v\":1}");
}
END_TEST

START_TEST(depth) {
  fixture_text text = {0};
  for (int levels = 63; levels <= 65; levels++) {
    fixture_print(&text, "{\"x\":");
    for (int i = 0; i < levels; i++) fixture_print(&text, "[");
    for (int i = 0; i < levels; i++) fixture_print(&text, "]");
    fixture_print(&text, ",\"v\":%d}\n", levels);
  }
  fixture_print(&text, "{\"v\":1}\n");
  raw("v INT", text.data, "63\n64\n1\n!depth - @282+143\n");
  free(text.data);
  fixture_text deep = {0};
  fixture_print(&deep, "{\"x\":");
  for (int i = 0; i < 10000; i++) fixture_put(&deep, "[{\"a\":", 6);
  fixture_print(&deep, "\n{\"v\":1}\n");
  fixture_result r = fixture_parse(&format_json, RAW, fixture_schema("v INT"), deep.data, deep.len, (fixture_feed){0});
  ck_assert_uint_eq(r.n_rows, 1);
  ck_assert_uint_eq(r.n_bad, 1);
  fixture_result_fini(&r);
  free(deep.data);
}
END_TEST

START_TEST(grammar) {
  static const char *const cases[] = {
      "{\"v\":01}",
      "{\"v\":-}",
      "{\"v\":+1}",
      "{\"v\":1.}",
      "{\"v\":.1}",
      "{\"v\":1e}",
      "{\"v\":1e+}",
      "{\"v\":0x1}",
      "{\"v\":-01}",
      "{\"v\":00}",
      "{\"v\":1 2}",
      "{\"v\":NaN}",
      "{\"v\":Infinity}",
      "{\"v\":-Infinity}",
      "{\"v\":1,}",
      "{,\"v\":1}",
      "{\"v\" 1}",
      "{\"v\":}",
      "{\"v\"}",
      "{\"v\":1",
      "{\"v\":1]",
      "{v:1}",
      "{'v':1}",
      "{\"v\":'1'}",
      "{\"v\":1;\"w\":2}",
      "{\"v\":1,,\"w\":2}",
      "{\"v\"::1}",
      "{\"v\":True}",
      "{\"v\":nulll}",
      "{\"v\":truefalse}",
      "\"v\"",
      "17",
      "true",
      "null",
      "x",
      "}",
      "]",
      ",",
      ":",
      "{\"v\":\x01}",
      "{\"v\":1}}",
      "{\"v\":\"\t\"}",
      "{\"v\":1/**/}",
      "// x",
      "{\"v\":1\x0c}",
      "{\"v\":1\xc2\xa0}",
      "{\"v\":\"\\u12\"}",
      "{\"v\":\"\\u12g4\"}",
      "{\"v\":\"\\ud800\"}",
      "{\"v\":\"\\udc00\"}",
      "{\"v\":\"\\ud800\\u0041\"}",
      "{\"v\":\"\\ud800x\"}",
      "{\"v\":\"\\x41\"}",
      "{\"v\":\"\\\"",
      "{\"v\":\"\x80\"}",
      "{\"v\":\"\xc0\x80\"}",
      "{\"v\":\"\xed\xa0\x80\"}",
      "{\"v\":\"\xf4\x90\x80\x80\"}",
      "{\"v\":\"\xe2\x82\"}",
      "{\"v\x01\":1}",
      "{\"\\z\":1}",
      "{\"\xff\":1}",
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    if (!strcmp(cases[i], "{\"v\":1}}"))
      raw("v BIGINT", "{\"v\":1}}\n{\"v\":7}\n", "1\n7\n!syntax - @7+1\n");
    else
      broken(cases[i]);
  }
}
END_TEST

START_TEST(nul_bytes) {
  static const char text[] = "{\"v\":1}\n{\"v\":\0002}\n\0\n{\"v\":\"\0\"}\n{\"v\":3}\n";
  fixture_expect_bytes(&format_json, RAW, fixture_schema("v INT"), text, sizeof text - 1,
                       "1\n3\n!syntax - @8+8\n!syntax - @17+1\n!escape - @19+9\n");
  raw("s VARCHAR", "{\"s\":\"a\\u0000b\"}\n", "\"a\\0b\"\n");
}
END_TEST

START_TEST(integers) {
  value("TINYINT", "127", "127");
  value("TINYINT", "-128", "-128");
  value("TINYINT", "128", "!range");
  value("TINYINT", "-129", "!range");
  value("SMALLINT", "32767", "32767");
  value("SMALLINT", "32768", "!range");
  value("INT", "-2147483648", "-2147483648");
  value("INT", "2147483648", "!range");
  value("BIGINT", "9223372036854775807", "9223372036854775807");
  value("BIGINT", "-9223372036854775808", "-9223372036854775808");
  value("BIGINT", "9223372036854775808", "!range");
  value("BIGINT", "123456789012345", "123456789012345");
  value("BIGINT", "1234567890123456", "1234567890123456");
  value("BIGINT", "12345678", "12345678");
  value("BIGINT", "123456789", "123456789");
  value("TINYINT UNSIGNED", "255", "255");
  value("TINYINT UNSIGNED", "256", "!range");
  value("TINYINT UNSIGNED", "-1", "!range");
  value("SMALLINT UNSIGNED", "65535", "65535");
  value("INT UNSIGNED", "4294967295", "4294967295");
  value("INT UNSIGNED", "4294967296", "!range");
  value("BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615");
  value("BIGINT UNSIGNED", "18446744073709551616", "!range");
  value("BIGINT UNSIGNED", "-0", "0");
  value("BIGINT", "-0", "0");
  value("BIGINT", "0", "0");
  value("INT", "1.0", "!type");
  value("INT", "1e2", "!type");
  value("INT", "\"17\"", "17");
  value("INT", "\"-17\"", "-17");
  value("INT", "\"\\u0031\"", "1");
  value("INT", "\"x\"", "!type");
  value("INT", "\"\"", "!type");
  value("INT", "\" 1\"", "!type");
  value("INT", "\"99999999999\"", "!range");
  value("INT", "true", "!type");
  value("INT", "{}", "!type");
  value("INT", "[1]", "!type");
}
END_TEST

START_TEST(fractions) {
  value("DOUBLE", "3661.32", "3661.32");
  value("DOUBLE", "0.1", "0.1");
  value("DOUBLE", "1e308", "1e308");
  value("DOUBLE", "1e309", "!range");
  value("DOUBLE", "123456789012345.6", "123456789012345.6");
  value("DOUBLE", "0.30000000000000004", "0.30000000000000004");
  value("DOUBLE", "4.9e-324", "5e-324");
  value("DOUBLE", "\"NaN\"", "NaN");
  value("DOUBLE", "\"-Infinity\"", "-Infinity");
  value("DOUBLE", "\"1.5\"", "1.5");
  value("DOUBLE", "\"abc\"", "!type");
  value("REAL", "0.1", "0.1");
  value("REAL", "1e39", "!range");
  value("DECIMAL(10,2)", "12.34", "12.34");
  value("DECIMAL(10,2)", "12", "12.00");
  value("DECIMAL(10,2)", "-0.01", "-0.01");
  value("DECIMAL(10,2)", "0.005", "0.01");
  value("DECIMAL(10,2)", "-0.005", "-0.01");
  value("DECIMAL(10,2)", "0.0049", "0.00");
  value("DECIMAL(10,2)", "1.2e3", "1200.00");
  value("DECIMAL(10,2)", "99999999.99", "99999999.99");
  value("DECIMAL(10,2)", "100000000", "!range");
  value("DECIMAL(10,2)", "\"12.34\"", "12.34");
  value("DECIMAL(10,2)", "\"x\"", "!type");
  value("DECIMAL(38,0)", "99999999999999999999999999999999999999", "99999999999999999999999999999999999999");
  value("DECIMAL(38,0)", "100000000000000000000000000000000000000", "!range");
  value("DECIMAL(38,38)", "0.5", "0.50000000000000000000000000000000000000");
}
END_TEST

START_TEST(booleans_and_text) {
  value("BOOLEAN", "true", "true");
  value("BOOLEAN", "false", "false");
  value("BOOLEAN", "null", "NULL");
  value("BOOLEAN", "1", "!type");
  value("BOOLEAN", "\"true\"", "!type");
  value("VARCHAR", "\"\"", "\"\"");
  value("VARCHAR", "\"plain\"", "\"plain\"");
  value("VARCHAR", "\"a text that is longer than one vector of sixteen bytes\"",
        "\"a text that is longer than one vector of sixteen bytes\"");
  value("VARCHAR", "\"caf\xc3\xa9\"", "\"caf\xc3\xa9\"");
  value("VARCHAR", "\"\\\"\\\\\\/\\b\\f\\r\\t\"", "\"\"\\/\b\f\r\t\"");
  value("VARCHAR", "\"\\u00e9\\u20ac\\ud83d\\ude00\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
  value("VARCHAR", "\"\\uD83D\\uDE00\\u004a\"", "\"\xf0\x9f\x98\x80J\"");
  value("VARCHAR", "17", "!type");
  value("VARCHAR", "true", "!type");
  value("VARCHAR", "{\"a\":[]}", "!type");
  value("VARCHAR(3)", "\"abc\"", "\"abc\"");
  value("VARCHAR(3)", "\"\xc3\xa9\xc3\xa9\xc3\xa9\"", "\"\xc3\xa9\xc3\xa9\xc3\xa9\"");
  value("VARCHAR(3)", "\"abcd\"", "!length");
  value("VARCHAR(3)", "\"abc \"", "!length");
  value("CHAR(4)", "\"ab\"", "\"ab  \"");
  value("CHAR(4)", "\"\xc3\xa9\"", "\"\xc3\xa9   \"");
  value("CHAR(4)", "\"abcd\"", "\"abcd\"");
  value("CHAR(4)", "\"abcde\"", "!length");
}
END_TEST

START_TEST(binary) {
  value("VARBINARY", "[]", "x");
  value("VARBINARY", "[0,255,16]", "x00ff10");
  value("VARBINARY", "[ 1 , 2 ]", "x0102");
  value("VARBINARY", "[256]", "!range");
  value("VARBINARY", "[1.5]", "!range");
  value("VARBINARY", "\"abc\"", "!type");
  value("VARBINARY", "7", "!type");
  value("VARBINARY(2)", "[1,2,3]", "!length");
  value("BINARY(2)", "[1,2]", "x0102");
  broken("{\"v\":[1,]}");
  raw("v VARBINARY", "{\"v\":[-1]}\n{\"v\":[1]}\n", "x01\n!syntax - @0+10\n");
  raw("v VARBINARY", "{\"v\":[\"a\"]}\n{\"v\":[1]}\n", "x01\n!syntax - @0+11\n");
}
END_TEST

START_TEST(times) {
  value("TIMESTAMP", "\"2026-01-02T03:04:05.695Z\"", "2026-01-02 03:04:05.695");
  value("TIMESTAMP", "\"2026-01-02 03:04:05\"", "2026-01-02 03:04:05");
  value("TIMESTAMP", "\"2026-01-02T03:04:05+02:00\"", "2026-01-02 01:04:05");
  value("TIMESTAMP", "\"2026-01-02T03:04:05.1234567Z\"", "2026-01-02 03:04:05.123456");
  value("TIMESTAMP", "\"2026-01-02\"", "2026-01-02 00:00:00");
  value("TIMESTAMP", "\"1969-12-31 23:59:59.999999\"", "1969-12-31 23:59:59.999999");
  value("TIMESTAMP", "\"0001-01-01 00:00:00\"", "0001-01-01 00:00:00");
  value("TIMESTAMP", "\"9999-12-31 23:59:59.999999\"", "9999-12-31 23:59:59.999999");
  value("TIMESTAMP", "\"2024-02-29 00:00:00\"", "2024-02-29 00:00:00");
  value("TIMESTAMP", "\"2023-02-29 00:00:00\"", "!range");
  value("TIMESTAMP", "\"2026-13-02 03:04:05\"", "!range");
  value("TIMESTAMP", "\"2026-01-02 24:00:00\"", "!range");
  value("TIMESTAMP", "\"yesterday\"", "!type");
  value("TIMESTAMP", "1767322800", "!type");
  value("DATE", "\"2026-01-02\"", "2026-01-02");
  value("DATE", "\"1900-02-28\"", "1900-02-28");
  value("DATE", "\"1900-02-29\"", "!range");
  value("DATE", "\"1500-03-01\"", "1500-03-01");
  value("DATE", "20260102", "!type");
  value("TIME", "\"03:04:05.5\"", "03:04:05.5");
  value("TIME", "\"25:00:00\"", "!range");
  value("UUID", "\"00112233-4455-6677-8899-aabbccddeeff\"", "00112233-4455-6677-8899-aabbccddeeff");
  value("UUID", "\"00112233445566778899AABBCCDDEEFF\"", "00112233-4455-6677-8899-aabbccddeeff");
  value("UUID", "\"0011\"", "!type");
}
END_TEST

START_TEST(every_day) {
  /* the fast reader of dates against the strict one, which spaces force */
  fixture_text fast = {0}, strict = {0};
  for (int i = 0; i < 400; i++) {
    int year = 1590 + i * 21, month = 1 + i % 12, day = 1 + i * 7 % 31;
    fixture_print(&fast, "{\"v\":\"%04d-%02d-%02d\",\"w\":\"%04d-%02d-%02dT00:00:00Z\"}\n", year, month, day, year,
                  month, day);
    fixture_print(&strict, "{\"v\":\"%04d-%02d-%02d\" ,\"w\":\"%04d-%02d-%02dT00:00:00Z\" }\n", year, month, day, year,
                  month, day);
  }
  hw_schema *schema = fixture_schema("v DATE, w TIMESTAMP");
  fixture_result a = fixture_parse(&format_json, RAW, schema, fast.data, fast.len, (fixture_feed){0});
  fixture_result b = fixture_parse(&format_json, RAW, schema, strict.data, strict.len, (fixture_feed){0});
  ck_assert_uint_gt(a.n_rows, 350);
  ck_assert_uint_eq(a.n_rows + a.n_bad, 400);
  ck_assert_uint_eq(a.n_rows, b.n_rows);
  *strchr(a.brief, '!') = '\0';
  *strchr(b.brief, '!') = '\0';
  ck_assert_str_eq(a.brief, b.brief);
  fixture_result_fini(&a);
  fixture_result_fini(&b);
  free(fast.data);
  free(strict.data);
}
END_TEST

/* Told as soon as it can be: a fault that the bytes there show is not one of the end. */
START_TEST(cut_escapes) {
  const hw_schema *schema = fixture_schema("v VARCHAR");
  static const struct {
    const char *text, *tag;
  } cases[] = {{"{\"v\":\"\\u12\"}", "escape"},      {"{\"v\":\"\\ud800\"}", "escape"},
               {"{\"v\":\"\\ud800\\\"}", "escape"},  {"{\"v\":\"\\ud800\\u\"}", "escape"},
               {"{\"v\":\"\\u12", "truncated"},        {"{\"v\":\"\\ud800", "truncated"},
               {"{\"v\":\"\\ud800\\udc0", "truncated"}, {"{\"v\":\"\\", "truncated"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fixture_text expected = {0};
    fixture_print(&expected, "!%s - @0+%zu\n", cases[i].tag, strlen(cases[i].text));
    fixture_expect(&format_json, RAW, schema, cases[i].text, expected.data);
    fixture_expect(&format_json, RAW_SINGLE, schema, cases[i].text, expected.data);
    free(expected.data);
  }
}
END_TEST

START_TEST(positional) {
  const char *schema = "a INT!, b VARCHAR, c INT";
  raw(schema, "[1,\"x\",2]\n[ 1 , \"x\" , null ]\n[1]\n[]\n[1,2]\n[1,\"x\",2,3]\n[4,null,5]\n",
      "1|\"x\"|2\n1|\"x\"|NULL\n1|NULL|NULL\n4|NULL|5\n!missing a @33+2\n!type b @36+5\n!columns - @42+11\n");
  fixture_expect(&format_json, "", fixture_schema(schema), "{\"insert\":[1,\"x\",2]}{\"delete\":[1]}",
                 "1|\"x\"|2\n-1* 1|NULL|NULL\n");
}
END_TEST

START_TEST(envelopes) {
  updates("{\"insert\":{\"a\":1,\"b\":\"x\"}}\n{\"delete\":{\"a\":1}}\n{ \"insert\" : { \"a\" : 2 } }\n",
          "1|\"x\"\n-1* 1|NULL\n2|NULL\n");
  updates("{\"delete\":{\"a\":1}}{\"insert\":{\"a\":1}}", "-1* 1|NULL\n1|NULL\n");
  updates("{\"a\":1}\n{\"insert\":{\"a\":1}}\n", "1|NULL\n!update - @0+7\n");
  updates("{\"update\":{\"a\":1}}\n{\"insert\":{\"a\":2}}\n", "2|NULL\n!update - @0+18\n");
  updates("{}\n{\"insert\":5}\n{\"insert\":null}\n{\"insert\":{\"a\":2}}\n",
          "2|NULL\n!update - @0+2\n!update - @3+12\n!update - @16+15\n");
  updates("{\"insert\":{\"a\":1},\"delete\":{\"a\":1}}\n{\"insert\":{\"a\":2}}\n", "2|NULL\n!update - @0+35\n");
  updates("[1]\n{\"insert\":{\"a\":2}}\n", "2|NULL\n!record - @0+3\n");
  updates("{\"delete\":{\"a\":\"x\"}}\n{\"insert\":{\"a\":\"y\"}}{\"insert\":{\"a\":2}}\n",
          "2|NULL\n!type a @0+20\n!type a @21+20\n");
}
END_TEST

START_TEST(resynchronising) {
  const char *schema = "a INT, b INT";
  /* a broken line does not take the next one with it */
  raw(schema, "{\"a\":1\n{\"a\":2}\n{\"a\":\"3\n{\"a\":4}\n", "2|NULL\n4|NULL\n!syntax - @0+6\n!escape - @15+7\n");
  /* a row that does not fit does not take the rest of its line with it */
  raw(schema, "{\"a\":\"x\"}{\"a\":2}{\"a\":[}]}{\"a\":3}\n{\"a\":4}\n",
      "2|NULL\n4|NULL\n!type a @0+9\n!type a @16+16\n");
  /* a document over several lines is given up as a whole */
  raw(schema, "{\n \"a\": 1,\n \"b\": x,\n \"c\": {\"a\": 5}\n}\n{\n \"a\": 2\n}\n", "2|NULL\n!syntax - @0+36\n");
  raw(schema, "{\"a\":1,\n\"b\":\"x\"\n}\n{\"a\":2}\n", "2|NULL\n!type b @0+17\n");
  /* what the end cuts off */
  raw(schema, "{\"a\":1}\n{\"a\":", "1|NULL\n!truncated - @8+5\n");
  raw(schema, "{\"a\":1}\n{\"a\":12", "1|NULL\n!truncated - @8+7\n");
  raw(schema, "{\"a\":1}\n{\"a\":\"x", "1|NULL\n!truncated - @8+7\n");
  raw(schema, "{\"a\":[1,\n{\"a\":2}\n", "2|NULL\n!type a @0+8\n");
  raw(schema, "{\"x\":[1,\n{\"a\":2}\n{\"a\":3}", "2|NULL\n3|NULL\n!syntax - @0+8\n");
}
END_TEST

START_TEST(single_lines) {
  hw_schema *schema = fixture_schema("a INT");
  fixture_expect(&format_json, RAW_SINGLE, schema,
                 "{\"a\":1}\n\n {\"a\":2} \r\n{\"a\":3}{\"a\":4}\n{\"a\":5}x\n{\"a\":6}",
                 "1\n2\n6\n!syntax - @20+14\n!syntax - @35+8\n");
  fixture_expect(&format_json, RAW_SINGLE, schema, "{\"a\":\n1}\n{\"a\":2}\n{\"a\":\"x\"}{\"a\":4}\n",
                 "2\n!truncated - @0+5\n!syntax - @6+2\n!type a @17+16\n");
}
END_TEST

START_TEST(arrays) {
  hw_schema *schema = fixture_schema("a INT");
  const char *options = RAW_ARRAY;
  fixture_expect(&format_json, options, schema, "[]", "");
  fixture_expect(&format_json, options, schema, "[{\"a\":1},{\"a\":2}]\n[ {\"a\":3} ]\n[\n]\n[{\"a\":4}][[5]]",
                 "1\n2\n3\n4\n5\n");
  fixture_expect(&format_json, options, schema, "[\n {\"a\":1},\n {\"a\":\"x\"},\n {\"a\":3}\n]\n",
                 "1\n3\n!type a @13+9\n");
  /* broken elements whose end can be found */
  fixture_expect(&format_json, options, schema, "[{\"a\":01},{\"a\":2},{\"a\" 3},{\"a\":4}]",
                 "2\n4\n!syntax - @1+8\n!syntax - @18+7\n");
  fixture_expect(&format_json, options, schema, "[x,{\"a\":2},[1,2],{\"a\":\"],\\\"\",z},{\"a\":4}]",
                 "2\n4\n!syntax - @1+1\n!columns - @11+5\n!type a @17+14\n");
  fixture_expect(&format_json, options, schema, "[{\"a\":1} {\"a\":2},{\"a\":3},]\n[{\"a\":4}]",
                 "1\n3\n4\n!syntax - @9+7\n!syntax - @25+0\n");
  fixture_expect(&format_json, options, schema, "[1,[2]],{\"a\":3}\n[[4]]", "2\n4\n!syntax - @1+1\n!syntax - @7+8\n");
  /* broken elements whose end cannot be found: on at a line that can start one */
  fixture_expect(&format_json, options, schema, "[\n{\"a\":1},\n{\"a\":\"x\n},\n{\"a\":3}\n]\n[{\"a\":4}]",
                 "1\n3\n4\n!escape - @11+10\n");
  fixture_expect(&format_json, options, schema, "[{\"a\":1},{\"a\":2,{\"a\":3}]\n[{\"a\":4}]\n",
                 "1\n4\n!syntax - @9+15\n");
  /* what the end cuts off */
  fixture_expect(&format_json, options, schema, "[{\"a\":1}", "1\n!truncated - @8+0\n");
  fixture_expect(&format_json, options, schema, "[{\"a\":1},{\"a\"", "1\n!truncated - @9+4\n!truncated - @13+0\n");
  /* not an array */
  fixture_expect(&format_json, options, schema, "{\"a\":1}\n[{\"a\":2}]", "2\n!record - @0+7\n");
  fixture_expect(&format_json, "\"array\": true", schema,
                 "[{\"insert\":{\"a\":1}},{\"delete\":{\"a\":2}},{\"x\":{}},{\"insert\":{\"a\":3}}]",
                 "1\n-1* 2\n3\n!update - @39+8\n");
}
END_TEST

static void encodes(const char *options, const hw_batch *batch, const char *expected, const char *expected_faults) {
  for (size_t limit = 0; limit < 40; limit += 13) {
    char *faults;
    char *text = fixture_encode(&format_json, options, batch, limit, NULL, &faults);
    ck_assert_str_eq(text, expected);
    ck_assert_str_eq(faults, expected_faults);
    free(text);
    free(faults);
  }
}

START_TEST(encoding) {
  const hw_schema *schema = fixture_schema("id INT, \"Na\\\"me\" VARCHAR");
  int64_t weights[] = {1, -1, 3, 0, 2000000, -2};
  const hw_batch *batch = fixture_batch(
      schema, "[1,\"a\"][2,\"b\\n\\\"\\\\\\u0001\\u007f\xc3\xa9\"][3,null][4,null][5,null][6,\"\"]", weights);
  encodes("\"update_format\": \"raw\"", batch,
          "{\"id\":1,\"Na\\\\\\\"me\":\"a\"}\n{\"id\":3,\"Na\\\\\\\"me\":null}\n{\"id\":3,\"Na\\\\\\\"me\":null}\n{"
          "\"id\":3,\"Na\\\\\\\"me\":null}\n",
          "!delete 1\n!weight 4\n!delete 5\n");
  batch = fixture_batch(fixture_schema("a INT, b VARCHAR"),
                        "[1,\"a\"][2,\"b\\n\\\"\\\\\\u0001\\u007f\xc3\xa9/\"][3,null]", weights);
  encodes("", batch,
          "{\"insert\":{\"a\":1,\"b\":\"a\"}}\n{\"delete\":{\"a\":2,\"b\":\"b\\n\\\"\\\\\\u0001\x7f\xc3\xa9/\"}}\n"
          "{\"insert\":{\"a\":3,\"b\":null}}\n{\"insert\":{\"a\":3,\"b\":null}}\n{\"insert\":{\"a\":3,\"b\":null}}\n",
          "");
  batch = fixture_batch(fixture_schema("a INT"), "[1][2]", NULL);
  encodes("\"update_format\": \"raw\", \"array\": true", batch, "[\n{\"a\":1},\n{\"a\":2}\n]\n", "");
  encodes("\"array\": true", fixture_batch(fixture_schema("a INT"), "", NULL), "[\n]\n", "");
  batch = fixture_batch(fixture_schema("d DOUBLE, r REAL, v VARBINARY, t TIME, ok BOOLEAN, m DECIMAL(20,3)"),
                        "[\"NaN\",\"-Infinity\",[1,255],\"01:02:03.5\",true,12345678901234567.5]", NULL);
  encodes("\"update_format\": \"raw\"", batch,
          "{\"d\":\"NaN\",\"r\":\"-Infinity\",\"v\":[1,255],\"t\":\"01:02:03.5\",\"ok\":true,\"m\":12345678901234567."
          "500}\n",
          "");
}
END_TEST

START_TEST(encoding_selected) {
  hw_batch *batch = fixture_batch(fixture_schema("a INT"), "[0][1][2][3][4]", NULL);
  uint32_t rows[] = {1, 4};
  batch->sel = rows;
  batch->n_sel = 2;
  encodes("\"update_format\": \"raw\"", batch, "{\"a\":1}\n{\"a\":4}\n", "");
}
END_TEST

/* An expected key is recognized behind the end of the data, too, and what seems to be its text has a byte
 * above 0x7f where the padding ends: nothing is read beyond. Sanitizers tell. */
START_TEST(text_that_seems_to_follow_the_data_is_not_read) {
#define ROW "{\"a\":\"x\",\"a_name_of_twenty_six_bytes\":\"0123456789012345678901234567890\xc3\xa9\"}"
  static const char stream[] = ROW "\n" ROW "\n";
  const hw_schema *schema = fixture_schema("a VARCHAR, a_name_of_twenty_six_bytes VARCHAR");
  fixture_feed feed = {.first = strlen(ROW "\n{\"a\":\"x\"")};
  fixture_result whole = fixture_parse(&format_json, RAW, schema, stream, strlen(stream), (fixture_feed){0});
  ck_assert_uint_eq(whole.n_rows, 2);
  fixture_check_same(&whole, &format_json, RAW, schema, stream, strlen(stream), feed);
  fixture_result_fini(&whole);
#undef ROW
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_json");
  TCase *reading = tcase_create("reading"), *writing = tcase_create("writing");
  tcase_set_timeout(reading, 60);
  tcase_add_test(reading, nulls_and_what_follows);
  tcase_add_test(reading, pandas);
  tcase_add_test(reading, debezium);
  tcase_add_test(reading, rows_and_blanks);
  tcase_add_test(reading, keys);
  tcase_add_test(reading, orders_that_change);
  tcase_add_test(reading, missing_and_null);
  tcase_add_test(reading, unknown_fields);
  tcase_add_test(reading, depth);
  tcase_add_test(reading, grammar);
  tcase_add_test(reading, nul_bytes);
  tcase_add_test(reading, integers);
  tcase_add_test(reading, fractions);
  tcase_add_test(reading, booleans_and_text);
  tcase_add_test(reading, binary);
  tcase_add_test(reading, times);
  tcase_add_test(reading, every_day);
  tcase_add_test(reading, cut_escapes);
  tcase_add_test(reading, text_that_seems_to_follow_the_data_is_not_read);
  tcase_add_test(reading, positional);
  tcase_add_test(reading, envelopes);
  tcase_add_test(reading, resynchronising);
  tcase_add_test(reading, single_lines);
  tcase_add_test(reading, arrays);
  tcase_add_test(writing, encoding);
  tcase_add_test(writing, encoding_selected);
  suite_add_tcase(suite, reading);
  suite_add_tcase(suite, writing);
  return fixture_run(suite);
}
