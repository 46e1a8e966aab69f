/* References to secrets: which texts are some, what they stand for, and that what
 * they stand for is found in nothing that is shown. */
#include "runtime/config.h"
#include "runtime/secret.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static file_root *root;
static secret_list known;

static const char *path_of(const char *name) {
  static char path[4][160];
  static unsigned turn;
  char *to = path[turn++ % 4];
  snprintf(to, sizeof path[0], "%s/%s", dir, name);
  return to;
}

static void write_bytes(const char *name, const void *data, size_t len) {
  FILE *file = fopen(path_of(name), "w");
  ck_assert_ptr_nonnull(file);
  ck_assert_uint_eq(fwrite(data, 1, len, file), len);
  ck_assert_int_eq(fclose(file), 0);
}

static void setup(void) {
  hw_error err;
  snprintf(dir, sizeof dir, "/tmp/hw-secret-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(dir));
  ck_assert_int_eq(mkdir(path_of("db"), 0700), 0);
  write_bytes("db/password", "s3cret-from-a-file\n", 19);
  root = file_root_new(dir, "--secrets-dir", &err);
  ck_assert_msg(root != NULL, "%s", err.message);
  ck_assert_int_eq(setenv("HW_TEST_SECRET", "s3cret-of-the-environment", 1), 0);
}

static void teardown(void) {
  char command[128];
  secret_list_fini(&known);
  file_root_free(root);
  snprintf(command, sizeof command, "rm -rf %s", dir);
  ck_assert_int_eq(system(command), 0);
}

/* ---- references ------------------------------------------------------------------ */

START_TEST(only_whole_texts_are_references) {
  static const char *const none[] = {"",          "env:X",         "$env:X",         "${X}",      "${envX}",
                                     "a${env:X}", "${env:X} tail", "${secret:a:b/c", "$${env:X}", "${ENV:X}"};
  for (size_t i = 0; i < sizeof none / sizeof *none; i++)
    ck_assert_msg(!secret_is_reference(none[i]), "%s", none[i]);
  ck_assert(secret_is_reference("${env:X}"));
  ck_assert(secret_is_reference("${secret:kubernetes:a/b}"));
}
END_TEST

START_TEST(malformed_references) {
  static const char *const good[] = {"${env:X}", "${env:_a9}", "${secret:kubernetes:a/b}",
                                     "${secret:kubernetes:my-db.v2/pass_word}"};
  static const char *const bad[] = {"${env:}",
                                    "${env:9}",
                                    "${env:A B}",
                                    "${env:A}}",
                                    "${secret:}",
                                    "${secret:vault:a/b}",
                                    "${secret:kubernetes:a}",
                                    "${secret:kubernetes:/b}",
                                    "${secret:kubernetes:a/}",
                                    "${secret:kubernetes:../b}",
                                    "${secret:kubernetes:a/..}",
                                    "${secret:kubernetes:a/../../etc/passwd}",
                                    "${secret:kubernetes:a/b/c}",
                                    "${secret:kubernetes:a//b}"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) ck_assert_msg(!secret_fault(good[i]), "%s", good[i]);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    ck_assert_msg(secret_is_reference(bad[i]), "%s", bad[i]);
    ck_assert_msg(secret_fault(bad[i]) != NULL, "%s", bad[i]);
  }
}
END_TEST

/* ---- what they stand for ------------------------------------------------------------- */

static void expect_value(const char *reference, const char *value) {
  const char *found;
  hw_error err;
  ck_assert_msg(secret_resolve(root, reference, &known, &found, &err) == HW_OK, "%s", err.message);
  ck_assert_str_eq(found, value);
}

static void expect_fault(const char *reference, hw_status status, const char *why) {
  const char *found;
  hw_error err;
  ck_assert_int_eq(secret_resolve(root, reference, &known, &found, &err), status);
  ck_assert_msg(strstr(err.message, why) != NULL, "%s", err.message);
  ck_assert_msg(strstr(err.message, reference) != NULL, "%s", err.message);
}

START_TEST(variables_and_files) {
  expect_value("${env:HW_TEST_SECRET}", "s3cret-of-the-environment");
  expect_value("${secret:kubernetes:db/password}", "s3cret-from-a-file");
  write_bytes("db/password", "two\nlines\r\n", 11);
  expect_value("${secret:kubernetes:db/password}", "two\nlines"); /* looked up anew */
  write_bytes("db/password", "", 0);
  expect_value("${secret:kubernetes:db/password}", "");
}
END_TEST

/* Kubernetes' own way of writing them: everything is a link to a link. */
START_TEST(mounted_secrets) {
  ck_assert_int_eq(mkdir(path_of("db/..2026"), 0700), 0);
  write_bytes("db/..2026/user", "postgres", 8);
  ck_assert_int_eq(symlink("..2026", path_of("db/..data")), 0);
  ck_assert_int_eq(symlink("..data/user", path_of("db/user")), 0);
  expect_value("${secret:kubernetes:db/user}", "postgres");
}
END_TEST

START_TEST(missing_and_unfit) {
  char *large = calloc(1, SECRET_MAX + 1);
  ck_assert_ptr_nonnull(large);
  memset(large, 'x', SECRET_MAX + 1);
  expect_fault("${env:HW_TEST_NOT_SET}", HW_ENOTFOUND, "no such variable");
  expect_fault("${secret:kubernetes:db/nothing}", HW_ENOTFOUND, "no such file below the secrets directory");
  write_bytes("db/nul", "a\0b", 3);
  expect_fault("${secret:kubernetes:db/nul}", HW_EINVAL, "holds no text");
  write_bytes("db/latin", "\xE9t\xE9", 3);
  expect_fault("${secret:kubernetes:db/latin}", HW_EINVAL, "holds no text");
  write_bytes("db/large", large, SECRET_MAX + 1);
  expect_fault("${secret:kubernetes:db/large}", HW_EIO, "larger than 64 KiB");
  write_bytes("db/large", large, SECRET_MAX);
  large[SECRET_MAX] = '\0';
  expect_value("${secret:kubernetes:db/large}", large);
  ck_assert_int_eq(symlink("/etc/passwd", path_of("db/link")), 0);
  expect_fault("${secret:kubernetes:db/link}", HW_EIO, "leads out of the secrets directory");
  free(large);
}
END_TEST

START_TEST(the_programs_own_variables_are_not_given) {
  ck_assert_int_eq(setenv("HEADWORKS_API_KEY", "apikey:0", 1), 0);
  expect_fault("${env:HEADWORKS_API_KEY}", HW_ENOTFOUND, "no such variable");
}
END_TEST

START_TEST(without_a_directory) {
  const char *found;
  hw_error err;
  ck_assert_int_eq(secret_resolve(NULL, "${secret:kubernetes:db/password}", &known, &found, &err), HW_ENOTFOUND);
  ck_assert_ptr_nonnull(strstr(err.message, "--secrets-dir"));
}
END_TEST

/* ---- settings --------------------------------------------------------------------------- */

static const hw_option table[] = {
    {.name = "path", .type = HW_OPTION_STRING},
    {.name = "plan", .type = HW_OPTION_JSON},
    {.name = "rate", .type = HW_OPTION_INT, .default_text = "7"},
    {.name = NULL},
};

static void on_fault(void *arg, const char *path, const char *message) {
  snprintf(arg, 512, "%s: %s", path, message);
}

static hw_config *settings(const char *text) {
  char fault[512] = "";
  json_t *json = json_loads(text, 0, NULL);
  hw_config *config = config_new(table, json, "transport.config", on_fault, fault);
  ck_assert_msg(config != NULL, "%s", fault);
  json_decref(json);
  return config;
}

START_TEST(settings_are_resolved_and_not_shown) {
  hw_error err;
  hw_config *config = settings("{\"path\": \"${env:HW_TEST_SECRET}\", \"plan\": [{\"a\": [\"x\", "
                               "\"${secret:kubernetes:db/password}\"], \"${env:HW_TEST_SECRET}\": \"a ${env:X}\"}]}");
  ck_assert(config_has_references(config));
  hw_config *own = config_resolve(config, "transport.config", root, &known, &err);
  ck_assert_msg(own != NULL, "%s", err.message);
  ck_assert_str_eq(hw_config_string(own, "path"), "s3cret-of-the-environment");
  ck_assert_str_eq(hw_config_string(own, "plan"),
                   "[{\"a\":[\"x\",\"s3cret-from-a-file\"],\"${env:HW_TEST_SECRET}\":\"a ${env:X}\"}]");
  ck_assert_int_eq(hw_config_int(own, "rate"), 7);
  ck_assert(hw_config_is_set(own, "path") && !hw_config_is_set(own, "rate"));
  ck_assert_str_eq(hw_config_string(config, "path"), "${env:HW_TEST_SECRET}"); /* what is shown stays */
  json_t *shown = config_to_json(config);
  char *text = json_dumps(shown, 0);
  ck_assert_ptr_null(strstr(text, "s3cret"));
  free(text);
  json_decref(shown);
  config_free(own);
  config_free(config);
}
END_TEST

START_TEST(the_place_of_a_missing_secret_is_named) {
  hw_error err;
  hw_config *config = settings("{\"plan\": {\"deep\": [\"${env:HW_TEST_NOT_SET}\"]}}");
  ck_assert_ptr_null(config_resolve(config, "transport.config", root, &known, &err));
  ck_assert_str_eq(err.message,
                   "transport.config.plan: ${env:HW_TEST_NOT_SET}: the environment has no such variable");
  config_free(config);
}
END_TEST

START_TEST(malformed_settings_are_told) {
  char fault[512] = "";
  hw_config *config = settings("{\"path\": \"${secret:vault:a/b}\"}");
  ck_assert(!config_check_references(config, "transport.config", on_fault, fault));
  ck_assert_msg(strstr(fault, "transport.config.path: \"${secret:vault:a/b}\": ") == fault, "%s", fault);
  config_free(config);
  config = settings("{\"path\": \"plain\", \"plan\": {\"a\": 1}}");
  ck_assert(config_check_references(config, "transport.config", on_fault, fault));
  ck_assert(!config_has_references(config));
  config_free(config);
}
END_TEST

/* ---- redaction ---------------------------------------------------------------------------- */

static void expect_redacted(const char *text, const char *wanted) {
  char copy[256];
  snprintf(copy, sizeof copy, "%s", text);
  secret_redact(&known, copy);
  ck_assert_str_eq(copy, wanted);
}

START_TEST(nothing_known_nothing_hidden) { expect_redacted("s3cret-of-the-environment", "s3cret-of-the-environment"); }
END_TEST

START_TEST(secrets_and_their_parts_are_hidden) {
  ck_assert_int_eq(setenv("HW_TEST_PATH", "/var/spool/hidden/file.csv", 1), 0);
  expect_value("${env:HW_TEST_SECRET}", "s3cret-of-the-environment");
  expect_value("${env:HW_TEST_PATH}", "/var/spool/hidden/file.csv");
  expect_redacted("cannot open \"s3cret-of-the-environment\": no", "cannot open \"***\": no");
  expect_redacted("s3cret-of-the-environments3cret-of-the-environment", "******");
  expect_redacted("the directory \"/var/spool/hidden\" is not there", "the directory \"***\" is not there");
  expect_redacted("hidden/file.csv@512", "***@512");
  expect_redacted("s3cret-o", "***");
  expect_redacted("s3cret-", "s3cret-"); /* seven bytes are no part */
  expect_redacted("", "");
}
END_TEST

START_TEST(short_secrets_are_hidden_as_a_whole) {
  ck_assert_int_eq(setenv("HW_TEST_PIN", "4711", 1), 0);
  ck_assert_int_eq(setenv("HW_TEST_EMPTY", "", 1), 0);
  ck_assert_int_eq(setenv("HW_TEST_TINY", "q", 1), 0);
  expect_value("${env:HW_TEST_PIN}", "4711");
  expect_value("${env:HW_TEST_EMPTY}", "");
  expect_value("${env:HW_TEST_TINY}", "q");
  expect_redacted("pin 4711, or 471", "pin ***, or 471");
  expect_redacted("queue", "*ueue");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("secrets");
  TCase *tc = tcase_create("all");
  tcase_add_checked_fixture(tc, setup, teardown);
  suite_add_tcase(suite, tc);
  tcase_add_test(tc, only_whole_texts_are_references);
  tcase_add_test(tc, malformed_references);
  tcase_add_test(tc, variables_and_files);
  tcase_add_test(tc, mounted_secrets);
  tcase_add_test(tc, missing_and_unfit);
  tcase_add_test(tc, the_programs_own_variables_are_not_given);
  tcase_add_test(tc, without_a_directory);
  tcase_add_test(tc, settings_are_resolved_and_not_shown);
  tcase_add_test(tc, the_place_of_a_missing_secret_is_named);
  tcase_add_test(tc, malformed_settings_are_told);
  tcase_add_test(tc, nothing_known_nothing_hidden);
  tcase_add_test(tc, secrets_and_their_parts_are_hidden);
  tcase_add_test(tc, short_secrets_are_hidden_as_a_whole);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
