/* progress.h - when what a source had brought up to some count has reached every sink.
 *
 * DESIGN
 * For each batch of a source that the circuit has taken, the pipeline's task notes
 * how many records of the source that makes (`records`), and the mark and step
 * that the batch got. Once every sink has come to a mark, all notes up to it are
 * done with, and "the first n records are complete" is a comparison.
 *
 * Notes stand in a ring from the pipeline's task to whoever asks. When nobody has
 * asked for so long that it is full, batches go unnoted: the first that finds room
 * again speaks for them. (Where no batch follows, the last mark of the source says
 * the same: deployment_is_complete looks at that first.) So an answer never comes
 * too early, is exact while somebody asks now and then, and comes under any load.
 *
 * Made when the first question is asked: sources that nobody asks about pay one
 * load per batch. */
#ifndef RUNTIME_PROGRESS_H
#define RUNTIME_PROGRESS_H

#include "runtime/ring.h"

#include <pthread.h>

#define PROGRESS_NOTES 256u

typedef struct progress_note {
  uint64_t records, mark, step;
} progress_note;

typedef struct progress {
  ring ring;             /* points into notes, each at the slot of its number */
  progress_note notes[PROGRESS_NOTES];
  pthread_mutex_t lock;  /* the asking side; protects what follows and the ring's consumer */
  progress_note next;    /* taken from the ring, not yet done with */
  bool has_next;
  progress_note done;    /* the last one that every sink has come to */
} progress;

progress *progress_new(void); /* NULL: no memory */
void progress_free(progress *p);

/* The circuit has taken a batch. [pipeline's task] */
void progress_add(progress *p, progress_note note);

/* What had been taken before the first note can be seen: a bound for it. Once,
 * before the first look. */
void progress_begin(progress *p, progress_note base);

/* Whether the first `records` of the source are complete, given that every sink
 * has come to `completed`; *step: that which brought the last of them, 0: not
 * known to be taken yet. [any thread] */
bool progress_is_complete(progress *p, uint64_t records, uint64_t completed, uint64_t *step);

#endif
