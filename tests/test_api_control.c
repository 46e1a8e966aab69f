/* Control calls: answers that come late, from any thread, after the client has
 * gone or the server has ended; waiting until drained. */
#include "api/worker.h"
#include "tests/api_client.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static api_fixture f;

static const api_options options = {.drain_ms = 200, .stop_ms = 300};

static void setup(void) {
  f = api_fixture_open(&options);
  json_decref(api_json(f.port, "POST", "/v0/pipelines", "{\"name\":\"p\",\"program_code\":\"x\"}", 201));
  fake_set_status(f.engine, DEPLOYMENT_RUNNING);
}
static void teardown(void) { api_fixture_close(&f); }

#define PATH "/v0/pipelines/p/tables/numbers/connectors/c1"
#define REQUEST(path) "POST " path " HTTP/1.1\r\n{host}\r\n\r\n"
#define PAUSE REQUEST(PATH "/pause")

static void expect_status(api_client *c, int status) {
  api_reply r = api_receive(c, false);
  ck_assert_msg(r.status == status, "%d instead of %d: %s", r.status, status, r.body);
  api_reply_free(&r);
}

/* The server has handled everything it was sent before. */
static void settle(void) { json_decref(api_json(f.port, "GET", "/healthz", NULL, 200)); }

/* Until every control that came to an end has let go of its pipeline. */
static void expect_no_references(void) {
  for (int i = 0; i < 1000 && fake_references(f.engine); i++) settle();
  ck_assert_uint_eq(fake_references(f.engine), 0);
}

START_TEST(reply_waits_for_the_answer) {
  fake_set_answer(f.engine, FAKE_LATER);
  api_client c = api_connect(f.port);
  api_sayf(&c, PAUSE);
  fake_wait_pending(f.engine, 1);
  settle(); /* others are served meanwhile */
  char byte;
  ck_assert_int_lt((int)recv(c.fd, &byte, 1, MSG_DONTWAIT), 0);
  ck_assert_uint_eq(fake_answer_all(f.engine), 1);
  expect_status(&c, 200);
  api_disconnect(&c);
  expect_no_references();
}
END_TEST

START_TEST(pipelined_requests_wait_their_turn) {
  fake_set_answer(f.engine, FAKE_LATER);
  api_client c = api_connect(f.port);
  api_sayf(&c, PAUSE REQUEST(PATH "/start") "GET /healthz HTTP/1.1\r\n{host}\r\n\r\n" PAUSE);
  for (int epoch = 1; epoch <= 2; epoch++) {
    char text[16];
    fake_wait_pending(f.engine, 1);
    ck_assert_uint_eq(fake_answer_all(f.engine), 1); /* never more than one */
    api_reply r = api_receive(&c, false);
    snprintf(text, sizeof text, "%d", epoch);
    ck_assert_str_eq(api_header(&r, "Headworks-Epoch"), text);
    api_reply_free(&r);
  }
  api_reply r = api_receive(&c, false);
  ck_assert_str_eq(r.body, "{\"status\":\"healthy\"}");
  api_reply_free(&r);
  fake_wait_pending(f.engine, 1);
  ck_assert_uint_eq(fake_answer_all(f.engine), 1);
  expect_status(&c, 200);
  api_disconnect(&c);
}
END_TEST

START_TEST(client_leaves_before_the_answer) {
  enum { N = 10 };
  fake_set_answer(f.engine, FAKE_LATER);
  for (int i = 0; i < N; i++) {
    api_client c = api_connect(f.port);
    api_sayf(&c, i % 2 ? PAUSE : REQUEST("/v0/pipelines/p/pause"));
    fake_wait_pending(f.engine, (unsigned)i + 1);
    const struct linger now = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    api_disconnect(&c);
  }
  settle();
  ck_assert_uint_eq(fake_answer_all(f.engine), N);
  expect_no_references();
}
END_TEST

START_TEST(half_closed_client_gets_its_answer) {
  fake_set_answer(f.engine, FAKE_LATER);
  api_client c = api_connect(f.port);
  api_sayf(&c, PAUSE);
  ck_assert_int_eq(shutdown(c.fd, SHUT_WR), 0);
  fake_wait_pending(f.engine, 1);
  settle();
  fake_answer_all(f.engine);
  expect_status(&c, 200);
  ck_assert(api_closed(&c));
  api_disconnect(&c);
}
END_TEST

START_TEST(server_ends_before_the_answer) {
  fake_set_answer(f.engine, FAKE_LATER);
  api_client c = api_connect(f.port);
  api_sayf(&c, PAUSE);
  fake_wait_pending(f.engine, 1);
  api_server_free(f.server);
  f.server = NULL;
  ck_assert(api_closed(&c));
  ck_assert_uint_eq(fake_answer_all(f.engine), 1); /* the answer finds nobody, and frees what it carries */
  ck_assert_uint_eq(fake_references(f.engine), 0);
  api_disconnect(&c);
}
END_TEST

START_TEST(stop_waits_for_answers) {
  fake_set_answer(f.engine, FAKE_LATER);
  api_client c = api_connect(f.port);
  api_sayf(&c, PAUSE);
  fake_wait_pending(f.engine, 1);
  api_server_stop(f.server, false);
  fake_answer_all(f.engine);
  api_reply r = api_receive(&c, false);
  ck_assert_int_eq(r.status, 200);
  ck_assert_str_eq(api_header(&r, "Connection"), "close");
  api_reply_free(&r);
  ck_assert(api_closed(&c));
  api_disconnect(&c);
}
END_TEST

START_TEST(stop_does_not_wait_for_ever) {
  fake_set_answer(f.engine, FAKE_LATER);
  api_client c = api_connect(f.port);
  api_sayf(&c, PAUSE);
  fake_wait_pending(f.engine, 1);
  api_server_stop(f.server, false); /* stop_ms */
  api_server_free(f.server);
  f.server = NULL;
  ck_assert(api_closed(&c));
  fake_answer_all(f.engine);
  api_disconnect(&c);
}
END_TEST

/* ---- drained -------------------------------------------------------------- */

START_TEST(drained_waits_for_quiescence) {
  static const char *const paths[] = {PATH "/pause?wait=drained", "/v0/pipelines/p/pause?wait=drained"};
  static const int statuses[] = {200, 202};
  for (int i = 0; i < 2; i++) {
    fake_set_quiescent(f.engine, false);
    unsigned calls = fake_stats_calls(f.engine);
    api_client c = api_connect(f.port);
    api_sayf(&c, "POST %s HTTP/1.1\r\n{host}\r\n\r\n", paths[i]);
    fake_wait_stats_calls(f.engine, calls + 4);
    char byte;
    ck_assert_int_lt((int)recv(c.fd, &byte, 1, MSG_DONTWAIT), 0);
    fake_set_quiescent(f.engine, true);
    expect_status(&c, statuses[i]);
    api_disconnect(&c);
  }
  expect_no_references();
}
END_TEST

START_TEST(drained_gives_up) {
  fake_set_quiescent(f.engine, false);
  api_expect_error(f.port, "POST", PATH "/pause?wait=drained", NULL, 503, "DrainTimeout");
  expect_no_references();
}
END_TEST

START_TEST(drained_is_interrupted_by_a_start) {
  fake_set_quiescent(f.engine, false);
  api_client c = api_connect(f.port);
  unsigned calls = fake_stats_calls(f.engine);
  api_sayf(&c, REQUEST(PATH "/pause?wait=drained"));
  fake_wait_stats_calls(f.engine, calls + 1);
  api_reply start = api_request(f.port, "POST", PATH "/start", NULL);
  ck_assert_int_eq(start.status, 200);
  api_reply_free(&start);
  api_reply r = api_receive(&c, false);
  api_check_error(&r, 503, "DrainInterrupted");
  api_reply_free(&r);
  api_disconnect(&c);
}
END_TEST

START_TEST(drained_ends_with_the_pipeline) {
  fake_set_quiescent(f.engine, false);
  api_client c = api_connect(f.port);
  unsigned calls = fake_stats_calls(f.engine);
  api_sayf(&c, REQUEST(PATH "/pause?wait=drained"));
  fake_wait_stats_calls(f.engine, calls + 1);
  fake_set_status(f.engine, DEPLOYMENT_STOPPED);
  api_reply r = api_receive(&c, false);
  api_check_error(&r, 503, "PipelineInteractionNotDeployed");
  api_reply_free(&r);
  api_disconnect(&c);
}
END_TEST

START_TEST(client_leaves_while_draining) {
  fake_set_quiescent(f.engine, false);
  for (int i = 0; i < 10; i++) {
    api_client c = api_connect(f.port);
    unsigned calls = fake_stats_calls(f.engine);
    api_sayf(&c, REQUEST(PATH "/pause?wait=drained"));
    fake_wait_stats_calls(f.engine, calls + 1);
    const struct linger now = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    api_disconnect(&c);
  }
  expect_no_references();
}
END_TEST

START_TEST(server_ends_while_draining) {
  fake_set_quiescent(f.engine, false);
  api_client c = api_connect(f.port);
  unsigned calls = fake_stats_calls(f.engine);
  api_sayf(&c, REQUEST(PATH "/pause?wait=drained"));
  fake_wait_stats_calls(f.engine, calls + 1);
  api_server_free(f.server);
  f.server = NULL;
  ck_assert(api_closed(&c));
  ck_assert_uint_eq(fake_references(f.engine), 0);
  api_disconnect(&c);
}
END_TEST

/* ---- the worker ------------------------------------------------------------ */

/* A job that waits for a byte from a pipe, and counts what becomes of jobs. */
typedef struct probe {
  job job;
  int gate; /* -1: does not wait */
} probe;

static _Atomic int ran, delivered, discarded;

static void run_probe(job *j) {
  char byte;
  probe *p = (probe *)j;
  if (p->gate >= 0) ck_assert_int_eq((int)read(p->gate, &byte, 1), 1);
  ran++;
}
static void deliver_probe(mail *m) { (void)m, delivered++; }
static void discard_probe(mail *m) { (void)m, discarded++; }

START_TEST(worker_takes_so_many_and_no_more) {
  static probe probes[WORKER_MAX_JOBS + 2];
  int gate[2];
  struct event_base *base = event_base_new();
  ck_assert_int_eq(pipe(gate), 0);
  mailbox *box = mailbox_new(base);
  worker *w = worker_new(box);
  ck_assert(box && w);
  for (size_t i = 0; i < WORKER_MAX_JOBS + 2; i++)
    probes[i] =
        (probe){.job = {.mail = {.deliver = deliver_probe, .discard = discard_probe}, .run = run_probe}, .gate = -1};
  probes[0].gate = gate[0];
  probes[1].gate = gate[0];
  ck_assert(worker_submit(w, &probes[0].job));
  ck_assert(worker_submit(w, &probes[1].job));
  ck_assert_int_eq((int)write(gate[1], "x", 1), 1);
  event_base_loop(base, EVLOOP_ONCE); /* the first is delivered; the worker is at the second, or will be */
  ck_assert_int_eq(delivered, 1);
  size_t n = 2;
  while (n < WORKER_MAX_JOBS + 2 && worker_submit(w, &probes[n].job)) n++;
  ck_assert_uint_ge(n, WORKER_MAX_JOBS + 1); /* the second may still be in the queue */
  ck_assert_int_eq((int)write(gate[1], "x", 1), 1);
  worker_free(w);
  mailbox_close(box);
  mailbox_unref(box);
  event_base_free(base);
  ck_assert_int_eq(delivered + discarded, (int)n); /* each has one end */
  close(gate[0]);
  close(gate[1]);
}
END_TEST

START_TEST(client_leaves_while_its_body_is_parsed) {
  char *body = malloc(1 << 20), head[256];
  ck_assert_ptr_nonnull(body);
  memset(body, 'x', 1 << 20);
  int len = snprintf(head, sizeof head,
                     "POST /v0/pipelines HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                     "Content-Length: %d\r\n\r\n{\"name\":\"q\",\"program_code\":\"",
                     (1 << 20) + 28);
  memcpy(body + (1 << 20) - 2, "\"}", 2);
  for (int i = 0; i < 20; i++) {
    api_client c = api_connect(f.port);
    api_send(&c, head, (size_t)len);
    api_send(&c, body, 1 << 20);
    const struct linger now = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    api_disconnect(&c);
  }
  settle();
  free(body);
}
END_TEST

/* ---- many at once --------------------------------------------------------- */

enum { CLIENTS = 4, ROUNDS = 250 };

static void *race(void *arg) {
  unsigned seed = *(unsigned *)arg;
  api_client c = api_connect(f.port);
  for (int i = 0; i < ROUNDS; i++) {
    static const char *const what[] = {"pause", "start", "pause?wait=drained"};
    api_sayf(&c, "POST " PATH "/%s HTTP/1.1\r\n{host}\r\n\r\n", what[rand_r(&seed) % 3]);
    if (rand_r(&seed) % 10 == 0) { /* away without waiting */
      api_disconnect(&c);
      c = api_connect(f.port);
      continue;
    }
    api_reply r = api_receive(&c, false);
    ck_assert_msg(r.status == 200 || r.status == 503, "%d", r.status); /* 503: DrainInterrupted */
    api_reply_free(&r);
  }
  api_disconnect(&c);
  return NULL;
}

START_TEST(clients_race) {
  pthread_t threads[CLIENTS];
  unsigned seeds[CLIENTS];
  fake_set_answer(f.engine, FAKE_THREAD);
  for (unsigned i = 0; i < CLIENTS; i++) {
    seeds[i] = i + 1;
    ck_assert_int_eq(pthread_create(&threads[i], NULL, race, &seeds[i]), 0);
  }
  for (int i = 0; i < CLIENTS; i++) pthread_join(threads[i], NULL);
  expect_no_references();
}
END_TEST

int main(void) {
  Suite *suite = suite_create("api_control");
  TCase *tc = tcase_create("control");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 60);
  tcase_add_test(tc, reply_waits_for_the_answer);
  tcase_add_test(tc, pipelined_requests_wait_their_turn);
  tcase_add_test(tc, client_leaves_before_the_answer);
  tcase_add_test(tc, half_closed_client_gets_its_answer);
  tcase_add_test(tc, server_ends_before_the_answer);
  tcase_add_test(tc, stop_waits_for_answers);
  tcase_add_test(tc, stop_does_not_wait_for_ever);
  tcase_add_test(tc, drained_waits_for_quiescence);
  tcase_add_test(tc, drained_gives_up);
  tcase_add_test(tc, drained_is_interrupted_by_a_start);
  tcase_add_test(tc, drained_ends_with_the_pipeline);
  tcase_add_test(tc, client_leaves_while_draining);
  tcase_add_test(tc, server_ends_while_draining);
  tcase_add_test(tc, worker_takes_so_many_and_no_more);
  tcase_add_test(tc, client_leaves_while_its_body_is_parsed);
  tcase_add_test(tc, clients_race);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
