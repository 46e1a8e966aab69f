/* script.h - a program's text, places in it, and what is reported about them. */
#ifndef SQL_SCRIPT_H
#define SQL_SCRIPT_H

#include "runtime/arena.h"
#include "runtime/program.h"

/* A piece of the text: bytes [start, end), and the same as lines and columns,
 * from 1, the end inclusive. Columns count characters, not bytes. */
typedef struct script_span {
  uint32_t start, end;
  int line, column, end_line, end_column;
} script_span;

typedef struct script {
  const char *text; /* a copy, terminated, with blanks in place of bytes that are no text */
  uint32_t len;
  program_messages *messages;
} script;

/* Types of messages, as the API shows them. */
#define SCRIPT_SYNTAX "Error parsing SQL"
#define SCRIPT_SEMANTICS "Compilation error"
#define SCRIPT_CONNECTOR "ConnectorGenerationError"

#define SCRIPT_MAX_BYTES (16u << 20)
#define SCRIPT_MAX_ERRORS 1000 /* what comes after is not reported any more */

/* Copies the text; NUL bytes and invalid UTF-8 are reported. False: no memory,
 * or too long (reported). */
bool script_init(script *src, arena *memory, const char *text, size_t len, program_messages *messages);

void script_error(script *src, const script_span *where, const char *type, const char *fmt, ...) HW_PRINTF(4, 5);
void script_warning(script *src, const script_span *where, const char *type, const char *fmt, ...) HW_PRINTF(4, 5);

/* The place of bytes [start, end) of the text; start must be at or after `from`,
 * a place already known. */
script_span script_locate(const script *src, const script_span *from, uint32_t start, uint32_t end);

/* The place inside `around` that begins at line and column and reads as text;
 * `around` itself when there is none. */
script_span script_find(const script *src, const script_span *around, int line, int column, const char *text);

/* The place of bytes [start, end) of the value of a string literal, counted from
 * the byte of it that stands at `from`. */
script_span script_in_literal(const script *src, const script_span *from, size_t start, size_t end);
/* Where the value of the literal at `literal` begins. */
script_span script_literal_start(const script *src, const script_span *literal);

/* The text of a place on one line, cut to a length fit for messages; NULL: no memory. */
char *script_excerpt(const script *src, const script_span *where, program *owner);

#endif
