/* settings.c - checks and completes what a user sets beside a program.
 *
 * The tables below hold the contract's members with their types and defaults.
 * Most of them steer machinery that Headworks does not have: they are checked,
 * kept and shown, and change nothing (docs/http-api.md says which do). Members
 * that no table knows are left out, as the contract has it. */
#include "api/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum setting_type {
  SETTING_BOOL,
  SETTING_COUNT,  /* an integer, not negative */
  SETTING_NUMBER, /* not negative */
  SETTING_STRING,
  SETTING_CHOICE,
  SETTING_COUNTS,  /* an array of integers */
  SETTING_STRINGS, /* an object whose values are strings */
  SETTING_OBJECT,  /* any */
  SETTING_ANY,
  SETTING_MEMBERS, /* an object by a table of its own */
  SETTING_SWITCH,  /* as SETTING_MEMBERS; true: all defaults, false: null */
} setting_type;

typedef struct setting {
  const char *name; /* NULL ends a table */
  setting_type type;
  bool nullable;
  const char *fallback; /* JSON text; of members: their own defaults */
  const struct setting *members;
  const char *const *choices;
} setting;

/* ---- the tables ----------------------------------------------------------- */

static const char *const backends[] = {"default", "file", "object", NULL};
static const char *const compressions[] = {"default", "none", "snappy", NULL};
static const char *const models[] = {"none", "at_least_once", "exactly_once", NULL};
static const char *const profiles[] = {"dev", "unoptimized", "optimized", "optimized_symbols", NULL};

static const setting backend_members[] = {
    {"name", SETTING_CHOICE, false, "\"default\"", NULL, backends},
    {0},
};

static const setting storage_members[] = {
    {"backend", SETTING_MEMBERS, false, NULL, backend_members, NULL},
    {"min_storage_bytes", SETTING_COUNT, true, "null", NULL, NULL},
    {"min_step_storage_bytes", SETTING_COUNT, true, "null", NULL, NULL},
    {"compression", SETTING_CHOICE, false, "\"default\"", NULL, compressions},
    {"cache_mib", SETTING_COUNT, true, "null", NULL, NULL},
    {0},
};

static const setting tolerance_members[] = {
    {"model", SETTING_CHOICE, false, "\"none\"", NULL, models},
    {"checkpoint_interval_secs", SETTING_COUNT, true, "60", NULL, NULL},
    {0},
};

static const setting resource_members[] = {
    {"cpu_cores_min", SETTING_NUMBER, true, "null", NULL, NULL},
    {"cpu_cores_max", SETTING_NUMBER, true, "null", NULL, NULL},
    {"memory_mb_min", SETTING_COUNT, true, "null", NULL, NULL},
    {"memory_mb_max", SETTING_COUNT, true, "null", NULL, NULL},
    {"storage_mb_max", SETTING_COUNT, true, "null", NULL, NULL},
    {"storage_class", SETTING_STRING, true, "null", NULL, NULL},
    {"service_account_name", SETTING_STRING, true, "null", NULL, NULL},
    {"namespace", SETTING_STRING, true, "null", NULL, NULL},
    {0},
};

static const setting runtime_members[] = {
    {"workers", SETTING_COUNT, false, "8", NULL, NULL},
    {"max_rss_mb", SETTING_COUNT, true, "null", NULL, NULL},
    {"datafusion_memory_mb", SETTING_COUNT, true, "null", NULL, NULL},
    {"hosts", SETTING_COUNT, false, "1", NULL, NULL},
    {"storage", SETTING_SWITCH, true, NULL, storage_members, NULL},
    {"fault_tolerance", SETTING_MEMBERS, false, NULL, tolerance_members, NULL},
    {"cpu_profiler", SETTING_BOOL, false, "true", NULL, NULL},
    {"tracing", SETTING_BOOL, false, "false", NULL, NULL},
    {"tracing_endpoint_jaeger", SETTING_STRING, false, "\"127.0.0.1:6831\"", NULL, NULL},
    {"min_batch_size_records", SETTING_COUNT, false, "0", NULL, NULL},
    {"max_buffering_delay_usecs", SETTING_COUNT, false, "0", NULL, NULL},
    {"resources", SETTING_MEMBERS, false, NULL, resource_members, NULL},
    {"clock_resolution_usecs", SETTING_COUNT, true, "1000000", NULL, NULL},
    {"clock_timezone_offset", SETTING_STRING, true, "null", NULL, NULL},
    {"pin_cpus", SETTING_COUNTS, false, "[]", NULL, NULL},
    {"provisioning_timeout_secs", SETTING_COUNT, true, "null", NULL, NULL},
    {"max_parallel_connector_init", SETTING_COUNT, true, "null", NULL, NULL},
    {"init_containers", SETTING_ANY, true, "null", NULL, NULL},
    {"checkpoint_during_suspend", SETTING_BOOL, false, "true", NULL, NULL},
    {"http_workers", SETTING_COUNT, true, "null", NULL, NULL},
    {"io_workers", SETTING_COUNT, true, "null", NULL, NULL},
    {"env", SETTING_STRINGS, false, "{}", NULL, NULL},
    {"dev_tweaks", SETTING_OBJECT, false, "{}", NULL, NULL},
    {"logging", SETTING_STRING, true, "null", NULL, NULL},
    {"pipeline_template_configmap", SETTING_OBJECT, true, "null", NULL, NULL},
    {0},
};

static const setting program_members[] = {
    {"profile", SETTING_CHOICE, true, "null", NULL, profiles},
    {"cache", SETTING_BOOL, false, "true", NULL, NULL},
    {"runtime_version", SETTING_STRING, true, "null", NULL, NULL},
    {"use_platform_compiler", SETTING_BOOL, false, "false", NULL, NULL},
    {0},
};

static const char *const type_names[] = {
    [SETTING_BOOL] = "true or false",
    [SETTING_COUNT] = "an integer that is not negative",
    [SETTING_NUMBER] = "a number that is not negative",
    [SETTING_STRING] = "a string",
    [SETTING_CHOICE] = "one of the words known for it",
    [SETTING_COUNTS] = "an array of integers that are not negative",
    [SETTING_STRINGS] = "an object whose values are strings",
    [SETTING_OBJECT] = "an object",
    [SETTING_ANY] = "anything",
    [SETTING_MEMBERS] = "an object",
    [SETTING_SWITCH] = "an object, true or false",
};

/* ---- types ---------------------------------------------------------------- */

static bool is_count(const json_t *v) { return json_is_integer(v) && json_integer_value(v) >= 0; }

static bool all_counts(const json_t *v) {
  size_t i;
  json_t *item;
  if (!json_is_array(v)) return false;
  json_array_foreach(v, i, item) {
    if (!is_count(item)) return false;
  }
  return true;
}

static bool all_strings(json_t *v) {
  const char *key;
  json_t *item;
  if (!json_is_object(v)) return false;
  json_object_foreach(v, key, item) {
    if (!json_is_string(item)) return false;
  }
  return true;
}

static bool is_choice(const char *const *choices, const json_t *v) {
  for (; json_is_string(v) && *choices; choices++) {
    if (strcmp(*choices, json_string_value(v)) == 0) return true;
  }
  return false;
}

static bool fits(const setting *s, json_t *v) {
  switch (s->type) {
    case SETTING_BOOL: return json_is_boolean(v);
    case SETTING_COUNT: return is_count(v);
    case SETTING_NUMBER: return json_is_number(v) && json_number_value(v) >= 0;
    case SETTING_STRING: return json_is_string(v);
    case SETTING_CHOICE: return is_choice(s->choices, v);
    case SETTING_COUNTS: return all_counts(v);
    case SETTING_STRINGS: return all_strings(v);
    case SETTING_ANY: return true;
    case SETTING_SWITCH: return json_is_object(v) || json_is_boolean(v);
    case SETTING_OBJECT:
    case SETTING_MEMBERS: break;
  }
  return json_is_object(v);
}

/* ---- completing ----------------------------------------------------------- */

/* Where we are in the body, and what is said when something is wrong there. */
typedef struct place {
  const char *code;
  const char *path;
  hw_error *err;
} place;

static json_t *complete(const setting *table, json_t *given, const place *at);

static json_t *refuse(const place *at, const setting *s) {
  hw_error_code(at->err, HW_EINVAL, at->code, "%s.%s must be %s%s", at->path, s->name, type_names[s->type],
                s->nullable ? ", or null" : "");
  return NULL;
}

static json_t *complete_members(const setting *s, json_t *given, const place *at) {
  char path[128];
  snprintf(path, sizeof path, "%s.%s", at->path, s->name);
  const place inner = {.code = at->code, .path = path, .err = at->err};
  return complete(s->members, given, &inner);
}

/* The value that a setting gets; a new reference, or NULL with *at->err set. */
static json_t *complete_one(const setting *s, json_t *given, const place *at) {
  if (!given && s->fallback) return json_loads(s->fallback, JSON_DECODE_ANY, NULL);
  if (json_is_null(given) && s->nullable) return json_null();
  if (given && !fits(s, given)) return refuse(at, s);
  if (s->type == SETTING_SWITCH && json_is_false(given)) return json_null();
  if (s->members) return complete_members(s, json_is_object(given) ? given : NULL, at);
  return json_incref(given);
}

static json_t *complete(const setting *table, json_t *given, const place *at) {
  json_t *out = json_object();
  hw_error_set(at->err, HW_ENOMEM, "out of memory");
  for (const setting *s = table; out && s->name; s++) {
    json_t *value = complete_one(s, json_object_get(given, s->name), at);
    if (value && json_object_set_new(out, s->name, value) == 0) continue;
    json_decref(out);
    return NULL;
  }
  return out;
}

/* ---- rules beyond types --------------------------------------------------- */

static bool is_reserved(const char *name) {
  static const char *const prefixes[] = {"FELDERA_", "KUBERNETES_", "TOKIO_"};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) return true;
  }
  return strcmp(name, "RUST_LOG") == 0;
}

static hw_status check_runtime(json_t *runtime, hw_error *err) {
  const char *model = json_string_value(json_object_get(json_object_get(runtime, "fault_tolerance"), "model"));
  if (model && strcmp(model, "none") != 0)
    return hw_error_code(err, HW_EINVAL, "InvalidRuntimeConfig",
                         "runtime_config.fault_tolerance.model '%s': enterprise feature: fault tolerance", model);
  const char *name;
  json_t *value;
  json_object_foreach(json_object_get(runtime, "env"), name, value) {
    if (is_reserved(name))
      return hw_error_code(err, HW_EINVAL, "InvalidRuntimeConfig", "runtime_config.env: the name '%.100s' is reserved",
                           name);
  }
  return HW_OK;
}

#define MAX_TAGS 50
#define MAX_TAG_LENGTH 50

static bool is_tag(const json_t *tag) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._/|\\:=-";
  const char *text = json_string_value(tag);
  return text && strlen(text) <= MAX_TAG_LENGTH && text[strspn(text, allowed)] == '\0';
}

static json_t *check_tags(json_t *tags, hw_error *err) {
  if (!tags) return json_array();
  size_t i;
  json_t *tag;
  if (!json_is_array(tags)) {
    hw_error_code(err, HW_EINVAL, "InvalidTag", "tags must be an array of strings");
    return NULL;
  }
  if (json_array_size(tags) > MAX_TAGS) {
    hw_error_code(err, HW_EINVAL, "TooManyTags", "%zu tags; at most %d are allowed", json_array_size(tags), MAX_TAGS);
    return NULL;
  }
  json_array_foreach(tags, i, tag) {
    if (is_tag(tag)) continue;
    hw_error_code(err, HW_EINVAL, "InvalidTag",
                  "tags[%zu] must be a string of at most %d letters, digits, blanks and . _ / | \\ : = -", i,
                  MAX_TAG_LENGTH);
    return NULL;
  }
  return json_incref(tags);
}

/* ---- the whole ------------------------------------------------------------ */

static json_t *complete_config(const setting *table, json_t *given, const char *path, const char *code, hw_error *err) {
  const place at = {.code = code, .path = path, .err = err};
  if (given && !json_is_object(given)) {
    hw_error_code(err, HW_EINVAL, code, "%s must be an object", path);
    return NULL;
  }
  return complete(table, given, &at);
}

static json_t *complete_runtime(json_t *given, hw_error *err) {
  json_t *runtime = complete_config(runtime_members, given, "runtime_config", "InvalidRuntimeConfig", err);
  if (!runtime || check_runtime(runtime, err) == HW_OK) return runtime;
  json_decref(runtime);
  return NULL;
}

static json_t *complete_program(json_t *given, hw_error *err) {
  return complete_config(program_members, given, "program_config", "InvalidProgramConfig", err);
}

typedef json_t *completer(json_t *given, hw_error *err);

/* One member as text, or NULL where it is not given and need not be. */
static hw_status take(const json_t *body, const char *name, bool whole, completer *completed, char **out,
                      hw_error *err) {
  json_t *given = json_object_get(body, name);
  if (json_is_null(given)) given = NULL;
  if (!given && !whole) return HW_OK;
  hw_error why;
  (void)hw_error_set(&why, HW_ENOMEM, "out of memory");
  json_t *value = completed(given, &why);
  if (value) *out = json_dumps(value, JSON_COMPACT);
  json_decref(value);
  if (*out) return HW_OK;
  *err = why;
  return why.status;
}

hw_status settings_from_body(const json_t *body, bool whole, settings *out, hw_error *err) {
  *out = (settings){0};
  hw_status status = take(body, "tags", whole, check_tags, &out->tags, err);
  if (status == HW_OK) status = take(body, "runtime_config", whole, complete_runtime, &out->runtime_config, err);
  if (status == HW_OK) status = take(body, "program_config", whole, complete_program, &out->program_config, err);
  if (status != HW_OK) settings_fini(out);
  return status;
}

void settings_fini(settings *s) {
  free(s->tags);
  free(s->runtime_config);
  free(s->program_config);
  *s = (settings){0};
}
