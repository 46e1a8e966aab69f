/* test_registry.c - what is registered, and what is refused with which words.
 * The plugins of tests/plugins/ are found where TEST_PLUGIN_DIR says. */
#include "runtime/descriptor.h"
#include "runtime/registry.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static hw_error err;

static const char *plugin_dir(void) {
  const char *dir = getenv("TEST_PLUGIN_DIR");
  return dir ? dir : "tests/plugins";
}

static const char *plugin(const char *name) {
  static char path[600];
  snprintf(path, sizeof path, "%s/%s.so", plugin_dir(), name);
  return path;
}

/* Refused, and the sentence has these words in it and is one sentence. */
static void assert_words(hw_status status, hw_status want, const char *const *words) {
  ck_assert_msg(status == want, "status %s: %s", hw_status_name(status), err.message);
  for (; *words; words++) ck_assert_msg(strstr(err.message, *words) != NULL, "no \"%s\" in: %s", *words, err.message);
  ck_assert_ptr_null(strchr(err.message, '\n'));
}
#define ASSERT_REFUSED(call, want, ...)                                                     \
  do {                                                                                      \
    err = (hw_error){.status = HW_OK};                                                      \
    assert_words((call), (want), (const char *const[]){__VA_ARGS__, NULL});                 \
  } while (0)

/* ---- parts of a descriptor made here ------------------------------------- */

static hw_status some_create(hw_connector *c, const hw_config *config, void **instance, hw_error *e) {
  (void)c, (void)config, (void)instance, (void)e;
  return HW_OK;
}
static hw_fetch some_fetch(void *instance, const hw_fetch_args *args, hw_error *e) {
  (void)instance, (void)args, (void)e;
  return HW_FETCH_END;
}
static hw_write some_write(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                           hw_error *e) {
  (void)instance, (void)args, (void)data, (void)len, (void)written, (void)e;
  return HW_WRITE_OK;
}
static hw_write some_take(void *instance, const hw_write_args *args, const hw_batch *batch, hw_error *e) {
  (void)instance, (void)args, (void)batch, (void)e;
  return HW_WRITE_OK;
}
static hw_status some_open(const hw_config *config, const hw_schema *schema, void **parser, hw_error *e) {
  (void)config, (void)schema, (void)parser, (void)e;
  return HW_OK;
}
static hw_status some_parse(void *parser, const char *data, size_t len, bool final, hw_batch *batch, hw_report *report,
                            size_t *consumed) {
  (void)parser, (void)data, (void)len, (void)final, (void)batch, (void)report, (void)consumed;
  return HW_OK;
}
static void some_destroy(void *instance) { (void)instance; }

static const hw_option no_options[] = {{0}};
static const hw_input_ops input_ops = {.create = some_create, .fetch = some_fetch, .destroy = some_destroy};
static const hw_output_ops output_ops = {.create = some_create, .write = some_write, .destroy = some_destroy};
static const hw_parser_ops parser_ops = {.create = some_open, .parse = some_parse, .destroy = some_destroy};

static hw_input_transport an_input(const char *name) {
  return (hw_input_transport){
      .struct_size = sizeof(hw_input_transport), .name = name, .options = no_options, .ops = &input_ops};
}

/* The registry keeps what it is given for ever: so it must live that long. */
typedef struct trial {
  hw_plugin plugin;
  const hw_input_transport *inputs[3];
  const hw_output_transport *outputs[2];
  const hw_format *formats[2];
  hw_input_transport input;
  hw_output_transport output;
  hw_format format;
} trial;

static trial *trial_new(void) {
  static trial trials[200];
  static unsigned n;
  ck_assert_uint_lt(n, 200);
  trial *t = &trials[n++];
  t->plugin = (hw_plugin){.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI, .struct_size = sizeof t->plugin,
                          .name = "trial", .inputs = t->inputs, .outputs = t->outputs, .formats = t->formats};
  return t;
}

static hw_status add(const trial *t) { return registry_add(&t->plugin, sizeof t->plugin, "trial.so", &err); }

static hw_status try_input(hw_input_transport input) {
  trial *t = trial_new();
  t->input = input;
  t->inputs[0] = &t->input;
  return add(t);
}

static hw_status try_output(hw_output_transport output) {
  trial *t = trial_new();
  t->output = output;
  t->outputs[0] = &t->output;
  return add(t);
}

static hw_status try_format(hw_format format) {
  trial *t = trial_new();
  t->format = format;
  t->formats[0] = &t->format;
  return add(t);
}

/* ---- shared objects ------------------------------------------------------ */

START_TEST(a_good_plugin_joins) {
  ck_assert_ptr_null(registry_input("good_input"));
  ck_assert_msg(registry_load(plugin("good"), &err) == HW_OK, "%s", err.message);
  const hw_input_transport *input = registry_input("good_input");
  ck_assert_ptr_nonnull(input);
  ck_assert_str_eq(input->options[2].choices[1], "green");
  ck_assert_ptr_nonnull(registry_output("good_output"));
  ck_assert_ptr_nonnull(registry_format("good_format"));
  ck_assert_ptr_null(registry_output("good_input")); /* each kind has names of its own */
  ck_assert_ptr_eq(registry_input_at(0), input);
  ck_assert_ptr_null(registry_input_at(1));
  ck_assert_ptr_nonnull(registry_output_at(0));
  ck_assert_ptr_nonnull(registry_format_at(0));
  ck_assert_ptr_null(registry_format_at(1));
  ck_assert_int_eq(registry_load(plugin("good"), &err), HW_OK); /* once more: no change */
  ck_assert_ptr_null(registry_input_at(1));
}
END_TEST

START_TEST(a_newer_minor_version_joins) {
  ck_assert_msg(registry_load(plugin("newer_minor"), &err) == HW_OK, "%s", err.message);
  ck_assert_ptr_nonnull(registry_input("newer_input"));
}
END_TEST

START_TEST(what_is_no_plugin_is_refused) {
  ASSERT_REFUSED(registry_load("/nowhere/at/all.so", &err), HW_ENOTFOUND, "/nowhere/at/all.so", "No such file");
  ASSERT_REFUSED(registry_load("/proc/self/status", &err), HW_EINVAL, "not a shared object");
  ASSERT_REFUSED(registry_load("/", &err), HW_EINVAL, "not a shared object");
  ASSERT_REFUSED(registry_load("/proc/self/exe", &err), HW_EINVAL, "cannot be loaded");
  ASSERT_REFUSED(registry_load("not-there.so", &err), HW_ENOTFOUND, "./not-there.so");
  ASSERT_REFUSED(registry_load(plugin("no_descriptor"), &err), HW_EABI, "no_descriptor.so",
                 "does not export hw_plugin_descriptor", "HW_PLUGIN_EXPORT");
  ASSERT_REFUSED(registry_load(plugin("undefined_symbol"), &err), HW_EABI, "needs the symbol \"hw_of_a_later_version\"",
                 "build the plugin against this Headworks");
}
END_TEST

START_TEST(a_foreign_descriptor_is_refused) {
  ASSERT_REFUSED(registry_load(plugin("wrong_magic"), &err), HW_EABI, "wrong_magic.so", "0x00001234",
                 "HW_PLUGIN_MAGIC");
  ASSERT_REFUSED(registry_load(plugin("foreign_abi"), &err), HW_EABI, "was built for plugin ABI 42",
                 "this Headworks has 1", "run a newer Headworks", "build the plugin against this one's headers");
  ASSERT_REFUSED(registry_load(plugin("lying_size"), &err), HW_EABI, "says its descriptor has 120 bytes",
                 "the symbol has 56", "sizeof");
  ASSERT_REFUSED(registry_load(plugin("short_size"), &err), HW_EABI, "16 bytes", "the first ABI's has 56");
  ASSERT_REFUSED(registry_load(plugin("short_symbol"), &err), HW_EABI, "descriptor of 8 bytes");
  ASSERT_REFUSED(registry_load(plugin("empty"), &err), HW_EINVAL, "offers no transport and no format");
  ck_assert_ptr_null(registry_input_at(0));
}
END_TEST

START_TEST(a_taken_name_is_refused_whole) {
  ck_assert_int_eq(registry_load(plugin("good"), &err), HW_OK);
  ASSERT_REFUSED(registry_load(plugin("taken_name"), &err), HW_EEXIST, "taken_name.so",
                 "input transport \"good_input\" is already there, from", "good.so");
  ck_assert_ptr_null(registry_input("free_input"));
}
END_TEST

static void link_into(const char *dir, const char *name) {
  char from[700], to[700];
  ck_assert_ptr_nonnull(realpath(plugin(name), from));
  snprintf(to, sizeof to, "%s/%s.so", dir, name);
  ck_assert_int_eq(symlink(from, to), 0);
}

START_TEST(a_path_names_files_and_directories) {
  char dir[] = "/tmp/headworks-plugins-XXXXXX", paths[2000];
  ck_assert_ptr_nonnull(mkdtemp(dir));
  link_into(dir, "good");
  snprintf(paths, sizeof paths, "::%s:", dir);
  ck_assert_msg(registry_load_path(paths, &err) == HW_OK, "%s", err.message);
  ck_assert_ptr_nonnull(registry_input("good_input"));
  snprintf(paths, sizeof paths, "%s:%s", dir, plugin("newer_minor"));
  ck_assert_msg(registry_load_path(paths, &err) == HW_OK, "%s", err.message);
  ck_assert_ptr_nonnull(registry_input("newer_input"));
  link_into(dir, "wrong_magic");
  ASSERT_REFUSED(registry_load_path(dir, &err), HW_EABI, "wrong_magic.so");
  ASSERT_REFUSED(registry_load_path("/nowhere", &err), HW_ENOTFOUND, "/nowhere");
  ck_assert_int_eq(registry_load_path("", &err), HW_OK);
  char command[100];
  snprintf(command, sizeof command, "rm -r %s", dir);
  ck_assert_int_eq(system(command), 0);
}
END_TEST

/* ---- transports and formats ---------------------------------------------- */

START_TEST(transports_are_checked) {
  hw_input_transport t = an_input("checked");
  t.struct_size = 8;
  ASSERT_REFUSED(try_input(t), HW_EABI, "plugin trial.so: input transport", "8 bytes", "sizeof");
  t.struct_size = 1u << 20;
  ASSERT_REFUSED(try_input(t), HW_EABI, "1048576 bytes");
  ASSERT_REFUSED(try_input(an_input(NULL)), HW_EINVAL, "needs a name");
  ASSERT_REFUSED(try_input(an_input("")), HW_EINVAL, "needs a name");
  ASSERT_REFUSED(try_input(an_input("with blank")), HW_EINVAL, "needs a name");
  t = an_input("checked");
  t.ops = NULL;
  ASSERT_REFUSED(try_input(t), HW_EINVAL, "input transport \"checked\" has no ops");
  t = an_input("checked");
  t.options = NULL;
  ASSERT_REFUSED(try_input(t), HW_EINVAL, "no option table");
  ck_assert_int_eq(try_input(an_input("checked")), HW_OK);
  ASSERT_REFUSED(try_input(an_input("checked")), HW_EEXIST, "\"checked\" is already there, from trial.so");
}
END_TEST

START_TEST(functions_must_be_there) {
  hw_input_ops in = input_ops;
  hw_input_transport t = an_input("ops");
  t.ops = &in;
  in.fetch = NULL;
  ASSERT_REFUSED(try_input(t), HW_EINVAL, "\"ops\" lacks the function \"fetch\"");
  in = (hw_input_ops){.create = some_create, .fetch = some_fetch};
  ASSERT_REFUSED(try_input(t), HW_EINVAL, "\"destroy\"");
  in = (hw_input_ops){.fetch = some_fetch, .destroy = some_destroy};
  ASSERT_REFUSED(try_input(t), HW_EINVAL, "\"create\"");
}
END_TEST

START_TEST(outputs_write_or_take) {
  hw_output_ops ops = output_ops;
  hw_output_transport t = {.struct_size = sizeof t, .name = "sink", .options = no_options, .ops = &ops};
  ops.write = NULL;
  ASSERT_REFUSED(try_output(t), HW_EINVAL, "output transport \"sink\" lacks the function \"write\"");
  t.capabilities = HW_CAP_ROWS;
  ASSERT_REFUSED(try_output(t), HW_EINVAL, "\"take\"");
  ops.take = some_take;
  ck_assert_int_eq(try_output(t), HW_OK);
}
END_TEST

START_TEST(formats_are_checked) {
  hw_parser_ops parser = parser_ops;
  hw_format f = {.struct_size = sizeof f, .name = "lines"};
  ASSERT_REFUSED(try_format(f), HW_EINVAL, "format \"lines\" has neither parser nor encoder");
  f.parser = &parser;
  ASSERT_REFUSED(try_format(f), HW_EINVAL, "no option table");
  f.parser_options = no_options;
  parser.parse = NULL;
  ASSERT_REFUSED(try_format(f), HW_EINVAL, "\"parser.parse\"");
  static const hw_encoder_ops encoder = {.create = some_open, .destroy = some_destroy};
  f.parser = NULL;
  f.encoder = &encoder;
  ASSERT_REFUSED(try_format(f), HW_EINVAL, "\"encoder.encode\"");
  f.struct_size = 12;
  ASSERT_REFUSED(try_format(f), HW_EABI, "12 bytes");
}
END_TEST

static hw_status try_options(const hw_option *options) {
  hw_input_transport t = an_input("options");
  t.options = options;
  return try_input(t);
}

#define ASSERT_OPTION_REFUSED(words, ...)                                                    \
  do {                                                                                       \
    const hw_option table[] = {{.name = "good", .type = HW_OPTION_BOOL, .description = "."}, \
                               {.description = ".", __VA_ARGS__},                            \
                               {0}};                                                         \
    ASSERT_REFUSED(try_options(table), HW_EINVAL, words);                                    \
  } while (0)

START_TEST(option_tables_are_checked) {
  static const char *const choices[] = {"a", "b", NULL}, *const no_choices[] = {NULL};
  ASSERT_OPTION_REFUSED("without a proper name", .name = "a b", .type = HW_OPTION_BOOL);
  ASSERT_OPTION_REFUSED("\"good\" twice", .name = "good", .type = HW_OPTION_BOOL);
  ASSERT_OPTION_REFUSED("unknown type 9", .name = "x", .type = (hw_option_type)9);
  ASSERT_OPTION_REFUSED("unknown type 0", .name = "x");
  ASSERT_OPTION_REFUSED("min above max", .name = "x", .type = HW_OPTION_INT, .min = 2, .max = 1);
  ASSERT_OPTION_REFUSED("default \"3\"", .name = "x", .type = HW_OPTION_INT, .min = 1, .max = 2, .default_text = "3");
  ASSERT_OPTION_REFUSED("default \"1x\"", .name = "x", .type = HW_OPTION_INT, .default_text = "1x");
  ASSERT_OPTION_REFUSED("default \"99999999999999999999\"", .name = "x", .type = HW_OPTION_INT,
                        .default_text = "99999999999999999999");
  ASSERT_OPTION_REFUSED("default \"yes\"", .name = "x", .type = HW_OPTION_BOOL, .default_text = "yes");
  ASSERT_OPTION_REFUSED("default \"half\"", .name = "x", .type = HW_OPTION_DOUBLE, .default_text = "half");
  ASSERT_OPTION_REFUSED("without choices", .name = "x", .type = HW_OPTION_CHOICE);
  ASSERT_OPTION_REFUSED("without choices", .name = "x", .type = HW_OPTION_CHOICE, .choices = no_choices);
  ASSERT_OPTION_REFUSED("default \"c\"", .name = "x", .type = HW_OPTION_CHOICE, .choices = choices,
                        .default_text = "c");
  const hw_option silent[] = {{.name = "x", .type = HW_OPTION_BOOL}, {0}};
  ASSERT_REFUSED(try_options(silent), HW_EINVAL, "without a description");
}
END_TEST

START_TEST(lists_must_end_and_not_repeat) {
  trial *t = trial_new();
  t->input = an_input("twice");
  t->inputs[0] = t->inputs[1] = &t->input;
  ASSERT_REFUSED(add(t), HW_EEXIST, "offers the input transport \"twice\" twice");
  static hw_option endless[2000];
  static char names[2000][8];
  for (unsigned i = 0; i < 2000; i++) {
    snprintf(names[i], sizeof names[i], "o%u", i);
    endless[i] = (hw_option){.name = names[i], .type = HW_OPTION_BOOL, .description = "."};
  }
  ASSERT_REFUSED(try_options(endless), HW_EINVAL, "without an end");
}
END_TEST

START_TEST(older_structs_are_made_whole) {
  hw_input_transport t = an_input("old");
  t.struct_size = offsetof(hw_input_transport, ops);
  const hw_input_transport *whole = descriptor_whole_input(&t);
  ck_assert_ptr_ne(whole, &t);
  ck_assert_str_eq(whole->name, "old");
  ck_assert_ptr_null(whole->ops); /* which the plugin does not know of */
  free((void *)(uintptr_t)whole);
  t = an_input("present");
  ck_assert_ptr_eq(descriptor_whole_input(&t), &t);
}
END_TEST

/* ---- threads ------------------------------------------------------------- */

static void *add_some(void *arg) {
  hw_error e;
  trial *trials = arg;
  for (unsigned i = 0; i < 16; i++) {
    ck_assert_int_eq(registry_add(&trials[i].plugin, 0, "thread", &e), HW_OK);
    ck_assert_ptr_nonnull(registry_input(trials[i].input.name));
    for (unsigned j = 0; registry_input_at(j); j++) {}
  }
  return NULL;
}

START_TEST(any_thread_may_add) {
  static trial trials[4][16];
  static char names[4][16][16];
  pthread_t threads[4];
  for (unsigned i = 0; i < 4; i++) {
    for (unsigned j = 0; j < 16; j++) {
      trial *t = &trials[i][j];
      snprintf(names[i][j], sizeof names[i][j], "t%u-%u", i, j);
      *t = (trial){.plugin = {.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI, .struct_size = sizeof t->plugin,
                              .name = "t", .inputs = t->inputs}};
      t->input = an_input(names[i][j]);
      t->inputs[0] = &t->input;
    }
    ck_assert_int_eq(pthread_create(&threads[i], NULL, add_some, trials[i]), 0);
  }
  for (unsigned i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  ck_assert_ptr_nonnull(registry_input_at(63));
  ck_assert_ptr_null(registry_input_at(64));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("registry");
  TCase *tc = tcase_create("registry"); /* each test is a process, with an empty registry */
  tcase_add_test(tc, a_good_plugin_joins);
  tcase_add_test(tc, a_newer_minor_version_joins);
  tcase_add_test(tc, what_is_no_plugin_is_refused);
  tcase_add_test(tc, a_foreign_descriptor_is_refused);
  tcase_add_test(tc, a_taken_name_is_refused_whole);
  tcase_add_test(tc, a_path_names_files_and_directories);
  tcase_add_test(tc, transports_are_checked);
  tcase_add_test(tc, functions_must_be_there);
  tcase_add_test(tc, outputs_write_or_take);
  tcase_add_test(tc, formats_are_checked);
  tcase_add_test(tc, option_tables_are_checked);
  tcase_add_test(tc, lists_must_end_and_not_repeat);
  tcase_add_test(tc, older_structs_are_made_whole);
  tcase_add_test(tc, any_thread_may_add);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
