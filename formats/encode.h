/* encode.h - what encoders share: how often a row stands, and rows that cannot. */
#ifndef FORMATS_ENCODE_H
#define FORMATS_ENCODE_H

#include <headworks/format.h>

#define ENCODE_MAX_COPIES 1000000

/* Reports a row that the format cannot express. */
static inline void encode_report(hw_report *report, uint32_t index, const char *tag, const char *reason) {
  const hw_bad_record bad = {.index = index, .tag = tag, .reason = reason};
  hw_report_bad(report, &bad);
}

/* How many times a row of this weight is to be written; 0 after reporting why
 * not. `deletes`: the format can say that a row is deleted. */
static inline uint64_t encode_copies(hw_report *report, uint32_t index, int64_t weight, bool deletes) {
  if (weight == 1) return 1;
  if (weight < 0 && !deletes) {
    encode_report(report, index, "delete", "a deleted row cannot be expressed: set update_format to insert_delete");
    return 0;
  }
  uint64_t copies = weight < 0 ? 0 - (uint64_t)weight : (uint64_t)weight;
  if (copies <= ENCODE_MAX_COPIES) return copies;
  encode_report(report, index, "weight", "the row's weight is beyond 1,000,000");
  return 0;
}

/* Room for what is to be written at `at`, up to where the output holds more than it
 * counts: `at` or, where the bytes had to move, its new place; NULL: no memory. */
static inline char *encode_room(hw_bytes *out, char *at, size_t room) {
  size_t used = (size_t)(at - out->data), len = out->len;
  if (__builtin_expect(out->capacity - used >= room, 1)) return at;
  out->len = used;
  bool grown = hw_bytes_grow(out, room);
  out->len = len;
  return grown ? out->data + used : NULL;
}

#endif
