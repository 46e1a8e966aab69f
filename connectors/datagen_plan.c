/* datagen_plan.c - reads a plan. Each type has a domain: the bounds of its values
 * in steps (see datagen_field), and the ranges that it has when none is given. */
#include "connectors/datagen_plan.h"
#include "connectors/datagen_json.h"
#include "connectors/datagen_values.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH_MOST 65536 /* of a string that is made */
#define MS_PER_DAY 86400000
#define END_OF_TIMESTAMPS INT64_C(4102444800000) /* 2100-01-01, in ms */
#define END_OF_DATES 54787                       /* 2100-01-01, in days */

/* What is being read, for messages. Faults are gathered: what follows one is read on. */
typedef struct place {
  const hw_schema *schema;
  char path[192];
  hw_error *err;
} place;

static hw_status bad(const place *at, const char *member, const char *why) {
  return hw_error_add(at->err, HW_EINVAL, "%s.%s: %s", at->path, member, why);
}

/* Of two results, the first that is a fault. */
static hw_status both(hw_status a, hw_status b) { return a != HW_OK ? a : b; }

/* ---- domains ---------------------------------------------------------------- */

typedef struct domain {
  hw_int128 min, end;          /* values are min .. end-1 */
  hw_int128 from, to;          /* the usual range [from, to) */
} domain;

static hw_int128 power(unsigned base, unsigned n) {
  hw_int128 v = 1;
  while (n-- > 0) v *= base;
  return v;
}

static domain whole(hw_int128 min, hw_int128 end) { return (domain){min, end, min, end}; }

static domain domain_of(const hw_type *type) {
  unsigned bits = 8 * (unsigned)hw_type_width((hw_type_id)type->id);
  switch (type->id) {
  case HW_TYPE_TINYINT:
  case HW_TYPE_SMALLINT:
  case HW_TYPE_INT:
  case HW_TYPE_BIGINT: return whole(-power(2, bits - 1), power(2, bits - 1));
  case HW_TYPE_UTINYINT:
  case HW_TYPE_USMALLINT:
  case HW_TYPE_UINT:
  case HW_TYPE_UBIGINT: return whole(0, power(2, bits));
  case HW_TYPE_DECIMAL: return whole(1 - power(10, type->precision), power(10, type->precision));
  case HW_TYPE_DATE: return (domain){INT32_MIN, (hw_int128)INT32_MAX + 1, 0, END_OF_DATES};
  case HW_TYPE_TIME: return whole(0, MS_PER_DAY);
  case HW_TYPE_TIMESTAMP: return (domain){INT64_MIN / 1000, INT64_MAX / 1000, 0, END_OF_TIMESTAMPS};
  case HW_TYPE_BOOLEAN: return whole(0, 2);
  case HW_TYPE_UUID: return whole(0, power(2, 64));
  case HW_TYPE_CHAR:
  case HW_TYPE_VARCHAR: return (domain){0, LENGTH_MOST, 0, 25};
  default: return (domain){0, LENGTH_MOST, 0, 5};
  }
}

static bool is_real(const hw_type *type) { return type->id == HW_TYPE_REAL || type->id == HW_TYPE_DOUBLE; }
static bool is_string(const hw_type *type) { return hw_type_is_string((hw_type_id)type->id); }
static bool is_text(const hw_type *type) { return hw_type_is_text((hw_type_id)type->id); }
static bool takes_range(const hw_type *type) { return type->id != HW_TYPE_BOOLEAN && type->id != HW_TYPE_UUID; }

/* ---- ranges of whole steps -------------------------------------------------- */

static hw_status read_pair(const json_t *range, const place *at) {
  if (json_is_array(range) && json_array_size(range) == 2) return HW_OK;
  return bad(at, "range", "must be an array of two: where values start, and the first that is too large");
}

static hw_status read_bounds(const json_t *range, const datagen_field *f, domain *d, const place *at) {
  char path[224];
  hw_int128 bounds[2];
  hw_status status = read_pair(range, at);
  if (status != HW_OK) return status;
  for (unsigned i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s.range[%u]", at->path, i);
    status = both(status, datagen_json_bound(json_array_get(range, i), &f->type, path, &bounds[i], at->err));
  }
  if (status != HW_OK) return status;
  if (bounds[0] >= bounds[1]) return bad(at, "range", "its start must be below its end");
  if (bounds[0] < d->min || bounds[1] > d->end) {
    if (is_string(&f->type)) return bad(at, "range", "lengths go from 0 to 65535");
    return bad(at, "range", "reaches beyond what the column's type can hold");
  }
  d->from = bounds[0];
  d->to = bounds[1];
  return HW_OK;
}

/* Without a range of its own, a sequence starts at 0 and goes up or down, and a
 * scaled draw stays within the type. */
static void adapt_default(const datagen_field *f, domain *d) {
  hw_int128 scale = f->scale < 0 ? -(hw_int128)f->scale : f->scale;
  if (f->strategy == DATAGEN_INCREMENT && d->min < 0 && d->from == d->min) {
    if (f->down) d->to = 1;
    else d->from = 0;
  }
  if (f->strategy == DATAGEN_ZIPF && d->from < 0) d->from = 0;
  if (f->strategy == DATAGEN_UNIFORM && scale > 1) {
    d->from = d->from / scale;
    d->to = (d->to - 1) / scale + 1;
  }
  if (f->strategy == DATAGEN_UNIFORM && f->scale < 0 && d->from < 1 - d->to) d->from = 1 - d->to;
}

/* The column's own length bounds what is made for it. */
static hw_status limit_length(const datagen_field *f, domain *d, const place *at) {
  if (!is_string(&f->type) || f->strategy == DATAGEN_TEXT) return HW_OK; /* text is cut to fit */
  if (!f->type.length || d->to <= (hw_int128)f->type.length + 1) return HW_OK;
  if (f->has_range) return bad(at, "range", "the column does not hold as much");
  d->to = (hw_int128)f->type.length + 1;
  if (d->from >= d->to) d->from = d->to - 1;
  return HW_OK;
}

static hw_status check_scaled(const datagen_field *f, const domain *d, const place *at) {
  if (f->strategy != DATAGEN_UNIFORM || f->scale == 1 || is_string(&f->type) || !takes_range(&f->type)) return HW_OK;
  hw_int128 a = d->from, b = d->to - 1, most = power(10, 38) - 1;
  hw_int128 limit = f->scale == 0 ? most : most / (f->scale < 0 ? -(hw_int128)f->scale : f->scale);
  bool fits = a >= -limit && a <= limit && b >= -limit && b <= limit;
  a *= fits ? f->scale : 0;
  b *= fits ? f->scale : 0;
  if (fits && a >= d->min && a < d->end && b >= d->min && b < d->end) return HW_OK;
  return bad(at, "scale", "takes values of the range beyond what the column's type can hold");
}

static hw_status read_range(const json_t *range, datagen_field *f, const place *at) {
  domain d = domain_of(&f->type);
  hw_status status = HW_OK;
  uint64_t low, high;
  if (f->strategy == DATAGEN_TEXT && datagen_text_default_range(f->text, &low, &high)) {
    d.from = (hw_int128)low;
    d.to = (hw_int128)high;
  }
  if (range) status = read_bounds(range, f, &d, at);
  else adapt_default(f, &d);
  if (status == HW_OK) status = limit_length(f, &d, at);
  if (status == HW_OK) status = check_scaled(f, &d, at);
  f->low = (uint64_t)d.from;
  f->dec_low = d.from;
  f->dec_span = (hw_uint128)d.to - (hw_uint128)d.from; /* may be more than a signed one holds */
  f->span = (uint64_t)f->dec_span;
  f->dec_step = datagen_mulmod((hw_uint128)power(10, f->type.scale), f->step, f->dec_span);
  return status;
}

/* ---- ranges of real numbers ------------------------------------------------- */

static hw_status read_real_range(const json_t *range, datagen_field *f, const place *at) {
  double most = f->type.id == HW_TYPE_REAL ? FLT_MAX : DBL_MAX;
  f->real_low = f->strategy == DATAGEN_UNIFORM ? -most : 0;
  f->real_high = f->strategy == DATAGEN_UNIFORM ? most : f->strategy == DATAGEN_ZIPF ? 0x1p53 : HUGE_VAL;
  hw_status status = range ? read_pair(range, at) : HW_OK;
  char path[224];
  snprintf(path, sizeof path, "%s.range", at->path);
  if (range && status == HW_OK) status = datagen_json_real(json_array_get(range, 0), path, &f->real_low, at->err);
  if (range && status == HW_OK) status = datagen_json_real(json_array_get(range, 1), path, &f->real_high, at->err);
  if (status != HW_OK) return status;
  if (f->real_low >= f->real_high) return bad(at, "range", "its start must be below its end");
  double scale = fabs(f->real_scale);
  if (!range && f->strategy == DATAGEN_UNIFORM && scale > 1) {
    f->real_low /= scale;
    f->real_high /= scale;
  }
  bool drawn = f->strategy == DATAGEN_UNIFORM;
  if (range && (fabs(f->real_low) > most || f->real_high > most ||
                (drawn && (fabs(f->real_low) * scale > most || fabs(f->real_high) * scale > most))))
    return bad(at, "range", "reaches beyond what the column's type can hold");
  double ranks = ceil(f->real_high - f->real_low); /* zipf's */
  f->span = ranks < 0x1p63 ? (uint64_t)ranks : UINT64_C(1) << 63;
  return HW_OK;
}

/* ---- fields ----------------------------------------------------------------- */

static hw_status unknown_strategy(const char *name, const place *at) {
  char known[200]; /* the first of many: there may be other faults to tell */
  size_t len = (size_t)snprintf(known, sizeof known, "increment, uniform, zipf; for text also");
  const char *text;
  for (size_t i = 0; (text = datagen_text_name(i)) && len + strlen(text) + 36 < sizeof known; i++)
    len += (size_t)snprintf(known + len, sizeof known - len, "%s %s", i ? "," : "", text);
  if (text) snprintf(known + len, sizeof known - len, ", and more (docs/connectors.md)");
  return hw_error_add(at->err, HW_EINVAL, "%s.strategy: \"%s\" is not known; there are: %s", at->path, name, known);
}

static hw_status read_strategy(const json_t *value, datagen_field *f, const place *at) {
  const char *name = value ? json_string_value(value) : "increment";
  if (!name) return bad(at, "strategy", "must be a string");
  if (strcmp(name, "increment") == 0) f->strategy = DATAGEN_INCREMENT;
  else if (strcmp(name, "uniform") == 0) f->strategy = DATAGEN_UNIFORM;
  else if (strcmp(name, "zipf") == 0) f->strategy = DATAGEN_ZIPF;
  else if (!datagen_text_find(name, &f->text)) return unknown_strategy(name, at);
  else f->strategy = DATAGEN_TEXT;
  if (f->strategy != DATAGEN_TEXT || is_text(&f->type)) return HW_OK;
  return hw_error_add(at->err, HW_EINVAL, "%s.strategy: \"%s\" makes text, the column is %s", at->path, name,
                      hw_type_name((hw_type_id)f->type.id));
}

static hw_status read_scale(const json_t *value, datagen_field *f, const place *at) {
  f->scale = 1;
  f->real_scale = 1;
  f->step = 1;
  if (value && is_real(&f->type)) {
    char path[224];
    snprintf(path, sizeof path, "%s.scale", at->path);
    f->down = json_number_value(value) < 0;
    return datagen_json_real(value, path, &f->real_scale, at->err);
  }
  if (value && !json_is_integer(value)) return bad(at, "scale", "must be a whole number");
  if (value) f->scale = json_integer_value(value);
  f->down = f->scale < 0;
  f->step = f->down ? -(uint64_t)f->scale : (uint64_t)f->scale;
  if (f->down && is_string(&f->type)) return bad(at, "scale", "must be positive for text");
  return HW_OK;
}

/* usable: the rest of the field is in order. */
static hw_status read_zipf(const json_t *value, bool usable, datagen_field *f, const place *at) {
  char path[224];
  double e = 1;
  snprintf(path, sizeof path, "%s.e", at->path);
  hw_status status = value ? datagen_json_real(value, path, &e, at->err) : HW_OK;
  if (status == HW_OK && !(e > 0 && e <= 100)) status = bad(at, "e", "must be above 0 and at most 100");
  if (status != HW_OK || !usable) return status;
  uint64_t n = f->values.given ? f->values.n : f->span;
  if (f->type.id == HW_TYPE_DECIMAL && !f->values.given && f->dec_span > UINT64_MAX) n = 0;
  if (f->values.given && !n) n = 1;
  datagen_zipf_init(&f->zipf, n, e);
  return status;
}

static hw_status read_null_percentage(const json_t *object, datagen_field *f, const place *at) {
  int64_t percentage = 0;
  hw_status status = datagen_json_integer(object, "null_percentage", 0, 100, at->path, &percentage, at->err);
  if (status == HW_OK && percentage > 0 && !f->type.nullable)
    return bad(at, "null_percentage", "the column is NOT NULL");
  f->null_percentage = (uint32_t)percentage;
  return status;
}

static hw_status read_field(const json_t *object, datagen_field *f, const place *at);

/* `value` says how the bytes of a binary column are made. */
static hw_status read_element(const json_t *value, datagen_field *f, const place *at) {
  place inner = *at;
  snprintf(inner.path, sizeof inner.path, "%.180s.value", at->path);
  f->element = calloc(1, sizeof *f->element);
  if (!f->element) return hw_error_add(at->err, HW_ENOMEM, "out of memory");
  f->element->type = (hw_type){.id = HW_TYPE_UTINYINT};
  if (value) return read_field(value, f->element, &inner);
  json_t *none = json_object();
  if (!none) return hw_error_add(at->err, HW_ENOMEM, "out of memory");
  hw_status status = read_field(none, f->element, &inner);
  json_decref(none);
  return status;
}

/* Members for types that no column has here, or not this one. */
static hw_status refuse_nested(const json_t *object, const datagen_field *f, const place *at) {
  bool binary = is_string(&f->type) && !is_text(&f->type);
  hw_status status = HW_OK;
  if (datagen_json_get(object, "fields")) status = bad(at, "fields", "is for columns of type ROW");
  if (datagen_json_get(object, "key")) status = bad(at, "key", "is for columns of type MAP");
  if (datagen_json_get(object, "value") && !binary)
    status = bad(at, "value", "is for the elements of a column of type BINARY or VARBINARY");
  return status;
}

static hw_status read_values(const json_t *array, datagen_field *f, const place *at) {
  char path[224];
  snprintf(path, sizeof path, "%s.values", at->path);
  if (f->strategy == DATAGEN_TEXT) return bad(at, "values", "are picked by increment, uniform or zipf");
  return datagen_values_parse(array, &f->type, path, &f->values, at->err);
}

static hw_status read_field(const json_t *object, datagen_field *f, const place *at) {
  static const char *const members[] = {"strategy", "range", "scale", "e",     "values", "null_percentage",
                                        "fields",   "key",   "value", NULL};
  hw_status status = datagen_json_check(object, members, at->path, at->err);
  if (!json_is_object(object)) return status;
  status = both(status, refuse_nested(object, f, at));
  hw_status strategy = read_strategy(datagen_json_get(object, "strategy"), f, at);
  hw_status scale = read_scale(datagen_json_get(object, "scale"), f, at);
  status = both(status, both(strategy, scale));
  status = both(status, read_null_percentage(object, f, at));
  const json_t *values = datagen_json_get(object, "values");
  const json_t *range = values || !takes_range(&f->type) ? NULL : datagen_json_get(object, "range");
  f->has_range = range != NULL;
  if (values) status = both(status, read_values(values, f, at));
  /* What a range may be is up to strategy and scale. */
  if (strategy == HW_OK && scale == HW_OK)
    status = both(status, is_real(&f->type) ? read_real_range(range, f, at) : read_range(range, f, at));
  status = both(status, read_zipf(datagen_json_get(object, "e"), status == HW_OK, f, at));
  if (status == HW_OK && is_string(&f->type) && !is_text(&f->type) && !values)
    status = read_element(datagen_json_get(object, "value"), f, at);
  return status;
}

/* ---- plans ------------------------------------------------------------------ */

static void field_fini(datagen_field *f) {
  datagen_values_fini(&f->values);
  if (f->element) field_fini(f->element);
  free(f->element);
}

void datagen_plans_fini(datagen_plans *plans) {
  for (uint32_t i = 0; i < plans->n; i++) {
    datagen_plan *p = &plans->items[i];
    for (uint32_t k = 0; k < p->n_fields; k++) field_fini(&p->fields[k]);
    free(p->fields);
  }
  free(plans->items);
  *plans = (datagen_plans){0};
}

static hw_status no_such_column(const char *name, const place *at) {
  char known[512] = "";
  size_t len = 0;
  for (uint32_t i = 0; i < at->schema->n_fields && len < sizeof known; i++)
    len += (size_t)snprintf(known + len, sizeof known - len, "%s%s", i ? ", " : "", at->schema->fields[i].name);
  return hw_error_add(at->err, HW_ENOTFOUND, "%s: table \"%s\" has no column \"%s\" (it has: %s)", at->path,
                      at->schema->name, name, known);
}

/* Each column once: the settings of those that are named, the defaults of others. */
static hw_status read_fields(const json_t *fields, datagen_plan *p, const place *at) {
  if (fields && !json_is_object(fields)) return bad(at, "fields", "must be an object");
  bool *named = calloc(p->n_fields + 1, sizeof *named);
  json_t *none = json_object();
  hw_status status = named && none ? HW_OK : hw_error_add(at->err, HW_ENOMEM, "out of memory");
  const char *name;
  json_t *value;
  json_object_foreach((json_t *)fields, name, value) {
    place inner = *at;
    if (!named || !none) break;
    snprintf(inner.path, sizeof inner.path, "%.60s.fields.%.100s", at->path, name);
    int i = hw_schema_find(at->schema, name, strlen(name));
    if (i < 0) status = both(status, no_such_column(name, &inner));
    else if (named[i]) status = both(status, bad(at, "fields", "names a column twice, in different letter case"));
    else status = both(status, read_field(value, &p->fields[i], &inner));
    if (i >= 0) named[i] = true;
  }
  for (uint32_t i = 0; i < p->n_fields && status == HW_OK; i++)
    if (!named[i]) status = read_field(none, &p->fields[i], at);
  json_decref(none);
  free(named);
  return status;
}

static hw_status read_rate(const json_t *value, datagen_plan *p, const place *at) {
  if (!value) return HW_OK;
  double rate = json_number_value(value);
  if (!json_is_number(value) || !(rate >= 0.001 && rate <= 1e9))
    return bad(at, "rate", "must be a number of rows per second, from 0.001 to 1000000000");
  p->rate_micro = json_is_integer(value) ? (uint64_t)json_integer_value(value) * 1000000 : (uint64_t)(rate * 1e6 + 0.5);
  return HW_OK;
}

static hw_status read_plan(const json_t *object, datagen_plan *p, const place *at) {
  static const char *const members[] = {"rate", "limit", "worker_chunk_size", "fields", NULL};
  int64_t limit = -1, chunk = 0;
  hw_status status = datagen_json_check(object, members, at->path, at->err);
  if (!json_is_object(object)) return status;
  status = both(status, read_rate(datagen_json_get(object, "rate"), p, at));
  status = both(status, datagen_json_integer(object, "limit", 0, INT64_MAX, at->path, &limit, at->err));
  status = both(status, datagen_json_integer(object, "worker_chunk_size", 1, INT64_MAX, at->path, &chunk, at->err));
  p->limit = limit < 0 ? UINT64_MAX : (uint64_t)limit;
  p->chunk = (uint64_t)chunk;
  return both(status, read_fields(datagen_json_get(object, "fields"), p, at));
}

static bool plan_init(datagen_plan *p, const hw_schema *schema) {
  p->fields = calloc(schema->n_fields + 1, sizeof *p->fields);
  if (!p->fields) return false;
  p->n_fields = schema->n_fields;
  for (uint32_t i = 0; i < p->n_fields; i++) {
    p->fields[i].column = i;
    p->fields[i].type = schema->fields[i].type;
  }
  return true;
}

static hw_status read_plans(const json_t *array, datagen_plans *out, place *at) {
  size_t n = json_array_size(array);
  if (!json_is_array(array) || n == 0)
    return hw_error_add(at->err, HW_EINVAL, "plan: must be an array of at least one object");
  out->items = calloc(n, sizeof *out->items);
  if (!out->items) return hw_error_add(at->err, HW_ENOMEM, "out of memory");
  hw_status status = HW_OK;
  for (size_t i = 0; i < n; i++) {
    datagen_plan *p = &out->items[out->n];
    if (!plan_init(p, at->schema)) return hw_error_add(at->err, HW_ENOMEM, "out of memory");
    out->n++;
    snprintf(at->path, sizeof at->path, "plan[%zu]", i);
    status = both(status, read_plan(json_array_get(array, i), p, at));
  }
  return status;
}

hw_status datagen_plans_parse(const char *text, const hw_schema *schema, datagen_plans *out, hw_error *err) {
  hw_error all = {.status = HW_OK};
  place at = {.schema = schema, .err = &all};
  json_error_t fault;
  *out = (datagen_plans){0};
  json_t *array = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &fault);
  if (!array) return hw_error_set(err, HW_EPARSE, "plan: %s at line %d", fault.text, fault.line);
  hw_status status = read_plans(array, out, &at);
  json_decref(array);
  if (status == HW_OK) return HW_OK;
  datagen_plans_fini(out);
  return hw_error_set(err, status, "%s", all.message);
}

void datagen_plans_seed(datagen_plans *plans, uint64_t seed) {
  for (uint32_t i = 0; i < plans->n; i++) {
    datagen_plan *p = &plans->items[i];
    uint64_t key = datagen_key(datagen_mix(seed), i);
    for (uint32_t k = 0; k < p->n_fields; k++) {
      p->fields[k].key = datagen_key(key, k);
      if (p->fields[k].element) p->fields[k].element->key = datagen_key(p->fields[k].key, 0);
    }
  }
}
