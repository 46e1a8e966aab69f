/* Every operation on every class of types, as tables of texts. */
#include "tests/expr_cases.h"

#include <headworks/value.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- arithmetic -------------------------------------------------------------------------------------- */

static const struct {
  const char *type, *least, *most;
} integers[] = {
    {"TINYINT", "-128", "127"},           {"SMALLINT", "-32768", "32767"},
    {"INT", "-2147483648", "2147483647"}, {"BIGINT", "-9223372036854775808", "9223372036854775807"},
    {"TINYINT UNSIGNED", "0", "255"},     {"SMALLINT UNSIGNED", "0", "65535"},
    {"INT UNSIGNED", "0", "4294967295"},  {"BIGINT UNSIGNED", "0", "18446744073709551615"},
};

static void run_binary(expr_op op, const char *type, const char *a, const char *b, const char *expected) {
  op_case c = {.op = op, .type = type, .args = {{type, a}, {type, b}}, .expected = expected};
  run_case(&c);
}

START_TEST(integer_arithmetic) {
  for (size_t i = 0; i < 8; i++) {
    const char *t = integers[i].type, *least = integers[i].least, *most = integers[i].most;
    bool is_signed = least[0] == '-';
    run_binary(EXPR_ADD, t, "100", "27", "127");
    run_binary(EXPR_SUB, t, "100", "27", "73");
    run_binary(EXPR_MUL, t, "11", "7", "77");
    run_binary(EXPR_DIV, t, "100", "27", "3");
    run_binary(EXPR_MOD, t, "100", "27", "19");
    run_binary(EXPR_ADD, t, "100", NULL, NULL);
    run_binary(EXPR_ADD, t, NULL, "1", NULL);
    run_binary(EXPR_DIV, t, NULL, "0", NULL);
    run_binary(EXPR_DIV, t, "1", NULL, NULL);
    run_binary(EXPR_ADD, t, most, "0", most);
    run_binary(EXPR_ADD, t, most, "1", "!integer overflow in");
    run_binary(EXPR_ADD, t, "1", most, "!addition: 1 + ");
    run_binary(EXPR_SUB, t, least, "1", "!subtraction");
    run_binary(EXPR_SUB, t, least, "0", least);
    run_binary(EXPR_SUB, t, most, most, "0");
    run_binary(EXPR_MUL, t, most, "2", "!multiplication");
    run_binary(EXPR_MUL, t, most, most, "!multiplication");
    run_binary(EXPR_MUL, t, most, "1", most);
    run_binary(EXPR_DIV, t, most, "1", most);
    run_binary(EXPR_DIV, t, "1", "0", "!division by zero");
    run_binary(EXPR_MOD, t, "1", "0", "!division by zero");
    run_binary(EXPR_MOD, t, "0", "3", "0");
    op_case negate = {EXPR_NEG, t, {{t, "5"}}, is_signed ? "-5" : "!negation"};
    run_case(&negate);
    op_case negate_least = {EXPR_NEG, t, {{t, least}}, is_signed ? "!negation" : "0"};
    run_case(&negate_least);
    op_case absolute = {EXPR_ABS, t, {{t, least}}, is_signed ? "!absolute value" : "0"};
    run_case(&absolute);
    op_case absolute_most = {EXPR_ABS, t, {{t, most}}, most};
    run_case(&absolute_most);
    if (!is_signed) continue;
    run_binary(EXPR_DIV, t, "-7", "2", "-3");
    run_binary(EXPR_MOD, t, "-7", "2", "-1");
    run_binary(EXPR_MOD, t, "7", "-2", "1");
    run_binary(EXPR_DIV, t, least, "-1", "!division");
    run_binary(EXPR_MOD, t, least, "-1", "0");
    run_binary(EXPR_ADD, t, least, "-1", "!addition");
    run_binary(EXPR_SUB, t, "0", least, "!subtraction");
    run_binary(EXPR_MUL, t, least, "-1", "!multiplication");
    run_binary(EXPR_ADD, t, least, most, "-1");
    op_case abs_negative = {EXPR_ABS, t, {{t, "-9"}}, "9"};
    run_case(&abs_negative);
    op_case negate_null = {EXPR_NEG, t, {{t, NULL}}, NULL};
    run_case(&negate_null);
  }
}
END_TEST

START_TEST(other_arithmetic) {
  static const op_case cases[] = {
      {EXPR_ADD,
       "BIGINT",
       {{"BIGINT", "9223372036854775807"}, {"BIGINT", "1"}},
       "!integer overflow in BIGINT addition: 9223372036854775807 + 1"},
      {EXPR_ADD, "DOUBLE", {{"DOUBLE", "0.1"}, {"DOUBLE", "0.2"}}, "0.30000000000000004"},
      {EXPR_SUB, "DOUBLE", {{"DOUBLE", "5"}, {"DOUBLE", "7.5"}}, "-2.5"},
      {EXPR_MUL, "REAL", {{"REAL", "1.5"}, {"REAL", "3"}}, "4.5"},
      {EXPR_DIV, "DOUBLE", {{"DOUBLE", "1"}, {"DOUBLE", "0"}}, "Infinity"},
      {EXPR_DIV, "DOUBLE", {{"DOUBLE", "-1"}, {"DOUBLE", "0"}}, "-Infinity"},
      {EXPR_DIV, "DOUBLE", {{"DOUBLE", "0"}, {"DOUBLE", "0"}}, "NaN"},
      {EXPR_MOD, "DOUBLE", {{"DOUBLE", "-7.5"}, {"DOUBLE", "2"}}, "-1.5"},
      {EXPR_MOD, "REAL", {{"REAL", "7.5"}, {"REAL", "2"}}, "1.5"},
      {EXPR_NEG, "DOUBLE", {{"DOUBLE", "0"}}, "-0.0"},
      {EXPR_NEG, "REAL", {{"REAL", "2.5"}}, "-2.5"},
      {EXPR_ABS, "DOUBLE", {{"DOUBLE", "-2.5"}}, "2.5"},
      {EXPR_ABS, "REAL", {{"REAL", NULL}}, NULL},
      {EXPR_ADD, "DECIMAL(6,2)", {{"DECIMAL(5,2)", "999.99"}, {"DECIMAL(5,2)", "0.01"}}, "1000.00"},
      {EXPR_ADD,
       "DECIMAL(5,2)",
       {{"DECIMAL(5,2)", "999.99"}, {"DECIMAL(5,2)", "0.01"}},
       "!overflow in DECIMAL(5, 2) addition: 999.99 + 0.01"},
      {EXPR_SUB, "DECIMAL(6,2)", {{"DECIMAL(5,2)", "1.00"}, {"DECIMAL(5,2)", "2.50"}}, "-1.50"},
      {EXPR_SUB, "DECIMAL(6,1)", {{"DECIMAL(5,2)", "1.00"}, {"DECIMAL(5,2)", "2.55"}}, "-1.6"},
      {EXPR_MUL, "DECIMAL(10,4)", {{"DECIMAL(5,2)", "12.34"}, {"DECIMAL(5,2)", "-2.00"}}, "-24.6800"},
      {EXPR_MUL, "DECIMAL(10,2)", {{"DECIMAL(5,2)", "0.15"}, {"DECIMAL(5,2)", "0.10"}}, "0.02"},
      {EXPR_MUL, "DECIMAL(10,6)", {{"DECIMAL(5,2)", "0.15"}, {"DECIMAL(5,2)", "0.10"}}, "0.015000"},
      {EXPR_MUL,
       "DECIMAL(38,0)",
       {{"DECIMAL(38,0)", "10000000000000000000"}, {"DECIMAL(38,0)", "10000000000000000000"}},
       "!overflow in DECIMAL(38, 0) multiplication"},
      {EXPR_MUL,
       "DECIMAL(38,10)",
       {{"DECIMAL(38,19)", "1234567890123456789.1234567890123456789"},
        {"DECIMAL(38,19)", "1000000000.0000000000000000000"}},
       "1234567890123456789123456789.0123456789"},
      {EXPR_MUL,
       "DECIMAL(38,38)",
       {{"DECIMAL(38,38)", "0.10000000000000000000000000000000000005"}, {"DECIMAL(38,38)", "0.5"}},
       "0.05000000000000000000000000000000000003"},
      {EXPR_MUL,
       "DECIMAL(38,0)",
       {{"DECIMAL(38,38)", "0.99999999999999999999999999999999999999"},
        {"DECIMAL(38,38)", "0.99999999999999999999999999999999999999"}},
       "1"},
      {EXPR_DIV, "DECIMAL(10,4)", {{"DECIMAL(5,2)", "1.00"}, {"DECIMAL(5,2)", "3.00"}}, "0.3333"},
      {EXPR_DIV, "DECIMAL(10,4)", {{"DECIMAL(5,2)", "2.00"}, {"DECIMAL(5,2)", "-3.00"}}, "-0.6667"},
      {EXPR_DIV, "DECIMAL(10,0)", {{"DECIMAL(5,2)", "2.50"}, {"DECIMAL(5,2)", "1.00"}}, "3"},
      {EXPR_DIV, "DECIMAL(10,0)", {{"DECIMAL(20,10)", "5"}, {"DECIMAL(5,2)", "2.00"}}, "3"},
      {EXPR_DIV,
       "DECIMAL(38,30)",
       {{"DECIMAL(38,8)", "123456.12345678"}, {"DECIMAL(38,20)", "0.00000000000000000007"}},
       "!overflow"},
      {EXPR_DIV,
       "DECIMAL(38,18)",
       {{"DECIMAL(38,0)", "12345678901234567890"}, {"DECIMAL(38,0)", "7"}},
       "1763668414462081127.142857142857142857"},
      {EXPR_DIV, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "1.00"}, {"DECIMAL(5,2)", "0.00"}}, "!division by zero"},
      {EXPR_MOD, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "1.00"}, {"DECIMAL(5,2)", "0.00"}}, "!division by zero"},
      {EXPR_MOD, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "-7.50"}, {"DECIMAL(5,2)", "2.00"}}, "-1.50"},
      {EXPR_DIV, "DECIMAL(5,2)", {{"DECIMAL(5,2)", NULL}, {"DECIMAL(5,2)", "0.00"}}, NULL},
      {EXPR_NEG, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "1.50"}}, "-1.50"},
      {EXPR_ABS, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "-1.50"}}, "1.50"},
      {EXPR_ADD, "INT!", {{"INT!", "1"}, {"INT!", "2"}}, "3"},
  };
  RUN_CASES(cases);
}
END_TEST

START_TEST(rounding) {
  static const op_case cases[] = {
      {EXPR_FLOOR, "INT", {{"INT", "7"}}, "7"},
      {EXPR_CEIL, "BIGINT", {{"BIGINT", NULL}}, NULL},
      {EXPR_ROUND, "INT", {{"INT", "1250"}, {"INT", "-2"}}, "1300"},
      {EXPR_ROUND, "INT", {{"INT", "-1250"}, {"INT", "-2"}}, "-1300"},
      {EXPR_ROUND, "INT", {{"INT", "1250"}, {"INT", "2"}}, "1250"},
      {EXPR_ROUND, "TINYINT", {{"TINYINT", "127"}, {"INT", "-1"}}, "!rounding"},
      {EXPR_ROUND, "INT", {{"INT", "1250"}, {"INT", "-100"}}, "0"},
      {EXPR_FLOOR, "DOUBLE", {{"DOUBLE", "-1.5"}}, "-2.0"},
      {EXPR_CEIL, "DOUBLE", {{"DOUBLE", "-1.5"}}, "-1.0"},
      {EXPR_ROUND, "DOUBLE", {{"DOUBLE", "2.5"}}, "3.0"},
      {EXPR_ROUND, "DOUBLE", {{"DOUBLE", "-2.5"}}, "-3.0"},
      {EXPR_ROUND, "DOUBLE", {{"DOUBLE", "1.2345"}, {"INT", "2"}}, "1.23"},
      {EXPR_ROUND, "DOUBLE", {{"DOUBLE", "1250"}, {"INT", "-2"}}, "1300.0"},
      {EXPR_ROUND, "DOUBLE", {{"DOUBLE", "1e300"}, {"INT", "20"}}, "1e300"},
      {EXPR_ROUND, "DOUBLE", {{"DOUBLE", "NaN"}, {"INT", "2"}}, "NaN"},
      {EXPR_ROUND, "DOUBLE", {{"DOUBLE", "5"}, {"INT", "-400"}}, "0.0"},
      {EXPR_ROUND, "DOUBLE", {{"DOUBLE", "5.5"}, {"INT", "2000000000"}}, "5.5"},
      {EXPR_ROUND, "REAL", {{"REAL", "1.26"}, {"INT", "1"}}, "1.3"},
      {EXPR_FLOOR, "REAL", {{"REAL", "1.9"}}, "1.0"},
      {EXPR_FLOOR, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "-1.01"}}, "-2.00"},
      {EXPR_CEIL, "DECIMAL(6,0)", {{"DECIMAL(5,2)", "1.01"}}, "2"},
      {EXPR_FLOOR, "DECIMAL(4,0)", {{"DECIMAL(5,2)", "1.99"}}, "1"},
      {EXPR_ROUND, "DECIMAL(4,0)", {{"DECIMAL(5,2)", "-1.50"}}, "-2"},
      {EXPR_ROUND, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "123.45"}, {"INT", "1"}}, "123.50"},
      {EXPR_ROUND, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "123.45"}, {"INT", "-1"}}, "120.00"},
      {EXPR_ROUND, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "999.95"}, {"INT", "1"}}, "!rounding"},
      {EXPR_ROUND, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "123.45"}, {"INT", "9"}}, "123.45"},
      {EXPR_ROUND, "DECIMAL(5,2)", {{"DECIMAL(5,2)", "123.45"}, {"INT", NULL}}, NULL},
  };
  RUN_CASES(cases);
}
END_TEST

/* ---- comparisons --------------------------------------------------------------------------------------- */

/* a < b of one type: all six operators, both ways, and the tests of distinctness. */
static void check_order(const char *type, const char *a, const char *b) {
  static const struct {
    expr_op op;
    const char *less, *greater, *same;
  } expected[] = {
      {EXPR_EQ, "false", "false", "true"},         {EXPR_NE, "true", "true", "false"},
      {EXPR_LT, "true", "false", "false"},         {EXPR_LE, "true", "false", "true"},
      {EXPR_GT, "false", "true", "false"},         {EXPR_GE, "false", "true", "true"},
      {EXPR_IS_DISTINCT, "true", "true", "false"}, {EXPR_IS_NOT_DISTINCT, "false", "false", "true"},
  };
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    op_case less = {expected[i].op, "BOOLEAN", {{type, a}, {type, b}}, expected[i].less};
    op_case greater = {expected[i].op, "BOOLEAN", {{type, b}, {type, a}}, expected[i].greater};
    op_case same = {expected[i].op, "BOOLEAN", {{type, a}, {type, a}}, expected[i].same};
    op_case null = {expected[i].op, "BOOLEAN", {{type, a}, {type, NULL}}, NULL};
    op_case both = {expected[i].op, "BOOLEAN", {{type, NULL}, {type, NULL}}, NULL};
    if (expected[i].op == EXPR_IS_DISTINCT) null.expected = "true", both.expected = "false";
    if (expected[i].op == EXPR_IS_NOT_DISTINCT) null.expected = "false", both.expected = "true";
    run_case(&less);
    run_case(&greater);
    run_case(&same);
    run_case(&null);
    run_case(&both);
  }
}

START_TEST(comparisons) {
  for (size_t i = 0; i < 8; i++) check_order(integers[i].type, integers[i].least, integers[i].most);
  check_order("INT", "-1", "1");
  check_order("BOOLEAN", "false", "true");
  check_order("REAL", "-1.5", "2.5");
  check_order("REAL", "Infinity", "NaN");
  check_order("DOUBLE", "-Infinity", "2.5");
  check_order("DOUBLE", "1e300", "NaN");
  check_order("DECIMAL(38,2)", "-99999999999999999999999999999999999.99", "0.01");
  check_order("VARCHAR", "", "a");
  check_order("VARCHAR", "abc", "abcd");
  check_order("VARCHAR", "Zebra", "apple");
  check_order("VARCHAR", "z", "\xC3\xA9");
  check_order("VARBINARY", "\x01", "\xFF");
  check_order("CHAR(5)", "ab", "abc");
  check_order("DATE", "1969-12-31", "1970-01-01");
  check_order("TIME", "00:00:01", "23:59:59");
  check_order("TIMESTAMP", "1969-12-31 23:59:59", "2026-01-01 00:00:00");
  check_order("UUID", "00000000-0000-0000-0000-000000000001", "ff000000-0000-0000-0000-000000000000");
  static const op_case cases[] = {
      {EXPR_EQ, "BOOLEAN", {{"DOUBLE", "0"}, {"DOUBLE", "-0"}}, "true"},
      {EXPR_LT, "BOOLEAN", {{"DOUBLE", "-0"}, {"DOUBLE", "0"}}, "false"},
      {EXPR_EQ, "BOOLEAN", {{"CHAR(5)", "ab"}, {"CHAR(2)", "ab"}}, "true"},
      {EXPR_LT, "BOOLEAN", {{"CHAR(5)", "ab"}, {"CHAR(3)", "ab\t"}}, "false"},
      {EXPR_EQ, "BOOLEAN", {{"VARCHAR", "ab"}, {"VARCHAR", "ab "}}, "false"},
  };
  RUN_CASES(cases);
}
END_TEST

/* ---- three-valued logic ------------------------------------------------------------------------------------ */

static const char *const truths[] = {"false", "true", NULL};

static int and_of(int a, int b) {
  return a == 0 || b == 0 ? 0 : a == 2 || b == 2 ? 2 : 1;
}
static int or_of(int a, int b) {
  return a == 1 || b == 1 ? 1 : a == 2 || b == 2 ? 2 : 0;
}

START_TEST(truth_tables) {
  for (int a = 0; a < 3; a++) {
    for (int b = 0; b < 3; b++) {
      op_case both = {EXPR_AND, "BOOLEAN", {{"BOOLEAN", truths[a]}, {"BOOLEAN", truths[b]}}, truths[and_of(a, b)]};
      op_case either = {EXPR_OR, "BOOLEAN", {{"BOOLEAN", truths[a]}, {"BOOLEAN", truths[b]}}, truths[or_of(a, b)]};
      run_case(&both);
      run_case(&either);
      for (int c = 0; c < 3; c++) {
        op_case three = {EXPR_AND,
                         "BOOLEAN",
                         {{"BOOLEAN", truths[a]}, {"BOOLEAN", truths[b]}, {"BOOLEAN", truths[c]}},
                         truths[and_of(and_of(a, b), c)]};
        run_case(&three);
      }
    }
    op_case not = {EXPR_NOT, "BOOLEAN", {{"BOOLEAN", truths[a]}}, a == 2 ? NULL : truths[!a]};
    run_case(&not );
    static const struct {
      expr_op op;
      int result[3];
    } tests[] = {
        {EXPR_IS_NULL, {0, 0, 1}},     {EXPR_IS_NOT_NULL, {1, 1, 0}}, {EXPR_IS_TRUE, {0, 1, 0}},
        {EXPR_IS_NOT_TRUE, {1, 0, 1}}, {EXPR_IS_FALSE, {1, 0, 0}},    {EXPR_IS_NOT_FALSE, {0, 1, 1}},
    };
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
      op_case c = {tests[i].op, "BOOLEAN!", {{"BOOLEAN", truths[a]}}, truths[tests[i].result[a]]};
      run_case(&c);
    }
  }
  static const op_case cases[] = {
      {EXPR_IS_NULL, "BOOLEAN!", {{"VARCHAR", NULL}}, "true"},
      {EXPR_IS_NULL, "BOOLEAN!", {{"VARCHAR!", "x"}}, "false"},
      {EXPR_IS_NOT_NULL, "BOOLEAN!", {{"DECIMAL(5,2)", "1.00"}}, "true"},
  };
  RUN_CASES(cases);
}
END_TEST

/* All nine combinations in one batch, in words that mix them. */
START_TEST(logic_in_mixed_words) {
  static const char *const types[] = {"BOOLEAN", "BOOLEAN"};
  for (int op = 0; op < 2; op++) {
    hw_batch *b = batch_of_types(types, 2, 1000);
    fill_with_rubbish(b);
    int a_of[1000], b_of[1000];
    for (uint32_t row = 0; row < 1000; row++) {
      a_of[row] = (int)(next_random() % 3);
      b_of[row] = (int)(next_random() % 3);
      set_cell(b, 0, row, truths[a_of[row]]);
      set_cell(b, 1, row, truths[b_of[row]]);
    }
    expr *e = tree2(op ? EXPR_OR : EXPR_AND, "BOOLEAN", column(0, "BOOLEAN"), column(1, "BOOLEAN"));
    evaluator *ev = evaluator_new(e, NULL);
    hw_column out;
    eval_error err;
    ck_assert_int_eq(evaluator_run(ev, b, NULL, 1000, NULL, &out, &err), HW_OK);
    uint32_t n_true = 0, n_out, sel[1000];
    for (uint32_t row = 0; row < 1000; row++) {
      int expected = op ? or_of(a_of[row], b_of[row]) : and_of(a_of[row], b_of[row]);
      REQUIRE(hw_column_valid(&out, row) == (expected != 2));
      REQUIRE(expected == 2 || ((uint8_t *)out.values)[row] == expected);
      n_true += expected == 1;
    }
    ck_assert_int_eq(evaluator_filter(ev, b, NULL, 1000, sel, &n_out, &err), HW_OK);
    ck_assert_uint_eq(n_out, n_true);
    evaluator_free(ev);
    hw_batch_unref(b);
  }
}
END_TEST

/* ---- strings -------------------------------------------------------------------------------------------------- */

START_TEST(strings) {
  static const op_case cases[] = {
      {EXPR_CONCAT, "VARCHAR", {{"VARCHAR", "ab"}, {"VARCHAR", "cd"}}, "abcd"},
      {EXPR_CONCAT, "VARCHAR", {{"VARCHAR", ""}, {"VARCHAR", ""}}, ""},
      {EXPR_CONCAT, "VARCHAR", {{"VARCHAR", "ab"}, {"VARCHAR", NULL}}, NULL},
      {EXPR_CONCAT,
       "VARCHAR",
       {{"VARCHAR", "a"}, {"VARCHAR", "b"}, {"VARCHAR", "c"}, {"VARCHAR", "d"}, {"VARCHAR", "e"}, {"VARCHAR", "f"}},
       "abcdef"},
      {EXPR_LOWER, "VARCHAR", {{"VARCHAR", "AbC-" E_ACUTE_UPPER "x"}}, "abc-" E_ACUTE "x"},
      {EXPR_UPPER, "VARCHAR", {{"VARCHAR", "AbC-" E_ACUTE "x"}}, "ABC-" E_ACUTE_UPPER "X"},
      {EXPR_UPPER, "VARCHAR", {{"VARCHAR", "ALREADY"}}, "ALREADY"},
      {EXPR_LOWER, "VARCHAR", {{"VARCHAR", ""}}, ""},
      {EXPR_LOWER, "VARCHAR", {{"VARCHAR", "\xC8\xBA"}}, "\xE2\xB1\xA5"},
      {EXPR_UPPER, "VARCHAR", {{"VARCHAR", "a\xFFz"}}, "A\xFFZ"},
      {EXPR_UPPER, "VARCHAR", {{"VARCHAR", NULL}}, NULL},
      {EXPR_CHAR_LENGTH, "INT", {{"VARCHAR", "a" EURO E_ACUTE}}, "3"},
      {EXPR_OCTET_LENGTH, "INT", {{"VARCHAR", "a" EURO E_ACUTE}}, "6"},
      {EXPR_CHAR_LENGTH, "INT", {{"VARCHAR", ""}}, "0"},
      {EXPR_CHAR_LENGTH, "INT", {{"VARCHAR", NULL}}, NULL},
      {EXPR_OCTET_LENGTH, "INT", {{"VARBINARY", EURO}}, "3"},
      {EXPR_CHAR_LENGTH, "INT", {{"CHAR(4)", "ab"}}, "4"},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "a" EURO "cdef"}, {"BIGINT", "2"}}, EURO "cdef"},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "a" EURO "cdef"}, {"BIGINT", "2"}, {"BIGINT", "2"}}, EURO "c"},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "abcdef"}, {"BIGINT", "0"}, {"BIGINT", "3"}}, "ab"},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "abcdef"}, {"BIGINT", "-1"}, {"BIGINT", "3"}}, "a"},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "abcdef"}, {"BIGINT", "-10"}, {"BIGINT", "3"}}, ""},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "abcdef"}, {"BIGINT", "-10"}}, "abcdef"},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "abcdef"}, {"BIGINT", "7"}}, ""},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "abcdef"}, {"BIGINT", "2"}, {"BIGINT", "9223372036854775807"}}, "bcdef"},
      {EXPR_SUBSTRING,
       "VARCHAR",
       {{"VARCHAR", "abcdef"}, {"BIGINT", "-9223372036854775808"}, {"BIGINT", "9223372036854775807"}},
       ""},
      {EXPR_SUBSTRING, "VARCHAR", {{"VARCHAR", "abcdef"}, {"BIGINT", "2"}, {"BIGINT", "0"}}, ""},
      {EXPR_SUBSTRING,
       "VARCHAR",
       {{"VARCHAR", "abcdef"}, {"BIGINT", "2"}, {"BIGINT", "-1"}},
       "!negative length in SUBSTRING: -1"},
      {EXPR_SUBSTRING, "VARBINARY", {{"VARBINARY", EURO "x"}, {"BIGINT", "3"}, {"BIGINT", "5"}}, "\xACx"},
      {EXPR_SUBSTRING,
       "VARCHAR",
       {{"VARCHAR", "0123456789" EURO "abcdefghij"}, {"BIGINT", "11"}, {"BIGINT", "10"}},
       EURO "abcdefghi"},
      {EXPR_TRIM_BOTH, "VARCHAR", {{"VARCHAR", "  ab  "}, {"VARCHAR", " "}}, "ab"},
      {EXPR_TRIM_LEADING, "VARCHAR", {{"VARCHAR", "  ab  "}, {"VARCHAR", " "}}, "ab  "},
      {EXPR_TRIM_TRAILING, "VARCHAR", {{"VARCHAR", "  ab  "}, {"VARCHAR", " "}}, "  ab"},
      {EXPR_TRIM_BOTH, "VARCHAR", {{"VARCHAR", "xyabyx"}, {"VARCHAR", "yx"}}, "ab"},
      {EXPR_TRIM_BOTH, "VARCHAR", {{"VARCHAR", EURO "ab" EURO EURO}, {"VARCHAR", EURO}}, "ab"},
      {EXPR_TRIM_BOTH, "VARCHAR", {{"VARCHAR", "    "}, {"VARCHAR", " "}}, ""},
      {EXPR_TRIM_BOTH, "VARCHAR", {{"VARCHAR", EURO EURO}, {"VARCHAR", "a" EURO}}, ""},
      {EXPR_TRIM_BOTH, "VARCHAR", {{"VARCHAR", " ab "}, {"VARCHAR", ""}}, " ab "},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "a,b,c"}, {"VARCHAR", ","}, {"BIGINT", "1"}}, "a"},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "a,b,c"}, {"VARCHAR", ","}, {"BIGINT", "3"}}, "c"},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "a,b,c"}, {"VARCHAR", ","}, {"BIGINT", "4"}}, ""},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "a,b,c"}, {"VARCHAR", ","}, {"BIGINT", "-1"}}, "c"},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "a,b,c"}, {"VARCHAR", ","}, {"BIGINT", "-3"}}, "a"},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "a,b,c"}, {"VARCHAR", ","}, {"BIGINT", "-4"}}, ""},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "a--b----c"}, {"VARCHAR", "--"}, {"BIGINT", "3"}}, ""},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "a--b----c"}, {"VARCHAR", "--"}, {"BIGINT", "4"}}, "c"},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "abc"}, {"VARCHAR", ""}, {"BIGINT", "1"}}, "abc"},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "abc"}, {"VARCHAR", ""}, {"BIGINT", "2"}}, ""},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", ""}, {"VARCHAR", ","}, {"BIGINT", "1"}}, ""},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "abc"}, {"VARCHAR", ","}, {"BIGINT", "0"}}, "!SPLIT_PART"},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "abc"}, {"VARCHAR", ","}, {"BIGINT", "-9223372036854775808"}}, ""},
      {EXPR_SPLIT_PART, "VARCHAR", {{"VARCHAR", "abc"}, {"VARCHAR", NULL}, {"BIGINT", "0"}}, NULL},
  };
  RUN_CASES(cases);
}
END_TEST

START_TEST(like) {
  static const struct {
    const char *text, *pattern, *escape, *expected;
  } cases[] = {
      {"abc", "abc", NULL, "true"},
      {"abc", "ab", NULL, "false"},
      {"abc", "abcd", NULL, "false"},
      {"", "", NULL, "true"},
      {"", "%", NULL, "true"},
      {"abc", "%", NULL, "true"},
      {"abc", "%%", NULL, "true"},
      {"abc", "", NULL, "false"},
      {"abc", "a%", NULL, "true"},
      {"abc", "b%", NULL, "false"},
      {"abc", "%c", NULL, "true"},
      {"abc", "%b", NULL, "false"},
      {"abc", "%b%", NULL, "true"},
      {"abc", "%d%", NULL, "false"},
      {"abc", "%abc%", NULL, "true"},
      {"abc", "%abcd%", NULL, "false"},
      {"abc", "a%c", NULL, "true"},
      {"ac", "a%c", NULL, "true"},
      {"a", "a%a", NULL, "false"},
      {"abcbc", "a%bc", NULL, "true"},
      {"abc", "a_c", NULL, "true"},
      {"abc", "__", NULL, "false"},
      {"abc", "___", NULL, "true"},
      {"abc", "____", NULL, "false"},
      {"abc", "_%_", NULL, "true"},
      {"a", "_%_", NULL, "false"},
      {"a" EURO "c", "a_c", NULL, "true"},
      {EURO, "_", NULL, "true"},
      {EURO, "__", NULL, "false"},
      {EURO E_ACUTE, "%_", NULL, "true"},
      {"aXbXc", "%X%X%", NULL, "true"},
      {"aXbc", "%X%X%", NULL, "false"},
      {"aaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%b", NULL, "true"},
      {"aaaaaaaaaaaaaaaaaaaaaa", "%a%a%a%a%a%b", NULL, "false"},
      {"a%c", "a\\%c", "\\", "true"},
      {"abc", "a\\%c", "\\", "false"},
      {"a_c", "a!_c", "!", "true"},
      {"abc", "a!_c", "!", "false"},
      {"a!c", "a!!c", "!", "true"},
      {"100%", "%!%", "!", "true"},
      {"100", "%!%", "!", "false"},
      {"a" EURO, "a" EURO EURO, EURO, "true"},
      {"a\\", "a\\", NULL, "true"},
      {"abc", "abc!", "!", "!ends in its escape"},
      {"abc", "abc", "", "!one character"},
      {"abc", "abc", "ab", "!one character"},
      {"abc", "a!bc", "!", "true"},
      {"Abc", "abc", NULL, "false"},
      {NULL, "%", NULL, NULL},
      {"abc", NULL, NULL, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    op_case c = {EXPR_LIKE, "BOOLEAN", {{"VARCHAR", cases[i].text}, {"VARCHAR", cases[i].pattern}}, cases[i].expected};
    if (cases[i].escape) {
      c.args[2].type = "VARCHAR";
      c.args[2].text = cases[i].escape;
    }
    run_case(&c);
  }
}
END_TEST

/* ---- CASE, COALESCE, NULLIF ----------------------------------------------------------------------------------------
 */

START_TEST(branches) {
  static const op_case cases[] = {
      {EXPR_CASE, "INT", {{"BOOLEAN", "true"}, {"INT", "1"}, {"INT", "2"}}, "1"},
      {EXPR_CASE, "INT", {{"BOOLEAN", "false"}, {"INT", "1"}, {"INT", "2"}}, "2"},
      {EXPR_CASE, "INT", {{"BOOLEAN", NULL}, {"INT", "1"}, {"INT", "2"}}, "2"},
      {EXPR_CASE, "INT", {{"BOOLEAN", "false"}, {"INT", "1"}, {"INT", NULL}}, NULL},
      {EXPR_CASE,
       "VARCHAR",
       {{"BOOLEAN", "false"}, {"VARCHAR", "a"}, {"BOOLEAN", "true"}, {"VARCHAR", "b"}, {"VARCHAR", "c"}},
       "b"},
      {EXPR_CASE, "DECIMAL(10,3)", {{"BOOLEAN", "true"}, {"DECIMAL(5,2)", "1.25"}, {"DECIMAL(5,1)", "0.5"}}, "1.250"},
      {EXPR_CASE, "BOOLEAN", {{"BOOLEAN", "true"}, {"BOOLEAN", NULL}, {"BOOLEAN", "true"}}, NULL},
      {EXPR_CASE,
       "UUID",
       {{"BOOLEAN", "true"}, {"UUID", "00000000-0000-0000-0000-000000000001"}, {"UUID", NULL}},
       "00000000-0000-0000-0000-000000000001"},
      {EXPR_COALESCE, "INT", {{"INT", NULL}, {"INT", "2"}}, "2"},
      {EXPR_COALESCE, "INT", {{"INT", "1"}, {"INT", "2"}}, "1"},
      {EXPR_COALESCE, "INT", {{"INT", NULL}, {"INT", NULL}}, NULL},
      {EXPR_COALESCE, "INT", {{"INT", NULL}}, NULL},
      {EXPR_COALESCE, "VARCHAR", {{"VARCHAR", NULL}, {"VARCHAR", NULL}, {"VARCHAR", "c"}}, "c"},
      {EXPR_COALESCE, "SMALLINT!", {{"SMALLINT", NULL}, {"SMALLINT!", "3"}}, "3"},
      {EXPR_COALESCE, "DECIMAL(10,3)", {{"DECIMAL(5,2)", NULL}, {"DECIMAL(5,1)", "0.5"}}, "0.500"},
      {EXPR_NULLIF, "INT", {{"INT", "1"}, {"INT", "1"}}, NULL},
      {EXPR_NULLIF, "INT", {{"INT", "1"}, {"INT", "2"}}, "1"},
      {EXPR_NULLIF, "INT", {{"INT", "1"}, {"INT", NULL}}, "1"},
      {EXPR_NULLIF, "INT", {{"INT", NULL}, {"INT", "1"}}, NULL},
      {EXPR_NULLIF, "VARCHAR", {{"VARCHAR", "a"}, {"VARCHAR", "a"}}, NULL},
      {EXPR_NULLIF, "VARCHAR", {{"VARCHAR", "a"}, {"VARCHAR", NULL}}, "a"},
      {EXPR_NULLIF, "CHAR(3)", {{"CHAR(3)", "a"}, {"CHAR(5)", "a"}}, NULL},
      {EXPR_NULLIF, "DOUBLE", {{"DOUBLE", "0"}, {"DOUBLE", "-0"}}, NULL},
  };
  RUN_CASES(cases);
}
END_TEST

/* ---- casts
 * -------------------------------------------------------------------------------------------------------------- */

START_TEST(casts) {
  static const struct {
    const char *from, *text, *to, *expected;
  } cases[] = {
      {"INT", "127", "TINYINT", "127"},
      {"INT", "128", "TINYINT", "!cannot cast 128 to TINYINT: out of range"},
      {"INT", "-129", "TINYINT", "!out of range"},
      {"BIGINT", "-1", "BIGINT UNSIGNED", "!out of range"},
      {"BIGINT UNSIGNED", "9223372036854775808", "BIGINT", "!out of range"},
      {"BIGINT UNSIGNED", "9223372036854775807", "BIGINT", "9223372036854775807"},
      {"TINYINT", "-1", "BIGINT", "-1"},
      {"TINYINT UNSIGNED", "255", "SMALLINT", "255"},
      {"SMALLINT", "-5", "INT UNSIGNED", "!out of range"},
      {"INT", NULL, "TINYINT", NULL},
      {"INT", "7", "DOUBLE", "7.0"},
      {"BIGINT", "9007199254740993", "DOUBLE", "9007199254740992.0"},
      {"INT", "16777217", "REAL", "16777216.0"},
      {"DOUBLE", "2.9", "INT", "2"},
      {"DOUBLE", "-2.9", "INT", "-2"},
      {"DOUBLE", "2147483647.9", "INT", "2147483647"},
      {"DOUBLE", "2147483648", "INT", "!out of range"},
      {"DOUBLE", "-2147483648.9", "INT", "-2147483648"},
      {"DOUBLE", "NaN", "INT", "!cannot cast NaN to INT"},
      {"DOUBLE", "Infinity", "BIGINT", "!out of range"},
      {"DOUBLE", "-0.9", "TINYINT UNSIGNED", "0"},
      {"DOUBLE", "-1", "TINYINT UNSIGNED", "!out of range"},
      {"DOUBLE", "255.9", "TINYINT UNSIGNED", "255"},
      {"DOUBLE", "9223372036854775808", "BIGINT", "!out of range"},
      {"DOUBLE", "-9223372036854775808", "BIGINT", "-9223372036854775808"},
      {"DOUBLE", "18446744073709551615", "BIGINT UNSIGNED", "!out of range"},
      {"DOUBLE", "18446744073709549568", "BIGINT UNSIGNED", "18446744073709549568"},
      {"DOUBLE", "1e39", "REAL", "!out of range"},
      {"DOUBLE", "0.1", "REAL", "0.1"},
      {"DOUBLE", "Infinity", "REAL", "Infinity"},
      {"DOUBLE", "NaN", "REAL", "NaN"},
      {"REAL", "0.1", "DOUBLE", "0.10000000149011612"},
      {"REAL", "3.9", "SMALLINT", "3"},
      {"BOOLEAN", "true", "INT", "1"},
      {"INT", "5", "BOOLEAN", "true"},
      {"DOUBLE", "0", "BOOLEAN", "false"},
      {"DECIMAL(5,2)", "0.01", "BOOLEAN", "true"},
      {"BOOLEAN", "true", "DECIMAL(5,2)", "1.00"},
      {"INT", "12", "DECIMAL(5,2)", "12.00"},
      {"INT", "1000", "DECIMAL(5,2)", "!cannot cast 1000 to DECIMAL(5, 2)"},
      {"BIGINT UNSIGNED", "18446744073709551615", "DECIMAL(20,0)", "18446744073709551615"},
      {"DECIMAL(5,2)", "-12.99", "INT", "-12"},
      {"DECIMAL(5,2)", "299.00", "TINYINT", "!out of range"},
      {"DECIMAL(38,0)", "99999999999999999999", "BIGINT", "!out of range"},
      {"DECIMAL(5,2)", "1.25", "DECIMAL(5,1)", "1.3"},
      {"DECIMAL(5,2)", "-1.25", "DECIMAL(5,1)", "-1.3"},
      {"DECIMAL(5,2)", "1.24", "DECIMAL(3,1)", "1.2"},
      {"DECIMAL(5,2)", "100.00", "DECIMAL(3,1)", "!out of range"},
      {"DECIMAL(5,2)", "1.25", "DECIMAL(38,30)", "1.250000000000000000000000000000"},
      {"DECIMAL(5,2)", "1.25", "DECIMAL(5,2)", "1.25"},
      {"DECIMAL(5,2)", "1.25", "DOUBLE", "1.25"},
      {"DECIMAL(38,20)", "0.1", "DOUBLE", "0.1"},
      {"DECIMAL(38,30)", "12345678.901234567890123456789012345678", "DOUBLE", "12345678.901234567"},
      {"DECIMAL(11,3)", "16777217.000", "REAL", "16777216.0"},
      {"DOUBLE", "0.1", "DECIMAL(5,2)", "0.10"},
      {"DOUBLE", "0.15", "DECIMAL(5,1)", "0.2"},
      {"DOUBLE", "1e10", "DECIMAL(5,2)", "!out of range"},
      {"DOUBLE", "NaN", "DECIMAL(5,2)", "!out of range"},
      {"REAL", "0.1", "DECIMAL(5,2)", "0.10"},
      {"DOUBLE", "1e-30", "DECIMAL(5,2)", "0.00"},
      {"VARCHAR", " 42 ", "INT", "42"},
      {"VARCHAR", "+42", "INT", "42"},
      {"VARCHAR", "-42", "TINYINT", "-42"},
      {"VARCHAR", "abc", "INT", "!cannot cast 'abc' to INT: not an integer"},
      {"VARCHAR", "+-4", "INT", "!not an integer"},
      {"VARCHAR", "", "INT", "!cannot cast '' to INT"},
      {"VARCHAR", "300", "TINYINT", "!cannot cast '300' to TINYINT: out of range"},
      {"VARCHAR", "1e3", "DOUBLE", "1000.0"},
      {"VARCHAR", "x", "DOUBLE", "!not a number"},
      {"VARCHAR", "1.005", "DECIMAL(5,2)", "1.01"},
      {"VARCHAR", "True", "BOOLEAN", "true"},
      {"VARCHAR", "yes", "BOOLEAN", "!not true or false"},
      {"VARCHAR", "2026-01-02", "DATE", "2026-01-02"},
      {"VARCHAR", "2026-02-30", "DATE", "!out of range"},
      {"VARCHAR", "12:34", "TIME", "12:34:00"},
      {"VARCHAR", "2026-01-02T03:04:05Z", "TIMESTAMP", "2026-01-02 03:04:05"},
      {"VARCHAR", "soon", "TIMESTAMP", "!not of the form"},
      {"VARCHAR", "123e4567-e89b-12d3-a456-426614174000", "UUID", "123e4567-e89b-12d3-a456-426614174000"},
      {"VARCHAR", "123", "UUID", "!hexadecimal"},
      {"VARCHAR", NULL, "INT", NULL},
      {"CHAR(6)", "42", "INT", "42"},
      {"INT", "-42", "VARCHAR", "-42"},
      {"BOOLEAN", "true", "VARCHAR", "true"},
      {"DOUBLE", "1e21", "VARCHAR", "1e21"},
      {"DOUBLE", "3", "VARCHAR", "3.0"},
      {"DECIMAL(38,38)", "-0.1", "VARCHAR", "-0.10000000000000000000000000000000000000"},
      {"DATE", "2026-01-02", "VARCHAR", "2026-01-02"},
      {"TIME", "12:34:56.5", "VARCHAR", "12:34:56.5"},
      {"TIMESTAMP", "2026-01-02 03:04:05.25", "VARCHAR", "2026-01-02 03:04:05.25"},
      {"UUID", "123e4567-e89b-12d3-a456-426614174000", "VARCHAR", "123e4567-e89b-12d3-a456-426614174000"},
      {"INT", NULL, "VARCHAR", NULL},
      {"INT", "12345", "VARCHAR(3)", "123"},
      {"INT", "12", "CHAR(5)", "12   "},
      {"BIGINT", "9223372036854775807", "CHAR(25)", "9223372036854775807      "},
      {"VARCHAR", "abcdef", "VARCHAR(3)", "abc"},
      {"VARCHAR", EURO EURO EURO, "VARCHAR(2)", EURO EURO},
      {"VARCHAR(2)", "ab", "VARCHAR(5)", "ab"},
      {"VARCHAR", "ab", "CHAR(4)", "ab  "},
      {"VARCHAR", "abcdef", "CHAR(4)", "abcd"},
      {"VARCHAR", EURO, "CHAR(3)", EURO "  "},
      {"CHAR(4)", "ab", "VARCHAR", "ab  "},
      {"CHAR(2)", "ab", "CHAR(4)", "ab  "},
      {"CHAR(4)", "ab", "CHAR(4)", "ab  "},
      {"VARCHAR", "", "CHAR(2)", "  "},
      {"VARCHAR", "ab" EURO, "VARBINARY", "ab" EURO},
      {"VARCHAR", EURO, "VARBINARY(2)", "\xE2\x82"},
      {"VARBINARY", EURO, "VARCHAR", EURO},
      {"VARBINARY", "\xE2\x82", "VARCHAR", "!cannot cast 2 bytes to VARCHAR: not valid UTF-8"},
      {"VARBINARY", "abc", "BINARY(2)", "ab"},
      {"DATE", "2026-01-02", "TIMESTAMP", "2026-01-02 00:00:00"},
      {"TIMESTAMP", "1969-12-31 23:59:59", "DATE", "1969-12-31"},
      {"TIMESTAMP", "1969-12-31 23:59:59.5", "TIME", "23:59:59.5"},
      {"TIMESTAMP", NULL, "DATE", NULL},
      {"TIMESTAMP", "2026-01-02 03:04:05", "TIMESTAMP", "2026-01-02 03:04:05"},
      {"NULL", NULL, "INT", NULL},
      {"NULL", NULL, "VARCHAR", NULL},
      {"NULL", NULL, "DECIMAL(5,2)", NULL},
      {"VARBINARY", "0123456789abcdef", "UUID", "30313233-3435-3637-3839-616263646566"},
      {"VARBINARY", "01", "UUID", "!not 16 bytes"},
      {"UUID", "30313233-3435-3637-3839-616263646566", "VARBINARY", "0123456789abcdef"},
      {"INT!", "5", "BIGINT!", "5"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    hw_type from = type_of(cases[i].from), to = type_of(cases[i].to);
    REQUIRE_MSG(expr_can_cast(&from, &to), "%s to %s", cases[i].from, cases[i].to);
    op_case c = {EXPR_CAST, cases[i].to, {{cases[i].from, cases[i].text}}, cases[i].expected};
    if (from.id == HW_TYPE_NULL) continue;
    run_case(&c);
  }
  static const char *const refused[][2] = {
      {"DATE", "INT"},      {"INT", "DATE"},       {"BOOLEAN", "TIMESTAMP"}, {"UUID", "INT"},
      {"VARBINARY", "INT"}, {"TIME", "TIMESTAMP"}, {"INT", "VARBINARY"},     {"DATE", "TIME"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    hw_type from = type_of(refused[i][0]), to = type_of(refused[i][1]);
    ck_assert(!expr_can_cast(&from, &to));
  }
}
END_TEST

START_TEST(null_literals_cast) {
  for (int id = HW_TYPE_BOOLEAN; id < HW_TYPE_COUNT; id++) {
    expr *e = node_new(EXPR_CAST,
                       (hw_type){.id = (uint8_t)id, .nullable = true, .precision = id == HW_TYPE_DECIMAL ? 5 : 0}, 1);
    e->args[0] = literal("NULL", NULL);
    hw_value v;
    void *keep;
    hw_error err;
    ck_assert_int_eq(expr_constant(e, &v, &keep, &err), HW_OK);
    ck_assert(v.is_null);
    free(keep);
  }
}
END_TEST

/* Every pair of numbers: the vector code against one value at a time through text. */
START_TEST(integer_casts_agree) {
  static const char *const values[] = {"0",          "1",          "127",        "128",        "255",
                                       "256",        "32767",      "32768",      "65535",      "65536",
                                       "2147483647", "2147483648", "4294967295", "4294967296", "9223372036854775807"};
  for (size_t from = 0; from < 8; from++)
    for (size_t to = 0; to < 8; to++)
      for (size_t i = 0; i < 2 * sizeof values / sizeof *values; i++) {
        char text[32], expected[64];
        snprintf(text, sizeof text, "%s%s", i & 1 ? "-" : "", values[i / 2]);
        hw_type from_type = type_of(integers[from].type), to_type = type_of(integers[to].type);
        _Alignas(16) char slot[16];
        if (hw_value_parse(&from_type, text, strlen(text), slot) != HW_OK) continue;
        bool fits = hw_value_parse(&to_type, text, strlen(text), slot) == HW_OK;
        snprintf(expected, sizeof expected, "%s", fits ? (strcmp(text, "-0") == 0 ? "0" : text) : "!out of range");
        op_case c = {EXPR_CAST, integers[to].type, {{integers[from].type, text}}, expected};
        run_case(&c);
      }
}
END_TEST

/* ---- EXTRACT
 * --------------------------------------------------------------------------------------------------------------- */

START_TEST(extraction) {
  static const struct {
    const char *type, *text;
    expr_unit unit;
    const char *expected;
  } cases[] = {
      {"DATE", "2026-01-02", EXPR_UNIT_YEAR, "2026"},
      {"DATE", "2026-01-02", EXPR_UNIT_MONTH, "1"},
      {"DATE", "2026-01-02", EXPR_UNIT_DAY, "2"},
      {"DATE", "2000-12-31", EXPR_UNIT_MILLENNIUM, "2"},
      {"DATE", "2001-01-01", EXPR_UNIT_MILLENNIUM, "3"},
      {"DATE", "2000-12-31", EXPR_UNIT_CENTURY, "20"},
      {"DATE", "2001-01-01", EXPR_UNIT_CENTURY, "21"},
      {"DATE", "1999-12-31", EXPR_UNIT_DECADE, "199"},
      {"DATE", "2026-05-06", EXPR_UNIT_QUARTER, "2"},
      {"DATE", "2026-12-31", EXPR_UNIT_QUARTER, "4"},
      {"DATE", "2024-12-31", EXPR_UNIT_DOY, "366"},
      {"DATE", "2026-01-01", EXPR_UNIT_DOY, "1"},
      {"DATE", "2026-11-22", EXPR_UNIT_DOW, "1"},
      {"DATE", "2026-11-28", EXPR_UNIT_DOW, "7"},
      {"DATE", "2026-11-22", EXPR_UNIT_ISODOW, "7"},
      {"DATE", "2026-11-23", EXPR_UNIT_ISODOW, "1"},
      {"DATE", "2027-01-01", EXPR_UNIT_WEEK, "53"},
      {"DATE", "2027-01-01", EXPR_UNIT_ISOYEAR, "2026"},
      {"DATE", "2024-12-30", EXPR_UNIT_WEEK, "1"},
      {"DATE", "2024-12-30", EXPR_UNIT_ISOYEAR, "2025"},
      {"DATE", "0001-01-01", EXPR_UNIT_WEEK, "1"},
      {"DATE", "1969-12-31", EXPR_UNIT_EPOCH, "-86400"},
      {"DATE", "2026-01-02", EXPR_UNIT_HOUR, "0"},
      {"TIMESTAMP", "2026-01-02 03:04:05.678901", EXPR_UNIT_HOUR, "3"},
      {"TIMESTAMP", "2026-01-02 03:04:05.678901", EXPR_UNIT_MINUTE, "4"},
      {"TIMESTAMP", "2026-01-02 03:04:05.678901", EXPR_UNIT_SECOND, "5"},
      {"TIMESTAMP", "2026-01-02 03:04:05.678901", EXPR_UNIT_MILLISECOND, "5678"},
      {"TIMESTAMP", "2026-01-02 03:04:05.678901", EXPR_UNIT_MICROSECOND, "5678901"},
      {"TIMESTAMP", "2026-01-02 03:04:05.678901", EXPR_UNIT_NANOSECOND, "5678901000"},
      {"TIMESTAMP", "1969-12-31 23:59:59.5", EXPR_UNIT_EPOCH, "-1"},
      {"TIMESTAMP", "1969-12-31 23:59:59.5", EXPR_UNIT_SECOND, "59"},
      {"TIMESTAMP", "1969-12-31 23:59:59.5", EXPR_UNIT_DAY, "31"},
      {"TIMESTAMP", "2026-01-02 03:04:05", EXPR_UNIT_DOW, "6"},
      {"TIME", "23:59:58.123456789", EXPR_UNIT_HOUR, "23"},
      {"TIME", "23:59:58.123456789", EXPR_UNIT_NANOSECOND, "58123456789"},
      {"TIME", "01:00:01", EXPR_UNIT_EPOCH, "3601"},
      {"TIMESTAMP", NULL, EXPR_UNIT_DAY, NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *types[] = {cases[i].type};
    hw_batch *b = batch_of_types(types, 1, 70);
    for (uint32_t row = 0; row < 70; row++) set_cell(b, 0, row, cases[i].text);
    expr *e = tree1(EXPR_EXTRACT, "BIGINT", column(0, cases[i].type));
    e->index = cases[i].unit;
    evaluator *ev = evaluator_new(e, NULL);
    hw_column out;
    eval_error err;
    ck_assert_int_eq(evaluator_run(ev, b, NULL, 70, NULL, &out, &err), HW_OK);
    hw_type t = type_of("BIGINT");
    const char *text = text_at(&t, &out, 69);
    if (cases[i].expected)
      REQUIRE_MSG(text && strcmp(text, cases[i].expected) == 0, "%s unit %d: %s", cases[i].text, cases[i].unit, text);
    else
      ck_assert_ptr_null(text);
    evaluator_free(ev);
    hw_batch_unref(b);
  }
}
END_TEST

static Suite *expr_suite(void) {
  Suite *s = suite_create("expr");
  TCase *t = tcase_create("all");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, integer_arithmetic);
  tcase_add_test(t, other_arithmetic);
  tcase_add_test(t, rounding);
  tcase_add_test(t, comparisons);
  tcase_add_test(t, truth_tables);
  tcase_add_test(t, logic_in_mixed_words);
  tcase_add_test(t, strings);
  tcase_add_test(t, like);
  tcase_add_test(t, branches);
  tcase_add_test(t, casts);
  tcase_add_test(t, null_literals_cast);
  tcase_add_test(t, integer_casts_agree);
  tcase_add_test(t, extraction);
  suite_add_tcase(s, t);
  return s;
}

int main(void) {
  SRunner *runner = srunner_create(expr_suite());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
