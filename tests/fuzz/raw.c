/* raw.c - format "raw": input is mode, type, three bytes of cuts, stream. What comes
 * of it is cut from the stream here a second time. */
#include "tests/fuzz/fuzz.h"
#include "tests/reference.h"

#include <headworks/value.h>

#include <stdlib.h>
#include <string.h>

static const char *const schemas[] = {"v VARCHAR", "v VARBINARY", "v VARCHAR(5)!", "n INT, v VARBINARY(3)"};
static const char *const options[] = {"", "\"mode\": \"blob\"", "\"column_name\": \"v\""};

static void expect(fixture_text *rows, fixture_text *bad, const hw_schema *schema, const char *data, size_t at,
                   size_t len) {
  const hw_type *type = &schema->fields[schema->n_fields - 1].type;
  bool text = hw_type_is_text((hw_type_id)type->id);
  size_t before = rows->len;
  if (schema->n_fields > 1) fixture_print(rows, "NULL|");
  if (text ? reference_text(rows, type, data + at, len) : reference_bytes(rows, type, data + at, len)) {
    fixture_put(rows, "\n", 1);
    return;
  }
  rows->len = before;
  fixture_print(bad, "!%s v @%zu+%zu\n", text && !hw_utf8_valid(data + at, len) ? "utf8" : "length", at, len);
}

static void expect_lines(fixture_text *rows, fixture_text *bad, const hw_schema *schema, fuzz_input in) {
  for (size_t at = 0; at < in.len;) {
    const char *newline = memchr(in.data + at, '\n', in.len - at);
    size_t end = newline ? (size_t)(newline - in.data) : in.len, len = end - at;
    if (newline && len && in.data[end - 1] == '\r') len--;
    expect(rows, bad, schema, in.data, at, len);
    at = end + 1;
  }
}

void fuzz_raw(fuzz_input in) {
  unsigned mode = fuzz_choose(&in, 3);
  const hw_schema *schema = fuzz_choose_schema(&in, schemas, 4);
  if (schema->n_fields > 1) mode = 2; /* of several columns one must be named */
  fixture_feed feed = fuzz_choose_feed(&in);
  fixture_text rows = {0}, bad = {0};
  fixture_result r = fuzz_parse(&format_raw, options[mode], schema, in, feed);
  if (mode != 1)
    expect_lines(&rows, &bad, schema, in);
  else if (in.len)
    expect(&rows, &bad, schema, in.data, 0, in.len);
  fixture_put(&rows, "", 0);
  fixture_put(&bad, "", 0);
  if (r.rows_len != rows.len || strncmp(r.brief, rows.data, rows.len) != 0 || strcmp(r.brief + rows.len, bad.data) != 0)
    fixture_fail("%.*s\ngives\n%sinstead of\n%s%s", (int)in.len, in.data, r.full, rows.data, bad.data);
  fixture_result_fini(&r);
  free(rows.data);
  free(bad.data);
}
