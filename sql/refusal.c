#include "sql/refusal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.'; }

/* Whether text begins with the option's name, or with a place within it: "plan[0].rate". */
static bool begins_with(const char *text, const char *name) {
  size_t len = strlen(name);
  return strncmp(text, name, len) == 0 && text[len] && strchr(":.[", text[len]);
}

/* The option that a part of the message is about, or NULL. */
static const hw_option *option_of(const hw_option *table, const char *part) {
  for (; table && table->name; table++)
    if (begins_with(part, table->name)) return table;
  return NULL;
}

static bool mentions(const char *part, const char *name) {
  size_t len = strlen(name);
  for (const char *at = part; (at = strstr(at, name)); at += len)
    if ((at == part || !is_name(at[-1])) && !is_name(at[len])) return true;
  return false;
}

/* Whether it holds of faulty settings too: every option that it mentions is given, and good. */
static bool holds(const hw_config *config, const hw_option *table, const char *part) {
  for (; table->name; table++)
    if (!hw_config_is_set(config, table->name) && mentions(part, table->name)) return false;
  return true;
}

static void report_part(const char *part, const hw_config *config, const char *path, const char *elsewhere,
                        config_fault *fault, void *arg) {
  char at[200];
  const hw_option *table = config_table(config), *option = option_of(table, part);
  bool faulty = config_has_faults(config);
  if (faulty && (!option || !holds(config, table, part))) return;
  if (!option) {
    fault(arg, elsewhere, part);
    return;
  }
  size_t len = strlen(option->name);
  snprintf(at, sizeof at, "%s.%s", path, option->name);
  fault(arg, at, part[len] == ':' && part[len + 1] == ' ' ? part + len + 2 : part);
}

/* Where the next part begins; NULL: there is none. A sentence may have semicolons of its own. */
static const char *next_part(const hw_option *table, const char *part) {
  for (const char *at = part; (at = strstr(at, "; ")); at += 2)
    if (option_of(table, at + 2)) return at + 2;
  return NULL;
}

void refusal_report(const char *message, const hw_config *config, const char *path, const char *elsewhere,
                    config_fault *fault, void *arg) {
  char part[HW_ERROR_MAX];
  for (const char *at = message, *next; at; at = next) {
    next = next_part(config_table(config), at);
    snprintf(part, sizeof part, "%.*s", next ? (int)(next - at - 2) : (int)strlen(at), at);
    report_part(part, config, path, elsewhere, fault, arg);
  }
}
