/* manager.c - making, clearing and deleting pipelines (manager.h). */
#include "engine/manager.h"

#include "engine/pipeline.h"

#include <string.h>

#include <stdio.h>

/* ---- making -------------------------------------------------------------- */

hw_status manager_create(hw_engine *engine, const char *name, const char *description, const char *code, size_t len,
                         hw_pipeline **out, hw_error *err) {
  hw_error why;
  *out = NULL;
  hw_pipeline *p = pipeline_new(engine, name, description, code, len, &why);
  if (!p) goto refused;
  if (engine_add(engine, p, &why) != HW_OK) goto not_added;
  if (pipeline_compile_later(p, &why) != HW_OK) goto not_compiled;
  *out = p;
  return HW_OK;

not_compiled:
  engine_remove(engine, p);
not_added:
  hw_pipeline_unref(p);
refused:
  if (err) *err = why;
  return why.status;
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

hw_status hw_pipeline_create(hw_engine *engine, const char *name, const char *code, size_t len, hw_pipeline **out,
                             hw_error *err) {
  hw_error why;
  *out = NULL;
  if (engine_check_name_free(engine, name, &why) != HW_OK) goto refused; /* before the work */
  hw_pipeline *p = pipeline_new(engine, name, NULL, code, len, &why);
  if (!p) goto refused;
  pipeline_compile(p);
  if (p->program_status != PROGRAM_SUCCESS) { /* nobody else knows it yet: no lock needed */
    (void)tell_faults(&p->messages, &why);
    goto not_added;
  }
  if (engine_add(engine, p, &why) != HW_OK) goto not_added;
  *out = p;
  return HW_OK;

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

hw_status manager_clear(hw_pipeline *p, hw_error *err) {
  hw_status status = HW_OK;
  pipeline_lock(p);
  if (!fully_stopped(p)) {
    status = not_stopped(p, "StorageStatusImmutableUnlessStopped", "its storage can be cleared", err);
  } else if (p->storage_in_use) {
    p->storage_in_use = false;
    pipeline_touch(p);
  }
  pipeline_unlock(p);
  return status;
}

hw_status manager_dismiss_error(hw_pipeline *p, hw_error *err) {
  hw_status status = HW_OK;
  pipeline_lock(p);
  bool any = p->deployment_error.status != HW_OK;
  if (any && !fully_stopped(p)) {
    status = not_stopped(p, "DismissErrorRestrictedToFullyStopped", "its error can be dismissed", err);
  } else if (any) {
    p->deployment_error = (hw_error){.status = HW_OK};
    pipeline_touch(p);
  }
  pipeline_unlock(p);
  return status;
}

hw_status pipeline_set_settings(hw_pipeline *p, const char *text) {
  char *copy = strdup(text);
  if (!copy) return HW_ENOMEM;
  pipeline_lock(p);
  char *old = p->settings;
  p->settings = copy;
  pipeline_unlock(p);
  free(old);
  return HW_OK;
}

static hw_status delete(hw_pipeline *p, bool also_storage, hw_error *err) {
  hw_status status = HW_OK;
  pipeline_lock(p);
  if (p->deleted)
    status = hw_error_code(err, HW_ENOTFOUND, "UnknownPipelineName", "Unknown pipeline name '%s'", p->name);
  else if (!fully_stopped(p))
    status = not_stopped(p, "DeleteRestrictedToFullyStopped", "it can be deleted", err);
  else if (p->storage_in_use && !also_storage)
    status = hw_error_code(err, HW_ESTATE, "DeleteRestrictedToClearedStorage",
                           "pipeline '%s' has storage in use: clear it before the pipeline can be deleted", p->name);
  else
    p->deleted = true;
  pipeline_unlock(p);
  if (status == HW_OK) engine_remove(p->engine, p);
  return status;
}

hw_status manager_delete(hw_pipeline *p, hw_error *err) { return delete(p, false, err); }
hw_status hw_pipeline_delete(hw_pipeline *p, hw_error *err) { return delete(p, true, err); }

/* ---- what survives the process -------------------------------------------- */

hw_status manager_open_catalog(hw_engine *engine, const char *directory, hw_error *err) {
  hw_error why;
  engine->catalog = catalog_open(directory, &why);
  if (engine->catalog) return HW_OK;
  if (err) *err = why;
  return why.status;
}

catalog *manager_catalog(hw_engine *engine) { return engine->catalog; }
