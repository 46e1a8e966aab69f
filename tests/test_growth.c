/* Steps that take long, since views make much of little: who comes, goes and stops meanwhile. With everything real. */
#include <headworks/headworks.h>

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static hw_engine *engine;
static hw_error err;

#define MUST(call) ck_assert_msg((call) == HW_OK, "%s: %s", #call, err.message)

static void quiet(void *arg, hw_log_level level, const char *line) { (void)arg, (void)level, (void)line; }

static void make_engine(uint64_t memory, uint32_t drain_ms) {
  hw_engine_options options = {.struct_size = sizeof options, .workers = 2, .log = quiet, .memory_limit = memory,
                               .drain_timeout_ms = drain_ms};
  engine = hw_engine_new(&options, &err);
  ck_assert_msg(engine != NULL, "%s", err.message);
}

static hw_pipeline *start(const char *program) {
  hw_pipeline *p;
  MUST(hw_pipeline_create(engine, "p", program, strlen(program), &p, &err));
  MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  return p;
}

/* ---- what comes out ------------------------------------------------------ */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

typedef struct heard {
  uint64_t rows; /* protected by the lock */
  int64_t first; /* the first row's id */
} heard;

static void hear(void *arg, const hw_batch *b) {
  heard *h = arg;
  pthread_mutex_lock(&lock);
  if (!h->rows) h->first = ((int64_t *)b->columns[0].values)[hw_batch_row(b, 0)];
  h->rows += hw_batch_count(b);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void wait_for_rows(const heard *h, uint64_t rows) {
  pthread_mutex_lock(&lock);
  while (h->rows < rows) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
}

static hw_listener *listen_to(hw_pipeline *p, const char *relation, heard *h) {
  hw_listener *l = hw_listener_open(p, relation, hear, h, &err);
  ck_assert_msg(l != NULL, "%s", err.message);
  return l;
}

/* One batch of rows with ids from `first`. */
static uint32_t push(hw_producer *producer, int64_t first) {
  hw_batch *b = hw_producer_batch(producer);
  ck_assert_ptr_nonnull(b);
  for (; b->n_rows < b->capacity; b->n_rows++) {
    ((int64_t *)b->columns[0].values)[b->n_rows] = first + b->n_rows;
    ck_assert(hw_batch_copy_str(b, "text", 4, &((hw_str *)b->columns[1].values)[b->n_rows]));
  }
  uint32_t rows = b->n_rows;
  ck_assert_int_eq(hw_producer_push(producer, b, -1), HW_OK);
  return rows;
}

/* t, and views v0 .. v(n-1), each of strings twice as long as the one before; `tail` is put at the end. */
static const char *doubled(int n, const char *tail) {
  static char text[8192];
  int len = snprintf(text, sizeof text, "CREATE TABLE t(id BIGINT NOT NULL, s VARCHAR NOT NULL);");
  for (int i = 0; i < n; i++) {
    char from[20] = "t";
    if (i) snprintf(from, sizeof from, "v%d", i - 1);
    len += snprintf(text + len, sizeof text - (size_t)len, "CREATE VIEW v%d AS SELECT id, s || s AS s FROM %s;", i,
                    from);
  }
  ck_assert_int_lt(len + (int)strlen(tail), (int)sizeof text);
  memcpy(text + len, tail, strlen(tail) + 1);
  return text;
}

/* ---- coming and going ---------------------------------------------------- */

static void *read_all(void *arg) {
  char piece[65536];
  int fd = *(int *)arg;
  while (read(fd, piece, sizeof piece) > 0) {}
  return NULL;
}

/* A step that waits for an output which nobody reads: who comes then hears nothing of it, but of the next, and who was
 * there may go. */
START_TEST(listeners_come_between_steps_and_go_at_any_time) {
  char directory[] = "/tmp/headworks.XXXXXX", fifo[60], tail[400];
  ck_assert_ptr_nonnull(mkdtemp(directory));
  snprintf(fifo, sizeof fifo, "%s/fifo", directory);
  ck_assert_int_eq(mkfifo(fifo, 0600), 0);
  int fd = open(fifo, O_RDONLY | O_NONBLOCK);
  ck_assert_int_eq(fcntl(fd, F_SETFL, 0), 0);
  snprintf(tail, sizeof tail,
           "CREATE VIEW last WITH ('connectors' = '[{\"transport\": {\"name\": \"file_output\", \"config\": {\"path\": "
           "\"%s\"}}, \"format\": {\"name\": \"json\"}}]') AS SELECT id, s FROM v9;", fifo);
  make_engine(UINT64_C(8) << 20, 30000);
  hw_pipeline *p = start(doubled(10, tail));
  heard table = {0}, before = {0}, during = {0};
  hw_listener *a = listen_to(p, "t", &table), *b = listen_to(p, "last", &before);
  hw_producer *producer = hw_producer_open(p, "t", &err);
  ck_assert_ptr_nonnull(producer);
  uint64_t rows = push(producer, 0);
  wait_for_rows(&before, 1); /* some of the rows have come out, and the rest cannot */
  hw_listener *c = listen_to(p, "last", &during);
  hw_listener_close(b);
  ck_assert_uint_lt(before.rows, rows);
  pthread_t reader;
  ck_assert_int_eq(pthread_create(&reader, NULL, read_all, &fd), 0);
  uint64_t more = push(producer, 1000000);
  wait_for_rows(&during, more);
  hw_producer_close(producer);
  MUST(hw_pipeline_stop(p, false, NULL, NULL, &err));
  pthread_join(reader, NULL);
  ck_assert_uint_eq(table.rows, rows + more);
  ck_assert_uint_eq(during.rows, more);
  ck_assert_int_eq(during.first, 1000000);
  hw_listener_close(a);
  hw_listener_close(c);
  hw_pipeline_unref(p);
  hw_engine_free(engine);
  close(fd);
  unlink(fifo);
  rmdir(directory);
}
END_TEST

/* ---- stops --------------------------------------------------------------- */

/* A pipeline in the midst of a step of some seconds: gigabytes are made and looked at. */
static hw_pipeline *start_long_step(heard *table, hw_listener **l) {
  hw_pipeline *p = start(doubled(18, "CREATE VIEW slow AS SELECT id FROM v17 WHERE LOWER(s) LIKE '%a%b%c%d%e%f%g%';"
                                     "CREATE VIEW seen AS SELECT id FROM slow;"));
  static heard nobody;
  *l = listen_to(p, "seen", &nobody);
  hw_listener *on_table = listen_to(p, "t", table);
  hw_producer *producer = hw_producer_open(p, "t", &err);
  ck_assert_ptr_nonnull(producer);
  push(producer, 0);
  hw_producer_close(producer);
  wait_for_rows(table, 1);
  hw_listener_close(on_table); /* it goes in the midst of it */
  return p;
}

START_TEST(a_deadline_names_the_step_that_did_not_end) {
  heard table = {0};
  hw_listener *l;
  make_engine(UINT64_C(64) << 20, 100);
  hw_pipeline *p = start_long_step(&table, &l);
  ck_assert_int_eq(hw_pipeline_stop(p, false, NULL, NULL, &err), HW_ETIMEOUT);
  ck_assert_msg(strstr(err.message, "the stop's deadline passed while view") != NULL, "%s", err.message);
  ck_assert_msg(strstr(err.message, "rows of \"t\"") != NULL, "%s", err.message);
  hw_listener_close(l);
  hw_pipeline_unref(p);
  hw_engine_free(engine);
}
END_TEST

START_TEST(a_stop_by_force_leaves_the_step) {
  heard table = {0};
  hw_listener *l;
  make_engine(UINT64_C(64) << 20, 600000);
  hw_pipeline *p = start_long_step(&table, &l);
  MUST(hw_pipeline_stop(p, true, NULL, NULL, &err));
  hw_listener_close(l);
  MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err)); /* it starts afresh */
  MUST(hw_pipeline_stop(p, false, NULL, NULL, &err));
  hw_pipeline_unref(p);
  hw_engine_free(engine);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("growth");
  TCase *t = tcase_create("growth");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, listeners_come_between_steps_and_go_at_any_time);
  tcase_add_test(t, a_deadline_names_the_step_that_did_not_end);
  tcase_add_test(t, a_stop_by_force_leaves_the_step);
  suite_add_tcase(suite, t);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? 1 : 0;
}
