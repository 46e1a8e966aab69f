#include "runtime/ahead.h"
#include "runtime/report.h"

#include <stdlib.h>
#include <string.h>

#define ALONE_FIRST 4u
#define ALONE_MOST 256u
#define QUEUE_SHORT 1u /* batches: a longer queue says that parsing is not what is waited for */

static piece *at(ahead *a, uint32_t i) { return &a->pieces[(a->first + i) % AHEAD_PIECES]; }

/* ---- parsing a piece, on whatever thread ------------------------------------ */

typedef struct piece_report {
  hw_report report;
  bool bad;
} piece_report;

static void note_bad(hw_report *r, const hw_bad_record *bad) {
  (void)bad;
  ((piece_report *)r)->bad = true;
}

static batch *add_batch(piece *p) {
  batch *b = batch_new(&p->in->c.rt->mem, p->in->c.schema, p->rows);
  if (!b) return NULL;
  if (p->rows < b->pub.capacity) b->pub.capacity = p->rows;
  b->fetched_ns = p->fetched_ns;
  *p->last = b;
  p->last = &b->unit_next;
  return batch_keep(b, p->buf) ? b : NULL;
}

/* One batch from *used on; false: the piece is not exact. */
static bool parse_batch(piece *p, size_t *used) {
  batch *b = add_batch(p);
  if (!b) return false;
  piece_report pr = {.report = {note_bad}};
  size_t consumed = 0;
  hw_status st = p->in->c.spec->format->parser->parse(p->parser, p->data + *used, p->len - *used, false, &b->pub,
                                                      &pr.report, &consumed);
  *used += consumed;
  b->source_bytes = consumed;
  return st == HW_OK && !pr.bad && (*used == p->len || b->pub.n_rows == b->pub.capacity);
}

static bool parse_all(piece *p) {
  for (size_t used = 0; used < p->len;)
    if (!parse_batch(p, &used)) return false;
  return true;
}

static void drop_parser(piece *p) {
  if (p->parser) p->in->c.spec->format->parser->destroy(p->parser);
  p->parser = NULL;
}

/* A parser that stopped midway is not as a new one is. */
static void parse(piece *p) {
  p->exact = p->parser && parse_all(p);
  if (!p->exact) drop_parser(p);
}

static void parse_on_worker(task *t) {
  piece *p = (piece *)t;
  input *in = p->in;
  parse(p);
  atomic_store(&p->done, true); /* from here on p is the input's */
  task_notify(&in->c.task);
  input_unuse(in);
}

/* ---- pieces in order, the input's task --------------------------------------- */

ahead *ahead_new(input *in) {
  ahead *a = calloc(1, sizeof *a);
  if (!a) return NULL;
  a->in = in;
  a->alone_next = ALONE_FIRST;
  return a;
}

static void let_go(piece *p) {
  queue_drop(p->first);
  p->first = NULL;
  block_unref(p->buf);
  p->buf = NULL;
}

void ahead_free(ahead *a) {
  if (!a) return;
  for (uint32_t i = 0; i < AHEAD_PIECES; i++) {
    let_go(&a->pieces[i]);
    drop_parser(&a->pieces[i]);
  }
  free(a);
}

bool ahead_wants(ahead *a) {
  if (ahead_is_full(a) || sched_is_crowded(a->in->c.rt->sched)) return false;
  if (a->n) return true;
  if (!sched_has_free_core(a->in->c.rt->sched)) return false;
  if (queue_waiting_batches(&a->in->source.queue) > QUEUE_SHORT) return false;
  if (!a->alone) return true;
  a->alone--;
  return false;
}

/* It reads on as `from` does; without memory there is none, and the piece will not be exact. */
static void prepare_parser(piece *p, const void *from) {
  const hw_connector *c = &p->in->c;
  const hw_format *format = c->spec->format;
  hw_error err = {0};
  if (!p->parser && format->parser->create(c->format_config, c->schema, &p->parser, &err) != HW_OK) p->parser = NULL;
  if (p->parser && format->follow && format->follow(p->parser, from) != HW_OK) drop_parser(p);
}

void ahead_add(ahead *a, const void *parser, block *buf, const char *data, size_t len, uint32_t rows) {
  piece *p = at(a, a->n++);
  p->in = a->in;
  prepare_parser(p, parser);
  p->buf = buf;
  p->data = data;
  p->len = len;
  p->rows = rows;
  p->fetched_ns = a->in->now_ns;
  p->first = NULL;
  p->last = &p->first;
  atomic_store(&p->done, false);
  atomic_fetch_add(&a->in->uses, 1);
  task_init(&p->task, a->in->c.rt->sched, NULL, false);
  task_close(&p->task, parse_on_worker); /* a task of one turn, its last: afterwards its memory is ours */
}

batch *piece_take(piece *p) {
  batch *b = p->first;
  p->first = b->unit_next;
  b->unit_next = NULL;
  p->data += b->source_bytes;
  p->len -= (size_t)b->source_bytes;
  return b;
}

static void drop_first(ahead *a) {
  let_go(at(a, 0));
  a->first = (a->first + 1) % AHEAD_PIECES;
  a->n--;
}

void ahead_drop_first(ahead *a) {
  drop_first(a);
  if (a->alone_next > ALONE_FIRST) a->alone_next--;
}

bool ahead_all_done(ahead *a) {
  for (uint32_t i = 0; i < a->n; i++)
    if (!atomic_load(&at(a, i)->done)) return false;
  return true;
}

size_t ahead_bytes(ahead *a) {
  size_t sum = 0;
  for (uint32_t i = 0; i < a->n; i++) sum += at(a, i)->len;
  return sum;
}

void ahead_take_back(ahead *a, char *to) {
  for (; a->n; drop_first(a)) {
    const piece *p = at(a, 0);
    memcpy(to, p->data, p->len);
    to += p->len;
  }
  a->alone = a->alone_next;
  if (a->alone_next < ALONE_MOST) a->alone_next *= 2;
}
