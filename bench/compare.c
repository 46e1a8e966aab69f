/* compare.c - whether two NDJSON files hold the same rows in the same order.
 *
 *   compare [--timestamp FIELD] ... EXPECTED GOT
 *
 * Rows are compared as parsed values: the same keys, numbers by value, text by
 * its characters. A FIELD that holds timestamps may be spelled with 'T' or a
 * blank, with or without 'Z', with or without zeros at its end.
 *
 * Prints one JSON object; exit status 0: the same, 1: not, 2: could not look. */
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMESTAMPS_MAX 8
#define TIME_MAX 64

typedef struct settings {
  const char *timestamps[TIMESTAMPS_MAX];
  size_t n_timestamps;
  const char *expected, *got;
} settings;

typedef struct lines {
  FILE *file;
  char *text;
  size_t room;
  ssize_t len;
} lines;

/* ---- values ---------------------------------------------------------------- */

static bool is_timestamp(const settings *s, const char *field) {
  for (size_t i = 0; i < s->n_timestamps; i++)
    if (strcmp(s->timestamps[i], field) == 0) return true;
  return false;
}

/* One spelling of a timestamp into out; false: it is none of a sane length. */
static bool normalise(const char *text, char *out) {
  size_t n = strlen(text);
  if (n < 19 || n >= TIME_MAX) return false;
  memcpy(out, text, n + 1);
  if (out[10] == 'T') out[10] = ' ';
  if (out[n - 1] == 'Z') out[--n] = '\0';
  if (out[19] != '.') return true;
  while (out[n - 1] == '0') n--;
  if (out[n - 1] == '.') n--;
  out[n] = '\0';
  return true;
}

static bool same_time(const json_t *a, const json_t *b) {
  char x[TIME_MAX], y[TIME_MAX];
  return json_is_string(a) && json_is_string(b) && normalise(json_string_value(a), x) &&
         normalise(json_string_value(b), y) && strcmp(x, y) == 0;
}

static bool same_value(const json_t *a, const json_t *b) {
  if (json_is_number(a) && json_is_number(b) && (json_is_real(a) || json_is_real(b)))
    return json_number_value(a) == json_number_value(b);
  return json_equal(a, b);
}

static bool same_row(const settings *s, json_t *a, json_t *b) {
  const char *field;
  json_t *x;
  if (!json_is_object(a) || !json_is_object(b) || json_object_size(a) != json_object_size(b)) return false;
  json_object_foreach(a, field, x) {
    const json_t *y = json_object_get(b, field);
    if (!y || !(is_timestamp(s, field) ? same_time(x, y) : same_value(x, y))) return false;
  }
  return true;
}

static bool same_line(const settings *s, const lines *a, const lines *b) {
  if (a->len == b->len && memcmp(a->text, b->text, (size_t)a->len) == 0) return true;
  json_t *x = json_loadb(a->text, (size_t)a->len, JSON_DECODE_ANY, NULL);
  json_t *y = json_loadb(b->text, (size_t)b->len, JSON_DECODE_ANY, NULL);
  bool same = x && y && same_row(s, x, y);
  json_decref(x);
  json_decref(y);
  return same;
}

/* ---- files ------------------------------------------------------------------ */

static bool open_lines(lines *l, const char *path) {
  l->file = fopen(path, "r");
  if (l->file) return true;
  fprintf(stderr, "compare: ");
  perror(path);
  return false;
}

static bool next_line(lines *l) { return (l->len = getline(&l->text, &l->room, l->file)) > 0; }

static void print_text(const char *name, const lines *l, bool there) {
  json_t *text = there ? json_stringn(l->text, (size_t)(l->len < 500 ? l->len : 500)) : json_null();
  char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;
  printf(", \"%s\": %s", name, quoted ? quoted : "\"not UTF-8\"");
  free(quoted);
  json_decref(text);
}

static int compare(const settings *s, lines *a, lines *b) {
  uint64_t rows = 0;
  for (;;) {
    bool more_a = next_line(a), more_b = next_line(b);
    if (!more_a && !more_b) break;
    if (more_a && more_b && same_line(s, a, b)) {
      rows++;
      continue;
    }
    printf("{\"same\": false, \"rows\": %" PRIu64 ", \"line\": %" PRIu64, rows, rows + 1);
    print_text("expected", a, more_a);
    print_text("got", b, more_b);
    printf("}\n");
    return 1;
  }
  if (ferror(a->file) || ferror(b->file)) return 2;
  printf("{\"same\": true, \"rows\": %" PRIu64 "}\n", rows);
  return 0;
}

/* ---- main ----------------------------------------------------------------- */

static bool parse(int argc, char **argv, settings *s) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--timestamp") == 0 && i + 1 < argc && s->n_timestamps < TIMESTAMPS_MAX)
      s->timestamps[s->n_timestamps++] = argv[++i];
    else if (!s->expected)
      s->expected = argv[i];
    else if (!s->got)
      s->got = argv[i];
    else
      return false;
  }
  return s->got != NULL;
}

int main(int argc, char **argv) {
  settings s = {0};
  lines a = {0}, b = {0};
  if (!parse(argc, argv, &s)) {
    fprintf(stderr, "usage: compare [--timestamp FIELD] ... EXPECTED GOT\n");
    return 2;
  }
  int status = open_lines(&a, s.expected) && open_lines(&b, s.got) ? compare(&s, &a, &b) : 2;
  if (a.file) fclose(a.file);
  if (b.file) fclose(b.file);
  free(a.text);
  free(b.text);
  return status;
}
