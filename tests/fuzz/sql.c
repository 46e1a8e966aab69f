/* sql.c - the compilers of programs and of ad-hoc requests: input is which of them,
 * text. What they say of a text stays the same, and what they refuse has a reason
 * with a place. */
#include "tests/fuzz/fuzz.h"

#include "sql/query.h"
#include "tests/fuzz/program.h"

#include <string.h>

static const char tables[] =
    "CREATE TABLE t (id INT NOT NULL PRIMARY KEY, s VARCHAR, d DOUBLE, m DECIMAL(10,2), ts TIMESTAMP, b BOOLEAN);\n"
    "CREATE MATERIALIZED VIEW v AS SELECT id, s FROM t WHERE id > 1;\n";

static program *compiled_tables(void) {
  static program *made;
  program_messages messages = {0};
  if (made) return made;
  made = fuzz_compile(tables, strlen(tables), &messages);
  if (!made) fixture_fail("%s", messages.items[0].message);
  program_messages_fini(&messages);
  return made;
}

static void check_equal(const program_messages *a, const program_messages *b) {
  if (a->n != b->n) fixture_fail("%u messages, and then %u", a->n, b->n);
  for (uint32_t i = 0; i < a->n; i++)
    if (strcmp(a->items[i].message, b->items[i].message) != 0)
      fixture_fail("%s, and then %s", a->items[i].message, b->items[i].message);
}

static void compile_once(bool ad_hoc, fuzz_input in, program_messages *messages) {
  if (ad_hoc) {
    query *q = query_compile(compiled_tables(), in.data, in.len, messages);
    fuzz_check_messages(messages, q != NULL);
    query_free(q);
  } else {
    program_unref(fuzz_compile(in.data, in.len, messages));
  }
}

void fuzz_sql(fuzz_input in) {
  program_messages first = {0}, second = {0};
  bool ad_hoc = fuzz_choose(&in, 2);
  compile_once(ad_hoc, in, &first);
  compile_once(ad_hoc, in, &second);
  check_equal(&first, &second);
  program_messages_fini(&first);
  program_messages_fini(&second);
}
