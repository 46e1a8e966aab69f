/* sql_fixture.h - compiling programs in tests, with a plugin for them to name. */
#ifndef TESTS_SQL_FIXTURE_H
#define TESTS_SQL_FIXTURE_H

#include "sql/compile.h"

/* Registers input transports t_file_input and t_gen (rows), output transports
 * t_file_output and t_null (rows), formats t_lines and t_parse (input only). */
void sql_register(void);
/* Instances of t_lines that are alive, and that were ever made; the same of all transports. */
extern int sql_instances, sql_instances_made, sql_transports, sql_transports_made;

/* The messages of the last compilation. */
extern program_messages sql_messages;
/* ... as lines "[warning ]line:column-end_line:end_column type: message". */
const char *sql_messages_text(void);

program *sql_compile(const char *text, size_t len);
program *sql_compile_good(const char *text); /* asserts that there is no error */

/* "DECIMAL(10,2)?": ? for nullable. */
void sql_type_text(const hw_type *type, char *out, size_t size);

#endif
