/* The SQL front end on good programs: types and structure of every kind of
 * expression, tables, views, connectors. */
#include "tests/sql_fixture.h"

#include "sql/connectors.h"

#include <headworks/value.h>

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

/* ---- the shape of an expression ------------------------------------------------ */

static const char *const op_names[] = {
    [EXPR_CAST] = "CAST", [EXPR_NEG] = "NEG", [EXPR_ADD] = "ADD", [EXPR_SUB] = "SUB", [EXPR_MUL] = "MUL",
    [EXPR_DIV] = "DIV", [EXPR_MOD] = "MOD", [EXPR_EQ] = "EQ", [EXPR_NE] = "NE", [EXPR_LT] = "LT", [EXPR_LE] = "LE",
    [EXPR_GT] = "GT", [EXPR_GE] = "GE", [EXPR_AND] = "AND", [EXPR_OR] = "OR", [EXPR_NOT] = "NOT",
    [EXPR_IS_NULL] = "IS_NULL", [EXPR_IS_NOT_NULL] = "IS_NOT_NULL", [EXPR_IS_TRUE] = "IS_TRUE",
    [EXPR_IS_NOT_TRUE] = "IS_NOT_TRUE", [EXPR_IS_FALSE] = "IS_FALSE", [EXPR_IS_NOT_FALSE] = "IS_NOT_FALSE",
    [EXPR_IS_DISTINCT] = "IS_DISTINCT", [EXPR_IS_NOT_DISTINCT] = "IS_NOT_DISTINCT", [EXPR_IN] = "IN",
    [EXPR_LIKE] = "LIKE", [EXPR_CASE] = "CASE", [EXPR_COALESCE] = "COALESCE", [EXPR_NULLIF] = "NULLIF",
    [EXPR_CONCAT] = "CONCAT", [EXPR_LOWER] = "LOWER", [EXPR_UPPER] = "UPPER", [EXPR_CHAR_LENGTH] = "CHAR_LENGTH",
    [EXPR_OCTET_LENGTH] = "OCTET_LENGTH", [EXPR_SUBSTRING] = "SUBSTRING", [EXPR_TRIM_BOTH] = "TRIM_BOTH",
    [EXPR_TRIM_LEADING] = "TRIM_LEADING", [EXPR_TRIM_TRAILING] = "TRIM_TRAILING", [EXPR_ABS] = "ABS",
    [EXPR_ROUND] = "ROUND", [EXPR_FLOOR] = "FLOOR", [EXPR_CEIL] = "CEIL", [EXPR_EXTRACT] = "EXTRACT",
    [EXPR_SPLIT_PART] = "SPLIT_PART",
};

typedef struct shape {
  char text[4096];
  size_t len;
  const hw_schema *input;
} shape;

static void put(shape *s, const char *text, size_t len) {
  if (len > sizeof s->text - 1 - s->len) return;
  memcpy(s->text + s->len, text, len);
  s->len += len;
  s->text[s->len] = '\0';
}

static void put_string(shape *s, const hw_str *str, bool bytes) {
  char hex[4];
  put(s, bytes ? "X'" : "'", bytes ? 2 : 1);
  for (uint32_t i = 0; bytes && i < str->len; i++)
    put(s, hex, (size_t)snprintf(hex, sizeof hex, "%02x", (unsigned char)str->data[i]));
  if (!bytes) put(s, str->data, str->len);
  put(s, "'", 1);
}

static void put_value(shape *s, const hw_type *type, const hw_value *v) {
  char text[HW_VALUE_TEXT_MAX];
  union {
    uint8_t b;
    int8_t i8;
    int16_t i16;
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
    hw_int128 dec;
    hw_uuid uuid;
  } slot = {.i64 = v->u.i64}; /* little-endian: the narrow ones are its first bytes */
  hw_type_id id = (hw_type_id)type->id;
  if (v->is_null) put(s, "NULL", 4);
  else if (hw_type_is_string(id)) put_string(s, &v->u.str, !hw_type_is_text(id));
  else {
    if (id == HW_TYPE_REAL) slot.f32 = v->u.f32;
    if (id == HW_TYPE_DOUBLE) slot.f64 = v->u.f64;
    if (id == HW_TYPE_DECIMAL) slot.dec = v->u.dec;
    if (id == HW_TYPE_UUID) slot.uuid = v->u.uuid;
    if (id == HW_TYPE_BOOLEAN) slot.b = v->u.boolean;
    put(s, text, hw_value_format(type, &slot, text));
  }
}

/* Literals of INT, VARCHAR and BOOLEAN stand alone, others with their type. */
static void put_literal(shape *s, const expr *e) {
  char type[64];
  put_value(s, &e->type, &e->value);
  bool plain = e->type.id == HW_TYPE_INT || (e->type.id == HW_TYPE_VARCHAR && !e->type.length) ||
               e->type.id == HW_TYPE_BOOLEAN;
  if (plain && !e->value.is_null) return;
  hw_type bare = e->type;
  bare.nullable = false;
  sql_type_text(&bare, type, sizeof type);
  put(s, ":", 1);
  put(s, type, strlen(type));
}

static void put_expr(shape *s, const expr *e) {
  char type[64];
  ck_assert(e->line >= 1 && e->column >= 1 && e->text != NULL);
  if (e->op == EXPR_LITERAL) {
    put_literal(s, e);
    return;
  }
  if (e->op == EXPR_COLUMN) {
    ck_assert_uint_lt(e->index, s->input->n_fields);
    put(s, s->input->fields[e->index].name, strlen(s->input->fields[e->index].name));
    return;
  }
  put(s, "(", 1);
  put(s, op_names[e->op], strlen(op_names[e->op]));
  hw_type bare = e->type;
  bare.nullable = false;
  sql_type_text(&bare, type + 1, sizeof type - 1);
  type[0] = ' ';
  if (e->op == EXPR_CAST) put(s, type, strlen(type));
  if (e->op == EXPR_EXTRACT) put(s, type, (size_t)snprintf(type, sizeof type, " %u", e->index));
  for (uint32_t i = 0; i < e->n_args; i++) {
    put(s, " ", 1);
    put_expr(s, e->args[i]);
  }
  put(s, ")", 1);
}

#define TABLE                                                                                                         \
  "CREATE TABLE t (yes BOOLEAN NOT NULL, maybe BOOLEAN, i8 TINYINT NOT NULL, i16 SMALLINT NOT NULL, i INT NOT NULL, " \
  "n INT, l BIGINT NOT NULL, u8 TINYINT UNSIGNED NOT NULL, u16 SMALLINT UNSIGNED NOT NULL, "                          \
  "u32 INT UNSIGNED NOT NULL, u64 BIGINT UNSIGNED NOT NULL, r REAL NOT NULL, f DOUBLE NOT NULL, "                     \
  "d DECIMAL(10, 2) NOT NULL, d4 DECIMAL(12, 4) NOT NULL, w DECIMAL(38, 10) NOT NULL, s VARCHAR NOT NULL, "           \
  "sn VARCHAR, s5 VARCHAR(5) NOT NULL, c CHAR(5) NOT NULL, c9 CHAR(9) NOT NULL, x VARBINARY NOT NULL, "               \
  "b4 BINARY(4) NOT NULL, day DATE NOT NULL, clock TIME NOT NULL, ts TIMESTAMP NOT NULL, id UUID NOT NULL, "          \
  "\"Q\" INT NOT NULL);\n"

/* expression, type (? for nullable), structure; warnings where the third is an error at run time */
static const struct {
  const char *text, *type, *shape;
} expressions[] = {
    /* literals */
    {"1", "INT", "1"},
    {"2147483647", "INT", "2147483647"},
    {"2147483648", "BIGINT", "2147483648:BIGINT"},
    {"-2147483648", "INT", "-2147483648"},
    {"9223372036854775807", "BIGINT", "9223372036854775807:BIGINT"},
    {"-9223372036854775808", "BIGINT", "-9223372036854775808:BIGINT"},
    {"9223372036854775808", "DECIMAL(19,0)", "9223372036854775808:DECIMAL(19,0)"},
    {"99999999999999999999999999999999999999", "DECIMAL(38,0)",
     "99999999999999999999999999999999999999:DECIMAL(38,0)"},
    {"007", "INT", "7"},
    {"1.5", "DECIMAL(2,1)", "1.5:DECIMAL(2,1)"},
    {"-1.50", "DECIMAL(3,2)", "-1.50:DECIMAL(3,2)"},
    {".05", "DECIMAL(2,2)", "0.05:DECIMAL(2,2)"},
    {"5.", "DECIMAL(1,0)", "5:DECIMAL(1,0)"},
    {"0.0", "DECIMAL(1,1)", "0.0:DECIMAL(1,1)"},
    {"1e3", "DOUBLE", "1000.0:DOUBLE"},
    {"-1.5E-2", "DOUBLE", "-0.015:DOUBLE"},
    {".5e1", "DOUBLE", "5.0:DOUBLE"},
    {"1.e2", "DOUBLE", "100.0:DOUBLE"},
    {"'text'", "VARCHAR", "'text'"},
    {"'it''s'", "VARCHAR", "'it's'"},
    {"''", "VARCHAR", "''"},
    {"X'00fF'", "VARBINARY", "X'00ff':VARBINARY"},
    {"x''", "VARBINARY", "X'':VARBINARY"},
    {"TRUE", "BOOLEAN", "true"},
    {"FALSE", "BOOLEAN", "false"},
    {"DATE '2020-02-29'", "DATE", "2020-02-29:DATE"},
    {"TIME '12:30:00'", "TIME", "12:30:00:TIME"},
    {"TIMESTAMP '2020-01-02 03:04:05.678'", "TIMESTAMP", "2020-01-02 03:04:05.678:TIMESTAMP"},
    {"UUID '00112233-4455-6677-8899-aabbccddeeff'", "UUID", "00112233-4455-6677-8899-aabbccddeeff:UUID"},
    {"INT '5'", "INT", "5"},
    {"VARCHAR 'x'", "VARCHAR", "'x'"},
    {"BOOLEAN 'true'", "BOOLEAN", "true"},
    {"CAST(NULL AS INT)", "INT?", "NULL:INT"},
    {"NULL::VARCHAR(3)", "VARCHAR(3)?", "NULL:VARCHAR(3)"},
    /* columns */
    {"i", "INT", "i"},
    {"I", "INT", "i"},
    {"t.i", "INT", "i"},
    {"T.I", "INT", "i"},
    {"\"Q\"", "INT", "Q"},
    {"t.\"Q\"", "INT", "Q"},
    {"s5", "VARCHAR(5)", "s5"},
    /* arithmetic */
    {"i + l", "BIGINT", "(ADD (CAST BIGINT i) l)"},
    {"i8 + i16", "SMALLINT", "(ADD (CAST SMALLINT i8) i16)"},
    {"i8 + i8", "TINYINT", "(ADD i8 i8)"},
    {"i + u8", "INT", "(ADD i (CAST INT u8))"},
    {"i8 + u8", "SMALLINT", "(ADD (CAST SMALLINT i8) (CAST SMALLINT u8))"},
    {"i16 + u16", "INT", "(ADD (CAST INT i16) (CAST INT u16))"},
    {"i + u32", "BIGINT", "(ADD (CAST BIGINT i) (CAST BIGINT u32))"},
    {"l + u32", "BIGINT", "(ADD l (CAST BIGINT u32))"},
    {"i8 + u64", "DECIMAL(21,0)", "(ADD (CAST DECIMAL(3,0) i8) (CAST DECIMAL(20,0) u64))"},
    {"l + u64", "DECIMAL(21,0)", "(ADD (CAST DECIMAL(19,0) l) (CAST DECIMAL(20,0) u64))"},
    {"u8 + u16", "SMALLINT UNSIGNED", "(ADD (CAST SMALLINT UNSIGNED u8) u16)"},
    {"u64 + 1", "BIGINT UNSIGNED", "(ADD u64 1:BIGINT UNSIGNED)"},
    {"u64 - 1", "BIGINT UNSIGNED", "(SUB u64 1:BIGINT UNSIGNED)"},
    {"u32 + 1", "BIGINT", "(ADD (CAST BIGINT u32) 1:BIGINT)"},
    {"u8 * 2", "INT", "(MUL (CAST INT u8) 2)"},
    {"i8 + 1", "INT", "(ADD (CAST INT i8) 1)"},
    {"l + 1", "BIGINT", "(ADD l 1:BIGINT)"},
    {"l * 2 + i", "BIGINT", "(ADD (MUL l 2:BIGINT) (CAST BIGINT i))"},
    {"i + 1.5", "DECIMAL(12,1)", "(ADD (CAST DECIMAL(11,1) i) 1.5:DECIMAL(2,1))"},
    {"i + d", "DECIMAL(13,2)", "(ADD (CAST DECIMAL(12,2) i) d)"},
    {"d + d4", "DECIMAL(13,4)", "(ADD (CAST DECIMAL(12,4) d) d4)"},
    {"d - 1", "DECIMAL(13,2)", "(SUB d 1.00:DECIMAL(12,2))"},
    {"d * d4", "DECIMAL(22,6)", "(MUL d d4)"},
    {"d / d4", "DECIMAL(27,15)", "(DIV d d4)"},
    {"i / 2", "INT", "(DIV i 2)"},
    {"l % 7", "BIGINT", "(MOD l 7:BIGINT)"},
    {"d % d4", "DECIMAL(12,4)", "(MOD (CAST DECIMAL(12,4) d) d4)"},
    {"d % 3", "DECIMAL(10,2)", "(MOD d 3.00:DECIMAL(12,2))"},
    {"w + w", "DECIMAL(38,10)", "(ADD w w)"},
    {"w * w", "DECIMAL(38,6)", "(MUL w w)"},
    {"w / w", "DECIMAL(38,6)", "(DIV w w)"},
    {"r + r", "REAL", "(ADD r r)"},
    {"r + i", "REAL", "(ADD r (CAST REAL i))"},
    {"r + d", "DOUBLE", "(ADD (CAST DOUBLE r) (CAST DOUBLE d))"},
    {"r * 1.5", "DOUBLE", "(MUL (CAST DOUBLE r) 1.5:DOUBLE)"},
    {"f + i", "DOUBLE", "(ADD f (CAST DOUBLE i))"},
    {"f / d", "DOUBLE", "(DIV f (CAST DOUBLE d))"},
    {"f - r", "DOUBLE", "(SUB f (CAST DOUBLE r))"},
    {"i + '5'", "INT", "(ADD i 5)"},
    {"n + i", "INT?", "(ADD n i)"},
    {"- i", "INT", "(NEG i)"},
    {"- u8", "SMALLINT", "(NEG (CAST SMALLINT u8))"},
    {"- u64", "DECIMAL(20,0)", "(NEG (CAST DECIMAL(20,0) u64))"},
    {"- d", "DECIMAL(10,2)", "(NEG d)"},
    {"+ i", "INT", "i"},
    {"- (- 5)", "INT", "5"},
    {"- n", "INT?", "(NEG n)"},
    {"1 + 2 * 3", "INT", "7"},
    {"10 / 4", "INT", "2"},
    {"7.0 / 2", "DECIMAL(13,12)", "3.500000000000:DECIMAL(13,12)"},
    {"1.25 * 4", "DECIMAL(13,2)", "5.00:DECIMAL(13,2)"},
    {"2147483647 + 1", "INT", "(ADD 2147483647 1)"},
    {"1 / 0", "INT", "(DIV 1 0)"},
    {"i + NULL", "INT?", "NULL:INT"},
    {"NULL + NULL", "INT?", "NULL:INT"},
    /* comparisons */
    {"i = 5", "BOOLEAN", "(EQ i 5)"},
    {"i8 = 5", "BOOLEAN", "(EQ i8 5:TINYINT)"},
    {"i8 = 300", "BOOLEAN", "(EQ (CAST INT i8) 300)"},
    {"u8 > 3", "BOOLEAN", "(GT u8 3:TINYINT UNSIGNED)"},
    {"u8 > -3", "BOOLEAN", "(GT (CAST INT u8) -3)"},
    {"u64 = 5", "BOOLEAN", "(EQ u64 5:BIGINT UNSIGNED)"},
    {"l < i", "BOOLEAN", "(LT l (CAST BIGINT i))"},
    {"i = l", "BOOLEAN", "(EQ (CAST BIGINT i) l)"},
    {"u32 <> i", "BOOLEAN", "(NE (CAST BIGINT u32) (CAST BIGINT i))"},
    {"d = 5", "BOOLEAN", "(EQ d 5.00:DECIMAL(10,2))"},
    {"d > 1.234", "BOOLEAN", "(GT (CAST DECIMAL(11,3) d) 1.234:DECIMAL(4,3))"},
    {"d < d4", "BOOLEAN", "(LT (CAST DECIMAL(12,4) d) d4)"},
    {"f >= 1", "BOOLEAN", "(GE f 1.0:DOUBLE)"},
    {"r = 0.5", "BOOLEAN", "(EQ (CAST DOUBLE r) 0.5:DOUBLE)"},
    {"s = 'x'", "BOOLEAN", "(EQ s 'x')"},
    {"s = s5", "BOOLEAN", "(EQ s s5)"},
    {"s5 = c", "BOOLEAN", "(EQ s5 (CAST VARCHAR(5) c))"},
    {"c = 'ab'", "BOOLEAN", "(EQ c 'ab   ':CHAR(5))"},
    {"c = 'abcdefgh'", "BOOLEAN", "(EQ (CAST VARCHAR c) 'abcdefgh')"},
    {"c = c9", "BOOLEAN", "(EQ (CAST CHAR(9) c) c9)"},
    {"day = '2020-01-01'", "BOOLEAN", "(EQ day 2020-01-01:DATE)"},
    {"'2020-01-01' <= day", "BOOLEAN", "(LE 2020-01-01:DATE day)"},
    {"ts > day", "BOOLEAN", "(GT ts (CAST TIMESTAMP day))"},
    {"ts > '2020-01-01 00:00:00'", "BOOLEAN", "(GT ts 2020-01-01 00:00:00:TIMESTAMP)"},
    {"clock = '10:00'", "BOOLEAN", "(EQ clock 10:00:00:TIME)"},
    {"id = '00112233-4455-6677-8899-aabbccddeeff'", "BOOLEAN", "(EQ id 00112233-4455-6677-8899-aabbccddeeff:UUID)"},
    {"x = X'01'", "BOOLEAN", "(EQ x X'01':VARBINARY)"},
    {"x = b4", "BOOLEAN", "(EQ x (CAST VARBINARY b4))"},
    {"yes = TRUE", "BOOLEAN", "(EQ yes true)"},
    {"yes = 'true'", "BOOLEAN", "(EQ yes true)"},
    {"n = i", "BOOLEAN?", "(EQ n i)"},
    {"n = NULL", "BOOLEAN?", "(EQ n NULL:INT)"},
    {"NULL = NULL", "BOOLEAN?", "NULL:BOOLEAN"},
    {"1 < 2", "BOOLEAN", "true"},
    {"i != 5", "BOOLEAN", "(NE i 5)"},
    /* logic */
    {"yes AND maybe", "BOOLEAN?", "(AND yes maybe)"},
    {"yes OR maybe AND yes", "BOOLEAN?", "(OR yes (AND maybe yes))"},
    {"NOT yes", "BOOLEAN", "(NOT yes)"},
    {"NOT maybe", "BOOLEAN?", "(NOT maybe)"},
    {"NOT NOT yes", "BOOLEAN", "(NOT (NOT yes))"},
    {"yes AND maybe AND yes AND maybe", "BOOLEAN?", "(AND (AND yes maybe) (AND yes maybe))"},
    {"yes AND (maybe AND yes)", "BOOLEAN?", "(AND yes (AND maybe yes))"},
    {"yes AND NULL", "BOOLEAN?", "(AND yes NULL:BOOLEAN)"},
    {"maybe IS TRUE", "BOOLEAN", "(IS_TRUE maybe)"},
    {"maybe IS NOT TRUE", "BOOLEAN", "(IS_NOT_TRUE maybe)"},
    {"maybe IS FALSE", "BOOLEAN", "(IS_FALSE maybe)"},
    {"maybe IS NOT FALSE", "BOOLEAN", "(IS_NOT_FALSE maybe)"},
    {"n IS NULL", "BOOLEAN", "(IS_NULL n)"},
    {"n IS NOT NULL", "BOOLEAN", "(IS_NOT_NULL n)"},
    {"i = 1 IS NULL", "BOOLEAN", "(IS_NULL (EQ i 1))"},
    {"NULL IS NULL", "BOOLEAN", "true"},
    {"n IS DISTINCT FROM i", "BOOLEAN", "(IS_DISTINCT n i)"},
    {"n IS NOT DISTINCT FROM 3", "BOOLEAN", "(IS_NOT_DISTINCT n 3)"},
    {"i BETWEEN 1 AND 10", "BOOLEAN", "(AND (GE i 1) (LE i 10))"},
    {"n NOT BETWEEN l AND 10", "BOOLEAN?", "(NOT (AND (GE (CAST BIGINT n) l) (LE n 10)))"},
    {"day BETWEEN '2020-01-01' AND '2020-12-31'", "BOOLEAN",
     "(AND (GE day 2020-01-01:DATE) (LE day 2020-12-31:DATE))"},
    {"i IN (1, 2, 3)", "BOOLEAN", "(IN i 1 2 3)"},
    {"i NOT IN (1, l)", "BOOLEAN", "(NOT (IN (CAST BIGINT i) 1:BIGINT l))"},
    {"n IN (1, NULL)", "BOOLEAN?", "(IN n 1 NULL:INT)"},
    {"s IN ('a', 'b')", "BOOLEAN", "(IN s 'a' 'b')"},
    {"d IN (1, 2.345)", "BOOLEAN", "(IN (CAST DECIMAL(11,3) d) 1.000:DECIMAL(11,3) 2.345:DECIMAL(4,3))"},
    {"day IN ('2020-01-01')", "BOOLEAN", "(IN day 2020-01-01:DATE)"},
    {"i8 IN (1, 1000)", "BOOLEAN", "(IN (CAST INT i8) 1 1000)"},
    {"s LIKE 'a%'", "BOOLEAN", "(LIKE s 'a%')"},
    {"sn NOT LIKE 'a!%' ESCAPE '!'", "BOOLEAN?", "(NOT (LIKE sn 'a!%' '!'))"},
    {"c LIKE 'x'", "BOOLEAN", "(LIKE (CAST VARCHAR(5) c) 'x')"},
    /* conditional */
    {"CASE WHEN yes THEN 1 ELSE 2 END", "INT", "(CASE yes 1 2)"},
    {"CASE WHEN yes THEN 1 END", "INT?", "(CASE yes 1 NULL:INT)"},
    {"CASE WHEN maybe THEN i WHEN yes THEN l ELSE 1.5 END", "DECIMAL(20,1)",
     "(CASE maybe (CAST DECIMAL(20,1) i) yes (CAST DECIMAL(20,1) l) 1.5:DECIMAL(2,1))"},
    {"CASE i WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE s END", "VARCHAR", "(CASE (EQ i 1) 'one' (EQ i 2) 'two' s)"},
    {"CASE s5 WHEN 'a' THEN i END", "INT?", "(CASE (EQ s5 'a') i NULL:INT)"},
    {"CASE WHEN yes THEN 'a' ELSE NULL END", "VARCHAR?", "(CASE yes 'a' NULL:VARCHAR)"},
    {"CASE WHEN yes THEN day ELSE '2020-01-01' END", "DATE", "(CASE yes day 2020-01-01:DATE)"},
    {"CASE WHEN yes THEN c ELSE s5 END", "VARCHAR(5)", "(CASE yes (CAST VARCHAR(5) c) s5)"},
    {"CASE WHEN yes THEN u64 ELSE 0 END", "BIGINT UNSIGNED", "(CASE yes u64 0:BIGINT UNSIGNED)"},
    {"CASE WHEN TRUE THEN 1 ELSE 2 END", "INT", "1"},
    {"COALESCE(n, 0)", "INT", "(COALESCE n 0)"},
    {"COALESCE(n, n)", "INT?", "(COALESCE n n)"},
    {"COALESCE(n, i, n)", "INT", "(COALESCE n i n)"},
    {"COALESCE(sn, 'none')", "VARCHAR", "(COALESCE sn 'none')"},
    {"COALESCE(n, l)", "BIGINT", "(COALESCE (CAST BIGINT n) l)"},
    {"NULLIF(i, 0)", "INT?", "(NULLIF i 0)"},
    {"NULLIF(s5, 'x')", "VARCHAR(5)?", "(NULLIF s5 'x')"},
    {"NULLIF(d, 5)", "DECIMAL(10,2)?", "(NULLIF d 5.00:DECIMAL(10,2))"},
    {"IF(yes, i, n)", "INT?", "(CASE yes i n)"},
    {"IF(maybe, 'a', 'b')", "VARCHAR", "(CASE maybe 'a' 'b')"},
    /* casts */
    {"CAST(i AS BIGINT)", "BIGINT", "(CAST BIGINT i)"},
    {"i::VARCHAR", "VARCHAR", "(CAST VARCHAR i)"},
    {"i::VARCHAR::INT", "INT", "(CAST INT (CAST VARCHAR i))"},
    {"CAST(s AS INT)", "INT", "(CAST INT s)"},
    {"CAST(n AS DOUBLE)", "DOUBLE?", "(CAST DOUBLE n)"},
    {"CAST(d AS DECIMAL(12, 2))", "DECIMAL(12,2)", "d"},
    {"CAST(d AS DECIMAL(5, 1))", "DECIMAL(5,1)", "(CAST DECIMAL(5,1) d)"},
    {"CAST(s AS VARCHAR(3))", "VARCHAR(3)", "(CAST VARCHAR(3) s)"},
    {"CAST(s5 AS VARCHAR(9))", "VARCHAR(9)", "s5"},
    {"CAST(c AS VARCHAR)", "VARCHAR", "(CAST VARCHAR c)"},
    {"CAST(s AS CHAR(4))", "CHAR(4)", "(CAST CHAR(4) s)"},
    {"CAST('abc' AS CHAR(5))", "CHAR(5)", "'abc  ':CHAR(5)"},
    {"CAST('12' AS INT)", "INT", "12"},
    {"CAST('abc' AS INT)", "INT", "(CAST INT 'abc')"},
    {"CAST(1 AS BOOLEAN)", "BOOLEAN", "true"},
    {"CAST(yes AS INT)", "INT", "(CAST INT yes)"},
    {"CAST(ts AS DATE)", "DATE", "(CAST DATE ts)"},
    {"CAST(day AS TIMESTAMP)", "TIMESTAMP", "(CAST TIMESTAMP day)"},
    {"CAST(ts AS TIME)", "TIME", "(CAST TIME ts)"},
    {"CAST(s AS UUID)", "UUID", "(CAST UUID s)"},
    {"CAST(id AS VARBINARY)", "VARBINARY", "(CAST VARBINARY id)"},
    {"CAST(s AS DOUBLE PRECISION)", "DOUBLE", "(CAST DOUBLE s)"},
    {"CAST(s AS INT UNSIGNED)", "INT UNSIGNED", "(CAST INT UNSIGNED s)"},
    {"CAST(s AS UNSIGNED INT)", "INT UNSIGNED", "(CAST INT UNSIGNED s)"},
    {"CAST(5 AS UNSIGNED BIGINT)", "BIGINT UNSIGNED", "5:BIGINT UNSIGNED"},
    {"CAST(1.55 AS DECIMAL(3, 1))", "DECIMAL(3,1)", "1.6:DECIMAL(3,1)"},
    {"i::INTEGER", "INT", "i"},
    {"CAST(i AS INT)", "INT", "i"},
    /* strings */
    {"s || s5", "VARCHAR", "(CONCAT s s5)"},
    {"s5 || s5", "VARCHAR(10)", "(CONCAT s5 s5)"},
    {"s || 'a' || 'b'", "VARCHAR", "(CONCAT s 'a' 'b')"},
    {"c || 'x'", "VARCHAR", "(CONCAT (CAST VARCHAR(5) c) 'x')"},
    {"x || x", "VARBINARY", "(CONCAT x x)"},
    {"s || i", "VARCHAR", "(CONCAT s (CAST VARCHAR i))"},
    {"'a' || 'b'", "VARCHAR", "'ab'"},
    {"'a' || NULL", "VARCHAR?", "NULL:VARCHAR"},
    {"CONCAT(s5, s5, 1)", "VARCHAR", "(CONCAT s5 s5 '1')"},
    {"CONCAT(s)", "VARCHAR", "s"},
    {"LOWER(s5)", "VARCHAR(5)", "(LOWER s5)"},
    {"UPPER(sn)", "VARCHAR?", "(UPPER sn)"},
    {"UPPER('abc')", "VARCHAR", "'ABC'"},
    {"CHAR_LENGTH(s)", "INT", "(CHAR_LENGTH s)"},
    {"CHARACTER_LENGTH(c)", "INT", "(CHAR_LENGTH (CAST VARCHAR(5) c))"},
    {"LENGTH(sn)", "INT?", "(CHAR_LENGTH sn)"},
    {"LEN('hé')", "INT", "2"},
    {"OCTET_LENGTH(x)", "INT", "(OCTET_LENGTH x)"},
    {"OCTET_LENGTH(s)", "INT", "(OCTET_LENGTH s)"},
    {"SUBSTRING(s FROM 2)", "VARCHAR", "(SUBSTRING s 2:BIGINT)"},
    {"SUBSTRING(s5 FROM 2 FOR i)", "VARCHAR(5)", "(SUBSTRING s5 2:BIGINT (CAST BIGINT i))"},
    {"SUBSTRING(s, 1, 2)", "VARCHAR", "(SUBSTRING s 1:BIGINT 2:BIGINT)"},
    {"SUBSTR(sn, 2)", "VARCHAR?", "(SUBSTRING sn 2:BIGINT)"},
    {"SUBSTRING(x FROM 1 FOR 1)", "VARBINARY", "(SUBSTRING x 1:BIGINT 1:BIGINT)"},
    {"SUBSTRING('hello' FROM 2 FOR 3)", "VARCHAR", "'ell'"},
    {"TRIM(s)", "VARCHAR", "(TRIM_BOTH s ' ')"},
    {"TRIM(BOTH 'x' FROM s)", "VARCHAR", "(TRIM_BOTH s 'x')"},
    {"TRIM(LEADING FROM s5)", "VARCHAR(5)", "(TRIM_LEADING s5 ' ')"},
    {"TRIM(TRAILING 'x' FROM sn)", "VARCHAR?", "(TRIM_TRAILING sn 'x')"},
    {"TRIM('x' FROM s)", "VARCHAR", "(TRIM_BOTH s 'x')"},
    {"LTRIM(s)", "VARCHAR", "(TRIM_LEADING s ' ')"},
    {"RTRIM(s, 'ab')", "VARCHAR", "(TRIM_TRAILING s 'ab')"},
    {"BTRIM(s)", "VARCHAR", "(TRIM_BOTH s ' ')"},
    {"SPLIT_PART(s, ',', 2)", "VARCHAR", "(SPLIT_PART s ',' 2:BIGINT)"},
    {"SPLIT_PART('a,b', ',', 2)", "VARCHAR", "'b'"},
    /* numbers */
    {"ABS(i)", "INT", "(ABS i)"},
    {"ABS(n)", "INT?", "(ABS n)"},
    {"ABS(d)", "DECIMAL(10,2)", "(ABS d)"},
    {"ABS(-5)", "INT", "5"},
    {"MOD(l, 3)", "BIGINT", "(MOD l 3:BIGINT)"},
    {"MOD(d, 3)", "DECIMAL(10,2)", "(MOD d 3.00:DECIMAL(12,2))"},
    {"ROUND(d)", "DECIMAL(9,0)", "(ROUND d)"},
    {"ROUND(d, 1)", "DECIMAL(10,1)", "(ROUND d 1)"},
    {"ROUND(d, i)", "DECIMAL(11,2)", "(ROUND d i)"},
    {"ROUND(d, -1)", "DECIMAL(9,0)", "(ROUND d -1)"},
    {"ROUND(f)", "DOUBLE", "(ROUND f)"},
    {"ROUND(f, 2)", "DOUBLE", "(ROUND f 2)"},
    {"ROUND(2.567, 2)", "DECIMAL(4,2)", "2.57:DECIMAL(4,2)"},
    {"FLOOR(d)", "DECIMAL(9,0)", "(FLOOR d)"},
    {"FLOOR(f)", "DOUBLE", "(FLOOR f)"},
    {"FLOOR(i)", "INT", "(FLOOR i)"},
    {"CEIL(d)", "DECIMAL(9,0)", "(CEIL d)"},
    {"CEILING(r)", "REAL", "(CEIL r)"},
    {"CEIL(1.2)", "DECIMAL(2,0)", "2:DECIMAL(2,0)"},
    /* moments */
    {"EXTRACT(YEAR FROM day)", "BIGINT", "(EXTRACT 3 day)"},
    {"EXTRACT(hour FROM clock)", "BIGINT", "(EXTRACT 12 clock)"},
    {"EXTRACT(epoch FROM ts)", "BIGINT", "(EXTRACT 18 ts)"},
    {"YEAR(day)", "BIGINT", "(EXTRACT 3 day)"},
    {"MONTH(ts)", "BIGINT", "(EXTRACT 6 ts)"},
    {"DAYOFMONTH(day)", "BIGINT", "(EXTRACT 8 day)"},
    {"HOUR(clock)", "BIGINT", "(EXTRACT 12 clock)"},
    {"MINUTE(ts)", "BIGINT", "(EXTRACT 13 ts)"},
    {"SECOND(ts)", "BIGINT", "(EXTRACT 14 ts)"},
    {"YEAR(DATE '2020-05-06')", "BIGINT", "2020:BIGINT"},
};

START_TEST(expression) {
  char text[4096], type[64];
  snprintf(text, sizeof text, TABLE "CREATE VIEW v AS SELECT %s AS x FROM t;", expressions[_i].text);
  program *p = sql_compile_good(text);
  const program_relation *v = &p->relations[1];
  ck_assert_uint_eq(v->n_branches, 1);
  const expr *e = v->branches[0].project[0];
  sql_type_text(&v->schema.fields[0].type, type, sizeof type);
  ck_assert_str_eq(type, expressions[_i].type);
  ck_assert_int_eq(memcmp(&e->type, &v->schema.fields[0].type, sizeof(hw_type)), 0);
  shape s = {.input = &p->relations[0].schema};
  put_expr(&s, e);
  ck_assert_str_eq(s.text, expressions[_i].shape);
  program_unref(p);
}
END_TEST

/* ---- tables ----------------------------------------------------------------- */

static const struct {
  const char *written, *type;
} types[] = {
    {"BOOLEAN", "BOOLEAN?"}, {"bool", "BOOLEAN?"}, {"TINYINT", "TINYINT?"}, {"SMALLINT", "SMALLINT?"},
    {"INT2", "SMALLINT?"}, {"INT16", "SMALLINT?"}, {"INT", "INT?"}, {"INTEGER", "INT?"}, {"INT32", "INT?"},
    {"INT4", "INT?"}, {"SIGNED", "INT?"}, {"BIGINT", "BIGINT?"}, {"INT64", "BIGINT?"}, {"INT8", "BIGINT?"},
    {"TINYINT UNSIGNED", "TINYINT UNSIGNED?"}, {"UNSIGNED SMALLINT", "SMALLINT UNSIGNED?"},
    {"INTEGER UNSIGNED", "INT UNSIGNED?"}, {"UNSIGNED BIGINT", "BIGINT UNSIGNED?"}, {"REAL", "REAL?"},
    {"FLOAT", "REAL?"}, {"FLOAT4", "REAL?"}, {"FLOAT32", "REAL?"}, {"DOUBLE", "DOUBLE?"},
    {"DOUBLE PRECISION", "DOUBLE?"}, {"FLOAT8", "DOUBLE?"}, {"FLOAT64", "DOUBLE?"}, {"DECIMAL", "DECIMAL(38,0)?"},
    {"DEC(5)", "DECIMAL(5,0)?"}, {"NUMERIC(38, 38)", "DECIMAL(38,38)?"}, {"NUMBER(10,2)", "DECIMAL(10,2)?"},
    {"CHAR", "CHAR(1)?"}, {"CHARACTER(7)", "CHAR(7)?"}, {"VARCHAR", "VARCHAR?"}, {"VARCHAR(9)", "VARCHAR(9)?"},
    {"CHARACTER VARYING", "VARCHAR?"}, {"CHAR VARYING(3)", "VARCHAR(3)?"}, {"STRING", "VARCHAR?"},
    {"TEXT", "VARCHAR?"}, {"BINARY", "BINARY(1)?"}, {"BINARY(16)", "BINARY(16)?"}, {"VARBINARY", "VARBINARY?"},
    {"VARBINARY(4)", "VARBINARY(4)?"}, {"BINARY VARYING(4)", "VARBINARY(4)?"}, {"BYTEA", "VARBINARY?"},
    {"DATE", "DATE?"}, {"TIME", "TIME?"}, {"TIMESTAMP", "TIMESTAMP?"}, {"DATETIME", "TIMESTAMP?"}, {"UUID", "UUID?"},
    {"INT NULL", "INT?"}, {"INT NOT NULL", "INT"}, {"INT PRIMARY KEY", "INT"},
};

START_TEST(type_name) {
  char text[256], found[64];
  snprintf(text, sizeof text, "create table T (c %s);", types[_i].written);
  program *p = sql_compile_good(text);
  sql_type_text(&p->relations[0].schema.fields[0].type, found, sizeof found);
  ck_assert_str_eq(found, types[_i].type);
  program_unref(p);
}
END_TEST

static const struct {
  const char *column, *value; /* NULL: none */
} defaults[] = {
    {"INT", NULL}, {"INT DEFAULT 5", "5"}, {"INT DEFAULT -5 NOT NULL", "-5"}, {"INT NOT NULL DEFAULT +5", "5"},
    {"INT DEFAULT NULL", "NULL:INT"}, {"BIGINT DEFAULT 5", "5:BIGINT"},
    {"TINYINT UNSIGNED DEFAULT 255", "255:TINYINT UNSIGNED"}, {"BIGINT UNSIGNED DEFAULT 18446744073709551615",
    "18446744073709551615:BIGINT UNSIGNED"}, {"DOUBLE DEFAULT 1", "1.0:DOUBLE"}, {"DOUBLE DEFAULT 1.5", "1.5:DOUBLE"},
    {"REAL DEFAULT 0.5", "0.5:REAL"}, {"DECIMAL(5, 2) DEFAULT 1.005", "1.01:DECIMAL(5,2)"},
    {"DECIMAL(5, 2) DEFAULT -7", "-7.00:DECIMAL(5,2)"}, {"VARCHAR DEFAULT 'a''b'", "'a'b'"},
    {"VARCHAR(3) DEFAULT 'abc'", "'abc':VARCHAR(3)"}, {"CHAR(3) DEFAULT 'a'", "'a  ':CHAR(3)"},
    {"VARBINARY DEFAULT X'0aFF'", "X'0aff':VARBINARY"}, {"DATE DEFAULT '2020-02-29'", "2020-02-29:DATE"},
    {"DATE DEFAULT DATE '2020-02-29'", "2020-02-29:DATE"}, {"TIMESTAMP DEFAULT DATE '2020-01-01'",
    "2020-01-01 00:00:00:TIMESTAMP"}, {"TIME DEFAULT '01:02:03.5'", "01:02:03.5:TIME"},
    {"BOOLEAN DEFAULT TRUE", "true"}, {"BOOLEAN DEFAULT 'false'", "false"}, {"INT DEFAULT CAST('7' AS INT)", "7"},
    {"INT DEFAULT '7'", "7"}, {"INT DEFAULT 2 * 3 + 1", "7"}, {"INT DEFAULT 2.0", "2"}, {"INT DEFAULT 2e0", "2"},
    {"VARCHAR DEFAULT UPPER('x') || 'y'", "'Xy'"},
    {"UUID DEFAULT '00112233445566778899aabbccddeeff'", "00112233-4455-6677-8899-aabbccddeeff:UUID"},
    {"BIGINT DEFAULT 1::BIGINT PRIMARY KEY", "1:BIGINT"}, {"INT DEFAULT (CASE WHEN 1 < 2 THEN 3 ELSE 4 END)", "3"},
};

START_TEST(default_value) {
  char text[256];
  snprintf(text, sizeof text, "CREATE TABLE t (c %s);", defaults[_i].column);
  program *p = sql_compile_good(text);
  const hw_field *f = &p->relations[0].schema.fields[0];
  ck_assert_int_eq(f->has_default, defaults[_i].value != NULL);
  shape s = {.len = 0};
  expr literal = {.op = EXPR_LITERAL, .type = f->type, .value = f->default_value};
  if (f->has_default) put_literal(&s, &literal);
  ck_assert_str_eq(s.text, defaults[_i].value ? defaults[_i].value : "");
  program_unref(p);
}
END_TEST

START_TEST(keys) {
  program *p = sql_compile_good("CREATE TABLE t (a INT, b INT, \"C\" INT, PRIMARY KEY (\"C\", a));"
                                "CREATE TABLE u (x INT PRIMARY KEY);CREATE TABLE v (x INT)");
  const program_relation *t = &p->relations[0];
  ck_assert_uint_eq(t->n_key, 2);
  ck_assert_uint_eq(t->key[0], 2);
  ck_assert_uint_eq(t->key[1], 0);
  ck_assert(!t->schema.fields[0].type.nullable && t->schema.fields[1].type.nullable);
  ck_assert(t->schema.fields[2].case_sensitive && !t->schema.fields[0].case_sensitive);
  ck_assert_uint_eq(p->relations[1].n_key, 1);
  ck_assert_uint_eq(p->relations[2].n_key, 0);
  ck_assert_uint_eq(t->schema.n_key, 2);
  ck_assert(hw_schema_in_key(&t->schema, 0) && !hw_schema_in_key(&t->schema, 1) && hw_schema_in_key(&t->schema, 2));
  ck_assert(program_relation_is_stored(t) && !program_relation_is_stored(&p->relations[2]));
  program_unref(p);
}
END_TEST

START_TEST(names) {
  program *p = sql_compile_good("CREATE TABLE \"My \"\"Table\" (KEY INT, View INT, local INT, \"order\" INT, date DATE,"
                                " Time TIME, timestamp TIMESTAMP, type INT, index INT, name INT, value INT,"
                                " substring INT, trim INT, extract INT, materialized INT, \xC3\xA9t\xC3\xA9 INT,"
                                " unsigned INT, precision INT, map INT, row INT, a$b INT, to INT, interval INT);"
                                "CREATE VIEW V2 AS SELECT key, view v, t.local AS FOR, date, time, type, substring,"
                                " trim, extract, ROW, precision + unsigned AS precision FROM \"My \"\"Table\" t;"
                                "CREATE VIEW v3 AS SELECT v2.key key, precision FROM v2;");
  ck_assert_str_eq(p->relations[0].schema.name, "My \"Table");
  ck_assert(p->relations[0].case_sensitive && !p->relations[1].case_sensitive);
  ck_assert_str_eq(p->relations[1].schema.name, "v2");
  ck_assert_str_eq(p->relations[0].schema.fields[15].name, "\xC3\xA9t\xC3\xA9");
  ck_assert_str_eq(p->relations[1].schema.fields[2].name, "for");
  ck_assert_str_eq(p->relations[2].schema.fields[1].name, "precision");
  ck_assert_int_eq(program_find_relation(p, "V2"), 1);
  program_unref(p);
}
END_TEST

/* ---- views ------------------------------------------------------------------ */

static void check_fields(const program_relation *r, const char *expected) {
  char text[1024] = "", type[64];
  for (uint32_t i = 0; i < r->schema.n_fields; i++) {
    const hw_field *f = &r->schema.fields[i];
    sql_type_text(&f->type, type, sizeof type);
    size_t len = strlen(text);
    snprintf(text + len, sizeof text - len, "%s%s%s %s", i ? ", " : "", f->name, f->case_sensitive ? "!" : "", type);
  }
  ck_assert_str_eq(text, expected);
}

static const char *filter_text(const program *p, uint32_t view, uint32_t branch) {
  static shape s;
  const program_branch *b = &p->relations[view].branches[branch];
  s = (shape){.input = &p->relations[b->input].schema};
  if (b->filter) put_expr(&s, b->filter);
  return s.text;
}

static const char *project_text(const program *p, uint32_t view, uint32_t branch, uint32_t i) {
  static shape s;
  const program_branch *b = &p->relations[view].branches[branch];
  s = (shape){.input = &p->relations[b->input].schema};
  put_expr(&s, b->project[i]);
  return s.text;
}

START_TEST(views) {
  program *p = sql_compile_good(
      "CREATE TABLE t (a INT NOT NULL, \"B\" VARCHAR(4), c DECIMAL(5, 2));\n"
      "CREATE VIEW v1 AS SELECT * FROM t;\n"
      "CREATE LOCAL VIEW v2 AS SELECT x.*, x.a + 1, 'k' AS \"K\", a b FROM v1 AS x WHERE a > 1;\n"
      "CREATE MATERIALIZED VIEW v3 (p, \"Q\") AS SELECT a, \"B\" FROM v2 WHERE TRUE;\n"
      "CREATE VIEW v4 WITH ('materialized' = 'TRUE') AS SELECT \"EXPR$3\" FROM v2");
  ck_assert_uint_eq(p->n_relations, 5);
  check_fields(&p->relations[1], "a INT, B! VARCHAR(4)?, c DECIMAL(5,2)?");
  check_fields(&p->relations[2], "a INT, B! VARCHAR(4)?, c DECIMAL(5,2)?, EXPR$3! INT, K! VARCHAR, b INT");
  check_fields(&p->relations[3], "p INT, Q! VARCHAR(4)?");
  ck_assert(p->relations[2].local && !p->relations[1].local);
  ck_assert(p->relations[3].materialized && p->relations[4].materialized && !p->relations[2].materialized);
  ck_assert_uint_eq(p->relations[2].branches[0].input, 1);
  ck_assert_uint_eq(p->relations[3].branches[0].input, 2);
  ck_assert_str_eq(filter_text(p, 2, 0), "(GT a 1)");
  ck_assert_ptr_null(p->relations[3].branches[0].filter); /* WHERE TRUE is none */
  program_unref(p);
}
END_TEST

START_TEST(unions) {
  program *p = sql_compile_good(
      "CREATE TABLE t (a INT NOT NULL, s VARCHAR(4) NOT NULL, d DATE NOT NULL);\n"
      "CREATE TABLE u (b BIGINT, s VARCHAR(9) NOT NULL, ts TIMESTAMP NOT NULL);\n"
      "CREATE VIEW v AS (SELECT a, s, d FROM t WHERE a > 0 UNION ALL (SELECT b, s, ts FROM u))\n"
      " UNION ALL SELECT 1.5, LOWER(s), NULL FROM t UNION ALL SELECT a, 'lit', '2020-01-01' FROM t");
  const program_relation *v = &p->relations[2];
  ck_assert_uint_eq(v->n_branches, 4);
  check_fields(v, "a DECIMAL(20,1)?, s VARCHAR, d TIMESTAMP?");
  ck_assert_str_eq(project_text(p, 2, 0, 0), "(CAST DECIMAL(20,1) a)");
  ck_assert_str_eq(project_text(p, 2, 1, 0), "(CAST DECIMAL(20,1) b)");
  ck_assert_str_eq(project_text(p, 2, 2, 0), "1.5:DECIMAL(20,1)");
  ck_assert_str_eq(project_text(p, 2, 0, 1), "s");
  ck_assert_str_eq(project_text(p, 2, 2, 1), "(CAST VARCHAR (LOWER s))");
  ck_assert_str_eq(project_text(p, 2, 0, 2), "(CAST TIMESTAMP d)");
  ck_assert_str_eq(project_text(p, 2, 2, 2), "NULL:TIMESTAMP");
  ck_assert_str_eq(project_text(p, 2, 3, 2), "2020-01-01 00:00:00:TIMESTAMP");
  for (uint32_t k = 0; k < 4; k++)
    for (uint32_t i = 0; i < 3; i++)
      ck_assert_int_eq(memcmp(&v->branches[k].project[i]->type, &v->schema.fields[i].type, sizeof(hw_type)), 0);
  ck_assert_str_eq(filter_text(p, 2, 0), "(GT a 0)");
  ck_assert_str_eq(filter_text(p, 2, 1), "");
  program_unref(p);
}
END_TEST

/* Where an expression stands is for messages at run time. */
START_TEST(places) {
  program *p = sql_compile_good("CREATE TABLE t (a INT NOT NULL);\n"
                                "CREATE VIEW v AS\n"
                                "  SELECT 1 +\n"
                                "    10 /   a AS q\n"
                                "  FROM t;");
  const expr *add = p->relations[1].branches[0].project[0], *div = add->args[1];
  ck_assert_str_eq(add->text, "1 + 10 / a");
  ck_assert_int_eq(add->line, 3);
  ck_assert_int_eq(add->column, 10);
  ck_assert_str_eq(div->text, "10 / a");
  ck_assert_int_eq(div->line, 4);
  ck_assert_int_eq(div->column, 5);
  program_unref(p);
}
END_TEST

/* ---- properties and connectors -------------------------------------------------- */

START_TEST(append_only) {
  program *p = sql_compile_good("CREATE TABLE t (a INT) WITH ('append_only' = 'true');"
                                "CREATE TABLE u (a INT PRIMARY KEY) WITH ('append_only' = 'false');"
                                "CREATE MATERIALIZED VIEW v AS SELECT a FROM t");
  ck_assert(p->relations[0].schema.append_only && !program_relation_is_stored(&p->relations[0]));
  ck_assert(!p->relations[1].schema.append_only && program_relation_is_stored(&p->relations[1]));
  ck_assert(program_relation_is_stored(&p->relations[2]));
  program_unref(p);
}
END_TEST

START_TEST(properties) {
  program *p = sql_compile_good("CREATE TABLE t (a INT) WITH (\n"
                                "  'materialized' = 'true', 'append_only'='FALSE',\n"
                                "  'k''x' =\n"
                                "    'v''1'\n"
                                ");");
  ck_assert_str_eq(sql_messages_text(), "warning 3:3-3:8 Compilation error: unknown property 'k'x' has no effect "
                                        "(known: append_only, connectors, materialized)\n");
  const program_relation *t = &p->relations[0];
  ck_assert(t->materialized);
  ck_assert_uint_eq(t->n_properties, 3);
  const program_property *last = &t->properties[2];
  ck_assert_str_eq(last->key, "k'x");
  ck_assert_str_eq(last->value, "v'1");
  ck_assert_int_eq(last->key_line * 100 + last->key_column, 303);
  ck_assert_int_eq(last->value_line * 100 + last->value_column, 405);
  ck_assert_int_eq(t->properties[1].key_column, 28);
  program_unref(p);
}
END_TEST

START_TEST(connectors) {
  program *p = sql_compile_good(
      "CREATE TABLE t (a INT) WITH ('connectors' = '[\n"
      "  {\"name\": \"f-1\", \"transport\": {\"name\": \"t_file_input\", \"config\": {\"path\": \"it''s\","
      " \"key\": \"hunter2\", \"size\": \"5\"}}, \"format\": {\"name\": \"t_lines\", \"config\": {\"columns\": 1}},"
      " \"paused\": true, \"labels\": [\"a\", \"b\"], \"max_queued_records\": 10, \"max_batch_size\": 7},\n"
      "  {\"transport\": {\"name\": \"t_gen\"}, \"start_after\": \"a\", \"format\": null, \"send_snapshot\": false,"
      " \"max_worker_batch_size\": 10000, \"index\": null, \"max_record_bytes\": 99, \"max_queued_bytes\": 5},\n"
      "  {\"transport\": {\"name\": \"t_gen\", \"config\": null}, \"start_after\": [\"a\", \"b\"]}]');\n"
      "CREATE VIEW \"V\" WITH ('connectors' = '[{\"name\": \"f-1\", \"transport\": {\"name\": \"t_null\"}},"
      " {\"transport\": {\"name\": \"t_file_output\", \"config\": {\"path\": \"x\"}},"
      " \"format\": {\"name\": \"t_lines\"}}]') AS SELECT a FROM t;");
  ck_assert_str_eq(sql_messages_text(), "");
  ck_assert_uint_eq(p->n_connectors, 5);
  const program_connector *c = p->connectors;
  ck_assert_str_eq(c[0].name, "f-1");
  ck_assert_str_eq(c[0].endpoint, "t.f-1");
  ck_assert(c[0].is_input && c[0].paused && c[0].relation == 0 && c[0].input && c[0].format);
  ck_assert_str_eq(hw_config_string(c[0].transport_config, "path"), "it's");
  ck_assert_int_eq(hw_config_int(c[0].transport_config, "size"), 5);
  ck_assert_int_eq(hw_config_int(c[0].format_config, "columns"), 1);
  ck_assert_uint_eq(c[0].n_labels, 2);
  ck_assert_str_eq(c[0].labels[1], "b");
  ck_assert_int_eq(c[0].max_queued_records, 10);
  ck_assert_int_eq(c[0].max_queued_bytes, 10000);
  ck_assert_int_eq(c[0].max_batch_size, 7);
  ck_assert_int_eq(c[0].max_record_bytes, 16777216);
  ck_assert_str_eq(c[0].json,
                   "{\"name\":\"f-1\",\"transport\":{\"name\":\"t_file_input\",\"config\":{\"path\":\"it's\","
                   "\"size\":5,\"key\":\"***\",\"dotted.name\":false}},"
                   "\"format\":{\"name\":\"t_lines\",\"config\":{\"columns\":1}}"
                   ",\"paused\":true,\"labels\":[\"a\",\"b\"],\"max_queued_records\":10,\"max_batch_size\":7,"
                   "\"max_record_bytes\":16777216,\"max_queued_bytes\":10000}");
  ck_assert_str_eq(c[1].name, "unnamed-1");
  ck_assert_uint_eq(c[1].n_start_after, 1);
  ck_assert_ptr_null(c[1].format);
  ck_assert_int_eq(c[1].max_queued_bytes, 5);
  ck_assert_int_eq(c[1].max_record_bytes, 99);
  ck_assert_uint_eq(c[2].n_start_after, 2);
  ck_assert(!c[3].is_input && c[3].output && !c[3].format && c[3].relation == 1);
  ck_assert_str_eq(c[3].endpoint, "V.f-1");
  ck_assert_int_eq(c[3].max_queued_records, 1000000);
  ck_assert_int_eq(c[3].max_queued_bytes, 1000000000);
  ck_assert_ptr_null(strstr(c[0].json, "hunter2"));
  json_t *json = json_loads(c[4].json, 0, NULL);
  ck_assert_ptr_nonnull(json);
  json_decref(json);
  ck_assert_int_eq(sql_instances, 0); /* made to check them, and dropped */
  ck_assert_int_eq(sql_instances_made, 2);
  ck_assert_int_eq(sql_transports, 0);
  ck_assert_int_eq(sql_transports_made, 5);
  ck_assert_int_eq(program_find_connector(p, 0, true, "f-1"), 0);
  program_unref(p);
}
END_TEST

START_TEST(attributes_are_listed) {
  const hw_option *o = sql_connector_attributes;
  ck_assert_str_eq(o[0].name, "name");
  for (; o->name; o++) ck_assert_ptr_nonnull(o->description);
}
END_TEST

/* ---- size ------------------------------------------------------------------------ */

typedef struct text {
  char *data;
  size_t len, size;
} text;

static void add(text *t, const char *s) {
  size_t n = strlen(s);
  if (t->len + n + 1 > t->size) {
    t->size = (t->len + n + 1) * 2;
    t->data = realloc(t->data, t->size);
    ck_assert_ptr_nonnull(t->data);
  }
  memcpy(t->data + t->len, s, n + 1);
  t->len += n;
}

static program *compile_text(text *t) {
  program *p = sql_compile(t->data, t->len);
  free(t->data);
  return p;
}

static uint32_t depth(const expr *e) {
  uint32_t deepest = 0;
  for (uint32_t i = 0; i < e->n_args; i++) {
    uint32_t d = depth(e->args[i]);
    if (d > deepest) deepest = d;
  }
  return deepest + 1;
}

START_TEST(long_chains) {
  text t = {0};
  add(&t, "CREATE TABLE t (a INT NOT NULL, s VARCHAR); CREATE VIEW v AS SELECT a = 0");
  for (int i = 0; i < 50000; i++) add(&t, i % 2 ? " OR a = 1" : " OR a = 2");
  add(&t, " AS x, s");
  for (int i = 0; i < 50000; i++) add(&t, "||'x'");
  add(&t, " AS y, a IN (0");
  for (int i = 0; i < 50000; i++) add(&t, ",1");
  add(&t, ") AS z, CONCAT(s");
  for (int i = 0; i < 50000; i++) add(&t, ",s");
  add(&t, ") AS zz FROM t");
  for (int i = 0; i < 1000; i++) add(&t, " UNION ALL SELECT TRUE, s, FALSE, s FROM t");
  program *p = compile_text(&t);
  ck_assert_msg(p != NULL, "%s", sql_messages_text());
  const program_relation *v = &p->relations[1];
  ck_assert_uint_le(depth(v->branches[0].project[0]), 20);
  ck_assert_uint_eq(v->branches[0].project[1]->n_args, 50001);
  ck_assert_uint_eq(v->n_branches, 1001);
  program_unref(p);
}
END_TEST

START_TEST(many_relations) {
  text t = {0};
  char line[256];
  for (int i = 0; i < 1000; i++) {
    snprintf(line, sizeof line, "CREATE TABLE t%d (id BIGINT NOT NULL PRIMARY KEY, a INT, b VARCHAR);\n", i);
    add(&t, line);
    snprintf(line, sizeof line, "CREATE VIEW v%d AS SELECT id, a + 1 AS a, LOWER(b) AS b FROM %c%d WHERE a > 0;\n", i,
             i % 3 && i ? 'v' : 't', i % 3 && i ? i - 1 : i);
    add(&t, line);
  }
  program *p = compile_text(&t);
  ck_assert_msg(p != NULL, "%s", sql_messages_text());
  ck_assert_uint_eq(p->n_relations, 2000);
  for (uint32_t i = 0; i < p->n_relations; i++)
    for (uint32_t k = 0; k < p->relations[i].n_branches; k++) ck_assert_uint_lt(p->relations[i].branches[k].input, i);
  ck_assert_int_eq(program_find_relation(p, "V999"), 1999);
  program_unref(p);
}
END_TEST

START_TEST(empty_programs) {
  static const char *const texts[] = {"", ";", " \n-- nothing\n/* nothing */ ;;", "\xEF\xBB\xBF-- BOM\n"};
  program *p = sql_compile_good(texts[_i]);
  ck_assert_uint_eq(p->n_relations, 0);
  program_unref(p);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("sql");
  TCase *c = tcase_create("good programs");
  tcase_add_checked_fixture(c, sql_register, NULL);
  tcase_set_timeout(c, 20);
  tcase_add_loop_test(c, expression, 0, COUNT(expressions));
  tcase_add_loop_test(c, type_name, 0, COUNT(types));
  tcase_add_loop_test(c, default_value, 0, COUNT(defaults));
  tcase_add_test(c, keys);
  tcase_add_test(c, names);
  tcase_add_test(c, views);
  tcase_add_test(c, unions);
  tcase_add_test(c, places);
  tcase_add_test(c, properties);
  tcase_add_test(c, append_only);
  tcase_add_test(c, connectors);
  tcase_add_test(c, attributes_are_listed);
  tcase_add_test(c, long_chains);
  tcase_add_test(c, many_relations);
  tcase_add_loop_test(c, empty_programs, 0, 4);
  suite_add_tcase(suite, c);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
