/* expr_eval.h - the inside of the evaluator, shared by the expr_*.c files.
 *
 * DESIGN
 * A tree of expr is compiled into a tree of nodes: each has a function that
 * evaluates it over a set of rows, and a plan of its own, made once (kernels
 * chosen by type, a LIKE pattern taken apart, the set of an IN list).
 *
 * A result is a vec: an array indexed by physical row, as all columns are, or
 * one constant that stands for every row. Arrays come from a pool of scratch
 * buffers and go back as soon as the parent has used them, so that a deep tree
 * works in few, warm buffers. Only the root's array is made in the batch that
 * the result is for; so are the bytes of strings that can reach the result.
 *
 * A node without columns below it is evaluated on a single row, which gives a
 * constant. An operation that can fail notes that a row *may* have failed while
 * its kernel runs without branches; then a second, slow pass looks for the row,
 * leaving out those that are NULL and hold any bytes.
 *
 * Rejected: one buffer per node (does not stay in the cache), compacting
 * selected rows before evaluating (most selections keep most rows), a byte code
 * machine (per batch, walking the tree costs nothing). */
#ifndef RUNTIME_EXPR_EVAL_H
#define RUNTIME_EXPR_EVAL_H

#include "runtime/expr.h"

#include <stdalign.h>

/* ---- rows and vectors ------------------------------------------------------ */

/* Rows to evaluate: sel[0 .. n), or 0 .. n-1 when sel is NULL; all below limit,
 * and arrays and bitmaps may be read and written up to limit. */
typedef struct rows {
  const uint32_t *sel;
  uint32_t n;
  uint32_t limit;
} rows;

static inline uint32_t rows_at(const rows *r, uint32_t i) {
  return r->sel ? r->sel[i] : i;
}
static inline uint32_t rows_words(const rows *r) {
  return (r->limit + 63) / 64;
}

typedef struct scratch {
  struct scratch *next;
  uint32_t size_class;
  alignas(64) char data[];
} scratch;

/* A vec is constant exactly when its node is invariant (or there are no rows):
 * so an operation whose arguments are all constant runs on one row. */
typedef struct vec {
  const void *values;
  const uint64_t *validity; /* NULL: all valid */
  bool constant;            /* row 0 stands for every row */
  bool in_batch;            /* the array was made in the batch that the result is for */
  scratch *own_values;      /* given back by vec_drop; NULL: borrowed */
  scratch *own_validity;
} vec;

static inline bool bit_get(const uint64_t *bits, uint32_t row) {
  return bits[row >> 6] >> (row & 63) & 1;
}
static inline void bit_set(uint64_t *bits, uint32_t row) {
  bits[row >> 6] |= UINT64_C(1) << (row & 63);
}
static inline void bit_clear(uint64_t *bits, uint32_t row) {
  bits[row >> 6] &= ~(UINT64_C(1) << (row & 63));
}

static inline uint32_t vec_at(const vec *v, uint32_t row) {
  return v->constant ? 0 : row;
}
static inline bool vec_valid(const vec *v, uint32_t row) {
  return !v->validity || bit_get(v->validity, vec_at(v, row));
}
static inline bool vec_is_null_constant(const vec *v) {
  return v->constant && v->validity && !(v->validity[0] & 1);
}
static inline const hw_str *vec_str(const vec *v, uint32_t row) {
  return (const hw_str *)v->values + vec_at(v, row);
}

/* ---- nodes ------------------------------------------------------------------ */

typedef struct node node;
typedef hw_status node_function(evaluator *ev, const node *nd, const rows *r, vec *out);

struct node {
  const expr *e; /* for messages and operands that stand in it */
  hw_type type;
  node_function *eval;
  uint32_t n_args;
  node **args;
  void *plan;     /* what the operation prepared */
  bool invariant; /* no column below */
  bool fallible;  /* it, or something below, can raise an error */
  bool cheap;     /* vector kernels only: quicker to evaluate on all rows than to choose rows */
  bool escapes;   /* bytes of its strings can reach the result */
};

typedef struct evaluator_block {
  struct evaluator_block *next;
  alignas(16) char data[];
} evaluator_block;

#define SCRATCH_CLASSES 32

struct evaluator {
  node *root;
  evaluator_block *blocks;                /* nodes and plans */
  scratch *free_scratch[SCRATCH_CLASSES]; /* by power of two */
  scratch *text;                          /* newest chunk of string bytes that no result keeps */
  size_t text_used, text_capacity;        /* of that chunk */
  size_t text_total;                      /* of all chunks */
  text_budget *budget;                    /* NULL: none */
  size_t text_taken;                      /* of it, in this run, for bytes that no result keeps */
  /* the run at hand */
  const hw_batch *batch;
  hw_batch *into; /* NULL: the result is scratch */
  eval_error *err;
  vec result; /* of the last run without `into` */
};

/* What an operation is to the compiler. */
typedef struct op_info {
  node_function *eval;
  /* Prepares nd (type, args, e are set; args are compiled). HW_OK, HW_ENOMEM. NULL: nothing to do. */
  hw_status (*plan)(evaluator *ev, node *nd);
  bool fallible; /* may raise for some type; plan may clear nd->fallible before args are counted in */
  bool cheap;    /* vector kernels for all but strings and decimals */
  bool keeps;    /* its string result may share bytes with its string arguments */
} op_info;

extern const op_info op_literal, op_column, op_cast, op_arithmetic, op_negate, op_abs, op_round, op_comparison,
    op_distinct, op_logic, op_not, op_is_null, op_is_boolean, op_in, op_like, op_case, op_coalesce, op_nullif,
    op_concat, op_change_case, op_length, op_substring, op_trim, op_split_part, op_extract;

/* ---- compiling (expr.c) ------------------------------------------------------ */

/* Zeroed memory as long as the evaluator lives; NULL: none. */
void *evaluator_alloc(evaluator *ev, size_t size);
/* The node of e and all below; NULL: no memory. */
node *node_compile(evaluator *ev, const expr *e, bool escapes);
/* Makes nd->args[i] of the wanted DECIMAL type by a cast, if it is another. */
hw_status node_rescale_arg(evaluator *ev, node *nd, uint32_t i, hw_type wanted);

/* ---- running ----------------------------------------------------------------- */

/* Evaluates nd over r. On success *out must be dropped; on failure it is empty. */
hw_status node_eval(evaluator *ev, const node *nd, const rows *r, vec *out);
/* All arguments; on failure none is left to drop. */
#define NODE_ARGS 4 /* as many as operations have that are not lists */
hw_status node_eval_args(evaluator *ev, const node *nd, const rows *r, vec *args);
/* For operations that give NULL whenever an argument is NULL: *done when one of
 * them is a constant NULL; then *out is the result and no argument is left.
 * Otherwise constants among args are not NULL. */
hw_status node_eval_strict(evaluator *ev, const node *nd, const rows *r, vec *args, vec *out, bool *done);
/* The whole of such an operation: `fill` writes the values of the rows that are
 * valid in out->validity to the array at out->values. */
typedef hw_status node_fill(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out);
hw_status node_eval_fill(evaluator *ev, const node *nd, const rows *r, vec *out, node_fill *fill);
static inline void *vec_array(const vec *out) {
  return (void *)(uintptr_t)out->values;
} /* of one being filled */
static inline bool vec_filled(const vec *out, uint32_t row) {
  return !out->validity || bit_get(out->validity, row);
}

void vec_drop(evaluator *ev, vec *v);
void vec_drop_all(evaluator *ev, vec *v, uint32_t n);

/* Raises at a physical row; returns HW_EEVAL. */
hw_status eval_fail(evaluator *ev, const node *nd, uint32_t row, const char *fmt, ...) HW_PRINTF(4, 5);
hw_status eval_no_memory(evaluator *ev, const node *nd);
/* "'abc'", "12.5", "NULL": a value for a message; out has EVAL_SHOWN bytes. */
#define EVAL_SHOWN 96
const char *eval_show(const hw_type *type, const void *slot, char *out);

/* ---- memory (expr_memory.c) --------------------------------------------------- */

scratch *scratch_get(evaluator *ev, size_t size);
void scratch_put(evaluator *ev, scratch *s);

/* The result's array for r->limit values (the root's: in the batch); *out is
 * emptied before. NULL: no memory. */
void *vec_make(evaluator *ev, const node *nd, const rows *r, vec *out);
/* A bitmap of its own for *out, bits unset. */
uint64_t *vec_make_validity(evaluator *ev, const rows *r, vec *out);
/* NULL in every row. */
hw_status vec_make_null(evaluator *ev, const node *nd, const rows *r, vec *out);
/* The rows of `out` that are valid: those where all args are, of which none is a
 * constant NULL. Takes a bitmap over from an argument where it is the only one. */
hw_status vec_join_validity(evaluator *ev, const node *nd, const rows *r, vec *args, uint32_t n, vec *out);

/* Bytes for strings of nd's result; NULL: none within the budget. The last
 * `unused` can be given back. */
char *text_alloc(evaluator *ev, const node *nd, size_t size);
void text_trim(evaluator *ev, const node *nd, size_t unused);
void text_reset(evaluator *ev);             /* when a run begins */
void text_leave(evaluator *ev, bool shown); /* when it ends; shown: its result may be in chunks */

/* ---- selections (expr_select.c) ------------------------------------------------ */

/* Writes the rows of r where v is TRUE; returns their number. out may be r->sel. */
uint32_t select_true(const vec *v, const rows *r, uint32_t *out);
/* Splits r: rows where v is TRUE, and the others. rest may be r->sel. */
uint32_t select_split(const vec *v, const rows *r, uint32_t *yes, uint32_t *rest, uint32_t *n_rest);
/* Rows where v is not FALSE (not TRUE). */
uint32_t select_undecided(const vec *v, const rows *r, bool decided_by, uint32_t *out);
/* Rows that are NULL. */
uint32_t select_null(const vec *v, const rows *r, uint32_t *out);

/* 64 bytes of 0 or 1 (only the lowest bits count) as bits, and back. */
uint64_t bits_of_bytes(const uint8_t *bytes);
void bytes_of_bits(uint64_t bits, uint8_t *bytes);

/* Sets the bits of rows r where both are valid, clears the others. */
void vec_both_valid(const vec *a, const vec *b, const rows *r, uint64_t *bits);

/* Copies the values of rows r from v to the array `to`, and their validity to `validity`, if not NULL. */
void vec_copy_rows(const vec *v, size_t width, const rows *r, void *to, uint64_t *validity);

/* ---- shared by kinds of operation ----------------------------------------------- */

/* a = b for values of one type, as SQL compares them; strings of CHAR without trailing blanks. */
typedef void compare_kernel(uint8_t *out, const vec *a, const vec *b, const rows *r, const uint64_t *validity,
                            uint8_t invert);
compare_kernel *compare_equal_kernel(hw_type_id id);

/* An integer value of that type at slot. */
hw_int128 integer_at(hw_type_id id, const void *slot);
void integer_put(hw_type_id id, void *slot, hw_int128 v);
bool integer_fits(hw_type_id id, hw_int128 v);
hw_int128 integer_least(hw_type_id id);
hw_int128 integer_most(hw_type_id id);

#endif
