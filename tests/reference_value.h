/* reference_value.h - texts and bytes as values, printed as format_feed.h prints rows. */
#ifndef TESTS_REFERENCE_VALUE_H
#define TESTS_REFERENCE_VALUE_H

#include "tests/format_feed.h"

/* A value of a text type as it is printed in a row, in the type's bounds; false: it does not fit. */
bool reference_text(fixture_text *t, const hw_type *type, const char *data, size_t len);
/* Text to a value of any type that is no string; false: it is none. */
bool reference_spelled(fixture_text *t, const hw_type *type, const char *data, size_t len);
/* Bytes to a value of BINARY or VARBINARY; false: too many. */
bool reference_bytes(fixture_text *t, const hw_type *type, const char *data, size_t len);
/* What the column has where the record has nothing for it; false: it must have it. */
bool reference_missing(fixture_text *t, const hw_field *field);

#endif
