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
 * THREAD  The pipeline's task, except circuit_new and circuit_free. */
#ifndef RUNTIME_CIRCUIT_H
#define RUNTIME_CIRCUIT_H

#include "runtime/batch.h"
#include "runtime/program.h"
#include "runtime/stats.h"

typedef struct circuit circuit;

/* Takes a batch of a relation's changes (borrowed). */
typedef hw_status circuit_sink(void *arg, batch *b);

circuit *circuit_new(const program *p); /* NULL: no memory */
void circuit_free(circuit *c);

/* Adds or takes away one who looks at a relation. HW_OK or HW_ENOMEM. */
hw_status circuit_attach(circuit *c, uint32_t relation, circuit_sink *sink, void *arg);
void circuit_detach(circuit *c, uint32_t relation, circuit_sink *sink, void *arg);

/* Takes the changes b of a table through all views. On an error the step is not
 * complete: the pipeline cannot go on. mark and step of b pass to what comes out. */
hw_status circuit_push(circuit *c, uint32_t relation, batch *b, eval_error *err);

/* Rows that came out of a relation so far, and that its filters dropped. [any thread] */
relation_stats circuit_relation_stats(const circuit *c, uint32_t relation);

#endif
