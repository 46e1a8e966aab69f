/* grammar.y - one statement of the language.
 *
 * Expressions come in three layers, so that the AND of BETWEEN and the NOT NULL
 * after a DEFAULT need no tricks: `cond` (AND, OR, NOT), `test` (comparisons,
 * IS, IN, LIKE, BETWEEN) and `value` (arithmetic). Names of types and functions
 * are plain names here; what they mean is found out in the analysis, which can
 * tell what was probably meant. */
%require "3.8"
%define api.prefix {sql_}
%define api.token.prefix {TOK_}
%define api.pure full
%define api.location.type {script_span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%param {parser *p}

%code requires {
#include "sql/parser.h"
}

%code provides {
/* The next token for the grammar; the end of a statement is the end of its input. */
int sql_lex(SQL_STYPE *value, SQL_LTYPE *span, parser *p);
}

%{
#include "sql/grammar.h"
#include "sql/parser.h"

#include <stdio.h>
#include <string.h>

/* What Bison generates is not written to our warnings. */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"

/* A statement that needs a deeper stack is refused. */
#define YYMAXDEPTH 5000

#define YYLLOC_DEFAULT(current, rhs, n) \
  ((current) = join_spans(&YYRHSLOC(rhs, 0), (n) ? &YYRHSLOC(rhs, 1) : NULL, &YYRHSLOC(rhs, n)))

static script_span join_spans(const script_span *before, const script_span *first, const script_span *last);
static void sql_error(const script_span *span, parser *p, const char *message);
static void define(parser *p, program_kind kind, const ast_name *name);
static ast_statement *new_statement(parser *p, program_kind kind, const ast_name *name);
static void add_table(parser *p, const ast_name *name, ast_table table, ast_properties properties);
static ast_column *new_column(parser *p, const ast_name *name, const ast_type *type, ast_column *constraints);
static ast_table table_add_column(ast_table table, ast_column *column);
static ast_table table_add_key(parser *p, ast_table table, ast_names columns, const script_span *span);
static ast *with_flag(ast *a, bool flag);
static ast *new_call(parser *p, const script_span *span, ast_name *name, ast *args, bool flag);
static ast *name_call(ast *call, ast_name *name);
static ast *prepend(parser *p, ast *first, ast *list);
static ast *new_column_ref(parser *p, const script_span *span, ast_name *qualifier, ast_name *name);
static ast *new_typed(parser *p, const script_span *span, const ast_name *type, const script_span *at, ast_text *text);
static ast *new_cast(parser *p, const script_span *span, ast *a, const ast_type *type);
static ast_query one_select(parser *p, const script_span *span, ast_items items, const ast_select *from, ast *where);
static ast_select *new_derived(parser *p, const ast_command *query, const ast_name *alias);
static ast_query with_groups(ast_query query, bool distinct, ast *group, ast *having);
static ast_command *new_query(parser *p, const script_span *span, ast_query body, ast_orders order, ast_limits limits);
static ast_command *new_insert(ast_command *c, const script_span *span, const ast_name *table, ast_names columns);
static ast_command *new_values(parser *p, const script_span *span, ast *rows);
static ast_select *new_from(parser *p, const ast_name *relation, const ast_name *alias);
static void union_needs_all(parser *p, const script_span *at);
%}

%union {
  ast_name *name;
  ast_text *text;
  ast_type *type;
  ast *expr;
  ast_item *item;
  ast_items items;
  ast_names names;
  ast_select *select;
  ast_query query;
  ast_properties properties;
  ast_column *column;
  ast_table table;
  expr_op op;
  bool flag;
  int kind;
  ast_command *command;
  ast_orders orders;
  ast_limits limits;
  ast_nulls nulls;
}

%token <name> IDENT
%token <text> NUMBER STRING BYTES
%token FOREIGN
%token ALL AND AS BETWEEN BOTH CASE CAST CREATE DEFAULT DISTINCT ELSE END ESCAPE FALSE FROM IN IS LEADING LIKE
%token NOT NULL OR PRIMARY SELECT TABLE THEN TRAILING TRUE UNION WHEN WHERE WITH
%token <name> EXTRACT FOR KEY LOCAL MATERIALIZED PRECISION SUBSTRING TRIM UNSIGNED VARYING VIEW
%token NE LE GE CONCAT TYPECAST
%token AD_HOC /* stands before an ad-hoc statement; the next three lines are words of those only */
%token GROUP HAVING LIMIT OFFSET ORDER VALUES
%token <name> ASC BY DESC FIRST INSERT INTO LAST NULLS

%left OR
%left AND
%precedence NOT
%left '+' '-'
%left '*' '/' '%' CONCAT
%precedence SIGN
%precedence TYPECAST

%type <name> name word alias relation_alias defined_table defined_view
%type <type> type base_type
%type <expr> cond test value primary args opt_else whens in_list case_operand trim_what
%type <item> item
%type <items> items
%type <names> names opt_names
%type <select> relation
%type <query> select query query_term
%type <properties> with properties
%type <column> column constraints constraint
%type <table> elements
%type <op> comparison is_test trim_side
%type <flag> opt_not
%type <kind> view_kind
%type <expr> where having group group_list rows
%type <flag> distinct direction
%type <nulls> nulls
%type <query> block body body_term plain_body
%type <select> from
%type <orders> order order_list
%type <limits> limits
%type <text> limit
%type <command> ad_hoc_query insert_source

%%

input:
  statement
| AD_HOC command
;

statement:
  CREATE TABLE defined_table '(' elements ')' with      { add_table(p, $3, $5, $7); }
| CREATE view_kind VIEW defined_view opt_names with AS query {
    ast_statement *s = new_statement(p, PROGRAM_VIEW, $4);
    if (s) {
      s->local = $2 == TOK_LOCAL;
      s->materialized = $2 == TOK_MATERIALIZED;
      s->columns = $5;
      s->properties = $6;
      s->query = $8;
    }
  }
;

view_kind:
  %empty        { $$ = 0; }
| LOCAL         { $$ = TOK_LOCAL; }
| MATERIALIZED  { $$ = TOK_MATERIALIZED; }
;

defined_table: name  { define(p, PROGRAM_TABLE, $1); $$ = $1; } ;
defined_view: name   { define(p, PROGRAM_VIEW, $1); $$ = $1; } ;

/* ---- names ---------------------------------------------------------------- */

/* Keywords that may be names; those that `word` lacks cannot be an alias without AS. */
word: IDENT | EXTRACT | FOR | KEY | LOCAL | MATERIALIZED | SUBSTRING | TRIM | VIEW
    | ASC | BY | DESC | FIRST | INSERT | INTO | LAST | NULLS ;
name: word | PRECISION | UNSIGNED | VARYING ;

names:
  name            { $$ = (ast_names){0}; ast_names_add(&$$, $1); }
| names ',' name  { $$ = $1; ast_names_add(&$$, $3); }
;

opt_names:
  %empty         { $$ = (ast_names){0}; }
| '(' names ')'  { $$ = $2; }
;

/* ---- tables --------------------------------------------------------------- */

elements:
  column               { $$ = table_add_column((ast_table){0}, $1); }
| elements ',' column  { $$ = table_add_column($1, $3); }
| PRIMARY KEY '(' names ')'               { $$ = table_add_key(p, (ast_table){0}, $4, &@$); }
| elements ',' PRIMARY KEY '(' names ')'  { $$ = table_add_key(p, $1, $6, &@3); }
;

column: name type constraints  { $$ = new_column(p, $1, $2, $3); } ;

constraints:
  %empty  { $$ = arena_alloc(p->memory, sizeof *$$); }
| constraints constraint {
    $$ = $1;
    if ($1 && $2) {
      $$->null |= $2->null;
      $$->not_null |= $2->not_null;
      if ($2->key) $$->key_span = @2;
      $$->key |= $2->key;
      if ($$->default_value && $2->default_value)
        script_error(p->text, &@2, SCRIPT_SYNTAX, "a column has one DEFAULT");
      if ($2->default_value) $$->default_value = $2->default_value;
    }
  }
;

constraint:
  NOT NULL       { $$ = arena_alloc(p->memory, sizeof *$$); if ($$) $$->not_null = true; }
| NULL           { $$ = arena_alloc(p->memory, sizeof *$$); if ($$) $$->null = true; }
| PRIMARY KEY    { $$ = arena_alloc(p->memory, sizeof *$$); if ($$) $$->key = true; }
| DEFAULT value  { $$ = arena_alloc(p->memory, sizeof *$$); if ($$) $$->default_value = $2; }
;

type:
  base_type           { $$ = $1; }
| base_type UNSIGNED  { $$ = $1; if ($$) { $$->is_unsigned = true; $$->span = @$; } }
| UNSIGNED base_type  { $$ = $2; if ($$) { $$->is_unsigned = true; $$->span = @$; } }
;

base_type:
  IDENT                                    { $$ = ast_type_new(p, &@$, $1, NULL, NULL, NULL); }
| IDENT '(' NUMBER ')'                     { $$ = ast_type_new(p, &@$, $1, NULL, $3, NULL); }
| IDENT '(' NUMBER ',' NUMBER ')'          { $$ = ast_type_new(p, &@$, $1, NULL, $3, $5); }
| IDENT PRECISION                          { $$ = ast_type_new(p, &@$, $1, $2, NULL, NULL); }
| IDENT VARYING                            { $$ = ast_type_new(p, &@$, $1, $2, NULL, NULL); }
| IDENT VARYING '(' NUMBER ')'             { $$ = ast_type_new(p, &@$, $1, $2, $4, NULL); }
;

/* ---- properties ------------------------------------------------------------- */

with:
  %empty                   { $$ = (ast_properties){0}; }
| WITH '(' properties ')'  { $$ = $3; }
;

properties:
  STRING '=' STRING                 { $$ = ast_properties_add(p, (ast_properties){0}, $1, $3); }
| properties ',' STRING '=' STRING  { $$ = ast_properties_add(p, $1, $3, $5); }
;

/* ---- queries ------------------------------------------------------------------ */

query:
  query_term
| query UNION ALL query_term       { $$ = ast_query_join($1, $4); }
| query UNION query_term           { union_needs_all(p, &@2); $$ = ast_query_join($1, $3); }
| query UNION DISTINCT query_term  { union_needs_all(p, &@2); $$ = ast_query_join($1, $4); }
;

query_term:
  select
| '(' query ')'  { $$ = $2; }
;

select: SELECT items FROM relation where  { $$ = one_select(p, &@$, $2, $4, $5); } ;

items:
  item            { $$ = ast_items_add((ast_items){0}, $1); }
| items ',' item  { $$ = ast_items_add($1, $3); }
;

item:
  '*'           { $$ = ast_item_new(p, &@$, NULL, NULL); }
| name '.' '*'  { $$ = ast_item_new(p, &@$, NULL, NULL); if ($$) $$->qualifier = $1; }
| cond alias    { $$ = ast_item_new(p, &@$, $1, $2); }
;

alias:
  %empty   { $$ = NULL; }
| AS name  { $$ = $2; }
| word
;

relation: name relation_alias  { $$ = new_from(p, $1, $2); } ;

relation_alias:
  %empty   { $$ = NULL; }
| AS name  { $$ = $2; }
| word
;

where:
  %empty      { $$ = NULL; }
| WHERE cond  { $$ = $2; }
;

/* ---- ad-hoc queries -------------------------------------------------------------- */

command:
  ad_hoc_query  { parser_add_command(p, $1); }
| INSERT INTO name opt_names insert_source { parser_add_command(p, new_insert($5, &@$, $3, $4)); }
;

insert_source:
  VALUES rows              { $$ = new_values(p, &@$, $2); }
| plain_body order limits  { $$ = new_query(p, &@$, $1, $2, $3); }
;

rows:
  '(' args ')'           { $$ = ast_unary(p, AST_CALL, EXPR_LITERAL, &@$, $2); }
| rows ',' '(' args ')'  { $$ = $1; ast_add(p, $$, $4); }
;

ad_hoc_query: body order limits  { $$ = new_query(p, &@$, $1, $2, $3); } ;

body:
  body_term
| body UNION ALL body_term       { $$ = ast_query_join($1, $4); }
| body UNION body_term           { union_needs_all(p, &@2); $$ = ast_query_join($1, $3); }
| body UNION DISTINCT body_term  { union_needs_all(p, &@2); $$ = ast_query_join($1, $4); }
;

/* Of an INSERT, whose list of columns may begin with the parenthesis. */
plain_body:
  block
| plain_body UNION ALL body_term  { $$ = ast_query_join($1, $4); }
;

body_term:
  block
| '(' body ')'  { $$ = $2; }
;

block: SELECT distinct items from where group having {
    $$ = with_groups(one_select(p, &@$, $3, $4, $5), $2, $6, $7);
  }
;

distinct:
  %empty    { $$ = false; }
| ALL       { $$ = false; }
| DISTINCT  { $$ = true; }
;

from:
  %empty         { $$ = new_from(p, NULL, NULL); }
| FROM relation  { $$ = $2; }
| FROM '(' ad_hoc_query ')' relation_alias  { $$ = new_derived(p, $3, $5); }
;

group:
  %empty               { $$ = NULL; }
| GROUP BY group_list  { $$ = $3; }
;

group_list:
  cond                 { $$ = ast_unary(p, AST_CALL, EXPR_LITERAL, &@$, $1); }
| group_list ',' cond  { $$ = $1; ast_add(p, $$, $3); }
;

having:
  %empty       { $$ = NULL; }
| HAVING cond  { $$ = $2; }
;

order:
  %empty               { $$ = (ast_orders){0}; }
| ORDER BY order_list  { $$ = $3; }
;

order_list:
  cond direction nulls                 { $$ = ast_orders_add(p, (ast_orders){0}, $1, $2, $3); }
| order_list ',' cond direction nulls  { $$ = ast_orders_add(p, $1, $3, $4, $5); }
;

direction:
  %empty  { $$ = false; }
| ASC     { $$ = false; }
| DESC    { $$ = true; }
;

nulls:
  %empty       { $$ = AST_NULLS_DEFAULT; }
| NULLS FIRST  { $$ = AST_NULLS_FIRST; }
| NULLS LAST   { $$ = AST_NULLS_LAST; }
;

limits:
  %empty                      { $$ = (ast_limits){0}; }
| LIMIT limit                 { $$ = (ast_limits){.limit = $2}; }
| OFFSET NUMBER               { $$ = (ast_limits){.offset = $2}; }
| LIMIT limit OFFSET NUMBER   { $$ = (ast_limits){.limit = $2, .offset = $4}; }
| OFFSET NUMBER LIMIT limit   { $$ = (ast_limits){.limit = $4, .offset = $2}; }
;

limit:
  NUMBER
| ALL  { $$ = NULL; }
;

/* ---- expressions ---------------------------------------------------------------- */

cond:
  test
| cond AND cond  { $$ = ast_chain(p, EXPR_AND, &@$, $1, $3); }
| cond OR cond   { $$ = ast_chain(p, EXPR_OR, &@$, $1, $3); }
| NOT cond       { $$ = ast_unary(p, AST_NOT, EXPR_NOT, &@$, $2); }
;

test:
  value
| value comparison value               { $$ = ast_binary(p, AST_COMPARE, $2, &@$, $1, $3); }
| test IS is_test                      { $$ = ast_unary(p, AST_IS, $3, &@$, $1); }
| test IS DISTINCT FROM value          { $$ = ast_binary(p, AST_COMPARE, EXPR_IS_DISTINCT, &@$, $1, $5); }
| test IS NOT DISTINCT FROM value      { $$ = ast_binary(p, AST_COMPARE, EXPR_IS_NOT_DISTINCT, &@$, $1, $6); }
| value opt_not BETWEEN value AND value {
    $$ = ast_binary(p, AST_BETWEEN, EXPR_AND, &@$, $1, $4);
    ast_add(p, $$, $6);
    with_flag($$, $2);
  }
| value opt_not IN '(' in_list ')' {
    $$ = with_flag(prepend(p, $1, $5), $2);
    if ($$) $$->span = @$;
  }
| value opt_not LIKE value  { $$ = with_flag(ast_binary(p, AST_LIKE, EXPR_LIKE, &@$, $1, $4), $2); }
| value opt_not LIKE value ESCAPE value {
    $$ = with_flag(ast_binary(p, AST_LIKE, EXPR_LIKE, &@$, $1, $4), $2);
    ast_add(p, $$, $6);
  }
;

opt_not:
  %empty  { $$ = false; }
| NOT     { $$ = true; }
;

comparison:
  '='  { $$ = EXPR_EQ; }
| NE   { $$ = EXPR_NE; }
| '<'  { $$ = EXPR_LT; }
| LE   { $$ = EXPR_LE; }
| '>'  { $$ = EXPR_GT; }
| GE   { $$ = EXPR_GE; }
;

is_test:
  NULL       { $$ = EXPR_IS_NULL; }
| NOT NULL   { $$ = EXPR_IS_NOT_NULL; }
| TRUE       { $$ = EXPR_IS_TRUE; }
| NOT TRUE   { $$ = EXPR_IS_NOT_TRUE; }
| FALSE      { $$ = EXPR_IS_FALSE; }
| NOT FALSE  { $$ = EXPR_IS_NOT_FALSE; }
;

in_list:
  cond              { $$ = ast_unary(p, AST_IN, EXPR_IN, &@$, $1); }
| in_list ',' cond  { $$ = $1; ast_add(p, $$, $3); }
;

value:
  primary
| value '+' value       { $$ = ast_binary(p, AST_ARITHMETIC, EXPR_ADD, &@$, $1, $3); }
| value '-' value       { $$ = ast_binary(p, AST_ARITHMETIC, EXPR_SUB, &@$, $1, $3); }
| value '*' value       { $$ = ast_binary(p, AST_ARITHMETIC, EXPR_MUL, &@$, $1, $3); }
| value '/' value       { $$ = ast_binary(p, AST_ARITHMETIC, EXPR_DIV, &@$, $1, $3); }
| value '%' value       { $$ = ast_binary(p, AST_ARITHMETIC, EXPR_MOD, &@$, $1, $3); }
| value CONCAT value    { $$ = ast_chain(p, EXPR_CONCAT, &@$, $1, $3); }
| value TYPECAST type   { $$ = new_cast(p, &@$, $1, $3); }
| '-' value %prec SIGN  { $$ = ast_unary(p, AST_NEGATE, EXPR_NEG, &@$, $2); }
| '+' value %prec SIGN  { $$ = ast_unary(p, AST_PLUS, EXPR_NEG, &@$, $2); }
;

primary:
  NUMBER          { $$ = ast_literal(p, AST_NUMBER, &@$, $1); }
| STRING          { $$ = ast_literal(p, AST_STRING, &@$, $1); }
| BYTES           { $$ = ast_literal(p, AST_BYTES, &@$, $1); }
| TRUE            { $$ = with_flag(ast_new(p, AST_BOOLEAN, &@$), true); }
| FALSE           { $$ = ast_new(p, AST_BOOLEAN, &@$); }
| NULL            { $$ = ast_new(p, AST_NULL, &@$); }
| IDENT STRING    { $$ = new_typed(p, &@$, $1, &@1, $2); }
| name            { $$ = new_column_ref(p, &@$, NULL, $1); }
| name '.' name   { $$ = new_column_ref(p, &@$, $1, $3); }
| '(' cond ')'    { $$ = $2; }
| CASE case_operand whens opt_else END {
    $$ = with_flag($2 ? prepend(p, $2, $3) : $3, $2 != NULL);
    ast_add(p, $$, $4);
    if ($$) $$->span = @$;
  }
| CAST '(' cond AS type ')'           { $$ = new_cast(p, &@$, $3, $5); }
| EXTRACT '(' name FROM cond ')' {
    $$ = ast_unary(p, AST_EXTRACT, EXPR_EXTRACT, &@$, $5);
    if ($$) $$->name = $3;
  }
| SUBSTRING '(' cond FROM cond ')' {
    $$ = name_call(ast_binary(p, AST_CALL, EXPR_SUBSTRING, &@$, $3, $5), $1);
  }
| SUBSTRING '(' cond FROM cond FOR cond ')' {
    $$ = name_call(ast_binary(p, AST_CALL, EXPR_SUBSTRING, &@$, $3, $5), $1);
    ast_add(p, $$, $7);
  }
| SUBSTRING '(' args ')'                     { $$ = new_call(p, &@$, $1, $3, false); }
| TRIM '(' trim_what ')'                     { $$ = $3; if ($$) $$->span = @$; }
| IDENT '(' ')'                              { $$ = new_call(p, &@$, $1, NULL, false); }
| IDENT '(' args ')'                         { $$ = new_call(p, &@$, $1, $3, false); }
| IDENT '(' '*' ')'                          { $$ = new_call(p, &@$, $1, NULL, true); }
| IDENT '(' DISTINCT args ')'                { $$ = new_call(p, &@$, $1, $4, true); }
;

args:
  cond           { $$ = ast_unary(p, AST_CALL, EXPR_LITERAL, &@$, $1); }
| args ',' cond  { $$ = $1; ast_add(p, $$, $3); }
;

case_operand:
  %empty  { $$ = NULL; }
| cond
;

whens:
  WHEN cond THEN cond        { $$ = ast_binary(p, AST_CASE, EXPR_CASE, &@$, $2, $4); }
| whens WHEN cond THEN cond  { $$ = $1; ast_add(p, $$, $3); ast_add(p, $$, $5); }
;

opt_else:
  %empty     { $$ = NULL; }
| ELSE cond  { $$ = $2; }
;

trim_what:
  cond                      { $$ = ast_unary(p, AST_TRIM, EXPR_TRIM_BOTH, &@$, $1); }
| cond FROM cond            { $$ = ast_binary(p, AST_TRIM, EXPR_TRIM_BOTH, &@$, $3, $1); }
| trim_side FROM cond       { $$ = ast_unary(p, AST_TRIM, $1, &@$, $3); }
| trim_side cond FROM cond  { $$ = ast_binary(p, AST_TRIM, $1, &@$, $4, $2); }
;

trim_side:
  BOTH      { $$ = EXPR_TRIM_BOTH; }
| LEADING   { $$ = EXPR_TRIM_LEADING; }
| TRAILING  { $$ = EXPR_TRIM_TRAILING; }
;

%%

static script_span join_spans(const script_span *before, const script_span *first, const script_span *last) {
  if (!first)
    return (script_span){.start = before->end, .end = before->end, .line = before->end_line,
                         .column = before->end_column, .end_line = before->end_line, .end_column = before->end_column};
  script_span span = *first;
  span.end = last->end;
  span.end_line = last->end_line;
  span.end_column = last->end_column;
  return span;
}

static void define(parser *p, program_kind kind, const ast_name *name) {
  p->defining = name;
  p->defining_kind = kind;
}

static ast_statement *new_statement(parser *p, program_kind kind, const ast_name *name) {
  ast_statement *s = arena_alloc(p->memory, sizeof *s);
  if (!s) return NULL;
  s->kind = kind;
  s->name = name;
  parser_add_statement(p, s);
  return s;
}

static void add_table(parser *p, const ast_name *name, ast_table table, ast_properties properties) {
  ast_statement *s = new_statement(p, PROGRAM_TABLE, name);
  if (!s) return;
  s->table = table;
  s->properties = properties;
}

static ast_column *new_column(parser *p, const ast_name *name, const ast_type *type, ast_column *constraints) {
  if (!constraints) return NULL;
  constraints->name = name;
  constraints->type = type;
  if (constraints->null && constraints->not_null && name)
    script_error(p->text, &name->span, SCRIPT_SYNTAX, "column \"%s\" is both NULL and NOT NULL", name->text);
  return constraints;
}

static ast_table table_add_column(ast_table table, ast_column *column) {
  if (!column) return table;
  *(table.last ? &table.last->next : &table.first) = column;
  table.last = column;
  table.n_columns++;
  return table;
}

static ast_table table_add_key(parser *p, ast_table table, ast_names columns, const script_span *span) {
  ast_key *key = arena_alloc(p->memory, sizeof *key);
  if (!key) return table;
  key->columns = columns;
  key->span = *span;
  *(table.last_key ? &table.last_key->next : &table.first_key) = key;
  table.last_key = key;
  return table;
}

static ast *with_flag(ast *a, bool flag) {
  if (a) a->flag = flag;
  return a;
}

/* The arguments of a call are gathered in a node that becomes the call. */
static ast *new_call(parser *p, const script_span *span, ast_name *name, ast *args, bool flag) {
  ast *call = args ? args : ast_new(p, AST_CALL, span);
  if (!call) return NULL;
  call->span = *span;
  call->flag = flag;
  return name_call(call, name);
}

static ast *name_call(ast *call, ast_name *name) {
  if (call) call->name = name;
  return call;
}

/* Puts an argument before those that a node has. */
static ast *prepend(parser *p, ast *first, ast *list) {
  if (!first || !list) return list;
  ast *rest = list->args, *last = list->last;
  uint32_t n = list->n_args;
  list->args = list->last = NULL;
  list->n_args = 0;
  ast_add(p, list, first);
  first->next = rest;
  if (last) list->last = last;
  list->n_args += n;
  return list;
}

static ast *new_column_ref(parser *p, const script_span *span, ast_name *qualifier, ast_name *name) {
  ast *a = ast_new(p, AST_COLUMN, span);
  if (!a) return NULL;
  a->qualifier = qualifier;
  a->name = name;
  return a;
}

static ast *new_typed(parser *p, const script_span *span, const ast_name *type, const script_span *at, ast_text *text) {
  ast *a = ast_literal(p, AST_TYPED, span, text);
  if (a) a->type = ast_type_new(p, at, type, NULL, NULL, NULL);
  return a;
}

static ast *new_cast(parser *p, const script_span *span, ast *a, const ast_type *type) {
  ast *cast = ast_unary(p, AST_CAST, EXPR_CAST, span, a);
  if (cast) cast->type = type;
  return cast;
}

static ast_select *new_from(parser *p, const ast_name *relation, const ast_name *alias) {
  ast_select *from = arena_alloc(p->memory, sizeof *from);
  if (!from) return NULL;
  from->relation = relation;
  from->alias = alias;
  return from;
}

static ast_query one_select(parser *p, const script_span *span, ast_items items, const ast_select *from, ast *where) {
  ast_select *select = arena_alloc(p->memory, sizeof *select);
  if (!select || !from) return (ast_query){0};
  *select = *from;
  select->items = items;
  select->where = where;
  select->span = *span;
  return (ast_query){.first = select, .last = select, .n = 1};
}

static ast_select *new_derived(parser *p, const ast_command *query, const ast_name *alias) {
  ast_select *from = new_from(p, NULL, alias);
  if (from) from->derived = query;
  return from;
}

static ast_query with_groups(ast_query query, bool distinct, ast *group, ast *having) {
  if (!query.first) return query;
  query.first->distinct = distinct;
  query.first->group = group;
  query.first->having = having;
  return query;
}

static ast_command *new_query(parser *p, const script_span *span, ast_query body, ast_orders order, ast_limits limits) {
  ast_command *c = arena_alloc(p->memory, sizeof *c);
  if (c) *c = (ast_command){.body = body, .order = order, .limits = limits, .span = *span};
  return c;
}

static ast_command *new_insert(ast_command *c, const script_span *span, const ast_name *table, ast_names columns) {
  if (!c) return NULL;
  c->table = table;
  c->columns = columns;
  c->span = *span;
  return c;
}

static ast_command *new_values(parser *p, const script_span *span, ast *rows) {
  ast_command *c = arena_alloc(p->memory, sizeof *c);
  if (c) *c = (ast_command){.rows = rows, .span = *span};
  return c;
}

static void union_needs_all(parser *p, const script_span *at) {
  script_error(p->text, at, SCRIPT_SEMANTICS, "not supported yet: UNION without ALL; UNION ALL keeps every row");
}

/* ---- messages ----------------------------------------------------------------------- */

/* Tokens that all begin an expression, and those that all go on after a value,
 * are said in one phrase; what would only add noise is never said. */
typedef enum token_class { ALONE, A_NAME, BEGINS, GOES_ON, NEVER } token_class;

static const struct {
  token_class class;
  const char *words;
} phrases[] = {
    [YYSYMBOL_YYEOF] = {ALONE, "';'"},
    [YYSYMBOL_IDENT] = {A_NAME, "a name"},
    [YYSYMBOL_EXTRACT] = {NEVER, NULL},
    [YYSYMBOL_FOR] = {A_NAME, "FOR"},
    [YYSYMBOL_KEY] = {A_NAME, "KEY"},
    [YYSYMBOL_LOCAL] = {A_NAME, "LOCAL"},
    [YYSYMBOL_MATERIALIZED] = {A_NAME, "MATERIALIZED"},
    [YYSYMBOL_PRECISION] = {NEVER, NULL},
    [YYSYMBOL_SUBSTRING] = {NEVER, NULL},
    [YYSYMBOL_TRIM] = {NEVER, NULL},
    [YYSYMBOL_UNSIGNED] = {NEVER, NULL},
    [YYSYMBOL_VARYING] = {NEVER, NULL},
    [YYSYMBOL_VIEW] = {A_NAME, "VIEW"},
    [YYSYMBOL_AD_HOC] = {NEVER, NULL},
    [YYSYMBOL_ASC] = {ALONE, "ASC"},
    [YYSYMBOL_BY] = {ALONE, "BY"},
    [YYSYMBOL_DESC] = {ALONE, "DESC"},
    [YYSYMBOL_FIRST] = {ALONE, "FIRST"},
    [YYSYMBOL_GROUP] = {ALONE, "GROUP BY"},
    [YYSYMBOL_HAVING] = {ALONE, "HAVING"},
    [YYSYMBOL_INSERT] = {ALONE, "INSERT"},
    [YYSYMBOL_INTO] = {ALONE, "INTO"},
    [YYSYMBOL_LAST] = {ALONE, "LAST"},
    [YYSYMBOL_LIMIT] = {ALONE, "LIMIT"},
    [YYSYMBOL_NULLS] = {ALONE, "NULLS"},
    [YYSYMBOL_OFFSET] = {ALONE, "OFFSET"},
    [YYSYMBOL_ORDER] = {ALONE, "ORDER BY"},
    [YYSYMBOL_VALUES] = {ALONE, "VALUES"},
    [YYSYMBOL_NUMBER] = {BEGINS, "a number"},
    [YYSYMBOL_STRING] = {BEGINS, "a string in single quotes"},
    [YYSYMBOL_BYTES] = {NEVER, NULL},
    [YYSYMBOL_FOREIGN] = {NEVER, NULL},
    [YYSYMBOL_TRUE] = {BEGINS, "TRUE"},
    [YYSYMBOL_FALSE] = {BEGINS, "FALSE"},
    [YYSYMBOL_NULL] = {BEGINS, "NULL"},
    [YYSYMBOL_CASE] = {BEGINS, "CASE"},
    [YYSYMBOL_CAST] = {BEGINS, "CAST"},
    [YYSYMBOL_BOTH] = {BEGINS, "BOTH"},
    [YYSYMBOL_LEADING] = {BEGINS, "LEADING"},
    [YYSYMBOL_TRAILING] = {BEGINS, "TRAILING"},
    [YYSYMBOL_OR] = {GOES_ON, "OR"},
    [YYSYMBOL_AND] = {GOES_ON, "AND"},
    [YYSYMBOL_NOT] = {GOES_ON, "NOT"},
    [YYSYMBOL_IS] = {GOES_ON, "IS"},
    [YYSYMBOL_IN] = {GOES_ON, "IN"},
    [YYSYMBOL_LIKE] = {GOES_ON, "LIKE"},
    [YYSYMBOL_BETWEEN] = {GOES_ON, "BETWEEN"},
    [YYSYMBOL_NE] = {GOES_ON, "'<>'"},
    [YYSYMBOL_LE] = {GOES_ON, "'<='"},
    [YYSYMBOL_GE] = {GOES_ON, "'>='"},
    [YYSYMBOL_CONCAT] = {GOES_ON, "'||'"},
    [YYSYMBOL_TYPECAST] = {GOES_ON, "'::'"},
    [YYSYMBOL_ALL] = {ALONE, "ALL"},
    [YYSYMBOL_AS] = {ALONE, "AS"},
    [YYSYMBOL_CREATE] = {ALONE, "CREATE"},
    [YYSYMBOL_DEFAULT] = {ALONE, "DEFAULT"},
    [YYSYMBOL_DISTINCT] = {ALONE, "DISTINCT"},
    [YYSYMBOL_ELSE] = {ALONE, "ELSE"},
    [YYSYMBOL_END] = {ALONE, "END"},
    [YYSYMBOL_ESCAPE] = {ALONE, "ESCAPE"},
    [YYSYMBOL_FROM] = {ALONE, "FROM"},
    [YYSYMBOL_PRIMARY] = {ALONE, "PRIMARY KEY"},
    [YYSYMBOL_SELECT] = {ALONE, "SELECT"},
    [YYSYMBOL_TABLE] = {ALONE, "TABLE"},
    [YYSYMBOL_THEN] = {ALONE, "THEN"},
    [YYSYMBOL_UNION] = {ALONE, "UNION ALL"},
    [YYSYMBOL_WHEN] = {ALONE, "WHEN"},
    [YYSYMBOL_WHERE] = {ALONE, "WHERE"},
    [YYSYMBOL_WITH] = {ALONE, "WITH"},
};

#define PHRASES ((int)(sizeof phrases / sizeof *phrases))

/* The one-character tokens. */
static token_class class_of(yysymbol_kind_t symbol) {
  const char *name = yysymbol_name(symbol);
  if (name[0] == '\'' && strchr("+-*/%=<>", name[1])) return GOES_ON;
  return symbol < PHRASES ? phrases[symbol].class : ALONE;
}

typedef struct expectation {
  bool set[YYNTOKENS];
  bool begins, goes_on, name; /* said in a phrase */
  const char *words[YYNTOKENS];
  int n;
} expectation;

/* Words of queries that are names elsewhere: said only where no name is. */
static bool is_query_word(yysymbol_kind_t symbol) {
  switch (symbol) {
  case YYSYMBOL_ASC: case YYSYMBOL_BY: case YYSYMBOL_DESC: case YYSYMBOL_FIRST: case YYSYMBOL_INSERT:
  case YYSYMBOL_INTO: case YYSYMBOL_LAST: case YYSYMBOL_NULLS: return true;
  default: return false;
  }
}

static bool is_said(const expectation *e, yysymbol_kind_t symbol) {
  token_class class = class_of(symbol);
  if (is_query_word(symbol) && e->name) return true;
  const char *name = yysymbol_name(symbol);
  bool opening = strcmp(name, "'('") == 0, dot = strcmp(name, "'.'") == 0;
  bool sign = class == GOES_ON && !e->goes_on; /* of an expression: -, +, NOT; the star */
  if (class == NEVER) return true;
  if (e->begins) return class == A_NAME || class == BEGINS || opening || sign;
  if (e->goes_on && (class == GOES_ON || opening || dot || symbol == YYSYMBOL_STRING)) return true;
  return e->name && class == A_NAME;
}

static void collect_words(expectation *e) {
  if (e->begins) e->words[e->n++] = "an expression";
  if (!e->begins && e->name) e->words[e->n++] = "a name";
  if (e->goes_on) e->words[e->n++] = "an operator";
  for (int symbol = 0; symbol < YYNTOKENS && e->n < YYNTOKENS; symbol++) {
    if (!e->set[symbol] || is_said(e, (yysymbol_kind_t)symbol)) continue;
    bool known = symbol < PHRASES && phrases[symbol].words;
    e->words[e->n++] = known ? phrases[symbol].words : yysymbol_name((yysymbol_kind_t)symbol);
  }
}

/* a, b or c */
static void join_words(const expectation *e, char *text, size_t size) {
  size_t len = 0;
  text[0] = '\0';
  for (int i = 0; i < e->n && len < size; i++)
    len += (size_t)snprintf(text + len, size - len, "%s%s", i == 0 ? "" : i == e->n - 1 ? " or " : ", ", e->words[i]);
}

static int yyreport_syntax_error(const yypcontext_t *context, parser *p) {
  if (yypcontext_token(context) == YYSYMBOL_YYEMPTY) return 0;
  yysymbol_kind_t symbols[YYNTOKENS];
  int n = yypcontext_expected_tokens(context, symbols, YYNTOKENS);
  if (n < 0) return n;
  expectation e = {.n = 0};
  char text[512];
  for (int i = 0; i < n; i++) e.set[symbols[i]] = true;
  e.begins = e.set[YYSYMBOL_CASE];
  e.goes_on = e.set[YYSYMBOL_TYPECAST];
  e.name = e.set[YYSYMBOL_IDENT];
  collect_words(&e);
  join_words(&e, text, sizeof text);
  parser_unexpected(p, text, e.set[YYSYMBOL_SELECT]);
  return 0;
}

/* Called for one thing only: the stack has come to its end. */
static void sql_error(const script_span *span, parser *p, const char *message) {
  (void)message;
  script_error(p->text, span, SCRIPT_SYNTAX, "this statement nests too deeply: at most %d parts may be open at once",
               YYMAXDEPTH);
}
