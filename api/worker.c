/* worker.c - one thread for what would hold up the API thread. */
#include "api/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct worker {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  job *first, **last; /* protected by lock */
  unsigned n;         /* protected by lock */
  bool ending;        /* protected by lock */
  mailbox *box;       /* a reference */
  pthread_t thread;
};

/* The next job, or NULL when the worker ends. Called and left with the lock held. */
static job *next_job(worker *w) {
  while (!w->first && !w->ending) pthread_cond_wait(&w->changed, &w->lock);
  job *j = w->ending ? NULL : w->first;
  if (!j) return NULL;
  w->first = j->next;
  if (!w->first) w->last = &w->first;
  w->n--;
  return j;
}

static void *worker_main(void *arg) {
  worker *w = arg;
  pthread_mutex_lock(&w->lock);
  for (job *j; (j = next_job(w));) {
    pthread_mutex_unlock(&w->lock);
    j->run(j);
    mailbox_post(w->box, &j->mail);
    pthread_mutex_lock(&w->lock);
  }
  pthread_mutex_unlock(&w->lock);
  return NULL;
}

static bool start_thread(worker *w) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int fault = pthread_create(&w->thread, NULL, worker_main, w);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (fault == 0) pthread_setname_np(w->thread, "hw-api-work");
  return fault == 0;
}

static void release(worker *w) {
  mailbox_unref(w->box);
  pthread_cond_destroy(&w->changed);
  pthread_mutex_destroy(&w->lock);
  free(w);
}

worker *worker_new(mailbox *box) {
  worker *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  w->last = &w->first;
  if (pthread_mutex_init(&w->lock, NULL) != 0) goto no_lock;
  if (pthread_cond_init(&w->changed, NULL) != 0) goto no_cond;
  w->box = mailbox_ref(box);
  if (start_thread(w)) return w;
  release(w);
  return NULL;
no_cond:
  pthread_mutex_destroy(&w->lock);
no_lock:
  free(w);
  return NULL;
}

void worker_free(worker *w) {
  if (!w) return;
  pthread_mutex_lock(&w->lock);
  w->ending = true;
  pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->lock);
  pthread_join(w->thread, NULL);
  for (job *j = w->first, *next; j; j = next) {
    next = j->next;
    j->mail.discard(&j->mail);
  }
  release(w);
}

bool worker_submit(worker *w, job *j) {
  j->next = NULL;
  pthread_mutex_lock(&w->lock);
  bool room = w->n < WORKER_MAX_JOBS;
  if (room) {
    *w->last = j;
    w->last = &j->next;
    w->n++;
    pthread_cond_signal(&w->changed);
  }
  pthread_mutex_unlock(&w->lock);
  return room;
}
