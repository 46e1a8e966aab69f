/* datagen_json.h - JSON values of a plan to numbers. Every
 * function returns HW_OK or sets *err, whose message begins with `path`. */
#ifndef CONNECTORS_DATAGEN_JSON_H
#define CONNECTORS_DATAGEN_JSON_H

#include "connectors/datagen_plan.h"

#include <headworks/value.h>

#include <jansson.h>

/* Refuses members that are not in the NULL-ended list, and anything that is no object. */
hw_status datagen_json_check(const json_t *object, const char *const *members, const char *path, hw_error *err);

/* The member, or NULL when it is missing or null. */
json_t *datagen_json_get(const json_t *object, const char *member);

/* A whole number within [low, high]; absent leaves *out alone. */
hw_status datagen_json_integer(const json_t *object, const char *member, int64_t low, int64_t high, const char *path,
                               int64_t *out, hw_error *err);
hw_status datagen_json_real(const json_t *value, const char *path, double *out, hw_error *err);

/* A bound of a range, in steps of the type (see datagen_field): a number, or text
 * in the type's own form. */
hw_status datagen_json_bound(const json_t *value, const hw_type *type, const char *path, hw_int128 *out, hw_error *err);

/* A JSON number as text, whole numbers without a fraction; its length. */
size_t datagen_json_number_text(const json_t *value, char out[HW_VALUE_TEXT_MAX]);

#endif
