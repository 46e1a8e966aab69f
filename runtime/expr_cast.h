/* expr_cast.h - what the files of CAST share. */
#ifndef RUNTIME_EXPR_CAST_H
#define RUNTIME_EXPR_CAST_H

#include "runtime/expr_eval.h"

/* Converts r's rows of arg into out[]; returns whether a row may have failed. */
typedef bool cast_kernel(void *out, const vec *arg, const rows *r);

/* Between BOOLEAN, integers, REAL and DOUBLE; NULL: not among these. */
cast_kernel *cast_number_kernel(hw_type_id from, hw_type_id to);
/* Whether a value of `to` exists for every one of `from`. */
bool cast_never_fails(const hw_type *from, const hw_type *to);

/* One value between types that are not strings; false: out of range. */
bool cast_value(const hw_type *from, const void *in, const hw_type *to, void *out);

/* To and from strings: evaluate the whole node, arg being neither a constant NULL nor another type's.
 * *out has the validity of arg already. */
hw_status cast_from_text(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out);
hw_status cast_to_string(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out);
hw_status cast_between_strings(evaluator *ev, const node *nd, const rows *r, const vec *arg, vec *out);

/* Raises "cannot cast ... to ...: why". */
hw_status cast_fail(evaluator *ev, const node *nd, uint32_t row, const void *slot, const char *why);

#endif
