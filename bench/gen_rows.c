/* gen_rows.c - seeded rows of eight fields, as NDJSON or CSV.
 *
 *   gen_rows [--csv] [--seed S] [--passing] [--keys KIND] ROWS > file
 *
 *   {"id":1,"ts":"2026-01-02T03:04:05.695Z","user":"u_82302","country":"FR","amount":3661.32,"qty":11,"ok":true,
 *    "note":"tab\there, quick path gift order"}
 *
 * About 175 bytes a row. One note in eight holds an escape, one in eight text
 * beyond ASCII. --passing leaves out the rows that the benchmarks' filter
 * (qty < 20, true for 95 of 100 rows) leaves out: what a correct run writes.
 * --keys makes the same rows harder to read: shuffled (each row has its own order),
 * missing (a key in eight is left out, but for id), unknown (one more somewhere,
 * with nested values), spaced (blanks wherever they may be).
 *
 * The same seed gives the same rows on every machine. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROW_MAX 1024
#define BUFFER (1u << 20)
#define FIRST_SECOND 1767323045 /* 2026-01-02T03:04:05Z */
#define QTY_LIMIT 20

typedef struct row {
  uint64_t id;
  char ts[32];
  uint32_t user, amount_cents, qty;
  const char *country;
  bool ok;
  char note[512]; /* plain text */
} row;

typedef enum key_kind { KEYS_IN_ORDER, KEYS_SHUFFLED, KEYS_MISSING, KEYS_UNKNOWN, KEYS_SPACED, KEY_KINDS } key_kind;

typedef struct generator {
  uint64_t state; /* of the random numbers */
  uint64_t millis;
  time_t second;  /* that `day` spells */
  char day[24];
} generator;

/* ---- random values ------------------------------------------------------- */

static uint64_t next(generator *g) { /* splitmix64 */
  uint64_t z = g->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static uint32_t below(generator *g, uint32_t n) { return (uint32_t)(((next(g) >> 32) * n) >> 32); }

static const char *const countries[] = {"AT", "BR", "CA", "CH", "CN", "DE", "ES", "FR", "GB", "IN",
                                        "IT", "JP", "KE", "MX", "NL", "NO", "PL", "SE", "US", "ZA"};
static const char *const words[] = {"order",  "gift",   "quick",   "path",   "river", "stone",   "paper",  "cloud",
                                    "window", "garden", "silver",  "bridge", "north", "harbour", "letter", "market",
                                    "copper", "violet", "station", "morning", "cedar", "island",  "velvet", "anchor"};
static const char *const wide[] = {"Zürich", "naïve", "東京", "Ærø", "café", "Łódź", "Привет", "🙂"};
static const char *const escaped[] = {"tab\there", "say \"hello\"", "back\\slash", "line\nbreak", "a/b", "bell\x07"};

#define PICK(g, list) (list)[below(g, (uint32_t)(sizeof(list) / sizeof *(list)))]

static void fill_note(generator *g, char *note) {
  uint32_t n = 5 + below(g, 7), kind = below(g, 8), special = below(g, n);
  size_t len = 0;
  for (uint32_t i = 0; i < n; i++) {
    const char *word = i != special || kind > 1 ? PICK(g, words) : kind ? PICK(g, wide) : PICK(g, escaped);
    size_t m = strlen(word);
    if (i) note[len++] = i == special ? ',' : ' ';
    memcpy(note + len, word, m);
    len += m;
  }
  note[len] = '\0';
}

static void fill_time(generator *g, char *ts) {
  g->millis += below(g, 20);
  time_t second = FIRST_SECOND + (time_t)(g->millis / 1000);
  if (second != g->second) {
    struct tm tm;
    gmtime_r(&second, &tm);
    strftime(g->day, sizeof g->day, "%Y-%m-%dT%H:%M:%S", &tm);
    g->second = second;
  }
  unsigned ms = (unsigned)(g->millis % 1000);
  memcpy(ts, g->day, 19);
  char fraction[] = {'.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z', '\0'};
  memcpy(ts + 19, fraction, sizeof fraction);
}

static void fill(generator *g, row *r) {
  r->id++;
  fill_time(g, r->ts);
  r->user = below(g, 100000);
  r->country = PICK(g, countries);
  r->amount_cents = 1 + below(g, 999999);
  r->qty = 1 + below(g, QTY_LIMIT);
  r->ok = below(g, 4) != 0;
  fill_note(g, r->note);
}

/* ---- writing -------------------------------------------------------------- */

static char *put(char *out, const char *s) {
  size_t n = strlen(s);
  memcpy(out, s, n);
  return out + n;
}

static char *put_number(char *out, uint64_t v, int digits) {
  char text[24];
  int n = 0;
  do text[n++] = (char)('0' + v % 10);
  while ((v /= 10) || n < digits);
  while (n) *out++ = text[--n];
  return out;
}

static char *put_amount(char *out, uint32_t cents) {
  out = put_number(out, cents / 100, 1);
  *out++ = '.';
  return put_number(out, cents % 100, 2);
}

static char *put_json_text(char *out, const char *s) {
  *out++ = '"';
  for (; *s; s++) switch (*s) {
    case '"': out = put(out, "\\\""); break;
    case '\\': out = put(out, "\\\\"); break;
    case '\t': out = put(out, "\\t"); break;
    case '\n': out = put(out, "\\n"); break;
    case '\x07': out = put(out, "\\u0007"); break;
    default: *out++ = *s;
    }
  *out++ = '"';
  return out;
}

static char *put_csv_text(char *out, const char *s) {
  if (!strpbrk(s, ",\"\n")) return put(out, s);
  *out++ = '"';
  for (; *s; s++) {
    if (*s == '"') *out++ = '"';
    *out++ = *s;
  }
  *out++ = '"';
  return out;
}

#define MEMBERS 8
#define UNKNOWN MEMBERS

static char *put_member(char *out, const row *r, unsigned member, const char *colon) {
  static const char *const keys[] = {"id", "ts", "user", "country", "amount", "qty", "ok", "note", "more"};
  char user[24] = "u_";
  *put_number(user + 2, r->user, 1) = '\0';
  out = put(put(put(put(out, "\""), keys[member]), "\""), colon);
  switch (member) {
  case 0: return put_number(out, r->id, 1);
  case 1: return put_json_text(out, r->ts);
  case 2: return put_json_text(out, user);
  case 3: return put_json_text(out, r->country);
  case 4: return put_amount(out, r->amount_cents);
  case 5: return put_number(out, r->qty, 1);
  case 6: return put(out, r->ok ? "true" : "false");
  case 7: return put_json_text(out, r->note);
  default: return put(out, "{\"a\":[1,{\"b\":\"x\\\"y\"},-2.5e3],\"c\":null}");
  }
}

/* The members of the row in the order in which they are written; how many. */
static unsigned choose_members(generator *layout, key_kind keys, unsigned *members) {
  unsigned n = 0;
  for (unsigned i = 0; i < MEMBERS; i++)
    if (keys != KEYS_MISSING || i == 0 || below(layout, 8)) members[n++] = i;
  if (keys == KEYS_UNKNOWN) {
    unsigned at = below(layout, ++n);
    for (unsigned i = n - 1; i > at; i--) members[i] = members[i - 1];
    members[at] = UNKNOWN;
  }
  for (unsigned i = n; i > 1 && keys == KEYS_SHUFFLED; i--) {
    unsigned k = below(layout, i), other = members[k];
    members[k] = members[i - 1];
    members[i - 1] = other;
  }
  return n;
}

static char *put_json(char *out, const row *r, generator *layout, key_kind keys) {
  unsigned members[MEMBERS + 1], n = choose_members(layout, keys, members);
  bool spaced = keys == KEYS_SPACED;
  *out++ = '{';
  for (unsigned i = 0; i < n; i++) {
    if (i) *out++ = ',';
    if (spaced) *out++ = ' ';
    out = put_member(out, r, members[i], spaced ? " : " : ":");
  }
  return put(out, spaced ? " }\n" : "}\n");
}

static char *put_csv(char *out, const row *r) {
  out = put_number(out, r->id, 1);
  out = put(put(put(out, ","), r->ts), ",u_");
  out = put_number(out, r->user, 1);
  out = put(put(put(out, ","), r->country), ",");
  out = put_amount(out, r->amount_cents);
  out = put_number(put(out, ","), r->qty, 1);
  out = put(out, r->ok ? ",true," : ",false,");
  return put(put_csv_text(out, r->note), "\n");
}

/* ---- main ----------------------------------------------------------------- */

typedef struct settings {
  bool csv, passing;
  key_kind keys;
  uint64_t seed, rows;
} settings;

static bool parse_keys(const char *text, key_kind *out) {
  static const char *const names[KEY_KINDS] = {"in-order", "shuffled", "missing", "unknown", "spaced"};
  for (*out = KEYS_IN_ORDER; *out < KEY_KINDS; ++*out)
    if (strcmp(text, names[*out]) == 0) return true;
  return false;
}

static bool parse(int argc, char **argv, settings *s) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--csv") == 0)
      s->csv = true;
    else if (strcmp(argv[i], "--passing") == 0)
      s->passing = true;
    else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
      s->seed = strtoull(argv[++i], NULL, 10);
    else if (strcmp(argv[i], "--keys") == 0 && i + 1 < argc && parse_keys(argv[i + 1], &s->keys))
      i++;
    else if (!s->rows)
      s->rows = strtoull(argv[i], NULL, 10);
    else
      return false;
  }
  return s->rows > 0;
}

static bool write_rows(const settings *s, FILE *out) {
  static char buffer[BUFFER + ROW_MAX];
  generator g = {.state = s->seed}, layout = {.state = ~s->seed};
  row r = {0};
  char *at = buffer;
  if (s->csv) at = put(at, "id,ts,user,country,amount,qty,ok,note\n");
  for (uint64_t i = 0; i < s->rows; i++) {
    fill(&g, &r);
    if (s->passing && r.qty >= QTY_LIMIT) continue;
    at = s->csv ? put_csv(at, &r) : put_json(at, &r, &layout, s->keys);
    if (at < buffer + BUFFER) continue;
    if (fwrite(buffer, 1, (size_t)(at - buffer), out) != (size_t)(at - buffer)) return false;
    at = buffer;
  }
  return fwrite(buffer, 1, (size_t)(at - buffer), out) == (size_t)(at - buffer) && fflush(out) == 0;
}

int main(int argc, char **argv) {
  settings s = {.seed = 1};
  if (!parse(argc, argv, &s)) {
    fprintf(stderr, "usage: gen_rows [--csv] [--seed S] [--passing] "
                    "[--keys in-order|shuffled|missing|unknown|spaced] ROWS > file\n");
    return 2;
  }
  if (write_rows(&s, stdout)) return 0;
  perror("gen_rows");
  return 1;
}
