/* shapes.h - the shapes of bodies, as openapi.json tells them.
 *
 * Members are "name: type, name: type", the types as in routes.h; "name?: type"
 * may be missing. A test holds every reply against them, with no member more. */
#ifndef API_SHAPES_H
#define API_SHAPES_H

#include <stddef.h>

typedef struct api_shape {
  const char *name;
  const char *text;    /* what it is; a sentence without its period */
  const char *members; /* of an object; or "= type": another name for it */
} api_shape;

extern const api_shape api_shapes[];
extern const size_t api_n_shapes;
const api_shape *api_find_shape(const char *name, size_t len);

#endif
