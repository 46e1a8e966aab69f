/* fuzz.h - what fuzz targets share.
 *
 * A target takes any bytes and returns, or fails (fixture_fail, an assertion, a
 * sanitizer). What it does depends on these bytes alone. The first of them choose
 * options: the digit '0', where seeds are typed, is the first choice of each. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include "tests/format_feed.h"

typedef struct fuzz_input {
  const char *data; /* what is left of it */
  size_t len;
} fuzz_input;

/* Takes a byte: one of n choices. 0 where there is none left. */
unsigned fuzz_choose(fuzz_input *in, unsigned n);
/* Takes three bytes: how to cut what comes after them. */
fixture_feed fuzz_choose_feed(fuzz_input *in);

/* The schema of one of the n texts, made once (text: as fixture_schema takes it; behind
 * a '*' its first column is the key). */
const hw_schema *fuzz_choose_schema(fuzz_input *in, const char *const *texts, unsigned n);

typedef struct fuzz_target {
  const char *name; /* also of its corpus: tests/fuzz/corpus/NAME */
  void (*run)(fuzz_input in);
} fuzz_target;

extern const fuzz_target fuzz_targets[]; /* ends with a {NULL} entry */
const fuzz_target *fuzz_target_named(const char *name); /* or NULL */

/* What holds for every format: the feed gives what the whole gave, also when calls
 * are spared. The result of the whole at once, with what `seen` was shown in it. */
fixture_result fuzz_parse(const hw_format *format, const char *options, const hw_schema *schema, fuzz_input stream,
                          fixture_feed feed);

/* Collects what an encoder makes of each batch, for fixture_feed.seen. */
typedef struct fuzz_encoded {
  const hw_format *format;
  const char *options;
  size_t soft_limit;
  fixture_text text;
} fuzz_encoded;
void fuzz_encode(void *encoded, const hw_batch *batch);
/* Parses what was collected: it must be the rows that were encoded. Frees it. */
void fuzz_check_encoded(fuzz_encoded *encoded, const char *options, const hw_schema *schema,
                        const fixture_result *rows);

void fuzz_json(fuzz_input in);
void fuzz_csv(fuzz_input in);
void fuzz_msgpack(fuzz_input in);
void fuzz_raw(fuzz_input in);
void fuzz_sql(fuzz_input in);
void fuzz_connector(fuzz_input in);
void fuzz_http(fuzz_input in);
void fuzz_unpack(fuzz_input in);

#endif
