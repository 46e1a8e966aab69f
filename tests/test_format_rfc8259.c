/* test_format_rfc8259.c - every rule of RFC 8259, section by section: what it allows is taken,
 * what it does not is one bad record, wherever it stands. What docs/formats.md says
 * beside it is in test_format_json.c.
 *
 * Each text of a value stands in turn in a column of its type, in a member that no
 * column wants, inside an array and an object there, in an update and in an array of
 * records; each of these is read whole, byte by byte, and cut everywhere in the value. */
#include "tests/format_fixture.h"

#include <stdlib.h>
#include <string.h>

#define RAW "\"update_format\": \"raw\""
#define RAW_SINGLE RAW ", \"lines\": \"single\""
#define RAW_ARRAY RAW ", \"array\": true"

/* ---- where a value stands ------------------------------------------------------- */

typedef struct place {
  const char *options, *before, *after; /* then comes a record with k = 8 */
} place;

static const place places[] = {
    {RAW, "{\"v\":", ",\"k\":7}\n{\"k\":8}\n"},
    {RAW, "{ \"v\" : ", " , \"k\" : 7 }\n{\"k\":8}\n"}, /* where the fast readers decline */
    {RAW_SINGLE, "{\"k\":7,\"v\":", "}\n{\"k\":8}\n"},
    {RAW, "{\"x\":", ",\"k\":7}\n{\"k\":8}\n"},
    {RAW_SINGLE, "{\"k\":7,\"x\":[1,", "]}\n{\"k\":8}\n"},
    {RAW, "{\"k\":7,\"x\":{\"y\":", "}}\n{\"k\":8}\n"},
    {"", "{\"insert\":{\"v\":", ",\"k\":7}}\n{\"insert\":{\"k\":8}}\n"},
    {RAW_ARRAY, "[{\"x\":", ",\"k\":7},\n{\"k\":8}]\n"},
};

/* NULL: it must be refused; "": taken, whatever the column makes of it. */
typedef struct value {
  const char *text, *type, *expected;
} value;

static fixture_result parse_cut(const char *options, const hw_schema *schema, const fixture_text *text, size_t from,
                                size_t len) {
  fixture_result whole = fixture_parse(&format_json, options, schema, text->data, text->len, (fixture_feed){0});
  for (size_t first = from; first <= from + len; first++)
    fixture_check_same(&whole, &format_json, options, schema, text->data, text->len, (fixture_feed){.first = first});
  fixture_check_sparing(&format_json, options, schema, text->data, text->len, (fixture_feed){.first = 1, .step = 1});
  return whole;
}

static void check_place(const value *v, size_t len, const place *p) {
  fixture_text schema = {0}, text = {0}, expected = {0};
  bool wanted = strstr(p->before, "\"v\"") != NULL;
  fixture_print(&schema, "k INT!, v %s", v->type);
  fixture_print(&text, "%s", p->before);
  fixture_put(&text, v->text, len);
  fixture_print(&text, "%s", p->after);
  if (v->expected) fixture_print(&expected, "7|%s\n", wanted ? v->expected : "NULL");
  fixture_print(&expected, "8|NULL\n");
  fixture_result r = parse_cut(p->options, fixture_schema(schema.data), &text, strlen(p->before), len);
  if (strncmp(r.brief, expected.data, expected.len) != 0 || r.n_rows != (v->expected ? 2 : 1) ||
      (v->expected ? r.n_bad != 0 : r.n_bad == 0))
    ck_abort_msg("%.*s\ngives\n%sinstead of\n%s", (int)text.len, text.data, r.full, expected.data);
  fixture_result_fini(&r);
  free(schema.data);
  free(text.data);
  free(expected.data);
}

static void check_bytes(const value *v, size_t len) {
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) check_place(v, len, &places[i]);
}

static void check_values(const value *values, size_t n) {
  for (size_t i = 0; i < n; i++) check_bytes(&values[i], strlen(values[i].text));
}
/* The same, of many alike: in a column, in an array on one line, in an array of records. */
static void check_briefly(const value *v, size_t len) {
  check_place(v, len, &places[0]);
  check_place(v, len, &places[4]);
  check_place(v, len, &places[7]);
}

#define CHECK(values) check_values(values, sizeof(values) / sizeof *(values))

/* A string of these bytes: refused, or taken as it is. */
static void check_string(const char *inside, size_t len, bool taken) {
  fixture_text text = {0}, expected = {0};
  fixture_put(&text, "\"", 1);
  fixture_put(&text, inside, len);
  fixture_put(&text, "\"", 1);
  fixture_put(&expected, text.data, text.len);
  check_briefly(&(value){text.data, "VARCHAR", taken ? expected.data : NULL}, text.len);
  free(text.data);
  free(expected.data);
}

/* Whole streams of rows. */
static void stream(const char *text, const char *expected) {
  fixture_expect(&format_json, RAW, fixture_schema("k INT, v VARCHAR"), text, expected);
}

/* One record alone: refused whatever it looks like. */
static void refused(const char *text, size_t len) {
  fixture_text both = {0};
  fixture_put(&both, text, len);
  fixture_print(&both, "\n{\"k\":8}\n");
  fixture_result r = fixture_all_ways(&format_json, RAW_SINGLE, fixture_schema("k INT"), both.data, both.len);
  if (r.n_rows != 1 || r.n_bad != 1 || strncmp(r.brief, "8\n!", 3) != 0) ck_abort_msg("%s\ngives\n%s", text, r.full);
  fixture_result_fini(&r);
  free(both.data);
}

/* ---- section 2: structural characters, blanks, what a text is ------------------------ */

START_TEST(structural_characters) {
  static const char *const broken[] = {
      "{",          "}",           "[",           "]",           ",",           ":",         "{]",
      "[}",         "{\"k\":7",    "\"k\":7}",    "{\"k\":7]",   "{\"k\":7}}",  "{{\"k\":7}}", "{\"k\":7},",
      "{\"k\";7}",  "{\"k\"=7}",   "{\"k\":7;}",  "(\"k\":7)",   "<\"k\":7>",   "{\"k\"7}",  "{\"k\"::7}",
      "{\"k\",7}",  "{\"k\":7:8}", "{\"k\":,7}",  "[7,\"a\"",    "7,\"a\"]",    "[7;\"a\"]", "[7:\"a\"]",
      "{[\"k\":7]}"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) refused(broken[i], strlen(broken[i]));
}
END_TEST

START_TEST(blanks) {
  static const char *const allowed[] = {" ", "\t", "\n", "\r", "\r\n", " \t\n\r \t\n\r"};
  for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
    const char *b = allowed[i];
    fixture_text t = {0};
    fixture_print(&t, "%s{%s\"k\"%s:%s7%s,%s\"x\"%s:%s[%s]%s,%s\"y\"%s:%s{%s}%s}%s[%s1%s,%s\"a\"%s]%s", b, b, b, b, b,
                  b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b);
    stream(t.data, "7|NULL\n1|\"a\"\n");
    free(t.data);
  }
}
END_TEST

START_TEST(what_is_no_blank) {
  static const char *const others[] = {"\x0b", "\x0c",     "\x08",         "\x1f",         "\x7f",         "\x01",
                                       "\x85", "\xc2\xa0", "\xe2\x80\xa8", "\xe2\x80\x89", "\xe3\x80\x80",
                                       "\xef\xbb\xbf",
                                       "/**/", "//",       "#",            "_",            "\\n",          "\\u0020"};
  static const char *const formats[] = {"{%s\"k\":7}", "{\"k\"%s:7}", "{\"k\":%s7}",    "{\"k\":7%s}",
                                        "{\"k\":7}%s", " %s{\"k\":7}", "{\"x\":[%s],\"k\":7}"};
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    for (size_t k = 0; k < sizeof formats / sizeof *formats; k++) {
      const char *here = strstr(formats[k], "%s");
      fixture_text t = {0};
      fixture_put(&t, formats[k], (size_t)(here - formats[k]));
      fixture_print(&t, "%s%s", others[i], here + 2);
      refused(t.data, t.len);
      free(t.data);
    }
}
END_TEST

/* Any value is a text, but no row. */
START_TEST(texts_that_are_no_rows) {
  static const char *const texts[] = {"null", "true", "false", "0", "-1.5e3", "\"\"", "\"{}\""};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) refused(texts[i], strlen(texts[i]));
}
END_TEST

/* ---- section 3: values -------------------------------------------------------------------- */

START_TEST(literals) {
  static const value values[] = {
      {"true", "BOOLEAN", "true"}, {"false", "BOOLEAN", "false"}, {"null", "BOOLEAN", "NULL"},
      {"null", "VARCHAR", "NULL"}, {"null", "DOUBLE", "NULL"},    {"True", "BOOLEAN", NULL},
      {"TRUE", "BOOLEAN", NULL},   {"False", "BOOLEAN", NULL},    {"Null", "BOOLEAN", NULL},
      {"NULL", "VARCHAR", NULL},   {"tru", "BOOLEAN", NULL},      {"t", "BOOLEAN", NULL},
      {"fals", "BOOLEAN", NULL},   {"nul", "INT", NULL},          {"n", "INT", NULL},
      {"truee", "BOOLEAN", NULL},  {"nulll", "INT", NULL},        {"true1", "BOOLEAN", NULL},
      {"t rue", "BOOLEAN", NULL},  {"nil", "INT", NULL},          {"none", "INT", NULL},
      {"undefined", "INT", NULL},  {"yes", "BOOLEAN", NULL},      {"'true'", "BOOLEAN", NULL},
      {"true false", "INT", NULL}, {"", "INT", NULL},             {"a", "VARCHAR", NULL},
  };
  CHECK(values);
}
END_TEST

/* ---- section 4: objects ----------------------------------------------------------------- */

START_TEST(objects) {
  stream("{}", "NULL|NULL\n");
  stream("{\"\":1,\"k\":2}", "2|NULL\n");
  stream("{\"x\":{},\"y\":{\"z\":{}},\"k\":3}", "3|NULL\n");
  stream("{\"v\":\"a\",\"k\":4}{\"k\":5,\"v\":\"b\"}", "4|\"a\"\n5|\"b\"\n"); /* in any order */
  static const char *const broken[] = {
      "{\"k\":7,}",        "{,\"k\":7}",       "{\"k\":7,,\"v\":\"\"}", "{,}",          "{\"k\"}",
      "{\"k\":}",          "{:7}",             "{k:7}",                 "{'k':7}",      "{7:7}",
      "{null:7}",          "{true:7}",         "{[]:7}",                "{{}:7}",       "{\"k\":7 \"v\":\"\"}",
      "{\"k\":7\"v\":8}",  "{\"k\",\"v\"}",    "{\"x\":{,},\"k\":7}",   "{\"k\" 7}",    "{\"x\":{\"y\":1,},\"k\":7}",
      "{\"x\":{\"y\"},\"k\":7}", "{\"x\":{y:1},\"k\":7}", "{\"x\":{\"y\":1 \"z\":2},\"k\":7}", "{...}"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) refused(broken[i], strlen(broken[i]));
}
END_TEST

/* The RFC leaves open what they mean: here the last one counts, and each must be right. */
START_TEST(duplicates) {
  stream("{\"k\":1,\"k\":2}", "2|NULL\n");
  stream("{\"k\":1,\"v\":\"a\",\"k\":2,\"v\":\"b\",\"k\":3}", "3|\"b\"\n");
  stream("{\"k\":1,\"K\":2}", "2|NULL\n");
  stream("{\"k\":1,\"\\u006b\":2}", "2|NULL\n");
  stream("{\"k\":1,\"k\":null}", "NULL|NULL\n");
  stream("{\"x\":1,\"x\":[2],\"x\":{\"x\":3,\"x\":4},\"k\":5}", "5|NULL\n");
  stream("{\"k\":\"?\",\"k\":2}\n", "!type k @0+15\n");
  stream("{\"k\":1,\"k\":\"?\"}\n", "!type k @0+15\n");
}
END_TEST

/* ---- section 5: arrays --------------------------------------------------------------------- */

START_TEST(arrays) {
  static const value values[] = {
      {"[]", "VARBINARY", "x"},         {"[0]", "VARBINARY", "x00"},  {"[1,2]", "VARBINARY", "x0102"},
      {"[1,]", "VARBINARY", NULL},      {"[,1]", "VARBINARY", NULL},  {"[,]", "VARBINARY", NULL},
      {"[1,,2]", "VARBINARY", NULL},    {"[1 2]", "VARBINARY", NULL}, {"[1", "VARBINARY", NULL},
      {"[1}", "VARBINARY", NULL},       {"1]", "VARBINARY", NULL},    {"[1]]", "VARBINARY", NULL},
      {"[1;2]", "VARBINARY", NULL},     {"[1:2]", "VARBINARY", NULL}, {"[\"a\":1]", "VARBINARY", NULL},
      {"[a]", "VARBINARY", NULL},       {"[1", "VARBINARY", NULL},    {"[01]", "VARBINARY", NULL},
  };
  CHECK(values);
  /* of values of any kind, and of several */
  stream("{\"x\":[1,\"a\",null,true,[[],{}],{\"y\":[2]}],\"k\":1}", "1|NULL\n");
}
END_TEST

/* ---- section 6: numbers ----------------------------------------------------------------------- */

START_TEST(numbers) {
  static const value values[] = {
      {"0", "DOUBLE", "0.0"},         {"-0", "DOUBLE", "-0.0"},      {"1", "BIGINT", "1"},
      {"-1", "BIGINT", "-1"},         {"10", "BIGINT", "10"},        {"1234567890", "BIGINT", "1234567890"},
      {"0.5", "DOUBLE", "0.5"},       {"-0.5", "DOUBLE", "-0.5"},    {"0.0", "DOUBLE", "0.0"},
      {"-0.0", "DOUBLE", "-0.0"},     {"1.50", "DOUBLE", "1.5"},     {"10.01", "DOUBLE", "10.01"},
      {"1e2", "DOUBLE", "100.0"},     {"1E2", "DOUBLE", "100.0"},    {"1e+2", "DOUBLE", "100.0"},
      {"1E-2", "DOUBLE", "0.01"},     {"1e02", "DOUBLE", "100.0"},   {"1e-02", "DOUBLE", "0.01"},
      {"0e0", "DOUBLE", "0.0"},       {"0e+9", "DOUBLE", "0.0"},     {"-0e-9", "DOUBLE", "-0.0"},
      {"1.5e3", "DOUBLE", "1500.0"},  {"0.1e1", "DOUBLE", "1.0"},    {"123e0", "DOUBLE", "123.0"},
      {"1.5e3", "DECIMAL(10,2)", "1500.00"},
      {"", "DOUBLE", NULL},           {"-", "DOUBLE", NULL},         {"+1", "DOUBLE", NULL},
      {"+", "DOUBLE", NULL},          {"--1", "DOUBLE", NULL},       {"-+1", "DOUBLE", NULL},
      {"01", "BIGINT", NULL},         {"00", "BIGINT", NULL},        {"-01", "BIGINT", NULL},
      {"-00", "DOUBLE", NULL},        {"00.5", "DOUBLE", NULL},      {"01e1", "DOUBLE", NULL},
      {".5", "DOUBLE", NULL},         {"-.5", "DOUBLE", NULL},       {"1.", "DOUBLE", NULL},
      {"-1.", "DOUBLE", NULL},        {"1.e2", "DOUBLE", NULL},      {".", "DOUBLE", NULL},
      {"1..2", "DOUBLE", NULL},       {"1.2.3", "DOUBLE", NULL},     {"1e", "DOUBLE", NULL},
      {"1e+", "DOUBLE", NULL},        {"1e-", "DOUBLE", NULL},       {"1E", "DOUBLE", NULL},
      {"e1", "DOUBLE", NULL},         {"1e1.5", "DOUBLE", NULL},     {"1e++1", "DOUBLE", NULL},
      {"1ee1", "DOUBLE", NULL},       {"1e1e1", "DOUBLE", NULL},     {"0x10", "BIGINT", NULL},
      {"0b1", "BIGINT", NULL},        {"0o7", "BIGINT", NULL},       {"1_000", "BIGINT", NULL},
      {"1'000", "BIGINT", NULL},      {"1 000", "BIGINT", NULL},     {"- 1", "BIGINT", NULL},
      {"1f", "DOUBLE", NULL},         {"1d", "DOUBLE", NULL},        {"1L", "BIGINT", NULL},
      {"NaN", "DOUBLE", NULL},        {"nan", "DOUBLE", NULL},       {"Infinity", "DOUBLE", NULL},
      {"-Infinity", "DOUBLE", NULL},  {"inf", "DOUBLE", NULL},       {"1%", "DOUBLE", NULL},
      {"\xef\xbc\x91", "INT", NULL}, /* a fullwidth digit */
      {"1\xc2\xb2", "INT", NULL},     {"1/2", "DOUBLE", NULL},       {"1-2", "DOUBLE", NULL},
      {"1+2", "DOUBLE", NULL},        {"$1", "DOUBLE", NULL},        {"(1)", "DOUBLE", NULL},
  };
  CHECK(values);
}
END_TEST

/* Range and precision are a reader's own: those of the column, and the nearest double. */
START_TEST(big_numbers) {
  static const value values[] = {
      {"9007199254740993", "BIGINT", "9007199254740993"}, /* 2^53 + 1: no double holds it */
      {"9007199254740993", "DOUBLE", "9007199254740992.0"},
      {"9223372036854775807", "BIGINT", "9223372036854775807"},
      {"-9223372036854775808", "BIGINT", "-9223372036854775808"},
      {"18446744073709551615", "BIGINT UNSIGNED", "18446744073709551615"},
      {"1.7976931348623157e308", "DOUBLE", "1.7976931348623157e308"},
      {"2.2250738585072014e-308", "DOUBLE", "2.2250738585072014e-308"},
      {"5e-324", "DOUBLE", "5e-324"},
      {"2e-324", "DOUBLE", "0.0"},
      {"1e-999", "DOUBLE", "0.0"},
      {"0.1000000000000000055511151231257827021181583404541015625", "DOUBLE", "0.1"},
      {"3.14159265358979323846264338327950288", "DOUBLE", "3.141592653589793"},
      {"100000000000000000000000000000000000000000", "DOUBLE", "1e41"},
      {"0.00000000000000000000000000000000000000001", "DOUBLE", "1e-41"},
      {"12345678901234567890123456789012345678", "DECIMAL(38,0)", "12345678901234567890123456789012345678"},
      {"1e0000000000000000000000000000000000000000001", "DOUBLE", "10.0"},
  };
  CHECK(values);
  /* Beyond the column: refused there, and right where no column wants it. */
  static const struct {
    const char *text, *type;
  } beyond[] = {{"9223372036854775808", "BIGINT"},  {"-9223372036854775809", "BIGINT"}, {"1e309", "DOUBLE"},
                {"-1e999999999999999999", "DOUBLE"}, {"2147483648", "INT"},              {"1e39", "REAL"},
                {"18446744073709551616", "BIGINT UNSIGNED"}};
  for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
    fixture_text schema = {0}, text = {0}, expected = {0};
    fixture_print(&schema, "v %s, k INT", beyond[i].type);
    fixture_print(&text, "{\"v\":%s}\n{\"x\":[%s],\"k\":1}\n", beyond[i].text, beyond[i].text);
    fixture_print(&expected, "NULL|1\n!range v @0+%zu\n", strlen(beyond[i].text) + 6);
    fixture_expect(&format_json, RAW, fixture_schema(schema.data), text.data, expected.data);
    free(schema.data);
    free(text.data);
    free(expected.data);
  }
}
END_TEST

START_TEST(long_numbers) {
  fixture_text zeros = {0}, nines = {0}, fraction = {0};
  for (int i = 0; i < 400; i++) fixture_put(&zeros, "0", 1);
  for (int i = 0; i < 400; i++) fixture_put(&nines, "9", 1);
  fixture_print(&fraction, "0.%s1e401", zeros.data);
  check_place(&(value){fraction.data, "DOUBLE", "1.0"}, fraction.len, &places[0]);
  check_place(&(value){nines.data, "DOUBLE", "-"}, nines.len, &places[3]);
  check_place(&(value){nines.data, "DOUBLE", NULL}, nines.len, &places[0]);
  fixture_print(&zeros, "1");
  check_place(&(value){zeros.data, "DOUBLE", NULL}, zeros.len, &places[3]); /* leading zeros */
  free(zeros.data);
  free(nines.data);
  free(fraction.data);
}
END_TEST

/* ---- section 7: strings -------------------------------------------------------------------------- */

START_TEST(strings) {
  static const value values[] = {
      {"\"\"", "VARCHAR", "\"\""},        {"\"a\"", "VARCHAR", "\"a\""},   {"\" a \"", "VARCHAR", "\" a \""},
      {"\"'\"", "VARCHAR", "\"'\""},      {"\"/\"", "VARCHAR", "\"/\""},   {"\"{}[],:\"", "VARCHAR", "\"{}[],:\""},
      {"\"//\"", "VARCHAR", "\"//\""},    {"\"", "VARCHAR", NULL},         {"\"a", "VARCHAR", NULL},
      {"a\"", "VARCHAR", NULL},           {"'a'", "VARCHAR", NULL},        {"`a`", "VARCHAR", NULL},
      {"\"a\"b", "VARCHAR", NULL},        {"\"a\"\"b\"", "VARCHAR", NULL}, {"\"a\" \"b\"", "VARCHAR", NULL},
      {"\"a\\\"", "VARCHAR", NULL},       {"\"\\\"", "VARCHAR", NULL},     {"\"a\\", "VARCHAR", NULL},
      {"\xe2\x80\x9c" "a\xe2\x80\x9d", "VARCHAR", NULL},
  };
  CHECK(values);
}
END_TEST

/* Every byte below 0x80 as it is: control characters, and the two marks, may not be. */
START_TEST(unescaped_characters) {
  for (int c = 0; c < 0x80; c++) {
    char bytes[3] = {'a', (char)c, 'b'};
    if (c == '"' || c == '\\') continue; /* above, and below */
    if (c == '\n') continue; /* ends the line, and with it this record: its own case */
    check_string(bytes, 3, c >= 0x20);
  }
  refused("{\"v\":\"a\nb\"}", 5); /* cut there: the line before */
  stream("{\"v\":\"a\nb\",\"k\":7}\n{\"k\":8}\n", "8|NULL\n!escape - @0+7\n!syntax - @8+9\n");
}
END_TEST

/* Every byte behind a backslash: nine mean something. */
START_TEST(escapes) {
  static const char known[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  for (int c = 0; c < 0x100; c++) {
    char text[6] = {'"', '\\', (char)c, 'z', '"'}, expected[5] = {'"', 0, 'z', '"'};
    const char *at = c ? strchr(known, c) : NULL;
    if (c == 'u' || c == '\n') continue;
    if (at) expected[1] = meant[at - known];
    check_briefly(&(value){text, "VARCHAR", at ? expected : NULL}, 5);
  }
}
END_TEST

START_TEST(unicode_escapes) {
  static const value values[] = {
      {"\"\\u0041\"", "VARCHAR", "\"A\""},
      {"\"\\u00e9\\u00E9\"", "VARCHAR", "\"\xc3\xa9\xc3\xa9\""},
      {"\"\\u20ac\"", "VARCHAR", "\"\xe2\x82\xac\""},
      {"\"\\uabcd\\uABCD\\uaBcD\"", "VARCHAR", "\"\xea\xaf\x8d\xea\xaf\x8d\xea\xaf\x8d\""},
      {"\"\\u0000\"", "VARCHAR", "\"\\0\""},
      {"\"\\u001f\"", "VARCHAR", "\"\x1f\""},
      {"\"\\u0022\\u005c\\u002f\"", "VARCHAR", "\"\"\\/\""},
      {"\"\\u007f\\u0080\"", "VARCHAR", "\"\x7f\xc2\x80\""},
      {"\"\\u07ff\\u0800\"", "VARCHAR", "\"\xdf\xbf\xe0\xa0\x80\""},
      {"\"\\ud7ff\\ue000\"", "VARCHAR", "\"\xed\x9f\xbf\xee\x80\x80\""},
      {"\"\\uffff\\ufffe\\ufdd0\"", "VARCHAR", "\"\xef\xbf\xbf\xef\xbf\xbe\xef\xb7\x90\""},
      {"\"\\ufeff\"", "VARCHAR", "\"\xef\xbb\xbf\""},
      {"\"\\u00411\"", "VARCHAR", "\"A1\""},
      {"\"\\\\u0041\"", "VARCHAR", "\"\\u0041\""},
      {"\"\\u\"", "VARCHAR", NULL},
      {"\"\\u0\"", "VARCHAR", NULL},
      {"\"\\u00\"", "VARCHAR", NULL},
      {"\"\\u004\"", "VARCHAR", NULL},
      {"\"\\u004g\"", "VARCHAR", NULL},
      {"\"\\ug004\"", "VARCHAR", NULL},
      {"\"\\u 041\"", "VARCHAR", NULL},
      {"\"\\u+041\"", "VARCHAR", NULL},
      {"\"\\u-041\"", "VARCHAR", NULL},
      {"\"\\u0x41\"", "VARCHAR", NULL},
      {"\"\\U0041\"", "VARCHAR", NULL},
      {"\"\\u{41}\"", "VARCHAR", NULL},
      {"\"\\x41\"", "VARCHAR", NULL},
      {"\"\\101\"", "VARCHAR", NULL},
      {"\"\\0\"", "VARCHAR", NULL},
  };
  CHECK(values);
}
END_TEST

/* Section 8.2: half a pair is no character, and is refused. */
START_TEST(surrogates) {
  static const value values[] = {
      {"\"\\ud83d\\ude00\"", "VARCHAR", "\"\xf0\x9f\x98\x80\""},
      {"\"\\uD83D\\uDE00x\"", "VARCHAR", "\"\xf0\x9f\x98\x80x\""},
      {"\"\\ud800\\udc00\"", "VARCHAR", "\"\xf0\x90\x80\x80\""},
      {"\"\\udbff\\udfff\"", "VARCHAR", "\"\xf4\x8f\xbf\xbf\""},
      {"\"\\ud83d\\ude00\\ud83d\\ude01\"", "VARCHAR", "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x81\""},
      {"\"\\ud800\"", "VARCHAR", NULL},
      {"\"\\udbff\"", "VARCHAR", NULL},
      {"\"\\udc00\"", "VARCHAR", NULL},
      {"\"\\udfff\"", "VARCHAR", NULL},
      {"\"\\udead\"", "VARCHAR", NULL},
      {"\"\\ud800a\"", "VARCHAR", NULL},
      {"\"\\ud800 \\udc00\"", "VARCHAR", NULL},
      {"\"\\ud800\\n\"", "VARCHAR", NULL},
      {"\"\\ud800\\u0041\"", "VARCHAR", NULL},
      {"\"\\ud800\\ud800\"", "VARCHAR", NULL},
      {"\"\\ud800\\ue000\"", "VARCHAR", NULL},
      {"\"\\ud800\\udc0\"", "VARCHAR", NULL},
      {"\"\\ud800\\udc0g\"", "VARCHAR", NULL},
      {"\"\\ud800\\\\udc00\"", "VARCHAR", NULL},
      {"\"\\udc00\\ud800\"", "VARCHAR", NULL},
      {"\"\\ud83d\\ude00\\ude00\"", "VARCHAR", NULL},
  };
  CHECK(values);
}
END_TEST

/* ---- section 8.1: the encoding ---------------------------------------------------------------------- */

START_TEST(utf8_that_is_right) {
  static const char *const texts[] = {"\x7f",         "\xc2\x80",     "\xdf\xbf",         "\xe0\xa0\x80",
                                      "\xe1\x80\x80", "\xec\xbf\xbf", "\xed\x9f\xbf",     "\xee\x80\x80",
                                      "\xef\xbf\xbf", "\xef\xb7\x90", "\xf0\x90\x80\x80", "\xf1\x80\x80\x80",
                                      "\xf3\xbf\xbf\xbf", "\xf4\x8f\xbf\xbf", "\xef\xbb\xbf", "\xe2\x80\xa8"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check_string(texts[i], strlen(texts[i]), true);
}
END_TEST

START_TEST(utf8_that_is_wrong) {
  static const char *const texts[] = {
      "\x80",             "\xbf",             "\xc0\x80",         "\xc1\xbf",         "\xc2",     "\xc2 ",
      "\xc2\xc0",         "\xdf",             "\xe0\x80\x80",     "\xe0\x9f\xbf",     "\xe0\xa0", "\xe1\x80 ",
      "\xe1 \x80",        "\xed\xa0\x80",     "\xed\xaf\xbf",     "\xed\xb0\x80",     "\xed\xbf\xbf",
      "\xed\xa0\xbd\xed\xb8\x80",             "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x90\x80",
      "\xf0\x90\x80 ",    "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf7\xbf\xbf\xbf", "\xf8\x88\x80\x80\x80",
      "\xfc\x84\x80\x80\x80\x80",             "\xfe",             "\xff",             "\xe2\x28\xa1", "a\x80z",
      "0123456789abcdef0123456789abcde\xc3", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3",
      "\xe9"}; /* Latin-1 */
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check_string(texts[i], strlen(texts[i]), false);
}
END_TEST

/* Names are strings, too. */
START_TEST(names) {
  static const char *const broken[] = {
      "{\"\x01\":1,\"k\":7}",          "{\"\\x\":1,\"k\":7}",         "{\"\\u12\":1,\"k\":7}",
      "{\"\xff\":1,\"k\":7}",          "{\"\\ud800\":1,\"k\":7}",     "{\"\xc0\x80\":1,\"k\":7}",
      "{\"\xed\xa0\x80\":1,\"k\":7}",  "{\"k\\\":7}",               "{\"x\":{\"\\q\":1},\"k\":7}",
      "{\"x\":{\"\xfe\":1},\"k\":7}"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) refused(broken[i], strlen(broken[i]));
  stream("{\"\\u0000\":1,\"\\ud83d\\ude00\":2,\"caf\xc3\xa9\":3,\"k\":4}", "4|NULL\n");
}
END_TEST

/* Section 8.3: names are the same when their characters are. */
START_TEST(names_are_compared_by_characters) {
  stream("{\"\\u006b\":1,\"\\u0076\":\"\\u0061\"}", "1|\"a\"\n");
  fixture_expect(&format_json, RAW, fixture_schema("\"a/b\" INT, \"a\\b\" INT"),
                 "{\"a\\/b\":1,\"a\\\\b\":2}{\"a/b\":3,\"a\\u005Cb\":4}", "1|2\n3|4\n");
  fixture_expect(&format_json, RAW, fixture_schema("\"\xc3\xa9\" INT"),
                 "{\"\xc3\xa9\":1}{\"\\u00e9\":2}{\"e\\u0301\":3}", "1\n2\nNULL\n"); /* as they are, not as they look */
}
END_TEST

START_TEST(byte_order_marks) {
  stream("\xef\xbb\xbf{\"k\":1}", "1|NULL\n");
  stream("\xef\xbb\xbf", "");
  stream("\xef\xbb\xbf \n[1]", "1|NULL\n");
  stream("\xef\xbb\xbf\xef\xbb\xbf{\"k\":1}\n{\"k\":2}", "2|NULL\n!syntax - @3+10\n");
  stream("{\"k\":1}\n\xef\xbb\xbf{\"k\":2}\n{\"k\":3}", "1|NULL\n3|NULL\n!syntax - @8+10\n");
  stream("\xef\xbb{\"k\":1}\n{\"k\":2}", "2|NULL\n!syntax - @0+9\n");
}
END_TEST

START_TEST(other_encodings) {
  static const char utf16be[] = "\0{\0\"\0k\0\"\0:\0007\0}", utf16le[] = "{\0\"\0k\0\"\0:\0007\0}\0",
                    utf16be_mark[] = "\xfe\xff\0{\0\"\0k\0\"\0:\0007\0}", utf16le_mark[] = "\xff\xfe{\0}\0";
  refused(utf16be, sizeof utf16be - 1);
  refused(utf16le, sizeof utf16le - 1);
  refused(utf16be_mark, sizeof utf16be_mark - 1);
  refused(utf16le_mark, sizeof utf16le_mark - 1);
}
END_TEST

/* ---- section 9: limits of this parser ---------------------------------------------------------------- */

/* levels of `open` in an ignored member. */
static void check_depth(const char *open, const char *inside, const char *close, int levels, bool taken) {
  fixture_text t = {0};
  for (int i = 0; i < levels; i++) fixture_print(&t, "%s", open);
  fixture_print(&t, "%s", inside);
  for (int i = 0; i < levels; i++) fixture_print(&t, "%s", close);
  value v = {t.data, "INT", taken ? "" : NULL};
  check_place(&v, t.len, &places[3]);
  free(t.data);
}

START_TEST(depth) {
  check_depth("[", "", "]", 64, true);
  check_depth("[", "", "]", 65, false);
  check_depth("{\"a\":", "1", "}", 64, true);
  check_depth("{\"a\":", "1", "}", 65, false);
  check_depth("[{\"a\":", "null", "}]", 32, true);
  check_depth("[{\"a\":", "[]", "}]", 32, false);
  check_depth("[1,", "\"[[[[\"", "]", 64, true);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("rfc8259");
  TCase *all = tcase_create("rules");
  tcase_set_timeout(all, 60);
  tcase_add_test(all, structural_characters);
  tcase_add_test(all, blanks);
  tcase_add_test(all, what_is_no_blank);
  tcase_add_test(all, texts_that_are_no_rows);
  tcase_add_test(all, literals);
  tcase_add_test(all, objects);
  tcase_add_test(all, duplicates);
  tcase_add_test(all, arrays);
  tcase_add_test(all, numbers);
  tcase_add_test(all, big_numbers);
  tcase_add_test(all, long_numbers);
  tcase_add_test(all, strings);
  tcase_add_test(all, unescaped_characters);
  tcase_add_test(all, escapes);
  tcase_add_test(all, unicode_escapes);
  tcase_add_test(all, surrogates);
  tcase_add_test(all, utf8_that_is_right);
  tcase_add_test(all, utf8_that_is_wrong);
  tcase_add_test(all, names);
  tcase_add_test(all, names_are_compared_by_characters);
  tcase_add_test(all, byte_order_marks);
  tcase_add_test(all, other_encodings);
  tcase_add_test(all, depth);
  suite_add_tcase(suite, all);
  return fixture_run(suite);
}
