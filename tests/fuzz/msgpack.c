/* msgpack.c - format "msgpack": input is update format, schema, three bytes of cuts,
 * stream.
 *
 * - However the stream is cut, the same comes of it.
 * - Object by object: what msgpack-c and docs/formats.md say.
 * - What was read is written, as MessagePack and JSON, and read as the same rows. */
#include "tests/fuzz/fuzz.h"
#include "tests/reference.h"

#include <stdlib.h>
#include <string.h>

static const char *const schemas[] = {
    "i BIGINT!, d DOUBLE, s VARCHAR, b BOOLEAN",
    "id INT, ts TIMESTAMP, m DECIMAL(10,2), s CHAR(3), v VARCHAR(4), u UUID",
    "t TINYINT, us SMALLINT UNSIGNED, ub BIGINT UNSIGNED, r REAL, x VARBINARY(4), da DATE, ti TIME",
    "*k INT!, v VARCHAR",
};
#define N_SCHEMAS (sizeof schemas / sizeof *schemas)

/* msgpack-c takes the sizes of arrays and maps at their word and asks for the memory; an
 * extension of 2^32 - 1 bytes it takes for broken. */
static bool announces_much(fuzz_input in) {
  unsigned n = 0;
  if (memmem(in.data, in.len, "\xc9\xff\xff\xff\xff", 5)) return true;
  for (size_t i = 0; i < in.len; i++) {
    unsigned char c = (unsigned char)in.data[i];
    if (c == 0xdd || c == 0xdf) return true;
    n += c == 0xdc || c == 0xde;
  }
  return n > 4;
}

static void check_objects(const hw_schema *schema, fuzz_input in, const fixture_result *r) {
  fixture_text rows = {0};
  unsigned n_bad = 0;
  size_t offset = 0;
  msgpack_unpack_return status = MSGPACK_UNPACK_SUCCESS;
  bool known = !announces_much(in);
  fixture_put(&rows, "", 0);
  while (known && offset < in.len && (status == MSGPACK_UNPACK_SUCCESS || status == MSGPACK_UNPACK_EXTRA_BYTES)) {
    msgpack_unpacked u;
    msgpack_unpacked_init(&u);
    status = msgpack_unpack_next(&u, in.data, in.len, &offset);
    size_t before = rows.len;
    bool whole = status == MSGPACK_UNPACK_SUCCESS || status == MSGPACK_UNPACK_EXTRA_BYTES;
    if (!whole || reference_msgpack(&rows, schema, &u.data) != REFERENCE_TAKEN) {
      n_bad++;
      rows.len = before;
    }
    known = status != MSGPACK_UNPACK_NOMEM_ERROR; /* it has an end to how deep they may be nested */
    msgpack_unpacked_destroy(&u);
  }
  bool lost = status == MSGPACK_UNPACK_PARSE_ERROR;
  if (known && (rows.len != r->rows_len || memcmp(rows.data, r->brief, rows.len) != 0 || r->n_bad != n_bad ||
                lost != (r->status == HW_EPARSE)))
    fixture_fail("gives (%d)\n%sinstead of %.*s and %u faults, status %d", r->status, r->full, (int)rows.len, rows.data,
                 n_bad, status);
  free(rows.data);
}

typedef struct outputs {
  fuzz_encoded msgpack, json;
} outputs;

static void encode(void *arg, const hw_batch *batch) {
  outputs *o = arg;
  fuzz_encode(&o->msgpack, batch);
  fuzz_encode(&o->json, batch);
}

void fuzz_msgpack(fuzz_input in) {
  bool raw = fuzz_choose(&in, 2) == 0;
  const char *options = raw ? "\"update_format\": \"raw\"" : "";
  const hw_schema *schema = fuzz_choose_schema(&in, schemas, N_SCHEMAS);
  fixture_feed feed = fuzz_choose_feed(&in);
  outputs o = {.msgpack = {.format = &format_msgpack}, .json = {.format = &format_json}};
  if (in.len % 2) o.msgpack.options = "\"rows\": \"arrays\"";
  o.msgpack.soft_limit = feed.step;
  if (!schema->n_key) { /* a delete by key and an update are no rows */
    feed.seen = encode;
    feed.arg = &o;
  }
  fixture_result r = fuzz_parse(&format_msgpack, options, schema, in, feed);
  if (raw) check_objects(schema, in, &r);
  if (!schema->n_key) {
    fuzz_check_encoded(&o.msgpack, "", schema, &r);
    fuzz_check_encoded(&o.json, "", schema, &r);
  }
  fixture_result_fini(&r);
}
