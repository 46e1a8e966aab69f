/* source.h - where the circuit gets batches from: a queue, and how to say that
 * it is not empty.
 *
 * Sources with something in their queue stand in a stack that many push to and
 * the pipeline's task takes whole, when it is through with those it took before;
 * `listed` keeps a source from standing in either twice. So the pipeline looks at
 * busy sources only, of however many there are, and at each once for what it takes.
 *
 * Set and reset of `listed`: a producer that pushes a batch sets it, and lists
 * the source if it was clear. The pipeline clears it before it looks into the
 * queue: a batch pushed after that look lists the source again. */
#ifndef RUNTIME_SOURCE_H
#define RUNTIME_SOURCE_H

#include "runtime/deployment.h"
#include "runtime/latency.h"
#include "runtime/progress.h"
#include "runtime/queue.h"

typedef struct source source;

struct source {
  queue queue;
  uint32_t relation;
  _Atomic bool listed;
  source *next;              /* in the stack */
  void (*has_room)(source *s); /* after batches were taken; on the pipeline's task */
  uint64_t taken;            /* batches, as queue.in counts them; the pipeline's task */
  /* Of the latest transaction: it has the batches after `from`, up to `to` once it is
   * being committed. Written under the deployment's lock, before the state that has the
   * pipeline's task read them. */
  uint64_t transaction_from, transaction_to;
  _Atomic uint64_t taken_mark, taken_step; /* of the last batch taken from it */
  progress *_Atomic progress;  /* NULL: nobody has asked yet; set once */
  latency processing;        /* from a batch's fetch until it is through the circuit; by the pipeline's task */
};

static inline bool source_init(source *s, uint32_t relation, const queue_kind *kind, uint64_t max_records,
                               uint64_t max_held, void (*has_room)(source *s)) {
  s->relation = relation;
  s->has_room = has_room;
  s->processing = (latency){0};
  return queue_init(&s->queue, kind, max_records, max_held);
}

static inline void source_fini(source *s) {
  queue_fini(&s->queue);
  progress_free(atomic_load(&s->progress));
}

/* Lists it and wakes the pipeline. [the source's producer] */
void deployment_source_ready(deployment *d, source *s);
/* Bytes of input that made no rows are processed as soon as they are parsed. [any thread] */
void deployment_count_bytes(deployment *d, uint64_t n);

#endif
