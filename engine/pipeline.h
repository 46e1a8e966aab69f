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
 *        (deployment_listen), the engine's (engine_rename) or the catalog's, never
 *        the other way round, and never together with another pipeline's.
 * NAMES  A pipeline may be renamed while others read its name without a lock: the
 *        names it ever had stay until it is freed. */
#ifndef ENGINE_PIPELINE_H
#define ENGINE_PIPELINE_H

#include "engine/engine.h"
#include "engine/events.h"
#include "engine/manager.h"
#include "runtime/dead_letters.h"
#include "runtime/uuid.h"

#include <jansson.h>

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
  struct run *run;  /* pause, resume, connectors: a reference */
  uint32_t connector; /* that it is about, or DEPLOYMENT_ALL */
  bool flag;        /* pause, resume, connectors: pause; stop: force */
  hw_done *done;
  void *arg;
  hw_error error;   /* the answer; status HW_OK: it went well */
  uint64_t epoch, total_records;
  char *position;   /* NULL: none */
  /* What it waits for; protected by the pipeline's lock: */
  unsigned parts;   /* to be true, to be kept */
  struct request *next_unkept;
  uint64_t change;  /* kept when this change is (keep.c) */
  uint64_t asked_us, kept_us; /* how long keeping took */
} request;

typedef enum run_call { RUN_PROVISION, RUN_OPEN, RUN_GO, RUN_STOP, RUN_FORCE, RUN_RELEASE, RUN_CALLS } run_call;

/* What users have asked of a connector since the start. */
typedef enum connector_switch { SWITCH_UNTOUCHED, SWITCH_PAUSED, SWITCH_STARTED } connector_switch;

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
  bool told_complete;      /* the log says so */
  bool failed;             /* the pipeline's deployment_error is this run's */
  uint8_t *switches;       /* per connector a connector_switch; NULL: all as the program says */
  hw_error left;           /* what a graceful stop could not do; status HW_OK: nothing */
  char id[UUID_TEXT_SIZE];
} run;

typedef struct pipeline_name {
  struct pipeline_name *next;
  char text[PIPELINE_NAME_MAX + 1];
} pipeline_name;

/* What of a pipeline is on disk, and who waits for it (keep.c). */
typedef struct pipeline_keep {
  uint64_t changed;        /* changes of what is kept so far */
  uint64_t defined;        /* the latest of them that was one of the definition */
  uint64_t kept;           /* as many are on disk */
  uint64_t tried;          /* as many were in the latest write */
  bool writing;            /* one is under way */
  bool gone;               /* the disk has forgotten it, or never had it: nothing is kept any more */
  request *first, **last;  /* wait to be kept */
} pipeline_keep;

struct hw_pipeline {
  _Atomic unsigned refs;
  hw_engine *engine;       /* outlives runs and compilations, not every reference */
  char id[UUID_TEXT_SIZE]; /* constant, as is the next */
  int64_t created_at_us;
  const char *_Atomic name; /* in one of `names`; set under the engine's lock */
  _Atomic bool hidden;     /* not found by others: not kept yet, or being deleted */
  dead_letters *letters;   /* a reference; they outlive the runs */
  logbook *log;            /* has a lock of its own */

  pthread_mutex_t lock;    /* protects all below */
  pthread_cond_t changed;  /* whatever hw_pipeline_wait looks at */
  bool locked;             /* for assertions */
  bool delivering;         /* a thread is at the outbox */
  effect_list outbox;
  bool deleted;
  pipeline_name *names;    /* all it ever had */
  pipeline_definition *definition;
  pipeline_keep keep;
  event_ring events;
  uint64_t refresh_version;
  program_status program_status;
  int64_t program_status_since_us;
  program *program;        /* with PROGRAM_SUCCESS; may be changed while there is no run */
  program_messages messages;
  deployment_status status, desired;
  int64_t status_since_us, desired_since_us;
  bool storage_in_use;
  hw_error deployment_error; /* status HW_OK: none */
  deployment_status wanted; /* what is kept of `desired`: what was asked for, whatever ends the process */
  bool leaving;            /* the process is ending: it is only stopped, see pipeline_check_stays */
  hw_run_state initial;    /* of the run */
  bootstrap bootstrap;     /* of the run */
  json_t *restored;        /* switches by endpoint while no run has them: from the catalog, until it begins;
                              when the process is ending, from then on. Or NULL */
  run *run;                /* NULL: stopped, and meant to be. One with status Stopped waits for its program */
  bool complete;           /* of the last run */
  hw_error outcome;        /* valid when complete; HW_OK, or the connector that had failed */
  effect_list starters, stoppers; /* requests to be answered when that is done */
  hw_listener *listeners;
  struct series *series;   /* NULL: no samples yet */
};

/* ---- pipeline.c: life, lock, outbox -------------------------------------- */

/* Takes the definition's reference in every case; one reference. id NULL: a new
 * one. Not yet in the engine, not yet compiled. */
hw_pipeline *pipeline_new(hw_engine *engine, pipeline_definition *definition, const char *id, hw_error *err);
/* Lock held, or nobody knows it yet: where this name stands for as long as the
 * pipeline; NULL: no memory. */
const char *pipeline_intern_name(hw_pipeline *p, const char *name);
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
void pipeline_set_error(hw_pipeline *p, const hw_error *error);  /* NULL: none any more */
void pipeline_set_storage(hw_pipeline *p, bool in_use);          /* may be what it is */
void pipeline_touch(hw_pipeline *p); /* something else that users see has changed */
int64_t wall_clock_us(void);

/* ---- series.c ------------------------------------------------------------ */

typedef struct series series;
void series_free(series *s);

/* ---- request.c ----------------------------------------------------------- */

request *request_new(hw_done *done, void *arg, bool flag, hw_error *err);
/* Lock held; q may be NULL. The request is true (*error NULL or with status HW_OK),
 * or will not be; it is answered when it is also kept. */
void request_answer(hw_pipeline *p, request *q, const hw_error *error);
/* Lock held: one of the things that it waits for is there. The first error counts. */
void request_part(hw_pipeline *p, request *q, const hw_error *error);
void request_free(request *q); /* that was never accepted; NULL: nothing */

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

/* ---- keep.c: lock held --------------------------------------------------- */

/* Something that is kept has changed; it is written when the lock is given up. */
void pipeline_changed(hw_pipeline *p, bool definition);
/* The request (may be NULL) is answered no earlier than what has changed so far is
 * on disk. */
void pipeline_keep_then(hw_pipeline *p, request *q);
/* For pipeline_unlock. */
void pipeline_keep_now(hw_pipeline *p);
void pipeline_want(hw_pipeline *p, deployment_status wanted); /* kept when different */
/* Of a connector in a run; kept when different. HW_ENOMEM: nothing has changed. */
hw_status pipeline_set_switch(hw_pipeline *p, uint32_t connector, connector_switch to, hw_error *err);
/* Takes it out of the catalog, then out of the engine, then calls done (may be NULL),
 * past the outbox: a callback may delete, and wait for it. Lock not held; p is
 * `deleted`. */
hw_status pipeline_forget(hw_pipeline *p, hw_done *done, void *arg, hw_error *err);

/* ---- keep_json.c: lock held ---------------------------------------------- */

char *keep_definition_text(const hw_pipeline *p, const pipeline_definition *d); /* malloc'ed; NULL: no memory */
char *keep_state_text(const hw_pipeline *p);
/* Connectors that users have paused (true) or started (false) since the start, by
 * endpoint; a new reference, NULL: no memory. */
json_t *keep_switches(const hw_pipeline *p);
/* What the catalog had, into a pipeline that nobody knows yet. */
hw_status keep_read_state(hw_pipeline *p, const char *text, hw_error *err);
/* A pipeline from its row; one reference. */
hw_pipeline *keep_read_pipeline(hw_engine *engine, const catalog_pipeline *row, hw_error *err);

/* ---- compile.c ----------------------------------------------------------- */

void pipeline_compile(hw_pipeline *p); /* on the calling thread; nothing, unless it is Pending */
hw_status pipeline_compile_later(hw_pipeline *p, hw_error *err);

/* ---- run.c: lock held ---------------------------------------------------- */

void run_begin(run *r); /* its program is there */
/* As it was asked to before the process ended; for restoring. */
hw_status run_restore(hw_pipeline *p, hw_error *err);
/* Stops by force, as nobody asked for: for the end of the engine. Takes the lock itself. */
void pipeline_abandon(hw_pipeline *p);
/* Ends it with a deployment error; code is used where *err has none. */
void run_fail(run *r, const hw_error *err, const char *code);
void run_unref(run *r);
hw_status pipeline_check_interactive(const hw_pipeline *p, hw_error *err);
/* Terminating: the process is ending, and the next one goes on with the pipeline as it was. */
hw_status pipeline_check_stays(const hw_pipeline *p, hw_error *err);
/* As pipeline_deployment (manager.h), with the program that runs, which lives as long. */
deployment *pipeline_deployed(hw_pipeline *p, const program **running, hw_error *err);
/* Index into the running program's connectors, or -1: UnknownInputEndpoint,
 * UnknownOutputEndpoint. */
int64_t pipeline_find_connector(const hw_pipeline *p, const program *running, bool is_input, const char *relation,
                                const char *connector, hw_error *err);

/* ---- listener.c: lock held ----------------------------------------------- */

hw_status listeners_attach(hw_pipeline *p, deployment *d, hw_error *err);
void listeners_detach(hw_pipeline *p); /* the deployment has stopped, or was never opened */

#endif
