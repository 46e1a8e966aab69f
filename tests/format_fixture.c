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

fixture_result fixture_all_ways(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                                size_t len) {
  fixture_result whole = fixture_parse(format, options, schema, data, len, (fixture_feed){0});
  for (size_t first = 1; first < len; first++)
    fixture_check_same(&whole, format, options, schema, data, len, (fixture_feed){.first = first});
  fixture_check_same(&whole, format, options, schema, data, len, (fixture_feed){.first = 1, .step = 1});
  for (size_t step = 1; format->part && step < len; step += 1 + step / 8)
    fixture_check_same(&whole, format, options, schema, data, len,
                       (fixture_feed){.first = step, .step = step, .parted = true});
  for (size_t step = 1; step < 4; step++)
    fixture_check_sparing(format, options, schema, data, len, (fixture_feed){.first = step, .step = step});
  for (uint32_t capacity = 1; capacity <= whole.n_rows && capacity < 6; capacity++) {
    fixture_check_same(&whole, format, options, schema, data, len, (fixture_feed){.capacity = capacity});
    fixture_check_same(&whole, format, options, schema, data, len,
                       (fixture_feed){.first = 7, .step = 7, .capacity = capacity});
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

/* The instruction set that was asked for is the one that is tested. */
static void check_set(void) {
  const formats_set *set;
  hw_error err;
  if (formats_choose(&set, &err) == HW_OK) return;
  fprintf(stderr, "%s\n", err.message);
  exit(EXIT_FAILURE);
}

int fixture_run(Suite *suite) {
  check_set();
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
