/* csv.c - format "csv": input is delimiter, quote, escape, comment, two bytes of
 * switches, schema, three bytes of cuts, stream.
 *
 * - The stream gives what the reader of reference_csv.h makes of it, faults and their
 *   places included, however it is cut.
 * - Without blanks trimming changes nothing: the fast readers, which leave it to the
 *   strict ones, give the same.
 * - What was read is written in the same dialect, and read as the same rows. */
#include "tests/fuzz/fuzz.h"
#include "tests/reference_csv.h"

#include <stdlib.h>
#include <string.h>

static const char *const schemas[] = {
    "a BIGINT!, b VARCHAR, c DOUBLE",
    "a VARCHAR",
    "id INT, ts TIMESTAMP, m DECIMAL(10,2), s CHAR(3), v VARCHAR(4)!, u UUID",
    "t TINYINT, ub BIGINT UNSIGNED, r REAL, x VARBINARY(4), da DATE, ti TIME, b BOOLEAN",
    "a VARCHAR, \"A\" VARCHAR!, b VARBINARY!",
};
#define N_SCHEMAS (sizeof schemas / sizeof *schemas)

/* One that the format takes: characters that differ where they must. */
static csv_rules choose_rules(fuzz_input *in) {
  static const char delimiters[] = ",;\t| \\1x:", quotes[] = "\"'`|\x01";
  static const char escapes[] = "\0\\#\"'", comments[] = "\0#;\"\\";
  csv_rules rules = {.delimiter = delimiters[fuzz_choose(in, sizeof delimiters - 1)]};
  rules.quote = quotes[fuzz_choose(in, sizeof quotes - 1)];
  rules.escape = escapes[fuzz_choose(in, sizeof escapes - 1)];
  rules.comment = comments[fuzz_choose(in, sizeof comments - 1)];
  if (rules.quote == rules.delimiter) rules.quote = '"';
  if (rules.escape == rules.delimiter) rules.escape = '\0';
  if (rules.comment == rules.delimiter) rules.comment = '\0';
  unsigned switches = fuzz_choose(in, 8), more = fuzz_choose(in, 8);
  rules.quoting = !(switches & 1);
  rules.double_quote = !(switches & 2);
  rules.flexible = !(switches & 4);
  rules.headers = more & 1;
  rules.trim_fields = more & 2;
  rules.trim_headers = more & 4;
  return rules;
}

static void add_character(fixture_text *t, const char *option, char c) {
  if (c) fixture_print(t, ", \"%s\": \"\\u%04x\"", option, (unsigned char)c);
}

/* The characters that both sides agree on. */
static fixture_text shared_options(const csv_rules *rules) {
  fixture_text t = {0};
  fixture_print(&t, "\"delimiter\": \"\\u%04x\"", (unsigned char)rules->delimiter);
  add_character(&t, "quote", rules->quote);
  return t;
}

static fixture_text parser_options(const csv_rules *rules) {
  static const char *const trims[] = {"none", "fields", "headers", "all"};
  fixture_text t = shared_options(rules);
  add_character(&t, "escape", rules->escape);
  add_character(&t, "comment", rules->comment);
  if (!rules->quoting) fixture_print(&t, ", \"quoting\": false");
  if (!rules->double_quote) fixture_print(&t, ", \"double_quote\": false");
  if (!rules->flexible) fixture_print(&t, ", \"flexible\": false");
  if (rules->headers) fixture_print(&t, ", \"headers\": true");
  fixture_print(&t, ", \"trim\": \"%s\"", trims[rules->trim_fields + 2 * rules->trim_headers]);
  return t;
}

static void check_reference(const csv_rules *rules, const hw_schema *schema, fuzz_input in, const fixture_result *r) {
  fixture_text expected = {0};
  hw_status status = reference_csv(&expected, schema, rules, in.data, in.len);
  fixture_put(&expected, "", 0);
  if (status != r->status || strcmp(expected.data, r->brief) != 0)
    fixture_fail("%.*s\ngives (%d)\n%sinstead of (%d)\n%s", (int)in.len, in.data, r->status, r->full, status,
                 expected.data);
  free(expected.data);
}

static void check_trimming(csv_rules rules, const hw_schema *schema, fuzz_input in, const fixture_result *r) {
  if (memchr(in.data, ' ', in.len) || memchr(in.data, '\t', in.len)) return;
  rules.trim_fields = !rules.trim_fields;
  fixture_text options = parser_options(&rules);
  fixture_check_same(r, &format_csv, options.data, schema, in.data, in.len, (fixture_feed){0});
  free(options.data);
}

void fuzz_csv(fuzz_input in) {
  csv_rules rules = choose_rules(&in);
  const hw_schema *schema = fuzz_choose_schema(&in, schemas, N_SCHEMAS);
  fixture_feed feed = fuzz_choose_feed(&in);
  fixture_text options = parser_options(&rules), shared = shared_options(&rules), writing = shared_options(&rules);
  if (in.len % 2) fixture_print(&writing, ", \"weight\": false");
  fuzz_encoded out = {.format = &format_csv, .options = writing.data, .soft_limit = feed.step};
  feed.seen = fuzz_encode;
  feed.arg = &out;
  fixture_result r = fuzz_parse(&format_csv, options.data, schema, in, feed);
  check_reference(&rules, schema, in, &r);
  check_trimming(rules, schema, in, &r);
  fuzz_check_encoded(&out, shared.data, schema, &r);
  fixture_result_fini(&r);
  free(options.data);
  free(shared.data);
  free(writing.data);
}
