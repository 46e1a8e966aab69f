/* DESIGN
 * Problem: exactly the asked number of rows a second, no burst after a pause, the
 * same rows for the same seed whatever the load and however often it is paused.
 * Structure: rows are numbered, and a row's values depend on the seed and its
 * number alone (datagen_fill.c). At a rate, the rows that are due since t0 are
 * floor((now - t0) * rate), in integer arithmetic; a fetch makes those that are
 * due and not made. `resume` moves t0 by the time that passed since the last
 * fetch: what would have been due in a pause never is. A wait that backpressure
 * caused is made up for: the rate is kept on average.
 * Rows that are due within WAIT_LEAST_NS go out together. */
#include "connectors/clock.h"
#include "connectors/connectors.h"
#include "connectors/datagen_fill.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define WAIT_LEAST_NS UINT64_C(1000000)
#define MICRO_PER_NS UINT64_C(1000000000000000) /* a millionth of a row per second is 1 / this a nanosecond */

typedef struct datagen {
  hw_connector *c;
  datagen_plans plans;
  bool seeded;
  uint64_t seed;
  uint32_t at;           /* plan */
  uint64_t made;         /* rows of it */
  bool started;          /* t0 and last_ns are set */
  uint64_t t0_ns;        /* when row 0 of the plan was due, but for pauses */
  uint64_t last_ns;      /* when the last fetch was */
  uint64_t row_bytes;    /* of the rows made last, on average */
} datagen;

static void destroy(void *instance) {
  datagen *g = instance;
  datagen_plans_fini(&g->plans);
  free(g);
}

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  datagen *g = calloc(1, sizeof *g);
  if (!g) return hw_error_set(err, HW_ENOMEM, "out of memory");
  g->c = c;
  g->seeded = hw_config_is_set(config, "seed");
  if (g->seeded) g->seed = (uint64_t)hw_config_int(config, "seed");
  g->row_bytes = 64;
  hw_status status = datagen_plans_parse(hw_config_string(config, "plan"), hw_connector_schema(c), &g->plans, err);
  if (status != HW_OK) {
    destroy(g);
    return status;
  }
  *instance = g;
  return HW_OK;
}

static hw_status open_input(void *instance, hw_error *err) {
  datagen *g = instance;
  if (!g->seeded) {
    if (getrandom(&g->seed, sizeof g->seed, 0) != sizeof g->seed)
      return hw_error_set(err, HW_EIO, "cannot get a random seed: %s", strerror(errno));
    g->seed >>= 1; /* so that it can be given as an option */
    hw_connector_log(g->c, HW_LOG_INFO, "seed %llu: give it as \"seed\" to get the same rows again",
                     (unsigned long long)g->seed);
  }
  datagen_plans_seed(&g->plans, g->seed);
  return HW_OK;
}

/* ---- time ------------------------------------------------------------------- */

static void resume(void *instance) {
  datagen *g = instance;
  uint64_t now = connectors_now_ns();
  if (g->started) g->t0_ns += now - g->last_ns;
  g->last_ns = now;
}

static uint64_t rows_due(const datagen_plan *p, uint64_t elapsed_ns) {
  if (!p->rate_micro) return UINT64_MAX;
  datagen_wide due = (datagen_wide)elapsed_ns * p->rate_micro / MICRO_PER_NS;
  return due > UINT64_MAX ? UINT64_MAX : (uint64_t)due;
}

/* When so many rows are due, from t0. */
static uint64_t ns_until(const datagen_plan *p, uint64_t rows) {
  datagen_wide ns = ((datagen_wide)rows * MICRO_PER_NS + p->rate_micro - 1) / p->rate_micro;
  return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

static hw_fetch wait_for_row(const datagen *g, const datagen_plan *p) {
  uint64_t elapsed = g->last_ns - g->t0_ns, at = ns_until(p, g->made + 1);
  uint64_t wait = at > elapsed ? at - elapsed : 0;
  if (wait < WAIT_LEAST_NS) wait = WAIT_LEAST_NS;
  hw_connector_wait_us(g->c, (wait + 999) / 1000);
  return HW_FETCH_WAIT;
}

/* ---- rows ------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint32_t rows_to_make(const datagen *g, const datagen_plan *p, const hw_fetch_args *args, const hw_batch *batch,
                             uint64_t due) {
  uint64_t by_bytes = args->max_bytes / (g->row_bytes ? g->row_bytes : 1);
  uint64_t n = least(due, batch->capacity - batch->n_rows);
  n = least(n, by_bytes ? by_bytes : 1);
  if (args->max_rows) n = least(n, args->max_rows);
  if (p->chunk) n = least(n, p->chunk);
  return (uint32_t)n;
}

static void set_position(const datagen *g) {
  char position[64];
  snprintf(position, sizeof position, "plan[%u]@%llu", g->at, (unsigned long long)g->made);
  hw_input_set_position(g->c, position);
}

/* due > 0 rows may be made. */
static hw_fetch make_rows(datagen *g, const datagen_plan *p, const hw_fetch_args *args, uint64_t due) {
  hw_batch *batch = hw_input_batch(g->c);
  if (!batch) return HW_FETCH_MORE;
  uint64_t bytes = 0;
  uint32_t n = rows_to_make(g, p, args, batch, due);
  bool made = datagen_fill(p, batch, g->made, n, &bytes);
  if (made) {
    g->made += n;
    g->row_bytes = bytes / n;
    set_position(g);
  }
  hw_input_commit(g->c, batch, made ? bytes : 0);
  if (!made) hw_connector_wait_us(g->c, 1000); /* no memory for strings: others will give some back */
  return made ? HW_FETCH_MORE : HW_FETCH_WAIT;
}

static hw_fetch fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  (void)err;
  datagen *g = instance;
  g->last_ns = connectors_now_ns();
  if (!g->started) g->t0_ns = g->last_ns;
  g->started = true;
  while (g->at < g->plans.n) {
    const datagen_plan *p = &g->plans.items[g->at];
    uint64_t due = least(rows_due(p, g->last_ns - g->t0_ns), p->limit);
    if (due > g->made) return make_rows(g, p, args, due - g->made);
    if (g->made < p->limit) return wait_for_row(g, p);
    g->at++;
    g->made = 0;
    g->t0_ns = g->last_ns;
  }
  return HW_FETCH_END;
}

static const hw_option options[] = {
    {.name = "plan", .type = HW_OPTION_JSON, .default_text = "[{}]",
     .description = "What to make, one object after the other: rate (rows a second), limit (rows), worker_chunk_size "
                    "(rows in a batch), fields (how each column is filled)."},
    {.name = "workers", .type = HW_OPTION_INT, .default_text = "1", .min = 1, .max = 1024,
     .description = "Accepted for compatibility: rows are made in order whatever it says."},
    {.name = "seed", .type = HW_OPTION_INT, .min = 0, .max = INT64_MAX,
     .description = "The same seed gives the same rows; a random one when not set."},
    {.name = NULL},
};

static const hw_input_ops ops = {
    .create = create, .open = open_input, .fetch = fetch, .resume = resume, .destroy = destroy};

const hw_input_transport datagen_transport = {
    .struct_size = sizeof(hw_input_transport),
    .name = "datagen",
    .summary = "made-up rows, at a rate, by a plan",
    .capabilities = HW_CAP_ROWS,
    .options = options,
    .ops = &ops,
};
