/* summary.h - what came of a run: as text, as JSON. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include "cli/session.h"

#include <jansson.h>

void summary_print(FILE *to, const session *s, session_end end);
json_t *summary_json(const session *s, session_end end); /* a new reference */

/* json_pack and friends return NULL without memory only: ends the program then. */
json_t *summary_checked(json_t *json);

const char *summary_end_name(session_end end); /* "complete", ... */

#endif
