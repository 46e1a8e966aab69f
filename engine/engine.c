/* engine.c - an engine: its threads and memory, and its pipelines by name. */
#include "engine/engine.h"

#include "engine/pipeline.h"
#include "runtime/registry.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_TIMEOUT_DEFAULT_MS 10000
#define OPTIONS_SIZE_MIN (offsetof(hw_engine_options, log_arg) + sizeof(void *)) /* of version 0.1 */

const char *hw_version(void) { return PACKAGE_VERSION; }

/* ---- life ---------------------------------------------------------------- */

/* Options of any size, as ours: what the caller does not know of is 0. */
static hw_status read_options(hw_engine_options *out, const hw_engine_options *options, hw_error *err) {
  *out = (hw_engine_options){.log_level = HW_LOG_INFO};
  if (!options) return HW_OK;
  if (options->struct_size < OPTIONS_SIZE_MIN)
    return hw_error_set(err, HW_EINVAL, "hw_engine_options.struct_size is %u: set it to sizeof(hw_engine_options)",
                        options->struct_size);
  memcpy(out, options, options->struct_size < sizeof *out ? options->struct_size : sizeof *out);
  return HW_OK;
}

static runtime *make_runtime(const hw_engine_options *o, hw_error *err) {
  return runtime_new(&(runtime_options){.workers = o->workers, .worker_nice = o->worker_nice,
                                        .memory_limit = o->memory_limit,
                                        .state_limit = o->state_limit,
                                        .query_limit = o->query_limit,
                                        .pause_timeout_us = (uint64_t)o->pause_timeout_ms * 1000,
                                        .log_level = o->log_level, .log = o->log, .log_arg = o->log_arg,
                                        .file_root = o->file_root, .spill_dir = o->spill_dir,
                                        .secrets_dir = o->secrets_dir},
                     err);
}

hw_engine *hw_engine_new(const hw_engine_options *options, hw_error *err) {
  hw_engine_options o;
  if (read_options(&o, options, err) != HW_OK || builtin_register(err) != HW_OK) return NULL;
  hw_engine *engine = calloc(1, sizeof *engine);
  if (!engine) goto no_engine;
  engine->dead_letters = o.dead_letters;
  engine->dead_letter_bytes = o.dead_letter_bytes;
  engine->drain_timeout_us = (uint64_t)(o.drain_timeout_ms ? o.drain_timeout_ms : DRAIN_TIMEOUT_DEFAULT_MS) * 1000;
  if (pthread_mutex_init(&engine->lock, NULL) != 0) goto no_lock;
  if (pthread_cond_init(&engine->idle, NULL) != 0) goto no_condition;
  engine->rt = make_runtime(&o, err);
  if (engine->rt) return engine;

  pthread_cond_destroy(&engine->idle);
  pthread_mutex_destroy(&engine->lock);
  free(engine);
  return NULL;
no_condition:
  pthread_mutex_destroy(&engine->lock);
no_lock:
  free(engine);
no_engine:
  (void)hw_error_set(err, HW_ENOMEM, "no memory for an engine");
  return NULL;
}

void engine_enter(hw_engine *engine) { atomic_fetch_add(&engine->busy, 1); }

void engine_leave(hw_engine *engine) {
  pthread_mutex_lock(&engine->lock);
  if (atomic_fetch_sub(&engine->busy, 1) == 1) pthread_cond_broadcast(&engine->idle);
  pthread_mutex_unlock(&engine->lock);
}

static void wait_idle(hw_engine *engine) {
  pthread_mutex_lock(&engine->lock);
  while (atomic_load(&engine->busy) > 0) pthread_cond_wait(&engine->idle, &engine->lock);
  pthread_mutex_unlock(&engine->lock);
}

void hw_engine_free(hw_engine *engine) {
  if (!engine) return;
  atomic_store(&engine->closing, true);
  /* From here on nothing is added, and nobody else may be removing. */
  for (size_t i = 0; i < engine->n_pipelines; i++) pipeline_abandon(engine->pipelines[i]);
  wait_idle(engine);
  catalog_close(engine->catalog); /* whoever waited for it is answered */
  for (size_t i = 0; i < engine->n_pipelines; i++) hw_pipeline_unref(engine->pipelines[i]);
  runtime_free(engine->rt);
  pthread_cond_destroy(&engine->idle);
  pthread_mutex_destroy(&engine->lock);
  free(engine->pipelines);
  free(engine);
}

hw_status hw_engine_load_plugins(hw_engine *engine, const char *paths, hw_error *err) {
  (void)engine; /* plugins are the process's */
  return registry_load_path(paths, err);
}

/* ---- pipelines by name --------------------------------------------------- */

/* Lock held: where the name is, or belongs. */
static size_t find_place(const hw_engine *engine, const char *name, bool *there) {
  size_t low = 0, high = engine->n_pipelines;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (strcmp(hw_pipeline_name(engine->pipelines[middle]), name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *there = low < engine->n_pipelines && strcmp(hw_pipeline_name(engine->pipelines[low]), name) == 0;
  return low;
}

static bool reserve(hw_engine *engine) {
  if (engine->n_pipelines < engine->capacity) return true;
  size_t capacity = engine->capacity ? engine->capacity * 2 : 16;
  hw_pipeline **pipelines = realloc(engine->pipelines, capacity * sizeof(hw_pipeline *));
  if (!pipelines) return false;
  engine->pipelines = pipelines;
  engine->capacity = capacity;
  return true;
}

static hw_status duplicate(const char *name, hw_error *err) {
  return hw_error_code(err, HW_EEXIST, "DuplicateName", "a pipeline named '%s' exists already", name);
}

static void put(hw_engine *engine, size_t i, hw_pipeline *p) {
  memmove(&engine->pipelines[i + 1], &engine->pipelines[i], (engine->n_pipelines - i) * sizeof(hw_pipeline *));
  engine->pipelines[i] = p;
  engine->n_pipelines++;
}

static void take(hw_engine *engine, size_t i) {
  engine->n_pipelines--;
  memmove(&engine->pipelines[i], &engine->pipelines[i + 1], (engine->n_pipelines - i) * sizeof(hw_pipeline *));
}

/* Lock held. */
static hw_status insert(hw_engine *engine, hw_pipeline *p, hw_error *err) {
  bool there;
  size_t i = find_place(engine, hw_pipeline_name(p), &there);
  if (there) return duplicate(hw_pipeline_name(p), err);
  if (atomic_load(&engine->closing)) return hw_error_code(err, HW_ESTATE, "Terminating", "the engine is shutting down");
  if (!reserve(engine)) return hw_error_set(err, HW_ENOMEM, "no memory for a pipeline");
  put(engine, i, hw_pipeline_ref(p));
  return HW_OK;
}

hw_status engine_add(hw_engine *engine, hw_pipeline *p, hw_error *err) {
  pthread_mutex_lock(&engine->lock);
  hw_status status = insert(engine, p, err);
  pthread_mutex_unlock(&engine->lock);
  return status;
}

void engine_remove(hw_engine *engine, hw_pipeline *p) {
  bool there;
  pthread_mutex_lock(&engine->lock);
  size_t i = find_place(engine, hw_pipeline_name(p), &there);
  there = there && engine->pipelines[i] == p;
  if (there) take(engine, i);
  pthread_mutex_unlock(&engine->lock);
  if (!there) return;
  logbook_close(p->log);
  hw_pipeline_unref(p);
}

hw_status engine_rename(hw_engine *engine, hw_pipeline *p, const char *name, hw_error *err) {
  bool taken, there;
  pthread_mutex_lock(&engine->lock);
  (void)find_place(engine, name, &taken);
  if (!taken) {
    size_t i = find_place(engine, hw_pipeline_name(p), &there);
    there = there && engine->pipelines[i] == p;
    if (there) take(engine, i);
    atomic_store(&p->name, name);
    if (there) put(engine, find_place(engine, name, &there), p);
  }
  pthread_mutex_unlock(&engine->lock);
  return taken ? duplicate(name, err) : HW_OK;
}

hw_pipeline *hw_pipeline_find(hw_engine *engine, const char *name) {
  bool there;
  pthread_mutex_lock(&engine->lock);
  size_t i = find_place(engine, name, &there);
  if (there && atomic_load(&engine->pipelines[i]->hidden)) there = false;
  hw_pipeline *p = there ? hw_pipeline_ref(engine->pipelines[i]) : NULL;
  pthread_mutex_unlock(&engine->lock);
  return p;
}

hw_status engine_check_name_free(hw_engine *engine, const char *name, hw_error *err) {
  bool there;
  pthread_mutex_lock(&engine->lock);
  (void)find_place(engine, name, &there);
  pthread_mutex_unlock(&engine->lock);
  return there ? duplicate(name, err) : HW_OK;
}

hw_status manager_list(hw_engine *engine, hw_pipeline ***out, size_t *n) {
  hw_status status = HW_ENOMEM;
  *n = 0;
  pthread_mutex_lock(&engine->lock);
  *out = malloc((engine->n_pipelines ? engine->n_pipelines : 1) * sizeof(hw_pipeline *));
  if (*out) {
    for (size_t i = 0; i < engine->n_pipelines; i++)
      if (!atomic_load(&engine->pipelines[i]->hidden)) (*out)[(*n)++] = hw_pipeline_ref(engine->pipelines[i]);
    status = HW_OK;
  }
  pthread_mutex_unlock(&engine->lock);
  return status;
}

void hw_engine_reopen(hw_engine *engine) {
  hw_pipeline **pipelines;
  size_t n;
  if (manager_list(engine, &pipelines, &n) != HW_OK) {
    logger_write(&engine->rt->log, HW_LOG_ERROR, NULL, "no memory to reopen outputs");
    return;
  }
  for (size_t i = 0; i < n; i++) {
    deployment *d = pipeline_deployment(pipelines[i], NULL);
    if (d) {
      deployment_reopen_outputs(d);
      deployment_unref(d);
    }
    hw_pipeline_unref(pipelines[i]);
  }
  free(pipelines);
}
