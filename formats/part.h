/* part.h - where the formats of lines part a stream (hw_format.part). */
#ifndef FORMATS_PART_H
#define FORMATS_PART_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Up to behind the last line end; 0: nowhere. A new parser takes a byte order mark, which
 * one that is no longer at the start does not: not before such. */
static inline size_t part_at_line(bool at_start, const char *data, size_t len) {
  if (at_start || len == 0 || data[0] == '\xef') return 0;
  const char *newline = memrchr(data, '\n', len);
  return newline ? (size_t)(newline - data) + 1 : 0;
}

#endif
