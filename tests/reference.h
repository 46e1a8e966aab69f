/* reference.h - what should come of a record, by readers that others wrote.
 *
 * The libraries jansson and msgpack-c say which bytes are a document and which
 * values it holds; what the columns of a table take of these is written here a
 * second time, from docs/formats.md, plainly and without an eye to speed. Rows are
 * printed as format_feed.h prints them.
 *
 * What they cannot tell is REFERENCE_UNKNOWN:
 * - jansson keeps no number's text: decimals with a fraction, REALs that are no
 *   exact floats, integers beyond 64 bits, numbers beyond a double;
 * - it keeps the last of members of one name, and no names with a NUL byte;
 * - names in another case than the column's. */
#ifndef TESTS_REFERENCE_H
#define TESTS_REFERENCE_H

#include "tests/reference_value.h"

#include <msgpack.h>

typedef enum reference { REFERENCE_TAKEN, REFERENCE_REFUSED, REFERENCE_UNKNOWN } reference;

/* One line of JSON, the format's options being "update_format": "raw", "lines": "single".
 * The row is added to `row` where it is taken. */
reference reference_json(fixture_text *row, const hw_schema *schema, const char *line, size_t len);

/* One object of MessagePack, the option being "update_format": "raw". */
reference reference_msgpack(fixture_text *row, const hw_schema *schema, const msgpack_object *object);

#endif
