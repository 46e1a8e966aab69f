/* openapi_types.c - the types of routes.h and shapes.h as JSON schemas.
 *
 * A recursive descent over one line of text; what is written before a fault is
 * of no use to anybody. */
#include "api/openapi.h"

#include <ctype.h>

/* ---- reading -------------------------------------------------------------- */

static void skip_blanks(const char **at) { *at += strspn(*at, " "); }

static bool take(const char **at, char c) {
  skip_blanks(at);
  if (**at != c) return false;
  (*at)++;
  return true;
}

static size_t word_length(const char *at) {
  size_t len = 0;
  while (isalnum((unsigned char)at[len]) || at[len] == '_') len++;
  return len;
}

/* Where the type at `at` ends: its '?' stands there, or it does not. */
static const char *type_end(const char *at) {
  int depth = 0;
  for (; *at && !(depth == 0 && (*at == ',' || *at == ']' || *at == '}' || *at == '?')); at++) {
    if (*at == '[' || *at == '{') depth++;
    if (*at == ']' || *at == '}') depth--;
  }
  return at;
}

/* ---- types ---------------------------------------------------------------- */

static bool write_type(json_writer *w, const char **at);

static const struct {
  const char *word, *type, *format;
} basics[] = {
    {"string", "string", NULL},      {"bool", "boolean", NULL},    {"integer", "integer", "int64"},
    {"number", "number", "double"},  {"time", "string", "date-time"}, {"uuid", "string", "uuid"},
    {"object", "object", NULL},      {"any", NULL, NULL},
};

static bool write_basic(json_writer *w, const char *word, size_t len) {
  for (size_t i = 0; i < sizeof basics / sizeof *basics; i++) {
    if (strlen(basics[i].word) != len || memcmp(basics[i].word, word, len) != 0) continue;
    if (basics[i].type) jw_key_string(w, "type", basics[i].type);
    if (basics[i].format) jw_key_string(w, "format", basics[i].format);
    return true;
  }
  return false;
}

/* A reference may have no siblings, so one that can be null is wrapped. */
static bool write_reference(json_writer *w, const char *word, size_t len, bool nullable) {
  if (!api_find_shape(word, len)) return false;
  outbuf target = {0};
  outbuf_printf(&target, "#/components/schemas/%.*s", (int)len, word);
  if (nullable) jw_key(w, "allOf"), jw_array(w), jw_object(w);
  jw_key(w, "$ref");
  jw_text(w, target.data, target.len);
  if (nullable) jw_object_end(w), jw_array_end(w);
  w->out->failed |= target.failed;
  outbuf_fini(&target);
  return true;
}

static bool write_words(json_writer *w, const char **at, bool nullable) {
  jw_key_string(w, "type", "string");
  jw_key(w, "enum");
  jw_array(w);
  do {
    if (!take(at, '\'')) return false;
    size_t len = strcspn(*at, "'");
    jw_text(w, *at, len);
    *at += len;
    if (!take(at, '\'')) return false;
  } while (take(at, '|'));
  if (nullable) jw_null(w);
  jw_array_end(w);
  return true;
}

static bool write_container(json_writer *w, const char **at, bool array) {
  jw_key_string(w, "type", array ? "array" : "object");
  jw_key(w, array ? "items" : "additionalProperties");
  return write_type(w, at) && take(at, array ? ']' : '}');
}

static bool write_named(json_writer *w, const char **at, bool nullable) {
  size_t len = word_length(*at);
  const char *word = *at;
  *at += len;
  return len > 0 && (write_basic(w, word, len) || write_reference(w, word, len, nullable));
}

static bool write_inner(json_writer *w, const char **at, bool nullable) {
  if (**at == '\'') return write_words(w, at, nullable);
  if (take(at, '[')) return write_container(w, at, true);
  if (take(at, '{')) return write_container(w, at, false);
  return write_named(w, at, nullable);
}

static bool write_type(json_writer *w, const char **at) {
  skip_blanks(at);
  bool nullable = *type_end(*at) == '?';
  jw_object(w);
  if (!write_inner(w, at, nullable) || take(at, '?') != nullable) return false;
  if (nullable) jw_key_bool(w, "nullable", true);
  jw_object_end(w);
  return true;
}

bool openapi_write_type(json_writer *w, const char *type) { return write_type(w, &type) && *type == '\0'; }

/* ---- shapes --------------------------------------------------------------- */

typedef struct member {
  const char *name;
  size_t len;
  bool optional, open; /* open: not a member, but "...": any more */
} member;

/* Reads up to the type. */
static bool read_member(const char **at, member *m) {
  skip_blanks(at);
  *m = (member){.open = strncmp(*at, "...", 3) == 0};
  if (m->open) {
    *at += 3;
    return true;
  }
  m->name = *at;
  m->len = word_length(*at);
  *at += m->len;
  m->optional = take(at, '?');
  return m->len > 0 && take(at, ':');
}

static void key_member(json_writer *w, const member *m) {
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)m->len, m->name);
  jw_key(w, name);
}

static bool write_properties(json_writer *w, const char *at, bool *open) {
  member m;
  jw_key(w, "properties");
  jw_object(w);
  do {
    if (!read_member(&at, &m)) return false;
    *open |= m.open;
    if (m.open) continue;
    key_member(w, &m);
    if (!write_type(w, &at)) return false;
  } while (take(&at, ','));
  jw_object_end(w);
  return *at == '\0';
}

/* The members are well-formed: write_properties has seen them. */
static void write_required(json_writer *w, const char *at) {
  member m;
  bool any = false;
  do {
    if (!read_member(&at, &m)) return;
    if (!m.open && !m.optional) {
      if (!any) jw_key(w, "required"), jw_array(w);
      any = true;
      jw_text(w, m.name, m.len);
    }
    if (!m.open) at = type_end(at);
    take(&at, '?');
  } while (take(&at, ','));
  if (any) jw_array_end(w);
}

static bool write_object(json_writer *w, const api_shape *shape) {
  bool open = false;
  jw_object(w);
  jw_key_string(w, "type", "object");
  jw_key_string(w, "description", shape->text);
  write_required(w, shape->members);
  if (!write_properties(w, shape->members, &open)) return false;
  if (open) jw_key_bool(w, "additionalProperties", true);
  jw_object_end(w);
  return true;
}

bool openapi_write_shape(json_writer *w, const api_shape *shape) {
  if (*shape->members == '=') return openapi_write_type(w, shape->members + 1);
  return write_object(w, shape);
}
