/* query.c - headworks query: ad-hoc SQL, its rows to standard output.
 *
 * A query that fails half-way says so in the last line of its reply. In a table
 * no other line begins like it. In JSON it is an object with the one key "error",
 * which rows may be, too: but then the first is, and rows have the same keys. */
#include "cli/http.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_KEPT (16u << 10) /* a longer line is no error's */

typedef struct kept_line {
  char text[LINE_MAX_KEPT + 1];
  size_t len; /* of the line, also what was not kept */
} kept_line;

typedef struct rows {
  kept_line first, last;
  bool has_first, ended; /* ended: the last line has its newline */
} rows;

static void line_add(kept_line *l, const char *data, size_t len) {
  if (l->len < LINE_MAX_KEPT) {
    size_t kept = len < LINE_MAX_KEPT - l->len ? len : LINE_MAX_KEPT - l->len;
    memcpy(l->text + l->len, data, kept);
    l->text[l->len + kept] = '\0';
  }
  l->len += len;
}

static void note(rows *r, const char *data, size_t len) {
  while (len > 0) {
    const char *newline = memchr(data, '\n', len);
    size_t n = newline ? (size_t)(newline - data) : len;
    if (r->ended) r->last.len = 0;
    line_add(&r->last, data, n);
    r->ended = newline != NULL;
    if (r->ended && !r->has_first) r->first = r->last;
    r->has_first = r->has_first || r->ended;
    data += n + r->ended;
    len -= n + r->ended;
  }
}

static void take(void *arg, const char *data, size_t len) {
  note(arg, data, len);
  fwrite(data, 1, len, stdout);
}

/* The message where a line is {"error": message} and nothing else. */
static char *error_of(const kept_line *l) {
  json_t *object = l->len <= LINE_MAX_KEPT ? json_loadb(l->text, l->len, 0, NULL) : NULL;
  const char *message = json_string_value(json_object_get(object, "error"));
  char *copy = message && json_object_size(object) == 1 ? cli_strdup(message) : NULL;
  json_decref(object);
  return copy;
}

static char *find_failure(const rows *r, bool is_json) {
  if (!is_json) return strncmp(r->last.text, "ERROR: ", 7) == 0 ? cli_strdup(r->last.text + 7) : NULL;
  char *first = error_of(&r->first), *last = first ? NULL : error_of(&r->last);
  free(first);
  return last;
}

static const char *format_of(const cli_call *call) {
  const char *format = cli_value(call, "format");
  return format ? format : cli_has(call, "json") ? "json" : "text";
}

static cli_exit run(const cli_call *call, http_client *client, const char *sql) {
  const char *format = format_of(call);
  http_reply reply;
  rows *r = cli_alloc(sizeof *r);
  char *path = http_path("/v0/pipelines/%s/query?sql=%s&format=%s", call->args[0], sql, format);
  cli_exit status = http_request_pieces(client, path, take, r, &reply);
  fflush(stdout);
  char *failure = status == CLI_OK ? find_failure(r, strcmp(format, "json") == 0) : NULL;
  if (failure) {
    cli_complain("the query failed after its first rows: %s", failure);
    status = CLI_FAILED;
  }
  free(failure);
  free(path);
  free(r);
  http_reply_fini(&reply);
  return status;
}

/* ---- statements from standard input ------------------------------------------ */

static bool is_blank(const char *text) { return text[strspn(text, " \t\r\n;")] == '\0'; }

static bool ends_statement(const char *line) {
  size_t len = strlen(line);
  while (len > 0 && strchr(" \t\r\n", line[len - 1])) len--;
  return len > 0 && line[len - 1] == ';';
}

static char *append(char *text, const char *line) {
  char *longer = cli_printf("%s%s", text, line);
  free(text);
  return longer;
}

static cli_exit run_input(const cli_call *call, http_client *client) {
  bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  char *line = NULL, *text = cli_strdup("");
  size_t room = 0;
  cli_exit status = CLI_OK;
  for (bool more = true; more && (status == CLI_OK || terminal);) {
    if (terminal) fputs(*text ? "   > " : "sql> ", stdout), fflush(stdout);
    more = getline(&line, &room, stdin) >= 0;
    if (more) text = append(text, line);
    if (more && !ends_statement(line)) continue;
    if (!is_blank(text)) status = run(call, client, text);
    *text = '\0';
  }
  if (terminal) putchar('\n');
  free(line);
  free(text);
  return status;
}

cli_exit cli_query(const cli_call *call) {
  cli_exit status;
  http_client *client = http_open(call, &status);
  if (!client) return status;
  status = call->n_args > 1 ? run(call, client, call->args[1]) : run_input(call, client);
  http_close(client);
  return status;
}
