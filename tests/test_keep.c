/* test_keep.c - edits, and what of a pipeline survives the process, over
 * fake_deployment.c: an engine is freed in the midst of it and another one opens
 * the same catalog. */
#include "engine/manager.h"
#include "tests/fake_deployment.h"
#include "tests/sync_vfs.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static hw_engine *engine;
static hw_error err;
static char dir[40];

static void quiet(void *arg, hw_log_level level, const char *line) { (void)arg, (void)level, (void)line; }

static void open_engine(void) {
  hw_engine_options options = {.struct_size = sizeof options, .log_level = HW_LOG_DEBUG, .log = quiet};
  engine = hw_engine_new(&options, &err);
  ck_assert_ptr_nonnull(engine);
  ck_assert_msg(manager_open_catalog(engine, dir, &err) == HW_OK, "%s", err.message);
}

static void set_up(void) {
  fake_reset();
  snprintf(dir, sizeof dir, "/tmp/test_keep.XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(dir));
  open_engine();
}

static void tear_down(void) {
  char command[60];
  hw_engine_free(engine);
  ck_assert_uint_eq(fake_deployments(), 0);
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  ck_assert_int_eq(system(command), 0);
}

/* What the end of the process leaves is what was kept before, for a freed engine
 * keeps nothing more than that. */
static void restart(void) {
  hw_engine_free(engine);
  open_engine();
}

/* ---- calls that are waited for --------------------------------------------- */

typedef struct answer {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool done;
  hw_error error;
} answer;

static void on_answer(void *arg, const hw_reply *reply) {
  answer *a = arg;
  pthread_mutex_lock(&a->lock);
  ck_assert(!a->done);
  a->done = true;
  if (reply->error) a->error = *reply->error;
  pthread_cond_signal(&a->changed);
  pthread_mutex_unlock(&a->lock);
}

static hw_status await(answer *a) {
  pthread_mutex_lock(&a->lock);
  while (!a->done) pthread_cond_wait(&a->changed, &a->lock);
  pthread_mutex_unlock(&a->lock);
  if (a->error.status != HW_OK) err = a->error;
  return a->error.status;
}

#define NO_ANSWER {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}
/* call(..., done, arg, err), and its answer. */
#define AWAIT(call, ...)                                                  \
  ({                                                                      \
    answer a_ = NO_ANSWER;                                                \
    hw_status s_ = call(__VA_ARGS__, on_answer, &a_, &err);               \
    s_ == HW_OK ? await(&a_) : s_;                                        \
  })
#define ASSERT_DONE(status) ck_assert_msg((status) == HW_OK, "%s: %s", err.code, err.message)
#define ASSERT_REFUSED(call, word)      \
  do {                                  \
    err.code[0] = '\0';                 \
    ck_assert_int_ne((call), HW_OK);    \
    ck_assert_str_eq(err.code, (word)); \
  } while (0)

static hw_pipeline *create(const char *name, const char *code) {
  const pipeline_spec spec = {.members = {[MEMBER_NAME] = name, [MEMBER_CODE] = code,
                                          [MEMBER_RUNTIME_CONFIG] = "{\"workers\":8,\"resources\":{}}"},
                              .code_len = strlen(code)};
  hw_pipeline *p;
  ASSERT_DONE(AWAIT(manager_create, engine, &spec, &p));
  return p;
}

static hw_status edit(hw_pipeline *p, pipeline_member member, const char *text, char not_allowed[EDIT_FIELDS_MAX]) {
  pipeline_spec spec = {.code_len = strlen(text)};
  spec.members[member] = text;
  return AWAIT(manager_edit, p, &spec, false, not_allowed);
}

static hw_status begin(hw_pipeline *p, hw_run_state initial) {
  const start_options options = {.initial = initial, .bootstrap = {.policy = BOOTSTRAP_ALLOW}};
  return AWAIT(manager_start, p, &options);
}

static hw_pipeline *find(const char *name) {
  hw_pipeline *p = hw_pipeline_find(engine, name);
  ck_assert_msg(p != NULL, "there is no pipeline %s", name);
  return p;
}

static pipeline_info get(hw_pipeline *p) {
  pipeline_info info;
  ck_assert_int_eq(pipeline_get_info(p, &info), HW_OK);
  return info;
}

static void wait_status(hw_pipeline *p, deployment_status status) {
  for (;;) {
    pipeline_info info = get(p);
    bool there = info.status == status;
    pipeline_info_fini(&info);
    if (there) return;
    sched_yield();
  }
}

static bool connector_paused(hw_pipeline *p, const char *relation, const char *connector) {
  connector_stats stats;
  bool is_input = strcmp(relation, "v") != 0;
  ck_assert_msg(pipeline_get_connector_stats(p, is_input, relation, connector, &stats, &err) == HW_OK, "%s",
                err.message);
  bool paused = stats.paused;
  connector_stats_fini(&stats);
  return paused;
}

/* ---- edits ----------------------------------------------------------------- */

typedef struct versions {
  uint64_t version, program, refresh;
  program_status status;
} versions;

static versions versions_of(hw_pipeline *p) {
  pipeline_info info = get(p);
  versions v = {info.definition->version, info.definition->program_version, info.refresh_version, info.program_status};
  pipeline_info_fini(&info);
  return v;
}

static void wait_compiled(hw_pipeline *p) {
  while (versions_of(p).status < PROGRAM_SUCCESS) sched_yield();
}

#define ASSERT_VERSIONS(p, v, prog, r)        \
  do {                                        \
    versions is_ = versions_of(p);            \
    ck_assert_uint_eq(is_.version, (v));      \
    ck_assert_uint_eq(is_.program, (prog));   \
    ck_assert_uint_eq(is_.refresh, (r));      \
  } while (0)

START_TEST(versions_count_as_the_contract_says) {
  hw_pipeline *p = create("p", "ok");
  wait_compiled(p);
  ASSERT_VERSIONS(p, 1, 1, 3);
  ASSERT_DONE(edit(p, MEMBER_CODE, "ok", NULL)); /* nothing changes */
  ASSERT_DONE(edit(p, MEMBER_RUNTIME_CONFIG, "{\"resources\":{}, \"workers\":8}", NULL));
  ASSERT_VERSIONS(p, 1, 1, 3);
  fake_shut(FAKE_COMPILE);
  ASSERT_DONE(edit(p, MEMBER_CODE, "ok, too", NULL));
  fake_wait_at(FAKE_COMPILE, 1);
  ASSERT_VERSIONS(p, 2, 2, 4);
  pipeline_info info = get(p);
  ck_assert_ptr_null(info.program);
  pipeline_info_fini(&info);
  fake_let(FAKE_COMPILE);
  wait_compiled(p);
  ASSERT_VERSIONS(p, 2, 2, 6);
  ASSERT_DONE(edit(p, MEMBER_DESCRIPTION, "words", NULL));
  ck_assert_uint_eq(versions_of(p).version, 2);
  ASSERT_DONE(edit(p, MEMBER_RUNTIME_CONFIG, "{\"workers\":4}", NULL));
  ck_assert_uint_eq(versions_of(p).version, 3);
  ck_assert_uint_eq(versions_of(p).program, 2);
  ck_assert_int_eq(versions_of(p).status, PROGRAM_SUCCESS);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(an_edit_overtakes_a_compilation) {
  fake_shut(FAKE_COMPILE);
  hw_pipeline *p = create("p", "bad");
  fake_wait_at(FAKE_COMPILE, 1);
  ASSERT_DONE(edit(p, MEMBER_CODE, "ok", NULL));
  fake_wait_at(FAKE_COMPILE, 2);
  fake_let(FAKE_COMPILE);
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err)); /* waits for the program that counts */
  ck_assert_int_eq(versions_of(p).status, PROGRAM_SUCCESS);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_running_pipeline_is_not_edited) {
  hw_pipeline *p = create("p", "ok");
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  ASSERT_REFUSED(edit(p, MEMBER_CODE, "ok, too", NULL), "UpdateRestrictedToStopped");
  ASSERT_REFUSED(edit(p, MEMBER_NAME, "q", NULL), "UpdateRestrictedToStopped");
  ASSERT_DONE(edit(p, MEMBER_CODE, "ok", NULL)); /* is as it is */
  ASSERT_DONE(edit(p, MEMBER_TAGS, "[\"t\"]", NULL));
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(storage_binds_some_fields) {
  char fields[EDIT_FIELDS_MAX];
  hw_pipeline *p = create("p", "ok");
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  ASSERT_DONE(hw_pipeline_stop(p, true, NULL, NULL, &err));
  ASSERT_REFUSED(edit(p, MEMBER_NAME, "q", fields), "EditRestrictedToClearedStorage");
  ck_assert_ptr_nonnull(strstr(err.message, "POST /v0/pipelines/p/clear, before you edit `name`"));
  ck_assert_str_eq(fields, "`name`");
  static const char config[] = "{\"workers\":2,\"hosts\":9,\"resources\":{\"storage_class\":\"x\"}}";
  ASSERT_REFUSED(edit(p, MEMBER_RUNTIME_CONFIG, config, fields), "EditRestrictedToClearedStorage");
  ck_assert_str_eq(fields,
                   "`runtime_config.workers`,`runtime_config.hosts`,`runtime_config.resources.storage_class`");
  ASSERT_DONE(edit(p, MEMBER_RUNTIME_CONFIG, "{\"workers\":8,\"min_batch_size_records\":9}", NULL));
  ASSERT_DONE(edit(p, MEMBER_CODE, "ok, too", NULL));
  ASSERT_DONE(AWAIT(manager_clear, p));
  ASSERT_DONE(edit(p, MEMBER_NAME, "q", NULL));
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_renamed_pipeline_is_found_by_its_name) {
  hw_pipeline *p = create("m", "ok"), *other = create("z", "ok");
  ASSERT_REFUSED(edit(p, MEMBER_NAME, "z", NULL), "DuplicateName");
  ck_assert_uint_eq(versions_of(p).version, 1);
  ASSERT_DONE(edit(p, MEMBER_NAME, "zz", NULL));
  ck_assert_ptr_null(hw_pipeline_find(engine, "m"));
  hw_pipeline *found = find("zz");
  ck_assert_ptr_eq(found, p);
  ck_assert_str_eq(hw_pipeline_name(p), "zz");
  hw_pipeline_unref(found);
  hw_pipeline *again = create("m", "ok");
  hw_pipeline_unref(again);
  hw_pipeline_unref(other);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- after a restart -------------------------------------------------------- */

START_TEST(definitions_come_back) {
  hw_pipeline *p = create("old", "ok");
  ASSERT_DONE(edit(p, MEMBER_NAME, "p", NULL));
  ASSERT_DONE(edit(p, MEMBER_CODE, "ok \"quoted\"\n", NULL));
  ASSERT_DONE(edit(p, MEMBER_TAGS, "[\"a\",\"b\"]", NULL));
  ASSERT_DONE(edit(p, MEMBER_UDF_RUST, "fn f() {}", NULL));
  pipeline_info before = get(p);
  hw_pipeline_unref(p);
  hw_pipeline *gone = create("gone", "ok");
  ASSERT_DONE(AWAIT(manager_delete, gone));
  hw_pipeline_unref(gone);
  restart();
  ck_assert_ptr_null(hw_pipeline_find(engine, "gone"));
  ck_assert_ptr_null(hw_pipeline_find(engine, "old"));
  p = find("p");
  wait_compiled(p);
  pipeline_info after = get(p);
  ck_assert_str_eq(after.id, before.id);
  for (int m = 0; m < PIPELINE_MEMBERS; m++)
    ck_assert_str_eq(after.definition->members[m], before.definition->members[m]);
  ck_assert_uint_eq(after.definition->version, 4);
  ck_assert_uint_eq(after.definition->program_version, 3);
  ck_assert_int_eq(after.created_at_us, before.created_at_us);
  ck_assert_int_eq(after.program_status, PROGRAM_SUCCESS);
  ck_assert_int_eq(after.status, DEPLOYMENT_STOPPED);
  pipeline_info_fini(&before);
  pipeline_info_fini(&after);
  hw_pipeline_unref(p);
}
END_TEST

/* Whoever still holds it may call, and is answered. */
START_TEST(a_deleted_pipeline_keeps_nobody_waiting) {
  hw_pipeline *p = create("p", "ok");
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  ASSERT_DONE(hw_pipeline_stop(p, true, NULL, NULL, &err));
  ASSERT_DONE(hw_pipeline_delete(p, &err));
  ASSERT_DONE(AWAIT(manager_clear, p)); /* changes what would be kept */
  ASSERT_DONE(hw_pipeline_stop(p, true, NULL, NULL, &err));
  ASSERT_REFUSED(edit(p, MEMBER_DESCRIPTION, "words", NULL), "UnknownPipelineName");
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(states_come_back) {
  static const char *const names[] = {"running", "paused", "stopped", "cleared", "resumed"};
  for (int i = 0; i < 5; i++) {
    hw_pipeline *p = create(names[i], "ok");
    ASSERT_DONE(begin(p, i == 4 ? HW_PAUSED : HW_RUNNING));
    wait_status(p, i == 4 ? DEPLOYMENT_PAUSED : DEPLOYMENT_RUNNING);
    if (i == 1) ASSERT_DONE(AWAIT(hw_pipeline_pause, p));
    if (i == 2 || i == 3) ASSERT_DONE(hw_pipeline_stop(p, true, NULL, NULL, &err));
    if (i == 3) ASSERT_DONE(AWAIT(manager_clear, p));
    if (i == 4) ASSERT_DONE(AWAIT(hw_pipeline_resume, p));
    hw_pipeline_unref(p);
  }
  restart();
  static const deployment_status wanted[] = {DEPLOYMENT_RUNNING, DEPLOYMENT_PAUSED, DEPLOYMENT_STOPPED,
                                             DEPLOYMENT_STOPPED, DEPLOYMENT_RUNNING};
  for (int i = 0; i < 5; i++) {
    hw_pipeline *p = find(names[i]);
    wait_status(p, wanted[i]);
    pipeline_info info = get(p);
    ck_assert_int_eq(info.status, wanted[i]);
    ck_assert_int_eq(info.desired, wanted[i]);
    ck_assert_int_eq(info.storage_in_use, i != 3);
    if (i == 1) ck_assert_str_eq(info.deployment_initial, "running");
    if (i == 1) ck_assert_int_eq(info.bootstrap.policy, BOOTSTRAP_ALLOW);
    pipeline_info_fini(&info);
    hw_pipeline_unref(p);
  }
}
END_TEST

START_TEST(connectors_stay_paused) {
  hw_pipeline *p = create("p", "ok");
  ASSERT_DONE(begin(p, HW_RUNNING));
  wait_status(p, DEPLOYMENT_RUNNING);
  ASSERT_DONE(AWAIT(hw_connector_pause, p, "numbers", "c1"));
  ASSERT_DONE(AWAIT(hw_connector_pause, p, "v", "out"));
  ASSERT_DONE(AWAIT(hw_connector_pause, p, "\"Quoted\"", "c1"));
  ASSERT_DONE(AWAIT(hw_connector_start, p, "\"Quoted\"", "c1"));
  hw_pipeline_unref(p);
  for (int i = 0; i < 2; i++) { /* also after another restart */
    restart();
    p = find("p");
    wait_status(p, DEPLOYMENT_RUNNING);
    ck_assert(connector_paused(p, "numbers", "c1"));
    ck_assert(connector_paused(p, "v", "out"));
    ck_assert(!connector_paused(p, "\"Quoted\"", "c1"));
    hw_pipeline_unref(p);
  }
  p = find("p");
  ASSERT_DONE(hw_pipeline_stop(p, true, NULL, NULL, &err)); /* it belongs to the run */
  ASSERT_DONE(begin(p, HW_RUNNING));
  hw_pipeline_unref(p);
  restart();
  p = find("p");
  wait_status(p, DEPLOYMENT_RUNNING);
  ck_assert(!connector_paused(p, "numbers", "c1"));
  hw_pipeline_unref(p);
}
END_TEST

/* Nor does what goes wrong on the way out change what is wanted. */
START_TEST(leaving_is_not_stopping) {
  hw_pipeline *p = create("p", "ok");
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  ASSERT_DONE(AWAIT(hw_connector_pause, p, "numbers", "c1"));
  fake_drain_leaves("3 rows are left");
  ASSERT_REFUSED(AWAIT(manager_leave, p), "StopIncomplete");
  ASSERT_REFUSED(hw_pipeline_start(p, HW_PAUSED, NULL, NULL, &err), "Terminating"); /* nor does a late start, */
  ASSERT_REFUSED(edit(p, MEMBER_CODE, "ok again", NULL), "Terminating"); /* or what the next one would not know */
  ASSERT_REFUSED(AWAIT(manager_clear, p), "Terminating");
  ASSERT_REFUSED(AWAIT(manager_delete, p), "Terminating");
  fake_reset();
  pipeline_info info = get(p);
  ck_assert_int_eq(info.status, DEPLOYMENT_STOPPED);
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
  restart();
  p = find("p");
  wait_status(p, DEPLOYMENT_RUNNING);
  ck_assert(connector_paused(p, "numbers", "c1"));
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(a_failure_is_not_started_again) {
  hw_pipeline *p = create("p", "ok");
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  fake_emit_failed("it failed");
  (void)!hw_pipeline_wait(p, -1, &err);
  hw_pipeline_unref(p);
  restart();
  p = find("p");
  wait_compiled(p);
  pipeline_info info = get(p);
  ck_assert_int_eq(info.desired, DEPLOYMENT_STOPPED);
  ck_assert_str_eq(info.deployment_error.message, "it failed");
  pipeline_info_fini(&info);
  ASSERT_REFUSED(begin(p, HW_RUNNING), "CannotStartWithUndismissedError");
  ASSERT_DONE(AWAIT(manager_dismiss_error, p));
  hw_pipeline_unref(p);
  restart();
  p = find("p");
  ASSERT_DONE(begin(p, HW_RUNNING));
  hw_pipeline_unref(p);
}
END_TEST

static void execute(const char *sql) {
  char file[60];
  sqlite3 *db;
  snprintf(file, sizeof file, "%s/catalog.db", dir);
  ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* An engine that does not understand its catalog does not begin without it. */
START_TEST(malformed_records_are_refused) {
  static const char *const faults[] = {"UPDATE pipelines SET definition = '[]'",
                                       "UPDATE pipelines SET definition = '{}';"
                                       "UPDATE pipeline_states SET state = 'x'"};
  hw_pipeline_unref(create("broken", "ok"));
  hw_engine_free(engine);
  for (int i = 0; i < 2; i++) {
    execute(faults[i]);
    hw_engine_options options = {.struct_size = sizeof options, .log = quiet};
    engine = hw_engine_new(&options, &err);
    ck_assert_ptr_nonnull(engine);
    ASSERT_REFUSED(manager_open_catalog(engine, dir, &err), "CatalogUnavailable");
    ck_assert_msg(strstr(err.message, "pipeline 'broken' is malformed") != NULL, "%s", err.message);
    hw_engine_free(engine);
  }
  execute("UPDATE pipeline_states SET state = '{\"later\":1}'"); /* what nobody knows is left alone */
  open_engine();
  hw_pipeline_unref(find("broken"));
}
END_TEST

/* ---- a disk that is full ----------------------------------------------------- */

static struct rlimit limit_before;

/* Files may not grow past what the catalog has written already: as a full disk. */
static void fill_disk(void) {
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit_before), 0);
  struct rlimit none = {.rlim_cur = 8192, .rlim_max = limit_before.rlim_max};
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
}

static void free_disk(void) { ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit_before), 0); }

START_TEST(nothing_is_acknowledged_that_is_not_kept) {
  hw_pipeline *p = create("p", "ok"), *made;
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  fill_disk();
  ASSERT_REFUSED(AWAIT(hw_connector_pause, p, "numbers", "c1"), "CatalogWriteFailed");
  ck_assert(connector_paused(p, "numbers", "c1")); /* it holds all the same */
  ASSERT_REFUSED(AWAIT(hw_connector_pause, p, "numbers", "c1"), "CatalogWriteFailed"); /* changes nothing */
  ASSERT_REFUSED(edit(p, MEMBER_DESCRIPTION, "words", NULL), "CatalogWriteFailed");
  const pipeline_spec spec = {.members = {[MEMBER_NAME] = "new", [MEMBER_CODE] = "ok"}, .code_len = 2};
  ASSERT_REFUSED(AWAIT(manager_create, engine, &spec, &made), "CatalogWriteFailed");
  hw_pipeline_unref(made);
  ck_assert_ptr_null(hw_pipeline_find(engine, "new"));
  hw_pipeline *doomed = find("p");
  ASSERT_DONE(hw_pipeline_stop(doomed, true, NULL, NULL, &err) == HW_OK ? HW_EIO : HW_OK); /* refused, yet stopped */
  ASSERT_REFUSED(AWAIT(manager_clear, doomed), "CatalogWriteFailed");
  ASSERT_REFUSED(AWAIT(manager_delete, doomed), "CatalogWriteFailed");
  hw_pipeline_unref(doomed);
  doomed = find("p"); /* is there again */
  hw_pipeline_unref(doomed);
  free_disk();
  made = create("new", "ok"); /* its name was not taken */
  hw_pipeline_unref(made);
  ASSERT_DONE(AWAIT(manager_clear, p)); /* changes nothing, and keeps all that was not kept */
  hw_pipeline_unref(p);
  restart();
  p = find("p");
  pipeline_info info = get(p);
  ck_assert_str_eq(info.definition->members[MEMBER_DESCRIPTION], "words");
  ck_assert_int_eq(info.desired, DEPLOYMENT_STOPPED);
  ck_assert(!info.storage_in_use);
  pipeline_info_fini(&info);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- a disk that is slow ---------------------------------------------------- */

static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static bool gate_shut;   /* protected by gate_lock, as is the next */
static unsigned at_gate; /* syncs that do not come back */

static void pass_gate(const char *path) {
  (void)path;
  pthread_mutex_lock(&gate_lock);
  at_gate++;
  pthread_cond_broadcast(&gate_moved);
  while (gate_shut) pthread_cond_wait(&gate_moved, &gate_lock);
  at_gate--;
  pthread_mutex_unlock(&gate_lock);
}

static void set_gate(bool shut) {
  pthread_mutex_lock(&gate_lock);
  gate_shut = shut;
  pthread_cond_broadcast(&gate_moved);
  pthread_mutex_unlock(&gate_lock);
}

static void wait_at_gate(void) {
  pthread_mutex_lock(&gate_lock);
  while (at_gate == 0) pthread_cond_wait(&gate_moved, &gate_lock);
  pthread_mutex_unlock(&gate_lock);
}

static bool is_answered(answer *a) {
  pthread_mutex_lock(&a->lock);
  bool done = a->done;
  pthread_mutex_unlock(&a->lock);
  return done;
}

/* While the disk does not come back, calls are accepted and have their effect, and
 * everything can be looked at; only the answers wait. */
START_TEST(a_slow_disk_holds_answers_only) {
  answer paused = NO_ANSWER, edited = NO_ANSWER, made = NO_ANSWER, started = NO_ANSWER;
  hw_engine_free(engine);
  sync_vfs_install(pass_gate);
  open_engine();
  hw_pipeline *p = create("p", "ok"), *q = create("q", "ok"), *new;
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  set_gate(true);
  ASSERT_DONE(hw_connector_pause(p, "numbers", "c1", on_answer, &paused, &err));
  wait_at_gate();
  while (!connector_paused(p, "numbers", "c1")) sched_yield();
  const pipeline_spec words = {.members = {[MEMBER_DESCRIPTION] = "words"}};
  ASSERT_DONE(manager_edit(q, &words, false, NULL, on_answer, &edited, &err));
  ASSERT_DONE(manager_start(q, &(start_options){.initial = HW_RUNNING}, on_answer, &started, &err));
  wait_status(q, DEPLOYMENT_RUNNING);
  const pipeline_spec spec = {.members = {[MEMBER_NAME] = "new", [MEMBER_CODE] = "ok"}, .code_len = 2};
  ASSERT_DONE(manager_create(engine, &spec, &new, on_answer, &made, &err));
  wait_compiled(new);
  ck_assert_ptr_null(hw_pipeline_find(engine, "new")); /* it may yet fail */
  ck_assert(!is_answered(&paused) && !is_answered(&edited) && !is_answered(&started) && !is_answered(&made));
  set_gate(false);
  ASSERT_DONE(await(&paused));
  ASSERT_DONE(await(&edited));
  ASSERT_DONE(await(&started));
  ASSERT_DONE(await(&made));
  hw_pipeline_unref(find("new"));
  hw_pipeline_unref(new);
  hw_pipeline_unref(q);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- events ------------------------------------------------------------------ */

START_TEST(events_tell_each_change) {
  hw_pipeline *p = create("p", "ok");
  wait_compiled(p);
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  fake_emit_failed("it failed");
  (void)!hw_pipeline_wait(p, -1, &err);
  pipeline_event *events, *one;
  size_t n, n_one;
  ck_assert_int_eq(pipeline_get_events(p, NULL, &events, &n), HW_OK);
  static const struct {
    deployment_status status, desired;
    bool error;
  } wanted[] = {
      {DEPLOYMENT_STOPPED, DEPLOYMENT_STOPPED, true},       {DEPLOYMENT_STOPPING, DEPLOYMENT_STOPPED, true},
      {DEPLOYMENT_RUNNING, DEPLOYMENT_STOPPED, true},       {DEPLOYMENT_RUNNING, DEPLOYMENT_RUNNING, false},
      {DEPLOYMENT_INITIALIZING, DEPLOYMENT_RUNNING, false}, {DEPLOYMENT_PROVISIONING, DEPLOYMENT_RUNNING, false},
      {DEPLOYMENT_STOPPED, DEPLOYMENT_RUNNING, false},      {DEPLOYMENT_STOPPED, DEPLOYMENT_STOPPED, false},
  };
  ck_assert_uint_ge(n, sizeof wanted / sizeof *wanted);
  for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    ck_assert_int_eq(events[i].status, wanted[i].status);
    ck_assert_int_eq(events[i].desired, wanted[i].desired);
    ck_assert_int_eq(events[i].error_message != NULL, wanted[i].error);
  }
  ck_assert_int_eq(pipeline_get_events(p, "latest", &one, &n_one), HW_OK);
  ck_assert_uint_eq(n_one, 1);
  ck_assert_str_eq(one->id, events[0].id);
  pipeline_events_free(one, n_one);
  ck_assert_int_eq(pipeline_get_events(p, events[3].id, &one, &n_one), HW_OK);
  ck_assert_uint_eq(n_one, 1);
  ck_assert_int_eq(one->status, DEPLOYMENT_RUNNING);
  pipeline_events_free(one, n_one);
  pipeline_events_free(events, n);
  hw_pipeline_unref(p);
}
END_TEST

static void count_answer(void *arg, const hw_reply *reply) {
  ck_assert_int_eq(reply->status, HW_OK);
  atomic_fetch_add((atomic_uint *)arg, 1);
}

START_TEST(the_oldest_events_give_way) {
  atomic_uint answered = 0;
  hw_pipeline *p = create("p", "ok");
  ASSERT_DONE(hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err));
  for (int i = 0; i < PIPELINE_EVENTS_MAX; i++)
    ASSERT_DONE((i & 1 ? hw_pipeline_resume : hw_pipeline_pause)(p, count_answer, &answered, &err));
  while (atomic_load(&answered) < PIPELINE_EVENTS_MAX) sched_yield();
  pipeline_event *events;
  size_t n;
  ck_assert_int_eq(pipeline_get_events(p, NULL, &events, &n), HW_OK);
  ck_assert_uint_eq(n, PIPELINE_EVENTS_MAX);
  for (size_t i = 1; i < n; i++) ck_assert_int_ge(events[i - 1].recorded_at_us, events[i].recorded_at_us);
  ck_assert_int_eq(events[n - 1].program_status, PROGRAM_SUCCESS); /* those of the compilation are gone */
  pipeline_events_free(events, n);
  hw_pipeline_unref(p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("keep");
  TCase *tc = tcase_create("keep");
  tcase_add_checked_fixture(tc, set_up, tear_down);
  tcase_add_test(tc, versions_count_as_the_contract_says);
  tcase_add_test(tc, an_edit_overtakes_a_compilation);
  tcase_add_test(tc, a_running_pipeline_is_not_edited);
  tcase_add_test(tc, storage_binds_some_fields);
  tcase_add_test(tc, a_renamed_pipeline_is_found_by_its_name);
  tcase_add_test(tc, definitions_come_back);
  tcase_add_test(tc, a_deleted_pipeline_keeps_nobody_waiting);
  tcase_add_test(tc, states_come_back);
  tcase_add_test(tc, connectors_stay_paused);
  tcase_add_test(tc, leaving_is_not_stopping);
  tcase_add_test(tc, a_failure_is_not_started_again);
  tcase_add_test(tc, malformed_records_are_refused);
  tcase_add_test(tc, nothing_is_acknowledged_that_is_not_kept);
  tcase_add_test(tc, a_slow_disk_holds_answers_only);
  tcase_add_test(tc, events_tell_each_change);
  tcase_add_test(tc, the_oldest_events_give_way);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
