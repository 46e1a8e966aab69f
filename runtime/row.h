/* row.h - rows of batches compared and hashed, value by value.
 *
 * Two values are equal when both are NULL, or neither is and they are the same;
 * a NaN equals a NaN, and -0.0 equals 0.0. Equal rows have equal hashes. */
#ifndef RUNTIME_ROW_H
#define RUNTIME_ROW_H

#include <headworks/types.h>

/* Columns of a schema, by index. */
typedef struct row_fields {
  uint32_t n;
  const uint32_t *index;
} row_fields;

/* Both batches have the schema's columns; rows are physical. */
bool row_equal(const hw_schema *schema, const row_fields *fields, const hw_batch *a, uint32_t row_a,
               const hw_batch *b, uint32_t row_b);

/* Hashes of rows[0 .. n) of b (physical) over the fields. The seed should be
 * random: who does not know it cannot make rows whose hashes meet. `room` has
 * space for n. */
void row_hash(const hw_schema *schema, const row_fields *fields, uint64_t seed, const hw_batch *b,
              const uint32_t *rows, uint32_t n, uint64_t *room, uint32_t *hashes);

#endif
