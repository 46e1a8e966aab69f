/* Settings against option tables: what is taken, what is refused and how, and
 * names of programs. */
#include "runtime/config.h"
#include "runtime/program.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const modes[] = {"fast", "slow", "steady", NULL};

static const hw_option table[] = {
    {"path", HW_OPTION_STRING, HW_OPTION_REQUIRED, NULL, 0, 0, NULL, NULL, "file to read"},
    {"rate", HW_OPTION_INT, 0, "100", 1, 1000, "rows/s", NULL, "rows a second"},
    {"size", HW_OPTION_INT, 0, NULL, 1, INT64_MAX, "bytes", NULL, "size"},
    {"any", HW_OPTION_INT, 0, NULL, 0, 0, NULL, NULL, "any integer"},
    {"follow", HW_OPTION_BOOL, 0, "false", 0, 0, NULL, NULL, "go on at the end"},
    {"share", HW_OPTION_DOUBLE, 0, "0.5", 0, 0, NULL, NULL, "share"},
    {"mode", HW_OPTION_CHOICE, 0, "slow", 0, 0, NULL, modes, "how"},
    {"plan", HW_OPTION_JSON, 0, "[1, {\"a\": 2}]", 0, 0, NULL, NULL, "plan"},
    {"password", HW_OPTION_STRING, HW_OPTION_SECRET, NULL, 0, 0, NULL, NULL, "password"},
    {"pin", HW_OPTION_INT, HW_OPTION_SECRET, NULL, 0, 9999, NULL, NULL, "pin"},
    {0},
};

static const hw_option empty[] = {{0}};

/* Every fault as a line "path: message". */
static char faults[8192];

static void note(void *arg, const char *path, const char *message) {
  ck_assert_ptr_eq(arg, faults);
  size_t len = strlen(faults);
  snprintf(faults + len, sizeof faults - len, "%s: %s\n", path, message);
}

static hw_config *check(const hw_option *options, const char *text, const char *path) {
  faults[0] = '\0';
  json_t *object = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
  ck_assert(!text || object);
  hw_config *config = config_new(options, object, path, note, faults);
  json_decref(object);
  return config;
}

static hw_config *good(const char *text) {
  hw_config *config = check(table, text, "transport.config");
  ck_assert_msg(config != NULL, "%s", faults);
  ck_assert_str_eq(faults, "");
  return config;
}

START_TEST(defaults) {
  hw_config *c = good("{\"path\": \"x\"}");
  ck_assert_str_eq(hw_config_string(c, "path"), "x");
  ck_assert_int_eq(hw_config_int(c, "rate"), 100);
  ck_assert_int_eq(hw_config_int(c, "size"), 0);
  ck_assert(!hw_config_bool(c, "follow"));
  ck_assert_double_eq(hw_config_double(c, "share"), 0.5);
  ck_assert_str_eq(hw_config_string(c, "mode"), "slow");
  ck_assert_str_eq(hw_config_string(c, "plan"), "[1,{\"a\":2}]");
  ck_assert_ptr_null(hw_config_string(c, "password"));
  ck_assert(hw_config_is_set(c, "path"));
  ck_assert(!hw_config_is_set(c, "rate"));
  ck_assert(!hw_config_is_set(c, "size"));
  config_free(c);
}
END_TEST

START_TEST(given) {
  hw_config *c = good("{\"path\": \"\", \"rate\": 1000, \"any\": -9223372036854775808, \"follow\": true, \"share\": 2,"
                      " \"mode\": \"fast\", \"plan\": {\"b\": 1, \"a\": null}, \"size\": 1}");
  ck_assert_str_eq(hw_config_string(c, "path"), "");
  ck_assert_int_eq(hw_config_int(c, "rate"), 1000);
  ck_assert_int_eq(hw_config_int(c, "any"), INT64_MIN);
  ck_assert_int_eq(hw_config_int(c, "size"), 1);
  ck_assert(hw_config_bool(c, "follow"));
  ck_assert_double_eq(hw_config_double(c, "share"), 2.0);
  ck_assert_str_eq(hw_config_string(c, "mode"), "fast");
  ck_assert_str_eq(hw_config_string(c, "plan"), "{\"b\":1,\"a\":null}");
  ck_assert(hw_config_is_set(c, "rate"));
  config_free(c);
}
END_TEST

/* Numbers and truths as strings, whole numbers with a point or exponent. */
START_TEST(spellings) {
  hw_config *c = good("{\"path\": \"x\", \"rate\": \"7\", \"any\": \"-12\", \"follow\": \"true\"}");
  ck_assert_int_eq(hw_config_int(c, "rate"), 7);
  ck_assert_int_eq(hw_config_int(c, "any"), -12);
  ck_assert(hw_config_bool(c, "follow"));
  config_free(c);
  c = good("{\"path\": \"x\", \"rate\": 1e3, \"any\": -5.0, \"follow\": \"false\"}");
  ck_assert_int_eq(hw_config_int(c, "rate"), 1000);
  ck_assert_int_eq(hw_config_int(c, "any"), -5);
  ck_assert(!hw_config_bool(c, "follow"));
  config_free(c);
}
END_TEST

START_TEST(null_is_unset) {
  hw_config *c = good("{\"path\": \"x\", \"rate\": null, \"mode\": null, \"plan\": null}");
  ck_assert_int_eq(hw_config_int(c, "rate"), 100);
  ck_assert(!hw_config_is_set(c, "rate"));
  ck_assert_str_eq(hw_config_string(c, "plan"), "null"); /* any JSON value, null too */
  config_free(c);
}
END_TEST

static const struct {
  const char *text, *faults;
} bad[] = {
    {"{}", "transport.config.path: option \"path\" is required (file to read)\n"},
    {"{\"path\": null}", "transport.config.path: option \"path\" is required (file to read)\n"},
    {"{\"path\": 5}", "transport.config.path: option \"path\" must be a string, found an integer 5\n"},
    {"{\"path\": [\"a\"]}", "transport.config.path: option \"path\" must be a string, found an array\n"},
    {"{\"path\": \"x\", \"raet\": 5}",
     "transport.config.raet: unknown option \"raet\": did you mean \"rate\"? Known: \"path\", \"rate\", \"size\", "
     "\"any\", \"follow\", \"share\", \"mode\", \"plan\", \"password\", \"pin\"\n"},
    {"{\"path\": \"x\", \"colour\": 5}",
     "transport.config.colour: unknown option \"colour\". Known: \"path\", \"rate\", \"size\", \"any\", \"follow\", "
     "\"share\", \"mode\", \"plan\", \"password\", \"pin\"\n"},
    {"{\"path\": \"x\", \"rate\": 0}",
     "transport.config.rate: option \"rate\" must be from 1 to 1000 rows/s, found 0\n"},
    {"{\"path\": \"x\", \"rate\": 1001}",
     "transport.config.rate: option \"rate\" must be from 1 to 1000 rows/s, found 1001\n"},
    {"{\"path\": \"x\", \"size\": -1}",
     "transport.config.size: option \"size\" must be at least 1 bytes, found -1\n"},
    {"{\"path\": \"x\", \"rate\": 1.5}",
     "transport.config.rate: option \"rate\" must be an integer, found a number 1.5\n"},
    {"{\"path\": \"x\", \"any\": 1e300}",
     "transport.config.any: option \"any\" must be an integer, found a number 1e300\n"},
    {"{\"path\": \"x\", \"any\": \"9223372036854775808\"}",
     "transport.config.any: option \"any\" must be an integer, found a string \"9223372036854775808\"\n"},
    {"{\"path\": \"x\", \"any\": \"\"}",
     "transport.config.any: option \"any\" must be an integer, found a string \"\"\n"},
    {"{\"path\": \"x\", \"any\": \"5x\"}",
     "transport.config.any: option \"any\" must be an integer, found a string \"5x\"\n"},
    {"{\"path\": \"x\", \"any\": true}", "transport.config.any: option \"any\" must be an integer, found true\n"},
    {"{\"path\": \"x\", \"follow\": \"yes\"}",
     "transport.config.follow: option \"follow\" must be true or false, found a string \"yes\"\n"},
    {"{\"path\": \"x\", \"follow\": 1}",
     "transport.config.follow: option \"follow\" must be true or false, found an integer 1\n"},
    {"{\"path\": \"x\", \"share\": \"0.5\"}",
     "transport.config.share: option \"share\" must be a number, found a string \"0.5\"\n"},
    {"{\"path\": \"x\", \"mode\": \"fsat\"}",
     "transport.config.mode: option \"mode\" must be one of \"fast\", \"slow\", \"steady\", found a string \"fsat\": "
     "did you mean \"fast\"?\n"},
    {"{\"path\": \"x\", \"mode\": 1}",
     "transport.config.mode: option \"mode\" must be one of \"fast\", \"slow\", \"steady\", found an integer 1\n"},
    /* secrets are never quoted */
    {"{\"path\": \"x\", \"password\": 1234}",
     "transport.config.password: option \"password\" must be a string, found an integer\n"},
    {"{\"path\": \"x\", \"pin\": \"hunter2\"}",
     "transport.config.pin: option \"pin\" must be an integer, found a string\n"},
    /* every fault, not the first */
    {"{\"rate\": 0, \"x\": 1, \"mode\": \"q\"}",
     "transport.config.rate: option \"rate\" must be from 1 to 1000 rows/s, found 0\n"
     "transport.config.x: unknown option \"x\". Known: \"path\", \"rate\", \"size\", \"any\", \"follow\", \"share\", "
     "\"mode\", \"plan\", \"password\", \"pin\"\n"
     "transport.config.mode: option \"mode\" must be one of \"fast\", \"slow\", \"steady\", found a string \"q\"\n"
     "transport.config.path: option \"path\" is required (file to read)\n"},
    {"[]", "transport.config: must be an object: {\"option\": value, ...}\n"},
};

START_TEST(refused) {
  hw_config *c = check(table, bad[_i].text, "transport.config");
  ck_assert_ptr_null(c);
  ck_assert_str_eq(faults, bad[_i].faults);
}
END_TEST

/* A secret number out of range must not be told either. */
START_TEST(secret_range) {
  ck_assert_ptr_null(check(table, "{\"path\": \"x\", \"pin\": 123456}", ""));
  ck_assert_ptr_null(strstr(faults, "123456"));
}
END_TEST

START_TEST(no_options) {
  ck_assert_ptr_null(check(empty, "{\"x\": 1}", ""));
  ck_assert_str_eq(faults, "x: unknown option \"x\": there are no options here\n");
  ck_assert_ptr_null(check(NULL, "{\"x\": 1}", "a"));
  hw_config *c = check(NULL, NULL, "");
  ck_assert_ptr_nonnull(c);
  config_free(c);
}
END_TEST

/* Cut between characters: messages stay UTF-8. */
START_TEST(long_names) {
  char name[100], text[400];
  memset(name, 'a', 99);
  name[99] = '\0';
  snprintf(text, sizeof text, "{\"path\":\"x\",\"%s\xC3\xA9\":1}", name);
  ck_assert_ptr_null(check(table, text, ""));
  json_t *message = json_string(faults);
  ck_assert_ptr_nonnull(message); /* Jansson refuses what is not UTF-8 */
  json_decref(message);
}
END_TEST

START_TEST(shown) {
  hw_config *c = good("{\"path\": \"x\", \"rate\": \"5\", \"password\": \"hunter2\", \"pin\": 1234}");
  json_t *all = config_to_json(c);
  char *text = json_dumps(all, JSON_SORT_KEYS | JSON_COMPACT);
  ck_assert_str_eq(text, "{\"follow\":false,\"mode\":\"slow\",\"password\":\"***\",\"path\":\"x\",\"pin\":\"***\","
                         "\"plan\":[1,{\"a\":2}],\"rate\":5,\"share\":0.5}");
  free(text);
  json_decref(all);
  config_free(c);
}
END_TEST

static const struct {
  const char *slip, *nearest;
} slips[] = {
    {"rate", "rate"},   {"Rate", "rate"},     {"raet", "rate"},   {"rat", "rate"},  {"ratee", "rate"},
    {"pat", "path"},    {"phat", "path"},     {"xyz", NULL},      {"", NULL},       {"folow", "follow"},
    {"r", NULL},        {"max_qeued_record", "max_queued_records"},
};

START_TEST(nearest) {
  static const char *const names[] = {"path", "rate", "follow", "max_queued_records", NULL};
  const char *found = config_nearest(slips[_i].slip, names);
  if (slips[_i].nearest) ck_assert_str_eq(found ? found : "(none)", slips[_i].nearest);
  else ck_assert_ptr_null(found);
}
END_TEST

/* What is faulty is left out, the rest can be looked at; nothing can, where a required one is. */
START_TEST(what_is_left_of_faulty_settings) {
  json_t *object = json_loads("{\"path\": \"x\", \"rate\": 0, \"mode\": \"slwo\", \"password\": 5, \"nothing\": 1, "
                              "\"any\": 7}", 0, NULL);
  faults[0] = '\0';
  hw_config *c = config_read(table, object, "c", note, faults);
  json_decref(object);
  ck_assert_ptr_nonnull(c);
  ck_assert(config_has_faults(c));
  ck_assert_ptr_eq(config_table(c), table);
  ck_assert_ptr_nonnull(strstr(faults, "c.rate: "));
  ck_assert_ptr_nonnull(strstr(faults, "c.mode: "));
  ck_assert_ptr_nonnull(strstr(faults, "c.password: "));
  ck_assert_ptr_nonnull(strstr(faults, "c.nothing: "));
  ck_assert_int_eq(hw_config_int(c, "rate"), 100);
  ck_assert(!hw_config_is_set(c, "rate"));
  ck_assert_str_eq(hw_config_string(c, "mode"), "slow");
  ck_assert_ptr_null(hw_config_string(c, "password"));
  ck_assert(hw_config_is_set(c, "any"));
  config_free(c);
  object = json_loads("{\"path\": 5, \"rate\": 0}", 0, NULL);
  faults[0] = '\0';
  ck_assert_ptr_null(config_read(table, object, "c", note, faults));
  json_decref(object);
  ck_assert_str_eq(faults, "c.path: option \"path\" must be a string, found an integer 5\n"
                           "c.rate: option \"rate\" must be from 1 to 1000 rows/s, found 0\n");
  c = good("{\"path\": \"x\"}");
  ck_assert(!config_has_faults(c));
  config_free(c);
}
END_TEST

/* ---- programs -------------------------------------------------------------- */

static const struct {
  const char *asked;
  int found;
} names[] = {
    {"numbers", 0}, {"NUMBERS", 0}, {"\"numbers\"", 0}, {"\"NUMBERS\"", -1}, {"Prices", -1},  {"\"Prices\"", 1},
    {"a\"b", 2},    {"\"a\"\"b\"", 2}, {"\"a\"b\"", 2},  {"\"a\"\"\"", -1},   {"", -1},        {"\"", -1},
    {"\"\"", -1},   {"number", -1},  {"numbersx", -1},
};

START_TEST(finds_relations) {
  program *p = program_new();
  program_relation *r = program_alloc(p, 3 * sizeof *r);
  r[0].schema.name = program_strdup(p, "numbers...", 7);
  r[1].schema.name = "Prices";
  r[2].schema.name = "a\"b";
  p->relations = r;
  p->n_relations = 3;
  ck_assert_str_eq(r[0].schema.name, "numbers");
  ck_assert_int_eq(program_find_relation(p, names[_i].asked), names[_i].found);
  program_unref(p);
}
END_TEST

START_TEST(finds_connectors) {
  static const program_connector connectors[] = {
      {.name = "c1", .relation = 0, .is_input = true},
      {.name = "c1", .relation = 1, .is_input = true},
      {.name = "C1", .relation = 1, .is_input = false},
  };
  program *p = program_new();
  p->connectors = connectors;
  p->n_connectors = 3;
  ck_assert_int_eq(program_find_connector(p, 0, true, "c1"), 0);
  ck_assert_int_eq(program_find_connector(p, 1, true, "c1"), 1);
  ck_assert_int_eq(program_find_connector(p, 1, false, "C1"), 2);
  ck_assert_int_eq(program_find_connector(p, 1, false, "c1"), -1);
  ck_assert_int_eq(program_find_connector(p, 2, true, "c1"), -1);
  ck_assert_ptr_eq(program_ref(p), p);
  program_unref(p);
  program_unref(p);
}
END_TEST

/* Memory is zeroed, aligned and lasts, in pieces of all sizes. */
START_TEST(allocates) {
  static const size_t sizes[] = {1, 8, 15, 16, 100, 1000, 1025, 5000, 300000, 3};
  enum { N = 2000, SIZES = sizeof sizes / sizeof *sizes };
  program *p = program_new();
  unsigned char *pieces[N];
  for (size_t i = 0; i < N; i++) {
    size_t size = i % 97 == 0 ? sizes[i % SIZES] : sizes[i % 7];
    pieces[i] = program_alloc(p, size);
    size_t k = 0;
    while (k < size && pieces[i][k] == 0) k++;
    ck_assert_uint_eq(k, size);
    ck_assert_uint_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
    memset(pieces[i], (int)(i & 0xFF), size);
  }
  size_t kept = 0;
  while (kept < N && pieces[kept][0] == (kept & 0xFF)) kept++;
  ck_assert_uint_eq(kept, N);
  program_unref(p);
}
END_TEST

START_TEST(messages) {
  program_messages ms = {0};
  program_message at = {.line = 3, .column = 4, .end_line = 3, .end_column = 9};
  for (int i = 0; i < 20; i++) program_messages_add(&ms, &at, i % 2 == 0, "type", "snippet", "%s %d", "number", i);
  ck_assert_uint_eq(ms.n, 20);
  ck_assert_uint_eq(ms.n_errors, 10);
  ck_assert_str_eq(ms.items[19].message, "number 19");
  ck_assert_str_eq(ms.items[19].type, "type");
  ck_assert_str_eq(ms.items[19].snippet, "snippet");
  ck_assert_int_eq(ms.items[19].end_column, 9);
  ck_assert(!ms.items[19].warning && ms.items[18].warning);
  program_messages_fini(&ms);
  ck_assert_uint_eq(ms.n, 0);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void) {
  Suite *suite = suite_create("config");
  TCase *options = tcase_create("options"), *programs = tcase_create("programs");
  tcase_add_test(options, defaults);
  tcase_add_test(options, given);
  tcase_add_test(options, spellings);
  tcase_add_test(options, null_is_unset);
  tcase_add_loop_test(options, refused, 0, COUNT(bad));
  tcase_add_test(options, secret_range);
  tcase_add_test(options, no_options);
  tcase_add_test(options, long_names);
  tcase_add_test(options, shown);
  tcase_add_test(options, what_is_left_of_faulty_settings);
  tcase_add_loop_test(options, nearest, 0, COUNT(slips));
  tcase_add_loop_test(programs, finds_relations, 0, COUNT(names));
  tcase_add_test(programs, finds_connectors);
  tcase_add_test(programs, allocates);
  tcase_add_test(programs, messages);
  suite_add_tcase(suite, options);
  suite_add_tcase(suite, programs);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
