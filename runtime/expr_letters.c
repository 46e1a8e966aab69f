/* expr_letters.c - LOWER and UPPER, by Unicode's simple mapping: one character
 * for one, the same in every locale. The tables are those of the C library's
 * C.UTF-8, asked for by name; where a system lacks it, only ASCII is mapped. */
#include "runtime/expr_eval.h"
#include "runtime/value_utf8.h"

#include <locale.h>
#include <pthread.h>
#include <string.h>
#include <wctype.h>

static locale_t unicode;
static pthread_once_t unicode_once = PTHREAD_ONCE_INIT;

static void load_unicode(void) {
  unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static uint32_t map_code(uint32_t code, bool upper) {
  if (unicode == (locale_t)0) return code;
  return (uint32_t)(upper ? towupper_l((wint_t)code, unicode) : towlower_l((wint_t)code, unicode));
}

static inline char map_ascii(char c, bool upper) {
  unsigned letter = (unsigned)(unsigned char)c - (upper ? 'a' : 'A');
  return letter < 26 ? (char)(c ^ 0x20) : c;
}

/* Every character of s that is not ASCII. */
static char *map_unicode(hw_str s, bool upper, char *out) {
  const char *p = s.data, *end = s.data + s.len;
  while (p < end) {
    size_t len;
    uint32_t code = utf8_decode(p, end, &len);
    if (code < 0x80)
      *out++ = map_ascii(*p, upper);
    else if (code == UTF8_BAD)
      *out++ = *p;
    else
      out += utf8_encode(map_code(code, upper), out);
    p += len;
  }
  return out;
}

static char *map_string(hw_str s, bool upper, char *out) {
  if (!utf8_is_ascii(s.data, s.len)) return map_unicode(s, upper, out);
  for (uint32_t i = 0; i < s.len; i++) out[i] = map_ascii(s.data[i], upper);
  return out + s.len;
}

/* A character of 2 bytes can become one of 3. */
static size_t room_for(const rows *r, const vec *arg, const vec *out) {
  size_t room = 0;
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (vec_filled(out, row)) room += vec_str(arg, row)->len;
  }
  return room + room / 2 + 4;
}

static hw_status fill_letters(evaluator *ev, const node *nd, const rows *r, const vec *args, vec *out) {
  bool upper = nd->e->op == EXPR_UPPER;
  size_t room = room_for(r, args, out);
  char *p = text_alloc(ev, nd, room);
  if (!p) return eval_no_memory(ev, nd);
  const char *end = p + room;
  pthread_once(&unicode_once, load_unicode);
  hw_str *to = vec_array(out);
  for (uint32_t i = 0; i < r->n; i++) {
    uint32_t row = rows_at(r, i);
    if (!vec_filled(out, row)) continue;
    hw_str s = *vec_str(args, row);
    char *q = map_string(s, upper, p);
    bool same = (uint32_t)(q - p) == s.len && (s.len == 0 || memcmp(p, s.data, s.len) == 0);
    to[row] = same ? s : (hw_str){p, (uint32_t)(q - p), s.flags};
    if (!same) p = q;
  }
  text_trim(ev, nd, (size_t)(end - p));
  return HW_OK;
}

static hw_status eval_letters(evaluator *ev, const node *nd, const rows *r, vec *out) {
  return node_eval_fill(ev, nd, r, out, fill_letters);
}

const op_info op_change_case = {.eval = eval_letters, .keeps = true};
