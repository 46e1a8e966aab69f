/* deployment.h - one run of a program: its connectors, queues and circuit.
 *
 *   new ── open ──▸ (opened ok) ── control … ── stop ──▸ (stopped) ── unref
 *                └▸ (opened with an error) ── stop ──▸ …
 *
 * A deployment knows nothing of names, desired states or HTTP: engine/ drives
 * it. Nothing here waits. Events come from pool threads, never from inside a
 * call of the same thread into the deployment except where said, and never two
 * at once; a callback must not block. `stopped` is the last. Events and hw_done
 * are called with no lock of the deployment's held, and the last reference may
 * be given up inside `stopped`. */
#ifndef RUNTIME_DEPLOYMENT_H
#define RUNTIME_DEPLOYMENT_H

#include "runtime/dead_letters.h"
#include "runtime/program.h"
#include "runtime/runtime.h"
#include "runtime/stats.h"
#include "runtime/store.h"

#include <headworks/headworks.h>

typedef struct deployment deployment;
typedef struct deployment_listener deployment_listener; /* engine/ makes hw_listener of it */

typedef struct deployment_events {
  void *arg;
  dead_letters *letters; /* where bad records of inputs go; the deployment takes a reference. NULL: nowhere */
  void (*opened)(void *arg, const hw_error *err);  /* NULL: all are open; else the first that failed, named */
  void (*failed)(void *arg, const hw_error *err);  /* an expression failed: held, to be stopped by force */
  void (*complete)(void *arg, const hw_error *err); /* every input has ended and every output is written;
                                                       err: not NULL when a connector had failed for good */
  void (*stopped)(void *arg, const hw_error *err); /* closed; err: what could not be drained or flushed, or NULL */
  log_tap log; /* lines about it and its connectors, beside the runtime's log; from any thread, several at once */
} deployment_events;

/* Makes queues, circuit and connector instances; held (paused), nothing opened. */
deployment *deployment_new(runtime *rt, const char *pipeline, program *p, const deployment_events *events,
                           hw_error *err);
deployment *deployment_ref(deployment *d);
void deployment_unref(deployment *d); /* the last one after `stopped`, or before open */

/* Opens all connectors on helper threads; then `opened`. Stays paused. */
void deployment_open(deployment *d);

/* Pause or start of one input (index into program.connectors) or, with
 * DEPLOYMENT_ALL, of the pipeline: serialised per connector; done is called
 * exactly once, maybe before the return. PauseTimeout after pause_timeout. What
 * a stop overtakes, or what comes after it: HW_ESTATE, PipelineInteractionNotDeployed. */
#define DEPLOYMENT_ALL UINT32_MAX
void deployment_control(deployment *d, uint32_t connector, bool pause, hw_done *done, void *arg);
bool deployment_running(const deployment *d); /* the pipeline's own state, not the connectors' */

/* Stops: holds every input; unless force, waits for what was taken in to reach
 * the sinks and be flushed, until deadline_us (of sched_now_us); closes. Then
 * `stopped`. May be called again with force to cut a graceful stop short, and
 * while opening; after `stopped` it does nothing. */
void deployment_stop(deployment *d, bool force, uint64_t deadline_us);

/* Transactions (transaction.h): what is queued after the start and before the commit
 * is seen by snapshots, outputs and listeners, and told as complete, after the commit
 * only, and by snapshots all at once. Both are answered at once; statistics tell when
 * a commit has ended. A pipeline has one transaction at a time. TransactionInProgress;
 * NoTransactionInProgress; PipelineInteractionNotDeployed: it stops (a stop that is not
 * forced waits for the commit, as for any output, so that this is still possible). */
HW_MUST_USE hw_status deployment_start_transaction(deployment *d, uint64_t *id, hw_error *err);
HW_MUST_USE hw_status deployment_commit_transaction(deployment *d, hw_error *err);
/* Whether it can take no more before its commit. [any thread] */
bool deployment_transaction_is_full(const deployment *d);

/* Statistics; HW_OK or HW_ENOMEM. */
hw_status deployment_stats(deployment *d, bool with_errors, pipeline_stats *out);
hw_status deployment_connector_stats(deployment *d, uint32_t connector, bool with_errors, connector_stats *out);
/* Of a connector that came while it ran, by its name, with errors. HW_ENOTFOUND too. */
hw_status deployment_extra_stats(deployment *d, uint32_t relation, bool is_input, const char *connector,
                                 connector_stats *out);
void deployment_latency(deployment *d, latency_summary *out);
uint64_t deployment_processed(const deployment *d); /* total_processed_records alone */
const char *deployment_incarnation(const deployment *d); /* UUID text */
uint64_t deployment_num_errors(const deployment *d);

/* A line of its log. [any thread] */
void deployment_log(deployment *d, hw_log_level level, const char *about, const char *fmt, ...) HW_PRINTF(4, 5);

void deployment_reopen_outputs(deployment *d);

/* Of whose relations and connectors this is a run; as long as the deployment. */
program *deployment_program(const deployment *d); /* lives as long as d */

/* The contents of n relations (indexes into program.relations, or PROGRAM_LETTERS
 * for the dead letters there are, each at most once) at the end of one step; store.h
 * says how it is read. Any thread; does not wait for the pipeline. From
 * deployment_new on until it closes.
 * HW_EINVAL: a relation is not materialized (program_relation_is_stored), named
 * in *err; HW_ESTATE: closed; HW_ENOMEM. */
HW_MUST_USE hw_status deployment_snapshot(deployment *d, const uint32_t *relations, uint32_t n, store_snapshot **out,
                                          hw_error *err);

dead_letters *deployment_dead_letters(const deployment *d); /* as given; NULL: none */
/* Has the format of its connector read a letter's record once more, alone, and gives
 * the rows to the table, all or none; pauses do not hold them. The letter stays the
 * caller's. Does not block. HW_EPARSE: it is as bad as before, or in another way:
 * err->message says how; HW_ENOTFOUND: the program has no such input connector;
 * HW_EUNSUPPORTED: it was cut; HW_ENOMEM, HW_ESTATE (stopping): not now. */
HW_MUST_USE hw_status deployment_resubmit(deployment *d, const dead_letter *letter, hw_error *err);

/* Rows pushed from outside, and changes taken out; as headworks.h says. A
 * producer or listener holds a reference. A listener may join before open. */
hw_producer *deployment_producer(deployment *d, uint32_t relation, hw_error *err);
deployment_listener *deployment_listen(deployment *d, uint32_t relation, hw_listener_function *call, void *arg,
                                       hw_error *err);
/* The same, beginning with what the relation holds: `begin` is called once, on
 * the pipeline's task and before any `call`, with a snapshot that becomes the
 * callback's (to be freed there or later, on any thread); `call` then gets every
 * change of a later step, and none of an earlier one. Not before the deployment is
 * open; also while the pipeline is paused. begin is short: the pipeline waits for it.
 * HW_EINVAL: as deployment_snapshot. */
typedef void listener_begin(void *arg, store_snapshot *s);
deployment_listener *deployment_listen_from(deployment *d, uint32_t relation, listener_begin *begin,
                                            hw_listener_function *call, void *arg, hw_error *err);
/* As hw_listener_close; waits for a call in progress, of which there is none after `stopped`. */
void deployment_unlisten(deployment_listener *l);

#endif
