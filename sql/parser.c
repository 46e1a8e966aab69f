/* parser.c - drives lexer and grammar through a program.
 *
 * DESIGN
 * The grammar describes one statement; a `;` is the end of its input. The
 * driver runs it once per statement, so that a faulty one costs nothing but
 * itself: after a fault, tokens are skipped up to the next `;`, or to a CREATE,
 * which begins a statement wherever it stands (a forgotten `;`). What the
 * statement was about to create is remembered, so that statements which use it
 * are not blamed as well. */
#include "sql/parser.h"

#include "sql/grammar.h"
#include "sql/lexer_glue.h"
#include "sql/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- pieces of text ------------------------------------------------------- */

/* Copies a quoted text, doubled quotes made single. */
static char *unquote(parser *p, uint32_t start, uint32_t end, char quote, uint32_t *len) {
  char *copy = arena_alloc(p->memory, (size_t)(end - start) + 1);
  if (!copy) return NULL;
  uint32_t n = 0;
  for (uint32_t i = start; i < end; i++) {
    copy[n++] = p->text->text[i];
    if (copy[n - 1] == quote) i++;
  }
  *len = n;
  return copy;
}

static char *fold(parser *p, const script_span *span) {
  char *copy = arena_strdup(p->memory, p->text->text + span->start, span->end - span->start);
  for (char *c = copy; c && *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
  return copy;
}

ast_name *parser_name(parser *p, const script_span *span) {
  ast_name *name = arena_alloc(p->memory, sizeof *name);
  if (!name) return NULL;
  uint32_t len;
  name->quoted = p->text->text[span->start] == '"';
  name->text = name->quoted ? unquote(p, span->start + 1, span->end - 1, '"', &len) : fold(p, span);
  name->span = *span;
  return name->text ? name : NULL;
}

static ast_text *new_text(parser *p, const script_span *span, const char *data, uint32_t len) {
  ast_text *text = arena_alloc(p->memory, sizeof *text);
  if (!text || !data) return NULL;
  *text = (ast_text){.data = data, .len = len, .span = *span};
  return text;
}

ast_text *parser_number(parser *p, const script_span *span) {
  uint32_t len = span->end - span->start;
  return new_text(p, span, arena_strdup(p->memory, p->text->text + span->start, len), len);
}

ast_text *parser_string(parser *p, const script_span *span) {
  uint32_t len = 0;
  char *data = unquote(p, span->start + 1, span->end - 1, '\'', &len);
  return new_text(p, span, data, len);
}

ast_text *parser_hex(parser *p, const script_span *span) {
  const char *digits = p->text->text + span->start + 2;
  uint32_t len = span->end - span->start - 3;
  return new_text(p, span, arena_strdup(p->memory, digits, len), len);
}

/* ---- the lexer's side ------------------------------------------------------ */

void lexer_advance(parser *p, script_span *span, const char *text, size_t len) {
  *span = (script_span){.start = p->offset, .end = p->offset + (uint32_t)len, .line = p->line, .column = p->column,
                        .end_line = p->line, .end_column = p->column};
  for (size_t i = 0; i < len; i++) {
    if (((unsigned char)text[i] & 0xC0) == 0x80) continue;
    span->end_line = p->line;
    span->end_column = p->column;
    p->column++;
    if (text[i] == '\n') {
      p->line++;
      p->column = 1;
    }
  }
  p->offset += (uint32_t)len;
}

int lexer_word(parser *p, SQL_STYPE *value, const script_span *span, const char *text, size_t len) {
  value->name = parser_name(p, span);
  int keyword = p->ad_hoc ? words_ad_hoc(text, len) : -1;
  if (keyword < 0) keyword = words_keyword(text, len);
  return keyword < 0 ? TOK_IDENT : keyword;
}

int lexer_bytes(parser *p, SQL_STYPE *value, const script_span *span) {
  value->text = parser_hex(p, span);
  const char *digits = value->text ? value->text->data : "";
  size_t n = strspn(digits, "0123456789abcdefABCDEF");
  if (digits[n]) return lexer_fault(p, span, "X'..' holds hexadecimal digits, found \"%c\"", digits[n]);
  if (n % 2) return lexer_fault(p, span, "X'..' needs two hexadecimal digits per byte, found %zu in all", n);
  return TOK_BYTES;
}

int lexer_unclosed(parser *p, const script_span *span, const char *message) {
  script_span opening = *span;
  opening.end = opening.start + 1;
  opening.end_line = opening.line;
  opening.end_column = opening.column;
  script_error(p->text, &opening, SCRIPT_SYNTAX, "%s", message);
  return TOK_SQL_error;
}

int lexer_fault(parser *p, const script_span *span, const char *fmt, ...) {
  char message[512];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  script_error(p->text, span, SCRIPT_SYNTAX, "%s", message);
  return TOK_SQL_error;
}

/* ---- tokens to the grammar ------------------------------------------------- */

static void remember(parser *p, int kind, const script_span *span) {
  memmove(&p->past[1], &p->past[0], sizeof p->past - sizeof *p->past);
  p->past[0] = (parser_token){.kind = kind, .span = *span};
  p->n_tokens++;
}

/* Just behind the last token: where something is missing at the end of the text. */
static script_span end_place(const parser *p) {
  script_span last = p->past[0].span;
  if (last.line == 0) last = (script_span){.line = 1, .column = 1, .end_line = 1};
  return (script_span){.start = last.end, .end = last.end, .line = last.end_line, .column = last.end_column + 1,
                       .end_line = last.end_line, .end_column = last.end_column + 1};
}

static int read_token(parser *p, SQL_STYPE *value, script_span *span) {
  if (p->has_again) { /* the first of a statement */
    p->has_again = false;
    *span = p->past[0].span;
    value->name = p->ad_hoc && p->past[0].kind == TOK_IDENT ? parser_name(p, span) : NULL;
    return p->past[0].kind;
  }
  int kind = p->at_eof || p->memory->failed ? TOK_YYEOF : lexer_next(p, value, span);
  if (kind == TOK_YYEOF) {
    p->at_eof = true;
    *span = end_place(p);
  }
  remember(p, kind, span);
  return kind;
}

int sql_lex(SQL_STYPE *value, SQL_LTYPE *span, parser *p) {
  if (p->ad_hoc && !p->opened) {
    p->opened = true;
    *span = p->past[0].span;
    return TOK_AD_HOC;
  }
  int kind = read_token(p, value, span);
  if (kind == TOK_CREATE && p->n_tokens > 1 && !p->ad_hoc) p->has_again = p->cut_short = true;
  else if (kind != ';' && kind != TOK_YYEOF) return kind;
  p->ended = true;
  return TOK_YYEOF;
}

/* ---- unexpected tokens ------------------------------------------------------ */

static const char *token_text(const parser *p, const parser_token *t, int *len) {
  const int most = 40;
  const char *text = p->text->text + t->span.start;
  *len = (int)(t->span.end - t->span.start);
  if (*len <= most) return text;
  for (*len = most; *len > 0 && ((unsigned char)text[*len] & 0xC0) == 0x80;) --*len;
  return text;
}

/* What this version lacks and the tokens up to the unexpected one hint at, or NULL. */
static const char *missing_feature(const parser *p, const char *expected, bool query_start) {
  const parser_token *at = &p->past[0], *before = &p->past[1];
  const char *text = p->text->text;
  unsigned where = p->n_tokens == 2 && !p->ad_hoc ? WORDS_AFTER_CREATE : WORDS_HERE;
  if (p->ad_hoc && words_ad_hoc(text + at->span.start, at->span.end - at->span.start) >= 0) return NULL;
  const char *construct = words_unsupported(text + at->span.start, at->span.end - at->span.start, where);
  if (construct || p->n_tokens == 1) return construct;
  if (at->kind == TOK_SELECT) return "subqueries";
  if (at->kind == TOK_DISTINCT && !p->ad_hoc) return "DISTINCT";
  if (at->kind == TOK_WITH && query_start) return "common table expressions (WITH name AS)";
  if (at->kind == TOK_WITH && before->kind == TOK_IDENT) return "time zones in types";
  if (before->kind == TOK_FROM && at->kind == '(') return "subqueries";
  if (before->kind == TOK_FROM && at->kind == TOK_TABLE) return "table functions (TABLE(...))";
  if (at->kind == ',' && strstr(expected, "WHERE")) return "joins (several relations in FROM)";
  construct = words_unsupported(text + before->span.start, before->span.end - before->span.start, WORDS_BEFORE);
  if (construct) return construct;
  const parser_token *opener = &p->past[2];
  if (before->kind != '(' && before->kind != '<') return NULL;
  return words_unsupported(text + opener->span.start, opener->span.end - opener->span.start, WORDS_BEFORE);
}

/* A lost quote shows where the next string ends too early. */
static const char *string_hint(const parser *p, char *hint, size_t size) {
  const script_span *before = &p->past[1].span;
  hint[0] = '\0';
  bool runs_on = p->past[1].kind == TOK_STRING && before->end_line > before->line;
  if (runs_on && before->end == p->past[0].span.start)
    snprintf(hint, size, " (the string before it begins on line %d: is a quote missing there?)", before->line);
  return hint;
}

void parser_unexpected(parser *p, const char *expected, bool query_start) {
  char hint[96];
  const parser_token *at = &p->past[0];
  int len;
  const char *text = token_text(p, at, &len);
  const char *construct = at->kind == TOK_YYEOF ? NULL : missing_feature(p, expected, query_start);
  if (construct)
    script_error(p->text, &at->span, SCRIPT_SEMANTICS, "not supported yet: %s", construct);
  else if (p->n_tokens == 1 && p->ad_hoc)
    script_error(p->text, &at->span, SCRIPT_SYNTAX,
                 "unexpected \"%.*s\": a query is made of SELECT and INSERT statements", len, text);
  else if (p->n_tokens == 1)
    script_error(p->text, &at->span, SCRIPT_SYNTAX,
                 "unexpected \"%.*s\": a program is made of CREATE TABLE and CREATE VIEW statements", len, text);
  else if (at->kind == TOK_YYEOF)
    script_error(p->text, &at->span, SCRIPT_SYNTAX, "the %s ends here, expected %s",
                 p->ad_hoc ? "query" : "program", expected);
  else
    script_error(p->text, &at->span, SCRIPT_SYNTAX, "unexpected \"%.*s\", expected %s%s", len, text, expected,
                 string_hint(p, hint, sizeof hint));
}

/* ---- statements -------------------------------------------------------------- */

void parser_add_statement(parser *p, ast_statement *statement) {
  if (!statement) return;
  *(p->last ? &p->last->next : &p->first) = statement;
  p->last = statement;
  p->n_statements++;
}

void parser_add_command(parser *p, ast_command *command) {
  if (!command) return;
  *(p->last_command ? &p->last_command->next : &p->first_command) = command;
  p->last_command = command;
  p->n_commands++;
}

static void add_broken(parser *p) {
  if (!p->defining) return;
  ast_statement *statement = arena_alloc(p->memory, sizeof *statement);
  if (!statement) return;
  statement->kind = p->defining_kind;
  statement->broken = true;
  statement->name = p->defining;
  parser_add_statement(p, statement);
}

/* To the start of the next statement. */
static void skip_statement(parser *p) {
  SQL_STYPE value;
  script_span span;
  p->opened = true;
  while (!p->ended) (void)sql_lex(&value, &span, p);
}

/* The first token of the next statement, to be read again; or the end of the text. */
static int first_token(parser *p) {
  SQL_STYPE value;
  script_span span;
  p->ended = p->cut_short = p->too_deep = p->opened = false;
  p->defining = NULL;
  int kind;
  do kind = read_token(p, &value, &span);
  while (kind == ';');
  p->n_tokens = 1; /* so that a CREATE among those to be skipped is not the first */
  return kind;
}

/* False at the end of the text. */
static bool begin_statement(parser *p) {
  int kind;
  while ((kind = first_token(p)) == TOK_SQL_error) skip_statement(p);
  p->has_again = kind != TOK_YYEOF;
  return p->has_again;
}

static bool run(parser *p, script *text, arena *memory, bool ad_hoc) {
  *p = (parser){.text = text, .memory = memory, .line = 1, .column = 1, .ad_hoc = ad_hoc};
  if (!lexer_open(p, text->text, text->len)) return false;
  while (begin_statement(p)) {
    if (sql_parse(p) != 0) {
      add_broken(p);
      skip_statement(p);
    } else if (p->cut_short) {
      script_error(text, &p->past[0].span, SCRIPT_SYNTAX, "a ';' is missing before this CREATE");
    }
  }
  return !memory->failed;
}

bool parser_run(parser *p, script *text, arena *memory) { return run(p, text, memory, false); }
bool parser_run_ad_hoc(parser *p, script *text, arena *memory) { return run(p, text, memory, true); }
