/* producer.c - rows pushed by an embedding program (headworks.h): a source with
 * a queue of its own, whose owner waits for room on a condition. */
#include "runtime/deadline.h"
#include "runtime/deployment_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PRODUCER_RECORDS 1000000u
#define PRODUCER_BYTES (64u << 20)

struct hw_producer {
  source source; /* first */
  deployment *d; /* a reference */
  const hw_schema *schema;
  hw_producer *next, **prev;  /* of the deployment; protected by its lock */
  _Atomic bool closed;        /* by its owner */
  pthread_mutex_t lock;       /* protects all below */
  pthread_cond_t room;
  bool waits, stopped;
};

static void has_room(source *s) {
  hw_producer *p = (hw_producer *)s;
  pthread_mutex_lock(&p->lock);
  if (p->waits && !queue_is_full(&s->queue)) pthread_cond_signal(&p->room);
  pthread_mutex_unlock(&p->lock);
}

static bool init_waiting(hw_producer *p) {
  pthread_condattr_t attr;
  if (pthread_mutex_init(&p->lock, NULL) != 0) return false;
  bool ok = pthread_condattr_init(&attr) == 0;
  if (ok) {
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    ok = pthread_cond_init(&p->room, &attr) == 0;
    pthread_condattr_destroy(&attr);
  }
  if (!ok) pthread_mutex_destroy(&p->lock);
  return ok;
}

static void producer_free(hw_producer *p) {
  source_fini(&p->source);
  pthread_cond_destroy(&p->room);
  pthread_mutex_destroy(&p->lock);
  free(p);
}

hw_producer *deployment_producer(deployment *d, uint32_t relation, hw_error *err) {
  hw_producer *p = aligned_alloc(64, (sizeof *p + 63) & ~(size_t)63);
  if (!p) goto no_memory;
  memset(p, 0, sizeof *p);
  if (!init_waiting(p)) goto no_lock;
  if (!source_init(&p->source, relation, &QUEUE_OF_PRODUCER, PRODUCER_RECORDS, PRODUCER_BYTES, has_room)) goto no_queue;
  p->d = deployment_ref(d);
  p->schema = &d->program->relations[relation].schema;
  pthread_mutex_lock(&d->lock);
  p->stopped = d->stop_asked;
  p->prev = &d->producers;
  p->next = d->producers;
  if (p->next) p->next->prev = &p->next;
  d->producers = p;
  pthread_mutex_unlock(&d->lock);
  atomic_fetch_add(&d->producers_open, 1);
  atomic_store(&d->complete, false);
  return p;

no_queue:
  pthread_cond_destroy(&p->room);
  pthread_mutex_destroy(&p->lock);
no_lock:
  free(p);
no_memory:
  hw_error_set(err, HW_ENOMEM, "no memory for a producer");
  return NULL;
}

hw_batch *hw_producer_batch(hw_producer *p) {
  batch *b = batch_new(&p->d->rt->mem, p->schema, BATCH_ROWS_MAX);
  if (b) b->fetched_ns = sched_now_ns();
  return b ? &b->pub : NULL;
}

/* Lock held. */
static hw_status wait_for_room(hw_producer *p, int64_t timeout_ms) {
  struct timespec until = deadline_in(timeout_ms < 0 ? 0 : timeout_ms);
  hw_status st = HW_OK;
  p->waits = true;
  while (!p->stopped && queue_is_full(&p->source.queue) && st == HW_OK) {
    int r = timeout_ms < 0 ? pthread_cond_wait(&p->room, &p->lock) : pthread_cond_timedwait(&p->room, &p->lock, &until);
    if (r == ETIMEDOUT && queue_is_full(&p->source.queue)) st = HW_ETIMEOUT;
  }
  p->waits = false;
  return p->stopped ? HW_ESTATE : st;
}

static bool has_refused_row(const batch *b) {
  const char *tag;
  if (!batch_may_be_refused(b)) return false;
  for (uint32_t row = 0; row < b->pub.n_rows; row++)
    if (batch_refusal(b, row, &tag)) return true;
  return false;
}

/* What the values take, without the room that the batch has beside them. */
static uint64_t bytes_of_values(const hw_batch *b) {
  uint64_t bytes = 0, n = hw_batch_count(b);
  for (uint32_t c = 0; c < b->n_columns; c++) {
    hw_type_id type = (hw_type_id)b->schema->fields[c].type.id;
    bytes += hw_type_is_string(type) ? 0 : n * hw_type_width(type);
    const hw_str *texts = b->columns[c].values;
    for (uint32_t i = 0; hw_type_is_string(type) && i < n; i++) {
      uint32_t row = hw_batch_row(b, i);
      if (hw_column_valid(&b->columns[c], row)) bytes += texts[row].len;
    }
  }
  return bytes;
}

hw_status hw_producer_push(hw_producer *p, hw_batch *pub, int64_t timeout_ms) {
  batch *b = batch_of(pub);
  if (has_refused_row(b)) {
    hw_batch_unref(pub);
    return HW_EINVAL;
  }
  b->held = batch_bytes(b);
  b->source_bytes = bytes_of_values(pub);
  pthread_mutex_lock(&p->lock); /* a stop finds the batch in the queue, or the push finds the stop */
  hw_status st = wait_for_room(p, timeout_ms);
  /* It had room, and we are the only producer. */
  bool pushed = st == HW_OK && pub->n_rows && queue_push(&p->source.queue, b);
  pthread_mutex_unlock(&p->lock);
  if (pushed)
    deployment_source_ready(p->d, &p->source);
  else
    hw_batch_unref(pub);
  return st;
}

void hw_producer_close(hw_producer *p) {
  deployment *d = deployment_ref(p->d);
  atomic_store(&p->closed, true); /* from here on it may be freed */
  atomic_fetch_add(&d->producers_closing, 1);
  atomic_fetch_sub(&d->producers_open, 1);
  task_notify(&d->task); /* frees it when it is empty */
  if (deployment_phase(d) == PHASE_CLOSED) producers_close(d);
  deployment_unref(d);
}

/* The deployment's lock held. */
static void unlink_producer(hw_producer *p) {
  *p->prev = p->next;
  if (p->next) p->next->prev = p->prev;
  p->d->past_records += atomic_load(&p->source.queue.in.records);
  p->d->past_bytes += atomic_load(&p->source.queue.in.bytes);
}

hw_producer *producer_next(const hw_producer *p) { return p->next; }
source *producer_source(hw_producer *p) { return &p->source; }

/* Frees those that are closed and empty; true: none holds anything. */
bool producers_are_quiet(deployment *d) {
  bool quiet = true;
  hw_producer *gone = NULL;
  pthread_mutex_lock(&d->lock);
  for (hw_producer *p = d->producers, *next; p; p = next) {
    next = p->next;
    bool empty = queue_batches(&p->source.queue) == 0 && !atomic_load(&p->source.listed);
    quiet = quiet && empty;
    if (!empty || !atomic_load(&p->closed)) continue;
    unlink_producer(p);
    p->next = gone;
    gone = p;
  }
  pthread_mutex_unlock(&d->lock);
  while (gone) {
    hw_producer *p = gone;
    gone = p->next;
    producer_free(p);
    atomic_fetch_sub(&d->producers_closing, 1);
    deployment_unref(d);
  }
  return quiet;
}

void producers_stop(deployment *d) {
  for (hw_producer *p = d->producers; p; p = p->next) {
    pthread_mutex_lock(&p->lock);
    p->stopped = true;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
  }
}

/* The deployment has ended: frees what is closed already. */
void producers_close(deployment *d) {
  deployment_ref(d); /* the last producer may hold the last one */
  hw_producer *gone = NULL;
  pthread_mutex_lock(&d->lock);
  for (hw_producer *p = d->producers, *next; p; p = next) {
    next = p->next;
    if (!atomic_load(&p->closed)) continue;
    unlink_producer(p);
    p->next = gone;
    gone = p;
  }
  pthread_mutex_unlock(&d->lock);
  while (gone) {
    hw_producer *p = gone;
    gone = p->next;
    producer_free(p);
    deployment_unref(d);
  }
  deployment_unref(d);
}
