/* json_place.c - a walk over valid JSON that skips what is not asked for. */
#include "sql/json_place.h"

#include <string.h>

typedef struct walker {
  const char *text;
  size_t len, at;
} walker;

static char peek(const walker *w) { return w->at < w->len ? w->text[w->at] : '\0'; }

static void skip_blanks(walker *w) {
  while (w->at < w->len && strchr(" \t\r\n", w->text[w->at])) w->at++;
}

static void skip_string(walker *w) {
  w->at++;
  while (w->at < w->len && w->text[w->at] != '"') w->at += w->text[w->at] == '\\' ? 2 : 1;
  w->at++;
}

/* A value of any kind; brackets are counted, not followed. */
static void skip_value(walker *w) {
  int depth = 0;
  skip_blanks(w);
  do {
    char c = peek(w);
    if (c == '"') {
      skip_string(w);
      continue;
    }
    if (c == '{' || c == '[') depth++;
    if (c == '}' || c == ']') depth--;
    w->at++;
  } while (w->at < w->len && (depth > 0 || !strchr(",]} \t\r\n", w->text[w->at])));
}

/* To the value of the object's member whose name path begins with, the longest
 * part of path that is one; gives what is left of path, or NULL: no such member. */
static const char *enter_member(walker *w, const char *path, size_t *start, size_t *end) {
  for (w->at++; skip_blanks(w), peek(w) == '"';) {
    size_t key = w->at;
    skip_string(w);
    size_t key_end = w->at, n = key_end - key - 2;
    skip_blanks(w);
    w->at++; /* the colon */
    skip_blanks(w);
    bool matches = strncmp(w->text + key + 1, path, n) == 0 && (path[n] == '\0' || path[n] == '.');
    if (matches) {
      *start = key;
      *end = key_end;
      return path[n] ? path + n + 1 : path + n;
    }
    skip_value(w);
    skip_blanks(w);
    if (peek(w) == ',') w->at++;
  }
  return NULL;
}

size_t json_place_first(const char *text, size_t len) {
  walker w = {.text = text, .len = len};
  skip_blanks(&w);
  w.at++; /* the bracket */
  skip_blanks(&w);
  return w.at;
}

size_t json_place_next(const char *text, size_t len, size_t at) {
  walker w = {.text = text, .len = len, .at = at};
  skip_value(&w);
  skip_blanks(&w);
  w.at++; /* the comma */
  skip_blanks(&w);
  return w.at;
}

void json_place_find(const char *text, size_t len, size_t at, const char *path, size_t *start, size_t *end) {
  walker w = {.text = text, .len = len, .at = at};
  *start = at;
  *end = at + 1;
  while (path && *path && peek(&w) == '{') path = enter_member(&w, path, start, end);
}
