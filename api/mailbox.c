/* mailbox.c - messages from any thread to the API thread. */
#include "api/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct mailbox {
  _Atomic unsigned refs;
  pthread_mutex_t lock;
  mail *first, **last; /* protected by lock */
  bool closed;         /* protected by lock */
  int fd;              /* readable exactly when the queue is not empty */
  struct event *event; /* API thread */
};

static void ring_bell(mailbox *box) {
  uint64_t one = 1;
  ssize_t n;
  do {
    n = write(box->fd, &one, sizeof one);
  } while (n < 0 && errno == EINTR); /* EAGAIN: it rings already */
}

static mail *take_all(mailbox *box) {
  pthread_mutex_lock(&box->lock);
  mail *all = box->first;
  box->first = NULL;
  box->last = &box->first;
  pthread_mutex_unlock(&box->lock);
  return all;
}

static void on_mail(evutil_socket_t fd, short what, void *arg) {
  (void)what;
  uint64_t count;
  /* First the bell, then the queue: a message posted in between rings it again. */
  ssize_t n = read(fd, &count, sizeof count);
  (void)n; /* EAGAIN: an empty queue is looked at in vain */
  for (mail *m = take_all(arg), *next; m; m = next) {
    next = m->next;
    m->deliver(m);
  }
}

mailbox *mailbox_new(struct event_base *base) {
  mailbox *box = calloc(1, sizeof *box);
  if (!box) return NULL;
  box->refs = 1;
  box->last = &box->first;
  box->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (box->fd < 0) goto no_fd;
  int fault = pthread_mutex_init(&box->lock, NULL);
  if (fault) goto no_lock;
  fault = ENOMEM;
  box->event = event_new(base, box->fd, EV_READ | EV_PERSIST, on_mail, box);
  if (!box->event || event_add(box->event, NULL) != 0) goto no_event;
  return box;
no_event:
  if (box->event) event_free(box->event);
  pthread_mutex_destroy(&box->lock);
no_lock:
  close(box->fd);
  errno = fault;
no_fd:
  free(box);
  return NULL;
}

mailbox *mailbox_ref(mailbox *box) {
  atomic_fetch_add(&box->refs, 1);
  return box;
}

void mailbox_unref(mailbox *box) {
  if (!box || atomic_fetch_sub(&box->refs, 1) > 1) return;
  pthread_mutex_destroy(&box->lock);
  close(box->fd);
  free(box);
}

void mailbox_post(mailbox *box, mail *m) {
  m->next = NULL;
  pthread_mutex_lock(&box->lock);
  bool closed = box->closed, was_empty = !box->first;
  if (!closed) {
    *box->last = m;
    box->last = &m->next;
    if (was_empty) ring_bell(box);
  }
  pthread_mutex_unlock(&box->lock);
  if (closed) m->discard(m);
}

void mailbox_close(mailbox *box) {
  pthread_mutex_lock(&box->lock);
  box->closed = true;
  pthread_mutex_unlock(&box->lock);
  event_free(box->event);
  box->event = NULL;
  for (mail *m = take_all(box), *next; m; m = next) {
    next = m->next;
    m->discard(m);
  }
}
