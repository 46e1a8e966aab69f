/* Values as text: every parser and printer against libc, arithmetic on whole
 * numbers, or its own inverse. */
#include "runtime/value_pow10.h"
#include "runtime/value_time.h"

#include <headworks/value.h>

#include <check.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For loops: Check's own macros report every success through a pipe. */
#define REQUIRE_MSG(condition, ...)                                                                                    \
  do {                                                                                                                 \
    if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                                       \
  } while (0)
#define REQUIRE(condition) REQUIRE_MSG(condition, "%s", #condition)

static uint64_t seed = 0x9E3779B97F4A7C15;

static uint64_t next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed * UINT64_C(0x2545F4914F6CDD1D);
}

/* ---- integers ------------------------------------------------------------ */

typedef struct integer_case {
  const char *text;
  hw_status status;
  int64_t value;
} integer_case;

START_TEST(integers_by_hand) {
  static const integer_case cases[] = {
      {"0", HW_OK, 0},
      {"-0", HW_OK, 0},
      {"7", HW_OK, 7},
      {"-7", HW_OK, -7},
      {"12345678", HW_OK, 12345678},
      {"00000000000000000000000000042", HW_OK, 42},
      {"123456789012", HW_OK, 123456789012},
      {"9223372036854775807", HW_OK, INT64_MAX},
      {"-9223372036854775808", HW_OK, INT64_MIN},
      {"9223372036854775808", HW_ERANGE, 0},
      {"-9223372036854775809", HW_ERANGE, 0},
      {"18446744073709551616", HW_ERANGE, 0},
      {"99999999999999999999999", HW_ERANGE, 0},
      {"", HW_EPARSE, 0},
      {"-", HW_EPARSE, 0},
      {"+1", HW_EPARSE, 0},
      {" 1", HW_EPARSE, 0},
      {"1 ", HW_EPARSE, 0},
      {"1.0", HW_EPARSE, 0},
      {"1e3", HW_EPARSE, 0},
      {"1234567a", HW_EPARSE, 0},
      {"12345678:", HW_EPARSE, 0},
      {"--1", HW_EPARSE, 0},
      {"0x10", HW_EPARSE, 0},
      {"9999999999999999999999x", HW_EPARSE, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t v = 0;
    hw_status st = hw_parse_i64(cases[i].text, strlen(cases[i].text), &v);
    REQUIRE_MSG(st == cases[i].status && (st != HW_OK || v == cases[i].value), "%s: %s", cases[i].text,
                hw_status_name(st));
  }
  uint64_t u;
  ck_assert_int_eq(hw_parse_u64("18446744073709551615", 20, &u), HW_OK);
  ck_assert(u == UINT64_MAX);
  ck_assert_int_eq(hw_parse_u64("18446744073709551616", 20, &u), HW_ERANGE);
  ck_assert_int_eq(hw_parse_u64("-1", 2, &u), HW_ERANGE);
  ck_assert_int_eq(hw_parse_u64("-0", 2, &u), HW_OK);
}
END_TEST

START_TEST(integers_round_trip) {
  for (int i = 0; i < 40000; i++) {
    int64_t v = (int64_t)(next_random() >> (next_random() & 63)), back;
    if (i & 1) v = -v;
    char expected[32], text[HW_VALUE_TEXT_MAX];
    int n = snprintf(expected, sizeof expected, "%lld", (long long)v);
    REQUIRE(hw_format_i64(v, text) == (size_t)n);
    REQUIRE(memcmp(text, expected, (size_t)n) == 0);
    REQUIRE(hw_parse_i64(text, (size_t)n, &back) == HW_OK);
    REQUIRE(back == v);
    uint64_t u = (uint64_t)v, uback;
    n = snprintf(expected, sizeof expected, "%llu", (unsigned long long)u);
    REQUIRE(hw_format_u64(u, text) == (size_t)n);
    REQUIRE(memcmp(text, expected, (size_t)n) == 0);
    REQUIRE(hw_parse_u64(text, (size_t)n, &uback) == HW_OK);
    REQUIRE(uback == u);
  }
  for (uint64_t p = 1, k = 0; k < 20; k++, p *= 10)
    for (int d = -1; d <= 1; d++) {
      char expected[32], text[HW_VALUE_TEXT_MAX];
      int n = snprintf(expected, sizeof expected, "%llu", (unsigned long long)(p + (uint64_t)d));
      REQUIRE(hw_format_u64(p + (uint64_t)d, text) == (size_t)n);
      REQUIRE(memcmp(text, expected, (size_t)n) == 0);
    }
}
END_TEST

/* ---- the table of powers, against whole numbers of any size --------------- */

#define LIMBS 80

typedef struct big {
  uint32_t limb[LIMBS]; /* least first */
} big;

static void big_multiply(big *b, uint32_t by) {
  uint64_t carry = 0;
  for (int i = 0; i < LIMBS; i++) {
    carry += (uint64_t)b->limb[i] * by;
    b->limb[i] = (uint32_t)carry;
    carry >>= 32;
  }
  REQUIRE(carry == 0);
}

static int big_bits(const big *b) {
  for (int i = LIMBS - 1; i >= 0; i--)
    if (b->limb[i]) return i * 32 + 32 - __builtin_clz(b->limb[i]);
  return 0;
}

static int big_bit(const big *b, int i) {
  return i >= 0 && (b->limb[i / 32] >> (i % 32) & 1);
}

static big big_ten_to(int e) {
  big b = {{1}};
  for (int i = 0; i < e; i++) big_multiply(&b, 10);
  return b;
}

/* f * ten - 2^k by schoolbook multiplication: its sign. */
static int compare_product(hw_uint128 f, const big *ten, int k) {
  big sum = {{0}};
  for (int j = 0; j < 5; j++) {
    uint64_t carry = 0;
    uint32_t digit = j < 4 ? (uint32_t)(f >> (32 * j)) : 0;
    for (int i = 0; i + j < LIMBS; i++) {
      carry += (uint64_t)sum.limb[i + j] + (uint64_t)ten->limb[i] * digit;
      sum.limb[i + j] = (uint32_t)carry;
      carry >>= 32;
    }
  }
  int bits = big_bits(&sum);
  if (bits != k + 1) return bits > k + 1 ? 1 : -1;
  for (int i = 0; i < k; i++)
    if (big_bit(&sum, i)) return 1;
  return 0;
}

START_TEST(power_table_is_exact) {
  for (int e = 0; e <= POW10_MAX; e++) {
    big ten = big_ten_to(e);
    hw_uint128 f = 0;
    int bits = big_bits(&ten);
    for (int i = 1; i <= 128; i++) f = f << 1 | (unsigned)big_bit(&ten, bits - i);
    pow10_bits p = pow10_floor[e - POW10_MIN];
    REQUIRE(f == ((hw_uint128)p.high << 64 | p.low));
    REQUIRE(pow10_log2(e) == bits - 1);
  }
  for (int e = POW10_MIN; e < 0; e++) {
    big ten = big_ten_to(-e);
    pow10_bits p = pow10_floor[e - POW10_MIN];
    hw_uint128 f = (hw_uint128)p.high << 64 | p.low;
    int k = 127 + big_bits(&ten); /* 2^127 <= 2^k / ten < 2^128 */
    REQUIRE(p.high >> 63 == 1);
    REQUIRE(compare_product(f, &ten, k) < 0);
    if (f + 1 != 0) REQUIRE(compare_product(f + 1, &ten, k) > 0);
    REQUIRE(pow10_log2(e) == -big_bits(&ten));
  }
}
END_TEST

/* ---- floats -------------------------------------------------------------- */

static bool same_double(double a, double b) {
  return memcmp(&a, &b, sizeof a) == 0;
}
static bool same_float(float a, float b) {
  return memcmp(&a, &b, sizeof a) == 0;
}

static void check_double_text(const char *text) {
  double v = 0, expected = strtod(text, NULL);
  hw_status st = hw_parse_f64(text, strlen(text), &v);
  if (isinf(expected))
    REQUIRE_MSG(st == HW_ERANGE, "%s", text);
  else
    REQUIRE_MSG(st == HW_OK && same_double(v, expected), "%s: %a, not %a", text, v, expected);
  float f = 0, expected_f = strtof(text, NULL);
  st = hw_parse_f32(text, strlen(text), &f);
  if (isinf(expected_f))
    REQUIRE_MSG(st == HW_ERANGE, "%s", text);
  else
    REQUIRE_MSG(st == HW_OK && same_float(f, expected_f), "%s: %a, not %a", text, (double)f, (double)expected_f);
}

START_TEST(float_texts) {
  static const char *const good[] = {
      "0",
      "-0",
      "0.0",
      "-0.0",
      "1",
      "+1",
      "0.1",
      "1e0",
      "1E+5",
      "1e-5",
      "123456789012345678",
      "3661.32",
      "1e22",
      "1e23",
      "9007199254740993",
      "9007199254740992.5",
      "9007199254740993.000000000000000000000000000000000001",
      "2.2250738585072011e-308",
      "2.2250738585072012e-308",
      "2.2250738585072014e-308",
      "4.9406564584124654e-324",
      "2.4703282292062327e-324",
      "2.4703282292062328e-324",
      "2.47e-324",
      "1.7976931348623157e308",
      "1.7976931348623158e308",
      "1.7976931348623159e308",
      "1e308",
      "1e309",
      "1e400",
      "1e-400",
      "0e999999999999999999999",
      "1e99999999999999999999",
      "1e-99999999999999999999",
      "1.4e-45",
      "7e-46",
      "7.1e-46",
      "3.4028235e38",
      "3.4028236e38",
      "16777217",
      "16777216.5",
      "0.000000000000000000000000000000000000000000000000000000000000001",
      "100000000000000000000000000000000000000000000000000000000000000000000000",
      "8.41e21",
      "5e-324",
      "6.631236846766476e-316",
      "0.500000000000000166533453693773481063544750213623046875",
      "1.00000005960464477540",
      "1.00000017881393432617187499",
      "1.000000178813934326171875",
      "1.00000017881393432617187501",
      "8.589973e9",
      "30219.0830078125",
      "7.0060e-46",
      "184467440737095516160e-20",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) check_double_text(good[i]);
  static const char *const bad[] = {
      "",      "-",  "+",  ".5",  "5.",    "01",  "-01", "1e", "1e+",     "1.e5", "nan",   "inf", "Inf",
      "0x1p3", " 1", "1 ", "1_0", "1.2.3", "--1", "+-1", "1f", "Infinit", "-NaN", "1e5.5", "e5",  "1,5",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    double v;
    float f;
    REQUIRE_MSG(hw_parse_f64(bad[i], strlen(bad[i]), &v) == HW_EPARSE, "%s", bad[i]);
    REQUIRE_MSG(hw_parse_f32(bad[i], strlen(bad[i]), &f) == HW_EPARSE, "%s", bad[i]);
  }
  double v;
  ck_assert(hw_parse_f64("NaN", 3, &v) == HW_OK && isnan(v));
  ck_assert(hw_parse_f64("Infinity", 8, &v) == HW_OK && isinf(v) && v > 0);
  ck_assert(hw_parse_f64("-Infinity", 9, &v) == HW_OK && isinf(v) && v < 0);
}
END_TEST

static double random_double(void) {
  double v;
  do {
    uint64_t bits = next_random();
    memcpy(&v, &bits, sizeof v);
  } while (!isfinite(v));
  return v;
}

START_TEST(doubles_read_like_strtod) {
  for (int i = 0; i < 50000; i++) {
    char text[64];
    snprintf(text, sizeof text, "%.*g", 1 + (int)(next_random() % 17), random_double());
    if (strchr(text, 'e') && strchr(text, 'e') == text + 1 && text[0] == '-') continue;
    check_double_text(text);
    snprintf(text, sizeof text, "%llue%d", (unsigned long long)next_random(), (int)(next_random() % 700) - 360);
    check_double_text(text);
    snprintf(text, sizeof text, "%llu.%llue%d", (unsigned long long)next_random() >> 20,
             (unsigned long long)next_random(), (int)(next_random() % 100) - 50);
    check_double_text(text);
  }
}
END_TEST

/* A text half-way between two floats, exactly; just below and just above. */
static void check_around_middle(long double middle) {
  char text[2600];
  int len = snprintf(text, sizeof text - 2, "%.1150Le", middle);
  REQUIRE(len > 0);
  char *e = strchr(text, 'e');
  REQUIRE(e != NULL);
  check_double_text(text);
  char tail[16];
  snprintf(tail, sizeof tail, "%s", e);
  snprintf(e, 20, "1%s", tail); /* one more digit: above */
  check_double_text(text);
  /* Below: the exact digits with the last that is not zero lowered, then nines. */
  char *last = e - 1;
  while (*last == '0' || *last == '.') last--;
  *last = (char)(*last - 1);
  last[1 + (last[1] == '.')] = '9';
  check_double_text(text);
}

START_TEST(halfway_cases) {
  for (int i = 0; i < 1000; i++) {
    double d = fabs(random_double());
    if (i % 3 == 0) d = ldexp((double)(next_random() >> 11), -(int)(next_random() % 100));
    if (i % 3 == 1) {
      uint64_t bits = next_random() >> 12; /* subnormal */
      memcpy(&d, &bits, sizeof d);
    }
    double up = nextafter(d, INFINITY);
    if (d == 0 || isinf(up)) continue;
    check_around_middle(((long double)d + (long double)up) / 2);
    float f = (float)ldexp((double)(next_random() >> 40), (int)(next_random() % 250) - 160);
    float fup = nextafterf(f, INFINITY);
    if (f == 0 || isinf(fup)) continue;
    check_around_middle(((long double)f + (long double)fup) / 2);
  }
}
END_TEST

/* Significant digits of a printed number, without zeros at either end. */
static size_t significant(const char *text, char *digits) {
  size_t n = 0;
  for (; *text && *text != 'e'; text++)
    if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0')) digits[n++] = *text;
  while (n > 1 && digits[n - 1] == '0') n--;
  digits[n] = '\0';
  return n;
}

static void check_double_prints(double v) {
  char text[HW_VALUE_TEXT_MAX + 1], longer[64], digits[64], expected[64];
  size_t len = hw_format_f64(v, text);
  text[len] = '\0';
  REQUIRE(len < HW_VALUE_TEXT_MAX);
  double back;
  REQUIRE_MSG(hw_parse_f64(text, len, &back) == HW_OK && same_double(back, v), "%s from %a", text, v);
  int precision = 0;
  do snprintf(longer, sizeof longer, "%.*e", precision, v);
  while (!same_double(strtod(longer, NULL), v) && ++precision < 17);
  size_t n = significant(text, digits), m = significant(longer, expected);
  REQUIRE_MSG(n < m || strcmp(digits, expected) == 0, "%s, not %s", text, longer);
}

static void check_float_prints(float v) {
  char text[HW_VALUE_TEXT_MAX + 1], longer[64], digits[64], expected[64];
  size_t len = hw_format_f32(v, text);
  text[len] = '\0';
  float back;
  REQUIRE_MSG(hw_parse_f32(text, len, &back) == HW_OK && same_float(back, v), "%s from %a", text, (double)v);
  int precision = 0;
  do snprintf(longer, sizeof longer, "%.*e", precision, (double)v);
  while (!same_float(strtof(longer, NULL), v) && ++precision < 9);
  size_t n = significant(text, digits), m = significant(longer, expected);
  REQUIRE_MSG(n < m || strcmp(digits, expected) == 0, "%s, not %s", text, longer);
}

START_TEST(doubles_print_shortest) {
  for (int i = 0; i < 15000; i++) {
    check_double_prints(random_double());
    check_double_prints((double)(int64_t)next_random() / 1000.0);
    check_double_prints((double)(next_random() % 100000000) / 100.0);
    check_double_prints((double)(next_random() % 100000000) / 100000.0);
  }
  for (int e = -1074; e < 1024; e++) {
    check_double_prints(ldexp(1, e));
    check_double_prints(nextafter(ldexp(1, e), 0));
    check_double_prints(nextafter(ldexp(1, e), INFINITY));
  }
  check_double_prints(DBL_MAX);
  check_double_prints(1e23);
  check_double_prints(9007199254740993.0);
}
END_TEST

START_TEST(floats_print_shortest) {
  for (int i = 0; i < 30000; i++) {
    uint32_t bits = (uint32_t)next_random();
    float v;
    memcpy(&v, &bits, sizeof v);
    if (isfinite(v)) check_float_prints(v);
  }
  for (int e = -149; e < 128; e++) check_float_prints(ldexpf(1, e));
  check_float_prints(FLT_MAX);
}
END_TEST

START_TEST(float_forms) {
  static const struct {
    double value;
    const char *text;
  } cases[] = {
      {0, "0.0"},
      {-0.0, "-0.0"},
      {3, "3.0"},
      {-3.5, "-3.5"},
      {3661.32, "3661.32"},
      {0.1, "0.1"},
      {1e20, "100000000000000000000.0"},
      {1e21, "1e21"},
      {1.5e21, "1.5e21"},
      {123456789e3, "123456789000.0"},
      {1e-6, "0.000001"},
      {1.25e-6, "0.00000125"},
      {1e-7, "1e-7"},
      {-1.5e-7, "-1.5e-7"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e308"},
      {0.3, "0.3"},
      {0.1 + 0.2, "0.30000000000000004"},
      {100, "100.0"},
      {1e15, "1000000000000000.0"},
      {123456789012345680.0, "123456789012345680.0"},
      {1.0 / 3, "0.3333333333333333"},
      {99999999999999.99, "99999999999999.98"},
  };
  char text[HW_VALUE_TEXT_MAX + 1];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    text[hw_format_f64(cases[i].value, text)] = '\0';
    ck_assert_str_eq(text, cases[i].text);
  }
  text[hw_format_f64(NAN, text)] = '\0';
  ck_assert_str_eq(text, "NaN");
  text[hw_format_f64(-INFINITY, text)] = '\0';
  ck_assert_str_eq(text, "-Infinity");
  text[hw_format_f32(INFINITY, text)] = '\0';
  ck_assert_str_eq(text, "Infinity");
  text[hw_format_f32(0.1F, text)] = '\0';
  ck_assert_str_eq(text, "0.1");
  text[hw_format_f32(-0.0F, text)] = '\0';
  ck_assert_str_eq(text, "-0.0");
  text[hw_format_f32(16777216, text)] = '\0';
  ck_assert_str_eq(text, "16777216.0");
}
END_TEST

/* ---- decimals ------------------------------------------------------------ */

START_TEST(decimals) {
  static const struct {
    const char *text;
    unsigned precision, scale;
    hw_status status;
    const char *back;
  } cases[] = {
      {"0", 5, 2, HW_OK, "0.00"},
      {"-0.00", 5, 2, HW_OK, "0.00"},
      {"1.5", 5, 2, HW_OK, "1.50"},
      {"+1.5", 5, 2, HW_OK, "1.50"},
      {"-123.45", 5, 2, HW_OK, "-123.45"},
      {"1.005", 5, 2, HW_OK, "1.01"},
      {"-1.005", 5, 2, HW_OK, "-1.01"},
      {"1.0049999999999999999999999999999999", 5, 2, HW_OK, "1.00"},
      {"999.995", 5, 2, HW_ERANGE, NULL},
      {"999.994", 5, 2, HW_OK, "999.99"},
      {"1000", 5, 2, HW_ERANGE, NULL},
      {"1e2", 5, 2, HW_OK, "100.00"},
      {"1e3", 5, 2, HW_ERANGE, NULL},
      {"12345e-2", 5, 2, HW_OK, "123.45"},
      {"5e-3", 5, 2, HW_OK, "0.01"},
      {"4.9e-3", 5, 2, HW_OK, "0.00"},
      {"1e-99999999999", 5, 2, HW_OK, "0.00"},
      {"0e99999999999999", 5, 2, HW_OK, "0.00"},
      {"1e99999999999999", 5, 2, HW_ERANGE, NULL},
      {"99999999999999999999999999999999999999", 38, 0, HW_OK, "99999999999999999999999999999999999999"},
      {"-99999999999999999999999999999999999999", 38, 0, HW_OK, "-99999999999999999999999999999999999999"},
      {"100000000000000000000000000000000000000", 38, 0, HW_ERANGE, NULL},
      {"99999999999999999999999999999999999999.4", 38, 0, HW_OK, "99999999999999999999999999999999999999"},
      {"99999999999999999999999999999999999999.5", 38, 0, HW_ERANGE, NULL},
      {"0.00000000000000000000000000000000000001", 38, 38, HW_OK, "0.00000000000000000000000000000000000001"},
      {"-0.12345678901234567890123456789012345678", 38, 38, HW_OK, "-0.12345678901234567890123456789012345678"},
      {"0.123456789012345678901234567890123456785", 38, 38, HW_OK, "0.12345678901234567890123456789012345679"},
      {"12345678901234567890.1234567890", 38, 10, HW_OK, "12345678901234567890.1234567890"},
      {"12345678901234567890123e-10", 38, 10, HW_OK, "1234567890123.4567890123"},
      {"1234567890123456789012e5", 38, 2, HW_OK, "123456789012345678901200000.00"},
      {"0.00000000000000000000000000000000000000000000000000005e50", 5, 2, HW_OK, "0.01"},
      {"00.5", 5, 2, HW_EPARSE, NULL},
      {".5", 5, 2, HW_EPARSE, NULL},
      {"1.", 5, 2, HW_EPARSE, NULL},
      {"", 5, 2, HW_EPARSE, NULL},
      {"NaN", 5, 2, HW_EPARSE, NULL},
      {"1 ", 5, 2, HW_EPARSE, NULL},
      {"9", 1, 0, HW_OK, "9"},
      {"9.5", 1, 0, HW_ERANGE, NULL},
      {"0.95", 1, 1, HW_ERANGE, NULL},
      {"0.94", 1, 1, HW_OK, "0.9"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    hw_int128 v = 0;
    hw_status st = hw_parse_decimal(cases[i].text, strlen(cases[i].text), cases[i].precision, cases[i].scale, &v);
    REQUIRE_MSG(st == cases[i].status, "%s: %s", cases[i].text, hw_status_name(st));
    if (st != HW_OK) continue;
    char text[HW_VALUE_TEXT_MAX + 1];
    text[hw_format_decimal(v, cases[i].scale, text)] = '\0';
    ck_assert_str_eq(text, cases[i].back);
  }
}
END_TEST

START_TEST(decimals_round_trip) {
  for (int i = 0; i < 30000; i++) {
    hw_uint128 wide = (hw_uint128)next_random() << 64 | next_random();
    hw_int128 v = (hw_int128)(wide >> (2 + next_random() % 125)), back;
    if (v >= (hw_int128)300000000000000000 * 1000000000000000000 * 100) continue;
    if (i & 1) v = -v;
    unsigned scale = (unsigned)(next_random() % 39);
    char text[HW_VALUE_TEXT_MAX];
    size_t len = hw_format_decimal(v, scale, text);
    REQUIRE(hw_parse_decimal(text, len, 38, scale, &back) == HW_OK);
    REQUIRE(back == v);
  }
}
END_TEST

/* ---- dates and times ------------------------------------------------------ */

START_TEST(every_day) {
  int32_t days = DATE_MIN;
  for (int year = 1; year <= 9999; year++) {
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (int month = 1; month <= 12; month++)
      for (int day = 1, n = lengths[month - 1] + (month == 2 && leap); day <= n; day++, days++) {
        char expected[16], text[HW_VALUE_TEXT_MAX];
        int32_t back = 0;
        expected[0] = (char)('0' + year / 1000);
        expected[1] = (char)('0' + year / 100 % 10);
        expected[2] = (char)('0' + year / 10 % 10);
        expected[3] = (char)('0' + year % 10);
        expected[4] = expected[7] = '-';
        expected[5] = (char)('0' + month / 10);
        expected[6] = (char)('0' + month % 10);
        expected[8] = (char)('0' + day / 10);
        expected[9] = (char)('0' + day % 10);
        if (hw_format_date(days, text) != 10 || memcmp(text, expected, 10) != 0 ||
            hw_parse_date(text, 10, &back) != HW_OK || back != days)
          ck_abort_msg("%.10s: %d", expected, days);
      }
  }
  ck_assert_int_eq(days, DATE_MAX + 1);
}
END_TEST

typedef struct time_case {
  const char *text;
  hw_status status;
  const char *back;
} time_case;

START_TEST(timestamps) {
  static const time_case cases[] = {
      {"1970-01-01T00:00:00Z", HW_OK, "1970-01-01 00:00:00"},
      {"2026-01-02T03:04:05.695Z", HW_OK, "2026-01-02 03:04:05.695"},
      {"2026-01-02 03:04:05.695", HW_OK, "2026-01-02 03:04:05.695"},
      {"2026-01-02", HW_OK, "2026-01-02 00:00:00"},
      {"2026-01-02Z", HW_OK, "2026-01-02 00:00:00"},
      {"2026-01-02 03:04", HW_OK, "2026-01-02 03:04:00"},
      {"2026-01-02 03:04Z", HW_OK, "2026-01-02 03:04:00"},
      {"2026-01-02T03:04:05+01:30", HW_OK, "2026-01-02 01:34:05"},
      {"2026-01-02T03:04:05-0130", HW_OK, "2026-01-02 04:34:05"},
      {"2026-01-02 03:04:05.5+00", HW_OK, "2026-01-02 03:04:05.5"},
      {"2026-01-02T03:04+01:00", HW_OK, "2026-01-02 02:04:00"},
      {"2026-01-02T03:04:05.1234567899Z", HW_OK, "2026-01-02 03:04:05.123456"},
      {"0001-01-01 00:00:00", HW_OK, "0001-01-01 00:00:00"},
      {"9999-12-31 23:59:59.999999", HW_OK, "9999-12-31 23:59:59.999999"},
      {"0001-01-01T00:00:00+00:01", HW_ERANGE, NULL},
      {"9999-12-31T23:59:59-00:01", HW_ERANGE, NULL},
      {"0000-01-01 00:00:00", HW_ERANGE, NULL},
      {"2026-13-01 00:00:00", HW_ERANGE, NULL},
      {"2026-00-01 00:00:00", HW_ERANGE, NULL},
      {"2026-02-29 00:00:00", HW_ERANGE, NULL},
      {"2024-02-29 00:00:00", HW_OK, "2024-02-29 00:00:00"},
      {"1900-02-29 00:00:00", HW_ERANGE, NULL},
      {"2000-02-29 00:00:00", HW_OK, "2000-02-29 00:00:00"},
      {"2026-01-32 00:00:00", HW_ERANGE, NULL},
      {"2026-01-00 00:00:00", HW_ERANGE, NULL},
      {"2026-01-02 24:00:00", HW_ERANGE, NULL},
      {"2026-01-02 23:60:00", HW_ERANGE, NULL},
      {"2026-01-02 23:59:60", HW_ERANGE, NULL},
      {"2026-01-02T03:04:05+24:00", HW_ERANGE, NULL},
      {"2026-01-02T03:04:05+01:60", HW_ERANGE, NULL},
      {"2026-01-02T03:04:05.", HW_EPARSE, NULL},
      {"2026-01-02T03:04:05.Z", HW_EPARSE, NULL},
      {"2026-01-02T03:04:05 Z", HW_EPARSE, NULL},
      {"2026-01-02T03:04:05z", HW_EPARSE, NULL},
      {"2026-01-02x03:04:05", HW_EPARSE, NULL},
      {"2026-01-02T3:04:05", HW_EPARSE, NULL},
      {"2026-1-2", HW_EPARSE, NULL},
      {"2026/01/02 00:00:00", HW_EPARSE, NULL},
      {"", HW_EPARSE, NULL},
      {"2026-01-02T03:04:0:", HW_EPARSE, NULL},
      {"2026-01-02T03:04:05+1", HW_EPARSE, NULL},
      {"2026-01-02T03:04:05+01:3", HW_EPARSE, NULL},
      {"2026-01-02T03:04:05+01:", HW_EPARSE, NULL},
      {"2026-01-02T", HW_EPARSE, NULL},
      {"2026-01-02T03", HW_EPARSE, NULL},
      {"2026-01-02T03:04:5", HW_EPARSE, NULL},
      {"202:-01-02T03:04:05", HW_EPARSE, NULL},
      {"2026-01-02T0:-04:05", HW_EPARSE, NULL},
      {"2026-01-02T03:04:05\0", HW_OK, "2026-01-02 03:04:05"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t v = 0;
    hw_status st = hw_parse_timestamp(cases[i].text, strlen(cases[i].text), &v);
    REQUIRE_MSG(st == cases[i].status, "%s: %s", cases[i].text, hw_status_name(st));
    if (st != HW_OK) continue;
    char text[HW_VALUE_TEXT_MAX + 1];
    text[hw_format_timestamp(v, text)] = '\0';
    ck_assert_str_eq(text, cases[i].back);
  }
  int64_t v;
  ck_assert_int_eq(hw_parse_timestamp("2026-01-02T03:04:05.695Z", 24, &v), HW_OK);
  ck_assert_int_eq(v, INT64_C(1767323045695000));
  ck_assert_int_eq(hw_parse_timestamp("1969-12-31 23:59:59.999999", 26, &v), HW_OK);
  ck_assert_int_eq(v, -1);
  char text[HW_VALUE_TEXT_MAX];
  ck_assert_uint_lt(hw_format_timestamp(INT64_MIN, text), HW_VALUE_TEXT_MAX);
  ck_assert_uint_lt(hw_format_timestamp(INT64_MAX, text), HW_VALUE_TEXT_MAX);
  ck_assert_uint_lt(hw_format_date(INT32_MIN, text), HW_VALUE_TEXT_MAX);
}
END_TEST

START_TEST(times) {
  static const time_case cases[] = {
      {"00:00", HW_OK, "00:00:00"},        {"23:59:59.999999999", HW_OK, "23:59:59.999999999"},
      {"12:34:56.5", HW_OK, "12:34:56.5"}, {"12:34:56.1234567891", HW_OK, "12:34:56.123456789"},
      {"24:00:00", HW_ERANGE, NULL},       {"12:60", HW_ERANGE, NULL},
      {"1:00", HW_EPARSE, NULL},           {"12:34:", HW_EPARSE, NULL},
      {"12:34:56.", HW_EPARSE, NULL},      {"12-34", HW_EPARSE, NULL},
      {"12:34Z", HW_EPARSE, NULL},         {"", HW_EPARSE, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    int64_t v = 0;
    hw_status st = hw_parse_time(cases[i].text, strlen(cases[i].text), &v);
    REQUIRE_MSG(st == cases[i].status, "%s: %s", cases[i].text, hw_status_name(st));
    if (st != HW_OK) continue;
    char text[HW_VALUE_TEXT_MAX + 1];
    text[hw_format_time(v, text)] = '\0';
    ck_assert_str_eq(text, cases[i].back);
  }
}
END_TEST

START_TEST(timestamps_round_trip) {
  for (int i = 0; i < 30000; i++) {
    int64_t v = DATE_MIN * US_PER_DAY + (int64_t)(next_random() % (uint64_t)((DATE_MAX + 1 - DATE_MIN) * US_PER_DAY));
    if (i % 3 == 0) v -= floor_mod(v, 1000);
    char text[HW_VALUE_TEXT_MAX];
    int64_t back = 0;
    size_t len = hw_format_timestamp(v, text);
    REQUIRE(hw_parse_timestamp(text, len, &back) == HW_OK);
    REQUIRE(back == v);
    text[10] = 'T';
    text[len++] = 'Z';
    REQUIRE(hw_parse_timestamp(text, len, &back) == HW_OK);
    REQUIRE(back == v);
  }
}
END_TEST

/* ---- the rest -------------------------------------------------------------- */

START_TEST(booleans_and_uuids) {
  bool b = false;
  ck_assert(hw_parse_bool("true", 4, &b) == HW_OK && b);
  ck_assert(hw_parse_bool("FALSE", 5, &b) == HW_OK && !b);
  ck_assert(hw_parse_bool("tRuE", 4, &b) == HW_OK && b);
  ck_assert_int_eq(hw_parse_bool("t", 1, &b), HW_EPARSE);
  ck_assert_int_eq(hw_parse_bool("true ", 5, &b), HW_EPARSE);
  ck_assert_int_eq(hw_parse_bool("", 0, &b), HW_EPARSE);
  hw_uuid u;
  char text[HW_VALUE_TEXT_MAX];
  ck_assert_int_eq(hw_parse_uuid("123e4567-E89B-12d3-a456-426614174000", 36, &u), HW_OK);
  ck_assert_uint_eq(hw_format_uuid(&u, text), 36);
  ck_assert_int_eq(memcmp(text, "123e4567-e89b-12d3-a456-426614174000", 36), 0);
  ck_assert_int_eq(hw_parse_uuid("123e4567e89b12d3a456426614174000", 32, &u), HW_OK);
  ck_assert_int_eq(hw_parse_uuid("123e4567-e89b-12d3-a456-42661417400", 35, &u), HW_EPARSE);
  ck_assert_int_eq(hw_parse_uuid("123e4567-e89b-12d3-a456x426614174000", 36, &u), HW_EPARSE);
  ck_assert_int_eq(hw_parse_uuid("123e4567-e89b-12d3-a456-42661417400g", 36, &u), HW_EPARSE);
}
END_TEST

START_TEST(utf8) {
  static const struct {
    const char *text;
    size_t len;
    bool valid;
  } cases[] = {
      {"", 0, true},
      {"abc", 3, true},
      {"\x00", 1, true},
      {"\xC3\xA9", 2, true},
      {"\xE2\x82\xAC", 3, true},
      {"\xF0\x9F\x98\x80", 4, true},
      {"\xF4\x8F\xBF\xBF", 4, true},
      {"\xEF\xBF\xBF", 3, true},
      {"\xED\x9F\xBF", 3, true},
      {"\xEE\x80\x80", 3, true},
      {"\xC2\x80", 2, true},
      {"\xE0\xA0\x80", 3, true},
      {"\xF0\x90\x80\x80", 4, true},
      {"\x80", 1, false},
      {"\xC3", 1, false},
      {"\xC3\x41", 2, false},
      {"\xC0\x80", 2, false},
      {"\xC1\xBF", 2, false},
      {"\xE0\x9F\xBF", 3, false},
      {"\xED\xA0\x80", 3, false},
      {"\xED\xBF\xBF", 3, false},
      {"\xE2\x82", 2, false},
      {"\xF0\x8F\xBF\xBF", 4, false},
      {"\xF4\x90\x80\x80", 4, false},
      {"\xF5\x80\x80\x80", 4, false},
      {"\xFF", 1, false},
      {"\xF0\x9F\x98", 3, false},
      {"\xE2\x82\x41", 3, false},
      {"\xF0\x9F\x98\x41", 4, false},
  };
  char text[128];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t before = 0; before < 40; before++)
      for (size_t after = 0; after < 40; after += 13) {
        memset(text, 'x', sizeof text);
        memcpy(text + before, cases[i].text, cases[i].len);
        REQUIRE(hw_utf8_valid(text, before + cases[i].len + after) == cases[i].valid);
        if (!cases[i].valid) continue;
        size_t characters = cases[i].len ? ((unsigned char)cases[i].text[0] < 0x80 ? cases[i].len : 1) : 0;
        REQUIRE(hw_utf8_length(text, before + cases[i].len + after) == before + characters + after);
      }
}
END_TEST

START_TEST(values_by_type) {
  static const struct {
    uint8_t id;
    const char *least, *most, *below, *above;
  } cases[] = {
      {HW_TYPE_TINYINT, "-128", "127", "-129", "128"},
      {HW_TYPE_SMALLINT, "-32768", "32767", "-32769", "32768"},
      {HW_TYPE_INT, "-2147483648", "2147483647", "-2147483649", "2147483648"},
      {HW_TYPE_BIGINT, "-9223372036854775808", "9223372036854775807", "-9223372036854775809", "9223372036854775808"},
      {HW_TYPE_UTINYINT, "0", "255", "-1", "256"},
      {HW_TYPE_USMALLINT, "0", "65535", "-1", "65536"},
      {HW_TYPE_UINT, "0", "4294967295", "-1", "4294967296"},
      {HW_TYPE_UBIGINT, "0", "18446744073709551615", "-1", "18446744073709551616"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    hw_type type = {.id = cases[i].id};
    _Alignas(16) unsigned char slot[16];
    const char *fits[] = {cases[i].least, cases[i].most};
    for (int k = 0; k < 2; k++) {
      char text[HW_VALUE_TEXT_MAX + 1];
      ck_assert_int_eq(hw_value_parse(&type, fits[k], strlen(fits[k]), slot), HW_OK);
      text[hw_value_format(&type, slot, text)] = '\0';
      ck_assert_str_eq(text, fits[k]);
    }
    ck_assert_int_eq(hw_value_parse(&type, cases[i].below, strlen(cases[i].below), slot), HW_ERANGE);
    ck_assert_int_eq(hw_value_parse(&type, cases[i].above, strlen(cases[i].above), slot), HW_ERANGE);
    ck_assert_int_eq(hw_value_parse(&type, "x", 1, slot), HW_EPARSE);
  }
}
END_TEST

START_TEST(strings_by_type) {
  hw_str s;
  hw_type bounded = {.id = HW_TYPE_VARCHAR, .length = 3}, fixed = {.id = HW_TYPE_CHAR, .length = 3};
  hw_type bytes = {.id = HW_TYPE_VARBINARY, .length = 3}, open = {.id = HW_TYPE_VARCHAR};
  ck_assert_int_eq(hw_value_parse(&bounded, "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 9, &s), HW_OK);
  ck_assert_uint_eq(s.len, 9);
  ck_assert_int_eq(hw_value_parse(&bounded, "abcd", 4, &s), HW_ERANGE);
  ck_assert_int_eq(hw_value_parse(&fixed, "ab", 2, &s), HW_EAGAIN);
  ck_assert_int_eq(hw_value_parse(&fixed, "abc", 3, &s), HW_OK);
  ck_assert_int_eq(hw_value_parse(&fixed, "\xE2\x82\xAC", 3, &s), HW_EAGAIN);
  ck_assert_int_eq(hw_value_parse(&fixed, "abcd", 4, &s), HW_ERANGE);
  ck_assert_int_eq(hw_value_parse(&bytes, "\xE2\x82\xAC", 3, &s), HW_OK);
  ck_assert_int_eq(hw_value_parse(&bytes, "abcd", 4, &s), HW_ERANGE);
  ck_assert_int_eq(hw_value_parse(&open, "", 0, &s), HW_OK);
  ck_assert_uint_eq(s.len, 0);
}
END_TEST

START_TEST(statuses_and_errors) {
  ck_assert_str_eq(hw_status_name(HW_EEVAL), "HW_EEVAL");
  ck_assert_str_eq(hw_status_text(HW_OK), "success");
  ck_assert_str_eq(hw_status_name((hw_status)999), "HW_UNKNOWN");
  hw_error err;
  ck_assert_int_eq(hw_error_set(&err, HW_EINVAL, "value %d", 7), HW_EINVAL);
  ck_assert_str_eq(err.message, "value 7");
  ck_assert_str_eq(err.code, "");
  ck_assert_int_eq(hw_error_code(&err, HW_EEXIST, "DuplicateName", "taken"), HW_EEXIST);
  ck_assert_str_eq(err.code, "DuplicateName");
  ck_assert_int_eq(hw_error_set(NULL, HW_EIO, "nobody asks"), HW_EIO);
  char text[2 * HW_ERROR_MAX];
  for (size_t shift = 0; shift < 4; shift++) {
    memset(text, 'a', shift);
    for (size_t i = shift; i + 4 < sizeof text; i += 4) memcpy(text + i, "\xF0\x9F\x98\x80", 5);
    hw_error_set(&err, HW_EINVAL, "%s", text);
    ck_assert(hw_utf8_valid(err.message, strlen(err.message)));
    ck_assert_uint_gt(strlen(err.message), HW_ERROR_MAX - 5);
  }
}
END_TEST

START_TEST(fields_by_name) {
  hw_field fields[] = {{.name = "id"},
                       {.name = "Id", .case_sensitive = true},
                       {.name = "user"},
                       {.name = "LOUD", .case_sensitive = true}};
  hw_schema schema = {.name = "t", .n_fields = 4, .fields = fields};
  ck_assert_int_eq(hw_schema_find(&schema, "id", 2), 0);
  ck_assert_int_eq(hw_schema_find(&schema, "Id", 2), 1);
  ck_assert_int_eq(hw_schema_find(&schema, "ID", 2), 0);
  ck_assert_int_eq(hw_schema_find(&schema, "USER", 4), 2);
  ck_assert_int_eq(hw_schema_find(&schema, "loud", 4), -1);
  ck_assert_int_eq(hw_schema_find(&schema, "LOUD", 4), 3);
  ck_assert_int_eq(hw_schema_find(&schema, "use", 3), -1);
  ck_assert_str_eq(hw_type_name(HW_TYPE_UBIGINT), "BIGINT UNSIGNED");
  ck_assert_uint_eq(hw_type_width(HW_TYPE_DECIMAL), 16);
  ck_assert_uint_eq(hw_type_width(HW_TYPE_NULL), 0);
}
END_TEST

static Suite *value_suite(void) {
  Suite *s = suite_create("value");
  TCase *t = tcase_create("all");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, integers_by_hand);
  tcase_add_test(t, integers_round_trip);
  tcase_add_test(t, power_table_is_exact);
  tcase_add_test(t, float_texts);
  tcase_add_test(t, doubles_read_like_strtod);
  tcase_add_test(t, halfway_cases);
  tcase_add_test(t, doubles_print_shortest);
  tcase_add_test(t, floats_print_shortest);
  tcase_add_test(t, float_forms);
  tcase_add_test(t, decimals);
  tcase_add_test(t, decimals_round_trip);
  tcase_add_test(t, every_day);
  tcase_add_test(t, timestamps);
  tcase_add_test(t, times);
  tcase_add_test(t, timestamps_round_trip);
  tcase_add_test(t, booleans_and_uuids);
  tcase_add_test(t, utf8);
  tcase_add_test(t, values_by_type);
  tcase_add_test(t, strings_by_type);
  tcase_add_test(t, statuses_and_errors);
  tcase_add_test(t, fields_by_name);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(value_suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
