/* query_impl.h - what the parts of the analysis of ad-hoc requests share. */
#ifndef SQL_QUERY_IMPL_H
#define SQL_QUERY_IMPL_H

#include "sql/group.h"
#include "sql/parser.h"
#include "sql/query.h"
#include "sql/select.h"

typedef struct compilation {
  compiler c;       /* its program is only memory */
  program *program; /* whose relations these are */
  uint32_t *sources, n_sources;
  unsigned depth; /* of queries inside of each other */
} compilation;

/* One SELECT: its rows, grouped or not, and its columns. */
typedef struct block {
  select_list list;
  const ast_select *select;
  scope rows;          /* what FROM gives */
  grouping plain;      /* of rows: refuses aggregate functions */
  bool grouped;
  grouping group;      /* of list, when grouped */
  const plan *input;   /* FROM and WHERE */
  const expr *having;
} block;

/* ---- query.c */

/* A step over input (or NULL), with input's schema; NULL: no memory. */
plan *query_step(compilation *q, plan_kind kind, const plan *input);
/* A relation for scopes; NULL: no memory. */
relation_info *query_relation(compilation *q, const hw_schema *schema);
int64_t query_find_relation(compilation *q, const ast_name *name); /* -1: reported */
const plan *query_scan(compilation *q, const ast_name *name);      /* NULL: reported */
const plan *query_compile_one(compilation *q, const ast_command *command);

/* ---- query_block.c */

/* FROM, WHERE, GROUP BY, HAVING and the list; orders: what ORDER BY may add, or NULL. */
bool block_analyze(compilation *q, block *b, const ast_select *select, const ast_orders *orders);
/* The columns of the list that ORDER BY names; where `alone`, others are added behind them. */
bool block_order(compilation *q, block *b, bool alone, const ast_orders *orders, uint32_t *columns);
const plan *block_project(compilation *q, const block *b);

/* ---- query_insert.c */

bool query_compile_insert(compilation *q, const ast_command *command, query_statement *out);

#endif
