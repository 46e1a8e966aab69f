/* query.h - ad-hoc SQL over what a deployed pipeline holds.
 *
 *     pipeline_query *q = pipeline_query_new(p, sql, len, &events, &err);
 *     pipeline_query_start(q);
 *     ... events ...
 *     pipeline_query_unref(q);
 *
 * A request is compiled, reads one snapshot of all that it names, taken before
 * its first statement, and runs on the helper threads, a few milliseconds at a
 * time: a slow reader holds no thread. Events come from those threads, one at a
 * time; `done` is the last, and comes exactly once after a start, a cancelled
 * query's too. */
#ifndef ENGINE_QUERY_H
#define ENGINE_QUERY_H

#include <headworks/headworks.h>

typedef struct pipeline_query pipeline_query;

typedef struct query_events {
  void *arg;
  /* What the rows will be; once, before the first. Good until `done` has returned. */
  void (*begin)(void *arg, const hw_schema *schema);
  /* Rows, borrowed for the call, each weight > 0 times, some thousand in all.
   * False: no more until pipeline_query_continue. */
  bool (*rows)(void *arg, const hw_batch *batch);
  /* NULL: that was all. err->code: AdHocQueryError for what is wrong with the
   * request or failed in it, or why the pipeline cannot be asked. HW_ECANCELED. */
  void (*done)(void *arg, const hw_error *err);
} query_events;

/* sql is copied; of at most QUERY_TEXT_MAX bytes (sql/query.h). One reference;
 * NULL: HW_ENOMEM, or HW_ESTATE when the engine is about to go. */
pipeline_query *pipeline_query_new(hw_pipeline *p, const char *sql, size_t len, const query_events *events,
                                   hw_error *err);
void pipeline_query_start(pipeline_query *q); /* once */
/* [any thread] from the start on, as long as there is a reference; after `done` they do nothing. */
void pipeline_query_continue(pipeline_query *q);
void pipeline_query_cancel(pipeline_query *q);
void pipeline_query_unref(pipeline_query *q); /* [any thread] */

#endif
