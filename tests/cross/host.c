/* host.c - what format tests need of the runtime and its libraries, without them:
 * options, and running the tests. */
#include "runtime/config.h"

#include <check.h>
#include <stdarg.h>

/* ---- tests ---------------------------------------------------------------- */

void ck_failed(const char *file, int line, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  fprintf(stderr, "%s:%d: ", file, line);
  (void)vfprintf(stderr, fmt, args);
  fputc('\n', stderr);
  va_end(args);
  exit(1);
}

Suite *suite_create(const char *name) {
  Suite *suite = calloc(1, sizeof *suite);
  ck_assert_ptr_nonnull(suite);
  suite->name = name;
  return suite;
}

TCase *tcase_create(const char *name) {
  return suite_create(name);
}

void tcase_add_test_(TCase *tcase, const cross_test *test) {
  ck_assert_uint_lt(tcase->n, sizeof tcase->tests / sizeof *tcase->tests);
  tcase->tests[tcase->n++] = *test;
}

void suite_add_tcase(Suite *suite, TCase *tcase) {
  for (size_t i = 0; i < tcase->n; i++) tcase_add_test(suite, tcase->tests[i]);
  free(tcase);
}

SRunner *srunner_create(Suite *suite) {
  return suite;
}

void srunner_run_all(SRunner *runner, int mode) {
  (void)mode;
  for (size_t i = 0; i < runner->n; i++) {
    fprintf(stderr, "%s: %s\n", runner->name, runner->tests[i].name); /* the last one is the one that failed */
    runner->tests[i].run();
  }
  printf("%zu passed, 0 failed\n", runner->n);
}

/* ---- options ------------------------------------------------------------------- */

#define SETTINGS_MAX 8

struct hw_config {
  const hw_option *table;
  size_t n;
  struct {
    char name[32], value[32];
  } settings[SETTINGS_MAX];
};

/* The string or word at p, unescaped; returns what follows it. */
static const char *read_word(const char *p, char *out, size_t room) {
  size_t n = 0;
  bool quoted = *p == '"';
  for (p += quoted; *p && (quoted ? *p != '"' : !strchr(",: }", *p)); p++) {
    ck_assert_uint_lt(n + 1, room);
    bool escaped = quoted && *p == '\\';
    p += escaped;
    out[n++] = !escaped ? *p : *p == 't' ? '\t' : *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
  }
  out[n] = '\0';
  return p + quoted;
}

json_t *json_loads(const char *text, size_t flags, json_error_t *err) {
  (void)flags, (void)err;
  return (json_t *)strdup(text);
}

void json_decref(json_t *json) {
  free(json);
}

/* Takes what the tests write: strings and words in one object. */
hw_config *config_new(const hw_option *table, const json_t *object, const char *path, config_fault *fault,
                      void *arg) {
  (void)path, (void)fault, (void)arg;
  hw_config *config = calloc(1, sizeof *config);
  ck_assert_ptr_nonnull(config);
  config->table = table;
  for (const char *p = (const char *)object + 1; *p != '}';) {
    ck_assert_uint_lt(config->n, SETTINGS_MAX);
    p = read_word(p, config->settings[config->n].name, sizeof config->settings->name);
    p += strspn(p, ": ");
    p = read_word(p, config->settings[config->n++].value, sizeof config->settings->value);
    p += strspn(p, ", ");
  }
  return config;
}

void config_free(hw_config *config) {
  free(config);
}

const char *hw_config_string(const hw_config *config, const char *name) {
  for (size_t i = 0; i < config->n; i++)
    if (!strcmp(config->settings[i].name, name)) return config->settings[i].value;
  for (const hw_option *o = config->table; o->name; o++)
    if (!strcmp(o->name, name)) return o->default_text;
  ck_abort_msg("no option %s", name);
}

bool hw_config_bool(const hw_config *config, const char *name) {
  const char *text = hw_config_string(config, name);
  return text && !strcmp(text, "true");
}
