/* test_embed.c - Headworks inside this program, with everything real. */
#include <headworks/headworks.h>

#include <check.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hw_engine *engine;
static hw_error err;

static void quiet(void *arg, hw_log_level level, const char *line) {
  (void)arg;
  if (level == HW_LOG_ERROR && getenv("TEST_VERBOSE")) fprintf(stderr, "%s\n", line);
}

static void set_up(void) {
  hw_engine_options options = {.struct_size = sizeof options, .workers = 2, .log_level = HW_LOG_INFO, .log = quiet};
  engine = hw_engine_new(&options, &err);
  ck_assert_msg(engine != NULL, "%s", err.message);
}

static void tear_down(void) { hw_engine_free(engine); }

#define MUST(call) ck_assert_msg((call) == HW_OK, "%s: %s", #call, err.message)

static hw_pipeline *make(const char *name, const char *program) {
  hw_pipeline *p;
  MUST(hw_pipeline_create(engine, name, program, strlen(program), &p, &err));
  return p;
}

/* ---- what comes out ------------------------------------------------------ */

typedef struct tally {
  _Atomic int64_t rows, sum; /* of column 0, by weight */
} tally;

static void add_up(void *arg, const hw_batch *batch) {
  tally *t = arg;
  const int64_t *ids = batch->columns[0].values;
  for (uint32_t i = 0; i < hw_batch_count(batch); i++) {
    uint32_t row = hw_batch_row(batch, i);
    int64_t weight = hw_batch_weight(batch, row);
    atomic_fetch_add(&t->rows, weight);
    atomic_fetch_add(&t->sum, weight * ids[row]);
  }
}

static hw_listener *listen_to(hw_pipeline *p, const char *relation, tally *t) {
  hw_listener *l = hw_listener_open(p, relation, add_up, t, &err);
  ck_assert_msg(l != NULL, "%s", err.message);
  return l;
}

/* ---- rows pushed from here ----------------------------------------------- */

#define ROWS INT64_C(200000)

static const char plain[] = "CREATE TABLE t (id BIGINT NOT NULL, name VARCHAR);"
                            "CREATE VIEW even AS SELECT id, name FROM t WHERE id % 2 = 0;";

static int64_t fill(hw_batch *batch, int64_t id) {
  int64_t *ids = batch->columns[0].values;
  hw_str *names = batch->columns[1].values;
  for (; id < ROWS && batch->n_rows < batch->capacity; id++) {
    ids[batch->n_rows] = id;
    if (id % 3 == 0) {
      if (!hw_batch_copy_str(batch, "name", 4, &names[batch->n_rows])) break;
      hw_column_set_valid(&batch->columns[1], batch->n_rows);
    }
    batch->n_rows++;
  }
  return id;
}

static void push_all(hw_pipeline *p) {
  hw_producer *producer = hw_producer_open(p, "T", &err);
  ck_assert_msg(producer != NULL, "%s", err.message);
  for (int64_t id = 0; id < ROWS;) {
    hw_batch *batch = hw_producer_batch(producer);
    ck_assert_ptr_nonnull(batch);
    id = fill(batch, id);
    ck_assert_int_eq(hw_producer_push(producer, batch, -1), HW_OK);
  }
  hw_producer_close(producer);
}

START_TEST(rows_pushed_come_out) {
  tally table = {0}, view = {0};
  hw_pipeline *p = make("demo", plain);
  hw_listener *a = listen_to(p, "t", &table), *b = listen_to(p, "even", &view);
  for (int64_t run = 1; run <= 2; run++) {
    MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
    push_all(p);
    MUST(hw_pipeline_stop(p, false, NULL, NULL, &err));
    ck_assert_int_eq(atomic_load(&table.rows), run * ROWS);
    ck_assert_int_eq(atomic_load(&view.rows), run * ROWS / 2);
    ck_assert_int_eq(atomic_load(&view.sum), run * (ROWS / 2) * (ROWS / 2 - 1));
  }
  hw_listener_close(a);
  hw_listener_close(b);
  MUST(hw_pipeline_delete(p, &err));
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(what_was_pushed_makes_it_complete) {
  tally view = {0};
  hw_pipeline *p = make("demo", plain);
  hw_listener *l = listen_to(p, "even", &view);
  MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  push_all(p);
  MUST(hw_pipeline_wait(p, 30000, &err));
  ck_assert_int_eq(atomic_load(&view.rows), ROWS / 2);
  hw_listener_close(l); /* while it runs */
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_producer_of_a_stopped_pipeline_says_so) {
  hw_pipeline *p = make("demo", plain);
  ck_assert_ptr_null(hw_producer_open(p, "t", &err));
  ck_assert_str_eq(err.code, "PipelineInteractionNotDeployed");
  MUST(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &err));
  ck_assert_ptr_null(hw_producer_open(p, "even", &err));
  hw_producer *producer = hw_producer_open(p, "t", &err);
  ck_assert_ptr_nonnull(producer);
  hw_batch *batch = hw_producer_batch(producer);
  ck_assert_ptr_nonnull(batch);
  ck_assert_int_gt(fill(batch, ROWS - 5), ROWS - 5);
  MUST(hw_pipeline_stop(p, true, NULL, NULL, &err));
  ck_assert_int_eq(hw_producer_push(producer, batch, 0), HW_ESTATE);
  hw_producer_close(producer);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- connectors ---------------------------------------------------------- */

#define GENERATED "CREATE TABLE n (id BIGINT NOT NULL) WITH ('connectors' = '[{\"name\": \"gen\", \"transport\": " \
                  "{\"name\": \"datagen\", \"config\": {\"plan\": [{\"limit\": %s}]}}}]');"

static hw_pipeline *make_generated(const char *limit, const char *views) {
  char program[1000];
  int n = snprintf(program, sizeof program, GENERATED "%s", limit, views);
  ck_assert_int_lt(n, (int)sizeof program);
  return make("demo", program);
}

START_TEST(a_generator_runs_to_its_end) {
  tally view = {0};
  hw_pipeline *p = make_generated("50000", "CREATE VIEW v AS SELECT id * 2 FROM n;");
  hw_listener *l = listen_to(p, "v", &view);
  MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  MUST(hw_pipeline_wait(p, 30000, &err));
  ck_assert_int_eq(atomic_load(&view.rows), 50000);
  ck_assert_int_eq(atomic_load(&view.sum), INT64_C(50000) * 49999);
  MUST(hw_pipeline_stop(p, false, NULL, NULL, &err));
  hw_listener_close(l);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_filter_may_pass_nearly_all_of_a_batch) {
  tally view = {0};
  hw_pipeline *p = make_generated("100000", "CREATE VIEW v AS SELECT id + 1 FROM n WHERE id > 5;");
  hw_listener *l = listen_to(p, "v", &view);
  MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  MUST(hw_pipeline_wait(p, 30000, &err));
  ck_assert_int_eq(atomic_load(&view.rows), 100000 - 6);
  ck_assert_int_eq(atomic_load(&view.sum), INT64_C(50000) * 100001 - 21);
  hw_listener_close(l);
  hw_pipeline_unref(p);
}
END_TEST

typedef struct paused {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool there;
  hw_status status;
  uint64_t epoch, total_records;
} paused;

static void on_paused(void *arg, const hw_reply *reply) {
  paused *s = arg;
  pthread_mutex_lock(&s->lock);
  s->status = reply->status;
  s->epoch = reply->epoch;
  s->total_records = reply->total_records;
  s->there = true;
  pthread_cond_signal(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

static paused pause_generator(hw_pipeline *p) {
  paused s = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  MUST(hw_connector_pause(p, "N", "gen", on_paused, &s, &err));
  pthread_mutex_lock(&s.lock);
  while (!s.there) pthread_cond_wait(&s.changed, &s.lock);
  pthread_mutex_unlock(&s.lock);
  ck_assert_int_eq(s.status, HW_OK);
  return s;
}

START_TEST(a_pause_holds_its_count) {
  hw_pipeline *p = make_generated("1000000000", "CREATE VIEW v AS SELECT id FROM n;");
  MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  uint64_t epoch = 0, before = 0;
  for (unsigned i = 0; i < 50; i++) {
    paused first = pause_generator(p), again = pause_generator(p);
    ck_assert_uint_gt(first.epoch, epoch);
    ck_assert_uint_ge(first.total_records, before);
    ck_assert_uint_eq(again.total_records, first.total_records);
    epoch = again.epoch;
    before = first.total_records;
    MUST(hw_connector_start(p, "n", "gen", NULL, NULL, &err));
  }
  MUST(hw_pipeline_pause(p, NULL, NULL, &err));
  MUST(hw_pipeline_resume(p, NULL, NULL, &err));
  ck_assert_int_eq(hw_connector_start(p, "n", "nobody", NULL, NULL, &err), HW_ENOTFOUND);
  MUST(hw_pipeline_stop(p, true, NULL, NULL, &err));
  hw_pipeline_unref(p);
}
END_TEST

static unsigned count_lines(const char *path) {
  FILE *f = fopen(path, "r");
  ck_assert_ptr_nonnull(f);
  unsigned n = 0;
  for (int c; (c = getc(f)) != EOF;) n += c == '\n';
  fclose(f);
  return n;
}

START_TEST(a_stop_writes_what_was_fetched) {
  char path[] = "/tmp/headworks-embed-XXXXXX", views[400];
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  close(fd);
  snprintf(views, sizeof views,
           "CREATE VIEW v WITH ('connectors' = '[{\"name\": \"out\", \"transport\": {\"name\": \"file_output\", "
           "\"config\": {\"path\": \"%s\"}}, \"format\": {\"name\": \"json\"}}]') AS SELECT id FROM n;", path);
  hw_pipeline *p = make_generated("20000", views);
  MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  hw_engine_reopen(engine);
  MUST(hw_pipeline_wait(p, 30000, &err));
  MUST(hw_pipeline_stop(p, false, NULL, NULL, &err));
  ck_assert_uint_eq(count_lines(path), 20000);
  hw_pipeline_unref(p);
  unlink(path);
}
END_TEST

/* ---- what goes wrong ----------------------------------------------------- */

START_TEST(faults_of_a_program_are_told) {
  static const char bad[] = "CREATE TABLE t (id BIGINT NOT NULL);\nCREATE VIEW v AS SELECT nothing FROM t;";
  hw_pipeline *p;
  ck_assert_int_eq(hw_pipeline_create(engine, "demo", bad, strlen(bad), &p, &err), HW_ECOMPILE);
  ck_assert_ptr_null(p);
  ck_assert_msg(strstr(err.message, "line 2") && strstr(err.message, "nothing"), "%s", err.message);
}
END_TEST

START_TEST(a_missing_file_fails_the_start) {
  hw_pipeline *p = make("demo", "CREATE TABLE t (id BIGINT) WITH ('connectors' = '[{\"name\": \"in\", \"transport\": "
                                "{\"name\": \"file_input\", \"config\": {\"path\": \"/nowhere/at/all.json\"}}, "
                                "\"format\": {\"name\": \"json\"}}]');");
  ck_assert_int_ne(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK);
  ck_assert_msg(strstr(err.message, "t.in") && strstr(err.message, "/nowhere/at/all.json"), "%s", err.message);
  ck_assert_int_ne(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err), HW_OK); /* and again */
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_failing_expression_stops_the_pipeline) {
  hw_pipeline *p = make_generated("1000", "CREATE VIEW v AS SELECT 100 / (id - 500) AS q FROM n;");
  tally view = {0};
  hw_listener *l = listen_to(p, "v", &view);
  hw_status status = hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err); /* which may be slower than the failure */
  if (status == HW_OK) status = hw_pipeline_wait(p, 30000, &err);
  ck_assert_int_eq(status, HW_EEVAL);
  ck_assert_msg(strstr(err.message, "zero") != NULL, "%s", err.message);
  ck_assert_int_eq(hw_pipeline_pause(p, NULL, NULL, &err), HW_ESTATE);
  hw_listener_close(l);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(an_engine_ends_under_load) {
  for (unsigned i = 0; i < 5; i++) {
    char name[20];
    snprintf(name, sizeof name, "p%u", i);
    hw_pipeline *p;
    char program[1000];
    snprintf(program, sizeof program, GENERATED "CREATE VIEW v AS SELECT id + 1 FROM n;", "1000000000");
    MUST(hw_pipeline_create(engine, name, program, strlen(program), &p, &err));
    MUST(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
    if (i == 2) MUST(hw_pipeline_pause(p, NULL, NULL, &err));
    hw_pipeline_unref(p);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("embed");
  TCase *tc = tcase_create("embed");
  tcase_add_checked_fixture(tc, set_up, tear_down);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, rows_pushed_come_out);
  tcase_add_test(tc, what_was_pushed_makes_it_complete);
  tcase_add_test(tc, a_producer_of_a_stopped_pipeline_says_so);
  tcase_add_test(tc, a_generator_runs_to_its_end);
  tcase_add_test(tc, a_filter_may_pass_nearly_all_of_a_batch);
  tcase_add_test(tc, a_pause_holds_its_count);
  tcase_add_test(tc, a_stop_writes_what_was_fetched);
  tcase_add_test(tc, faults_of_a_program_are_told);
  tcase_add_test(tc, a_missing_file_fails_the_start);
  tcase_add_test(tc, a_failing_expression_stops_the_pipeline);
  tcase_add_test(tc, an_engine_ends_under_load);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
