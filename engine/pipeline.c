/* pipeline.c - life of a named pipeline, its lock and its outbox (pipeline.h). */
#include "engine/pipeline.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define LOG_LINE_MAX 1536 /* a whole error message and some words */

/* ---- names --------------------------------------------------------------- */

static hw_status check_name(const char *name, hw_error *err) {
  size_t len = strlen(name);
  if (len == 0) return hw_error_code(err, HW_EINVAL, "EmptyName", "the name of a pipeline must not be empty");
  if (len > PIPELINE_NAME_MAX)
    return hw_error_code(err, HW_EINVAL, "TooLongName",
                         "the name of a pipeline has at most %d characters, this one has %zu", PIPELINE_NAME_MAX, len);
  if (strspn(name, ALNUM "_-") != len || !strchr(ALNUM, name[0]) || !strchr(ALNUM, name[len - 1]))
    return hw_error_code(err, HW_EINVAL, "NameDoesNotMatchPattern",
                         "the name '%s' must be letters, digits, '_' and '-', with a letter or digit at both ends "
                         "(pattern: '^([A-Za-z0-9][-A-Za-z0-9_]*)?[A-Za-z0-9]$')", name);
  return HW_OK;
}

static hw_status check_description(const char *description, hw_error *err) {
  size_t characters = 0;
  for (const char *c = description; *c; c++) characters += ((unsigned char)*c & 0xC0) != 0x80;
  if (characters <= PIPELINE_DESCRIPTION_MAX) return HW_OK;
  return hw_error_code(err, HW_EINVAL, "TooLongDescription",
                       "the description of a pipeline has at most %d characters, this one has %zu",
                       PIPELINE_DESCRIPTION_MAX, characters);
}

/* ---- life ---------------------------------------------------------------- */

static void pipeline_free(hw_pipeline *p) {
  assert(!p->run && !p->listeners && !p->outbox.first);
  program_unref(p->program);
  program_messages_fini(&p->messages);
  pthread_cond_destroy(&p->changed);
  pthread_mutex_destroy(&p->lock);
  free(p->name);
  free(p->description);
  free(p->code);
  free(p->settings);
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
  p->version = p->program_version = p->refresh_version = 1;
  p->program_status = PROGRAM_PENDING;
  p->status = p->desired = DEPLOYMENT_STOPPED;
  p->program_status_since_us = p->status_since_us = p->desired_since_us = p->created_at_us;
}

static char *copy_text(const char *text, size_t len) {
  char *copy = malloc(len + 1);
  if (!copy) return NULL;
  if (len) memcpy(copy, text, len);
  copy[len] = '\0';
  return copy;
}

hw_pipeline *pipeline_new(hw_engine *engine, const char *name, const char *description, const char *code, size_t len,
                          hw_error *err) {
  if (!description) description = "";
  if (check_name(name, err) != HW_OK || check_description(description, err) != HW_OK) return NULL;
  hw_pipeline *p = calloc(1, sizeof *p);
  if (!p) goto no_memory;
  p->engine = engine;
  p->name = strdup(name);
  p->description = strdup(description);
  p->code = copy_text(code, len);
  p->code_len = len;
  init_states(p);
  if (!p->name || !p->description || !p->code) goto no_strings;
  if (uuid_make(p->id, err) != HW_OK) goto no_id;
  if (pthread_mutex_init(&p->lock, NULL) != 0) goto no_strings;
  if (!init_changed(&p->changed)) goto no_condition;
  return p;

no_condition:
  pthread_mutex_destroy(&p->lock);
no_strings:
  (void)hw_error_set(err, HW_ENOMEM, "no memory for a pipeline");
no_id:
  free(p->name);
  free(p->description);
  free(p->code);
  free(p);
  return NULL;
no_memory:
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
  free(line);
}

void pipeline_log(hw_pipeline *p, hw_log_level level, const char *fmt, ...) {
  if (level > p->engine->rt->log.level) return;
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
