/* upsert.h - rows brought into a table with a PRIMARY KEY, as changes of it.
 *
 * DESIGN
 * What a batch says about a key is put together first (the last insert or delete
 * counts, updates change what stands there by then), then compared with the row
 * that the store has: so a key has at most one row that goes and one that comes
 * per batch, and nothing where they are equal. Rows that go are copied out of the
 * store; rows that were inserted are a selection of the batch they came in;
 * updated rows are made anew.
 *
 * THREAD  The pipeline's task. */
#ifndef RUNTIME_UPSERT_H
#define RUNTIME_UPSERT_H

#include "runtime/store_impl.h"

typedef struct upsert upsert; /* working memory, for any number of tables in turn */

upsert *upsert_new(void); /* NULL: no memory */
void upsert_free(upsert *u);

/* The changes, in the order in which they are to be passed on; NULL: none of that
 * kind. The caller gets the references. */
#define UPSERT_DELTAS 3
typedef struct upsert_delta {
  batch *batches[UPSERT_DELTAS]; /* rows that go (weight -1); rows inserted; rows updated */
  uint64_t ignored;              /* deletes and updates of keys that are not there, added to */
} upsert_delta;

/* Rows first .. first + n - 1 of b (as hw_batch_count counts; n at most
 * STORE_CHUNK) into the store. HW_ENOMEM: the store may only be read then;
 * *delta has what is to be released. */
hw_status upsert_apply(upsert *u, store *s, const batch *b, uint32_t first, uint32_t n, uint64_t step,
                       upsert_delta *delta);
void upsert_delta_fini(upsert_delta *delta);

#endif
