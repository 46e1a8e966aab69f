#include "runtime/state.h"

#include "runtime/upsert.h"

#include <stdlib.h>
#include <sys/random.h>

typedef struct relation_state {
  state *state;
  store store;
  uint64_t ignored;           /* protected by the lock */
  uint64_t ignored_in_step;
  _Atomic uint64_t brought;   /* rows into a table with a key; written by the pipeline's task */
} relation_state;

/* Rows that go through upsert.h, a chunk at a time. */
typedef struct keyed_push {
  batch *b;                   /* NULL: none under way */
  uint32_t relation;
  uint32_t next;              /* row of b, after the chunk */
  upsert_delta delta;         /* of the chunk */
  uint32_t n_pushed;          /* of the delta's batches */
} keyed_push;

struct state {
  program *program;
  mem *m;
  circuit *circuit;
  upsert *upsert;             /* NULL: no table has a key */
  store_scratch scratch;
  relation_state **relations; /* by relation; NULL: holds nothing */
  uint32_t n_stored;
  uint64_t refused;           /* requests for memory that the limit refused, as of the last commit */
  hw_status failed;           /* of a store, in this step */
  const store *failed_store;
  keyed_push keyed;

  pthread_mutex_t lock;       /* protects what is below, and `published` of the stores */
  uint64_t step;              /* the last that was committed */
  bool closed;
};

/* ---- life ---------------------------------------------------------------- */

static hw_status look(void *arg, batch *b);

static hw_status add_store(state *s, uint32_t i) {
  const program_relation *r = &s->program->relations[i];
  uint64_t seed;
  if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) return HW_EIO;
  relation_state *rs = calloc(1, sizeof *rs);
  if (!rs) return HW_ENOMEM;
  if (!store_init(&rs->store, r, s->m, &s->lock, &s->scratch, seed)) {
    free(rs);
    return HW_ENOMEM;
  }
  rs->state = s;
  s->relations[i] = rs;
  s->n_stored++;
  if (!r->n_key) return circuit_attach(s->circuit, i, look, rs);
  if (!s->upsert) s->upsert = upsert_new();
  return s->upsert ? HW_OK : HW_ENOMEM;
}

hw_status state_new(program *p, mem *m, circuit *c, state **out, hw_error *err) {
  state *s = calloc(1, sizeof *s);
  if (!s) goto no_state;
  if (pthread_mutex_init(&s->lock, NULL) != 0) goto no_lock;
  s->program = program_ref(p);
  s->m = m;
  s->circuit = c;
  s->refused = mem_refused(m);
  s->relations = calloc(p->n_relations ? p->n_relations : 1, sizeof *s->relations);
  hw_status st = s->relations ? HW_OK : HW_ENOMEM;
  for (uint32_t i = 0; st == HW_OK && i < p->n_relations; i++)
    if (program_relation_is_stored(&p->relations[i])) st = add_store(s, i);
  if (st == HW_OK) {
    *out = s;
    return HW_OK;
  }
  state_free(s);
  if (st == HW_EIO) return hw_error_set(err, st, "the system gives no random numbers (getrandom failed)");
  return hw_error_set(err, st, "no memory for the state of tables and views");

no_lock:
  free(s);
no_state:
  return hw_error_set(err, HW_ENOMEM, "no memory for the state of tables and views");
}

void state_close(state *s) {
  pthread_mutex_lock(&s->lock);
  bool first = !s->closed;
  s->closed = true; /* from here on nobody looks at the stores */
  pthread_mutex_unlock(&s->lock);
  for (uint32_t i = 0; first && s->relations && i < s->program->n_relations; i++)
    if (s->relations[i]) store_fini(&s->relations[i]->store);
}

void state_free(state *s) {
  if (!s) return;
  state_abandon(s);
  state_close(s);
  for (uint32_t i = 0; s->relations && i < s->program->n_relations; i++) free(s->relations[i]);
  free(s->relations);
  upsert_free(s->upsert);
  program_unref(s->program);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

/* ---- what goes wrong ----------------------------------------------------- */

static hw_status store_failed(const state *s, const store *at, hw_status st, hw_error *err) {
  const char *name = at->relation->schema.name, *kind = at->relation->kind == PROGRAM_TABLE ? "table" : "view";
  if (st == HW_ERANGE)
    return hw_error_code(err, HW_ERANGE, "RuntimeError.WorkerPanic",
                         "a row of %s \"%s\" has been inserted more than 2^63 times", kind, name);
  unsigned long long used = atomic_load(&s->m->used), limit = s->m->limit;
  unsigned long long bytes = at->segment_bytes + at->index.bytes, rows = at->rows;
  if (mem_refused(s->m) != s->refused)
    return hw_error_code(err, HW_ELIMIT, "StateLimit",
                         "the state of %s \"%s\" (%llu rows, %llu bytes) cannot grow: the state of all pipelines takes "
                         "%llu of the %llu bytes that it may take: raise --state-memory "
                         "(hw_engine_options.state_limit), or keep less",
                         kind, name, rows, bytes, used, limit);
  return hw_error_code(err, HW_ENOMEM, "RuntimeError.WorkerPanic",
                       "the system has no memory for the state of %s \"%s\" (%llu rows, %llu bytes)", kind, name, rows,
                       bytes);
}

/* ---- a step -------------------------------------------------------------- */

/* A sink of the circuit. */
static hw_status look(void *arg, batch *b) {
  relation_state *rs = arg;
  hw_status st = store_apply(&rs->store, &b->pub, b->step);
  if (st == HW_OK) return HW_OK;
  rs->state->failed = st;
  rs->state->failed_store = &rs->store;
  return st;
}

/* The circuit passes on that a sink failed, but not why. */
static hw_status explain(const state *s, hw_status st, eval_error *err) {
  return st != HW_OK && s->failed_store ? store_failed(s, s->failed_store, s->failed, &err->error) : st;
}

/* The changes of the next chunk. */
static hw_status next_chunk(state *s, eval_error *err) {
  keyed_push *k = &s->keyed;
  relation_state *rs = s->relations[k->relation];
  uint32_t left = hw_batch_count(&k->b->pub) - k->next, n = left < STORE_CHUNK ? left : STORE_CHUNK;
  upsert_delta_fini(&k->delta);
  hw_status st = upsert_apply(s->upsert, &rs->store, k->b, k->next, n, k->b->step, &k->delta);
  rs->ignored_in_step += k->delta.ignored;
  k->next += n;
  k->n_pushed = 0;
  if (st == HW_OK) return HW_OK;
  err->at = NULL; /* of a chunk before */
  return store_failed(s, &rs->store, st, &err->error);
}

/* The next batch of changes through the circuit. */
static hw_status push_changes(state *s, eval_error *err) {
  keyed_push *k = &s->keyed;
  batch *b = k->delta.batches[k->n_pushed++];
  if (!b) return HW_OK;
  b->mark = k->b->mark;
  b->step = k->b->step;
  return explain(s, circuit_push(s->circuit, k->relation, b, err), err);
}

/* Rows of the changes are not those of the batch that came in, unless they are the same batch. */
static void forget_place(const keyed_push *k, eval_error *err) {
  if (k->n_pushed && k->delta.batches[k->n_pushed - 1] != k->b) err->n_rows = 0;
}

static hw_status go_on_keyed(state *s, eval_error *err) {
  keyed_push *k = &s->keyed;
  for (bool first = true; !circuit_is_busy(s->circuit); first = false) {
    if (k->n_pushed == UPSERT_DELTAS && k->next == hw_batch_count(&k->b->pub)) {
      state_abandon(s);
      return HW_OK;
    }
    if (!first && circuit_must_pause(s->circuit)) return HW_OK;
    hw_status st = k->n_pushed == UPSERT_DELTAS ? next_chunk(s, err) : push_changes(s, err);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

hw_status state_go_on(state *s, eval_error *err) {
  hw_status st = explain(s, circuit_go_on(s->circuit, err), err);
  if (st == HW_OK && s->keyed.b) st = go_on_keyed(s, err);
  if (st == HW_OK) return HW_OK;
  forget_place(&s->keyed, err);
  state_abandon(s);
  return st;
}

hw_status state_push(state *s, uint32_t relation, batch *b, eval_error *err) {
  relation_state *rs = s->relations[relation];
  if (!rs || !rs->store.relation->n_key) return explain(s, circuit_push(s->circuit, relation, b, err), err);
  atomic_fetch_add(&rs->brought, hw_batch_count(&b->pub));
  s->keyed = (keyed_push){.b = batch_of(hw_batch_ref(&b->pub)), .relation = relation, .n_pushed = UPSERT_DELTAS};
  return state_go_on(s, err);
}

bool state_is_busy(const state *s) { return s->keyed.b || circuit_is_busy(s->circuit); }

void state_abandon(state *s) {
  circuit_abandon(s->circuit);
  upsert_delta_fini(&s->keyed.delta);
  if (s->keyed.b) hw_batch_unref(&s->keyed.b->pub);
  s->keyed = (keyed_push){0};
}

static bool has_changed(const relation_state *rs) { return rs && rs->store.step; }

/* Lock held. */
static void commit_relation(relation_state *rs) {
  rs->ignored += rs->ignored_in_step;
  rs->ignored_in_step = 0;
  store_commit(&rs->store);
}

hw_status state_commit(state *s, uint64_t step, hw_error *err) {
  if (!s->n_stored) return HW_OK;
  const store *at = NULL;
  for (uint32_t i = 0; !at && i < s->program->n_relations; i++) {
    relation_state *rs = s->relations[i];
    if (has_changed(rs) && !store_compact(&rs->store)) at = &rs->store;
  }
  pthread_mutex_lock(&s->lock);
  for (uint32_t i = 0; !at && i < s->program->n_relations; i++)
    if (has_changed(s->relations[i]) && !store_prepare(&s->relations[i]->store)) at = &s->relations[i]->store;
  for (uint32_t i = 0; !at && i < s->program->n_relations; i++)
    if (has_changed(s->relations[i])) commit_relation(s->relations[i]);
  if (!at) s->step = step;
  pthread_mutex_unlock(&s->lock);
  if (!at) s->refused = mem_refused(s->m);
  return at ? store_failed(s, at, HW_ENOMEM, err) : HW_OK;
}

/* ---- readers ------------------------------------------------------------- */

hw_status state_check(const state *s, const uint32_t *relations, uint32_t n, hw_error *err) {
  for (uint32_t i = 0; i < n; i++) {
    if (relations[i] == PROGRAM_LETTERS) continue;
    const program_relation *r = &s->program->relations[relations[i]];
    if (!s->relations[relations[i]])
      return hw_error_set(err, HW_EINVAL,
                          "%s \"%s\" is not materialized, so its contents are not kept: declare it WITH "
                          "('materialized' = 'true')%s",
                          r->kind == PROGRAM_TABLE ? "table" : "view", r->schema.name,
                          r->kind == PROGRAM_TABLE ? ", or give it a PRIMARY KEY" : "");
  }
  return HW_OK;
}

hw_status state_snapshot(state *s, const uint32_t *relations, uint32_t n, store_snapshot **out, hw_error *err) {
  hw_status st = state_check(s, relations, n, err);
  if (st != HW_OK) return st;
  store_snapshot *snapshot = store_snapshot_new(s->program, n);
  if (!snapshot) return hw_error_set(err, HW_ENOMEM, "no memory for a snapshot");
  pthread_mutex_lock(&s->lock);
  bool closed = s->closed;
  for (uint32_t i = 0; !closed && i < n; i++)
    if (relations[i] != PROGRAM_LETTERS) store_snapshot_add(snapshot, i, &s->relations[relations[i]]->store);
  store_snapshot_set_step(snapshot, s->step);
  pthread_mutex_unlock(&s->lock);
  if (!closed) {
    *out = snapshot;
    return HW_OK;
  }
  store_snapshot_free(snapshot);
  return hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed", "the pipeline has stopped: its state is gone");
}

void state_relation_stats(state *s, uint32_t relation, relation_stats *out) {
  relation_state *rs = s->relations[relation];
  if (!rs) return;
  pthread_mutex_lock(&s->lock);
  out->brought = atomic_load(&rs->brought);
  out->ignored = rs->ignored;
  out->stored_rows = s->closed ? 0 : rs->store.published.rows;
  out->stored_bytes = s->closed ? 0 : rs->store.published.bytes;
  pthread_mutex_unlock(&s->lock);
}
