/* query_plan.h - a compiled ad-hoc request: its statements, each a tree of steps.
 *
 * Made by sql/ (query_compile in sql/query.h), run by query_exec.h. Immutable;
 * everything lives in one arena that goes with query_free. A step makes rows of
 * `schema` from those of its inputs; expressions refer to columns of the input. */
#ifndef RUNTIME_QUERY_PLAN_H
#define RUNTIME_QUERY_PLAN_H

#include "runtime/program.h"

typedef enum plan_kind {
  PLAN_VALUES,   /* n_rows rows of constant expressions; a SELECT without FROM has one row of no column */
  PLAN_SCAN,     /* what relation `source` holds; every column */
  PLAN_FILTER,   /* rows for which `filter` is TRUE */
  PLAN_PROJECT,  /* exprs, one per column */
  PLAN_GROUP,    /* one row per distinct exprs[0 .. n_exprs): these, then the aggregates.
                    Without exprs exactly one row, also of no input */
  PLAN_DISTINCT, /* each row once */
  PLAN_SORT,     /* in order of `keys`; of which only the first limit + offset are wanted */
  PLAN_LIMIT,    /* `limit` rows after the first `offset` */
  PLAN_UNION,    /* the inputs' rows, one input after the other */
} plan_kind;

typedef enum aggregate_kind {
  AGGREGATE_COUNT, /* rows, or rows whose arg is not NULL */
  AGGREGATE_SUM,
  AGGREGATE_AVG,
  AGGREGATE_MIN,
  AGGREGATE_MAX,
} aggregate_kind;

typedef struct plan_aggregate {
  aggregate_kind kind;
  bool distinct;   /* each value of arg once */
  const expr *arg; /* NULL: COUNT(*) */
  hw_type type;    /* of the result */
  const char *text; /* for messages */
  int line, column;
} plan_aggregate;

typedef struct plan_key {
  uint32_t column;
  bool descending, nulls_first;
} plan_key;

#define PLAN_NO_LIMIT UINT64_MAX

typedef struct plan plan;

struct plan {
  plan_kind kind;
  hw_schema schema;
  uint32_t n_inputs;
  const plan **inputs;
  uint32_t source;          /* SCAN: index into query.sources */
  const expr *filter;
  uint32_t n_exprs;
  const expr **exprs;       /* PROJECT, GROUP */
  uint32_t n_aggregates;
  const plan_aggregate *aggregates;
  uint32_t n_keys;
  const plan_key *keys;     /* SORT */
  uint64_t limit, offset;   /* SORT, LIMIT; PLAN_NO_LIMIT: all */
  uint32_t n_rows;
  const expr **values;      /* VALUES: row by row */
};

typedef struct query_statement {
  bool is_insert;
  uint32_t table;   /* INSERT: the relation; the plan's rows are of its schema */
  const plan *plan;
} query_statement;

typedef struct query {
  uint32_t n_statements; /* at least 1 */
  const query_statement *statements;
  uint32_t n_sources;
  const uint32_t *sources; /* relations that are read, each once */
  /* private */
  program *program;        /* whose relations these are; a reference */
  program *arena;          /* the memory of all this */
} query;

static inline void query_free(query *q) {
  if (!q) return;
  program_unref(q->program);
  program_unref(q->arena); /* q itself is in it */
}

#endif
