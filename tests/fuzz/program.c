#include "tests/fuzz/program.h"

#include "engine/engine.h"
#include "sql/compile.h"
#include "tests/format_feed.h"

static void register_builtin(void) {
  static bool registered;
  hw_error err;
  if (!registered && builtin_register(&err) != HW_OK) fixture_fail("%s", err.message);
  registered = true;
}

void fuzz_check_messages(const program_messages *messages, bool compiled) {
  if (compiled == (messages->n_errors > 0))
    fixture_fail("%u errors, and %scompiled", messages->n_errors, compiled ? "" : "not ");
  for (uint32_t i = 0; i < messages->n; i++) {
    const program_message *m = &messages->items[i];
    bool forward = m->end_line > m->line || (m->end_line == m->line && m->end_column >= m->column);
    if (m->line < 1 || m->column < 1 || !forward || !*m->message)
      fixture_fail("\"%s\" at %d:%d to %d:%d", m->message, m->line, m->column, m->end_line, m->end_column);
  }
}

program *fuzz_compile(const char *text, size_t len, program_messages *messages) {
  register_builtin();
  program *p = program_compile(text, len, messages);
  fuzz_check_messages(messages, p != NULL);
  return p;
}
