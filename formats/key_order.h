/* key_order.h - which column a key means, and which key comes next.
 *
 * DESIGN
 * Most streams repeat one order of keys in every row, to the byte. A key_order
 * holds, for each key of the last row learned, the exact bytes from the end of
 * the value before it to the start of its own value (`{"id":`, `,"ts": `), so
 * that one vector comparison finds separator, key and colon right and the column
 * known. Bytes that matched once mean the same for ever after (a key's column
 * depends on nothing else), hence a match needs no other check.
 *
 * When a key is not the expected one, a memo of keys seen gives its column, and
 * the expectation moves behind where that column stood in the learned order, if that
 * is forward: rows that leave keys out cost one look-up per gap. An order names no
 * column twice. So a column that an expected key names has not come yet in its row. Rows that keep differing make the
 * order be learned anew, ever less often when that does not help.
 *
 * A key that names no column is not missed when it is left out, and the last such
 * key that strayed is known by its bytes too: it may stand anywhere.
 *
 * Only spellings of KEY_LEARNED_MAX bytes or less are learned, so that a reader
 * that runs past the end of its data stays within the parse padding. A look-up that the memo
 * does not know goes to hw_schema_find, which alone knows the rule of names.
 *
 * THREADS  As the parser that owns it. */
#ifndef FORMATS_KEY_ORDER_H
#define FORMATS_KEY_ORDER_H

#include "formats/row.h"
#include "formats/scan.h"
#include "formats/swar.h"

#define KEY_LEARNED_MAX 30
#define KEY_UNKNOWN (-1) /* the column of a key that names none: its value is skipped */

typedef struct key_entry {
  char bytes[SCAN_KEY];
  uint64_t first, first_mask; /* the first eight bytes as a word, and which bits of it count */
  uint32_t mask;              /* bit i: byte i counts */
  uint32_t len;
  int32_t column; /* or KEY_UNKNOWN */
} key_entry;

/* A name of at most SCAN_KEY bytes as words that, with its length, tell it from
 * every other: loads from both its ends, which overlap. */
typedef struct key_name {
  uint64_t words[4];
  uint32_t len_plus_one; /* 0: none */
} key_name;

typedef struct key_memo_entry {
  key_name name;
  int32_t column;
} key_memo_entry;

typedef struct key_order {
  key_entry *entries;
  uint32_t n, capacity;
  key_entry ignored;  /* the last key that strayed and named no column; len 0: none */
  bool learning;      /* this row's keys are being added */
  bool complete;      /* entries name every column */
  uint32_t *position; /* by column: 1 + its index in entries, or 0 */
  uint32_t strays;    /* rows that left the order since it was learned */
  uint32_t patience;  /* learn anew when there were so many */
  key_memo_entry *memo;
  uint32_t memo_mask;
  const hw_schema *schema;
} key_order;

hw_status key_order_init(key_order *k, const hw_schema *schema, hw_error *err);
void key_order_fini(key_order *k);

/* Whether the spelling at p is that of an entry; reads SCAN_KEY bytes. For formats
 * whose spellings are mostly of eight bytes or less. */
static inline bool key_entry_match(const key_entry *e, const char *p) {
  if ((swar_load8(p) ^ e->first) & e->first_mask) return false;
  return e->len <= 8 || scan_key_equal(p, e->bytes, e->mask);
}

/* Whether the spelling at p is that of the key in `ignored`. */
static inline bool key_order_is_ignored(const key_order *k, const char *p) {
  return k->ignored.len && scan_key_equal(p, k->ignored.bytes, k->ignored.mask);
}

/* The column that a name (its escapes resolved) means, or KEY_UNKNOWN. */
int32_t key_order_find(key_order *k, const char *name, size_t len);

/* How far a row has followed the order; zero at its start. */
typedef struct key_walk {
  uint32_t next; /* entry expected next */
  uint32_t run;  /* entries run .. next-1 were read and are not yet marked as seen */
  bool strayed;  /* a key was not the expected one */
} key_walk;

/* A key for `column` was read that was not the one expected: `spelling` is all
 * from the end of the last value to the start of this one. */
void key_walk_stray(key_order *k, row_writer *w, key_walk *walk, const char *spelling, size_t len, int32_t column);

/* The row's last value was read: fills in what was left out, false if that
 * cannot be. The usual case first: nothing was. */
bool key_walk_finish(key_order *k, row_writer *w, key_walk *walk);
static inline bool key_walk_end(key_order *k, row_writer *w, key_walk *walk) {
  if (__builtin_expect(!walk->strayed && k->complete && walk->next == k->n, 1)) return true;
  return key_walk_finish(k, w, walk);
}

/* The row was given up before its end. */
void key_walk_fail(key_order *k);

#endif
