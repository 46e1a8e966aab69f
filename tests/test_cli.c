/* test_cli.c - the parts of the program that need no engine: options, ${NAME},
 * numbers for people, and the accounting of records. */
#include "cli/account.h"
#include "cli/cli.h"
#include "cli/human.h"
#include "cli/source.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- options -------------------------------------------------------------- */

static const cli_option options[] = {{"set", 's', "NAME=VALUE", ""}, {"json", 'j', NULL, ""}, {"n", 0, "N", ""}, {0}};
static const cli_option *const tables[] = {options, NULL};
static const cli_command command = {.name = "try", .arguments = "FILE", .options = tables, .min_args = 1,
                                    .max_args = 2};

static cli_exit parse(cli_call *call, int argc, const char *const *argv, bool *help) {
  return cli_parse(call, &command, argc, (char **)(uintptr_t)argv, help);
}

#define PARSE(call, ...)                                                                                               \
  const char *words[] = {"try", __VA_ARGS__, NULL};                                                                    \
  bool help;                                                                                                           \
  cli_exit status = parse(&(call), (int)(sizeof words / sizeof *words) - 1, words, &help)

START_TEST(options_are_found_anywhere) {
  cli_call call;
  PARSE(call, "file", "--set", "A=1", "-j", "--n=4", "-sB=2", "other");
  ck_assert_int_eq(status, CLI_OK);
  ck_assert_int_eq(call.n_args, 2);
  ck_assert_str_eq(call.args[0], "file");
  ck_assert_str_eq(call.args[1], "other");
  ck_assert(cli_has(&call, "json"));
  ck_assert_str_eq(cli_value(&call, "set"), "B=2");
  double n = 0;
  ck_assert(cli_number(&call, "n", 1, 10, &n));
  ck_assert_double_eq(n, 4);
  ck_assert(!cli_number(&call, "n", 5, 10, &n));
  cli_call_fini(&call);
}
END_TEST

START_TEST(wrong_lines_are_refused) {
  static const char *const lines[][4] = {
      {"try"}, {"try", "file", "--nope"}, {"try", "file", "--set"}, {"try", "file", "-x"}};
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    int argc = 0;
    while (argc < 4 && lines[i][argc]) argc++;
    const char *argv[5] = {0};
    memcpy(argv, lines[i], sizeof lines[i]);
    cli_call call;
    bool help;
    ck_assert_int_eq(parse(&call, argc, argv, &help), CLI_USAGE);
    cli_call_fini(&call);
  }
}
END_TEST

START_TEST(help_needs_no_arguments) {
  cli_call call;
  PARSE(call, "--help");
  ck_assert_int_eq(status, CLI_OK);
  ck_assert(help);
  cli_call_fini(&call);
}
END_TEST

/* ---- ${NAME} -------------------------------------------------------------- */

/* What text becomes with --set A=one --set B=; NULL: *problem. */
static char *fill(const char *text, char **problem) {
  cli_call call;
  PARSE(call, "file", "--set", "A=zero", "--set", "A=one", "--set", "B=");
  ck_assert_int_eq(status, CLI_OK);
  size_t len = 0;
  char *filled = source_fill(&call, text, strlen(text), &len, problem);
  if (filled) ck_assert_uint_eq(len, strlen(filled));
  cli_call_fini(&call);
  return filled;
}

START_TEST(names_are_filled) {
  static const struct {
    const char *text, *wanted;
  } cases[] = {{"", ""},
               {"no names", "no names"},
               {"${A}", "one"},
               {"<${A}${A}>", "<oneone>"},
               {"x${B}y", "xy"},
               {"${A:-other}", "one"},
               {"${C:-a default}!", "a default!"},
               {"${C:-}!", "!"},
               {"$${A} ${A}", "${A} one"},
               {"$$${A}", "$${A}"},
               {"${1} ${} ${A $A ${A-b} ${env:A}", "${1} ${} ${A $A ${A-b} ${env:A}"},
               {"${", "${"},
               {"a $", "a $"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *problem = NULL, *filled = fill(cases[i].text, &problem);
    ck_assert_ptr_nonnull(filled);
    ck_assert_str_eq(filled, cases[i].wanted);
    free(filled);
  }
}
END_TEST

START_TEST(names_without_value_are_told_with_their_line) {
  char *problem = NULL;
  ck_assert_ptr_null(fill("${A}\n\n ${MISSING}\n", &problem));
  ck_assert_ptr_nonnull(strstr(problem, "3: ${MISSING}"));
  ck_assert_ptr_nonnull(strstr(problem, "--set MISSING="));
  free(problem);
}
END_TEST

/* ---- numbers for people --------------------------------------------------- */

START_TEST(numbers_are_readable) {
  char out[HUMAN_MAX];
  ck_assert_str_eq(human_count(0, out), "0");
  ck_assert_str_eq(human_count(999, out), "999");
  ck_assert_str_eq(human_count(1000, out), "1,000");
  ck_assert_str_eq(human_count(UINT64_MAX, out), "18,446,744,073,709,551,615");
  ck_assert_str_eq(human_bytes(999, out), "999 B");
  ck_assert_str_eq(human_bytes(61234567, out), "61.2 MB");
  ck_assert_str_eq(human_bytes(999960, out), "1.0 MB");
  ck_assert_str_eq(human_bytes(987654321, out), "988 MB");
  ck_assert_str_eq(human_seconds(1.844, out), "1.84 s");
  ck_assert_str_eq(human_seconds(125, out), "2:05");
  ck_assert_str_eq(human_seconds(3607, out), "1:00:07");
  ck_assert_str_eq(human_micros(180, out), "180 us");
  ck_assert_str_eq(human_micros(1704, out), "1.70 ms");
  ck_assert_str_eq(human_micros(2.4e6, out), "2.40 s");
}
END_TEST

/* ---- accounting ----------------------------------------------------------- */

/* A table with two inputs, a filtering view of it, a union of both, an output on
 * each view: 100 rows, of which 40 are filtered. */
typedef struct books {
  program_branch branches[3];
  program_relation relations[3];
  program_connector connectors[4];
  program program;
  connector_stats inputs[2], outputs[2];
  relation_stats counts[3];
  pipeline_stats stats;
} books;

static char table_name[] = "t", view_name[] = "v", union_name[] = "u";
static char v_out[] = "v.out", u_out[] = "u.out";

static void books_open(books *b) {
  *b = (books){.branches = {{.input = 0}, {.input = 0}, {.input = 1}},
               .connectors = {{.is_input = true}, {.is_input = true}, {.relation = 1}, {.relation = 2}},
               .inputs = {{.relation = table_name, .total_records = 70}, {.relation = table_name, .total_records = 30}},
               .outputs = {{.relation = view_name, .endpoint = v_out, .transmitted_records = 59,
                            .num_encode_errors = 1},
                           {.relation = union_name, .endpoint = u_out, .transmitted_records = 160}},
               .counts = {{.records = 100}, {.records = 60, .filtered = 40}, {.records = 160}}};
  b->relations[0] = (program_relation){.kind = PROGRAM_TABLE, .schema.name = table_name};
  b->relations[1] = (program_relation){.kind = PROGRAM_VIEW, .schema.name = view_name, .n_branches = 1,
                                       .branches = b->branches};
  b->relations[2] = (program_relation){.kind = PROGRAM_VIEW, .schema.name = union_name, .n_branches = 2,
                                       .branches = b->branches + 1};
  b->program.n_relations = 3;
  b->program.relations = b->relations;
  b->program.n_connectors = 4;
  b->program.connectors = b->connectors;
  b->stats = (pipeline_stats){.n_inputs = 2, .inputs = b->inputs, .n_outputs = 2, .outputs = b->outputs,
                              .n_relations = 3, .relations = b->counts};
}

START_TEST(accounts_that_meet) {
  books b;
  char finding[ACCOUNT_FINDING_MAX] = "";
  books_open(&b);
  ck_assert_msg(account_check(&b.program, &b.stats, finding), "%s", finding);
}
END_TEST

/* Each count, off by one, is found. */
START_TEST(accounts_that_do_not_meet) {
  books b;
  uint64_t *counts[] = {&b.inputs[1].total_records,        &b.counts[0].records,
                        &b.counts[1].records,              &b.counts[1].filtered,
                        &b.counts[2].records,              &b.outputs[0].transmitted_records,
                        &b.outputs[0].num_encode_errors,   &b.outputs[1].transmitted_records};
  uint64_t *count = counts[_i / 2];
  char finding[ACCOUNT_FINDING_MAX] = "";
  books_open(&b);
  *count += _i % 2 ? 1 : UINT64_MAX;
  ck_assert(!account_check(&b.program, &b.stats, finding));
  ck_assert_str_ne(finding, "");
}
END_TEST

START_TEST(accounts_without_counts) {
  books b;
  char finding[ACCOUNT_FINDING_MAX] = "";
  books_open(&b);
  b.stats.n_relations = 0;
  ck_assert(!account_check(&b.program, &b.stats, finding));
}
END_TEST

/* A view that nothing reads is not computed, and owes nothing. */
START_TEST(accounts_of_what_is_not_computed) {
  books b;
  char finding[ACCOUNT_FINDING_MAX] = "";
  books_open(&b);
  b.program.n_connectors = 3;
  b.stats.n_outputs = 1;
  b.counts[2].records = 0;
  ck_assert_msg(account_check(&b.program, &b.stats, finding), "%s", finding);
}
END_TEST

/* A table with a key makes other rows of those that are brought. */
START_TEST(accounts_of_a_table_with_a_key) {
  books b;
  char finding[ACCOUNT_FINDING_MAX] = "";
  books_open(&b);
  b.relations[0].n_key = 1;
  b.counts[0] = (relation_stats){.records = 80, .brought = 100};
  b.counts[1].filtered = 20;
  b.counts[2].records = b.outputs[1].transmitted_records = 140;
  ck_assert_msg(account_check(&b.program, &b.stats, finding), "%s", finding);
  b.counts[0].brought--;
  ck_assert(!account_check(&b.program, &b.stats, finding));
  b.counts[0].brought++;
  b.counts[0].records++;
  ck_assert(!account_check(&b.program, &b.stats, finding));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("cli");
  TCase *cases = tcase_create("cli");
  tcase_add_test(cases, options_are_found_anywhere);
  tcase_add_test(cases, wrong_lines_are_refused);
  tcase_add_test(cases, help_needs_no_arguments);
  tcase_add_test(cases, names_are_filled);
  tcase_add_test(cases, names_without_value_are_told_with_their_line);
  tcase_add_test(cases, numbers_are_readable);
  tcase_add_test(cases, accounts_that_meet);
  tcase_add_loop_test(cases, accounts_that_do_not_meet, 0, 16);
  tcase_add_test(cases, accounts_without_counts);
  tcase_add_test(cases, accounts_of_what_is_not_computed);
  tcase_add_test(cases, accounts_of_a_table_with_a_key);
  suite_add_tcase(suite, cases);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
