/* A deployment with transports made for the test: a counter that makes rows, a
 * script of bytes, and a sink that can refuse. */
#include "runtime/deployment_impl.h"
#include "runtime/program.h"
#include "tests/require.h"
#include "tests/sanitizers.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a place to wait for things ------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void tell(void) {
  pthread_mutex_lock(&lock);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

#define WAIT_UNTIL(condition)                                  \
  do {                                                         \
    pthread_mutex_lock(&lock);                                 \
    while (!(condition)) pthread_cond_wait(&changed, &lock);   \
    pthread_mutex_unlock(&lock);                               \
  } while (0)

/* ---- the counter: rows 0, 1, 2 … up to a limit ---------------------------- */

typedef struct counter {
  hw_connector *c;
  int64_t next;
} counter;

static int64_t counter_limit;
static _Atomic int counter_open_fails, counter_open_blocks, fetches, resumes, interrupts;

static hw_status counter_create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config;
  counter *k = calloc(1, sizeof *k);
  if (!k) return hw_error_set(err, HW_ENOMEM, "no memory");
  k->c = c;
  *instance = k;
  return HW_OK;
}

static hw_status counter_open(void *instance, hw_error *err) {
  (void)instance;
  tell();
  WAIT_UNTIL(!atomic_load(&counter_open_blocks));
  if (atomic_load(&counter_open_fails)) return hw_error_set(err, HW_EIO, "the counter is broken");
  return HW_OK;
}

static hw_fetch counter_fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  (void)args, (void)err;
  counter *k = instance;
  atomic_fetch_add(&fetches, 1);
  if (k->next >= counter_limit) return HW_FETCH_END;
  hw_batch *b = hw_input_batch(k->c);
  if (!b) return HW_FETCH_MORE;
  int64_t *values = b->columns[0].values;
  while (b->n_rows < b->capacity && k->next < counter_limit) values[b->n_rows++] = k->next++;
  char position[32];
  snprintf(position, sizeof position, "%lld", (long long)k->next);
  hw_input_set_position(k->c, position);
  hw_input_commit(k->c, b, b->n_rows);
  return HW_FETCH_MORE;
}

static void counter_resume(void *instance) {
  (void)instance;
  atomic_fetch_add(&resumes, 1);
}
static void counter_interrupt(void *instance) {
  (void)instance;
  atomic_fetch_add(&interrupts, 1);
  pthread_mutex_lock(&lock);
  atomic_store(&counter_open_blocks, 0);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static const hw_option no_options[] = {{0}};
static const hw_input_ops counter_ops = {counter_create, counter_open,      counter_fetch,
                                         counter_resume, counter_interrupt, free};
static const hw_input_transport counter_transport = {sizeof counter_transport, "counter",    "",  HW_CAP_ROWS,
                                                     no_options,               &counter_ops, NULL};

/* ---- a script of bytes, a few at a time ------------------------------------ */

static const char *script;
static size_t script_piece;
static bool script_cut;

typedef struct player {
  hw_connector *c;
  hw_stream *stream;
  size_t at;
} player;

static hw_status player_create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config, (void)err;
  player *p = calloc(1, sizeof *p);
  ck_assert_ptr_nonnull(p);
  p->c = c;
  *instance = p;
  return HW_OK;
}

static hw_fetch player_fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  (void)args, (void)err;
  player *p = instance;
  if (!p->stream) p->stream = hw_stream_open(p->c, "script", 0);
  size_t left = strlen(script) - p->at, room;
  if (!left) {
    hw_stream_close(p->stream, !script_cut);
    return HW_FETCH_END;
  }
  char *to = hw_stream_reserve(p->stream, script_piece, &room);
  if (!to) return HW_FETCH_MORE;
  if (room > left) room = left;
  memcpy(to, script + p->at, room);
  p->at += room;
  hw_status st = hw_stream_commit(p->stream, room, 0);
  ck_assert(st == HW_OK || st == HW_EAGAIN);
  return HW_FETCH_MORE;
}

static const hw_input_ops player_ops = {player_create, NULL, player_fetch, NULL, NULL, free};
static const hw_input_transport player_transport = {sizeof player_transport, "player",    "",  0,
                                                    no_options,              &player_ops, NULL};

/* A format: one integer per line; "x" is a bad record. */
static hw_status lines_create(const hw_config *config, const hw_schema *schema, void **parser, hw_error *err) {
  (void)config, (void)schema, (void)err;
  *parser = malloc(1);
  return *parser ? HW_OK : HW_ENOMEM;
}

static hw_status lines_parse(void *parser, const char *data, size_t len, bool final, hw_batch *b, hw_report *report,
                             size_t *consumed) {
  (void)parser;
  size_t at = 0;
  while (at < len && b->n_rows < b->capacity) {
    const char *nl = memchr(data + at, '\n', len - at);
    if (!nl && !final) break;
    size_t n = nl ? (size_t)(nl - data) - at : len - at;
    char *end;
    char text[32] = "";
    memcpy(text, data + at, n < 31 ? n : 31);
    long long v = strtoll(text, &end, 10);
    if (*end || !n)
      hw_report_bad(report, &(hw_bad_record){.start = data + at, .len = n, .tag = "number", .reason = "not a number"});
    else
      ((int64_t *)b->columns[0].values)[b->n_rows++] = v;
    at += n + (nl ? 1 : 0);
  }
  *consumed = at;
  return HW_OK;
}

static size_t lines_skip(void *parser, const char *data, size_t len) {
  (void)parser;
  const char *nl = memchr(data, '\n', len);
  return nl ? (size_t)(nl - data) + 1 : 0;
}

static hw_status lines_encode(void *encoder, const hw_batch *b, uint32_t first, size_t soft_limit, hw_bytes *out,
                              hw_report *report, uint32_t *taken) {
  (void)encoder, (void)report;
  uint32_t i = first;
  for (; i < hw_batch_count(b) && out->len < soft_limit; i++) {
    if (!hw_bytes_reserve(out, 32)) return HW_ENOMEM;
    long long v = ((int64_t *)b->columns[0].values)[hw_batch_row(b, i)];
    out->len += (size_t)snprintf(out->data + out->len, 32, "%lld\n", v);
  }
  *taken = i - first;
  return HW_OK;
}

static const hw_parser_ops lines_parser = {lines_create, lines_parse, lines_skip, free};
static const hw_encoder_ops lines_encoder = {lines_create, lines_encode, NULL, NULL, free};
static const hw_format lines_format = {sizeof lines_format, "lines",       "",             no_options,
                                       no_options,          &lines_parser, &lines_encoder, NULL,
                                       NULL,                NULL};

/* ---- a sink ---------------------------------------------------------------- */

static struct sink {
  char *data;
  size_t len, capacity;
  _Atomic int refuse; /* answer RETRY to that many calls; -1: WAIT until told */
  _Atomic int flushes, destroyed;
  hw_connector *c;
} sink;

static hw_status sink_create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config, (void)err;
  sink.c = c;
  *instance = &sink;
  return HW_OK;
}

static hw_write sink_write(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                           hw_error *err) {
  (void)instance, (void)args;
  int refuse = atomic_load(&sink.refuse);
  if (refuse < 0) return HW_WRITE_WAIT;
  size_t n = len > 1000 ? 1000 : len; /* in small portions */
  if (refuse > 0) n /= 2;
  if (sink.len + n > sink.capacity) {
    sink.capacity = (sink.len + n) * 2;
    sink.data = realloc(sink.data, sink.capacity);
    ck_assert_ptr_nonnull(sink.data);
  }
  memcpy(sink.data + sink.len, data, n);
  sink.len += n;
  *written = n;
  if (refuse > 0) {
    atomic_fetch_sub(&sink.refuse, 1);
    hw_error_set(err, HW_EIO, "the sink is full");
    return HW_WRITE_RETRY;
  }
  return HW_WRITE_OK;
}

static hw_write sink_flush(void *instance, const hw_write_args *args, hw_error *err) {
  (void)instance, (void)args, (void)err;
  atomic_fetch_add(&sink.flushes, 1);
  return HW_WRITE_OK;
}

static void sink_destroy(void *instance) {
  (void)instance;
  atomic_fetch_add(&sink.destroyed, 1);
}

static const hw_output_ops sink_ops = {sink_create, NULL, sink_write, NULL, sink_flush, NULL, NULL, sink_destroy};
static const hw_output_transport sink_transport = {sizeof sink_transport, "sink", "", 0, no_options, &sink_ops};

/* ---- a program and its deployment ------------------------------------------ */

static runtime *rt;
static program *prog;
static program_connector *connectors;
static deployment *dep;
static hw_error opened_error, failed_error, complete_error, stopped_error;
static _Atomic int opened, failed, complete, stopped;

static void keep(hw_error *to, _Atomic int *flag, const hw_error *err) {
  pthread_mutex_lock(&lock);
  if (err) *to = *err;
  atomic_fetch_add(flag, 1);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}
static void on_opened(void *arg, const hw_error *err) { (void)arg, keep(&opened_error, &opened, err); }
static void on_failed(void *arg, const hw_error *err) { (void)arg, keep(&failed_error, &failed, err); }
static void on_complete(void *arg, const hw_error *err) { (void)arg, keep(&complete_error, &complete, err); }
static void on_stopped(void *arg, const hw_error *err) { (void)arg, keep(&stopped_error, &stopped, err); }

static void no_log(void *arg, hw_log_level level, const char *line) { (void)arg, (void)level, (void)line; }

/* A table t(n BIGINT) with n_inputs inputs "0", "1", … and a sink. */
static uint64_t turn_us; /* 0: as long as usual */

static void make(const hw_input_transport *transport, const hw_format *format, uint32_t n_inputs) {
  hw_error err;
  runtime_options options = {.workers = 2, .log = no_log, .pause_timeout_us = 5000000, .turn_us = turn_us};
  rt = runtime_new(&options, &err);
  prog = program_new();
  program_relation *r = program_alloc(prog, sizeof *r);
  hw_field *f = program_alloc(prog, sizeof *f);
  *f = (hw_field){.name = "n", .type = {.id = HW_TYPE_BIGINT}};
  r->schema = (hw_schema){.name = "t", .n_fields = 1, .fields = f};
  prog->relations = r;
  prog->n_relations = 1;
  connectors = program_alloc(prog, (n_inputs + 1) * sizeof *connectors);
  for (uint32_t i = 0; i <= n_inputs; i++) {
    char name[16], endpoint[20];
    snprintf(name, sizeof name, "%u", i);
    snprintf(endpoint, sizeof endpoint, "t.%u", i);
    connectors[i] = (program_connector){.is_input = i < n_inputs, .max_queued_records = 1000000,
                                        .max_queued_bytes = 1000000000, .max_record_bytes = 64, .json = "{}"};
    connectors[i].name = program_strdup(prog, name, strlen(name));
    connectors[i].endpoint = program_strdup(prog, endpoint, strlen(endpoint));
    connectors[i].input = i < n_inputs ? transport : NULL;
    connectors[i].format = i < n_inputs ? format : &lines_format;
  }
  connectors[n_inputs].output = &sink_transport;
  prog->connectors = connectors;
  prog->n_connectors = n_inputs + 1;
}

static void deploy(void) {
  hw_error err = {0};
  deployment_events events = {
      .opened = on_opened, .failed = on_failed, .complete = on_complete, .stopped = on_stopped};
  dep = deployment_new(rt, "test", prog, &events, &err);
  ck_assert_msg(dep != NULL, "%s", err.message);
  deployment_open(dep);
}

static void stop(bool force) {
  deployment_stop(dep, force, sched_now_us() + 20000000);
  WAIT_UNTIL(atomic_load(&stopped));
  deployment_unref(dep);
  program_unref(prog);
  runtime_free(rt);
  free(sink.data);
}

static void run(void) {
  deploy();
  WAIT_UNTIL(atomic_load(&opened));
  ck_assert_int_eq(opened_error.status, HW_OK);
  deployment_control(dep, DEPLOYMENT_ALL, false, NULL, NULL);
}

/* The sink holds 0 .. n-1, once each, one per line and in order. */
static void check_sink_counts_to(int64_t n) {
  size_t at = 0;
  char text[32];
  for (int64_t i = 0; i < n; i++) {
    size_t len = (size_t)snprintf(text, sizeof text, "%lld\n", (long long)i);
    REQUIRE(at + len <= sink.len && memcmp(sink.data + at, text, len) == 0);
    at += len;
  }
  ck_assert_uint_eq(at, sink.len);
}

/* ---- a control call that is waited for -------------------------------------- */

typedef struct wait_reply {
  bool done;
  hw_status status;
  uint64_t epoch, total;
  char code[HW_ERROR_CODE_MAX];
} wait_reply;

static void on_reply(void *arg, const hw_reply *r) {
  wait_reply *w = arg;
  pthread_mutex_lock(&lock);
  w->status = r->status;
  w->epoch = r->epoch;
  w->total = r->total_records;
  if (r->error) memcpy(w->code, r->error->code, sizeof w->code);
  w->done = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static wait_reply call(uint32_t connector, bool pause) {
  wait_reply w = {0};
  deployment_control(dep, connector, pause, on_reply, &w);
  WAIT_UNTIL(w.done);
  return w;
}

static connector_stats stats_of(uint32_t connector) {
  connector_stats s;
  ck_assert_int_eq(deployment_connector_stats(dep, connector, true, &s), HW_OK);
  return s;
}

static uint64_t total_of(uint32_t connector) {
  connector_stats s = stats_of(connector);
  uint64_t total = s.total_records;
  connector_stats_fini(&s);
  return total;
}

/* ---- tests ----------------------------------------------------------------- */

START_TEST(all_rows_arrive_in_order) {
  counter_limit = 300000;
  make(&counter_transport, NULL, 1);
  run();
  WAIT_UNTIL(atomic_load(&complete));
  ck_assert_int_eq(complete_error.status, HW_OK);
  pipeline_stats s;
  ck_assert_int_eq(deployment_stats(dep, false, &s), HW_OK);
  ck_assert_uint_eq(s.total_input_records, 300000);
  ck_assert_uint_eq(s.total_completed_records, 300000);
  ck_assert_uint_eq(s.outputs[0].transmitted_records, 300000);
  ck_assert_uint_eq(s.outputs[0].transmitted_bytes, sink.len);
  ck_assert(s.complete && s.running && s.inputs[0].end_of_input && s.inputs[0].quiescent);
  pipeline_stats_fini(&s);
  check_sink_counts_to(300000);
  stop(false);
  ck_assert_int_ge(atomic_load(&sink.flushes), 1);
  ck_assert_int_eq(stopped_error.status, HW_OK);
}
END_TEST

START_TEST(nothing_is_fetched_unless_both_run) {
  counter_limit = INT64_MAX;
  make(&counter_transport, NULL, 2);
  connectors[1].paused = true;
  deploy();
  WAIT_UNTIL(atomic_load(&opened));
  ck_assert_uint_eq(total_of(0) + total_of(1), 0); /* pipeline paused */
  ck_assert_int_eq(call(1, false).status, HW_OK);
  ck_assert_int_eq(call(1, true).status, HW_OK);
  ck_assert_uint_eq(total_of(1), 0); /* both paused, and running in a paused pipeline */
  ck_assert_int_eq(atomic_load(&fetches), 0);
  ck_assert_int_eq(call(DEPLOYMENT_ALL, false).status, HW_OK);
  while (total_of(0) < 1000) sched_yield();
  ck_assert_uint_eq(total_of(1), 0); /* running pipeline, paused connector */
  call(1, false);
  while (total_of(1) < 1000) sched_yield();
  call(DEPLOYMENT_ALL, true);
  uint64_t a = total_of(0), b = total_of(1);
  ck_assert(!deployment_running(dep));
  call(0, true);
  call(0, false);
  ck_assert_uint_eq(total_of(0), a);
  ck_assert_uint_eq(total_of(1), b);
  stop(true);
}
END_TEST

/* Clients race; every reply is written down under its epoch. Between a pause and
 * the next transition of that connector the total must not have moved. */
#define CALLS 2000
#define CLIENTS 4
typedef struct entry {
  uint64_t total;
  bool pause, seen;
} entry;
static entry journal[CALLS * CLIENTS + 2];

static void *client(void *arg) {
  uint32_t seed = (uint32_t)(uintptr_t)arg;
  for (int i = 0; i < CALLS; i++) {
    seed = seed * 1664525u + 1013904223u;
    bool pause = seed >> 31;
    wait_reply w = call(0, pause);
    ck_assert_int_eq(w.status, HW_OK);
    ck_assert(w.epoch >= 2 && w.epoch <= CALLS * CLIENTS + 1); /* 1: the pipeline's start */
    ck_assert(!journal[w.epoch].seen);
    journal[w.epoch] = (entry){.total = w.total, .pause = pause, .seen = true};
  }
  return NULL;
}

START_TEST(an_acknowledged_pause_is_true) {
  counter_limit = INT64_MAX;
  make(&counter_transport, NULL, 1);
  run();
  pthread_t threads[CLIENTS];
  for (uintptr_t i = 0; i < CLIENTS; i++) pthread_create(&threads[i], NULL, client, (void *)(i + 1));
  for (int i = 0; i < CLIENTS; i++) pthread_join(threads[i], NULL);
  bool moved = false;
  for (uint64_t e = 2; e <= CALLS * CLIENTS; e++) {
    ck_assert(journal[e].seen && journal[e + 1].seen);
    if (journal[e].pause)
      ck_assert_uint_eq(journal[e].total, journal[e + 1].total);
    else
      moved = moved || journal[e].total != journal[e + 1].total;
  }
  ck_assert(moved); /* or the test would prove nothing */
  stop(true);
}
END_TEST

START_TEST(pauses_lose_and_repeat_nothing) {
  counter_limit = 2000000;
  make(&counter_transport, NULL, 1);
  run();
  while (!atomic_load(&complete)) {
    uint64_t before = call(0, true).total;
    ck_assert_uint_eq(total_of(0), before);
    call(0, false);
    call(DEPLOYMENT_ALL, true);
    call(DEPLOYMENT_ALL, false);
  }
  ck_assert_int_ge(atomic_load(&resumes), 2);
  check_sink_counts_to(2000000);
  stop(false);
}
END_TEST

START_TEST(bounds_hold_while_the_sink_waits) {
  counter_limit = 100000;
  atomic_store(&sink.refuse, -1);
  make(&counter_transport, NULL, 1);
  connectors[0].max_queued_records = 100;
  connectors[1].max_queued_records = 150;
  run();
  while (1) { /* until it is held by backpressure, and the pipeline by the sink */
    connector_stats in = stats_of(0), out = stats_of(1);
    bool held = strstr(in.holds, "backpressure") && in.buffered_records == 100 && out.queued_records >= 150;
    ck_assert_uint_le(in.buffered_records, 100);
    ck_assert_uint_le(out.queued_records, 250);
    connector_stats_fini(&in);
    connector_stats_fini(&out);
    if (held) break;
    sched_yield();
  }
  ck_assert_uint_le(total_of(0), 350);
  atomic_store(&sink.refuse, 0);
  hw_connector_wake(sink.c);
  WAIT_UNTIL(atomic_load(&complete));
  check_sink_counts_to(100000);
  stop(false);
}
END_TEST

static uint32_t quiescent_inputs(void) {
  pipeline_stats s;
  ck_assert_int_eq(deployment_stats(dep, false, &s), HW_OK);
  uint32_t n = 0;
  for (uint32_t i = 0; i < s.n_inputs; i++) n += s.inputs[i].quiescent;
  pipeline_stats_fini(&s);
  return n;
}

#if SANITIZED_ADDRESS || SANITIZED_THREAD
#define SOURCES 4000u
#else
#define SOURCES 20000u
#endif

/* Ready all at once, behind a sink that waits: taking note of so many takes longer than a turn of
 * the pipeline. Each turn gets on nevertheless, and looks at those that it comes to only. */
START_TEST(thousands_of_sources_are_ready_at_once) {
  const uint32_t n = SOURCES;
  counter_limit = 1;
  atomic_store(&sink.refuse, -1);
  make(&counter_transport, NULL, n);
  for (uint32_t i = 0; i < n; i++) connectors[i].paused = true;
  run();
  for (uint32_t i = 0; i < n; i++) deployment_control(dep, i * 1237 % n, false, NULL, NULL); /* far from each other */
  while (atomic_load(&fetches) < 2 * (int)n) sched_yield(); /* each has brought its row, and ended */
  ck_assert_uint_eq(quiescent_inputs(), 0);
  uint64_t wakeups = atomic_load(&dep->wakeups);
  atomic_store(&sink.refuse, 0);
  hw_connector_wake(sink.c);
  WAIT_UNTIL(atomic_load(&complete));
  ck_assert_uint_eq(quiescent_inputs(), n);
  ck_assert_uint_eq(sink.len, strlen("0\n") * n);
  ck_assert_uint_le(atomic_load(&dep->wakeups) - wakeups, n);
  stop(false);
}
END_TEST

/* Turns that end at once leave sources to the next one, also those that have nothing any more,
 * while the sink holds all of them up again and again. */
START_TEST(no_source_is_left_behind) {
  turn_us = 1;
  counter_limit = 20000;
  make(&counter_transport, NULL, 8);
  run();
  while (!atomic_load(&complete)) {
    atomic_store(&sink.refuse, -1);
    sched_yield();
    atomic_store(&sink.refuse, 0);
    hw_connector_wake(sink.c);
  }
  stop(false);
}
END_TEST

START_TEST(a_sink_that_fails_for_a_time_loses_nothing) {
  counter_limit = 5000;
  atomic_store(&sink.refuse, 2);
  make(&counter_transport, NULL, 1);
  run();
  WAIT_UNTIL(atomic_load(&complete));
  connector_stats s = stats_of(1);
  ck_assert_uint_eq(s.num_transport_errors, 2);
  ck_assert_uint_eq(s.recovered_errors, 2);
  ck_assert_uint_eq(s.transport_errors.n, 2);
  ck_assert_ptr_nonnull(strstr(s.transport_errors.items[0].message, "the sink is full"));
  ck_assert(s.healthy);
  connector_stats_fini(&s);
  check_sink_counts_to(5000);
  stop(false);
}
END_TEST

START_TEST(a_stop_drains_what_was_taken_in) {
  counter_limit = INT64_MAX;
  make(&counter_transport, NULL, 1);
  run();
  while (total_of(0) < 100000) sched_yield();
  deployment_stop(dep, false, sched_now_us() + 20000000);
  WAIT_UNTIL(atomic_load(&stopped));
  ck_assert_int_eq(stopped_error.status, HW_OK);
  check_sink_counts_to((int64_t)total_of(0));
  wait_reply w = call(DEPLOYMENT_ALL, false);
  ck_assert_int_eq(w.status, HW_ESTATE);
  deployment_unref(dep);
  program_unref(prog);
  runtime_free(rt);
  free(sink.data);
}
END_TEST

START_TEST(a_stop_gives_up_at_its_deadline) {
  counter_limit = INT64_MAX;
  atomic_store(&sink.refuse, -1);
  make(&counter_transport, NULL, 1);
  run();
  while (total_of(0) < 1000) sched_yield();
  deployment_stop(dep, false, sched_now_us() + 50000);
  WAIT_UNTIL(atomic_load(&stopped));
  ck_assert_int_eq(stopped_error.status, HW_ETIMEOUT);
  ck_assert_ptr_nonnull(strstr(stopped_error.message, "t.1"));
  ck_assert_int_eq(atomic_load(&sink.destroyed), 1);
  deployment_unref(dep);
  program_unref(prog);
  runtime_free(rt);
}
END_TEST

START_TEST(a_connector_that_cannot_open_is_named) {
  counter_limit = 10;
  atomic_store(&counter_open_fails, 1);
  make(&counter_transport, NULL, 1);
  deploy();
  WAIT_UNTIL(atomic_load(&opened));
  ck_assert_int_eq(opened_error.status, HW_EIO);
  ck_assert_ptr_nonnull(strstr(opened_error.message, "t.0"));
  ck_assert_ptr_nonnull(strstr(opened_error.message, "the counter is broken"));
  stop(true);
}
END_TEST

START_TEST(a_stop_interrupts_an_open_that_blocks) {
  atomic_store(&counter_open_blocks, 1);
  make(&counter_transport, NULL, 1);
  deploy();
  stop(false);
  ck_assert_int_eq(atomic_load(&opened), 0);
}
END_TEST

START_TEST(start_after_waits_for_the_end_and_leaves_the_user_alone) {
  counter_limit = 50000;
  make(&counter_transport, NULL, 3);
  static const char *label[] = {"first"};
  connectors[0].labels = label;
  connectors[0].n_labels = 1;
  for (int i = 1; i <= 2; i++) {
    connectors[i].start_after = label;
    connectors[i].n_start_after = 1;
  }
  deploy();
  WAIT_UNTIL(atomic_load(&opened));
  call(2, true); /* the user's own pause */
  call(0, true);
  call(DEPLOYMENT_ALL, false);
  call(1, false); /* does not lift start_after */
  ck_assert_uint_eq(total_of(1), 0);
  call(0, false);
  while (total_of(1) < 50000) sched_yield();
  ck_assert_uint_eq(total_of(0), 50000);
  ck_assert_uint_eq(total_of(2), 0);
  connector_stats s = stats_of(2);
  ck_assert_str_eq(s.holds, "user");
  connector_stats_fini(&s);
  call(2, false);
  WAIT_UNTIL(atomic_load(&complete));
  ck_assert_uint_eq(total_of(2), 50000);
  stop(false);
}
END_TEST

static void play(const char *text, size_t piece, bool cut) {
  script = text;
  script_piece = piece;
  script_cut = cut;
  make(&player_transport, &lines_format, 1);
  run();
  WAIT_UNTIL(atomic_load(&complete));
}

START_TEST(records_cut_anywhere_are_put_together) {
  play("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12", (size_t)_i, false);
  check_sink_counts_to(13);
  connector_stats s = stats_of(0);
  ck_assert_str_eq(s.position, "script@28");
  ck_assert_uint_eq(s.total_bytes, 28);
  ck_assert_uint_eq(s.num_parse_errors, 0);
  connector_stats_fini(&s);
  stop(false);
}
END_TEST

START_TEST(bad_records_are_kept_apart) {
  play("0\nx\n1\n\n2", 3, false);
  check_sink_counts_to(3);
  connector_stats s = stats_of(0);
  ck_assert_uint_eq(s.num_parse_errors, 2);
  ck_assert_str_eq(s.parse_errors.items[0].message, "not a number at script@2: x");
  ck_assert_str_eq(s.parse_errors.items[0].tag, "number");
  connector_stats_fini(&s);
  stop(false);
}
END_TEST

START_TEST(a_record_too_long_is_passed_over) {
  play("0\n77777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777777\n1\n2\n", 10,
       false);
  check_sink_counts_to(3);
  connector_stats s = stats_of(0);
  ck_assert_uint_eq(s.num_parse_errors, 1);
  ck_assert_str_eq(s.parse_errors.items[0].tag, "too_long");
  connector_stats_fini(&s);
  stop(false);
}
END_TEST

START_TEST(a_record_cut_off_is_reported) {
  play("0\n1\n2", 100, true);
  check_sink_counts_to(2);
  connector_stats s = stats_of(0);
  ck_assert_uint_eq(s.num_parse_errors, 1);
  ck_assert_str_eq(s.parse_errors.items[0].tag, "truncated");
  connector_stats_fini(&s);
  stop(false);
}
END_TEST

/* ---- rows pushed and taken ------------------------------------------------- */

static _Atomic uint64_t heard;

static void listen_to(void *arg, const hw_batch *b) {
  (void)arg;
  atomic_fetch_add(&heard, hw_batch_count(b));
}

START_TEST(a_producer_pushes_and_a_listener_hears) {
  hw_error err;
  counter_limit = 0;
  make(&counter_transport, NULL, 1);
  run();
  hw_producer *p = deployment_producer(dep, 0, &err);
  deployment_listener *l = deployment_listen(dep, 0, listen_to, NULL, &err);
  ck_assert(p && l);
  for (int64_t n = 0; n < 100000;) {
    hw_batch *b = hw_producer_batch(p);
    ck_assert_ptr_nonnull(b);
    while (b->n_rows < 1000) ((int64_t *)b->columns[0].values)[b->n_rows++] = n++;
    ck_assert_int_eq(hw_producer_push(p, b, -1), HW_OK);
  }
  atomic_store(&complete, 0); /* it was complete before there was a producer, maybe */
  hw_producer_close(p);
  WAIT_UNTIL(atomic_load(&complete));
  check_sink_counts_to(100000);
  ck_assert_uint_eq(atomic_load(&heard), 100000);
  deployment_unlisten(l);
  stop(false);
}
END_TEST

START_TEST(a_producer_that_waits_is_told_of_the_stop) {
  hw_error err;
  counter_limit = 0;
  atomic_store(&sink.refuse, -1);
  make(&counter_transport, NULL, 1);
  connectors[1].max_queued_records = 10;
  run();
  hw_producer *p = deployment_producer(dep, 0, &err);
  hw_status st = HW_OK;
  while (st == HW_OK) {
    hw_batch *b = hw_producer_batch(p);
    ck_assert_ptr_nonnull(b);
    while (b->n_rows < b->capacity) ((int64_t *)b->columns[0].values)[b->n_rows++] = 1;
    st = hw_producer_push(p, b, 20);
  }
  ck_assert_int_eq(st, HW_ETIMEOUT);
  deployment_stop(dep, true, 0);
  WAIT_UNTIL(atomic_load(&stopped));
  hw_batch *b = hw_producer_batch(p);
  ck_assert_int_eq(hw_producer_push(p, b, -1), HW_ESTATE);
  hw_producer_close(p);
  deployment_unref(dep);
  program_unref(prog);
  runtime_free(rt);
}
END_TEST

int main(void) {
  Suite *s = suite_create("deployment");
  TCase *t = tcase_create("deployment");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, all_rows_arrive_in_order);
  tcase_add_test(t, nothing_is_fetched_unless_both_run);
  tcase_add_test(t, an_acknowledged_pause_is_true);
  tcase_add_test(t, pauses_lose_and_repeat_nothing);
  tcase_add_test(t, bounds_hold_while_the_sink_waits);
  tcase_add_test(t, thousands_of_sources_are_ready_at_once);
  tcase_add_loop_test(t, no_source_is_left_behind, 0, 10);
  tcase_add_test(t, a_sink_that_fails_for_a_time_loses_nothing);
  tcase_add_test(t, a_stop_drains_what_was_taken_in);
  tcase_add_test(t, a_stop_gives_up_at_its_deadline);
  tcase_add_test(t, a_connector_that_cannot_open_is_named);
  tcase_add_test(t, a_stop_interrupts_an_open_that_blocks);
  tcase_add_test(t, start_after_waits_for_the_end_and_leaves_the_user_alone);
  tcase_add_loop_test(t, records_cut_anywhere_are_put_together, 1, 29);
  tcase_add_test(t, bad_records_are_kept_apart);
  tcase_add_test(t, a_record_too_long_is_passed_over);
  tcase_add_test(t, a_record_cut_off_is_reported);
  tcase_add_test(t, a_producer_pushes_and_a_listener_hears);
  tcase_add_test(t, a_producer_that_waits_is_told_of_the_stop);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
