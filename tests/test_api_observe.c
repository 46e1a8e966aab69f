/* What a pipeline tells of itself over HTTP: its log, its metrics, its history. */
#include "engine/engine.h"
#include "tests/api_client.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static api_fixture f;

static void setup(void) { f = api_fixture_open(NULL); }
static void teardown(void) { api_fixture_close(&f); }

static hw_pipeline *create(const char *name) {
  char body[128];
  snprintf(body, sizeof body, "{\"name\":\"%s\",\"program_code\":\"CREATE TABLE t (id INT);\"}", name);
  json_decref(api_json(f.port, "POST", "/v0/pipelines", body, 201));
  return hw_pipeline_find(f.engine, name);
}

/* ---- streams -------------------------------------------------------------- */

typedef struct stream {
  int fd;
  char *text; /* of the body so far, without the chunks' frames */
  size_t len, size, raw_len, raw_size, raw_at;
  char *raw;
  bool ended;
} stream;

/* Room for n bytes and a terminator in text, which doubles. */
static char *with_room(char *text, size_t *size, size_t n) {
  if (n < *size) return text;
  *size = 2 * n + 1;
  text = realloc(text, *size);
  ck_assert_ptr_nonnull(text);
  return text;
}

static bool read_more(stream *s) {
  s->raw = with_room(s->raw, &s->raw_size, s->raw_len + 65536);
  ssize_t n = recv(s->fd, s->raw + s->raw_len, 65536, 0);
  ck_assert_msg(n >= 0, "nothing arrived for 10 s");
  s->raw_len += (size_t)n;
  s->raw[s->raw_len] = '\0';
  return n > 0;
}

/* Takes the chunks that are whole. */
static void take_chunks(stream *s) {
  for (;;) {
    /* Not strstr, nor strchr below: checked strictly, they read all there is. */
    char *at = s->raw + s->raw_at, *end = memmem(at, s->raw_len - s->raw_at, "\r\n", 2);
    if (!end) return;
    size_t size = strtoul(at, NULL, 16), head = (size_t)(end - at) + 2;
    if (s->raw_len - s->raw_at < head + size + 2) return;
    s->text = with_room(s->text, &s->size, s->len + size);
    memcpy(s->text + s->len, at + head, size);
    s->len += size;
    s->text[s->len] = '\0';
    s->raw_at += head + size + 2;
    s->ended = size == 0;
    if (s->ended) return;
  }
}

static stream open_stream(const char *path, const char *type) {
  api_client c = api_connect(f.port);
  char expected[64];
  api_sayf(&c, "GET %s HTTP/1.1\r\n{host}\r\n\r\n", path);
  stream s = {.fd = c.fd};
  while (!s.raw || !strstr(s.raw, "\r\n\r\n")) ck_assert(read_more(&s));
  ck_assert_int_eq(strncmp(s.raw, "HTTP/1.1 200 ", 13), 0);
  snprintf(expected, sizeof expected, "Content-Type: %s\r\n", type);
  ck_assert_ptr_nonnull(strstr(s.raw, expected));
  s.raw_at = (size_t)(strstr(s.raw, "\r\n\r\n") - s.raw) + 4;
  s.text = with_room(s.text, &s.size, 0);
  s.text[0] = '\0';
  take_chunks(&s);
  return s;
}

/* Reads on until the text is in what came. */
static void expect_text(stream *s, const char *text) {
  size_t from = 0, overlap = strlen(text);
  for (take_chunks(s); !strstr(s->text + from, text); take_chunks(s)) {
    from = s->len > overlap ? s->len - overlap : 0;
    ck_assert_msg(!s->ended && read_more(s), "the stream ended without '%s': %s", text, s->text);
  }
}

static void expect_end(stream *s) {
  for (take_chunks(s); !s->ended; take_chunks(s)) ck_assert(read_more(s));
}

static void close_stream(stream *s) {
  close(s->fd);
  free(s->raw);
  free(s->text);
}

/* Until nothing holds a pipeline but the given number of references. */
static void wait_references(unsigned n) {
  while (fake_references(f.engine) != n) json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
}

/* ---- logs ----------------------------------------------------------------- */

START_TEST(log_is_followed) {
  hw_pipeline *p = create("p");
  logbook_add(pipeline_logbook(p), HW_LOG_INFO, "before");
  stream s = open_stream("/v0/pipelines/p/logs", "text/plain");
  expect_text(&s, " INFO before\n");
  ck_assert_ptr_nonnull(strstr(s.text, "Fresh start of pipeline log"));
  ck_assert(strstr(s.text, "Fresh start") < strstr(s.text, "before"));
  logbook_add(pipeline_logbook(p), HW_LOG_ERROR, "after");
  expect_text(&s, " ERROR after\n");
  hw_pipeline_unref(p);
  close_stream(&s);
}
END_TEST

START_TEST(log_of_many_followers) {
  enum { FOLLOWERS = 100 };
  static stream s[FOLLOWERS];
  hw_pipeline *p = create("p");
  for (unsigned i = 0; i < FOLLOWERS; i++) s[i] = open_stream("/v0/pipelines/p/logs", "text/plain");
  for (unsigned i = 0; i < 1000; i++) {
    char line[32];
    snprintf(line, sizeof line, "line %u", i);
    logbook_add(pipeline_logbook(p), HW_LOG_INFO, line);
  }
  for (unsigned i = 0; i < FOLLOWERS; i++) {
    expect_text(&s[i], " line 999\n");
    unsigned lines = 0;
    for (const char *at = s[i].text; (at = strchr(at, '\n')); at++) lines++;
    ck_assert_uint_eq(lines, 1001);
    close_stream(&s[i]);
  }
  hw_pipeline_unref(p);
  wait_references(0);
}
END_TEST

/* Whoever reads too slowly is told how many lines it has missed, and gets the rest. */
START_TEST(log_of_a_slow_follower) {
  enum { LINES = 200000 };
  hw_pipeline *p = create("p");
  stream s = open_stream("/v0/pipelines/p/logs", "text/plain");
  char line[64];
  for (unsigned i = 0; i < LINES; i++) {
    snprintf(line, sizeof line, "line %u of a log that is written fast", i);
    logbook_add(pipeline_logbook(p), HW_LOG_INFO, line);
  }
  snprintf(line, sizeof line, " line %u of", LINES - 1);
  expect_text(&s, line);
  unsigned long long lines = 0, lost = 0, gap;
  for (const char *at = s.text, *end; at < s.text + s.len; at = end + 1) {
    end = memchr(at, '\n', s.len - (size_t)(at - s.text));
    ck_assert_ptr_nonnull(end);
    char start[64] = "";
    memcpy(start, at, end - at < 63 ? (size_t)(end - at) : 63);
    bool first = at == s.text; /* tells what was lost before it, which may be some already */
    if (sscanf(start, first ? "--- %llu prior" : "--- %llu lines were discarded", &gap) == 1) lost += gap;
    else if (!first) lines++;
  }
  ck_assert_uint_gt(lost, 0);
  ck_assert_msg(lines + lost == LINES, "%llu lines and %llu lost, after '%.60s'", lines, lost, s.text);
  stream late = open_stream("/v0/pipelines/p/logs", "text/plain");
  expect_text(&late, line);
  ck_assert_ptr_nonnull(strstr(late.text, "prior log lines were discarded due to buffer constraints"));
  ck_assert_ptr_null(strstr(late.text, "before they could be sent"));
  close_stream(&late);
  close_stream(&s);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(log_ends_with_its_pipeline) {
  hw_pipeline *p = create("p");
  stream s = open_stream("/v0/pipelines/p/logs", "text/plain");
  logbook_add(pipeline_logbook(p), HW_LOG_INFO, "last words");
  api_reply r = api_request(f.port, "DELETE", "/v0/pipelines/p", NULL);
  ck_assert_int_eq(r.status, 200);
  api_reply_free(&r);
  expect_end(&s);
  ck_assert_ptr_nonnull(strstr(s.text, "last words\n"));
  api_expect_error(f.port, "GET", "/v0/pipelines/p/logs", NULL, 404, "UnknownPipelineName");
  close_stream(&s);
  hw_pipeline_unref(p);
}
END_TEST

/* A follower that has left holds nothing, be there more lines or not. */
START_TEST(log_followers_leave) {
  hw_pipeline *p = create("p");
  for (unsigned i = 0; i < 200; i++) {
    stream s = open_stream("/v0/pipelines/p/logs", "text/plain");
    if (i % 2) logbook_add(pipeline_logbook(p), HW_LOG_INFO, "x");
    close_stream(&s);
    logbook_add(pipeline_logbook(p), HW_LOG_INFO, "x");
  }
  wait_references(1);
  hw_pipeline_unref(p);
}
END_TEST

/* The server stops while somebody follows: teardown would hang or leak. */
START_TEST(log_ends_with_the_server) {
  hw_pipeline *p = create("p");
  stream s = open_stream("/v0/pipelines/p/logs", "text/plain");
  hw_pipeline_unref(p);
  api_server_stop(f.server, false);
  expect_end(&s);
  close_stream(&s);
}
END_TEST

/* ---- metrics -------------------------------------------------------------- */

/* Prometheus' text: families of "# HELP", "# TYPE", samples; each family once. */
static void check_prometheus(const char *text, const char *must_have) {
  char family[128] = "", name[128], kind[32], seen[16384] = "";
  double value;
  unsigned samples = 0;
  for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
    ck_assert_ptr_nonnull(strchr(at, '\n'));
    if (sscanf(at, "# HELP %127s", name) == 1) {
      char mark[140];
      snprintf(mark, sizeof mark, " %s ", name);
      ck_assert_msg(!strstr(seen, mark), "%s comes twice", name);
      strncat(seen, mark, sizeof seen - strlen(seen) - 1);
      snprintf(family, sizeof family, "%s", name);
      at = strchr(at, '\n') + 1;
      ck_assert_int_eq(sscanf(at, "# TYPE %127s %31s", name, kind), 2);
      ck_assert_str_eq(name, family);
      continue;
    }
    ck_assert_msg(strncmp(at, family, strlen(family)) == 0, "not of %s: %.60s", family, at);
    const char *end = strchr(at, '\n'), *number = end;
    while (number[-1] != ' ') number--;
    ck_assert_msg(sscanf(number, "%lf", &value) == 1, "no number: %.80s", at);
    ck_assert_msg(number[-2] == '}' || !memchr(at, '{', (size_t)(end - at)), "bad labels: %.80s", at);
    samples++;
  }
  ck_assert_uint_gt(samples, 20);
  ck_assert_msg(strstr(text, must_have), "no '%s'", must_have);
}

START_TEST(metrics_as_text) {
  hw_pipeline *p = create("p");
  api_expect_error(f.port, "GET", "/v0/pipelines/p/metrics", NULL, 503, "PipelineInteractionNotDeployed");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  api_reply r = api_request(f.port, "GET", "/v0/pipelines/p/metrics", NULL);
  ck_assert_int_eq(r.status, 200);
  ck_assert_str_eq(api_header(&r, "Content-Type"), "text/plain");
  check_prometheus(r.body, "pipeline_name=\"p\",endpoint=\"numbers.c1\"}");
  api_reply_free(&r);
  r = api_request(f.port, "GET", "/v0/pipelines/p/metrics?format=prometheus", NULL);
  check_prometheus(r.body, "records_input_total{pipeline=");
  api_reply_free(&r);
  api_expect_error(f.port, "GET", "/v0/pipelines/p/metrics?format=xml", NULL, 400, "InvalidParam");
  api_expect_error(f.port, "GET", "/v0/pipelines/q/metrics", NULL, 404, "UnknownPipelineName");
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(metrics_of_all) {
  hw_pipeline *p = create("p"), *q = create("q");
  api_reply r = api_request(f.port, "GET", "/v0/metrics", NULL);
  check_prometheus(r.body, "headworks_pipelines 0\n");
  ck_assert_ptr_null(strstr(r.body, "pipeline_name"));
  api_reply_free(&r);
  fake_set_status(f.engine, DEPLOYMENT_PAUSED);
  r = api_request(f.port, "GET", "/v0/metrics", NULL);
  check_prometheus(r.body, "headworks_pipelines 2\n");
  check_prometheus(r.body, "pipeline_name=\"q\"");
  check_prometheus(r.body, "pipeline_name=\"p\"");
  api_reply_free(&r);
  hw_pipeline_unref(p);
  hw_pipeline_unref(q);
  wait_references(0);
}
END_TEST

static const json_t *metric_of(const json_t *all, const char *key) {
  const json_t *m;
  size_t i;
  json_array_foreach(all, i, m) {
    if (strcmp(json_string_value(json_object_get(m, "key")), key) == 0) return m;
  }
  ck_abort_msg("no metric %s", key);
}

static void pause_c1(void) {
  api_reply r = api_request(f.port, "POST", "/v0/pipelines/p/tables/numbers/connectors/c1/pause", NULL);
  ck_assert_int_eq(r.status, 200);
  api_reply_free(&r);
}

/* Pauses that are true are counted, with the time they took; starts are not. */
START_TEST(metrics_count_pauses) {
  hw_pipeline *p = create("p");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  for (unsigned i = 0; i < 3; i++) pause_c1();
  api_reply r = api_request(f.port, "POST", "/v0/pipelines/p/tables/numbers/connectors/c1/start", NULL);
  api_reply_free(&r);
  json_t *all = api_json(f.port, "GET", "/v0/pipelines/p/metrics?format=json", NULL, 200);
  static const char *const keys[] = {"headworks_pause_true_seconds", "headworks_pause_reply_seconds"};
  double sums[2];
  for (size_t k = 0; k < 2; k++) {
    const json_t *value =
        json_object_get(json_array_get(json_object_get(metric_of(all, keys[k]), "values"), 0), "value"), *bucket;
    size_t i;
    json_int_t n = 0;
    ck_assert_int_eq(json_integer_value(json_object_get(value, "count")), 3);
    json_array_foreach(json_object_get(value, "buckets"), i, bucket)
        n += json_integer_value(json_object_get(bucket, "count"));
    ck_assert_int_eq(n, 3);
    sums[k] = json_number_value(json_object_get(value, "sum"));
  }
  ck_assert(sums[0] > 0 && sums[0] <= sums[1]);
  json_decref(all);
  hw_pipeline_unref(p);
}
END_TEST

/* The number of the one sample with these labels; -1: there is none. */
static json_int_t sample_of(const json_t *all, const char *key, const char *method, const char *path,
                            const char *status) {
  const json_t *value;
  size_t i;
  json_array_foreach(json_object_get(metric_of(all, key), "values"), i, value) {
    const json_t *labels = json_object_get(value, "labels"), *n = json_object_get(value, "value");
    const char *class = json_string_value(json_object_get(labels, "status"));
    if (strcmp(json_string_value(json_object_get(labels, "method")), method) != 0) continue;
    if (strcmp(json_string_value(json_object_get(labels, "path")), path) != 0) continue;
    if (status && strcmp(class, status) != 0) continue;
    return json_integer_value(status ? n : json_object_get(n, "count"));
  }
  return -1;
}

/* Requests are counted by the table's paths, whatever paths are asked for. */
START_TEST(metrics_count_requests) {
  static const char one[] = "/v0/pipelines/{pipeline_name}", total[] = "http_requests_total";
  hw_pipeline *p = create("p");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  for (unsigned i = 0; i < 100; i++) {
    char path[64];
    snprintf(path, sizeof path, "/v0/pipelines/p%u", i);
    api_expect_error(f.port, "GET", path, NULL, 404, "UnknownPipelineName");
    snprintf(path, sizeof path, "/nowhere/%u", i);
    api_expect_error(f.port, "GET", path, NULL, 404, "NotFound");
  }
  for (unsigned i = 0; i < 3; i++) json_decref(api_json(f.port, "GET", "/v0/pipelines/p", NULL, 200));
  api_expect_error(f.port, "GET", "/v0/pipelines/p?x=y", NULL, 400, "InvalidParam");
  api_client c = api_connect(f.port);
  api_say(&c, "nonsense\r\n\r\n");
  api_reply r = api_receive(&c, false);
  api_check_error(&r, 400, "MalformedRequest");
  api_reply_free(&r);
  api_disconnect(&c);
  stream s = open_stream("/v0/pipelines/p/logs", "text/plain");
  close_stream(&s);
  json_t *all = api_json(f.port, "GET", "/v0/pipelines/p/metrics?format=json", NULL, 200);
  ck_assert_int_eq(sample_of(all, total, "GET", one, "2xx"), 3);
  ck_assert_int_eq(sample_of(all, total, "GET", one, "4xx"), 101);
  ck_assert_int_eq(sample_of(all, total, "GET", one, "5xx"), -1);
  ck_assert_int_eq(sample_of(all, total, "other", "other", "4xx"), 101);
  ck_assert_int_eq(sample_of(all, total, "POST", "/v0/pipelines", "2xx"), 1);
  ck_assert_int_eq(sample_of(all, total, "GET", "/v0/pipelines/{pipeline_name}/logs", "2xx"), 1);
  ck_assert_int_eq(sample_of(all, "http_request_duration_seconds", "GET", one, NULL), 104);
  ck_assert_uint_lt(json_array_size(json_object_get(metric_of(all, total), "values")), 10);
  json_decref(all);
  r = api_request(f.port, "GET", "/v0/metrics", NULL);
  check_prometheus(r.body, "{method=\"GET\",path=\"/v0/pipelines/{pipeline_name}\",status=\"2xx\"} 3\n");
  check_prometheus(r.body, "\nhttp_request_duration_seconds_bucket{method=\"other\",path=\"other\",le=\"+Inf\"} 101");
  check_prometheus(r.body, "\",pipeline_name=\"p\"} 3\n# HELP headworks_dead_letters_dropped_total");
  api_reply_free(&r);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- bundles -------------------------------------------------------------- */

static const char *bundle_path;

/* The archive, in a file that lasts as long as the test. */
static void save_bundle(const char *query) {
  static char path[64];
  char url[128];
  snprintf(url, sizeof url, "/v0/pipelines/p/support_bundle%s", query);
  api_reply r = api_request(f.port, "GET", url, NULL);
  ck_assert_int_eq(r.status, 200);
  ck_assert_str_eq(api_header(&r, "Content-Type"), "application/zip");
  snprintf(path, sizeof path, "/tmp/bundle-XXXXXX");
  int fd = mkstemp(path);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, r.body, r.len), (ssize_t)r.len);
  close(fd);
  api_reply_free(&r);
  bundle_path = path;
}

/* What a Python that knows nothing of us finds in it: "name name ...", or a file's text. */
static char *look_into(const char *what) {
  static char text[65536];
  char command[512];
  snprintf(command, sizeof command,
           "python3 -c 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; "
           "print(z.read(sys.argv[2]).decode() if len(sys.argv) > 2 else \" \".join(sorted(z.namelist())))' %s %s",
           bundle_path, what);
  FILE *p = popen(command, "r");
  ck_assert_ptr_nonnull(p);
  size_t n = fread(text, 1, sizeof text - 1, p);
  text[n] = '\0';
  ck_assert_int_eq(pclose(p), 0);
  return text;
}

START_TEST(support_bundle) {
  hw_pipeline *p = create("p");
  logbook_add(pipeline_logbook(p), HW_LOG_INFO, "a line of log");
  save_bundle("");
  ck_assert_str_eq(look_into(""),
                   "connectors.json dataflow_graph.json events.json logs.txt pipeline.json runtime_config.json "
                   "system.json\n");
  unlink(bundle_path);
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  save_bundle("");
  ck_assert_str_eq(look_into(""),
                   "circuit_profile.json connectors.json dataflow_graph.json events.json logs.txt metrics.txt "
                   "pipeline.json runtime_config.json stats.json system.json\n");
  ck_assert_ptr_nonnull(strstr(look_into("logs.txt"), "INFO a line of log\n"));
  json_t *stats = json_loads(look_into("stats.json"), 0, NULL);
  ck_assert_int_eq(
      json_integer_value(json_object_get(json_object_get(stats, "global_metrics"), "total_input_records")), 5);
  json_decref(stats);
  ck_assert_ptr_nonnull(strstr(look_into("metrics.txt"), "# TYPE records_input_total counter\n"));
  ck_assert_ptr_null(strstr(look_into("pipeline.json"), "CREATE TABLE"));
  unlink(bundle_path);
  save_bundle("?collect=false&logs=false&system_config=false&pipeline_config=false&pipeline_events=false");
  ck_assert_str_eq(look_into(""), "dataflow_graph.json\n");
  unlink(bundle_path);
  api_expect_error(f.port, "GET", "/v0/pipelines/p/support_bundle?limit=-1", NULL, 400, "InvalidParam");
  api_expect_error(f.port, "GET", "/v0/pipelines/p/support_bundle?logs=1", NULL, 400, "InvalidParam");
  hw_pipeline_unref(p);
  wait_references(0);
}
END_TEST

/* Values of the environment may be secrets. */
START_TEST(support_bundle_masks) {
  json_decref(api_json(f.port, "POST", "/v0/pipelines",
                       "{\"name\":\"p\",\"program_code\":\"x -- hunter2\","
                       "\"runtime_config\":{\"env\":{\"TOKEN\":\"hunter2\"}}}", 201));
  save_bundle("");
  static const char *const files[] = {"pipeline.json", "runtime_config.json", "connectors.json", "system.json"};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) ck_assert_ptr_null(strstr(look_into(files[i]), "hunter2"));
  ck_assert_ptr_nonnull(strstr(look_into("runtime_config.json"), "\"TOKEN\": \"***\""));
  unlink(bundle_path);
}
END_TEST

START_TEST(graph_and_profile) {
  hw_pipeline *p = create("p");
  json_t *graph = api_json(f.port, "GET", "/v0/pipelines/p/dataflow_graph", NULL, 200);
  const json_t *mir = json_object_get(graph, "mir");
  ck_assert_str_eq(json_string_value(json_object_get(json_object_get(mir, "numbers"), "operation")), "source");
  ck_assert_str_eq(json_string_value(json_object_get(json_object_get(mir, "v"), "view")), "v");
  json_decref(graph);
  api_expect_error(f.port, "GET", "/v0/pipelines/p/circuit_json_profile", NULL, 503, "PipelineInteractionNotDeployed");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  json_decref(api_json(f.port, "GET", "/v0/pipelines/p/circuit_json_profile", NULL, 200));
  fake_set_status(f.engine, DEPLOYMENT_STOPPED);
  fake_set_program(f.engine, PROGRAM_SQL_ERROR);
  api_expect_error(f.port, "GET", "/v0/pipelines/p/dataflow_graph", NULL, 404, "ProgramNotCompiled");
  hw_pipeline_unref(p);
}
END_TEST

/* ---- time series ---------------------------------------------------------- */

START_TEST(time_series) {
  hw_pipeline *p = create("p");
  api_expect_error(f.port, "GET", "/v0/pipelines/p/time_series", NULL, 503, "PipelineInteractionNotDeployed");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  json_t *r = NULL;
  const json_t *samples = NULL;
  do { /* the server looks once a second */
    json_decref(r);
    r = api_json(f.port, "GET", "/v0/pipelines/p/time_series", NULL, 200);
    samples = json_object_get(r, "samples");
  } while (json_array_size(samples) < 2);
  const json_t *first = json_array_get(samples, 0);
  ck_assert_int_eq(json_integer_value(json_object_get(first, "t")), 1000);
  ck_assert_int_eq(json_integer_value(json_object_get(first, "r")), 7);
  ck_assert_int_gt(json_integer_value(json_object_get(first, "m")), 100000);
  json_decref(r);
  hw_pipeline_unref(p);
}
END_TEST

START_TEST(time_series_is_followed) {
  hw_pipeline *p = create("p");
  api_expect_error(f.port, "GET", "/v0/pipelines/p/time_series_stream", NULL, 503, "PipelineInteractionNotDeployed");
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
  stream gone = open_stream("/v0/pipelines/p/time_series_stream", "application/x-ndjson");
  close_stream(&gone);
  stream s = open_stream("/v0/pipelines/p/time_series_stream", "application/x-ndjson");
  expect_text(&s, "\"r\":14,");
  ck_assert_int_eq(strncmp(s.text, "{\"t\":", 5), 0);
  fake_set_status(f.engine, DEPLOYMENT_STOPPED);
  expect_end(&s);
  close_stream(&s);
  wait_references(1);
  hw_pipeline_unref(p);
}
END_TEST

/* ---- the server ----------------------------------------------------------- */

START_TEST(session_and_robots) {
  json_decref(api_json(f.port, "GET", "/v0/config/session", NULL, 200));
  api_reply r = api_request(f.port, "GET", "/robots.txt", NULL);
  ck_assert_str_eq(api_header(&r, "Content-Type"), "text/plain");
  ck_assert_str_eq(r.body, "User-agent: *\nDisallow: /\n");
  api_reply_free(&r);
}
END_TEST

START_TEST(cluster_events) {
  char path[128];
  json_t *all = api_json(f.port, "GET", "/v0/cluster/events", NULL, 200);
  ck_assert_uint_eq(json_array_size(all), 1);
  const json_t *first = json_array_get(all, 0);
  api_check_keys(first, "id recorded_at all_healthy api_status compiler_status runner_status");
  json_t *latest = api_json(f.port, "GET", "/v0/cluster/events/latest", NULL, 200);
  ck_assert(json_equal(latest, first));
  snprintf(path, sizeof path, "/v0/cluster/events/%s?selector=all", json_string_value(json_object_get(first, "id")));
  json_t *whole = api_json(f.port, "GET", path, NULL, 200);
  api_check_keys(whole,
                 "id recorded_at all_healthy api_status compiler_status runner_status api_self_info "
                 "api_resources_info compiler_self_info compiler_resources_info runner_self_info "
                 "runner_resources_info");
  json_decref(whole);
  json_decref(latest);
  json_decref(all);
  api_expect_error(f.port, "GET", "/v0/cluster/events/5", NULL, 400, "InvalidUuidParam");
  api_expect_error(f.port, "GET", "/v0/cluster/events/00000000-0000-4000-8000-000000000000", NULL, 404,
                   "UnknownClusterMonitorEvent");
  api_expect_error(f.port, "GET", "/v0/cluster/events?selector=some", NULL, 400, "InvalidParam");
}
END_TEST

static json_t *validate(const char *code) {
  json_t *body = json_pack("{s:s}", "program_code", code);
  char *text = json_dumps(body, 0);
  json_t *reply = api_json(f.port, "POST", "/v0/validate_program", text, 200);
  free(text);
  json_decref(body);
  return reply;
}

/* Every demo is a program that compiles as it is. */
START_TEST(demos_compile) {
  json_t *demos = api_json(f.port, "GET", "/v0/config/demos", NULL, 200), *demo;
  size_t i;
  ck_assert_uint_ge(json_array_size(demos), 3);
  ck_assert_int_eq(builtin_register(NULL), HW_OK);
  json_array_foreach(demos, i, demo) {
    const char *code = json_string_value(json_object_get(demo, "program_code"));
    ck_assert_uint_gt(json_string_length(json_object_get(demo, "title")), 10);
    ck_assert_msg(!strstr(code, "${"), "a blank to be filled in: %s", code);
    json_t *result = validate(code);
    ck_assert_msg(json_object_get(result, "Success") != NULL, "%s: %s",
                  json_string_value(json_object_get(demo, "name")), json_dumps(result, JSON_INDENT(1)));
    json_decref(result);
  }
  json_decref(demos);
}
END_TEST

START_TEST(programs_are_validated) {
  json_t *r = validate("CREATE TABLE t (id INT NOT NULL); CREATE VIEW v AS SELECT id FROM t;");
  const json_t *schema = json_object_get(json_object_get(json_object_get(r, "Success"), "program_info"), "schema");
  ck_assert_uint_eq(json_array_size(json_object_get(schema, "inputs")), 1);
  ck_assert_uint_eq(json_array_size(json_object_get(schema, "outputs")), 1);
  json_decref(r);
  r = validate("CREATE TABLE t (id INT);\nCREATE VIEW v AS SELECT nothing FROM t;");
  const json_t *info = json_object_get(json_object_get(r, "SqlError"), "info");
  ck_assert_int_eq(json_integer_value(json_object_get(info, "exit_code")), 1);
  const json_t *message = json_array_get(json_object_get(info, "messages"), 0);
  ck_assert_int_eq(json_integer_value(json_object_get(message, "start_line_number")), 2);
  json_decref(r);
  static const char path[] = "/v0/validate_program";
  api_expect_error(f.port, "POST", path, "{\"program_code\":", 400, "MalformedJson");
  api_expect_error(f.port, "POST", path, "[]", 400, "InvalidBody");
  api_expect_error(f.port, "POST", path, "{}", 400, "InvalidBody");
  api_expect_error(f.port, "POST", path, "{\"program_code\":\"\",\"ir\":1}", 400, "InvalidBody");
}
END_TEST

int main(void) {
  Suite *s = suite_create("api_observe");
  TCase *t = tcase_create("logs");
  tcase_set_timeout(t, 20); /* 200,000 lines take their time under a sanitizer */
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, log_is_followed);
  tcase_add_test(t, log_of_many_followers);
  tcase_add_test(t, log_of_a_slow_follower);
  tcase_add_test(t, log_ends_with_its_pipeline);
  tcase_add_test(t, log_followers_leave);
  tcase_add_test(t, log_ends_with_the_server);
  suite_add_tcase(s, t);
  t = tcase_create("numbers");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, metrics_as_text);
  tcase_add_test(t, metrics_of_all);
  tcase_add_test(t, metrics_count_pauses);
  tcase_add_test(t, metrics_count_requests);
  tcase_add_test(t, support_bundle);
  tcase_add_test(t, support_bundle_masks);
  tcase_add_test(t, graph_and_profile);
  tcase_add_test(t, time_series);
  tcase_add_test(t, time_series_is_followed);
  suite_add_tcase(s, t);
  t = tcase_create("server");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, session_and_robots);
  tcase_add_test(t, cluster_events);
  tcase_add_test(t, demos_compile);
  tcase_add_test(t, programs_are_validated);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
