/* spill_file.h - records on disk, first in, first out, up to a number of bytes.
 *
 * DESIGN
 * A few files in one directory, without names: the kernel frees their space when
 * they are closed, or when the process ends in whatever way. Records go to the end
 * of the newest; one that has been read to its end is closed, so that the space of
 * a spill that never becomes empty comes round all the same. What is on disk counts
 * whole files, read or not: that is what the bound is for.
 *
 * One file with holes punched into it was rejected: not every file system can.
 *
 * THREAD  One at a time. Every function blocks. */
#ifndef RUNTIME_SPILL_FILE_H
#define RUNTIME_SPILL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <headworks/status.h>

typedef struct spill_segment spill_segment;

typedef struct spill_file {
  const char *dir;                /* borrowed */
  uint64_t most;                  /* bytes on disk */
  uint64_t segment_bytes;         /* a file that has as many is not continued */
  uint64_t on_disk;
  spill_segment *oldest, *newest; /* a list */
} spill_file;

void spill_file_init(spill_file *f, const char *dir, uint64_t most);
void spill_file_fini(spill_file *f);

/* Makes the first file, so that a directory that cannot be used is told early.
 * HW_OK, or HW_EIO with *err. */
hw_status spill_file_open(spill_file *f, hw_error *err);

bool spill_file_is_empty(const spill_file *f);

/* HW_OK: all n bytes are in it. HW_ELIMIT: the bound leaves no room for them; HW_EIO:
 * the disk does not take them (full, broken). Then nothing is in it, *err says why,
 * and it may be tried again. */
hw_status spill_file_append(spill_file *f, const void *data, size_t n, hw_error *err);

/* Reads the next n bytes. A record does not go over the end of a file, so they must
 * be of one record. HW_OK, or HW_EIO with *err. */
hw_status spill_file_read(spill_file *f, void *data, size_t n, hw_error *err);

#endif
