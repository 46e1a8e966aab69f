#include "runtime/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES 160u

void hw_report_bad(hw_report *r, const hw_bad_record *bad) { r->add(r, bad); }

/* The first bytes of a record with control and foreign bytes spelled out. */
static void spell(const hw_bad_record *bad, char *out, size_t room) {
  size_t n = bad->len < FIRST_BYTES ? bad->len : FIRST_BYTES, at = 0;
  for (size_t i = 0; i < n && at + 8 < room; i++) {
    unsigned char c = (unsigned char)bad->start[i];
    if (c >= 0x20 && c < 0x7f)
      out[at++] = (char)c;
    else
      at += (size_t)snprintf(out + at, room - at, "\\x%02x", c);
  }
  if (n < bad->len && at + 4 < room) at += (size_t)snprintf(out + at, room - at, "...");
  out[at] = '\0';
}

/* The record itself, as far as it is there. */
static void keep_letter(hw_connector *c, const char *stream, uint64_t offset, const hw_bad_record *bad) {
  char position[CONNECTOR_POSITION_MAX] = "";
  if (stream) snprintf(position, sizeof position, "%s@%llu", stream, (unsigned long long)offset);
  dead_letter letter = {.time_us = connector_wall_us(), .connector = c->spec->endpoint, .position = position,
                        .reason = bad->reason, .field = bad->field ? bad->field : "",
                        .raw = bad->start ? bad->start : "", .raw_len = bad->start ? bad->len : 0,
                        .record_len = bad->len, .cut = bad->tag && strcmp(bad->tag, "too_long") == 0};
  dead_letters_add(c->letters, &letter);
}

void report_add(hw_connector *c, error_kind kind, const char *stream, uint64_t offset, const hw_bad_record *bad) {
  char bytes[FIRST_BYTES * 4 + 16], field[160] = "", place[CONNECTOR_POSITION_MAX] = "";
  if (bad->start) spell(bad, bytes, sizeof bytes);
  if (bad->field) snprintf(field, sizeof field, "column \"%s\": ", bad->field);
  if (stream) snprintf(place, sizeof place, " at %s@%llu", stream, (unsigned long long)offset);
  connector_add_error(c, kind, bad->tag, "%s%s%s%s%s", field, bad->reason, place, bad->start ? ": " : "",
                      bad->start ? bytes : "");
  if (kind == ERROR_PARSE && c->letters) keep_letter(c, stream, offset, bad);
}

bool hw_bytes_grow(hw_bytes *bytes, size_t room) {
  if (room > SIZE_MAX / 2 - bytes->len) return false;
  size_t capacity = bytes->capacity ? bytes->capacity : 4096;
  while (capacity - bytes->len < room) capacity *= 2;
  char *data = realloc(bytes->data, capacity);
  if (!data) return false;
  bytes->data = data;
  bytes->capacity = capacity;
  return true;
}
