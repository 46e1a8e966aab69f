#include "runtime/connector.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

hw_status connector_init(hw_connector *c, deployment *d, runtime *rt, uint32_t index, task_run *run, bool blocking) {
  if (pthread_mutex_init(&c->lock, NULL) != 0) return HW_ENOMEM;
  if (pthread_mutex_init(&c->blocking_lock, NULL) != 0) goto no_blocking_lock;
  if (control_init(&c->control, c, rt->sched) != HW_OK) goto no_control;
  task_init(&c->task, rt->sched, run, blocking);
  c->d = d;
  c->rt = rt;
  c->index = index;
  return HW_OK;

no_control:
  pthread_mutex_destroy(&c->blocking_lock);
no_blocking_lock:
  pthread_mutex_destroy(&c->lock);
  return HW_ENOMEM;
}

/* A copy of config with the secrets in place, where it refers to some. */
static hw_status resolve(hw_connector *c, const hw_config **config, const char *path, hw_config **own, hw_error *err) {
  if (!*config || !config_has_references(*config)) return HW_OK;
  hw_error why;
  *own = config_resolve(*config, path, c->rt->secrets, &c->secrets, &why);
  if (!*own) return hw_error_set(err, why.status, "%s", why.message);
  *config = *own;
  return HW_OK;
}

hw_status connector_resolve(hw_connector *c, hw_error *err) {
  c->transport_config = c->spec->transport_config;
  c->format_config = c->spec->format_config;
  hw_status status = resolve(c, &c->transport_config, "transport.config", &c->resolved[0], err);
  return status == HW_OK ? resolve(c, &c->format_config, "format.config", &c->resolved[1], err) : status;
}

void connector_redact(const hw_connector *c, hw_error *err) {
  if (err && c->secrets.n) secret_redact(&c->secrets, err->message);
}

static void error_ring_fini(error_ring *r) {
  for (uint32_t i = 0; r->items && i < CONNECTOR_ERRORS_KEPT; i++) free(r->items[i].message);
  free(r->items);
}

void connector_fini(hw_connector *c) {
  for (unsigned i = 0; i < ERROR_KINDS; i++) error_ring_fini(&c->errors[i]);
  for (unsigned i = 0; i < 2; i++) config_free(c->resolved[i]);
  secret_list_fini(&c->secrets);
  free(c->fatal);
  free(c->trouble);
  control_fini(&c->control);
  pthread_mutex_destroy(&c->blocking_lock);
  pthread_mutex_destroy(&c->lock);
}

hw_status connector_try(const program_connector *spec, const hw_schema *schema, hw_error *err) {
  hw_connector c = {.spec = spec, .schema = schema}; /* good for these alone: no runtime */
  hw_status status = spec->is_input ? spec->input->ops->create(&c, spec->transport_config, &c.instance, err)
                                    : spec->output->ops->create(&c, spec->transport_config, &c.instance, err);
  if (status != HW_OK) return status;
  if (spec->is_input) spec->input->ops->destroy(c.instance);
  else spec->output->ops->destroy(c.instance);
  return HW_OK;
}

/* ---- errors -------------------------------------------------------------- */

int64_t connector_wall_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Lock held. Without memory the error is counted and its text lost. */
static void error_ring_add(error_ring *r, const char *tag, const char *message) {
  if (!r->items) r->items = calloc(CONNECTOR_ERRORS_KEPT, sizeof *r->items);
  uint64_t index = r->total++;
  if (!r->items) return;
  connector_error *e = &r->items[index % CONNECTOR_ERRORS_KEPT];
  free(e->message);
  e->message = strdup(message);
  e->timestamp_us = connector_wall_us();
  e->index = index;
  snprintf(e->tag, sizeof e->tag, "%s", tag ? tag : "");
}

static void add_error(hw_connector *c, error_kind kind, const char *tag, const char *message) {
  atomic_fetch_add(&c->counts[kind], 1);
  pthread_mutex_lock(&c->lock);
  error_ring_add(&c->errors[kind], tag, message);
  pthread_mutex_unlock(&c->lock);
}

void connector_add_error(hw_connector *c, error_kind kind, const char *tag, const char *fmt, ...) {
  char message[CONNECTOR_ERROR_BYTES];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  secret_redact(&c->secrets, message);
  add_error(c, kind, tag, message);
  if (kind == ERROR_TRANSPORT) deployment_log(c->d, HW_LOG_WARNING, c->spec->endpoint, "%s", message);
}

static void set_text(hw_connector *c, char **text, const char *why) {
  pthread_mutex_lock(&c->lock);
  free(*text);
  *text = why ? strdup(why) : NULL;
  if (*text) secret_redact(&c->secrets, *text);
  pthread_mutex_unlock(&c->lock);
}

void connector_set_trouble(hw_connector *c, const char *why) { set_text(c, &c->trouble, why); }

void connector_set_fatal(hw_connector *c, const char *why) { set_text(c, &c->fatal, why); }

bool connector_failed(hw_connector *c) {
  pthread_mutex_lock(&c->lock);
  bool failed = c->fatal != NULL;
  pthread_mutex_unlock(&c->lock);
  return failed;
}

uint64_t connector_next_delay(hw_connector *c) {
  unsigned n = c->retries < 16 ? c->retries : 16;
  c->retries++;
  uint64_t delay = CONNECTOR_RETRY_FIRST_US << n;
  if (delay > CONNECTOR_RETRY_MOST_US) delay = CONNECTOR_RETRY_MOST_US;
  return delay - delay / 4 + (sched_now_ns() ^ (uint64_t)c->index * 7919) % (delay / 4 + 1);
}

void connector_recovered(hw_connector *c) {
  if (!c->retries) return;
  atomic_fetch_add(&c->recovered, c->retries);
  c->retries = 0;
  connector_set_trouble(c, NULL);
}

/* ---- blocking calls ------------------------------------------------------ */

static void set_blocking(hw_connector *c, bool on) {
  pthread_mutex_lock(&c->blocking_lock);
  c->blocking = on;
  pthread_mutex_unlock(&c->blocking_lock);
}

void connector_enter_blocking(hw_connector *c) { set_blocking(c, true); }
void connector_leave_blocking(hw_connector *c) { set_blocking(c, false); }

void connector_interrupt(hw_connector *c) {
  void (*interrupt)(void *) = c->spec->is_input ? c->spec->input->ops->interrupt : c->spec->output->ops->interrupt;
  pthread_mutex_lock(&c->blocking_lock);
  if (interrupt && c->blocking) interrupt(c->instance);
  pthread_mutex_unlock(&c->blocking_lock);
}

/* ---- what instances call ------------------------------------------------- */

const hw_schema *hw_connector_schema(const hw_connector *c) { return c->schema; }
const char *hw_connector_endpoint(const hw_connector *c) { return c->spec->endpoint; }
hw_status hw_connector_wait_fd(hw_connector *c, int fd, unsigned events) { return task_wait_fd(&c->task, fd, events); }
void hw_connector_forget_fd(hw_connector *c, int fd) { task_forget_fd(&c->task, fd); }
void hw_connector_wake(hw_connector *c) { task_notify(&c->task); }

bool hw_connector_is_confined(const hw_connector *c) { return c->rt && c->rt->files; }

void hw_connector_wait_us(hw_connector *c, uint64_t us) {
  c->wait_at_us = sched_now_us() + us;
  task_wait_us(&c->task, us);
}

/* One that is only tried opens nothing: `create` touches nothing outside. */
int hw_connector_open_file(hw_connector *c, const char *path, int flags, unsigned mode) {
  if (!c->rt) {
    errno = EPERM;
    return -1;
  }
  return file_root_open(c->rt->files, path, flags, mode);
}

void hw_connector_log(hw_connector *c, hw_log_level level, const char *fmt, ...) {
  if (!c->rt) return; /* it is only tried */
  char message[CONNECTOR_ERROR_BYTES];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  secret_redact(&c->secrets, message);
  deployment_log(c->d, level, c->spec->endpoint, "%s", message);
  if (level <= HW_LOG_WARNING) add_error(c, ERROR_TRANSPORT, NULL, message);
}

/* ---- statistics ---------------------------------------------------------- */

static bool copy_text(char **to, const char *from) {
  if (!from) return true;
  return (*to = strdup(from)) != NULL;
}

/* Lock held. */
static bool copy_errors(const error_ring *r, connector_error_list *out) {
  if (!r->items) return true;
  uint64_t n = r->total < CONNECTOR_ERRORS_KEPT ? r->total : CONNECTOR_ERRORS_KEPT;
  if (!(out->items = calloc(n, sizeof *out->items))) return false;
  for (uint64_t i = r->total - n; i < r->total; i++) {
    const connector_error *e = &r->items[i % CONNECTOR_ERRORS_KEPT];
    if (!e->message) continue;
    connector_error *copy = &out->items[out->n];
    *copy = *e;
    if (!(copy->message = strdup(e->message))) return false;
    out->n++;
  }
  return true;
}

static bool copy_locked(hw_connector *c, bool with_errors, connector_stats *out) {
  bool ok = copy_text(&out->fatal_error, c->fatal) && copy_text(&out->position, c->position) &&
            copy_text(&out->health_reason, c->fatal ? c->fatal : c->trouble);
  if (!ok || !with_errors) return ok;
  return copy_errors(&c->errors[ERROR_PARSE], &out->parse_errors) &&
         copy_errors(&c->errors[ERROR_TRANSPORT], &out->transport_errors) &&
         copy_errors(&c->errors[ERROR_ENCODE], &out->encode_errors);
}

hw_status connector_fill_stats(hw_connector *c, bool with_errors, connector_stats *out) {
  memset(out, 0, sizeof *out);
  out->is_input = c->spec->is_input;
  out->recovered_errors = atomic_load(&c->recovered); /* first: none that is not counted below */
  out->num_transport_errors = atomic_load(&c->counts[ERROR_TRANSPORT]);
  out->num_parse_errors = atomic_load(&c->counts[ERROR_PARSE]);
  out->num_encode_errors = atomic_load(&c->counts[ERROR_ENCODE]);
  pthread_mutex_lock(&c->lock);
  bool ok = copy_locked(c, with_errors, out);
  pthread_mutex_unlock(&c->lock);
  out->healthy = !out->health_reason;
  ok = ok && copy_text(&out->endpoint, c->spec->endpoint) && copy_text(&out->relation, c->schema->name) &&
       copy_text(&out->name, c->spec->name) && copy_text(&out->config_json, c->spec->json);
  if (ok) return HW_OK;
  connector_stats_fini(out);
  return HW_ENOMEM;
}
