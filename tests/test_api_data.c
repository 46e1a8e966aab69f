/* Bodies into tables, completion tokens and listeners, as replies: what is said of good and
 * bad rows, bodies in pieces, clients that leave, endings in any order. */
#include "tests/api_client.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static api_fixture f;

static const api_options options = {.stop_ms = 300, .atomic_max = 100};

static void setup(void) {
  f = api_fixture_open(&options);
  json_decref(api_json(f.port, "POST", "/v0/pipelines", "{\"name\":\"p\",\"program_code\":\"x\"}", 201));
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
}

/* Until every body has let go of its pipeline. */
static void expect_no_references(void) {
  for (int i = 0; i < 1000 && fake_references(f.engine); i++)
    json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
  ck_assert_uint_eq(fake_references(f.engine), 0);
}

static void teardown(void) {
  expect_no_references();
  api_fixture_close(&f);
}

#define INGRESS "/v0/pipelines/p/ingress/numbers"
#define TOKENS "/v0/pipelines/p/tables/numbers/connectors/"

START_TEST(good_rows_give_a_token) {
  api_reply r = api_request(f.port, "POST", INGRESS "?format=json&array=false&update_format=raw", "{}\n{}\n");
  ck_assert_int_eq(r.status, 200);
  ck_assert_str_eq(r.body, "{\"token\":\"token-2\"}");
  ck_assert_str_eq(api_header(&r, "Headworks-Rows"), "2");
  ck_assert_str_eq(api_header(&r, "Headworks-Token"), "token-2");
  api_reply_free(&r);
  json_decref(api_json(f.port, "POST", INGRESS, NULL, 200)); /* no body: no rows, and csv where nothing is said */
}
END_TEST

START_TEST(bad_rows_are_told) {
  json_t *body = api_json(f.port, "POST", INGRESS "?format=json", "{}\n!\n{}\n", 400);
  ck_assert_str_eq(json_string_value(json_object_get(body, "error_code")), "ParseErrors");
  ck_assert_str_eq(json_string_value(json_object_get(body, "message")),
                   "Errors parsing input data (1 errors):\n    Parse error (event #2): failed to deserialize JSON "
                   "record: bad");
  const json_t *details = json_object_get(body, "details");
  api_check_keys(details, "num_errors errors num_rows_ingested");
  ck_assert_int_eq(json_integer_value(json_object_get(details, "num_rows_ingested")), 2);
  const json_t *fault = json_array_get(json_object_get(details, "errors"), 0);
  api_check_keys(fault, "description event_number field invalid_bytes invalid_text suggestion tag");
  ck_assert_int_eq(json_integer_value(json_array_get(json_object_get(fault, "invalid_bytes"), 0)), 255);
  ck_assert(json_is_null(json_object_get(fault, "invalid_text")));
  json_decref(body);
}
END_TEST

START_TEST(refused_before_the_body) {
  api_expect_error(f.port, "POST", "/v0/pipelines/nobody/ingress/numbers", "x", 404, "UnknownPipelineName");
  api_expect_error(f.port, "POST", "/v0/pipelines/p/ingress/nowhere", "x", 404, "UnknownInputStream");
  api_expect_error(f.port, "POST", INGRESS "?format=xml", "x", 400, "UnknownInputFormat");
  api_expect_error(f.port, "POST", INGRESS "?force=1", "x", 400, "InvalidParam");
  api_expect_error(f.port, "POST", INGRESS "?wait_ms=25001", "x", 400, "InvalidParam");
  api_expect_error(f.port, "POST", INGRESS "?colour=red", "x", 400, "InvalidParam");
  fake_set_status(f.engine, DEPLOYMENT_STOPPED);
  api_expect_error(f.port, "POST", INGRESS, "x", 503, "PipelineInteractionNotDeployed");
}
END_TEST

START_TEST(an_atomic_body_has_a_bound) {
  char large[102];
  memset(large, 'x', 101);
  large[101] = '\0';
  api_expect_error(f.port, "POST", INGRESS "?atomic=true", large, 413, "PayloadTooLarge");
  json_decref(api_json(f.port, "POST", INGRESS "?atomic=true", large + 1, 200));
  json_decref(api_json(f.port, "POST", INGRESS, large, 200));
}
END_TEST

START_TEST(encodings) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "POST " INGRESS " HTTP/1.1\r\n{host}\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx");
  api_reply r = api_receive(&c, false);
  api_check_error(&r, 415, "UnsupportedMediaType");
  ck_assert_str_eq(api_header(&r, "Accept-Encoding"), "gzip, zstd");
  api_reply_free(&r);
  api_disconnect(&c);
}
END_TEST

/* Any type, in pieces, on a connection that goes on afterwards. */
START_TEST(bodies_in_pieces) {
  api_client c = api_connect(f.port);
  for (int i = 0; i < 3; i++) {
    api_sayf(&c, "POST " INGRESS "?format=csv HTTP/1.1\r\n{host}\r\nContent-Type: text/csv\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
    api_say(&c, "2\r\n1\n\r\n");
    json_decref(api_json(f.port, "GET", "/healthz", NULL, 200)); /* others are served meanwhile */
    api_say(&c, "1\r\n2\r\n0\r\n\r\n");
    api_reply r = api_receive(&c, false);
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(api_header(&r, "Headworks-Rows"), "2");
    api_reply_free(&r);
  }
  api_disconnect(&c);
}
END_TEST

/* More than one read of the server, by length and in chunks, and what stands behind it. */
START_TEST(requests_behind_a_large_body) {
  enum { HALF = 400000, BODY = 2 * HALF };
  char *text = malloc(BODY);
  ck_assert_ptr_nonnull(text);
  for (size_t i = 0; i < BODY; i += 2) memcpy(text + i, "1\n", 2);
  api_client c = api_connect(f.port);
  for (int chunked = 0; chunked < 2; chunked++) {
    if (chunked) {
      api_sayf(&c, "POST " INGRESS "?format=csv HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", HALF);
      api_send(&c, text, HALF);
      api_sayf(&c, "\r\n%x\r\n", HALF);
      api_send(&c, text, HALF);
      api_say(&c, "\r\n0\r\n\r\n");
    } else {
      api_sayf(&c, "POST " INGRESS "?format=csv HTTP/1.1\r\n{host}\r\nContent-Length: %d\r\n\r\n", BODY);
      api_send(&c, text, BODY);
    }
    for (int i = 0; i < 3; i++) api_sayf(&c, "GET /healthz HTTP/1.1\r\n{host}\r\n\r\n");
    api_reply r = api_receive(&c, false);
    ck_assert_int_eq(r.status, 200);
    ck_assert_int_eq(atoi(api_header(&r, "Headworks-Rows")), BODY / 2);
    api_reply_free(&r);
    for (int i = 0; i < 3; i++) {
      r = api_receive(&c, false);
      ck_assert_int_eq(r.status, 200);
      ck_assert_ptr_nonnull(strstr(r.body, "healthy"));
      api_reply_free(&r);
    }
  }
  api_disconnect(&c);
  free(text);
}
END_TEST

START_TEST(a_client_that_leaves) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "POST " INGRESS " HTTP/1.1\r\n{host}\r\nContent-Length: 100\r\n\r\n1\n2");
  json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
  api_disconnect(&c);
}
END_TEST

START_TEST(a_server_that_ends) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "POST " INGRESS " HTTP/1.1\r\n{host}\r\nContent-Length: 100\r\n\r\n1\n2");
  json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
  api_server_free(f.server);
  f.server = NULL;
  ck_assert_uint_eq(fake_references(f.engine), 0);
  fake_engine_free(f.engine);
  api_disconnect(&c);
}
END_TEST

START_TEST(what_cannot_begin_is_refused) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "POST " INGRESS "?wait_ms=1 HTTP/1.1\r\n{host}\r\nContent-Length: 100\r\n\r\n1\n2");
  api_reply r = api_receive(&c, false);
  api_check_error(&r, 503, "PipelineInteractionUnreachable");
  ck_assert_ptr_nonnull(strstr(r.body, "\"details\":{\"pipeline_name\":\"p\",\"num_rows_ingested\":0}"));
  ck_assert_str_ne(api_header(&r, "Retry-After"), "");
  api_reply_free(&r);
  api_disconnect(&c);
}
END_TEST

START_TEST(tokens) {
  json_t *body = api_json(f.port, "GET", TOKENS "c1/completion_token", NULL, 200);
  ck_assert_str_eq(json_string_value(json_object_get(body, "token")), "token-of-c1");
  json_decref(body);
  api_expect_error(f.port, "GET", TOKENS "none/completion_token", NULL, 404, "UnknownInputEndpoint");
  body = api_json(f.port, "GET", "/v0/pipelines/p/completion_status?token=done", NULL, 200);
  ck_assert_str_eq(json_string_value(json_object_get(body, "status")), "complete");
  ck_assert_int_eq(json_integer_value(json_object_get(body, "step")), 7);
  json_decref(body);
  body = api_json(f.port, "GET", "/v0/pipelines/p/completion_status?token=fresh", NULL, 200);
  ck_assert_str_eq(json_string_value(json_object_get(body, "status")), "inprogress");
  ck_assert(json_is_null(json_object_get(body, "step")));
  json_decref(body);
  api_expect_error(f.port, "GET", "/v0/pipelines/p/completion_status?token=old", NULL, 410, "PipelineRestarted");
  api_expect_error(f.port, "GET", "/v0/pipelines/p/completion_status?token=?", NULL, 400, "InvalidParam");
  api_expect_error(f.port, "GET", "/v0/pipelines/p/completion_status", NULL, 400, "InvalidParam");
}
END_TEST

/* ---- out --------------------------------------------------------------------- */

#define EGRESS "/v0/pipelines/p/egress/v"

/* The next line of the stream in r->body, from *at; to be freed. */
static char *next_line(api_client *c, size_t *at) {
  for (char *end;;) {
    if (c->data && (end = memmem(c->data + *at, c->len - *at, "}\r\n", 3))) {
      char *start = memchr(c->data + *at, '{', c->len - *at);
      *at = (size_t)(end + 3 - c->data);
      char *line = calloc(1, (size_t)(end + 2 - start));
      ck_assert_ptr_nonnull(line);
      memcpy(line, start, (size_t)(end + 1 - start));
      return line;
    }
    char bytes[4096];
    ssize_t n = recv(c->fd, bytes, sizeof bytes, 0);
    ck_assert_int_gt((int)n, 0);
    c->data = realloc(c->data, c->len + (size_t)n + 1);
    ck_assert_ptr_nonnull(c->data);
    memcpy(c->data + c->len, bytes, (size_t)n);
    c->len += (size_t)n;
    c->data[c->len] = '\0';
  }
}

static void expect_line(api_client *c, size_t *at, const char *wanted) {
  char *line = next_line(c, at);
  ck_assert_str_eq(line, wanted);
  free(line);
}

START_TEST(changes_come_as_they_are) {
  api_client c = api_connect(f.port);
  size_t at = 0;
  api_sayf(&c, "POST " EGRESS "?format=json HTTP/1.1\r\n{host}\r\nContent-Length: 0\r\n\r\n");
  expect_line(&c, &at, "{\"sequence_number\":0,\"snapshot\":false}");
  ck_assert_ptr_nonnull(strstr(c.data, "Content-Type: application/json\r\n"));
  fake_egress_give(f.engine, "{\"sequence_number\":0,\"json_data\":[1]}\r\n");
  expect_line(&c, &at, "{\"sequence_number\":0,\"json_data\":[1]}");
  fake_egress_give(f.engine, "{\"sequence_number\":1,\"json_data\":[2]}\r\n");
  expect_line(&c, &at, "{\"sequence_number\":1,\"json_data\":[2]}");
  expect_line(&c, &at, "{\"sequence_number\":2,\"snapshot\":false}"); /* after a while without data */
  fake_egress_give(f.engine, NULL);
  for (int i = 0; i < 1000 && fake_egress_is_open(f.engine); i++)
    json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
  ck_assert(!fake_egress_is_open(f.engine));
  api_disconnect(&c);
}
END_TEST

START_TEST(a_listener_that_leaves) {
  api_client c = api_connect(f.port);
  size_t at = 0;
  api_sayf(&c, "POST " EGRESS " HTTP/1.1\r\n{host}\r\n\r\n");
  expect_line(&c, &at, "{\"sequence_number\":0,\"snapshot\":false}");
  api_disconnect(&c);
  for (int i = 0; i < 1000 && fake_egress_is_open(f.engine); i++)
    json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
  ck_assert(!fake_egress_is_open(f.engine));
}
END_TEST

START_TEST(a_listener_as_a_connector) {
  api_expect_error(f.port, "POST", "/v0/pipelines/p/egress/nowhere", NULL, 404, "UnknownOutputStream");
  api_expect_error(f.port, "POST", EGRESS "?backpressure=maybe", NULL, 400, "InvalidParam");
  api_expect_error(f.port, "POST", EGRESS, "[]", 400, "InvalidBody");
  api_expect_error(f.port, "POST", EGRESS, "{", 400, "MalformedJson");
  api_expect_error(f.port, "POST", EGRESS, "{\"transport\":{\"name\":\"file_output\"}}", 400, "InvalidTransportConfig");
  api_expect_error(f.port, "POST", EGRESS, "{\"transport\":{\"name\":\"http_output\"}}", 400,
                   "OutputFormatNotSpecified");
  api_expect_error(f.port, "POST", EGRESS, "{\"transport\":{\"name\":\"http_output\"},\"format\":{\"name\":\"json\"}}",
                   400, "InvalidEncoderConfig");
  api_expect_error(f.port, "POST", EGRESS "?format=json",
                   "{\"transport\":{\"name\":\"http_output\"},\"format\":{\"name\":\"csv\"}}", 400, "InvalidParam");
  static const char body[] = "{\"transport\":{\"name\":\"http_output\",\"config\":{\"backpressure\":true}},"
                             "\"format\":{\"name\":\"json\",\"config\":{\"array\":true}}}";
  api_client c = api_connect(f.port);
  size_t at = 0;
  api_sayf(&c, "POST " EGRESS " HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
           sizeof body - 1);
  api_say(&c, body);
  expect_line(&c, &at, "{\"sequence_number\":0,\"snapshot\":false}");
  api_disconnect(&c);
}
END_TEST

int main(void) {
  Suite *s = suite_create("api_data");
  TCase *t = tcase_create("api_data");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_set_timeout(t, 60);
  tcase_add_test(t, good_rows_give_a_token);
  tcase_add_test(t, bad_rows_are_told);
  tcase_add_test(t, refused_before_the_body);
  tcase_add_test(t, an_atomic_body_has_a_bound);
  tcase_add_test(t, encodings);
  tcase_add_test(t, bodies_in_pieces);
  tcase_add_test(t, requests_behind_a_large_body);
  tcase_add_test(t, a_client_that_leaves);
  tcase_add_test(t, what_cannot_begin_is_refused);
  tcase_add_test(t, tokens);
  tcase_add_test(t, changes_come_as_they_are);
  tcase_add_test(t, a_listener_that_leaves);
  tcase_add_test(t, a_listener_as_a_connector);
  suite_add_tcase(s, t);
  TCase *e = tcase_create("the end");
  tcase_add_checked_fixture(e, setup, NULL);
  tcase_set_timeout(e, 60);
  tcase_add_test(e, a_server_that_ends);
  suite_add_tcase(s, e);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
