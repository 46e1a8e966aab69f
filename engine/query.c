/* query.c - ad-hoc queries as tasks; see query.h.
 *
 * DESIGN
 *     COMPILE ─▸ RUN (each statement in turn) ─▸ end
 *                 SELECT: pull rows, hand them to the reader
 *                 INSERT: pull all rows into memory ─▸ PUSH them ─▸ their number
 *
 * The rows of an INSERT are all there, checked, before the first goes into its
 * table: an expression that fails leaves nothing behind. They go in through a
 * producer of their own, as those of an embedding program do. While the pipeline
 * is paused, or the table's queue is full, the task looks again every few
 * milliseconds, up to a bound, and holds no thread meanwhile. */
#include "engine/query.h"

#include "engine/pipeline.h"
#include "runtime/query_exec.h"
#include "runtime/query_rows.h"
#include "sql/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUANTUM_US 5000u
#define LOOK_AGAIN_US 10000u
#define INSERT_WAIT_US (25u * 1000000u) /* less than the 30 s that clients wait for a reply */

typedef enum query_phase { QUERY_COMPILE, QUERY_RUN, QUERY_PUSH, QUERY_OVER } query_phase;

struct pipeline_query {
  task task; /* first */
  _Atomic unsigned refs;
  _Atomic bool cancelled;
  hw_pipeline *pipeline; /* a reference */
  query_events events;
  char *sql;
  size_t len;
  /* the task's: */
  query_phase phase;
  deployment *deployment; /* a reference; outlives the snapshot */
  query *query;
  store_snapshot *snapshot; /* NULL: nothing is read */
  uint32_t at;              /* statement */
  query_exec *exec;
  query_rows inserted;      /* rows of an INSERT */
  hw_producer *producer;
  uint32_t pushed;          /* chunks of inserted */
  uint64_t count;           /* rows pushed by the statement */
  uint64_t deadline_us;     /* of waiting to push; 0: not waiting */
};

typedef enum step_result { STEP_GO_ON, STEP_HOLD, STEP_LOOK_AGAIN, STEP_DONE, STEP_FAILED } step_result;

/* ---- compiling ---------------------------------------------------------------- */

/* "1:8: unknown column ...", and the line below it. */
static hw_status explain(const program_messages *ms, hw_error *err) {
  for (uint32_t i = 0; i < ms->n; i++) {
    const program_message *m = &ms->items[i];
    if (m->warning) continue;
    return hw_error_code(err, HW_ECOMPILE, "AdHocQueryError", "Error at line %d, column %d: %s\n%s", m->line, m->column,
                         m->message ? m->message : "", m->snippet ? m->snippet : "");
  }
  return hw_error_code(err, HW_ENOMEM, "AdHocQueryError", "no memory to compile the query");
}

static hw_status compile(pipeline_query *q, hw_error *err) {
  program_messages messages = {0};
  q->deployment = pipeline_deployment(q->pipeline, err);
  if (!q->deployment) return err->status;
  q->query = query_compile(deployment_program(q->deployment), q->sql, q->len, &messages);
  hw_status st = q->query ? HW_OK : explain(&messages, err);
  program_messages_fini(&messages);
  if (st == HW_OK && q->query->n_sources)
    st = deployment_snapshot(q->deployment, q->query->sources, q->query->n_sources, &q->snapshot, err);
  return st;
}

static const hw_field count_fields[] = {{.name = "count", .type = {.id = HW_TYPE_UBIGINT}}};
static const hw_schema count_schema = {.name = "query", .n_fields = 1, .fields = count_fields};

static const query_statement *statement(const pipeline_query *q) { return &q->query->statements[q->at]; }
static bool is_last(const pipeline_query *q) { return q->at + 1 == q->query->n_statements; }

static mem *memory(pipeline_query *q) { return &q->pipeline->engine->rt->queries; }

static step_result begin_statement(pipeline_query *q, hw_error *err) {
  const query_statement *s = statement(q);
  q->exec = query_exec_new(s->plan, q->snapshot, memory(q));
  if (!q->exec) {
    hw_error_code(err, HW_ENOMEM, "AdHocQueryError", "no memory to run the query");
    return STEP_FAILED;
  }
  query_rows_init(&q->inserted, memory(q), &s->plan->schema);
  q->pushed = 0;
  q->count = 0;
  q->phase = QUERY_RUN;
  return STEP_GO_ON;
}

static step_result compile_step(pipeline_query *q, hw_error *err) {
  if (compile(q, err) != HW_OK) return STEP_FAILED;
  const query_statement *last = &q->query->statements[q->query->n_statements - 1];
  q->events.begin(q->events.arg, last->is_insert ? &count_schema : &last->plan->schema);
  return begin_statement(q, err);
}

static step_result end_statement(pipeline_query *q, hw_error *err) {
  query_exec_free(q->exec);
  q->exec = NULL;
  query_rows_fini(&q->inserted);
  if (is_last(q)) return STEP_DONE;
  q->at++;
  return begin_statement(q, err);
}

/* ---- rows ------------------------------------------------------------------------ */

/* The first row of b that has no value for a column that must have one. */
static bool check_not_null(const hw_batch *b, hw_error *err) {
  for (uint32_t c = 0; c < b->n_columns; c++) {
    const hw_field *f = &b->schema->fields[c];
    if (f->type.nullable || !b->columns[c].validity) continue;
    for (uint32_t i = 0; i < hw_batch_count(b); i++) {
      if (hw_column_valid(&b->columns[c], hw_batch_row(b, i))) continue;
      hw_error_code(err, HW_EEVAL, "AdHocQueryError",
                    "a row has NULL for column \"%.100s\" of \"%.100s\", which is NOT NULL", f->name, b->schema->name);
      return false;
    }
  }
  return true;
}

static bool keep_rows(pipeline_query *q, const hw_batch *b, hw_error *err) {
  if (!check_not_null(b, err)) return false;
  for (uint32_t i = 0; i < hw_batch_count(b); i++) {
    uint32_t row = hw_batch_row(b, i);
    if (query_rows_add(&q->inserted, b, row, hw_batch_weight(b, row))) continue;
    hw_error_code(err, HW_ELIMIT, "AdHocQueryError",
                  "the rows of this INSERT need more memory than there is (%llu MiB for all queries together): insert "
                  "them in parts",
                  (unsigned long long)(memory(q)->limit >> 20));
    return false;
  }
  return true;
}

static step_result run_step(pipeline_query *q, hw_error *err) {
  batch *b = NULL;
  bool insert = statement(q)->is_insert, more = true;
  switch (query_exec_next(q->exec, &b, err)) {
  case QUERY_AGAIN: return STEP_GO_ON;
  case QUERY_FAILED: return STEP_FAILED;
  case QUERY_END:
    if (!insert) return end_statement(q, err);
    q->phase = QUERY_PUSH;
    return STEP_GO_ON;
  case QUERY_ROWS: break;
  }
  bool ok = !insert || keep_rows(q, &b->pub, err);
  if (!insert) more = q->events.rows(q->events.arg, &b->pub);
  hw_batch_unref(&b->pub);
  return !ok ? STEP_FAILED : more ? STEP_GO_ON : STEP_HOLD;
}

/* ---- INSERT ------------------------------------------------------------------------- */

static step_result fail_push(const pipeline_query *q, hw_status status, const char *why, hw_error *err) {
  hw_error_code(err, status, "AdHocQueryError", "%s; %llu of the rows of this INSERT are in table \"%.100s\"", why,
                (unsigned long long)q->count, statement(q)->plan->schema.name);
  return STEP_FAILED;
}

static step_result wait_to_push(pipeline_query *q, const char *why, hw_error *err) {
  uint64_t now = sched_now_us();
  if (!q->deadline_us) q->deadline_us = now + INSERT_WAIT_US;
  return now < q->deadline_us ? STEP_LOOK_AGAIN : fail_push(q, HW_ETIMEOUT, why, err);
}

static bool open_producer(pipeline_query *q, hw_error *err) {
  if (q->producer) return true;
  q->producer = deployment_producer(q->deployment, statement(q)->table, err);
  if (!q->producer) return false;
  pipeline_lock(q->pipeline); /* there is more to come */
  q->pipeline->complete = false;
  pipeline_unlock(q->pipeline);
  return true;
}

/* A batch of the producer's with the rows of a chunk; NULL: no memory now. */
static hw_batch *fill(pipeline_query *q, const hw_batch *chunk) {
  hw_batch *b = hw_producer_batch(q->producer);
  bool ok = b != NULL;
  for (uint32_t i = 0; ok && i < chunk->n_rows; i++) ok = query_copy_row(b, chunk, i, hw_batch_weight(chunk, i), true);
  if (ok) return b;
  if (b) hw_batch_unref(b);
  return NULL;
}

static step_result push_chunk(pipeline_query *q, hw_error *err) {
  const hw_batch *chunk = &q->inserted.chunks[q->pushed]->pub;
  hw_batch *b = fill(q, chunk);
  if (!b) return wait_to_push(q, "there is no memory for rows that come in", err);
  hw_status st = hw_producer_push(q->producer, b, 0);
  if (st == HW_ETIMEOUT) return wait_to_push(q, "the table's queue is full", err);
  if (st != HW_OK) return fail_push(q, st, "the pipeline is being stopped", err);
  for (uint32_t i = 0; i < chunk->n_rows; i++) q->count += (uint64_t)hw_batch_weight(chunk, i);
  q->pushed++;
  q->deadline_us = 0;
  return STEP_GO_ON;
}

static void close_producer(pipeline_query *q) {
  if (q->producer) hw_producer_close(q->producer);
  q->producer = NULL;
}

/* The reply of an INSERT that ends the request. */
static void tell_count(pipeline_query *q) {
  uint64_t count = q->count;
  hw_column column = {.values = &count};
  const hw_batch b = {.n_rows = 1, .capacity = 1, .n_columns = 1, .columns = &column, .schema = &count_schema};
  (void)q->events.rows(q->events.arg, &b);
}

/* Paused, and not stopped since. */
static bool is_only_paused(const pipeline_query *q) {
  hw_error err;
  deployment *d = pipeline_deployment(q->pipeline, &err);
  bool same = d == q->deployment;
  if (d) deployment_unref(d);
  return same;
}

static step_result push_step(pipeline_query *q, hw_error *err) {
  if (q->pushed == q->inserted.n_chunks) {
    close_producer(q);
    if (is_last(q)) tell_count(q);
    return end_statement(q, err);
  }
  bool running = deployment_running(q->deployment);
  if (!running && !is_only_paused(q)) return fail_push(q, HW_ESTATE, "the pipeline was stopped", err);
  if (!running) return wait_to_push(q, "the pipeline is paused", err);
  return open_producer(q, err) ? push_chunk(q, err) : STEP_FAILED;
}

/* ---- the task --------------------------------------------------------------------------- */

static step_result step(pipeline_query *q, hw_error *err) {
  switch (q->phase) {
  case QUERY_COMPILE: return compile_step(q, err);
  case QUERY_RUN: return run_step(q, err);
  case QUERY_PUSH: return push_step(q, err);
  case QUERY_OVER: break;
  }
  return STEP_DONE;
}

static void release(pipeline_query *q) {
  close_producer(q);
  query_exec_free(q->exec);
  q->exec = NULL;
  if (q->query) query_rows_fini(&q->inserted);
  store_snapshot_free(q->snapshot);
  q->snapshot = NULL;
}

static void closed(task *t) {
  pipeline_query *q = (pipeline_query *)t;
  hw_engine *engine = q->pipeline->engine;
  pipeline_query_unref(q);
  engine_leave(engine);
}

static task_next end(pipeline_query *q, const hw_error *err) {
  release(q);
  q->phase = QUERY_OVER;
  q->events.done(q->events.arg, err);
  query_free(q->query);
  deployment_unref(q->deployment);
  task_close(&q->task, closed);
  return TASK_IDLE;
}

static task_next run_query(task *t, bool may_block) {
  (void)may_block;
  pipeline_query *q = (pipeline_query *)t;
  hw_error err = {0};
  uint64_t until = sched_now_us() + QUANTUM_US;
  if (q->phase == QUERY_OVER) return TASK_IDLE;
  do {
    if (atomic_load(&q->cancelled)) {
      hw_error_set(&err, HW_ECANCELED, "the query was cancelled");
      return end(q, &err);
    }
    switch (step(q, &err)) {
    case STEP_GO_ON: break;
    case STEP_HOLD: return TASK_IDLE;
    case STEP_LOOK_AGAIN: task_wait_us(t, LOOK_AGAIN_US); return TASK_IDLE;
    case STEP_DONE: return end(q, NULL);
    case STEP_FAILED: return end(q, &err);
    }
  } while (sched_now_us() < until);
  return TASK_BLOCKING;
}

/* ---- life --------------------------------------------------------------------------------- */

pipeline_query *pipeline_query_new(hw_pipeline *p, const char *sql, size_t len, const query_events *events,
                                   hw_error *err) {
  pipeline_query *q = NULL;
  engine_enter(p->engine);
  if (atomic_load(&p->engine->closing)) {
    (void)hw_error_set(err, HW_ESTATE, "the engine is about to end");
    goto refused;
  }
  q = calloc(1, sizeof *q);
  if (!q || !(q->sql = malloc(len + 1))) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for a query");
    goto refused;
  }
  memcpy(q->sql, sql, len);
  q->sql[len] = '\0';
  q->len = len;
  q->events = *events;
  q->pipeline = hw_pipeline_ref(p);
  atomic_init(&q->refs, 2); /* the caller's, and the task's */
  task_init(&q->task, p->engine->rt->sched, run_query, true);
  return q;
refused:
  free(q);
  engine_leave(p->engine);
  return NULL;
}

void pipeline_query_start(pipeline_query *q) { task_notify(&q->task); }

/* The task is the caller's memory for as long as there is a reference, but may be closed. */
void pipeline_query_continue(pipeline_query *q) { task_notify(&q->task); }

void pipeline_query_cancel(pipeline_query *q) {
  atomic_store(&q->cancelled, true);
  task_notify(&q->task);
}

void pipeline_query_unref(pipeline_query *q) {
  if (!q || atomic_fetch_sub(&q->refs, 1) != 1) return;
  hw_pipeline_unref(q->pipeline);
  free(q->sql);
  free(q);
}
