/* file_source.h - one open file, pipe or device, read into a stream of its own.
 * One thread at a time. */
#ifndef CONNECTORS_FILE_SOURCE_H
#define CONNECTORS_FILE_SOURCE_H

#include "connectors/unpack.h"

#include <headworks/connector.h>

#include <sys/types.h>

typedef struct file_reading {
  size_t piece;      /* bytes asked for in one read */
  unpack_kind codec; /* UNPACK_UNKNOWN: found out from the first bytes */
  bool grows;        /* more may come after the end */
} file_reading;

typedef struct file_source file_source;

/* Opens path, or standard input for "-". May block on a slow file system, not
 * on a FIFO. On failure NULL and *err with the path and the reason; a directory
 * is refused. */
file_source *file_source_open(hw_connector *c, const char *path, const file_reading *how, hw_error *err);

/* Takes fd, open for reading without blocking, for path; on failure closes it. */
file_source *file_source_adopt(hw_connector *c, int fd, const char *path, const file_reading *how, hw_error *err);

typedef enum source_step {
  SOURCE_GO,      /* bytes went on: call again while the turn lasts */
  SOURCE_YIELD,   /* no room: return HW_FETCH_MORE */
  SOURCE_BLOCK,   /* going on may block */
  SOURCE_WAIT,    /* a pipe or device with nothing in it: its fd is armed */
  SOURCE_EOF,     /* at the end of what there is now */
  SOURCE_RETRY,   /* reading failed, *err says how; nothing is lost, try later */
  SOURCE_CORRUPT, /* what the file holds cannot be unpacked: *err; close it */
  SOURCE_REFUSED, /* the format cannot follow it any further and has said why; close it */
} source_step;

/* Moves at most a piece; *moved is what went into the stream. */
source_step file_source_step(file_source *s, bool may_block, size_t *moved, hw_error *err);

/* What a step counts as in its turn: reading without a result is work, too. */
static inline size_t file_source_cost(source_step step, size_t moved) {
  return step == SOURCE_GO && moved == 0 ? 4096 : moved;
}

/* At SOURCE_EOF: whether a file may end like this. HW_EPARSE: an archive is cut off. */
hw_status file_source_check_end(const file_source *s, hw_error *err);

/* After the file was cut to nothing and is written anew: starts over. False: no memory. */
bool file_source_restart(file_source *s);

/* At the end of a FIFO: opens it again, to wait for its next writer. */
bool file_source_reopen(file_source *s, hw_error *err);

/* complete as in hw_stream_close. Frees s. */
void file_source_close(file_source *s, bool complete);
/* Frees s and leaves its stream to the runtime, with what is not parsed yet:
 * for a connector that is destroyed. */
void file_source_free(file_source *s);

int file_source_fd(const file_source *s);
bool file_source_is_regular(const file_source *s);
bool file_source_is_fifo(const file_source *s);
uint64_t file_source_offset(const file_source *s); /* bytes of the file that were read */

#endif
