/* fake_deployment.h - a stand-in for everything below engine/: compiler, helper
 * threads and deployments, which do what a test tells them and when. It takes
 * the place of runtime/deployment.c, runtime/runtime.c, runtime/sched.c, sql/ and
 * engine/builtin.c when it is linked.
 *
 * A program text that starts with "bad" does not compile, one that starts with
 * "oom" finds no memory; any other is one table `numbers` with an input c1, a
 * table "Quoted" with an input c1, and a view `v` with an output out. */
#ifndef TESTS_FAKE_DEPLOYMENT_H
#define TESTS_FAKE_DEPLOYMENT_H

#include <stdbool.h>

#include <headworks/status.h>

/* Places where threads can be held. All are open at first. */
typedef enum fake_gate {
  FAKE_COMPILE,
  FAKE_NEW,      /* in deployment_new */
  FAKE_OPEN,     /* before `opened` */
  FAKE_CONTROL,  /* before a control is answered; closed: answered later, by another thread */
  FAKE_DRAIN,    /* before `stopped` of a graceful stop; a forced one does not wait here */
  FAKE_CLOSE,    /* before any `stopped` */
  FAKE_GATES
} fake_gate;

void fake_reset(void);                       /* opens every gate, forgets every fault */
void fake_shut(fake_gate gate);
void fake_let(fake_gate gate);               /* opens it */
void fake_wait_at(fake_gate gate, unsigned n); /* until n threads are held there */

/* Faults, until fake_reset. */
void fake_new_fails(const char *message);
void fake_open_fails(const char *message);
void fake_control_fails(hw_status status, const char *code);
void fake_drain_leaves(const char *message);
void fake_threads_fail(bool fail);           /* sched_call gives HW_ENOMEM */

/* Events of the deployment that was made last, from another thread; they have
 * happened when these return. */
void fake_emit_failed(const char *message);
void fake_emit_complete(const char *message); /* NULL: no error */
void fake_emit_change(void);                  /* calls every listener with a batch */

unsigned fake_deployments(void);  /* that are not freed */
unsigned fake_opens(void);        /* deployment_open since fake_reset */
unsigned fake_stops(bool force);  /* deployment_stop likewise */

#endif
