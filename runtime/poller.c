#include "runtime/poller.h"

#include <headworks/connector.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define EVENTS_PER_WAIT 64

typedef struct fd_slot {
  task *task;          /* that armed it last; NULL: nobody has, or has forgotten it */
  uint32_t generation; /* of the last arming */
  bool armed;
} fd_slot;

struct poller {
  int epoll, wake;
  pthread_t thread;
  pthread_mutex_t lock; /* protects all below; held while a task is notified, so a task that is
                           cancelled is not notified afterwards */
  bool stop;
  uint64_t due_us;      /* the timer that the thread sleeps for; 0: it is awake, and will look at them all */
  fd_slot *slots;
  size_t n_slots;
  task **heap;          /* [1 .. n_timers], smallest deadline first */
  uint32_t n_timers, heap_capacity;
};

/* ---- timers -------------------------------------------------------------- */

static void heap_put(poller *p, uint32_t i, task *t) {
  p->heap[i] = t;
  t->heap_index = i;
}

static void heap_up(poller *p, uint32_t i) {
  task *t = p->heap[i];
  for (; i > 1 && p->heap[i / 2]->deadline_us > t->deadline_us; i /= 2) heap_put(p, i, p->heap[i / 2]);
  heap_put(p, i, t);
}

static void heap_down(poller *p, uint32_t i) {
  task *t = p->heap[i];
  for (uint32_t child; (child = 2 * i) <= p->n_timers; i = child) {
    if (child < p->n_timers && p->heap[child + 1]->deadline_us < p->heap[child]->deadline_us) child++;
    if (p->heap[child]->deadline_us >= t->deadline_us) break;
    heap_put(p, i, p->heap[child]);
  }
  heap_put(p, i, t);
}

static void timer_remove(poller *p, task *t) {
  uint32_t i = t->heap_index;
  if (!i) return;
  t->heap_index = 0;
  t->deadline_us = 0;
  task *moved = p->heap[p->n_timers--];
  if (moved == t) return;
  heap_put(p, i, moved);
  heap_up(p, i);
  heap_down(p, moved->heap_index);
}

static bool timer_add(poller *p, task *t, uint64_t deadline_us) {
  if (p->n_timers + 1 >= p->heap_capacity) {
    uint32_t capacity = p->heap_capacity ? p->heap_capacity * 2 : 64;
    task **heap = realloc(p->heap, capacity * sizeof *heap);
    if (!heap) return false;
    p->heap = heap;
    p->heap_capacity = capacity;
  }
  t->deadline_us = deadline_us;
  p->heap[++p->n_timers] = t;
  heap_up(p, p->n_timers);
  return true;
}

static void wake(poller *p) {
  uint64_t one = 1;
  /* Full (EAGAIN) means a wake-up is pending anyway. */
  while (write(p->wake, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void poller_wait_until(poller *p, task *t, uint64_t deadline_us) {
  pthread_mutex_lock(&p->lock);
  timer_remove(p, t);
  bool added = deadline_us == 0 || timer_add(p, t, deadline_us);
  bool late = deadline_us != 0 && added && deadline_us < p->due_us;
  if (late) p->due_us = 0;
  pthread_mutex_unlock(&p->lock);
  if (late) wake(p);
  if (!added) task_notify(t); /* early rather than never */
}

/* ---- descriptors --------------------------------------------------------- */

static fd_slot *slot_of(poller *p, int fd) {
  size_t i = (size_t)fd;
  if (i >= p->n_slots) {
    size_t n = i < 64 ? 128 : i * 2;
    fd_slot *slots = realloc(p->slots, n * sizeof *slots);
    if (!slots) return NULL;
    memset(slots + p->n_slots, 0, (n - p->n_slots) * sizeof *slots);
    p->slots = slots;
    p->n_slots = n;
  }
  return &p->slots[i];
}

hw_status poller_wait_fd(poller *p, task *t, int fd, unsigned events) {
  if (fd < 0) return HW_EINVAL;
  pthread_mutex_lock(&p->lock);
  fd_slot *slot = slot_of(p, fd);
  if (!slot) {
    pthread_mutex_unlock(&p->lock);
    return HW_ENOMEM;
  }
  slot->task = t;
  slot->armed = true;
  uint32_t generation = ++slot->generation;
  struct epoll_event e = {.events = EPOLLONESHOT | EPOLLRDHUP, .data.u64 = (uint64_t)generation << 32 | (uint32_t)fd};
  if (events & HW_READABLE) e.events |= EPOLLIN;
  if (events & HW_WRITABLE) e.events |= EPOLLOUT;
  int r = epoll_ctl(p->epoll, EPOLL_CTL_MOD, fd, &e);
  if (r < 0 && errno == ENOENT) r = epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &e);
  if (r < 0) slot->task = NULL;
  int error = r < 0 ? errno : 0;
  pthread_mutex_unlock(&p->lock);
  return !error ? HW_OK : error == ENOMEM || error == ENOSPC ? HW_ENOMEM : HW_EINVAL;
}

void poller_forget_fd(poller *p, task *t, int fd) {
  if (fd < 0) return;
  pthread_mutex_lock(&p->lock);
  if ((size_t)fd < p->n_slots && p->slots[fd].task == t) { /* else its number is another's by now */
    p->slots[fd].task = NULL;
    epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL); /* not there is just as well */
  }
  pthread_mutex_unlock(&p->lock);
}

void poller_cancel(poller *p, task *t) {
  pthread_mutex_lock(&p->lock);
  timer_remove(p, t);
  pthread_mutex_unlock(&p->lock);
}

/* ---- the thread ---------------------------------------------------------- */

/* Milliseconds until the first timer, rounded up; -1: none. Lock held. */
static int first_timeout(poller *p) {
  p->due_us = p->n_timers ? p->heap[1]->deadline_us : UINT64_MAX;
  if (!p->n_timers) return -1;
  uint64_t now = sched_now_us();
  if (p->due_us <= now) return 0;
  uint64_t ms = (p->due_us - now + 999) / 1000;
  return ms > 3600000 ? 3600000 : (int)ms;
}

static void fire_timers(poller *p) {
  uint64_t now = sched_now_us();
  while (p->n_timers && p->heap[1]->deadline_us <= now) {
    task *t = p->heap[1];
    timer_remove(p, t);
    task_notify(t);
  }
}

static void fire_fd(poller *p, uint64_t data) {
  uint32_t fd = (uint32_t)data, generation = (uint32_t)(data >> 32);
  if (fd >= p->n_slots) return;
  fd_slot *slot = &p->slots[fd];
  if (!slot->task || !slot->armed || slot->generation != generation) return; /* of an earlier life of this fd */
  slot->armed = false;
  task_notify(slot->task);
}

static void drain_wake(poller *p) {
  uint64_t n;
  while (read(p->wake, &n, sizeof n) < 0 && errno == EINTR) {
  }
}

static void *poller_main(void *arg) {
  poller *p = arg;
  pthread_setname_np(pthread_self(), "hw-reactor");
  struct epoll_event events[EVENTS_PER_WAIT];
  pthread_mutex_lock(&p->lock);
  while (!p->stop) {
    int timeout = first_timeout(p);
    pthread_mutex_unlock(&p->lock);
    int n = epoll_wait(p->epoll, events, EVENTS_PER_WAIT, timeout);
    pthread_mutex_lock(&p->lock);
    p->due_us = 0;
    for (int i = 0; i < n; i++) {
      if (events[i].data.u64 == UINT64_MAX)
        drain_wake(p);
      else
        fire_fd(p, events[i].data.u64);
    }
    fire_timers(p);
  }
  pthread_mutex_unlock(&p->lock);
  return NULL;
}

static bool poller_start(poller *p) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool ok = pthread_create(&p->thread, NULL, poller_main, p) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return ok;
}

poller *poller_new(hw_error *err) {
  poller *p = calloc(1, sizeof *p);
  if (!p) goto no_memory;
  if ((p->epoll = epoll_create1(EPOLL_CLOEXEC)) < 0) goto no_epoll;
  if ((p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) goto no_wake;
  struct epoll_event e = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
  if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->wake, &e) < 0) goto no_lock;
  if (pthread_mutex_init(&p->lock, NULL) != 0) goto no_lock;
  if (!poller_start(p)) goto no_thread;
  return p;

no_thread:
  pthread_mutex_destroy(&p->lock);
no_lock:
  close(p->wake);
no_wake:
  close(p->epoll);
no_epoll:
  free(p);
no_memory:
  hw_error_set(err, HW_ENOMEM, "cannot set up event handling: %s (a limit on files, threads or memory?)",
               strerror(errno));
  return NULL;
}

void poller_free(poller *p) {
  if (!p) return;
  pthread_mutex_lock(&p->lock);
  p->stop = true;
  pthread_mutex_unlock(&p->lock);
  wake(p);
  pthread_join(p->thread, NULL);
  pthread_mutex_destroy(&p->lock);
  close(p->wake);
  close(p->epoll);
  free(p->slots);
  free(p->heap);
  free(p);
}
