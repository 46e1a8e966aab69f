/* test_format_rfc4180.c - every rule of RFC 4180, in its order, and what docs/formats.md adds
 * to each. Dialects, types and headers beyond the RFC are in test_format_csv.c. */
#include "tests/format_fixture.h"

#include <stdlib.h>
#include <string.h>

#define STRICT "\"flexible\": false"

typedef struct rule_case {
  const char *options, *text, *expected;
} rule_case;

/* Three columns of text, for records of three cells. */
static void check_cases(const rule_case *cases, size_t n) {
  const hw_schema *schema = fixture_schema("a VARCHAR, b VARCHAR, c VARCHAR");
  for (size_t i = 0; i < n; i++)
    fixture_expect(&format_csv, cases[i].options, schema, cases[i].text, cases[i].expected);
}
#define CHECK(cases) check_cases(cases, sizeof(cases) / sizeof *(cases))

/* 2.1: each record is on a line of its own, which CR LF ends. */
START_TEST(records_and_line_ends) {
  static const rule_case cases[] = {
      {"", "aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", "\"aaa\"|\"bbb\"|\"ccc\"\n\"zzz\"|\"yyy\"|\"xxx\"\n"},
      {"", "aaa,bbb,ccc\nzzz,yyy,xxx\n", "\"aaa\"|\"bbb\"|\"ccc\"\n\"zzz\"|\"yyy\"|\"xxx\"\n"}, /* LF alone */
      {"", "a,b,c\r\nd,e,f\ng,h,i\r\n", "\"a\"|\"b\"|\"c\"\n\"d\"|\"e\"|\"f\"\n\"g\"|\"h\"|\"i\"\n"},
      {"", "a,b,c\rd,e\n", "\"a\"|\"b\"|\"c\rd\"\n"},    /* CR alone ends nothing: c CR d is a cell, e one too many */
      {"", "a,b,c\r\r\n", "\"a\"|\"b\"|\"c\r\"\n"},      /* the last CR belongs to the LF */
      {"", "a,b,\r\n", "\"a\"|\"b\"|NULL\n"},            /* and to no cell */
      {"", "a,b,\"c\"\r\n", "\"a\"|\"b\"|\"c\"\n"},
      {"", "a,b,\"c\"\rx\n", "!syntax - @0+9\n"},
      {"", "a,b,c\n\rd,e,f\n", "\"a\"|\"b\"|\"c\"\n\"\rd\"|\"e\"|\"f\"\n"},
      {"", "a,b,c\r\n\r\n\nd,e,f", "\"a\"|\"b\"|\"c\"\n\"d\"|\"e\"|\"f\"\n"}, /* blank lines are no records */
      {"", "\r\n", ""},
      {"", "", ""},
  };
  CHECK(cases);
}
END_TEST

/* 2.2: the last record may have a line end or not. */
START_TEST(the_last_line_end) {
  static const rule_case cases[] = {
      {"", "a,b,c\r\nd,e,f", "\"a\"|\"b\"|\"c\"\n\"d\"|\"e\"|\"f\"\n"},
      {"", "a,b,c\r\nd,e,f\r\n", "\"a\"|\"b\"|\"c\"\n\"d\"|\"e\"|\"f\"\n"},
      {"", "a,b,c\r\nd,e,f\r", "\"a\"|\"b\"|\"c\"\n\"d\"|\"e\"|\"f\"\n"}, /* half of one */
      {"", "a,b,\"c\"", "\"a\"|\"b\"|\"c\"\n"},
      {"", "a,b,\"c\"\r", "\"a\"|\"b\"|\"c\"\n"},
      {"", "a,b,", "\"a\"|\"b\"|NULL\n"},
      {"", "a,b,\"\"", "\"a\"|\"b\"|\"\"\n"},
      {"", ",,", "NULL|NULL|NULL\n"},
  };
  CHECK(cases);
}
END_TEST

/* 2.3: there may be a header, of as many names as records have cells. */
START_TEST(the_header) {
  static const rule_case cases[] = {
      {"\"headers\": true", "a,b,c\r\naaa,bbb,ccc\r\n", "\"aaa\"|\"bbb\"|\"ccc\"\n"},
      {"\"headers\": true", "c,a,b\r\nccc,aaa,bbb\r\n", "\"aaa\"|\"bbb\"|\"ccc\"\n"},
      {"\"headers\": true", "\"a\",\"b\",c\n1,2,3", "\"1\"|\"2\"|\"3\"\n"},
      {"\"headers\": true", "a,b,c", ""},
      {"\"headers\": true", "a,b,c\n", ""},
      {"\"headers\": true", "", ""},
      {"\"headers\": true", "\n\r\na,b,c\n1,2,3\n", "\"1\"|\"2\"|\"3\"\n"},
      /* unless said, it is a record */
      {"", "a,b,c\r\naaa,bbb,ccc\r\n", "\"a\"|\"b\"|\"c\"\n\"aaa\"|\"bbb\"|\"ccc\"\n"},
      {"\"headers\": true, " STRICT, "a,b\r\n1,2\r\n1,2,3\r\n1\r\n",
       "\"1\"|\"2\"|NULL\n!cells - @10+5\n!cells - @17+1\n"},
      {"\"headers\": true", "a,\"b\nb\",c\n1,2,3\n", "\"1\"|NULL|\"3\"\n"}, /* a name on two lines */
      {"\"headers\": true", "a,\"b\"\"\",c\n1,2,3\n", "\"1\"|NULL|\"3\"\n"},
  };
  CHECK(cases);
}
END_TEST

/* 2.4: cells are separated by commas, as many in each record; blanks belong to them, and
 * the last is not followed by one: what stands behind a comma is a cell, if an empty one. */
START_TEST(cells) {
  static const rule_case cases[] = {
      {"", "aaa,bbb,ccc\r\n", "\"aaa\"|\"bbb\"|\"ccc\"\n"},
      {"", " aaa , b b,\tccc \r\n", "\" aaa \"|\" b b\"|\"\tccc \"\n"},
      {"", " , ,  \n", "\" \"|\" \"|\"  \"\n"},
      {"", "a;b;c\n", "\"a;b;c\"|NULL|NULL\n"},
      {STRICT, "a,b,c\na,b\na,b,c,d\na,b,c,\na,b,\n,,\n,\n",
       "\"a\"|\"b\"|\"c\"\n\"a\"|\"b\"|NULL\nNULL|NULL|NULL\n!cells - @6+3\n!cells - @10+7\n!cells - @18+6\n"
       "!cells - @33+1\n"},
      {"", "a,b\na,b,c,d\na,b,c,\n", "\"a\"|\"b\"|NULL\n\"a\"|\"b\"|\"c\"\n\"a\"|\"b\"|\"c\"\n"},
      {"", ",b,c\na,,c\na,b,\n", "NULL|\"b\"|\"c\"\n\"a\"|NULL|\"c\"\n\"a\"|\"b\"|NULL\n"},
  };
  CHECK(cases);
}
END_TEST

/* 2.5: a cell may be in quotes, and is then what stands between them. One that is not may
 * not have any: here they are text, which the RFC's grammar would refuse. */
START_TEST(quotes) {
  static const rule_case cases[] = {
      {"", "\"aaa\",\"bbb\",\"ccc\"\r\nzzz,yyy,xxx", "\"aaa\"|\"bbb\"|\"ccc\"\n\"zzz\"|\"yyy\"|\"xxx\"\n"},
      {"", "\"aaa\",bbb,\"ccc\"\n", "\"aaa\"|\"bbb\"|\"ccc\"\n"},
      {"", "\"\",,\" \"\n", "\"\"|NULL|\" \"\n"},
      {"", "a\"a,b\",\"c\"\n", "\"a\"a\"|\"b\"\"|\"c\"\n"},
      {"", "a\"\"a,b\"\",c\n", "\"a\"\"a\"|\"b\"\"\"|\"c\"\n"},
      {"", " \"a\",b,c\n", "\" \"a\"\"|\"b\"|\"c\"\n"}, /* a blank before them: they do not begin the cell */
      {"", "\"a\" ,b,c\nd,e,f\n", "\"d\"|\"e\"|\"f\"\n!syntax - @0+8\n"},
      {"", "\"a\"a,b,c\nd,e,f\n", "\"d\"|\"e\"|\"f\"\n!syntax - @0+8\n"},
      {"", "\"a\"\"b\" c\",b,c\nd,e,f\n", "\"d\"|\"e\"|\"f\"\n!syntax - @0+13\n"},
      {"", "a,\"b,c\nd,e,f\n", "\"d\"|\"e\"|\"f\"\n!truncated - @0+6\n"}, /* never closed */
      {"", "a,b,\"", "!truncated - @0+5\n"},
      {"", "'a','b,c','d'\n", "\"'a'\"|\"'b\"|\"c'\"\n"}, /* no quotes at all */
  };
  CHECK(cases);
}
END_TEST

/* 2.6: cells with line ends, quotes or commas are in quotes. */
START_TEST(what_needs_quotes) {
  static const rule_case cases[] = {
      {"", "\"aaa\",\"b\r\nbb\",\"ccc\"\r\nzzz,yyy,xxx", "\"aaa\"|\"b\r\nbb\"|\"ccc\"\n\"zzz\"|\"yyy\"|\"xxx\"\n"},
      {"", "\"\n\",\"\r\",\"\r\n\"\n", "\"\n\"|\"\r\"|\"\r\n\"\n"},
      {"", "\"a\n\n\nb\",\"\n\n\",c\n", "\"a\n\n\nb\"|\"\n\n\"|\"c\"\n"},
      {"", "\",\",\",,\",\"a,b\"\n", "\",\"|\",,\"|\"a,b\"\n"},
      {"", "\"a,b\",c\n", "\"a,b\"|\"c\"|NULL\n"},
      {"", "\"a\nb\",\"c\n", "!truncated - @0+2\n!truncated - @3+5\n"},
  };
  CHECK(cases);
}
END_TEST

/* 2.7: a quote inside quotes is written twice. */
START_TEST(doubled_quotes) {
  static const rule_case cases[] = {
      {"", "\"aaa\",\"b\"\"bb\",\"ccc\"\r\n", "\"aaa\"|\"b\"bb\"|\"ccc\"\n"},
      {"", "\"\"\"\",\"\"\"\"\"\",\"\"\"a\"\"\"\n", "\"\"\"|\"\"\"\"|\"\"a\"\"\n"},
      {"", "\"a\"\",\"\"b\",\"\"\",\"\"\",\"\"\"\n\"\"\"\n", "\"a\",\"b\"|\"\",\"\"|\"\"\n\"\"\n"},
      {"", "\"\"\",b,c\nd,e,f\n", "\"d\"|\"e\"|\"f\"\n!truncated - @0+7\n"},
      {"", "\"a\\\"b\",c\n", "!syntax - @0+8\n"}, /* a backslash is nothing special */
      {"", "\"a\\\",b,c\n", "\"a\\\"|\"b\"|\"c\"\n"},
  };
  CHECK(cases);
}
END_TEST

/* The grammar's TEXTDATA, bare and in quotes: and here any byte else as well, in UTF-8. */
START_TEST(every_byte) {
  const hw_schema *text_columns = fixture_schema("a VARCHAR, b VARCHAR, c VARCHAR");
  for (int c = 0; c < 0x100; c++) {
    char bare[] = {'x', (char)c, 'y', ',', '"', 'x', (char)c, (char)c, 'y', '"', ',', 'z', '\n'};
    char shown[] = {c ? (char)c : '\\', c ? '\0' : '0', '\0'};
    fixture_text expected = {0};
    bool special = c == ',' || c == '"' || c == '\n';
    if (special) continue; /* the rules above */
    if (c < 0x80)
      fixture_print(&expected, "\"x%sy\"|\"x%s%sy\"|\"z\"\n", shown, shown, shown);
    else
      fixture_print(&expected, "!utf8 a @0+12\n");
    fixture_expect_bytes(&format_csv, "", text_columns, bare, sizeof bare, expected.data);
    free(expected.data);
  }
}
END_TEST

START_TEST(utf8) {
  static const rule_case cases[] = {
      {"", "caf\xc3\xa9,\"\xe2\x82\xac\",\xf0\x9f\x98\x80\n",
       "\"caf\xc3\xa9\"|\"\xe2\x82\xac\"|\"\xf0\x9f\x98\x80\"\n"},
      {"", "\xef\xbb\xbf\"a\",b,c\n", "\"a\"|\"b\"|\"c\"\n"}, /* a mark may open the stream */
      /* and is text elsewhere */
      {"", "a,\xef\xbb\xbf" "b,c\n\xef\xbb\xbf" "d,e,f\ng,h,i\n",
       "\"a\"|\"\xef\xbb\xbf" "b\"|\"c\"\n\"\xef\xbb\xbf" "d\"|\"e\"|\"f\"\n\"g\"|\"h\"|\"i\"\n"},
      {"", "a,\xed\xa0\x80,c\n", "!utf8 b @0+7\n"},
      {"", "a,b,\"\xc0\x80\"\n", "!utf8 c @0+8\n"},
      {"", "a,b,c,\xff\n", "\"a\"|\"b\"|\"c\"\n"}, /* in no column */
  };
  CHECK(cases);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rfc4180");
  TCase *all = tcase_create("rules");
  tcase_set_timeout(all, 60);
  tcase_add_test(all, records_and_line_ends);
  tcase_add_test(all, the_last_line_end);
  tcase_add_test(all, the_header);
  tcase_add_test(all, cells);
  tcase_add_test(all, quotes);
  tcase_add_test(all, what_needs_quotes);
  tcase_add_test(all, doubled_quotes);
  tcase_add_test(all, every_byte);
  tcase_add_test(all, utf8);
  suite_add_tcase(suite, all);
  return fixture_run(suite);
}
