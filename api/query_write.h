/* query_write.h - rows of an ad-hoc query as bytes: a table for people, or JSON.
 *
 * One writer per reply; one thread at a time. What it writes is text in UTF-8,
 * whole rows at a time. */
#ifndef API_QUERY_WRITE_H
#define API_QUERY_WRITE_H

#include "api/outbuf.h"

#include <headworks/types.h>

typedef enum query_format { QUERY_TEXT, QUERY_JSON, QUERY_FORMATS } query_format;

typedef struct query_writer query_writer;

/* The format of a name, or QUERY_FORMATS. */
query_format query_format_find(const char *name);
/* The media type of its replies. */
const char *query_format_type(query_format format);

query_writer *query_writer_new(query_format format, const hw_schema *schema, hw_error *err); /* NULL: *err says why */
void query_writer_free(query_writer *w);
/* Adds rows; out->failed: no memory. Some may be kept back until the end. */
void query_writer_rows(query_writer *w, const hw_batch *batch, outbuf *out);
void query_writer_end(query_writer *w, outbuf *out);
/* What stands at the end of a reply that failed half-way. */
void query_write_error(query_format format, const char *message, outbuf *out);

/* query_table.c */
typedef struct query_table query_table;
query_table *query_table_new(const hw_schema *schema); /* NULL: no memory */
void query_table_free(query_table *t);
void query_table_rows(query_table *t, const hw_batch *batch, outbuf *out);
void query_table_end(query_table *t, outbuf *out);

#endif
