/* test_format_put.c - what the encoders write in registers, byte by byte against
 * the functions that write any value, and against msgpack-c. */
#include "formats/msgpack_put.h"
#include "tests/format_fixture.h"

#include <math.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200000

static uint64_t seed = 1;

static uint64_t dice(void) { /* splitmix64 */
  uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Numbers of every length. */
static uint64_t any_number(void) {
  return dice() >> (dice() & 63);
}

static void same(const char *text, const char *after, const char *expected, size_t len) {
  if ((size_t)(after - text) == len && !memcmp(text, expected, len)) return;
  ck_abort_msg("wrote '%.*s', expected '%.*s'", (int)(after - text), text, (int)len, expected);
}

/* ---- text ------------------------------------------------------------------------ */

static void check_unsigned(uint64_t v) {
  char text[HW_VALUE_TEXT_MAX], expected[HW_VALUE_TEXT_MAX];
  same(text, put_unsigned(text, v), expected, hw_format_u64(v, expected));
  same(text, put_signed(text, (int64_t)v), expected, hw_format_i64((int64_t)v, expected));
  same(text, put_signed(text, -(int64_t)(v >> 1)), expected, hw_format_i64(-(int64_t)(v >> 1), expected));
}

START_TEST(integers) {
  for (uint64_t v = 0; v < 100100; v++) check_unsigned(v);
  for (uint64_t ten = 10; ten < UINT64_C(10000000000000000000); ten *= 10)
    for (uint64_t d = 0; d < 3; d++) check_unsigned(ten - 1 + d);
  check_unsigned(UINT64_MAX);
  check_unsigned(UINT64_C(1) << 63);
  for (unsigned i = 0; i < ROUNDS; i++) check_unsigned(any_number());
}
END_TEST

static void check_double(double v) {
  char text[HW_VALUE_TEXT_MAX], expected[HW_VALUE_TEXT_MAX];
  same(text, put_double(text, v), expected, hw_format_f64(v, expected));
  same(text, put_double(text, -v), expected, hw_format_f64(-v, expected));
}

START_TEST(doubles) {
  static const double odd[] = {0.0,      0.005,     0.995,  0.1 + 0.2, 999999.99, 999999.995, 999999.999,
                               1e6,      1e6 - 1e-9, 1e13,  5e-324,    1e300,     1.0 / 3,    123456.78999999999};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) check_double(odd[i]);
  check_double(__builtin_inf());
  check_double(__builtin_nan(""));
  for (unsigned i = 0; i < ROUNDS; i++) {
    uint64_t bits = dice();
    double any;
    memcpy(&any, &bits, sizeof any);
    if (any == any) check_double(any); /* NaNs have no sign as text */
    check_double((double)(any_number() % 120000000) / 100.0);
    check_double((double)(any_number() % 1200000000) / 1000.0);
  }
}
END_TEST

static void check_timestamp(int64_t v, put_day *day) {
  char text[HW_VALUE_TEXT_MAX], expected[HW_VALUE_TEXT_MAX];
  same(text, put_timestamp(text, v, day), expected, hw_format_timestamp(v, expected));
}

START_TEST(timestamps) {
  put_day day;
  put_day_init(&day);
  static const int64_t odd[] = {0, -1, 1, 100, 123000, PUT_DAY - 1, PUT_DAY, -PUT_DAY, INT64_MIN, INT64_MAX,
                                INT64_C(253402300799999999), INT64_C(253402300800000000),
                                INT64_C(-62135596800000000), INT64_C(-62135596800000001)};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) check_timestamp(odd[i], &day);
  for (unsigned i = 0; i < ROUNDS; i++) {
    int64_t any = (int64_t)dice() >> (dice() & 31);
    check_timestamp(any, &day);
    check_timestamp(any + (int64_t)(dice() % (uint64_t)PUT_DAY) / 3, &day);
    check_timestamp(any / 1000 * 1000, &day);
    check_timestamp(any / 1000000 * 1000000, &day);
  }
}
END_TEST

/* Exactly len bytes are read, which the address sanitizer watches over. */
START_TEST(bytes) {
  for (size_t len = 0; len < 200; len++) {
    char out[256] = {0}, *from = malloc(len + !len);
    ck_assert_ptr_nonnull(from);
    for (size_t i = 0; i < len; i++) from[i] = (char)(i * 7 + 1);
    same(out, put_bytes(out, from, len), from, len);
    free(from);
  }
}
END_TEST

/* ---- MessagePack -------------------------------------------------------------------- */

static msgpack_sbuffer packed;
static msgpack_packer packer;

static void start_packing(void) {
  msgpack_sbuffer_clear(&packed);
  msgpack_packer_init(&packer, &packed, msgpack_sbuffer_write);
}

static void check_items(uint64_t v) {
  char out[64];
  start_packing();
  msgpack_pack_uint64(&packer, v);
  same(out, mp_put_unsigned(out, v), packed.data, packed.size);
  start_packing();
  msgpack_pack_int64(&packer, (int64_t)v);
  same(out, mp_put_signed(out, (int64_t)v), packed.data, packed.size);
  start_packing();
  msgpack_pack_int64(&packer, -(int64_t)(v >> 1));
  same(out, mp_put_signed(out, -(int64_t)(v >> 1)), packed.data, packed.size);
  start_packing();
  msgpack_pack_map(&packer, (uint32_t)v);
  same(out, mp_put_items(out, true, (uint32_t)v), packed.data, packed.size);
  start_packing();
  msgpack_pack_array(&packer, (uint32_t)v);
  same(out, mp_put_items(out, false, (uint32_t)v), packed.data, packed.size);
}

START_TEST(items) {
  for (uint64_t v = 0; v < 70000; v++) check_items(v);
  for (unsigned i = 0; i < ROUNDS; i++) check_items(any_number());
}
END_TEST

START_TEST(strings) {
  static char data[70000], out[sizeof data + 64];
  for (uint32_t len = 0; len <= sizeof data; len += len < 300 || (len > 65500 && len < 65600) ? 1 : 50) {
    start_packing();
    msgpack_pack_str_with_body(&packer, data, len);
    same(out, mp_put_str(out, data, len), packed.data, packed.size);
    start_packing();
    msgpack_pack_bin_with_body(&packer, data, len);
    same(out, mp_put_bin(out, data, len), packed.data, packed.size);
  }
}
END_TEST

START_TEST(packed_timestamps) {
  for (unsigned i = 0; i < ROUNDS; i++) {
    int64_t any = (int64_t)dice() >> (dice() & 63), seconds = any / 1000000 - (any % 1000000 < 0);
    msgpack_timestamp t = {.tv_sec = seconds, .tv_nsec = (uint32_t)(any - seconds * 1000000) * 1000};
    char out[64];
    start_packing();
    msgpack_pack_timestamp(&packer, &t);
    same(out, mp_put_timestamp(out, any), packed.data, packed.size);
  }
}
END_TEST

START_TEST(floats) {
  for (unsigned i = 0; i < ROUNDS; i++) {
    double v = (double)(int64_t)dice() / (double)any_number();
    char out[64];
    start_packing();
    msgpack_pack_double(&packer, v);
    same(out, mp_put_double(out, v), packed.data, packed.size);
    start_packing();
    msgpack_pack_float(&packer, (float)v);
    same(out, mp_put_float(out, (float)v), packed.data, packed.size);
  }
}
END_TEST

/* ---- CSV text ------------------------------------------------------------------------- */

/* What RFC 4180 asks for, one character at a time. */
static void print_cell(fixture_text *t, const char *p, size_t len) {
  bool quoted = len == 0 || p[0] == ' ' || p[len - 1] == ' ';
  for (size_t i = 0; i < len; i++) quoted |= strchr(",\"\n\r", p[i]) != NULL;
  if (quoted) fixture_put(t, "\"", 1);
  for (size_t i = 0; i < len; i++) {
    if (p[i] == '"') fixture_put(t, "\"", 1);
    fixture_put(t, p + i, 1);
  }
  if (quoted) fixture_put(t, "\"", 1);
  fixture_put(t, "\n", 1);
}

/* A text of len times 'a' but for each mark in turn at `at`; as plain text where it is. */
static void check_cells(const hw_schema *schema, size_t len, size_t at) {
  fixture_text rows = {0}, expected = {0};
  for (const char *mark = "x,\"\n\r "; *mark; mark++) {
    char text[100];
    const char *escaped = *mark == '"' ? "\\\"" : *mark == '\n' ? "\\n" : *mark == '\r' ? "\\r" : NULL;
    memset(text, 'a', sizeof text);
    text[at] = *mark;
    if (len && escaped)
      fixture_print(&rows, "[\"%.*s%s%.*s\"]\n", (int)at, text, escaped, (int)(len - at - 1), text + at + 1);
    else
      fixture_print(&rows, "[\"%.*s\"]\n", (int)len, text);
    print_cell(&expected, text, len);
  }
  size_t n;
  char *data = fixture_encode(&format_csv, "\"weight\": false", fixture_batch(schema, rows.data, NULL), 0, &n, NULL);
  same(data, data + n, expected.data, expected.len);
  free(data);
  free(rows.data);
  free(expected.data);
}

/* Every length, with every mark at every place. */
START_TEST(csv_texts) {
  hw_schema *schema = fixture_schema("v VARCHAR");
  for (size_t len = 0; len < 100; len++)
    for (size_t at = 0; at < len + !len; at++) check_cells(schema, len, at);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_put");
  TCase *tcase = tcase_create("all");
  tcase_set_timeout(tcase, 120);
  tcase_add_test(tcase, integers);
  tcase_add_test(tcase, doubles);
  tcase_add_test(tcase, timestamps);
  tcase_add_test(tcase, bytes);
  tcase_add_test(tcase, items);
  tcase_add_test(tcase, strings);
  tcase_add_test(tcase, packed_timestamps);
  tcase_add_test(tcase, floats);
  tcase_add_test(tcase, csv_texts);
  suite_add_tcase(suite, tcase);
  return fixture_run(suite);
}
