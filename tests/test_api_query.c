/* GET .../query over a fake engine: formats, errors early and late, clients that
 * read slowly or leave, and the protocol of WebSocket. */
#include "formats/formats.h"
#include "runtime/registry.h"
#include "tests/api_client.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static api_fixture f;

#define PATH "/v0/pipelines/p/query"

static hw_plugin plugin = {.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI, .struct_size = sizeof(hw_plugin),
                           .name = "formats", .version = "1"};

static void setup(void) {
  plugin.formats = formats_in_use()->formats;
  if (!registry_format("json")) ck_assert_int_eq(registry_add(&plugin, sizeof plugin, "the test", NULL), HW_OK);
  f = api_fixture_open(NULL);
  json_decref(api_json(f.port, "POST", "/v0/pipelines",
                       "{\"name\":\"p\",\"program_code\":\"CREATE TABLE numbers (id INT);\"}", 201));
}

static void teardown(void) {
  fake_wait_no_query();
  api_fixture_close(&f);
}

static void expect(const char *query, int status, const char *type, const char *body) {
  api_reply r = api_request(f.port, "GET", query, NULL);
  ck_assert_int_eq(r.status, status);
  ck_assert_str_eq(api_header(&r, "Content-Type"), type);
  if (body) ck_assert_str_eq(r.body, body);
  api_reply_free(&r);
}

#define TEXT "some text that takes a few dozen bytes of the reply"

/* ---- replies ---------------------------------------------------------------- */

START_TEST(a_table) {
  expect(PATH "?sql=rows+2", 200, "text/plain",
         "+---+-----------------------------------------------------+\n"
         "| n | text                                                |\n"
         "+---+-----------------------------------------------------+\n"
         "| 0 | " TEXT " |\n"
         "| 1 |                                                     |\n"
         "+---+-----------------------------------------------------+\n");
  expect(PATH "?sql=rows+0&format=text", 200, "text/plain", "+---+------+\n| n | text |\n+---+------+\n+---+------+\n");
}
END_TEST

START_TEST(json) {
  expect(PATH "?sql=rows+2&format=json", 200, "application/json",
         "{\"n\":0,\"text\":\"" TEXT "\"}\n{\"n\":1,\"text\":null}\n");
  expect(PATH "?sql=rows+0&format=json", 200, "application/json", "");
}
END_TEST

START_TEST(large_tables_come_whole) {
  api_reply r = api_request(f.port, "GET", PATH "?sql=rows+20000", NULL);
  ck_assert_int_eq(r.status, 200);
  unsigned lines = 0;
  for (const char *p = r.body; *p; p++) lines += *p == '\n';
  ck_assert_uint_eq(lines, 20004);
  ck_assert_ptr_nonnull(strstr(r.body, "| 19999 | "));
  api_reply_free(&r);
}
END_TEST

START_TEST(a_head_alone) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "HEAD " PATH "?sql=rows+5 HTTP/1.1\r\n{host}\r\n\r\n");
  api_reply r = api_receive(&c, true);
  ck_assert_int_eq(r.status, 200);
  api_reply_free(&r);
  api_disconnect(&c);
}
END_TEST

/* ---- errors ------------------------------------------------------------------- */

START_TEST(refused) {
  api_expect_error(f.port, "GET", PATH "?sql=refuse", NULL, 400, "AdHocQueryError");
  api_expect_error(f.port, "GET", PATH "?sql=fail+0&format=json", NULL, 400, "AdHocQueryError");
  api_expect_error(f.port, "GET", PATH, NULL, 400, "InvalidParam");
  expect(PATH "?sql=rows+0&format=json&pipeline_name=p", 200, "application/json", ""); /* as the SDK says it */
  api_expect_error(f.port, "GET", PATH "?sql=rows+0&pipeline_name=q", NULL, 400, "InvalidParam");
  static const char *const formats[] = {"parquet", "hash", "arrow_ipc", "csv", ""};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    char path[128];
    snprintf(path, sizeof path, PATH "?sql=rows+1&format=%s", formats[i]);
    api_expect_error(f.port, "GET", path, NULL, 400, "AdHocQueryError");
  }
  api_expect_error(f.port, "GET", "/v0/pipelines/q/query?sql=rows+1", NULL, 404, "UnknownPipelineName");
}
END_TEST

static void expect_end(const char *query, const char *end) {
  api_reply r = api_request(f.port, "GET", query, NULL);
  ck_assert_int_eq(r.status, 200);
  ck_assert_uint_gt(r.len, strlen(end));
  ck_assert_str_eq(r.body + r.len - strlen(end), end);
  api_reply_free(&r);
}

START_TEST(failed_half_way) {
  expect_end(PATH "?sql=fail+5000", "\nERROR: it \"failed\"\n");
  expect_end(PATH "?sql=fail+200&format=json", "}\n{\"error\":\"it \\\"failed\\\"\"}\n");
}
END_TEST

/* ---- clients ------------------------------------------------------------------------ */

#define ROW_BYTES 50u     /* at least, of a row of the reply */
#define UNREAD_MAX (8u << 20) /* what may wait: our bound, and what both sockets hold */

START_TEST(a_slow_reader) {
  uint64_t before = atomic_load(&fake_query_rows), received = 0, most = 0;
  api_client c = api_connect(f.port);
  api_sayf(&c, "GET " PATH "?sql=rows+1000000&format=json HTTP/1.0\r\n{host}\r\n\r\n");
  static char piece[64 << 10];
  for (ssize_t n; (n = recv(c.fd, piece, sizeof piece, 0)) > 0;) {
    received += (uint64_t)n;
    uint64_t given = (atomic_load(&fake_query_rows) - before) * ROW_BYTES;
    if (given > received && given - received > most) most = given - received;
  }
  ck_assert_uint_gt(received, 50u << 20);
  ck_assert_uint_lt(most, UNREAD_MAX);
  api_disconnect(&c);
}
END_TEST

/* One that does not read holds nobody, and goes for good when it leaves. */
START_TEST(clients_that_leave) {
  api_client gone[20];
  for (unsigned i = 0; i < 20; i++) {
    gone[i] = api_connect(f.port);
    api_sayf(&gone[i], "GET " PATH "?sql=%s&format=json HTTP/1.1\r\n{host}\r\n\r\n",
             i % 2 ? "rows+100000000" : "wait");
  }
  expect(PATH "?sql=rows+0&format=json", 200, "application/json", "");
  for (unsigned i = 0; i < 20; i++) api_disconnect(&gone[i]);
  fake_wait_no_query();
}
END_TEST

START_TEST(a_server_that_ends) {
  api_client c = api_connect(f.port);
  api_sayf(&c, "GET " PATH "?sql=wait HTTP/1.1\r\n{host}\r\n\r\n");
  expect(PATH "?sql=rows+0&format=json", 200, "application/json", "");
  api_fixture_close(&f);
  api_disconnect(&c);
  fake_wait_no_query();
  setup();
}
END_TEST

/* ---- WebSocket ------------------------------------------------------------------------- */

typedef struct frame {
  unsigned opcode;
  bool final;
  char data[1 << 17]; /* terminated */
  size_t len;
} frame;

static frame got;

static void read_exactly(api_client *c, void *to, size_t len) {
  for (char *p = to; len > 0;) {
    ssize_t n = recv(c->fd, p, len, 0);
    ck_assert_int_gt(n, 0);
    p += n;
    len -= (size_t)n;
  }
}

static api_client handshake(void) {
  api_client c = api_connect(f.port);
  char head[1024] = "";
  api_sayf(&c, "GET " PATH " HTTP/1.1\r\n{host}\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  for (size_t len = 0; !strstr(head, "\r\n\r\n"); len++) read_exactly(&c, head + len, 1);
  ck_assert_ptr_nonnull(strstr(head, "HTTP/1.1 101 "));
  ck_assert_ptr_nonnull(strstr(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")); /* RFC 6455, 1.3 */
  return c;
}

/* A frame of the client's; its first byte, and its data masked. */
static void send_frame(api_client *c, unsigned first, const char *data, size_t len) {
  static char out[2 << 20];
  static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
  size_t n = 0;
  out[n++] = (char)first;
  if (len < 126) {
    out[n++] = (char)(0x80 | len);
  } else {
    uint64_t size = htobe64(len);
    out[n++] = (char)0xFF;
    memcpy(out + n, &size, 8);
    n += 8;
  }
  memcpy(out + n, mask, 4);
  n += 4;
  for (size_t i = 0; i < len; i++) out[n++] = (char)((unsigned char)data[i] ^ mask[i % 4]);
  api_send(c, out, n);
}

static void read_frame(api_client *c) {
  unsigned char head[2], wide[8] = {0};
  read_exactly(c, head, 2);
  got.final = head[0] >> 7;
  got.opcode = head[0] & 15;
  ck_assert_uint_eq(head[1] & 0x80, 0); /* a server does not mask */
  got.len = head[1];
  if (head[1] == 126) {
    read_exactly(c, wide + 6, 2);
  } else if (head[1] == 127) {
    read_exactly(c, wide, 8);
  }
  if (head[1] >= 126) {
    uint64_t size;
    memcpy(&size, wide, 8);
    got.len = be64toh(size);
  }
  ck_assert_uint_lt(got.len, sizeof got.data);
  read_exactly(c, got.data, got.len);
  got.data[got.len] = '\0';
}

#define TEXT_FRAME 0x81
#define CLOSE_FRAME 0x88

static void ask(api_client *c, const char *text) { send_frame(c, TEXT_FRAME, text, strlen(text)); }

static void expect_text(api_client *c, const char *text) {
  read_frame(c);
  ck_assert_uint_eq(got.opcode, 1);
  ck_assert(got.final);
  ck_assert_str_eq(got.data, text);
}

static void expect_close(api_client *c, unsigned status) {
  read_frame(c);
  ck_assert_uint_eq(got.opcode, 8);
  ck_assert_msg(got.len >= 2, "closed without a status, not with %u", status);
  ck_assert_uint_eq((unsigned)(unsigned char)got.data[0] << 8 | (unsigned char)got.data[1], status);
}

/* Closes our side; the server closes the connection. */
static void finish(api_client *c) {
  send_frame(c, CLOSE_FRAME, "\x03\xe8", 2);
  ck_assert(api_closed(c));
  api_disconnect(c);
}

START_TEST(ws_query) {
  api_client c = handshake();
  ask(&c, "{\"sql\":\"rows 2\",\"format\":\"json\"}");
  expect_text(&c, "{\"n\":0,\"text\":\"" TEXT "\"}\n{\"n\":1,\"text\":null}\n");
  expect_close(&c, 1000);
  finish(&c);
  c = handshake();
  ask(&c, "{\"sql\":\"rows 0\"}");
  expect_text(&c, "+---+------+\n| n | text |\n+---+------+\n+---+------+\n");
  expect_close(&c, 1000);
  finish(&c);
}
END_TEST

START_TEST(ws_fragments_and_pings) {
  api_client c = handshake();
  send_frame(&c, 0x01, "{\"sql\":\"ro", 10);
  send_frame(&c, 0x89, "still there?", 12);
  read_frame(&c);
  ck_assert_uint_eq(got.opcode, 10);
  ck_assert_str_eq(got.data, "still there?");
  send_frame(&c, 0x00, "ws 1\",", 6);
  send_frame(&c, 0x80, "\"format\":\"json\"}", 16);
  expect_text(&c, "{\"n\":0,\"text\":\"" TEXT "\"}\n");
  expect_close(&c, 1000);
  finish(&c);
}
END_TEST

START_TEST(ws_errors) {
  api_client c = handshake();
  ask(&c, "{\"sql\":\"refuse\",\"format\":\"json\"}");
  expect_text(&c, "{\"error\":\"Error at line 1, column 1: no\"}\n");
  expect_close(&c, 1011);
  finish(&c);
  static const char *const bad[] = {"no json", "{}", "[]", "{\"sql\":5}",
                                    "{\"sql\":\"rows 1\",\"format\":\"parquet\"}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    c = handshake();
    ask(&c, bad[i]);
    read_frame(&c);
    ck_assert_uint_eq(got.opcode, 1);
    ck_assert_ptr_eq(strstr(got.data, "ERROR: "), got.data);
    expect_close(&c, 1008);
    finish(&c);
  }
}
END_TEST

static void expect_fault(const char *data, size_t len, unsigned status) {
  api_client c = handshake();
  api_send(&c, data, len);
  expect_close(&c, status);
  send_frame(&c, CLOSE_FRAME, "\x03\xe8", 2);
  ck_assert(api_closed(&c));
  api_disconnect(&c);
}

START_TEST(ws_bad_frames) {
  expect_fault("\x81\x02hi", 4, 1002);                               /* not masked */
  expect_fault("\xF1\x80\x00\x00\x00\x00", 6, 1002);                 /* reserved bits */
  expect_fault("\x83\x80\x00\x00\x00\x00", 6, 1002);                 /* an opcode that is none */
  expect_fault("\x80\x80\x00\x00\x00\x00", 6, 1002);                 /* goes on with nothing */
  expect_fault("\x81\x82\x00\x00\x00\x00\xC3\x28", 8, 1007);         /* no UTF-8 */
  expect_fault("\x81\xFF\x00\x00\x00\x00\x00\x30\x00\x00\x00\x00\x00\x00{", 15, 1009); /* begins 3 MiB */
}
END_TEST

START_TEST(ws_clients_that_leave) {
  api_client c = handshake();
  ask(&c, "{\"sql\":\"rows 100000000\",\"format\":\"json\"}");
  read_frame(&c);
  api_disconnect(&c);
  fake_wait_no_query();
  c = handshake(); /* a closing handshake in the middle */
  ask(&c, "{\"sql\":\"wait\"}");
  finish(&c);
  fake_wait_no_query();
  c = handshake(); /* talking on */
  ask(&c, "{\"sql\":\"wait\"}");
  ask(&c, "{\"sql\":\"rows 1\"}");
  expect_close(&c, 1008);
  fake_wait_no_query();
  finish(&c);
}
END_TEST

START_TEST(ws_large) {
  api_client c = handshake();
  ask(&c, "{\"sql\":\"rows 100000\",\"format\":\"json\"}");
  uint64_t lines = 0;
  for (read_frame(&c); got.opcode == 1; read_frame(&c))
    for (size_t i = 0; i < got.len; i++) lines += got.data[i] == '\n';
  ck_assert_uint_eq(lines, 100000);
  finish(&c);
}
END_TEST

START_TEST(ws_bad_handshakes) {
  static const struct {
    const char *headers;
    int status;
    const char *code;
  } bad[] = {
      {"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n", 400, "InvalidHeader"},
      {"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n", 400, "InvalidHeader"},
      {"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400, "InvalidHeader"},
      {"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426, "UpgradeRequired"},
      {"Connection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 426,
       "UpgradeRequired"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    api_client c = api_connect(f.port);
    api_sayf(&c, "GET " PATH " HTTP/1.1\r\n{host}\r\nUpgrade: websocket\r\n%s\r\n", bad[i].headers);
    api_reply r = api_receive(&c, false);
    api_check_error(&r, bad[i].status, bad[i].code);
    api_reply_free(&r);
    api_disconnect(&c);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("api_query");
  TCase *t = tcase_create("query");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, a_table);
  tcase_add_test(t, json);
  tcase_add_test(t, large_tables_come_whole);
  tcase_add_test(t, a_head_alone);
  tcase_add_test(t, refused);
  tcase_add_test(t, failed_half_way);
  tcase_add_test(t, a_slow_reader);
  tcase_add_test(t, clients_that_leave);
  tcase_add_test(t, a_server_that_ends);
  tcase_add_test(t, ws_query);
  tcase_add_test(t, ws_fragments_and_pings);
  tcase_add_test(t, ws_errors);
  tcase_add_test(t, ws_bad_frames);
  tcase_add_test(t, ws_clients_that_leave);
  tcase_add_test(t, ws_large);
  tcase_add_test(t, ws_bad_handshakes);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_ENV);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
