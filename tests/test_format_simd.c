/* test_format_simd.c - the formats of every instruction set that the processor has,
 * against the portable ones: the same rows, faults, reasons, positions and bytes from
 * streams made to be hard for vectors. */
#include "tests/format_fixture.h"

#include <stdlib.h>
#include <string.h>

static uint64_t seed;
static uint32_t dice(uint32_t n) {
  return fixture_random(&seed) % n;
}

/* ---- the comparison ---------------------------------------------------------- */

static unsigned n_rows, n_bad; /* of all that was compared */

static void compare(const fixture_text *t, const char *simd, const fixture_result *a, const fixture_result *b) {
  if (a->status != b->status || strcmp(a->full, b->full) != 0 || strcmp(a->brief, b->brief) != 0)
    ck_abort_msg("%.*s\nportable gives\n%s%s gives\n%s", (int)t->len, t->data, a->full, simd, b->full);
  ck_assert_msg(strcmp(a->trace, b->trace) == 0, "%.*s\n%s stops elsewhere", (int)t->len, t->data, simd);
}

/* Parses t with every set, cut in the same way. */
static void expect_same(formats_index format, const char *options, const hw_schema *schema, const fixture_text *t,
                        fixture_feed feed) {
  const char *const *names = formats_names();
  fixture_result portable =
      fixture_parse(formats_named(names[0])->formats[format], options, schema, t->data, t->len, feed);
  for (size_t i = 1; names[i]; i++) {
    fixture_result r = fixture_parse(formats_named(names[i])->formats[format], options, schema, t->data, t->len, feed);
    compare(t, names[i], &portable, &r);
    fixture_result_fini(&r);
  }
  n_rows += portable.n_rows;
  n_bad += portable.n_bad;
  fixture_result_fini(&portable);
}

static fixture_feed random_feed(void) {
  return (fixture_feed){.first = dice(200), .step = 1 + dice(120), .capacity = dice(5), .sparing = dice(2)};
}

/* ---- streams ------------------------------------------------------------------- */

/* Text whose marks fall on every place of a vector; `faults`: not always valid. */
static void put_text(fixture_text *t, bool faults) {
  static const char *const bits[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\\n", "\\\"", "\\u00e9",
                                     "\\ud83d\\ude00", "\\\\", "\\\\\\\"", "\\/", ",", "'", "\x7f", "\xc3",
                                     "\x80", "\\", "\"", "\t", "\xff", "\"\"", "\r", "\n", "{", "}"};
  static const uint32_t usual = 10; /* of bits: no fault */
  uint32_t len = dice(4) ? dice(20) : dice(100);
  uint32_t odd = dice(2);
  while (len-- > 0) {
    if (odd && dice(16) == 0)
      fixture_print(t, "%s", bits[dice(faults ? (uint32_t)(sizeof bits / sizeof *bits) : usual)]);
    else
      fixture_put(t, &"abcdefghijklmnopqrstuvwxyz 0123"[dice(31)], 1);
  }
}

static void put_number(fixture_text *t) {
  switch (dice(6)) {
  case 0: fixture_print(t, "%u", dice(10)); break;
  case 1: fixture_print(t, "-%u", fixture_random(&seed)); break;
  case 2: fixture_print(t, "%u%u", fixture_random(&seed), fixture_random(&seed)); break;
  case 3: fixture_print(t, "%u.%02u", dice(100000), dice(100)); break;
  case 4: fixture_print(t, "%u.%u%u", dice(1000), fixture_random(&seed), fixture_random(&seed)); break;
  default: fixture_print(t, "%ue%d", dice(1000), (int)dice(40) - 20); break;
  }
}

static void put_instant(fixture_text *t) {
  fixture_print(t, "20%02u-%02u-%02u%c%02u:%02u:%02u", dice(100), 1 + dice(12), 1 + dice(29), dice(3) ? 'T' : ' ',
                dice(24), dice(60), dice(61));
  if (dice(2)) fixture_print(t, ".%u", dice(1000000));
  if (dice(2)) fixture_put(t, "Z", 1);
}

#define SCHEMA                                                                                                         \
  "id BIGINT!, ts TIMESTAMP, user VARCHAR, day DATE, amount DOUBLE, price DECIMAL(12,2), qty INT, ok BOOLEAN, "        \
  "note VARCHAR, short VARCHAR(12)"
#define N_COLUMNS 10

/* The value of a column; quote: what texts and times stand in, or "". */
static void put_value(fixture_text *t, unsigned column, const char *quote) {
  switch (column) {
  case 1: fixture_print(t, "%s", quote), put_instant(t), fixture_print(t, "%s", quote); break;
  case 3: fixture_print(t, "%s20%02u-%02u-%02u%s", quote, dice(100), dice(13), dice(32), quote); break;
  case 0:
  case 6: fixture_print(t, "%u", fixture_random(&seed) >> dice(31)); break;
  case 4:
  case 5: put_number(t); break;
  case 7: fixture_print(t, "%s", dice(2) ? "true" : "false"); break;
  default: fixture_print(t, "%s", quote), put_text(t, dice(6) == 0), fixture_print(t, "%s", quote); break;
  }
}

static const char *blanks(void) {
  static const char *const some[] = {" ", "  ", "\t", "\n"};
  return dice(12) == 0 ? some[dice(4)] : "";
}

static void put_json(fixture_text *t) {
  static const char *const names[N_COLUMNS] = {"id",    "ts",  "user", "day",  "amount",
                                               "price", "qty", "ok",   "note", "short"};
  uint32_t start = dice(4) ? 0 : dice(N_COLUMNS), spaced = dice(4) == 0;
  bool first = true;
  fixture_put(t, "{", 1);
  for (unsigned i = 0; i < N_COLUMNS; i++) {
    unsigned column = (start + i) % N_COLUMNS;
    if (column && dice(30) == 0) continue;
    if (!first) fixture_print(t, "%s,", spaced ? blanks() : "");
    first = false;
    if (dice(40) == 0) fixture_print(t, "\"x%s\":[{\"y\":\"z\\\"\"},%u],", &"a long unknown key"[dice(18)], dice(9));
    fixture_print(t, "%s\"%s\"%s:%s", spaced ? blanks() : "", names[column], spaced ? blanks() : "",
                  spaced ? blanks() : "");
    if (column && dice(20) == 0) fixture_print(t, "null");
    else put_value(t, column, "\"");
  }
  fixture_print(t, "}\n");
}

static void put_csv(fixture_text *t) {
  for (unsigned column = 0; column < N_COLUMNS; column++) {
    if (column) fixture_put(t, ",", 1);
    if (column == 0 || dice(20)) put_value(t, column, dice(3) ? "" : "\"");
  }
  fixture_print(t, "%s\n", dice(5) ? "" : "\r");
}

static void put_msgpack(fixture_text *t) {
  static const char *const names[N_COLUMNS] = {"\xa2id",    "\xa2ts",  "\xa4user", "\xa3" "day", "\xa6" "amount",
                                               "\xa5price", "\xa3qty", "\xa2ok",   "\xa4note",   "\xa5short"};
  fixture_print(t, "%c", (char)(0x80 + N_COLUMNS));
  for (unsigned column = 0; column < N_COLUMNS; column++) {
    fixture_print(t, "%s", names[column]);
    fixture_text value = {0};
    put_value(&value, column, "");
    bool text = column == 1 || column == 2 || column == 3 || column == 5 || column >= 8;
    if (!text) fixture_put(t, column == 7 ? "\xc3" : "\x2a", 1);
    else fixture_print(t, value.len < 32 ? "%c" : "\xd9%c", (char)(value.len < 32 ? 0xa0 | value.len : value.len));
    if (text) fixture_put(t, value.data, value.len);
    free(value.data);
  }
}

static void mutate(fixture_text *t) {
  static const char marks[] = "{}[]\",:\\0123eE+-.tn \x01\x80\xff\n\r\xc1\xd9";
  for (uint32_t n = dice(4); n > 0; n--) t->data[dice((uint32_t)t->len)] = marks[dice(sizeof marks - 1)];
}

/* ---- the tests -------------------------------------------------------------------- */

typedef void put_row(fixture_text *t);

static void compare_streams(formats_index format, const char *options, put_row *put, bool faulty) {
  const hw_schema *schema = fixture_schema(SCHEMA);
  n_rows = n_bad = 0;
  for (unsigned i = 0; i < 400; i++) {
    fixture_text t = {0};
    for (uint32_t rows = 1 + dice(6); rows > 0; rows--) put(&t);
    if (faulty) mutate(&t);
    expect_same(format, options, schema, &t, i % 4 ? random_feed() : (fixture_feed){0});
    free(t.data);
  }
  ck_assert_uint_gt(n_rows, 300);
  ck_assert_uint_gt(n_bad, 100);
}

#define RAW "\"update_format\": \"raw\""

START_TEST(json) {
  seed = 21;
  compare_streams(FORMATS_JSON, RAW, put_json, false);
  compare_streams(FORMATS_JSON, RAW, put_json, true);
  compare_streams(FORMATS_JSON, RAW ", \"lines\": \"single\"", put_json, true);
}
END_TEST

START_TEST(csv) {
  seed = 22;
  compare_streams(FORMATS_CSV, "", put_csv, false);
  compare_streams(FORMATS_CSV, "", put_csv, true);
  compare_streams(FORMATS_CSV, "\"escape\": \"\\\\\", \"trim\": \"all\"", put_csv, true);
}
END_TEST

START_TEST(msgpack) {
  seed = 23;
  compare_streams(FORMATS_MSGPACK, RAW, put_msgpack, true);
}
END_TEST

/* Every byte at every place of texts as long as some vectors. */
static void compare_bytes(formats_index format, const char *options, const char *before, const char *after) {
  static const char text[] = "the quick brown fox jumps over the lazy dog, and once more over it, and on";
  const hw_schema *schema = fixture_schema("v VARCHAR, w VARCHAR");
  for (unsigned at = 0; at < 70; at++) {
    fixture_text t = {0};
    for (unsigned byte = 0; byte < 256; byte++) {
      fixture_print(&t, "%s%.*s", before, (int)at, text);
      fixture_put(&t, &(char){(char)byte}, 1);
      fixture_print(&t, "%.*s%s", (int)(byte % 40), "and what follows it goes on for a while", after);
    }
    expect_same(format, options, schema, &t, (fixture_feed){0});
    free(t.data);
  }
}

START_TEST(bytes) {
  compare_bytes(FORMATS_JSON, RAW ", \"lines\": \"single\"", "{\"v\":\"", "\"}\n");
  compare_bytes(FORMATS_JSON, RAW ", \"lines\": \"single\"", "{\"unknown\":{\"x\":\"", "\"},\"v\":\"\"}\n");
  compare_bytes(FORMATS_CSV, "", "x,", "\n");
  compare_bytes(FORMATS_CSV, "", "\"", "\",x\n");
  compare_bytes(FORMATS_RAW, "\"column_name\": \"v\"", "", "\n");
}
END_TEST

/* ---- encoders ----------------------------------------------------------------------- */

static void compare_encoded(formats_index format, const char *options, const hw_batch *batch) {
  const char *const *names = formats_names();
  size_t len, n;
  char *portable = fixture_encode(formats_named(names[0])->formats[format], options, batch, 0, &len, NULL);
  for (size_t i = 1; names[i]; i++) {
    char *other = fixture_encode(formats_named(names[i])->formats[format], options, batch, dice(300), &n, NULL);
    if (n != len || memcmp(other, portable, len) != 0)
      ck_abort_msg("portable gives\n%.*s%s gives\n%.*s", (int)len, portable, names[i], (int)n, other);
    free(other);
  }
  free(portable);
}

static void put_valid(fixture_text *t) {
  fixture_print(t, "{\"user\":\"");
  put_text(t, false);
  fixture_print(t, "\",\"amount\":");
  put_number(t);
  fixture_print(t, ",\"note\":\"");
  put_text(t, false);
  fixture_print(t, "\"}\n");
}

START_TEST(encoded) {
  const hw_schema *schema = fixture_schema("user VARCHAR, amount DOUBLE, note VARCHAR");
  seed = 24;
  for (unsigned i = 0; i < 60; i++) {
    fixture_text t = {0};
    for (uint32_t rows = 1 + dice(6); rows > 0; rows--) put_valid(&t);
    const hw_batch *batch = fixture_batch(schema, t.data, NULL);
    compare_encoded(FORMATS_JSON, "", batch);
    compare_encoded(FORMATS_CSV, "", batch);
    compare_encoded(FORMATS_CSV, "\"delimiter\": \"\\\\t\", \"quote\": \"'\"", batch);
    compare_encoded(FORMATS_MSGPACK, "", batch);
    free(t.data);
  }
}
END_TEST

/* ---- the choice ------------------------------------------------------------------------ */

START_TEST(choice) {
  const char *const *names = formats_names();
  const char *last = names[0];
  ck_assert_str_eq(names[0], "portable");
  for (size_t i = 0; names[i]; i++) {
    last = names[i];
    ck_assert_ptr_nonnull(formats_named(last));
    ck_assert_str_eq(formats_named(last)->simd, last);
  }
  ck_assert_ptr_null(formats_named("avx"));
  const char *wanted = getenv("HEADWORKS_SIMD");
  ck_assert_str_eq(formats_in_use()->simd, wanted && *wanted ? wanted : last);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_simd");
  TCase *all = tcase_create("every instruction set");
  tcase_set_timeout(all, 120);
  tcase_add_test(all, choice);
  tcase_add_test(all, json);
  tcase_add_test(all, csv);
  tcase_add_test(all, msgpack);
  tcase_add_test(all, bytes);
  tcase_add_test(all, encoded);
  suite_add_tcase(suite, all);
  return fixture_run(suite);
}
