/* dead_letters.h - records that could not be read, kept for people to look at and
 * to be submitted again.
 *
 * DESIGN
 * One list per pipeline, in the order of ids, which count up. It outlives the runs
 * of the pipeline, so that what a program could not read its successor may be given.
 * Two bounds hold at every moment, of letters and of bytes; to take one in, the
 * oldest go, counted as dropped. Of a record that is longer than a third bound only
 * the beginning is kept, and it is marked as cut.
 *
 * Who submits a letter again takes it out of the list, so that nobody else can, and
 * gives it back if that came to nothing.
 *
 * THREADS  Any. A letter that was taken belongs to whoever took it. */
#ifndef RUNTIME_DEAD_LETTERS_H
#define RUNTIME_DEAD_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <headworks/status.h>

#define DEAD_LETTERS_MOST 10000u
#define DEAD_LETTERS_BYTES_MOST (UINT64_C(32) << 20) /* their texts, records and list entries */
#define DEAD_LETTER_RAW_MOST (64u << 10)

typedef struct dead_letters dead_letters;

/* Strings and bytes lie behind the struct, in the same piece of memory. */
typedef struct dead_letter {
  struct dead_letter *next; /* while it is in the list, or in one that was given out */
  size_t size;              /* of the whole piece */
  uint64_t id;              /* from 1 */
  int64_t time_us;          /* since 1970 */
  const char *connector;    /* its endpoint, "table.connector" */
  const char *position;     /* "stream@offset", or "" */
  const char *reason;
  const char *field;        /* column it failed on, or "" */
  const char *raw;          /* the record, raw_len bytes of it */
  size_t raw_len;
  uint64_t record_len;      /* of the record as far as it had come */
  bool cut;                 /* raw is not all of it */
} dead_letter;

typedef struct dead_letters_count {
  uint64_t letters, bytes;   /* kept now */
  uint64_t total;            /* ever */
  uint64_t dropped;          /* for the bounds, or for want of memory */
  uint64_t resubmitted;      /* taken out since their rows are in the table */
  uint64_t cleared;          /* by users */
} dead_letters_count;

/* One reference; NULL: no memory. Bounds of 0: the ones above. */
dead_letters *dead_letters_new(uint64_t most, uint64_t bytes_most);
dead_letters *dead_letters_ref(dead_letters *dl);
void dead_letters_unref(dead_letters *dl);

/* Copies all but what the list itself fills in (next, size, id). */
void dead_letters_add(dead_letters *dl, const dead_letter *letter);

/* Who wants to know of each letter that comes: `call` is made with the list's lock held,
 * so it must be short and call nothing of this file. After dead_letters_unwatch it is
 * not in progress, nor will be. */
typedef struct letters_watch {
  void (*call)(void *arg);
  void *arg;
  struct letters_watch *next, **link; /* the list's */
} letters_watch;

void dead_letters_watch(dead_letters *dl, letters_watch *w);
void dead_letters_unwatch(dead_letters *dl, letters_watch *w);

/* Copies of the oldest letters behind id `after`, of one connector (NULL: of any): at
 * most n of them, with at most `bytes` together, though at least one. *out is freed
 * with dead_letters_free_list. HW_OK or HW_ENOMEM. */
HW_MUST_USE hw_status dead_letters_list(dead_letters *dl, const char *connector, uint64_t after, uint64_t n,
                                        uint64_t bytes, dead_letter **out);
void dead_letters_free_list(dead_letter *list);

/* Takes out the letter of that id. NULL: there is none. */
dead_letter *dead_letters_take(dead_letters *dl, uint64_t id);
/* Takes out the oldest one behind `after`, up to `last`, of a connector (NULL: of any). NULL: there is none. */
dead_letter *dead_letters_take_next(dead_letters *dl, const char *connector, uint64_t after, uint64_t last);
/* Puts back what was taken, with another reason (NULL: the same). Consumes it. */
void dead_letters_give_back(dead_letters *dl, dead_letter *letter, const char *reason);
/* Its rows are in the table. Consumes it. */
void dead_letters_settle(dead_letters *dl, dead_letter *letter);

/* Lets go of all letters, or of one connector's; how many. */
uint64_t dead_letters_clear(dead_letters *dl, const char *connector);
dead_letters_count dead_letters_counts(dead_letters *dl);

#endif
