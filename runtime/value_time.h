/* value_time.h - the calendar: days since 1970 to year, month, day and back.
 *
 * Proleptic Gregorian. Years are counted from March, so that the leap day ends
 * a year: then the days before a month follow one line, (153 * month + 2) / 5,
 * and 4-year and 100-year spans have one length each but for their last day. */
#ifndef RUNTIME_VALUE_TIME_H
#define RUNTIME_VALUE_TIME_H

#include <headworks/types.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY (INT64_C(86400) * US_PER_SECOND)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_DAY (INT64_C(86400) * NS_PER_SECOND)

#define DAYS_PER_400_YEARS 146097
#define DAYS_TO_1970 719468 /* from 1 March of year 0 */

typedef struct civil {
  int64_t year;
  unsigned month, day; /* from 1 */
} civil;

static inline int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
} /* b > 0 */
static inline int64_t floor_mod(int64_t a, int64_t b) {
  return a % b + (a % b < 0 ? b : 0);
}

/* Any number of days that an int64_t of microseconds can hold. */
static inline civil civil_of_days(int64_t days) {
  days += DAYS_TO_1970;
  int64_t cycle = floor_div(days, DAYS_PER_400_YEARS);
  unsigned rest = (unsigned)(days - cycle * DAYS_PER_400_YEARS);
  unsigned century = (4 * rest + 3) / DAYS_PER_400_YEARS;
  rest -= DAYS_PER_400_YEARS * century / 4;
  unsigned year = (4 * rest + 3) / 1461;
  rest -= 1461 * year / 4;
  unsigned month = (5 * rest + 2) / 153;
  civil c = {cycle * 400 + 100 * century + year + (month >= 10), month < 10 ? month + 3 : month - 9,
             rest - (153 * month + 2) / 5 + 1};
  return c;
}

/* year >= 1, month 1 .. 12, day 1 .. 31. */
static inline int32_t days_of_civil(unsigned year, unsigned month, unsigned day) {
  year -= month <= 2;
  month = month > 2 ? month - 3 : month + 9;
  unsigned century = year / 100;
  return (int32_t)(DAYS_PER_400_YEARS * century / 4 + 1461 * (year % 100) / 4 + (153 * month + 2) / 5 + day - 1) -
         DAYS_TO_1970;
}

static inline bool is_leap_year(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline unsigned days_in_month(int64_t year, unsigned month) {
  return month == 2 ? 28U + is_leap_year(year) : 30 + ((month + (month >> 3)) & 1);
}

#define DATE_MIN (-719162) /* 0001-01-01 */
#define DATE_MAX 2932896   /* 9999-12-31 */

#endif
