#include "tests/format_fixture.h"

#include "runtime/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fixture_fail(const char *fmt, ...) {
  char text[8192];
  va_list args;
  va_start(args, fmt);
  (void)vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  ck_abort_msg("%s", text);
}

void fixture_expect_refusal(const hw_format *format, bool parser, const char *options, const hw_schema *schema,
                            const char *words) {
  hw_error err = {0};
  void *instance = NULL;
  hw_config *config = fixture_config(parser ? format->parser_options : format->encoder_options, options);
  hw_status status = parser ? format->parser->create(config, schema, &instance, &err)
                            : format->encoder->create(config, schema, &instance, &err);
  ck_assert_int_eq(status, HW_EINVAL);
  if (!strstr(err.message, words)) ck_abort_msg("\"%s\" does not say \"%s\"", err.message, words);
  config_free(config);
}

/* Sparing calls must not show: all comes as early as without it. */
static void check_sparing(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                          size_t len, fixture_feed feed) {
  fixture_result plain = fixture_parse(format, options, schema, data, len, feed);
  feed.sparing = true;
  fixture_result sparing = fixture_parse(format, options, schema, data, len, feed);
  if (strcmp(plain.full, sparing.full) != 0 || strcmp(plain.trace, sparing.trace) != 0)
    ck_abort_msg("%.*s\nin pieces of %zu gives, without sparing,\n%s%s\nand with it\n%s%s", (int)len,
                 (const char *)data, feed.step, plain.full, plain.trace, sparing.full, sparing.trace);
  fixture_result_fini(&plain);
  fixture_result_fini(&sparing);
}

static void check_same(const fixture_result *whole, const hw_format *format, const char *options,
                       const hw_schema *schema, const void *data, size_t len, fixture_feed feed) {
  fixture_result other = fixture_parse(format, options, schema, data, len, feed);
  if (strcmp(whole->full, other.full) != 0 || whole->status != other.status)
    ck_abort_msg("first %zu step %zu capacity %u of:\n%.*s\ngives (%d)\n%sinstead of (%d)\n%s", feed.first, feed.step,
                 feed.capacity, (int)len, (const char *)data, (int)other.status, other.full, (int)whole->status,
                 whole->full);
  fixture_result_fini(&other);
}

fixture_result fixture_all_ways(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                                size_t len) {
  fixture_result whole = fixture_parse(format, options, schema, data, len, (fixture_feed){0});
  for (size_t first = 1; first < len; first++)
    check_same(&whole, format, options, schema, data, len, (fixture_feed){.first = first});
  check_same(&whole, format, options, schema, data, len, (fixture_feed){.first = 1, .step = 1});
  for (size_t step = 1; step < 4; step++)
    check_sparing(format, options, schema, data, len, (fixture_feed){.first = step, .step = step});
  for (uint32_t capacity = 1; capacity <= whole.n_rows && capacity < 6; capacity++) {
    check_same(&whole, format, options, schema, data, len, (fixture_feed){.capacity = capacity});
    check_same(&whole, format, options, schema, data, len, (fixture_feed){.first = 7, .step = 7, .capacity = capacity});
  }
  return whole;
}

void fixture_expect_bytes(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                          size_t len, const char *expected) {
  fixture_result r = fixture_all_ways(format, options, schema, data, len);
  if (strcmp(r.brief, expected) != 0)
    ck_abort_msg("%.*s\ngives\n%sinstead of\n%s", (int)len, (const char *)data, r.full, expected);
  fixture_result_fini(&r);
}

void fixture_expect(const hw_format *format, const char *options, const hw_schema *schema, const char *text,
                    const char *expected) {
  fixture_expect_bytes(format, options, schema, text, strlen(text), expected);
}

int fixture_run(Suite *suite) {
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
