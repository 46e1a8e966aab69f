/* edit.c - changing what a pipeline is made of (manager_edit).
 *
 *   description, tags    any time; counts in no version
 *   all else             only when Stopped, and meant to be; counts in version
 *   what names or sizes  not while there is storage: it was made for it
 *   what is compiled     counts in program_version, and is compiled anew
 *
 * An edit is in effect at once, and answered when it is on disk. */
#include "engine/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parts of runtime_config that storage depends on; a NULL ends a path. */
static const char *const bound_to_storage[][2] = {
    {"workers", NULL},
    {"hosts", NULL},
    {"fault_tolerance", NULL},
    {"clock_timezone_offset", NULL},
    {"resources", "storage_mb_max"},
    {"resources", "namespace"},
    {"resources", "storage_class"},
};

/* What an edit would change. */
typedef struct edit {
  bool member[PIPELINE_MEMBERS];
  bool any, core, program;
} edit;

static edit compare(const pipeline_definition *d, const pipeline_spec *spec, bool replace) {
  edit e = {0};
  for (int m = 0; m < PIPELINE_MEMBERS; m++) {
    e.member[m] = pipeline_spec_changes(spec, d, (pipeline_member)m);
    e.any |= e.member[m];
  }
  bool platform = replace && strcmp(d->platform_version, PACKAGE_VERSION) != 0;
  e.program =
      platform || e.member[MEMBER_CODE] || e.member[MEMBER_UDF_RUST] || e.member[MEMBER_UDF_TOML] ||
      e.member[MEMBER_PROGRAM_CONFIG];
  e.core = e.program || e.member[MEMBER_NAME] || e.member[MEMBER_RUNTIME_CONFIG];
  e.any |= platform;
  return e;
}

/* ---- what may be edited ---------------------------------------------------- */

/* Adds "`name`" to a list that is separated by commas, as far as there is room. */
static void add_field(char *list, const char *prefix, const char *outer, const char *inner) {
  size_t at = strlen(list);
  snprintf(list + at, EDIT_FIELDS_MAX - at, "%s`%s%s%s%s`", at ? "," : "", prefix, outer, inner ? "." : "",
           inner ? inner : "");
}

static const json_t *part(const json_t *config, const char *const path[2]) {
  const json_t *outer = json_object_get(config, path[0]);
  return path[1] ? json_object_get(outer, path[1]) : outer;
}

/* Missing is null. */
static bool same(const json_t *a, const json_t *b) {
  bool no_a = !a || json_is_null(a), no_b = !b || json_is_null(b);
  return no_a || no_b ? no_a && no_b : json_equal(a, b);
}

static void add_bound_parts(char *list, const char *from, const char *to) {
  json_t *before = json_loads(from, 0, NULL), *after = json_loads(to, 0, NULL);
  for (size_t i = 0; i < sizeof bound_to_storage / sizeof *bound_to_storage; i++) {
    const char *const *path = bound_to_storage[i];
    if (!same(part(before, path), part(after, path))) add_field(list, "runtime_config.", path[0], path[1]);
  }
  json_decref(before);
  json_decref(after);
}

static hw_status check_storage(const hw_pipeline *p, const edit *e, const pipeline_spec *spec, char *not_allowed,
                               hw_error *err) {
  not_allowed[0] = '\0';
  if (!p->storage_in_use) return HW_OK;
  if (e->member[MEMBER_NAME]) add_field(not_allowed, "", "name", NULL);
  if (e->member[MEMBER_RUNTIME_CONFIG])
    add_bound_parts(not_allowed, p->definition->members[MEMBER_RUNTIME_CONFIG], spec->members[MEMBER_RUNTIME_CONFIG]);
  if (!not_allowed[0]) return HW_OK;
  return hw_error_code(err, HW_ESTATE, "EditRestrictedToClearedStorage",
                       "pipeline '%s' has storage in use, for which it was made as it is: clear it, with "
                       "POST /v0/pipelines/%s/clear, before you edit %s", p->name, p->name, not_allowed);
}

static hw_status check_edit(const hw_pipeline *p, const edit *e, const pipeline_spec *spec, char *not_allowed,
                            hw_error *err) {
  if (p->deleted)
    return hw_error_code(err, HW_ENOTFOUND, "UnknownPipelineName", "Unknown pipeline name '%s'", p->name);
  if (!e->core) return HW_OK;
  if (pipeline_check_stays(p, err) != HW_OK) return HW_ESTATE;
  if (p->run)
    return hw_error_code(err, HW_ESTATE, "UpdateRestrictedToStopped",
                         "pipeline '%s' is %s (desired: %s): stop it before you edit more than its description and "
                         "tags", p->name, deployment_status_name(p->status), deployment_status_name(p->desired));
  if (e->program && p->listeners)
    return hw_error_code(err, HW_ESTATE, "UpdateRestrictedToStopped",
                         "pipeline '%s' has listeners in this process: close them before you edit its program",
                         p->name);
  return check_storage(p, e, spec, not_allowed, err);
}

/* ---- editing: lock held ---------------------------------------------------- */

static hw_status no_memory(const hw_pipeline *p, hw_error *err) {
  return hw_error_set(err, HW_ENOMEM, "no memory to edit pipeline '%s'", p->name);
}

static hw_status take_name(hw_pipeline *p, const pipeline_definition *d, hw_error *err) {
  const char *name = pipeline_intern_name(p, d->members[MEMBER_NAME]);
  return name ? engine_rename(p->engine, p, name, err) : no_memory(p, err);
}

static void forget_program(hw_pipeline *p) {
  program_unref(p->program);
  p->program = NULL;
  program_messages_fini(&p->messages);
  p->messages = (program_messages){0};
  if (p->program_status != PROGRAM_PENDING)
    pipeline_set_program_status(p, PROGRAM_PENDING);
  else
    pipeline_touch(p);
}

static pipeline_definition *edited(const hw_pipeline *p, const edit *e, const pipeline_spec *spec, bool replace) {
  pipeline_definition *d = pipeline_definition_new(p->definition, spec);
  if (!d) return NULL;
  d->version += e->core;
  d->program_version += e->program;
  if (replace) snprintf(d->platform_version, sizeof d->platform_version, "%s", PACKAGE_VERSION);
  return d;
}

static hw_status apply(hw_pipeline *p, const edit *e, const pipeline_spec *spec, bool replace, hw_error *err) {
  if (!e->any) return HW_OK;
  pipeline_definition *d = edited(p, e, spec, replace);
  if (!d) return no_memory(p, err);
  hw_status status = e->member[MEMBER_NAME] ? take_name(p, d, err) : HW_OK;
  if (status != HW_OK) {
    pipeline_definition_unref(d);
    return status;
  }
  pipeline_definition_unref(p->definition);
  p->definition = d;
  pipeline_changed(p, true);
  if (e->program)
    forget_program(p);
  else
    pipeline_touch(p);
  return HW_OK;
}

/* Lock held. */
static hw_status edit_locked(hw_pipeline *p, const pipeline_spec *spec, bool replace, char *not_allowed, bool *compile,
                             hw_error *err) {
  edit e = compare(p->definition, spec, replace);
  hw_status status = check_edit(p, &e, spec, not_allowed, err);
  if (status == HW_OK) status = apply(p, &e, spec, replace, err);
  *compile = status == HW_OK && e.program;
  return status;
}

/* The edit is in effect, but nobody compiles it: that is told as the program's fault. */
static void not_compiled(hw_pipeline *p) {
  pipeline_lock(p);
  if (p->program_status == PROGRAM_PENDING) {
    pipeline_set_program_status(p, PROGRAM_COMPILING_SQL);
    pipeline_set_program_status(p, PROGRAM_SYSTEM_ERROR);
  }
  pipeline_unlock(p);
}

hw_status manager_edit(hw_pipeline *p, const pipeline_spec *spec, bool replace, char not_allowed[EDIT_FIELDS_MAX],
                       hw_done *done, void *arg, hw_error *err) {
  char fields[EDIT_FIELDS_MAX];
  bool compile;
  hw_status status = pipeline_spec_check(spec, err);
  if (status != HW_OK) return status;
  request *q = done ? request_new(done, arg, false, err) : NULL;
  if (done && !q) return HW_ENOMEM;
  pipeline_lock(p);
  status = edit_locked(p, spec, replace, not_allowed ? not_allowed : fields, &compile, err);
  if (status == HW_OK) {
    pipeline_keep_then(p, q);
    request_answer(p, q, NULL);
  } else {
    request_free(q);
  }
  pipeline_unlock(p);
  if (compile && pipeline_compile_later(p, NULL) != HW_OK) not_compiled(p);
  return status;
}
