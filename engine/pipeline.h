/* pipeline.h - the inside of one named pipeline.
 *
 * DESIGN
 * A pipeline is a few state machines (states.c) and what hangs on them, all
 * under one lock that is only ever held for moments. Whatever has an effect on
 * others (a call into the deployment, a user's callback, a line of log) must
 * not happen under that lock, yet must happen in the order in which it was
 * decided: a pause decided before a resume must reach the deployment before it.
 * So a function that changes state puts such effects into the pipeline's outbox,
 * and pipeline_unlock delivers them, one at a time, by whichever thread finds
 * nobody delivering. What a delivered callback decides goes to the same outbox
 * and is delivered after it.
 *
 * A thread of its own per pipeline was rejected: it would cost a thread each and
 * a switch per control call. Calling with the lock held was rejected: done
 * callbacks may come before a call returns, and may call back.
 *
 * LOCKS  A pipeline's lock may be held while taking a lock inside the deployment
 *        (deployment_listen), never the other way round, and never together with
 *        the engine's or another pipeline's. */
#ifndef ENGINE_PIPELINE_H
#define ENGINE_PIPELINE_H

#include "engine/engine.h"
#include "engine/manager.h"
#include "engine/uuid.h"
#include "runtime/deployment.h"

typedef struct effect {
  struct effect *next;
  void (*deliver)(struct effect *e); /* without the lock; owns e */
} effect;

typedef struct effect_list {
  effect *first, *last;
} effect_list;

/* A control call that waits for its answer. The effect is first: a list of
 * requests is a list of effects. */
typedef struct request {
  effect effect;
  struct run *run;  /* pause, resume: a reference */
  bool flag;        /* pause, resume: pause; stop: force */
  hw_done *done;
  void *arg;
  hw_error error;   /* the answer; status HW_OK: it went well */
  uint64_t epoch, total_records;
} request;

typedef enum run_call { RUN_PROVISION, RUN_OPEN, RUN_GO, RUN_STOP, RUN_FORCE, RUN_RELEASE, RUN_CALLS } run_call;

/* From an accepted start until fully stopped. One deployment at most. */
typedef struct run {
  hw_pipeline *pipeline;   /* a reference */
  deployment *deployment;  /* set once, when provisioned */
  struct run_effect {
    effect effect;
    struct run *run;
    run_call call;
  } calls[RUN_CALLS];      /* each is made at most once */
  /* protected by the pipeline's lock: */
  unsigned refs;           /* the pipeline's, and one per call that will come back */
  bool provisioning;       /* a helper is making the deployment */
  bool open_asked, stop_asked, force_asked;
  bool failed;             /* the pipeline's deployment_error is this run's */
  hw_error left;           /* what a graceful stop could not do; status HW_OK: nothing */
  char id[UUID_TEXT_SIZE];
} run;

struct hw_pipeline {
  _Atomic unsigned refs;
  hw_engine *engine;       /* outlives runs and compilations, not every reference */
  char *name, *description, *code; /* constant, as are the next three */
  size_t code_len;
  char id[UUID_TEXT_SIZE];
  int64_t created_at_us;

  pthread_mutex_t lock;    /* protects all below */
  pthread_cond_t changed;  /* whatever hw_pipeline_wait looks at */
  bool locked;             /* for assertions */
  bool delivering;         /* a thread is at the outbox */
  effect_list outbox;
  bool deleted;
  uint64_t version, program_version, refresh_version;
  program_status program_status;
  int64_t program_status_since_us;
  program *program;        /* set once, with PROGRAM_SUCCESS */
  program_messages messages;
  deployment_status status, desired;
  int64_t status_since_us, desired_since_us;
  bool storage_in_use;
  hw_error deployment_error; /* status HW_OK: none */
  hw_run_state initial;    /* of the run */
  run *run;                /* NULL: stopped, and meant to be. One with status Stopped waits for its program */
  bool complete;           /* of the last run */
  hw_error outcome;        /* valid when complete; HW_OK, or the connector that had failed */
  effect_list starters, stoppers; /* requests to be answered when that is done */
  hw_listener *listeners;
  char *settings;          /* of pipeline_set_settings; NULL: never */
};

/* ---- pipeline.c: life, lock, outbox -------------------------------------- */

/* Checks names; one reference. Not yet in the engine, not yet compiled. */
hw_pipeline *pipeline_new(hw_engine *engine, const char *name, const char *description, const char *code, size_t len,
                          hw_error *err);
void pipeline_lock(hw_pipeline *p);
void pipeline_unlock(hw_pipeline *p); /* and delivers the outbox; may give up the caller's reference in a callback */
/* Lock held. */
void pipeline_post(hw_pipeline *p, effect *e);
void effect_list_add(effect_list *list, effect *e);
void pipeline_log(hw_pipeline *p, hw_log_level level, const char *fmt, ...) HW_PRINTF(3, 4); /* lost without memory */

/* ---- states.c: lock held ------------------------------------------------- */

void pipeline_set_program_status(hw_pipeline *p, program_status to);
void pipeline_set_status(hw_pipeline *p, deployment_status to);
void pipeline_set_desired(hw_pipeline *p, deployment_status to); /* may be what it is */
void pipeline_touch(hw_pipeline *p); /* something else that users see has changed */
int64_t wall_clock_us(void);

/* ---- request.c ----------------------------------------------------------- */

request *request_new(hw_done *done, void *arg, bool flag, hw_error *err);
/* Lock held. The request is answered with *error (NULL or status HW_OK: success). */
void request_answer(hw_pipeline *p, request *q, const hw_error *error);

/* For calls that wait: an hw_done and what it fills in. */
typedef struct waiter {
  pthread_mutex_t lock;
  pthread_cond_t answered;
  bool done;
  hw_error error;
} waiter;

void waiter_init(waiter *w);
void waiter_done(void *arg, const hw_reply *reply);
/* `accepted`: what the call with waiter_done returned, with *err. Waits when it
 * is HW_OK. Ends w. */
hw_status waiter_finish(waiter *w, hw_status accepted, hw_error *err);

/* ---- compile.c ----------------------------------------------------------- */

void pipeline_compile(hw_pipeline *p); /* on the calling thread */
hw_status pipeline_compile_later(hw_pipeline *p, hw_error *err);

/* ---- run.c: lock held ---------------------------------------------------- */

void run_begin(run *r); /* its program is there */
/* Ends it with a deployment error; code is used where *err has none. */
void run_fail(run *r, const hw_error *err, const char *code);
void run_unref(run *r);
/* A reference on the deployment of a pipeline that is Paused or Running. Takes
 * the lock itself. NULL: PipelineInteractionNotDeployed, Initializing. */
deployment *pipeline_deployment(hw_pipeline *p, hw_error *err);
hw_status pipeline_check_interactive(const hw_pipeline *p, hw_error *err); /* lock held */
/* Index into the program's connectors, or -1: UnknownInputEndpoint,
 * UnknownOutputEndpoint. Not before PROGRAM_SUCCESS. */
int64_t pipeline_find_connector(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                hw_error *err);

/* ---- listener.c: lock held ----------------------------------------------- */

hw_status listeners_attach(hw_pipeline *p, deployment *d, hw_error *err);
void listeners_detach(hw_pipeline *p); /* the deployment has stopped, or was never opened */

#endif
