/* sched.h - tasks on a pool of threads, woken by fds, timers and each other.
 *
 * DESIGN
 * Connectors and circuits are tasks: small structs with a run function that
 * works for a bounded time and returns. A task is in one of the states
 *
 *      IDLE ──notify──▸ QUEUED ──a thread takes it──▸ RUNNING ──▸ IDLE
 *                          ▴                            │ notify
 *                          └────── returns ◂── RUNNING_NOTIFIED
 *
 * so it never runs twice at once, and a notify is never lost nor doubled. There
 * are two lanes: workers (one thread per core) for work that never blocks, and
 * helpers, started as needed up to a small number, for calls that may. A task
 * moves between lanes by what its run function returns. One reactor thread
 * waits in epoll for the fds and timers of all idle tasks: ten thousand idle
 * connectors cost ten thousand entries there and no thread at all.
 *
 * While workers and helpers keep every processor busy, a thread that wakes to answer
 * a client may wait for the end of one's slice, milliseconds for some microseconds of
 * work. So they may be given a lower priority than the process's other threads
 * (docs/performance.md has what that is worth, and what was not worth it).
 *
 * A queue per worker with stealing was left out: a lane's one lock is taken a
 * few thousand times a second, for quanta of about 200 us. */
#ifndef RUNTIME_SCHED_H
#define RUNTIME_SCHED_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <headworks/status.h>

typedef struct sched sched;
typedef struct task task;

typedef enum task_next {
  TASK_IDLE,     /* until notified */
  TASK_AGAIN,    /* soon, on the workers */
  TASK_BLOCKING, /* soon, on the helpers */
} task_next;

/* `may_block`: running on a helper thread. */
typedef task_next task_run(task *t, bool may_block);
typedef void task_closed(task *t);

struct task {
  _Atomic uint32_t state;   /* see above */
  uint32_t home;            /* the lane it belongs to */
  uint32_t lane;            /* where it goes next; written by whoever runs it, before it may be queued again */
  sched *sched;
  task_run *run;
  task_closed *_Atomic closed; /* set by task_close */
  task *next;               /* in a lane's queue; protected by the lane's lock */
  uint64_t deadline_us;     /* of its timer, 0: none; protected by the timers' lock */
  uint32_t heap_index;      /* protected by the timers' lock */
};

/* `nice`: by how much lower than the caller's the priority of workers and helpers is. */
sched *sched_new(unsigned workers, unsigned nice, hw_error *err);
/* Every task must be closed. Joins all threads. */
void sched_free(sched *s);
unsigned sched_workers(const sched *s);

/* Caller's memory. `blocking`: always on the helpers. */
void task_init(task *t, sched *s, task_run *run, bool blocking);
/* Makes it run soon. [any thread], until task_close. */
void task_notify(task *t);
/* Makes it run when fd is ready: HW_READABLE, HW_WRITABLE; one shot. */
hw_status task_wait_fd(task *t, int fd, unsigned events);
void task_forget_fd(task *t, int fd);
/* Makes it run in us microseconds; one shot; replaces the last. [any thread] */
void task_wait_us(task *t, uint64_t us);
void task_cancel_wait(task *t);
/* Ends it: once it no longer runs, `closed` is called on a pool thread, and the
 * task is the caller's memory again. Its fds must have been forgotten. [any thread], once. */
void task_close(task *t, task_closed *closed);

/* Says that the calling function belongs to task t: checked in builds with
 * --enable-debug. */
#ifdef HW_DEBUG
#define TASK_ASSERT(t) assert(task_is_current(t))
#else
#define TASK_ASSERT(t) ((void)0)
#endif
bool task_is_current(const task *t);

/* Runs call(arg) once on a helper thread. */
hw_status sched_call(sched *s, void (*call)(void *arg), void *arg);

/* Whether more tasks wait for a worker than a few turns will take. [any thread] */
bool sched_is_crowded(sched *s);
/* Whether fewer threads of both kinds have something to do than there are cores. [any thread] */
bool sched_has_free_core(sched *s);
/* As if there were n cores; for tests. [before any task is there] */
void sched_pretend_cores(sched *s, unsigned n);

uint64_t sched_now_us(void); /* monotonic */
uint64_t sched_now_ns(void);

#endif
