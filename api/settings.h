/* settings.h - what a user sets on a pipeline beside its program: tags,
 * runtime_config, program_config, UDF texts. The engine keeps them as text and
 * does not read them. */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H

#include <headworks/status.h>

#include <jansson.h>

/* From the members of a request body: checked, with every default filled in. A
 * new reference; NULL: err->code is the contract's. */
json_t *settings_from_body(const json_t *body, hw_error *err);
/* From the text that was kept, or all defaults when it is NULL; NULL: no memory. */
json_t *settings_from_text(const char *text);

#endif
