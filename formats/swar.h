/* swar.h - eight characters at a time in a general register.
 *
 * Portable C. The first character stands in the lowest byte of a word on every
 * machine. Callers guarantee that eight bytes can be read. */
#ifndef FORMATS_SWAR_H
#define FORMATS_SWAR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t swar_load8(const char *p) {
  uint64_t x;
  memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap64(x);
#endif
  return x;
}

static inline uint32_t swar_load4(const char *p) {
  uint32_t x;
  memcpy(&x, p, sizeof x);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap32(x);
#endif
  return x;
}

static inline void swar_store8(char *p, uint64_t x) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap64(x);
#endif
  memcpy(p, &x, sizeof x);
}

/* The top bits of the bytes of x that are above 9; after the first of them, perhaps of others, too. */
static inline uint64_t swar_above9(uint64_t x) {
  return ((x + UINT64_C(0x7676767676767676)) | x) & UINT64_C(0x8080808080808080);
}

/* How many characters of x, from the first, are decimal digits: 0 .. 8. */
static inline unsigned swar_count_digits(uint64_t x) {
  uint64_t other = swar_above9(x ^ UINT64_C(0x3030303030303030));
  return other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
}

/* The number that eight digits 0..9, the first in the lowest byte, are. */
static inline uint32_t swar_value(uint64_t x) {
  x = x * 10 + (x >> 8);
  uint64_t high = (x & UINT64_C(0x000000ff000000ff)) * (100 + (UINT64_C(1000000) << 32));
  uint64_t low = ((x >> 16) & UINT64_C(0x000000ff000000ff)) * (1 + (UINT64_C(10000) << 32));
  return (uint32_t)((high + low) >> 32);
}

/* The number that the first n (1 .. 8) characters of x spell, digits all. */
static inline uint32_t swar_digits_value(uint64_t x, unsigned n) {
  return swar_value((x ^ UINT64_C(0x3030303030303030)) << (64 - 8 * n));
}

/* x with every byte checked against a pattern that holds '0' where any digit may
 * stand and a mark elsewhere: false unless all fit. *values: the digits as 0..9,
 * marks as 0. `room` has 0x76 where a digit may stand, 0x7f at marks. */
static inline bool swar_match(uint64_t x, uint64_t pattern, uint64_t room, uint64_t *values) {
  uint64_t t = x ^ pattern;
  *values = t;
  return !(((t + room) | t) & UINT64_C(0x8080808080808080));
}

#endif
