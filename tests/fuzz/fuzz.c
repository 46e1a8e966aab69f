#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

const fuzz_target fuzz_targets[] = {
    {"json", fuzz_json},           {"csv", fuzz_csv},   {"msgpack", fuzz_msgpack}, {"raw", fuzz_raw}, {"sql", fuzz_sql},
    {"connector", fuzz_connector}, {"http", fuzz_http}, {"unpack", fuzz_unpack},   {NULL, NULL},
};

const fuzz_target *fuzz_target_named(const char *name) {
  for (const fuzz_target *target = fuzz_targets; target->name; target++)
    if (!strcmp(target->name, name)) return target;
  return NULL;
}

unsigned fuzz_choose(fuzz_input *in, unsigned n) {
  if (in->len == 0) return 0;
  in->len--;
  return (unsigned char)(*in->data++ - '0') % n;
}

fixture_feed fuzz_choose_feed(fuzz_input *in) {
  fixture_feed feed = {.first = 1 + fuzz_choose(in, 64)};
  feed.step = 1 + fuzz_choose(in, 64);
  feed.capacity = fuzz_choose(in, 8);
  return feed;
}

static hw_schema *new_schema(const char *text) {
  bool keyed = *text == '*';
  hw_schema *schema = fixture_schema(text + keyed);
  if (keyed) fixture_key(schema, 0, 1);
  return schema;
}

const hw_schema *fuzz_choose_schema(fuzz_input *in, const char *const *texts, unsigned n) {
  static struct {
    const char *text;
    const hw_schema *schema;
  } made[32];
  const char *text = texts[fuzz_choose(in, n)];
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
    if (!made[i].text) made[i].schema = new_schema(made[i].text = text);
    if (made[i].text == text) return made[i].schema;
  }
  fixture_fail("more schemas than are kept");
}

fixture_result fuzz_parse(const hw_format *format, const char *options, const hw_schema *schema, fuzz_input stream,
                          fixture_feed feed) {
  fixture_result whole = fixture_parse(format, options, schema, stream.data, stream.len,
                                       (fixture_feed){.seen = feed.seen, .arg = feed.arg});
  feed.seen = NULL;
  fixture_check_same(&whole, format, options, schema, stream.data, stream.len, feed);
  fixture_check_sparing(format, options, schema, stream.data, stream.len, feed);
  feed.parted = true;
  fixture_check_same(&whole, format, options, schema, stream.data, stream.len, feed);
  return whole;
}

void fuzz_encode(void *encoded, const hw_batch *batch) {
  fuzz_encoded *e = encoded;
  size_t len;
  char *text = fixture_encode(e->format, e->options, batch, e->soft_limit, &len, NULL);
  fixture_put(&e->text, text, len);
  free(text);
}

void fuzz_check_encoded(fuzz_encoded *e, const char *options, const hw_schema *schema, const fixture_result *rows) {
  fixture_put(&e->text, "", 0);
  fixture_result again = fixture_parse(e->format, options, schema, e->text.data, e->text.len, (fixture_feed){0});
  if (again.n_bad || again.rows_len != rows->rows_len || memcmp(again.brief, rows->brief, rows->rows_len) != 0)
    fixture_fail("the rows\n%.*sare written as\n%.*s\nand read as\n%s", (int)rows->rows_len, rows->brief,
                 (int)e->text.len, e->text.data, again.full);
  fixture_result_fini(&again);
  free(e->text.data);
}
