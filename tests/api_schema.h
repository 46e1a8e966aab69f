/* api_schema.h - holds replies against the description that the server gives of itself. */
#ifndef TESTS_API_SCHEMA_H
#define TESTS_API_SCHEMA_H

#include <jansson.h>

/* The OpenAPI document; borrowed. Fails the test when the tables are malformed. */
const json_t *api_document(void);
/* The reply must have the shape that the document tells for this method, path
 * and status, without a member more; an error's code must be one of those it
 * tells, or one that every route may have. Paths that nothing is served at are
 * left alone. body NULL: there was none. */
void api_check_reply(const char *method, const char *path, int status, const json_t *body);
/* Whether value has the shape of this schema; else *where says what is wrong. */
int api_schema_fits(const json_t *schema, const json_t *value, char *where, size_t size);

#endif
