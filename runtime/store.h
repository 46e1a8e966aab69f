/* store.h - what relations hold: snapshots of it, for readers on any thread.
 *
 * A store is the contents of one relation, row by row with weights (a Z-set), as
 * the pipeline's task has made it by its steps. A snapshot is the contents of
 * one or several relations as of the same step: the last one that was complete
 * when it was taken (deployment_snapshot in deployment.h). It does not change,
 * and the pipeline goes on meanwhile: nobody waits for a reader.
 *
 *     store_snapshot *s;
 *     if (deployment_snapshot(d, &relation, 1, &s, err) != HW_OK) ...
 *     for (uint32_t k = 0; k < store_snapshot_pieces(s, 0); k++) {
 *       hw_batch *b;
 *       if (store_snapshot_piece(s, 0, k, &b) != HW_OK) ...
 *       if (!b) continue;
 *       ... hw_batch_count(b) rows: hw_batch_row(b, i), hw_batch_weight(b, row) ...
 *       hw_batch_unref(b);
 *     }
 *     store_snapshot_free(s);
 *
 * What a relation holds is each distinct row once, with the sum of its weights,
 * which is never 0. (A table that is append_only and has no key is not looked
 * through for equal rows: there a row may come more than once.) A sum is
 * negative where a row without key was deleted more often than inserted: such a
 * row waits for its insertion, and queries leave it out. Tables with a PRIMARY
 * KEY have one row per key, of weight 1.
 *
 * MEMORY  A snapshot keeps alive what it shows, also what was deleted since,
 *         and that counts against the limit of state: free it soon.
 * THREADS Any thread; a snapshot may be read by several at once. */
#ifndef RUNTIME_STORE_H
#define RUNTIME_STORE_H

#include <headworks/types.h>

typedef struct store_snapshot store_snapshot;

/* The number of the step whose end it shows; 0: before the first. */
uint64_t store_snapshot_step(const store_snapshot *s);

/* i: position in the list of relations that the snapshot was asked for. */
const hw_schema *store_snapshot_schema(const store_snapshot *s, uint32_t i); /* valid until store_snapshot_free */
uint64_t store_snapshot_rows(const store_snapshot *s, uint32_t i); /* distinct rows: what the pieces add up to */

/* Rows come in pieces of at most 4,096, in no particular order, each row in one
 * piece. Pieces are numbered 0 .. store_snapshot_pieces - 1 and may be asked for
 * in any order, any number of times. */
uint32_t store_snapshot_pieces(const store_snapshot *s, uint32_t i);

/* *out: a reference to a batch of piece k's rows (columns in the order of the
 * schema, with a selection), or NULL where none of its rows is in the snapshot.
 * The batch is immutable and must be unref'd before store_snapshot_free. Takes
 * time and memory for a few bytes per row; columns are not copied. Does not
 * block. HW_ENOMEM. */
HW_MUST_USE hw_status store_snapshot_piece(const store_snapshot *s, uint32_t i, uint32_t k, hw_batch **out);

/* NULL: nothing. Every batch must be back; to be called before the deployment's
 * last reference that the caller knows of goes. */
void store_snapshot_free(store_snapshot *s);

#endif
