#include "tests/runtime_fixture.h"
#include "tests/require.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

pthread_mutex_t fx_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t fx_changed = PTHREAD_COND_INITIALIZER;

void fx_tell(void) {
  pthread_mutex_lock(&fx_lock);
  pthread_cond_broadcast(&fx_changed);
  pthread_mutex_unlock(&fx_lock);
}

bool fx_listen(int ms) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  t.tv_nsec += (long)ms * 1000000;
  t.tv_sec += t.tv_nsec / 1000000000;
  t.tv_nsec %= 1000000000;
  return pthread_cond_timedwait(&fx_changed, &fx_lock, &t) == 0;
}

/* ---- sources --------------------------------------------------------------- */

fx_fetch *fx_fetches[FX_MOST];
fx_source *fx_sources[FX_MOST];
int64_t fx_limit;
const char *fx_text;
size_t fx_piece = 1000;
bool fx_bytes;

static uint32_t index_of(const hw_connector *c) { return (uint32_t)atoi(strchr(hw_connector_endpoint(c), '.') + 1); }

static hw_status source_create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config, (void)err;
  fx_source *s = calloc(1, sizeof *s);
  ck_assert_ptr_nonnull(s);
  s->c = c;
  s->index = index_of(c);
  s->limit = fx_limit;
  s->text = fx_text;
  s->piece = fx_piece;
  fx_sources[s->index] = s;
  *instance = s;
  return HW_OK;
}

static hw_fetch source_fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  fx_source *s = instance;
  atomic_fetch_add(&s->fetches, 1);
  fx_fetch *fetch = fx_fetches[s->index];
  return (fetch ? fetch : fx_bytes ? fx_play : fx_count)(s, args, err);
}

static void source_interrupt(void *instance) {
  pthread_mutex_lock(&fx_lock);
  atomic_fetch_add(&((fx_source *)instance)->interrupts, 1);
  pthread_cond_broadcast(&fx_changed);
  pthread_mutex_unlock(&fx_lock);
}

static void source_destroy(void *instance) {
  fx_sources[((fx_source *)instance)->index] = NULL;
  free(instance);
}

hw_fetch fx_count(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  (void)args, (void)err;
  if (s->next >= s->limit) return HW_FETCH_END;
  hw_batch *b = hw_input_batch(s->c);
  if (!b) return HW_FETCH_MORE;
  int64_t *values = b->columns[0].values;
  uint32_t from = b->n_rows;
  while (b->n_rows < b->capacity && s->next < s->limit) values[b->n_rows++] = s->index + FX_MOST * s->next++;
  hw_input_commit(s->c, b, b->n_rows - from);
  return HW_FETCH_MORE;
}

hw_fetch fx_play(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  (void)args, (void)err;
  if (!s->stream) s->stream = hw_stream_open(s->c, "s", 0);
  ck_assert_ptr_nonnull(s->stream);
  const char *from = s->text + s->at;
  if (!*from) {
    hw_stream_close(s->stream, true);
    return HW_FETCH_END;
  }
  size_t room, n = strcspn(from, "|");
  char *to = hw_stream_reserve(s->stream, s->piece, &room);
  if (!to) return HW_FETCH_MORE;
  ck_assert_uint_ge(room, 1);
  bool ends = n <= room && from[n] == '|';
  if (n > room) n = room;
  memcpy(to, from, n);
  s->at += n + ends;
  hw_status st = hw_stream_commit(s->stream, n, ends ? HW_MESSAGE_END : 0);
  ck_assert(st == HW_OK || st == HW_EAGAIN || st == HW_EPARSE);
  if (st != HW_EPARSE || strchr(s->text, '|')) return HW_FETCH_MORE; /* of messages, the next is a new start */
  hw_stream_close(s->stream, false);
  return HW_FETCH_END;
}

static const hw_option no_options[] = {{0}};
static const hw_input_ops source_ops = {source_create, NULL, source_fetch, NULL, source_interrupt, source_destroy};
static const hw_input_transport rows_transport = {sizeof rows_transport, "rows", "",
                                                  HW_CAP_ROWS, no_options, &source_ops, NULL};
static const hw_input_transport bytes_transport = {sizeof bytes_transport, "bytes", "", 0,
                                                   no_options, &source_ops, NULL};

/* ---- a format: one integer per line; "x" is a bad record, "!" loses the stream -- */

_Atomic unsigned fx_parser_starves;
_Atomic uint64_t fx_parsed;
_Atomic unsigned fx_followed;
bool fx_parser_skips = true;
hw_status fx_encoder_fails;

typedef struct lines {
  unsigned calls;
  size_t looked; /* at so much of the line that the last parse left */
  bool midway; /* a message has begun: it starts with its number of rows to leave out */
} lines;

static hw_status lines_create(const hw_config *config, const hw_schema *schema, void **parser, hw_error *err) {
  (void)config, (void)schema, (void)err;
  *parser = calloc(1, sizeof(lines));
  return *parser ? HW_OK : HW_ENOMEM;
}

static bool read_line(const char *at, size_t n, hw_batch *b, hw_report *report) {
  char text[32] = "", *end;
  memcpy(text, at, n < 31 ? n : 31);
  long long v = strtoll(text, &end, 10);
  if (n && *text == '!') {
    hw_report_bad(report, &(hw_bad_record){.start = at, .len = n, .tag = "lost", .reason = "lost"});
    return false;
  }
  if (*end || !n)
    hw_report_bad(report, &(hw_bad_record){.start = at, .len = n, .tag = "number", .reason = "not a number"});
  else
    ((int64_t *)b->columns[0].values)[b->n_rows++] = v;
  return true;
}

static hw_status lines_parse(void *parser, const char *data, size_t len, bool final, hw_batch *b, hw_report *report,
                             size_t *consumed) {
  lines *l = parser;
  unsigned starves = atomic_load(&fx_parser_starves);
  atomic_fetch_add(&fx_parsed, len);
  l->looked = 0;
  *consumed = 0;
  size_t at = 0;
  while (at < len && b->n_rows < b->capacity) {
    const char *nl = memchr(data + at, '\n', len - at);
    if (!nl && !final) break;
    if (starves && ++l->calls % starves == 0) return HW_ENOMEM;
    size_t n = nl ? (size_t)(nl - data) - at : len - at;
    bool first = !l->midway;
    l->midway = true;
    if (!first || n != 1 || data[at] != '#') { /* "#" may head a message */
      if (!read_line(data + at, n, b, report)) return HW_EPARSE;
    }
    at += n + (nl ? 1 : 0);
    *consumed = at;
  }
  if (final && at == len) l->midway = false;
  return HW_OK;
}

static bool lines_can_go_on(void *parser, const char *data, size_t len) {
  lines *l = parser;
  size_t from = l->looked;
  l->looked = len;
  return memchr(data + from, '\n', len - from) != NULL;
}

static size_t lines_skip(void *parser, const char *data, size_t len) {
  (void)parser;
  const char *nl = memchr(data, '\n', len);
  return nl ? (size_t)(nl - data) + 1 : 0;
}

static size_t lines_part(void *parser, const char *data, size_t len) {
  const lines *l = parser;
  const char *nl = l->midway ? memrchr(data, '\n', len) : NULL;
  return nl ? (size_t)(nl - data) + 1 : 0;
}

/* A new parser takes "#" at its start, which one midway does not. */
static hw_status lines_follow(void *parser, const void *from) {
  atomic_fetch_add(&fx_followed, 1);
  ((lines *)parser)->midway = ((const lines *)from)->midway;
  return HW_OK;
}

static hw_status lines_encode(void *encoder, const hw_batch *b, uint32_t first, size_t soft_limit, hw_bytes *out,
                              hw_report *report, uint32_t *taken) {
  (void)encoder, (void)report;
  *taken = 0;
  if (fx_encoder_fails) return fx_encoder_fails;
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
static const hw_parser_ops lines_parser_lost = {lines_create, lines_parse, NULL, free};
static const hw_encoder_ops lines_encoder = {lines_create, lines_encode, NULL, NULL, free};
static const hw_format lines_format = {sizeof lines_format, "lines",       "",            no_options,
                                       no_options,          &lines_parser, &lines_encoder, lines_can_go_on,
                                       lines_part,          lines_follow};
static const hw_format lost_format = {sizeof lost_format, "lines",            "",            no_options,
                                      no_options,         &lines_parser_lost, &lines_encoder, lines_can_go_on,
                                      lines_part,         lines_follow};

/* ---- sinks ------------------------------------------------------------------ */

fx_sink fx_sinks[FX_MOST];

static hw_status sink_create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config, (void)err;
  fx_sink *s = &fx_sinks[index_of(c)];
  s->c = c;
  *instance = s;
  return HW_OK;
}

static void take(fx_sink *s, const char *data, size_t n) {
  pthread_mutex_lock(&fx_lock);
  if (s->len + n > s->capacity) {
    s->capacity = (s->len + n) * 2;
    s->data = realloc(s->data, s->capacity);
    ck_assert_ptr_nonnull(s->data);
  }
  memcpy(s->data + s->len, data, n);
  s->len += n;
  uint64_t rows = 0;
  for (size_t i = 0; i < n; i++) rows += data[i] == '\n';
  atomic_fetch_add(&s->rows, rows);
  pthread_cond_broadcast(&fx_changed);
  pthread_mutex_unlock(&fx_lock);
}

static hw_write sink_write(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                           hw_error *err) {
  (void)args;
  fx_sink *s = instance;
  atomic_fetch_add(&s->writes, 1);
  if (atomic_load(&s->fatal)) {
    hw_error_set(err, HW_EIO, "the sink is gone");
    return HW_WRITE_FATAL;
  }
  if (atomic_load(&s->waits)) return HW_WRITE_WAIT;
  bool retry = atomic_load(&s->retries) > 0;
  *written = retry ? len / 2 : len > 3000 ? 3000 : len;
  take(s, data, *written);
  if (!retry) return HW_WRITE_OK;
  atomic_fetch_sub(&s->retries, 1);
  hw_error_set(err, HW_EIO, "the sink is full");
  return HW_WRITE_RETRY;
}

static hw_write sink_flush(void *instance, const hw_write_args *args, hw_error *err) {
  (void)args;
  fx_sink *s = instance;
  atomic_fetch_add(&s->flushes, 1);
  if (!atomic_load(&s->fatal_flush)) return HW_WRITE_OK;
  hw_error_set(err, HW_EIO, "the sink cannot flush");
  return HW_WRITE_FATAL;
}

static hw_status sink_reopen(void *instance, bool *restarted, hw_error *err) {
  (void)restarted, (void)err;
  atomic_fetch_add(&((fx_sink *)instance)->reopens, 1);
  fx_tell();
  return HW_OK;
}

static void sink_destroy(void *instance) { (void)instance; }

void fx_resume_sink(fx_sink *s) {
  atomic_store(&s->waits, false);
  hw_connector_wake(s->c);
}

static const hw_output_ops sink_ops = {sink_create, NULL,        sink_write, NULL,
                                       sink_flush,  sink_reopen, NULL,       sink_destroy};
static const hw_output_transport sink_transport = {sizeof sink_transport, "sink", "", 0, no_options, &sink_ops};

/* ---- a program and its deployment -------------------------------------------- */

runtime *fx_rt;
static void no_log(void *arg, hw_log_level level, const char *line) { (void)arg, (void)level, (void)line; }
runtime_options fx_options = {.workers = 2, .log = no_log, .pause_timeout_us = 20000000};
static program *prog;
program_connector *fx_connectors;
deployment *fx_dep;
dead_letters *fx_letters;
hw_error fx_opened_error, fx_failed_error, fx_complete_error, fx_stopped_error;
_Atomic int fx_opened, fx_failed, fx_complete, fx_stopped;

static void keep(hw_error *to, _Atomic int *flag, const hw_error *err) {
  pthread_mutex_lock(&fx_lock);
  if (err) *to = *err;
  atomic_fetch_add(flag, 1);
  pthread_cond_broadcast(&fx_changed);
  pthread_mutex_unlock(&fx_lock);
}
static void on_opened(void *arg, const hw_error *err) { (void)arg, keep(&fx_opened_error, &fx_opened, err); }
static void on_failed(void *arg, const hw_error *err) { (void)arg, keep(&fx_failed_error, &fx_failed, err); }
static void on_complete(void *arg, const hw_error *err) { (void)arg, keep(&fx_complete_error, &fx_complete, err); }
static void on_stopped(void *arg, const hw_error *err) { (void)arg, keep(&fx_stopped_error, &fx_stopped, err); }

bool fx_materialized, fx_keyed, fx_append_only;

static void make_relations(uint32_t branches) {
  program_relation *r = program_alloc(prog, 2 * sizeof *r);
  hw_field *f = program_alloc(prog, sizeof *f);
  *f = (hw_field){.name = "n", .type = {.id = HW_TYPE_BIGINT}};
  r[0].schema = (hw_schema){.name = "t", .n_fields = 1, .fields = f};
  r[1].schema = (hw_schema){.name = "v", .n_fields = 1, .fields = f};
  static const uint32_t first[] = {0};
  r[0].n_key = r[0].schema.n_key = fx_keyed;
  r[0].key = r[0].schema.key = first;
  r[0].schema.append_only = fx_append_only;
  r[0].materialized = r[1].materialized = fx_materialized;
  r[1].kind = PROGRAM_VIEW;
  r[1].n_branches = branches;
  program_branch *b = program_alloc(prog, (branches + 1) * sizeof *b);
  expr *column = program_alloc(prog, sizeof *column);
  *column = (expr){.op = EXPR_COLUMN, .type = f->type};
  const expr **project = program_alloc(prog, sizeof *project);
  project[0] = column;
  for (uint32_t i = 0; i < branches; i++) b[i].project = project;
  r[1].branches = b;
  prog->relations = r;
  prog->n_relations = branches ? 2 : 1;
}

void fx_make(uint32_t n_inputs, uint32_t n_outputs, uint32_t branches) {
  hw_error err;
  fx_rt = runtime_new(&fx_options, &err);
  prog = program_new();
  make_relations(branches);
  uint32_t n = n_inputs + n_outputs;
  fx_connectors = program_alloc(prog, n * sizeof *fx_connectors);
  for (uint32_t i = 0; i < n; i++) {
    bool in = i < n_inputs;
    char text[20];
    snprintf(text, sizeof text, "%c.%u", in ? 't' : 'o', in ? i : i - n_inputs);
    fx_connectors[i] = (program_connector){.is_input = in, .max_queued_records = 1000000, .json = "{}",
                                           .max_queued_bytes = 1000000000, .max_record_bytes = 64};
    fx_connectors[i].endpoint = program_strdup(prog, text, strlen(text));
    fx_connectors[i].name = fx_connectors[i].endpoint + 2;
    fx_connectors[i].relation = !in && branches;
    fx_connectors[i].input = in ? fx_bytes ? &bytes_transport : &rows_transport : NULL;
    fx_connectors[i].output = in ? NULL : &sink_transport;
    fx_connectors[i].format = in && !fx_bytes ? NULL : fx_parser_skips ? &lines_format : &lost_format;
  }
  prog->connectors = fx_connectors;
  prog->n_connectors = n;
}

void fx_deploy(void) {
  hw_error err = {0};
  deployment_events events = {.letters = fx_letters, .opened = on_opened, .failed = on_failed,
                              .complete = on_complete, .stopped = on_stopped};
  fx_dep = deployment_new(fx_rt, "test", prog, &events, &err);
  ck_assert_msg(fx_dep != NULL, "%s", err.message);
  deployment_open(fx_dep);
}

void fx_run(void) {
  fx_deploy();
  FX_WAIT(atomic_load(&fx_opened));
  ck_assert_int_eq(fx_opened_error.status, HW_OK);
  deployment_control(fx_dep, DEPLOYMENT_ALL, false, NULL, NULL);
}

void fx_free(void) {
  deployment_unref(fx_dep);
  program_unref(prog);
  runtime_free(fx_rt);
  for (int i = 0; i < FX_MOST; i++) free(fx_sinks[i].data);
  memset(fx_sinks, 0, sizeof fx_sinks);
  atomic_store(&fx_opened, 0);
  atomic_store(&fx_stopped, 0);
  atomic_store(&fx_complete, 0);
}

void fx_stop(bool force) {
  deployment_stop(fx_dep, force, sched_now_us() + 20000000);
  FX_WAIT(atomic_load(&fx_stopped));
  fx_free();
}

static void on_reply(void *arg, const hw_reply *r) {
  fx_reply *w = arg;
  pthread_mutex_lock(&fx_lock);
  ck_assert(!w->done);
  w->status = r->status;
  w->total = r->total_records;
  w->epoch = r->epoch;
  if (r->error) memcpy(w->code, r->error->code, sizeof w->code);
  w->done = true;
  pthread_cond_broadcast(&fx_changed);
  pthread_mutex_unlock(&fx_lock);
}

void fx_ask(uint32_t connector, bool pause, fx_reply *r) {
  *r = (fx_reply){0};
  deployment_control(fx_dep, connector, pause, on_reply, r);
}

fx_reply fx_call(uint32_t connector, bool pause) {
  fx_reply r;
  fx_ask(connector, pause, &r);
  FX_WAIT(r.done);
  return r;
}

connector_stats fx_stats(uint32_t connector) {
  connector_stats s;
  REQUIRE(deployment_connector_stats(fx_dep, connector, true, &s) == HW_OK);
  return s;
}

uint64_t fx_total(uint32_t connector) {
  connector_stats s = fx_stats(connector);
  uint64_t total = s.total_records;
  connector_stats_fini(&s);
  return total;
}

bool fx_sink_counts_to(const fx_sink *s, int64_t n) {
  size_t at = 0;
  char text[32];
  for (int64_t i = 0; i < n; i++) {
    size_t len = (size_t)snprintf(text, sizeof text, "%lld\n", (long long)(i * FX_MOST));
    if (at + len > s->len || memcmp(s->data + at, text, len) != 0) return false;
    at += len;
  }
  return at == s->len;
}
