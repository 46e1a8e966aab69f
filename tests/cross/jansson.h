/* jansson.h - as much of jansson as a format test's options need: a text of JSON. */
#ifndef TESTS_CROSS_JANSSON_H
#define TESTS_CROSS_JANSSON_H

#include <stddef.h>

typedef char json_t;
typedef struct json_error_t {
  char text[160];
} json_error_t;

json_t *json_loads(const char *text, size_t flags, json_error_t *err);
void json_decref(json_t *json);

#endif
