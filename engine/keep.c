/* keep.c - what of a pipeline is on disk, and who waits for it.
 *
 * DESIGN
 * What must survive the process is changed in memory first, under the pipeline's
 * lock, and counted in `changed`. When the lock is given up, all that is not on
 * disk yet is put together and posted to the catalog: one write at a time per
 * pipeline, each whole, so that changes that come while one is under way share the
 * next, and one that failed is made good by any later one.
 *
 * A request that must not be answered before the disk has it remembers the count
 * and waits in a list. When a write is done, those it covers get their part; what
 * failed is told to them, while memory goes on with what was asked: a pause holds
 * though the disk is full. Nothing is written again for its own sake after a
 * failure; the next change, or the next request that wants to know, does it, so
 * that a call that changes nothing is not acknowledged while what it found is not
 * on disk.
 *
 * Making and deleting are the other way round. A pipeline is hidden until it is on
 * disk, and gone again when that fails; one that is deleted stays hidden in its
 * place until the disk has forgotten it, and is there again when that fails. */
#include "engine/pipeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct keep_write {
  catalog_write base;              /* first */
  hw_pipeline *pipeline;           /* a reference */
  pipeline_definition *definition; /* a reference; NULL: not in this write */
  char *definition_text, *state_text;
  uint64_t covers;
} keep_write;

typedef struct forget_write {
  catalog_write base;    /* first */
  hw_pipeline *pipeline; /* a reference */
  hw_done *done;
  void *arg;
} forget_write;

/* ---- answering ------------------------------------------------------------- */

static void answer(hw_pipeline *p, request *q, const hw_error *error) {
  q->kept_us = sched_now_us() - q->asked_us;
  request_part(p, q, error);
}

/* Those that waited for a change up to `covered`. */
static void answer_covered(hw_pipeline *p, uint64_t covered, const hw_error *error) {
  pipeline_keep *k = &p->keep;
  while (k->first && k->first->change <= covered) {
    request *q = k->first;
    k->first = q->next_unkept;
    if (!k->first) k->last = &k->first;
    answer(p, q, error);
  }
}

/* From now on nobody waits for the disk. */
static void set_gone(hw_pipeline *p) {
  p->keep.gone = true;
  p->keep.kept = p->keep.changed;
}

/* One that could not be kept at first is not there. */
static void give_up_new(hw_pipeline *p) {
  p->deleted = true;
  engine_remove(p->engine, p);
  set_gone(p);
}

static void settle(hw_pipeline *p, uint64_t covered, const hw_error *error) {
  if (!error) {
    p->keep.kept = covered;
    if (!p->deleted) atomic_store(&p->hidden, false);
  } else if (p->keep.kept == 0) {
    give_up_new(p);
    covered = p->keep.changed; /* there will be no other write */
  } else {
    pipeline_log(p, HW_LOG_ERROR, "%s", error->message);
  }
  answer_covered(p, covered, error);
}

/* ---- writing --------------------------------------------------------------- */

static void keep_write_free(keep_write *w) {
  pipeline_definition_unref(w->definition);
  free(w->definition_text);
  free(w->state_text);
  hw_pipeline_unref(w->pipeline);
  free(w);
}

/* On the catalog's thread. */
static void written(catalog_write *base, const hw_error *error) {
  keep_write *w = (keep_write *)base;
  hw_pipeline *p = w->pipeline;
  pipeline_lock(p);
  p->keep.writing = false;
  settle(p, w->covers, error);
  pipeline_unlock(p);
  keep_write_free(w);
}

static bool add_definition(keep_write *w, hw_pipeline *p) {
  catalog_pipeline *row = &w->base.row.pipeline;
  const pipeline_definition *d = w->definition = pipeline_definition_ref(p->definition);
  row->definition = w->definition_text = keep_definition_text(p, d);
  row->name = d->members[MEMBER_NAME];
  row->code = d->members[MEMBER_CODE];
  row->code_len = d->code_len;
  row->udf_rust = d->members[MEMBER_UDF_RUST];
  row->udf_toml = d->members[MEMBER_UDF_TOML];
  return w->definition_text != NULL;
}

/* All that is not on disk; NULL: no memory. */
static keep_write *gather(hw_pipeline *p) {
  keep_write *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  w->pipeline = hw_pipeline_ref(p);
  w->covers = p->keep.changed;
  w->base = (catalog_write){.kind = CATALOG_PUT_PIPELINE, .done = written};
  memcpy(w->base.row.pipeline.id, p->id, sizeof p->id);
  w->base.row.pipeline.state = w->state_text = keep_state_text(p);
  if (w->state_text && (p->keep.defined <= p->keep.kept || add_definition(w, p))) return w;
  keep_write_free(w);
  return NULL;
}

static void not_gathered(hw_pipeline *p) {
  hw_error err;
  (void)hw_error_code(&err, HW_ENOMEM, "CatalogWriteFailed",
                      "no memory to write pipeline '%s' to the catalog, so that this would not survive a restart",
                      p->name);
  settle(p, p->keep.tried, &err);
}

void pipeline_keep_now(hw_pipeline *p) {
  pipeline_keep *k = &p->keep;
  if (k->kept == k->changed || k->writing || p->deleted) return;
  if (k->tried == k->changed && !k->first) return; /* failed, and nobody asks */
  k->tried = k->changed;
  keep_write *w = gather(p);
  if (!w) {
    not_gathered(p);
    return;
  }
  k->writing = true;
  catalog_post(p->engine->catalog, &w->base);
}

/* ---- changing -------------------------------------------------------------- */

void pipeline_changed(hw_pipeline *p, bool definition) {
  pipeline_keep *k = &p->keep;
  k->changed++;
  if (definition) k->defined = k->changed;
  if (!p->engine->catalog || k->gone) k->kept = k->changed;
}

void pipeline_keep_then(hw_pipeline *p, request *q) {
  pipeline_keep *k = &p->keep;
  if (!q || k->kept == k->changed) return;
  q->change = k->changed;
  q->asked_us = sched_now_us();
  q->parts++;
  q->next_unkept = NULL;
  *k->last = q;
  k->last = &q->next_unkept;
}

void pipeline_want(hw_pipeline *p, deployment_status wanted) {
  if (p->wanted == wanted) return;
  p->wanted = wanted;
  pipeline_changed(p, false);
}

hw_status pipeline_set_switch(hw_pipeline *p, uint32_t connector, connector_switch to, hw_error *err) {
  run *r = p->run;
  if (!r->switches) r->switches = calloc(p->program->n_connectors, sizeof *r->switches);
  if (!r->switches) return hw_error_set(err, HW_ENOMEM, "no memory to pause or start a connector");
  if (r->switches[connector] == to) return HW_OK;
  r->switches[connector] = (uint8_t)to;
  pipeline_changed(p, false);
  return HW_OK;
}

/* ---- forgetting ------------------------------------------------------------ */

/* Whoever still waited for a change of it to be written. */
static void answer_gone(hw_pipeline *p) {
  hw_error err;
  (void)hw_error_code(&err, HW_ENOTFOUND, "UnknownPipelineName", "Unknown pipeline name '%s': it has been deleted",
                      p->name);
  answer_covered(p, p->keep.changed, &err);
  set_gone(p);
}

/* On the catalog's thread, or where there is none on the caller's. */
static void forgotten(catalog_write *base, const hw_error *error) {
  forget_write *w = (forget_write *)base;
  hw_pipeline *p = w->pipeline;
  if (!error) engine_remove(p->engine, p);
  pipeline_lock(p);
  if (error) {
    p->deleted = false;
    atomic_store(&p->hidden, false);
  }
  if (!error) answer_gone(p);
  pipeline_unlock(p);
  const hw_reply reply = {.struct_size = sizeof reply, .status = error ? error->status : HW_OK, .error = error,
                          .position = "", .kept_us = base->waited_us};
  if (w->done) w->done(w->arg, &reply);
  hw_pipeline_unref(p);
  free(w);
}

hw_status pipeline_forget(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  forget_write *w = calloc(1, sizeof *w);
  if (!w) return hw_error_set(err, HW_ENOMEM, "no memory to delete a pipeline");
  w->base = (catalog_write){.kind = CATALOG_DELETE_PIPELINE, .done = forgotten};
  memcpy(w->base.row.pipeline.id, p->id, sizeof p->id);
  w->pipeline = hw_pipeline_ref(p);
  w->done = done;
  w->arg = arg;
  catalog_post(p->engine->catalog, &w->base);
  return HW_OK;
}
