/* API keys: who is let in to which route, what a key's life is, and which hosts
 * and origins are known. */
#include "api/key_token.h"
#include "api/keys.h"
#include "api/routes.h"
#include "tests/api_client.h"
#include "tests/api_schema.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];
static catalog *store;
static hw_engine *engine;
static api_server *server;
static uint16_t port;
static char reader[KEY_TOKEN_LEN + 1], writer[KEY_TOKEN_LEN + 1];

static char *logged; /* all lines; the API thread's, and the test's once it has ended */

static void keep_log(void *arg, hw_log_level level, const char *line) {
  (void)arg, (void)level;
  size_t len = logged ? strlen(logged) : 0;
  logged = realloc(logged, len + strlen(line) + 2);
  ck_assert_ptr_nonnull(logged);
  snprintf(logged + len, strlen(line) + 2, "%s\n", line);
}

/* ---- a catalog and a server ------------------------------------------------------ */

typedef struct waiting {
  catalog_write write;
  _Atomic bool done;
} waiting;

static void on_written(catalog_write *w, const hw_error *err) {
  ck_assert_msg(!err, "%s", err ? err->message : "");
  ((waiting *)w)->done = true;
}

static void store_key(const char *name, api_role role, char *token) {
  hw_error err;
  waiting *w = calloc(1, sizeof *w);
  ck_assert_msg(keys_make(name, role, &w->write.row.key, token, &err) == HW_OK, "%s", err.message);
  w->write.kind = CATALOG_PUT_KEY;
  w->write.done = on_written;
  catalog_post(store, &w->write);
  while (!w->done) sched_yield();
  free(w);
}

static void open_store(void) {
  hw_error err;
  store = catalog_open(dir, &err);
  ck_assert_msg(store != NULL, "%s", err.message);
  engine = fake_engine_new();
  fake_set_catalog(engine, store);
}

static void serve(const api_options *options) {
  hw_error err;
  api_options o = *options;
  o.listen = o.listen ? o.listen : "127.0.0.1:0";
  o.log_level = HW_LOG_DEBUG;
  o.log = keep_log;
  server = api_server_new(engine, &o, &err);
  ck_assert_msg(server != NULL, "%s", err.message);
  ck_assert_msg(api_server_start(server, &err) == HW_OK, "%s", err.message);
  port = api_server_port(server);
}

static void close_all(void) {
  api_server_free(server);
  server = NULL;
  fake_engine_free(engine);
  catalog_close(store);
}

static void setup(void) {
  snprintf(dir, sizeof dir, "/tmp/hw-keys-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(dir));
  open_store();
  store_key("reader", ROLE_READ, reader);
  store_key("writer", ROLE_WRITE, writer);
  serve(&(api_options){.auth = true});
}

static void teardown(void) {
  char command[128];
  close_all();
  ck_assert_msg(!logged || !strstr(logged, writer), "the log shows a key");
  ck_assert_msg(!logged || !strstr(logged, writer + strlen(KEY_TOKEN_PREFIX)), "the log shows a key");
  free(logged);
  logged = NULL;
  snprintf(command, sizeof command, "rm -rf %s", dir);
  ck_assert_int_eq(system(command), 0);
}

/* ---- requests ------------------------------------------------------------------- */

/* headers: whole lines, or "". */
static api_reply ask(const char *method, const char *path, const char *headers, const char *body) {
  api_client c = api_connect(port);
  api_sayf(&c, "%s %s HTTP/1.1\r\n{host}\r\n%s", method, path, headers);
  if (body) api_sayf(&c, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
  else api_say(&c, "\r\n");
  api_reply r = api_receive(&c, strcmp(method, "HEAD") == 0);
  api_disconnect(&c);
  json_t *json = r.len ? json_loadb(r.body, r.len, JSON_DECODE_ANY, NULL) : NULL;
  if (strcmp(method, "OPTIONS") != 0) api_check_reply(method, path, r.status, json);
  json_decref(json);
  return r;
}

static const char *bearer(const char *token) {
  static char header[256];
  snprintf(header, sizeof header, "Authorization: Bearer %s\r\n", token);
  return header;
}

static int status_of(const char *method, const char *path, const char *token, const char *body) {
  api_reply r = ask(method, path, token ? bearer(token) : "", body);
  int status = r.status;
  api_reply_free(&r);
  return status;
}

static void check_error(const char *method, const char *path, const char *headers, const char *body, int status,
                        const char *code) {
  api_reply r = ask(method, path, headers, body);
  api_check_error(&r, status, code);
  api_reply_free(&r);
}

static json_t *ask_json(const char *method, const char *path, const char *token, const char *body, int status) {
  api_reply r = ask(method, path, bearer(token), body);
  ck_assert_msg(r.status == status, "%s %s: %d: %s", method, path, r.status, r.body);
  json_t *json = json_loadb(r.body, r.len, JSON_DECODE_ANY, NULL);
  api_reply_free(&r);
  return json;
}

/* ---- who is let in ---------------------------------------------------------------- */

/* The path with something for each of its {parts}. */
static void fill_path(const char *pattern, char *path, size_t size) {
  size_t len = 0;
  for (const char *at = pattern; *at && len + 8 < size; at++) {
    if (*at != '{') {
      path[len++] = *at;
      continue;
    }
    memcpy(path + len, "nothing", 7);
    len += 7;
    at = strchr(at, '}');
  }
  path[len] = '\0';
}

static void check_role(const api_route *r, const char *path, const char *token, bool may, int otherwise) {
  const char *method = http_method_str(r->method), *body = r->body ? "{}" : NULL;
  int status = status_of(method, path, token, body);
  bool let_in = status != 401 && status != 403;
  ck_assert_msg(let_in == may, "%s %s asks for %s: %d", method, path, api_role_name(api_route_role(r)), status);
  if (!may) ck_assert_int_eq(status, otherwise);
}

/* Who only reads changes nothing; these GETs are not for readers. */
static bool is_for_writers(const api_route *r) {
  static const char *const paths[] = {"/v0/api_keys", "/query", "/completion_token"};
  if (r->method != HTTP_GET) return true;
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    if (strstr(r->path, paths[i])) return true;
  return false;
}

START_TEST(every_route_asks_for_its_role) {
  char path[256];
  unsigned n_open = 0;
  for (size_t i = 0; i < api_n_routes; i++) {
    const api_route *r = &api_routes[i];
    api_role role = api_route_role(r);
    fill_path(r->path, path, sizeof path);
    check_role(r, path, NULL, role == ROLE_NONE, 401);
    check_role(r, path, "apikey:0000", role == ROLE_NONE, 401);
    check_role(r, path, reader, role <= ROLE_READ, 403);
    check_role(r, path, writer, role <= ROLE_WRITE, 403);
    n_open += r->open;
    if (!r->open)
      ck_assert_msg(role == (is_for_writers(r) ? ROLE_WRITE : ROLE_READ), "%s %s: %s", http_method_str(r->method),
                    r->path, api_role_name(role));
  }
  ck_assert_uint_eq(n_open, 3);
  ck_assert_int_eq(status_of("GET", "/healthz", NULL, NULL), 200);
  ck_assert_int_eq(status_of("GET", "/config/authentication", NULL, NULL), 200);
  ck_assert_int_eq(status_of("GET", "/robots.txt", NULL, NULL), 200);
}
END_TEST

START_TEST(what_is_not_there_is_not_told_to_strangers) {
  check_error("GET", "/v0/nothing", "", NULL, 401, "InvalidApiKey");
  check_error("PATCH", "/v0/config", "", NULL, 401, "InvalidApiKey");
  check_error("GET", "/v0/nothing", bearer(reader), NULL, 404, "NotFound");
}
END_TEST

START_TEST(odd_credentials) {
  static const char *const headers[] = {
      "",
      "Authorization: \r\n",
      "Authorization: Bearer\r\n",
      "Authorization: Bearer \r\n",
      "Authorization: Basic YTpi\r\n",
      "Authorization: Bearer apikey:\r\n",
      "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n",
  };
  char header[256];
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
    check_error("GET", "/v0/config", headers[i], NULL, 401, "InvalidApiKey");
  snprintf(header, sizeof header, "Authorization: Bearer %.*s\r\n", (int)KEY_TOKEN_LEN - 1, writer);
  check_error("GET", "/v0/config", header, NULL, 401, "InvalidApiKey");
  snprintf(header, sizeof header, "Authorization: Bearer %sx\r\n", writer);
  check_error("GET", "/v0/config", header, NULL, 401, "InvalidApiKey");
  snprintf(header, sizeof header, "authorization: bearer  %s\r\n", writer); /* neither case nor blanks matter */
  api_reply r = ask("GET", "/v0/config", header, NULL);
  ck_assert_int_eq(r.status, 200);
  api_reply_free(&r);
}
END_TEST

START_TEST(strangers_are_told_how) {
  api_reply r = ask("GET", "/v0/config", "", NULL);
  ck_assert_str_eq(api_header(&r, "WWW-Authenticate"), "Bearer realm=\"headworks\"");
  api_reply_free(&r);
}
END_TEST

/* Nothing of a stranger's body is taken: the reply comes before it. */
START_TEST(strangers_bodies_are_not_read) {
  api_client c = api_connect(port);
  api_sayf(&c, "POST /v0/pipelines HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nContent-Length: "
               "1000000\r\n\r\n{");
  api_reply r = api_receive(&c, false);
  api_check_error(&r, 401, "InvalidApiKey");
  ck_assert_str_eq(api_header(&r, "Connection"), "close");
  api_reply_free(&r);
  api_disconnect(&c);
}
END_TEST

/* ---- the life of a key --------------------------------------------------------------- */

START_TEST(made_used_listed_deleted) {
  json_t *made = ask_json("POST", "/v0/api_keys", writer, "{\"name\": \"third\", \"role\": \"read\"}", 201);
  api_check_keys(made, "id name api_key");
  const char *token = json_string_value(json_object_get(made, "api_key"));
  ck_assert_uint_eq(strlen(token), KEY_TOKEN_LEN);
  ck_assert_int_eq(status_of("GET", "/v0/config", token, NULL), 200);
  ck_assert_int_eq(status_of("POST", "/v0/pipelines", token, "{}"), 403);
  json_t *all = ask_json("GET", "/v0/api_keys", writer, NULL, 200);
  ck_assert_uint_eq(json_array_size(all), 3);
  api_check_keys(json_array_get(all, 0), "id name role");
  ck_assert_str_eq(json_string_value(json_object_get(json_array_get(all, 1), "name")), "third");
  json_t *one = ask_json("GET", "/v0/api_keys/third", writer, NULL, 200);
  ck_assert(json_equal(json_array_get(one, 0), json_array_get(all, 1)));
  ck_assert_int_eq(status_of("DELETE", "/v0/api_keys/third", writer, NULL), 200);
  ck_assert_int_eq(status_of("GET", "/v0/config", token, NULL), 401);
  check_error("GET", "/v0/api_keys/third", bearer(writer), NULL, 404, "UnknownApiKey");
  check_error("DELETE", "/v0/api_keys/third", bearer(writer), NULL, 404, "UnknownApiKey");
  json_decref(made);
  json_decref(all);
  json_decref(one);
}
END_TEST

START_TEST(survives_a_restart_as_a_hash_only) {
  char path[96], token[KEY_TOKEN_LEN + 1], command[256];
  json_t *made = ask_json("POST", "/v0/api_keys", writer, "{\"name\": \"third\"}", 201);
  snprintf(token, sizeof token, "%s", json_string_value(json_object_get(made, "api_key")));
  json_decref(made);
  ck_assert_int_eq(status_of("DELETE", "/v0/api_keys/reader", token, NULL), 200); /* its role is write */
  close_all();
  snprintf(path, sizeof path, "%s/catalog.db", dir);
  ck_assert_int_eq(access(path, R_OK), 0);
  snprintf(command, sizeof command, "grep -rqF %s %s", token + strlen(KEY_TOKEN_PREFIX), dir);
  ck_assert_int_ne(system(command), 0);
  open_store();
  serve(&(api_options){.auth = true});
  ck_assert_int_eq(status_of("GET", "/v0/config", token, NULL), 200);
  ck_assert_int_eq(status_of("GET", "/v0/config", reader, NULL), 401);
}
END_TEST

START_TEST(names_and_roles_that_are_refused) {
  static const struct {
    const char *body;
    int status;
    const char *code;
  } cases[] = {
      {"{\"name\": \"writer\"}", 409, "DuplicateName"},
      {"{\"name\": \"\"}", 400, "EmptyName"},
      {"{\"name\": \"a b\"}", 400, "NameDoesNotMatchPattern"},
      {"{\"name\": \"0123456789012345678901234567890123456789012345678901234567890123\"}", 400, "TooLongName"},
      {"{\"name\": 1}", 400, "InvalidBody"},
      {"{}", 400, "InvalidBody"},
      {"[]", 400, "InvalidBody"},
      {"{", 400, "MalformedJson"},
      {"{\"name\": \"x\", \"role\": 1}", 400, "InvalidBody"},
      {"{\"name\": \"x\", \"role\": \"god\"}", 400, "InvalidBody"},
      {"{\"name\": \"x\", \"role\": \"none\"}", 400, "InvalidBody"},
      {"{\"name\": \"x\", \"role\": \"admin\"}", 403, "RoleExceedsCreator"},
      {"{\"name\": \"x\", \"role\": \"owner\"}", 403, "RoleExceedsCreator"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_error("POST", "/v0/api_keys", bearer(writer), cases[i].body, cases[i].status, cases[i].code);
}
END_TEST

START_TEST(long_bodies_are_refused) {
  char body[8192];
  memset(body, ' ', sizeof body);
  memcpy(body, "{\"name\": \"x\"}", 13);
  body[5000] = '\0';
  api_client c = api_connect(port);
  api_sayf(&c, "POST /v0/api_keys HTTP/1.1\r\n{host}\r\n%sContent-Type: application/json\r\n"
               "Content-Length: 5000\r\n\r\n", bearer(writer));
  api_send(&c, body, 5000);
  api_reply r = api_receive(&c, false);
  api_check_error(&r, 413, "PayloadTooLarge");
  api_reply_free(&r);
  api_disconnect(&c);
}
END_TEST

START_TEST(there_is_a_most) {
  char body[64];
  int status = 201;
  for (unsigned i = 0; i < KEYS_MAX - 2; i++) {
    snprintf(body, sizeof body, "{\"name\": \"k%u\"}", i);
    status = status_of("POST", "/v0/api_keys", writer, body);
    ck_assert_int_eq(status, 201);
  }
  check_error("POST", "/v0/api_keys", bearer(writer), "{\"name\": \"x\"}", 400, "TooManyApiKeys");
  ck_assert_int_eq(status_of("DELETE", "/v0/api_keys/k0", writer, NULL), 200);
  ck_assert_int_eq(status_of("POST", "/v0/api_keys", writer, "{\"name\": \"x\"}"), 201);
}
END_TEST

/* ---- without authentication ------------------------------------------------------------ */

START_TEST(without_auth_everybody_is_owner) {
  api_server_free(server);
  serve(&(api_options){0});
  ck_assert_int_eq(status_of("GET", "/v0/config", NULL, NULL), 200);
  ck_assert_int_eq(status_of("GET", "/v0/config", "apikey:wrong", NULL), 200);
  check_error("POST", "/v0/api_keys", "", "{\"name\": \"x\", \"role\": \"owner\"}", 403,
              "OwnerAdminNotMintableAsApiKey");
  ck_assert_int_eq(status_of("POST", "/v0/api_keys", NULL, "{\"name\": \"x\", \"role\": null}"), 201);
  ck_assert_ptr_nonnull(strstr(logged, "nobody is asked for one (--auth)"));
}
END_TEST

START_TEST(auth_without_keys_is_refused) {
  hw_error err;
  ck_assert_int_eq(status_of("DELETE", "/v0/api_keys/reader", writer, NULL), 200);
  ck_assert_int_eq(status_of("DELETE", "/v0/api_keys/writer", writer, NULL), 200);
  api_server_free(server);
  server = NULL;
  ck_assert_ptr_null(api_server_new(engine, &(api_options){.listen = "127.0.0.1:0", .auth = true}, &err));
  ck_assert_ptr_nonnull(strstr(err.message, "headworks api-key create"));
}
END_TEST

/* Without a catalog keys live as long as the server. */
START_TEST(without_a_catalog) {
  api_server_free(server);
  fake_set_catalog(engine, NULL);
  serve(&(api_options){0});
  json_t *made = ask_json("POST", "/v0/api_keys", "x", "{\"name\": \"x\"}", 201);
  json_decref(made);
  ck_assert_int_eq(status_of("DELETE", "/v0/api_keys/x", NULL, NULL), 200);
  json_t *all = ask_json("GET", "/v0/api_keys", "x", NULL, 200);
  ck_assert_uint_eq(json_array_size(all), 0);
  json_decref(all);
}
END_TEST

/* ---- where it listens, and which names it answers to -------------------------------------- */

START_TEST(listening_elsewhere) {
  hw_error err;
  api_server_free(server);
  server = NULL;
  ck_assert_ptr_null(api_server_new(engine, &(api_options){.listen = "0.0.0.0:0"}, &err));
  ck_assert_int_eq(err.status, HW_EUNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(err.message, "--auth"));
  ck_assert_ptr_nonnull(strstr(err.message, "--insecure-listen-anywhere"));
  serve(&(api_options){.listen = "0.0.0.0:0", .anywhere = true});
  ck_assert_int_eq(status_of("GET", "/v0/config", NULL, NULL), 200);
  ck_assert_ptr_nonnull(strstr(logged, "whoever reaches this server may do everything"));
  api_server_free(server);
  serve(&(api_options){.listen = "0.0.0.0:0", .auth = true});
  ck_assert_int_eq(status_of("GET", "/v0/config", NULL, NULL), 401);
  ck_assert_int_eq(status_of("GET", "/v0/config", reader, NULL), 200);
}
END_TEST

static int with_host(const char *host, const char *more) {
  api_client c = api_connect(port);
  api_sayf(&c, "GET /healthz HTTP/1.1\r\nHost: %s\r\n%s\r\n", host, more);
  api_reply r = api_receive(&c, false);
  if (r.status != 200) api_check_error(&r, 403, *more ? "ForeignOrigin" : "ForeignHost");
  int status = r.status;
  api_reply_free(&r);
  api_disconnect(&c);
  return status;
}

START_TEST(hosts_it_answers_to) {
  static const char *const hosts[] = {"hw.example", "alias.example:9000", "[2001:db8::7]:9000", NULL};
  ck_assert_int_eq(with_host("10.0.0.1", ""), 403); /* on the loopback an address is no name of ours */
  api_server_free(server);
  serve(&(api_options){.listen = "0.0.0.0:0", .auth = true, .allowed_hosts = hosts});
  ck_assert_int_eq(with_host("localhost", ""), 200);
  ck_assert_int_eq(with_host("localhost:1", ""), 403);
  ck_assert_int_eq(with_host("hw.example", ""), 200);
  ck_assert_int_eq(with_host("HW.example:8443", ""), 200);
  ck_assert_int_eq(with_host("hw.example.evil", ""), 403);
  ck_assert_int_eq(with_host("xhw.example", ""), 403);
  ck_assert_int_eq(with_host("alias.example:9000", ""), 200);
  ck_assert_int_eq(with_host("alias.example:9001", ""), 403);
  ck_assert_int_eq(with_host("alias.example", ""), 403);
  ck_assert_int_eq(with_host("10.0.0.1:5", ""), 200);
  ck_assert_int_eq(with_host("[2001:db8::1]", ""), 200);
  ck_assert_int_eq(with_host("[2001:db8::1", ""), 403);
  ck_assert_int_eq(with_host("10.0.0.1:x", ""), 403);
  ck_assert_int_eq(with_host("10.0.0.1.evil.example", ""), 403);
}
END_TEST

START_TEST(origins_that_may_ask) {
  static const char *const origins[] = {"https://console.example", NULL}, *const hosts[] = {"hw.example", NULL};
  api_server_free(server);
  serve(&(api_options){.listen = "0.0.0.0:0", .auth = true, .allowed_hosts = hosts, .cors_origins = origins});
  ck_assert_int_eq(with_host("hw.example:80", "Origin: http://hw.example:80\r\n"), 200);
  ck_assert_int_eq(with_host("hw.example:80", "Origin: http://hw.example:81\r\n"), 403);
  ck_assert_int_eq(with_host("hw.example:80", "Origin: https://hw.example:80\r\n"), 403);
  ck_assert_int_eq(with_host("hw.example", "Origin: null\r\n"), 403);
  ck_assert_int_eq(with_host("hw.example", "Origin: http://evil.example\r\n"), 403);
  ck_assert_int_eq(with_host("hw.example", "Origin: https://console.example.evil\r\n"), 403);
  ck_assert_int_eq(with_host("hw.example", "Origin: https://console.example\r\n"), 200);
}
END_TEST

START_TEST(cors_headers) {
  static const char *const origins[] = {"https://console.example", NULL};
  static const char ask_may[] = "Origin: https://console.example\r\nAccess-Control-Request-Method: POST\r\n";
  api_reply r = ask("OPTIONS", "/v0/pipelines", ask_may, NULL);
  api_check_error(&r, 403, "ForeignOrigin"); /* off until asked for */
  ck_assert_str_eq(api_header(&r, "Access-Control-Allow-Origin"), "");
  api_reply_free(&r);
  api_server_free(server);
  serve(&(api_options){.auth = true, .cors_origins = origins});
  r = ask("OPTIONS", "/v0/pipelines", ask_may, NULL);
  ck_assert_int_eq(r.status, 200);
  ck_assert_str_eq(api_header(&r, "Access-Control-Allow-Origin"), "https://console.example");
  ck_assert_ptr_nonnull(strstr(api_header(&r, "Access-Control-Allow-Headers"), "Authorization"));
  ck_assert_ptr_nonnull(strstr(api_header(&r, "Access-Control-Allow-Methods"), "PATCH"));
  api_reply_free(&r);
  r = ask("GET", "/v0/config", "Origin: https://console.example\r\n", NULL); /* a page may read why it is refused */
  ck_assert_int_eq(r.status, 401);
  ck_assert_str_eq(api_header(&r, "Access-Control-Allow-Origin"), "https://console.example");
  ck_assert_str_eq(api_header(&r, "Vary"), "Origin");
  api_reply_free(&r);
  r = ask("GET", "/healthz", "", NULL);
  ck_assert_str_eq(api_header(&r, "Access-Control-Allow-Origin"), "");
  ck_assert_str_eq(api_header(&r, "Vary"), "Origin");
  api_reply_free(&r);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("API keys");
  TCase *tc = tcase_create("all");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 60);
  suite_add_tcase(suite, tc);
  tcase_add_test(tc, every_route_asks_for_its_role);
  tcase_add_test(tc, what_is_not_there_is_not_told_to_strangers);
  tcase_add_test(tc, odd_credentials);
  tcase_add_test(tc, strangers_are_told_how);
  tcase_add_test(tc, strangers_bodies_are_not_read);
  tcase_add_test(tc, made_used_listed_deleted);
  tcase_add_test(tc, survives_a_restart_as_a_hash_only);
  tcase_add_test(tc, names_and_roles_that_are_refused);
  tcase_add_test(tc, long_bodies_are_refused);
  tcase_add_test(tc, there_is_a_most);
  tcase_add_test(tc, without_auth_everybody_is_owner);
  tcase_add_test(tc, auth_without_keys_is_refused);
  tcase_add_test(tc, without_a_catalog);
  tcase_add_test(tc, listening_elsewhere);
  tcase_add_test(tc, hosts_it_answers_to);
  tcase_add_test(tc, origins_that_may_ask);
  tcase_add_test(tc, cors_headers);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
