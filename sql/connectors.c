/* connectors.c - from a JSON array to checked connectors.
 *
 * DESIGN
 * Everything that can be known without touching the outside is checked here, so
 * that a slip in a connector is a fault of the program: attributes, options of
 * transport and format against their tables, and whether both fit the relation
 * (an instance of each is made and dropped). A fault is shown at the
 * member it is about, inside the string literal of the SQL text. A connector
 * that had faults is kept all the same, for its name and labels: others that
 * refer to it are not to blame. */
#include "sql/connectors.h"

#include "runtime/connector.h"
#include "runtime/registry.h"
#include "sql/json_place.h"
#include "sql/refusal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LENGTH 100
#define QUEUE_RECORDS_MAX INT64_C(1000000000000)
#define QUEUE_BYTES_PER_RECORD 1000

static const char *const on_full_choices[] = {"hold", "spill", "drop", NULL}; /* as the enum on_full */

const hw_option sql_connector_attributes[] = {
    {"name", HW_OPTION_STRING, 0, NULL, 0, 0, NULL, NULL,
     "Name, 1 to 100 letters, digits, _ and -, unique within the table or view; unnamed-{index} where there is none"},
    {"transport", HW_OPTION_JSON, HW_OPTION_REQUIRED, NULL, 0, 0, NULL, NULL,
     "Where data comes from or goes to: {\"name\": ..., \"config\": {...}}"},
    {"format", HW_OPTION_JSON, 0, NULL, 0, 0, NULL, NULL,
     "How bytes stand for rows: {\"name\": ..., \"config\": {...}}; not for transports that make rows themselves"},
    {"paused", HW_OPTION_BOOL, 0, "false", 0, 0, NULL, NULL, "Created paused, to be started over the API"},
    {"labels", HW_OPTION_JSON, 0, "[]", 0, 0, NULL, NULL, "Input: names for start_after to refer to"},
    {"start_after", HW_OPTION_JSON, 0, NULL, 0, 0, NULL, NULL,
     "Input: a label or a list of labels; held until every connector that carries one of them is at its end"},
    {"max_queued_records", HW_OPTION_INT, 0, "1000000", 1, QUEUE_RECORDS_MAX, "records", NULL,
     "Rows that may wait between the connector and the circuit"},
    {"max_queued_bytes", HW_OPTION_INT, 0, NULL, 1, INT64_MAX, "bytes", NULL,
     "Bytes that may wait there; 1000 times max_queued_records where not given"},
    {"on_full", HW_OPTION_CHOICE, 0, "hold", 0, 0, NULL, on_full_choices,
     "Output: what happens when that many wait: hold (the pipeline waits), spill (to files), drop (counted)"},
    {"max_spill_bytes", HW_OPTION_INT, 0, "1073741824", 1 << 20, INT64_C(1) << 50, "bytes", NULL,
     "Output with on_full = spill: most that its files may take; when they have, the pipeline waits"},
    {"max_batch_size", HW_OPTION_INT, 0, NULL, 1, UINT32_MAX, "records", NULL, "Input: most rows handed on at once"},
    {"max_record_bytes", HW_OPTION_INT, 0, "16777216", 1, INT64_C(1) << 31, "bytes", NULL,
     "Longest record that is taken; longer ones are reported as bad"},
    {0},
};

/* Attributes of the contract that are not there yet, and the value that asks for nothing. */
static const struct {
  const char *name;
  const char *neutral; /* as JSON; NULL: only null is */
} later_attributes[] = {
    {"preprocessor", NULL},
    {"postprocessor", NULL},
    {"index", NULL},
    {"send_snapshot", "false"},
    {"soft_delete", "false"},
    {"enable_output_buffer", "false"},
    {"max_output_buffer_time_millis", NULL},
    {"max_output_buffer_size_records", "10000000"},
    {"max_worker_batch_size", "10000"},
};

static const hw_option named_options[] = {
    {"name", HW_OPTION_STRING, HW_OPTION_REQUIRED, NULL, 0, 0, NULL, NULL, "which one"},
    {"config", HW_OPTION_JSON, 0, NULL, 0, 0, NULL, NULL, "its options"},
    {0},
};

/* One element of the array, while it is checked. */
typedef struct element {
  compiler *c;
  const ast_property *property;
  uint32_t index;
  size_t offset;    /* of its first byte in the JSON */
  script_span place; /* of that byte in the program */
  const json_t *object;
  const program_relation *relation;
  char name[NAME_MAX_LENGTH + 1];
  bool failed;
} element;

/* ---- faults -------------------------------------------------------------------------- */

static script_span place_of(const element *el, const char *path) {
  const ast_text *value = el->property->value;
  size_t start, end;
  json_place_find(value->data, value->len, el->offset, path, &start, &end);
  return script_in_literal(el->c->text, &el->place, start - el->offset, end - el->offset);
}

static void report(element *el, const char *path, const char *fmt, ...) HW_PRINTF(3, 4);

static void report(element *el, const char *path, const char *fmt, ...) {
  char message[1400];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  script_span at = place_of(el, path);
  el->failed = true;
  script_error(el->c->text, &at, SCRIPT_CONNECTOR, "connector \"%s\" of \"%.100s\": %s%.100s%s%s", el->name,
               el->relation->schema.name, *path ? "at " : "", path, *path ? ": " : "", message);
}

static void on_fault(void *arg, const char *path, const char *message) { report(arg, path, "%s", message); }

/* "a", "b", "c"; cut to fit. */
static const char *list_text(const char *const *names, uint32_t n, char *text, size_t size) {
  size_t len = 0;
  text[0] = '\0';
  for (uint32_t i = 0; i < n && len < size; i++)
    len += (size_t)snprintf(text + len, size - len, "%s\"%.60s\"", i ? ", " : "", names[i]);
  return text;
}

/* ---- transports and formats there are ---------------------------------------------------- */

#define LISTED_MAX 64
#define LIST_TEXT 512

typedef const char *name_at(unsigned i); /* NULL past the end */

static const char *input_name(unsigned i) {
  const hw_input_transport *t = registry_input_at(i);
  return t ? t->name : NULL;
}

static const char *output_name(unsigned i) {
  const hw_output_transport *t = registry_output_at(i);
  return t ? t->name : NULL;
}

static const char *format_name(unsigned i) {
  const hw_format *f = registry_format_at(i);
  return f ? f->name : NULL;
}

static void report_unknown(element *el, const char *path, const char *what, const char *name, name_at *at) {
  const char *names[LISTED_MAX];
  char hint[COMPILER_HINT], known[LIST_TEXT];
  uint32_t n = 0;
  while (n < LISTED_MAX && (names[n] = at(n))) n++;
  report(el, path, "unknown %s \"%.60s\"%s (known: %s)", what, name, compiler_hint(el->c, name, names, n, hint),
         list_text(names, n, known, sizeof known));
}

/* ---- {"name": ..., "config": {...}} --------------------------------------------------------- */

typedef struct named {
  hw_config *checked; /* NULL: faulty */
  const char *name;
  const json_t *config; /* NULL: none */
} named;

static named take_named(element *el, const char *attribute) {
  named n = {0};
  const json_t *object = json_object_get(el->object, attribute);
  if (!json_is_object(object)) {
    report(el, attribute, "must be an object: {\"name\": ..., \"config\": {...}}");
    return n;
  }
  n.checked = config_new(named_options, object, attribute, on_fault, el);
  if (!n.checked) return n;
  n.name = hw_config_string(n.checked, "name");
  n.config = json_object_get(object, "config");
  if (json_is_null(n.config)) n.config = NULL;
  return n;
}

/* ---- transport --------------------------------------------------------------------------------- */

static void find_input(element *el, program_connector *made, const char *name) {
  made->input = registry_input(name);
  if (made->input) return;
  if (registry_output(name))
    report(el, "transport.name",
           "\"%.60s\" is an output transport, and a table takes input connectors (ExpectedInputConnector)", name);
  else
    report_unknown(el, "transport.name", "input transport", name, input_name);
}

static void find_output(element *el, program_connector *made, const char *name) {
  made->output = registry_output(name);
  if (made->output) return;
  if (registry_input(name))
    report(el, "transport.name",
           "\"%.60s\" is an input transport, and a view takes output connectors (ExpectedOutputConnector)", name);
  else
    report_unknown(el, "transport.name", "output transport", name, output_name);
}

static void take_transport(element *el, program_connector *made) {
  if (!json_object_get(el->object, "transport")) return; /* reported as missing */
  named n = take_named(el, "transport");
  if (n.name && made->is_input) find_input(el, made, n.name);
  else if (n.name) find_output(el, made, n.name);
  const hw_option *options = made->input ? made->input->options : made->output ? made->output->options : NULL;
  if (made->input || made->output)
    made->transport_config = config_read(options, n.config, "transport.config", on_fault, el);
  config_free(n.checked);
}

/* ---- format -------------------------------------------------------------------------------------- */

/* Whether the format can do it with these columns: an instance tells. */
static void try_format(element *el, const program_connector *made) {
  void *instance = NULL;
  hw_error err = {.status = HW_OK};
  const relation_info *info = &el->c->infos[made->relation];
  if (!info->known || !info->complete || config_has_references(made->format_config)) return;
  const hw_schema *schema = &el->relation->schema;
  hw_status status = made->is_input ? made->format->parser->create(made->format_config, schema, &instance, &err)
                                    : made->format->encoder->create(made->format_config, schema, &instance, &err);
  if (status != HW_OK)
    refusal_report(err.message[0] ? err.message : hw_status_text(status), made->format_config, "format.config",
                   "format", on_fault, el);
  else if (made->is_input) made->format->parser->destroy(instance);
  else made->format->encoder->destroy(instance);
}

static void take_named_format(element *el, program_connector *made) {
  named n = take_named(el, "format");
  const hw_format *f = n.name ? registry_format(n.name) : NULL;
  bool usable = f && (made->is_input ? f->parser != NULL : f->encoder != NULL);
  if (n.name && !f) report_unknown(el, "format.name", "format", n.name, format_name);
  else if (f && !usable)
    report(el, "format.name", "format \"%s\" cannot be used on %s", f->name, made->is_input ? "input" : "output");
  if (usable) {
    made->format = f;
    made->format_config = config_read(made->is_input ? f->parser_options : f->encoder_options, n.config,
                                      "format.config", on_fault, el);
    if (made->format_config && config_check_references(made->format_config, "format.config", on_fault, el))
      try_format(el, made);
  }
  config_free(n.checked);
}

static void take_format(element *el, program_connector *made) {
  const json_t *format = json_object_get(el->object, "format");
  bool given = format && !json_is_null(format);
  unsigned capabilities = made->input ? made->input->capabilities : made->output ? made->output->capabilities : 0;
  bool known = made->input || made->output, rows = capabilities & HW_CAP_ROWS;
  const char *name = made->input ? made->input->name : made->output ? made->output->name : "";
  if (given && made->input && rows && !(capabilities & HW_CAP_FORMAT))
    report(el, "format", "\"%s\" makes rows itself, so it takes no format", name);
  else if (given)
    take_named_format(el, made);
  else if (known && !rows)
    report(el, "", "\"format\" is missing: \"%s\" moves bytes, so it needs {\"name\": ..., \"config\": {...}} (%s)",
           name, made->is_input ? "InputFormatNotSpecified" : "OutputFormatNotSpecified");
}

/* Whether the transport can, likewise. What refers to secrets is known at the start only. */
static void try_transport(element *el, const program_connector *made) {
  const relation_info *info = &el->c->infos[made->relation];
  hw_error err = {.status = HW_OK};
  if (!config_check_references(made->transport_config, "transport.config", on_fault, el)) return;
  if (!info->known || !info->complete || config_has_references(made->transport_config)) return;
  hw_status status = connector_try(made, &el->relation->schema, &err);
  if (status == HW_OK) return;
  refusal_report(err.message[0] ? err.message : hw_status_text(status), made->transport_config, "transport.config",
                 "transport.config", on_fault, el);
}

/* ---- attributes ---------------------------------------------------------------------------------- */

static bool is_neutral(const json_t *value, const char *neutral) {
  json_t *wanted = neutral ? json_loads(neutral, JSON_DECODE_ANY, NULL) : NULL;
  bool same = json_is_null(value) || (wanted && json_equal(wanted, value));
  json_decref(wanted);
  return same;
}

/* Sets in object what it has not yet of more; false: no memory. */
static bool add_missing(json_t *object, const json_t *more) {
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)more, name, value)
    if (!json_object_get(object, name) && json_object_set(object, name, value) != 0) return false;
  return true;
}

/* A copy of the object without what is not there yet; NULL: no memory. */
static json_t *without_later(element *el) {
  json_t *copy = json_object();
  if (!copy || !add_missing(copy, el->object)) {
    el->c->no_memory = true;
    json_decref(copy);
    return NULL;
  }
  for (size_t i = 0; i < sizeof later_attributes / sizeof *later_attributes; i++) {
    const char *name = later_attributes[i].name, *neutral = later_attributes[i].neutral;
    const json_t *value = json_object_get(copy, name);
    if (!value) continue;
    if (!is_neutral(value, neutral))
      report(el, name, "\"%s\" is not supported yet%s%s", name, neutral ? ", only its default is: " : "",
             neutral ? neutral : "");
    json_object_del(copy, name);
  }
  return copy;
}

/* A label or a list of them. */
static void take_labels(element *el, const char *attribute, const char ***out, uint32_t *n) {
  const json_t *value = json_object_get(el->object, attribute);
  bool one = json_is_string(value);
  if (!value || json_is_null(value)) return;
  bool alone = strcmp(attribute, "start_after") == 0;
  if (!json_is_array(value) && !(one && alone)) {
    report(el, attribute, "must be %sa list of labels: [\"a\", \"b\"]", alone ? "a label or " : "");
    return;
  }
  uint32_t size = one ? 1 : (uint32_t)json_array_size(value);
  *out = compiler_alloc(el->c, (size + 1) * sizeof **out);
  for (uint32_t i = 0; *out && i < size; i++) {
    const char *label = json_string_value(one ? value : json_array_get(value, i));
    if (!label || !*label) {
      report(el, attribute, "a label is a string that is not empty");
      continue;
    }
    (*out)[*n] = compiler_strdup(el->c, label, strlen(label));
    if ((*out)[*n]) ++*n;
  }
}

static void take_orchestration(element *el, program_connector *made) {
  take_labels(el, "labels", &made->labels, &made->n_labels);
  take_labels(el, "start_after", &made->start_after, &made->n_start_after);
  const json_t *after = json_object_get(el->object, "start_after");
  if (json_is_array(after) && json_array_size(after) == 0)
    report(el, "start_after", "the list is empty: name a label, or leave start_after out (EmptyStartAfter)");
  if (made->is_input) return;
  if (made->n_start_after) report(el, "start_after", "an output waits for nothing: start_after is for inputs");
  if (made->n_labels) {
    script_span at = place_of(el, "labels");
    script_warning(el->c->text, &at, SCRIPT_CONNECTOR, "labels of an output connector have no effect");
  }
}

static void take_on_full(element *el, program_connector *made, const hw_config *attributes) {
  const char *word = hw_config_string(attributes, "on_full");
  while (strcmp(on_full_choices[made->on_full], word) != 0) made->on_full++;
  made->max_spill_bytes = hw_config_int(attributes, "max_spill_bytes");
  if (made->is_input && hw_config_is_set(attributes, "on_full"))
    report(el, "on_full", "an input is held when its queue is full: on_full is for outputs");
  if (made->on_full != ON_FULL_SPILL && hw_config_is_set(attributes, "max_spill_bytes"))
    report(el, "max_spill_bytes", "nothing is spilled without \"on_full\": \"spill\"");
}

static void take_settings(element *el, program_connector *made, const hw_config *attributes) {
  made->paused = hw_config_bool(attributes, "paused");
  made->max_queued_records = hw_config_int(attributes, "max_queued_records");
  made->max_queued_bytes = hw_config_is_set(attributes, "max_queued_bytes")
                               ? hw_config_int(attributes, "max_queued_bytes")
                               : made->max_queued_records * QUEUE_BYTES_PER_RECORD;
  take_on_full(el, made, attributes);
  made->max_batch_size = hw_config_int(attributes, "max_batch_size");
  made->max_record_bytes = hw_config_int(attributes, "max_record_bytes");
}

/* ---- the name --------------------------------------------------------------------------------------- */

static bool is_good_name(const char *name) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  size_t len = strlen(name);
  return len >= 1 && len <= NAME_MAX_LENGTH && strspn(name, letters) == len;
}

/* el->name is what messages call it, from here on. */
static void take_name(element *el) {
  const json_t *value = json_object_get(el->object, "name");
  const char *name = json_string_value(value);
  snprintf(el->name, sizeof el->name, "unnamed-%u", el->index);
  if (!name) return; /* of another type: the option table says so */
  if (is_good_name(name)) snprintf(el->name, sizeof el->name, "%s", name);
  else report(el, "name", "\"%.120s\" is no name: 1 to 100 letters, digits, _ and - make one", name);
}

/* ---- the whole connector ------------------------------------------------------------------------------ */

/* What has no settings has no "config": clients in Rust refuse one there. */
static json_t *named_json(const char *name, const hw_config *config) {
  json_t *settings = config_to_json(config);
  if (settings && json_object_size(settings) > 0) return json_pack("{s:s, s:o}", "name", name, "config", settings);
  json_decref(settings);
  return settings ? json_pack("{s:s}", "name", name) : NULL;
}

/* The object as it is meant: defaults filled in, secrets masked. */
static char *whole_json(const program_connector *made, const hw_config *attributes) {
  json_t *transport = named_json(made->is_input ? made->input->name : made->output->name, made->transport_config);
  json_t *format = made->format ? named_json(made->format->name, made->format_config) : NULL;
  json_t *rest = config_to_json(attributes);
  json_t *whole = json_pack("{s:s, s:o, s:o*}", "name", made->name, "transport", transport, "format", format);
  if (rest && made->is_input) json_object_del(rest, "on_full");
  if (rest && (made->is_input || made->on_full != ON_FULL_SPILL)) json_object_del(rest, "max_spill_bytes");
  bool ok = rest && whole && (format || !made->format) &&
            json_object_set_new(rest, "max_queued_bytes", json_integer(made->max_queued_bytes)) == 0 &&
            add_missing(whole, rest);
  if (ok && !made->format) json_object_del(whole, "format");
  char *text = ok ? json_dumps(whole, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
  json_decref(whole);
  json_decref(rest);
  return text;
}

static void finish(element *el, program_connector *made, const hw_config *attributes) {
  char *json = whole_json(made, attributes);
  made->json = json ? compiler_strdup(el->c, json, strlen(json)) : NULL;
  if (!made->json) el->c->no_memory = true;
  free(json);
}

static bool name_connector(element *el, program_connector *made) {
  char endpoint[1024];
  const char *relation = el->relation->schema.name;
  made->name = compiler_strdup(el->c, el->name, strlen(el->name));
  size_t len = strlen(relation) + 1 + strlen(el->name);
  char *text = len < sizeof endpoint ? endpoint : arena_alloc(el->c->memory, len + 1);
  if (!text) return false;
  snprintf(text, len + 1, "%s.%s", relation, el->name);
  made->endpoint = compiler_strdup(el->c, text, len);
  return made->name && made->endpoint;
}

static void check_element(element *el, program_connector *made) {
  json_t *object = without_later(el);
  hw_config *attributes = object ? config_new(sql_connector_attributes, object, "", on_fault, el) : NULL;
  json_decref(object);
  take_transport(el, made);
  take_format(el, made);
  take_orchestration(el, made);
  if (attributes) take_settings(el, made, attributes);
  if (made->transport_config) try_transport(el, made);
  if (attributes && !el->failed && !el->c->no_memory) finish(el, made, attributes);
  config_free(attributes);
}

static program_connector *add_connector(compiler *c) {
  program *p = c->out;
  if (p->n_connectors == c->connectors_room) {
    uint32_t room = c->connectors_room ? c->connectors_room * 2 : 16;
    program_connector *connectors = compiler_alloc(c, room * sizeof *connectors);
    script_span *places = arena_alloc(c->memory, room * sizeof *places);
    if (!connectors || !places) return NULL;
    if (p->n_connectors) {
      memcpy(connectors, c->connectors, p->n_connectors * sizeof *connectors);
      memcpy(places, c->connector_places, p->n_connectors * sizeof *places);
    }
    p->connectors = c->connectors = connectors;
    c->connector_places = places;
    c->connectors_room = room;
  }
  return &c->connectors[p->n_connectors];
}

static void compile_element(element *el, uint32_t relation, name_table *seen) {
  compiler *c = el->c;
  snprintf(el->name, sizeof el->name, "unnamed-%u", el->index);
  if (!json_is_object(el->object)) {
    report(el, "", "a connector is an object: {\"transport\": {...}, \"format\": {...}}");
    return;
  }
  program_connector *made = add_connector(c);
  if (!made) return;
  c->connector_places[c->out->n_connectors++] = place_of(el, "start_after");
  made->relation = relation;
  made->is_input = el->relation->kind == PROGRAM_TABLE;
  take_name(el);
  if (!name_connector(el, made)) return;
  if (!name_table_put(seen, c->memory, made->name, el->index))
    report(el, "name", "there is a connector of this name already (RelationConnectorNameCollision)");
  check_element(el, made);
}

/* ---- the array -------------------------------------------------------------------------------------------- */

/* Jansson says where it stopped, which is behind the token at fault. */
static script_span syntax_place(compiler *c, const ast_text *value, const json_error_t *err) {
  size_t end = err->position > 0 ? (size_t)err->position : 0, start = end ? end - 1 : 0;
  const char *near = strstr(err->text, "near '");
  if (near) {
    size_t len = strlen(near + 6);
    len = len ? len - 1 : 0;
    if (len <= end && strncmp(value->data + end - len, near + 6, len) == 0) start = end - len;
  }
  script_span first = script_literal_start(c->text, &value->span);
  return script_in_literal(c->text, &first, start, end > start ? end : start + 1);
}

static json_t *load(compiler *c, uint32_t relation, const ast_text *value) {
  json_error_t err;
  json_t *array = json_loadb(value->data, value->len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &err);
  const char *name = c->made[relation].schema.name;
  if (!array) {
    script_span at = syntax_place(c, value, &err);
    script_error(c->text, &at, SCRIPT_CONNECTOR, "connectors of \"%.100s\": not valid JSON: %s (InvalidPropertyValue)",
                 name, err.text);
  } else if (!json_is_array(array)) {
    script_error(c->text, &value->span, SCRIPT_CONNECTOR,
                 "connectors of \"%.100s\": must be a JSON array of connectors: [{...}, {...}] (InvalidPropertyValue)",
                 name);
    json_decref(array);
    array = NULL;
  }
  return array;
}

/* Places are found from one element to the next: from the start each time would
 * make many connectors slow. */
void connectors_compile(compiler *c, uint32_t index, const ast_property *property) {
  const ast_text *value = property->value;
  json_t *array = load(c, index, value);
  name_table seen = {0};
  size_t at = 0, next = json_place_first(value->data, value->len);
  script_span place = script_literal_start(c->text, &value->span);
  for (size_t i = 0; i < json_array_size(array); i++) {
    place = script_in_literal(c->text, &place, next - at, next - at + 1);
    at = next;
    element el = {.c = c, .property = property, .index = (uint32_t)i, .offset = at, .place = place,
                  .object = json_array_get(array, i), .relation = &c->made[index]};
    compile_element(&el, index, &seen);
    next = json_place_next(value->data, value->len, at);
  }
  json_decref(array);
}
