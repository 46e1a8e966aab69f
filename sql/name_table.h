/* name_table.h - a hash table from names to numbers. Names are borrowed. */
#ifndef SQL_NAME_TABLE_H
#define SQL_NAME_TABLE_H

#include "runtime/arena.h"

#include <stdint.h>

#define NAME_NONE UINT32_MAX

typedef struct name_slot {
  const char *name; /* NULL: free */
  uint32_t value;
} name_slot;

typedef struct name_table {
  name_slot *slots;
  uint32_t n, capacity; /* capacity: a power of two, or 0 */
} name_table;

/* NAME_NONE: not there. */
uint32_t name_table_get(const name_table *t, const char *name);
/* False: the name is there already, or no memory (the arena remembers). */
bool name_table_put(name_table *t, arena *memory, const char *name, uint32_t value);

#endif
