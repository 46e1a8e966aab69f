/* circuit.h - the views of a program over streams of batches.
 *
 * DESIGN
 * Each view is a list of branches; a branch reads one relation, filters by a
 * selection and projects by pointing to the parent's columns or computing new
 * ones. Relations stand in an order in which each follows those it reads, so one
 * pass from the relation that changed upwards is a complete step for a batch.
 * Only relations that something looks at, directly or through others, are
 * computed. All operators here are linear in the Z-set: weights just pass.
 *
 * Expressions can make strings of any size from short ones, so what all views
 * make of a batch is bounded: when it would be more, nothing of it is given to
 * anybody, and the batch goes through in slices, all views over the first before
 * the next. As many rows are taken at a time as took half of what is allowed
 * before, mostly all there are. A row that needs too much alone is an error.
 *
 * A push can be left between two slices, to let outputs write, and within one,
 * whose work is then lost, to stop: `pause` is asked.
 *
 * Rejected: a bound per view (what goes in at one end of a chain of views is
 * far smaller than what comes out at the other, so it would be wrong at both);
 * giving out what a view made before the next view is computed (a slice that
 * turns out to be too large could not be taken back).
 *
 * THREAD  The pipeline's task, except circuit_new and circuit_free. */
#ifndef RUNTIME_CIRCUIT_H
#define RUNTIME_CIRCUIT_H

#include "runtime/batch.h"
#include "runtime/program.h"
#include "runtime/stats.h"

typedef struct circuit circuit;

/* Takes a batch of a relation's changes (borrowed). */
typedef hw_status circuit_sink(void *arg, batch *b);

/* Whether a push is to be left now; `between` slices, otherwise within one. */
typedef bool circuit_pause(void *arg, bool between);

circuit *circuit_new(const program *p); /* NULL: no memory */
void circuit_free(circuit *c); /* a push under way is dropped */

/* Bytes that the strings made in one slice may take, `part` of the `whole` that
 * the error speaks of; without it there is no bound. */
void circuit_set_limit(circuit *c, uint64_t whole, uint32_t part);
/* Without it a push is never left. */
void circuit_set_pause(circuit *c, circuit_pause *pause, void *arg);
bool circuit_must_pause(const circuit *c); /* asks it, as between slices */

/* Adds or takes away one who looks at a relation. HW_OK or HW_ENOMEM. */
hw_status circuit_attach(circuit *c, uint32_t relation, circuit_sink *sink, void *arg);
void circuit_detach(circuit *c, uint32_t relation, circuit_sink *sink, void *arg);

/* Takes the changes b of a table through all views. On an error the step is not
 * complete: the pipeline cannot go on. mark and step of b pass to what comes out.
 * HW_OK and circuit_is_busy: it was left before its end, and keeps a reference to
 * b; then circuit_go_on takes it further, with the same results, and nothing may
 * be pushed. HW_ELIMIT, MemoryLimit: a row's strings need too much. */
hw_status circuit_push(circuit *c, uint32_t relation, batch *b, eval_error *err);
hw_status circuit_go_on(circuit *c, eval_error *err); /* busy or not */
bool circuit_is_busy(const circuit *c);
void circuit_abandon(circuit *c); /* drops what is under way, if anything is */
/* The view that was to be computed when a push was last left within a slice; NULL: none was. */
const char *circuit_left_at(const circuit *c);

/* Rows that came out of a relation so far, and that its filters dropped. [any thread] */
relation_stats circuit_relation_stats(const circuit *c, uint32_t relation);

#endif
