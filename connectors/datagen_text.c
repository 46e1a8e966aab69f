/* datagen_text.c - a strategy picks from a list, fills in a template, or has a
 * function of its own where the text has a length or check digits. */
#include "connectors/datagen_text.h"
#include "connectors/datagen_words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define WORD_MOST 32       /* bytes of the longest entry of any list, and its separator */
#define TEMPLATE_MOST 256  /* bytes of the longest filled-in template */
#define SENTENCE_MOST (16 * WORD_MOST)
#define PARAGRAPH_MOST (6 * SENTENCE_MOST)

typedef size_t text_function(datagen_stream *s, uint64_t n, char *out);

typedef struct datagen_maker {
  const char *name;
  const char *pattern;  /* see fill_template; or NULL: write */
  text_function *write;
  uint64_t low, high;   /* default for n, when it has one: high > 0 */
  uint32_t most;        /* bytes it needs, or bytes per n */
} datagen_maker;

/* ---- lists ------------------------------------------------------------------ */

static const datagen_list *list_of(char letter) {
  const datagen_list *l = datagen_lists;
  while (l->items && l->letter != letter) l++;
  assert(l->items);
  return l;
}

static size_t put_item(const datagen_list *l, datagen_stream *s, char *out) {
  const hw_str *item = &l->items[datagen_next_below(s, l->n)];
  memcpy(out, item->data, item->len);
  return item->len;
}

static char to_lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }
static char to_upper(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }

/* ---- templates -------------------------------------------------------------- */

static char pick(datagen_stream *s, const char *from, uint64_t n) { return from[datagen_next_below(s, n)]; }

static char placeholder(char c, datagen_stream *s) {
  switch (c) {
  case '#': return pick(s, "0123456789", 10);
  case '%': return pick(s, "123456789", 9);
  case '^': return pick(s, "0123456789abcdef", 16);
  case '!': return pick(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26);
  default: return c;
  }
}

/* {x}: an entry of the list with that letter; {x-}: in lower case; # a digit, %
 * one that is not 0, ^ a hexadecimal one, ! a capital letter. */
static size_t fill_template(const char *pattern, datagen_stream *s, char *out) {
  char *at = out;
  for (const char *p = pattern; *p; p++) {
    if (*p != '{') {
      *at++ = placeholder(*p, s);
      continue;
    }
    size_t n = put_item(list_of(*++p), s, at);
    if (*++p == '-') {
      for (size_t i = 0; i < n; i++) at[i] = to_lower(at[i]);
      p++;
    }
    at += n;
  }
  return (size_t)(at - out);
}

/* ---- functions -------------------------------------------------------------- */

static size_t write_words(datagen_stream *s, uint64_t n, char *out) {
  const datagen_list *words = list_of('w');
  char *at = out;
  for (uint64_t i = 0; i < n; i++) {
    if (i) *at++ = ' ';
    at += put_item(words, s, at);
  }
  return (size_t)(at - out);
}

static size_t write_sentence(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  size_t len = write_words(s, 4 + datagen_next_below(s, 9), out);
  out[0] = to_upper(out[0]);
  out[len] = '.';
  return len + 1;
}

static size_t write_sentences(datagen_stream *s, uint64_t n, char *out) {
  char *at = out;
  for (uint64_t i = 0; i < n; i++) {
    if (i) *at++ = ' ';
    at += write_sentence(s, 0, at);
  }
  return (size_t)(at - out);
}

static size_t write_paragraph(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  return write_sentences(s, 2 + datagen_next_below(s, 4), out);
}

/* One after the other, with a space between: a text that needs no escapes. */
static size_t write_paragraphs(datagen_stream *s, uint64_t n, char *out) {
  char *at = out;
  for (uint64_t i = 0; i < n; i++) {
    if (i) *at++ = ' ';
    at += write_paragraph(s, 0, at);
  }
  return (size_t)(at - out);
}

static size_t write_password(datagen_stream *s, uint64_t n, char *out) {
  static const char letters[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789+-_.!?";
  for (uint64_t i = 0; i < n; i++) out[i] = pick(s, letters, sizeof letters - 1);
  return n;
}

static size_t write_ipv4(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  uint64_t r = datagen_next(s);
  return (size_t)snprintf(out, TEMPLATE_MOST, "%u.%u.%u.%u", (unsigned)(r & 255), (unsigned)(r >> 8 & 255),
                          (unsigned)(r >> 16 & 255), (unsigned)(r >> 24 & 255));
}

static size_t write_ipv6(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  return fill_template("2001:db8:^^^^:^^^^:^^^^:^^^^:^^^^:^^^^", s, out);
}

static size_t write_ip(datagen_stream *s, uint64_t n, char *out) {
  return datagen_next(s) & 1 ? write_ipv6(s, n, out) : write_ipv4(s, n, out);
}

static size_t write_degrees(datagen_stream *s, uint64_t most, char *out) {
  uint64_t micro = datagen_next_below(s, most * 2000000 + 1);
  int64_t v = (int64_t)micro - (int64_t)most * 1000000;
  uint64_t a = (uint64_t)(v < 0 ? -v : v);
  return (size_t)snprintf(out, TEMPLATE_MOST, "%s%u.%06u", v < 0 ? "-" : "", (unsigned)(a / 1000000),
                          (unsigned)(a % 1000000));
}

static size_t write_latitude(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  return write_degrees(s, 90, out);
}

static size_t write_longitude(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  return write_degrees(s, 180, out);
}

/* The digit that makes every second digit, doubled and cross-added, sum to a
 * multiple of 10 (Luhn). */
static size_t write_credit_card(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  size_t len = fill_template("4##############", s, out);
  unsigned sum = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned d = (unsigned)(out[i] - '0') * (i % 2 == 0 ? 2 : 1);
    sum += d / 10 + d % 10;
  }
  out[len] = (char)('0' + (10 - sum % 10) % 10);
  return len + 1;
}

static size_t write_isbn10(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  size_t len = fill_template("%########", s, out);
  unsigned sum = 0;
  for (size_t i = 0; i < len; i++) sum += (unsigned)(out[i] - '0') * (unsigned)(10 - i);
  unsigned check = (11 - sum % 11) % 11;
  out[len] = check == 10 ? 'X' : (char)('0' + check);
  return len + 1;
}

static size_t write_isbn13(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  size_t len = fill_template("978#########", s, out);
  unsigned sum = 0;
  for (size_t i = 0; i < len; i++) sum += (unsigned)(out[i] - '0') * (i % 2 ? 3 : 1);
  out[len] = (char)('0' + (10 - sum % 10) % 10);
  return len + 1;
}

static size_t write_isbn(datagen_stream *s, uint64_t n, char *out) {
  return datagen_next(s) & 1 ? write_isbn13(s, n, out) : write_isbn10(s, n, out);
}

static size_t write_uuid(datagen_stream *s, uint64_t n, char *out) {
  (void)n;
  size_t len = fill_template("^^^^^^^^-^^^^-4^^^-^^^^-^^^^^^^^^^^^", s, out);
  out[19] = pick(s, "89ab", 4);
  return len;
}

/* ---- the table -------------------------------------------------------------- */

#define PATTERN(name_, pattern_) {.name = name_, .pattern = pattern_, .most = TEMPLATE_MOST}
#define FUNCTION(name_, write_) {.name = name_, .write = write_, .most = PARAGRAPH_MOST}
#define COUNTED(name_, write_, low_, high_, most_)                                                                     \
  {.name = name_, .write = write_, .low = low_, .high = high_, .most = most_}

static const datagen_maker makers[] = {
    COUNTED("words", write_words, 1, 10, WORD_MOST),
    FUNCTION("sentence", write_sentence),
    COUNTED("sentences", write_sentences, 1, 5, SENTENCE_MOST),
    FUNCTION("paragraph", write_paragraph),
    COUNTED("paragraphs", write_paragraphs, 1, 4, PARAGRAPH_MOST),
    COUNTED("password", write_password, 8, 20, 1),
    PATTERN("name", "{f} {l}"),
    PATTERN("name_with_title", "{t} {f} {l}"),
    PATTERN("email", "{f-}.{l-}%#@example.{d}"),
    PATTERN("username", "{f-}_{w}%#"),
    PATTERN("phone_number", "+1-%##-%##-####"),
    PATTERN("cell_number", "(%##) %##-####"),
    FUNCTION("ipv4", write_ipv4),
    FUNCTION("ipv6", write_ipv6),
    FUNCTION("ip", write_ip),
    PATTERN("mac_address", "^^:^^:^^:^^:^^:^^"),
    PATTERN("user_agent", "Mozilla/5.0 ({o}) AppleWebKit/537.36 (KHTML, like Gecko) "
                          "Chrome/1##.0.%###.## Safari/537.36"),
    PATTERN("company_name", "{l} {x}"),
    PATTERN("catch_phrase", "{b} {m} {n}"),
    PATTERN("bs", "{1} {2} {3}"),
    PATTERN("job_title", "{7} {5} {6}"),
    FUNCTION("credit_card_number", write_credit_card),
    PATTERN("street_name", "{l} {s}"),
    PATTERN("building_number", "%##"),
    PATTERN("secondary_address", "{a} %##"),
    PATTERN("zip_code", "#####"),
    PATTERN("post_code", "#####-####"),
    FUNCTION("latitude", write_latitude),
    FUNCTION("longitude", write_longitude),
    FUNCTION("isbn", write_isbn),
    FUNCTION("isbn10", write_isbn10),
    FUNCTION("isbn13", write_isbn13),
    PATTERN("file_path", "/{w}/{w}/{w}_{w}.{e}"),
    PATTERN("file_name", "{w}_{w}.{e}"),
    PATTERN("dir_path", "/{w}/{w}"),
    FUNCTION("uuid", write_uuid),
};
#define N_MAKERS (sizeof makers / sizeof *makers)

bool datagen_text_find(const char *name, datagen_text *out) {
  *out = (datagen_text){NULL, NULL};
  for (const datagen_list *l = datagen_lists; l->items; l++)
    if (l->name && strcmp(l->name, name) == 0) out->list = l;
  for (size_t i = 0; i < N_MAKERS; i++)
    if (strcmp(makers[i].name, name) == 0) out->maker = &makers[i];
  return out->list || out->maker;
}

const char *datagen_text_name(size_t i) {
  if (i < N_MAKERS) return makers[i].name;
  for (const datagen_list *l = datagen_lists; l->items; l++)
    if (l->name && i-- == N_MAKERS) return l->name;
  return NULL;
}

bool datagen_text_default_range(datagen_text t, uint64_t *low, uint64_t *high) {
  if (!t.maker || !t.maker->high) return false;
  *low = t.maker->low;
  *high = t.maker->high;
  return true;
}

size_t datagen_text_most(datagen_text t, uint64_t high) {
  if (t.list) return WORD_MOST;
  return t.maker->high ? t.maker->most * high : t.maker->most;
}

size_t datagen_text_write(datagen_text t, datagen_stream *s, uint64_t low, uint64_t high, char *out) {
  if (t.list) return put_item(t.list, s, out);
  if (t.maker->pattern) return fill_template(t.maker->pattern, s, out);
  uint64_t n = high ? low + datagen_next_below(s, high - low) : 0;
  return t.maker->write(s, n, out);
}

const hw_str *datagen_text_list(datagen_text t, uint32_t *n) {
  if (!t.list) return NULL;
  *n = t.list->n;
  return t.list->items;
}
