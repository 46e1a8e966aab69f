/* reference_csv.h - a second reader of CSV: RFC 4180 and what docs/formats.md adds
 * to it, a character at a time. */
#ifndef TESTS_REFERENCE_CSV_H
#define TESTS_REFERENCE_CSV_H

#include "tests/format_feed.h"

/* The options of the format; a character of 0 is not set. */
typedef struct csv_rules {
  char delimiter, quote, escape, comment;
  bool quoting, double_quote, headers, flexible, trim_fields, trim_headers;
} csv_rules;

/* What should come of the whole stream: *out gets the text that fixture_parse calls brief. */
hw_status reference_csv(fixture_text *out, const hw_schema *schema, const csv_rules *rules, const char *data,
                        size_t len);

#endif
