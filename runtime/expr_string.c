/* expr_string.c - ||, lengths, SUBSTRING, TRIM, SPLIT_PART.
 *
 * All but || give parts of their argument, which cost nothing but a view. */
#include "runtime/expr_eval.h"
#include "runtime/value_utf8.h"

#include <headworks/value.h>

#include <string.h>

static inline hw_str part(const char *from, const char *to) {
  return (hw_str){from, (uint32_t)(to - from), 0};
}

/* So that pointers can be moved within it. */
static inline hw_str string_at(const vec *v, uint32_t row) {
  hw_str s = *vec_str(v, row);
  if (s.len == 0) s.data = "";
  return s;
}

static inline int64_t bigint_at(const vec *v, uint32_t row) {
  return ((const int64_t *)v->values)[vec_at(v, row)];
}

/* ---- || ----------------------------------------------------------------------------------- */

static hw_status measure(evaluator *ev, const node *nd, const rows *r, const vec *args, const vec *out, size_t *room) {
  *room = 0;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    uint64_t len = 0;
    for (uint32_t k = 0; k < nd->n_args; k++) len += vec_str(&args[k], row)->len;
    if (len > UINT32_MAX) return eval_fail(ev, nd, row, "a string of %llu bytes is too long", (unsigned long long)len);
    *room += len;
  }
  return HW_OK;
}

static hw_status fill_concat(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  size_t room;
  hw_status st = measure(ev, nd, r, args, out, &room);
  if (st != HW_OK) return st;
  char *p = text_alloc(ev, nd, room);
  if (!p) return eval_no_memory(ev, nd);
  hw_str *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    char *start = p;
    uint32_t plain = HW_STR_PLAIN;
    for (uint32_t k = 0; k < nd->n_args; k++) {
      const hw_str *s = vec_str(&args[k], row);
      if (s->len) memcpy(p, s->data, s->len);
      p += s->len;
      plain &= s->flags;
    }
    to[row] = part(start, p);
    to[row].flags = plain;
  }
  return HW_OK;
}

static hw_status eval_concat(evaluator *ev, const node *nd, const rows *r, vec *out) {
  return node_eval_fill(ev, nd, r, out, fill_concat);
}

const op_info op_concat = {.eval = eval_concat, .fallible = true};

/* ---- lengths ---------------------------------------------------------------------------------- */

static hw_status fill_length(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  (void)ev;
  bool characters = nd->e->op == EXPR_CHAR_LENGTH && hw_type_is_text((hw_type_id)nd->args[0]->type.id);
  size_t width = hw_type_width((hw_type_id)nd->type.id);
  char *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    const hw_str *s = vec_str(args, row);
    size_t len = characters ? hw_utf8_length(s->data, s->len) : s->len;
    integer_put((hw_type_id)nd->type.id, to + row * width, (hw_int128)len);
  }
  return HW_OK;
}

static hw_status eval_length(evaluator *ev, const node *nd, const rows *r, vec *out) {
  return node_eval_fill(ev, nd, r, out, fill_length);
}

const op_info op_length = {.eval = eval_length};

/* ---- SUBSTRING ---------------------------------------------------------------------------------- */

/* Characters (or bytes) from .. to-1, counted from 1, of those that there are. */
static hw_str slice(hw_str s, bool bytes, int64_t from, int64_t to) {
  if (from < 1) from = 1;
  if (to <= from) return (hw_str){s.data, 0, 0};
  uint64_t skip = (uint64_t)from - 1, count = (uint64_t)to - (uint64_t)from;
  const char *end = s.data + s.len, *p, *q;
  if (bytes) {
    p = skip < s.len ? s.data + skip : end;
    q = count < (uint64_t)(end - p) ? p + count : end;
  } else {
    p = utf8_skip(s.data, end, skip);
    q = utf8_skip(p, end, count);
  }
  return (hw_str){p, (uint32_t)(q - p), s.flags};
}

static hw_status fill_substring(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  bool bytes = !hw_type_is_text((hw_type_id)nd->args[0]->type.id);
  hw_str *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    int64_t from = bigint_at(&args[1], row), end = INT64_MAX;
    if (nd->n_args > 2) {
      int64_t length = bigint_at(&args[2], row);
      if (length < 0) return eval_fail(ev, nd, row, "negative length in SUBSTRING: %lld", (long long)length);
      if (__builtin_add_overflow(from, length, &end)) end = INT64_MAX;
    }
    to[row] = slice(string_at(&args[0], row), bytes, from, end);
  }
  return HW_OK;
}

static hw_status eval_substring(evaluator *ev, const node *nd, const rows *r, vec *out) {
  return node_eval_fill(ev, nd, r, out, fill_substring);
}

static hw_status plan_substring(evaluator *ev, node *nd) {
  (void)ev;
  nd->fallible = nd->n_args > 2;
  return HW_OK;
}

const op_info op_substring = {.eval = eval_substring, .plan = plan_substring, .keeps = true};

/* ---- TRIM ------------------------------------------------------------------------------------------ */

/* Whether the character p .. q is one of set. */
static bool in_set(const char *p, const char *q, hw_str set) {
  size_t len = (size_t)(q - p);
  const char *end = set.data + set.len;
  for (const char *c = set.data; c < end;) {
    const char *next = utf8_next(c, end);
    if ((size_t)(next - c) == len && memcmp(c, p, len) == 0) return true;
    c = next;
  }
  return false;
}

static hw_str trim_leading(hw_str s, hw_str set) {
  const char *p = s.data, *end = s.data + s.len;
  while (p < end) {
    const char *q = utf8_next(p, end);
    if (!in_set(p, q, set)) break;
    p = q;
  }
  return (hw_str){p, (uint32_t)(end - p), s.flags};
}

static hw_str trim_trailing(hw_str s, hw_str set) {
  const char *start = s.data, *end = s.data + s.len;
  while (end > start) {
    const char *p = end - 1;
    while (p > start && utf8_continues(*p)) p--;
    if (!in_set(p, end, set)) break;
    end = p;
  }
  return (hw_str){start, (uint32_t)(end - start), s.flags};
}

/* The usual set, of one ASCII character. */
static hw_str trim_byte(hw_str s, char c, bool leading, bool trailing) {
  while (leading && s.len > 0 && s.data[0] == c) s.data++, s.len--;
  while (trailing && s.len > 0 && s.data[s.len - 1] == c) s.len--;
  return s;
}

static hw_status fill_trim(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  (void)ev;
  bool leading = nd->e->op != EXPR_TRIM_TRAILING, trailing = nd->e->op != EXPR_TRIM_LEADING;
  hw_str *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    hw_str s = string_at(&args[0], row), set = nd->n_args > 1 ? string_at(&args[1], row) : (hw_str){" ", 1, 0};
    if (set.len == 1) {
      to[row] = trim_byte(s, set.data[0], leading, trailing);
      continue;
    }
    if (leading) s = trim_leading(s, set);
    if (trailing) s = trim_trailing(s, set);
    to[row] = s;
  }
  return HW_OK;
}

static hw_status eval_trim(evaluator *ev, const node *nd, const rows *r, vec *out) {
  return node_eval_fill(ev, nd, r, out, fill_trim);
}

const op_info op_trim = {.eval = eval_trim, .keeps = true};

/* ---- SPLIT_PART -------------------------------------------------------------------------------------- */

static const char *find(const char *p, const char *end, hw_str what) {
  return memmem(p, (size_t)(end - p), what.data, what.len);
}

static int64_t count_parts(hw_str s, hw_str delimiter) {
  int64_t n = 1;
  const char *end = s.data + s.len;
  for (const char *p = s.data; (p = find(p, end, delimiter)); p += delimiter.len) n++;
  return n;
}

/* The n-th part, from 1, or from the end when negative; empty when there is none. */
static hw_str split_part(hw_str s, hw_str delimiter, int64_t n) {
  const hw_str nothing = {s.data, 0, 0};
  if (delimiter.len == 0) return n == 1 || n == -1 ? s : nothing;
  if (n < 0) n = -n > count_parts(s, delimiter) ? 0 : count_parts(s, delimiter) + n + 1;
  if (n == 0) return nothing;
  const char *p = s.data, *end = s.data + s.len, *q;
  while ((q = find(p, end, delimiter)) && --n > 0) p = q + delimiter.len;
  if (!q && n > 1) return nothing;
  return (hw_str){p, (uint32_t)((q ? q : end) - p), s.flags};
}

static hw_status fill_split_part(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  hw_str *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    int64_t n = bigint_at(&args[2], row);
    if (n == 0) return eval_fail(ev, nd, row, "SPLIT_PART counts parts from 1, or from -1 backwards, not from 0");
    if (n == INT64_MIN) n++;
    to[row] = split_part(string_at(&args[0], row), string_at(&args[1], row), n);
  }
  return HW_OK;
}

static hw_status eval_split_part(evaluator *ev, const node *nd, const rows *r, vec *out) {
  return node_eval_fill(ev, nd, r, out, fill_split_part);
}

const op_info op_split_part = {.eval = eval_split_part, .fallible = true, .keeps = true};
