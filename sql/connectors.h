/* connectors.h - the 'connectors' property: JSON to checked connectors. */
#ifndef SQL_CONNECTORS_H
#define SQL_CONNECTORS_H

#include "sql/compiler.h"

/* The attributes that every connector may have, beside those of its transport
 * and format; for listings and the reference. Ends with a {NULL} entry. */
extern const hw_option sql_connector_attributes[];

/* Checks the JSON array in the property of relation `index`, and adds what it
 * describes to the program. */
void connectors_compile(compiler *c, uint32_t index, const ast_property *property);

/* Once all are known: start_after against labels. */
void connectors_link(compiler *c);

#endif
