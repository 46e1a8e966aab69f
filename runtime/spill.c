#include "runtime/spill.h"
#include "runtime/output.h"
#include "runtime/spill_codec.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_US UINT64_C(500000) /* a disk that was full is tried again, unless rows leave before */
#define RETRY_MEMORY_US UINT64_C(1000)
#define QUANTUM_US 2000u          /* on a helper: others wait, but not for long */

/* ---- bounds -------------------------------------------------------------- */

static bool queue_has_room(const queue *q) {
  return queue_records(q) < (q->max_records + 1) / 2 && queue_held(q) < (q->max_held + 1) / 2 &&
         ring_count(&q->ring) <= q->ring.mask;
}

bool spill_accepts(spill *s) {
  const queue *q = &s->out->queue;
  if (!atomic_load(&s->spilling)) return true;
  return atomic_load(&s->list_records) < (q->max_records + 3) / 4 &&
         atomic_load(&s->list_held) < (q->max_held + 3) / 4;
}

/* ---- the list ------------------------------------------------------------ */

bool spill_offer(spill *s, batch *b) {
  if (!atomic_load(&s->spilling) && queue_has_room(&s->out->queue)) return queue_push(&s->out->queue, b);
  pthread_mutex_lock(&s->lock);
  bool taken = batch_list_push(&s->list, b);
  if (taken) {
    atomic_fetch_add(&s->list_records, hw_batch_count(&b->pub));
    atomic_fetch_add(&s->list_held, b->held);
    queue_add(&s->in, hw_batch_count(&b->pub), b->source_bytes, 0);
    atomic_store(&s->spilling, true);
  }
  pthread_mutex_unlock(&s->lock);
  if (taken) task_notify(&s->task);
  return taken;
}

/* The first of the list, which stays counted as here; NULL: none, and as the files
 * are empty too, the queue is the pipeline's again. */
static batch *take_listed(spill *s) {
  pthread_mutex_lock(&s->lock);
  batch *b = batch_list_is_empty(&s->list) ? NULL : batch_list_pop(&s->list);
  if (b) {
    atomic_fetch_sub(&s->list_records, hw_batch_count(&b->pub));
    atomic_fetch_sub(&s->list_held, b->held);
  } else if (s->filed.batches == 0) {
    atomic_store(&s->spilling, false);
  }
  pthread_mutex_unlock(&s->lock);
  if (b && atomic_load(&s->out->pipeline_waits)) deployment_output_progress(s->out->c.d, s->out);
  return b;
}

static batch *peek_listed(spill *s) {
  pthread_mutex_lock(&s->lock);
  batch *b = batch_list_is_empty(&s->list) ? NULL : batch_list_peek(&s->list);
  pthread_mutex_unlock(&s->lock);
  return b; /* the task alone takes batches out */
}

/* ---- trouble ------------------------------------------------------------- */

static void set_trouble(spill *s, const char *text) {
  hw_connector *c = &s->out->c;
  pthread_mutex_lock(&c->lock);
  snprintf(s->trouble, sizeof s->trouble, "%s", text);
  pthread_mutex_unlock(&c->lock);
}

static void begin_trouble(spill *s, const hw_error *err) {
  if (s->in_trouble) return;
  char text[SPILL_TROUBLE_MAX];
  snprintf(text, sizeof text, "cannot spill: %.300s; the pipeline waits for the sink", err->message);
  s->in_trouble = true;
  connector_add_error(&s->out->c, ERROR_TRANSPORT, "spill", "%s", text);
  set_trouble(s, text);
}

static void end_trouble(spill *s) {
  if (!s->in_trouble) return;
  s->in_trouble = false;
  set_trouble(s, "");
  deployment_log(s->out->c.d, HW_LOG_INFO, s->out->c.spec->endpoint, "spilling again");
}

/* ---- files --------------------------------------------------------------- */

static void count_filed(spill *s, const batch *b, bool in) {
  uint64_t n = hw_batch_count(&b->pub);
  s->filed.records = in ? s->filed.records + n : s->filed.records - n;
  s->filed.bytes = in ? s->filed.bytes + b->source_bytes : s->filed.bytes - b->source_bytes;
  s->filed.batches = in ? s->filed.batches + 1 : s->filed.batches - 1;
  atomic_store(&s->on_disk, s->file.on_disk);
}

static hw_status damaged(const spill *s, hw_error *err) {
  return hw_error_set(err, HW_EIO, "a spill file in %s gives other bytes than were written to it", s->file.dir);
}

/* The next record into s->head and s->bytes; without memory it goes on from there. */
static hw_status read_record(spill *s, hw_error *err) {
  if (s->stage == SPILL_NOTHING) {
    if (spill_file_read(&s->file, &s->head, sizeof s->head, err) != HW_OK) return HW_EIO;
    if (!spill_head_ok(&s->head) || s->head.size > s->file.most) return damaged(s, err);
    s->stage = SPILL_HEAD;
  }
  if (s->stage == SPILL_RECORD) return HW_OK;
  s->bytes.len = 0;
  if (!hw_bytes_reserve(&s->bytes, s->head.size)) return HW_ENOMEM;
  if (spill_file_read(&s->file, s->bytes.data, s->head.size, err) != HW_OK) return HW_EIO;
  s->stage = SPILL_RECORD;
  return HW_OK;
}

static hw_status read_batch(spill *s, batch **out, hw_error *err) {
  hw_status st = read_record(s, err);
  if (st != HW_OK) return st;
  st = spill_decode(&s->out->c.rt->mem, s->out->c.schema, &s->head, s->bytes.data, out);
  if (st == HW_EIO) return damaged(s, err);
  if (st == HW_OK) s->stage = SPILL_NOTHING;
  return st;
}

/* ---- the task ------------------------------------------------------------ */

/* The queue has room for it. Counted there before it leaves here. */
static void into_queue(spill *s, batch *b) {
  uint64_t n = hw_batch_count(&b->pub), bytes = b->source_bytes; /* it may be gone soon */
  queue_count_in(&s->out->queue, b);
  bool placed = queue_place(&s->out->queue, b);
  assert(placed);
  (void)placed;
  queue_add(&s->gone, n, bytes, 0);
  task_notify(&s->out->c.task);
}

static void short_of_memory(spill *s) { task_wait_us(&s->task, RETRY_MEMORY_US); }

static void lost(spill *s, const hw_error *err) {
  hw_error why;
  hw_error_set(&why, HW_EIO, "%s: rows in it are lost", err->message);
  output_fail(s->out, &why);
}

/* The next batch to the queue. False: there is none, or not now. */
static bool give_back(spill *s) {
  batch *b = NULL;
  hw_error err = {0};
  if (s->filed.batches == 0) {
    if ((b = take_listed(s))) into_queue(s, b);
    if (b) return true;
    end_trouble(s);
    free(s->bytes.data);
    s->bytes = (hw_bytes){0};
    return false;
  }
  hw_status st = read_batch(s, &b, &err);
  if (st == HW_ENOMEM) short_of_memory(s);
  if (st == HW_EIO) lost(s, &err);
  if (st != HW_OK) return st == HW_EIO;
  count_filed(s, b, false);
  into_queue(s, b);
  return true;
}

/* The next batch to the files. False: there is none, or not now. */
static bool write_out(spill *s) {
  batch *b = peek_listed(s);
  hw_error err = {0};
  if (!b) return false;
  assert(s->stage == SPILL_NOTHING); /* or the queue, which only this task fills, would have room */
  s->bytes.len = 0;
  if (!spill_encode(b, &s->bytes)) {
    short_of_memory(s);
    return false;
  }
  if (spill_file_append(&s->file, s->bytes.data, s->bytes.len, &err) != HW_OK) {
    begin_trouble(s, &err);
    task_wait_us(&s->task, RETRY_US);
    return false;
  }
  end_trouble(s);
  count_filed(s, b, true);
  atomic_fetch_add(&s->spilled, hw_batch_count(&b->pub));
  (void)take_listed(s);
  hw_batch_unref(&b->pub);
  return true;
}

/* The output has failed: all that is here is dropped. */
static task_next drop_all(spill *s) {
  uint64_t dropped = s->filed.records;
  atomic_store(&s->gone.records, atomic_load(&s->gone.records) + s->filed.records);
  atomic_store(&s->gone.bytes, atomic_load(&s->gone.bytes) + s->filed.bytes);
  atomic_store(&s->gone.batches, atomic_load(&s->gone.batches) + s->filed.batches);
  spill_file_fini(&s->file);
  s->filed = (spill_filed){0};
  s->stage = SPILL_NOTHING;
  atomic_store(&s->on_disk, 0);
  for (batch *b; (b = take_listed(s));) {
    dropped += hw_batch_count(&b->pub);
    queue_add(&s->gone, hw_batch_count(&b->pub), b->source_bytes, 0);
    hw_batch_unref(&b->pub);
  }
  output_count_dropped(s->out, dropped);
  deployment_output_progress(s->out->c.d, s->out);
  return TASK_IDLE;
}

static task_next spill_run(task *t, bool may_block) {
  (void)may_block; /* it is always on the helpers */
  spill *s = (spill *)t;
  uint64_t start = sched_now_us();
  while (atomic_load(&s->spilling)) {
    if (atomic_load(&s->out->failed)) return drop_all(s);
    bool more = queue_has_room(&s->out->queue) ? give_back(s) : write_out(s);
    if (!more) return TASK_IDLE;
    if (sched_now_us() - start > QUANTUM_US) return TASK_AGAIN;
  }
  return TASK_IDLE;
}

void spill_go_on(spill *s) {
  if (atomic_load(&s->spilling)) task_notify(&s->task);
}

/* ---- life ---------------------------------------------------------------- */

spill *spill_new(struct output *out, const char *dir, uint64_t most) {
  spill *s = aligned_alloc(64, (sizeof *s + 63) & ~(size_t)63);
  if (!s) return NULL;
  memset(s, 0, sizeof *s);
  if (pthread_mutex_init(&s->lock, NULL) != 0) {
    free(s);
    return NULL;
  }
  s->out = out;
  spill_file_init(&s->file, dir, most);
  task_init(&s->task, out->c.rt->sched, spill_run, true);
  return s;
}

hw_status spill_open(spill *s, hw_error *err) { return spill_file_open(&s->file, err); }

void spill_drop(spill *s) {
  spill_file_fini(&s->file);
  batch_list_fini(&s->list);
  free(s->bytes.data);
  s->bytes = (hw_bytes){0};
}

void spill_free(spill *s) {
  if (!s) return;
  spill_drop(s);
  pthread_mutex_destroy(&s->lock);
  free(s);
}
