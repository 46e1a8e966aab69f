/* value_text.h - digits in memory, eight at a time: shared by the value_*.c files. */
#ifndef RUNTIME_VALUE_TEXT_H
#define RUNTIME_VALUE_TEXT_H

#include <headworks/types.h>

#include <string.h>

/* Eight bytes of text as a word whose lowest byte is the first character. */
static inline uint64_t text_load8(const char *p) {
  uint64_t w;
  memcpy(&w, p, sizeof w);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  w = __builtin_bswap64(w);
#endif
  return w;
}

static inline unsigned text_digit(char c) {
  return (unsigned)(unsigned char)c - '0';
} /* > 9: not a digit */

static inline bool text_is_digit(char c) {
  return text_digit(c) <= 9;
}

/* Whether all eight characters are digits: a digit xor '0' is 0 .. 9, anything
 * else is above, and adding 0x76 carries that into the byte's top bit. */
static inline bool text_eight_digits(uint64_t w) {
  uint64_t x = w ^ UINT64_C(0x3030303030303030);
  return ((x | (x + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080)) == 0;
}

/* The number that eight digits spell: pairs, then fours, then all, each step
 * one multiplication that adds neighbours weighted. */
static inline uint32_t text_eight_value(uint64_t w) {
  w &= UINT64_C(0x0F0F0F0F0F0F0F0F);
  w = w * 10 + (w >> 8);
  w &= UINT64_C(0x00FF00FF00FF00FF);
  w = w * 100 + (w >> 16);
  w &= UINT64_C(0x0000FFFF0000FFFF);
  return (uint32_t)(w * 10000 + (w >> 32));
}

/* "00" .. "99", one after the other. */
extern const char text_pairs[200];

static inline void text_put2(char *out, unsigned v) {
  memcpy(out, text_pairs + (size_t)v * 2, 2);
}

static inline unsigned text_bits(uint64_t v) {
  return 64 - (unsigned)__builtin_clzll(v | 1);
}

/* Decimal digits of v; 1 for 0. */
unsigned text_count_digits(uint64_t v);
/* Writes exactly n digits of v, leading zeros included. */
void text_put_digits(char *out, uint64_t v, unsigned n);

/* 10^0 .. 10^38. */
extern const hw_uint128 text_pow10[HW_DECIMAL_MAX_PRECISION + 1];

#endif
