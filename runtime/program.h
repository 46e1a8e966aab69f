/* program.h - a compiled program: relations, their connectors, and the plan.
 *
 * Made by sql/ (program_compile in sql/compile.h), immutable afterwards, shared
 * by reference. Everything in it lives in one arena that goes with the last
 * reference. Relations stand in an order in which each follows those it reads. */
#ifndef RUNTIME_PROGRAM_H
#define RUNTIME_PROGRAM_H

#include "runtime/config.h"
#include "runtime/expr.h"

#include <headworks/plugin.h>

/* One SELECT ... FROM input [WHERE filter]: a branch of a view's UNION ALL. */
typedef struct program_branch {
  uint32_t input;       /* index of the relation it reads, lower than its own */
  const expr *filter;   /* BOOLEAN, or NULL */
  const expr **project; /* one per field of the view, of the field's exact type */
} program_branch;

typedef enum on_full { ON_FULL_HOLD, ON_FULL_SPILL, ON_FULL_DROP } on_full;

typedef struct program_connector {
  const char *name;      /* "unnamed-{index}" where the program gives none */
  const char *endpoint;  /* "{relation}.{name}" */
  uint32_t relation;
  bool is_input;
  const hw_input_transport *input;   /* the one that is_input says */
  const hw_output_transport *output;
  hw_config *transport_config;
  const hw_format *format;           /* NULL: none */
  hw_config *format_config;
  bool paused;
  uint32_t n_labels, n_start_after;
  const char **labels, **start_after;
  int64_t max_queued_records;        /* > 0 */
  int64_t max_queued_bytes;          /* > 0 */
  on_full on_full;                   /* outputs */
  int64_t max_spill_bytes;           /* > 0; ON_FULL_SPILL */
  int64_t max_batch_size;            /* rows; 0: as the batch allows */
  int64_t max_record_bytes;          /* longest record a parser may see */
  const char *json;                  /* the whole connector object with defaults, secrets masked */
} program_connector;

typedef struct program_property {
  const char *key, *value;
  int key_line, key_column, value_line, value_column;
} program_property;

typedef enum program_kind { PROGRAM_TABLE, PROGRAM_VIEW } program_kind;

typedef struct program_relation {
  program_kind kind;
  hw_schema schema;
  bool case_sensitive;   /* its name was quoted */
  bool local;            /* LOCAL VIEW: computed only where something reads it */
  bool materialized;
  uint32_t n_key;        /* PRIMARY KEY: an insert of the same key replaces a row */
  const uint32_t *key;   /* its fields; as in the schema */
  uint32_t n_properties;
  const program_property *properties;
  uint32_t n_branches;   /* views: 1 or more; tables: 0 */
  const program_branch *branches;
} program_relation;

/* Whether its contents are kept, so that snapshots and queries may read them. */
static inline bool program_relation_is_stored(const program_relation *r) { return r->materialized || r->n_key > 0; }

typedef struct program {
  uint32_t n_relations;
  const program_relation *relations;
  uint32_t n_connectors; /* in the order of the text */
  const program_connector *connectors;
  /* private */
  struct program_arena *arena;
  _Atomic uint32_t refs;
} program;

/* The system relation of dead letters, which is in no program: stands where the index
 * of a relation would, where that is said. Its rows: letter_rows.h. */
#define PROGRAM_LETTERS UINT32_MAX
#define PROGRAM_LETTERS_NAME "headworks_dead_letters"
extern const hw_schema program_letters_schema;
bool program_names_letters(const char *name); /* by the rule of program_find_relation */

/* A fault in a program's text; lines and columns from 1, end inclusive. */
typedef struct program_message {
  int line, column, end_line, end_column;
  bool warning;
  char *type;    /* "Error parsing SQL", "ConnectorGenerationError", ... as the contract's error_type */
  char *message; /* what, and what was expected */
  char *snippet; /* the line, and a caret line under it */
} program_message;

typedef struct program_messages {
  uint32_t n, capacity;
  uint32_t n_errors; /* those that are not warnings */
  program_message *items;
} program_messages;

/* printf-like; keeps going without memory (the error still counts). */
void program_messages_add(program_messages *ms, const program_message *where, bool warning, const char *type,
                          const char *snippet, const char *fmt, ...) HW_PRINTF(6, 7);
void program_messages_fini(program_messages *ms);

program *program_new(void);                            /* empty, one reference, with an arena; NULL: no memory */
void *program_alloc(program *p, size_t size);          /* zeroed, aligned for anything; NULL: no memory */
char *program_strdup(program *p, const char *s, size_t len);
program *program_ref(program *p);
void program_unref(program *p);

/* By the identifier rule of SQL and of URLs: text in double quotes is exact,
 * other text is folded to lower case. -1: none. */
int program_find_relation(const program *p, const char *name);
/* Connector names are exact. -1: none. */
int program_find_connector(const program *p, uint32_t relation, bool is_input, const char *name);

#endif
