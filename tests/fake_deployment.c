#include "tests/fake_deployment.h"

#include "engine/engine.h"
#include "runtime/deployment.h"
#include "sql/compile.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct sched {
  pthread_mutex_t lock;
  pthread_t *threads;
  size_t n, capacity;
};

struct deployment_listener {
  deployment *owner;
  hw_listener_function *call;
  void *arg;
  struct deployment_listener *next;
};

struct deployment {
  _Atomic unsigned refs;
  runtime *rt;
  program *program;
  deployment_events events;
  pthread_mutex_t event_lock;   /* one event at a time */
  deployment_listener *listeners;
  bool opening, stopping, forced, stopped, running; /* as all below: protected by world.lock */
  uint64_t next_ticket, turn;   /* controls are answered in order */
  uint64_t transactions, commits;
  bool user_paused[8];          /* by connector: as the last control said */
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool shut[FAKE_GATES];
  unsigned held[FAKE_GATES];
  char new_fails[200], open_fails[200], drain_leaves[200];
  hw_error control_fails;
  bool threads_fail;
  unsigned opens, stops[2];
  unsigned deployments;
  deployment *last;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- gates --------------------------------------------------------------- */

static void enter(void) { pthread_mutex_lock(&world.lock); }
static void leave(void) {
  pthread_cond_broadcast(&world.changed);
  pthread_mutex_unlock(&world.lock);
}
static void await_change(void) { pthread_cond_wait(&world.changed, &world.lock); }

/* world.lock held. *pass: a second way through, or NULL. */
static void pass_gate(fake_gate gate, const bool *pass) {
  world.held[gate]++;
  pthread_cond_broadcast(&world.changed);
  while (world.shut[gate] && !(pass && *pass)) await_change();
  world.held[gate]--;
}

void fake_reset(void) {
  enter();
  for (int i = 0; i < FAKE_GATES; i++) world.shut[i] = false;
  world.new_fails[0] = world.open_fails[0] = world.drain_leaves[0] = '\0';
  world.control_fails = (hw_error){.status = HW_OK};
  world.threads_fail = false;
  world.opens = world.stops[0] = world.stops[1] = 0;
  leave();
}

void fake_shut(fake_gate gate) {
  enter();
  world.shut[gate] = true;
  leave();
}

void fake_let(fake_gate gate) {
  enter();
  world.shut[gate] = false;
  leave();
}

void fake_wait_at(fake_gate gate, unsigned n) {
  enter();
  while (world.held[gate] < n) await_change();
  leave();
}

static void set_text(char *to, size_t size, const char *text) {
  enter();
  snprintf(to, size, "%s", text);
  leave();
}

void fake_new_fails(const char *message) { set_text(world.new_fails, sizeof world.new_fails, message); }
void fake_open_fails(const char *message) { set_text(world.open_fails, sizeof world.open_fails, message); }
void fake_drain_leaves(const char *message) { set_text(world.drain_leaves, sizeof world.drain_leaves, message); }

void fake_control_fails(hw_status status, const char *code) {
  enter();
  (void)hw_error_code(&world.control_fails, status, code, "as told");
  leave();
}

void fake_threads_fail(bool fail) {
  enter();
  world.threads_fail = fail;
  leave();
}

static unsigned read_count(const unsigned *count) {
  enter();
  unsigned n = *count;
  leave();
  return n;
}

unsigned fake_deployments(void) { return read_count(&world.deployments); }
unsigned fake_opens(void) { return read_count(&world.opens); }
unsigned fake_stops(bool force) { return read_count(&world.stops[force]); }

/* ---- runtime and helper threads ------------------------------------------ */

typedef struct job {
  void (*call)(void *arg);
  void *arg;
} job;

static void *run_job(void *arg) {
  job j = *(job *)arg;
  free(arg);
  j.call(j.arg);
  return NULL;
}

static void start_thread(sched *s, void (*function)(void *arg), void *arg) {
  job *j = malloc(sizeof *j);
  if (!j) abort();
  *j = (job){function, arg};
  pthread_mutex_lock(&s->lock);
  if (s->n == s->capacity) {
    s->capacity = s->capacity * 2 + 64;
    s->threads = realloc(s->threads, s->capacity * sizeof *s->threads);
  }
  if (!s->threads || pthread_create(&s->threads[s->n++], NULL, run_job, j) != 0) abort();
  pthread_mutex_unlock(&s->lock);
}

hw_status sched_call(sched *s, void (*function)(void *arg), void *arg) {
  enter();
  bool fail = world.threads_fail;
  leave();
  if (fail) return HW_ENOMEM;
  start_thread(s, function, arg);
  return HW_OK;
}

uint64_t sched_now_us(void) { return 1; }
uint64_t sched_now_ns(void) { return 1000; }

runtime *runtime_new(const runtime_options *o, hw_error *err) {
  (void)err;
  runtime *rt = aligned_alloc(64, (sizeof *rt + 63) & ~(size_t)63);
  sched *s = calloc(1, sizeof *s);
  if (!rt || !s || pthread_mutex_init(&s->lock, NULL) != 0) abort();
  memset(rt, 0, sizeof *rt);
  if (logger_init(&rt->log, o->log_level, o->log, o->log_arg) != HW_OK) abort();
  rt->sched = s;
  return rt;
}

void runtime_free(runtime *rt) {
  sched *s = rt->sched;
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < s->n; i++) { /* threads may start others meanwhile */
    pthread_t thread = s->threads[i];
    pthread_mutex_unlock(&s->lock);
    pthread_join(thread, NULL);
    pthread_mutex_lock(&s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  pthread_mutex_destroy(&s->lock);
  free(s->threads);
  free(s);
  logger_fini(&rt->log);
  free(rt);
}

hw_status builtin_register(hw_error *err) {
  (void)err;
  return HW_OK;
}

/* ---- compiler ------------------------------------------------------------ */

static void make_relation(program_relation *r, const char *name, program_kind kind, bool quoted) {
  *r = (program_relation){.kind = kind, .schema.name = name, .case_sensitive = quoted};
}

static program *make_program(void) {
  program *p = program_new();
  if (!p) abort();
  program_relation *relations = program_alloc(p, 3 * sizeof *relations);
  program_connector *connectors = program_alloc(p, 3 * sizeof *connectors);
  if (!relations || !connectors) abort();
  make_relation(&relations[0], "numbers", PROGRAM_TABLE, false);
  make_relation(&relations[1], "Quoted", PROGRAM_TABLE, true);
  make_relation(&relations[2], "v", PROGRAM_VIEW, false);
  connectors[0] = (program_connector){.name = "c1", .endpoint = "numbers.c1", .relation = 0, .is_input = true};
  connectors[1] = (program_connector){.name = "c1", .endpoint = "Quoted.c1", .relation = 1, .is_input = true};
  connectors[2] = (program_connector){.name = "out", .endpoint = "v.out", .relation = 2};
  p->n_relations = p->n_connectors = 3;
  p->relations = relations;
  p->connectors = connectors;
  return p;
}

program *program_compile(const char *text, size_t len, program_messages *messages) {
  enter();
  pass_gate(FAKE_COMPILE, NULL);
  leave();
  if (len >= 3 && strncmp(text, "oom", 3) == 0) return NULL;
  if (len < 3 || strncmp(text, "bad", 3) != 0) return make_program();
  program_message where = {.line = 1, .column = 2, .end_line = 1, .end_column = 3};
  program_messages_add(messages, &where, false, "Error parsing SQL", "bad\n^", "this is %s", "bad");
  program_messages_add(messages, &where, false, "Error parsing SQL", "bad\n  ^", "and this");
  return NULL;
}

/* ---- deployments --------------------------------------------------------- */

deployment *deployment_new(runtime *rt, const char *pipeline, program *p, const deployment_events *events,
                           hw_error *err) {
  enter();
  pass_gate(FAKE_NEW, NULL);
  bool fail = world.new_fails[0];
  if (fail) (void)hw_error_set(err, HW_ENOMEM, "%s: %s", pipeline, world.new_fails);
  leave();
  if (fail) return NULL;
  deployment *d = calloc(1, sizeof *d);
  if (!d || pthread_mutex_init(&d->event_lock, NULL) != 0) abort();
  atomic_init(&d->refs, 1);
  d->rt = rt;
  d->program = program_ref(p);
  d->events = *events;
  enter();
  world.deployments++;
  world.last = d;
  leave();
  return d;
}

deployment *deployment_ref(deployment *d) {
  atomic_fetch_add(&d->refs, 1);
  return d;
}

void deployment_unref(deployment *d) {
  if (atomic_fetch_sub(&d->refs, 1) != 1) return;
  assert(!d->listeners);
  enter();
  assert(d->stopped || !d->opening);
  world.deployments--;
  if (world.last == d) world.last = NULL;
  leave();
  pthread_mutex_destroy(&d->event_lock);
  program_unref(d->program);
  free(d);
}

static void open_thread(void *arg) {
  deployment *d = arg;
  hw_error err = {.status = HW_OK};
  enter();
  pass_gate(FAKE_OPEN, &d->stopping);
  if (world.open_fails[0]) (void)hw_error_set(&err, HW_EIO, "%s", world.open_fails);
  leave();
  pthread_mutex_lock(&d->event_lock);
  d->events.opened(d->events.arg, err.status == HW_OK ? NULL : &err);
  pthread_mutex_unlock(&d->event_lock);
  enter();
  d->opening = false;
  leave();
  deployment_unref(d);
}

void deployment_open(deployment *d) {
  enter();
  world.opens++;
  d->opening = true;
  leave();
  start_thread(d->rt->sched, open_thread, deployment_ref(d));
}

/* ---- controls ------------------------------------------------------------ */

typedef struct control {
  deployment *d;
  bool pause;
  uint64_t ticket;
  hw_done *done;
  void *arg;
} control;

static void answer(const control *c, bool refused) {
  hw_error err;
  if (refused) (void)hw_error_code(&err, HW_ESTATE, "PipelineInteractionNotDeployed", "it is stopping");
  hw_reply reply = {.struct_size = sizeof reply, .position = "", .epoch = c->ticket + 1};
  enter();
  if (!refused) err = world.control_fails;
  if (err.status == HW_OK) c->d->running = !c->pause;
  leave();
  reply.status = err.status;
  if (err.status != HW_OK) reply.error = &err;
  c->done(c->arg, &reply);
  enter();
  c->d->turn++;
  leave();
}

/* world.lock held: waits for its turn and the gate, or for a stop. */
static bool may_go(const control *c) {
  while (c->d->turn != c->ticket) await_change();
  if (!c->d->stopping) pass_gate(FAKE_CONTROL, &c->d->stopping);
  return !c->d->stopping;
}

static void control_thread(void *arg) {
  control *c = arg;
  enter();
  bool ok = may_go(c);
  leave();
  answer(c, !ok);
  deployment_unref(c->d);
  free(c);
}

void deployment_control(deployment *d, uint32_t connector, bool pause, hw_done *done, void *arg) {
  control c = {.d = d, .pause = pause, .done = done, .arg = arg};
  enter();
  if (connector != DEPLOYMENT_ALL) d->user_paused[connector] = pause;
  c.ticket = d->next_ticket++;
  bool at_once = d->turn == c.ticket && !world.shut[FAKE_CONTROL];
  bool refused = d->stopping;
  leave();
  if (at_once) {
    answer(&c, refused);
    return;
  }
  control *later = malloc(sizeof *later);
  if (!later) abort();
  *later = c;
  deployment_ref(d);
  start_thread(d->rt->sched, control_thread, later);
}

uint64_t deployment_processed(const deployment *d) {
  (void)d;
  return 42;
}

bool deployment_running(const deployment *d) {
  enter();
  bool running = d->running;
  leave();
  return running;
}

/* ---- transactions -------------------------------------------------------- */

hw_status deployment_start_transaction(deployment *d, uint64_t *id, hw_error *err) {
  enter();
  bool refused = d->stopping;
  if (!refused) *id = ++d->transactions;
  leave();
  if (!refused) return HW_OK;
  return hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed", "it is stopping");
}

hw_status deployment_commit_transaction(deployment *d, hw_error *err) {
  enter();
  bool open = d->transactions > d->commits;
  d->commits = d->transactions;
  leave();
  if (open) return HW_OK;
  return hw_error_code(err, HW_ESTATE, "NoTransactionInProgress", "there is none");
}

/* ---- stopping ------------------------------------------------------------ */

static void stop_thread(void *arg) {
  deployment *d = arg;
  hw_error err = {.status = HW_OK};
  enter();
  while (d->opening || d->turn != d->next_ticket) await_change();
  if (!d->forced) pass_gate(FAKE_DRAIN, &d->forced);
  pass_gate(FAKE_CLOSE, NULL);
  if (world.drain_leaves[0]) (void)hw_error_set(&err, HW_ETIMEOUT, "%s", world.drain_leaves);
  d->stopped = true;
  leave();
  pthread_mutex_lock(&d->event_lock);
  d->events.stopped(d->events.arg, err.status == HW_OK ? NULL : &err);
  pthread_mutex_unlock(&d->event_lock);
  deployment_unref(d);
}

void deployment_stop(deployment *d, bool force, uint64_t deadline_us) {
  assert(force || deadline_us > 0);
  enter();
  world.stops[force]++;
  d->forced |= force;
  bool first = !d->stopping;
  d->stopping = true;
  leave();
  if (first) start_thread(d->rt->sched, stop_thread, deployment_ref(d));
}

/* ---- events on demand ---------------------------------------------------- */

typedef struct emission {
  deployment *d;
  const char *message;
  bool complete;
} emission;

static void *emit_thread(void *arg) {
  emission *e = arg;
  hw_error err;
  if (e->message) (void)hw_error_set(&err, e->complete ? HW_EIO : HW_EEVAL, "%s", e->message);
  pthread_mutex_lock(&e->d->event_lock);
  (e->complete ? e->d->events.complete : e->d->events.failed)(e->d->events.arg, e->message ? &err : NULL);
  pthread_mutex_unlock(&e->d->event_lock);
  return NULL;
}

static deployment *take_last(void) {
  enter();
  deployment *d = deployment_ref(world.last);
  leave();
  return d;
}

static void emit(bool complete, const char *message) {
  emission e = {.d = take_last(), .message = message, .complete = complete};
  pthread_t thread;
  if (pthread_create(&thread, NULL, emit_thread, &e) != 0) abort();
  pthread_join(thread, NULL);
  deployment_unref(e.d);
}

void fake_emit_failed(const char *message) { emit(false, message); }
void fake_emit_complete(const char *message) { emit(true, message); }

void fake_emit_change(void) {
  deployment *d = take_last();
  hw_batch batch = {.n_rows = 1, .capacity = 1};
  pthread_mutex_lock(&d->event_lock);
  for (deployment_listener *l = d->listeners; l; l = l->next) l->call(l->arg, &batch);
  pthread_mutex_unlock(&d->event_lock);
  deployment_unref(d);
}

/* ---- what is looked at --------------------------------------------------- */

hw_status deployment_stats(deployment *d, bool with_errors, pipeline_stats *out) {
  *out = (pipeline_stats){.running = deployment_running(d), .total_input_records = with_errors ? 7 : 3};
  return HW_OK;
}

hw_status deployment_connector_stats(deployment *d, uint32_t connector, bool with_errors, connector_stats *out) {
  (void)with_errors;
  *out = (connector_stats){.is_input = d->program->connectors[connector].is_input, .total_records = connector};
  enter();
  out->paused = d->user_paused[connector];
  leave();
  out->endpoint = strdup(d->program->connectors[connector].endpoint);
  return out->endpoint ? HW_OK : HW_ENOMEM;
}

program *deployment_program(const deployment *d) { return d->program; }

hw_status deployment_extra_stats(deployment *d, uint32_t relation, bool is_input, const char *connector,
                                 connector_stats *out) {
  (void)d, (void)relation, (void)is_input, (void)connector, (void)out;
  return HW_ENOTFOUND;
}

void deployment_latency(deployment *d, latency_summary *out) {
  (void)d;
  *out = (latency_summary){.count = 5};
}

uint64_t deployment_num_errors(const deployment *d) {
  (void)d;
  return 11;
}

/* "good" is good now. */
hw_status deployment_resubmit(deployment *d, const dead_letter *letter, hw_error *err) {
  (void)d;
  if (letter->raw_len == 4 && memcmp(letter->raw, "good", 4) == 0) return HW_OK;
  if (letter->raw_len == 4 && memcmp(letter->raw, "late", 4) == 0) return hw_error_set(err, HW_ESTATE, "stopping");
  return hw_error_set(err, letter->cut ? HW_EUNSUPPORTED : HW_EPARSE, "bad again");
}

void deployment_reopen_outputs(deployment *d) { (void)d; }

hw_producer *deployment_producer(deployment *d, uint32_t relation, hw_error *err) {
  (void)hw_error_set(err, HW_EUNSUPPORTED, "%s takes no rows here", d->program->relations[relation].schema.name);
  return NULL;
}

deployment_listener *deployment_listen(deployment *d, uint32_t relation, hw_listener_function *call, void *arg,
                                       hw_error *err) {
  (void)relation;
  (void)err;
  deployment_listener *l = calloc(1, sizeof *l);
  if (!l) abort();
  *l = (deployment_listener){.owner = deployment_ref(d), .call = call, .arg = arg};
  enter();
  l->next = d->listeners;
  d->listeners = l;
  leave();
  return l;
}

void deployment_unlisten(deployment_listener *l) {
  deployment *d = l->owner;
  enter();
  deployment_listener **at = &d->listeners;
  while (*at != l) at = &(*at)->next;
  *at = l->next;
  leave();
  free(l);
  deployment_unref(d);
}
