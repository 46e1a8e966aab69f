/* openapi.h - the tables of routes and shapes as documents. */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

#include "api/json_write.h"
#include "api/routes.h"
#include "api/shapes.h"

/* The OpenAPI 3.0.3 document. False: an entry of the tables is malformed, which
 * *fault (of size bytes) then names. */
bool openapi_write(json_writer *w, char *fault, size_t size);
/* The JSON schema of a type as routes.h has them. False: malformed, or it names
 * a shape that there is not. */
bool openapi_write_type(json_writer *w, const char *type);
/* The JSON schema of a shape; false as above. */
bool openapi_write_shape(json_writer *w, const api_shape *shape);
/* Splits "text/plain" or "application/x-ndjson Name" or "Name": the media type
 * (static or within the text) with its length, and the type after it ("": none). */
const char *openapi_media(const char *type, size_t *len, const char **rest);

/* One status with its codes, of a list like "404 A, B; 503 C": steps *at past it.
 * 0: there is no more. Codes end at *len. */
unsigned openapi_next_error(const char **at, const char **codes, size_t *len);

/* docs/reference/http-api.md. */
void openapi_write_reference(outbuf *out);

#endif
