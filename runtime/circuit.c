#include "runtime/circuit.h"

#include "runtime/sched.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define COMPACT_SHARE 16u /* of a batch's rows, at most one in so many is few */
#define COMPACT_BYTES (64u << 10)

typedef struct sink {
  circuit_sink *call;
  void *arg;
} sink;

typedef struct branch {
  const program_branch *plan;
  uint32_t view;
  evaluator *filter;    /* NULL: none */
  evaluator **project;  /* NULL entries: a column passed on */
} branch;

typedef struct node {
  const program_relation *relation;
  branch *branches;
  branch **readers;     /* branches of later relations that read this one */
  uint32_t n_readers;
  sink *sinks;
  uint32_t n_sinks, sinks_capacity;
  _Atomic uint64_t records, filtered, batches, ns; /* written by the pipeline's task */
  bool wanted;          /* it, or something that reads it, has a sink */
  batch **pending;      /* in a step: batches to pass on */
  uint32_t n_pending, pending_capacity;
} node;

struct circuit {
  const program *program;
  node *nodes;
};

/* ---- making -------------------------------------------------------------- */

static bool branch_init(circuit *c, branch *b, uint32_t view, const program_branch *plan) {
  b->plan = plan;
  b->view = view;
  if (plan->filter && !(b->filter = evaluator_new(plan->filter))) return false;
  uint32_t n = c->nodes[view].relation->schema.n_fields;
  if (!(b->project = calloc(n ? n : 1, sizeof *b->project))) return false;
  for (uint32_t i = 0; i < n; i++) {
    if (plan->project[i]->op == EXPR_COLUMN) continue;
    if (!(b->project[i] = evaluator_new(plan->project[i]))) return false;
  }
  c->nodes[plan->input].n_readers++;
  return true;
}

static bool node_init(circuit *c, uint32_t i) {
  node *n = &c->nodes[i];
  n->relation = &c->program->relations[i];
  if (!n->relation->n_branches) return true;
  n->branches = calloc(n->relation->n_branches, sizeof *n->branches);
  if (!n->branches) return false;
  for (uint32_t k = 0; k < n->relation->n_branches; k++)
    if (!branch_init(c, &n->branches[k], i, &n->relation->branches[k])) return false;
  return true;
}

static bool list_readers(circuit *c) {
  uint32_t n = c->program->n_relations;
  for (uint32_t i = 0; i < n; i++) {
    if (c->nodes[i].n_readers && !(c->nodes[i].readers = calloc(c->nodes[i].n_readers, sizeof(branch *)))) return false;
    c->nodes[i].n_readers = 0;
  }
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t k = 0; k < c->nodes[i].relation->n_branches; k++) {
      node *from = &c->nodes[c->nodes[i].branches[k].plan->input];
      from->readers[from->n_readers++] = &c->nodes[i].branches[k];
    }
  return true;
}

circuit *circuit_new(const program *p) {
  circuit *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->program = p;
  c->nodes = calloc(p->n_relations ? p->n_relations : 1, sizeof *c->nodes);
  bool ok = c->nodes != NULL;
  for (uint32_t i = 0; ok && i < p->n_relations; i++) ok = node_init(c, i);
  if (ok && list_readers(c)) return c;
  circuit_free(c);
  return NULL;
}

static void branch_fini(branch *b, uint32_t n_fields) {
  evaluator_free(b->filter);
  for (uint32_t i = 0; b->project && i < n_fields; i++) evaluator_free(b->project[i]);
  free(b->project);
}

static void node_fini(node *n) {
  for (uint32_t k = 0; n->branches && k < n->relation->n_branches; k++)
    branch_fini(&n->branches[k], n->relation->schema.n_fields);
  free(n->branches);
  free(n->readers);
  free(n->sinks);
  free(n->pending);
}

void circuit_free(circuit *c) {
  if (!c) return;
  for (uint32_t i = 0; c->nodes && i < c->program->n_relations; i++) node_fini(&c->nodes[i]);
  free(c->nodes);
  free(c);
}

/* ---- who looks ----------------------------------------------------------- */

/* From the last relation down, since readers come later. */
static void mark_wanted(circuit *c) {
  for (uint32_t i = c->program->n_relations; i-- > 0;) {
    node *n = &c->nodes[i];
    n->wanted = n->n_sinks > 0;
    for (uint32_t k = 0; k < n->n_readers && !n->wanted; k++) n->wanted = c->nodes[n->readers[k]->view].wanted;
  }
}

/* Makes room for one more item of `size` bytes in an array. */
static void *grown(void *items, uint32_t n, uint32_t *capacity, size_t size) {
  if (n < *capacity) return items;
  uint32_t more = *capacity ? *capacity * 2 : 4;
  void *p = realloc(items, more * size);
  if (p) *capacity = more;
  return p;
}

hw_status circuit_attach(circuit *c, uint32_t relation, circuit_sink *call, void *arg) {
  node *n = &c->nodes[relation];
  sink *sinks = grown(n->sinks, n->n_sinks, &n->sinks_capacity, sizeof *sinks);
  if (!sinks) return HW_ENOMEM;
  n->sinks = sinks;
  n->sinks[n->n_sinks++] = (sink){call, arg};
  mark_wanted(c);
  return HW_OK;
}

void circuit_detach(circuit *c, uint32_t relation, circuit_sink *call, void *arg) {
  node *n = &c->nodes[relation];
  for (uint32_t i = 0; i < n->n_sinks; i++) {
    if (n->sinks[i].call != call || n->sinks[i].arg != arg) continue;
    n->sinks[i] = n->sinks[--n->n_sinks];
    mark_wanted(c);
    return;
  }
}

relation_stats circuit_relation_stats(const circuit *c, uint32_t relation) {
  const node *n = &c->nodes[relation];
  return (relation_stats){.records = atomic_load(&n->records), .filtered = atomic_load(&n->filtered),
                          .batches = atomic_load(&n->batches), .ns = atomic_load(&n->ns)};
}

/* ---- a step -------------------------------------------------------------- */

static hw_status no_memory(eval_error *err) {
  return hw_error_set(&err->error, HW_ENOMEM, "no memory within the limit for a view's rows");
}

/* The rows of `in` that pass the filter: a selection that lives in `into`. */
static hw_status filter(branch *b, const batch *in, batch *into, eval_error *err) {
  uint32_t n = hw_batch_count(&in->pub), n_out = 0;
  into->pub.sel = in->pub.sel;
  into->pub.n_sel = in->pub.n_sel;
  if (!b->filter || !n) return HW_OK;
  uint32_t *sel = batch_new_sel(into, n);
  if (!sel) return no_memory(err);
  hw_status st = evaluator_filter(b->filter, &in->pub, in->pub.sel, n, sel, &n_out, err);
  if (st != HW_OK) return st;
  if (n_out == n) {
    hw_batch_trim(&into->pub, n * sizeof *sel);
    return HW_OK;
  }
  hw_batch_trim(&into->pub, (n - n_out) * sizeof *sel);
  into->pub.sel = sel;
  into->pub.n_sel = n_out;
  return HW_OK;
}

static hw_status project(branch *b, const batch *in, batch *into, eval_error *err) {
  for (uint32_t i = 0; i < into->pub.n_columns; i++) {
    if (!b->project[i]) {
      into->pub.columns[i] = in->pub.columns[b->plan->project[i]->index];
      continue;
    }
    hw_status st = evaluator_run(b->project[i], &in->pub, into->pub.sel, hw_batch_count(&into->pub), &into->pub,
                                 &into->pub.columns[i], err);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

static void add_count(_Atomic uint64_t *count, uint64_t n) {
  /* Relaxed load: the pipeline's task is the only writer. */
  atomic_store(count, atomic_load_explicit(count, memory_order_relaxed) + n);
}

/* Few rows of a large batch are copied, so that the rest need not stay in memory
 * for them. Takes v's reference; without memory v stays as it is. */
static batch *release_parent(batch *v) {
  uint64_t held = batch_bytes(v);
  if (!v->pub.sel || v->pub.n_sel > v->pub.n_rows / COMPACT_SHARE || held < COMPACT_BYTES) return v;
  batch *b = batch_compact(v);
  if (!b) return v;
  hw_batch_unref(&v->pub);
  return b;
}

/* *out: what the branch makes of `in`, or NULL when that is nothing. */
static hw_status run_branch(circuit *c, branch *b, batch *in, batch **out, eval_error *err) {
  *out = NULL;
  batch *v = batch_new_view(in, &c->nodes[b->view].relation->schema);
  if (!v) return no_memory(err);
  v->mark = in->mark;
  v->step = in->step;
  hw_status st = filter(b, in, v, err);
  uint32_t n = hw_batch_count(&v->pub);
  if (st == HW_OK && n) st = project(b, in, v, err);
  if (st == HW_EEVAL) eval_error_show_row(err, &in->pub);
  if (st == HW_OK) {
    add_count(&c->nodes[b->view].records, n);
    add_count(&c->nodes[b->view].filtered, hw_batch_count(&in->pub) - n);
  }
  if (st != HW_OK || !n) {
    hw_batch_unref(&v->pub);
    return st;
  }
  *out = release_parent(v);
  (*out)->held = batch_bytes(*out);
  return HW_OK;
}

/* The same, with the time it takes. */
static hw_status time_branch(circuit *c, branch *b, batch *in, batch **out, eval_error *err) {
  node *n = &c->nodes[b->view];
  uint64_t began_ns = sched_now_ns();
  hw_status st = run_branch(c, b, in, out, err);
  add_count(&n->batches, 1);
  add_count(&n->ns, sched_now_ns() - began_ns);
  return st;
}

/* Takes b's reference. */
static hw_status add_pending(node *n, batch *b, eval_error *err) {
  batch **list = grown(n->pending, n->n_pending, &n->pending_capacity, sizeof *list);
  if (!list) {
    hw_batch_unref(&b->pub);
    return no_memory(err);
  }
  n->pending = list;
  n->pending[n->n_pending++] = b;
  return HW_OK;
}

static hw_status pass_on(circuit *c, node *n, batch *b, eval_error *err) {
  for (uint32_t i = 0; i < n->n_sinks; i++)
    if (n->sinks[i].call(n->sinks[i].arg, b) != HW_OK) return no_memory(err);
  for (uint32_t i = 0; i < n->n_readers; i++) {
    branch *reader = n->readers[i];
    if (!c->nodes[reader->view].wanted) continue;
    batch *out;
    hw_status st = time_branch(c, reader, b, &out, err);
    if (st == HW_OK && out) st = add_pending(&c->nodes[reader->view], out, err);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

hw_status circuit_push(circuit *c, uint32_t relation, batch *b, eval_error *err) {
  add_count(&c->nodes[relation].records, hw_batch_count(&b->pub));
  add_count(&c->nodes[relation].batches, 1);
  if (!c->nodes[relation].wanted) return HW_OK;
  hw_status st = pass_on(c, &c->nodes[relation], b, err);
  for (uint32_t i = relation + 1; i < c->program->n_relations; i++) {
    node *n = &c->nodes[i];
    for (uint32_t k = 0; k < n->n_pending; k++) {
      if (st == HW_OK) st = pass_on(c, n, n->pending[k], err);
      hw_batch_unref(&n->pending[k]->pub);
    }
    n->n_pending = 0;
  }
  return st;
}
