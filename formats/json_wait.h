/* json_wait.h - what a record that the data cut off is waiting for.
 *
 * DESIGN
 * Problem: a long record comes in thousands of pieces. Reading it from its start
 * with each of them costs the square of its length.
 * Structure: the parser notes what would end the record: the end of its value, of
 * its line, of its brackets where it is known to be broken. Each byte that comes
 * is looked at once, by a reader that can stop anywhere and go on; the record is
 * read again when that has found the end, or a fault, for which the parser may
 * know another end, even on lines that are there already.
 * Rejected: parsing again when the data has doubled. A record would wait, whole,
 * for bytes that may never come. */
#ifndef FORMATS_JSON_WAIT_H
#define FORMATS_JSON_WAIT_H

#include "formats/json_read.h"

typedef enum json_awaited {
  JSON_ANYTHING,     /* more bytes, whatever they are */
  JSON_VALUE_END,    /* of the object or array at the start of the data */
  JSON_LINE_END,
  JSON_BRACKETS_END, /* as json_skip_brackets finds it */
  JSON_LINE_START,   /* a line that begins with one of `marks` */
} json_awaited;

typedef enum json_place { /* in a value, between two tokens */
  JSON_AT_VALUE,
  JSON_AT_FIRST_VALUE, /* or ']' */
  JSON_AT_KEY,
  JSON_AT_FIRST_KEY, /* or '}' */
  JSON_AT_COLON,
  JSON_AFTER_VALUE,
} json_place;

typedef struct json_wait {
  json_awaited what;
  const char *marks;
  bool indented; /* blanks may stand before the mark */
  size_t at;     /* bytes of the data that need no second look */
  /* the value or the brackets at hand */
  json_nesting nesting;
  json_place place;
  bool in_string, high; /* high: bytes above 0x7f in the string */
  size_t token;         /* where the string's inside, the number or the word begins; 0: none */
} json_wait;

void json_wait_for(json_wait *w, json_awaited what, const char *marks, bool indented);
/* Whether parsing data, which begins with the waiting record, may come to more than
 * it did. False is certain. r: for faults, which are nobody's. */
bool json_wait_over(json_wait *w, json_reader *r, const char *data, size_t len);

#endif
