#include "tests/fake_host.h"

#include "connectors/clock.h"
#include "runtime/batch.h"
#include "runtime/config.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 5000
#define ROOM_MOST (1u << 20)

struct hw_connector {
  fake_host *host;
};

_Atomic uint64_t fake_now_ns = UINT64_C(1000000000000);

uint64_t connectors_now_ns(void) { return fake_now_ns; }

static mem memory;

static void *need(void *p) {
  ck_assert_ptr_nonnull(p);
  return p;
}

/* ---- schema ----------------------------------------------------------------- */

static hw_type_id type_named(const char *name) {
  for (int id = 1; id < HW_TYPE_COUNT; id++)
    if (strcmp(hw_type_name((hw_type_id)id), name) == 0) return (hw_type_id)id;
  ck_abort_msg("no type %s", name);
  return HW_TYPE_NULL;
}

/* "TYPE", "TYPE(10)", "TYPE(10,2)", each perhaps with " NULL". */
static hw_type parse_type(char *text) {
  hw_type type = {0};
  unsigned a = 0, b = 0;
  char *null = strstr(text, " NULL");
  type.nullable = null != NULL;
  if (null) *null = 0;
  char *paren = strchr(text, '(');
  if (paren) sscanf(paren, "(%u,%u)", &a, &b), *paren = 0;
  type.id = (uint8_t)type_named(text);
  if (type.id == HW_TYPE_DECIMAL) type.precision = (uint8_t)a, type.scale = (uint8_t)b;
  else type.length = a;
  return type;
}

static void make_schema(fake_host *h, const char *text) {
  char *copy = need(strdup(text)), *save, *at = copy;
  hw_field *fields = need(calloc(64, sizeof *fields));
  uint32_t n = 0;
  while (*at) { /* a comma within parentheses does not separate */
    int depth = 0;
    char *end = at;
    while (*end && (*end != ',' || depth)) depth += (*end == '(') - (*end == ')'), end++;
    bool last = !*end;
    *end = 0;
    char *name = strtok_r(at, " ", &save);
    fields[n].name = need(strdup(name));
    fields[n++].type = parse_type(save);
    at = last ? end : end + 1;
    while (*at == ' ') at++;
  }
  h->schema = (hw_schema){.name = "t", .n_fields = n, .fields = fields};
  free(copy);
}

/* ---- life ------------------------------------------------------------------- */

void fake_host_init(fake_host *h, const char *fields) {
  memset(h, 0, sizeof *h);
  if (!memory.limit) ck_assert_int_eq(mem_init(&memory, UINT64_C(1) << 30), HW_OK);
  make_schema(h, fields);
  h->c = need(calloc(1, sizeof *h->c));
  h->c->host = h;
  h->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  ck_assert_int_ge(h->wake_fd, 0);
  h->log = need(calloc(1, 1));
}

static void stream_free(fake_stream *s) {
  free(s->name);
  free(s->data);
  free(s->ends);
  free(s);
}

void fake_host_fini(fake_host *h) {
  if (h->instance && h->input) h->input->ops->destroy(h->instance);
  if (h->instance && h->output) h->output->ops->destroy(h->instance);
  config_free(h->config);
  for (size_t i = 0; i < h->n_streams; i++) stream_free(h->streams[i]);
  for (size_t i = 0; i < h->n_batches; i++) hw_batch_unref(h->batches[i]);
  for (uint32_t i = 0; i < h->schema.n_fields; i++) free((void *)h->schema.fields[i].name);
  free((void *)h->schema.fields);
  free(h->streams);
  free(h->batches);
  free(h->log);
  free(h->c);
  close(h->wake_fd);
}

static void config_says(void *arg, const char *path, const char *message) {
  fake_host *h = arg;
  size_t len = strlen(h->error);
  snprintf(h->error + len, sizeof h->error - len, "%s: %s\n", path, message);
}

static hw_status configure(fake_host *h, const hw_option *table, const char *text) {
  json_error_t fault;
  json_t *object = json_loads(text, 0, &fault);
  ck_assert_msg(object != NULL, "bad test configuration: %s in %s", fault.text, text);
  h->config = config_new(table, object, "config", config_says, h);
  json_decref(object);
  return h->config ? HW_OK : HW_EINVAL;
}

static hw_status create(fake_host *h, hw_status (*make)(hw_connector *, const hw_config *, void **, hw_error *)) {
  hw_error err = {0};
  void *instance = NULL;
  /* As the compiler does: once to check, then for good. */
  hw_status status = make(h->c, h->config, &instance, &err);
  if (status == HW_OK) {
    if (h->input) h->input->ops->destroy(instance);
    else h->output->ops->destroy(instance);
    status = make(h->c, h->config, &h->instance, &err);
  }
  if (status != HW_OK) {
    h->instance = NULL;
    ck_assert_str_ne(err.message, "");
    snprintf(h->error, sizeof h->error, "%s", err.message);
  }
  return status;
}

hw_status fake_input(fake_host *h, const hw_input_transport *transport, const char *config) {
  h->input = transport;
  hw_status status = configure(h, transport->options, config);
  return status == HW_OK ? create(h, transport->ops->create) : status;
}

hw_status fake_output(fake_host *h, const hw_output_transport *transport, const char *config) {
  h->output = transport;
  hw_status status = configure(h, transport->options, config);
  return status == HW_OK ? create(h, transport->ops->create) : status;
}

hw_status fake_open(fake_host *h) {
  hw_status (*open_it)(void *, hw_error *) = h->input ? h->input->ops->open : h->output->ops->open;
  hw_error err = {0};
  hw_status status = open_it ? open_it(h->instance, &err) : HW_OK;
  if (status != HW_OK) {
    ck_assert_str_ne(err.message, "");
    snprintf(h->error, sizeof h->error, "%s", err.message);
  }
  return status;
}

void fake_start_input(fake_host *h, const hw_input_transport *transport, const char *config) {
  ck_assert_msg(fake_input(h, transport, config) == HW_OK, "%s", h->error);
  ck_assert_msg(fake_open(h) == HW_OK, "%s", h->error);
}

void fake_start_output(fake_host *h, const hw_output_transport *transport, const char *config) {
  ck_assert_msg(fake_output(h, transport, config) == HW_OK, "%s", h->error);
  ck_assert_msg(fake_open(h) == HW_OK, "%s", h->error);
}

/* ---- what instances call ---------------------------------------------------- */

const hw_schema *hw_connector_schema(const hw_connector *c) { return &c->host->schema; }
const char *hw_connector_endpoint(const hw_connector *c) { return c ? "t.c" : NULL; }

hw_status hw_connector_wait_fd(hw_connector *c, int fd, unsigned events) {
  fake_host *h = c->host;
  ck_assert_int_ge(fd, 0);
  unsigned i = 0;
  while (i < h->n_armed && h->armed[i].fd != fd) i++;
  ck_assert_uint_lt(i, FAKE_FDS);
  h->armed[i].fd = fd;
  h->armed[i].events = events;
  if (i == h->n_armed) h->n_armed++;
  return HW_OK;
}

void hw_connector_forget_fd(hw_connector *c, int fd) {
  fake_host *h = c->host;
  for (unsigned i = 0; i < h->n_armed; i++)
    if (h->armed[i].fd == fd) h->armed[i--] = h->armed[--h->n_armed];
}

void hw_connector_wait_us(hw_connector *c, uint64_t us) {
  ck_assert_uint_gt(us, 0);
  c->host->timer = true;
  c->host->timer_ns = fake_now_ns + us * 1000;
}

void hw_connector_wake(hw_connector *c) { eventfd_write(c->host->wake_fd, 1); }

bool hw_connector_is_confined(const hw_connector *c) { return c->host->files != NULL; }

int hw_connector_open_file(hw_connector *c, const char *path, int flags, unsigned mode) {
  return file_root_open(c->host->files, path, flags, mode);
}

void hw_connector_log(hw_connector *c, hw_log_level level, const char *fmt, ...) {
  static const char *const names[] = {"ERROR", "WARNING", "INFO", "DEBUG"};
  fake_host *h = c->host;
  char text[2048];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  size_t len = strlen(h->log);
  h->log = need(realloc(h->log, len + strlen(text) + 16));
  snprintf(h->log + len, strlen(text) + 16, "%s %s\n", names[level], text);
  if (level <= HW_LOG_WARNING) h->n_errors++;
}

hw_stream *hw_stream_open(hw_connector *c, const char *name, uint64_t offset) {
  fake_host *h = c->host;
  ck_assert(!h->held);
  fake_stream *s = need(calloc(1, sizeof *s));
  s->host = h;
  s->name = need(strdup(name));
  s->offset = offset;
  h->streams = need(realloc(h->streams, (h->n_streams + 1) * sizeof *h->streams));
  h->streams[h->n_streams++] = s;
  return (hw_stream *)s;
}

static bool refuses(fake_host *h) {
  ck_assert(!h->held);
  h->asked++;
  if (!h->refuse_every || h->asked % h->refuse_every) return false;
  h->must_yield = true;
  return true;
}

void *hw_stream_reserve(hw_stream *stream, size_t want, size_t *room) {
  fake_stream *s = (fake_stream *)stream;
  ck_assert(!s->closed);
  ck_assert_msg(!s->host->must_yield, "asked for room after there was none");
  if (refuses(s->host)) return NULL;
  size_t most = s->host->room_most ? s->host->room_most : ROOM_MOST;
  *room = want < 1 ? 1 : want < most ? want : most;
  s->room = *room;
  if (s->capacity < s->len + *room + 1) {
    s->capacity = (s->len + *room + 1) * 2;
    s->data = need(realloc(s->data, s->capacity));
  }
  return s->data + s->len;
}

hw_status hw_stream_commit(hw_stream *stream, size_t n, unsigned flags) {
  fake_stream *s = (fake_stream *)stream;
  fake_host *h = s->host;
  ck_assert(!s->closed);
  ck_assert_uint_le(n, s->room);
  s->room = 0;
  s->len += n;
  if (s->data) s->data[s->len] = 0;
  if (flags & HW_MESSAGE_END) {
    s->ends = need(realloc(s->ends, (s->n_ends + 1) * sizeof *s->ends));
    s->ends[s->n_ends++] = s->len;
  }
  if (h->parse_error) return HW_EPARSE;
  if (!h->full_every || ++h->committed % h->full_every) return HW_OK;
  h->must_yield = true;
  return HW_EAGAIN;
}

void hw_stream_close(hw_stream *stream, bool complete) {
  fake_stream *s = (fake_stream *)stream;
  ck_assert(!s->closed);
  s->closed = true;
  s->complete = complete;
}

hw_batch *hw_input_batch(hw_connector *c) {
  fake_host *h = c->host;
  ck_assert_ptr_null(h->lent);
  ck_assert_msg(!h->must_yield, "asked for a batch after there was none");
  if (refuses(h)) return NULL;
  uint32_t capacity = h->capacity ? h->capacity : 1024;
  batch *b = need(batch_new(&memory, &h->schema, capacity));
  b->pub.capacity = capacity;
  return h->lent = &b->pub;
}

void hw_input_commit(hw_connector *c, hw_batch *b, uint64_t bytes) {
  fake_host *h = c->host;
  ck_assert_ptr_eq(h->lent, b);
  ck_assert_uint_le(b->n_rows, b->capacity);
  h->lent = NULL;
  h->rows += b->n_rows;
  h->bytes += bytes;
  if (!b->n_rows) {
    hw_batch_unref(b);
    return;
  }
  h->batches = need(realloc(h->batches, (h->n_batches + 1) * sizeof *h->batches));
  h->batches[h->n_batches++] = b;
}

void hw_input_set_position(hw_connector *c, const char *position) {
  snprintf(c->host->position, sizeof c->host->position, "%s", position);
}

void hw_input_progress(hw_connector *c, uint64_t done, uint64_t total) {
  c->host->progress_done = done;
  c->host->progress_total = total;
}

void hw_input_count_drops(hw_connector *c, uint64_t n) { c->host->drops += n; }

/* ---- the loop --------------------------------------------------------------- */

static bool is_armed(const fake_host *h) { return h->n_armed > 0 || h->timer; }

static hw_fetch call_fetch(fake_host *h, bool may_block) {
  hw_fetch_args args = {.struct_size = sizeof args,
                        .may_block = may_block,
                        .max_bytes = h->max_bytes ? h->max_bytes : 256u << 10,
                        .max_rows = h->max_rows ? h->max_rows : 4096};
  hw_error err = {0};
  h->must_yield = false;
  hw_fetch result = h->input->ops->fetch(h->instance, &args, &err);
  ck_assert_ptr_null(h->lent);
  ck_assert_msg(!h->must_yield || result != HW_FETCH_WAIT, "no room must be answered with HW_FETCH_MORE");
  if (result == HW_FETCH_TRYING) {
    h->tries++;
    result = HW_FETCH_WAIT;
  }
  ck_assert_msg(result != HW_FETCH_WAIT || is_armed(h), "waits for nothing");
  ck_assert(result != HW_FETCH_BLOCK || !may_block);
  if (result == HW_FETCH_RETRY || result == HW_FETCH_FATAL) {
    ck_assert_str_ne(err.message, "");
    snprintf(h->error, sizeof h->error, "%s", err.message);
  }
  return result;
}

hw_fetch fake_fetch(fake_host *h) {
  hw_fetch result = call_fetch(h, false);
  if (result != HW_FETCH_BLOCK) return result;
  ck_assert(!h->never_block);
  h->blocks++;
  return call_fetch(h, true);
}

hw_fetch fake_drain(fake_host *h) {
  hw_fetch result;
  do result = fake_fetch(h);
  while (result == HW_FETCH_MORE);
  return result;
}

/* One shot: what was ready is not armed any more. */
static void disarm(fake_host *h, const struct pollfd *fds, unsigned n) {
  for (unsigned i = 0; i < n; i++)
    if (fds[i].revents) hw_connector_forget_fd(h->c, fds[i].fd);
}

bool fake_wait(fake_host *h, int timeout_ms) {
  struct pollfd fds[FAKE_FDS + 1];
  unsigned n = h->n_armed;
  for (unsigned i = 0; i < n; i++) {
    fds[i] = (struct pollfd){.fd = h->armed[i].fd};
    if (h->armed[i].events & HW_READABLE) fds[i].events |= POLLIN;
    if (h->armed[i].events & HW_WRITABLE) fds[i].events |= POLLOUT;
  }
  fds[n] = (struct pollfd){.fd = h->wake_fd, .events = POLLIN};
  int ready = poll(fds, n + 1, timeout_ms);
  ck_assert(ready >= 0 || errno == EINTR);
  if (fds[n].revents) {
    eventfd_t value;
    eventfd_read(h->wake_fd, &value);
  }
  disarm(h, fds, n);
  if (ready > 0) return true;
  if (!h->timer || h->timers_held) return false;
  if (fake_now_ns < h->timer_ns) fake_now_ns = h->timer_ns;
  h->timer = false;
  return true;
}

/* With only a timer to wait for, its time is now. */
static void wait_for_something(fake_host *h) {
  int patience = h->n_armed || h->timers_held ? PATIENCE_MS : 0;
  ck_assert_msg(fake_wait(h, patience), "nothing happened for %d ms", patience);
}

void fake_run_until(fake_host *h, fake_done *done) {
  for (int rounds = 0; !done(h); rounds++) {
    ck_assert_msg(rounds < 100000, "never came about");
    hw_fetch result = fake_fetch(h);
    if (done(h)) return;
    if (result == HW_FETCH_RETRY || result == HW_FETCH_MORE) continue;
    ck_assert_msg(result == HW_FETCH_WAIT, "ended (%d) before it came about: %s", (int)result, h->error);
    wait_for_something(h);
  }
}

hw_fetch fake_run(fake_host *h) {
  for (;;) {
    hw_fetch result = fake_fetch(h);
    if (result == HW_FETCH_MORE) continue;
    if (result != HW_FETCH_WAIT) return result;
    wait_for_something(h);
  }
}

void fake_resume(fake_host *h) {
  if (h->input->ops->resume) h->input->ops->resume(h->instance);
}

void fake_attend(fake_host *h) {
  h->held = true;
  hw_fetch result = h->input->attend(h->instance, false);
  if (result == HW_FETCH_BLOCK) result = h->input->attend(h->instance, true);
  h->held = false;
  ck_assert_int_eq(result, HW_FETCH_WAIT);
  ck_assert(is_armed(h));
}

static hw_write call_write(fake_host *h, bool may_block, const char *data, size_t len, size_t *written) {
  hw_write_args args = {.struct_size = sizeof args, .may_block = may_block};
  hw_error err = {0};
  *written = 0;
  hw_write result = h->output->ops->write(h->instance, &args, data, len, written, &err);
  ck_assert_uint_le(*written, len);
  ck_assert_msg(result != HW_WRITE_WAIT || is_armed(h), "waits for nothing");
  ck_assert_msg(result != HW_WRITE_OK || *written, "took nothing and said that all is well");
  if (result == HW_WRITE_RETRY || result == HW_WRITE_FATAL) {
    ck_assert_str_ne(err.message, "");
    snprintf(h->error, sizeof h->error, "%s", err.message);
  }
  return result;
}

hw_write fake_write_once(fake_host *h, const char *data, size_t len, size_t *written) {
  bool blocking = h->output->capabilities & HW_CAP_BLOCKING;
  hw_write result = call_write(h, blocking, data, len, written);
  if (result != HW_WRITE_BLOCK) return result;
  h->blocks++;
  return call_write(h, true, data, len, written);
}

hw_write fake_write(fake_host *h, const char *data, size_t len, size_t *written) {
  *written = 0;
  while (*written < len) {
    size_t n;
    hw_write result = fake_write_once(h, data + *written, len - *written, &n);
    *written += n;
    if (result == HW_WRITE_WAIT) ck_assert_msg(fake_wait(h, PATIENCE_MS), "nothing happened");
    else if (result != HW_WRITE_OK) return result;
  }
  return HW_WRITE_OK;
}

/* ---- looking ---------------------------------------------------------------- */

fake_stream *fake_stream_named(const fake_host *h, const char *name) {
  for (size_t i = 0; i < h->n_streams; i++)
    if (strcmp(h->streams[i]->name, name) == 0) return h->streams[i];
  return NULL;
}

char *fake_all_bytes(const fake_host *h) {
  size_t len = 0;
  for (size_t i = 0; i < h->n_streams; i++) len += h->streams[i]->len;
  char *all = need(calloc(1, len + 1)), *at = all;
  for (size_t i = 0; i < h->n_streams; i++) {
    if (h->streams[i]->len) memcpy(at, h->streams[i]->data, h->streams[i]->len);
    at += h->streams[i]->len;
  }
  return all;
}

const hw_batch *fake_row(const fake_host *h, uint64_t i, uint32_t *row) {
  for (size_t k = 0; k < h->n_batches; k++) {
    if (i < h->batches[k]->n_rows) {
      *row = (uint32_t)i;
      return h->batches[k];
    }
    i -= h->batches[k]->n_rows;
  }
  ck_abort_msg("there are not as many rows");
  return NULL;
}

bool fake_logged(const fake_host *h, const char *text) { return strstr(h->log, text) != NULL; }

/* ---- files ------------------------------------------------------------------ */

static char scratch[64];
static pid_t scratch_owner;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
  (void)st, (void)type, (void)ftw;
  return remove(path);
}

static void remove_scratch(void) {
  if (getpid() == scratch_owner) nftw(scratch, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fake_path(const char *name) {
  static char paths[8][160];
  static unsigned turn;
  if (scratch_owner != getpid()) {
    snprintf(scratch, sizeof scratch, "/tmp/hw-test-XXXXXX");
    need(mkdtemp(scratch));
    scratch_owner = getpid();
    atexit(remove_scratch);
  }
  char *path = paths[turn++ % 8];
  snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
  return path;
}

static void put_file(const char *path, const char *text, const char *mode) {
  FILE *f = need(fopen(path, mode));
  ck_assert_uint_eq(fwrite(text, 1, strlen(text), f), strlen(text));
  ck_assert_int_eq(fclose(f), 0);
}

void fake_write_file(const char *path, const char *text) { put_file(path, text, "w"); }
void fake_append_file(const char *path, const char *text) { put_file(path, text, "a"); }

char *fake_read_file(const char *path) {
  FILE *f = fopen(path, "r");
  if (!f) return NULL;
  char *text = need(calloc(1, 4 << 20));
  size_t n = fread(text, 1, (4 << 20) - 1, f);
  text[n] = 0;
  fclose(f);
  return text;
}
