/* The SQL front end on bad programs: every fault, with its place to the column. */
#include "sql/refusal.h"
#include "tests/sql_fixture.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* program, messages */
static const struct {
  const char *text, *messages;
} faults[] = {
    /* statements */
    {"CREATE TABEL t (a INT);\n",
     "1:8-1:12 Error parsing SQL: unexpected \"TABEL\", expected TABLE, LOCAL, MATERIALIZED or VIEW\n"},
    {"CREATE TABLE t (a INT)\n"
     "CREATE TABLE u (a INT);\n"
     "CREATE VIEW v AS SELECT b FROM u\n",
     "2:1-2:6 Error parsing SQL: a ';' is missing before this CREATE\n"
     "3:25-3:25 Compilation error: unknown column \"b\" in \"u\"\n"},
    {"CREATE TABLE t (a INT);\n"
     "CREATE VIEW v AS SELECT a FROM t WHERE a = \"one\";\n",
     "2:44-2:48 Compilation error: unknown column \"one\" in \"t\" (text stands in 'single quotes')\n"},
    {"DROP TABLE t;\n"
     ";;\n"
     "SELECT 1;\n",
     "1:1-1:4 Error parsing SQL: unexpected \"DROP\": a program is made of CREATE TABLE and CREATE VIEW statements\n"
     "3:1-3:6 Error parsing SQL: unexpected \"SELECT\": a program is made of CREATE TABLE and CREATE VIEW "
     "statements\n"},
    {"CREATE TABLE t (a INT);;; CREATE VIEW v AS SELECT a FROM t WHERE;\n"
     "CREATE VIEW w AS SELECT b FROM t;\n",
     "1:65-1:65 Error parsing SQL: unexpected \";\", expected an expression\n"
     "2:25-2:25 Compilation error: unknown column \"b\" in \"t\"\n"},
    {"CREATE TABLE t (a INT,);\n"
     "CREATE TABLE u ();\n"
     "CREATE TABLE w (PRIMARY KEY (a));\n"
     "CREATE TABLE x (a INT NOT);\n",
     "1:23-1:23 Error parsing SQL: unexpected \")\", expected a name or PRIMARY KEY\n"
     "2:17-2:17 Error parsing SQL: unexpected \")\", expected a name or PRIMARY KEY\n"
     "3:14-3:14 Compilation error: table \"w\" has no columns\n"
     "4:26-4:26 Error parsing SQL: unexpected \")\", expected NULL\n"},
    {"CREATE VIEW v AS SELECT a b c FROM t;\n"
     "CREATE VIEW w AS SELECT FROM t;\n"
     "CREATE VIEW x AS SELECT a;\n",
     "1:29-1:29 Error parsing SQL: unexpected \"c\", expected FROM or ','\n"
     "2:25-2:28 Error parsing SQL: unexpected \"FROM\", expected an expression\n"
     "3:26-3:26 Error parsing SQL: unexpected \";\", expected a name, an operator, AS, FROM or ','\n"},
    {"CREATE TABLE broken (a INT b INT);\n"
     "CREATE VIEW v AS SELECT anything FROM broken;\n"
     "CREATE VIEW w AS SELECT * FROM v;\n",
     "1:28-1:28 Error parsing SQL: unexpected \"b\", expected DEFAULT, NOT, NULL, PRIMARY KEY, '(', ')' or ','\n"},
    {"CREATE VIEW v AS SELECT (a FROM t;\n",
     "1:28-1:31 Error parsing SQL: unexpected \"FROM\", expected an operator or ')'\n"},
    {"CREATE TABLE t (a INT\n",
     "1:22-1:22 Error parsing SQL: the program ends here, expected DEFAULT, NOT, NULL, PRIMARY KEY, '(', ')' or ','\n"},
    {"CREATE TABLE t (a INT) WITH (materialized = 'true');\n"
     "CREATE TABLE u (a INT) WITH ('materialized' 'true');\n",
     "1:30-1:41 Error parsing SQL: unexpected \"materialized\", expected a string in single quotes\n"
     "2:45-2:50 Error parsing SQL: unexpected \"'true'\", expected '='\n"},
    {"CREATE OR REPLACE VIEW v AS SELECT 1;\n",
     "1:8-1:9 Error parsing SQL: unexpected \"OR\", expected TABLE, LOCAL, MATERIALIZED or VIEW\n"},
    /* not there yet */
    {"CREATE TABLE t (a INT, b INT);\n"
     "CREATE VIEW v1 AS SELECT a FROM t JOIN t AS u ON t.a = u.a;\n"
     "CREATE VIEW v2 AS SELECT a FROM t LEFT JOIN t ON TRUE;\n"
     "CREATE VIEW v3 AS SELECT a FROM t, t;\n"
     "CREATE VIEW v4 AS SELECT a FROM t GROUP BY a;\n"
     "CREATE VIEW v5 AS SELECT DISTINCT a FROM t;\n"
     "CREATE VIEW v6 AS SELECT a FROM t ORDER BY a;\n"
     "CREATE VIEW v7 AS SELECT a FROM t LIMIT 5;\n"
     "CREATE VIEW v8 AS SELECT a FROM (SELECT a FROM t);\n"
     "CREATE VIEW v9 AS SELECT a FROM t WHERE a IN (SELECT a FROM t);\n"
     "CREATE VIEW w1 AS SELECT a FROM t UNION SELECT a FROM t;\n"
     "CREATE VIEW w2 AS SELECT a FROM t EXCEPT SELECT a FROM t;\n"
     "CREATE VIEW w3 AS SELECT COUNT(*), SUM(a) AS s, MAX(DISTINCT b) AS m FROM t;\n"
     "CREATE VIEW w4 AS SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t;\n"
     "CREATE VIEW w5 AS WITH x AS (SELECT a FROM t) SELECT a FROM x;\n"
     "CREATE VIEW w6 AS VALUES (1);\n"
     "CREATE VIEW w7 AS SELECT FLOOR(a TO DAY) FROM t;\n"
     "CREATE VIEW w8 AS SELECT a ILIKE 'x' FROM t;\n"
     "CREATE VIEW w9 AS SELECT a FROM TABLE(TUMBLE(TABLE t));\n"
     "CREATE VIEW x1 AS SELECT INTERVAL '1' DAY FROM t;\n"
     "CREATE VIEW x2 AS SELECT NOW() FROM t;\n",
     "2:35-2:38 Compilation error: not supported yet: joins (JOIN)\n"
     "3:35-3:38 Compilation error: not supported yet: joins (LEFT JOIN)\n"
     "4:34-4:34 Compilation error: not supported yet: joins (several relations in FROM)\n"
     "5:35-5:39 Compilation error: not supported yet: GROUP BY\n"
     "6:26-6:33 Compilation error: not supported yet: DISTINCT\n"
     "7:35-7:39 Compilation error: not supported yet: ORDER BY\n"
     "8:35-8:39 Compilation error: not supported yet: LIMIT\n"
     "9:33-9:33 Compilation error: not supported yet: subqueries\n"
     "10:47-10:52 Compilation error: not supported yet: subqueries\n"
     "11:35-11:39 Compilation error: not supported yet: UNION without ALL; UNION ALL keeps every row\n"
     "12:35-12:40 Compilation error: not supported yet: EXCEPT\n"
     "13:26-13:30 Compilation error: not supported yet: aggregate functions (count)\n"
     "13:36-13:38 Compilation error: not supported yet: aggregate functions (sum)\n"
     "13:49-13:51 Compilation error: not supported yet: aggregate functions (max)\n"
     "14:39-14:42 Compilation error: not supported yet: window functions (OVER)\n"
     "15:19-15:22 Compilation error: not supported yet: common table expressions (WITH name AS)\n"
     "16:19-16:24 Compilation error: not supported yet: VALUES\n"
     "17:34-17:35 Compilation error: not supported yet: rounding to a unit (FLOOR(x TO unit))\n"
     "18:34-18:36 Compilation error: not supported yet: ILIKE\n"
     "19:33-19:37 Compilation error: not supported yet: table functions (TABLE(...))\n"
     "20:26-20:33 Compilation error: not supported yet: the type INTERVAL\n"
     "21:26-21:28 Compilation error: not supported yet: the current time (now)\n"},
    {"CREATE FUNCTION f(x INT) RETURNS INT;\n"
     "CREATE TYPE x AS INT;\n"
     "CREATE INDEX i ON t(a);\n"
     "DECLARE RECURSIVE VIEW v(a INT);\n"
     "CREATE TABLE a (x INT ARRAY);\n"
     "CREATE TABLE b (x MAP<INT, INT>);\n"
     "CREATE TABLE c (x ROW(y INT));\n"
     "CREATE TABLE d (x VARIANT, y INTERVAL);\n"
     "CREATE TABLE e (x INT LATENESS 5);\n"
     "CREATE TABLE f (x INT, FOREIGN KEY (x) REFERENCES t (x));\n"
     "CREATE TABLE g (x INT CHECK (x > 0));\n"
     "CREATE TABLE h (x TIMESTAMP WITH TIME ZONE);\n",
     "1:8-1:15 Compilation error: not supported yet: CREATE FUNCTION\n"
     "2:8-2:11 Compilation error: not supported yet: CREATE TYPE\n"
     "3:8-3:12 Compilation error: not supported yet: CREATE INDEX\n"
     "4:1-4:7 Compilation error: not supported yet: DECLARE RECURSIVE VIEW\n"
     "5:23-5:27 Compilation error: not supported yet: the type ARRAY\n"
     "6:22-6:22 Compilation error: not supported yet: the type MAP\n"
     "7:23-7:23 Compilation error: not supported yet: the type ROW\n"
     "8:19-8:25 Compilation error: not supported yet: the type VARIANT\n"
     "8:30-8:37 Compilation error: not supported yet: the type INTERVAL\n"
     "9:23-9:30 Compilation error: not supported yet: LATENESS\n"
     "10:32-10:34 Compilation error: not supported yet: foreign keys\n"
     "11:23-11:27 Compilation error: not supported yet: CHECK constraints\n"
     "12:29-12:32 Compilation error: not supported yet: time zones in types\n"},
    /* tokens */
    {"CREATE TABLE t (a INT); CREATE VIEW v AS SELECT 12abc, 1 == 2 FROM t;\n",
     "1:49-1:53 Error parsing SQL: \"12abc\" is neither a number nor a name\n"
     "1:58-1:59 Error parsing SQL: unexpected \"==\": equality is written =\n"},
    {"CREATE VIEW v AS SELECT 'abc\n"
     "FROM t;\n",
     "1:25-1:25 Error parsing SQL: this string is not closed: expected '\n"},
    {"CREATE TABLE \"t (a INT);\n",
     "1:14-1:14 Error parsing SQL: this quoted name is not closed: expected \"\n"},
    {"CREATE TABLE \"\" (a INT);\n",
     "1:14-1:15 Error parsing SQL: a name in double quotes must not be empty\n"},
    {"/* not closed\n"
     "CREATE TABLE t (a INT);\n",
     "1:1-1:1 Error parsing SQL: this comment is not closed: expected */\n"},
    {"CREATE TABLE t (a INT); # a comment\n",
     "1:25-1:25 Error parsing SQL: unexpected character \"#\"\n"},
    {"CREATE VIEW v AS SELECT X'0g', X'012', x'00 FROM t;\n",
     "1:25-1:29 Error parsing SQL: X'..' holds hexadecimal digits, found \"g\"\n"
     "1:32-1:37 Error parsing SQL: X'..' needs two hexadecimal digits per byte, found 3 in all\n"
     "1:40-1:40 Error parsing SQL: this string is not closed: expected '\n"},
    {"CREATE TABLE t (a INT DEFAULT ‘5’);\n",
     "1:31-1:31 Error parsing SQL: typographic quote ‘: write ' or \"\n"
     "1:33-1:33 Error parsing SQL: typographic quote ’: write ' or \"\n"},
    {"CREATE TABLE `t` (a INT);\n",
     "1:14-1:14 Error parsing SQL: unexpected \"`\": a name is quoted with \"\n"
     "1:16-1:16 Error parsing SQL: unexpected \"`\": a name is quoted with \"\n"},
    {"CREATE TABLE t (a INT DEFAULT 'é'b INT, c INT);\n",
     "1:34-1:34 Error parsing SQL: unexpected \"b\", expected an operator, DEFAULT, NULL, PRIMARY KEY, ')' or ','\n"},
    {"CREATE TABLE t (a VARCHAR) WITH ('a' = 'x\n"
     "y' 'b' = 'c');\n",
     "2:4-2:6 Error parsing SQL: unexpected \"'b'\", expected ')' or ','\n"},
    /* tables */
    {"CREATE TABLE t (a INTEGR, b INT(5), c VARCHAR(0), d DECIMAL(39), e DECIMAL(5, 6), f DOUBLE UNSIGNED, g "
     "CHAR(3, 2), h VARCHAR(99999999999), i REAL PRECISION, j UNSIGNED DATE);\n",
     "1:19-1:24 Compilation error: unknown type \"integr\"; did you mean \"integer\"?\n"
     "1:33-1:33 Compilation error: INT takes no number in parentheses\n"
     "1:47-1:47 Compilation error: length must be a whole number from 1 to 2147483647, found 0\n"
     "1:61-1:62 Compilation error: precision must be a whole number from 1 to 38, found 39\n"
     "1:79-1:79 Compilation error: scale must be a whole number from 0 to 5, found 6\n"
     "1:85-1:99 Compilation error: UNSIGNED goes with integer types, not with DOUBLE\n"
     "1:112-1:112 Compilation error: CHAR takes one number, its length\n"
     "1:126-1:136 Compilation error: length must be a whole number from 1 to 2147483647, found 99999999999\n"
     "1:142-1:155 Compilation error: unknown type \"real precision\"; did you mean \"real\"?\n"
     "1:160-1:172 Compilation error: UNSIGNED goes with integer types, not with DATE\n"},
    {"CREATE TABLE t (a INT, b INT, A VARCHAR, \"A\" INT, \"a\" INT);\n",
     "1:31-1:31 Compilation error: there is a column \"a\" already\n"
     "1:51-1:53 Compilation error: there is a column \"a\" already\n"},
    {"CREATE TABLE t (a INT PRIMARY KEY, b INT PRIMARY KEY);\n"
     "CREATE TABLE u (a INT PRIMARY KEY, b INT, PRIMARY KEY (b));\n"
     "CREATE TABLE v (aa INT, b INT, PRIMARY KEY (ab, b, b));\n"
     "CREATE TABLE w (a INT NULL PRIMARY KEY, b INT NULL NOT NULL, PRIMARY KEY (b));\n"
     "CREATE TABLE x (a INT NULL, PRIMARY KEY (a), PRIMARY KEY (a));\n",
     "1:42-1:52 Compilation error: a table has one primary key: use PRIMARY KEY (a, b)\n"
     "2:43-2:49 Compilation error: a table has one primary key\n"
     "3:45-3:46 Compilation error: the primary key names an unknown column \"ab\"; did you mean \"aa\"?\n"
     "3:52-3:52 Compilation error: column \"b\" is in the primary key already\n"
     "4:28-4:38 Compilation error: column \"a\" is NULL, so it cannot be in the primary key\n"
     "4:41-4:41 Error parsing SQL: column \"b\" is both NULL and NOT NULL\n"
     "4:41-4:41 Compilation error: column \"b\" is NULL, so it cannot be in the primary key\n"
     "4:62-4:68 Compilation error: a table has one primary key\n"
     "5:17-5:17 Compilation error: column \"a\" is NULL, so it cannot be in the primary key\n"
     "5:46-5:52 Compilation error: a table has one primary key\n"},
    {"CREATE TABLE t (a INT DEFAULT 'x', b INT NOT NULL DEFAULT NULL, c VARCHAR(2) DEFAULT 'abc', d INT DEFAULT "
     "1/0, e DATE DEFAULT 5, f INT DEFAULT a, g TINYINT DEFAULT 300, h BOOLEAN DEFAULT 1, i DATE DEFAULT "
     "'2020-02-30', j INT DEFAULT 1 DEFAULT 2, k DECIMAL(3, 2) DEFAULT 10, l INT DEFAULT 2.5);\n",
     "1:31-1:33 Compilation error: cannot cast 'x' to INT: not an integer\n"
     "1:59-1:62 Compilation error: column \"b\" is NOT NULL, so NULL cannot be its default\n"
     "1:86-1:90 Compilation error: this default has a length of 3: too long for VARCHAR(2)\n"
     "warning 1:107-1:109 Compilation error: this fails whenever it is evaluated: division by zero\n"
     "1:107-1:109 Compilation error: this default cannot be computed: a constant is wanted\n"
     "1:127-1:127 Compilation error: column \"e\" is DATE, this default is INT\n"
     "1:144-1:144 Compilation error: \"a\": a column cannot stand here, a constant is wanted\n"
     "1:165-1:167 Compilation error: cannot cast 300 to TINYINT: out of range\n"
     "1:188-1:188 Compilation error: column \"h\" is BOOLEAN, this default is INT\n"
     "1:206-1:217 Compilation error: cannot cast '2020-02-30' to DATE: out of range\n"
     "1:236-1:244 Error parsing SQL: a column has one DEFAULT\n"
     "1:271-1:272 Compilation error: cannot cast 10 to DECIMAL(3, 2): out of range\n"
     "1:289-1:291 Compilation error: this default is not a whole number, its column is INT\n"},
    {"CREATE TABLE t (a INT);\n"
     "CREATE TABLE T (b INT);\n"
     "CREATE TABLE \"T\" (c INT);\n"
     "CREATE VIEW t AS SELECT a FROM t;\n",
     "2:14-2:14 Compilation error: there is a table or view \"t\" already\n"
     "4:13-4:13 Compilation error: there is a table or view \"t\" already\n"},
    {"CREATE TABLE Headworks_Dead_Letters (a INT);\n"
     "CREATE TABLE \"Headworks_Dead_Letters\" (a INT);\n"
     "CREATE VIEW \"headworks_dead_letters\" AS SELECT a FROM \"Headworks_Dead_Letters\";\n",
     "1:14-1:35 Compilation error: \"headworks_dead_letters\" is the system relation of records that inputs could not "
     "read: give this table another name\n"
     "3:13-3:36 Compilation error: \"headworks_dead_letters\" is the system relation of records that inputs could not "
     "read: give this view another name\n"
     "3:13-3:36 Compilation error: there is a table or view \"headworks_dead_letters\" already\n"},
    /* views */
    {"CREATE TABLE t (name VARCHAR, amount INT);\n"
     "CREATE VIEW v1 AS SELECT nmae, t.amuont, x.name, T.NAME, \"Name\" FROM t;\n"
     "CREATE VIEW v2 AS SELECT u.name, t.name AS b, v.* FROM t AS u;\n"
     "CREATE VIEW v3 AS SELECT * FROM tt;\n"
     "CREATE VIEW v4 AS SELECT * FROM v5;\n"
     "CREATE VIEW v5 AS SELECT * FROM v5;\n",
     "2:26-2:29 Compilation error: unknown column \"nmae\" in \"t\"; did you mean \"name\"?\n"
     "2:34-2:39 Compilation error: unknown column \"amuont\" in \"t\"; did you mean \"amount\"?\n"
     "2:42-2:42 Compilation error: unknown relation \"x\" here, FROM names \"t\"\n"
     "2:50-2:55 Compilation error: two columns of view \"v1\" are named \"name\": name one with AS\n"
     "2:58-2:63 Compilation error: unknown column \"Name\" in \"t\"; did you mean \"name\"?\n"
     "3:34-3:34 Compilation error: unknown relation \"t\" here, FROM names \"u\"\n"
     "3:47-3:47 Compilation error: unknown relation \"v\" here, FROM names \"u\"\n"
     "4:33-4:34 Compilation error: there is no table or view \"tt\"\n"
     "5:33-5:34 Compilation error: \"v5\" is created further down: it must come before what reads it\n"
     "6:33-6:34 Compilation error: not supported yet: a view that reads itself\n"},
    {"CREATE TABLE t (a INT, b INT, c VARCHAR, d DATE);\n"
     "CREATE VIEW v1 AS SELECT a, b AS a FROM t;\n"
     "CREATE VIEW v2 (x) AS SELECT a, b FROM t;\n"
     "CREATE VIEW v3 (x, X) AS SELECT a, b FROM t;\n"
     "CREATE VIEW v4 AS SELECT a, b FROM t UNION ALL SELECT a FROM t;\n"
     "CREATE VIEW v5 AS SELECT a, c FROM t UNION ALL SELECT d, a FROM t;\n"
     "CREATE VIEW v6 AS SELECT NULL AS n FROM t;\n"
     "CREATE VIEW v7 AS SELECT NULL AS n FROM t UNION ALL SELECT a FROM t;\n"
     "CREATE VIEW v8 AS SELECT *, a FROM t;\n"
     "CREATE VIEW v9 AS SELECT a FROM t WHERE a;\n",
     "2:29-2:29 Compilation error: two columns of view \"v1\" are named \"a\": name one with AS\n"
     "3:13-3:14 Compilation error: view \"v2\" names 1 columns, its query has 2\n"
     "4:20-4:20 Compilation error: two columns of view \"v3\" are named \"x\": name one with AS\n"
     "5:48-5:62 Compilation error: this SELECT of the UNION ALL has 1 columns, the first has 2\n"
     "6:55-6:55 Compilation error: INT and DATE have no common type for column \"a\" of the UNION ALL: CAST one of "
     "them\n"
     "6:58-6:58 Compilation error: VARCHAR and INT have no common type for column \"c\" of the UNION ALL: CAST one "
     "of them\n"
     "7:26-7:29 Compilation error: the type of NULL is not known here: write CAST(NULL AS type)\n"
     "9:29-9:29 Compilation error: two columns of view \"v8\" are named \"a\": name one with AS\n"
     "10:41-10:41 Compilation error: WHERE needs a BOOLEAN, found INT\n"},
    {"CREATE TABLE t (a INTT, b INT);\n"
     "CREATE VIEW v AS SELECT a, b, c FROM t WHERE a > 5 AND b;\n"
     "CREATE VIEW w AS SELECT a, b, c, d FROM v;\n"
     "CREATE VIEW x AS SELECT *, b AS bb FROM t;\n"
     "CREATE VIEW y AS SELECT a, bb, e FROM x;\n",
     "1:19-1:22 Compilation error: unknown type \"intt\"; did you mean \"int\"?\n"
     "2:31-2:31 Compilation error: unknown column \"c\" in \"t\"\n"
     "2:56-2:56 Compilation error: AND needs a BOOLEAN, found INT\n"
     "3:34-3:34 Compilation error: unknown column \"d\" in \"v\"\n"
     "5:32-5:32 Compilation error: unknown column \"e\" in \"x\"\n"},
    /* expressions */
    {"CREATE TABLE t (a INT, s VARCHAR, d DATE, ok BOOLEAN, x VARBINARY, c TIME);\n"
     "CREATE VIEW v1 AS SELECT a + s, d + 1, ok * 2, -s, +d, s + 'x' FROM t;\n"
     "CREATE VIEW v2 AS SELECT a = s, ok = d, x = s, a IN ('x', 5), d BETWEEN 1 AND '2020', a IS DISTINCT FROM d "
     "FROM t;\n"
     "CREATE VIEW v3 AS SELECT NOT a, ok AND s, a OR ok, a IS TRUE, CASE WHEN a THEN 1 END FROM t;\n"
     "CREATE VIEW v4 AS SELECT a LIKE 'x', s LIKE 5, a || 1, x || s FROM t;\n"
     "CREATE VIEW v5 AS SELECT upperr(s), LOWER(a), LOWER(), LOWER(s, s), COALESCE(), ABS(s), IF(a, 1, 2), "
     "LOWER(*), LOWER(DISTINCT s) FROM t;\n"
     "CREATE VIEW v6 AS SELECT SUBSTRING(a FROM 1), SUBSTRING(s FROM 'x'), SUBSTRING(s FROM 1.5), TRIM(a), "
     "SPLIT_PART(s, ',', s), ROUND(a, 1.5), CHAR_LENGTH(x), MOD(a) FROM t;\n"
     "CREATE VIEW v7 AS SELECT EXTRACT(yeer FROM d), EXTRACT(YEAR FROM a), EXTRACT(YEAR FROM c), EXTRACT(EPOCH "
     "FROM c), YEAR(s) FROM t;\n"
     "CREATE VIEW v8 AS SELECT CAST(ok AS DATE), a::UUID, CAST(x AS INT), CAST(a AS INTT), CAST(a AS DECIMAL(0)) "
     "FROM t;\n"
     "CREATE VIEW v9 AS SELECT CASE WHEN ok THEN a ELSE d END, CASE a WHEN 'x' THEN 1 END, COALESCE(a, d), "
     "NULLIF(a, ok) FROM t;\n"
     "CREATE VIEW w1 AS SELECT d = '2020-13-01', DATE '2020-02-30', TIME 'x', UUID 'abc', INT 'five', NOTATYPE 'x' "
     "FROM t;\n"
     "CREATE VIEW w2 AS SELECT 123456789012345678901234567890123456789, 0.000000000000000000000000000000000000001, "
     "1e999 FROM t;\n",
     "2:26-2:30 Compilation error: + needs numbers, found VARCHAR; strings are joined with ||\n"
     "2:33-2:37 Compilation error: + needs numbers, found DATE; not supported yet: arithmetic on dates and times, "
     "intervals\n"
     "2:40-2:45 Compilation error: * needs numbers, found BOOLEAN\n"
     "2:48-2:49 Compilation error: - needs numbers, found VARCHAR\n"
     "2:52-2:53 Compilation error: + needs a number, found DATE\n"
     "2:56-2:62 Compilation error: + needs numbers, found VARCHAR; strings are joined with ||\n"
     "3:26-3:30 Compilation error: INT and VARCHAR have no common type for =: CAST one of them\n"
     "3:33-3:38 Compilation error: BOOLEAN and DATE have no common type for =: CAST one of them\n"
     "3:41-3:45 Compilation error: VARBINARY and VARCHAR have no common type for =: CAST one of them\n"
     "3:54-3:56 Compilation error: cannot cast 'x' to INT: not an integer\n"
     "3:63-3:84 Compilation error: DATE and INT have no common type for >=: CAST one of them\n"
     "3:79-3:84 Compilation error: cannot cast '2020' to DATE: not of the form YYYY-MM-DD\n"
     "3:87-3:106 Compilation error: INT and DATE have no common type for IS DISTINCT FROM: CAST one of them\n"
     "4:30-4:30 Compilation error: NOT needs a BOOLEAN, found INT\n"
     "4:40-4:40 Compilation error: AND needs a BOOLEAN, found VARCHAR\n"
     "4:43-4:43 Compilation error: OR needs a BOOLEAN, found INT\n"
     "4:52-4:52 Compilation error: IS TRUE or IS FALSE needs a BOOLEAN, found INT\n"
     "4:73-4:73 Compilation error: WHEN needs a BOOLEAN, found INT\n"
     "5:26-5:26 Compilation error: LIKE needs text, found INT\n"
     "5:45-5:45 Compilation error: LIKE needs text, found INT\n"
     "5:48-5:48 Compilation error: || needs text, found INT\n"
     "6:26-6:31 Compilation error: unknown function \"upperr\"; did you mean \"upper\"?\n"
     "6:43-6:43 Compilation error: LOWER needs text, found INT\n"
     "6:47-6:53 Compilation error: LOWER takes 1 argument, found 0\n"
     "6:56-6:66 Compilation error: LOWER takes 1 argument, found 2\n"
     "6:69-6:78 Compilation error: COALESCE takes 1 or more arguments, found 0\n"
     "6:85-6:85 Compilation error: ABS needs a number, found VARCHAR\n"
     "6:92-6:92 Compilation error: IF needs a BOOLEAN first, found INT\n"
     "6:102-6:109 Compilation error: LOWER takes neither DISTINCT nor *\n"
     "6:112-6:128 Compilation error: LOWER takes neither DISTINCT nor *\n"
     "7:36-7:36 Compilation error: SUBSTRING needs text, found INT\n"
     "7:64-7:66 Compilation error: SUBSTRING needs an integer, found VARCHAR\n"
     "7:87-7:89 Compilation error: SUBSTRING needs an integer, found DECIMAL(2, 1)\n"
     "7:93-7:99 Compilation error: TRIM needs text, found INT\n"
     "7:121-7:121 Compilation error: SPLIT_PART needs an integer, found VARCHAR\n"
     "7:134-7:136 Compilation error: ROUND needs an integer, found DECIMAL(2, 1)\n"
     "7:152-7:152 Compilation error: CHAR_LENGTH needs text, found VARBINARY\n"
     "7:156-7:161 Compilation error: MOD takes 2 arguments, found 1\n"
     "8:34-8:37 Compilation error: unknown unit \"yeer\"; did you mean \"year\"?\n"
     "8:48-8:67 Compilation error: EXTRACT needs a DATE, TIME or TIMESTAMP, found INT\n"
     "8:70-8:89 Compilation error: a TIME has no year\n"
     "8:115-8:121 Compilation error: EXTRACT needs a DATE, TIME or TIMESTAMP, found VARCHAR\n"
     "9:26-9:41 Compilation error: there is no cast from BOOLEAN to DATE\n"
     "9:44-9:50 Compilation error: there is no cast from INT to UUID\n"
     "9:53-9:66 Compilation error: there is no cast from VARBINARY to INT\n"
     "9:79-9:82 Compilation error: unknown type \"intt\"; did you mean \"int\"?\n"
     "9:104-9:104 Compilation error: precision must be a whole number from 1 to 38, found 0\n"
     "10:26-10:55 Compilation error: INT and DATE have no common type for CASE: CAST one of them\n"
     "10:70-10:72 Compilation error: cannot cast 'x' to INT: not an integer\n"
     "10:86-10:99 Compilation error: INT and DATE have no common type for COALESCE: CAST one of them\n"
     "10:102-10:114 Compilation error: INT and BOOLEAN have no common type for NULLIF: CAST one of them\n"
     "11:30-11:41 Compilation error: cannot cast '2020-13-01' to DATE: out of range\n"
     "11:49-11:60 Compilation error: cannot cast '2020-02-30' to DATE: out of range\n"
     "11:68-11:70 Compilation error: cannot cast 'x' to TIME: not of the form HH:MM:SS\n"
     "11:78-11:82 Compilation error: cannot cast 'abc' to UUID: not 32 hexadecimal digits\n"
     "11:89-11:94 Compilation error: cannot cast 'five' to INT: not an integer\n"
     "11:97-11:104 Compilation error: unknown type \"notatype\"\n"
     "12:26-12:64 Compilation error: this number has more than 38 digits: write it with an exponent for a DOUBLE\n"
     "12:67-12:107 Compilation error: this number has more than 38 digits: write it with an exponent for a DOUBLE\n"
     "12:110-12:114 Compilation error: 1e999 is out of the range of DOUBLE\n"},
    /* properties */
    {"CREATE TABLE t (a INT) WITH ('materialised' = 'true', 'materialized' = 'yes', 'append_only' = 'maybe', "
     "'materialized' = 'true');\n"
     "CREATE VIEW v WITH ('append_only' = 'true') AS SELECT a FROM t;\n"
     "CREATE LOCAL VIEW w WITH ('connectors' = '[]') AS SELECT a FROM t;\n",
     "warning 1:30-1:43 Compilation error: unknown property 'materialised' has no effect; did you mean "
     "\"materialized\"? (known: append_only, connectors, materialized)\n"
     "1:72-1:76 Compilation error: property 'materialized' is 'true' or 'false', found 'yes'\n"
     "1:95-1:101 Compilation error: property 'append_only' is 'true' or 'false', found 'maybe'\n"
     "1:104-1:117 Compilation error: property 'materialized' is given twice\n"
     "2:21-2:33 Compilation error: property 'append_only' belongs to tables, \"v\" is a view\n"
     "3:27-3:38 Compilation error: LOCAL view \"w\" has no output, so no connectors: drop LOCAL, or 'connectors'\n"},
    {"CREATE TABLE t (a INT PRIMARY KEY) WITH ('append_only' = 'true');\n",
     "1:42-1:54 Compilation error: table \"t\" has a PRIMARY KEY, so an insert may replace a row: it cannot be "
     "'append_only'; drop one of the two\n"},
    {"-- places are told in characters\n"
     "CREATE TABLE \"täbel\" (é INT); CREATE VIEW v AS SELECT é, è FROM \"täbel\";\n",
     "2:58-2:58 Compilation error: unknown column \"è\" in \"täbel\"; did you mean \"é\"?\n"},
    {"CREATE VIEW v AS\n"
     "  SELECT a +\n"
     "    b\n"
     "  FROM t;\n",
     "4:8-4:8 Compilation error: there is no table or view \"t\"\n"},
},
  connector_faults[] = {
    /* JSON */
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"name\": \"c1\",]');\n",
     "1:61-1:61 ConnectorGenerationError: connectors of \"t\": not valid JSON: string or '}' expected near ']' "
     "(InvalidPropertyValue)\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '\n"
     "[{\n"
     "  \"name\": \"it''s\",\n"
     "  \"transport\": {\"name\": \"t_gen\" \"config\": {}}\n"
     "}]');\n",
     "4:33-4:40 ConnectorGenerationError: connectors of \"t\": not valid JSON: '}' expected near '\"config\"' "
     "(InvalidPropertyValue)\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '{\"transport\": {}}');\n",
     "1:45-1:63 ConnectorGenerationError: connectors of \"t\": must be a JSON array of connectors: [{...}, {...}] "
     "(InvalidPropertyValue)\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '');\n",
     "1:46-1:47 ConnectorGenerationError: connectors of \"t\": not valid JSON: unexpected token near end of file "
     "(InvalidPropertyValue)\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"name\": \"a\", \"name\": \"b\"}]');\n",
     "1:61-1:66 ConnectorGenerationError: connectors of \"t\": not valid JSON: duplicate object key near "
     "'\"name\"' (InvalidPropertyValue)\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[5, \"x\", {}]');\n",
     "1:47-1:47 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": a connector is an object: "
     "{\"transport\": {...}, \"format\": {...}}\n"
     "1:50-1:50 ConnectorGenerationError: connector \"unnamed-1\" of \"t\": a connector is an object: "
     "{\"transport\": {...}, \"format\": {...}}\n"
     "1:55-1:55 ConnectorGenerationError: connector \"unnamed-2\" of \"t\": at transport: option \"transport\" is "
     "required (Where data comes from or goes to: {\"name\": ..., \"config\": {...}})\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"transport\": {\"name\": \"t_gen\"}}] x');\n",
     "1:81-1:81 ConnectorGenerationError: connectors of \"t\": not valid JSON: end of file expected near 'x' "
     "(InvalidPropertyValue)\n"},
    /* transports and formats */
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"transport\": {\"name\": \"t_file_inptu\"}}, {\"transport\": "
     "{\"name\": \"zzz\"}}, {\"transport\": {\"name\": \"t_file_output\"}}, {\"transport\": {\"name\": 5}}, "
     "{\"transport\": {}}, {\"transport\": []}, {\"transport\": {\"name\": \"t_gen\", \"confg\": {}}}, "
     "{\"transport\": {\"name\": \"t_gen\", \"config\": [1]}}]');\n"
     "CREATE VIEW v WITH ('connectors' = '[{\"transport\": {\"name\": \"t_gen\"}}, {\"transport\": {\"name\": "
     "\"t_nul\"}}, {\"transport\": {\"name\": \"t_null\"}}]') AS SELECT a FROM t;\n",
     "1:62-1:67 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at transport.name: unknown input "
     "transport \"t_file_inptu\"; did you mean \"t_file_input\"? (known: \"t_file_input\", \"t_gen\")\n"
     "1:103-1:108 ConnectorGenerationError: connector \"unnamed-1\" of \"t\": at transport.name: unknown input "
     "transport \"zzz\" (known: \"t_file_input\", \"t_gen\")\n"
     "1:135-1:140 ConnectorGenerationError: connector \"unnamed-2\" of \"t\": at transport.name: \"t_file_output\" "
     "is an output transport, and a table takes input connectors (ExpectedInputConnector)\n"
     "1:177-1:182 ConnectorGenerationError: connector \"unnamed-3\" of \"t\": at transport.name: option \"name\" "
     "must be a string, found an integer 5\n"
     "1:191-1:201 ConnectorGenerationError: connector \"unnamed-4\" of \"t\": at transport.name: option \"name\" "
     "is required (which one)\n"
     "1:210-1:220 ConnectorGenerationError: connector \"unnamed-5\" of \"t\": at transport: must be an object: "
     "{\"name\": ..., \"config\": {...}}\n"
     "1:260-1:266 ConnectorGenerationError: connector \"unnamed-6\" of \"t\": at transport.confg: unknown option "
     "\"confg\": did you mean \"config\"? Known: \"name\", \"config\"\n"
     "1:307-1:314 ConnectorGenerationError: connector \"unnamed-7\" of \"t\": at transport.config: must be an "
     "object: {\"option\": value, ...}\n"
     "2:53-2:58 ConnectorGenerationError: connector \"unnamed-0\" of \"v\": at transport.name: \"t_gen\" is an "
     "input transport, and a view takes output connectors (ExpectedOutputConnector)\n"
     "2:87-2:92 ConnectorGenerationError: connector \"unnamed-1\" of \"v\": at transport.name: unknown output "
     "transport \"t_nul\"; did you mean \"t_null\"? (known: \"t_file_output\", \"t_null\")\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[\n"
     "  {\"name\": \"c\", \"transport\": {\"name\": \"t_file_input\", \"config\": {\n"
     "     \"size\": 0,\n"
     "     \"pathh\": \"x\", \"dotted.nam\": 1, \"dotted.name\": \"maybe\"\n"
     "  }},\n"
     "   \"format\": {\"name\": \"t_lines\", \"config\": {\"columns\": 1}}}]');\n",
     "2:55-2:62 ConnectorGenerationError: connector \"c\" of \"t\": at transport.config.path: option \"path\" is "
     "required (file)\n"
     "3:6-3:11 ConnectorGenerationError: connector \"c\" of \"t\": at transport.config.size: option \"size\" must "
     "be from 1 to 100000 bytes, found 0\n"
     "4:6-4:12 ConnectorGenerationError: connector \"c\" of \"t\": at transport.config.pathh: unknown option "
     "\"pathh\": did you mean \"path\"? Known: \"path\", \"size\", \"key\", \"dotted.name\"\n"
     "4:20-4:31 ConnectorGenerationError: connector \"c\" of \"t\": at transport.config.dotted.nam: unknown option "
     "\"dotted.nam\": did you mean \"dotted.name\"? Known: \"path\", \"size\", \"key\", \"dotted.name\"\n"
     "4:37-4:49 ConnectorGenerationError: connector \"c\" of \"t\": at transport.config.dotted.name: option "
     "\"dotted.name\" must be true or false, found a string \"maybe\"\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"transport\": {\"name\": \"t_file_input\", \"config\": "
     "{\"path\": \"x\"}}},\n"
     " {\"transport\": {\"name\": \"t_gen\"}, \"format\": {\"name\": \"t_lines\"}},\n"
     " {\"transport\": {\"name\": \"t_file_input\", \"config\": {\"path\": \"x\"}}, \"format\": {\"name\": "
     "\"t_linse\"}},\n"
     " {\"transport\": {\"name\": \"t_file_input\", \"config\": {\"path\": \"x\"}}, \"format\": {\"name\": "
     "\"t_lines\", \"config\": {\"column\": 2}}},\n"
     " {\"transport\": {\"name\": \"t_file_input\", \"config\": {\"path\": \"x\"}}, \"format\": {\"name\": "
     "\"t_lines\", \"config\": {\"columns\": 2}}},\n"
     " {\"transport\": {\"name\": \"t_file_input\", \"config\": {\"path\": \"x\"}}, \"format\": \"t_lines\"}]');\n"
     "CREATE VIEW v WITH ('connectors' = '[{\"transport\": {\"name\": \"t_file_output\", \"config\": {\"path\": "
     "\"x\"}}},\n"
     " {\"transport\": {\"name\": \"t_file_output\", \"config\": {\"path\": \"x\"}}, \"format\": {\"name\": "
     "\"t_parse\"}},\n"
     " {\"transport\": {\"name\": \"t_null\"}, \"format\": {\"name\": \"t_lines\", \"config\": {\"columns\": "
     "3}}}]') AS SELECT a FROM t;\n",
     "1:47-1:47 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": \"format\" is missing: "
     "\"t_file_input\" moves bytes, so it needs {\"name\": ..., \"config\": {...}} (InputFormatNotSpecified)\n"
     "2:35-2:42 ConnectorGenerationError: connector \"unnamed-1\" of \"t\": at format: \"t_gen\" makes rows "
     "itself, so it takes no format\n"
     "3:78-3:83 ConnectorGenerationError: connector \"unnamed-2\" of \"t\": at format.name: unknown format "
     "\"t_linse\"; did you mean \"t_lines\"? (known: \"t_lines\", \"t_parse\")\n"
     "4:108-4:115 ConnectorGenerationError: connector \"unnamed-3\" of \"t\": at format.config.column: unknown "
     "option \"column\": did you mean \"columns\"? Known: \"columns\"\n"
     "5:67-5:74 ConnectorGenerationError: connector \"unnamed-4\" of \"t\": at format: t has 1 columns\n"
     "6:67-6:74 ConnectorGenerationError: connector \"unnamed-5\" of \"t\": at format: must be an object: "
     "{\"name\": ..., \"config\": {...}}\n"
     "7:38-7:38 ConnectorGenerationError: connector \"unnamed-0\" of \"v\": \"format\" is missing: "
     "\"t_file_output\" moves bytes, so it needs {\"name\": ..., \"config\": {...}} (OutputFormatNotSpecified)\n"
     "8:79-8:84 ConnectorGenerationError: connector \"unnamed-1\" of \"v\": at format.name: format \"t_parse\" "
     "cannot be used on output\n"
     "9:36-9:43 ConnectorGenerationError: connector \"unnamed-2\" of \"v\": at format: v has 1 columns\n"},
    /* what only an instance of the transport can tell */
    {"CREATE TABLE refused (a INT) WITH ('connectors' = '[{\"name\": \"c\", \"transport\": {\"name\": "
     "\"t_gen\", \"config\": {}}}]');\n",
     "1:98-1:105 ConnectorGenerationError: connector \"c\" of \"refused\": at transport.config: nothing for "
     "refused.c\n"},
    /* attributes */
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"name\": \"\", \"transport\": {\"name\": \"t_gen\"}}, "
     "{\"name\": \"a b\", \"transport\": {\"name\": \"t_gen\"}}, {\"name\": 5, \"transport\": {\"name\": "
     "\"t_gen\"}},\n"
     " {\"name\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaa\", \"transport\": {\"name\": \"t_gen\"}}, {\"name\": \"c\", \"transport\": {\"name\": \"t_gen\"}}, "
     "{\"name\": \"c\", \"transport\": {\"name\": \"t_gen\"}}, {\"name\": \"unnamed-7\", \"transport\": {\"name\": "
     "\"t_gen\"}}, {\"transport\": {\"name\": \"t_gen\"}}]');\n",
     "1:48-1:53 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at name: \"\" is no name: 1 to 100 "
     "letters, digits, _ and - make one\n"
     "1:94-1:99 ConnectorGenerationError: connector \"unnamed-1\" of \"t\": at name: \"a b\" is no name: 1 to 100 "
     "letters, digits, _ and - make one\n"
     "1:143-1:148 ConnectorGenerationError: connector \"unnamed-2\" of \"t\": at name: option \"name\" must be a "
     "string, found an integer 5\n"
     "2:3-2:8 ConnectorGenerationError: connector \"unnamed-3\" of \"t\": at name: "
     "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\" is "
     "no name: 1 to 100 letters, digits, _ and - make one\n"
     "2:197-2:202 ConnectorGenerationError: connector \"c\" of \"t\": at name: there is a connector of this name "
     "already (RelationConnectorNameCollision)\n"
     "2:298-2:298 ConnectorGenerationError: connector \"unnamed-7\" of \"t\": at name: there is a connector of "
     "this name already (RelationConnectorNameCollision)\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"nmae\": \"c\", \"transport\": {\"name\": \"t_gen\"}, "
     "\"paused\": 1, \"labels\": \"x\", \"max_queued_records\": 0, \"max_queued_bytes\": \"many\", "
     "\"max_batch_size\": -1, \"max_record_bytes\": 0}]');\n",
     "1:48-1:53 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at nmae: unknown option \"nmae\": did "
     "you mean \"name\"? Known: \"name\", \"transport\", \"format\", \"paused\", \"labels\", \"start_after\", "
     "\"max_queued_records\", \"max_queued_bytes\", \"on_full\", \"max_spill_bytes\", \"max_batch_size\", "
     "\"max_record_bytes\"\n"
     "1:93-1:100 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at paused: option \"paused\" must be "
     "true or false, found an integer 1\n"
     "1:106-1:113 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at labels: must be a list of labels: "
     "[\"a\", \"b\"]\n"
     "1:121-1:140 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at max_queued_records: option "
     "\"max_queued_records\" must be from 1 to 1000000000000 records, found 0\n"
     "1:146-1:163 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at max_queued_bytes: option "
     "\"max_queued_bytes\" must be an integer, found a string \"many\"\n"
     "1:174-1:189 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at max_batch_size: option "
     "\"max_batch_size\" must be from 1 to 4294967295 records, found -1\n"
     "1:196-1:213 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at max_record_bytes: option "
     "\"max_record_bytes\" must be from 1 to 2147483648 bytes, found 0\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"name\": \"c\", \"transport\": {\"name\": \"t_gen\"}, "
     "\"preprocessor\": [{}], \"index\": \"i\", \"send_snapshot\": true, \"soft_delete\": true, "
     "\"enable_output_buffer\": true, \"max_output_buffer_time_millis\": 5, \"max_worker_batch_size\": 7}]');\n",
     "1:93-1:106 ConnectorGenerationError: connector \"c\" of \"t\": at preprocessor: \"preprocessor\" is not "
     "supported yet\n"
     "1:115-1:121 ConnectorGenerationError: connector \"c\" of \"t\": at index: \"index\" is not supported yet\n"
     "1:129-1:143 ConnectorGenerationError: connector \"c\" of \"t\": at send_snapshot: \"send_snapshot\" is not "
     "supported yet, only its default is: false\n"
     "1:152-1:164 ConnectorGenerationError: connector \"c\" of \"t\": at soft_delete: \"soft_delete\" is not "
     "supported yet, only its default is: false\n"
     "1:173-1:194 ConnectorGenerationError: connector \"c\" of \"t\": at enable_output_buffer: "
     "\"enable_output_buffer\" is not supported yet, only its default is: false\n"
     "1:203-1:233 ConnectorGenerationError: connector \"c\" of \"t\": at max_output_buffer_time_millis: "
     "\"max_output_buffer_time_millis\" is not supported yet\n"
     "1:239-1:261 ConnectorGenerationError: connector \"c\" of \"t\": at max_worker_batch_size: "
     "\"max_worker_batch_size\" is not supported yet, only its default is: 10000\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"name\": \"c\", \"transport\": {\"name\": \"t_gen\"}, "
     "\"start_after\": []}, {\"name\": \"d\", \"transport\": {\"name\": \"t_gen\"}, \"start_after\": 5}, "
     "{\"name\": \"e\", \"transport\": {\"name\": \"t_gen\"}, \"start_after\": [\"x\", \"\"], \"labels\": "
     "[1]}]');\n"
     "CREATE VIEW v WITH ('connectors' = '[{\"transport\": {\"name\": \"t_null\"}, \"paused\": true, "
     "\"start_after\": \"x\", \"labels\": [\"y\"]}]') AS SELECT a FROM t;\n",
     "1:93-1:105 ConnectorGenerationError: connector \"c\" of \"t\": at start_after: the list is empty: name a "
     "label, or leave start_after out (EmptyStartAfter)\n"
     "1:159-1:171 ConnectorGenerationError: connector \"d\" of \"t\": at start_after: must be a label or a list of "
     "labels: [\"a\", \"b\"]\n"
     "1:224-1:236 ConnectorGenerationError: connector \"e\" of \"t\": at start_after: a label is a string that is "
     "not empty\n"
     "1:224-1:236 ConnectorGenerationError: connector \"t.e\": start_after names the label \"x\", which no input "
     "connector carries (there are no labels)\n"
     "1:250-1:257 ConnectorGenerationError: connector \"e\" of \"t\": at labels: a label is a string that is not "
     "empty\n"
     "2:88-2:100 ConnectorGenerationError: connector \"unnamed-0\" of \"v\": at start_after: an output waits for "
     "nothing: start_after is for inputs\n"
     "warning 2:108-2:115 ConnectorGenerationError: labels of an output connector have no effect\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"name\": \"c\", \"transport\": {\"name\": \"t_gen\"}, "
     "\"on_full\": \"drop\"}]');\n"
     "CREATE VIEW v WITH ('connectors' = '[{\"transport\": {\"name\": \"t_null\"}, \"on_full\": \"dorp\"}, "
     "{\"transport\": {\"name\": \"t_null\"}, \"max_spill_bytes\": 2000000}, "
     "{\"transport\": {\"name\": \"t_null\"}, \"on_full\": \"spill\", \"max_spill_bytes\": 5}]') AS SELECT a FROM t;\n",
     "1:93-1:101 ConnectorGenerationError: connector \"c\" of \"t\": at on_full: an input is held when its queue is "
     "full: on_full is for outputs\n"
     "2:72-2:80 ConnectorGenerationError: connector \"unnamed-0\" of \"v\": at on_full: option \"on_full\" must be one "
     "of \"hold\", \"spill\", \"drop\", found a string \"dorp\": did you mean \"drop\"?\n"
     "2:126-2:142 ConnectorGenerationError: connector \"unnamed-1\" of \"v\": at max_spill_bytes: nothing is spilled "
     "without \"on_full\": \"spill\"\n"
     "2:209-2:225 ConnectorGenerationError: connector \"unnamed-2\" of \"v\": at max_spill_bytes: option "
     "\"max_spill_bytes\" must be from 1048576 to 1125899906842624 bytes, found 5\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[{\"name\": \"c\", \"labels\": [\"one\"], \"transport\": "
     "{\"name\": \"t_gen\"}, \"start_after\": \"oen\"}]');\n"
     "CREATE TABLE u (a INT) WITH ('connectors' = '[{\"name\": \"d\", \"labels\": [\"two\"], \"transport\": "
     "{\"name\": \"t_gen\"}, \"start_after\": [\"two\", \"zzzz\"]}]');\n",
     "1:112-1:124 ConnectorGenerationError: connector \"t.c\": start_after names the label \"oen\", which no input "
     "connector carries; did you mean \"one\"? (there are: \"one\", \"two\")\n"
     "2:112-2:124 ConnectorGenerationError: connector \"u.d\": start_after names the label \"zzzz\", which no "
     "input connector carries (there are: \"one\", \"two\")\n"
     "2:112-2:124 ConnectorGenerationError: connectors wait for each other: \"u.d\" starts after \"two\", carried "
     "by \"u.d\" (CyclicDependency)\n"},
    {"CREATE TABLE t (a INT) WITH ('connectors' = '[\n"
     " {\"name\": \"a\", \"labels\": [\"la\", \"all\"], \"transport\": {\"name\": \"t_gen\"}, \"start_after\": "
     "\"lb\"},\n"
     " {\"name\": \"b\", \"labels\": [\"lb\", \"all\"], \"transport\": {\"name\": \"t_gen\"}, \"start_after\": "
     "[\"lc\"]},\n"
     " {\"name\": \"c\", \"labels\": [\"lc\"], \"transport\": {\"name\": \"t_gen\"}, \"start_after\": [\"free\", "
     "\"la\"]},\n"
     " {\"name\": \"d\", \"labels\": [\"free\"], \"transport\": {\"name\": \"t_gen\"}},\n"
     " {\"name\": \"e\", \"transport\": {\"name\": \"t_gen\"}, \"start_after\": \"all\"}]');\n"
     "CREATE TABLE u (a INT) WITH ('connectors' = '[{\"name\": \"x\", \"labels\": [\"self\"], \"transport\": "
     "{\"name\": \"t_gen\"}, \"start_after\": \"self\"}]');\n",
     "2:73-2:85 ConnectorGenerationError: connectors wait for each other: \"t.a\" starts after \"lb\", carried by "
     "\"t.b\"; \"t.b\" starts after \"lc\", carried by \"t.c\"; \"t.c\" starts after \"la\", carried by \"t.a\" "
     "(CyclicDependency)\n"
     "7:113-7:125 ConnectorGenerationError: connectors wait for each other: \"u.x\" starts after \"self\", carried "
     "by \"u.x\" (CyclicDependency)\n"},
    {"CREATE TABLE t (a INTT) WITH ('connectors' = '[{\"transport\": {\"name\": \"t_file_input\", \"config\": "
     "{\"path\": \"x\"}}, \"format\": {\"name\": \"t_lines\", \"config\": {\"columns\": 2, \"x\": 1}}}]');\n",
     "1:19-1:22 Compilation error: unknown type \"intt\"; did you mean \"int\"?\n"
     "1:168-1:170 ConnectorGenerationError: connector \"unnamed-0\" of \"t\": at format.config.x: unknown option "
     "\"x\". Known: \"columns\"\n"},
};

static void check_faults(const char *text, const char *messages) {
  program *p = sql_compile(text, strlen(text));
  ck_assert_str_eq(sql_messages_text(), messages);
  ck_assert_ptr_null(p);
  ck_assert_uint_gt(sql_messages.n_errors, 0);
}

START_TEST(fault) { check_faults(faults[_i].text, faults[_i].messages); }
END_TEST

START_TEST(connector_fault) {
  check_faults(connector_faults[_i].text, connector_faults[_i].messages);
  ck_assert_int_eq(sql_instances, 0);
  ck_assert_int_eq(sql_transports, 0);
}
END_TEST

/* ---- bytes that are no text ---------------------------------------------------- */

static const struct {
  const char *bytes;
  size_t len;
  const char *messages;
} bad_bytes[] = {
#define BYTES(s) s, sizeof(s) - 1
    {BYTES("CREATE TABLE t\0(a INT);"),
     "1:15-1:15 Error parsing SQL: NUL byte in the program: it must be text in UTF-8\n"},
    {BYTES("CREATE TABLE t (a INT);\n-- \xC3\xA9 \xFF\xFE x\n"),
     "2:6-2:7 Error parsing SQL: invalid UTF-8 (byte 0xFF): the program must be text in UTF-8\n"},
    {BYTES("CREATE TABLE t (a VARCHAR DEFAULT '\xC3\x28\xE2\x82');\n\xED\xA0\x80 CREATE TABLE u (b INTT);"),
     "1:36-1:36 Error parsing SQL: invalid UTF-8 (byte 0xC3): the program must be text in UTF-8\n"
     "1:38-1:39 Error parsing SQL: invalid UTF-8 (byte 0xE2): the program must be text in UTF-8\n"
     "2:1-2:3 Error parsing SQL: invalid UTF-8 (byte 0xED): the program must be text in UTF-8\n"
     "2:23-2:26 Compilation error: unknown type \"intt\"; did you mean \"int\"?\n"},
    {BYTES("CREATE TABLE t (a INT\x01);"), "1:22-1:22 Error parsing SQL: control character 0x01\n"},
    {BYTES("CREATE TABLE t\xC2\xA0(a INT);"), "1:15-1:15 Error parsing SQL: no-break space: use a plain blank\n"},
};

START_TEST(bad_byte) {
  ck_assert_ptr_null(sql_compile(bad_bytes[_i].bytes, bad_bytes[_i].len));
  ck_assert_str_eq(sql_messages_text(), bad_bytes[_i].messages);
}
END_TEST

/* ---- snippets --------------------------------------------------------------------- */

static const struct {
  const char *text, *snippet;
} snippets[] = {
    {"CREATE TABLE t (a INT);\n\tCREATE VIEW v AS SELECT b + a\r\nFROM t;",
     "    2|\tCREATE VIEW v AS SELECT b + a\n"
     "      \t                        ^"},
    {"CREATE TABLE t (\"\xC3\xA9\xC3\xA9\" INTEGR);",
     "    1|CREATE TABLE t (\"\xC3\xA9\xC3\xA9\" INTEGR);\n"
     "                           ^^^^^^"},
    {"CREATE TABLE t (a INT);CREATE VIEW v AS SELECT a +\n 'x'\n || a FROM t;",
     "    1|CREATE TABLE t (a INT);CREATE VIEW v AS SELECT a +\n"
     "                                                     ^^^"},
    {"CREATE TABLE t", "    1|CREATE TABLE t\n                    ^"},
};

START_TEST(snippet) {
  ck_assert_ptr_null(sql_compile(snippets[_i].text, strlen(snippets[_i].text)));
  ck_assert_str_eq(sql_messages.items[0].snippet, snippets[_i].snippet);
}
END_TEST

/* s, n times; gives the end, where a zero stands. */
static char *repeat(char *to, const char *s, int n) {
  size_t len = strlen(s);
  for (int i = 0; i < n; i++, to += len) memcpy(to, s, len);
  *to = '\0';
  return to;
}

/* Of a long line only the part around the place is shown. */
START_TEST(long_line) {
  char text[4096], *end = repeat(text, "CREATE TABLE t (a INT); CREATE VIEW v AS SELECT ", 1);
  end = repeat(end, "a+ ", 200);
  end = repeat(end, "bb", 1);
  end = repeat(end, " +a", 200);
  repeat(end, " AS x FROM t;", 1);
  ck_assert_ptr_null(sql_compile(text, strlen(text)));
  const char *shown = sql_messages.items[0].snippet, *carets = strchr(shown, '\n');
  ck_assert_ptr_nonnull(carets);
  ck_assert_uint_lt(strlen(shown), 500);
  ck_assert_int_eq(strncmp(shown, "    1|...", 9), 0);
  ck_assert_int_eq(carets[-1], '.');
  size_t at = strcspn(carets + 1, "^");
  ck_assert_int_eq(strncmp(shown + at, "bb", 2), 0);
  ck_assert_str_eq(carets + 1 + at, "^^");
}
END_TEST

/* ---- much and deep -------------------------------------------------------------------- */

#define BEGIN "CREATE TABLE t (a INT, ok BOOLEAN, s VARCHAR); CREATE VIEW v AS SELECT "
#define END " AS x FROM t; CREATE VIEW w AS SELECT nothing FROM t;"

/* A program that nests n times, with its end in place for small n. */
static const struct {
  const char *open, *middle, *close;
  int n;
  const char *message;
} deep[] = {
    {"(", "a", ")", 100000, "nests too deeply"},
    {"- ", "a", "", 100000, "nests too deeply"},
    {"NOT ", "ok", "", 100000, "nests too deeply"},
    {"CASE WHEN ok THEN ", "a", " END", 100000, "nests too deeply"},
    {"ABS(", "a", ")", 600, "500 levels"},
    {"", "a", " + a", 100000, "500 levels"},
    {"", "a", "::INT", 100000, "500 levels"},
    {"", "ok", " IS TRUE", 100000, "500 levels"},
    {"(", "ok", " BETWEEN ok AND ok)", 100, "too large to be compared"},
    {"CASE ", "a", " WHEN 1 THEN 1 WHEN 2 THEN 2 END", 100, "operand of this CASE is too large"},
};

START_TEST(depth) {
  size_t len = sizeof BEGIN + sizeof END + 8 + (size_t)deep[_i].n * (strlen(deep[_i].open) + strlen(deep[_i].close));
  char *text = malloc(len), *end = text;
  ck_assert_ptr_nonnull(text);
  end = repeat(end, BEGIN, 1);
  end = repeat(end, deep[_i].open, deep[_i].n);
  end = repeat(end, deep[_i].middle, 1);
  end = repeat(end, deep[_i].close, deep[_i].n);
  end = repeat(end, END, 1);
  ck_assert_ptr_null(sql_compile(text, (size_t)(end - text)));
  free(text);
  ck_assert_uint_eq(sql_messages.n, 2); /* and the statement after it is looked at as well */
  ck_assert_msg(strstr(sql_messages.items[0].message, deep[_i].message) != NULL, "%s", sql_messages_text());
  ck_assert_ptr_nonnull(strstr(sql_messages.items[1].message, "nothing"));
}
END_TEST

/* Just below the limits nothing is wrong. */
START_TEST(not_too_deep) {
  char text[16384] = BEGIN, *end = text + strlen(text);
  end = repeat(end, "(", 1000);
  end = repeat(end, "a", 1);
  end = repeat(end, " + a", 450);
  end = repeat(end, ")", 1000);
  end = repeat(end, " AS x FROM t", 1);
  program *p = sql_compile(text, (size_t)(end - text));
  ck_assert_msg(p != NULL, "%s", sql_messages_text());
  program_unref(p);
}
END_TEST

START_TEST(many_faults) {
  char *text = malloc(400000), *end = text;
  ck_assert_ptr_nonnull(text);
  end = repeat(end, "CREATE TABLE t (a INT); CREATE VIEW v AS SELECT b", 1);
  end = repeat(end, ", b", 100000);
  end = repeat(end, " FROM t;", 1);
  ck_assert_ptr_null(sql_compile(text, (size_t)(end - text)));
  free(text);
  ck_assert_uint_eq(sql_messages.n, 1001);
  ck_assert_uint_gt(sql_messages.n_errors, 100000);
  bool told = false;
  for (uint32_t i = 0; i < sql_messages.n; i++) told = told || strstr(sql_messages.items[i].message, "too many errors");
  ck_assert(told);
}
END_TEST

/* Messages are text, whatever they cut. */
START_TEST(messages_are_text) {
  char text[2048], *end = repeat(text, "CREATE TABLE \"", 1);
  end = repeat(end, "\xE2\x82\xAC", 400);
  end = repeat(end, "\" (a INTT); CREATE VIEW v AS SELECT x FROM \"a", 1);
  end = repeat(end, "\xC3\xA9", 200);
  repeat(end, "\";", 1);
  ck_assert_ptr_null(sql_compile(text, strlen(text)));
  ck_assert_uint_eq(sql_messages.n, 2);
  for (uint32_t i = 0; i < sql_messages.n; i++) {
    json_t *message = json_string(sql_messages.items[i].message), *shown = json_string(sql_messages.items[i].snippet);
    ck_assert(message && shown); /* Jansson refuses what is not UTF-8 */
    json_decref(message);
    json_decref(shown);
  }
}
END_TEST

/* Every prefix of a program compiles to something or to messages. */
START_TEST(prefixes) {
  static const char whole[] =
      "CREATE TABLE t (a INT DEFAULT -1, \"b\" VARCHAR(3) NOT NULL, PRIMARY KEY (a)) WITH ('connectors' = "
      "'[{\"transport\": {\"name\": \"t_gen\"}}]'); /* c */ CREATE VIEW v (x) AS SELECT CASE WHEN a IN (1, 2.5) THEN "
      "X'00' ELSE NULL END FROM t WHERE \"b\" LIKE 'x%' AND NOT a BETWEEN 1 AND 2 UNION ALL SELECT NULL FROM t; -- e";
  for (size_t len = 0; len < sizeof whole; len++) {
    char *text = malloc(len + 1); /* exactly as long: reads past the end show */
    memcpy(text, whole, len);
    program *p = sql_compile(text, len);
    free(text);
    ck_assert_int_eq(p == NULL, sql_messages.n_errors > 0);
    program_unref(p);
  }
  ck_assert_uint_eq(sql_messages.n_errors, 0);
}
END_TEST

/* ---- what an instance refuses ---------------------------------------------- */

static const hw_option quoted[] = {
    {"open", HW_OPTION_STRING, 0, "(", 0, 0, NULL, NULL, "one"},
    {"close", HW_OPTION_STRING, 0, ")", 0, 0, NULL, NULL, "another"},
    {"depth", HW_OPTION_INT, 0, NULL, 1, 9, NULL, NULL, "a number"},
    {0},
};

static const struct {
  const char *settings, *message, *wanted;
} refusals[] = {
    {"{}", "no column to take them", "elsewhere: no column to take them\n"},
    {"{}", "open: too long; for one character; close: too short", "at.open: too long; for one character\nat.close: too "
                                                                  "short\n"},
    {"{}", "depth[0].x: no", "at.depth: depth[0].x: no\n"},
    {"{}", "opening: no; depth 5 is much", "elsewhere: opening: no; depth 5 is much\n"},
    {"{}", "", "elsewhere: \n"},
    /* beside faults: what speaks of given and good options alone */
    {"{\"depth\": 0}", "no column to take them", ""},
    {"{\"depth\": 0}", "open: too long", ""},
    {"{\"depth\": 0, \"open\": \"((\"}", "open: too long", "at.open: too long\n"},
    {"{\"depth\": 0, \"open\": \"((\"}", "depth: missing; open: too long; close: too short", "at.open: too long\n"},
    {"{\"close\": 5, \"open\": \")\"}", "open: must differ from close", ""},
    {"{\"close\": 5, \"open\": \")\"}", "open: must not disclose, nor be closed", "at.open: must not disclose, nor be "
                                                                               "closed\n"},
    {"{\"colour\": 5, \"open\": \")\", \"close\": \")\"}", "open: must differ from close",
     "at.open: must differ from close\n"},
};

static char refused[1000];

static void no_fault(void *arg, const char *path, const char *message) { (void)arg, (void)path, (void)message; }

static void note_refusal(void *arg, const char *path, const char *message) {
  size_t len = strlen((const char *)arg);
  snprintf((char *)arg + len, sizeof refused - len, "%s: %s\n", path, message);
}

START_TEST(refusals_by_option) {
  json_t *object = json_loads(refusals[_i].settings, 0, NULL);
  hw_config *config = config_read(quoted, object, "", no_fault, NULL);
  json_decref(object);
  ck_assert_ptr_nonnull(config);
  refused[0] = '\0';
  refusal_report(refusals[_i].message, config, "at", "elsewhere", note_refusal, refused);
  ck_assert_str_eq(refused, refusals[_i].wanted);
  config_free(config);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sql errors");
  TCase *c = tcase_create("bad programs");
  tcase_add_checked_fixture(c, sql_register, NULL);
  tcase_set_timeout(c, 20);
  tcase_add_loop_test(c, fault, 0, COUNT(faults));
  tcase_add_loop_test(c, connector_fault, 0, COUNT(connector_faults));
  tcase_add_loop_test(c, bad_byte, 0, COUNT(bad_bytes));
  tcase_add_loop_test(c, snippet, 0, COUNT(snippets));
  tcase_add_test(c, long_line);
  tcase_add_loop_test(c, depth, 0, COUNT(deep));
  tcase_add_test(c, not_too_deep);
  tcase_add_test(c, many_faults);
  tcase_add_test(c, messages_are_text);
  tcase_add_test(c, prefixes);
  tcase_add_loop_test(c, refusals_by_option, 0, COUNT(refusals));
  suite_add_tcase(suite, c);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
