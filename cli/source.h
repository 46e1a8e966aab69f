/* source.h - program files: reading them, filling ${NAME}, checking them. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "cli/cli.h"
#include "runtime/program.h"

/* The text of the file (- is standard input) with every ${NAME} filled from the
 * --set options; freed with free(). NULL: what is wrong has been printed, and
 * *status says how to exit. */
char *source_read(const cli_call *call, const char *path, size_t *len, cli_exit *status);

/* Fills ${NAME} and ${NAME:-default} in text; NAME is [A-Za-z_][A-Za-z0-9_]*,
 * other uses of ${ are left alone, $${NAME} becomes ${NAME}. NULL: *problem says
 * why, freed with free(). */
char *source_fill(const cli_call *call, const char *text, size_t len, size_t *filled_len, char **problem);

/* Compiles, and prints every fault as "path:line:column: error: ..." with its
 * snippet to standard error. NULL when there is an error. The transports and
 * formats must be registered: an engine exists. */
program *source_compile(const char *path, const char *text, size_t len);

/* Warns of views that nothing takes: no connector, no other view, no storage.
 * They are not computed, except for clients of a server. */
void source_warn_untaken(const char *path, const program *p);

#endif
