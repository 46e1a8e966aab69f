/* compile.h - program text to a compiled program. */
#ifndef SQL_COMPILE_H
#define SQL_COMPILE_H

#include "runtime/program.h"

/* Compiles text (len bytes, any bytes). Every fault found is in *messages
 * (initialised to zero by the caller); NULL when one of them is an error.
 * Any thread; several at once. */
program *program_compile(const char *text, size_t len, program_messages *messages);

#endif
