/* spill.h - an output's overflow on disk (on_full = spill).
 *
 * DESIGN
 * A queue with a detour. As long as the output keeps up, its queue is all there is.
 * When the queue has come to half its bounds, the pipeline gives batches to the
 * spill instead: a list in memory, a task that writes them to files (spill_file.h)
 * and, as the queue gets room again, puts them into the queue in their order.
 *
 *     pipeline ──▸ queue ──▸ output            not spilling
 *     pipeline ──▸ list ──▸ files ──▸ queue ──▸ output      spilling
 *
 * Only one of pipeline and spill is the queue's producer at a time: the pipeline
 * sets `spilling`, the spill's task clears it when list and files are empty, both
 * under the lock, which orders the change of hands. A batch stands in the counts
 * of where it goes before it leaves those of where it was, so that it is never
 * in neither.
 *
 * In memory are at most half the bounds in the queue and a quarter in the list,
 * each to a batch, and one batch on its way from or to the disk. A disk that is full,
 * or max_spill_bytes, leave the list full: then the pipeline waits, as with `hold`,
 * the connector is unhealthy and says why, and what room the queue has is used past
 * the files once these are empty.
 *
 * The output's own task was rejected for this work: it may stand in a write that
 * blocks, which is just when spilling is wanted.
 *
 * A file that does not give back what was written to it fails the output for good:
 * rows of it are missing, and are counted as dropped. */
#ifndef RUNTIME_SPILL_H
#define RUNTIME_SPILL_H

#include "runtime/batch_list.h"
#include "runtime/queue.h"
#include "runtime/sched.h"
#include "runtime/spill_codec.h"
#include "runtime/spill_file.h"

#define SPILL_TROUBLE_MAX 400

struct output;

typedef struct spill_filed {
  uint64_t records, bytes, batches;
} spill_filed;

typedef enum spill_stage { SPILL_NOTHING, SPILL_HEAD, SPILL_RECORD } spill_stage;

typedef struct spill {
  task task; /* first; on the helpers */
  struct output *out;
  pthread_mutex_t lock;        /* protects the list, and changes of `spilling` */
  batch_list list;
  queue_count in;              /* what came here; written by the pipeline */
  queue_count gone;            /* what has left for the queue, or was dropped; by the task. `held` is not used */
  _Atomic uint64_t list_records, list_held; /* changed under the lock */
  _Atomic bool spilling;
  _Atomic uint64_t on_disk;    /* bytes */
  _Atomic uint64_t spilled;    /* records written so far */
  /* the task's own */
  spill_file file;
  spill_filed filed;           /* what is in it */
  spill_stage stage;           /* of the record that is read */
  spill_head head;
  hw_bytes bytes;              /* a record on its way */
  bool in_trouble;
  char trouble[SPILL_TROUBLE_MAX]; /* why it cannot write, or ""; protected by the connector's lock */
} spill;

/* NULL: no memory. */
spill *spill_new(struct output *out, const char *dir, uint64_t most);
void spill_drop(spill *s); /* lets go of files and batches; from the task's `closed` */
void spill_free(spill *s);
hw_status spill_open(spill *s, hw_error *err); /* may block */

/* The pipeline's task. Takes the reference; false: no memory, nothing taken. */
bool spill_offer(spill *s, batch *b);
bool spill_accepts(spill *s); /* [any thread] */

/* The output took from its queue, or failed. [any thread] */
void spill_go_on(spill *s);

static inline uint64_t spill_records(const spill *s) { return queue_difference(&s->in.records, &s->gone.records); }
static inline uint64_t spill_batches(const spill *s) { return queue_difference(&s->in.batches, &s->gone.batches); }

#endif
