/* pipeline.c - headworks pipeline ...: the server's pipelines. */
#include "cli/http.h"
#include "cli/human.h"
#include "cli/source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One command against one server. */
typedef struct remote {
  const cli_call *call;
  http_client *client;
  const char *name; /* of the pipeline, NULL for `list` */
} remote;

static cli_exit remote_open(remote *r, const cli_call *call) {
  cli_exit status;
  *r = (remote){.call = call, .name = call->n_args ? call->args[0] : NULL};
  r->client = http_open(call, &status);
  return status;
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text ? text : "";
}

static cli_exit print_json(const json_t *json) {
  if (!json) return CLI_OK;
  json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
  putchar('\n');
  return CLI_OK;
}

/* ---- waiting for a state -------------------------------------------------- */

typedef enum reached { NOT_YET, REACHED, MISSED } reached;
typedef reached state_test(const json_t *pipeline, const char *wanted);

/* Asks until the test decides; *reply is that of the last question. CLI_FAILED:
 * missed (nothing has been said about it), or the time is over (said). */
static cli_exit wait_state(const remote *r, state_test *test, const char *wanted, http_reply *reply) {
  double deadline = cli_now() + http_timeout(r->client);
  char *path = http_path("/v0/pipelines/%s?selector=all", r->name);
  for (long ms = 2;; ms = ms < 100 ? ms * 2 : 100) {
    cli_exit status = http_request(r->client, "GET", path, NULL, reply);
    reached so_far = status == CLI_OK ? test(reply->json, wanted) : MISSED;
    bool late = so_far == NOT_YET && cli_now() > deadline;
    if (late) cli_complain("%s has not come to it within %g s", r->name, http_timeout(r->client));
    if (late || so_far == MISSED) status = status == CLI_OK ? CLI_FAILED : status;
    if (late || so_far != NOT_YET) {
      free(path);
      return status;
    }
    http_reply_fini(reply);
    nanosleep(&(struct timespec){0, ms * 1000000}, NULL);
  }
}

static reached test_compiled(const json_t *pipeline, const char *wanted) {
  (void)wanted;
  const char *status = text_of(pipeline, "program_status");
  if (strcmp(status, "Success") == 0) return REACHED;
  return strstr(status, "Error") ? MISSED : NOT_YET;
}

static reached test_deployed(const json_t *pipeline, const char *wanted) {
  const char *status = text_of(pipeline, "deployment_status");
  if (strcmp(status, wanted) == 0) return REACHED;
  bool given_up = strcmp(status, "Stopped") == 0 && json_is_object(json_object_get(pipeline, "deployment_error"));
  return given_up ? MISSED : NOT_YET;
}

static reached test_stopped(const json_t *pipeline, const char *wanted) {
  return strcmp(text_of(pipeline, "deployment_status"), wanted) == 0 ? REACHED : NOT_YET;
}

/* ---- errors of a pipeline ------------------------------------------------- */

/* file: its name and a colon, or "". */
static void print_program_message(FILE *to, const char *file, const json_t *m) {
  fprintf(to, "%s%lld:%lld: %s: %s\n", file,
          (long long)json_integer_value(json_object_get(m, "start_line_number")),
          (long long)json_integer_value(json_object_get(m, "start_column")),
          json_is_true(json_object_get(m, "warning")) ? "warning" : "error", text_of(m, "message"));
  const char *snippet = text_of(m, "snippet");
  if (*snippet) fprintf(to, "%s%s", snippet, snippet[strlen(snippet) - 1] == '\n' ? "" : "\n");
}

static void print_program_error(FILE *to, const char *file, const json_t *pipeline) {
  const json_t *error = json_object_get(pipeline, "program_error");
  const json_t *messages = json_object_get(json_object_get(error, "sql_compilation"), "messages");
  for (size_t i = 0; i < json_array_size(messages); i++) print_program_message(to, file, json_array_get(messages, i));
  const char *other = text_of(error, "system_error");
  if (*other) fprintf(to, "%s\n", other);
}

static void print_deployment_error(const json_t *pipeline) {
  const json_t *error = json_object_get(pipeline, "deployment_error");
  if (json_is_object(error)) printf("%s (%s)\n", text_of(error, "message"), text_of(error, "error_code"));
}

/* ---- create, list, show --------------------------------------------------- */

static cli_exit wait_compiled(const remote *r) {
  http_reply reply;
  cli_exit status = wait_state(r, test_compiled, NULL, &reply);
  char *file = cli_printf("%s:", r->call->args[1]);
  print_program_error(stderr, file, reply.json);
  free(file);
  if (status == CLI_FAILED && reply.json && test_compiled(reply.json, NULL) == MISSED) {
    cli_complain("the program of %s has errors; the pipeline is kept: with --replace it gets another one", r->name);
    status = CLI_PROGRAM;
  }
  if (status == CLI_OK && cli_has(r->call, "json")) status = print_json(reply.json);
  if (status == CLI_OK && !cli_has(r->call, "json")) printf("%s: compiled\n", r->name);
  http_reply_fini(&reply);
  return status;
}

/* With --replace a pipeline that is there gets the program; what else it has stays. */
static cli_exit post_or_patch(const remote *r, const json_t *body, http_reply *reply) {
  cli_exit status = http_request_quiet(r->client, "POST", "/v0/pipelines", body, reply);
  if (status == CLI_REFUSED && cli_has(r->call, "replace") && strcmp(http_error_code(reply), "DuplicateName") == 0) {
    char *path = http_path("/v0/pipelines/%s", r->name);
    http_reply_fini(reply);
    status = http_request_quiet(r->client, "PATCH", path, body, reply);
    free(path);
  }
  if (status == CLI_REFUSED) http_complain(reply);
  return status;
}

static cli_exit send_program(const remote *r, const char *text, size_t len) {
  json_t *body = json_pack("{ss ss* ss%}", "name", r->name, "description", cli_value(r->call, "description"),
                           "program_code", text, len);
  if (!body) {
    cli_complain("%s: the name or the program is not UTF-8", r->call->args[1]);
    return CLI_USAGE;
  }
  http_reply reply;
  cli_exit status = post_or_patch(r, body, &reply);
  json_decref(body);
  if (status == CLI_OK && cli_has(r->call, "no-wait") && cli_has(r->call, "json")) status = print_json(reply.json);
  http_reply_fini(&reply);
  return status;
}

cli_exit cli_pipeline_create(const cli_call *call) {
  cli_exit status;
  size_t len;
  char *text = source_read(call, call->args[1], &len, &status);
  if (!text) return status;
  remote r;
  status = remote_open(&r, call);
  if (status == CLI_OK) status = send_program(&r, text, len);
  if (status == CLI_OK && !cli_has(call, "no-wait")) status = wait_compiled(&r);
  http_close(r.client);
  free(text);
  return status;
}

static void print_list(const json_t *pipelines) {
  static const char *const titles[] = {"name", "program", "status", "wanted", "description"};
  table *t = table_new(5, titles);
  for (size_t i = 0; i < json_array_size(pipelines); i++) {
    const json_t *p = json_array_get(pipelines, i);
    const char *cells[] = {text_of(p, "name"), text_of(p, "program_status"), text_of(p, "deployment_status"),
                           text_of(p, "deployment_desired_status"), text_of(p, "description")};
    table_row(t, cells);
  }
  table_print(t, stdout, 0);
}

cli_exit cli_pipeline_list(const cli_call *call) {
  remote r;
  http_reply reply = {0};
  cli_exit status = remote_open(&r, call);
  if (status == CLI_OK) status = http_request(r.client, "GET", "/v0/pipelines?selector=status", NULL, &reply);
  if (status == CLI_OK && cli_has(call, "json"))
    print_json(reply.json);
  else if (status == CLI_OK)
    print_list(reply.json);
  http_reply_fini(&reply);
  http_close(r.client);
  return status;
}

static void print_pipeline(const json_t *p) {
  static const char *const keys[] = {"name", "description", "program_status", "deployment_status",
                                     "deployment_desired_status", "deployment_status_since", "id"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (*text_of(p, keys[i])) printf("%-26s %s\n", keys[i], text_of(p, keys[i]));
  print_program_error(stdout, "", p);
  print_deployment_error(p);
}

/* ---- requests on one pipeline --------------------------------------------- */

/* What is asked of /v0/pipelines/NAME, and what is done with a 2xx reply. */
static cli_exit ask(const cli_call *call, const char *method, const char *suffix, void (*print)(const json_t *reply)) {
  remote r;
  http_reply reply = {0};
  cli_exit status = remote_open(&r, call);
  if (status == CLI_OK) {
    char *path = http_path("/v0/pipelines/%s", r.name);
    char *whole = cli_printf("%s%s", path, suffix);
    status = http_request(r.client, method, whole, NULL, &reply);
    if (strcmp(http_error_code(&reply), "CannotStartWithCompilationError") == 0)
      cli_complain("`headworks pipeline show %s` shows them", r.name);
    free(whole);
    free(path);
  }
  if (status == CLI_OK && cli_has(call, "json"))
    print_json(reply.json);
  else if (status == CLI_OK && print)
    print(reply.json);
  http_reply_fini(&reply);
  http_close(r.client);
  return status;
}

/* Asks, and waits until deployment_status is the wanted one. */
static cli_exit ask_and_wait(const cli_call *call, const char *suffix, state_test *test, const char *wanted) {
  cli_exit status = ask(call, "POST", suffix, NULL);
  if (status != CLI_OK || cli_has(call, "no-wait")) return status;
  remote r;
  http_reply reply = {0};
  status = remote_open(&r, call);
  if (status == CLI_OK) status = wait_state(&r, test, wanted, &reply);
  const json_t *error = json_object_get(reply.json, "deployment_error");
  if (json_is_object(error))
    cli_complain("%s: %s (%s)", r.name, text_of(error, "message"), text_of(error, "error_code"));
  if (status == CLI_OK && !cli_has(call, "json")) printf("%s: %s\n", r.name, wanted);
  http_reply_fini(&reply);
  http_close(r.client);
  return status;
}

cli_exit cli_pipeline_show(const cli_call *call) { return ask(call, "GET", "?selector=all", print_pipeline); }

static reached test_cleared(const json_t *pipeline, const char *wanted) {
  return strcmp(text_of(pipeline, "storage_status"), wanted) == 0 ? REACHED : NOT_YET;
}

static cli_exit clear_storage(const remote *r, const char *path) {
  http_reply reply;
  char *clear = cli_printf("%s/clear", path);
  cli_exit status = http_request(r->client, "POST", clear, NULL, &reply);
  http_reply_fini(&reply);
  free(clear);
  if (status != CLI_OK) return status;
  status = wait_state(r, test_cleared, "Cleared", &reply);
  http_reply_fini(&reply);
  return status;
}

/* A pipeline that has run has storage, which the server wants cleared first. */
static cli_exit delete_pipeline(const remote *r) {
  http_reply reply;
  char *path = http_path("/v0/pipelines/%s", r->name);
  cli_exit status = http_request_quiet(r->client, "DELETE", path, NULL, &reply);
  if (status == CLI_REFUSED && strcmp(http_error_code(&reply), "DeleteRestrictedToClearedStorage") == 0) {
    status = clear_storage(r, path);
    if (status == CLI_OK) {
      http_reply_fini(&reply);
      status = http_request(r->client, "DELETE", path, NULL, &reply);
    }
  } else if (status == CLI_REFUSED) {
    http_complain(&reply);
  }
  http_reply_fini(&reply);
  free(path);
  return status;
}

cli_exit cli_pipeline_delete(const cli_call *call) {
  remote r;
  cli_exit status = remote_open(&r, call);
  if (status == CLI_OK) status = delete_pipeline(&r);
  if (status == CLI_OK && !cli_has(call, "json")) printf("%s: deleted\n", r.name);
  http_close(r.client);
  return status;
}

cli_exit cli_pipeline_start(const cli_call *call) {
  bool paused = cli_has(call, "paused");
  return ask_and_wait(call, paused ? "/start?initial=paused" : "/start?initial=running", test_deployed,
                      paused ? "Paused" : "Running");
}

cli_exit cli_pipeline_pause(const cli_call *call) { return ask_and_wait(call, "/pause", test_deployed, "Paused"); }

cli_exit cli_pipeline_resume(const cli_call *call) { return ask_and_wait(call, "/resume", test_deployed, "Running"); }

cli_exit cli_pipeline_stop(const cli_call *call) {
  return ask_and_wait(call, cli_has(call, "force") ? "/stop?force=true" : "/stop?force=false", test_stopped, "Stopped");
}

/* ---- statistics ----------------------------------------------------------- */

static uint64_t number_of(const json_t *object, const char *key) {
  json_int_t n = json_integer_value(json_object_get(object, key));
  return n > 0 ? (uint64_t)n : 0;
}

static const char *state_of(const json_t *connector) {
  if (json_is_string(json_object_get(connector, "fatal_error"))) return "failed";
  if (json_is_true(json_object_get(json_object_get(connector, "metrics"), "end_of_input"))) return "at its end";
  if (json_is_true(json_object_get(connector, "paused"))) return "paused";
  const char *trouble = json_string_value(json_object_get(json_object_get(connector, "health"), "description"));
  return trouble ? trouble : "";
}

static void add_connectors(table *t, const json_t *list, bool is_input) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *c = json_array_get(list, i), *m = json_object_get(c, "metrics");
    char rows[HUMAN_MAX], bytes[HUMAN_MAX], queued[HUMAN_MAX], bad[HUMAN_MAX], faults[HUMAN_MAX];
    const char *cells[] = {text_of(c, "endpoint_name"), is_input ? "in" : "out",
                           human_count(number_of(m, is_input ? "total_records" : "transmitted_records"), rows),
                           human_bytes((double)number_of(m, is_input ? "total_bytes" : "transmitted_bytes"), bytes),
                           human_count(number_of(m, is_input ? "buffered_records" : "queued_records"), queued),
                           human_count(number_of(m, is_input ? "num_parse_errors" : "num_encode_errors"), bad),
                           human_count(number_of(m, "num_transport_errors"), faults),
                           state_of(c)};
    table_row(t, cells);
  }
}

static void print_stats(const json_t *stats) {
  const json_t *global = json_object_get(stats, "global_metrics");
  bool fed = json_array_size(json_object_get(stats, "inputs")) > 0; /* else there is nothing to be complete */
  char in[HUMAN_MAX], done[HUMAN_MAX];
  printf("%s: %s rows in, %s processed%s\n", text_of(global, "state"),
         human_count(number_of(global, "total_input_records"), in),
         human_count(number_of(global, "total_processed_records"), done),
         fed && json_is_true(json_object_get(global, "pipeline_complete")) ? ", complete" : "");
  static const char *const titles[] = {"connector",    "",        ">rows", ">bytes", ">queued",
                                       ">bad records", ">faults", "state"};
  table *t = table_new(8, titles);
  add_connectors(t, json_object_get(stats, "inputs"), true);
  add_connectors(t, json_object_get(stats, "outputs"), false);
  table_print(t, stdout, 2);
}

cli_exit cli_pipeline_stats(const cli_call *call) { return ask(call, "GET", "/stats", print_stats); }
