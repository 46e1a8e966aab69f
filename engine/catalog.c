/* catalog.c - the catalog's thread and its queue: many writes, one commit (catalog.h). */
#include "engine/catalog_impl.h"

#include "runtime/sched.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* What became of the writes of one transaction: those from `refused` on the list
 * failed each for itself, the others share one fate. */
typedef struct outcome {
  catalog_write *taken;   /* in the transaction */
  catalog_write *refused; /* not in it */
  hw_error taken_error;   /* status HW_OK: it is on disk */
  hw_error refused_error; /* of the last that was refused */
} outcome;

/* ---- one transaction ------------------------------------------------------- */

static void add_last(catalog_write ***last, catalog_write *w) {
  w->next = NULL;
  **last = w;
  *last = &w->next;
}

/* Stops at the first write that nothing can be done about; the rest is taken all
 * the same, to share its fate. */
static int apply_all(catalog_file *f, catalog_write *all, outcome *o) {
  catalog_write **taken = &o->taken, **refused = &o->refused;
  int code = SQLITE_DONE;
  for (catalog_write *w = all, *next; w; w = next) {
    next = w->next;
    if (code == SQLITE_DONE) code = catalog_apply(f, w);
    bool alone = code == SQLITE_CONSTRAINT;
    add_last(alone ? &refused : &taken, w);
    if (!alone) continue;
    (void)catalog_file_error(f, "CatalogWriteFailed", "refused a row", &o->refused_error);
    code = SQLITE_DONE;
  }
  return code;
}

static hw_status write_failed(const catalog_file *f, hw_error *err) {
  return catalog_file_error(f, "CatalogWriteFailed", "could not be written, so that this would not survive a restart",
                            err);
}

static void transact(catalog_file *f, catalog_write *all, outcome *o) {
  *o = (outcome){0};
  int code = catalog_step(f, STATEMENT_BEGIN);
  if (code == SQLITE_DONE)
    code = apply_all(f, all, o);
  else
    o->taken = all;
  if (code == SQLITE_DONE) code = catalog_step(f, STATEMENT_COMMIT);
  if (code == SQLITE_DONE) return;
  (void)write_failed(f, &o->taken_error);
  if (!sqlite3_get_autocommit(f->db)) (void)catalog_step(f, STATEMENT_ROLLBACK);
}

/* ---- answering ------------------------------------------------------------- */

static void answer_all(catalog *c, catalog_write *list, const hw_error *err) {
  const uint64_t now_us = sched_now_us();
  for (catalog_write *w = list, *next; w; w = next) {
    next = w->next;
    w->waited_us = now_us - w->posted_us;
    atomic_fetch_add(err->status == HW_OK ? &c->writes : &c->failed_writes, 1);
    atomic_fetch_sub(&c->waiting, 1);
    w->done(w, err->status == HW_OK ? NULL : err);
  }
}

static void commit(catalog *c, catalog_write *all) {
  outcome o;
  pthread_mutex_lock(&c->file_lock);
  const uint64_t began_ns = sched_now_ns();
  transact(&c->file, all, &o);
  latency_add(&c->commit_time, sched_now_ns() - began_ns);
  pthread_mutex_unlock(&c->file_lock);
  if (o.taken_error.status == HW_OK) atomic_fetch_add(&c->commits, 1);
  answer_all(c, o.refused, &o.refused_error);
  answer_all(c, o.taken, &o.taken_error);
}

/* ---- the thread ------------------------------------------------------------ */

/* All that was posted; NULL: closing, and nothing is left. */
static catalog_write *take_all(catalog *c) {
  pthread_mutex_lock(&c->lock);
  while (!c->first && !c->closing) pthread_cond_wait(&c->posted, &c->lock);
  catalog_write *all = c->first;
  c->first = NULL;
  c->last = &c->first;
  pthread_mutex_unlock(&c->lock);
  return all;
}

static void *catalog_main(void *arg) {
  catalog *c = arg;
  for (catalog_write *all; (all = take_all(c));) commit(c, all);
  return NULL;
}

static bool start_thread(catalog *c) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int fault = pthread_create(&c->thread, NULL, catalog_main, c);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (fault == 0) pthread_setname_np(c->thread, "hw-catalog");
  return fault == 0;
}

void catalog_post(catalog *c, catalog_write *w) {
  w->next = NULL;
  w->waited_us = 0;
  if (!c) {
    w->done(w, NULL);
    return;
  }
  w->posted_us = sched_now_us();
  atomic_fetch_add(&c->waiting, 1);
  pthread_mutex_lock(&c->lock);
  bool was_empty = !c->first;
  *c->last = w;
  c->last = &w->next;
  if (was_empty) pthread_cond_signal(&c->posted);
  pthread_mutex_unlock(&c->lock);
}

/* ---- life ------------------------------------------------------------------ */

catalog *catalog_open(const char *directory, hw_error *err) {
  catalog *c = calloc(1, sizeof *c);
  if (!c) goto no_catalog;
  c->last = &c->first;
  if (pthread_mutex_init(&c->lock, NULL) != 0) goto no_lock;
  if (pthread_mutex_init(&c->file_lock, NULL) != 0) goto no_file_lock;
  if (pthread_cond_init(&c->posted, NULL) != 0) goto no_condition;
  if (catalog_file_open(&c->file, directory, err) != HW_OK) goto no_file;
  if (start_thread(c)) return c;

  (void)hw_error_code(err, HW_ENOMEM, "CatalogUnavailable", "the thread of the catalog in %s could not be started",
                      directory);
  catalog_file_close(&c->file);
no_file:
  pthread_cond_destroy(&c->posted);
  pthread_mutex_destroy(&c->file_lock);
  pthread_mutex_destroy(&c->lock);
  free(c);
  return NULL;
no_condition:
  pthread_mutex_destroy(&c->file_lock);
no_file_lock:
  pthread_mutex_destroy(&c->lock);
no_lock:
  free(c);
no_catalog:
  (void)hw_error_code(err, HW_ENOMEM, "CatalogUnavailable", "no memory for the catalog in %s", directory);
  return NULL;
}

void catalog_close(catalog *c) {
  if (!c) return;
  pthread_mutex_lock(&c->lock);
  c->closing = true;
  pthread_cond_signal(&c->posted);
  pthread_mutex_unlock(&c->lock);
  pthread_join(c->thread, NULL);
  catalog_file_close(&c->file);
  pthread_cond_destroy(&c->posted);
  pthread_mutex_destroy(&c->file_lock);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

const char *catalog_path(const catalog *c) { return c->file.path; }

void catalog_get_stats(const catalog *c, catalog_stats *out) {
  *out = (catalog_stats){0};
  if (!c) return;
  out->commits = atomic_load(&c->commits);
  out->writes = atomic_load(&c->writes);
  out->failed_writes = atomic_load(&c->failed_writes);
  out->waiting = atomic_load(&c->waiting);
  latency_read(&c->commit_time, &out->commit_time);
}
