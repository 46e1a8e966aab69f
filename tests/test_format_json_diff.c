/* test_format_json_diff.c - the json parser against jansson: thousands of made-up
 * and mutated documents, one to a line. What jansson reads, and what the rules
 * for columns make of it, must be what the parser puts into the batch. */
#include "tests/format_fixture.h"
#include "tests/reference.h"

#include <stdlib.h>
#include <string.h>

#define OPTIONS "\"update_format\": \"raw\", \"lines\": \"single\""

static uint64_t seed;
static uint32_t dice(uint32_t n) {
  return fixture_random(&seed) % n;
}

/* ---- documents ------------------------------------------------------------------ */

static void put_blank(fixture_text *t) {
  static const char *const blanks[] = {" ", "\t", "  ", "\r"};
  if (dice(6) == 0) fixture_print(t, "%s", blanks[dice(4)]);
}

static void put_string(fixture_text *t) {
  static const char *const bits[] = {"a",
                                     "bc",
                                     "defg hijk",
                                     "\\n",
                                     "\\\"",
                                     "\\\\",
                                     "\\/",
                                     "\\u0041",
                                     "\\u00e9",
                                     "\xc3\xa9",
                                     "\xe2\x82\xac",
                                     "\xf0\x9f\x98\x80",
                                     "\\ud83d\\ude00",
                                     "{",
                                     "}",
                                     "[",
                                     ",",
                                     ":",
                                     "1",
                                     " "};
  fixture_put(t, "\"", 1);
  for (uint32_t n = dice(9); n > 0; n--) fixture_print(t, "%s", bits[dice(sizeof bits / sizeof *bits)]);
  fixture_put(t, "\"", 1);
}

static void put_number(fixture_text *t) {
  static const char *const odd[] = {"0",
                                    "-0",
                                    "-1",
                                    "1e3",
                                    "1E-2",
                                    "0.5",
                                    "-0.0",
                                    "127",
                                    "128",
                                    "-129",
                                    "2147483647",
                                    "2147483648",
                                    "9223372036854775807",
                                    "-9223372036854775808",
                                    "1.7976931348623157e308",
                                    "12345678.12345678",
                                    "123456789012345678",
                                    "0.1",
                                    "100000000",
                                    "99999999.99",
                                    "1.005"};
  if (dice(2))
    fixture_print(t, "%s", odd[dice(sizeof odd / sizeof *odd)]);
  else if (dice(2))
    fixture_print(t, "%u", fixture_random(&seed) >> dice(31));
  else
    fixture_print(t, "%u.%u", dice(100000), dice(100000));
}

static void put_value(fixture_text *t, int depth);

static void put_members(fixture_text *t, int depth, bool object) {
  put_blank(t);
  for (uint32_t n = dice(4), i = 0; i < n; i++) {
    if (i) fixture_put(t, ",", 1);
    put_blank(t);
    if (object) {
      put_string(t);
      put_blank(t);
      fixture_put(t, ":", 1);
      put_blank(t);
    }
    put_value(t, depth + 1);
    put_blank(t);
  }
}

static void put_value(fixture_text *t, int depth) {
  static const char *const words[] = {"true", "false", "null"};
  switch (dice(depth < 4 ? 8 : 5)) {
  case 0:
  case 1: put_string(t); break;
  case 2:
  case 3: put_number(t); break;
  case 4: fixture_print(t, "%s", words[dice(3)]); break;
  case 5:
  case 6:
    fixture_put(t, "{", 1);
    put_members(t, depth, true);
    fixture_put(t, "}", 1);
    break;
  default:
    fixture_put(t, "[", 1);
    put_members(t, depth, false);
    fixture_put(t, "]", 1);
    break;
  }
}

static void put_fitting(fixture_text *t, int column) {
  static const char *const times[] = {"\"2026-01-02T03:04:05.695Z\"", "\"2026-01-02 03:04:05\"", "\"1999-12-31\"",
                                      "\"2024-02-30 00:00:00\""};
  switch (column) {
  case 0: fixture_print(t, "%u", fixture_random(&seed) >> dice(31)); break;
  case 1: fixture_print(t, "%d", (int)dice(300) - 150); break;
  case 2:
  case 3: put_number(t); break;
  case 4: put_string(t); break;
  case 5: fixture_print(t, "%s", dice(2) ? "true" : "false"); break;
  default: fixture_print(t, "%s", times[dice(4)]); break;
  }
}

static const char *const names[] = {"big", "tiny", "dbl", "dec", "txt", "ok", "ts"};
#define SCHEMA "big BIGINT!, tiny TINYINT, dbl DOUBLE, dec DECIMAL(10,2), txt VARCHAR, ok BOOLEAN, ts TIMESTAMP"
#define N_COLUMNS 7

static void put_document(fixture_text *t) {
  bool usual = dice(3) != 0;
  int start = usual ? 0 : (int)dice(N_COLUMNS);
  fixture_put(t, "{", 1);
  for (int i = 0; i < N_COLUMNS; i++) {
    int column = (start + i) % N_COLUMNS;
    if (i) fixture_put(t, ",", 1);
    if (!usual) put_blank(t);
    if (!usual && dice(8) == 0) {
      put_string(t);
      fixture_put(t, ":", 1);
      put_value(t, 0);
      fixture_put(t, ",", 1);
    }
    fixture_print(t, "\"%s\"", names[column]);
    if (!usual) put_blank(t);
    fixture_put(t, ":", 1);
    if (!usual) put_blank(t);
    if (dice(20) == 0)
      put_value(t, 0);
    else if (dice(10) == 0)
      fixture_put(t, "null", 4);
    else
      put_fitting(t, column);
    if (!usual) put_blank(t);
  }
  fixture_put(t, "}", 1);
}

static void mutate(fixture_text *t) {
  static const char marks[] = "{}[]\",:\\0123456789eE+-.tfn u\x01\x80\xff";
  for (uint32_t n = 1 + dice(2); n > 0; n--) {
    size_t at = dice((uint32_t)t->len);
    switch (dice(3)) {
    case 0: t->data[at] = marks[dice(sizeof marks - 1)]; break;
    case 1: /* drop bytes */
      memmove(t->data + at, t->data + at + 1, t->len - at);
      t->len--;
      break;
    default: /* cut */
      if (dice(4) == 0)
        t->len = at + 1;
      else
        t->data[at] = t->data[dice((uint32_t)t->len)];
      break;
    }
    if (t->len == 0) fixture_put(t, "x", 1);
  }
  t->data[t->len] = '\0';
}

/* ---- the comparison ---------------------------------------------------------------------- */

static unsigned counts[3];

static void compare_one(const hw_schema *schema, const fixture_text *document, fixture_feed feed) {
  fixture_text row = {0};
  reference o = reference_json(&row, schema, document->data, document->len);
  fixture_text stream = {0};
  /* a row before it, so that an order has been learned */
  fixture_print(
      &stream,
      "{\"big\":1,\"tiny\":2,\"dbl\":3.5,\"dec\":4.25,\"txt\":\"5\",\"ok\":true,\"ts\":\"2026-01-01T00:00:00Z\"}\n");
  fixture_put(&stream, document->data, document->len);
  fixture_print(&stream, "\n{\"big\":99}\n");
  fixture_result r = fixture_parse(&format_json, OPTIONS, schema, stream.data, stream.len, feed);
  const char *second = strchr(r.brief, '\n') + 1;
  bool taken = strncmp(second, "99|", 3) != 0 || r.n_rows == 3;
  if (r.n_rows + r.n_bad != 3) ck_abort_msg("%s\ngives\n%s", document->data, r.full);
  if (o != REFERENCE_UNKNOWN && (taken != (o == REFERENCE_TAKEN) || (taken && strncmp(second, row.data, row.len) != 0)))
    ck_abort_msg("%s\ngives\n%sinstead of %s\n%s", document->data, r.full,
                 o == REFERENCE_TAKEN ? "taken" : "refused", row.data);
  counts[o]++;
  fixture_result_fini(&r);
  free(row.data);
  free(stream.data);
}

static void compare_many(unsigned n, unsigned mutations) {
  hw_schema *schema = fixture_schema(SCHEMA);
  memset(counts, 0, sizeof counts);
  for (unsigned i = 0; i < n; i++) {
    fixture_text document = {0};
    put_document(&document);
    if (mutations) mutate(&document);
    bool blank = strspn(document.data, " \t\r") == document.len;
    if (!blank)
      compare_one(schema, &document, (fixture_feed){.first = dice(60), .step = 1 + dice(40), .capacity = dice(4)});
    free(document.data);
  }
}

START_TEST(made_up) {
  seed = 1;
  compare_many(4000, 0);
  ck_assert_uint_gt(counts[REFERENCE_TAKEN], 500);
  ck_assert_uint_gt(counts[REFERENCE_REFUSED], 500);
}
END_TEST

START_TEST(mutated) {
  seed = 2;
  compare_many(6000, 1);
  ck_assert_uint_gt(counts[REFERENCE_TAKEN], 200);
  ck_assert_uint_gt(counts[REFERENCE_REFUSED], 2000);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_json_diff");
  TCase *all = tcase_create("against jansson");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, made_up);
  tcase_add_test(all, mutated);
  suite_add_tcase(suite, all);
  return fixture_run(suite);
}
