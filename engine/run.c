/* run.c - starting and stopping: one run of a pipeline from the accepted start
 * until it is fully stopped.
 *
 * DESIGN
 *   start accepted ─▸ (program compiled) ─▸ run_begin: Provisioning
 *     provision_job, on a helper: deployment_new          ─▸ Initializing
 *     on_opened, from the deployment; RUN_GO if wanted      ─▸ Running or Paused
 *     stop, or run_fail from any of these                   ─▸ Stopping
 *     on_stopped, or at once when nothing was opened: run_finish ─▸ Stopped
 *
 * A run is its own object, apart from the pipeline, so that an answer or event
 * that comes late finds the run it belongs to and not the next one. Calls into
 * the deployment go through the pipeline's outbox in the order of their
 * decision; each kind is made at most once in a run, so their effects are part
 * of the struct and cannot fail for lack of memory: a stop always works. */
#include "engine/pipeline.h"

#include <assert.h>
#include <stdlib.h>

static void provision_job(void *arg);
static void run_going(void *arg, const hw_reply *reply);

/* ---- life ---------------------------------------------------------------- */

static void deliver_call(effect *e);

static run *run_new(hw_pipeline *p, hw_error *err) {
  run *r = calloc(1, sizeof *r);
  if (!r) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory to start pipeline '%s'", p->name);
    return NULL;
  }
  if (uuid_make(r->id, err) != HW_OK) {
    free(r);
    return NULL;
  }
  for (unsigned i = 0; i < RUN_CALLS; i++)
    r->calls[i] = (struct run_effect){.effect.deliver = deliver_call, .run = r, .call = (run_call)i};
  r->pipeline = hw_pipeline_ref(p);
  r->refs = 1;
  engine_enter(p->engine);
  return r;
}

static void run_call_later(run *r, run_call call) { pipeline_post(r->pipeline, &r->calls[call].effect); }

void run_unref(run *r) {
  if (--r->refs == 0) run_call_later(r, RUN_RELEASE);
}

static void run_release(run *r) {
  hw_engine *engine = r->pipeline->engine;
  if (r->deployment) deployment_unref(r->deployment);
  free(r->switches);
  hw_pipeline_unref(r->pipeline); /* whoever delivers has one, too */
  free(r);
  engine_leave(engine);
}

static void provision_later(run *r) {
  hw_pipeline *p = r->pipeline;
  if (sched_call(p->engine->rt->sched, provision_job, r) == HW_OK) return;
  hw_error err;
  (void)hw_error_set(&err, HW_ENOMEM, "no memory to start");
  pipeline_lock(p);
  r->provisioning = false;
  run_fail(r, &err, "InitializationError");
  run_unref(r);
  pipeline_unlock(p);
}

static void stop_gracefully(run *r) {
  deployment_stop(r->deployment, false, sched_now_us() + r->pipeline->engine->drain_timeout_us);
}

static void deliver_call(effect *e) {
  struct run_effect *c = (struct run_effect *)e;
  run *r = c->run;
  switch (c->call) {
  case RUN_PROVISION: provision_later(r); break;
  case RUN_OPEN: deployment_open(r->deployment); break;
  case RUN_GO: deployment_control(r->deployment, DEPLOYMENT_ALL, false, run_going, r); break;
  case RUN_STOP: stop_gracefully(r); break;
  case RUN_FORCE: deployment_stop(r->deployment, true, 0); break;
  case RUN_RELEASE: run_release(r); break;
  case RUN_CALLS: break;
  }
}

/* ---- the end: lock held -------------------------------------------------- */

/* A forced stop has done what it was to do, whatever *error says. */
static void answer_all(hw_pipeline *p, effect_list *list, const hw_error *error) {
  while (list->first) {
    request *q = (request *)list->first;
    list->first = q->effect.next;
    request_answer(p, q, q->flag ? NULL : error);
  }
  list->last = NULL;
}

static void run_finish(run *r) {
  hw_pipeline *p = r->pipeline;
  assert(p->run == r && p->desired == DEPLOYMENT_STOPPED);
  hw_error cancelled;
  (void)hw_error_set(&cancelled, HW_ECANCELED, "pipeline '%s' was stopped before it had started", p->name);
  listeners_detach(p);
  p->run = NULL;
  if (p->status != DEPLOYMENT_STOPPED) pipeline_set_status(p, DEPLOYMENT_STOPPED);
  pthread_cond_broadcast(&p->changed);
  answer_all(p, &p->starters, r->failed ? &p->deployment_error : &cancelled);
  answer_all(p, &p->stoppers, r->failed ? &p->deployment_error : &r->left);
  run_unref(r);
}

/* Has the deployment stopped, or finishes at once where there is nothing to stop. */
static void run_end(run *r, bool force) {
  if (r->pipeline->status == DEPLOYMENT_STOPPED) { /* waits for its program */
    run_finish(r);
    return;
  }
  if (r->pipeline->status != DEPLOYMENT_STOPPING) pipeline_set_status(r->pipeline, DEPLOYMENT_STOPPING);
  if (r->provisioning) return; /* the job will see it */
  if (!r->open_asked) {
    run_finish(r);
  } else if (force && !r->force_asked) {
    if (r->stop_asked)
      (void)hw_error_set(&r->left, HW_ECANCELED, "a forced stop came before everything was written");
    r->force_asked = true;
    run_call_later(r, RUN_FORCE);
  } else if (!r->stop_asked && !r->force_asked) {
    r->stop_asked = true;
    run_call_later(r, RUN_STOP);
  }
}

/* Only the first error of a run is kept: later ones follow from it. */
static void record_error(run *r, const hw_error *err, const char *code) {
  hw_pipeline *p = r->pipeline;
  if (r->failed) return;
  r->failed = true;
  hw_error error = *err;
  if (!err->code[0]) (void)hw_error_code(&error, err->status, code, "%s", err->message);
  pipeline_set_error(p, &error);
  pipeline_log(p, HW_LOG_ERROR, "%s", err->message);
}

void run_fail(run *r, const hw_error *err, const char *code) {
  if (r->pipeline->run != r) return;
  record_error(r, err, code);
  pipeline_set_desired(r->pipeline, DEPLOYMENT_STOPPED);
  pipeline_want(r->pipeline, DEPLOYMENT_STOPPED);
  run_end(r, true);
}

/* ---- the beginning ------------------------------------------------------- */

/* What users had asked of the connectors before the process ended. Without memory
 * they are as the program says, and that is told. */
static void take_restored(run *r) {
  hw_pipeline *p = r->pipeline;
  for (uint32_t i = 0; p->restored && i < p->program->n_connectors; i++) {
    const json_t *paused = json_object_get(p->restored, p->program->connectors[i].endpoint);
    if (!paused) continue;
    if (!r->switches) r->switches = calloc(p->program->n_connectors, sizeof *r->switches);
    if (r->switches)
      r->switches[i] = json_is_true(paused) ? SWITCH_PAUSED : SWITCH_STARTED;
    else
      pipeline_log(p, HW_LOG_ERROR, "no memory to pause connector %s as before", p->program->connectors[i].endpoint);
  }
  json_decref(p->restored);
  p->restored = NULL;
}

void run_begin(run *r) {
  hw_pipeline *p = r->pipeline;
  if (!p->storage_in_use) pipeline_changed(p, false);
  p->storage_in_use = true;
  take_restored(r);
  pipeline_set_status(p, DEPLOYMENT_PROVISIONING);
  r->provisioning = true;
  r->refs++; /* the job's */
  run_call_later(r, RUN_PROVISION);
}

static void started(run *r, deployment_status status) {
  pipeline_set_status(r->pipeline, status);
  answer_all(r->pipeline, &r->pipeline->starters, NULL);
}

static void run_going(void *arg, const hw_reply *reply) {
  run *r = arg;
  hw_pipeline *p = r->pipeline;
  pipeline_lock(p);
  if (p->status == DEPLOYMENT_INITIALIZING) {
    if (reply->status == HW_OK)
      started(r, DEPLOYMENT_RUNNING);
    else
      run_fail(r, reply->error, "InitializationError");
  }
  run_unref(r);
  pipeline_unlock(p);
}

/* ---- events of the deployment -------------------------------------------- */

static void on_opened(void *arg, const hw_error *err) {
  run *r = arg;
  hw_pipeline *p = r->pipeline;
  pipeline_lock(p);
  if (p->status != DEPLOYMENT_INITIALIZING) {
    /* Stopped meanwhile; `stopped` is to come. */
  } else if (err) {
    run_fail(r, err, "InitializationError");
  } else if (p->desired == DEPLOYMENT_PAUSED) {
    started(r, DEPLOYMENT_PAUSED);
  } else {
    r->refs++;
    run_call_later(r, RUN_GO);
  }
  pipeline_unlock(p);
}

static void on_failed(void *arg, const hw_error *err) {
  run *r = arg;
  pipeline_lock(r->pipeline);
  run_fail(r, err, "RuntimeError.WorkerPanic");
  pipeline_unlock(r->pipeline);
}

/* Without inputs a pipeline is complete from its start on: nothing to tell. */
static bool has_inputs(const program *p) {
  for (uint32_t i = 0; i < p->n_connectors; i++)
    if (p->connectors[i].is_input) return true;
  return false;
}

static void on_complete(void *arg, const hw_error *err) {
  run *r = arg;
  hw_pipeline *p = r->pipeline;
  pipeline_lock(p);
  p->complete = true;
  p->outcome = err ? *err : (hw_error){.status = HW_OK};
  if (!r->told_complete && has_inputs(p->program))
    pipeline_log(p, HW_LOG_INFO, "complete"); /* it is so again after each body of a client */
  r->told_complete = true;
  pthread_cond_broadcast(&p->changed);
  pipeline_unlock(p);
}

static void on_stopped(void *arg, const hw_error *err) {
  run *r = arg;
  hw_pipeline *p = r->pipeline;
  pipeline_lock(p);
  if (err && !r->force_asked) {
    r->left = *err;
    record_error(r, err, "StopIncomplete");
  }
  run_finish(r);
  pipeline_unlock(p);
}

static void on_line(void *arg, hw_log_level level, const char *line) {
  const run *r = arg;
  logbook_add(r->pipeline->log, level, line);
}

static void switched(void *arg, const hw_reply *reply) { (void)arg, (void)reply; }

/* Nothing is open yet, so this is true at once; nobody else touches the switches. */
static void apply_switches(const run *r, deployment *d) {
  const program *prog = r->pipeline->program;
  for (uint32_t i = 0; r->switches && i < prog->n_connectors; i++)
    if (r->switches[i] != SWITCH_UNTOUCHED)
      deployment_control(d, i, r->switches[i] == SWITCH_PAUSED, switched, NULL);
}

/* On a helper thread. */
static void provision_job(void *arg) {
  run *r = arg;
  hw_pipeline *p = r->pipeline;
  deployment_events events = {.arg = r, .letters = p->letters, .opened = on_opened, .failed = on_failed,
                              .complete = on_complete, .stopped = on_stopped, .log = {.line = on_line, .arg = r}};
  hw_error err;
  deployment *d = deployment_new(p->engine->rt, p->name, p->program, &events, &err);
  if (d) apply_switches(r, d);
  pipeline_lock(p);
  r->provisioning = false;
  r->deployment = d;
  if (p->status == DEPLOYMENT_STOPPING) {
    run_finish(r);
  } else if (!d || listeners_attach(p, d, &err) != HW_OK) {
    run_fail(r, &err, "InitializationError");
  } else {
    pipeline_set_status(p, DEPLOYMENT_INITIALIZING);
    r->open_asked = true;
    run_call_later(r, RUN_OPEN);
  }
  run_unref(r);
  pipeline_unlock(p);
}

/* ---- may it start? -------------------------------------------------------- */

static bool program_failed(program_status s) { return s > PROGRAM_SUCCESS; }

static const char *state_word(hw_run_state s) { return s == HW_PAUSED ? "paused" : "running"; }

hw_status pipeline_check_stays(const hw_pipeline *p, hw_error *err) {
  if (!p->leaving) return HW_OK;
  return hw_error_code(err, HW_ESTATE, "Terminating",
                       "the engine is shutting down: pipeline '%s' is left as it is for when it is up again", p->name);
}

/* Lock held; the pipeline is stopped. */
static hw_status check_start(hw_pipeline *p, bool dismiss, hw_error *err) {
  if (p->deleted)
    return hw_error_code(err, HW_ENOTFOUND, "UnknownPipelineName", "Unknown pipeline name '%s'", p->name);
  if (pipeline_check_stays(p, err) != HW_OK) return HW_ESTATE; /* a new run would take the place of the one before */
  if (p->deployment_error.status != HW_OK && !dismiss)
    return hw_error_code(err, HW_ESTATE, "CannotStartWithUndismissedError",
                         "pipeline '%s' has a deployment error, which must be dismissed first: %s", p->name,
                         p->deployment_error.message);
  if (program_failed(p->program_status))
    return hw_error_code(err, HW_ESTATE, "CannotStartWithCompilationError",
                         "the program of pipeline '%s' does not compile (%s): its errors are in program_error", p->name,
                         program_status_name(p->program_status));
  return HW_OK;
}

/* Lock held. */
static hw_status start_anew(hw_pipeline *p, const start_options *o, hw_error *err) {
  hw_status status = check_start(p, o->dismiss, err);
  if (status != HW_OK) return status;
  hw_error why;
  run *r = run_new(p, &why);
  if (!r) {
    if (err) *err = why;
    return why.status;
  }
  if (p->deployment_error.status != HW_OK) pipeline_set_error(p, NULL);
  json_decref(p->restored);
  p->restored = NULL;
  p->run = r;
  p->initial = o->initial;
  p->bootstrap = o->bootstrap;
  p->complete = false;
  deployment_status to = o->initial == HW_PAUSED ? DEPLOYMENT_PAUSED : DEPLOYMENT_RUNNING;
  pipeline_set_desired(p, to);
  pipeline_want(p, to);
  if (p->program_status == PROGRAM_SUCCESS) run_begin(r);
  return HW_OK;
}

static bool same_bootstrap(bootstrap a, bootstrap b) {
  return a.policy == b.policy && a.silent == b.silent && a.concurrent == b.concurrent;
}

/* Lock held. */
static hw_status start_again(const hw_pipeline *p, const start_options *o, hw_error *err) {
  if (p->desired == DEPLOYMENT_STOPPED)
    return hw_error_code(err, HW_ESTATE, "IllegalPipelineAction",
                         "pipeline '%s' is %s: wait until it is Stopped before starting it again", p->name,
                         deployment_status_name(p->status));
  if (p->initial != o->initial)
    return hw_error_code(err, HW_ESTATE, "InitialImmutableUnlessStopped",
                         "pipeline '%s' was started with initial=%s: stop it to start it with initial=%s, or use "
                         "pause and resume", p->name, state_word(p->initial), state_word(o->initial));
  if (!same_bootstrap(p->bootstrap, o->bootstrap))
    return hw_error_code(err, HW_ESTATE, "BootstrapPolicyImmutableUnlessStopped",
                         "pipeline '%s' was started with another bootstrap_policy (%s), silent_bootstrap or "
                         "concurrent_bootstrap: stop it to start it with others", p->name,
                         bootstrap_policy_name(p->bootstrap.policy));
  return HW_OK;
}

const char *bootstrap_policy_name(bootstrap_policy policy) {
  static const char *const names[] = {"await_approval", "allow", "reject"};
  return names[policy];
}

static bool is_up(const hw_pipeline *p) { return p->status == DEPLOYMENT_RUNNING || p->status == DEPLOYMENT_PAUSED; }

/* ---- start and stop -------------------------------------------------------- */

/* Lock held: accepted, or refused. */
static hw_status start(hw_pipeline *p, const start_options *o, request *q, hw_error *err) {
  hw_status status = p->run ? start_again(p, o, err) : start_anew(p, o, err);
  if (status == HW_OK) pipeline_keep_then(p, q);
  return status;
}

/* For one that is also told when it is up. */
static hw_status start_then(hw_pipeline *p, hw_run_state initial, hw_done *done, void *arg, hw_error *err) {
  const start_options o = {.initial = initial, .dismiss = true};
  request *q = request_new(done, arg, false, err);
  if (!q) return HW_ENOMEM;
  pipeline_lock(p);
  hw_status status = start(p, &o, q, err);
  if (status != HW_OK)
    request_free(q);
  else if (is_up(p))
    request_answer(p, q, NULL);
  else
    effect_list_add(&p->starters, &q->effect);
  pipeline_unlock(p);
  return status;
}

hw_status hw_pipeline_start(hw_pipeline *p, hw_run_state initial, hw_done *done, void *arg, hw_error *err) {
  if (done) return start_then(p, initial, done, arg, err);
  waiter w;
  waiter_init(&w);
  return waiter_finish(&w, start_then(p, initial, waiter_done, &w, err), err);
}

/* The run ends, but the next process is to go on with what its connectors were told. */
static void save_switches(hw_pipeline *p) {
  if (!p->run || p->restored || p->wanted == DEPLOYMENT_STOPPED) return;
  p->restored = keep_switches(p);
  if (!p->restored) pipeline_log(p, HW_LOG_ERROR, "no memory to remember which connectors are paused");
}

/* Lock held. user: somebody asked for it, so that it is kept; else the process ends. */
static void stop(hw_pipeline *p, bool force, bool user) {
  if (user) {
    pipeline_want(p, DEPLOYMENT_STOPPED);
  } else {
    save_switches(p);
    p->leaving = true;
  }
  if (!p->run) return;
  /* What is not up has taken nothing in: there is nothing to wait for. */
  bool graceful = !force && (is_up(p) || p->status == DEPLOYMENT_STOPPING);
  pipeline_set_desired(p, DEPLOYMENT_STOPPED);
  run_end(p->run, !graceful);
}

void pipeline_abandon(hw_pipeline *p) {
  pipeline_lock(p);
  stop(p, true, false);
  pipeline_unlock(p);
}

static hw_status stop_then(hw_pipeline *p, bool force, bool user, hw_done *done, void *arg, hw_error *err) {
  request *q = request_new(done, arg, force, err);
  if (!q) return HW_ENOMEM;
  q->parts++; /* ours, until all that it waits for is known */
  pipeline_lock(p);
  if (p->run)
    effect_list_add(&p->stoppers, &q->effect);
  else
    request_answer(p, q, NULL);
  stop(p, force, user);
  if (user) pipeline_keep_then(p, q);
  request_part(p, q, NULL);
  pipeline_unlock(p);
  return HW_OK;
}

hw_status hw_pipeline_stop(hw_pipeline *p, bool force, hw_done *done, void *arg, hw_error *err) {
  if (done) return stop_then(p, force, true, done, arg, err);
  waiter w;
  waiter_init(&w);
  return waiter_finish(&w, stop_then(p, force, true, waiter_done, &w, err), err);
}

hw_status manager_leave(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  return stop_then(p, false, false, done, arg, err);
}

/* ---- start and stop that are only accepted --------------------------------- */

hw_status manager_start(hw_pipeline *p, const start_options *options, hw_done *done, void *arg, hw_error *err) {
  request *q = done ? request_new(done, arg, false, err) : NULL;
  if (done && !q) return HW_ENOMEM;
  pipeline_lock(p);
  hw_status status = start(p, options, q, err);
  if (status == HW_OK)
    request_answer(p, q, NULL);
  else
    request_free(q);
  pipeline_unlock(p);
  return status;
}

hw_status manager_stop(hw_pipeline *p, bool force, hw_done *done, void *arg, hw_error *err) {
  request *q = done ? request_new(done, arg, force, err) : NULL;
  if (done && !q) return HW_ENOMEM;
  pipeline_lock(p);
  stop(p, force, true);
  pipeline_keep_then(p, q);
  request_answer(p, q, NULL);
  pipeline_unlock(p);
  return HW_OK;
}

/* ---- after a restart of the process ---------------------------------------- */

hw_status run_restore(hw_pipeline *p, hw_error *err) {
  pipeline_lock(p);
  deployment_status wanted = p->wanted;
  const start_options o = {.initial = p->initial, .bootstrap = p->bootstrap, .dismiss = true};
  json_t *restored = p->restored;
  p->restored = NULL; /* a new start has none */
  hw_status status = start_anew(p, &o, err);
  if (status == HW_OK) {
    pipeline_set_desired(p, wanted);
    pipeline_want(p, wanted);
    p->restored = restored;
    pipeline_log(p, HW_LOG_WARNING,
                 "was %s when the server ended: starts again, reads its inputs from the beginning and begins its "
                 "outputs anew",
                 deployment_status_name(wanted));
  } else {
    json_decref(restored);
  }
  pipeline_unlock(p);
  return status;
}
