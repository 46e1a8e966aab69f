/* pauser.c - measures how long a pause takes to be true.
 *
 * The clock stops in the acknowledgement's own callback, on the engine's thread:
 * what the waiting thread's wake-up costs is not the pause. After each
 * acknowledgement the connector's count and position are compared with those
 * that it gave: a pause that was not true is worse than a slow one. */
#include "cli/pauser.h"

#include "cli/cli.h"
#include "engine/manager.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct sample {
  char *endpoint;
  uint64_t records;
} sample;

struct pauser {
  hw_pipeline *pipeline;
  uint64_t interval_us;
  pthread_t thread;
  sem_t stop;
  /* the thread's, until it is joined: */
  sample *seen; /* per input, at the last look */
  uint32_t n_seen;
  double *times_us;
  pauser_result result;
};

/* One acknowledgement; the semaphore hands it from the engine's thread to ours. */
typedef struct ack {
  sem_t arrived;
  double at;
  hw_status status;
  uint64_t total_records;
  char *position;
} ack;

static void on_paused(void *arg, const hw_reply *reply) {
  ack *a = arg;
  a->at = cli_now();
  a->status = reply->status;
  a->total_records = reply->total_records;
  a->position = cli_strdup(reply->position ? reply->position : "");
  sem_post(&a->arrived);
}

static void wait_ack(ack *a) {
  while (sem_wait(&a->arrived) != 0 && errno == EINTR) continue;
}

/* ---- choosing ------------------------------------------------------------- */

static uint64_t *seen_records(pauser *ps, const char *endpoint) {
  for (uint32_t i = 0; i < ps->n_seen; i++)
    if (strcmp(ps->seen[i].endpoint, endpoint) == 0) return &ps->seen[i].records;
  ps->seen = cli_grow(ps->seen, (ps->n_seen + 1) * sizeof *ps->seen);
  ps->seen[ps->n_seen] = (sample){cli_strdup(endpoint), 0};
  return &ps->seen[ps->n_seen++].records;
}

/* The input that took in most rows since the last look, or NULL: none can be paused. */
static const connector_stats *busiest(pauser *ps, const pipeline_stats *now) {
  const connector_stats *best = NULL;
  uint64_t most = 0;
  for (uint32_t i = 0; i < now->n_inputs; i++) {
    const connector_stats *input = &now->inputs[i];
    uint64_t *last = seen_records(ps, input->endpoint);
    uint64_t grown = input->total_records - *last;
    *last = input->total_records;
    if (input->end_of_input || input->paused || (best && grown <= most)) continue;
    best = input;
    most = grown;
  }
  return best;
}

/* ---- one pause ------------------------------------------------------------ */

static void record(pauser *ps, double us) {
  ps->times_us = cli_grow(ps->times_us, (ps->result.n + 1) * sizeof *ps->times_us);
  ps->times_us[ps->result.n++] = us;
}

static void check_still(pauser *ps, const connector_stats *input, const char *table, const ack *a) {
  connector_stats now;
  hw_error err;
  if (pipeline_get_connector_stats(ps->pipeline, true, table, input->name, &now, &err) != HW_OK) return;
  if (now.total_records != a->total_records || strcmp(now.position ? now.position : "", a->position) != 0)
    ps->result.untrue++;
  connector_stats_fini(&now);
}

static void pause_once(pauser *ps, const connector_stats *input) {
  ack a = {0};
  hw_error err;
  if (sem_init(&a.arrived, 0, 0) != 0) return;
  char *table = cli_printf("\"%s\"", input->relation);
  double asked = cli_now();
  if (hw_connector_pause(ps->pipeline, table, input->name, on_paused, &a, &err) == HW_OK) {
    wait_ack(&a);
    if (a.status == HW_OK) {
      record(ps, (a.at - asked) * 1e6);
      check_still(ps, input, table, &a);
    } else {
      ps->result.failed++;
    }
    /* Refused only when the pipeline is ending: then nothing waits for it. */
    (void)hw_connector_start(ps->pipeline, table, input->name, NULL, NULL, &err);
  }
  free(a.position);
  free(table);
  sem_destroy(&a.arrived);
}

/* ---- the thread ----------------------------------------------------------- */

/* True: it is to go on. */
static bool wait_interval(pauser *ps) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  uint64_t ns = (uint64_t)until.tv_nsec + ps->interval_us * 1000;
  until.tv_sec += (time_t)(ns / 1000000000);
  until.tv_nsec = (long)(ns % 1000000000);
  while (sem_timedwait(&ps->stop, &until) != 0)
    if (errno == ETIMEDOUT) return true;
  return false;
}

static void *pauser_thread(void *arg) {
  pauser *ps = arg;
  while (wait_interval(ps)) {
    pipeline_stats now;
    hw_error err;
    if (pipeline_get_stats(ps->pipeline, false, &now, &err) != HW_OK) break;
    const connector_stats *input = busiest(ps, &now);
    if (input) pause_once(ps, input);
    pipeline_stats_fini(&now);
    if (!input) break;
  }
  return NULL;
}

pauser *pauser_start(hw_pipeline *p, uint64_t interval_us) {
  pauser *ps = cli_alloc(sizeof *ps);
  ps->pipeline = p;
  ps->interval_us = interval_us;
  if (sem_init(&ps->stop, 0, 0) == 0) {
    if (pthread_create(&ps->thread, NULL, pauser_thread, ps) == 0) return ps;
    sem_destroy(&ps->stop);
  }
  free(ps);
  return NULL;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The smallest time that at least share of all are not above. */
static double quantile(const double *sorted, size_t n, double share) {
  size_t rank = (size_t)(share * (double)n);
  return sorted[rank < n ? rank : n - 1];
}

void pauser_finish(pauser *ps, pauser_result *out) {
  sem_post(&ps->stop);
  pthread_join(ps->thread, NULL);
  size_t n = ps->result.n;
  if (n) {
    qsort(ps->times_us, n, sizeof *ps->times_us, compare);
    ps->result.p50_us = quantile(ps->times_us, n, 0.5);
    ps->result.p99_us = quantile(ps->times_us, n, 0.99);
    ps->result.max_us = ps->times_us[n - 1];
  }
  *out = ps->result;
  for (uint32_t i = 0; i < ps->n_seen; i++) free(ps->seen[i].endpoint);
  free(ps->seen);
  free(ps->times_us);
  sem_destroy(&ps->stop);
  free(ps);
}
