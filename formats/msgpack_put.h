/* msgpack_put.h - items of MessagePack, written straight into the output.
 *
 * Always the shortest form of an item, as msgpack-c packs it. What a number or a
 * header takes is stored whole, so a writer may touch PUT_SLACK bytes beyond those
 * that count. */
#ifndef FORMATS_MSGPACK_PUT_H
#define FORMATS_MSGPACK_PUT_H

#include "formats/put_value.h"

/* A first byte, and the low bytes of a number in big-endian order: 1, 2, 4 or 8 of
 * them for `form` 0 to 3. */
PUT_INLINE char *mp_put_form(char *out, unsigned first, unsigned form, uint64_t number) {
  unsigned size = 1u << form;
  *out = (char)first;
  swar_store8(out + 1, __builtin_bswap64(number << (64 - 8 * size)));
  return out + 1 + size;
}

/* The form in which a number stands. */
PUT_INLINE unsigned mp_form_of(uint64_t v) {
  return (unsigned)(v > UINT8_MAX) + (v > UINT16_MAX) + (v > UINT32_MAX);
}

PUT_INLINE char *mp_put_unsigned(char *out, uint64_t v) {
  *out = (char)v;
  return v < 0x80 ? out + 1 : mp_put_form(out, 0xcc + mp_form_of(v), mp_form_of(v), v);
}

PUT_INLINE char *mp_put_signed(char *out, int64_t v) {
  if (v >= 0) return mp_put_unsigned(out, (uint64_t)v);
  unsigned form = (unsigned)(v < INT8_MIN) + (v < INT16_MIN) + (v < INT32_MIN);
  *out = (char)v;
  return v >= -32 ? out + 1 : mp_put_form(out, 0xd0 + form, form, (uint64_t)v);
}

PUT_INLINE char *mp_put_float(char *out, float v) {
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  return mp_put_form(out, 0xca, 2, bits);
}

PUT_INLINE char *mp_put_double(char *out, double v) {
  uint64_t bits;
  memcpy(&bits, &v, sizeof bits);
  return mp_put_form(out, 0xcb, 3, bits);
}

PUT_INLINE char *mp_put_str(char *out, const char *data, uint32_t len) {
  unsigned form = mp_form_of(len);
  *out = (char)(0xa0 | len);
  out = len < 32 ? out + 1 : mp_put_form(out, 0xd9 + form, form, len);
  return put_bytes(out, data, len);
}

PUT_INLINE char *mp_put_bin(char *out, const char *data, uint32_t len) {
  unsigned form = mp_form_of(len);
  return put_bytes(mp_put_form(out, 0xc4 + form, form, len), data, len);
}

/* The header of an array or, with twice as many items to follow, a map. */
PUT_INLINE char *mp_put_items(char *out, bool map, uint32_t n) {
  unsigned form = n > UINT16_MAX ? 2 : 1;
  *out = (char)((map ? 0x80 : 0x90) | n);
  return n < 16 ? out + 1 : mp_put_form(out, (map ? 0xdd : 0xdb) + form, form, n);
}

/* The timestamp extension, type -1, of 32, 64 or 96 bits. */
PUT_INLINE char *mp_put_timestamp(char *out, int64_t micros) {
  int64_t seconds = micros / 1000000, rest = micros % 1000000;
  if (rest < 0) seconds--, rest += 1000000;
  uint64_t nanos = (uint64_t)rest * 1000;
  if (__builtin_expect(seconds >> 34 != 0, 0)) {
    memcpy(out, "\xc7\x0c", 2);
    out = mp_put_form(out + 2, 0xff, 2, nanos);
    swar_store8(out, __builtin_bswap64((uint64_t)seconds));
    return out + 8;
  }
  uint64_t both = nanos << 34 | (uint64_t)seconds;
  unsigned form = both >> 32 ? 3 : 2;
  *out = (char)(0xd4 + form);
  return mp_put_form(out + 1, 0xff, form, both);
}

#endif
