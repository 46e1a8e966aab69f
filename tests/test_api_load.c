/* Many connections, and requests that have been tampered with at random. */
#include "tests/api_client.h"
#include "tests/sanitizers.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

static api_fixture f;

static const api_options options = {.limits = {.head_ms = 2000, .body_ms = 2000, .linger_ms = 100}};

static void setup(void) {
  f = api_fixture_open(&options);
  json_decref(api_json(f.port, "POST", "/v0/pipelines", "{\"name\":\"p\",\"program_code\":\"x\"}", 201));
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
}
static void teardown(void) { api_fixture_close(&f); }

static long resident_kib(void) {
  long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "re");
  ck_assert_ptr_nonnull(statm);
  ck_assert_int_eq(fscanf(statm, "%*s %ld", &pages), 1);
  fclose(statm);
  return pages * 4;
}

/* ---- idle clients --------------------------------------------------------- */

enum { IDLE = 1000 };

#if SANITIZED_ADDRESS || SANITIZED_THREAD
#define KIB_EACH 64 /* what a sanitizer adds included */
#else
#define KIB_EACH 8
#endif

START_TEST(a_thousand_idle_clients) {
  static api_client clients[IDLE];
  const struct rlimit descriptors = {.rlim_cur = 4096, .rlim_max = 4096};
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &descriptors), 0);
  long before = resident_kib();
  for (int i = 0; i < IDLE; i++) {
    clients[i] = api_connect(f.port);
    api_sayf(&clients[i], "GET /healthz HTTP/1.1\r\n{host}\r\n\r\n");
    api_reply r = api_receive(&clients[i], false);
    ck_assert_int_eq(r.status, 200);
    api_reply_free(&r);
    free(clients[i].data);
    clients[i].data = NULL;
  }
  long each = (resident_kib() - before) / IDLE;
  ck_assert_msg(each <= KIB_EACH, "%ld KiB a connection", each);
  for (int i = 0; i < 200; i++) json_decref(api_json(f.port, "GET", "/v0/pipelines/p/stats", NULL, 200));
  for (int i = IDLE - 1; i >= 0; i -= 7) { /* each of them is still there */
    api_sayf(&clients[i], "GET /healthz HTTP/1.1\r\n{host}\r\n\r\n");
    api_reply r = api_receive(&clients[i], false);
    ck_assert_int_eq(r.status, 200);
    api_reply_free(&r);
  }
  for (int i = 0; i < IDLE; i++) api_disconnect(&clients[i]);
}
END_TEST

/* ---- tampered requests ---------------------------------------------------- */

static const char *const seeds[] = {
    "GET /v0/pipelines/p/stats?include_connector_errors=true HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n",
    "POST /v0/pipelines HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 75\r\n\r\n"
    "{\"name\":\"m\",\"program_code\":\"CREATE\",\"runtime_config\":{\"workers\":2},\"tags\":[]}",
    "POST /v0/pipelines/p/tables/%22numbers%22/connectors/c1/pause?wait=drained HTTP/1.1\r\nHost: [::1]\r\n\r\n",
    "POST /v0/pipelines HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
    "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"name\":\"n\",\"pr\r\n14;x=y\r\nogram_code\":\"SELECT\"}\r\n0\r\nT: "
    "x\r\n\r\n",
    "GET http://127.0.0.1/v0/pipelines?selector=status HTTP/1.0\r\nConnection: keep-alive\r\nOrigin: null\r\n\r\n"
    "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
};
#define SEEDS (sizeof seeds / sizeof *seeds)

static size_t pick(unsigned *seed, size_t n) { return (size_t)rand_r(seed) % n; }

/* One change: a byte altered, removed, doubled, or a stretch copied elsewhere. */
static size_t tamper(unsigned *seed, char *text, size_t len, size_t room) {
  static const char odd[] = {0, '\r', '\n', ' ', ':', '%', '/', '?', '&', '"', '{', '9', 'f', (char)0xff, ';', '-'};
  size_t at = pick(seed, len);
  switch (pick(seed, 5)) {
    case 0: text[at] = odd[pick(seed, sizeof odd)]; return len;
    case 1: text[at] = (char)pick(seed, 256); return len;
    case 2: memmove(text + at, text + at + 1, len - at - 1); return len - 1;
    case 3: return at + 1; /* cut */
    default: break;
  }
  size_t n = 1 + pick(seed, 40), to = pick(seed, len);
  if (at + n > len || len + n > room) return len;
  char copy[40];
  memcpy(copy, text + at, n);
  memmove(text + to + n, text + to, len - to);
  memcpy(text + to, copy, n);
  return len + n;
}

/* Every reply in what came back is whole and of a known status. */
static void check_replies(api_client *c) {
  for (;;) {
    api_reply r = api_receive(c, false);
    int status = r.status;
    if (status >= 400 && r.len) ck_assert_msg(strstr(r.body, "\"error_code\":\"") != NULL, "%d %s", status, r.body);
    api_reply_free(&r);
    if (status == 0) return;
    ck_assert_msg(status == 100 || (status >= 200 && status < 600), "%d", status);
  }
}

START_TEST(tampered_requests) {
  enum { TIMES = 10000 };
  unsigned seed = 20260102;
  char text[2048];
  for (int i = 0; i < TIMES; i++) {
    const char *from = seeds[pick(&seed, SEEDS)];
    size_t len = strlen(from);
    memcpy(text, from, len);
    for (size_t n = 1 + pick(&seed, 4); n > 0 && len > 1; n--) len = tamper(&seed, text, len, sizeof text);
    api_client c = api_connect(f.port);
    size_t half = pick(&seed, len);
    api_send(&c, text, half);
    api_send(&c, text + half, len - half);
    if (pick(&seed, 8)) {
      (void)shutdown(c.fd, SHUT_WR); /* fails where the server has reset it already */
      if (!memmem(text, len, "HEAD", 4)) check_replies(&c);
    }
    api_disconnect(&c);
  }
  json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
}
END_TEST

/* ---- a list that is megabytes --------------------------------------------- */

enum { LISTED = 100, PROGRAM = 100000 };

static void create_listed(void) {
  static char body[PROGRAM + 100];
  for (unsigned i = 0; i < LISTED; i++) {
    int n = snprintf(body, sizeof body, "{\"name\":\"q%03u\",\"program_code\":\"", i);
    memset(body + n, 'x', PROGRAM);
    snprintf(body + n + PROGRAM, 4, "\"}");
    json_decref(api_json(f.port, "POST", "/v0/pipelines", body, 201));
  }
}

START_TEST(a_long_list_is_whole) {
  create_listed();
  api_reply r = api_request(f.port, "GET", "/v0/pipelines", NULL);
  ck_assert_int_eq(r.status, 200);
  ck_assert_str_eq(api_header(&r, "Transfer-Encoding"), "chunked");
  json_t *list = json_loadb(r.body, r.len, 0, NULL);
  ck_assert_uint_eq(json_array_size(list), LISTED + 1);
  for (unsigned i = 0; i < LISTED; i++) {
    char name[8];
    snprintf(name, sizeof name, "q%03u", i);
    const json_t *one = json_array_get(list, i + 1); /* after p */
    ck_assert_str_eq(json_string_value(json_object_get(one, "name")), name);
    ck_assert_uint_eq(json_string_length(json_object_get(one, "program_code")), PROGRAM);
  }
  json_decref(list);
  api_reply_free(&r);
  api_client c = api_connect(f.port);
  api_sayf(&c, "HEAD /v0/pipelines HTTP/1.1\r\n{host}\r\n\r\nGET /healthz HTTP/1.1\r\n{host}\r\n\r\n");
  api_reply head = api_receive(&c, true), next = api_receive(&c, false);
  ck_assert_int_eq(head.status, 200);
  ck_assert_int_eq(next.status, 200);
  api_reply_free(&head);
  api_reply_free(&next);
  api_disconnect(&c);
  ck_assert_uint_eq(fake_references(f.engine), 0);
}
END_TEST

/* It is written as the client takes it, others are served, and one that leaves leaves nothing. */
START_TEST(a_long_list_waits_for_its_client) {
  create_listed();
  api_client c = api_connect(f.port);
  char first;
  const int small = 4096;
  ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
  api_sayf(&c, "GET /v0/pipelines HTTP/1.1\r\n{host}\r\n\r\n");
  ck_assert_int_eq(recv(c.fd, &first, 1, MSG_PEEK), 1);
  for (int i = 0; i < 1000; i++) json_decref(api_json(f.port, "GET", "/v0/pipelines/p/stats", NULL, 200));
  ck_assert_uint_gt(fake_references(f.engine), 0); /* what the kernel does not buffer is not written yet */
  api_disconnect(&c);
  while (fake_references(f.engine)) json_decref(api_json(f.port, "GET", "/healthz", NULL, 200));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("api_load");
  TCase *tc = tcase_create("load");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 120);
  tcase_add_test(tc, a_thousand_idle_clients);
  tcase_add_test(tc, tampered_requests);
  tcase_add_test(tc, a_long_list_is_whole);
  tcase_add_test(tc, a_long_list_waits_for_its_client);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
