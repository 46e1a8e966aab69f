/* analyze.h - from parsed expressions to typed ones.
 *
 * Every function takes NULL for an expression that had a fault, reported
 * before, and then gives NULL. */
#ifndef SQL_ANALYZE_H
#define SQL_ANALYZE_H

#include "sql/typing.h"

typedef struct grouping grouping; /* group.h */

/* Where an expression stands: what its columns are. */
typedef struct scope {
  compiler *c;
  const relation_info *from; /* NULL: a constant is wanted, there are no columns */
  const char *from_name;     /* what may stand before the dot */
  grouping *group;           /* of ad-hoc queries: whether rows are grouped; or NULL */
} scope;

expr *analyze(scope *s, const ast *a);
/* A BOOLEAN for `what` ("WHERE", "AND"). */
expr *analyze_condition(scope *s, const ast *a, const char *what);

/* ---- nodes (node.c) --------------------------------------------------------- */

/* A node for the text at `at`, with a copy of args; nullable when an argument
 * is. A constant one is folded into a literal. */
expr *node_make(scope *s, const ast *at, expr_op op, hw_type type, expr **args, uint32_t n);
expr *node_literal(scope *s, const ast *at, hw_type type, const hw_value *value);
expr *node_null(scope *s, const ast *at, hw_type type);
/* As node_make, without folding; and the folding, which warns if the node can only fail. */
expr *node_plain(scope *s, const script_span *at, expr_op op, hw_type type, expr **args, uint32_t n);
expr *node_fold(scope *s, const script_span *at, expr *e);
/* The same value under another label: a wider type of the same layout, or nullable. */
expr *node_relabel(scope *s, const expr *e, hw_type type);
/* Whether e has at most `most` nodes (shared ones count each time). */
bool node_is_small(const expr *e, uint32_t most);
bool node_is_null(const expr *e);    /* a NULL literal */
bool node_is_text(const expr *e);    /* a string literal */
bool node_is_integer(const expr *e); /* a literal of an integer type, not NULL */
hw_int128 node_integer(const expr *e);

/* ---- conversions (convert.c) --------------------------------------------------- */

/* CAST, as written or as implied: explicit ones may fail at run time, implied
 * ones only ever widen, or are of literals, where a failure is reported. */
expr *convert_explicit(scope *s, const ast *at, expr *e, hw_type type);
expr *convert_implied(scope *s, const ast *at, expr *e, hw_type type);

/* How the type that arguments share is chosen: */
typedef enum convert_mode {
  CONVERT_COMPARE, /* for comparing: literals take the other side's type */
  CONVERT_VALUE,   /* for one result: CASE, COALESCE, arithmetic */
} convert_mode;

/* Makes n arguments one type (one type id, decimals one scale) and tells it;
 * HW_TYPE_NULL when all are NULL. False: reported, or an argument had a fault. */
bool convert_together(scope *s, const ast *at, const char *what, expr **args, uint32_t n, convert_mode mode,
                      hw_type *type);
/* The type alone. */
bool convert_common(scope *s, const ast *at, const char *what, expr **args, uint32_t n, convert_mode mode,
                    hw_type *type);
/* To text for string functions: CHAR becomes VARCHAR, NULL too; others are faults, or cast where `any`. */
expr *convert_text(scope *s, const ast *at, const char *what, expr *e, bool any);

/* A value for a column, where nobody wrote a cast: numbers, texts, bytes, dates
 * as moments, and literals that can be read as its type. What it is is called
 * `what` ("default") in messages. A NULL only where the column may be NULL. */
expr *assign_convert(scope *s, const ast *at, const char *what, expr *e, const hw_field *f); /* assign.c */

/* ---- operators (operators.c) and functions (functions.c) --------------------------- */

expr *operator_compare(scope *s, const ast *at, expr_op op, expr *a, expr *b);
expr *operator_arithmetic(scope *s, const ast *at, expr_op op, expr *a, expr *b);
expr *operator_negate(scope *s, const ast *at, expr *a);
/* AND or OR of n: a balanced tree, so that its depth stays small. */
expr *operator_logic(scope *s, const ast *at, expr_op op, expr **args, uint32_t n);
expr *operator_concat(scope *s, const ast *at, expr **args, uint32_t n);
expr *operator_between(scope *s, const ast *at, expr *a, expr *low, expr *high);
expr *operator_in(scope *s, const ast *at, expr **args, uint32_t n);
expr *operator_case(scope *s, const ast *at, expr **args, uint32_t n);

expr *function_call(scope *s, const ast *at);
expr *function_extract(scope *s, const ast *at, const char *unit, const script_span *unit_at, expr *a);
expr *function_trim(scope *s, const ast *at, expr_op op, expr *text, expr *characters);

/* ---- literals (literal.c) ------------------------------------------------------------ */

expr *literal_number(scope *s, const ast *at, const ast_text *digits, bool negative);
expr *literal_string(scope *s, const ast *at, const ast_text *text);
expr *literal_bytes(scope *s, const ast *at, const ast_text *digits);
expr *literal_typed(scope *s, const ast *at, const ast_type *type, const ast_text *text);

#endif
