/* dead_letters.c - headworks dead-letters ...: records of a pipeline that could not be read. */
#include "cli/http.h"

#include <stdlib.h>
#include <string.h>

#define AT_ONCE 1000.0 /* letters of one request */

/* The query of what is asked for; freed with free(). */
static char *query_of(const cli_call *call, uint64_t after, uint64_t limit) {
  const char *connector = cli_value(call, "connector");
  char *part = connector ? http_path("&connector=%s", connector) : cli_printf("%s", "");
  char *query = cli_printf("?after=%llu&limit=%llu%s", (unsigned long long)after, (unsigned long long)limit, part);
  free(part);
  return query;
}

static char *path_of(const cli_call *call, const char *rest) {
  char *path = http_path("/v0/pipelines/%s/dead_letters", call->args[0]);
  char *whole = cli_printf("%s%s", path, rest);
  free(path);
  return whole;
}

/* ---- list ------------------------------------------------------------------ */

static const char *text_of(const json_t *letter, const char *key) {
  const char *text = json_string_value(json_object_get(letter, key));
  return text ? text : "";
}

/* Control characters would write to the terminal what senders of data like. */
static void print_raw(const char *text) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c < 0x20 || c == 0x7f) printf("\\x%02x", c);
    else putchar(c);
  }
}

static void print_letter(const json_t *letter) {
  printf("%lld  %s  %s  %s\n", (long long)json_integer_value(json_object_get(letter, "id")), text_of(letter, "time"),
         text_of(letter, "connector"), text_of(letter, "position"));
  const char *field = text_of(letter, "field");
  printf("    %s%s%s%s\n    ", *field ? "column " : "", field, *field ? ": " : "", text_of(letter, "reason"));
  print_raw(text_of(letter, "raw_text"));
  if (json_is_true(json_object_get(letter, "cut")))
    printf("... (cut)");
  putchar('\n');
}

static void print_count(const json_t *reply) {
  static const char *const keys[] = {"kept", "total", "resubmitted", "cleared", "dropped"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    printf("%s%s %lld", i ? ", " : "", keys[i], (long long)json_integer_value(json_object_get(reply, keys[i])));
  putchar('\n');
}

/* One page; *after is the id it ends with, *n counts down. */
static cli_exit list_page(const cli_call *call, http_client *client, uint64_t *after, double *n, bool *more) {
  http_reply reply;
  char *query = query_of(call, *after, (uint64_t)(*n < AT_ONCE ? *n : AT_ONCE)), *path = path_of(call, query);
  cli_exit status = http_request(client, "GET", path, NULL, &reply);
  size_t i;
  const json_t *letters = json_object_get(reply.json, "letters"), *letter;
  *more = json_array_size(letters) > 0;
  *n -= (double)json_array_size(letters);
  json_array_foreach(letters, i, letter) {
    *after = (uint64_t)json_integer_value(json_object_get(letter, "id"));
    if (cli_has(call, "json")) json_dumpf(letter, stdout, JSON_COMPACT), putchar('\n');
    else print_letter(letter);
  }
  if (status == CLI_OK && (!*more || *n < 1) && !cli_has(call, "json")) print_count(reply.json);
  http_reply_fini(&reply);
  free(query);
  free(path);
  return status;
}

static cli_exit list(const cli_call *call, http_client *client) {
  double n = 100, from = 0;
  if (!cli_number(call, "limit", 1, 1e9, &n) || !cli_number(call, "after", 0, 1e15, &from)) return CLI_USAGE;
  uint64_t after = (uint64_t)from;
  bool more = true;
  cli_exit status = CLI_OK;
  while (status == CLI_OK && more && n >= 1) status = list_page(call, client, &after, &n, &more);
  return status;
}

/* ---- resubmit, clear --------------------------------------------------------- */

static json_t *body_of(const cli_call *call) {
  const char *connector = cli_value(call, "connector");
  if (call->n_args <= 2) return connector ? json_pack("{ss}", "connector", connector) : json_object();
  json_t *ids = json_array();
  for (int i = 2; i < call->n_args; i++) json_array_append_new(ids, json_integer(strtoll(call->args[i], NULL, 10)));
  return json_pack("{so}", "ids", ids);
}

static cli_exit resubmit(const cli_call *call, http_client *client) {
  http_reply reply;
  json_t *body = body_of(call);
  char *path = path_of(call, "/resubmit");
  cli_exit status = http_request(client, "POST", path, body, &reply);
  long long failed = (long long)json_integer_value(json_object_get(reply.json, "failed"));
  long long missing = (long long)json_integer_value(json_object_get(reply.json, "missing"));
  if (status == CLI_OK && cli_has(call, "json")) printf("%s\n", reply.body);
  else if (status == CLI_OK)
    printf("%lld resubmitted, %lld failed, %lld not there\n",
           (long long)json_integer_value(json_object_get(reply.json, "resubmitted")), failed, missing);
  const char *fault = json_string_value(json_object_get(reply.json, "first_fault"));
  if (status == CLI_OK && fault) cli_complain("the first that stays: %s", fault);
  if (status == CLI_OK && (failed || missing)) status = CLI_FAILED;
  http_reply_fini(&reply);
  json_decref(body);
  free(path);
  return status;
}

static cli_exit clear(const cli_call *call, http_client *client) {
  http_reply reply;
  const char *connector = cli_value(call, "connector");
  char *query = connector ? http_path("?connector=%s", connector) : cli_printf("%s", "");
  char *path = path_of(call, query);
  cli_exit status = http_request(client, "DELETE", path, NULL, &reply);
  if (status == CLI_OK && cli_has(call, "json")) printf("%s\n", reply.body);
  else if (status == CLI_OK)
    printf("%lld cleared\n", (long long)json_integer_value(json_object_get(reply.json, "cleared")));
  http_reply_fini(&reply);
  free(query);
  free(path);
  return status;
}

/* ---- the command --------------------------------------------------------------- */

static bool are_ids(const cli_call *call) {
  for (int i = 2; i < call->n_args; i++)
    if (!*call->args[i] || call->args[i][strspn(call->args[i], "0123456789")]) return false;
  return true;
}

cli_exit cli_dead_letters(const cli_call *call) {
  static const struct {
    const char *name;
    cli_exit (*run)(const cli_call *call, http_client *client);
  } actions[] = {{"list", list}, {"resubmit", resubmit}, {"clear", clear}};
  const char *action = call->n_args > 1 ? call->args[1] : "list";
  size_t i = 0;
  while (i < 3 && strcmp(actions[i].name, action) != 0) i++;
  if (i == 3) return cli_misuse(call, "'%s' is no action: list, resubmit or clear is wanted", action);
  if (call->n_args > 2 && (strcmp(action, "resubmit") != 0 || !are_ids(call)))
    return cli_misuse(call, "only resubmit takes more, ids of letters, which are whole numbers");
  cli_exit status;
  http_client *client = http_open(call, &status);
  if (!client) return status;
  status = actions[i].run(call, client);
  http_close(client);
  return status;
}
