/* config.c - checks settings against option tables, and hands them out.
 *
 * A checked setting is kept as a JSON value of the option's own type ("5" given
 * for an integer is kept as 5), which is what config_to_json shows again. */
#include "runtime/config.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct setting {
  json_t *value; /* NULL: unset, and no default */
  char *text;    /* of a HW_OPTION_JSON value */
  bool is_set;
  bool is_faulty; /* was given, and is left out */
} setting;

struct hw_config {
  const hw_option *table;
  size_t n;
  bool has_faults;
  setting settings[];
};

/* ---- nearest name -------------------------------------------------------- */

#define NEAREST_MAX 64 /* longest name compared */

static size_t min3(size_t a, size_t b, size_t c) {
  size_t m = a < b ? a : b;
  return m < c ? m : c;
}

static bool same_letter(char a, char b) { return tolower((unsigned char)a) == tolower((unsigned char)b); }

/* Edits (insert, delete, replace, swap of neighbours) that turn a into b, in any case. */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m) {
  size_t rows[3][NEAREST_MAX + 1];
  size_t *before = rows[0], *above = rows[1], *row = rows[2];
  for (size_t j = 0; j <= m; j++) above[j] = j;
  for (size_t i = 1; i <= n; i++) {
    row[0] = i;
    for (size_t j = 1; j <= m; j++) {
      row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + !same_letter(a[i - 1], b[j - 1]));
      bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
      if (swapped && before[j - 2] + 1 < row[j]) row[j] = before[j - 2] + 1;
    }
    size_t *oldest = before;
    before = above;
    above = row;
    row = oldest;
  }
  return above[m];
}

const char *config_nearest(const char *s, const char *const *names) {
  size_t n = strlen(s);
  if (n == 0 || n > NEAREST_MAX) return NULL;
  const char *nearest = NULL;
  size_t best = 1 + (n < 4 ? 1 : n < 7 ? 2 : n / 3); /* as many edits make another word, not a slip */
  for (; *names; names++) {
    size_t m = strlen(*names);
    if (m == 0 || m > NEAREST_MAX) continue;
    size_t distance = edit_distance(s, n, *names, m);
    if (distance >= best || distance >= m) continue;
    best = distance;
    nearest = *names;
  }
  return nearest;
}

/* ---- faults -------------------------------------------------------------- */

typedef struct checker {
  const hw_option *table;
  const char *path;
  config_fault *fault;
  void *arg;
  unsigned n_faults;
} checker;

static void report(checker *c, const char *name, const char *fmt, ...) HW_PRINTF(3, 4);

static void report(checker *c, const char *name, const char *fmt, ...) {
  char path[512], message[HW_ERROR_MAX];
  bool nested = c->path && *c->path;
  snprintf(path, sizeof path, "%s%s%s", nested ? c->path : "", nested && *name ? "." : "", name);
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  c->n_faults++;
  c->fault(c->arg, path, message);
}

static size_t append(char *text, size_t size, size_t len, const char *more) {
  int n = snprintf(text + len, size - len, "%s", more);
  return n < 0 ? len : (len + (size_t)n < size ? len + (size_t)n : size - 1);
}

/* "a", "b", "c" of a NULL-ended list. */
static const char *list_text(const char *const *names, char *text, size_t size) {
  text[0] = '\0';
  for (size_t len = 0; *names; names++) {
    len = append(text, size, len, "\"");
    len = append(text, size, len, *names);
    len = append(text, size, len, names[1] ? "\", " : "\"");
  }
  return text;
}

/* How much of s to show: at most max bytes, cut between characters. */
static int shown(const char *s, size_t max) {
  size_t n = strnlen(s, max + 1);
  if (n <= max) return (int)n;
  for (n = max; n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80; n--) {}
  return (int)n;
}

static size_t table_size(const hw_option *table) {
  size_t n = 0;
  while (table && table[n].name) n++;
  return n;
}

static void report_unknown(checker *c, const char *name) {
  size_t n = table_size(c->table);
  int len = shown(name, 100);
  if (n == 0) {
    report(c, name, "unknown option \"%.*s\": there are no options here", len, name);
    return;
  }
  const char **names = calloc(n + 1, sizeof *names);
  for (size_t i = 0; names && i < n; i++) names[i] = c->table[i].name;
  const char *nearest = names ? config_nearest(name, names) : NULL;
  char known[700];
  if (nearest)
    report(c, name, "unknown option \"%.*s\": did you mean \"%s\"? Known: %s", len, name, nearest,
           list_text(names, known, sizeof known));
  else
    report(c, name, "unknown option \"%.*s\". Known: %s", len, name,
           names ? list_text(names, known, sizeof known) : "(no memory to list them)");
  free(names);
}

#define FEW_DIGITS JSON_REAL_PRECISION(15) /* 0.1 and not 0.10000000000000001 */

/* The value as a person would want it quoted, "***" for a secret. */
static const char *found_text(const hw_option *o, const json_t *value, char *text, size_t size) {
  static const char *const kinds[] = {"an object", "an array", "a string", "an integer", "a number", "true", "false",
                                      "null"};
  const char *kind = kinds[json_typeof(value)];
  char *dump = o->flags & HW_OPTION_SECRET ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | FEW_DIGITS);
  if (!dump || json_is_object(value) || json_is_array(value) || strcmp(dump, kind) == 0)
    snprintf(text, size, "%s", kind);
  else
    snprintf(text, size, "%s %.*s%s", kind, shown(dump, 80), dump, strlen(dump) > 80 ? "..." : "");
  free(dump);
  return text;
}

static void report_type(checker *c, const hw_option *o, const json_t *value, const char *wanted) {
  char found[128];
  report(c, o->name, "option \"%s\" must be %s, found %s", o->name, wanted, found_text(o, value, found, sizeof found));
}

/* ---- checking one value -------------------------------------------------- */

/* Each gives a new reference to a value of the option's type, or NULL after a
 * report. JSON values are shared, never changed: Jansson's copies may lose members
 * when memory is short, and do not say so. */

static json_t *check_bool(checker *c, const hw_option *o, const json_t *value) {
  const char *text = json_string_value(value);
  if (json_is_true(value) || (text && strcmp(text, "true") == 0)) return json_true();
  if (json_is_false(value) || (text && strcmp(text, "false") == 0)) return json_false();
  report_type(c, o, value, "true or false");
  return NULL;
}

static bool text_to_i64(const char *text, int64_t *out) {
  const char *digits = *text == '-' ? text + 1 : text;
  if (!isdigit((unsigned char)*digits)) return false;
  char *end;
  errno = 0;
  long long v = strtoll(text, &end, 10);
  if (*end || errno) return false;
  *out = v;
  return true;
}

static bool value_to_i64(const json_t *value, int64_t *out) {
  if (json_is_string(value)) return text_to_i64(json_string_value(value), out);
  if (json_is_integer(value)) {
    *out = json_integer_value(value);
    return true;
  }
  double d = json_real_value(value); /* 0.0 where it is none */
  if (!json_is_real(value) || d != rint(d) || fabs(d) > 9007199254740992.0) return false;
  *out = (int64_t)d;
  return true;
}

static json_t *check_int(checker *c, const hw_option *o, const json_t *value) {
  int64_t v = 0;
  if (!value_to_i64(value, &v)) {
    report_type(c, o, value, "an integer");
    return NULL;
  }
  const char *blank = o->unit ? " " : "", *unit = o->unit ? o->unit : "";
  char found[32];
  bool bounded = o->min || o->max;
  if (!bounded || (v >= o->min && v <= o->max)) return json_integer(v);
  if (o->flags & HW_OPTION_SECRET) snprintf(found, sizeof found, "another");
  else snprintf(found, sizeof found, "%lld", (long long)v);
  if (o->max != INT64_MAX)
    report(c, o->name, "option \"%s\" must be from %lld to %lld%s%s, found %s", o->name, (long long)o->min,
           (long long)o->max, blank, unit, found);
  else
    report(c, o->name, "option \"%s\" must be at least %lld%s%s, found %s", o->name, (long long)o->min, blank, unit,
           found);
  return NULL;
}

static json_t *check_double(checker *c, const hw_option *o, const json_t *value) {
  if (json_is_number(value)) return json_real(json_number_value(value));
  report_type(c, o, value, "a number");
  return NULL;
}

static json_t *check_string(checker *c, const hw_option *o, const json_t *value) {
  if (json_is_string(value)) return json_incref((json_t *)(uintptr_t)value);
  report_type(c, o, value, "a string");
  return NULL;
}

static json_t *check_choice(checker *c, const hw_option *o, const json_t *value) {
  const char *text = json_string_value(value);
  for (const char *const *choice = o->choices; text && *choice; choice++)
    if (strcmp(text, *choice) == 0) return json_string(text);
  char known[512], found[128];
  const char *nearest = text ? config_nearest(text, o->choices) : NULL;
  report(c, o->name, "option \"%s\" must be one of %s, found %s%s%s%s", o->name,
         list_text(o->choices, known, sizeof known), found_text(o, value, found, sizeof found),
         nearest ? ": did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
  return NULL;
}

static json_t *check_value(checker *c, const hw_option *o, const json_t *value) {
  switch (o->type) {
  case HW_OPTION_BOOL: return check_bool(c, o, value);
  case HW_OPTION_INT: return check_int(c, o, value);
  case HW_OPTION_DOUBLE: return check_double(c, o, value);
  case HW_OPTION_STRING: return check_string(c, o, value);
  case HW_OPTION_CHOICE: return check_choice(c, o, value);
  case HW_OPTION_JSON: return json_incref((json_t *)(uintptr_t)value);
  }
  assert(false && "unknown option type");
  return NULL;
}

/* The table's default as a value; defaults are part of the program, so a bad
 * one is a mistake there. */
static json_t *default_value(const hw_option *o) {
  if (!o->default_text) return NULL;
  switch (o->type) {
  case HW_OPTION_BOOL: return json_boolean(strcmp(o->default_text, "true") == 0);
  case HW_OPTION_INT: return json_integer(strtoll(o->default_text, NULL, 10));
  case HW_OPTION_DOUBLE: return json_real(strtod(o->default_text, NULL));
  case HW_OPTION_STRING:
  case HW_OPTION_CHOICE: return json_string(o->default_text);
  case HW_OPTION_JSON: return json_loads(o->default_text, JSON_DECODE_ANY, NULL);
  }
  return NULL;
}

/* ---- a whole object ------------------------------------------------------ */

static int table_find(const hw_option *table, const char *name) {
  for (int i = 0; table && table[i].name; i++)
    if (strcmp(table[i].name, name) == 0) return i;
  return -1;
}

static void take_given(checker *c, hw_config *config, const json_t *object) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, name, value) {
    int i = table_find(c->table, name);
    if (i < 0) {
      report_unknown(c, name);
      continue;
    }
    setting *s = &config->settings[i];
    if (json_is_null(value) && c->table[i].type != HW_OPTION_JSON) continue; /* as if it were not there */
    unsigned before = c->n_faults;
    s->value = check_value(c, &c->table[i], value);
    s->is_faulty = c->n_faults > before;
    s->is_set = !s->is_faulty;
  }
}

static void take_defaults(checker *c, hw_config *config) {
  for (size_t i = 0; i < config->n; i++) {
    setting *s = &config->settings[i];
    const hw_option *o = &c->table[i];
    bool missing = !s->is_set && (o->flags & HW_OPTION_REQUIRED);
    if (missing && !s->is_faulty)
      report(c, o->name, "option \"%s\" is required (%s)", o->name, o->description ? o->description : "no default");
    else if (!s->is_set && !missing)
      s->value = default_value(o);
    if (o->type == HW_OPTION_JSON && s->value)
      s->text = json_dumps(s->value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_PRESERVE_ORDER);
  }
}

static bool is_usable(const hw_config *config) {
  for (size_t i = 0; i < config->n; i++)
    if (!config->settings[i].is_set && (config->table[i].flags & HW_OPTION_REQUIRED)) return false;
  return true;
}

/* What the table promises is there; only a lack of memory can leave it out. */
static bool complete(const hw_config *config) {
  for (size_t i = 0; i < config->n; i++) {
    const setting *s = &config->settings[i];
    const hw_option *o = &config->table[i];
    bool required = o->flags & HW_OPTION_REQUIRED;
    if (!s->value && (s->is_set || (o->default_text && !required))) return false;
    if (o->type == HW_OPTION_JSON && s->value && !s->text) return false;
  }
  return true;
}

hw_config *config_read(const hw_option *table, const json_t *object, const char *path, config_fault *fault, void *arg) {
  checker c = {.table = table, .path = path, .fault = fault, .arg = arg};
  if (object && !json_is_object(object)) {
    report(&c, "", "must be an object: {\"option\": value, ...}");
    return NULL;
  }
  size_t n = table_size(table);
  hw_config *config = calloc(1, sizeof *config + n * sizeof(setting));
  if (config) {
    config->table = table;
    config->n = n;
    take_given(&c, config, object);
    take_defaults(&c, config);
  }
  bool whole = config && complete(config);
  if (!whole) report(&c, "", "out of memory");
  if (whole && is_usable(config)) {
    config->has_faults = c.n_faults > 0;
    return config;
  }
  config_free(config);
  return NULL;
}

hw_config *config_new(const hw_option *table, const json_t *object, const char *path, config_fault *fault, void *arg) {
  hw_config *config = config_read(table, object, path, fault, arg);
  if (!config || !config->has_faults) return config;
  config_free(config);
  return NULL;
}

bool config_has_faults(const hw_config *config) { return config->has_faults; }

const hw_option *config_table(const hw_config *config) { return config->table; }

void config_free(hw_config *config) {
  if (!config) return;
  for (size_t i = 0; i < config->n; i++) {
    json_decref(config->settings[i].value);
    free(config->settings[i].text);
  }
  free(config);
}

json_t *config_to_json(const hw_config *config) {
  json_t *object = json_object();
  for (size_t i = 0; object && i < config->n; i++) {
    const hw_option *o = &config->table[i];
    json_t *value = config->settings[i].value;
    if (!value) continue;
    bool secret = o->flags & HW_OPTION_SECRET;
    int failed = json_object_set_new(object, o->name, secret ? json_string("***") : json_incref(value));
    if (failed) {
      json_decref(object);
      return NULL;
    }
  }
  return object;
}

/* ---- references to secrets ------------------------------------------------- */

/* Called with each text that is a reference; false ends the search. */
typedef bool reference_found(void *arg, const char *reference);

/* False: the search was ended. */
static bool each_reference(const json_t *value, reference_found *found, void *arg) {
  const char *name, *text = json_string_value(value);
  json_t *item;
  size_t i;
  if (text) return !secret_is_reference(text) || found(arg, text);
  json_object_foreach((json_t *)(uintptr_t)value, name, item)
    if (!each_reference(item, found, arg)) return false;
  json_array_foreach(value, i, item)
    if (!each_reference(item, found, arg)) return false;
  return true;
}

static bool end_search(void *arg, const char *reference) {
  (void)arg, (void)reference;
  return false;
}

bool config_has_references(const hw_config *config) {
  for (size_t i = 0; i < config->n; i++)
    if (!each_reference(config->settings[i].value, end_search, NULL)) return true;
  return false;
}

typedef struct reference_checker {
  checker c;
  const char *name;
} reference_checker;

static bool check_reference(void *arg, const char *reference) {
  reference_checker *r = arg;
  const char *why = secret_fault(reference);
  if (why) report(&r->c, r->name, "\"%.*s\": %s", shown(reference, 100), reference, why);
  return true;
}

bool config_check_references(const hw_config *config, const char *path, config_fault *fault, void *arg) {
  reference_checker r = {.c = {.path = path, .fault = fault, .arg = arg}};
  for (size_t i = 0; i < config->n; i++) {
    r.name = config->table[i].name;
    (void)each_reference(config->settings[i].value, check_reference, &r);
  }
  return r.c.n_faults == 0;
}

typedef struct resolver {
  const file_root *secrets;
  secret_list *known;
  hw_error *err;
} resolver;

static json_t *resolve_value(const resolver *r, const json_t *value);

static json_t *resolve_text(const resolver *r, const char *reference) {
  const char *text;
  if (secret_resolve(r->secrets, reference, r->known, &text, r->err) != HW_OK) return NULL;
  json_t *value = json_string(text);
  if (!value) hw_error_set(r->err, HW_EINVAL, "%s: what it stands for is not UTF-8", reference);
  return value;
}

static json_t *resolve_object(const resolver *r, const json_t *object) {
  json_t *copy = json_object(), *item;
  const char *name;
  json_object_foreach((json_t *)(uintptr_t)object, name, item) {
    json_t *value = copy ? resolve_value(r, item) : NULL;
    if (value && json_object_set_new(copy, name, value) == 0) continue;
    json_decref(copy);
    return NULL;
  }
  return copy;
}

static json_t *resolve_array(const resolver *r, const json_t *array) {
  json_t *copy = json_array(), *item;
  size_t i;
  json_array_foreach(array, i, item) {
    json_t *value = copy ? resolve_value(r, item) : NULL;
    if (value && json_array_append_new(copy, value) == 0) continue;
    json_decref(copy);
    return NULL;
  }
  return copy;
}

/* A new reference, to a copy where something in it was resolved; NULL: *r->err,
 * which is unset when memory ran out. */
static json_t *resolve_value(const resolver *r, const json_t *value) {
  if (each_reference(value, end_search, NULL)) return json_incref((json_t *)(uintptr_t)value);
  if (json_is_object(value)) return resolve_object(r, value);
  return json_is_array(value) ? resolve_array(r, value) : resolve_text(r, json_string_value(value));
}

static bool resolve_setting(const resolver *r, const setting *from, setting *to) {
  to->is_set = from->is_set;
  if (!from->value) return true;
  to->value = resolve_value(r, from->value);
  if (to->value && from->text)
    to->text = json_dumps(to->value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_PRESERVE_ORDER);
  return to->value && (!from->text || to->text);
}

hw_config *config_resolve(const hw_config *config, const char *path, const file_root *secrets, secret_list *known,
                          hw_error *err) {
  hw_error why = {.status = HW_OK};
  const resolver r = {.secrets = secrets, .known = known, .err = &why};
  hw_config *copy = calloc(1, sizeof *copy + config->n * sizeof(setting));
  if (copy) {
    copy->table = config->table;
    copy->n = config->n;
  }
  for (size_t i = 0; copy && i < config->n; i++) {
    if (resolve_setting(&r, &config->settings[i], &copy->settings[i])) continue;
    if (why.status != HW_OK) hw_error_set(err, why.status, "%s.%s: %s", path, config->table[i].name, why.message);
    config_free(copy);
    copy = NULL;
  }
  if (!copy && why.status == HW_OK) hw_error_set(err, HW_ENOMEM, "%s: out of memory", path);
  return copy;
}

/* ---- reading ------------------------------------------------------------- */

static const setting *get(const hw_config *config, const char *name, unsigned types) {
  int i = table_find(config->table, name);
  assert(i >= 0 && "no such option in the table");
  assert((types >> config->table[i].type & 1) && "the option has another type");
  (void)types;
  return &config->settings[i];
}

bool hw_config_bool(const hw_config *config, const char *name) {
  return json_is_true(get(config, name, 1u << HW_OPTION_BOOL)->value);
}

int64_t hw_config_int(const hw_config *config, const char *name) {
  return json_integer_value(get(config, name, 1u << HW_OPTION_INT)->value);
}

double hw_config_double(const hw_config *config, const char *name) {
  return json_real_value(get(config, name, 1u << HW_OPTION_DOUBLE)->value);
}

const char *hw_config_string(const hw_config *config, const char *name) {
  unsigned types = 1u << HW_OPTION_STRING | 1u << HW_OPTION_CHOICE | 1u << HW_OPTION_JSON;
  const setting *s = get(config, name, types);
  return s->text ? s->text : json_string_value(s->value);
}

bool hw_config_is_set(const hw_config *config, const char *name) { return get(config, name, ~0u)->is_set; }
