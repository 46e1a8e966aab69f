/* query_op.h - the inside of query_exec.h: one puller per step of a plan. */
#ifndef RUNTIME_QUERY_OP_H
#define RUNTIME_QUERY_OP_H

#include "runtime/query_exec.h"
#include "runtime/query_rows.h"

typedef struct query_op query_op;

typedef struct query_op_kind {
  size_t size; /* of the struct that begins with a query_op */
  hw_status (*open)(query_op *op); /* may be NULL; after a failure close is called all the same */
  query_next (*next)(query_op *op, batch **out, hw_error *err);
  void (*close)(query_op *op);     /* may be NULL */
} query_op_kind;

struct query_op {
  const query_op_kind *kind;
  const plan *plan;
  mem *m;
  const store_snapshot *sources;
  query_op **inputs;
};

extern const query_op_kind query_op_group, query_op_distinct, query_op_sort;

query_next query_pull(query_op *op, batch **out, hw_error *err); /* the next of a step */

/* A batch of schema over the rows of parent, columns unset: a reference to it is
 * kept, its selection and weights are shown. Out of the queries' budget. NULL: none. */
batch *query_view(query_op *op, const batch *parent, const hw_schema *schema);
/* Asks the one input for a batch and makes a view of it: `make` fills in columns
 * and selection and says QUERY_ROWS, or QUERY_AGAIN when no row is left. */
typedef query_next query_make_view(query_op *op, const batch *b, batch *view, hw_error *err);
query_next query_pull_view(query_op *op, query_make_view *make, batch **out, hw_error *err);
query_next query_no_memory(query_op *op, hw_error *err);

/* Evaluators of n expressions; NULL: no memory. Columns need none, and get NULL. */
evaluator **query_evaluators(const expr *const *exprs, uint32_t n);
void query_evaluators_free(evaluator **evs, uint32_t n);
/* The columns of `into` (a view of b) from those expressions over the rows that belong to b. */
hw_status query_evaluate(const expr *const *exprs, evaluator **evs, uint32_t n, const batch *b, batch *into,
                         hw_error *err);
/* Says why an evaluation over b failed. */
hw_status query_explain(eval_error *why, const hw_batch *b, hw_error *err);

#endif
