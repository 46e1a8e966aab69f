/* human.h - numbers and tables for people. */
#ifndef CLI_HUMAN_H
#define CLI_HUMAN_H

#include <stdint.h>
#include <stdio.h>

#define HUMAN_MAX 40 /* room that each of these needs; they return out */

char *human_count(uint64_t n, char out[HUMAN_MAX]);       /* "1,234,567" */
char *human_bytes(double bytes, char out[HUMAN_MAX]);     /* "61.2 MB": powers of 1000 */
char *human_seconds(double seconds, char out[HUMAN_MAX]); /* "1.84 s", "2:05", "1:00:07" */
char *human_micros(double us, char out[HUMAN_MAX]);       /* "180 us", "1.7 ms", "2.40 s" */

/* Rows of cells, printed with aligned columns. A column whose title starts with
 * '>' is aligned to the right. */
typedef struct table table;

table *table_new(unsigned n_columns, const char *const *titles);
/* Takes n_columns strings; copied, NULL is "". */
void table_row(table *t, const char *const *cells);
/* Indented by this many blanks; frees the table. */
void table_print(table *t, FILE *to, int indent);

#endif
