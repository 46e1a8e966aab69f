/* typing.h - which types there are, and what comes of combining them. */
#ifndef SQL_TYPING_H
#define SQL_TYPING_H

#include "sql/compiler.h"

#define TYPING_TEXT 64

/* The type that is written there, not nullable; false: reported. */
bool typing_resolve(compiler *c, const ast_type *written, hw_type *out);

/* "DECIMAL(10, 2)", "VARCHAR(20)", ...; text has TYPING_TEXT bytes. */
const char *typing_text(const hw_type *type, char *text);

static inline hw_type typing_make(hw_type_id id) { return (hw_type){.id = (uint8_t)id}; }
static inline bool typing_is_approximate(hw_type_id id) { return id == HW_TYPE_REAL || id == HW_TYPE_DOUBLE; }
static inline bool typing_is_unsigned(hw_type_id id) { return id >= HW_TYPE_UTINYINT && id <= HW_TYPE_UBIGINT; }
static inline bool typing_is_binary(hw_type_id id) { return id == HW_TYPE_BINARY || id == HW_TYPE_VARBINARY; }
bool typing_same(const hw_type *a, const hw_type *b); /* but for nullability */

/* The least type that holds all values of both (neither is NULL's); false: there is none. */
bool typing_common(const hw_type *a, const hw_type *b, hw_type *out);
/* Exact numbers as decimals: INT is DECIMAL(10, 0). */
hw_type typing_as_decimal(const hw_type *type);
/* The type of a op b (ADD, SUB, MUL, DIV, MOD) for two decimals. */
hw_type typing_decimal_result(expr_op op, const hw_type *a, const hw_type *b);
/* The signed type that holds all negatives of an unsigned one. */
hw_type typing_negated(const hw_type *type);
/* Whether integers of a type go up to v, or down to it. */
bool typing_holds(hw_type_id id, hw_int128 v);

#endif
