/* ahead.h - the bytes of one stream, parsed by several workers at once.
 *
 * DESIGN
 * A parser reads 2 GB/s at best. Where workers have nothing to do, a stream gives
 * what it has read to them in pieces, cut where the format says (hw_format.part),
 * and goes on reading:
 *
 *     piece 0      piece 1      piece 2      the stream's buffer
 *     [done]       [being parsed by a worker]  [a cut record | free]
 *        └▸ queued, counted: by the input's task alone, inside the gate, in order
 *
 * Parsing a piece moves nothing that anybody can see: its rows wait in it until the
 * input takes them in, as bytes wait that are not parsed yet. So a pause needs to
 * know nothing of pieces, positions are those of what was taken in, and order is
 * that of the pieces.
 *
 * A fetch that may block waits until no piece is left, as it would keep what is parsed
 * from being taken in (input.c).
 *
 * Exactness: a piece counts only if its parser has consumed all of it and found no
 * fault. Otherwise (a bad record, a cut in the middle of one, no memory) it and all
 * behind it are put together again, and the stream's own parser reads them as if
 * they had never been parted: so faults have their reports, their order and their
 * positions from one place. After that the stream stays on its own for a while,
 * longer each time.
 *
 * A piece waits among the tasks of the pool: when no other worker is idle, the one
 * that has read it is the one that parses it. With one worker, with tasks enough for
 * all, with a queue that is not short, or while every core has a thread to run (an
 * output that encodes, say: a third thread on two cores only costs switches) there are
 * no pieces at all. A thread that waits in a call that may block has something to run
 * as well: who can say what it waits for.
 *
 * THREADS  All functions: the input's task. A piece that is not `done` is its worker's. */
#ifndef RUNTIME_AHEAD_H
#define RUNTIME_AHEAD_H

#include "runtime/input.h"

#define AHEAD_PIECES 8u                /* at most, of one stream: what bounds its memory */
#define AHEAD_LEAST_BYTES (64u << 10)  /* of a piece: a shorter one is parsed before another worker wakes */

typedef struct piece {
  task task; /* first */
  input *in;
  void *parser;         /* its own, kept for the next piece in this place; NULL: none yet */
  block *buf;           /* holds data */
  const char *data;
  size_t len;
  uint32_t rows;        /* of one batch, at most */
  uint64_t fetched_ns;
  batch *first, **last; /* its rows: a chain by unit_next, each with the bytes it came from */
  bool exact;           /* all of it was consumed, and all of it is good */
  _Atomic bool done;
} piece;

typedef struct ahead {
  input *in;
  uint32_t first, n;    /* of pieces, a ring */
  uint32_t alone, alone_next; /* pieces to leave to the stream itself: now, after the next fault */
  piece pieces[AHEAD_PIECES];
} ahead;

ahead *ahead_new(input *in); /* NULL: no memory */
void ahead_free(ahead *a);   /* no piece is being parsed; NULL is fine */

/* Whether the next run of bytes should be a piece. */
bool ahead_wants(ahead *a);
static inline bool ahead_is_full(const ahead *a) { return a->n == AHEAD_PIECES; }
static inline piece *ahead_first(ahead *a) { return a->n ? &a->pieces[a->first] : NULL; }
/* Takes the reference of buf, and has some worker parse it, as the stream's parser would.
 * There is room. */
void ahead_add(ahead *a, const void *parser, block *buf, const char *data, size_t len, uint32_t rows);
/* The rows of p's next batch go to the caller, with its reference; they are done with. */
batch *piece_take(piece *p);
/* The first piece has been taken in. */
void ahead_drop_first(ahead *a);
/* Whether every piece is parsed. */
bool ahead_all_done(ahead *a);
/* Copies what is left of all pieces to `to` (at least ahead_bytes), lets go of them, and
 * wants no more for a while. All are done. */
size_t ahead_bytes(ahead *a);
void ahead_take_back(ahead *a, char *to);

#endif
