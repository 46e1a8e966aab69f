/* scan_utf8.h - the tables with which vectors check UTF-8.
 *
 * DESIGN
 * Whether two bytes may follow each other is a matter of three half bytes: both of
 * the first and the upper one of the second. For each a table says, one bit a rule,
 * whether it is compatible with the rule being broken; a bit that all three have is a
 * rule that is broken. What the pair cannot tell, whether a third or fourth byte has
 * to be a continuation, follows from the bytes two and three before; there two
 * continuations in a row, which are an error elsewhere, have to be.
 * The method is that of J. Keiser and D. Lemire, "Validating UTF-8 in less than one
 * instruction per byte" (2021). */
#ifndef FORMATS_SCAN_UTF8_H
#define FORMATS_SCAN_UTF8_H

#include <stdint.h>

enum {
  UTF8_SHORT = 0x01,    /* a first byte, and no continuation behind it */
  UTF8_LONG = 0x02,     /* a continuation behind ASCII */
  UTF8_TWICE = 0x80,    /* two continuations: right only where a third or fourth byte is due */
  UTF8_OVER2 = 0x20,    /* c0, c1: what one byte can say */
  UTF8_OVER3 = 0x04,    /* e0 80..9f: what two can */
  UTF8_OVER4 = 0x40,    /* f0 80..8f: what three can */
  UTF8_HALF = 0x10,     /* ed a0..bf: surrogates */
  UTF8_ABOVE = 0x08,    /* f4 90..bf, and beyond: above U+10FFFF */
  UTF8_FAR_ABOVE = 0x40, /* f5.. 80..8f: likewise */
  UTF8_ANY = UTF8_SHORT | UTF8_LONG | UTF8_TWICE, /* these do not depend on the first byte's lower half */
};

#define UTF8_C0 (UTF8_SHORT | UTF8_OVER2)
#define UTF8_E0 (UTF8_SHORT | UTF8_OVER3 | UTF8_HALF)
#define UTF8_F0 (UTF8_SHORT | UTF8_ABOVE | UTF8_FAR_ABOVE | UTF8_OVER4)
#define UTF8_BIG (UTF8_ANY | UTF8_ABOVE | UTF8_FAR_ABOVE)
#define UTF8_CONTINUES (UTF8_LONG | UTF8_OVER2 | UTF8_TWICE)

/* By the upper half of the first byte, its lower half, the upper half of the second; twice, for wide vectors. */
#define UTF8_FIRST_UPPER                                                                                               \
  UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_LONG, UTF8_TWICE, UTF8_TWICE,      \
      UTF8_TWICE, UTF8_TWICE, UTF8_C0, UTF8_SHORT, UTF8_E0, UTF8_F0
#define UTF8_FIRST_LOWER                                                                                               \
  UTF8_ANY | UTF8_OVER2 | UTF8_OVER3 | UTF8_OVER4, UTF8_ANY | UTF8_OVER2, UTF8_ANY, UTF8_ANY, UTF8_ANY | UTF8_ABOVE,   \
      UTF8_BIG, UTF8_BIG, UTF8_BIG, UTF8_BIG, UTF8_BIG, UTF8_BIG, UTF8_BIG, UTF8_BIG, UTF8_BIG | UTF8_HALF, UTF8_BIG,  \
      UTF8_BIG
#define UTF8_SECOND_UPPER                                                                                              \
  UTF8_SHORT, UTF8_SHORT, UTF8_SHORT, UTF8_SHORT, UTF8_SHORT, UTF8_SHORT, UTF8_SHORT, UTF8_SHORT,                      \
      UTF8_CONTINUES | UTF8_OVER3 | UTF8_FAR_ABOVE | UTF8_OVER4, UTF8_CONTINUES | UTF8_OVER3 | UTF8_ABOVE,             \
      UTF8_CONTINUES | UTF8_HALF | UTF8_ABOVE, UTF8_CONTINUES | UTF8_HALF | UTF8_ABOVE, UTF8_SHORT, UTF8_SHORT,        \
      UTF8_SHORT, UTF8_SHORT

static const uint8_t utf8_first_upper[32] = {UTF8_FIRST_UPPER, UTF8_FIRST_UPPER};
static const uint8_t utf8_first_lower[32] = {UTF8_FIRST_LOWER, UTF8_FIRST_LOWER};
static const uint8_t utf8_second_upper[32] = {UTF8_SECOND_UPPER, UTF8_SECOND_UPPER};

/* From utf8_places + 32 - n on: n bytes of ones (at most 32), then zeros. */
static const uint8_t utf8_places[64] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

#endif
