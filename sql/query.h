/* query.h - ad-hoc requests: text to plans over a compiled program. */
#ifndef SQL_QUERY_H
#define SQL_QUERY_H

#include "runtime/query_plan.h"

#define QUERY_TEXT_MAX (1u << 20)

/* Compiles a request (len bytes, any bytes) over the relations of p, which gets
 * a reference. Every fault found is in *messages (initialised to zero by the
 * caller); NULL when one of them is an error. Any thread; several at once. */
query *query_compile(program *p, const char *text, size_t len, program_messages *messages);

#endif
