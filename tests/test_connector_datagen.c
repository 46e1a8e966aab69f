/* datagen: rates, limits, pauses, determinism, every strategy and type. */
#include "connectors/connectors.h"
#include "connectors/datagen_text.h"
#include "connectors/datagen_zipf.h"
#include "tests/fake_host.h"
#include "tests/require.h"

#include <headworks/value.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

static fake_host host;
static bool has_host;

static void setup(void) { has_host = false; }

static void reset(void) {
  if (has_host) fake_host_fini(&host);
  has_host = false;
}

/* fields as in fake_host_init; config with ' for ". */
static char *quoted(const char *config) {
  static char text[4096];
  snprintf(text, sizeof text, "%s", config);
  for (char *p = text; *p; p++)
    if (*p == '\'') *p = '"';
  return text;
}

static void start(const char *fields, const char *config) {
  reset();
  fake_host_init(&host, fields);
  has_host = true;
  fake_start_input(&host, &datagen_transport, quoted(config));
}

/* All rows of a plan with a limit. */
static void generate(const char *fields, const char *config) {
  start(fields, config);
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
}

static const void *cell(uint64_t i, uint32_t column) {
  uint32_t row;
  const hw_batch *b = fake_row(&host, i, &row);
  return (const char *)b->columns[column].values + row * hw_type_width((hw_type_id)b->schema->fields[column].type.id);
}

static bool is_null(uint64_t i, uint32_t column) {
  uint32_t row;
  const hw_batch *b = fake_row(&host, i, &row);
  return !hw_column_valid(&b->columns[column], row);
}

/* The value as text: "NULL", strings as they are, others as value.h writes them. */
static const char *text_of(uint64_t i, uint32_t column) {
  static char texts[4][70000];
  static unsigned turn;
  char *out = texts[turn++ % 4];
  const hw_type *type = &host.schema.fields[column].type;
  if (is_null(i, column)) return "NULL";
  if (hw_type_is_string((hw_type_id)type->id)) {
    const hw_str *s = cell(i, column);
    memcpy(out, s->data, s->len);
    out[s->len] = 0;
  } else {
    out[hw_value_format(type, cell(i, column), out)] = 0;
  }
  return out;
}

static void check_column(uint32_t column, const char *const *expected, uint64_t n) {
  ck_assert_uint_eq(host.rows, n);
  for (uint64_t i = 0; i < n; i++) ck_assert_str_eq(text_of(i, column), expected[i]);
}

#define CHECK_COLUMN(column, ...)                                                                                      \
  do {                                                                                                                 \
    const char *const expected[] = {__VA_ARGS__};                                                                      \
    check_column(column, expected, sizeof expected / sizeof *expected);                                                \
  } while (0)

/* ---- counting bytes --------------------------------------------------------- */

START_TEST(counts_bytes_as_json) {
  generate("x INT", "{'plan': [{'limit': 5}]}");
  ck_assert_uint_eq(host.bytes, 40); /* {"x":0} and what separates it from the next */
  generate("x INT", "{'plan': [{'limit': 11, 'fields': {'x': {'range': [-1, 10]}}}]}");
  ck_assert_uint_eq(host.bytes, 11 * 8 + 1);
}
END_TEST

/* The bytes that are counted are those of the rows as compact JSON. */
START_TEST(counts_what_an_encoder_would_write) {
  generate("a BIGINT NULL, b VARCHAR, c DECIMAL(12,3), d BOOLEAN, e TIMESTAMP, f UUID, g DATE, h TIME, "
           "i BIGINT UNSIGNED",
           "{'seed': 5, 'plan': [{'limit': 3000, 'fields': {'a': {'strategy': 'uniform', 'null_percentage': 30},"
           "'b': {'strategy': 'name'}, 'c': {'strategy': 'uniform'}, 'd': {'strategy': 'uniform'},"
           "'e': {'strategy': 'uniform'}, 'f': {'strategy': 'uniform'}, 'g': {'strategy': 'uniform'},"
           "'h': {'strategy': 'uniform'}, 'i': {'strategy': 'uniform'}}}]}");
  static const int quotes[] = {0, 2, 0, 0, 2, 2, 2, 2, 0};
  uint64_t bytes = 0;
  for (uint64_t i = 0; i < 3000; i++) {
    bytes += 2 + 8 + 1; /* braces, commas, what follows */
    for (uint32_t k = 0; k < 9; k++) bytes += 4 + strlen(text_of(i, k)) + (unsigned)quotes[k];
  }
  ck_assert_uint_eq(host.bytes, bytes);
}
END_TEST

/* ---- increment -------------------------------------------------------------- */

START_TEST(increments) {
  generate("i INT, u TINYINT, r REAL, d DOUBLE, s VARCHAR, b BOOLEAN, m DECIMAL(5,2), t TIME, ts TIMESTAMP, dt DATE",
           "{'plan': [{'limit': 3}]}");
  CHECK_COLUMN(0, "0", "1", "2");
  CHECK_COLUMN(1, "0", "1", "2");
  CHECK_COLUMN(4, "0", "1", "2");
  CHECK_COLUMN(5, "false", "true", "false");
  CHECK_COLUMN(6, "0.00", "1.00", "2.00");
  CHECK_COLUMN(7, "00:00:00", "00:00:00.001", "00:00:00.002");
  CHECK_COLUMN(8, "1970-01-01 00:00:00", "1970-01-01 00:00:00.001", "1970-01-01 00:00:00.002");
  CHECK_COLUMN(9, "1970-01-01", "1970-01-02", "1970-01-03");
  for (uint64_t i = 0; i < 3; i++) {
    ck_assert(*(const float *)cell(i, 2) == (float)i);
    ck_assert(*(const double *)cell(i, 3) == (double)i);
  }
}
END_TEST

START_TEST(increments_wrap) {
  generate("a TINYINT, b TINYINT UNSIGNED", "{'plan': [{'limit': 300}]}");
  ck_assert_str_eq(text_of(127, 0), "127");
  ck_assert_str_eq(text_of(128, 0), "0");
  ck_assert_str_eq(text_of(255, 1), "255");
  ck_assert_str_eq(text_of(256, 1), "0");
}
END_TEST

START_TEST(increments_within_a_range) {
  generate("a INT, b INT, c DOUBLE, d DECIMAL(6,1), ts TIMESTAMP, dt DATE, t TIME",
           "{'plan': [{'limit': 4, 'fields': {'a': {'range': [-1, 2]}, 'b': {'range': [10, 20], 'scale': -3},"
           "'c': {'range': [0, 1], 'scale': 0.5}, 'd': {'range': [1, 1.3], 'scale': 1},"
           "'ts': {'range': ['2024-08-28T00:00:00Z', '2024-08-28T00:00:02Z'], 'scale': 1000},"
           "'dt': {'range': ['2024-08-28', '2024-08-30']}, "
           "'t': {'range': ['00:00:05', '00:00:07'], 'scale': 1000}}}]}");
  CHECK_COLUMN(0, "-1", "0", "1", "-1");
  CHECK_COLUMN(1, "19", "16", "13", "10");
  ck_assert(*(const double *)cell(1, 2) == 0.5 && *(const double *)cell(2, 2) == 0);
  CHECK_COLUMN(3, "1.0", "1.1", "1.2", "1.0");
  CHECK_COLUMN(4, "2024-08-28 00:00:00", "2024-08-28 00:00:01", "2024-08-28 00:00:00", "2024-08-28 00:00:01");
  CHECK_COLUMN(5, "2024-08-28", "2024-08-29", "2024-08-28", "2024-08-29");
  CHECK_COLUMN(6, "00:00:05", "00:00:06", "00:00:05", "00:00:06");
}
END_TEST

START_TEST(increments_down) {
  generate("a INT, b DECIMAL(38,0), c DATE", "{'plan': [{'limit': 3, 'fields': {'a': {'scale': -2}, 'b': {'scale': -1},"
                                            "'c': {'range': [0, 10], 'scale': -1}}}]}");
  CHECK_COLUMN(0, "0", "-2", "-4");
  CHECK_COLUMN(1, "0", "-1", "-2");
  CHECK_COLUMN(2, "1970-01-10", "1970-01-09", "1970-01-08");
}
END_TEST

START_TEST(strings_increment) {
  generate("a VARCHAR, b VARCHAR, c VARCHAR(1), d CHAR(3), e VARCHAR",
           "{'plan': [{'limit': 12, 'fields': {'a': {'scale': 5}, 'b': {'range': [4, 6]}, 'e': {'range': [1, 2]}}}]}");
  ck_assert_str_eq(text_of(11, 0), "55");
  ck_assert_str_eq(text_of(11, 1), "0011");
  ck_assert_str_eq(text_of(11, 2), "1");
  ck_assert_str_eq(text_of(11, 3), "11 ");
  ck_assert_str_eq(text_of(11, 4), "1");
}
END_TEST

START_TEST(binaries_increment) {
  generate("a VARBINARY, b VARBINARY",
           "{'plan': [{'limit': 6, 'fields': {'b': {'range': [2, 3], 'value': {'values': [7, 9]}}}}]}");
  for (uint64_t i = 0; i < 6; i++) {
    const hw_str *s = cell(i, 0);
    ck_assert_uint_eq(s->len, i % 5);
    for (uint32_t k = 0; k < s->len; k++) ck_assert_uint_eq((unsigned char)s->data[k], k);
    s = cell(i, 1);
    ck_assert_uint_eq(s->len, 2);
    ck_assert(s->data[0] == 7 && s->data[1] == 9);
  }
}
END_TEST

START_TEST(uuids_increment) {
  generate("a UUID", "{'plan': [{'limit': 258}]}");
  ck_assert_str_eq(text_of(257, 0), "00000000-0000-0000-0000-000000000101");
}
END_TEST

/* ---- uniform ---------------------------------------------------------------- */

START_TEST(uniform_numbers_fill_their_range) {
  generate("a INT, b BIGINT, c DOUBLE, d REAL, e DECIMAL(38,2), f BIGINT UNSIGNED, g TINYINT",
           "{'seed': 1, 'plan': [{'limit': 20000, 'fields': {"
           "'a': {'strategy': 'uniform', 'range': [-5, 5]}, 'b': {'strategy': 'uniform'},"
           "'c': {'strategy': 'uniform', 'range': [1, 2]}, 'd': {'strategy': 'uniform', 'range': [0, 1], 'scale': 1},"
           "'e': {'strategy': 'uniform', 'range': [100, 10000]}, 'f': {'strategy': 'uniform'},"
           "'g': {'strategy': 'uniform', 'range': [0, 4], 'scale': -10}}}]}");
  unsigned counts[10] = {0};
  uint64_t bits = 0, all = ~UINT64_C(0);
  double sum = 0;
  for (uint64_t i = 0; i < 20000; i++) {
    int32_t a = *(const int32_t *)cell(i, 0);
    ck_assert(a >= -5 && a < 5);
    counts[a + 5]++;
    bits |= (uint64_t) * (const int64_t *)cell(i, 1);
    all &= *(const uint64_t *)cell(i, 5);
    double c = *(const double *)cell(i, 2);
    ck_assert(c >= 1 && c < 2);
    sum += c;
    float d = *(const float *)cell(i, 3);
    ck_assert(d >= 0 && d < 1);
    hw_int128 e = *(const hw_int128 *)cell(i, 4);
    ck_assert(e >= 10000 && e < 1000000);
    int8_t g = *(const int8_t *)cell(i, 6);
    ck_assert(g == 0 || g == -10 || g == -20 || g == -30);
  }
  for (unsigned i = 0; i < 10; i++) ck_assert(counts[i] > 1800 && counts[i] < 2200);
  ck_assert_uint_eq(bits, ~UINT64_C(0)); /* every bit is used */
  ck_assert_uint_eq(all, 0);
  ck_assert(fabs(sum / 20000 - 1.5) < 0.02);
}
END_TEST

START_TEST(uniform_whole_types) {
  generate("a DOUBLE, b REAL, c DECIMAL(38,10), d TINYINT, e DECIMAL(1,0), f UUID",
           "{'seed': 1, 'plan': [{'limit': 5000, 'fields': {'a': {'strategy': 'uniform'}, 'b': {'strategy': 'uniform'},"
           "'c': {'strategy': 'uniform'}, 'd': {'strategy': 'uniform', 'scale': 3}, 'e': {'strategy': 'uniform'},"
           "'f': {'strategy': 'uniform'}}}]}");
  unsigned negative = 0, lowest = 0, highest = 0;
  for (uint64_t i = 0; i < 5000; i++) {
    ck_assert(isfinite(*(const double *)cell(i, 0)) && isfinite(*(const float *)cell(i, 1)));
    negative += *(const hw_int128 *)cell(i, 2) < 0;
    ck_assert_int_eq(*(const int8_t *)cell(i, 3) % 3, 0);
    hw_int128 e = *(const hw_int128 *)cell(i, 4);
    ck_assert(e >= -9 && e <= 9);
    lowest += e == -9;
    highest += e == 9;
    const hw_uuid *f = cell(i, 5);
    ck_assert_uint_eq(f->bytes[6] >> 4, 4);
    ck_assert_uint_eq(f->bytes[8] >> 6, 2);
  }
  ck_assert(negative > 2300 && negative < 2700);
  ck_assert(lowest > 150 && highest > 150);
}
END_TEST

START_TEST(uniform_strings) {
  generate("a VARCHAR, b VARCHAR(3), c CHAR(4), d VARBINARY, e BINARY(2)",
           "{'seed': 1, 'plan': [{'limit': 3000, 'fields': {'a': {'strategy': 'uniform', 'range': [2, 5]},"
           "'b': {'strategy': 'uniform'}, 'c': {'strategy': 'uniform'},"
           "'d': {'strategy': 'uniform', 'range': [300, 301], 'value': {'strategy': 'uniform', 'range': [128, 256]}},"
           "'e': {'strategy': 'uniform'}}}]}");
  unsigned lengths[6] = {0};
  for (uint64_t i = 0; i < 3000; i++) {
    uint32_t len = ((const hw_str *)cell(i, 0))->len;
    ck_assert_uint_le(len, 4);
    lengths[len]++;
    ck_assert_uint_le(((const hw_str *)cell(i, 1))->len, 3);
    ck_assert_uint_eq(((const hw_str *)cell(i, 2))->len, 4);
    const hw_str *d = cell(i, 3);
    ck_assert_uint_eq(d->len, 300);
    for (uint32_t k = 0; k < 300; k++) REQUIRE((unsigned char)d->data[k] >= 128);
    ck_assert_uint_le(((const hw_str *)cell(i, 4))->len, 2);
  }
  ck_assert(lengths[0] == 0 && lengths[1] == 0 && lengths[2] > 800 && lengths[3] > 800 && lengths[4] > 800);
}
END_TEST

START_TEST(uniform_times) {
  generate("a DATE, b TIME, c TIMESTAMP",
           "{'seed': 1, 'plan': [{'limit': 2000, 'fields': {'a': {'strategy': 'uniform'}, 'b': {'strategy': 'uniform'},"
           "'c': {'strategy': 'uniform', 'range': [0, 1000]}}}]}");
  for (uint64_t i = 0; i < 2000; i++) {
    int32_t day = *(const int32_t *)cell(i, 0);
    ck_assert(day >= 0 && day < 54787);
    int64_t ns = *(const int64_t *)cell(i, 1);
    ck_assert(ns >= 0 && ns < INT64_C(86400000000000) && ns % 1000000 == 0);
    int64_t us = *(const int64_t *)cell(i, 2);
    ck_assert(us >= 0 && us < 1000000 && us % 1000 == 0);
  }
}
END_TEST

/* ---- zipf ------------------------------------------------------------------- */

/* Against the exact probabilities, within five standard deviations. */
START_TEST(zipf_is_zipf) {
  static const double exponents[] = {0.5, 1, 1.00000000001, 2, 3.5};
  enum { N = 10, DRAWS = 200000 };
  double e = exponents[_i], sum = 0;
  unsigned counts[N] = {0};
  datagen_zipf z;
  datagen_stream s = {.key = 42};
  datagen_zipf_init(&z, N, e);
  for (int i = 0; i < DRAWS; i++) {
    uint64_t rank = datagen_zipf_draw(&z, &s);
    REQUIRE(rank < N);
    counts[rank]++;
  }
  for (int i = 1; i <= N; i++) sum += pow(i, -e);
  for (int i = 1; i <= N; i++) {
    double p = pow(i, -e) / sum, expected = p * DRAWS;
    ck_assert_msg(fabs(counts[i - 1] - expected) < 5 * sqrt(expected * (1 - p)) + 1, "rank %d: %u, not %f", i,
                  counts[i - 1], expected);
  }
}
END_TEST

START_TEST(zipf_of_one_and_of_all) {
  datagen_zipf z;
  datagen_stream s = {.key = 1};
  datagen_zipf_init(&z, 1, 1);
  for (int i = 0; i < 100; i++) ck_assert_uint_eq(datagen_zipf_draw(&z, &s), 0);
  bool large = false;
  datagen_zipf_init(&z, 0, 0.2);
  for (int i = 0; i < 100; i++) large = large || datagen_zipf_draw(&z, &s) > UINT64_C(1) << 60;
  ck_assert(large);
}
END_TEST

START_TEST(zipf_of_every_type) {
  generate("a INT, b DOUBLE, c DECIMAL(10,2), d VARCHAR, e BOOLEAN, f UUID, g TIMESTAMP, h VARBINARY, i VARCHAR",
           "{'seed': 1, 'plan': [{'limit': 1000, 'fields': {"
           "'a': {'strategy': 'zipf', 'range': [5, 100], 'e': 2}, 'b': {'strategy': 'zipf'},"
           "'c': {'strategy': 'zipf', 'range': [1, 2]}, 'd': {'strategy': 'zipf'}, 'e': {'strategy': 'zipf'},"
           "'f': {'strategy': 'zipf'}, 'g': {'strategy': 'zipf'}, 'h': {'strategy': 'zipf'},"
           "'i': {'strategy': 'zipf', 'values': ['x', 'y', 'z'], 'e': 3}}}]}");
  unsigned fives = 0, x = 0, z = 0;
  for (uint64_t i = 0; i < 1000; i++) {
    int32_t a = *(const int32_t *)cell(i, 0);
    ck_assert(a >= 5 && a < 100);
    fives += a == 5;
    hw_int128 c = *(const hw_int128 *)cell(i, 2);
    ck_assert(c >= 100 && c < 200);
    x += strcmp(text_of(i, 8), "x") == 0;
    z += strcmp(text_of(i, 8), "z") == 0;
  }
  ck_assert(fives > 500 && fives < 700); /* 1/zeta(2) = 0.61 */
  ck_assert(x > 750 && z < 100);
}
END_TEST

/* ---- values and NULL -------------------------------------------------------- */

START_TEST(values_in_turn) {
  generate("a VARCHAR, b INT NULL, c DATE, d TIMESTAMP, e DECIMAL(6,2), f BOOLEAN, g VARBINARY, h TIME, "
           "i BIGINT UNSIGNED, j CHAR(2)",
           "{'plan': [{'limit': 3, 'fields': {'a': {'values': ['x', 'two words']}, 'b': {'values': [1, null]},"
           "'c': {'values': ['2020-02-29', 1]}, 'd': {'values': ['2020-01-01T00:00:00Z', 1500]},"
           "'e': {'values': [1.5, '2.25', 3]}, 'f': {'values': [true]}, 'g': {'values': [[1, 255], []]},"
           "'h': {'values': ['12:00:00', 1]}, 'i': {'values': ['18446744073709551615', 0]},"
           "'j': {'values': ['a', 'bc']}}}]}");
  CHECK_COLUMN(0, "x", "two words", "x");
  CHECK_COLUMN(1, "1", "NULL", "1");
  CHECK_COLUMN(2, "2020-02-29", "1970-01-02", "2020-02-29");
  CHECK_COLUMN(3, "2020-01-01 00:00:00", "1970-01-01 00:00:01.5", "2020-01-01 00:00:00");
  CHECK_COLUMN(4, "1.50", "2.25", "3.00");
  CHECK_COLUMN(5, "true", "true", "true");
  ck_assert_uint_eq(((const hw_str *)cell(0, 6))->len, 2);
  ck_assert_uint_eq(((const hw_str *)cell(1, 6))->len, 0);
  CHECK_COLUMN(7, "12:00:00", "00:00:00.001", "12:00:00");
  CHECK_COLUMN(8, "18446744073709551615", "0", "18446744073709551615");
  CHECK_COLUMN(9, "a ", "bc", "a ");
}
END_TEST

START_TEST(values_outlive_the_connector) {
  generate("a VARCHAR", "{'plan': [{'limit': 2, 'fields': {'a': {'values': ['here to stay']}}}]}");
  host.input->ops->destroy(host.instance);
  host.instance = NULL;
  ck_assert_str_eq(text_of(1, 0), "here to stay");
}
END_TEST

START_TEST(nulls_come_as_often_as_asked) {
  generate("a INT NULL, b VARCHAR NULL, c INT NULL, d INT NULL",
           "{'seed': 3, 'plan': [{'limit': 10000, 'fields': {'a': {'null_percentage': 25}, "
           "'b': {'null_percentage': 100}, 'd': {'values': []}}}]}");
  unsigned nulls = 0;
  for (uint64_t i = 0; i < 10000; i++) {
    nulls += is_null(i, 0);
    ck_assert(is_null(i, 1) && !is_null(i, 2) && is_null(i, 3));
    if (!is_null(i, 0)) ck_assert_int_eq(*(const int32_t *)cell(i, 0), (int32_t)i);
  }
  ck_assert(nulls > 2200 && nulls < 2800);
}
END_TEST

/* ---- text ------------------------------------------------------------------- */

/* Each strategy makes rows, not all the same, of printable text within bounds. */
START_TEST(every_text_strategy) {
  char config[256];
  const char *name = datagen_text_name((size_t)_i);
  ck_assert_ptr_nonnull(name);
  snprintf(config, sizeof config, "{'seed': 9, 'plan': [{'limit': 600, 'fields': {'a': {'strategy': '%s'},"
                                  "'b': {'strategy': '%s'}, 'c': {'strategy': '%s'}}}]}", name, name, name);
  generate("a VARCHAR, b VARCHAR(6), c CHAR(8)", config);
  bool differs = false;
  for (uint64_t i = 0; i < 600; i++) {
    const hw_str *s = cell(i, 0), *b = cell(i, 1), *c = cell(i, 2);
    ck_assert_uint_gt(s->len, 0);
    ck_assert(s->flags & HW_STR_PLAIN);
    ck_assert(hw_utf8_valid(s->data, s->len) && hw_utf8_valid(b->data, b->len));
    for (uint32_t k = 0; k < s->len; k++) REQUIRE((unsigned char)s->data[k] >= 0x20 && !strchr("\"\\", s->data[k]));
    ck_assert_uint_le(hw_utf8_length(b->data, b->len), 6);
    ck_assert_uint_eq(hw_utf8_length(c->data, c->len), 8);
    differs = differs || strcmp(text_of(i, 0), text_of(0, 0)) != 0;
  }
  ck_assert(differs);
}
END_TEST

static void check_shape(const char *strategy, const char *shape) {
  char config[200];
  snprintf(config, sizeof config, "{'seed': 4, 'plan': [{'limit': 50, 'fields': {'a': {'strategy': '%s'}}}]}",
           strategy);
  generate("a VARCHAR", config);
  for (uint64_t i = 0; i < 50; i++) {
    const char *s = text_of(i, 0);
    ck_assert_uint_eq(strlen(s), strlen(shape));
    for (size_t k = 0; s[k]; k++) {
      bool digit = s[k] >= '0' && s[k] <= '9', hex = digit || (s[k] >= 'a' && s[k] <= 'f');
      ck_assert_msg(shape[k] == '9' ? digit : shape[k] == 'f' ? hex : s[k] == shape[k], "%s is not like %s", s, shape);
    }
  }
}

START_TEST(shapes) {
  check_shape("zip_code", "99999");
  check_shape("phone_number", "+1-999-999-9999");
  check_shape("mac_address", "ff:ff:ff:ff:ff:ff");
  check_shape("uuid", "ffffffff-ffff-4fff-ffff-ffffffffffff");
  check_shape("isbn13", "9789999999999");
  check_shape("ipv6", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
}
END_TEST

START_TEST(check_digits) {
  generate("a VARCHAR, b VARCHAR, c VARCHAR",
           "{'seed': 4, 'plan': [{'limit': 200, 'fields': {'a': {'strategy': 'credit_card_number'},"
           "'b': {'strategy': 'isbn10'}, 'c': {'strategy': 'isbn13'}}}]}");
  for (uint64_t i = 0; i < 200; i++) {
    const char *card = text_of(i, 0), *ten = text_of(i, 1), *thirteen = text_of(i, 2);
    unsigned luhn = 0, eleven = 0, three = 0;
    for (unsigned k = 0; k < 16; k++) {
      unsigned d = (unsigned)(card[k] - '0') * (k % 2 ? 1 : 2);
      luhn += d > 9 ? d - 9 : d;
    }
    for (unsigned k = 0; k < 10; k++) eleven += (10 - k) * (ten[k] == 'X' ? 10u : (unsigned)(ten[k] - '0'));
    for (unsigned k = 0; k < 13; k++) three += (k % 2 ? 3 : 1) * (unsigned)(thirteen[k] - '0');
    ck_assert(luhn % 10 == 0 && eleven % 11 == 0 && three % 10 == 0);
  }
}
END_TEST

START_TEST(words_by_range) {
  generate("a VARCHAR, b VARCHAR", "{'seed': 4, 'plan': [{'limit': 200, 'fields': {"
                                   "'a': {'strategy': 'words', 'range': [3, 5]},"
                                   "'b': {'strategy': 'password', 'range': [12, 13]}}}]}");
  for (uint64_t i = 0; i < 200; i++) {
    unsigned spaces = 0;
    for (const char *p = text_of(i, 0); *p; p++) spaces += *p == ' ';
    ck_assert(spaces == 2 || spaces == 3);
    ck_assert_uint_eq(strlen(text_of(i, 1)), 12);
  }
}
END_TEST

/* ---- determinism ------------------------------------------------------------ */

#define ALL_FIELDS                                                                                                     \
  "a BIGINT NULL, b VARCHAR, c DOUBLE, d DECIMAL(20,4), e VARCHAR NULL, f UUID, g VARBINARY, h TIMESTAMP, i REAL, "    \
  "j BOOLEAN, k VARCHAR"
#define ALL_CONFIG                                                                                                     \
  "'plan': [{'limit': 5000, %s 'fields': {'a': {'strategy': 'uniform', 'null_percentage': 10},"                        \
  "'b': {'strategy': 'sentence'}, 'c': {'strategy': 'uniform'}, 'd': {'strategy': 'uniform'},"                         \
  "'e': {'strategy': 'zipf', 'values': ['q', null, 'r']}, 'f': {'strategy': 'uniform'},"                               \
  "'g': {'strategy': 'uniform', 'value': {'strategy': 'uniform'}}, 'h': {'strategy': 'uniform'},"                      \
  "'i': {'strategy': 'zipf'}, 'j': {'strategy': 'uniform'}, 'k': {}}}]"

static char *dump(void) {
  char *all = malloc(16 << 20), *at = all;
  for (uint64_t i = 0; i < host.rows; i++)
    for (uint32_t k = 0; k < host.schema.n_fields; k++) at += snprintf(at, 70000, "%s|", text_of(i, k));
  return all;
}

static void start_all(const char *head, const char *more) {
  char config[2048];
  int n = snprintf(config, sizeof config, "{%s ", head);
  n += snprintf(config + n, sizeof config - (size_t)n, ALL_CONFIG, more);
  snprintf(config + n, sizeof config - (size_t)n, "}");
  start(ALL_FIELDS, config);
}

START_TEST(the_same_seed_gives_the_same_rows) {
  start_all("'seed': 77,", "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  uint64_t bytes = host.bytes;
  char *first = dump();
  /* again, in other batches, at a rate, with memory and queues that are short */
  start_all("'seed': 77, 'workers': 4,", "'rate': 100000, 'worker_chunk_size': 37,");
  host.capacity = 130;
  host.refuse_every = 3;
  host.max_rows = 50;
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  char *second = dump();
  ck_assert_uint_eq(host.bytes, bytes);
  ck_assert_str_eq(first, second);
  start_all("'seed': 78,", "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  char *third = dump();
  ck_assert_str_ne(first, third);
  free(first);
  free(second);
  free(third);
}
END_TEST

/* Columns and plans do not repeat each other. */
START_TEST(columns_and_plans_differ) {
  generate("a BIGINT, b BIGINT", "{'seed': 1, 'plan': [{'limit': 10, 'fields': {'a': {'strategy': 'uniform'},"
                                 "'b': {'strategy': 'uniform'}}}, {'limit': 10, 'fields': {"
                                 "'a': {'strategy': 'uniform'}, 'b': {'strategy': 'uniform'}}}]}");
  for (uint64_t i = 0; i < 20; i++)
    for (uint64_t k = 0; k < i; k++) {
      ck_assert_str_ne(text_of(i, 0), text_of(k, 0));
      ck_assert_str_ne(text_of(i, 0), text_of(i, 1));
    }
}
END_TEST

START_TEST(a_random_seed_is_told) {
  start("a INT", "{'plan': [{'limit': 1}]}");
  ck_assert(fake_logged(&host, "INFO seed "));
}
END_TEST

/* ---- time ------------------------------------------------------------------- */

START_TEST(exactly_at_the_rate) {
  start("a INT", "{'plan': [{'rate': 1000}]}");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.rows, 0);
  for (uint64_t ms = 1; ms <= 50; ms++) {
    fake_now_ns += SECOND / 1000;
    ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
    ck_assert_uint_eq(host.rows, ms);
  }
  fake_now_ns += 10 * SECOND + 999999; /* late by ten seconds: all of it is due, and no row more */
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.rows, 10050);
}
END_TEST

START_TEST(odd_rates_do_not_drift) {
  start("a INT", "{'plan': [{'rate': 7}]}");
  uint64_t t0 = fake_now_ns;
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  for (int i = 0; i < 10000; i++) {
    ck_assert(fake_wait(&host, 0));
    ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
    ck_assert_uint_eq(host.rows, (fake_now_ns - t0) * 7 / SECOND);
  }
  ck_assert_uint_ge(host.rows, 9999);
}
END_TEST

START_TEST(slow_rates) {
  start("a INT", "{'plan': [{'rate': 0.5, 'limit': 3}]}");
  uint64_t t0 = fake_now_ns;
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_uint_eq(host.rows, 3);
  ck_assert_uint_ge(fake_now_ns - t0, 6 * SECOND);
  ck_assert_uint_lt(fake_now_ns - t0, 6 * SECOND + SECOND / 100);
}
END_TEST

START_TEST(no_catching_up_after_a_pause) {
  start("a INT", "{'plan': [{'rate': 1000}]}");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_now_ns += SECOND;
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.rows, 1000);
  fake_now_ns += 3600 * SECOND; /* paused: no fetch */
  fake_resume(&host);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.rows, 1000);
  fake_now_ns += SECOND;
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.rows, 2000);
  for (uint32_t i = 0; i < 2000; i++) ck_assert_int_eq(*(const int32_t *)cell(i, 0), (int32_t)i);
}
END_TEST

START_TEST(a_pause_before_the_first_row) {
  start("a INT", "{'plan': [{'rate': 1000}]}");
  fake_now_ns += 100 * SECOND;
  fake_resume(&host);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.rows, 0);
  fake_now_ns += SECOND / 100;
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.rows, 10);
}
END_TEST

START_TEST(plans_run_in_order) {
  start("a INT", "{'plan': [{'limit': 2}, {'limit': 0}, {'rate': 10, 'limit': 2, 'fields': {'a': {'range': [7, 9]}}},"
                 "{'limit': 1}]}");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.rows, 2);
  ck_assert_str_eq(host.position, "plan[0]@2");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  CHECK_COLUMN(0, "0", "1", "7", "8", "0");
  ck_assert_str_eq(host.position, "plan[3]@1");
}
END_TEST

START_TEST(batches_keep_to_their_bounds) {
  start("a INT", "{'plan': [{'limit': 1000, 'worker_chunk_size': 30}]}");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  for (size_t i = 0; i < host.n_batches; i++) ck_assert_uint_le(host.batches[i]->n_rows, 30);
  start("a VARCHAR", "{'plan': [{'limit': 1000, 'fields': {'a': {'strategy': 'uniform', 'range': [1000, 1001]}}}]}");
  host.max_bytes = 10000;
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_uint_eq(host.rows, 1000);
  for (size_t i = 1; i < host.n_batches; i++) ck_assert_uint_le(host.batches[i]->n_rows, 10);
}
END_TEST

/* ---- faults ----------------------------------------------------------------- */

static const struct { const char *config, *message; } bad[] = {
    {"{'plan': {}}", "plan: must be an array"},
    {"{'plan': []}", "plan: must be an array"},
    {"{'plan': [1]}", "plan[0]: must be an object"},
    {"{'plan': [{'rates': 1}]}", "plan[0]: no such member: \"rates\" (there are: rate, limit"},
    {"{'plan': [{}, {'fields': {'a': {'stragety': 'x'}}}]}", "plan[1].fields.a: no such member: \"stragety\""},
    {"{'plan': [{'fields': {'nope': {}}}]}", "table \"t\" has no column \"nope\" (it has: a, s, n, b)"},
    {"{'plan': [{'fields': {'a': {'strategy': 'wild'}}}]}", "\"wild\" is not known; there are: increment, uniform"},
    {"{'plan': [{'fields': {'a': {'strategy': 'name'}}}]}", "\"name\" makes text, the column is INT"},
    {"{'plan': [{'fields': {'a': {'range': [5, 5]}}}]}", "its start must be below its end"},
    {"{'plan': [{'fields': {'a': {'range': [5]}}}]}", "must be an array of two"},
    {"{'plan': [{'fields': {'a': {'range': [0, 3000000000]}}}]}", "beyond what the column's type can hold"},
    {"{'plan': [{'fields': {'a': {'range': ['x', 'y']}}}]}", "plan[0].fields.a.range[0]: must be a whole number"},
    {"{'plan': [{'fields': {'s': {'range': [-1, 5]}}}]}", "lengths go from 0"},
    {"{'plan': [{'fields': {'a': {'scale': 1.5}}}]}", "must be a whole number"},
    {"{'plan': [{'fields': {'a': {'strategy': 'uniform', 'range': [0, 2000000000], 'scale': 9}}}]}", "scale: takes"},
    {"{'plan': [{'fields': {'a': {'strategy': 'zipf', 'e': 0}}}]}", "must be above 0"},
    {"{'plan': [{'fields': {'a': {'values': ['x']}}}]}", "values[0]: is not a value of type INT"},
    {"{'plan': [{'fields': {'a': {'values': [1, 3000000000]}}}]}", "values[1]: does not fit into INT"},
    {"{'plan': [{'fields': {'a': {'values': [null]}}}]}", "values[0]: the column is NOT NULL"},
    {"{'plan': [{'fields': {'a': {'values': []}}}]}", "the column is NOT NULL"},
    {"{'plan': [{'fields': {'a': {'null_percentage': 5}}}]}", "the column is NOT NULL"},
    {"{'plan': [{'fields': {'n': {'null_percentage': 101}}}]}", "from 0 to 100"},
    {"{'plan': [{'fields': {'a': {'key': {}}}}]}", "is for columns of type MAP"},
    {"{'plan': [{'fields': {'a': {'fields': {}}}}]}", "is for columns of type ROW"},
    {"{'plan': [{'fields': {'a': {'value': {}}}}]}", "is for the elements"},
    {"{'plan': [{'fields': {'b': {'value': {'range': [0, 300]}}}}]}", "plan[0].fields.b.value.range: reaches"},
    {"{'plan': [{'fields': {'A': {}, 'a': {}}}]}", "twice"},
    {"{'plan': [{'rate': 0}]}", "rows per second"},
    {"{'plan': [{'rate': 'fast'}]}", "rows per second"},
    {"{'plan': [{'limit': -1}]}", "plan[0].limit: must be a whole number from 0"},
    {"{'plan': [{'worker_chunk_size': 0}]}", "plan[0].worker_chunk_size"},
    {"{'plan': [{}], 'sede': 1}", "sede"},
    {"{'seed': -1}", "seed"},
};

START_TEST(bad_plans) {
  fake_host_init(&host, "a INT, s VARCHAR, n INT NULL, b VARBINARY");
  has_host = true;
  ck_assert_int_ne(fake_input(&host, &datagen_transport, quoted(bad[_i].config)), HW_OK);
  ck_assert_msg(strstr(host.error, bad[_i].message) != NULL, "%s", host.error);
}
END_TEST

START_TEST(every_fault_of_a_plan_is_told) {
  static const char *const told[] = {
      "plan[0]: no such member: \"x\"", "; plan[0].rate: ", "; plan[0].limit: ", "; plan[0].fields.nosuch: ",
      "; plan[0].fields.a.strategy: ", "; plan[0].fields.n.null_percentage: ", "; plan[0].fields.n.range: ",
      "; plan[0].fields.n.e: ", "; plan[1].rate: "};
  fake_host_init(&host, "a INT, n INT NULL");
  has_host = true;
  ck_assert_int_eq(fake_input(&host, &datagen_transport,
                              quoted("{'plan': [{'x': 1, 'rate': -1, 'limit': 'x', 'fields': {'nosuch': {}, "
                                     "'a': {'strategy': 'zap'}, 'n': {'strategy': 'zipf', 'e': -1, 'range': [5, 5], "
                                     "'null_percentage': 200}}}, {'rate': 0}]}")),
                   HW_EINVAL);
  for (size_t i = 0; i < sizeof told / sizeof *told; i++)
    ck_assert_msg(strstr(host.error, told[i]) != NULL, "%s is not in %s", told[i], host.error);
}
END_TEST

static TCase *tcase(Suite *suite, const char *name) {
  TCase *tc = tcase_create(name);
  tcase_add_checked_fixture(tc, setup, reset);
  tcase_set_timeout(tc, 30);
  suite_add_tcase(suite, tc);
  return tc;
}

int main(void) {
  size_t n_texts = 0;
  while (datagen_text_name(n_texts)) n_texts++;
  Suite *suite = suite_create("datagen");
  TCase *tc = tcase(suite, "bytes");
  tcase_add_test(tc, counts_bytes_as_json);
  tcase_add_test(tc, counts_what_an_encoder_would_write);
  tc = tcase(suite, "increment");
  tcase_add_test(tc, increments);
  tcase_add_test(tc, increments_wrap);
  tcase_add_test(tc, increments_within_a_range);
  tcase_add_test(tc, increments_down);
  tcase_add_test(tc, strings_increment);
  tcase_add_test(tc, binaries_increment);
  tcase_add_test(tc, uuids_increment);
  tc = tcase(suite, "uniform");
  tcase_add_test(tc, uniform_numbers_fill_their_range);
  tcase_add_test(tc, uniform_whole_types);
  tcase_add_test(tc, uniform_strings);
  tcase_add_test(tc, uniform_times);
  tc = tcase(suite, "zipf");
  tcase_add_loop_test(tc, zipf_is_zipf, 0, 5);
  tcase_add_test(tc, zipf_of_one_and_of_all);
  tcase_add_test(tc, zipf_of_every_type);
  tc = tcase(suite, "values");
  tcase_add_test(tc, values_in_turn);
  tcase_add_test(tc, values_outlive_the_connector);
  tcase_add_test(tc, nulls_come_as_often_as_asked);
  tc = tcase(suite, "text");
  tcase_add_loop_test(tc, every_text_strategy, 0, (int)n_texts);
  tcase_add_test(tc, shapes);
  tcase_add_test(tc, check_digits);
  tcase_add_test(tc, words_by_range);
  tc = tcase(suite, "determinism");
  tcase_add_test(tc, the_same_seed_gives_the_same_rows);
  tcase_add_test(tc, columns_and_plans_differ);
  tcase_add_test(tc, a_random_seed_is_told);
  tc = tcase(suite, "time");
  tcase_add_test(tc, exactly_at_the_rate);
  tcase_add_test(tc, odd_rates_do_not_drift);
  tcase_add_test(tc, slow_rates);
  tcase_add_test(tc, no_catching_up_after_a_pause);
  tcase_add_test(tc, a_pause_before_the_first_row);
  tcase_add_test(tc, plans_run_in_order);
  tcase_add_test(tc, batches_keep_to_their_bounds);
  tc = tcase(suite, "faults");
  tcase_add_loop_test(tc, bad_plans, 0, (int)(sizeof bad / sizeof *bad));
  tcase_add_test(tc, every_fault_of_a_plan_is_told);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
