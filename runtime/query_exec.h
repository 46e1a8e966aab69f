/* query_exec.h - runs the steps of an ad-hoc query over a snapshot.
 *
 * DESIGN
 * Each step of a plan is a puller of batches: asked for more, it asks its input,
 * works on what it gets a column at a time with the evaluator of the views, and
 * answers with a batch, with "not yet" (it has done a bounded piece of work and
 * wants to be asked again), with the end, or with a failure. So whoever runs a
 * query may stop after any piece: to let others have the thread, to wait for a
 * client that reads slowly, or for good. Nothing is ever half-way in here.
 *
 * Rows carry weights: a row of weight 2 stands for two. Rows of weight below 0
 * (deletions that wait for their insertion) are left out by the scan. Only
 * GROUP, DISTINCT and SORT keep rows, as copies, in blocks of a budget that all
 * queries share; at its limit the query fails and says so. SORT sorts pieces of
 * 1,024 rows as they come and merges them when asked for rows; with a LIMIT it
 * keeps no more than a few times as many.
 *
 * Rejected: a thread per query (a slow client would hold one of few), and
 * pushing (a step could not be interrupted without a stack of its own).
 *
 * THREAD  One at a time. */
#ifndef RUNTIME_QUERY_EXEC_H
#define RUNTIME_QUERY_EXEC_H

#include "runtime/batch.h"
#include "runtime/query_plan.h"
#include "runtime/store.h"

typedef enum query_next {
  QUERY_ROWS,   /* *out: a batch that stands for at most some thousand rows (each row of weight w
                   for w of them, w > 0); a reference, to be given back before the next call */
  QUERY_AGAIN,  /* ask again */
  QUERY_END,
  QUERY_FAILED, /* *err says why; not to be asked again */
} query_next;

typedef struct query_exec query_exec;

/* sources: a snapshot of the query's sources, in their order; may be NULL where
 * the plan has no PLAN_SCAN. m: the budget. All are borrowed. NULL: no memory. */
query_exec *query_exec_new(const plan *root, const store_snapshot *sources, mem *m);
query_next query_exec_next(query_exec *x, batch **out, hw_error *err);
void query_exec_free(query_exec *x);

#endif
