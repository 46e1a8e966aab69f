/* test_format_msgpack.c - the msgpack format against its hard cases, and against
 * msgpack-c on made-up and mutated bytes. */
#include "tests/format_fixture.h"
#include "tests/reference.h"

#include <stdlib.h>
#include <string.h>

#define RAW "\"update_format\": \"raw\""

/* A string literal with its NULs. */
#define BYTES(literal) (literal), (sizeof(literal) - 1)

static void raw(const char *schema, const char *data, size_t len, const char *expected) {
  fixture_expect_bytes(&format_msgpack, RAW, fixture_schema(schema), data, len, expected);
}

/* One value of a nullable column in a row of its own, as a map and as an array. */
static void value(const char *type, const char *data, size_t len, const char *expected) {
  fixture_text schema = {0}, text = {0}, outcome = {0};
  fixture_print(&schema, "v %s", type);
  fixture_put(&text, "\x81\xa1v", 3);
  fixture_put(&text, data, len);
  fixture_put(&text, "\x91", 1);
  fixture_put(&text, data, len);
  if (*expected == '!')
    fixture_print(&outcome, "%s v @0+%zu\n%s v @%zu+%zu\n", expected, len + 3, expected, len + 3, len + 1);
  else
    fixture_print(&outcome, "%s\n%s\n", expected, expected);
  raw(schema.data, text.data, text.len, outcome.data);
  free(schema.data);
  free(text.data);
  free(outcome.data);
}

START_TEST(rows) {
  const char *schema = "a INT!, b VARCHAR";
  raw(schema,
      BYTES("\x82\xa1"
            "a\x01\xa1"
            "b\xa1x\x82\xa1"
            "a\x02\xa1"
            "b\xa1y"),
      "1|\"x\"\n2|\"y\"\n");
  raw(schema,
      BYTES("\x81\xa1"
            "a\x01\x82\xa1"
            "B\xa1x\xa1"
            "a\x02\x82\xa1"
            "b\xc0\xa1"
            "A\x03"),
      "1|NULL\n2|\"x\"\n3|NULL\n");
  raw(schema,
      BYTES("\x92\x01\xa1x\x91\x02\xdc\x00\x02\x03\xc0\xde\x00\x01\xa1"
            "a\x04\xdf\x00\x00\x00\x01\xd9\x01"
            "a\x05"),
      "1|\"x\"\n2|NULL\n3|NULL\n4|NULL\n5|NULL\n");
  raw(schema,
      BYTES("\x83\xa1"
            "a\x01\xa1x\x93\x01\x81\xa1y\xc0\xc7\x02\x05zz\xa1"
            "b\xa1x\x82\xa1"
            "a\x01\xa1"
            "a\x02"),
      "1|\"x\"\n2|NULL\n");
  raw(schema,
      BYTES("\x80\x81\xa1"
            "b\xa1x\x81\xa1"
            "a\xc0\x91\x07"),
      "7|NULL\n!missing a @0+1\n!missing a @1+5\n!null a @6+4\n");
  raw(schema, BYTES("\x05\xa1x\xc0\x93\x01\xa1x\x02\x81\x01\x02\x81\xc0\x01\x91\x07"),
      "7|NULL\n!record - @0+1\n!record - @1+2\n!record - @3+1\n!columns - @4+5\n!key - @9+3\n!key - @12+3\n");
}
END_TEST

START_TEST(updates) {
  fixture_expect_bytes(
      &format_msgpack, "", fixture_schema("a INT"),
      BYTES("\x81\xa6insert\x81\xa1"
            "a\x01\x81\xa6"
            "delete\x91\x02\x81\xa6upsert\x91\x03\x81\xa1"
            "a\x04"
            "\x82\xa6insert\x91\x05\xa6"
            "delete\x91\x06\x91\x01\x81\xa6insert\x91\x07\x81\xa6insert\x05"),
      "1\n-1* 2\n7\n!update - @22+10\n!update - @32+4\n!update - @36+19\n!update - @55+2\n!record - @67+9\n");
}
END_TEST

START_TEST(values) {
  value("BOOLEAN", BYTES("\xc3"), "true");
  value("BOOLEAN", BYTES("\xc2"), "false");
  value("BOOLEAN", BYTES("\x01"), "!type");
  value("BOOLEAN", BYTES("\xc0"), "NULL");
  value("TINYINT", BYTES("\x7f"), "127");
  value("TINYINT", BYTES("\xe0"), "-32");
  value("TINYINT", BYTES("\xd0\x80"), "-128");
  value("TINYINT", BYTES("\xcc\x80"), "!range");
  value("TINYINT", BYTES("\xd3\xff\xff\xff\xff\xff\xff\xff\xfe"), "-2");
  value("SMALLINT", BYTES("\xd1\x80\x00"), "-32768");
  value("INT", BYTES("\xce\x80\x00\x00\x00"), "!range");
  value("BIGINT", BYTES("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), "9223372036854775807");
  value("BIGINT", BYTES("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), "!range");
  value("BIGINT UNSIGNED", BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), "18446744073709551615");
  value("BIGINT UNSIGNED", BYTES("\xff"), "!range");
  value("BIGINT UNSIGNED", BYTES("\xd0\x05"), "5");
  value("INT", BYTES("\xca\x3f\x80\x00\x00"), "!type");
  value("INT",
        BYTES("\xa2"
              "17"),
        "17");
  value("INT", BYTES("\xa1x"), "!type");
  value("INT", BYTES("\x91\x01"), "!type");
  value("DOUBLE", BYTES("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"), "1.5");
  value("DOUBLE", BYTES("\xca\x3f\xc0\x00\x00"), "1.5");
  value("DOUBLE", BYTES("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), "NaN");
  value("DOUBLE", BYTES("\x05"), "5.0");
  value("DOUBLE",
        BYTES("\xa3"
              "1.5"),
        "1.5");
  value("REAL", BYTES("\xcb\x7f\xef\xff\xff\xff\xff\xff\xff"), "!range");
  value("REAL", BYTES("\xcb\xff\xf0\x00\x00\x00\x00\x00\x00"), "-Infinity");
  value("REAL", BYTES("\xff"), "-1.0");
  value("DECIMAL(10,2)",
        BYTES("\xa5"
              "12.34"),
        "12.34");
  value("DECIMAL(10,2)", BYTES("\x05"), "5.00");
  value("DECIMAL(10,2)", BYTES("\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a"), "0.10");
  value("DECIMAL(10,2)", BYTES("\xca\x3d\xcc\xcc\xcd"), "0.10");
  value("DECIMAL(10,2)", BYTES("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), "!type");
  value("DECIMAL(3,2)", BYTES("\x0a"), "!range");
  value("VARCHAR",
        BYTES("\xa3"
              "abc"),
        "\"abc\"");
  value("VARCHAR", BYTES("\xd9\x03\"\\\x01"), "\"\"\\\x01\"");
  value("VARCHAR", BYTES("\xda\x00\x02\xc3\xa9"), "\"\xc3\xa9\"");
  value("VARCHAR", BYTES("\xdb\x00\x00\x00\x01x"), "\"x\"");
  value("VARCHAR", BYTES("\xa1\xff"), "!utf8");
  value("VARCHAR", BYTES("\xc4\x01x"), "!type");
  value("VARCHAR", BYTES("\x01"), "!type");
  value("VARCHAR(2)",
        BYTES("\xa3"
              "abc"),
        "!length");
  value("CHAR(3)", BYTES("\xa1x"), "\"x  \"");
  value("VARBINARY", BYTES("\xc4\x02\xff\x00"), "xff00");
  value("VARBINARY", BYTES("\xc5\x00\x01\xff"), "xff");
  value("VARBINARY", BYTES("\xc6\x00\x00\x00\x00"), "x");
  value("VARBINARY", BYTES("\xa1x"), "!type");
  value("DATE",
        BYTES("\xaa"
              "2026-01-02"),
        "2026-01-02");
  value("DATE", BYTES("\x05"), "!type");
  value("TIME",
        BYTES("\xa8"
              "03:04:05"),
        "03:04:05");
  value("UUID",
        BYTES("\xc4\x10"
              "0123456789abcdef"),
        "30313233-3435-3637-3839-616263646566");
  value("UUID", BYTES("\xc4\x01x"), "!type");
}
END_TEST

START_TEST(timestamps) {
  value("TIMESTAMP", BYTES("\xd6\xff\x00\x00\x00\x00"), "1970-01-01 00:00:00");
  value("TIMESTAMP", BYTES("\xd6\xff\xff\xff\xff\xff"), "2106-02-07 06:28:15");
  value("TIMESTAMP", BYTES("\xd7\xff\xee\x6b\x27\xfc\x00\x00\x00\x01"), "1970-01-01 00:00:01.999999");
  value("TIMESTAMP", BYTES("\xd7\xff\xff\xff\xff\xfc\x00\x00\x00\x01"), "!type"); /* more than 10^9 ns */
  value("TIMESTAMP", BYTES("\xc7\x0c\xff\x00\x00\x03\xe8\xff\xff\xff\xff\xff\xff\xff\xff"),
        "1969-12-31 23:59:59.000001");
  value("TIMESTAMP", BYTES("\xc7\x0c\xff\x00\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"), "!range");
  value("TIMESTAMP", BYTES("\xc7\x0c\xff\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00"), "!range");
  value("TIMESTAMP", BYTES("\xd4\xff\x00"), "!type");
  value("TIMESTAMP", BYTES("\xd6\x01\x00\x00\x00\x00"), "!type");
  value("TIMESTAMP",
        BYTES("\xb3"
              "2026-01-02 03:04:05"),
        "2026-01-02 03:04:05");
  value("TIMESTAMP", BYTES("\x05"), "!type");
}
END_TEST

START_TEST(what_never_ends) {
  raw("a INT", BYTES("\x91\x01\x91"), "1\n!truncated - @2+1\n");
  raw("a VARCHAR",
      BYTES("\x91\xdb\xff\xff\xff\xff"
            "abc"),
      "!truncated - @0+9\n");
  raw("a VARBINARY",
      BYTES("\x91\xc6\xff\xff\xff\xff"
            "abc"),
      "!truncated - @0+9\n");
  raw("a INT",
      BYTES("\xdf\xff\xff\xff\xff\xa1"
            "a\x01"),
      "!truncated - @0+8\n");
  raw("a INT", BYTES("\x81\xa1x\xdd\xff\xff\xff\xff\xc0"), "!truncated - @0+9\n");
  raw("a INT", BYTES("\xdd\xff\xff\xff\xff\x01"), "!columns - @0+6\n");
  raw("a INT", BYTES("\x81"), "!truncated - @0+1\n");
  fixture_text deep = {0};
  fixture_put(&deep, "\x81\xa1x", 3);
  for (int i = 0; i < 100000; i++) fixture_put(&deep, "\x91", 1);
  fixture_put(&deep, "\xc0\x91\x07", 3);
  fixture_result r =
      fixture_parse(&format_msgpack, RAW, fixture_schema("a INT"), deep.data, deep.len, (fixture_feed){0});
  ck_assert_str_eq(r.brief, "NULL\n7\n");
  fixture_result_fini(&r);
  free(deep.data);
}
END_TEST

START_TEST(not_msgpack) {
  static const char *const cases[] = {"\x91\x01\xc1\x91\x02", "\x91\x01\x91\xc1\x91\x02",
                                      "\x91\x01\x81\xa1x\xc1\x91\x02", "\x91\x01\x81\xc1"};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fixture_result r = fixture_all_ways(&format_msgpack, RAW, fixture_schema("a INT"), cases[i], strlen(cases[i]));
    ck_assert_int_eq(r.status, HW_EPARSE);
    ck_assert_uint_eq(r.n_rows, 1);
    ck_assert_uint_eq(r.n_bad, 1);
    fixture_result_fini(&r);
  }
}
END_TEST

/* ---- against msgpack-c -------------------------------------------------------------- */

static uint64_t seed;
static uint32_t dice(uint32_t n) {
  return fixture_random(&seed) % n;
}

static void pack_any(msgpack_packer *pk, int depth) {
  static const char text[] = "caf\xc3\xa9 and a longer text, plain";
  switch (dice(depth < 4 ? 11 : 9)) {
  case 0: msgpack_pack_nil(pk); break;
  case 1:
    if (dice(2))
      msgpack_pack_true(pk);
    else
      msgpack_pack_false(pk);
    break;
  case 2:
    msgpack_pack_int64(pk, (int64_t)((uint64_t)fixture_random(&seed) << 33 | fixture_random(&seed)) >> dice(63));
    break;
  case 3: msgpack_pack_uint64(pk, UINT64_MAX >> dice(64)); break;
  case 4: msgpack_pack_double(pk, (double)dice(1000) / 8); break;
  case 5: msgpack_pack_float(pk, (float)dice(1000) / 8); break;
  case 6: msgpack_pack_str_with_body(pk, text, dice(3) ? 3 : sizeof text - 1); break;
  case 7: msgpack_pack_bin_with_body(pk, text, dice(sizeof text)); break;
  case 8: msgpack_pack_ext_with_body(pk, text, dice(20), (int8_t)dice(128)); break;
  case 9: {
    uint32_t n = dice(20);
    msgpack_pack_array(pk, n);
    while (n-- > 0) pack_any(pk, depth + 1);
    break;
  }
  default: {
    uint32_t n = dice(4);
    msgpack_pack_map(pk, n);
    while (n-- > 0) {
      pack_any(pk, depth + 1);
      pack_any(pk, depth + 1);
    }
    break;
  }
  }
}

static void pack_row(msgpack_packer *pk) {
  static const char *const names[] = {"i", "d", "s", "other", "I"};
  uint32_t n = dice(6);
  msgpack_pack_map(pk, n);
  while (n-- > 0) {
    const char *name = names[dice(20) ? dice(4) : 4];
    msgpack_pack_str_with_body(pk, name, strlen(name));
    if (dice(3) == 0)
      pack_any(pk, 0);
    else if (*name == 'i')
      msgpack_pack_int64(pk, (int64_t)dice(1u << 31) - (1 << 30));
    else if (*name == 'd')
      msgpack_pack_double(pk, dice(100));
    else
      msgpack_pack_str_with_body(pk, "text", 4);
  }
}

/* msgpack-c takes an array or map of four billion at its word, and asks for the memory. */
static bool announces_billions(const char *data, size_t len) {
  return memchr(data, 0xdd, len) || memchr(data, 0xdf, len);
}

static void compare(const char *data, size_t len, unsigned counts[2]) {
  if (announces_billions(data, len)) return;
  hw_schema *schema = fixture_schema("i BIGINT, d DOUBLE, s VARCHAR");
  msgpack_unpacked u;
  msgpack_unpacked_init(&u);
  size_t offset = 0;
  msgpack_unpack_return status = msgpack_unpack_next(&u, data, len, &offset);
  bool whole = status == MSGPACK_UNPACK_SUCCESS || status == MSGPACK_UNPACK_EXTRA_BYTES;
  fixture_text row = {0};
  bool good = whole && reference_msgpack(&row, schema, &u.data) == REFERENCE_TAKEN;
  fixture_result r = fixture_parse(&format_msgpack, RAW, schema, data, whole ? offset : len,
                                   (fixture_feed){.first = dice(20), .step = 1 + dice(9)});
  if (r.n_rows + r.n_bad != 1 || (r.n_rows == 1) != good || (good && strcmp(r.brief, row.data) != 0))
    ck_abort_msg("gives\n%sinstead of %s\n%s", r.full, good ? "taken" : "refused", row.data);
  fixture_result_fini(&r);
  counts[good]++;
  free(row.data);
  msgpack_unpacked_destroy(&u);
}

START_TEST(made_up) {
  unsigned counts[2] = {0};
  seed = 4;
  for (int i = 0; i < 4000; i++) {
    msgpack_sbuffer buffer;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&pk, &buffer, msgpack_sbuffer_write);
    pack_row(&pk);
    if (i % 2) /* mutated */
      for (uint32_t n = 1 + dice(2); n > 0; n--) buffer.data[dice((uint32_t)buffer.size)] = (char)dice(256);
    compare(buffer.data, buffer.size, counts);
    msgpack_sbuffer_destroy(&buffer);
  }
  ck_assert_uint_gt(counts[0], 300);
  ck_assert_uint_gt(counts[1], 300);
}
END_TEST

/* ---- writing ---------------------------------------------------------------------------- */

static void encodes(const char *options, const hw_batch *batch, const char *expected, size_t expected_len,
                    const char *expected_faults) {
  for (size_t limit = 0; limit < 40; limit += 13) {
    size_t len;
    char *faults;
    char *data = fixture_encode(&format_msgpack, options, batch, limit, &len, &faults);
    ck_assert_uint_eq(len, expected_len);
    ck_assert_mem_eq(data, expected, len);
    ck_assert_str_eq(faults, expected_faults);
    free(data);
    free(faults);
  }
}

START_TEST(encoding) {
  int64_t weights[] = {1, -1, 2};
  const hw_batch *batch = fixture_batch(fixture_schema("a INT, b VARCHAR"), "[1,\"x\"][2,null][300,\"\"]", weights);
  encodes(RAW, batch,
          BYTES("\x82\xa1"
                "a\x01\xa1"
                "b\xa1x\x82\xa1"
                "a\xcd\x01\x2c\xa1"
                "b\xa0\x82\xa1"
                "a\xcd\x01\x2c\xa1"
                "b\xa0"),
          "!delete 1\n");
  encodes("\"rows\": \"arrays\"", batch,
          BYTES("\x81\xa6insert\x92\x01\xa1x\x81\xa6"
                "delete\x92\x02\xc0\x81\xa6insert\x92\xcd\x01\x2c\xa0\x81\xa6insert\x92\xcd\x01\x2c\xa0"),
          "");
  batch =
      fixture_batch(fixture_schema("t TIMESTAMP, b BINARY(2), m DECIMAL(5,1)"), "[\"1970-01-01\",[1,2],-1.5]", NULL);
  encodes(RAW ", \"rows\": \"arrays\"", batch, BYTES("\x93\xd6\xff\x00\x00\x00\x00\xc4\x02\x01\x02\xa4-1.5"), "");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("format_msgpack");
  TCase *reading = tcase_create("reading"), *writing = tcase_create("writing");
  tcase_set_timeout(reading, 60);
  tcase_add_test(reading, rows);
  tcase_add_test(reading, updates);
  tcase_add_test(reading, values);
  tcase_add_test(reading, timestamps);
  tcase_add_test(reading, what_never_ends);
  tcase_add_test(reading, not_msgpack);
  tcase_add_test(reading, made_up);
  tcase_add_test(writing, encoding);
  suite_add_tcase(suite, reading);
  suite_add_tcase(suite, writing);
  return fixture_run(suite);
}
