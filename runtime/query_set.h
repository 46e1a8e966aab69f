/* query_set.h - a set of rows: which number has this row, is it new?
 *
 * DESIGN
 * Rows are kept once, numbered from 0, in query_rows; an open-addressing table of
 * (hash, number) pairs finds them, and doubles when it is seven eighths full.
 * Hashes and equality are those of row.h: NULL equals NULL, NaN equals NaN. The
 * hash's seed is random, so that nobody can send rows that all meet. */
#ifndef RUNTIME_QUERY_SET_H
#define RUNTIME_QUERY_SET_H

#include "runtime/query_rows.h"
#include "runtime/row.h"

typedef struct query_set {
  query_rows rows;
  uint32_t *index; /* of all fields */
  row_fields fields;
  uint64_t seed;
  block *slots;    /* NULL: none yet */
  uint32_t mask;   /* slots - 1 */
  uint64_t *room;  /* for a batch's hashes */
  uint32_t *hashes, *physical, capacity;
} query_set;

/* False: no memory. The schema is borrowed. */
bool query_set_init(query_set *s, mem *m, const hw_schema *schema);
void query_set_fini(query_set *s); /* also of one that is all zero */

/* Takes the rows that belong to b (of the schema): ids[i] gets the number of the
 * i-th, fresh[i] (where fresh is not NULL) whether it was not there before. Both
 * have room for all. False: no memory within the budget. */
bool query_set_add(query_set *s, const hw_batch *b, uint32_t *ids, bool *fresh);

#endif
