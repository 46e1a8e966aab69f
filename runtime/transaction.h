/* transaction.h - rows that are held back until a client commits them.
 *
 * DESIGN
 * Between the start of a transaction and its commit the pipeline's task takes batches
 * from its sources as always, but keeps them in a list, in the order in which they
 * came (`parked`, queue.h), instead of giving them to the circuit. The commit gives
 * them all to the circuit in one step, over as many runs of the task as it takes and
 * as the outputs leave room for; snapshots show the step when it has ended, and
 * nobody comes to look at changes while it is under way.
 *
 *             start                commit                   all are there
 *     NONE ─────────▸ OPEN ──────────────────▸ COMMITTING ───────────────▸ running
 *       ▴                                                                     │
 *       └────────────────── the step has ended ───────────────────────────────┘
 *
 * What belongs to it is decided when a client's call is answered: of each source the
 * batches that were queued after the start and before the commit. So no message to
 * the pipeline's task is needed, and both calls are answered at once.
 *
 * What a transaction holds is memory of batches. All transactions of a runtime
 * together keep at most half of that, and take nothing while three quarters are in
 * use (from then on: a half), so that other pipelines find some; then the queues of
 * the sources fill, and inputs wait as they do for a slow sink. A commit needs no memory but what any step
 * needs: it is always possible, and takes what the queues hold as well.
 *
 * Rejected: letting rows through the circuit at once and holding back what comes out.
 * It needs memory for each output instead of once; nobody could begin to listen
 * during a transaction and see a consistent whole; and it is seen in the memory of
 * tables before anybody has committed anything.
 *
 * THREADS  start and commit: any. The rest: the pipeline's task. */
#ifndef RUNTIME_TRANSACTION_H
#define RUNTIME_TRANSACTION_H

#include "runtime/latency.h"
#include "runtime/source.h"

typedef enum transaction_state { TRANSACTION_NONE, TRANSACTION_OPEN, TRANSACTION_COMMITTING } transaction_state;

typedef struct transaction {
  _Atomic uint32_t state;      /* written with the deployment's lock held, as are the next */
  uint64_t id;                 /* of the latest one; 0: there was none */
  uint64_t began_us, commit_us;
  /* the pipeline's task */
  batch *first, *last;         /* units it holds, oldest first */
  uint64_t warned;             /* id of the latest one that the log says is full */
  bool running;                /* the step of the commit is under way */
  uint64_t run_began_ns, run_mark; /* when it began, and the pipeline's mark then */
  /* written by the pipeline's task, read by all */
  _Atomic uint64_t records;    /* that it has taken */
  _Atomic uint64_t committed;  /* of them those that the circuit has had */
  _Atomic uint64_t held;       /* bytes */
  _Atomic bool full;           /* it could take no more when it looked last */
  latency ingest, commit;      /* how long transactions took, from start to commit and from there to the end */
} transaction;

/* What is to become of a source's next batch, which is in its queue. */
typedef enum transaction_role {
  ROLE_PASSES,  /* it belongs to none */
  ROLE_BELONGS, /* transaction_park */
  ROLE_WAITS,   /* until later */
} transaction_role;

transaction_role transaction_role_of(deployment *d, const source *s);
/* Takes the reference of b, which was popped, and of its unit. */
void transaction_park(deployment *d, source *s, batch *b);
/* Begins the step of a commit if one was asked for and all that belongs to it is there. */
bool transaction_begin_run(deployment *d);
/* Goes on with it; true: there is more to be done at once, for its step or after it. */
bool transaction_run(deployment *d);
/* Lets go of what it holds. [when nothing runs any more] */
void transaction_drop(deployment *d);

#endif
