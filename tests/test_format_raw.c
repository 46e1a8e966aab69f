/* test_format_raw.c - the raw format: lines and blobs. */
#include "tests/format_fixture.h"

#include <string.h>

#define BLOB "\"mode\": \"blob\""

START_TEST(lines) {
  hw_schema *schema = fixture_schema("v VARCHAR");
  fixture_expect(&format_raw, "", schema, "", "");
  fixture_expect(&format_raw, "", schema, "a\nb\r\n\n c \nd", "\"a\"\n\"b\"\n\"\"\n\" c \"\n\"d\"\n");
  fixture_expect(&format_raw, "", schema, "a\rb\nc\r", "\"a\rb\"\n\"c\r\"\n");
  fixture_expect(&format_raw, "", schema, "plain\n\"quoted\" \\ \x01\n", "\"plain\"\n\"\"quoted\" \\ \x01\"\n");
  fixture_expect(&format_raw, "", schema, "caf\xc3\xa9\n\xff\xfe\nok\xc3\n\xe2\x82\xac",
                 "\"caf\xc3\xa9\"\n\"\xe2\x82\xac\"\n!utf8 v @6+2\n!utf8 v @9+3\n");
  fixture_expect(&format_raw, "", fixture_schema("v VARCHAR(3)"), "abc\nabcd\n\xc3\xa9\xc3\xa9\xc3\xa9\n",
                 "\"abc\"\n\"\xc3\xa9\xc3\xa9\xc3\xa9\"\n!length v @4+4\n");
  static const char nul[] = "a\0b\n";
  fixture_expect_bytes(&format_raw, "", schema, nul, sizeof nul - 1, "\"a\\0b\"\n");
}
END_TEST

START_TEST(bytes) {
  fixture_expect(&format_raw, "", fixture_schema("v VARBINARY"), "\xff\xfe\nab\n", "xfffe\nx6162\n");
  fixture_expect(&format_raw, "", fixture_schema("v VARBINARY(1)"), "ab\nc\n", "x63\n!length v @0+2\n");
}
END_TEST

START_TEST(blobs) {
  fixture_expect(&format_raw, BLOB, fixture_schema("v VARCHAR"), "", "");
  fixture_expect(&format_raw, BLOB, fixture_schema("v VARCHAR"), "a\nb\r\n", "\"a\nb\r\n\"\n");
  fixture_expect(&format_raw, BLOB, fixture_schema("v VARBINARY"), "\xff\n", "xff0a\n");
  fixture_expect(&format_raw, BLOB, fixture_schema("v VARCHAR"), "a\xff", "!utf8 v @0+2\n");
}
END_TEST

START_TEST(other_columns) {
  hw_schema *schema = fixture_schema("id INT, line VARCHAR, n INT!");
  fixture_default(schema, 2, "42");
  fixture_expect(&format_raw, "", schema, "x\ny\n", "NULL|\"x\"|42\nNULL|\"y\"|42\n");
  fixture_expect(&format_raw, "\"column_name\": \"B\"", fixture_schema("a VARCHAR, b VARCHAR"), "x", "NULL|\"x\"\n");
}
END_TEST

START_TEST(refusals) {
  fixture_expect_refusal(&format_raw, true, "", fixture_schema("a INT"), "no VARCHAR or VARBINARY column");
  fixture_expect_refusal(&format_raw, true, "", fixture_schema("a VARCHAR, b VARCHAR"), "column_name");
  fixture_expect_refusal(&format_raw, true, "\"column_name\": \"c\"", fixture_schema("a VARCHAR"), "no column \"c\"");
  fixture_expect_refusal(&format_raw, true, "\"column_name\": \"a\"", fixture_schema("a INT, b VARCHAR"),
                         "must be VARCHAR");
  fixture_expect_refusal(&format_raw, true, "", fixture_schema("a VARCHAR, b INT!"), "NOT NULL without DEFAULT");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_raw");
  TCase *all = tcase_create("reading");
  tcase_add_test(all, lines);
  tcase_add_test(all, bytes);
  tcase_add_test(all, blobs);
  tcase_add_test(all, other_columns);
  tcase_add_test(all, refusals);
  suite_add_tcase(suite, all);
  return fixture_run(suite);
}
