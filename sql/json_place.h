/* json_place.h - where in a JSON text a member stands, which Jansson does not tell. */
#ifndef SQL_JSON_PLACE_H
#define SQL_JSON_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* text is a valid JSON array. Where its first element begins, and the one after
 * that which begins at `at`. */
size_t json_place_first(const char *text, size_t len);
size_t json_place_next(const char *text, size_t len, size_t at);

/* Finds the member at path ("transport.config.rate") in the element that begins
 * at `at`: its key, or the key of the innermost object on the way that is there,
 * or the first byte of the element. Bytes [*start, *end). */
void json_place_find(const char *text, size_t len, size_t at, const char *path, size_t *start, size_t *end);

#endif
