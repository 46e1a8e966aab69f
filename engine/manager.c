/* manager.c - making, clearing and deleting pipelines (manager.h). */
#include "engine/manager.h"

#include "engine/pipeline.h"

#include <string.h>

#include <stdio.h>

/* ---- making -------------------------------------------------------------- */

static hw_pipeline *new_pipeline(hw_engine *engine, const pipeline_spec *spec, hw_error *err) {
  pipeline_definition *d = pipeline_definition_new(NULL, spec);
  if (d) return pipeline_new(engine, d, NULL, err);
  (void)hw_error_set(err, HW_ENOMEM, "no memory for a pipeline");
  return NULL;
}

/* From here on it is on its way to the disk; until it is there nobody finds it. */
static void keep_new(hw_pipeline *p, request *q) {
  pipeline_lock(p);
  pipeline_changed(p, true);
  pipeline_keep_then(p, q);
  request_answer(p, q, NULL);
  pipeline_unlock(p);
}

static hw_status add_new(hw_engine *engine, hw_pipeline *p, hw_error *err) {
  atomic_store(&p->hidden, engine->catalog != NULL);
  return engine_add(engine, p, err);
}

static hw_status create(hw_engine *engine, const pipeline_spec *spec, hw_pipeline **out, request *q, hw_error *err) {
  *out = NULL;
  hw_pipeline *p = new_pipeline(engine, spec, err);
  if (!p) return err->status;
  if (add_new(engine, p, err) != HW_OK) goto not_added;
  if (pipeline_compile_later(p, err) != HW_OK) goto not_compiled;
  *out = p;
  keep_new(p, q);
  return HW_OK;

not_compiled:
  engine_remove(engine, p);
not_added:
  hw_pipeline_unref(p);
  return err->status;
}

/* A name must be given. */
static hw_status check_spec(const pipeline_spec *spec, hw_error *err) {
  if (!spec->members[MEMBER_NAME])
    return hw_error_code(err, HW_EINVAL, "EmptyName", "the name of a pipeline must not be empty");
  return pipeline_spec_check(spec, err);
}

hw_status manager_create(hw_engine *engine, const pipeline_spec *spec, hw_pipeline **out, hw_done *done, void *arg,
                         hw_error *err) {
  hw_error why;
  *out = NULL;
  hw_status status = check_spec(spec, &why);
  request *q = status == HW_OK && done ? request_new(done, arg, false, &why) : NULL;
  if (status == HW_OK && done && !q) status = HW_ENOMEM;
  if (status == HW_OK) {
    status = create(engine, spec, out, q, &why);
    if (status != HW_OK) request_free(q);
  }
  if (status != HW_OK && err) *err = why;
  return status;
}

/* The faults as text, as far as there is room. */
static hw_status tell_faults(const program_messages *ms, hw_error *err) {
  char text[HW_ERROR_MAX];
  size_t at = 0;
  for (uint32_t i = 0; i < ms->n && at < sizeof text; i++) {
    const program_message *m = &ms->items[i];
    if (!m->warning)
      at += (size_t)snprintf(text + at, sizeof text - at, "%sline %d, column %d: %s\n%s", at ? "\n" : "", m->line,
                             m->column, m->message, m->snippet);
  }
  if (at == 0) snprintf(text, sizeof text, "out of memory while compiling");
  return hw_error_set(err, HW_ECOMPILE, "%s", text);
}

/* Waits until it is on disk, where something is kept. */
static hw_status keep_and_wait(hw_pipeline *p, hw_error *err) {
  waiter w;
  waiter_init(&w);
  request *q = request_new(waiter_done, &w, false, err);
  if (q) keep_new(p, q);
  return waiter_finish(&w, q ? HW_OK : HW_ENOMEM, err);
}

hw_status hw_pipeline_create(hw_engine *engine, const char *name, const char *code, size_t len, hw_pipeline **out,
                             hw_error *err) {
  const pipeline_spec spec = {.members = {[MEMBER_NAME] = name, [MEMBER_CODE] = code}, .code_len = len};
  hw_error why;
  *out = NULL;
  if (check_spec(&spec, &why) != HW_OK || engine_check_name_free(engine, name, &why) != HW_OK) goto refused;
  hw_pipeline *p = new_pipeline(engine, &spec, &why);
  if (!p) goto refused;
  pipeline_compile(p);
  if (p->program_status != PROGRAM_SUCCESS) { /* nobody else knows it yet: no lock needed */
    (void)tell_faults(&p->messages, &why);
    goto not_added;
  }
  if (add_new(engine, p, &why) != HW_OK) goto not_added;
  if (keep_and_wait(p, &why) != HW_OK) goto not_kept;
  *out = p;
  return HW_OK;

not_kept:
  engine_remove(engine, p);
not_added:
  hw_pipeline_unref(p);
refused:
  if (err) *err = why;
  return why.status;
}

/* ---- when stopped -------------------------------------------------------- */

static bool fully_stopped(const hw_pipeline *p) { return p->run == NULL; }

static hw_status not_stopped(const hw_pipeline *p, const char *code, const char *what, hw_error *err) {
  return hw_error_code(err, HW_ESTATE, code, "pipeline '%s' is %s (desired: %s): stop it before %s", p->name,
                       deployment_status_name(p->status), deployment_status_name(p->desired), what);
}

/* A change that is made, or refused, under the lock. */
typedef hw_status change(hw_pipeline *p, hw_error *err);

static hw_status make_change(hw_pipeline *p, change *make, hw_done *done, void *arg, hw_error *err) {
  request *q = done ? request_new(done, arg, false, err) : NULL;
  if (done && !q) return HW_ENOMEM;
  pipeline_lock(p);
  hw_status status = make(p, err);
  if (status == HW_OK) {
    pipeline_keep_then(p, q);
    request_answer(p, q, NULL);
  } else {
    request_free(q);
  }
  pipeline_unlock(p);
  return status;
}

static hw_status clear(hw_pipeline *p, hw_error *err) {
  if (pipeline_check_stays(p, err) != HW_OK) return HW_ESTATE;
  if (!fully_stopped(p))
    return not_stopped(p, "StorageStatusImmutableUnlessStopped", "its storage can be cleared", err);
  pipeline_set_storage(p, false);
  return HW_OK;
}

hw_status manager_clear(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  return make_change(p, clear, done, arg, err);
}

static hw_status dismiss_error(hw_pipeline *p, hw_error *err) {
  if (p->deployment_error.status == HW_OK) return HW_OK;
  if (!fully_stopped(p))
    return not_stopped(p, "DismissErrorRestrictedToFullyStopped", "its error can be dismissed", err);
  pipeline_set_error(p, NULL);
  return HW_OK;
}

hw_status manager_dismiss_error(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  return make_change(p, dismiss_error, done, arg, err);
}

/* ---- deleting -------------------------------------------------------------- */

static hw_status check_delete(const hw_pipeline *p, bool also_storage, hw_error *err) {
  if (p->deleted)
    return hw_error_code(err, HW_ENOTFOUND, "UnknownPipelineName", "Unknown pipeline name '%s'", p->name);
  if (pipeline_check_stays(p, err) != HW_OK) return HW_ESTATE;
  if (!fully_stopped(p)) return not_stopped(p, "DeleteRestrictedToFullyStopped", "it can be deleted", err);
  if (p->storage_in_use && !also_storage)
    return hw_error_code(err, HW_ESTATE, "DeleteRestrictedToClearedStorage",
                         "pipeline '%s' has storage in use: clear it, with "
                         "POST /v0/pipelines/%s/clear, before you delete it",
                         p->name, p->name);
  return HW_OK;
}

/* Nobody finds it, nothing can be started; its name is free when it is forgotten. */
static void set_deleted(hw_pipeline *p, bool deleted) {
  p->deleted = deleted;
  atomic_store(&p->hidden, deleted);
}

static hw_status delete(hw_pipeline *p, bool also_storage, hw_done *done, void *arg, hw_error *err) {
  pipeline_lock(p);
  hw_status status = check_delete(p, also_storage, err);
  if (status == HW_OK) set_deleted(p, true);
  pipeline_unlock(p);
  if (status != HW_OK) return status;
  status = pipeline_forget(p, done, arg, err);
  if (status == HW_OK) return status;
  pipeline_lock(p);
  set_deleted(p, false);
  pipeline_unlock(p);
  return status;
}

hw_status manager_delete(hw_pipeline *p, hw_done *done, void *arg, hw_error *err) {
  return delete(p, false, done, arg, err);
}

hw_status hw_pipeline_delete(hw_pipeline *p, hw_error *err) {
  waiter w;
  waiter_init(&w);
  return waiter_finish(&w, delete(p, true, waiter_done, &w, err), err);
}

/* ---- what survives the process -------------------------------------------- */

static hw_status restore(void *arg, const catalog_pipeline *row, hw_error *err) {
  hw_engine *engine = arg;
  hw_pipeline *p = keep_read_pipeline(engine, row, err);
  if (!p) return err->status;
  hw_status status = engine_add(engine, p, err);
  hw_pipeline_unref(p);
  return status;
}

/* Nobody else knows the pipelines yet. */
static hw_status resume_all(hw_engine *engine, hw_error *err) {
  hw_status status = HW_OK;
  for (size_t i = 0; i < engine->n_pipelines && status == HW_OK; i++) {
    hw_pipeline *p = engine->pipelines[i];
    if (p->wanted != DEPLOYMENT_STOPPED) status = run_restore(p, err);
    if (status == HW_OK) status = pipeline_compile_later(p, err);
  }
  return status;
}

hw_status manager_open_catalog(hw_engine *engine, const char *directory, hw_error *err) {
  hw_error why;
  engine->catalog = catalog_open(directory, &why);
  if (engine->catalog && catalog_load_pipelines(engine->catalog, restore, engine, &why) == HW_OK &&
      resume_all(engine, &why) == HW_OK)
    return HW_OK;
  if (err) *err = why;
  return why.status;
}

catalog *manager_catalog(hw_engine *engine) { return engine->catalog; }
