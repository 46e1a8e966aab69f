/* options.h - option tables: what a connector or format can be told.
 *
 * One table per connector or format drives parsing, defaults, error messages,
 * `headworks connectors` and the reference in docs/. */
#ifndef HEADWORKS_OPTIONS_H
#define HEADWORKS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <headworks/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers are ABI. */
typedef enum hw_option_type {
  HW_OPTION_BOOL = 1,     /* JSON true or false, or "true", "false" */
  HW_OPTION_INT = 2,      /* 64-bit integer within [min, max], JSON number or a string of one */
  HW_OPTION_DOUBLE = 3,   /* JSON number */
  HW_OPTION_STRING = 4,   /* JSON string */
  HW_OPTION_CHOICE = 5,   /* JSON string, one of `choices` */
  HW_OPTION_JSON = 6,     /* any JSON value; read as its text, by hw_config_string */
} hw_option_type;

#define HW_OPTION_REQUIRED 1u
#define HW_OPTION_SECRET 2u /* never shown in replies or logs */

typedef struct hw_option {
  const char *name;          /* NULL ends a table */
  hw_option_type type;
  unsigned flags;            /* HW_OPTION_* */
  const char *default_text;  /* as it would be written, strings without quotes; NULL: none */
  int64_t min, max;          /* HW_OPTION_INT: both 0 means no bound; otherwise both hold (INT64_MAX: no upper one) */
  const char *unit;          /* "bytes", "ms", ...; NULL: none */
  const char *const *choices;/* HW_OPTION_CHOICE: ends with NULL */
  const char *description;   /* one sentence for the reference; required */
} hw_option;

/* Settings that were checked against a table. Borrowed for the duration of the
 * call they are passed to; values read from it live as long as the connector. */
typedef struct hw_config hw_config;

/* The setting, or the table's default, or false or 0 without one. Asking for a
 * name or type that the table does not have is a programming error (asserted). */
HW_API bool hw_config_bool(const hw_config *config, const char *name);
HW_API int64_t hw_config_int(const hw_config *config, const char *name);
HW_API double hw_config_double(const hw_config *config, const char *name);
/* STRING, CHOICE, or JSON as text; NULL when unset without a default. */
HW_API const char *hw_config_string(const hw_config *config, const char *name);
/* Whether it was set, not defaulted. */
HW_API bool hw_config_is_set(const hw_config *config, const char *name);

#ifdef __cplusplus
}
#endif
#endif
