/* spill_codec.h - a batch as bytes, for a file that only this process reads.
 *
 * Layout, in the machine's own order of bytes:
 *
 *     head      magic, checksum, size, rows, what the pipeline noted on the batch
 *     weights   8 bytes a row, where there are any
 *     columns   one after the other: validity, a bit a row (nullable columns);
 *               values, or of strings their lengths, then their bytes
 *
 * Only the rows that belong to the batch are written, NULLs as zeros. The checksum
 * (CRC-32) is over everything behind it. */
#ifndef RUNTIME_SPILL_CODEC_H
#define RUNTIME_SPILL_CODEC_H

#include "runtime/batch.h"

#include <headworks/format.h>

/* Fixed size; a record is this and the `size` bytes behind it. */
typedef struct spill_head {
  uint32_t magic, checksum;
  uint64_t size;
  uint32_t rows, weighted;
  uint64_t mark, step, fetched_ns, source_bytes;
} spill_head;

/* Appends the record of b to out; false: no memory. */
bool spill_encode(const batch *b, hw_bytes *out);

/* Whether these are the bytes of a head: then `size` says how many follow. */
bool spill_head_ok(const spill_head *head);

/* The batch of a record: HW_OK; HW_ENOMEM; HW_EIO: the bytes are not those that
 * were written. */
hw_status spill_decode(mem *m, const hw_schema *schema, const spill_head *head, const char *body, batch **out);

#endif
