/* expr_decimal.h - arithmetic on DECIMAL values: whole numbers with a scale. */
#ifndef RUNTIME_EXPR_DECIMAL_H
#define RUNTIME_EXPR_DECIMAL_H

#include "runtime/expr_eval.h"

/* v of scale `from`, at scale `to`, rounded half away from zero; false: more
 * than 38 digits. */
bool decimal_rescale(hw_int128 v, unsigned from, unsigned to, hw_int128 *out);
/* v of scale `from` without its fraction. */
hw_int128 decimal_truncate(hw_int128 v, unsigned from);
/* v of scale `from` to a whole number of units of 10^-digits (digits may be
 * negative), still at scale `from`. */
typedef enum decimal_rounding { DECIMAL_HALF_AWAY, DECIMAL_FLOOR, DECIMAL_CEIL } decimal_rounding;
bool decimal_round(hw_int128 v, unsigned from, int64_t digits, decimal_rounding how, hw_int128 *out);
bool decimal_fits(hw_int128 v, unsigned precision);

/* Of exactly that type; false: out of range. Correctly rounded to DOUBLE. */
double decimal_to_double(hw_int128 v, unsigned scale);
bool decimal_of_double(double v, const hw_type *type, hw_int128 *out);
bool decimal_of_float(float v, const hw_type *type, hw_int128 *out);

/* Evaluates an arithmetic node over DECIMAL arguments into to[]. */
hw_status decimal_arithmetic(evaluator *ev, const node *nd, const rows *r, const vec *args, const uint64_t *validity,
                             hw_int128 *to);

#endif
