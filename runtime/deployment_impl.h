/* deployment_impl.h - the inside of a deployment, shared by deployment*.c.
 *
 * DESIGN
 * A deployment is one task (the pipeline's task) and its connectors' tasks. The
 * pipeline's task alone runs the circuit, offers batches to outputs, decides
 * that all is done, and gives events, so none of that needs a lock.
 *
 *   NEW ─▸ OPENING ─▸ OPEN ─▸ HOLDING ─▸ DRAINING ─▸ FLUSHING ─▸ CLOSING ─▸ CLOSED
 *              │         └──────────┴──────────┴──────────┴────────▴  (force, or the deadline)
 *              └───────────────────────────────────────────────────┘
 *
 *   HOLDING   waits until no input fetches any more
 *   DRAINING  waits until what was taken in has reached the sinks
 *   FLUSHING  waits until the sinks have made it safe
 *   CLOSING   waits until every task has ended */
#ifndef RUNTIME_DEPLOYMENT_IMPL_H
#define RUNTIME_DEPLOYMENT_IMPL_H

#include "runtime/circuit.h"
#include "runtime/deployment.h"
#include "runtime/histogram.h"
#include "runtime/input.h"
#include "runtime/latency.h"
#include "runtime/output.h"
#include "runtime/spill.h"
#include "runtime/state.h"
#include "runtime/transaction.h"
#include "runtime/uuid.h"

typedef enum phase {
  PHASE_NEW, PHASE_OPENING, PHASE_OPEN, PHASE_HOLDING, PHASE_DRAINING, PHASE_FLUSHING, PHASE_CLOSING, PHASE_CLOSED,
} phase;

typedef struct extra_output extra_output;

struct deployment {
  task task; /* first: the pipeline's task */
  _Atomic uint32_t refs;
  runtime *rt;
  program *program;
  char *name;
  deployment_events events;
  circuit *circuit;
  state *state;            /* what relations hold */
  input **inputs;          /* by connector of the program; NULL where it is an output */
  output **outputs;        /* the other way round */
  uint32_t n_inputs, n_outputs, n_spills;
  char incarnation[UUID_TEXT_SIZE];
  int64_t started_wall_us;
  _Atomic uint64_t started_us;        /* 0: not yet */

  /* from any thread to the pipeline's task */
  alignas(64) source *_Atomic ready;  /* stack of sources, see source.h */
  _Atomic uint32_t phase;             /* one setter: deployment_set_phase */
  _Atomic bool watching;              /* outputs that become idle wake the pipeline */
  _Atomic bool force;
  _Atomic uint32_t to_open;           /* open calls not returned yet */
  _Atomic uint32_t open_tasks;        /* tasks to end before the pipeline's */
  _Atomic uint32_t producers_open;    /* by their owners */
  _Atomic uint32_t producers_closing; /* closed by their owners, not freed yet */
  _Atomic uint64_t stop_deadline_us;
  input *_Atomic extra_inputs;        /* a list, newest first; added to under the lock */
  _Atomic bool extras_changed;        /* the pipeline's task has to look at extra_outputs */

  pthread_mutex_t lock;               /* protects down to the blank line */
  pthread_cond_t changed;             /* a listener came or went, or the phase changed */
  hw_error open_error;                /* the first one */
  deployment_listener *listeners;      /* all, with what is to be done with them */
  hw_producer *producers;
  uint64_t past_records, past_bytes;  /* taken in from producers that are gone */
  uint64_t transitions, settled;      /* of the pipeline: asked for, and the latest that is true */
  bool running;                       /* as of `settled` */
  bool stop_asked;                    /* no more transitions, and no more rows of producers */
  bool held;                          /* what the pipeline's last transition wants, true yet or not */
  bool closing_extras;                /* they count as open_tasks from now on */
  extra_output *extra_outputs;        /* see deployment_extra.c */
  uint32_t n_extras, n_extra_inputs, n_extra_outputs; /* so far; at present */

  /* the pipeline's task */
  output **touched;                   /* outputs that were given something since they were last empty */
  uint32_t n_touched, touched_room;
  source *due;                        /* taken from `ready`, the oldest first; `listed` until their turn comes */
  source *in_hand_of;                 /* whose batch it is */
  batch *in_hand;                     /* goes through the circuit, perhaps in several turns; NULL: none */
  batch *in_unit;                     /* the rest of its unit */
  uint64_t turn_us;                   /* when the turn at hand began */
  uint64_t step_ns;                   /* that the step at hand took so far */
  uint64_t extras_patience_us;        /* until when a stop waits for extra outputs; 0: not yet */
  bool failed;
  uint64_t stalled_since_us;
  uint32_t followers;                 /* inputs that wait for others to end */
  uint32_t n_over;                    /* connectors, from the first on, that are outputs or bring in nothing more */
  hw_error stop_error;
  struct group *stop_group;           /* made beforehand, so that a stop needs no memory */

  /* written by the pipeline's task, read by all */
  alignas(64) _Atomic uint64_t mark;  /* input records taken in so far, by the circuit */
  _Atomic uint64_t seen_mark;         /* of them those of steps that have ended */
  _Atomic uint64_t processed_bytes;   /* the inputs add to it too */
  _Atomic uint64_t steps, stall_us, stalls, wakeups;
  latency step_time;
  _Atomic bool complete;
  _Atomic bool stalled;               /* waits for an output */

  transaction transaction;

  histogram latency;                  /* nanoseconds, one per batch and sink */
  latency completion;                 /* the same, coarser, with its sum */
};

void deployment_set_phase(deployment *d, phase p);
phase deployment_phase(const deployment *d);

static inline hw_connector *deployment_connector(const deployment *d, uint32_t i) {
  return d->inputs[i] ? &d->inputs[i]->c : &d->outputs[i]->c;
}

void *deployment_alloc(size_t size); /* zeroed, on cache lines of its own; freed with free */

/* deployment_extra.c */
typedef hw_status extra_visit(void *arg, hw_connector *c);
/* The pipeline's task: fulfils wishes; within a step that goes on, only those to leave. */
void extras_update(deployment *d);
void extras_close(deployment *d);                /* the pipeline's task: ends the outputs, counted in open_tasks */
uint64_t extras_completed(deployment *d, uint64_t mark); /* how far the outputs are, given how far the pipeline is */
bool extra_inputs_are_quiet(const deployment *d);
bool extra_outputs_are_quiet(deployment *d);
hw_status extras_visit(deployment *d, extra_visit *visit, void *arg); /* outputs with the deployment's lock held */
input *extra_find_input(const deployment *d, uint64_t number); /* or NULL */
void extra_free_inputs(deployment *d);

/* deployment_step.c */
/* The pipeline's task. Puts a batch, and the unit that it begins, in hand, where nothing
 * is; works off what is in hand: true: all of it, and the outputs take more. False: it
 * has failed, or stays in hand, or outputs are full (*stalled). */
void deployment_take_in_hand(deployment *d, source *s, batch *b);
bool deployment_work_off(deployment *d, bool *stalled);
void deployment_end_step(deployment *d);
bool deployment_outputs_accept(deployment *d);
void deployment_note_stall(deployment *d, bool stalled);
bool deployment_make_touchable(deployment *d, uint32_t n); /* room for n outputs in `touched`; false: no memory */
void deployment_untouch(deployment *d, const output *out);
task_next deployment_run(task *t, bool may_block);
circuit_pause deployment_must_pause;     /* arg: a deployment */
void deployment_drop_in_hand(deployment *d);
/* In the midst of a step: nobody may be attached to the circuit then. */
static inline bool deployment_in_step(const deployment *d) { return d->in_hand || d->transaction.running; }
bool deployment_is_quiet(deployment *d); /* nothing is on its way; the pipeline's task */
uint64_t deployment_completed(const deployment *d);
circuit_sink deployment_offer;           /* arg: an output */

/* deployment_transaction.c: transaction.h */

/* deployment_close.c */
void deployment_begin_close(deployment *d); /* the pipeline's task */
void deployment_hurry(deployment *d); /* the same: interrupts what blocks, and has the task run again soon */
void deployment_advance_stop(deployment *d); /* the pipeline's task: the next phase if it is time */

void deployment_one_closed(deployment *d); /* one of open_tasks has ended */

/* deployment_control.c */
bool deployment_widen_stop(deployment *d, uint32_t n_inputs); /* lock held; false: no memory */
bool deployment_prepare_stop(deployment *d); /* when all inputs are there; false: no memory */
void deployment_discard_stop(deployment *d);
void deployment_hold_all(deployment *d); /* then PHASE_DRAINING; once */

/* producer.c, listener.c: the pipeline's task */
bool producers_are_quiet(deployment *d); /* frees those that are closed and empty */
void producers_stop(deployment *d);      /* the deployment's lock held: refuses their rows from now on */
hw_producer *producer_next(const hw_producer *p); /* these two: the deployment's lock held */
source *producer_source(hw_producer *p);
void producers_close(deployment *d);
void listeners_update(deployment *d); /* as extras_update */
void listeners_close(deployment *d);

#endif
