/* connector.c - headworks connector ...: one connector of a pipeline on the server. */
#include "cli/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *connector_path(const cli_call *call, const char *kind) {
  char *path = http_path(strcmp(kind, "views") == 0 ? "/v0/pipelines/%s/views/%s/connectors/%s/"
                                                    : "/v0/pipelines/%s/tables/%s/connectors/%s/",
                         call->args[0], call->args[1], call->args[2]);
  char *whole = cli_printf("%s%s%s", path, call->args[3], cli_has(call, "drained") ? "?wait=drained" : "");
  free(path);
  return whole;
}

/* A header's number; null when it is not there. */
static json_t *number_json(const char *text) {
  return text ? json_integer((json_int_t)strtoll(text, NULL, 10)) : json_null();
}

static void print_transition(const cli_call *call, const http_reply *reply) {
  const char *word = strcmp(call->args[3], "pause") == 0 ? "paused" : "started";
  if (cli_has(call, "json")) {
    json_t *json = json_pack("{ss ss so ss? so}", "connector", call->args[2], "state", word, "epoch",
                             number_json(reply->epoch), "position", reply->position, "total_records",
                             number_json(reply->total_records));
    if (json) json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
    return;
  }
  printf("%s.%s: %s", call->args[1], call->args[2], word);
  if (reply->total_records) printf(" after %s rows", reply->total_records);
  if (reply->position && *reply->position) printf(" at %s", reply->position);
  putchar('\n');
}

/* Lines of "key: value", one level deep into objects. */
static void print_object(const json_t *object, const char *prefix) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)(uintptr_t)object, key, value) {
    if (json_is_object(value) && !*prefix && strcmp(key, "config") != 0) {
      print_object(value, key);
      continue;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    if (text) printf("%s%s%s: %s\n", prefix, *prefix ? "." : "", key, text);
    free(text);
  }
}

/* Whether outputs of the running pipeline are the relation's, spelled in whatever case. */
static bool is_of_view(const cli_call *call, http_client *client) {
  const char *relation = call->args[1] + (call->args[1][0] == '"');
  size_t len = strcspn(relation, "\"");
  http_reply reply;
  char *path = http_path("/v0/pipelines/%s/stats", call->args[0]);
  bool found = false;
  size_t i;
  json_t *output;
  if (http_request_quiet(client, "GET", path, NULL, &reply) == CLI_OK)
    json_array_foreach(json_object_get(reply.json, "outputs"), i, output) {
      const char *endpoint = json_string_value(json_object_get(output, "endpoint_name"));
      found = found || (endpoint && strncasecmp(endpoint, relation, len) == 0 && endpoint[len] == '.');
    }
  http_reply_fini(&reply);
  free(path);
  return found;
}

/* A relation is a table or a view: asks for one, then for the other. Where it is
 * neither, one refusal is enough: the one that lists its kind's connectors. */
static cli_exit request(const cli_call *call, http_client *client, const char *method, http_reply *reply) {
  char *path = connector_path(call, "tables");
  cli_exit status = http_request_quiet(client, method, path, NULL, reply);
  free(path);
  if (status == CLI_REFUSED && strcmp(http_error_code(reply), "UnknownInputEndpoint") == 0) {
    http_reply first = *reply;
    path = connector_path(call, "views");
    status = http_request_quiet(client, method, path, NULL, reply);
    free(path);
    bool neither = status == CLI_REFUSED && strcmp(http_error_code(reply), "UnknownOutputEndpoint") == 0;
    if (neither && !is_of_view(call, client)) {
      http_complain(&first);
      http_reply_fini(&first);
      return status;
    }
    http_reply_fini(&first);
  }
  if (status == CLI_REFUSED) http_complain(reply);
  return status;
}

static cli_exit stats(const cli_call *call, http_client *client) {
  http_reply reply;
  cli_exit status = request(call, client, "GET", &reply);
  if (status == CLI_OK && cli_has(call, "json"))
    printf("%s\n", reply.body);
  else if (status == CLI_OK)
    print_object(reply.json, "");
  http_reply_fini(&reply);
  return status;
}

static cli_exit transition(const cli_call *call, http_client *client) {
  http_reply reply;
  cli_exit status = request(call, client, "POST", &reply);
  if (status == CLI_OK) print_transition(call, &reply);
  http_reply_fini(&reply);
  return status;
}

cli_exit cli_connector(const cli_call *call) {
  const char *action = call->args[3];
  bool is_stats = strcmp(action, "stats") == 0;
  if (!is_stats && strcmp(action, "start") != 0 && strcmp(action, "pause") != 0)
    return cli_misuse(call, "'%s' is no action: start, pause or stats is wanted", action);
  if (cli_has(call, "drained") && strcmp(action, "pause") != 0)
    return cli_misuse(call, "--drained waits for the rows of a pause: it has no meaning with %s", action);
  cli_exit status;
  http_client *client = http_open(call, &status);
  if (!client) return status;
  status = is_stats ? stats(call, client) : transition(call, client);
  http_close(client);
  return status;
}
