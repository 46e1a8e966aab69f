/* compiler.h - what the parts of the analysis share.
 *
 * The analysis goes through the statements in order and builds the program. A
 * fault is reported where it is found and leaves a hole: a NULL expression, a
 * column marked faulty, a relation of which nothing is known. Whatever uses a
 * hole stays silent, so that one fault is one message. */
#ifndef SQL_COMPILER_H
#define SQL_COMPILER_H

#include "sql/ast.h"
#include "sql/name_table.h"

typedef struct relation_info {
  program_relation *relation; /* complete but for the holes; its fields are all named */
  bool known;                 /* false: not even its columns */
  bool complete;              /* no faulty column */
  bool *faulty;               /* by field: its type is not known */
  name_table columns;              /* name to field */
} relation_info;

typedef struct compiler {
  script *text;
  arena *memory;    /* for the compilation */
  program *out;
  bool no_memory;   /* of the program's arena */
  name_table relations;  /* name to index, those that are broken too */
  relation_info *infos; /* by relation */
  program_relation *made;  /* out->relations, while it is made */
  uint32_t n_made;
  program_connector *connectors; /* out->connectors, while it is made */
  script_span *connector_places; /* where each stands in the text */
  uint32_t connectors_room;
  unsigned suggestions; /* made so far: they cost time, and the first few do */
} compiler;

/* Zeroed memory of the program. */
void *compiler_alloc(compiler *c, size_t size);
char *compiler_strdup(compiler *c, const char *s, size_t len);

void compiler_error(compiler *c, const script_span *at, const char *fmt, ...) HW_PRINTF(3, 4);
void compiler_warning(compiler *c, const script_span *at, const char *fmt, ...) HW_PRINTF(3, 4);

/* `; did you mean "x"?` for the nearest of n names, or "". */
#define COMPILER_HINT 160
const char *compiler_hint(compiler *c, const char *name, const char *const *names, uint32_t n, char *hint);
/* Its relations and columns as such lists. */
const char *compiler_relation_hint(compiler *c, const char *name, char *hint);
const char *compiler_column_hint(compiler *c, const relation_info *r, const char *name, char *hint);

/* Statements; `index` is the relation's. */
void table_compile(compiler *c, uint32_t index, const ast_statement *s);
void view_compile(compiler *c, uint32_t index, const ast_statement *s);
/* The WITH (...) part; the relation's schema is made. */
void properties_compile(compiler *c, uint32_t index, const ast_statement *s);

#endif
