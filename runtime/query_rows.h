/* query_rows.h - rows that a query keeps: copies in batches of 1,024, numbered in
 * the order they came. */
#ifndef RUNTIME_QUERY_ROWS_H
#define RUNTIME_QUERY_ROWS_H

#include "runtime/batch.h"

#define QUERY_CHUNK 1024u

typedef struct query_rows {
  mem *m;
  const hw_schema *schema;
  batch **chunks; /* all full but the last */
  uint32_t n_chunks, capacity;
} query_rows;

void query_rows_init(query_rows *rows, mem *m, const hw_schema *schema);
void query_rows_fini(query_rows *rows); /* and may be used again */

static inline uint64_t query_rows_count(const query_rows *rows) {
  uint32_t last = rows->n_chunks - 1;
  return rows->n_chunks ? (uint64_t)last * QUERY_CHUNK + rows->chunks[last]->pub.n_rows : 0;
}
static inline batch *query_rows_chunk(const query_rows *rows, uint64_t i) { return rows->chunks[i / QUERY_CHUNK]; }

/* Appends a copy of a physical row of b, with its weight; false: no memory. */
bool query_rows_add(query_rows *rows, const hw_batch *b, uint32_t row, int64_t weight);

/* The same into a batch with room. deep: strings are copied, too; otherwise they
 * must outlive it. */
bool query_copy_row(hw_batch *to, const hw_batch *from, uint32_t row, int64_t weight, bool deep);

/* -1, 0, 1: two values that are not NULL, as ORDER BY orders them. */
int query_compare(hw_type_id id, const void *a, const void *b);

#endif
