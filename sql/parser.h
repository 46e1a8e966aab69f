/* parser.h - program text to statements: what lexer, grammar and driver share. */
#ifndef SQL_PARSER_H
#define SQL_PARSER_H

#include "sql/ast.h"

#include <setjmp.h>

#define PARSER_PAST 3

/* A token as error messages look back at it. */
typedef struct parser_token {
  int kind;
  script_span span;
} parser_token;

typedef struct parser {
  script *text;
  arena *memory;
  void *scanner; /* Flex's, in memory */
  bool scanner_is_open;
  jmp_buf scanner_failed; /* while it is not */

  /* where the scanner stands */
  uint32_t offset;
  int line, column;

  /* the statement at hand */
  parser_token past[PARSER_PAST]; /* the last tokens handed to the grammar, newest first */
  uint32_t n_tokens;              /* of this statement */
  bool ended;                     /* its ';', the end of the text, or the next CREATE was read */
  bool cut_short;                 /* it was the CREATE */
  bool too_deep;                  /* said so */
  const ast_name *defining;       /* what it is about to create, once read */
  program_kind defining_kind;

  bool has_again; /* the token read last is to be read again */
  bool at_eof;

  ast_statement *first, *last;
  uint32_t n_statements;

  /* Ad-hoc statements instead of a program's: */
  bool ad_hoc;
  bool opened; /* the token that says so was handed to the grammar */
  ast_command *first_command, *last_command;
  uint32_t n_commands;
} parser;

/* Parses everything; what is faulty is reported and left out, but for the names
 * that a broken statement would have created. False: no memory. */
bool parser_run(parser *p, script *text, arena *memory);
/* The same for an ad-hoc request: commands instead of statements. */
bool parser_run_ad_hoc(parser *p, script *text, arena *memory);

/* Pieces of text under the place of a token. */
ast_name *parser_name(parser *p, const script_span *span);        /* a word, or "quoted" */
ast_text *parser_number(parser *p, const script_span *span);
ast_text *parser_string(parser *p, const script_span *span);      /* '..', unescaped */
ast_text *parser_hex(parser *p, const script_span *span);         /* X'..' */

void parser_add_statement(parser *p, ast_statement *statement);
void parser_add_command(parser *p, ast_command *command);

/* Reports an unexpected token: `expected` says in words what could stand there. */
void parser_unexpected(parser *p, const char *expected, bool query_start);

#endif
