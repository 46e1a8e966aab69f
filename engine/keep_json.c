/* keep_json.c - a pipeline as the catalog keeps it: what it is (definition), and
 * what is wanted of it (state), each a JSON object. Members that are missing are
 * as in a new pipeline, members that nobody knows are left alone, so that versions
 * may add some. */
#include "engine/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- writing --------------------------------------------------------------- */

static char *dump(json_t *object) {
  char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
  json_decref(object);
  return text;
}

/* Settings are JSON texts inside: they are kept to the letter. */
char *keep_definition_text(const hw_pipeline *p, const pipeline_definition *d) {
  return dump(json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:I}", "description", d->members[MEMBER_DESCRIPTION],
                        "tags", d->members[MEMBER_TAGS], "runtime_config", d->members[MEMBER_RUNTIME_CONFIG],
                        "program_config", d->members[MEMBER_PROGRAM_CONFIG], "version", (json_int_t)d->version,
                        "program_version", (json_int_t)d->program_version, "platform_version", d->platform_version,
                        "created_at_us", (json_int_t)p->created_at_us));
}

json_t *keep_switches(const hw_pipeline *p) {
  if (p->restored) return json_incref(p->restored);
  json_t *object = json_object();
  const uint8_t *set = p->run ? p->run->switches : NULL;
  for (uint32_t i = 0; set && object && i < p->program->n_connectors; i++) {
    if (set[i] == SWITCH_UNTOUCHED) continue;
    if (json_object_set_new(object, p->program->connectors[i].endpoint, json_boolean(set[i] == SWITCH_PAUSED)) == 0)
      continue;
    json_decref(object);
    return NULL;
  }
  return object;
}

static json_t *error_object(const hw_error *error) {
  if (error->status == HW_OK) return json_null();
  return json_pack("{s:i, s:s, s:s}", "status", (int)error->status, "error_code", error->code, "message",
                   error->message);
}

char *keep_state_text(const hw_pipeline *p) {
  return dump(json_pack("{s:s, s:b, s:b, s:i, s:b, s:b, s:I, s:o, s:o}", "wanted", deployment_status_name(p->wanted),
                        "initial_running", p->initial == HW_RUNNING, "storage_in_use", p->storage_in_use,
                        "bootstrap_policy", (int)p->bootstrap.policy, "silent_bootstrap", p->bootstrap.silent,
                        "concurrent_bootstrap", p->bootstrap.concurrent, "refresh_version",
                        (json_int_t)p->refresh_version, "error", error_object(&p->deployment_error), "connectors",
                        keep_switches(p)));
}

/* ---- reading --------------------------------------------------------------- */

static hw_status malformed(const char *name, const char *what, hw_error *err) {
  return hw_error_code(err, HW_EIO, "CatalogUnavailable", "the catalog's record of pipeline '%.80s' is malformed: %s",
                       name, what);
}

static const char *text_of(const json_t *object, const char *key, const char *fallback) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : fallback;
}

static void read_error(hw_pipeline *p, const json_t *error) {
  json_int_t status = json_integer_value(json_object_get(error, "status"));
  if (status <= HW_OK || status > HW_ECOMPILE) return;
  (void)hw_error_code(&p->deployment_error, (hw_status)status, text_of(error, "error_code", ""), "%s",
                      text_of(error, "message", ""));
}

static deployment_status read_wanted(const json_t *state) {
  const char *word = text_of(state, "wanted", "Stopped");
  if (strcmp(word, "Running") == 0) return DEPLOYMENT_RUNNING;
  return strcmp(word, "Paused") == 0 ? DEPLOYMENT_PAUSED : DEPLOYMENT_STOPPED;
}

static void read_bootstrap(hw_pipeline *p, const json_t *state) {
  json_int_t policy = json_integer_value(json_object_get(state, "bootstrap_policy"));
  if (policy >= BOOTSTRAP_AWAIT_APPROVAL && policy <= BOOTSTRAP_REJECT) p->bootstrap.policy = (bootstrap_policy)policy;
  p->bootstrap.silent = json_is_true(json_object_get(state, "silent_bootstrap"));
  p->bootstrap.concurrent = json_is_true(json_object_get(state, "concurrent_bootstrap"));
}

hw_status keep_read_state(hw_pipeline *p, const char *text, hw_error *err) {
  json_t *state = json_loads(text, 0, NULL);
  if (!json_is_object(state)) {
    json_decref(state);
    return malformed(p->name, "its state is no JSON object", err);
  }
  json_int_t refresh = json_integer_value(json_object_get(state, "refresh_version"));
  if (refresh > 0) p->refresh_version = (uint64_t)refresh;
  p->wanted = read_wanted(state);
  p->initial = json_is_true(json_object_get(state, "initial_running")) ? HW_RUNNING : HW_PAUSED;
  p->storage_in_use = json_is_true(json_object_get(state, "storage_in_use"));
  read_bootstrap(p, state);
  read_error(p, json_object_get(state, "error"));
  json_t *connectors = json_object_get(state, "connectors");
  if (json_object_size(connectors) > 0) p->restored = json_incref(connectors);
  json_decref(state);
  return HW_OK;
}

static uint64_t count_of(const json_t *object, const char *key) {
  json_int_t n = json_integer_value(json_object_get(object, key));
  return n > 0 ? (uint64_t)n : 1;
}

static pipeline_definition *read_definition(const catalog_pipeline *row, const json_t *kept) {
  const pipeline_spec spec = {
      .members = {[MEMBER_NAME] = row->name,
                  [MEMBER_DESCRIPTION] = text_of(kept, "description", NULL),
                  [MEMBER_TAGS] = text_of(kept, "tags", NULL),
                  [MEMBER_RUNTIME_CONFIG] = text_of(kept, "runtime_config", NULL),
                  [MEMBER_PROGRAM_CONFIG] = text_of(kept, "program_config", NULL),
                  [MEMBER_CODE] = row->code,
                  [MEMBER_UDF_RUST] = row->udf_rust,
                  [MEMBER_UDF_TOML] = row->udf_toml},
      .code_len = row->code_len,
  };
  pipeline_definition *d = pipeline_definition_new(NULL, &spec);
  if (!d) return NULL;
  d->version = count_of(kept, "version");
  d->program_version = count_of(kept, "program_version");
  snprintf(d->platform_version, sizeof d->platform_version, "%s", text_of(kept, "platform_version", PACKAGE_VERSION));
  return d;
}

static hw_status read_pipeline(hw_engine *engine, const catalog_pipeline *row, const json_t *kept, hw_pipeline **out,
                               hw_error *err) {
  pipeline_definition *d = read_definition(row, kept);
  if (!d) return hw_error_set(err, HW_ENOMEM, "no memory to read pipeline '%s' from the catalog", row->name);
  hw_error why;
  *out = pipeline_new(engine, d, row->id, &why);
  if (!*out) {
    *err = why;
    return why.status;
  }
  json_int_t created = json_integer_value(json_object_get(kept, "created_at_us"));
  if (created > 0) (*out)->created_at_us = created;
  (*out)->keep.changed = (*out)->keep.kept = (*out)->keep.tried = 1; /* it is on disk */
  return row->state ? keep_read_state(*out, row->state, err) : HW_OK;
}

hw_pipeline *keep_read_pipeline(hw_engine *engine, const catalog_pipeline *row, hw_error *err) {
  hw_pipeline *p = NULL;
  json_t *kept = json_loads(row->definition, 0, NULL);
  hw_status status = json_is_object(kept) ? read_pipeline(engine, row, kept, &p, err)
                                          : malformed(row->name, "it is no JSON object", err);
  json_decref(kept);
  if (status == HW_OK) return p;
  hw_pipeline_unref(p);
  return NULL;
}
