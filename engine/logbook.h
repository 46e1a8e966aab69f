/* logbook.h - the latest lines of a pipeline's log, for any number of readers.
 *
 * DESIGN
 * Lines stand one after the other in one ring of bytes, which grows from a few
 * KiB to LOGBOOK_BYTES and then discards the oldest lines. A reader is a place in
 * the endless text: it is told how many lines it has missed when the place is
 * discarded before it came there, so nobody waits for a slow reader and nobody
 * is thrown out. A line is never shorter than its time and level, so the bound
 * of bytes bounds the lines, too (below 50,000).
 *
 * THREADS  Any. One lock, held to copy a line or a piece of text. */
#ifndef ENGINE_LOGBOOK_H
#define ENGINE_LOGBOOK_H

#include <headworks/connector.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOGBOOK_BYTES (1u << 20)

typedef struct logbook logbook;

typedef struct logbook_place {
  uint64_t byte, line; /* from the beginning of the log; {0}: there */
} logbook_place;

/* Somebody who wants to know of lines that are added; the caller's memory. */
typedef struct logbook_watch {
  struct logbook_watch *next, **link;
  void (*grew)(void *arg); /* under the lock: short, and no call back */
  void *arg;
} logbook_watch;

logbook *logbook_new(void); /* NULL: no memory */
void logbook_free(logbook *book);
/* Adds a line with the present time; without memory the oldest lines go first. */
void logbook_add(logbook *book, hw_log_level level, const char *line);
/* Copies whole lines from *at on, at most room bytes (which must be at least
 * LOGBOOK_LINE_BYTES), and moves *at behind them. *lost: how many lines before
 * them were discarded unread; *at has moved past these as well. */
#define LOGBOOK_LINE_BYTES 4096u
size_t logbook_read(logbook *book, logbook_place *at, char *out, size_t room, uint64_t *lost);
/* Moves *at past lines that are discarded already; how many. */
uint64_t logbook_skip_lost(logbook *book, logbook_place *at);
void logbook_add_watch(logbook *book, logbook_watch *w);
void logbook_remove_watch(logbook *book, logbook_watch *w);
/* There will be no more lines; watchers are told. */
void logbook_close(logbook *book);
bool logbook_is_closed(logbook *book);
uint64_t logbook_lines(logbook *book); /* added so far */

#endif
