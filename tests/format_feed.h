/* format_feed.h - runs formats as the runtime does, and writes down what came out.
 *
 * A result is text, so that a test states what it expects in one string and two
 * runs are compared in one call. Rows come first, then faults:
 *
 *     1|NULL|"abc"
 *     -1* 2|3.5|""
 *     ~ 2|-|"x"
 *     !range qty @17+24
 *
 * that is: values separated by '|', a weight other than 1 in front ('~': an
 * update; '-': a column that it does not give), and for each bad record its tag,
 * column, offset in the stream and length. A NUL byte is shown as \0. */
#ifndef TESTS_FORMAT_FEED_H
#define TESTS_FORMAT_FEED_H

#include "formats/formats.h"

#include <stdarg.h>

/* Says what is wrong and does not return; format_fixture.c fails the test with it,
 * fuzz/fuzz.c the run. */
void fixture_fail(const char *fmt, ...) HW_PRINTF(1, 2) __attribute__((noreturn));

/* "id BIGINT!, name VARCHAR(10), \"Exact\" INT": '!' is NOT NULL, a quoted name
 * is case-sensitive. Lives until the process ends. */
hw_schema *fixture_schema(const char *text);
/* Makes n columns from `first` on its primary key. */
void fixture_key(hw_schema *schema, uint32_t first, uint32_t n);
/* Gives a column a default: its value as hw_value_parse reads it. */
void fixture_default(hw_schema *schema, uint32_t column, const char *text);

typedef struct fixture_result {
  char *brief; /* as above */
  char *full;  /* with reasons */
  char *trace; /* where the first record that was not whole began, after each piece */
  size_t rows_len; /* bytes of the rows at the start of brief and full */
  uint32_t n_rows, n_bad;
  uint64_t n_parsed; /* bytes that parse was given, over and over */
  hw_status status;
} fixture_result;
void fixture_result_fini(fixture_result *r);

/* How a stream is fed. */
typedef struct fixture_feed {
  size_t first;      /* bytes of the first piece; 0: all */
  size_t step;       /* of those after it; 0: all that is left */
  uint32_t capacity; /* rows of a batch; 0: many */
  bool sparing;      /* does not parse a piece of which the parser says that it is for nothing, as the runtime does */
  bool parted;       /* has a new parser read what the format parts, as the runtime's other workers do */
  void (*seen)(void *arg, const hw_batch *batch); /* NULL, or shown each batch that is full or the last */
  void *arg;
} fixture_feed;

/* Parses data with the format and these options (a JSON object without braces, as
 * in "\"headers\": true"); fails the test when a promise of format.h is broken. */
fixture_result fixture_parse(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                             size_t len, fixture_feed feed);

/* Fails unless the feed gives what parsing the whole at once gave. */
void fixture_check_same(const fixture_result *whole, const hw_format *format, const char *options,
                        const hw_schema *schema, const void *data, size_t len, fixture_feed feed);
/* Fails when sparing calls shows with this feed: all must come as early as without it. */
void fixture_check_sparing(const hw_format *format, const char *options, const hw_schema *schema, const void *data,
                           size_t len, fixture_feed feed);

/* The configuration that a JSON object without braces is; the caller frees it. */
hw_config *fixture_config(const hw_option *table, const char *options);

/* A batch filled by the json parser from raw rows, for tests of encoders; weights
 * as given, or NULL. Lives until the process ends. */
hw_batch *fixture_batch(const hw_schema *schema, const char *json_rows, const int64_t *weights);

/* Encodes the whole batch, with begin and end, in pieces of about soft_limit
 * bytes (0: at once). *faults gets the tags of rows that could not be written.
 * The text is terminated; the caller frees both. */
char *fixture_encode(const hw_format *format, const char *options, const hw_batch *batch, size_t soft_limit,
                     size_t *len, char **faults);

/* printf into a growing text. */
typedef struct fixture_text {
  char *data;
  size_t len, capacity;
} fixture_text;
void fixture_print(fixture_text *t, const char *fmt, ...) HW_PRINTF(2, 3);
void fixture_put(fixture_text *t, const void *data, size_t len);

/* A small generator of random numbers, the same on every machine. */
uint32_t fixture_random(uint64_t *seed);

#endif
