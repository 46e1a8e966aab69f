/* ast.h - what the grammar makes of a program's text.
 *
 * Nodes live in the compiler's scratch arena and keep pointers into nothing
 * else. Constructors never fail: without memory they give NULL, and take NULL
 * for a child, so that the grammar need not look; the arena remembers, and a
 * tree that was short of memory is never analysed. */
#ifndef SQL_AST_H
#define SQL_AST_H

#include "sql/script.h"

typedef struct ast_name {
  const char *text; /* as matched: folded to lower case unless quoted */
  bool quoted;
  script_span span;
  struct ast_name *next;
} ast_name;

typedef struct ast_names {
  ast_name *first, *last;
  uint32_t n;
} ast_names;

/* The value of a string literal, or the digits of a number. */
typedef struct ast_text {
  const char *data; /* terminated */
  uint32_t len;
  script_span span;
} ast_text;

/* A type as written: DOUBLE PRECISION, DECIMAL(10, 2), INT UNSIGNED. */
typedef struct ast_type {
  const ast_name *name, *second; /* second: PRECISION or VARYING, or NULL */
  bool is_unsigned;
  const ast_text *params[2]; /* NULL: not given */
  script_span span;
} ast_type;

/* Expressions. The fields that a kind uses stand beside it. */
typedef enum ast_kind {
  AST_ERROR,     /* reported already */
  AST_NULL,
  AST_BOOLEAN,   /* flag */
  AST_NUMBER,    /* text */
  AST_STRING,    /* text */
  AST_BYTES,     /* text: the hexadecimal digits of X'..' */
  AST_TYPED,     /* type, text: DATE '..' */
  AST_COLUMN,    /* name, qualifier or NULL */
  AST_NEGATE,    /* args: 1 */
  AST_PLUS,      /* args: 1 */
  AST_NOT,       /* args: 1 */
  AST_ARITHMETIC,/* op; args: 2 */
  AST_COMPARE,   /* op; args: 2; IS [NOT] DISTINCT FROM too */
  AST_CHAIN,     /* op: AND, OR or CONCAT; args: 2 or more */
  AST_IS,        /* op: EXPR_IS_NULL ...; args: 1 */
  AST_BETWEEN,   /* flag: NOT; args: 3 */
  AST_IN,        /* flag: NOT; args: the value, then the list */
  AST_LIKE,      /* flag: NOT; args: 2 or 3 */
  AST_CASE,      /* flag: the first arg is the operand; then condition, value, ...; an odd last one is ELSE */
  AST_CAST,      /* type; args: 1 */
  AST_CALL,      /* name; args; flag: DISTINCT or * inside */
  AST_EXTRACT,   /* name: the unit; args: 1 */
  AST_TRIM,      /* op: EXPR_TRIM_*; args: the text [, characters] */
} ast_kind;

typedef struct ast {
  ast_kind kind;
  expr_op op;
  bool flag;
  uint32_t depth; /* levels of nodes below and including this one */
  script_span span;
  const ast_name *name, *qualifier;
  const ast_text *text;
  const ast_type *type;
  uint32_t n_args;
  struct ast *args, *last; /* list through next */
  struct ast *next;
} ast;

/* Deeper trees are refused: whatever walks them may recurse. */
#define AST_MAX_DEPTH 500

/* SELECT list: value NULL is a star, qualified or not. */
typedef struct ast_item {
  ast *value;
  const ast_name *alias;
  const ast_name *qualifier;
  script_span span;
  struct ast_item *next;
} ast_item;

typedef struct ast_items {
  ast_item *first, *last;
  uint32_t n;
} ast_items;

typedef struct ast_select {
  ast_items items;
  const ast_name *relation, *alias;
  ast *where;
  script_span span;
  struct ast_select *next;
  /* of ad-hoc queries only: */
  bool distinct;
  const struct ast_command *derived; /* FROM (query); relation is NULL then, and without FROM */
  ast *group;                      /* a node whose args are the GROUP BY list, or NULL */
  ast *having;
} ast_select;

/* SELECTs joined by UNION ALL. */
typedef struct ast_query {
  ast_select *first, *last;
  uint32_t n;
} ast_query;

/* ORDER BY */
typedef enum ast_nulls { AST_NULLS_DEFAULT, AST_NULLS_FIRST, AST_NULLS_LAST } ast_nulls;

typedef struct ast_order {
  ast *value;
  bool descending;
  ast_nulls nulls;
  struct ast_order *next;
} ast_order;

typedef struct ast_orders {
  ast_order *first, *last;
  uint32_t n;
} ast_orders;

typedef struct ast_limits {
  const ast_text *limit, *offset; /* NULL: not given */
} ast_limits;

/* A statement of an ad-hoc request, or a query inside of one. */
typedef struct ast_command {
  ast_query body; /* of a SELECT, or of an INSERT without VALUES */
  ast_orders order;
  ast_limits limits;
  const ast_name *table; /* INSERT INTO; NULL: a SELECT */
  ast_names columns;
  ast *rows; /* VALUES: a node whose args are nodes whose args are the values; or NULL */
  script_span span;
  struct ast_command *next;
} ast_command;

typedef struct ast_property {
  const ast_text *key, *value;
  struct ast_property *next;
} ast_property;

typedef struct ast_properties {
  ast_property *first, *last;
  uint32_t n;
} ast_properties;

typedef struct ast_column {
  const ast_name *name;
  const ast_type *type;
  ast *default_value;
  bool null, not_null, key;
  script_span key_span;
  struct ast_column *next;
} ast_column;

/* The parts of a table: columns and PRIMARY KEY clauses. */
typedef struct ast_key {
  ast_names columns;
  script_span span;
  struct ast_key *next;
} ast_key;

typedef struct ast_table {
  ast_column *first, *last;
  uint32_t n_columns;
  ast_key *first_key, *last_key;
} ast_table;

typedef struct ast_statement {
  program_kind kind;
  bool broken; /* the name is all that could be made out */
  const ast_name *name;
  ast_table table;
  bool local, materialized;
  ast_names columns; /* of a view; n 0: not given */
  ast_query query;
  ast_properties properties;
  struct ast_statement *next;
} ast_statement;

struct parser;

ast *ast_new(struct parser *p, ast_kind kind, const script_span *span);
void ast_add(struct parser *p, ast *parent, ast *arg);
ast *ast_unary(struct parser *p, ast_kind kind, expr_op op, const script_span *span, ast *a);
ast *ast_binary(struct parser *p, ast_kind kind, expr_op op, const script_span *span, ast *a, ast *b);
/* `a op b` for an associative operator: takes b into a where that is such a chain. */
ast *ast_chain(struct parser *p, expr_op op, const script_span *span, ast *a, ast *b);
ast *ast_literal(struct parser *p, ast_kind kind, const script_span *span, const ast_text *text);

ast_type *ast_type_new(struct parser *p, const script_span *span, const ast_name *name, const ast_name *second,
                       const ast_text *precision, const ast_text *scale);
ast_orders ast_orders_add(struct parser *p, ast_orders orders, ast *value, bool descending, ast_nulls nulls);
/* Whether two trees say the same, wherever they stand; a column's qualifier does not matter. */
bool ast_same(const ast *a, const ast *b);
void ast_names_add(ast_names *names, ast_name *name);
ast_items ast_items_add(ast_items items, ast_item *item);
ast_item *ast_item_new(struct parser *p, const script_span *span, ast *value, const ast_name *alias);
ast_query ast_query_join(ast_query a, ast_query b);
ast_properties ast_properties_add(struct parser *p, ast_properties list, const ast_text *key, const ast_text *value);

#endif
