/* TLS: what is served through it is what is served without; handshakes that are
 * slow, broken, old or none at all; certificates that are bad or renewed. */
#include "api/http_tls.h"
#include "tests/api_client.h"

#include <check.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char dir[64], cert[96], key[96];
static api_fixture f;

/* ---- certificates ---------------------------------------------------------------- */

static void write_key(const char *path, EVP_PKEY *pkey) {
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
  fclose(file);
}

static void write_cert(const char *path, X509 *x) {
  FILE *file = fopen(path, "w");
  ck_assert_ptr_nonnull(file);
  ck_assert_int_eq(PEM_write_X509(file, x), 1);
  fclose(file);
}

/* A certificate that signs itself, and its key. */
static void make_certificate(const char *cert_path, const char *key_path, const char *name) {
  EVP_PKEY *pkey = EVP_EC_gen("P-256");
  X509 *x = X509_new();
  X509_NAME *subject = X509_get_subject_name(x);
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
  X509_set_issuer_name(x, subject);
  X509_set_pubkey(x, pkey);
  ck_assert_int_ne(X509_sign(x, pkey, EVP_sha256()), 0);
  write_cert(cert_path, x);
  write_key(key_path, pkey);
  X509_free(x);
  EVP_PKEY_free(pkey);
}

/* ---- a server and its clients ------------------------------------------------------ */

static void open_server(const http_limits *limits) {
  f = api_fixture_open(&(api_options){.limits = *limits, .tls_cert = cert, .tls_key = key, .stop_ms = 500});
}

static void setup(void) {
  snprintf(dir, sizeof dir, "/tmp/hw-tls-XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(dir));
  snprintf(cert, sizeof cert, "%s/cert.pem", dir);
  snprintf(key, sizeof key, "%s/key.pem", dir);
  make_certificate(cert, key, "first");
  open_server(&(http_limits){.handshake_ms = 400, .idle_ms = 5000, .write_ms = 2000, .max_connections = 20});
}

typedef struct session {
  api_client raw;
  SSL_CTX *context;
  SSL *ssl;
} session;

static session session_open(int most) {
  session s = {.raw = api_connect(f.port), .context = SSL_CTX_new(TLS_client_method())};
  ck_assert_ptr_nonnull(s.context);
  SSL_CTX_set_security_level(s.context, 0); /* or the library itself refuses what is old */
  if (most) SSL_CTX_set_max_proto_version(s.context, most);
  SSL_CTX_set_min_proto_version(s.context, TLS1_VERSION);
  s.ssl = SSL_new(s.context);
  SSL_set_fd(s.ssl, s.raw.fd);
  return s;
}

static session session_connect(void) {
  session s = session_open(0);
  ck_assert_msg(SSL_connect(s.ssl) == 1, "%s", ERR_error_string(ERR_peek_error(), NULL));
  return s;
}

static void session_close(session *s) {
  SSL_free(s->ssl);
  SSL_CTX_free(s->context);
  api_disconnect(&s->raw);
}

static void say(session *s, const char *text, size_t len) {
  ck_assert_int_eq(SSL_write(s->ssl, text, (int)len), (int)len);
}

static void say_request(session *s, const char *line) {
  char text[512];
  int n = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost:%u\r\n\r\n", line, f.port);
  say(s, text, (size_t)n);
}

/* Reads until the text so far ends with `end`; all of it. */
static char *hear(session *s, const char *end) {
  size_t len = 0, room = 1 << 16, tail = strlen(end);
  char *text = calloc(1, room);
  while (len < tail || strcmp(text + len - tail, end) != 0) {
    if (len + (1 << 15) > room) text = realloc(text, room *= 2);
    ck_assert_ptr_nonnull(text);
    int n = SSL_read(s->ssl, text + len, 1 << 14);
    ck_assert_msg(n > 0, "after %zu bytes: %d", len, SSL_get_error(s->ssl, n));
    len += (size_t)n;
    text[len] = '\0';
  }
  return text;
}

static void expect_answer(session *s) {
  say_request(s, "GET /healthz");
  char *text = hear(s, "{\"status\":\"healthy\"}");
  ck_assert_int_eq(strncmp(text, "HTTP/1.1 200", 12), 0);
  free(text);
}

static void expect_service(void) {
  session s = session_connect();
  expect_answer(&s);
  session_close(&s);
}

static void teardown(void) {
  char command[128];
  expect_service(); /* whatever a test did */
  api_fixture_close(&f);
  snprintf(command, sizeof command, "rm -rf %s", dir);
  ck_assert_int_eq(system(command), 0);
}

/* ---- service --------------------------------------------------------------------- */

START_TEST(keeps_alive_and_in_order) {
  session s = session_connect();
  ck_assert_int_ge(SSL_version(s.ssl), TLS1_2_VERSION);
  for (int i = 0; i < 50; i++) expect_answer(&s);
  for (int i = 0; i < 20; i++) say_request(&s, "GET /v0/config");
  say_request(&s, "GET /v0/nothing");
  char *text = hear(&s, "\"details\":{}}");
  ck_assert_ptr_nonnull(strstr(text, "NotFound"));
  free(text);
  session_close(&s);
}
END_TEST

START_TEST(tls_1_2_is_spoken) {
  session s = session_open(TLS1_2_VERSION);
  ck_assert_int_eq(SSL_connect(s.ssl), 1);
  const char *cipher = SSL_get_cipher(s.ssl);
  ck_assert_msg(strncmp(cipher, "ECDHE-", 6) == 0, "%s", cipher);
  expect_answer(&s);
  session_close(&s);
}
END_TEST

/* Larger than every buffer on the way, both ways, to a client that reads late. */
START_TEST(large_bodies) {
  const size_t len = 1900000;
  char head[256], *body = malloc(len + 1);
  ck_assert_ptr_nonnull(body);
  memset(body, ' ', len);
  const char *begin = "{\"name\": \"big\", \"program_code\": \"";
  memcpy(body, begin, strlen(begin));
  memcpy(body + len - 2, "\"}", 3);
  session s = session_connect();
  int n = snprintf(head, sizeof head,
                   "POST /v0/pipelines HTTP/1.1\r\nHost: localhost:%u\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n", f.port, len);
  say(&s, head, (size_t)n);
  for (size_t at = 0; at < len; at += 10000) say(&s, body + at, len - at < 10000 ? len - at : 10000);
  free(hear(&s, "}")); /* a first piece of the reply, perhaps all */
  for (int i = 0; i < 10; i++) say_request(&s, "GET /v0/pipelines/big");
  say_request(&s, "GET /v0/nothing");
  char *text = hear(&s, "there is nothing at this path\",\"error_code\":\"NotFound\",\"details\":{}}");
  size_t total = strlen(text);
  ck_assert_msg(total > 10 * len, "%zu", total);
  free(text);
  free(body);
  session_close(&s);
}
END_TEST

/* The last reply is followed by a goodbye: nothing was cut off. */
START_TEST(ends_with_a_goodbye) {
  session s = session_connect();
  const char *text = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  char byte;
  say(&s, text, strlen(text));
  free(hear(&s, "{\"status\":\"healthy\"}"));
  int n = SSL_read(s.ssl, &byte, 1);
  ck_assert_int_eq(SSL_get_error(s.ssl, n), SSL_ERROR_ZERO_RETURN);
  session_close(&s);
}
END_TEST

START_TEST(malformed_requests_are_refused) {
  session s = session_connect();
  say(&s, "garbage\r\n\r\n", 11);
  char *text = hear(&s, "}}");
  ck_assert_ptr_nonnull(strstr(text, "MalformedRequest"));
  free(text);
  session_close(&s);
}
END_TEST

START_TEST(a_client_that_leaves_without_goodbye) {
  for (int i = 0; i < 15; i++) { /* however many the server has not noticed yet, there is room for one more */
    session s = session_connect();
    say_request(&s, "GET /v0/config");
    session_close(&s);
  }
}
END_TEST

START_TEST(too_many_are_told_so) {
  session all[20];
  for (int i = 0; i < 20; i++) all[i] = session_connect();
  for (int i = 0; i < 20; i++) expect_answer(&all[i]);
  session s = session_connect();
  char *text = hear(&s, "}}");
  ck_assert_int_eq(strncmp(text, "HTTP/1.1 503", 12), 0);
  ck_assert_ptr_nonnull(strstr(text, "TooManyConnections"));
  free(text);
  session_close(&s);
  for (int i = 0; i < 20; i++) session_close(&all[i]);
}
END_TEST

/* ---- handshakes that come to nothing --------------------------------------------------- */

START_TEST(plain_requests_are_told_so) {
  api_reply r = api_request(f.port, "GET", "/healthz", NULL);
  api_check_error(&r, 400, "TlsRequired");
  api_reply_free(&r);
  r = api_request(f.port, "POST", "/v0/pipelines", "{\"name\": \"x\"}");
  api_check_error(&r, 400, "TlsRequired");
  api_reply_free(&r);
}
END_TEST

START_TEST(silence_is_cut_off) {
  api_client c = api_connect(f.port);
  ck_assert(api_closed(&c));
  api_disconnect(&c);
}
END_TEST

/* A byte now and then does not prolong it. */
START_TEST(dripping_is_cut_off) {
  static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
  api_client c = api_connect(f.port);
  const struct timeval soon = {.tv_usec = 100000};
  char byte;
  ssize_t n = -1;
  ck_assert_int_eq(setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon), 0);
  for (size_t i = 0; i < 100 && n < 0; i++) {
    api_send(&c, i < sizeof hello - 1 ? &hello[i] : "x", 1);
    n = recv(c.fd, &byte, 1, 0); /* times out while the server waits */
  }
  ck_assert_int_le(n, 0);
  ck_assert_int_ne(n, -1);
  api_disconnect(&c);
}
END_TEST

START_TEST(old_versions_are_refused) {
  session s = session_open(TLS1_1_VERSION);
  ck_assert_int_ne(SSL_connect(s.ssl), 1);
  session_close(&s);
}
END_TEST

START_TEST(garbage_is_refused) {
  static const char texts[][13] = {"\x16\x03\x01\xff\xff garba", "\x80\x2e\x01\x00\x02 garba",
                                   "SSH-2.0-x\r\nx", "\0\0"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    api_client c = api_connect(f.port);
    api_send(&c, texts[i], 12);
    ck_assert(api_closed(&c));
    api_disconnect(&c);
  }
}
END_TEST

/* ---- certificates ------------------------------------------------------------------------- */

static void check_name(const char *name) {
  char found[64] = "";
  session s = session_connect();
  X509 *x = SSL_get1_peer_certificate(s.ssl);
  X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, found, sizeof found);
  ck_assert_str_eq(found, name);
  X509_free(x);
  session_close(&s);
}

START_TEST(renewed_while_it_serves) {
  hw_error err;
  session s = session_connect();
  check_name("first");
  make_certificate(cert, key, "second");
  check_name("first");
  ck_assert_int_eq(api_server_reload_tls(f.server, &err), HW_OK);
  check_name("second");
  expect_answer(&s); /* who is there stays */
  ck_assert_int_eq(truncate(cert, 10), 0);
  ck_assert_int_ne(api_server_reload_tls(f.server, &err), HW_OK);
  ck_assert_msg(strstr(err.message, cert) != NULL, "%s", err.message);
  check_name("second");
  session_close(&s);
}
END_TEST

static void expect_refusal(const char *cert_path, const char *key_path, const char *why) {
  hw_error err;
  ck_assert_ptr_null(api_server_new(f.engine, &(api_options){.listen = "127.0.0.1:0", .tls_cert = cert_path,
                                                             .tls_key = key_path}, &err));
  ck_assert_int_eq(err.status, HW_EINVAL);
  ck_assert_msg(strstr(err.message, why) != NULL, "%s", err.message);
}

START_TEST(bad_files_are_named) {
  char other[96], other_key[96], locked[96];
  snprintf(other, sizeof other, "%s/other.pem", dir);
  snprintf(other_key, sizeof other_key, "%s/other-key.pem", dir);
  snprintf(locked, sizeof locked, "%s/locked.pem", dir);
  make_certificate(other, other_key, "other");
  expect_refusal(cert, NULL, "a certificate and its key");
  expect_refusal(NULL, key, "a certificate and its key");
  expect_refusal("/nonexistent.pem", key, "cannot read the certificate \"/nonexistent.pem\": No such file");
  expect_refusal(cert, "/nonexistent.pem", "cannot read the key \"/nonexistent.pem\": No such file");
  expect_refusal(key, key, "is no certificate in PEM");
  expect_refusal(cert, cert, "is no key in PEM, without a passphrase");
  expect_refusal(cert, other_key, "is not that of the certificate");
  FILE *file = fopen(locked, "w");
  EVP_PKEY *pkey = EVP_EC_gen("P-256");
  char passphrase[] = "secret";
  ck_assert_int_eq(PEM_write_PrivateKey(file, pkey, EVP_aes_128_cbc(), NULL, 0, NULL, passphrase), 1);
  fclose(file);
  EVP_PKEY_free(pkey);
  expect_refusal(cert, locked, "is no key in PEM, without a passphrase");
}
END_TEST

static TCase *tcase(Suite *suite, const char *name) {
  TCase *tc = tcase_create(name);
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 60);
  suite_add_tcase(suite, tc);
  return tc;
}

int main(void) {
  Suite *suite = suite_create("TLS");
  TCase *tc = tcase(suite, "service");
  tcase_add_test(tc, keeps_alive_and_in_order);
  tcase_add_test(tc, tls_1_2_is_spoken);
  tcase_add_test(tc, large_bodies);
  tcase_add_test(tc, ends_with_a_goodbye);
  tcase_add_test(tc, malformed_requests_are_refused);
  tcase_add_test(tc, a_client_that_leaves_without_goodbye);
  tcase_add_test(tc, too_many_are_told_so);
  tc = tcase(suite, "handshakes");
  tcase_add_test(tc, plain_requests_are_told_so);
  tcase_add_test(tc, silence_is_cut_off);
  tcase_add_test(tc, dripping_is_cut_off);
  tcase_add_test(tc, old_versions_are_refused);
  tcase_add_test(tc, garbage_is_refused);
  tc = tcase(suite, "certificates");
  tcase_add_test(tc, renewed_while_it_serves);
  tcase_add_test(tc, bad_files_are_named);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
