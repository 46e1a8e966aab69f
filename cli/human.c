/* human.c - numbers and tables for people. */
#include "cli/human.h"

#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>

char *human_count(uint64_t n, char out[HUMAN_MAX]) {
  char digits[24];
  size_t len = (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
  char *at = out;
  for (size_t i = 0; i < len; i++) {
    if (i && (len - i) % 3 == 0) *at++ = ',';
    *at++ = digits[i];
  }
  *at = '\0';
  return out;
}

char *human_bytes(double bytes, char out[HUMAN_MAX]) {
  static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
    bytes /= 1000;
    unit++;
  }
  snprintf(out, HUMAN_MAX, unit && bytes < 99.95 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
  return out;
}

char *human_seconds(double seconds, char out[HUMAN_MAX]) {
  if (seconds < 60) {
    snprintf(out, HUMAN_MAX, "%.2f s", seconds);
    return out;
  }
  unsigned long long whole = (unsigned long long)(seconds + 0.5);
  if (whole < 3600)
    snprintf(out, HUMAN_MAX, "%llu:%02llu", whole / 60, whole % 60);
  else
    snprintf(out, HUMAN_MAX, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
  return out;
}

char *human_micros(double us, char out[HUMAN_MAX]) {
  if (us < 999.5)
    snprintf(out, HUMAN_MAX, "%.0f us", us);
  else if (us < 999500)
    snprintf(out, HUMAN_MAX, "%.2f ms", us / 1e3);
  else
    snprintf(out, HUMAN_MAX, "%.2f s", us / 1e6);
  return out;
}

/* ---- tables --------------------------------------------------------------- */

struct table {
  unsigned n_columns;
  size_t n_rows; /* the titles are row 0 */
  char **cells;
  const char *const *titles;
};

table *table_new(unsigned n_columns, const char *const *titles) {
  table *t = cli_alloc(sizeof *t);
  t->n_columns = n_columns;
  t->titles = titles;
  const char **plain = cli_alloc(n_columns * sizeof *plain);
  for (unsigned i = 0; i < n_columns; i++) plain[i] = titles[i] + (titles[i][0] == '>');
  table_row(t, plain);
  free(plain);
  return t;
}

void table_row(table *t, const char *const *cells) {
  t->cells = cli_grow(t->cells, (t->n_rows + 1) * t->n_columns * sizeof *t->cells);
  for (unsigned i = 0; i < t->n_columns; i++)
    t->cells[t->n_rows * t->n_columns + i] = cli_strdup(cells[i] ? cells[i] : "");
  t->n_rows++;
}

/* Characters, for text in UTF-8: its bytes without the continuation bytes. */
static int width(const char *s) {
  int n = 0;
  for (; *s; s++) n += (*s & 0xC0) != 0x80;
  return n;
}

static int column_width(const table *t, unsigned column) {
  int widest = 0;
  for (size_t row = 0; row < t->n_rows; row++) {
    int w = width(t->cells[row * t->n_columns + column]);
    if (w > widest) widest = w;
  }
  return widest;
}

static void print_row(const table *t, FILE *to, char *const *cells, const int *widths) {
  unsigned n = t->n_columns;
  while (n && !*cells[n - 1]) n--; /* no blanks at the end of a line */
  for (unsigned i = 0; i < n; i++) {
    int pad = widths[i] - width(cells[i]);
    bool right = t->titles[i][0] == '>';
    fprintf(to, "%s%*s%s%*s", i ? "  " : "", right ? pad : 0, "", cells[i], right || i + 1 == n ? 0 : pad, "");
  }
  fputc('\n', to);
}

void table_print(table *t, FILE *to, int indent) {
  int *widths = cli_alloc(t->n_columns * sizeof *widths);
  for (unsigned i = 0; i < t->n_columns; i++) widths[i] = column_width(t, i);
  for (size_t row = 0; row < t->n_rows; row++) {
    fprintf(to, "%*s", indent, "");
    print_row(t, to, t->cells + row * t->n_columns, widths);
  }
  for (size_t i = 0; i < t->n_rows * t->n_columns; i++) free(t->cells[i]);
  free(t->cells);
  free(t);
  free(widths);
}
