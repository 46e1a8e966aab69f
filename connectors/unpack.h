/* unpack.h - gzip and zstd, a piece at a time. One thread at a time. */
#ifndef CONNECTORS_UNPACK_H
#define CONNECTORS_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include <headworks/status.h>

typedef enum unpack_kind { UNPACK_UNKNOWN, UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZSTD } unpack_kind;

#define UNPACK_HEAD 4 /* bytes that tell the kind in every case */

/* What a file that starts with these bytes is. UNPACK_UNKNOWN: more of them are
 * needed to tell; `end` says that there are none. */
unpack_kind unpack_sniff(const unsigned char *head, size_t len, bool end);

typedef struct unpack unpack;

unpack *unpack_new(unpack_kind kind); /* GZIP or ZSTD; NULL: no memory */
void unpack_free(unpack *u);          /* NULL is fine */

/* Turns some of in[0 .. len) into out[0 .. room): *used bytes were taken, *made
 * were written. With nothing more to take it may still write what it held back.
 * Archives may follow each other, as `cat a.gz b.gz` makes them. HW_EPARSE:
 * it is damaged, *fault (a constant) says how; what was made before is good. Another
 * error: nothing is wrong with it, *fault says why it cannot be unpacked all the same
 * (HW_EUNSUPPORTED: it is no such archive or needs what is not there; HW_ELIMIT;
 * HW_ENOMEM). */
hw_status unpack_run(unpack *u, const unsigned char *in, size_t len, size_t *used, char *out, size_t room, size_t *made,
                     const char **fault);

/* Whether input may end here: not within an archive. */
bool unpack_complete(const unpack *u);

#endif
