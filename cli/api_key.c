/* api_key.c - headworks api-key ...: the API keys of a server, or of a data
 * directory that no server has at the moment. */
#include "cli/http.h"

#include "api/key_token.h"
#include "api/keys.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void print_made(const cli_call *call, const char *id, const char *name, const char *token) {
  if (!cli_has(call, "json")) {
    printf("%s\n", token);
    return;
  }
  printf("{\"id\": \"%s\", \"name\": \"%s\", \"api_key\": \"%s\"}\n", id, name, token);
}

static bool take_role(const cli_call *call, api_role *role) {
  const char *name = cli_value(call, "role");
  *role = ROLE_WRITE;
  if (!name || (api_role_parse(name, role) && *role <= ROLE_WRITE)) return true;
  (void)cli_misuse(call, "--role %s: read or write is wanted", name);
  return false;
}

/* ---- in a data directory ---------------------------------------------------- */

/* A write that is waited for. */
typedef struct offline {
  catalog_write write; /* first */
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool done, failed; /* protected by lock, as is the next */
  hw_error err;
} offline;

static void written(catalog_write *w, const hw_error *err) {
  offline *o = (offline *)w;
  pthread_mutex_lock(&o->lock);
  o->done = true;
  o->failed = err != NULL;
  if (err) o->err = *err;
  pthread_cond_signal(&o->changed);
  pthread_mutex_unlock(&o->lock);
}

static cli_exit write_and_wait(catalog *c, const catalog_key *row, catalog_kind kind) {
  offline o = {.write = {.kind = kind, .row.key = *row, .done = written},
               .lock = PTHREAD_MUTEX_INITIALIZER,
               .changed = PTHREAD_COND_INITIALIZER};
  catalog_post(c, &o.write);
  pthread_mutex_lock(&o.lock);
  while (!o.done) pthread_cond_wait(&o.changed, &o.lock);
  pthread_mutex_unlock(&o.lock);
  pthread_cond_destroy(&o.changed);
  pthread_mutex_destroy(&o.lock);
  if (!o.failed) return CLI_OK;
  cli_complain("%s", o.err.message);
  return CLI_FAILED;
}

/* The directory's catalog and keys; false: said. */
static bool open_directory(const cli_call *call, catalog **c, key_ring **ks) {
  hw_error err = {0};
  *ks = keys_new();
  *c = *ks ? catalog_open(cli_value(call, "data-dir"), &err) : NULL;
  if (*c && keys_load(*ks, *c, &err) == HW_OK) return true;
  cli_complain("%s", *ks ? err.message : "out of memory");
  catalog_close(*c);
  keys_free(*ks);
  return false;
}

static cli_exit create_offline(const cli_call *call, catalog *c, key_ring *ks) {
  catalog_key row;
  char token[KEY_TOKEN_LEN + 1];
  api_role role;
  hw_error err;
  if (!take_role(call, &role)) return CLI_USAGE;
  if (keys_make(call->args[0], role, &row, token, &err) != HW_OK || keys_add(ks, &row, &err) != HW_OK) {
    cli_complain("%s", err.message);
    return err.status == HW_EINVAL ? CLI_USAGE : CLI_FAILED;
  }
  cli_exit status = write_and_wait(c, &row, CATALOG_PUT_KEY);
  if (status == CLI_OK) print_made(call, row.id, row.name, token);
  explicit_bzero(token, sizeof token);
  return status;
}

static cli_exit delete_offline(const cli_call *call, catalog *c, key_ring *ks) {
  const api_key *key = keys_find(ks, call->args[0]);
  if (key) return write_and_wait(c, &key->row, CATALOG_DELETE_KEY);
  cli_complain("there is no API key '%s' in %s", call->args[0], cli_value(call, "data-dir"));
  return CLI_FAILED;
}

static cli_exit list_offline(const cli_call *call, catalog *c, key_ring *ks) {
  (void)c;
  const api_key *key;
  bool json = cli_has(call, "json");
  if (json) putchar('[');
  for (size_t i = 0; (key = keys_at(ks, i)); i++) {
    if (json)
      printf("%s{\"id\": \"%s\", \"name\": \"%s\", \"role\": \"%s\"}", i ? ", " : "", key->row.id, key->row.name,
             key->row.role);
    else
      printf("%-24s %s\n", key->row.name, key->row.role);
  }
  if (json) puts("]");
  return CLI_OK;
}

typedef cli_exit offline_command(const cli_call *call, catalog *c, key_ring *ks);

static cli_exit run_offline(const cli_call *call, offline_command *run) {
  catalog *c;
  key_ring *ks;
  if (!open_directory(call, &c, &ks)) return CLI_FAILED;
  cli_exit status = run(call, c, ks);
  catalog_close(c);
  keys_free(ks);
  return status;
}

/* ---- on a server -------------------------------------------------------------- */

/* One request; *reply is freed by the caller in every case. */
static cli_exit ask(const cli_call *call, const char *method, const char *path, const json_t *body,
                    http_reply *reply) {
  cli_exit status;
  *reply = (http_reply){0};
  http_client *client = http_open(call, &status);
  if (client) status = http_request(client, method, path, body, reply);
  http_close(client);
  return status;
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

cli_exit cli_api_key_create(const cli_call *call) {
  api_role role;
  http_reply reply;
  if (cli_has(call, "data-dir")) return run_offline(call, create_offline);
  if (!take_role(call, &role)) return CLI_USAGE;
  json_t *body = json_pack("{ss ss}", "name", call->args[0], "role", api_role_name(role));
  cli_exit status = ask(call, "POST", "/v0/api_keys", body, &reply);
  json_decref(body);
  if (status == CLI_OK)
    print_made(call, text_of(reply.json, "id"), text_of(reply.json, "name"), text_of(reply.json, "api_key"));
  http_reply_fini(&reply);
  return status;
}

cli_exit cli_api_key_list(const cli_call *call) {
  http_reply reply;
  if (cli_has(call, "data-dir")) return run_offline(call, list_offline);
  cli_exit status = ask(call, "GET", "/v0/api_keys", NULL, &reply);
  if (status == CLI_OK && cli_has(call, "json")) printf("%s\n", reply.body);
  for (size_t i = 0; status == CLI_OK && !cli_has(call, "json") && i < json_array_size(reply.json); i++) {
    const json_t *key = json_array_get(reply.json, i);
    printf("%-24s %s\n", text_of(key, "name"), text_of(key, "role"));
  }
  http_reply_fini(&reply);
  return status;
}

cli_exit cli_api_key_delete(const cli_call *call) {
  http_reply reply;
  if (cli_has(call, "data-dir")) return run_offline(call, delete_offline);
  char *path = http_path("/v0/api_keys/%s", call->args[0]);
  cli_exit status = ask(call, "DELETE", path, NULL, &reply);
  free(path);
  http_reply_fini(&reply);
  return status;
}
