/* fake_manager.c - see fake_manager.h. */
#include "tests/fake_manager.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_INPUTS 32

typedef struct fake_input {
  char table[32], name[32];
  bool paused;
  uint64_t epoch, records;
} fake_input;

struct hw_pipeline {
  hw_engine *engine;
  hw_pipeline *next;
  unsigned refs; /* those beside the engine's */
  bool deleted;
  char *name;
  pipeline_definition *definition;
  unsigned n_inputs;
  fake_input inputs[MAX_INPUTS];
  logbook *log;
  uint32_t n_samples;
  pipeline_sample samples[PIPELINE_SAMPLES];
  bool transaction_open;
};

typedef struct pending {
  struct pending *next;
  hw_pipeline *p;
  int input; /* -1: the pipeline */
  bool pause;
  hw_done *done;
  void *arg;
} pending;

struct hw_engine {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  hw_pipeline *pipelines;
  fake_answer answer;
  hw_error failure, refusal, error;
  pending *first, **last;
  unsigned n_pending, n_stats;
  pthread_t thread; /* with FAKE_THREAD */
  bool has_thread, ending;
  deployment_status status;
  program_status program;
  bool quiescent;
  char position[256];
  struct program *compiled;
  catalog *catalog;
};

#define LOCK(e) pthread_mutex_lock(&(e)->lock)
#define UNLOCK(e) (pthread_cond_broadcast(&(e)->changed), pthread_mutex_unlock(&(e)->lock))

catalog *manager_catalog(hw_engine *engine) { return engine->catalog; }

void fake_set_catalog(hw_engine *engine, catalog *c) { engine->catalog = c; }

const char *hw_version(void) { return "0.1.0"; }

const char *program_status_name(program_status s) {
  static const char *const names[] = {"Pending", "CompilingSql", "SqlCompiled", "CompilingRust",
                                      "Success", "SqlError",     "RustError",   "SystemError"};
  return names[s];
}

const char *deployment_status_name(deployment_status s) {
  static const char *const names[] = {"Stopped", "Provisioning", "Initializing", "Paused", "Running", "Stopping"};
  return names[s];
}

/* ---- the program ---------------------------------------------------------- */

static const hw_field fields[] = {
    {.name = "id", .type = {.id = HW_TYPE_INT}},
    {.name = "price", .type = {.id = HW_TYPE_DECIMAL, .precision = 10, .scale = 2, .nullable = true}},
    {.name = "note",
     .type = {.id = HW_TYPE_VARCHAR, .length = 20},
     .has_default = true,
     .default_value = {.u.str = {.data = "it's", .len = 4}}},
    {.name = "On",
     .case_sensitive = true,
     .type = {.id = HW_TYPE_BOOLEAN},
     .has_default = true,
     .default_value = {.u.boolean = 1}},
};
static const uint32_t key[] = {0};
static const program_property properties[] = {
    {.key = "materialized", .value = "true", .key_line = 2, .key_column = 3, .value_line = 2, .value_column = 20}};
#define SCHEMA(n)                                                                                                      \
  { .name = n, .n_fields = 4, .fields = fields }
static const program_relation relations[] = {
    {.kind = PROGRAM_TABLE,
     .schema = SCHEMA("numbers"),
     .materialized = true,
     .n_key = 1,
     .key = key,
     .n_properties = 1,
     .properties = properties},
    {.kind = PROGRAM_TABLE, .schema = SCHEMA("Quoted"), .case_sensitive = true},
    {.kind = PROGRAM_VIEW, .schema = SCHEMA("hidden"), .local = true},
    {.kind = PROGRAM_VIEW, .schema = SCHEMA("v")},
};
static const program_connector connectors[] = {
    {.name = "c1",
     .endpoint = "numbers.c1",
     .relation = 0,
     .is_input = true,
     .json = "{\"name\":\"c1\",\"transport\":{\"name\":\"datagen\",\"config\":{}}}"},
    {.name = "C2",
     .endpoint = "numbers.C2",
     .relation = 0,
     .is_input = true,
     .json = "{\"transport\":{\"name\":\"datagen\"}}"},
    {.name = "q",
     .endpoint = "Quoted.q",
     .relation = 1,
     .is_input = true,
     .json = "{\"transport\":{\"name\":\"datagen\"}}"},
    {.name = "out",
     .endpoint = "v.out",
     .relation = 3,
     .is_input = false,
     .json = "{\"name\":\"out\",\"transport\":{\"name\":\"null_output\"}}"},
};

static program *make_program(void) {
  program *p = program_new();
  if (!p) abort();
  p->n_relations = 4;
  p->relations = relations;
  p->n_connectors = 4;
  p->connectors = connectors;
  return p;
}

/* ---- the engine ----------------------------------------------------------- */

hw_engine *fake_engine_new(void) {
  hw_engine *e = calloc(1, sizeof *e);
  if (!e) abort();
  pthread_mutex_init(&e->lock, NULL);
  pthread_cond_init(&e->changed, NULL);
  e->last = &e->first;
  e->program = PROGRAM_SUCCESS;
  e->quiescent = true;
  e->compiled = make_program();
  return e;
}

static void free_pipeline(hw_pipeline *p) {
  free(p->name);
  pipeline_definition_unref(p->definition);
  logbook_free(p->log);
  free(p);
}

void fake_engine_free(hw_engine *e) {
  LOCK(e);
  e->ending = true;
  UNLOCK(e);
  if (e->has_thread) pthread_join(e->thread, NULL);
  if (e->n_pending) abort();
  for (hw_pipeline *p = e->pipelines, *next; p; p = next) {
    next = p->next;
    if (p->refs) abort();
    free_pipeline(p);
  }
  program_unref(e->compiled);
  pthread_cond_destroy(&e->changed);
  pthread_mutex_destroy(&e->lock);
  free(e);
}

#define SETTER(name, type, statement)                                                                                  \
  void name(hw_engine *e, type value) {                                                                                \
    LOCK(e);                                                                                                           \
    statement;                                                                                                         \
    UNLOCK(e);                                                                                                         \
  }
SETTER(fake_set_status, deployment_status, e->status = value)
SETTER(fake_set_program, program_status, e->program = value)
SETTER(fake_set_quiescent, bool, e->quiescent = value)
SETTER(fake_set_position, const char *, snprintf(e->position, sizeof e->position, "%s", value))

static void *answer_thread(void *arg);

void fake_set_answer(hw_engine *e, fake_answer value) {
  LOCK(e);
  e->answer = value;
  UNLOCK(e);
  if (value != FAKE_THREAD || e->has_thread) return;
  if (pthread_create(&e->thread, NULL, answer_thread, e) != 0) abort();
  e->has_thread = true;
}

static void set_error(hw_engine *e, hw_error *to, hw_status status, const char *code, const char *message) {
  LOCK(e);
  *to = (hw_error){0};
  if (status != HW_OK) (void)hw_error_code(to, status, code, "%s", message);
  UNLOCK(e);
}
void fake_set_failure(hw_engine *e, hw_status status, const char *code, const char *message) {
  set_error(e, &e->failure, status, code, message);
}
void fake_set_refusal(hw_engine *e, hw_status status, const char *code, const char *message) {
  set_error(e, &e->refusal, status, code, message);
}
void fake_set_error(hw_engine *e, const char *code, const char *message) {
  set_error(e, &e->error, HW_EIO, code, message);
}

unsigned fake_stats_calls(hw_engine *e) {
  LOCK(e);
  unsigned n = e->n_stats;
  UNLOCK(e);
  return n;
}

void fake_wait_stats_calls(hw_engine *e, unsigned n) {
  LOCK(e);
  while (e->n_stats < n) pthread_cond_wait(&e->changed, &e->lock);
  UNLOCK(e);
}

unsigned fake_references(hw_engine *e) {
  unsigned n = 0;
  LOCK(e);
  for (hw_pipeline *p = e->pipelines; p; p = p->next) n += p->refs;
  UNLOCK(e);
  return n;
}

/* ---- pipelines ------------------------------------------------------------ */

static void add_input(hw_pipeline *p, const char *table, const char *name) {
  if (p->n_inputs == MAX_INPUTS) abort();
  fake_input *i = &p->inputs[p->n_inputs++];
  snprintf(i->table, sizeof i->table, "%s", table);
  snprintf(i->name, sizeof i->name, "%s", name);
}

void fake_add_inputs(hw_engine *e, unsigned n) {
  char name[32];
  LOCK(e);
  for (hw_pipeline *p = e->pipelines; p; p = p->next)
    for (unsigned i = 0; i < n; i++) {
      snprintf(name, sizeof name, "extra-%u", i);
      add_input(p, "numbers", name);
    }
  UNLOCK(e);
}

static hw_pipeline *find(hw_engine *e, const char *name) {
  for (hw_pipeline *p = e->pipelines; p; p = p->next) {
    if (!p->deleted && strcmp(p->name, name) == 0) return p;
  }
  return NULL;
}

static void answer_done(hw_done *done, void *arg) {
  const hw_reply reply = {.struct_size = sizeof reply, .position = "", .kept_us = 1234};
  if (done) done(arg, &reply);
}

static hw_pipeline *new_pipeline(hw_engine *e, const pipeline_spec *spec) {
  hw_pipeline *p = calloc(1, sizeof *p);
  if (!p) abort();
  p->engine = e;
  p->name = strdup(spec->members[MEMBER_NAME]);
  p->definition = pipeline_definition_new(NULL, spec);
  p->log = logbook_new();
  if (!p->name || !p->definition || !p->log) abort();
  add_input(p, "numbers", "c1");
  add_input(p, "numbers", "C2");
  add_input(p, "Quoted", "q");
  return p;
}

hw_status manager_create(hw_engine *e, const pipeline_spec *spec, hw_pipeline **out, hw_done *done, void *arg,
                         hw_error *err) {
  hw_status status = pipeline_spec_check(spec, err);
  if (status != HW_OK) return status;
  const char *name = spec->members[MEMBER_NAME];
  hw_pipeline *p = new_pipeline(e, spec);
  LOCK(e);
  bool taken = find(e, name) != NULL;
  if (!taken) {
    p->next = e->pipelines;
    p->refs = 1;
    e->pipelines = p;
  }
  UNLOCK(e);
  if (taken) {
    free_pipeline(p);
    return hw_error_code(err, HW_EEXIST, "DuplicateName", "there is a pipeline '%s' already", name);
  }
  *out = p;
  answer_done(done, arg);
  return HW_OK;
}

/* Edits what is not deployed; the name must stay. */
hw_status manager_edit(hw_pipeline *p, const pipeline_spec *spec, bool replace, char not_allowed[EDIT_FIELDS_MAX],
                       hw_done *done, void *arg, hw_error *err) {
  (void)replace;
  hw_status status = pipeline_spec_check(spec, err);
  if (status != HW_OK) return status;
  LOCK(p->engine);
  bool stopped = p->engine->status == DEPLOYMENT_STOPPED;
  if (stopped) {
    pipeline_definition *d = pipeline_definition_new(p->definition, spec);
    if (!d) abort();
    d->version++;
    pipeline_definition_unref(p->definition);
    p->definition = d;
  }
  UNLOCK(p->engine);
  if (!stopped) {
    snprintf(not_allowed, EDIT_FIELDS_MAX, "`name`,`runtime_config.workers`");
    return hw_error_code(err, HW_ESTATE, "EditRestrictedToClearedStorage", "clear it first");
  }
  answer_done(done, arg);
  return HW_OK;
}

hw_pipeline *hw_pipeline_find(hw_engine *e, const char *name) {
  LOCK(e);
  hw_pipeline *p = find(e, name);
  if (p) p->refs++;
  UNLOCK(e);
  return p;
}

hw_pipeline *hw_pipeline_ref(hw_pipeline *p) {
  LOCK(p->engine);
  p->refs++;
  UNLOCK(p->engine);
  return p;
}

void hw_pipeline_unref(hw_pipeline *p) {
  if (!p) return;
  LOCK(p->engine);
  if (p->refs-- == 0) abort();
  UNLOCK(p->engine);
}

const char *hw_pipeline_name(const hw_pipeline *p) { return p->name; }

logbook *pipeline_logbook(hw_pipeline *p) { return p->log; }
void manager_memory(const hw_engine *e, uint64_t *used, uint64_t *limit) {
  (void)e;
  *used = 1;
  *limit = 2;
}
void pipeline_copy_id(const hw_pipeline *p, char out[37]) {
  (void)p;
  memcpy(out, "00000000-0000-4000-8000-000000000000", 37);
}

hw_status manager_list(hw_engine *e, hw_pipeline ***out, size_t *n) {
  *n = 0;
  LOCK(e);
  for (hw_pipeline *p = e->pipelines; p; p = p->next) *n += !p->deleted;
  *out = calloc(*n + 1, sizeof **out);
  if (!*out) abort();
  size_t i = *n; /* newest first in the list; the order asked for is by name */
  for (hw_pipeline *p = e->pipelines; p; p = p->next) {
    if (p->deleted) continue;
    p->refs++;
    (*out)[--i] = p;
  }
  UNLOCK(e);
  return HW_OK;
}

hw_status hw_pipeline_delete(hw_pipeline *p, hw_error *err) {
  hw_engine *e = p->engine;
  LOCK(e);
  bool stopped = e->status == DEPLOYMENT_STOPPED;
  if (stopped) p->deleted = true;
  UNLOCK(e);
  if (stopped) logbook_close(p->log);
  if (stopped) return HW_OK;
  return hw_error_code(err, HW_ESTATE, "DeleteRestrictedToFullyStopped", "pipeline '%s' is not stopped", p->name);
}

hw_status manager_delete(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  hw_status status = hw_pipeline_delete(p, err);
  if (status == HW_OK) answer_done(done, arg);
  return status;
}

const char *bootstrap_policy_name(bootstrap_policy policy) {
  static const char *const names[] = {"await_approval", "allow", "reject"};
  return names[policy];
}

/* One event: what there is now. */
hw_status pipeline_get_events(hw_pipeline *p, const char *id, pipeline_event **out, size_t *n) {
  static const char ours[] = "67e55044-10b1-426f-9247-bb680e5fe0c7";
  *n = !id || strcmp(id, "latest") == 0 || strcmp(id, ours) == 0;
  *out = calloc(1, sizeof **out);
  if (!*out) abort();
  LOCK(p->engine);
  **out = (pipeline_event){.recorded_at_us = 1767319385123456,
                           .status = p->engine->status,
                           .desired = p->engine->status,
                           .program_status = p->engine->program,
                           .storage_in_use = p->engine->status != DEPLOYMENT_STOPPED};
  snprintf((*out)->id, sizeof (*out)->id, "%s", ours);
  if (*n && p->engine->error.status != HW_OK) {
    (*out)->error_code = strdup(p->engine->error.code);
    (*out)->error_message = strdup(p->engine->error.message);
  }
  UNLOCK(p->engine);
  return HW_OK;
}

void pipeline_events_free(pipeline_event *events, size_t n) {
  for (size_t i = 0; i < n; i++) {
    free(events[i].error_code);
    free(events[i].error_message);
  }
  free(events);
}

static void fill_info(hw_pipeline *p, pipeline_info *out) {
  hw_engine *e = p->engine;
  bool deployed = e->status != DEPLOYMENT_STOPPED;
  *out = (pipeline_info){
      .id = "67e55044-10b1-426f-9247-bb680e5fe0c8",
      .definition = pipeline_definition_ref(p->definition),
      .created_at_us = 1767319385123456,
      .refresh_version = 3,
      .program_status = e->program,
      .program_status_since_us = 1767319385123456,
      .program = e->program == PROGRAM_SUCCESS ? program_ref(e->compiled) : NULL,
      .status = e->status,
      .desired = deployed ? DEPLOYMENT_RUNNING : DEPLOYMENT_STOPPED,
      .status_since_us = 1767319385123456,
      .desired_since_us = 1767319385123456,
      .storage_in_use = deployed,
      .deployment_error = e->error,
      .num_errors = deployed ? 7 : 0,
  };
  if (deployed) {
    snprintf(out->deployment_id, sizeof out->deployment_id, "67e55044-10b1-426f-9247-bb680e5fe0c9");
    snprintf(out->deployment_initial, sizeof out->deployment_initial, "running");
  }
}

hw_status pipeline_get_info(hw_pipeline *p, pipeline_info *out) {
  LOCK(p->engine);
  fill_info(p, out);
  program_status status = p->engine->program;
  UNLOCK(p->engine);
  const program_message where = {.line = 1, .column = 8, .end_line = 1, .end_column = 9};
  if (status == PROGRAM_SQL_ERROR)
    program_messages_add(&out->messages, &where, false, "Error parsing SQL", "CREATE TABEL\n       ^",
                         "expected TABLE");
  return HW_OK;
}

void pipeline_info_fini(pipeline_info *info) {
  pipeline_definition_unref(info->definition);
  if (info->program) program_unref(info->program);
  program_messages_fini(&info->messages);
}

/* ---- lifecycle ------------------------------------------------------------ */

static hw_status refusal(hw_engine *e, hw_error *err) {
  LOCK(e);
  hw_error r = e->refusal;
  UNLOCK(e);
  if (r.status == HW_OK) return HW_OK;
  if (err) *err = r;
  return r.status;
}

hw_status manager_start(hw_pipeline *p, const start_options *options, hw_done *done, void *arg, hw_error *err) {
  hw_status status = refusal(p->engine, err);
  if (status != HW_OK) return status;
  LOCK(p->engine);
  bool failed = p->engine->error.status != HW_OK;
  UNLOCK(p->engine);
  if (failed && !options->dismiss)
    return hw_error_code(err, HW_ESTATE, "CannotStartWithUndismissedError", "dismiss the error first");
  set_error(p->engine, &p->engine->error, HW_OK, "", "");
  fake_set_status(p->engine, options->initial == HW_RUNNING ? DEPLOYMENT_RUNNING : DEPLOYMENT_PAUSED);
  answer_done(done, arg);
  return HW_OK;
}

hw_status manager_stop(hw_pipeline *p, bool force, hw_done *done, void *arg, hw_error *err) {
  (void)force;
  hw_status status = refusal(p->engine, err);
  if (status != HW_OK) return status;
  fake_set_status(p->engine, DEPLOYMENT_STOPPED);
  answer_done(done, arg);
  return HW_OK;
}

hw_status manager_clear(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  hw_status status = refusal(p->engine, err);
  if (status == HW_OK) answer_done(done, arg);
  return status;
}

hw_status manager_dismiss_error(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  hw_status status = refusal(p->engine, err);
  if (status != HW_OK) return status;
  set_error(p->engine, &p->engine->error, HW_OK, "", "");
  answer_done(done, arg);
  return HW_OK;
}

/* ---- control calls -------------------------------------------------------- */

static void answer(pending *op) {
  hw_engine *e = op->p->engine;
  char position[256];
  LOCK(e);
  hw_error failure = e->failure;
  fake_input *input = op->input >= 0 ? &op->p->inputs[op->input] : NULL;
  if (failure.status == HW_OK && input) {
    input->paused = op->pause;
    input->epoch++;
  } else if (failure.status == HW_OK) {
    e->status = op->pause ? DEPLOYMENT_PAUSED : DEPLOYMENT_RUNNING;
  }
  snprintf(position, sizeof position, "%s", e->position);
  hw_reply reply = {.struct_size = sizeof reply, .status = failure.status, .position = position};
  if (failure.status != HW_OK) reply.error = &failure;
  if (input) reply.epoch = input->epoch, reply.total_records = input->records;
  UNLOCK(e);
  op->done(op->arg, &reply);
  hw_pipeline_unref(op->p);
  free(op);
}

/* One thread answers whatever waits, until the engine ends. */
static void *answer_thread(void *arg) {
  hw_engine *e = arg;
  LOCK(e);
  while (!e->ending || e->n_pending) {
    if (e->n_pending == 0) {
      pthread_cond_wait(&e->changed, &e->lock);
      continue;
    }
    UNLOCK(e);
    fake_answer_all(e);
    LOCK(e);
  }
  UNLOCK(e);
  return NULL;
}

static void answer_later(hw_engine *e, pending *op) {
  LOCK(e);
  *e->last = op;
  e->last = &op->next;
  e->n_pending++;
  UNLOCK(e);
}

static void call(hw_pipeline *p, int input, bool pause, hw_done *done, void *arg) {
  pending *op = calloc(1, sizeof *op);
  if (!op) abort();
  *op = (pending){.p = hw_pipeline_ref(p), .input = input, .pause = pause, .done = done, .arg = arg};
  LOCK(p->engine);
  bool at_once = p->engine->answer == FAKE_AT_ONCE;
  UNLOCK(p->engine);
  if (at_once) {
    answer(op);
  } else {
    answer_later(p->engine, op);
  }
}

unsigned fake_answer_all(hw_engine *e) {
  unsigned n = 0;
  LOCK(e);
  pending *all = e->first;
  e->first = NULL;
  e->last = &e->first;
  e->n_pending = 0;
  UNLOCK(e);
  for (pending *next; all; all = next, n++) {
    next = all->next;
    answer(all);
  }
  return n;
}

void fake_wait_pending(hw_engine *e, unsigned n) {
  LOCK(e);
  while (e->n_pending < n) pthread_cond_wait(&e->changed, &e->lock);
  UNLOCK(e);
}

static hw_status check_deployed(hw_pipeline *p, hw_error *err) {
  LOCK(p->engine);
  deployment_status status = p->engine->status;
  UNLOCK(p->engine);
  if (status == DEPLOYMENT_PAUSED || status == DEPLOYMENT_RUNNING) return HW_OK;
  if (status == DEPLOYMENT_INITIALIZING) return hw_error_code(err, HW_EAGAIN, "Initializing", "is still initializing");
  return hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed", "pipeline '%s' is not deployed", p->name);
}

static hw_status control_pipeline(hw_pipeline *p, bool pause, hw_done *done, void *arg, hw_error *err) {
  hw_status status = refusal(p->engine, err);
  if (status == HW_OK) status = check_deployed(p, err);
  if (status == HW_OK) call(p, -1, pause, done, arg);
  return status;
}

hw_status hw_pipeline_pause(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  return control_pipeline(p, true, done, arg, err);
}
hw_status hw_pipeline_resume(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  return control_pipeline(p, false, done, arg, err);
}

/* The identifier rule of SQL, on a copy. */
static void fold(char *to, size_t size, const char *from) {
  size_t len = strlen(from);
  bool quoted = len >= 2 && from[0] == '"' && from[len - 1] == '"';
  snprintf(to, size, "%.*s", (int)(quoted ? len - 2 : len), from + quoted);
  for (; !quoted && *to; to++) *to = (char)tolower((unsigned char)*to);
}

static int find_input(hw_pipeline *p, const char *table, const char *connector) {
  char folded[64];
  fold(folded, sizeof folded, table);
  for (unsigned i = 0; i < p->n_inputs; i++) {
    if (strcmp(p->inputs[i].table, folded) == 0 && strcmp(p->inputs[i].name, connector) == 0) return (int)i;
  }
  return -1;
}

hw_status pipeline_control_connector(hw_pipeline *p, bool is_input, const char *table, const char *connector,
                                     bool pause, hw_done *done, void *arg, hw_error *err) {
  hw_status status = refusal(p->engine, err);
  if (status == HW_OK) status = check_deployed(p, err);
  if (status != HW_OK) return status;
  int input = is_input ? find_input(p, table, connector) : -1;
  if (input < 0)
    return hw_error_code(err, HW_ENOTFOUND, is_input ? "UnknownInputEndpoint" : "UnknownOutputEndpoint",
                         "unknown %s endpoint name '%s.%s'", is_input ? "input" : "output", table, connector);
  call(p, input, pause, done, arg);
  return HW_OK;
}

/* ---- dead letters ---------------------------------------------------------- */

hw_status pipeline_list_letters(hw_pipeline *p, const char *connector, uint64_t after, uint64_t n,
                                dead_letter **out) {
  (void)p;
  *out = NULL;
  if (n == 0 || after >= 7 || (connector && strcmp(connector, "t.c") != 0)) return HW_OK;
  *out = calloc(1, sizeof **out);
  if (!*out) return HW_ENOMEM;
  **out = (dead_letter){.id = 7, .time_us = 1767319385123456, .connector = "t.c", .position = "f@9", .field = "a",
                        .reason = "no \"number\"", .raw = "x\xff", .raw_len = 2, .record_len = 3, .cut = true};
  return HW_OK;
}

dead_letters_count pipeline_count_letters(hw_pipeline *p) {
  (void)p;
  return (dead_letters_count){1, 2, 3, 4, 5, 6};
}

uint64_t pipeline_clear_letters(hw_pipeline *p, const char *connector) {
  (void)p;
  return connector ? 1 : 2;
}

hw_status pipeline_resubmit_letters(hw_pipeline *p, const uint64_t *ids, size_t n, letters_outcome *outcome,
                                    hw_error *err) {
  *outcome = (letters_outcome){0};
  hw_status status = check_deployed(p, err);
  for (size_t i = 0; i < n; i++) ids[i] == 7 ? outcome->resubmitted++ : outcome->missing++;
  return status;
}

hw_status pipeline_resubmit_all_letters(hw_pipeline *p, const char *connector, letters_outcome *outcome,
                                        hw_error *err) {
  *outcome = (letters_outcome){.failed = connector ? 1 : 2};
  hw_error_set(&outcome->first, HW_EPARSE, "still no number");
  return check_deployed(p, err);
}

/* ---- statistics ----------------------------------------------------------- */

static connector_error_list one_error(const char *message) {
  connector_error_list list = {.n = 1, .items = calloc(1, sizeof *list.items)};
  if (!list.items) abort();
  list.items[0] = (connector_error){.timestamp_us = 1767319385123456, .tag = "record", .message = strdup(message)};
  return list;
}

static connector_stats input_stats(const hw_pipeline *p, const fake_input *i, bool with_errors) {
  char endpoint[80];
  snprintf(endpoint, sizeof endpoint, "%s.%s", i->table, i->name);
  connector_stats s = {
      .endpoint = strdup(endpoint),
      .relation = strdup(i->table),
      .name = strdup(i->name),
      .is_input = true,
      .config_json = strdup("{}"),
      .healthy = false,
      .health_reason = strdup("lost \"it\""),
      .paused = i->paused,
      .holds = "pipeline user",
      .quiescent = p->engine->quiescent,
      .epoch = i->epoch,
      .position = strdup(p->engine->position),
      .total_bytes = 11,
      .total_records = 5,
      .num_parse_errors = 1,
  };
  if (with_errors) s.parse_errors = one_error("bad \xff record");
  return s;
}

static connector_stats output_stats(bool with_errors) {
  connector_stats s = {.endpoint = strdup("v.out"),
                       .relation = strdup("v"),
                       .name = strdup("out"),
                       .config_json = strdup("{}"),
                       .healthy = true,
                       .on_full = "hold",
                       .position = strdup(""),
                       .transmitted_records = INT64_MAX};
  if (with_errors) s.transport_errors = one_error("disk full");
  return s;
}

hw_status pipeline_get_stats(hw_pipeline *p, bool with_errors, pipeline_stats *out, hw_error *err) {
  hw_status status = check_deployed(p, err);
  if (status != HW_OK) return status;
  LOCK(p->engine);
  p->engine->n_stats++;
  *out = (pipeline_stats){.running = p->engine->status == DEPLOYMENT_RUNNING,
                          .n_inputs = p->n_inputs,
                          .n_outputs = 1,
                          .total_input_records = 5,
                          .start_time_us = 1767319385123456,
                          .uptime_us = 1500,
                          .incarnation = "67e55044-10b1-426f-9247-bb680e5fe0ca"};
  out->inputs = calloc(p->n_inputs, sizeof *out->inputs);
  out->outputs = calloc(1, sizeof *out->outputs);
  if (!out->inputs || !out->outputs) abort();
  for (unsigned i = 0; i < p->n_inputs; i++) out->inputs[i] = input_stats(p, &p->inputs[i], with_errors);
  out->outputs[0] = output_stats(with_errors);
  UNLOCK(p->engine);
  return HW_OK;
}

/* From `was` to the other; otherwise the error. */
static hw_status turn_transaction(hw_pipeline *p, bool was, const char *code, hw_error *err) {
  hw_status status = check_deployed(p, err);
  LOCK(p->engine);
  if (status == HW_OK && p->transaction_open != was) status = hw_error_code(err, HW_ESTATE, code, "it is not so");
  if (status == HW_OK) p->transaction_open = !was;
  UNLOCK(p->engine);
  return status;
}

hw_status pipeline_start_transaction(hw_pipeline *p, uint64_t *id, hw_error *err) {
  *id = 1;
  return turn_transaction(p, false, "TransactionInProgress", err);
}

hw_status pipeline_commit_transaction(hw_pipeline *p, hw_error *err) {
  return turn_transaction(p, true, "NoTransactionInProgress", err);
}

hw_status manager_sample(hw_engine *e, uint64_t resident_bytes, bool *moved) {
  *moved = true;
  LOCK(e);
  for (hw_pipeline *p = e->pipelines; p; p = p->next) {
    if (p->n_samples == PIPELINE_SAMPLES) continue; /* enough for any test */
    uint32_t i = p->n_samples++;
    p->samples[i] = (pipeline_sample){
        .at_us = (i + 1) * 1000000, .processed_records = 7 * (i + 1), .resident_bytes = resident_bytes};
  }
  UNLOCK(e);
  return HW_OK;
}

hw_status pipeline_get_samples(hw_pipeline *p, pipeline_sample out[PIPELINE_SAMPLES], uint32_t *n, hw_error *err) {
  hw_status status = check_deployed(p, err);
  *n = 0;
  if (status != HW_OK) return status;
  LOCK(p->engine);
  *n = p->n_samples;
  memcpy(out, p->samples, sizeof p->samples);
  UNLOCK(p->engine);
  return HW_OK;
}

hw_status pipeline_get_connector_stats(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                       connector_stats *out, hw_error *err) {
  hw_status status = check_deployed(p, err);
  if (status != HW_OK) return status;
  int input = is_input ? find_input(p, relation, connector) : -1;
  if (is_input && input < 0)
    return hw_error_code(err, HW_ENOTFOUND, "UnknownInputEndpoint", "unknown input endpoint name '%s.%s'", relation,
                         connector);
  if (!is_input && (strcmp(relation, "v") != 0 || strcmp(connector, "out") != 0))
    return hw_error_code(err, HW_ENOTFOUND, "UnknownOutputEndpoint", "unknown output endpoint name '%s.%s'", relation,
                         connector);
  LOCK(p->engine);
  p->engine->n_stats++;
  *out = is_input ? input_stats(p, &p->inputs[input], true) : output_stats(true);
  UNLOCK(p->engine);
  return HW_OK;
}

/* ---- data in ---------------------------------------------------------------- */

/* A body whose lines are its rows; a line that begins with '!' is bad. It is done
 * with its end, and knows one table and two formats. */
struct ingress_body {
  ingress_events events;
  char *data;
  size_t len;
  bool over;
  ingress_result result;
  ingress_fault fault;
};

ingress_body *ingress_begin(hw_pipeline *p, const ingress_options *o, const ingress_events *events, hw_error *err) {
  hw_engine *e = p->engine;
  LOCK(e);
  bool deployed = e->status == DEPLOYMENT_RUNNING || e->status == DEPLOYMENT_PAUSED;
  UNLOCK(e);
  if (!deployed)
    return hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed", "it is not deployed"), NULL;
  if (strcmp(o->table, "numbers") != 0)
    return hw_error_code(err, HW_ENOTFOUND, "UnknownInputStream", "unknown table"), NULL;
  if (strcmp(o->format, "json") != 0 && strcmp(o->format, "csv") != 0)
    return hw_error_code(err, HW_EINVAL, "UnknownInputFormat", "unknown format"), NULL;
  ingress_body *b = calloc(1, sizeof *b);
  b->events = *events;
  return b;
}

bool ingress_lend(ingress_body *b, int fd, uint64_t most) { return (void)b, (void)fd, (void)most, false; }
bool ingress_recall(ingress_body *b) { return (void)b, false; }
uint64_t ingress_received(ingress_body *b) { return (void)b, UINT64_C(0); }

bool ingress_write(ingress_body *b, const char *data, size_t len) {
  b->data = realloc(b->data, b->len + len);
  memcpy(b->data + b->len, data, len);
  b->len += len;
  return true;
}

static void fake_done(ingress_body *b, hw_status status) {
  if (b->over) return;
  b->over = true;
  if (status != HW_OK) hw_error_set(&b->result.error, status, "it was given up");
  snprintf(b->result.token, sizeof b->result.token, "token-%llu", (unsigned long long)b->result.rows);
  b->events.done(b->events.arg);
}

void ingress_end(ingress_body *b) {
  for (size_t at = 0; at < b->len;) {
    const char *line = b->data + at, *end = memchr(line, '\n', b->len - at);
    size_t len = end ? (size_t)(end - line) : b->len - at;
    if (len && *line != '!') b->result.rows++;
    if (len && *line == '!') {
      b->fault = (ingress_fault){.event = b->result.rows + ++b->result.n_faults, .tag = "type", .reason = (char *)"bad",
                                 .text = (char *)"\xff", .text_len = 1};
      b->result.faults = &b->fault;
    }
    at += len + 1;
  }
  fake_done(b, HW_OK);
}

void ingress_cut(ingress_body *b) { fake_done(b, HW_ECANCELED); }
bool ingress_refuse(ingress_body *b) {
  if (b->over) return false;
  fake_done(b, HW_ECANCELED);
  return true;
}

void ingress_release(ingress_body *b) {
  free(b->data);
  free(b);
}

const ingress_result *ingress_outcome(const ingress_body *b) { return &b->result; }

hw_status pipeline_get_token(hw_pipeline *p, const char *table, const char *connector, char out[TOKEN_SIZE],
                             hw_error *err) {
  connector_stats stats;
  hw_status status = pipeline_get_connector_stats(p, true, table, connector, &stats, err);
  if (status != HW_OK) return status;
  connector_stats_fini(&stats);
  snprintf(out, TOKEN_SIZE, "token-of-%s", connector);
  return HW_OK;
}

hw_status pipeline_get_completion(hw_pipeline *p, const char *token, bool *complete, uint64_t *step, hw_error *err) {
  (void)p;
  *complete = strcmp(token, "done") == 0;
  *step = *complete ? 7 : 0;
  if (strcmp(token, "old") == 0) return hw_error_code(err, HW_ESTATE, "PipelineRestarted", "of another run");
  if (strcmp(token, "?") == 0) return hw_error_code(err, HW_EINVAL, "InvalidParam", "no token");
  return HW_OK;
}

/* ---- data out --------------------------------------------------------------- */

/* Chunks are what the test gives to the one egress there is. */
struct egress {
  hw_pipeline *pipeline;
  egress_events events;
  char *chunks[8];
  unsigned n, at;
  bool ended;
};

static egress *the_egress; /* protected by the engine's lock */

egress *egress_open(hw_pipeline *p, const egress_options *o, const egress_events *events, hw_error *err) {
  if (strcmp(o->relation, "v") != 0) {
    hw_error_code(err, HW_ENOTFOUND, "UnknownOutputStream", "unknown relation");
    return NULL;
  }
  egress *e = calloc(1, sizeof *e);
  e->events = *events;
  e->pipeline = hw_pipeline_ref(p);
  LOCK(p->engine);
  the_egress = e;
  UNLOCK(p->engine);
  events->ready(events->arg);
  return e;
}

bool egress_take(egress *e, hw_bytes *line) {
  LOCK(e->pipeline->engine);
  bool any = e->at < e->n;
  if (any) *line = (hw_bytes){.data = e->chunks[e->at], .len = strlen(e->chunks[e->at])};
  e->at += any;
  UNLOCK(e->pipeline->engine);
  return any;
}

void egress_taken(egress *e) { (void)e; }

egress_state egress_look(egress *e) {
  LOCK(e->pipeline->engine);
  egress_state s = {.next = e->at, .begun = true, .ended = e->ended};
  UNLOCK(e->pipeline->engine);
  return s;
}

void egress_close(egress *e) {
  hw_pipeline *p = e->pipeline;
  LOCK(p->engine);
  the_egress = NULL;
  UNLOCK(p->engine);
  for (unsigned i = e->at; i < e->n; i++) free(e->chunks[i]);
  free(e);
  hw_pipeline_unref(p);
}

void fake_egress_give(hw_engine *engine, const char *chunk) {
  LOCK(engine);
  egress *e = the_egress;
  if (chunk) e->chunks[e->n++] = strdup(chunk);
  else e->ended = true;
  e->events.ready(e->events.arg);
  UNLOCK(engine);
}

bool fake_egress_is_open(hw_engine *engine) {
  LOCK(engine);
  bool open = the_egress != NULL;
  UNLOCK(engine);
  return open;
}
