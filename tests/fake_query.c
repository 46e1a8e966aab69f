/* fake_query.c - engine/query.h for tests of the API: a thread per query, which
 * gives rows (n BIGINT, text VARCHAR) as its text asks:
 *
 *     rows N        the numbers 0 .. N-1, a hundred a batch
 *     fail N        the same, then an error
 *     refuse        an error before anything else
 *     wait          nothing, until it is cancelled */
#include "engine/query.h"
#include "tests/fake_manager.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct pipeline_query {
  _Atomic unsigned refs;
  char *sql;
  query_events events;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool may_go_on, cancelled;
};

_Atomic uint64_t fake_query_rows;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fewer = PTHREAD_COND_INITIALIZER;
static unsigned queries; /* protected by lock, as the next two */
#define THREADS_MAX 256
static pthread_t threads[THREADS_MAX];
static unsigned n_threads;

static void count(int more) {
  pthread_mutex_lock(&lock);
  queries += (unsigned)more;
  pthread_cond_broadcast(&fewer);
  pthread_mutex_unlock(&lock);
}

void fake_wait_no_query(void) {
  pthread_mutex_lock(&lock);
  while (queries) pthread_cond_wait(&fewer, &lock);
  unsigned n = n_threads;
  n_threads = 0;
  pthread_mutex_unlock(&lock);
  for (unsigned i = 0; i < n; i++) pthread_join(threads[i], NULL);
}

static const hw_field fields[] = {{.name = "n", .type = {.id = HW_TYPE_BIGINT}},
                                  {.name = "text", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}}};
static const hw_schema schema = {.name = "query", .n_fields = 2, .fields = fields};

pipeline_query *pipeline_query_new(hw_pipeline *p, const char *sql, size_t len, const query_events *events,
                                   hw_error *err) {
  (void)p, (void)err;
  pipeline_query *q = calloc(1, sizeof *q);
  ck_assert_ptr_nonnull(q);
  q->refs = 2;
  q->sql = strndup(sql, len);
  q->events = *events;
  pthread_mutex_init(&q->lock, NULL);
  pthread_cond_init(&q->changed, NULL);
  count(1);
  return q;
}

void pipeline_query_unref(pipeline_query *q) {
  if (!q || atomic_fetch_sub(&q->refs, 1) != 1) return;
  pthread_mutex_destroy(&q->lock);
  pthread_cond_destroy(&q->changed);
  free(q->sql);
  free(q);
  count(-1);
}

/* Until told to go on, or cancelled: then false. */
static bool hold(pipeline_query *q) {
  pthread_mutex_lock(&q->lock);
  while (!q->may_go_on && !q->cancelled) pthread_cond_wait(&q->changed, &q->lock);
  q->may_go_on = false;
  bool go_on = !q->cancelled;
  pthread_mutex_unlock(&q->lock);
  return go_on;
}

static bool give_rows(pipeline_query *q, int64_t n) {
  static const char text[] = "some text that takes a few dozen bytes of the reply";
  bool go_on = true;
  for (int64_t first = 0; first < n && go_on;) {
    int64_t numbers[100];
    hw_str texts[100];
    uint64_t valid[2] = {~UINT64_C(2), ~UINT64_C(0)}; /* the second of each hundred is NULL */
    hw_column columns[] = {{.values = numbers}, {.values = texts, .validity = valid}};
    hw_batch b = {.capacity = 100, .n_columns = 2, .columns = columns, .schema = &schema};
    for (; b.n_rows < 100 && first < n; b.n_rows++, first++) {
      numbers[b.n_rows] = first;
      texts[b.n_rows] = (hw_str){.data = text, .len = sizeof text - 1};
    }
    atomic_fetch_add(&fake_query_rows, b.n_rows);
    go_on = q->events.rows(q->events.arg, &b) || hold(q);
  }
  return go_on;
}

static void *run(void *arg) {
  pipeline_query *q = arg;
  hw_error err = {0};
  long n = strchr(q->sql, ' ') ? atol(strchr(q->sql, ' ')) : 0;
  bool refused = strcmp(q->sql, "refuse") == 0, waits = strcmp(q->sql, "wait") == 0;
  if (refused) hw_error_code(&err, HW_ECOMPILE, "AdHocQueryError", "Error at line 1, column 1: no");
  else q->events.begin(q->events.arg, &schema);
  if (waits) (void)hold(q);
  else if (!refused && give_rows(q, n) && strncmp(q->sql, "fail", 4) == 0)
    hw_error_code(&err, HW_EEVAL, "AdHocQueryError", "it \"failed\"");
  q->events.done(q->events.arg, err.status == HW_OK ? NULL : &err);
  pipeline_query_unref(q);
  return NULL;
}

void pipeline_query_start(pipeline_query *q) {
  pthread_mutex_lock(&lock);
  ck_assert_uint_lt(n_threads, THREADS_MAX);
  ck_assert_int_eq(pthread_create(&threads[n_threads++], NULL, run, q), 0);
  pthread_mutex_unlock(&lock);
}

static void change(pipeline_query *q, bool *flag) {
  pthread_mutex_lock(&q->lock);
  *flag = true;
  pthread_cond_broadcast(&q->changed);
  pthread_mutex_unlock(&q->lock);
}

void pipeline_query_continue(pipeline_query *q) { change(q, &q->may_go_on); }
void pipeline_query_cancel(pipeline_query *q) { change(q, &q->cancelled); }
