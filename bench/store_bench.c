/* store_bench.c - what relations that hold state cost: rows a second of CPU time
 * into a store, and bytes of memory a row, for tables of 10 thousand rows and up.
 *
 *   store_bench [MOST_ROWS [REPEATS [LEAST_ROWS]]]
 *
 * The rows are (id BIGINT, name VARCHAR of 20 bytes, n INT), brought in batches of
 * 4,096, a step each. Prints one JSON object a line, rates being medians of the
 * repeats. What a store holds is counted after each phase: one that has a wrong
 * number of rows gets no rate. */
#include "runtime/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROWS 4096
#define REPEATS_MAX 99
#define STATE_LIMIT (UINT64_C(64) << 30)

static mem memory, state_memory;

typedef enum phase { INSERT, REPLACE, SAME, READ, DELETE, PHASES } phase;
static const char *const phase_names[PHASES] = {"insert", "replace", "insert again", "read", "delete"};

typedef struct table {
  program *program;
  circuit *circuit;
  state *state;
  uint64_t step;
  uint64_t rows;
  uint64_t bytes; /* of state when all rows were there */
} table;

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* other work on the machine does not count */
  return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void *must(void *p) {
  if (p) return p;
  fputs("store_bench: out of memory\n", stderr);
  exit(1);
}

/* ---- a table --------------------------------------------------------------- */

static void make(table *t, bool keyed, bool append_only) {
  static const hw_field fields[] = {{.name = "id", .type = {.id = HW_TYPE_BIGINT}},
                                    {.name = "name", .type = {.id = HW_TYPE_VARCHAR}},
                                    {.name = "n", .type = {.id = HW_TYPE_INT, .nullable = true}}};
  static const uint32_t key[] = {0};
  hw_error err;
  *t = (table){.program = must(program_new())};
  program_relation *r = must(program_alloc(t->program, sizeof *r));
  r->schema = (hw_schema){.name = "t", .n_fields = 3, .fields = fields, .append_only = append_only};
  r->materialized = true;
  r->n_key = r->schema.n_key = keyed;
  r->key = r->schema.key = key;
  t->program->relations = r;
  t->program->n_relations = 1;
  t->circuit = must(circuit_new(t->program));
  if (state_new(t->program, &state_memory, t->circuit, &t->state, &err) == HW_OK) return;
  fprintf(stderr, "store_bench: %s\n", err.message);
  exit(1);
}

static void unmake(table *t) {
  state_free(t->state);
  circuit_free(t->circuit);
  program_unref(t->program);
}

/* Ids in no order. */
static uint64_t id_of(uint64_t i) { return i * UINT64_C(0x9e3779b97f4a7c15) >> 1; }

static batch *make_batch(const table *t, uint64_t from, uint64_t n, int32_t version, int64_t weight) {
  batch *b = must(batch_new(&memory, &t->program->relations[0].schema, ROWS));
  for (uint64_t i = from; i < from + n; i++) {
    uint32_t row = b->pub.n_rows++;
    char name[24];
    ((int64_t *)b->pub.columns[0].values)[row] = (int64_t)id_of(i);
    snprintf(name, sizeof name, "%020" PRIu64, i);
    if (!hw_batch_copy_str(&b->pub, name, 20, &((hw_str *)b->pub.columns[1].values)[row]) ||
        !hw_batch_set_weight(&b->pub, row, weight))
      must(NULL);
    ((int32_t *)b->pub.columns[2].values)[row] = version;
    hw_column_set_valid(&b->pub.columns[2], row);
  }
  b->held = batch_bytes(b);
  return b;
}

/* Nanoseconds within the state alone. */
static uint64_t bring(table *t, int32_t version, int64_t weight) {
  uint64_t spent = 0;
  for (uint64_t from = 0; from < t->rows; from += ROWS) {
    eval_error err = {0};
    uint64_t n = t->rows - from < ROWS ? t->rows - from : ROWS;
    batch *b = make_batch(t, from, n, version, weight);
    uint64_t start = now_ns();
    b->step = ++t->step;
    hw_status st = state_push(t->state, 0, b, &err);
    if (st == HW_OK) st = state_commit(t->state, t->step, &err.error);
    spent += now_ns() - start;
    hw_batch_unref(&b->pub);
    if (st == HW_OK) continue;
    fprintf(stderr, "store_bench: %s\n", err.error.message);
    exit(1);
  }
  return spent;
}

static uint64_t read_all(table *t) {
  hw_error err;
  store_snapshot *s;
  uint64_t start = now_ns(), rows = 0, sum = 0;
  if (state_snapshot(t->state, (uint32_t[]){0}, 1, &s, &err) != HW_OK) must(NULL);
  for (uint32_t k = 0; k < store_snapshot_pieces(s, 0); k++) {
    hw_batch *b;
    if (store_snapshot_piece(s, 0, k, &b) != HW_OK) must(NULL);
    uint32_t n = b ? hw_batch_count(b) : 0;
    for (uint32_t i = 0; i < n; i++) sum += ((uint64_t *)b->columns[0].values)[hw_batch_row(b, i)];
    rows += n;
    hw_batch_unref(b);
  }
  store_snapshot_free(s);
  uint64_t spent = now_ns() - start;
  for (uint64_t i = 0; i < t->rows; i++) sum -= id_of(i);
  if (rows == t->rows && sum == 0) return spent;
  fprintf(stderr, "store_bench: other rows were read than those that were brought\n");
  exit(1);
}

static uint64_t run_phase(table *t, phase p) {
  switch (p) {
  case INSERT: return bring(t, 1, 1);
  case REPLACE: return bring(t, 2, 1);
  case SAME: return bring(t, 2, 1);
  case READ: return read_all(t);
  default: return bring(t, 2, -1);
  }
}

/* Phases that make sense: without a key an insert again adds to the weight. */
static bool has_phase(const table *t, phase p) {
  const program_relation *r = &t->program->relations[0];
  return r->n_key || p == INSERT || p == READ || (p == DELETE && !r->schema.append_only);
}

static void run(table *t, double *ns) {
  for (phase p = INSERT; p < PHASES; p++) {
    if (!has_phase(t, p)) continue;
    if (p == DELETE && !t->program->relations[0].n_key) {
      ns[p] = (double)bring(t, 1, -1);
    } else {
      ns[p] = (double)run_phase(t, p);
    }
    relation_stats now = {0};
    state_relation_stats(t->state, 0, &now);
    uint64_t want = p == DELETE ? 0 : t->rows;
    if (p == INSERT) t->bytes = now.stored_bytes;
    if (now.stored_rows == want) continue;
    fprintf(stderr, "store_bench: %" PRIu64 " rows after %s, not %" PRIu64 "\n", now.stored_rows, phase_names[p], want);
    exit(1);
  }
}

/* ---- the measurement ------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void measure(const char *kind, bool keyed, bool append_only, uint64_t rows, int repeats) {
  static double ns[PHASES][REPEATS_MAX];
  double one[PHASES], bytes = 0;
  bool has[PHASES] = {false};
  for (int i = 0; i < repeats; i++) {
    table t;
    make(&t, keyed, append_only);
    t.rows = rows;
    run(&t, one);
    bytes = (double)t.bytes / (double)rows;
    for (phase p = INSERT; p < PHASES; p++)
      if ((has[p] = has_phase(&t, p))) ns[p][i] = one[p];
    unmake(&t);
  }
  printf("{\"table\": \"%s\", \"rows\": %" PRIu64 ", \"bytes_per_row\": %.1f", kind, rows, bytes);
  for (phase p = INSERT; p < PHASES; p++) {
    if (!has[p]) continue;
    qsort(ns[p], (size_t)repeats, sizeof **ns, compare);
    printf(", \"%s_rows_per_s\": %.0f", phase_names[p], (double)rows * 1e9 / ns[p][repeats / 2]);
  }
  puts("}");
}

int main(int argc, char **argv) {
  uint64_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
  int repeats = argc > 2 ? atoi(argv[2]) : 3;
  uint64_t least = argc > 3 ? strtoull(argv[3], NULL, 10) : 10000;
  if (repeats < 1 || repeats > REPEATS_MAX) repeats = 3;
  if (mem_init(&memory, UINT64_C(1) << 30) != HW_OK || mem_init(&state_memory, STATE_LIMIT) != HW_OK) return 1;
  for (uint64_t rows = least; rows && rows <= most; rows *= 10) {
    measure("without key", false, false, rows, repeats);
    measure("append_only", false, true, rows, repeats);
    measure("PRIMARY KEY", true, false, rows, repeats);
  }
  mem_fini(&state_memory);
  mem_fini(&memory);
  return 0;
}
