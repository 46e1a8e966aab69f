/* expr.h - typed expression trees and their evaluation, a column at a time.
 *
 * sql/ builds the trees; the circuit evaluates them. A tree is immutable and
 * shared; an evaluator holds scratch columns and belongs to one circuit.
 *
 * Evaluation only ever touches the rows that a selection names, so a guarded
 * expression (CASE, COALESCE, the right side of AND and OR) never fails on rows
 * that its guard excludes. */
#ifndef RUNTIME_EXPR_H
#define RUNTIME_EXPR_H

#include <headworks/types.h>

/* Every operation, with the types it takes once sql/ has inserted casts: the
 * arguments of an arithmetic, comparison, CASE or COALESCE node all have one
 * type id (DECIMAL arguments of ADD, SUB, MOD, comparisons, IN, NULLIF: one scale
 * too). */
typedef enum expr_op {
  EXPR_COLUMN,  /* column `index` of the input relation */
  EXPR_LITERAL, /* `value` */
  EXPR_CAST,    /* args[0] to `type` */
  EXPR_NEG, EXPR_ADD, EXPR_SUB, EXPR_MUL, EXPR_DIV, EXPR_MOD,       /* numeric */
  EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE,             /* any equal types */
  EXPR_AND, EXPR_OR, EXPR_NOT,                                      /* BOOLEAN, three-valued */
  EXPR_IS_NULL, EXPR_IS_NOT_NULL,
  EXPR_IS_TRUE, EXPR_IS_NOT_TRUE, EXPR_IS_FALSE, EXPR_IS_NOT_FALSE, /* BOOLEAN */
  EXPR_IS_DISTINCT, EXPR_IS_NOT_DISTINCT,                           /* any equal types */
  EXPR_IN,       /* args[0] IN (args[1..]); three-valued */
  EXPR_LIKE,     /* args: text, pattern[, escape] */
  EXPR_CASE,     /* args: cond1, value1, cond2, value2, ..., else (always there) */
  EXPR_COALESCE, /* args: 1.. */
  EXPR_NULLIF,   /* args: a, b */
  EXPR_CONCAT,   /* || of two or more strings */
  EXPR_LOWER, EXPR_UPPER, EXPR_CHAR_LENGTH,  /* text; lengths are INT */
  EXPR_OCTET_LENGTH,
  EXPR_SUBSTRING, /* text or binary, from (BIGINT) [, length (BIGINT)], 1-based */
  EXPR_TRIM_BOTH, EXPR_TRIM_LEADING, EXPR_TRIM_TRAILING, /* text, characters */
  EXPR_ABS, EXPR_ROUND, /* ROUND: numeric [, INT digits] */
  EXPR_FLOOR, EXPR_CEIL,
  EXPR_EXTRACT,    /* `index` is an expr_unit; args: DATE, TIME or TIMESTAMP; BIGINT */
  EXPR_SPLIT_PART, /* text, delimiter, BIGINT n (negative counts from the end) */
} expr_op;

typedef enum expr_unit {
  EXPR_UNIT_MILLENNIUM, EXPR_UNIT_CENTURY, EXPR_UNIT_DECADE, EXPR_UNIT_YEAR, EXPR_UNIT_ISOYEAR, EXPR_UNIT_QUARTER,
  EXPR_UNIT_MONTH, EXPR_UNIT_WEEK, EXPR_UNIT_DAY, EXPR_UNIT_DOW, EXPR_UNIT_ISODOW, EXPR_UNIT_DOY, EXPR_UNIT_HOUR,
  EXPR_UNIT_MINUTE, EXPR_UNIT_SECOND, EXPR_UNIT_MILLISECOND, EXPR_UNIT_MICROSECOND, EXPR_UNIT_NANOSECOND,
  EXPR_UNIT_EPOCH,
} expr_unit;

typedef struct expr {
  expr_op op;
  hw_type type;         /* of the result */
  uint32_t index;       /* EXPR_COLUMN, EXPR_EXTRACT */
  hw_value value;       /* EXPR_LITERAL, canonical for `type` (CHAR already padded) */
  uint32_t n_args;
  struct expr **args;
  const char *text;     /* source text, for error messages; terminated */
  int line, column;     /* where it stands in the program, from 1 */
} expr;

#define EVAL_ROW_TEXT 400

/* Why an evaluation failed: on the physical row `row` of the batch. */
typedef struct eval_error {
  const expr *at;
  uint32_t row;
  uint32_t n_rows;               /* of that batch */
  char row_text[EVAL_ROW_TEXT];  /* "a = 5, b = NULL": the columns that `at` reads; eval_error_show_row */
  hw_error error; /* HW_EEVAL with a sentence ("division by zero"), or HW_ENOMEM */
} eval_error;

/* Fills in n_rows and row_text of the error of an evaluation over this batch. */
void eval_error_show_row(eval_error *err, const hw_batch *batch);

/* What the strings that some evaluators make may take together, in bytes. Whoever
 * owns it sets `used` back when the results are let go of. A run that would go
 * beyond `most` fails with HW_ENOMEM, after asking for `refused` bytes more. */
typedef struct text_budget {
  uint64_t most, used;
  uint64_t refused;
} text_budget;

typedef struct evaluator evaluator;

/* One evaluator per expression tree and circuit; NULL: no memory. It makes
 * strings within the budget (borrowed; NULL: no bound), looked at once for a
 * column of a batch. What a run needs on the way only, it gives back at its end. */
evaluator *evaluator_new(const expr *root, text_budget *budget);
void evaluator_free(evaluator *ev);

/* Evaluates over the rows sel[0 .. n) (NULL: 0 .. n) of batch. *out gets the
 * result column: value and validity at the same physical rows; other rows are
 * unspecified. It is the input's own column for EXPR_COLUMN, otherwise memory
 * that `into` owns: strings, arrays and all live as long as that batch. Strings
 * may be parts of the input's: `into` must keep `batch` alive.
 * `into` NULL: the result is scratch of the evaluator, good until its next use. */
hw_status evaluator_run(evaluator *ev, const hw_batch *batch, const uint32_t *sel, uint32_t n, hw_batch *into,
                        hw_column *out, eval_error *err);

/* Evaluates a BOOLEAN tree as a filter: writes those of sel[0 .. n) (NULL: all)
 * for which it is TRUE to sel_out (room for n), and their number to *n_out. */
hw_status evaluator_filter(evaluator *ev, const hw_batch *batch, const uint32_t *sel, uint32_t n, uint32_t *sel_out,
                           uint32_t *n_out, eval_error *err);

/* Evaluates a tree without columns (a literal after casts, a default): *out
 * borrows string bytes from the tree or from memory that *keep receives (freed
 * with free(); may be NULL). For constant folding in sql/. */
hw_status expr_constant(const expr *root, hw_value *out, void **keep, hw_error *err);

/* Whether EXPR_CAST leads from one type to the other at all. */
bool expr_can_cast(const hw_type *from, const hw_type *to);

#endif
