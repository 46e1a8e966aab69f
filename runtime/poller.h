/* poller.h - the reactor: one thread that waits for fds and timers of all tasks.
 *
 * DESIGN
 * One epoll descriptor, every fd in it one-shot: when it fires, its task is
 * notified and nothing happens again until the task arms it anew, which a worker
 * does by one epoll_ctl without waking the reactor. Timers stand in a binary heap
 * ordered by deadline; the reactor sleeps until the first, in epoll_wait. It is
 * woken by an eventfd only when a timer becomes the first.
 *
 * The event carries fd and a generation; a table from fd to task, protected by a
 * lock, tells late events of a closed and reused fd from real ones.
 *
 * libevent serves the HTTP side; here it would cost a wake-up of its loop for
 * every re-arming from another thread. */
#ifndef RUNTIME_POLLER_H
#define RUNTIME_POLLER_H

#include "runtime/sched.h"

typedef struct poller poller;

poller *poller_new(hw_error *err);
void poller_free(poller *p);

hw_status poller_wait_fd(poller *p, task *t, int fd, unsigned events);
void poller_forget_fd(poller *p, task *t, int fd);
/* deadline in sched_now_us; 0 takes the timer out. */
void poller_wait_until(poller *p, task *t, uint64_t deadline_us);
/* Takes out the timer of a task that ends; its fds have been forgotten. */
void poller_cancel(poller *p, task *t);

#endif
