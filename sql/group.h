/* group.h - GROUP BY and aggregate functions in expressions of ad-hoc queries.
 *
 * A scope with a grouping sees the rows that PLAN_GROUP makes: an expression
 * that is written as one of the GROUP BY list is a column, so is an aggregate
 * function; what is neither must be made of these. */
#ifndef SQL_GROUP_H
#define SQL_GROUP_H

#include "sql/analyze.h"
#include "runtime/query_plan.h"

struct grouping {
  const char *refuse;  /* aggregate functions cannot stand here ("WHERE"), and nothing else is special; or NULL */
  scope *rows;         /* of what is grouped */
  uint32_t n_keys, keys_room;
  const ast **keys;    /* as written */
  expr **key_exprs;
  uint32_t n_calls, calls_room;
  const ast **calls;   /* aggregate functions as written */
  plan_aggregate *aggregates;
};

/* Whether there is an aggregate function in it. */
bool group_has_aggregate(const ast *a);
/* Adds an expression of the GROUP BY list. */
void group_add_key(grouping *g, const ast *a);
/* Whether the grouping of s says what a is: then *out is that, NULL after a report. */
bool group_take(scope *s, const ast *a, expr **out);

#endif
