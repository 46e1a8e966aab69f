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
  relation_stats in_slice;  /* counted in the slice at hand: it may be done again */
  bool wanted;          /* it, or something that reads it, has a sink */
  batch **pending;      /* in a step: batches to pass on */
  uint32_t n_pending, pending_capacity;
} node;

struct circuit {
  const program *program;
  node *nodes;
  text_budget budget;   /* of a slice */
  uint64_t whole;       /* what the budget is a part of ... */
  uint32_t part;        /* ... and which */
  circuit_pause *pause; /* NULL: never */
  void *pause_arg;
  const node *left_at;
  uint32_t slice;       /* rows that are taken at a time; at least 1 */
  /* the push under way */
  batch *b;             /* NULL: none */
  uint32_t relation;
  uint32_t done;        /* rows of b that are through */
};

/* ---- making -------------------------------------------------------------- */

static bool branch_init(circuit *c, branch *b, uint32_t view, const program_branch *plan) {
  b->plan = plan;
  b->view = view;
  if (plan->filter && !(b->filter = evaluator_new(plan->filter, &c->budget))) return false;
  uint32_t n = c->nodes[view].relation->schema.n_fields;
  if (!(b->project = calloc(n ? n : 1, sizeof *b->project))) return false;
  for (uint32_t i = 0; i < n; i++) {
    if (plan->project[i]->op == EXPR_COLUMN) continue;
    if (!(b->project[i] = evaluator_new(plan->project[i], &c->budget))) return false;
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
  c->budget.most = UINT64_MAX;
  c->slice = UINT32_MAX;
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
  circuit_abandon(c);
  for (uint32_t i = 0; c->nodes && i < c->program->n_relations; i++) node_fini(&c->nodes[i]);
  free(c->nodes);
  free(c);
}

void circuit_set_limit(circuit *c, uint64_t whole, uint32_t part) {
  c->whole = whole;
  c->part = part;
  c->budget.most = whole / part;
}

void circuit_set_pause(circuit *c, circuit_pause *pause, void *arg) {
  c->pause = pause;
  c->pause_arg = arg;
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

/* Not the expression's that was evaluated before. */
static hw_status no_memory(eval_error *err) {
  err->at = NULL;
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
  bool alone = c->budget.refused && hw_batch_count(&in->pub) == 1;
  if (alone) err->row = hw_batch_row(&in->pub, 0);
  if (st == HW_EEVAL || alone) eval_error_show_row(err, &in->pub);
  if (st == HW_OK) {
    c->nodes[b->view].in_slice.records += n;
    c->nodes[b->view].in_slice.filtered += hw_batch_count(&in->pub) - n;
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
  n->in_slice.batches++;
  add_count(&n->ns, sched_now_ns() - began_ns); /* it took that long, also if it is done again */
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

/* HW_EAGAIN: the push is to be left. */
static hw_status compute_readers(circuit *c, const node *n, batch *b, eval_error *err) {
  for (uint32_t i = 0; i < n->n_readers; i++) {
    branch *reader = n->readers[i];
    node *view = &c->nodes[reader->view];
    if (!view->wanted) continue;
    if (c->pause && c->pause(c->pause_arg, false)) {
      c->left_at = view;
      return HW_EAGAIN;
    }
    batch *out;
    hw_status st = time_branch(c, reader, b, &out, err);
    if (st == HW_OK && out) st = add_pending(view, out, err);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

static void drop_pending(node *n) {
  for (uint32_t k = 0; k < n->n_pending; k++) hw_batch_unref(&n->pending[k]->pub);
  n->n_pending = 0;
}

/* All views over the slice; what somebody looks at stays pending. */
static hw_status compute(circuit *c, batch *slice, eval_error *err) {
  hw_status st = compute_readers(c, &c->nodes[c->relation], slice, err);
  for (uint32_t i = c->relation + 1; st == HW_OK && i < c->program->n_relations; i++) {
    node *n = &c->nodes[i];
    for (uint32_t k = 0; st == HW_OK && k < n->n_pending; k++) st = compute_readers(c, n, n->pending[k], err);
    if (!n->n_sinks) drop_pending(n);
  }
  return st;
}

static hw_status offer(const node *n, batch *b, eval_error *err) {
  for (uint32_t i = 0; i < n->n_sinks; i++)
    if (n->sinks[i].call(n->sinks[i].arg, b) != HW_OK) return no_memory(err);
  return HW_OK;
}

static void count_slice(node *n) {
  if (!n->in_slice.batches) return;
  add_count(&n->records, n->in_slice.records);
  add_count(&n->filtered, n->in_slice.filtered);
  add_count(&n->batches, n->in_slice.batches);
}

/* Gives out what was made of the slice, unless `st` says that it failed; nothing is left pending. */
static hw_status end_slice(circuit *c, hw_status st, eval_error *err) {
  for (uint32_t i = c->relation + 1; i < c->program->n_relations; i++) {
    node *n = &c->nodes[i];
    if (st == HW_OK) count_slice(n);
    for (uint32_t k = 0; st == HW_OK && k < n->n_pending; k++) st = offer(n, n->pending[k], err);
    n->in_slice = (relation_stats){0};
    drop_pending(n);
  }
  return st;
}

/* The next n rows: the batch itself, when that is all. */
static batch *take_slice(const circuit *c, uint32_t n) {
  if (n == hw_batch_count(&c->b->pub)) return batch_of(hw_batch_ref(&c->b->pub));
  batch *slice = batch_slice(c->b, c->done, n);
  return slice ? release_parent(slice) : NULL;
}

/* As many rows as will take half of what is allowed, by what n of them took. */
static void set_slice(circuit *c, uint32_t n) {
  hw_uint128 rows = UINT32_MAX;
  if (c->budget.used) rows = (hw_uint128)n * (c->budget.most / 2) / c->budget.used;
  c->slice = rows > UINT32_MAX ? UINT32_MAX : rows ? (uint32_t)rows : 1;
}

/* Where the row of an error in the slice is in the batch that was pushed. */
static void place_error(const circuit *c, const batch *slice, uint32_t n, eval_error *err) {
  bool copied = slice != c->b && !slice->parent && err->n_rows == n;
  if (n != 1 && !copied) return;
  err->row = hw_batch_row(&c->b->pub, c->done + (n == 1 ? 0 : err->row));
  err->n_rows = c->b->pub.n_rows;
}

static hw_status too_much(const circuit *c, eval_error *err) {
  return hw_error_code(&err->error, HW_ELIMIT, "MemoryLimit",
                       "%llu bytes are needed for strings, besides %llu that were made of the same row before; one row "
                       "may take %llu, which is 1/%u of the memory for rows (%llu): raise --memory "
                       "(-m, hw_engine_options.memory_limit)",
                       (unsigned long long)c->budget.refused, (unsigned long long)c->budget.used,
                       (unsigned long long)c->budget.most, c->part, (unsigned long long)c->whole);
}

/* HW_OK: it is through, or is to be done again with fewer rows. */
static hw_status push_slice(circuit *c, eval_error *err) {
  uint32_t left = hw_batch_count(&c->b->pub) - c->done, n = left < c->slice ? left : c->slice;
  batch *slice = take_slice(c, n);
  if (!slice) return no_memory(err);
  c->budget.used = c->budget.refused = 0;
  hw_status st = end_slice(c, compute(c, slice, err), err);
  if (st == HW_OK) {
    c->done += n;
    set_slice(c, n);
  } else if (c->budget.refused && n > 1) {
    c->slice = n / 2;
    err->at = NULL;
    st = HW_OK;
  } else if (c->budget.refused) {
    st = too_much(c, err);
  }
  if (st != HW_OK) place_error(c, slice, n, err);
  hw_batch_unref(&slice->pub);
  return st;
}

bool circuit_is_busy(const circuit *c) { return c->b != NULL; }

bool circuit_must_pause(const circuit *c) { return c->pause && c->pause(c->pause_arg, true); }

const char *circuit_left_at(const circuit *c) { return c->left_at ? c->left_at->relation->schema.name : NULL; }

void circuit_abandon(circuit *c) {
  if (c->b) hw_batch_unref(&c->b->pub);
  c->b = NULL;
}

hw_status circuit_go_on(circuit *c, eval_error *err) {
  hw_status st = HW_OK;
  c->left_at = NULL;
  while (c->b) {
    st = push_slice(c, err);
    if (st == HW_EAGAIN) return HW_OK;
    if (st != HW_OK || c->done == hw_batch_count(&c->b->pub))
      circuit_abandon(c);
    else if (circuit_must_pause(c))
      return HW_OK;
  }
  return st;
}

hw_status circuit_push(circuit *c, uint32_t relation, batch *b, eval_error *err) {
  assert(!c->b);
  node *n = &c->nodes[relation];
  add_count(&n->records, hw_batch_count(&b->pub));
  add_count(&n->batches, 1);
  if (!n->wanted) return HW_OK;
  hw_status st = offer(n, b, err);
  if (st != HW_OK) return st;
  c->b = batch_of(hw_batch_ref(&b->pub));
  c->relation = relation;
  c->done = 0;
  return circuit_go_on(c, err);
}
