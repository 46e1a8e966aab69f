/* DESIGN
 * Problem: thousands of followed files must cost nothing while nothing happens,
 * and a process may have only a few inotify instances.
 * Structure: one instance for the process. Watchers hang in a hash table by
 * watch descriptor; two watchers of one inode share a descriptor, as the kernel
 * gives the same one. A thread sleeps in poll, and for each event sets the flag
 * of its watchers and wakes their connectors. The connector looks at the flags
 * of its own files, so that one change does not make it look at all of them.
 * Threads: filewatch_* from any thread. `life` (taken first) protects the
 * thread's and the descriptor's coming and going, `table` what the thread uses
 * too. hw_connector_wake is called under `table`: that is what makes sure that
 * no wake comes after filewatch_remove.
 * Guarantees: an event after filewatch_add leads to a wake; when the kernel's
 * queue overflows, everybody is woken.
 * Rejected: waiting for the inotify descriptor in each connector (every event
 * would wake all of them); one descriptor per connector (128 per user). */
#include "connectors/filewatch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define BUCKETS 1024u /* a power of two */
#define FILE_EVENTS (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
#define DIR_EVENTS (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

struct filewatch {
  hw_connector *c;
  int wd;
  atomic_bool changed;
  struct filewatch *next; /* in its bucket; protected by table */
};

static struct {
  pthread_mutex_t life;
  unsigned users;   /* protected by life, as are the next three */
  pthread_t thread;
  int inotify_fd;
  int stop_fd;
  pthread_mutex_t table; /* after life */
  filewatch *buckets[BUCKETS];
} shared = {.life = PTHREAD_MUTEX_INITIALIZER, .table = PTHREAD_MUTEX_INITIALIZER};

static filewatch **bucket_of(int wd) { return &shared.buckets[(unsigned)wd & (BUCKETS - 1)]; }

static void notify(filewatch *w) {
  atomic_store(&w->changed, true);
  hw_connector_wake(w->c);
}

static void notify_all(void) {
  for (unsigned i = 0; i < BUCKETS; i++)
    for (filewatch *w = shared.buckets[i]; w; w = w->next) notify(w);
}

static void dispatch(const char *data, size_t len) {
  pthread_mutex_lock(&shared.table);
  for (const char *at = data; at < data + len;) {
    const struct inotify_event *event = (const void *)at;
    if (event->mask & IN_Q_OVERFLOW) notify_all();
    else
      for (filewatch *w = *bucket_of(event->wd); w; w = w->next)
        if (w->wd == event->wd) notify(w);
    at += sizeof *event + event->len;
  }
  pthread_mutex_unlock(&shared.table);
}

static void *run(void *arg) {
  (void)arg;
  alignas(struct inotify_event) static char events[64 << 10]; /* there is one such thread at a time */
  struct pollfd fds[2] = {{.fd = shared.inotify_fd, .events = POLLIN}, {.fd = shared.stop_fd, .events = POLLIN}};
  while (!fds[1].revents) {
    if (poll(fds, 2, -1) < 0) continue; /* EINTR */
    ssize_t n = fds[0].revents ? read(shared.inotify_fd, events, sizeof events) : 0;
    if (n > 0) dispatch(events, (size_t)n);
  }
  return NULL;
}

static bool spawn(void) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int rc = pthread_create(&shared.thread, NULL, run, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (rc == 0) pthread_setname_np(shared.thread, "hw-filewatch");
  return rc == 0;
}

/* Under life. */
static bool start(void) {
  shared.inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (shared.inotify_fd < 0) return false;
  shared.stop_fd = eventfd(0, EFD_CLOEXEC);
  if (shared.stop_fd < 0) goto no_eventfd;
  if (!spawn()) goto no_thread;
  return true;
no_thread:
  close(shared.stop_fd);
no_eventfd:
  close(shared.inotify_fd);
  return false;
}

/* Under life. */
static void stop(void) {
  eventfd_write(shared.stop_fd, 1); /* a counter at 0 takes it */
  pthread_join(shared.thread, NULL);
  close(shared.stop_fd);
  close(shared.inotify_fd);
}

static bool enter(void) {
  pthread_mutex_lock(&shared.life);
  bool ok = shared.users > 0 || start();
  if (ok) shared.users++;
  pthread_mutex_unlock(&shared.life);
  return ok;
}

static void leave(void) {
  pthread_mutex_lock(&shared.life);
  if (--shared.users == 0) stop();
  pthread_mutex_unlock(&shared.life);
}

/* By way of the descriptor: a name could lead anywhere by now. */
static int add_watch(int fd, uint32_t events) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  return inotify_add_watch(shared.inotify_fd, link, events);
}

filewatch *filewatch_add(hw_connector *c, int fd, filewatch_kind kind) {
  if (!enter()) return NULL;
  filewatch *w = calloc(1, sizeof *w);
  if (!w) goto no_memory;
  w->c = c;
  pthread_mutex_lock(&shared.table);
  w->wd = add_watch(fd, kind == FILEWATCH_FILE ? FILE_EVENTS : DIR_EVENTS);
  if (w->wd < 0) goto no_watch;
  w->next = *bucket_of(w->wd);
  *bucket_of(w->wd) = w;
  pthread_mutex_unlock(&shared.table);
  return w;
no_watch:
  pthread_mutex_unlock(&shared.table);
  free(w);
no_memory:
  leave();
  return NULL;
}

/* Takes w out; whether another watcher has its descriptor. Under table. */
static bool unlink_from_bucket(filewatch *w) {
  bool shared_wd = false;
  for (filewatch **at = bucket_of(w->wd); *at;) {
    if (*at == w) {
      *at = w->next;
      continue;
    }
    if ((*at)->wd == w->wd) shared_wd = true;
    at = &(*at)->next;
  }
  return shared_wd;
}

void filewatch_remove(filewatch *w) {
  if (!w) return;
  pthread_mutex_lock(&shared.table);
  /* Fails where the kernel has dropped it already: the file is gone. */
  if (!unlink_from_bucket(w)) inotify_rm_watch(shared.inotify_fd, w->wd);
  pthread_mutex_unlock(&shared.table);
  free(w);
  leave();
}

bool filewatch_take(filewatch *w) { return w && atomic_exchange(&w->changed, false); }
