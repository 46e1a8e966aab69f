/* lexer_glue.h - between the generated lexer and the rest. */
#ifndef SQL_LEXER_GLUE_H
#define SQL_LEXER_GLUE_H

#include "sql/parser.h"

#include "sql/grammar.h"

bool lexer_open(parser *p, const char *text, size_t len); /* false: no memory */
/* The next token, TOK_YYEOF at the end, or TOK_SQL_error after a report. */
int lexer_next(parser *p, SQL_STYPE *value, script_span *span);

/* For the lexer's own rules: */
void lexer_advance(parser *p, script_span *span, const char *text, size_t len);
int lexer_word(parser *p, SQL_STYPE *value, const script_span *span, const char *text, size_t len);
int lexer_bytes(parser *p, SQL_STYPE *value, const script_span *span);
int lexer_unclosed(parser *p, const script_span *span, const char *message);
int lexer_fault(parser *p, const script_span *span, const char *fmt, ...) HW_PRINTF(3, 4);

#endif
