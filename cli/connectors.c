/* connectors.c - headworks connectors: what transports and formats there are.
 *
 * The text, the JSON and the reference in docs/ are three prints of the option
 * tables, by way of one list of entries. */
#include "cli/session.h"

#include "runtime/registry.h"
#include "sql/connectors.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { CONNECTOR, INPUT, OUTPUT, PARSER, ENCODER } kind;

static const char *const kind_names[] = {"settings", "input transport", "output transport", "input format",
                                         "output format"};
static const char *const kind_words[] = {"connector", "input", "output", "parser", "encoder"};

typedef struct entry {
  kind kind;
  const char *name, *summary;
  unsigned capabilities; /* of transports */
  const hw_option *options;
} entry;

typedef struct entries {
  entry *items;
  size_t n;
} entries;

/* ---- collecting ----------------------------------------------------------- */

static void add(entries *list, const char *only, entry e) {
  if (only && strcmp(only, e.name) != 0) return;
  list->items = cli_grow(list->items, (list->n + 1) * sizeof e);
  list->items[list->n++] = e;
}

static void collect_transports(entries *list, const char *only) {
  add(list, only, (entry){CONNECTOR, "connector", "what every connector may have", 0, sql_connector_attributes});
  const hw_input_transport *in;
  for (unsigned i = 0; (in = registry_input_at(i)); i++)
    add(list, only, (entry){INPUT, in->name, in->summary, in->capabilities, in->options});
  const hw_output_transport *out;
  for (unsigned i = 0; (out = registry_output_at(i)); i++)
    add(list, only, (entry){OUTPUT, out->name, out->summary, out->capabilities, out->options});
}

static void collect_formats(entries *list, const char *only) {
  const hw_format *format;
  for (unsigned i = 0; (format = registry_format_at(i)); i++) {
    if (format->parser) add(list, only, (entry){PARSER, format->name, format->summary, 0, format->parser_options});
    if (format->encoder) add(list, only, (entry){ENCODER, format->name, format->summary, 0, format->encoder_options});
  }
}

static int compare(const void *a, const void *b) {
  const entry *x = a, *y = b;
  bool x_format = x->kind >= PARSER, y_format = y->kind >= PARSER;
  if (x_format != y_format) return x_format - y_format;
  if (!x_format && x->kind != y->kind) return (int)x->kind - (int)y->kind;
  int order = strcmp(x->name, y->name);
  return order ? order : (int)x->kind - (int)y->kind;
}

/* ---- words for an option -------------------------------------------------- */

static const char *type_name(const hw_option *option) {
  static const char *const names[] = {"", "boolean", "integer", "number", "string", "choice", "JSON"};
  return names[option->type];
}

/* "integer, 1 to 65535 ms": freed with free(). */
static char *type_text(const hw_option *option) {
  char *text = cli_strdup(type_name(option));
  char *longer = NULL;
  if (option->type == HW_OPTION_INT && (option->min || option->max)) {
    longer = option->max == INT64_MAX ? cli_printf("%s, at least %lld", text, (long long)option->min)
                                      : cli_printf("%s, %lld to %lld", text, (long long)option->min,
                                                   (long long)option->max);
  } else if (option->type == HW_OPTION_CHOICE) {
    longer = cli_printf("%s", "one of");
    for (const char *const *choice = option->choices; *choice; choice++) {
      char *next = cli_printf("%s%s %s", longer, choice == option->choices ? "" : ",", *choice);
      free(longer);
      longer = next;
    }
  }
  if (longer) {
    free(text);
    text = longer;
  }
  if (!option->unit) return text;
  longer = cli_printf("%s (%s)", text, option->unit);
  free(text);
  return longer;
}

static const char *default_text(const hw_option *option) {
  if (option->flags & HW_OPTION_REQUIRED) return "required";
  return option->default_text ? option->default_text : "none";
}

static bool is_option(const hw_option *option) { return option && option->name; }

/* ---- text ----------------------------------------------------------------- */

static void print_short(const entry *e) {
  printf("%-17s %-16s %s\n", kind_names[e->kind], e->name, e->summary);
}

static void print_long(const entry *e) {
  printf("%s %s: %s\n", kind_names[e->kind], e->name, e->summary);
  if (!is_option(e->options)) puts("  no options");
  for (const hw_option *option = e->options; is_option(option); option++) {
    char *type = type_text(option);
    bool required = option->flags & HW_OPTION_REQUIRED;
    const char *quote = option->type == HW_OPTION_STRING && !required && option->default_text ? "'" : "";
    printf("  %s: %s; %s%s%s%s\n      %s\n", option->name, type, required ? "" : "default ", quote,
           default_text(option), quote, option->description);
    free(type);
  }
}

static void print_text(const entries *list, bool details) {
  for (size_t i = 0; i < list->n; i++) {
    if (details)
      print_long(&list->items[i]);
    else
      print_short(&list->items[i]);
  }
}

/* ---- JSON ----------------------------------------------------------------- */

static json_t *option_json(const hw_option *option) {
  json_t *json = json_pack("{ss ss sb sb ss? ss? ss}", "name", option->name, "type", type_name(option), "required",
                           (option->flags & HW_OPTION_REQUIRED) != 0, "secret",
                           (option->flags & HW_OPTION_SECRET) != 0, "default", option->default_text, "unit",
                           option->unit, "description", option->description);
  if (option->type == HW_OPTION_INT && (option->min || option->max)) {
    json_object_set_new(json, "min", json_integer(option->min));
    json_object_set_new(json, "max", json_integer(option->max));
  }
  if (option->type == HW_OPTION_CHOICE) {
    json_t *choices = json_array();
    for (const char *const *choice = option->choices; *choice; choice++)
      json_array_append_new(choices, json_string(*choice));
    json_object_set_new(json, "choices", choices);
  }
  return json;
}

static json_t *entry_json(const entry *e) {
  json_t *options = json_array();
  for (const hw_option *option = e->options; is_option(option); option++)
    json_array_append_new(options, option_json(option));
  return json_pack("{ss ss ss so}", "kind", kind_words[e->kind], "name", e->name, "summary", e->summary, "options",
                   options);
}

static void print_json(const entries *list) {
  json_t *all = json_array();
  for (size_t i = 0; i < list->n; i++) json_array_append_new(all, entry_json(&list->items[i]));
  json_dumpf(all, stdout, JSON_INDENT(2));
  putchar('\n');
  json_decref(all);
}

/* ---- Markdown ------------------------------------------------------------- */

/* A cell of a table: '|' would end it. */
static void print_cell(const char *text) {
  for (; *text; text++) {
    if (*text == '|') putchar('\\');
    putchar(*text);
  }
}

static void print_default_cell(const hw_option *option) {
  bool code = !(option->flags & HW_OPTION_REQUIRED) && option->default_text;
  if (code) putchar('`');
  print_cell(default_text(option));
  if (code) putchar('`');
}

static void print_options_table(const hw_option *options) {
  if (!is_option(options)) {
    puts("No options.\n");
    return;
  }
  puts("| option | type | default | meaning |\n|---|---|---|---|");
  for (const hw_option *option = options; is_option(option); option++) {
    char *type = type_text(option);
    printf("| `%s` | ", option->name);
    print_cell(type);
    fputs(" | ", stdout);
    print_default_cell(option);
    fputs(" | ", stdout);
    print_cell(option->description);
    puts(" |");
    free(type);
  }
  putchar('\n');
}

static void print_traits(const entry *e) {
  if (e->kind == INPUT && e->capabilities & HW_CAP_FORMAT) puts("A format is optional.\n");
  else if (e->kind == INPUT && e->capabilities & HW_CAP_ROWS) puts("Makes rows itself: takes no format.\n");
  if (e->kind == INPUT && e->capabilities & HW_CAP_REPLAY) puts("The same position gives the same rows again.\n");
  if (e->kind == OUTPUT && e->capabilities & HW_CAP_ROWS) puts("A format is optional.\n");
}

static void print_markdown(const entries *list, bool formats) {
  printf("# %s\n\n<!-- Made by `headworks connectors --markdown%s`. Change the option tables in %s instead. -->\n\n",
         formats ? "Formats" : "Transports", formats ? " --formats" : "", formats ? "formats/" : "connectors/");
  puts(formats ? "Written in a connector as `\"format\": {\"name\": ..., \"config\": {...}}`.\n"
               : "Written in a connector as `\"transport\": {\"name\": ..., \"config\": {...}}`.\n");
  for (size_t i = 0; i < list->n; i++) {
    const entry *e = &list->items[i];
    if (e->kind == CONNECTOR)
      puts("## Every connector\n");
    else
      printf("## %s (%s)\n\n%c%s.\n\n", e->name, kind_words[e->kind], toupper((unsigned char)e->summary[0]),
             e->summary + 1);
    print_traits(e);
    print_options_table(e->options);
  }
}

/* ---- the command ---------------------------------------------------------- */

static cli_exit print(const cli_call *call, const entries *list, bool formats) {
  const char *only = call->n_args ? call->args[0] : NULL;
  if (only && list->n == 0) {
    cli_complain("there is no transport or format '%s'; `headworks connectors` lists them", only);
    return CLI_USAGE;
  }
  if (cli_has(call, "json"))
    print_json(list);
  else if (cli_has(call, "markdown"))
    print_markdown(list, formats);
  else
    print_text(list, only != NULL);
  return CLI_OK;
}

cli_exit cli_connectors(const cli_call *call) {
  bool formats = cli_has(call, "formats"), transports = cli_has(call, "transports");
  if (cli_has(call, "markdown")) transports = !formats;
  if (!formats && !transports) formats = transports = true;
  cli_exit status;
  hw_engine *engine = session_engine(call, 0, HW_LOG_WARNING, NULL, NULL, &status);
  if (!engine) return status;
  entries list = {0};
  const char *only = call->n_args ? call->args[0] : NULL;
  if (transports) collect_transports(&list, only);
  if (formats) collect_formats(&list, only);
  if (list.n) qsort(list.items, list.n, sizeof *list.items, compare);
  status = print(call, &list, formats);
  free(list.items);
  hw_engine_free(engine);
  return status;
}
