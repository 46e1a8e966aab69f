/* words.c - keyword and "not supported yet" tables. */
#include "sql/words.h"

#include "sql/parser.h"

#include "sql/grammar.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct word {
  const char *text;
  int token;
} word;

/* Sorted. TOK_FOREIGN: never a name, since it begins a clause of SQL that would
 * otherwise be taken for an alias. */
static const word keywords[] = {
    {"ALL", TOK_ALL},
    {"AND", TOK_AND},
    {"AS", TOK_AS},
    {"BETWEEN", TOK_BETWEEN},
    {"BOTH", TOK_BOTH},
    {"CASE", TOK_CASE},
    {"CAST", TOK_CAST},
    {"CREATE", TOK_CREATE},
    {"CROSS", TOK_FOREIGN},
    {"DEFAULT", TOK_DEFAULT},
    {"DISTINCT", TOK_DISTINCT},
    {"ELSE", TOK_ELSE},
    {"END", TOK_END},
    {"ESCAPE", TOK_ESCAPE},
    {"EXCEPT", TOK_FOREIGN},
    {"EXTRACT", TOK_EXTRACT},
    {"FALSE", TOK_FALSE},
    {"FETCH", TOK_FOREIGN},
    {"FOR", TOK_FOR},
    {"FROM", TOK_FROM},
    {"FULL", TOK_FOREIGN},
    {"GROUP", TOK_FOREIGN},
    {"HAVING", TOK_FOREIGN},
    {"IN", TOK_IN},
    {"INNER", TOK_FOREIGN},
    {"INTERSECT", TOK_FOREIGN},
    {"IS", TOK_IS},
    {"JOIN", TOK_FOREIGN},
    {"KEY", TOK_KEY},
    {"LATENESS", TOK_FOREIGN},
    {"LATERAL", TOK_FOREIGN},
    {"LEADING", TOK_LEADING},
    {"LEFT", TOK_FOREIGN},
    {"LIKE", TOK_LIKE},
    {"LIMIT", TOK_FOREIGN},
    {"LOCAL", TOK_LOCAL},
    {"MATERIALIZED", TOK_MATERIALIZED},
    {"MINUS", TOK_FOREIGN},
    {"NATURAL", TOK_FOREIGN},
    {"NOT", TOK_NOT},
    {"NULL", TOK_NULL},
    {"OFFSET", TOK_FOREIGN},
    {"ON", TOK_FOREIGN},
    {"OR", TOK_OR},
    {"ORDER", TOK_FOREIGN},
    {"OVER", TOK_FOREIGN},
    {"PRECISION", TOK_PRECISION},
    {"PRIMARY", TOK_PRIMARY},
    {"QUALIFY", TOK_FOREIGN},
    {"RIGHT", TOK_FOREIGN},
    {"SELECT", TOK_SELECT},
    {"SUBSTRING", TOK_SUBSTRING},
    {"TABLE", TOK_TABLE},
    {"TABLESAMPLE", TOK_FOREIGN},
    {"THEN", TOK_THEN},
    {"TRAILING", TOK_TRAILING},
    {"TRIM", TOK_TRIM},
    {"TRUE", TOK_TRUE},
    {"UNION", TOK_UNION},
    {"UNSIGNED", TOK_UNSIGNED},
    {"USING", TOK_FOREIGN},
    {"VALUES", TOK_FOREIGN},
    {"VARYING", TOK_VARYING},
    {"VIEW", TOK_VIEW},
    {"WHEN", TOK_WHEN},
    {"WHERE", TOK_WHERE},
    {"WINDOW", TOK_FOREIGN},
    {"WITH", TOK_WITH},
};

/* Sorted; those that are TOK_FOREIGN above may not be names here either. */
static const word ad_hoc[] = {
    {"ASC", TOK_ASC},       {"BY", TOK_BY},         {"DESC", TOK_DESC},   {"FIRST", TOK_FIRST}, {"GROUP", TOK_GROUP},
    {"HAVING", TOK_HAVING}, {"INSERT", TOK_INSERT}, {"INTO", TOK_INTO},   {"LAST", TOK_LAST},   {"LIMIT", TOK_LIMIT},
    {"NULLS", TOK_NULLS},   {"OFFSET", TOK_OFFSET}, {"ORDER", TOK_ORDER}, {"VALUES", TOK_VALUES},
};

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define WORD_MAX 32

static int compare_words(const void *a, const void *b) {
  return strcasecmp(((const word *)a)->text, ((const word *)b)->text);
}

static int find(const char *text, size_t len, const word *words, size_t n) {
  char copy[WORD_MAX];
  if (len >= sizeof copy) return -1;
  memcpy(copy, text, len);
  copy[len] = '\0';
  word key = {.text = copy};
  const word *found = bsearch(&key, words, n, sizeof *words, compare_words);
  return found ? found->token : -1;
}

int words_keyword(const char *text, size_t len) { return find(text, len, keywords, COUNT(keywords)); }
int words_ad_hoc(const char *text, size_t len) { return find(text, len, ad_hoc, COUNT(ad_hoc)); }

#define ANYWHERE (WORDS_HERE | WORDS_BEFORE)

static const struct {
  const char *word, *construct;
  unsigned where;
} unsupported[] = {
    {"AGGREGATE", "CREATE AGGREGATE", WORDS_AFTER_CREATE},
    {"ARRAY", "the type ARRAY", ANYWHERE},
    {"ASOF", "joins (ASOF JOIN)", ANYWHERE},
    {"CHECK", "CHECK constraints", WORDS_HERE},
    {"CONSTRAINT", "named constraints", WORDS_HERE},
    {"CROSS", "joins (CROSS JOIN)", WORDS_HERE},
    {"DECLARE", "DECLARE RECURSIVE VIEW", WORDS_HERE},
    {"EMIT", "EMIT", WORDS_HERE},
    {"EXCEPT", "EXCEPT", WORDS_HERE},
    {"FETCH", "FETCH FIRST", WORDS_HERE},
    {"FOREIGN", "foreign keys", ANYWHERE},
    {"FULL", "joins (FULL JOIN)", WORDS_HERE},
    {"FUNCTION", "CREATE FUNCTION", WORDS_AFTER_CREATE},
    {"GROUP", "GROUP BY", WORDS_HERE},
    {"HAVING", "HAVING", WORDS_HERE},
    {"ILIKE", "ILIKE", ANYWHERE},
    {"INDEX", "CREATE INDEX", WORDS_AFTER_CREATE},
    {"INNER", "joins (INNER JOIN)", WORDS_HERE},
    {"INTERSECT", "INTERSECT", WORDS_HERE},
    {"JOIN", "joins (JOIN)", WORDS_HERE},
    {"LATENESS", "LATENESS", WORDS_HERE},
    {"LATERAL", "joins (LATERAL)", WORDS_HERE},
    {"LEFT", "joins (LEFT JOIN)", WORDS_HERE},
    {"LIMIT", "LIMIT", WORDS_HERE},
    {"LINEAR", "CREATE LINEAR AGGREGATE", WORDS_AFTER_CREATE},
    {"MAP", "the type MAP", ANYWHERE},
    {"MINUS", "MINUS", WORDS_HERE},
    {"NATURAL", "joins (NATURAL JOIN)", WORDS_HERE},
    {"OFFSET", "OFFSET", WORDS_HERE},
    {"ON", "joins (ON)", WORDS_HERE},
    {"ORDER", "ORDER BY", WORDS_HERE},
    {"OVER", "window functions (OVER)", WORDS_HERE},
    {"PIVOT", "PIVOT", ANYWHERE},
    {"QUALIFY", "QUALIFY", WORDS_HERE},
    {"RECURSIVE", "recursive views", WORDS_AFTER_CREATE},
    {"REFERENCES", "foreign keys (REFERENCES)", WORDS_HERE},
    {"REGEXP", "REGEXP", ANYWHERE},
    {"RIGHT", "joins (RIGHT JOIN)", WORDS_HERE},
    {"RLIKE", "RLIKE", ANYWHERE},
    {"ROW", "the type ROW", ANYWHERE},
    {"SIMILAR", "SIMILAR TO", ANYWHERE},
    {"TABLESAMPLE", "TABLESAMPLE", WORDS_HERE},
    {"TO", "rounding to a unit (FLOOR(x TO unit))", WORDS_HERE},
    {"TYPE", "CREATE TYPE", WORDS_AFTER_CREATE},
    {"UNIQUE", "UNIQUE constraints", WORDS_HERE},
    {"UNNEST", "UNNEST", ANYWHERE},
    {"UNPIVOT", "UNPIVOT", ANYWHERE},
    {"USING", "joins (USING)", WORDS_HERE},
    {"VALUES", "VALUES", WORDS_HERE},
    {"WATERMARK", "WATERMARK", WORDS_HERE},
    {"WINDOW", "WINDOW", WORDS_HERE},
};

const char *words_unsupported(const char *text, size_t len, unsigned where) {
  for (size_t i = 0; i < COUNT(unsupported); i++) {
    if (!(unsupported[i].where & where)) continue;
    if (strlen(unsupported[i].word) == len && strncasecmp(unsupported[i].word, text, len) == 0)
      return unsupported[i].construct;
  }
  return NULL;
}
