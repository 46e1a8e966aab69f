/* formats.h - the formats that come with Headworks. */
#ifndef FORMATS_FORMATS_H
#define FORMATS_FORMATS_H

#include <headworks/format.h>

extern const hw_format format_json;
extern const hw_format format_csv;
extern const hw_format format_raw;
extern const hw_format format_msgpack;

/* All of them, ended by NULL. */
extern const hw_format *const formats_builtin[];

#endif
