/* connector.c - the JSON of a table's or view's 'connectors' as the compiler checks it:
 * input is table or view, JSON. It is compiled inside a program, so faults must have
 * places in that; what is compiled gives settings that are read as the same again. */
#include "tests/fuzz/fuzz.h"

#include "runtime/config.h"
#include "tests/fuzz/program.h"

#include <stdlib.h>
#include <string.h>

/* A program with the text as a literal. */
static fixture_text wrap(bool view, fuzz_input in) {
  fixture_text t = {0};
  fixture_print(&t, "CREATE TABLE t (id INT NOT NULL, s VARCHAR, b VARBINARY)%s", view ? ";\nCREATE VIEW v" : "");
  fixture_print(&t, "\nWITH ('connectors' = '");
  for (size_t i = 0; i < in.len; i++) {
    if (in.data[i] == '\'') fixture_put(&t, "'", 1);
    fixture_put(&t, in.data + i, 1);
  }
  fixture_print(&t, "')%s;\n", view ? " AS SELECT * FROM t" : "");
  return t;
}

static void fail_fault(void *arg, const char *path, const char *message) {
  (void)arg;
  fixture_fail("%s, of what was taken: %s", path, message);
}

static void check_config(const hw_config *config) {
  if (!config || config_has_references(config)) return;
  json_t *shown = config_to_json(config);
  hw_config *again = config_new(config_table(config), shown, "again", fail_fault, NULL);
  json_t *shown_again = config_to_json(again);
  if (!json_equal(shown, shown_again)) fixture_fail("settings are not what they say they are");
  json_decref(shown);
  json_decref(shown_again);
  config_free(again);
}

void fuzz_connector(fuzz_input in) {
  fixture_text text = wrap(fuzz_choose(&in, 2), in);
  program_messages messages = {0};
  program *p = fuzz_compile(text.data, text.len, &messages);
  for (uint32_t i = 0; p && i < p->n_connectors; i++) {
    check_config(p->connectors[i].transport_config);
    check_config(p->connectors[i].format_config);
  }
  program_unref(p);
  program_messages_fini(&messages);
  free(text.data);
}
