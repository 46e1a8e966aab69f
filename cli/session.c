/* session.c - one pipeline in this process.
 *
 * DESIGN
 * The main thread waits for four things at once: signals, replies of control
 * calls, the pipeline's end, and the next tick. Signals come through a
 * descriptor, everything else rings one bell (signals.h): control calls are made
 * with a callback, and a thread of its own sits in hw_pipeline_wait.
 *
 * A signal does not stop the pipeline at once, because a stopped one has no
 * statistics any more: it is paused, what it has read drains, its counts are
 * taken, and only then is it stopped. */
#include "cli/session.h"

#include "cli/source.h"
#include "runtime/registry.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_SECONDS 0.5         /* between two looks at the statistics, at most */
#define DRAIN_LOOK_SECONDS 0.005 /* between two looks whether everything is written */
#define START_SECONDS 1.0        /* after a signal: for a start to be done all the same */
#define FORCE_SECONDS 5.0        /* for a stop by force */
#define DEFAULT_DRAIN 10.0

/* ---- opening and closing -------------------------------------------------- */

bool session_load_plugins(hw_engine *engine, const char *paths) {
  hw_error err;
  if (!paths || !*paths) return true;
  if (hw_engine_load_plugins(engine, paths, &err) != HW_OK) {
    cli_complain("%s", err.message);
    return false;
  }
  char *copy = cli_strdup(paths), *rest = copy, *path;
  while ((path = strsep(&rest, ":")) != NULL)
    if (*path && registry_is_barren(path)) cli_complain("warning: the plugin directory %s has no *.so", path);
  free(copy);
  return true;
}

hw_engine *session_engine(const cli_call *call, double nice, hw_log_level level, hw_log_function *log, void *log_arg,
                          cli_exit *status) {
  double workers = 0, mib = 0, state_mib = 0, query_mib = 0, letters = 0;
  *status = CLI_USAGE;
  if (!cli_log_level(call, &level) || !cli_number(call, "workers", 1, 1024, &workers) ||
      !cli_number(call, "worker-nice", 0, 19, &nice) ||
      !cli_number(call, "memory", 1, 1 << 24, &mib) ||
      !cli_number(call, "state-memory", 1, 1 << 24, &state_mib) ||
      !cli_number(call, "query-memory", 1, 1 << 24, &query_mib) ||
      !cli_number(call, "dead-letters", 1, 1e7, &letters))
    return NULL;
  hw_engine_options options = {.struct_size = sizeof options, .workers = (unsigned)workers,
                               .worker_nice = (unsigned)nice,
                               .memory_limit = (uint64_t)(mib * 1048576),
                               .state_limit = (uint64_t)(state_mib * 1048576),
                               .query_limit = (uint64_t)(query_mib * 1048576), .log_level = level, .log = log,
                               .log_arg = log_arg, .file_root = cli_value(call, "file-root"),
                               .spill_dir = cli_value(call, "spill-dir"),
                               .secrets_dir = cli_value(call, "secrets-dir"), .dead_letters = (uint64_t)letters};
  hw_error err;
  hw_engine *engine = hw_engine_new(&options, &err);
  *status = !engine && err.status == HW_EINVAL ? CLI_USAGE : CLI_FAILED;
  if (!engine) cli_complain("%s", err.message);
  if (engine && (!session_load_plugins(engine, cli_value(call, "plugin-path")) ||
                 !session_load_plugins(engine, getenv("HEADWORKS_PLUGIN_PATH")))) {
    hw_engine_free(engine);
    engine = NULL;
  }
  if (engine) *status = CLI_OK;
  return engine;
}

static cli_exit compile(session *s, const cli_call *call) {
  cli_exit status;
  s->path = call->args[0];
  s->text = source_read(call, s->path, &s->text_len, &status);
  if (!s->text) return status;
  s->program = source_compile(s->path, s->text, s->text_len);
  return s->program ? CLI_OK : CLI_PROGRAM;
}

/* Nothing starts them here: the run would wait for them without a word. */
static void warn_of_paused(const session *s) {
  for (uint32_t i = 0; i < s->program->n_connectors; i++) {
    const program_connector *c = &s->program->connectors[i];
    if (c->paused)
      cli_complain("%s: warning: %s is \"paused\", which only clients of `headworks serve` can end",
                   s->path, c->endpoint);
  }
}

static void warn(const session *s) {
  warn_of_paused(s);
  if (s->program->n_connectors)
    source_warn_untaken(s->path, s->program);
  else
    cli_complain("%s: warning: the program has no connectors: no rows come in, and none go out", s->path);
}

cli_exit session_open(session *s, const cli_call *call, hw_log_function *log, void *log_arg) {
  *s = (session){.drain_seconds = DEFAULT_DRAIN};
  if (!signals_open(&s->signals)) {
    cli_complain("signals cannot be taken: %s", strerror(errno));
    return CLI_FAILED;
  }
  if (!cli_number(call, "drain-timeout", 0, 86400, &s->drain_seconds)) return CLI_USAGE;
  cli_exit status;
  s->engine = session_engine(call, 0, HW_LOG_WARNING, log, log_arg, &status);
  if (s->engine) status = compile(s, call);
  if (s->program) warn(s);
  return status;
}

void session_close(session *s) {
  signals_restore(); /* should the engine not end, a signal ends the process */
  if (s->program) program_unref(s->program);
  if (s->engine) hw_engine_free(s->engine);
  signals_close(&s->signals); /* after the engine, whose threads ring the bell */
  pipeline_stats_fini(&s->stats);
  free(s->text);
}

/* ---- waiting -------------------------------------------------------------- */

static void *wait_thread(void *arg) {
  session *s = arg;
  hw_error err = {0};
  hw_status status = hw_pipeline_wait(s->pipeline, -1, &err);
  reply_set(&s->wait, status, &err);
  return NULL;
}

/* One wait of at most `seconds`; true: the inputs are to end now. */
static bool wait_event(session *s, double seconds) {
  uint64_t us = seconds > 0 ? (uint64_t)(seconds * 1e6) : 0;
  signals_event event = signals_wait(&s->signals, us);
  if (event == SIGNALS_REOPEN) hw_engine_reopen(s->engine);
  return event == SIGNALS_END;
}

/* False: the deadline passed. */
static bool wait_reply(session *s, reply *r, double deadline) {
  while (!atomic_load(&r->done)) {
    double left = deadline - cli_now();
    if (left <= 0) return false;
    (void)wait_event(s, left);
  }
  return true;
}

static bool take_stats(session *s, bool with_errors) {
  pipeline_stats now;
  hw_error err;
  if (pipeline_get_stats(s->pipeline, with_errors, &now, &err) != HW_OK) return false;
  pipeline_stats_fini(&s->stats);
  s->stats = now;
  return true;
}

/* What was written until the very end, which those who were told to hurry may have put off. */
static void take_final_stats(session *s, deployment *d) {
  pipeline_stats now;
  if (deployment_stats(d, true, &now) != HW_OK) return; /* the last look's stay */
  pipeline_stats_fini(&s->stats);
  s->stats = now;
}

/* ---- the phases ----------------------------------------------------------- */

static session_end fail(session *s, const hw_error *err) {
  s->error = *err;
  return SESSION_FAILED;
}

/* SESSION_COMPLETE here means: it runs. */
static session_end start(session *s) {
  hw_error err = {0};
  if (hw_pipeline_create(s->engine, "run", s->text, s->text_len, &s->pipeline, &err) != HW_OK) return fail(s, &err);
  s->started = cli_now();
  reply *r = &s->start;
  reply_init(r, &s->signals);
  reply_called(r, hw_pipeline_start(s->pipeline, HW_RUNNING, reply_done, r, &err), &err);
  bool ending = false;
  while (!atomic_load(&r->done) && !ending) ending = wait_event(s, 3600);
  /* A signal while sources open: one that blocks is not waited for, yet the answer may be on its way. */
  if (ending && !wait_reply(s, r, cli_now() + START_SECONDS)) return SESSION_CUT;
  return r->status == HW_OK ? SESSION_COMPLETE : fail(s, &r->error);
}

/* When every output has failed for good (standard output was closed, say), more
 * input is of no use. */
static bool outputs_failed(const session *s) {
  uint32_t failed = 0;
  for (uint32_t i = 0; i < s->stats.n_outputs; i++) failed += s->stats.outputs[i].fatal_error != NULL;
  return failed && failed == s->stats.n_outputs;
}

static session_end run(session *s, const session_hooks *hooks) {
  double interval = (double)hooks->interval_us / 1e6, tick = cli_now() + interval;
  for (;;) {
    if (atomic_load(&s->wait.done)) return s->wait.status == HW_OK ? SESSION_COMPLETE : fail(s, &s->wait.error);
    if (s->signals.n_ends) return SESSION_ENDED;
    double left = tick - cli_now();
    if (wait_event(s, left < LOOK_SECONDS ? left : LOOK_SECONDS)) return SESSION_ENDED;
    if (!take_stats(s, false)) continue;
    if (outputs_failed(s)) {
      (void)hw_error_set(&s->error, HW_EIO, "no output is left: %s", session_fatal_error(s));
      return SESSION_FAILED;
    }
    if (cli_now() < tick) continue;
    tick += interval;
    if (hooks->tick) hooks->tick(hooks->arg, &s->stats);
  }
}

static bool is_drained(const pipeline_stats *stats) {
  for (uint32_t i = 0; i < stats->n_inputs; i++)
    if (!stats->inputs[i].quiescent) return false;
  for (uint32_t i = 0; i < stats->n_outputs; i++)
    if (stats->outputs[i].queued_records) return false;
  return true;
}

static session_end drain(session *s) {
  double deadline = cli_now() + s->drain_seconds;
  hw_error err = {0};
  reply *r = &s->pause;
  reply_init(r, &s->signals);
  reply_called(r, hw_pipeline_pause(s->pipeline, reply_done, r, &err), &err);
  if (!wait_reply(s, r, deadline) || r->status != HW_OK) return SESSION_CUT;
  for (;;) {
    if (atomic_load(&s->wait.done) && s->wait.status != HW_OK) return fail(s, &s->wait.error);
    if (take_stats(s, false) && is_drained(&s->stats)) return SESSION_ENDED;
    if (cli_now() >= deadline) return SESSION_CUT;
    (void)wait_event(s, DRAIN_LOOK_SECONDS);
  }
}

/* Closes every connector: gracefully first, so that documents are ended and
 * sinks flushed; what that could not do is a failure. */
static session_end stop(session *s, session_end end) {
  hw_error err = {0};
  if (end == SESSION_COMPLETE || end == SESSION_ENDED) {
    reply *r = &s->stop;
    reply_init(r, &s->signals);
    reply_called(r, hw_pipeline_stop(s->pipeline, false, reply_done, r, &err), &err);
    if (wait_reply(s, r, cli_now() + s->drain_seconds))
      return r->status == HW_OK ? end : fail(s, &r->error);
    end = SESSION_CUT;
  }
  reply *r = &s->force;
  reply_init(r, &s->signals);
  reply_called(r, hw_pipeline_stop(s->pipeline, true, reply_done, r, &err), &err);
  if (wait_reply(s, r, cli_now() + FORCE_SECONDS)) return end;
  cli_complain("%s: a connector, or the step that views are computed in, did not come to an end within %g s; ended "
               "without closing the connectors", s->path, FORCE_SECONDS);
  _exit(CLI_FAILED); /* threads that hang cannot be joined */
}

/* From running to its end, with the waiting thread beside. */
static session_end run_started(session *s, const session_hooks *hooks) {
  pthread_t waiter;
  reply_init(&s->wait, &s->signals);
  int error = pthread_create(&waiter, NULL, wait_thread, s);
  if (error) {
    hw_error err;
    (void)hw_error_set(&err, HW_ENOMEM, "no thread could be made: %s", strerror(error));
    return stop(s, fail(s, &err));
  }
  hw_error failed_already;
  deployment *d = pipeline_deployment(s->pipeline, &failed_already);
  if (hooks->running) hooks->running(hooks->arg);
  session_end end = run(s, hooks);
  s->ended = cli_now();
  if (hooks->over) hooks->over(hooks->arg);
  if (end == SESSION_ENDED) {
    end = drain(s);
    s->ended = cli_now();
  }
  (void)take_stats(s, true); /* of a pipeline that failed, the last tick's stay */
  end = stop(s, end);
  pthread_join(waiter, NULL);
  if (d && (end == SESSION_CUT || end == SESSION_FAILED)) take_final_stats(s, d);
  if (d) deployment_unref(d);
  return end;
}

session_end session_run(session *s, const session_hooks *hooks) {
  pipeline_stats_fini(&s->stats);
  s->stats = (pipeline_stats){0};
  s->started = s->ended = 0;
  session_end end = start(s);
  if (end == SESSION_COMPLETE)
    end = run_started(s, hooks);
  else if (s->pipeline)
    end = stop(s, end);
  if (!s->pipeline) return end;
  hw_error err;
  if (hw_pipeline_delete(s->pipeline, &err) != HW_OK && end != SESSION_FAILED && end != SESSION_CUT)
    end = fail(s, &err);
  hw_pipeline_unref(s->pipeline);
  s->pipeline = NULL;
  return end;
}

/* ---- questions to the statistics ------------------------------------------ */

uint64_t session_bad_records(const session *s) {
  uint64_t n = 0;
  for (uint32_t i = 0; i < s->stats.n_inputs; i++) n += s->stats.inputs[i].num_parse_errors;
  for (uint32_t i = 0; i < s->stats.n_outputs; i++) n += s->stats.outputs[i].num_encode_errors;
  return n;
}

uint64_t session_connector_faults(const connector_stats *c) { return c->num_transport_errors - c->recovered_errors; }

uint64_t session_faults(const session *s) {
  uint64_t n = 0;
  for (uint32_t i = 0; i < s->stats.n_inputs; i++) n += session_connector_faults(&s->stats.inputs[i]);
  for (uint32_t i = 0; i < s->stats.n_outputs; i++) n += session_connector_faults(&s->stats.outputs[i]);
  return n;
}

const char *session_fatal_error(const session *s) {
  for (uint32_t i = 0; i < s->stats.n_inputs; i++)
    if (s->stats.inputs[i].fatal_error) return s->stats.inputs[i].fatal_error;
  for (uint32_t i = 0; i < s->stats.n_outputs; i++)
    if (s->stats.outputs[i].fatal_error) return s->stats.outputs[i].fatal_error;
  return NULL;
}
