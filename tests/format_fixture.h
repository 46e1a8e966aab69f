/* format_fixture.h - tests of formats: what format_feed.h does, and what is expected of it. */
#ifndef TESTS_FORMAT_FIXTURE_H
#define TESTS_FORMAT_FIXTURE_H

#include "tests/format_feed.h"

#include <check.h>

/* Parses text in every way to cut it and with full batches at every row, and
 * fails the test unless all give `expected`. */
void fixture_expect(const hw_format *format, const char *options, const hw_schema *schema, const char *text,
                    const char *expected);
void fixture_expect_bytes(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                          size_t len, const char *expected);
/* The same feeds; fails the test unless all agree. The caller frees the result. */
fixture_result fixture_all_ways(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                                size_t len);

/* Creates a parser or encoder and expects to be refused with a sentence that holds `words`. */
void fixture_expect_refusal(const hw_format *format, bool parser, const char *options, const hw_schema *schema,
                            const char *words);

/* Runs the suite's cases; the exit status for main. */
int fixture_run(Suite *suite);

#endif
