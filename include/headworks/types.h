/* types.h - SQL types, schemas and batches: the shape of data in Headworks.
 *
 * A batch is a set of rows held column by column, each row with a weight (a
 * Z-set: +1 inserts a row, -1 deletes one). The layouts in this file are ABI:
 * formats and connectors, built in or loaded, read and write columns directly.
 *
 * THREADS  A batch has one writer until it is handed over; after that it is
 *          immutable and may be read by any thread that holds a reference.
 * MEMORY   A batch owns, or keeps alive, every byte its columns point to. */
#ifndef HEADWORKS_TYPES_H
#define HEADWORKS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <headworks/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- types --------------------------------------------------------------- */

/* Numbers are ABI. What one row's value is in a column's array:            */
typedef enum hw_type_id {
  HW_TYPE_NULL = 0,       /* type of a bare NULL literal; no column has it   */
  HW_TYPE_BOOLEAN = 1,    /* uint8_t, 0 or 1                                 */
  HW_TYPE_TINYINT = 2,    /* int8_t                                          */
  HW_TYPE_SMALLINT = 3,   /* int16_t                                         */
  HW_TYPE_INT = 4,        /* int32_t                                         */
  HW_TYPE_BIGINT = 5,     /* int64_t                                         */
  HW_TYPE_UTINYINT = 6,   /* uint8_t                                         */
  HW_TYPE_USMALLINT = 7,  /* uint16_t                                        */
  HW_TYPE_UINT = 8,       /* uint32_t                                        */
  HW_TYPE_UBIGINT = 9,    /* uint64_t                                        */
  HW_TYPE_REAL = 10,      /* float                                           */
  HW_TYPE_DOUBLE = 11,    /* double                                          */
  HW_TYPE_DECIMAL = 12,   /* hw_int128: value * 10^scale, |.| < 10^precision */
  HW_TYPE_CHAR = 13,      /* hw_str, UTF-8, blank-padded to length           */
  HW_TYPE_VARCHAR = 14,   /* hw_str, UTF-8                                   */
  HW_TYPE_BINARY = 15,    /* hw_str, any bytes                               */
  HW_TYPE_VARBINARY = 16, /* hw_str, any bytes                               */
  HW_TYPE_DATE = 17,      /* int32_t, days since 1970-01-01                  */
  HW_TYPE_TIME = 18,      /* int64_t, nanoseconds since midnight             */
  HW_TYPE_TIMESTAMP = 19, /* int64_t, microseconds since 1970-01-01 UTC      */
  HW_TYPE_UUID = 20,      /* hw_uuid, 16 bytes in text order                 */
  /* 32 ARRAY, 33 MAP, 34 ROW, 35 VARIANT: kept free, see hw_column.children */
} hw_type_id;

#define HW_TYPE_COUNT 21
#define HW_DECIMAL_MAX_PRECISION 38

__extension__ typedef __int128 hw_int128;
__extension__ typedef unsigned __int128 hw_uint128;

typedef struct hw_uuid {
  uint8_t bytes[16];
} hw_uuid;

/* Text or bytes in memory that somebody else owns; not terminated. */
typedef struct hw_str {
  const char *data; /* may be NULL only when len is 0 */
  uint32_t len;     /* bytes */
  uint32_t flags;   /* HW_STR_*; 0 is always right */
} hw_str;

/* Known to hold no byte below 0x20, no '"' and no '\\': a JSON encoder may copy
 * it between quotes as it is. */
#define HW_STR_PLAIN 1u

typedef struct hw_type {
  uint8_t id;        /* hw_type_id */
  bool nullable;
  uint8_t precision; /* DECIMAL: 1..38; otherwise 0 */
  uint8_t scale;     /* DECIMAL: 0..precision */
  uint32_t length;   /* CHAR, VARCHAR: characters; BINARY, VARBINARY: bytes; 0: no bound */
} hw_type;

/* Bytes of one value in a column's array (HW_TYPE_NULL: 0). */
HW_API size_t hw_type_width(hw_type_id id);
/* "BIGINT UNSIGNED", "VARCHAR", ...; never NULL. */
HW_API const char *hw_type_name(hw_type_id id);
static inline bool hw_type_is_string(hw_type_id id) { return id >= HW_TYPE_CHAR && id <= HW_TYPE_VARBINARY; }
static inline bool hw_type_is_text(hw_type_id id) { return id == HW_TYPE_CHAR || id == HW_TYPE_VARCHAR; }
static inline bool hw_type_is_integer(hw_type_id id) { return id >= HW_TYPE_TINYINT && id <= HW_TYPE_UBIGINT; }
static inline bool hw_type_is_numeric(hw_type_id id) { return id >= HW_TYPE_TINYINT && id <= HW_TYPE_DECIMAL; }

/* One value outside a column (a literal, a default). Strings are borrowed. */
typedef struct hw_value {
  bool is_null;
  union {
    uint8_t boolean;
    int64_t i64;  /* signed integers, DATE, TIME, TIMESTAMP */
    uint64_t u64; /* unsigned integers */
    float f32;
    double f64;
    hw_int128 dec;
    hw_str str;
    hw_uuid uuid;
  } u;
} hw_value;

typedef struct hw_field {
  const char *name;     /* as matched: folded to lower case unless quoted in SQL */
  bool case_sensitive;  /* was quoted */
  bool has_default;
  hw_type type;
  hw_value default_value; /* valid where has_default */
} hw_field;

typedef struct hw_schema {
  const char *name; /* of the relation */
  uint32_t n_fields;
  const hw_field *fields;
  /* added at the end (plugin.h tells when), for what is brought into a table: */
  uint32_t n_key;      /* columns of its PRIMARY KEY; 0: none */
  const uint32_t *key; /* their indexes */
  bool append_only;    /* rows may only be inserted */
} hw_schema;

static inline bool hw_schema_in_key(const hw_schema *schema, uint32_t field) {
  for (uint32_t i = 0; i < schema->n_key; i++)
    if (schema->key[i] == field) return true;
  return false;
}

/* Index of the field that a name from outside (a JSON key, a CSV header) means,
 * or -1. A case-sensitive field matches exactly; any other matches the name in
 * any mixture of ASCII case. An exact match wins over a folded one. */
HW_API int hw_schema_find(const hw_schema *schema, const char *name, size_t len);

/* ---- batches ------------------------------------------------------------- */

typedef struct hw_column {
  void *values;       /* array of hw_type_width() sized values, 64-byte aligned */
  uint64_t *validity; /* bit (row % 64) of word (row / 64): 1 = value, 0 = NULL;
                         NULL pointer: every row has a value */
} hw_column;

/* Rows of a relation. `sel`, when not NULL, names the rows that belong to the
 * batch, in order; otherwise they are 0 .. n_rows-1. Values under a NULL are
 * unspecified (a hw_str there must not be followed). */
typedef struct hw_batch {
  uint32_t n_rows;     /* physical rows in the arrays */
  uint32_t capacity;   /* rows the arrays can hold; writers stop here */
  uint32_t n_columns;
  uint32_t n_sel;      /* entries of sel */
  const uint32_t *sel;
  hw_column *columns;
  int64_t *weights;    /* by physical row; NULL: every weight is +1 */
  const hw_schema *schema;
  /* added at the end, for batches brought into a table with a PRIMARY KEY: */
  uint64_t *updates;   /* bit by physical row: an update; NULL: no row is one */
  uint64_t **given;    /* where updates is not NULL: by column, bits by physical row: the update gives it */
} hw_batch;

/* What a row brought into a table with a PRIMARY KEY does: a positive weight
 * inserts it, in the place of the row of the same key, if there is one; a
 * negative weight deletes the row of its key; an update changes the columns that
 * it gives in the row of its key. Columns that are not of the key need no value
 * in a row that deletes, nor in an update that does not give them. Rows brought
 * into a table without a key just add up, by weights. What comes out of a table
 * is plain inserts and deletes of whole rows. */

/* Rows that belong to the batch, and the physical row of the i-th of them. */
static inline uint32_t hw_batch_count(const hw_batch *b) { return b->sel ? b->n_sel : b->n_rows; }
static inline uint32_t hw_batch_row(const hw_batch *b, uint32_t i) { return b->sel ? b->sel[i] : i; }
static inline int64_t hw_batch_weight(const hw_batch *b, uint32_t row) { return b->weights ? b->weights[row] : 1; }

static inline bool hw_column_valid(const hw_column *c, uint32_t row) {
  return !c->validity || (c->validity[row >> 6] >> (row & 63) & 1);
}
static inline void hw_column_set_valid(hw_column *c, uint32_t row) {
  if (c->validity) c->validity[row >> 6] |= UINT64_C(1) << (row & 63);
}
/* For nullable columns of a batch that is written, which have a bitmap. */
static inline void hw_column_set_null(hw_column *c, uint32_t row) {
  c->validity[row >> 6] &= ~(UINT64_C(1) << (row & 63));
}

/* Writing. A batch to fill comes with n_rows = 0, with a validity bitmap for
 * exactly the nullable columns, and every bit 0. A writer puts the values of
 * row n_rows, sets the validity bits of those that are not NULL, then counts
 * n_rows up; a row given up half-way has its bits cleared with
 * hw_batch_clear_row, which makes its weight 1 again and no update of it. A NOT NULL column must get
 * a value in every row. Nobody checks values after the writer: UTF-8, lengths,
 * padding and ranges of the columns' types are its duty. */
HW_API void hw_batch_clear_row(hw_batch *b, uint32_t row);

/* Memory for string bytes that lives as long as the batch, aligned to 8; NULL:
 * none to be had within the memory budget: give the row up, and hand back the
 * batch with the rows before it. Bytes at its end that were not used can be given
 * back at once with hw_batch_trim. Never one allocation per call. */
HW_API void *hw_batch_alloc(hw_batch *b, size_t size);
HW_API void hw_batch_trim(hw_batch *b, size_t unused);

/* Copies bytes into the batch; false: no memory. */
HW_API bool hw_batch_copy_str(hw_batch *b, const void *data, size_t len, hw_str *out);

/* Makes a row below capacity an update that gives no column yet; false: no
 * memory. hw_batch_set_given adds one, of which the row has value and validity. */
HW_API bool hw_batch_set_update(hw_batch *b, uint32_t row);
static inline void hw_batch_set_given(hw_batch *b, uint32_t column, uint32_t row) {
  b->given[column][row >> 6] |= UINT64_C(1) << (row & 63);
}
static inline bool hw_batch_is_update(const hw_batch *b, uint32_t row) {
  return b->updates && (b->updates[row >> 6] >> (row & 63) & 1);
}
static inline bool hw_batch_is_given(const hw_batch *b, uint32_t column, uint32_t row) {
  return b->given[column][row >> 6] >> (row & 63) & 1;
}

/* Sets the weight of a row below capacity; false: no memory. */
HW_API bool hw_batch_set_weight(hw_batch *b, uint32_t row, int64_t weight);

/* Reference counting: any thread. A batch whose last reference goes returns
 * its memory to a pool. */
HW_API hw_batch *hw_batch_ref(const hw_batch *b);
HW_API void hw_batch_unref(const hw_batch *b);

#ifdef __cplusplus
}
#endif
#endif
