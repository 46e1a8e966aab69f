/* signals.h - SIGINT, SIGTERM and SIGHUP as events of a poll, and a bell that
 * other threads ring.
 *
 * The signals are blocked in the calling thread and so in every thread made
 * after it: open before the engine. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

#include <headworks/status.h>

typedef struct signals {
  int signal_fd, bell_fd;
  unsigned n_ends;  /* SIGINTs and SIGTERMs so far, doubled ones once */
  double first_end; /* when the first came, by cli_now */
} signals;

typedef enum signals_event {
  SIGNALS_NONE = 0,   /* the bell rang, or the time is over */
  SIGNALS_END = 1,    /* the first SIGINT or SIGTERM */
  SIGNALS_REOPEN = 2, /* SIGHUP */
} signals_event;

HW_MUST_USE bool signals_open(signals *s); /* false: errno */
void signals_close(signals *s);
void signals_restore(void); /* they act as before, on the calling thread */

/* Waits for a signal, the bell or the end of timeout_us. A second SIGINT or
 * SIGTERM ends the process here, with CLI_INTERRUPTED; one that follows the
 * first at once is the same wish: `timeout` and scripts signal the process and
 * then its group. */
signals_event signals_wait(signals *s, uint64_t timeout_us);

/* Ends a wait, this one or the next. Any thread. */
void signals_ring(signals *s);

#endif
