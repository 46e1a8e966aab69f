/* Ad-hoc queries without a pipeline: types of columns, rows, places of faults,
 * and what a budget that is too small does. */
#include "runtime/query_exec.h"
#include "sql/query.h"
#include "tests/sql_fixture.h"

#include <headworks/value.h>

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static program *p;
static mem memory;

static void setup(void) {
  sql_register();
  p = sql_compile_good("CREATE TABLE t (i INT NOT NULL PRIMARY KEY, u INT UNSIGNED, d DECIMAL(10, 2), f REAL, "
                       "s VARCHAR(5), c CHAR(3), day DATE DEFAULT '2020-01-31');\n"
                       "CREATE TABLE bare (x INT);\n"
                       "CREATE VIEW v AS SELECT i FROM t;");
  ck_assert_int_eq(mem_init(&memory, 64u << 20), HW_OK);
}

static void teardown(void) {
  ck_assert_uint_eq(atomic_load(&memory.used), 0);
  mem_fini(&memory);
  program_unref(p);
}

static query *compile(const char *sql) {
  program_messages ms = {0};
  query *q = query_compile(p, sql, strlen(sql), &ms);
  ck_assert_msg(q != NULL, "%s: %s", sql, ms.n ? ms.items[0].message : "?");
  program_messages_fini(&ms);
  return q;
}

/* ---- types ------------------------------------------------------------------ */

static const struct {
  const char *sql, *columns;
} types[] = {
    {"SELECT * FROM t", "i INT, u INT UNSIGNED?, d DECIMAL(10,2)?, f REAL?, s VARCHAR(5)?, c CHAR(3)?, day DATE?"},
    {"SELECT COUNT(*), COUNT(DISTINCT s), SUM(i), SUM(u), SUM(d), SUM(f) FROM t",
     "count(*) BIGINT, count(distinct s) BIGINT, sum(i) BIGINT?, sum(u) BIGINT UNSIGNED?, sum(d) DECIMAL(20,2)?, "
     "sum(f) DOUBLE?"},
    {"SELECT AVG(i), AVG(d), AVG(f), MIN(s), MAX(c), MIN(day) FROM t",
     "avg(i) DOUBLE?, avg(d) DECIMAL(14,6)?, avg(f) DOUBLE?, min(s) VARCHAR(5)?, max(c) CHAR(3)?, min(day) DATE?"},
    {"SELECT i + 1 AS \"A b\", NULL, 'x' y FROM t", "A b INT, null VARCHAR?, y VARCHAR"},
    {"SELECT i FROM t UNION ALL SELECT d FROM t", "i DECIMAL(12,2)?"},
    {"SELECT day FROM t ORDER BY i * 2, u LIMIT 5", "day DATE?"},
    {"SELECT x.n FROM (SELECT COUNT(*) AS n FROM t GROUP BY i) x WHERE n > 1", "n BIGINT"},
};

START_TEST(column_types) {
  query *q = compile(types[_i].sql);
  const hw_schema *s = &q->statements[0].plan->schema;
  char got[1024] = "", type[64];
  for (uint32_t i = 0; i < s->n_fields; i++) {
    sql_type_text(&s->fields[i].type, type, sizeof type);
    snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s %s", i ? ", " : "", s->fields[i].name, type);
  }
  ck_assert_str_eq(got, types[_i].columns);
  query_free(q);
}
END_TEST

/* ---- faults ------------------------------------------------------------------- */

static const struct {
  const char *sql, *message; /* message: what it begins with, after the place */
} faults[] = {
    {"SELECT", "1:7 the query ends here, expected an expression"},
    {"UPDATE t SET i = 1", "1:1 unexpected \"UPDATE\": a query is made of SELECT and INSERT statements"},
    {"CREATE TABLE x (a INT)", "1:1 unexpected \"CREATE\": a query is made of"},
    {"SELECT 1\nFROM nowhere", "2:6 there is no table or view \"nowhere\" (there is: t, bare, v)"},
    {"SELECT x FROM bare", "1:15 Tried to SELECT from a non-materialized source. Make sure `bare` is"},
    {"SELECT i FROM v", "1:15 Tried to SELECT from a non-materialized source. Make sure `v` is"},
    {"SELECT s, COUNT(*) FROM t", "1:8 column \"s\" must be in GROUP BY or inside of an aggregate function"},
    {"SELECT SUM(COUNT(*)) FROM t", "1:12 count cannot stand in the argument of an aggregate function"},
    {"SELECT COUNT(i, u) FROM t", "1:8 count takes one argument, or *, found more"},
    {"SELECT SUM(*) FROM t", "1:8 sum takes one argument, found *"},
    {"SELECT AVG(s) FROM t", "1:12 avg needs a number, found VARCHAR(5)"},
    {"SELECT * FROM t GROUP BY i", "1:8 * cannot stand in a query with GROUP BY"},
    {"SELECT *", "1:8 * needs a FROM"},
    {"SELECT i FROM t WHERE s", "1:23 WHERE needs a BOOLEAN, found VARCHAR(5)"},
    {"SELECT i FROM t LIMIT 1.5", "1:23 LIMIT is a whole number of rows, found 1.5"},
    {"SELECT i FROM t ORDER BY 3", "1:26 ORDER BY 3: there are columns 1 to 1"},
    {"SELECT i, u FROM t UNION ALL SELECT i FROM t", "1:30 this SELECT of the UNION ALL has 1 columns, the"},
    {"SELECT i FROM t UNION SELECT i FROM t", "1:17 not supported yet: UNION without ALL"},
    {"SELECT i FROM t JOIN bare", "1:17 not supported yet: joins"},
    {"SELECT i FROM (SELECT i, u AS i FROM t)", "1:16 two columns of this query are named \"i\""},
    {"INSERT INTO t (i, nope) VALUES (1, 2)", "1:19 unknown column \"nope\" in \"t\""},
    {"INSERT INTO t (i, i) VALUES (1, 2)", "1:19 column \"i\" is named twice"},
    {"INSERT INTO t (u) VALUES (1)", "1:13 column \"i\" of \"t\" is NOT NULL and has no default"},
    {"INSERT INTO t (i, s) VALUES (1, 'abcdef')", "1:33 this value has a length of 6: too long for VARCHAR(5)"},
    {"INSERT INTO t (i) VALUES (NULL)", "1:27 column \"i\" is NOT NULL, so NULL cannot be its value"},
    {"INSERT INTO t (i) VALUES (1.5)", "1:27 this value is not a whole number"},
    {"INSERT INTO t (i) SELECT s FROM t", "1:1 column \"i\" is INT, this value is VARCHAR(5)"},
};

START_TEST(places_of_faults) {
  program_messages ms = {0};
  char got[1400];
  ck_assert_ptr_null(query_compile(p, faults[_i].sql, strlen(faults[_i].sql), &ms));
  ck_assert_uint_ge(ms.n, 1);
  snprintf(got, sizeof got, "%d:%d %s", ms.items[0].line, ms.items[0].column, ms.items[0].message);
  ck_assert_msg(strncmp(got, faults[_i].message, strlen(faults[_i].message)) == 0, "%s: %s", faults[_i].sql, got);
  program_messages_fini(&ms);
}
END_TEST

/* ---- rows ------------------------------------------------------------------------ */

#define PAIRS "(SELECT 1 a, 'x' b UNION ALL SELECT 2, NULL UNION ALL SELECT NULL, 'x' UNION ALL SELECT 2, 'y') p"

static const struct {
  const char *sql, *rows; /* values with blanks between them, rows with commas; or "! " and why not */
} results[] = {
    {"SELECT 1, 'a' || 'b', NULL, TRUE", "1 ab - true"},
    {"SELECT 1 WHERE FALSE", ""},
    {"SELECT COUNT(*) WHERE NULL", "0"},
    {"SELECT a FROM " PAIRS " WHERE NOT (a = 2 AND b = 'y') ORDER BY a", "1,-"}, /* NULL AND FALSE is FALSE */
    {"SELECT a, b FROM " PAIRS " ORDER BY a DESC NULLS LAST, b NULLS FIRST", "2 -,2 y,1 x,- x"},
    {"SELECT b, COUNT(*), SUM(a) FROM " PAIRS " GROUP BY b ORDER BY b", "x 2 1,y 1 2,- 1 2"},
    {"SELECT a * 10, COUNT(b) FROM " PAIRS " GROUP BY a * 10 HAVING COUNT(*) > 1", "20 1"},
    {"SELECT a k, MAX(b) FROM " PAIRS " GROUP BY k ORDER BY 2 DESC NULLS LAST, k", "2 y,1 x,- x"},
    {"SELECT DISTINCT a FROM " PAIRS " ORDER BY a NULLS FIRST LIMIT 2", "-,1"},
    {"SELECT a FROM " PAIRS " ORDER BY a OFFSET 3", "-"},
    {"SELECT a FROM " PAIRS " ORDER BY a LIMIT 0", ""},
    {"SELECT COUNT(DISTINCT a), COUNT(a), COUNT(*) FROM " PAIRS, "2 3 4"},
    {"SELECT MIN(x), MAX(x) FROM (SELECT CAST('NaN' AS DOUBLE) x UNION ALL SELECT 2 UNION ALL SELECT -1) y",
     "-1.0 NaN"},
    {"SELECT AVG(x) FROM (SELECT 1.00 x UNION ALL SELECT 2.00 UNION ALL SELECT 2.00) y", "1.666667"},
    {"SELECT AVG(x) FROM (SELECT -1.00 x UNION ALL SELECT -2.00 UNION ALL SELECT -2.00) y", "-1.666667"},
    {"SELECT SUM(x) FROM (SELECT 127::TINYINT x UNION ALL SELECT 127::TINYINT) y", "254"},
    {"SELECT SUM(x) FROM (SELECT CAST(18446744073709551615 AS BIGINT UNSIGNED) x UNION ALL SELECT 1) y",
     "! too large for BIGINT UNSIGNED"},
    {"SELECT SUM(x) FROM (SELECT 99999999999999999999999999999999999999 x UNION ALL SELECT 1) y",
     "! too large for DECIMAL"},
    {"SELECT 1 / (a - 1) FROM " PAIRS, "! division by zero, in `1 / (a - 1)` at line 1, column 8, where a = 1"},
};

static void add_row(char *text, size_t size, const hw_batch *b, uint32_t row) {
  char value[HW_VALUE_TEXT_MAX + 1];
  if (*text) strncat(text, ",", size - strlen(text) - 1);
  for (uint32_t i = 0; i < b->n_columns; i++) {
    const hw_type *type = &b->schema->fields[i].type;
    const char *slot = (const char *)b->columns[i].values + row * hw_type_width((hw_type_id)type->id);
    const hw_str *s = (const hw_str *)(const void *)slot;
    bool valid = hw_column_valid(&b->columns[i], row), string = hw_type_is_string((hw_type_id)type->id);
    if (!valid) snprintf(value, sizeof value, "-");
    else if (string) snprintf(value, sizeof value, "%.*s", (int)s->len, s->data);
    else value[hw_value_format(type, slot, value)] = '\0';
    snprintf(text + strlen(text), size - strlen(text), "%s%s", i ? " " : "", value);
  }
}

static void run(const query *q, mem *m, char *text, size_t size) {
  query_exec *x = query_exec_new(q->statements[0].plan, NULL, m);
  hw_error err = {0};
  batch *b;
  query_next next;
  *text = '\0';
  ck_assert_ptr_nonnull(x);
  while ((next = query_exec_next(x, &b, &err)) != QUERY_END && next != QUERY_FAILED) {
    if (next != QUERY_ROWS) continue;
    for (uint32_t i = 0; i < hw_batch_count(&b->pub); i++) add_row(text, size, &b->pub, hw_batch_row(&b->pub, i));
    hw_batch_unref(&b->pub);
  }
  if (next == QUERY_FAILED) snprintf(text, size, "! %s", err.message);
  query_exec_free(x);
}

START_TEST(rows) {
  query *q = compile(results[_i].sql);
  char got[2048];
  const char *wanted = results[_i].rows;
  run(q, &memory, got, sizeof got);
  if (*wanted == '!') ck_assert_msg(strstr(got, wanted + 2), "%s: %s", results[_i].sql, got);
  else ck_assert_msg(strcmp(got, wanted) == 0, "%s: %s", results[_i].sql, got);
  query_free(q);
}
END_TEST

/* With ever more memory: it fails and says so, or gives the same rows; nothing is left behind. */
START_TEST(little_memory) {
  query *q = compile("SELECT b, COUNT(DISTINCT a), MIN(b) FROM " PAIRS " GROUP BY b ORDER BY b DESC");
  char got[2048];
  unsigned failed = 0, limit = 4096;
  for (; limit < 8u << 20; limit += 16384) {
    mem little;
    ck_assert_int_eq(mem_init(&little, limit), HW_OK);
    run(q, &little, got, sizeof got);
    bool refused = *got == '!';
    ck_assert_msg(refused || strcmp(got, "- 1 -,y 1 y,x 1 x") == 0, "%s", got);
    if (refused) ck_assert_ptr_nonnull(strstr(got, "memory"));
    failed += refused;
    ck_assert_uint_eq(atomic_load(&little.used), 0);
    mem_fini(&little);
    if (!refused) break;
  }
  ck_assert_uint_gt(failed, 3);
  ck_assert_uint_lt(limit, 8u << 20);
  query_free(q);
}
END_TEST

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

int main(void) {
  Suite *s = suite_create("query");
  TCase *t = tcase_create("query");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(t, column_types, 0, COUNT(types));
  tcase_add_loop_test(t, places_of_faults, 0, COUNT(faults));
  tcase_add_loop_test(t, rows, 0, COUNT(results));
  tcase_add_test(t, little_memory);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_ENV);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
