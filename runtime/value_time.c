/* value_time.c - DATE, TIME and TIMESTAMP to text and back. */
#include "runtime/value_time.h"
#include "runtime/value_text.h"

#include <headworks/value.h>

/* ---- parsing ------------------------------------------------------------- */

#define BYTE(i, c) ((uint64_t)(unsigned char)(c) << (8 * (i)))
#define EIGHT(a, b, c, d, e, f, g, h)                                                                                  \
  (BYTE(0, a) | BYTE(1, b) | BYTE(2, c) | BYTE(3, d) | BYTE(4, e) | BYTE(5, f) | BYTE(6, g) | BYTE(7, h))

/* Compares eight characters with a pattern in which '0' stands for any digit.
 * What is left by the xor is 0 .. 9 for a digit and 0 for any other match;
 * adding `room` carries whatever is more into a byte's top bit. True: *pairs has
 * ten times each byte plus the next one, so the numbers of two-digit fields. */
static inline bool match_fields(uint64_t w, uint64_t pattern, uint64_t room, uint64_t *pairs) {
  uint64_t x = w ^ pattern;
  *pairs = x * 10 + (x >> 8);
  return ((x | (x + room)) & UINT64_C(0x8080808080808080)) == 0;
}

#define ROOM_DIGIT 0x76
#define ROOM_EXACT 0x7F

static inline unsigned pair_at(uint64_t pairs, unsigned byte) {
  return (unsigned)(pairs >> (8 * byte)) & 0xFF;
}

/* YYYY-MM-DD of 10 characters. */
static hw_status parse_ten(const char *p, int32_t *out) {
  uint64_t pairs;
  unsigned tens = text_digit(p[8]), ones = text_digit(p[9]);
  if (!match_fields(
          text_load8(p), EIGHT('0', '0', '0', '0', '-', '0', '0', '-'),
          EIGHT(ROOM_DIGIT, ROOM_DIGIT, ROOM_DIGIT, ROOM_DIGIT, ROOM_EXACT, ROOM_DIGIT, ROOM_DIGIT, ROOM_EXACT),
          &pairs) ||
      tens > 9 || ones > 9)
    return HW_EPARSE;
  unsigned year = pair_at(pairs, 0) * 100 + pair_at(pairs, 2), month = pair_at(pairs, 5), day = tens * 10 + ones;
  if (year == 0 || month - 1 > 11 || day - 1 > 27) {
    if (year == 0 || month - 1 > 11 || day == 0 || day > days_in_month(year, month)) return HW_ERANGE;
  }
  *out = days_of_civil(year, month, day);
  return HW_OK;
}

hw_status hw_parse_date(const char *data, size_t len, int32_t *out) {
  return len == 10 ? parse_ten(data, out) : HW_EPARSE;
}

static bool two_digits(const char *p, unsigned *out) {
  unsigned tens = text_digit(p[0]), ones = text_digit(p[1]);
  *out = tens * 10 + ones;
  return tens <= 9 && ones <= 9;
}

/* Digits behind a point, as a number of `places` digits; more are dropped. Returns their end, NULL when none. */
static const char *parse_fraction(const char *p, const char *end, unsigned places, uint32_t *out) {
  const char *start = p;
  uint32_t v = 0;
  unsigned taken = 0;
  for (; p < end && text_is_digit(*p); p++) {
    if (taken == places) continue;
    v = v * 10 + text_digit(*p);
    taken++;
  }
  *out = v * (uint32_t)text_pow10[places - taken];
  return p == start ? NULL : p;
}

/* HH:MM[:SS[.fraction]] at *text, moved behind it; fraction has `places` digits. */
static hw_status parse_clock(const char **text, const char *end, unsigned places, uint32_t *seconds,
                             uint32_t *fraction) {
  const char *p = *text;
  unsigned hour, minute, second = 0;
  *fraction = 0;
  if (end - p < 5 || !two_digits(p, &hour) || p[2] != ':' || !two_digits(p + 3, &minute)) return HW_EPARSE;
  p += 5;
  if (p < end && *p == ':') {
    if (end - p < 3 || !two_digits(p + 1, &second)) return HW_EPARSE;
    p += 3;
    if (p < end && *p == '.' && !(p = parse_fraction(p + 1, end, places, fraction))) return HW_EPARSE;
  }
  if (hour > 23 || minute > 59 || second > 59) return HW_ERANGE;
  *seconds = hour * 3600 + minute * 60 + second;
  *text = p;
  return HW_OK;
}

hw_status hw_parse_time(const char *data, size_t len, int64_t *out) {
  const char *p = data, *end = data + len;
  uint32_t seconds, fraction;
  hw_status st = parse_clock(&p, end, 9, &seconds, &fraction);
  if (st != HW_OK) return st;
  if (p != end) return HW_EPARSE;
  *out = (int64_t)seconds * NS_PER_SECOND + fraction;
  return HW_OK;
}

/* Z, +HH, +HHMM or +HH:MM until end; seconds east of Greenwich. */
static hw_status parse_zone(const char *p, const char *end, int32_t *out) {
  *out = 0;
  if (end - p == 1 && *p == 'Z') return HW_OK;
  unsigned hour, minute = 0;
  if (end - p < 3 || (*p != '+' && *p != '-') || !two_digits(p + 1, &hour)) return HW_EPARSE;
  bool west = *p == '-';
  p += 3;
  if (p < end && *p == ':' && end - p == 3) p++;
  if (p < end && (end - p != 2 || !two_digits(p, &minute))) return HW_EPARSE;
  if (hour > 23 || minute > 59) return HW_ERANGE;
  int32_t east = (int32_t)(hour * 3600 + minute * 60);
  *out = west ? -east : east;
  return HW_OK;
}

/* Puts a day, a clock and a zone together. */
static hw_status combine(int32_t days, int64_t us, const char *p, const char *end, int64_t *out) {
  int64_t v = days * US_PER_DAY + us;
  if (end - p == 1 ? *p != 'Z' : p != end) {
    int32_t east;
    hw_status st = parse_zone(p, end, &east);
    if (st != HW_OK) return st;
    v -= east * US_PER_SECOND;
    if (v < DATE_MIN * US_PER_DAY || v >= (DATE_MAX + 1) * US_PER_DAY) return HW_ERANGE;
  }
  *out = v;
  return HW_OK;
}

/* The usual form, up to the seconds: at least 19 characters. */
static bool parse_nineteen(const char *p, uint32_t *seconds) {
  uint64_t pairs;
  unsigned second_tens = text_digit(p[17]), second_ones = text_digit(p[18]);
  uint64_t w = text_load8(p + 8) & ~BYTE(2, 0xFF);
  bool match = match_fields(
      w, EIGHT('0', '0', 0, '0', '0', ':', '0', '0'),
      EIGHT(ROOM_DIGIT, ROOM_DIGIT, ROOM_EXACT, ROOM_DIGIT, ROOM_DIGIT, ROOM_EXACT, ROOM_DIGIT, ROOM_DIGIT), &pairs);
  unsigned hour = pair_at(pairs, 3), minute = pair_at(pairs, 6);
  *seconds = hour * 3600 + minute * 60 + second_tens * 10 + second_ones;
  return match && (p[10] == 'T' || p[10] == ' ') && p[16] == ':' && second_tens <= 5 && second_ones <= 9 &&
         hour <= 23 && minute <= 59;
}

hw_status hw_parse_timestamp(const char *data, size_t len, int64_t *out) {
  const char *p = data + 10, *end = data + len;
  int32_t days;
  if (len < 10) return HW_EPARSE;
  hw_status st = parse_ten(data, &days);
  if (st != HW_OK) return st;
  uint32_t seconds = 0, fraction = 0;
  if (len >= 19 && parse_nineteen(data, &seconds)) {
    p = data + 19;
    if (p < end && *p == '.' && !(p = parse_fraction(p + 1, end, 6, &fraction))) return HW_EPARSE;
  } else if (p < end && (*p == 'T' || *p == ' ')) {
    p++;
    st = parse_clock(&p, end, 6, &seconds, &fraction);
    if (st != HW_OK) return st;
  }
  return combine(days, (int64_t)seconds * US_PER_SECOND + fraction, p, end, out);
}

/* ---- formatting ---------------------------------------------------------- */

static size_t put_year(int64_t year, char *out) {
  if (year >= 1 && year <= 9999) {
    text_put_digits(out, (uint64_t)year, 4);
    return 4;
  }
  *out = year < 0 ? '-' : '+'; /* outside of what can be read back */
  uint64_t magnitude = (uint64_t)(year < 0 ? -year : year);
  unsigned n = text_count_digits(magnitude);
  if (n < 4) n = 4;
  text_put_digits(out + 1, magnitude, n);
  return n + 1;
}

static size_t put_date(int64_t days, char *out) {
  civil c = civil_of_days(days);
  size_t len = put_year(c.year, out);
  out[len] = '-';
  text_put2(out + len + 1, c.month);
  out[len + 3] = '-';
  text_put2(out + len + 4, c.day);
  return len + 6;
}

/* HH:MM:SS, and a fraction of `places` digits without its trailing zeros. */
static size_t put_clock(uint32_t seconds, uint32_t fraction, unsigned places, char *out) {
  text_put2(out, seconds / 3600);
  out[2] = ':';
  text_put2(out + 3, seconds / 60 % 60);
  out[5] = ':';
  text_put2(out + 6, seconds % 60);
  if (fraction == 0) return 8;
  out[8] = '.';
  text_put_digits(out + 9, fraction, places);
  size_t len = 9 + places;
  while (out[len - 1] == '0') len--;
  return len;
}

size_t hw_format_date(int32_t v, char *out) {
  return put_date(v, out);
}

size_t hw_format_time(int64_t v, char *out) {
  /* Outside of a day only by a fault elsewhere: shown as a time of day all the same. */
  v = floor_mod(v, NS_PER_DAY);
  return put_clock((uint32_t)(v / NS_PER_SECOND), (uint32_t)(v % NS_PER_SECOND), 9, out);
}

size_t hw_format_timestamp(int64_t v, char *out) {
  int64_t days = floor_div(v, US_PER_DAY), us = floor_mod(v, US_PER_DAY);
  size_t len = put_date(days, out);
  out[len++] = ' ';
  return len + put_clock((uint32_t)(us / US_PER_SECOND), (uint32_t)(us % US_PER_SECOND), 6, out + len);
}
