/* expr_like.c - LIKE: % is any run of characters, _ any one; the escape makes the
 * next character stand for itself.
 *
 * A pattern becomes tokens, a constant one once. Where those are one run of
 * bytes with % at either end or both, no matcher is needed: the bytes are
 * compared at the start or the end, or searched. */
#include "runtime/expr_eval.h"
#include "runtime/value_utf8.h"

#include <string.h>

#define TOKEN_ONE 256  /* _ */
#define TOKEN_MANY 257 /* % */

typedef enum like_kind { LIKE_EXACT, LIKE_PREFIX, LIKE_SUFFIX, LIKE_CONTAINS, LIKE_GENERAL } like_kind;

typedef struct like_plan {
  bool compiled; /* pattern and escape are literals, and right */
  like_kind kind;
  uint32_t n_tokens;
  uint32_t len;     /* of the bytes at `text`: the pattern without % */
  uint16_t *tokens; /* a byte, or TOKEN_* */
  char *text;
} like_plan;

/* ---- patterns ---------------------------------------------------------------------------- */

/* Reads a pattern; tokens has room for its bytes. False: it ends in the escape. */
static bool tokenize(hw_str pattern, hw_str escape, uint16_t *tokens, uint32_t *n) {
  const char *p = pattern.data, *end = p + pattern.len;
  *n = 0;
  while (p < end) {
    const char *next = utf8_next(p, end);
    bool escaped = escape.len && (size_t)(next - p) == escape.len && memcmp(p, escape.data, escape.len) == 0;
    if (escaped) {
      if (next == end) return false;
      p = next;
      next = utf8_next(p, end);
    }
    if (!escaped && *p == '%')
      tokens[(*n)++] = TOKEN_MANY;
    else if (!escaped && *p == '_')
      tokens[(*n)++] = TOKEN_ONE;
    else
      for (; p < next; p++) tokens[(*n)++] = (unsigned char)*p;
    p = next;
  }
  return true;
}

static bool is_one_character(hw_str s) {
  return s.len > 0 && utf8_next(s.data, s.data + s.len) == s.data + s.len;
}

/* Sees what the tokens come to without a matcher. */
static void classify(like_plan *plan) {
  uint32_t first = 0, last = plan->n_tokens;
  while (first < last && plan->tokens[first] == TOKEN_MANY) first++;
  while (last > first && plan->tokens[last - 1] == TOKEN_MANY) last--;
  bool open_start = first > 0, open_end = last < plan->n_tokens || (first == last && open_start);
  for (uint32_t i = first; i < last; i++) {
    if (plan->tokens[i] >= TOKEN_ONE) {
      plan->kind = LIKE_GENERAL;
      return;
    }
    plan->text[plan->len++] = (char)plan->tokens[i];
  }
  plan->kind = open_start && open_end ? LIKE_CONTAINS : open_start ? LIKE_SUFFIX : open_end ? LIKE_PREFIX : LIKE_EXACT;
}

static bool is_literal_text(const node *nd) {
  return nd->e->op == EXPR_LITERAL && !nd->e->value.is_null;
}

static hw_str literal_text(const node *nd) {
  hw_str s = nd->e->value.u.str;
  if (s.len == 0) s.data = "";
  return s;
}

static hw_status plan_like(evaluator *ev, node *nd) {
  like_plan *plan = evaluator_alloc(ev, sizeof *plan);
  if (!plan) return HW_ENOMEM;
  nd->plan = plan;
  bool has_escape = nd->n_args > 2;
  nd->fallible = has_escape;
  if (!is_literal_text(nd->args[1]) || (has_escape && !is_literal_text(nd->args[2]))) return HW_OK;
  hw_str pattern = literal_text(nd->args[1]), escape = has_escape ? literal_text(nd->args[2]) : (hw_str){0};
  plan->tokens = evaluator_alloc(ev, (pattern.len + 1) * sizeof *plan->tokens);
  plan->text = evaluator_alloc(ev, pattern.len + 1);
  if (!plan->tokens || !plan->text) return HW_ENOMEM;
  if (has_escape && !is_one_character(escape)) return HW_OK; /* said when it is evaluated */
  plan->compiled = tokenize(pattern, escape, plan->tokens, &plan->n_tokens);
  if (plan->compiled) classify(plan);
  nd->fallible = !plan->compiled;
  return HW_OK;
}

/* ---- matching ------------------------------------------------------------------------------ */

/* After a % only the last one need be tried again: an earlier one could give no
 * match that a later one cannot. */
static bool match_tokens(const uint16_t *tokens, uint32_t n, const char *p, const char *end) {
  uint32_t t = 0, after_many = 0;
  const char *retry = NULL;
  while (p < end) {
    if (t < n && tokens[t] == TOKEN_MANY) {
      after_many = ++t;
      retry = p;
    } else if (t < n && tokens[t] == TOKEN_ONE) {
      p = utf8_next(p, end);
      t++;
    } else if (t < n && tokens[t] == (unsigned char)*p) {
      p++;
      t++;
    } else if (retry) {
      p = retry = utf8_next(retry, end);
      t = after_many;
    } else {
      return false;
    }
  }
  while (t < n && tokens[t] == TOKEN_MANY) t++;
  return t == n;
}

static inline bool starts(hw_str s, const like_plan *plan) {
  return s.len >= plan->len && memcmp(s.data, plan->text, plan->len) == 0;
}

static inline bool ends(hw_str s, const like_plan *plan) {
  return s.len >= plan->len && memcmp(s.data + s.len - plan->len, plan->text, plan->len) == 0;
}

#define MATCH_ROWS(match)                                                                                              \
  for (uint32_t i = 0; i < r->n; i++) {                                                                                \
    uint32_t row = rows_at(r, i);                                                                                      \
    if (!vec_filled(out, row)) continue;                                                                               \
    hw_str s = *vec_str(arg, row);                                                                                     \
    if (s.len == 0) s.data = "";                                                                                       \
    to[row] = (match);                                                                                                 \
  }

static void match_compiled(const like_plan *plan, const rows *r, const vec *arg, const vec *out, uint8_t *to) {
  switch (plan->kind) {
  case LIKE_EXACT:
    MATCH_ROWS(s.len == plan->len && starts(s, plan)) break;
  case LIKE_PREFIX:
    MATCH_ROWS(starts(s, plan)) break;
  case LIKE_SUFFIX:
    MATCH_ROWS(ends(s, plan)) break;
  case LIKE_CONTAINS:
    MATCH_ROWS(memmem(s.data, s.len, plan->text, plan->len) != NULL) break;
  case LIKE_GENERAL:
    MATCH_ROWS(match_tokens(plan->tokens, plan->n_tokens, s.data, s.data + s.len)) break;
  }
}

/* A pattern of the row's own. */
static hw_status match_row(evaluator *ev, const node *nd, uint32_t row, const vec *args, uint8_t *to) {
  hw_str s = *vec_str(&args[0], row), pattern = *vec_str(&args[1], row), escape = {0};
  char shown[EVAL_SHOWN];
  if (s.len == 0) s.data = "";
  if (pattern.len == 0) pattern.data = "";
  if (nd->n_args > 2) {
    escape = *vec_str(&args[2], row);
    if (!is_one_character(escape))
      return eval_fail(ev, nd, row, "the escape of LIKE must be one character, not %s",
                       eval_show(&nd->args[2]->type, &escape, shown));
  }
  scratch *tokens = scratch_get(ev, (pattern.len + 1) * sizeof(uint16_t));
  if (!tokens) return eval_no_memory(ev, nd);
  uint16_t *t = (uint16_t *)(void *)tokens->data;
  uint32_t n;
  bool right = tokenize(pattern, escape, t, &n);
  if (right) *to = match_tokens(t, n, s.data, s.data + s.len);
  scratch_put(ev, tokens);
  if (right) return HW_OK;
  return eval_fail(ev, nd, row, "the pattern of LIKE ends in its escape character: %s",
                   eval_show(&nd->args[1]->type, &pattern, shown));
}

static hw_status fill_like(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  const like_plan *plan = nd->plan;
  uint8_t *to = vec_array(out);
  if (plan->compiled) {
    match_compiled(plan, r, &args[0], out, to);
    return HW_OK;
  }
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    hw_status st = match_row(ev, nd, row, args, &to[row]);
    if (st != HW_OK) return st;
  }
  return HW_OK;
}

static hw_status eval_like(evaluator *ev, const node *nd, const rows *r, vec *out) {
  return node_eval_fill(ev, nd, r, out, fill_like);
}

const op_info op_like = {.eval = eval_like, .plan = plan_like};
