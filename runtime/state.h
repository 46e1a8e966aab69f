/* state.h - the stores of a deployment: which relations hold state, and since
 * which step it is seen.
 *
 * DESIGN
 * Rows brought into a table come in by state_push. Into a table with a PRIMARY
 * KEY they go through upsert.h, which makes changes of them; what the circuit
 * then makes of the changes reaches the stores of materialized relations, which
 * look at them as sinks do. All stores take a step together, by state_commit:
 * snapshots show none of a step, or all. A step that fails is never committed.
 *
 * Nothing is kept beyond the deployment: stores are emptied when it has closed.
 *
 * THREADS  state_push and state_commit: the pipeline's task. state_snapshot and
 *          state_relation: any. The lock is held for a few stores of pointers,
 *          and for copying a list of segments now and then; it is the last of all locks. */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

#include "runtime/circuit.h"
#include "runtime/mem.h"
#include "runtime/store.h"

typedef struct state state;

/* m: the memory of state, whose limit holds for all pipelines together. Attaches
 * to the circuit, which must live as long. HW_ENOMEM. */
hw_status state_new(program *p, mem *m, circuit *c, state **out, hw_error *err);
/* Drops all contents; snapshots stay good, and no more are taken. [any thread, once, when no step runs any more] */
void state_close(state *s);
void state_free(state *s); /* closed or not */

/* The rows of b into a table and through the circuit (circuit_push). What fails
 * leaves the step incomplete: the pipeline cannot go on, and state_commit must
 * not be called again. HW_ELIMIT, StateLimit: the limit of state memory.
 * HW_OK and state_is_busy: as circuit_push; no commit before it is through. */
hw_status state_push(state *s, uint32_t relation, batch *b, eval_error *err);
hw_status state_go_on(state *s, eval_error *err);
bool state_is_busy(const state *s);
void state_abandon(state *s); /* drops what is under way, if anything is: the pipeline cannot go on */

/* Makes the step seen; its number. On an error as above. */
hw_status state_commit(state *s, uint64_t step, hw_error *err);

/* As deployment_snapshot, but for the rows of PROGRAM_LETTERS; the first only checks
 * that they hold something (HW_EINVAL). */
hw_status state_check(const state *s, const uint32_t *relations, uint32_t n, hw_error *err);
hw_status state_snapshot(state *s, const uint32_t *relations, uint32_t n, store_snapshot **out, hw_error *err);

/* What a relation holds, as of the last commit, and what came into it, into
 * those fields of *out. [any thread] */
void state_relation_stats(state *s, uint32_t relation, relation_stats *out);

#endif
