/* deployment_letters.c - bad records that are submitted again.
 *
 * The record is parsed alone, by a parser that knows nothing of what came before it,
 * and its rows come into the table by a producer of their own. So what a format reads
 * only as a part of something larger (a row under a header, an element of an array)
 * makes no row here, and stays where it is. */
#include "runtime/deployment_impl.h"
#include "runtime/report.h"

#include <stdio.h>
#include <string.h>

#define LONG_RECORD 4096u /* bytes of a record that may hold very many rows */

typedef struct verdict {
  hw_report report;
  bool bad;
  char reason[HW_ERROR_MAX / 2];
} verdict;

static void note_bad(hw_report *r, const hw_bad_record *bad) {
  verdict *v = (verdict *)r;
  if (v->bad) return; /* the first fault of a record is what is wrong with it */
  v->bad = true;
  snprintf(v->reason, sizeof v->reason, "%s%s%s%.400s", bad->field ? "column \"" : "", bad->field ? bad->field : "",
           bad->field ? "\": " : "", bad->reason);
}

static const hw_connector *find_input(const deployment *d, const char *endpoint) {
  for (uint32_t i = 0; i < d->program->n_connectors; i++)
    if (d->inputs[i] && strcmp(d->inputs[i]->c.spec->endpoint, endpoint) == 0) return &d->inputs[i]->c;
  for (const input *in = atomic_load(&d->extra_inputs); in; in = in->next_extra)
    if (strcmp(in->c.spec->endpoint, endpoint) == 0) return &in->c;
  return NULL;
}

/* The letter's bytes in a block that b keeps alive; NULL: no memory. */
static const char *keep_bytes(deployment *d, batch *b, const dead_letter *letter) {
  block *bytes = mem_get_essential(&d->rt->mem, letter->raw_len + HW_PARSE_PADDING);
  if (!bytes) return NULL;
  memcpy(bytes->data, letter->raw, letter->raw_len);
  memset(bytes->data + letter->raw_len, 0, HW_PARSE_PADDING);
  bool kept = batch_keep(b, bytes);
  block_unref(bytes);
  return kept ? bytes->data : NULL;
}

/* Whether the record is now so many rows in b, and nothing else. */
static hw_status parse(const hw_connector *c, const char *data, size_t len, batch *b, hw_error *err) {
  const hw_parser_ops *ops = c->spec->format->parser;
  void *parser;
  size_t consumed = 0;
  verdict v = {.report = {note_bad}};
  hw_status st = ops->create(c->format_config, c->schema, &parser, err);
  if (st != HW_OK) return st;
  st = ops->parse(parser, data, len, true, &b->pub, &v.report, &consumed);
  ops->destroy(parser);
  if (st == HW_ENOMEM) return hw_error_set(err, HW_ENOMEM, "no memory to parse a record");
  if (v.bad) return hw_error_set(err, HW_EPARSE, "%s", v.reason);
  if (st != HW_OK || consumed < len || b->pub.n_rows == 0)
    return hw_error_set(err, HW_EPARSE, "format %s makes no row of this record alone, without what came before it",
                        c->spec->format->name);
  return HW_OK;
}

static hw_status read_and_push(deployment *d, const hw_connector *c, hw_producer *p, const dead_letter *letter,
                               hw_error *err) {
  batch *b = batch_new(&d->rt->mem, c->schema, letter->raw_len < LONG_RECORD ? BATCH_ROWS_MIN : BATCH_ROWS_MAX);
  const char *data = b ? keep_bytes(d, b, letter) : NULL;
  hw_status st = data ? parse(c, data, letter->raw_len, b, err)
                      : hw_error_set(err, HW_ENOMEM, "no memory for a record of %s", letter->connector);
  if (st != HW_OK) {
    if (b) hw_batch_unref(&b->pub);
    return st;
  }
  b->fetched_ns = sched_now_ns();
  st = hw_producer_push(p, &b->pub, 0);
  return st == HW_OK ? HW_OK : hw_error_set(err, st, "the pipeline is stopping");
}

hw_status deployment_resubmit(deployment *d, const dead_letter *letter, hw_error *err) {
  const hw_connector *c = find_input(d, letter->connector);
  if (!c || !c->spec->format)
    return hw_error_set(err, HW_ENOTFOUND, "the program has no input connector %s that reads records",
                        letter->connector);
  if (letter->cut)
    return hw_error_set(err, HW_EUNSUPPORTED, "only the first %zu bytes of this record are kept", letter->raw_len);
  hw_producer *p = deployment_producer(d, c->spec->relation, err);
  if (!p) return HW_ENOMEM;
  hw_status st = read_and_push(d, c, p, letter, err);
  hw_producer_close(p);
  return st;
}
