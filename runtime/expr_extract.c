/* expr_extract.c - EXTRACT(unit FROM date, time or timestamp). */
#include "runtime/expr_eval.h"
#include "runtime/value_time.h"

/* Monday 0 .. Sunday 6; 1970-01-01 was a Thursday. */
static int64_t weekday(int64_t days) {
  return floor_mod(days + 3, 7);
}

static int64_t first_day(int64_t year) {
  return days_of_civil((unsigned)year, 1, 1);
}

/* A week belongs to the year that its Thursday is in. */
static int64_t iso_week(int64_t days, int64_t *year) {
  int64_t thursday = days - weekday(days) + 3;
  *year = civil_of_days(thursday).year;
  return (thursday - first_day(*year)) / 7 + 1;
}

static int64_t of_date(expr_unit unit, int64_t days) {
  civil c = civil_of_days(days);
  int64_t iso_year;
  switch (unit) {
  case EXPR_UNIT_MILLENNIUM:
    return (c.year + 999) / 1000;
  case EXPR_UNIT_CENTURY:
    return (c.year + 99) / 100;
  case EXPR_UNIT_DECADE:
    return c.year / 10;
  case EXPR_UNIT_YEAR:
    return c.year;
  case EXPR_UNIT_ISOYEAR:
    return iso_week(days, &iso_year), iso_year;
  case EXPR_UNIT_QUARTER:
    return (c.month + 2) / 3;
  case EXPR_UNIT_MONTH:
    return c.month;
  case EXPR_UNIT_WEEK:
    return iso_week(days, &iso_year);
  case EXPR_UNIT_DAY:
    return c.day;
  case EXPR_UNIT_DOW:
    return (weekday(days) + 1) % 7 + 1;
  case EXPR_UNIT_ISODOW:
    return weekday(days) + 1;
  case EXPR_UNIT_DOY:
    return days - first_day(c.year) + 1;
  default:
    return 0;
  }
}

static int64_t of_clock(expr_unit unit, int64_t ns) {
  int64_t in_minute = ns % (60 * NS_PER_SECOND);
  switch (unit) {
  case EXPR_UNIT_HOUR:
    return ns / (3600 * NS_PER_SECOND);
  case EXPR_UNIT_MINUTE:
    return ns / (60 * NS_PER_SECOND) % 60;
  case EXPR_UNIT_SECOND:
    return in_minute / NS_PER_SECOND;
  case EXPR_UNIT_MILLISECOND:
    return in_minute / 1000000;
  case EXPR_UNIT_MICROSECOND:
    return in_minute / 1000;
  case EXPR_UNIT_NANOSECOND:
    return in_minute;
  case EXPR_UNIT_EPOCH:
    return ns / NS_PER_SECOND;
  default:
    return 0;
  }
}

static int64_t of_timestamp(expr_unit unit, int64_t us) {
  if (unit == EXPR_UNIT_EPOCH) return floor_div(us, US_PER_SECOND);
  if (unit < EXPR_UNIT_HOUR) return of_date(unit, floor_div(us, US_PER_DAY));
  return of_clock(unit, floor_mod(us, US_PER_DAY) * (NS_PER_SECOND / US_PER_SECOND));
}

static int64_t extract(expr_unit unit, hw_type_id id, const void *values, uint32_t at) {
  switch (id) {
  case HW_TYPE_DATE: {
    int64_t days = ((const int32_t *)values)[at];
    return unit == EXPR_UNIT_EPOCH ? days * 86400 : of_date(unit, days);
  }
  case HW_TYPE_TIME:
    return of_clock(unit, ((const int64_t *)values)[at]);
  default:
    return of_timestamp(unit, ((const int64_t *)values)[at]);
  }
}

static hw_status fill_extract(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  (void)ev;
  hw_type_id id = (hw_type_id)nd->args[0]->type.id;
  int64_t *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (vec_filled(out, row)) to[row] = extract((expr_unit)nd->e->index, id, args->values, vec_at(args, row));
  }
  return HW_OK;
}

static hw_status eval_extract(evaluator *ev, const node *nd, const rows *r, vec *out) {
  return node_eval_fill(ev, nd, r, out, fill_extract);
}

const op_info op_extract = {.eval = eval_extract};
