/* control.h - pauses and starts of one connector, input or output, one after the other.
 *
 * DESIGN
 * Requests stand in a first-in-first-out list. A hold at its head sets its reason
 * and is answered once no fetch (of an output: no write) is in progress: at once,
 * or by the fetch that leaves last. A start at its head clears the reason and is answered at once. So
 * a start waits behind a pause that is not true yet, and every pause is true at
 * some moment, between its answer and the next start, whoever races.
 *
 * A pause that waits longer than the time limit is answered with a timeout; its
 * reason stays set. A start that follows it is answered at once, though that one
 * fetch may still go on.
 *
 * THREADS  Any. Answers are given without the lock, by the thread that found
 *          them due. */
#ifndef RUNTIME_CONTROL_H
#define RUNTIME_CONTROL_H

#include "runtime/gate.h"
#include "runtime/sched.h"

#include <headworks/headworks.h>

#include <pthread.h>

struct hw_connector;

typedef struct transition {
  struct transition *next;
  uint32_t reason;     /* one GATE_* bit */
  bool hold;
  bool patient;        /* never answered with a timeout */
  uint64_t since_us;
  void (*done)(struct transition *t, struct hw_connector *c, hw_status status); /* owns t from then on */
  /* as they were when it became true */
  uint64_t epoch, total_records;
  char *position;      /* the caller's, CONNECTOR_POSITION_MAX bytes; NULL: it is not asked for */
} transition;

typedef struct control {
  struct hw_connector *c;
  task watch;             /* looks after a pause that takes long */
  pthread_mutex_t lock;   /* protects all below */
  transition *first, **last;
  uint64_t epoch;         /* transitions so far */
  bool watched;           /* the watch will look at the head */
  bool closed;            /* every transition is answered with HW_ECANCELED */
} control;

hw_status control_init(control *ctl, struct hw_connector *c, sched *s);
void control_fini(control *ctl);

/* Takes t; t->done is called exactly once, by control_run at the earliest: several
 * connectors' lists can be added to under one lock, and run after it. */
void control_add(control *ctl, transition *t);
void control_run(control *ctl);
/* The connector ends: answers what is there, and what comes, with HW_ECANCELED.
 * From then on the watch may be closed. */
void control_close(control *ctl);
uint64_t control_epoch(control *ctl);

#endif
