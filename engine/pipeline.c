/* pipeline.c - life of a named pipeline, its lock and its outbox (pipeline.h). */
#include "engine/pipeline.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_LINE_MAX 1536 /* a whole error message and some words */

/* ---- names --------------------------------------------------------------- */

const char *pipeline_intern_name(hw_pipeline *p, const char *name) {
  for (const pipeline_name *n = p->names; n; n = n->next)
    if (strcmp(n->text, name) == 0) return n->text;
  pipeline_name *n = calloc(1, sizeof *n);
  if (!n) return NULL;
  snprintf(n->text, sizeof n->text, "%s", name);
  n->next = p->names;
  p->names = n;
  return n->text;
}

static void free_names(hw_pipeline *p) {
  for (pipeline_name *n = p->names, *next; n; n = next) {
    next = n->next;
    free(n);
  }
}

/* ---- life ---------------------------------------------------------------- */

static void pipeline_free(hw_pipeline *p) {
  assert(!p->run && !p->listeners && !p->outbox.first && !p->keep.first);
  program_unref(p->program);
  program_messages_fini(&p->messages);
  pipeline_definition_unref(p->definition);
  event_ring_fini(&p->events);
  json_decref(p->restored);
  dead_letters_unref(p->letters);
  pthread_cond_destroy(&p->changed);
  pthread_mutex_destroy(&p->lock);
  free_names(p);
  logbook_free(p->log);
  series_free(p->series);
  free(p);
}

static bool init_changed(pthread_cond_t *changed) {
  pthread_condattr_t attributes;
  if (pthread_condattr_init(&attributes) != 0) return false;
  bool ok =
      pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(changed, &attributes) == 0;
  pthread_condattr_destroy(&attributes);
  return ok;
}

/* What is not 0 at first. */
static void init_states(hw_pipeline *p) {
  atomic_init(&p->refs, 1);
  p->created_at_us = wall_clock_us();
  p->refresh_version = 1;
  p->keep.last = &p->keep.first;
  p->program_status = PROGRAM_PENDING;
  p->status = p->desired = p->wanted = DEPLOYMENT_STOPPED;
  p->program_status_since_us = p->status_since_us = p->desired_since_us = p->created_at_us;
}

static hw_status init_id(hw_pipeline *p, const char *id, hw_error *err) {
  if (!id) return uuid_make(p->id, err);
  snprintf(p->id, sizeof p->id, "%s", id);
  return HW_OK;
}

hw_pipeline *pipeline_new(hw_engine *engine, pipeline_definition *definition, const char *id, hw_error *err) {
  hw_pipeline *p = calloc(1, sizeof *p);
  if (!p) goto no_pipeline;
  p->engine = engine;
  init_states(p);
  p->letters = dead_letters_new(engine->dead_letters, engine->dead_letter_bytes);
  if (!p->letters) goto no_memory;
  if (init_id(p, id, err) != HW_OK) goto no_id;
  p->log = logbook_new();
  const char *name = pipeline_intern_name(p, definition->members[MEMBER_NAME]);
  if (!name || !p->log) goto no_memory;
  atomic_init(&p->name, name);
  if (pthread_mutex_init(&p->lock, NULL) != 0) goto no_memory;
  if (!init_changed(&p->changed)) goto no_condition;
  p->definition = definition;
  return p;

no_condition:
  pthread_mutex_destroy(&p->lock);
no_memory:
  (void)hw_error_set(err, HW_ENOMEM, "no memory for a pipeline");
no_id:
  dead_letters_unref(p->letters);
  free_names(p);
  logbook_free(p->log);
  free(p);
  pipeline_definition_unref(definition);
  return NULL;
no_pipeline:
  pipeline_definition_unref(definition);
  (void)hw_error_set(err, HW_ENOMEM, "no memory for a pipeline");
  return NULL;
}

hw_pipeline *hw_pipeline_ref(hw_pipeline *p) {
  atomic_fetch_add(&p->refs, 1);
  return p;
}

void hw_pipeline_unref(hw_pipeline *p) {
  if (p && atomic_fetch_sub(&p->refs, 1) == 1) pipeline_free(p);
}

const char *hw_pipeline_name(const hw_pipeline *p) { return p->name; }

/* ---- lock and outbox ----------------------------------------------------- */

void effect_list_add(effect_list *list, effect *e) {
  e->next = NULL;
  if (list->last)
    list->last->next = e;
  else
    list->first = e;
  list->last = e;
}

static effect *effect_list_take(effect_list *list) {
  effect *e = list->first;
  list->first = e->next;
  if (!list->first) list->last = NULL;
  return e;
}

void pipeline_post(hw_pipeline *p, effect *e) {
  assert(p->locked);
  effect_list_add(&p->outbox, e);
}

void pipeline_lock(hw_pipeline *p) {
  pthread_mutex_lock(&p->lock);
  p->locked = true;
}

static void unlock(hw_pipeline *p) {
  assert(p->locked);
  p->locked = false;
  pthread_mutex_unlock(&p->lock);
}

static void deliver_all(hw_pipeline *p) {
  hw_pipeline_ref(p); /* a callback may give up the caller's */
  p->delivering = true;
  while (p->outbox.first) {
    effect *e = effect_list_take(&p->outbox);
    unlock(p);
    e->deliver(e);
    pipeline_lock(p);
  }
  p->delivering = false;
  unlock(p);
  hw_pipeline_unref(p);
}

void pipeline_unlock(hw_pipeline *p) {
  pipeline_keep_now(p);
  if (p->delivering || !p->outbox.first)
    unlock(p);
  else
    deliver_all(p);
}

/* ---- log ----------------------------------------------------------------- */

typedef struct log_line {
  effect effect;
  hw_pipeline *pipeline; /* whose outbox it is in */
  hw_log_level level;
  char text[];
} log_line;

static void deliver_log(effect *e) {
  log_line *line = (log_line *)e;
  char about[PIPELINE_NAME_MAX + 16];
  snprintf(about, sizeof about, "pipeline %s", line->pipeline->name);
  logger_write(&line->pipeline->engine->rt->log, line->level, about, "%s", line->text);
  logbook_add(line->pipeline->log, line->level, line->text);
  free(line);
}

void pipeline_log(hw_pipeline *p, hw_log_level level, const char *fmt, ...) {
  if (level > p->engine->rt->log.level && level > HW_LOG_INFO) return;
  char text[LOG_LINE_MAX];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  size_t size = strlen(text) + 1;
  log_line *line = malloc(sizeof *line + size);
  if (!line) return;
  *line = (log_line){.effect.deliver = deliver_log, .pipeline = p, .level = level};
  memcpy(line->text, text, size);
  pipeline_post(p, &line->effect);
}
