/* builtin.c - the list of formats that a program finds without plugins. */
#include "formats/formats.h"

const hw_format *const formats_builtin[] = {&format_json, &format_csv, &format_raw, &format_msgpack, NULL};
