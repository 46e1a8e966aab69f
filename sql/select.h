/* select.h - SELECT lists, and the types that lists joined by UNION ALL share. */
#ifndef SQL_SELECT_H
#define SQL_SELECT_H

#include "sql/analyze.h"

/* A column of one list. */
typedef struct output {
  expr *e; /* NULL: faulty */
  const char *name;
  bool quoted;
  ast at;               /* only its place */
  const ast *source;    /* what was written; NULL: a star's */
} output;

typedef struct select_list {
  scope scope;     /* its c and from are set by the caller; from NULL: there are no columns */
  uint32_t n, room;
  output *outputs;
  bool known;      /* its columns are */
} select_list;

/* What a column is called that has no name: the text, in the program's memory. */
typedef const char *select_name(const select_list *l, const ast_item *item);

/* Analyses the items into l->outputs, with `spare` unused entries behind them;
 * known becomes false when not even their number is known. */
void select_analyze(select_list *l, const ast_items *items, uint32_t spare, select_name *name);
/* One more behind them. */
output *select_add(select_list *l, const script_span *at);

/* The type of column i of n lists, one of which may be NULL's; `name` for
 * messages. False: reported, or faulty. */
bool select_common_type(select_list *const *lists, uint32_t n, uint32_t i, const char *name, hw_type *type);
/* Makes it that very type in every list; false: reported. */
bool select_convert(select_list *const *lists, uint32_t n, uint32_t i, const hw_type *type);

#endif
