/* store_model.h - the same tables as a store's, kept the simplest way.
 *
 * Column 0 is a BIGINT and column 1 a VARCHAR, never NULL: the key, where there
 * is one. After them comes a nullable column of each type. A value is a number
 * from 0 (NULL, or the first) up, so that a row is a short array of numbers. */
#ifndef TESTS_STORE_MODEL_H
#define TESTS_STORE_MODEL_H

#include "runtime/batch.h"
#include "runtime/program.h"

#define MODEL_KEYS 2
#define MODEL_COLUMNS 22 /* two of the key, twenty types */
#define MODEL_VALUES 6

typedef struct model_row {
  int16_t v[MODEL_COLUMNS];
} model_row;

typedef struct model_entry {
  model_row row;
  int64_t weight;
} model_entry;

typedef struct model {
  uint32_t n, capacity;
  model_entry *entries;
} model;

/* A program of one table t, with key or without, and a materialized view v of all of it. */
program *model_program(bool keyed, bool append_only);

/* Puts value v[c] of each column that `given` says (NULL: all) into row `at`. */
void model_put(hw_batch *b, uint32_t at, const model_row *row, const bool *given);
/* The row as numbers again; a value that no column has fails the test. */
model_row model_get(const hw_batch *b, uint32_t at);

void model_add(model *m, const model_row *row, int64_t weight);
/* The entry with the row's key, or NULL. */
model_entry *model_find_key(model *m, const model_row *row);
model model_copy(const model *m);
void model_fini(model *m);
/* Fails the test, naming what, unless both hold the same. */
void model_check_same(model *a, model *b, const char *what);

#endif
