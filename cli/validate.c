/* validate.c - headworks validate: is the program right? */
#include "cli/session.h"
#include "cli/source.h"

#include "sql/compile.h"

#include <jansson.h>
#include <stdlib.h>

static json_t *message_json(const program_message *m) {
  return json_pack("{si si si si sb ss? ss? ss?}", "line", m->line, "column", m->column, "end_line", m->end_line,
                   "end_column", m->end_column, "warning", (int)m->warning, "type", m->type, "message", m->message,
                   "snippet", m->snippet);
}

static void print_messages_json(const program_messages *messages, bool valid) {
  json_t *list = json_array();
  for (uint32_t i = 0; i < messages->n; i++) json_array_append_new(list, message_json(&messages->items[i]));
  json_t *whole = json_pack("{sb so}", "valid", (int)valid, "messages", list);
  if (whole) json_dumpf(whole, stdout, JSON_COMPACT);
  putchar('\n');
  json_decref(whole);
}

static void print_count(const char *before, unsigned n, const char *what) {
  printf("%s%u %s%s", before, n, what, n == 1 ? "" : "s");
}

static void print_counts(const char *path, const program *p) {
  unsigned tables = 0, inputs = 0;
  for (uint32_t i = 0; i < p->n_relations; i++) tables += p->relations[i].kind == PROGRAM_TABLE;
  for (uint32_t i = 0; i < p->n_connectors; i++) inputs += p->connectors[i].is_input;
  printf("%s: good", path);
  print_count(" (", tables, "table");
  print_count(", ", p->n_relations - tables, "view");
  print_count(", ", inputs, "input connector");
  print_count(", ", p->n_connectors - inputs, "output connector");
  puts(")");
}

static cli_exit check_text(const char *path, const char *text, size_t len) {
  program *p = source_compile(path, text, len);
  if (!p) return CLI_PROGRAM;
  source_warn_untaken(path, p);
  print_counts(path, p);
  program_unref(p);
  return CLI_OK;
}

static cli_exit check_json(const char *text, size_t len) {
  program_messages messages = {0};
  program *p = program_compile(text, len, &messages);
  print_messages_json(&messages, p != NULL);
  program_messages_fini(&messages);
  if (!p) return CLI_PROGRAM;
  program_unref(p);
  return CLI_OK;
}

cli_exit cli_validate(const cli_call *call) {
  cli_exit status;
  size_t len;
  char *text = source_read(call, call->args[0], &len, &status);
  if (!text) return status;
  hw_engine *engine = session_engine(call, 0, HW_LOG_WARNING, NULL, NULL, &status); /* it knows the transports */
  if (engine) {
    status = cli_has(call, "json") ? check_json(text, len) : check_text(call->args[0], text, len);
    hw_engine_free(engine);
  }
  free(text);
  return status;
}
