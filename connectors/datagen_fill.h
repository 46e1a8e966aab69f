/* datagen_fill.h - rows of a plan into a batch, column by column. */
#ifndef CONNECTORS_DATAGEN_FILL_H
#define CONNECTORS_DATAGEN_FILL_H

#include "connectors/datagen_plan.h"

/* Appends rows row .. row+n-1 of the plan to batch, which has room for them.
 * *bytes: what they are as JSON (REAL and DOUBLE that are not picked from values
 * count 4 and 8). False: no memory, and the batch is as it was. */
bool datagen_fill(const datagen_plan *plan, hw_batch *batch, uint64_t row, uint32_t n, uint64_t *bytes);

#endif
