/* datagen_values.h - the `values` of a field: a list to pick from. */
#ifndef CONNECTORS_DATAGEN_VALUES_H
#define CONNECTORS_DATAGEN_VALUES_H

#include "connectors/datagen_plan.h"

#include <jansson.h>

/* array holds values for a column of this type. The message begins with path. */
hw_status datagen_values_parse(const json_t *array, const hw_type *type, const char *path, datagen_values *out,
                               hw_error *err);
void datagen_values_fini(datagen_values *values);

/* Bytes of a string as JSON: quotes and escapes, or an array of bytes. */
size_t datagen_json_size(const hw_type *type, const hw_str *s);

#endif
