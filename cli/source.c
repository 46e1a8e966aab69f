/* source.c - program files: reading them, filling ${NAME}, checking them. */
#include "cli/source.h"

#include "sql/compile.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE_MAX (64u << 20) /* a program file longer than this is a mistake */

/* ---- reading -------------------------------------------------------------- */

/* All of fd; NULL with errno. */
static char *read_all(int fd, size_t *len) {
  size_t capacity = 1u << 16;
  char *text = cli_alloc(capacity + 1);
  *len = 0;
  for (;;) {
    if (*len == capacity) text = cli_grow(text, (capacity *= 2) + 1);
    ssize_t n = read(fd, text + *len, capacity - *len);
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n > 0) *len += (size_t)n;
    if (n > 0 && *len <= SOURCE_MAX) continue;
    if (n > 0) errno = EFBIG;
    free(text);
    return NULL;
  }
  text[*len] = '\0';
  return text;
}

static char *read_file(const char *path, size_t *len) {
  if (strcmp(path, "-") == 0) return read_all(STDIN_FILENO, len);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  char *text = read_all(fd, len);
  int error = errno;
  close(fd);
  errno = error;
  return text;
}

/* False: one has no value, which has been said. */
static bool check_settings(const cli_call *call) {
  for (size_t i = 0; i < call->n_settings; i++) {
    const struct cli_setting *setting = &call->settings[i];
    if (strcmp(setting->option->name, "set") != 0) continue;
    const char *equals = strchr(setting->value, '=');
    if (equals && equals != setting->value) continue;
    (void)cli_misuse(call, "--set %s: NAME=VALUE is wanted", setting->value);
    return false;
  }
  return true;
}

char *source_read(const cli_call *call, const char *path, size_t *len, cli_exit *status) {
  *status = CLI_USAGE;
  if (!check_settings(call)) return NULL;
  size_t raw_len;
  char *raw = read_file(path, &raw_len);
  if (!raw) {
    cli_complain("%s: %s", path, strerror(errno));
    return NULL;
  }
  char *problem = NULL;
  char *text = source_fill(call, raw, raw_len, len, &problem);
  free(raw);
  if (!text) {
    cli_complain("%s:%s", path, problem);
    free(problem);
  }
  return text;
}

/* ---- filling -------------------------------------------------------------- */

typedef struct buffer {
  char *data;
  size_t len;
} buffer;

static void append(buffer *b, const char *data, size_t len) {
  b->data = cli_grow(b->data, b->len + len + 1);
  if (len) memcpy(b->data + b->len, data, len);
  b->len += len;
  b->data[b->len] = '\0';
}

/* "${NAME}" or "${NAME:-default}" in a program's text. */
typedef struct slot {
  const char *name, *fallback; /* fallback NULL: none */
  size_t name_len, fallback_len, len;
} slot;

static bool slot_at(const char *text, const char *end, slot *out) {
  if (end - text < 4 || text[0] != '$' || text[1] != '{') return false;
  const char *at = text + 2;
  if (!isalpha((unsigned char)*at) && *at != '_') return false;
  while (at < end && (isalnum((unsigned char)*at) || *at == '_')) at++;
  *out = (slot){.name = text + 2, .name_len = (size_t)(at - text) - 2};
  if (end - at > 2 && at[0] == ':' && at[1] == '-') {
    out->fallback = at + 2;
    while (at < end && *at != '}' && *at != '\n') at++;
    out->fallback_len = (size_t)(at - out->fallback);
  }
  out->len = (size_t)(at - text) + 1;
  return at < end && *at == '}';
}

static const char *value_of(const cli_call *call, const char *name, size_t len) {
  for (size_t i = call->n_settings; i-- > 0;) {
    const struct cli_setting *setting = &call->settings[i];
    if (strcmp(setting->option->name, "set") != 0) continue;
    if (strncmp(setting->value, name, len) == 0 && setting->value[len] == '=') return setting->value + len + 1;
  }
  return NULL;
}

static int line_of(const char *text, const char *at) {
  int line = 1;
  for (; text < at; text++) line += *text == '\n';
  return line;
}

/* Appends the slot's value; false: it has none. */
static bool append_value(buffer *out, const cli_call *call, const slot *where) {
  const char *value = value_of(call, where->name, where->name_len);
  if (value)
    append(out, value, strlen(value));
  else if (where->fallback)
    append(out, where->fallback, where->fallback_len);
  return value || where->fallback;
}

char *source_fill(const cli_call *call, const char *text, size_t len, size_t *filled_len, char **problem) {
  buffer out = {0};
  append(&out, "", 0);
  const char *end = text + len, *kept = text, *at = text;
  slot found;
  while (at < end) {
    bool escaped = *at == '$' && slot_at(at + 1, end, &found);
    if (!escaped && !slot_at(at, end, &found)) {
      at++;
      continue;
    }
    append(&out, kept, (size_t)(at - kept));
    kept = escaped ? at + 1 : at + found.len;
    if (!escaped && !append_value(&out, call, &found)) {
      *problem = cli_printf("%d: ${%.*s} has no value; give one with --set %.*s=VALUE", line_of(text, at),
                            (int)found.name_len, found.name, (int)found.name_len, found.name);
      free(out.data);
      return NULL;
    }
    at += found.len + escaped;
  }
  append(&out, kept, (size_t)(end - kept));
  *filled_len = out.len;
  return out.data;
}

/* ---- compiling ------------------------------------------------------------ */

static void print_messages(const char *path, const program_messages *messages) {
  for (uint32_t i = 0; i < messages->n; i++) {
    const program_message *m = &messages->items[i];
    fprintf(stderr, "%s:%d:%d: %s: %s\n", path, m->line, m->column, m->warning ? "warning" : "error",
            m->message ? m->message : "(no memory for the message)");
    if (m->snippet && *m->snippet)
      fprintf(stderr, "%s%s", m->snippet, m->snippet[strlen(m->snippet) - 1] == '\n' ? "" : "\n");
  }
}

program *source_compile(const char *path, const char *text, size_t len) {
  program_messages messages = {0};
  program *p = program_compile(text, len, &messages);
  print_messages(path, &messages);
  if (!p && messages.n_errors)
    fprintf(stderr, "%s: %u error%s\n", path, messages.n_errors, messages.n_errors == 1 ? "" : "s");
  else if (!p)
    cli_complain("%s: the program could not be compiled", path);
  program_messages_fini(&messages);
  return p;
}

static bool is_taken(const program *p, uint32_t view) {
  for (uint32_t i = 0; i < p->n_connectors; i++)
    if (p->connectors[i].relation == view) return true;
  for (uint32_t i = view + 1; i < p->n_relations; i++)
    for (uint32_t k = 0; k < p->relations[i].n_branches; k++)
      if (p->relations[i].branches[k].input == view) return true;
  return program_relation_is_stored(&p->relations[view]);
}

void source_warn_untaken(const char *path, const program *p) {
  for (uint32_t i = 0; i < p->n_relations; i++)
    if (p->relations[i].kind == PROGRAM_VIEW && !is_taken(p, i))
      cli_complain("%s: warning: view \"%s\" has no connector and feeds nothing: it is not computed", path,
                   p->relations[i].schema.name);
}
