/* settings.h - what a user sets on a pipeline beside its program: tags,
 * runtime_config, program_config. */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H

#include <headworks/status.h>

#include <jansson.h>
#include <stdbool.h>

/* JSON texts, malloc'ed; NULL: not given. */
typedef struct settings {
  char *tags, *runtime_config, *program_config;
} settings;

/* From the members of a request body: checked, with every default filled in.
 * whole: what is not given (missing or null) gets its defaults, too. Not HW_OK:
 * err->code is the contract's, and *out is empty. */
hw_status settings_from_body(const json_t *body, bool whole, settings *out, hw_error *err);
void settings_fini(settings *s);

#endif
