/* datagen_plan.h - what a datagen connector was told to make: its `plan`, checked
 * against the table's columns. Immutable once made, but for the keys. */
#ifndef CONNECTORS_DATAGEN_PLAN_H
#define CONNECTORS_DATAGEN_PLAN_H

#include "connectors/datagen_text.h"
#include "connectors/datagen_zipf.h"

#include <headworks/types.h>

typedef enum datagen_strategy {
  DATAGEN_INCREMENT,
  DATAGEN_UNIFORM,
  DATAGEN_ZIPF,
  DATAGEN_TEXT, /* one of datagen_text.h */
} datagen_strategy;

/* Values to pick from, as they stand in a column; strings point into `bytes`. */
typedef struct datagen_values {
  uint32_t n;         /* 0 with given: every row is NULL */
  bool given;
  void *items;        /* n of the type's width */
  bool *null;         /* n of them */
  bool any_null;      /* also when n is 0 */
  uint32_t *json_len; /* bytes of each as JSON */
  char *bytes;
  size_t n_bytes;
} datagen_values;

/* How one column is filled. Numbers are counted in steps of the type: 1, a day,
 * a millisecond, a unit of the last decimal place; for strings they are lengths. */
typedef struct datagen_field {
  uint32_t column;
  hw_type type;
  datagen_strategy strategy;
  datagen_text text;
  bool has_range;
  uint32_t null_percentage;
  /* Integers, dates, times, lengths: low, low + step, ... below low + span, or
   * downwards from high. Arithmetic modulo 2^64; span 0 stands for 2^64. */
  uint64_t low, span;
  uint64_t step;  /* of increment: |scale| */
  bool down;
  int64_t scale;  /* of uniform */
  /* REAL, DOUBLE */
  double real_low, real_high, real_scale; /* real_high: HUGE_VAL for none */
  /* DECIMAL */
  hw_int128 dec_low;
  hw_uint128 dec_span, dec_step;
  datagen_values values;
  datagen_zipf zipf;
  struct datagen_field *element; /* bytes of a BINARY or VARBINARY */
  uint64_t key;   /* of its random numbers, see datagen_plan_seed */
} datagen_field;

typedef struct datagen_plan {
  uint64_t rate_micro; /* rows per second, in millionths; 0: as fast as possible */
  uint64_t limit;      /* rows; UINT64_MAX: no limit */
  uint64_t chunk;      /* most rows in a batch; 0: as the batch allows */
  datagen_field *fields; /* one per column */
  uint32_t n_fields;
} datagen_plan;

typedef struct datagen_plans {
  datagen_plan *items;
  uint32_t n;
} datagen_plans;

/* text is JSON. *err names the place in it. */
hw_status datagen_plans_parse(const char *text, const hw_schema *schema, datagen_plans *out, hw_error *err);
void datagen_plans_fini(datagen_plans *plans);
void datagen_plans_seed(datagen_plans *plans, uint64_t seed);

#endif
