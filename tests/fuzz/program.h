/* program.h - compiling in fuzz targets, with all that Headworks comes with registered. */
#ifndef TESTS_FUZZ_PROGRAM_H
#define TESTS_FUZZ_PROGRAM_H

#include "runtime/program.h"

#include <stdbool.h>

/* program_compile, and what must hold of its messages. */
program *fuzz_compile(const char *text, size_t len, program_messages *messages);
void fuzz_check_messages(const program_messages *messages, bool compiled);

#endif
