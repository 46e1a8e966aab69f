#include "runtime/sched.h"
#include "runtime/poller.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define HELPERS_MAX 16u
#define WORKERS_MAX 256u
#define CROWD 2u /* waiting tasks for each worker */
#define PRIORITY_LEAST 19

enum { LANE_WORKERS, LANE_HELPERS, LANES };
enum task_state { STATE_IDLE, STATE_QUEUED, STATE_RUNNING, STATE_NOTIFIED, STATE_CLOSED };
#define STATE_CLOSING 8u /* beside a state: its next turn is its last */

/* A queue of tasks and the threads that take from it. */
typedef struct lane {
  pthread_mutex_t lock;
  pthread_cond_t work;
  task *first, **last;   /* protected by lock, as all below */
  uint32_t queued;
  uint32_t idle;         /* threads waiting for work */
  uint32_t threads, threads_most;
  bool stop;
  pthread_t thread[WORKERS_MAX];
  sched *sched;
  const char *name;
  bool may_block;
} lane;

struct sched {
  lane lanes[LANES];
  poller *poller;
  unsigned cores;
  int priority; /* of the lanes' threads, as setpriority has it */
};

uint64_t sched_now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
  return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

uint64_t sched_now_us(void) { return sched_now_ns() / 1000; }

/* ---- lanes --------------------------------------------------------------- */

static void *lane_main(void *arg);

/* Lock held. A lane without the thread it wanted still works while it has one. */
static bool lane_add_thread(lane *l) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
  bool ok = pthread_create(&l->thread[l->threads], NULL, lane_main, l) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (ok) l->threads++;
  return ok;
}

/* own: by a thread of the lane between two turns. It takes a task next, so that those
 * which nobody has come for yet are no more than before, and nobody needs to wake. */
static void lane_push(lane *l, task *t, bool own) {
  t->next = NULL;
  pthread_mutex_lock(&l->lock);
  *l->last = t;
  l->last = &t->next;
  l->queued++;
  bool wake = !own && l->idle;
  /* Failing to is no loss: another thread will come to it. */
  if (!own && l->queued > l->idle && l->threads < l->threads_most) lane_add_thread(l);
  pthread_mutex_unlock(&l->lock);
  if (wake) pthread_cond_signal(&l->work); /* while it is held, who wakes would wait for it at once */
}

/* NULL: the lane is stopped. */
static task *lane_pop(lane *l) {
  pthread_mutex_lock(&l->lock);
  while (!l->first && !l->stop) {
    l->idle++;
    pthread_cond_wait(&l->work, &l->lock);
    l->idle--;
  }
  task *t = l->first;
  if (t) {
    l->first = t->next;
    l->queued--;
    if (!l->first) l->last = &l->first;
  }
  pthread_mutex_unlock(&l->lock);
  return t;
}

bool sched_is_crowded(sched *s) {
  lane *l = &s->lanes[LANE_WORKERS];
  pthread_mutex_lock(&l->lock);
  bool crowded = l->queued >= CROWD * l->threads_most;
  pthread_mutex_unlock(&l->lock);
  return crowded;
}

static unsigned busy_threads(lane *l) {
  pthread_mutex_lock(&l->lock);
  unsigned busy = l->threads - l->idle;
  pthread_mutex_unlock(&l->lock);
  return busy;
}

void sched_pretend_cores(sched *s, unsigned n) { s->cores = n; }

bool sched_has_free_core(sched *s) {
  return busy_threads(&s->lanes[LANE_WORKERS]) + busy_threads(&s->lanes[LANE_HELPERS]) < s->cores;
}

static void enqueue(task *t) { lane_push(&t->sched->lanes[t->lane], t, false); }

static _Thread_local const task *current; /* what this thread is running */

bool task_is_current(const task *t) { return current == t; }

static void task_end(task *t) {
  poller_cancel(t->sched->poller, t);
  atomic_store(&t->state, STATE_CLOSED);
  task_closed *closed = atomic_load(&t->closed);
  closed(t);
}

static void task_step(lane *l, task *t) {
  uint32_t state = STATE_QUEUED;
  current = t;
  if (!atomic_compare_exchange_strong(&t->state, &state, STATE_RUNNING)) { /* closing */
    task_end(t);
    return;
  }
  task_next next = t->run(t, l->may_block);
  t->lane = next == TASK_BLOCKING ? LANE_HELPERS : t->home;
  state = STATE_RUNNING;
  if (next == TASK_IDLE && atomic_compare_exchange_strong(&t->state, &state, STATE_IDLE)) return;
  while (!atomic_compare_exchange_weak(&t->state, &state, STATE_QUEUED | (state & STATE_CLOSING))) continue;
  lane *to = &t->sched->lanes[t->lane]; /* notified meanwhile, not done, or closing */
  lane_push(to, t, to == l);
}

static void *lane_main(void *arg) {
  lane *l = arg;
  pthread_setname_np(pthread_self(), l->name);
  setpriority(PRIO_PROCESS, 0, l->sched->priority); /* of this thread; where that is refused, it goes without */
  for (task *t; (t = lane_pop(l));) task_step(l, t);
  return NULL;
}

static hw_status lane_init(lane *l, sched *s, const char *name, bool may_block, uint32_t most) {
  if (pthread_mutex_init(&l->lock, NULL) != 0) return HW_ENOMEM;
  if (pthread_cond_init(&l->work, NULL) != 0) {
    pthread_mutex_destroy(&l->lock);
    return HW_ENOMEM;
  }
  l->last = &l->first;
  l->sched = s;
  l->name = name;
  l->may_block = may_block;
  l->threads_most = most;
  return HW_OK;
}

static void lane_stop(lane *l) {
  pthread_mutex_lock(&l->lock);
  l->stop = true;
  pthread_cond_broadcast(&l->work);
  pthread_mutex_unlock(&l->lock);
  for (uint32_t i = 0; i < l->threads; i++) pthread_join(l->thread[i], NULL);
}

/* Threads of either lane push to both: both have stopped. */
static void lane_fini(lane *l) {
  pthread_cond_destroy(&l->work);
  pthread_mutex_destroy(&l->lock);
}

/* ---- tasks --------------------------------------------------------------- */

void task_init(task *t, sched *s, task_run *run, bool blocking) {
  memset(t, 0, sizeof *t);
  t->sched = s;
  t->run = run;
  t->home = t->lane = blocking ? LANE_HELPERS : LANE_WORKERS;
  atomic_init(&t->state, STATE_IDLE);
}

void task_notify(task *t) {
  uint32_t s = atomic_load(&t->state);
  for (;;) {
    if (s == STATE_IDLE) {
      if (!atomic_compare_exchange_weak(&t->state, &s, STATE_QUEUED)) continue;
      enqueue(t);
      return;
    }
    if (s != STATE_RUNNING) return; /* queued or notified already, closing or closed */
    if (atomic_compare_exchange_weak(&t->state, &s, STATE_NOTIFIED)) return;
  }
}

hw_status task_wait_fd(task *t, int fd, unsigned events) { return poller_wait_fd(t->sched->poller, t, fd, events); }
void task_forget_fd(task *t, int fd) { poller_forget_fd(t->sched->poller, t, fd); }
void task_wait_us(task *t, uint64_t us) { poller_wait_until(t->sched->poller, t, sched_now_us() + (us ? us : 1)); }
void task_cancel_wait(task *t) { poller_wait_until(t->sched->poller, t, 0); }

void task_close(task *t, task_closed *closed) {
  atomic_store(&t->closed, closed);
  /* Unless it was idle, t may be gone from here on. */
  if (atomic_fetch_or(&t->state, STATE_CLOSING) != STATE_IDLE) return;
  atomic_store(&t->state, STATE_QUEUED | STATE_CLOSING);
  enqueue(t);
}

/* ---- one-off calls ------------------------------------------------------- */

typedef struct call_task {
  task task;
  void (*call)(void *arg);
  void *arg;
} call_task;

static void call_closed(task *t) {
  call_task *c = (call_task *)t;
  c->call(c->arg);
  free(c);
}

hw_status sched_call(sched *s, void (*call)(void *arg), void *arg) {
  call_task *c = malloc(sizeof *c);
  if (!c) return HW_ENOMEM;
  task_init(&c->task, s, NULL, true);
  c->call = call;
  c->arg = arg;
  task_close(&c->task, call_closed); /* its closing is its run */
  return HW_OK;
}

/* ---- the scheduler ------------------------------------------------------- */

static unsigned cores(void) {
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n < 1 ? 1 : n > (long)WORKERS_MAX ? WORKERS_MAX : (unsigned)n;
}

sched *sched_new(unsigned workers, unsigned nice, hw_error *err) {
  sched *s = calloc(1, sizeof *s);
  if (!s) goto no_memory;
  s->priority = getpriority(PRIO_PROCESS, 0) + (int)(nice < PRIORITY_LEAST ? nice : PRIORITY_LEAST);
  if (s->priority > PRIORITY_LEAST) s->priority = PRIORITY_LEAST;
  if (workers > WORKERS_MAX) workers = WORKERS_MAX;
  s->cores = cores();
  if (lane_init(&s->lanes[LANE_WORKERS], s, "hw-worker", false, workers ? workers : s->cores) != HW_OK) goto no_workers;
  if (lane_init(&s->lanes[LANE_HELPERS], s, "hw-helper", true, HELPERS_MAX) != HW_OK) goto no_helpers;
  s->poller = poller_new(err);
  if (!s->poller) goto no_poller;
  bool ok = true;
  for (unsigned l = 0; l < LANES && ok; l++) {
    pthread_mutex_lock(&s->lanes[l].lock);
    ok = lane_add_thread(&s->lanes[l]);
    pthread_mutex_unlock(&s->lanes[l].lock);
  }
  if (ok) return s;
  hw_error_set(err, HW_ENOMEM, "cannot start threads: the system's limit on threads or memory is reached");
  sched_free(s);
  return NULL;

no_poller:
  lane_fini(&s->lanes[LANE_HELPERS]);
no_helpers:
  lane_fini(&s->lanes[LANE_WORKERS]);
no_workers:
  free(s);
  return NULL;
no_memory:
  hw_error_set(err, HW_ENOMEM, "no memory for a scheduler");
  return NULL;
}

void sched_free(sched *s) {
  if (!s) return;
  poller_free(s->poller);
  for (unsigned i = 0; i < LANES; i++) lane_stop(&s->lanes[i]);
  for (unsigned i = 0; i < LANES; i++) lane_fini(&s->lanes[i]);
  free(s);
}

unsigned sched_workers(const sched *s) { return s->lanes[LANE_WORKERS].threads_most; }
