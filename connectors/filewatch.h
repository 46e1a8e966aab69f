/* filewatch.h - wakes connectors when files or directories change.
 *
 * One inotify descriptor and one thread serve all connectors of the process;
 * both exist only while something is watched. */
#ifndef CONNECTORS_FILEWATCH_H
#define CONNECTORS_FILEWATCH_H

#include <stdbool.h>

#include <headworks/connector.h>

typedef enum filewatch_kind {
  FILEWATCH_FILE, /* the file grew, shrank, was moved or deleted */
  FILEWATCH_DIR,  /* a name came into the directory or went from it */
} filewatch_kind;

typedef struct filewatch filewatch;

/* From now on c is woken (hw_connector_wake) when what fd (borrowed) is open on changes.
 * NULL: it cannot be watched (limits, memory); look at it from time to time. */
filewatch *filewatch_add(hw_connector *c, int fd, filewatch_kind kind);
/* After the return c is not woken for it any more. NULL is fine. */
void filewatch_remove(filewatch *w);
/* Whether it changed since the last call, or since it was added. NULL: no. */
bool filewatch_take(filewatch *w);

#endif
