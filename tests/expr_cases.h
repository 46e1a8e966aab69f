/* expr_cases.h - what the tests of expressions share: trees and batches from
 * texts, and a runner for cases in a table. */
#ifndef TESTS_EXPR_CASES_H
#define TESTS_EXPR_CASES_H

#include "runtime/batch.h"
#include "runtime/expr.h"
#include "runtime/mem.h"
#include "tests/require.h"

/* ---- memory: a budget, and what is freed with the test --------------------------------- */

extern mem memory;
void setup(void);
void teardown(void);
void *own(void *p);
void *make(size_t size);
void free_owned(void);

uint64_t next_random(void);

/* ---- types, trees, batches ----------------------------------------------------------------- */

/* "INT", "DECIMAL(5,2)", "VARCHAR(3)"; a '!' at the end: NOT NULL. */
hw_type type_of(const char *text);
/* NULL: NULL. */
const char *text_at(const hw_type *t, const hw_column *c, uint32_t row);

expr *node_new(expr_op op, hw_type type, uint32_t n);
expr *column(uint32_t index, const char *type);
expr *literal(const char *type, const char *text);
expr *tree1(expr_op op, const char *type, expr *a);
expr *tree2(expr_op op, const char *type, expr *a, expr *b);
expr *tree3(expr_op op, const char *type, expr *a, expr *b, expr *c);

hw_schema *schema_of(const char *const *types, uint32_t n);
hw_batch *batch_of_types(const char *const *types, uint32_t n, uint32_t rows);
/* Strings are borrowed. */
void set_cell(hw_batch *b, uint32_t c, uint32_t row, const char *text);
void fill_with_rubbish(hw_batch *b);

/* ---- cases ------------------------------------------------------------------------------------- */

#define MAX_ARGS 6

typedef struct op_case {
  expr_op op;
  const char *type; /* of the result */
  struct {
    const char *type, *text; /* text NULL: NULL */
  } args[MAX_ARGS];
  const char *expected; /* NULL: NULL; "!...": an error that says so */
} op_case;

/* Over whole batches, over selections among rows of rubbish, with every mixture
 * of columns and literals as arguments: always the same. */
void run_case(const op_case *c);

#define RUN_CASES(cases)                                                                                               \
  for (size_t i_ = 0; i_ < sizeof(cases) / sizeof *(cases); i_++) run_case(&(cases)[i_])

#define E_ACUTE "\xC3\xA9"
#define E_ACUTE_UPPER "\xC3\x89"
#define EURO "\xE2\x82\xAC"

#endif
