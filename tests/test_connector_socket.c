/* socket_input: clients, framings, datagrams, connections of its own. */
#include "connectors/connectors.h"
#include "tests/fake_host.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static fake_host host;

static void setup(void) { fake_host_init(&host, "x INT"); }
static void teardown(void) { fake_host_fini(&host); }

static void start(const char *address, const char *more) {
  char config[512];
  snprintf(config, sizeof config, "{\"address\": \"%s\"%s}", address, more);
  fake_start_input(&host, &socket_input_transport, config);
}

static int port_of(const fake_host *h) { return atoi(strrchr(h->position, ':') + 1); }

static struct sockaddr_in loopback(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int dial(int type) {
  struct sockaddr_in to = loopback(port_of(&host));
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

static int dial_unix(const char *path, int type) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  return fd;
}

static int listen_somewhere(int *port) {
  struct sockaddr_in at = loopback(*port);
  socklen_t len = sizeof at;
  int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  ck_assert_int_eq(listen(fd, 8), 0);
  ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
  *port = ntohs(at.sin_port);
  return fd;
}

static void say(int fd, const void *data, size_t len) { ck_assert_int_eq(send(fd, data, len, MSG_NOSIGNAL), (int)len); }
static void say_text(int fd, const char *text) { say(fd, text, strlen(text)); }

static size_t awaited_bytes;
static bool has_bytes(fake_host *h) {
  size_t len = 0;
  for (size_t i = 0; i < h->n_streams; i++) len += h->streams[i]->len;
  return len >= awaited_bytes;
}
static void await_bytes(size_t n) {
  awaited_bytes = n;
  fake_run_until(&host, has_bytes);
}

static size_t awaited_closed;
static bool has_closed(fake_host *h) {
  size_t n = 0;
  for (size_t i = 0; i < h->n_streams; i++) n += h->streams[i]->closed;
  return n >= awaited_closed;
}
static void await_closed(size_t n) {
  awaited_closed = n;
  fake_run_until(&host, has_closed);
}

/* ---- listening -------------------------------------------------------------- */

START_TEST(takes_lines_from_a_client) {
  start("tcp-listen://:0", "");
  ck_assert(fake_logged(&host, "INFO listening on 127.0.0.1:"));
  ck_assert_int_eq(fake_fetch(&host), HW_FETCH_WAIT);
  int fd = dial(SOCK_STREAM);
  say_text(fd, "one\ntw");
  await_bytes(6);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  say_text(fd, "o");
  close(fd);
  await_closed(1);
  ck_assert_str_eq(host.streams[0]->data, "one\ntwo");
  ck_assert(host.streams[0]->complete);
  ck_assert_int_eq(strncmp(host.streams[0]->name, "127.0.0.1:", 10), 0);
  ck_assert_uint_eq(host.n_errors, 0);
}
END_TEST

START_TEST(a_reset_client_is_not_complete) {
  start("tcp-listen://127.0.0.1:0", "");
  int fd = dial(SOCK_STREAM);
  say_text(fd, "half");
  await_bytes(4);
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close(fd);
  await_closed(1);
  ck_assert(!host.streams[0]->complete);
  ck_assert(fake_logged(&host, "Connection reset"));
}
END_TEST

#define CLIENTS 100

START_TEST(serves_many_clients) {
  int fds[CLIENTS];
  char line[32], expected[200] = "";
  start("tcp-listen://:0", "");
  for (int i = 0; i < CLIENTS; i++) fds[i] = dial(SOCK_STREAM);
  for (int round = 0; round < 5; round++) {
    snprintf(line, sizeof line, "line %d\n", round);
    strncat(expected, line, sizeof expected - strlen(expected) - 1);
    for (int i = 0; i < CLIENTS; i++) say_text(fds[i], line);
    await_bytes(CLIENTS * strlen(expected));
  }
  for (int i = 0; i < CLIENTS; i++) close(fds[i]);
  await_closed(CLIENTS);
  ck_assert_uint_eq(host.n_streams, CLIENTS);
  for (int i = 0; i < CLIENTS; i++) ck_assert_str_eq(host.streams[i]->data, expected);
}
END_TEST

/* One that sends without end does not keep others from their turn. */
START_TEST(is_fair) {
  static char flood[1 << 20];
  memset(flood, 'x', sizeof flood);
  start("tcp-listen://:0", ", \"receive_buffer_bytes\": 1000000");
  int loud = dial(SOCK_STREAM), quiet = dial(SOCK_STREAM);
  fcntl(loud, F_SETFL, O_NONBLOCK);
  while (send(loud, flood, sizeof flood, MSG_NOSIGNAL) > 0) {
  }
  say_text(quiet, "small\n");
  host.max_bytes = 200000;
  bool heard = false;
  for (int i = 0; i < 20 && !heard; i++) {
    ck_assert_int_eq(fake_fetch(&host), HW_FETCH_MORE);
    for (size_t k = 0; k < host.n_streams; k++) heard = heard || (host.streams[k]->len == 6);
    send(loud, flood, sizeof flood, MSG_NOSIGNAL);
  }
  ck_assert(heard);
  close(loud);
  close(quiet);
}
END_TEST

START_TEST(more_than_max_clients_wait) {
  start("tcp-listen://:0", ", \"max_clients\": 2");
  int fds[4];
  for (int i = 0; i < 4; i++) {
    fds[i] = dial(SOCK_STREAM);
    say_text(fds[i], "x\n");
  }
  await_bytes(4);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.n_streams, 2);
  close(fds[0]);
  await_bytes(6);
  close(fds[1]);
  await_bytes(8);
  ck_assert_uint_eq(host.n_streams, 4);
  close(fds[2]);
  close(fds[3]);
}
END_TEST

START_TEST(nothing_is_read_while_held) {
  start("tcp-listen://:0", "");
  int fd = dial(SOCK_STREAM);
  say_text(fd, "one\n");
  await_bytes(4);
  say_text(fd, "two\n"); /* held: fetch is not called */
  ck_assert_uint_eq(host.streams[0]->len, 4);
  await_bytes(8); /* released */
  ck_assert_str_eq(host.streams[0]->data, "one\ntwo\n");
  close(fd);
}
END_TEST

START_TEST(survives_want_of_room) {
  start("tcp-listen://:0", "");
  host.room_most = 3;
  host.refuse_every = 2;
  host.full_every = 3;
  int fd = dial(SOCK_STREAM);
  say_text(fd, "0123456789\nabcdefghij\n");
  close(fd);
  await_closed(1);
  ck_assert_str_eq(host.streams[0]->data, "0123456789\nabcdefghij\n");
}
END_TEST

START_TEST(goes_on_when_descriptors_run_out) {
  start("tcp-listen://:0", "");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  int fd = dial(SOCK_STREAM);
  say_text(fd, "one\n");
  struct rlimit before, none;
  getrlimit(RLIMIT_NOFILE, &before);
  none = (struct rlimit){.rlim_cur = 3, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert(fake_logged(&host, "clients wait"));
  ck_assert(host.timer);
  setrlimit(RLIMIT_NOFILE, &before);
  ck_assert(!fake_wait(&host, 0) || host.n_streams == 0);
  fake_now_ns = host.timer_ns;
  await_bytes(4);
  close(fd);
}
END_TEST

START_TEST(a_client_that_cannot_be_followed_is_closed) {
  start("tcp-listen://:0", "");
  int fd = dial(SOCK_STREAM);
  host.parse_error = true;
  say_text(fd, "nonsense");
  await_closed(1);
  char c;
  ck_assert_int_le(recv(fd, &c, 1, 0), 0);
  close(fd);
}
END_TEST

START_TEST(listens_on_ipv6) {
  fake_input(&host, &socket_input_transport, "{\"address\": \"tcp-listen://[::1]:0\"}");
  if (fake_open(&host) != HW_OK) return; /* this machine has none */
  struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port_of(&host)),
                            .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
  say_text(fd, "six\n");
  await_bytes(4);
  ck_assert_int_eq(strncmp(host.streams[0]->name, "[::1]:", 6), 0);
  close(fd);
}
END_TEST

/* ---- length framing --------------------------------------------------------- */

static size_t put_message(unsigned char *out, unsigned length_bytes, const char *text) {
  size_t len = strlen(text);
  for (unsigned i = 0; i < length_bytes; i++) out[i] = (unsigned char)(len >> (8 * (length_bytes - 1 - i)));
  memcpy(out + length_bytes, text, len);
  return length_bytes + len;
}

static const char *const messages[] = {"first", "", "the second message", "x", "last one"};
#define N_MESSAGES 5

static void check_messages(const fake_stream *s) {
  ck_assert_str_eq(s->data, "firstthe second messagexlast one");
  static const size_t ends[] = {5, 23, 24, 32};
  ck_assert_uint_eq(s->n_ends, 4);
  for (size_t i = 0; i < 4; i++) ck_assert_uint_eq(s->ends[i], ends[i]);
  ck_assert(s->complete);
}

/* The stream of messages is cut in two at every byte, and arrives in two reads. */
START_TEST(length_framing_cut_anywhere) {
  static const unsigned widths[] = {1, 2, 4};
  unsigned width = widths[_i];
  unsigned char bytes[256];
  size_t len = 0;
  for (int i = 0; i < N_MESSAGES; i++) len += put_message(bytes + len, width, messages[i]);
  char more[64];
  snprintf(more, sizeof more, ", \"framing\": \"length\", \"length_bytes\": %u", width);
  start("tcp-listen://:0", more);
  for (size_t cut = 0; cut <= len; cut++) {
    int fd = dial(SOCK_STREAM);
    if (cut) say(fd, bytes, cut);
    ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
    if (cut < len) say(fd, bytes + cut, len - cut);
    close(fd);
    await_closed(cut + 1);
    check_messages(host.streams[cut]);
  }
  ck_assert_uint_eq(host.n_errors, 0);
}
END_TEST

START_TEST(length_framing_without_room) {
  unsigned char bytes[256];
  size_t len = 0;
  for (int i = 0; i < N_MESSAGES; i++) len += put_message(bytes + len, 4, messages[i]);
  start("tcp-listen://:0", ", \"framing\": \"length\"");
  host.room_most = 2;
  host.refuse_every = 3;
  host.full_every = 2;
  int fd = dial(SOCK_STREAM);
  say(fd, bytes, len);
  close(fd);
  await_closed(1);
  check_messages(host.streams[0]);
}
END_TEST

/* What was received and found no room goes on although nothing more arrives. */
START_TEST(messages_in_the_buffer_are_not_forgotten) {
  unsigned char bytes[256];
  size_t len = 0;
  for (int i = 0; i < N_MESSAGES; i++) len += put_message(bytes + len, 4, messages[i]);
  start("tcp-listen://:0", ", \"framing\": \"length\"");
  host.room_most = 2;
  host.full_every = 2;
  int fds[3];
  for (int i = 0; i < 3; i++) {
    fds[i] = dial(SOCK_STREAM);
    say(fds[i], bytes, len);
  }
  await_bytes(3 * 32);
  for (int i = 0; i < 3; i++) close(fds[i]);
  await_closed(3);
  for (int i = 0; i < 3; i++) check_messages(host.streams[i]);
}
END_TEST

START_TEST(long_messages) {
  static unsigned char bytes[4 + 1000000];
  bytes[1] = 0x0f, bytes[2] = 0x42, bytes[3] = 0x40;
  for (size_t i = 0; i < 1000000; i++) bytes[4 + i] = (unsigned char)(i * 7);
  start("tcp-listen://:0", ", \"framing\": \"length\"");
  int fd = dial(SOCK_STREAM);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  for (size_t sent = 0; sent < sizeof bytes;) {
    ssize_t n = send(fd, bytes + sent, sizeof bytes - sent, MSG_NOSIGNAL);
    if (n > 0) sent += (size_t)n;
    ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  }
  close(fd);
  await_closed(1);
  ck_assert_uint_eq(host.streams[0]->n_ends, 1);
  ck_assert_uint_eq(host.streams[0]->len, 1000000);
  ck_assert_int_eq(memcmp(host.streams[0]->data, bytes + 4, 1000000), 0);
}
END_TEST

START_TEST(a_message_that_is_too_long_ends_its_client) {
  start("tcp-listen://:0", ", \"framing\": \"length\", \"max_message_bytes\": 10");
  int bad = dial(SOCK_STREAM), good = dial(SOCK_STREAM);
  say(bad, "\0\0\0\x0b" "01234567890", 15);
  await_closed(1);
  ck_assert(!host.streams[0]->complete);
  ck_assert(fake_logged(&host, "a message of 11 bytes is longer than max_message_bytes (10)"));
  say(good, "\0\0\0\x0a" "0123456789", 14);
  await_bytes(10);
  close(bad);
  close(good);
}
END_TEST

START_TEST(a_client_that_ends_within_a_message) {
  start("tcp-listen://:0", ", \"framing\": \"length\"");
  int fd = dial(SOCK_STREAM);
  say(fd, "\0\0\0\x05" "abc", 7);
  close(fd);
  await_closed(1);
  ck_assert(!host.streams[0]->complete);
  ck_assert(fake_logged(&host, "ended within a message"));
}
END_TEST

/* ---- datagrams -------------------------------------------------------------- */

START_TEST(each_datagram_is_a_message) {
  start("udp://:0", "");
  int fd = dial(SOCK_DGRAM);
  char line[32];
  size_t total = 0;
  for (int i = 0; i < 50; i++) { /* more than one call receives */
    int n = snprintf(line, sizeof line, "datagram %d", i);
    say(fd, line, (size_t)n);
    total += (size_t)n;
  }
  say(fd, "", 0);
  await_bytes(total);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.streams[0]->n_ends, 50);
  ck_assert_uint_eq(host.streams[0]->len, total);
  ck_assert_int_eq(memcmp(host.streams[0]->data, "datagram 0datagram 1", 20), 0);
  close(fd);
}
END_TEST

START_TEST(datagrams_without_room) {
  start("udp://:0", "");
  host.room_most = 3;
  host.refuse_every = 4;
  host.full_every = 3;
  int fd = dial(SOCK_DGRAM);
  for (int i = 0; i < 20; i++) say_text(fd, "0123456789");
  await_bytes(200);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.streams[0]->n_ends, 20);
  for (size_t i = 0; i < 20; i++) ck_assert_uint_eq(host.streams[0]->ends[i], 10 * (i + 1));
  close(fd);
}
END_TEST

START_TEST(drops_of_the_kernel_are_counted) {
  char payload[1000] = {0};
  start("udp://:0", ", \"receive_buffer_bytes\": 10000");
  int fd = dial(SOCK_DGRAM);
  unsigned sent = 0;
  for (; sent < 200; sent++) say(fd, payload, sizeof payload);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  say(fd, payload, sizeof payload); /* brings the count with it */
  sent++;
  ck_assert(fake_wait(&host, 5000));
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_gt(host.drops, 0);
  ck_assert_uint_eq(host.drops + host.streams[0]->n_ends, sent);
  close(fd);
}
END_TEST

START_TEST(long_datagrams_are_dropped_and_counted) {
  start("udp://:0", ", \"max_message_bytes\": 5");
  int fd = dial(SOCK_DGRAM);
  say_text(fd, "123456");
  say_text(fd, "12345");
  await_bytes(5);
  ck_assert_uint_eq(host.drops, 1);
  ck_assert(fake_logged(&host, "longer than 5 bytes"));
  close(fd);
}
END_TEST

START_TEST(unix_datagrams) {
  char address[200];
  snprintf(address, sizeof address, "unixgram://%s", fake_path("sock"));
  start(address, "");
  int fd = dial_unix(fake_path("sock"), SOCK_DGRAM);
  say_text(fd, "one");
  say_text(fd, "two");
  await_bytes(6);
  ck_assert_uint_eq(host.streams[0]->n_ends, 2);
  close(fd);
}
END_TEST

/* ---- Unix sockets ----------------------------------------------------------- */

START_TEST(unix_stream_and_its_file) {
  char address[200];
  snprintf(address, sizeof address, "unix-listen://%s", fake_path("sock"));
  start(address, "");
  int fd = dial_unix(fake_path("sock"), SOCK_STREAM);
  say_text(fd, "one\n");
  close(fd);
  await_closed(1);
  ck_assert_str_eq(host.streams[0]->data, "one\n");
  fake_host_fini(&host);
  ck_assert_int_ne(access(fake_path("sock"), F_OK), 0);
  fake_host_init(&host, "x INT");
}
END_TEST

static int bind_unix(const char *path, bool listening) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  if (listening) ck_assert_int_eq(listen(fd, 1), 0);
  return fd;
}

START_TEST(a_socket_left_behind_is_replaced) {
  char address[200];
  close(bind_unix(fake_path("sock"), true));
  snprintf(address, sizeof address, "unix-listen://%s", fake_path("sock"));
  start(address, "");
  int fd = dial_unix(fake_path("sock"), SOCK_STREAM);
  close(fd);
  await_closed(1);
}
END_TEST

START_TEST(a_socket_in_use_and_other_files_are_not) {
  char config[256];
  int other = bind_unix(fake_path("sock"), true);
  fake_write_file(fake_path("file"), "precious");
  snprintf(config, sizeof config, "{\"address\": \"unix-listen://%s\"}", fake_path(_i ? "file" : "sock"));
  ck_assert_int_eq(fake_input(&host, &socket_input_transport, config), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_ptr_nonnull(strstr(host.error, "the file exists"));
  ck_assert_int_eq(access(fake_path(_i ? "file" : "sock"), F_OK), 0);
  close(other);
}
END_TEST

/* ---- connections of its own ------------------------------------------------- */

static char tcp_address[64];
static void start_dialing(int port, const char *more) {
  snprintf(tcp_address, sizeof tcp_address, "tcp://127.0.0.1:%d", port);
  start(tcp_address, more);
}

static bool is_connected(fake_host *h) { return h->n_streams > 0; }

START_TEST(connects_and_reconnects) {
  int port = 0, server = listen_somewhere(&port);
  start_dialing(port, "");
  fake_run_until(&host, is_connected);
  int fd = accept(server, NULL, NULL);
  say_text(fd, "one\n");
  await_bytes(4);
  close(fd);
  hw_fetch result;
  while ((result = fake_fetch(&host)) == HW_FETCH_WAIT) ck_assert(fake_wait(&host, 5000));
  ck_assert_int_eq(result, HW_FETCH_RETRY);
  ck_assert_ptr_nonnull(strstr(host.error, "closed the connection"));
  ck_assert(host.streams[0]->closed && host.streams[0]->complete);
  while (host.n_streams < 2) {
    result = fake_drain(&host);
    ck_assert_int_eq(result, HW_FETCH_WAIT);
    if (host.n_streams < 2) ck_assert(fake_wait(&host, 5000));
  }
  fd = accept(server, NULL, NULL);
  say_text(fd, "two\n");
  await_bytes(8);
  close(fd);
  close(server);
}
END_TEST

START_TEST(a_refused_connection_is_tried_again) {
  int port = 0, server = listen_somewhere(&port);
  close(server);
  start_dialing(port, "");
  for (int refused = 0; refused < 4;) {
    hw_fetch result = fake_fetch(&host);
    if (result == HW_FETCH_RETRY) refused++;
    else ck_assert(fake_wait(&host, host.n_armed ? 5000 : 0));
  }
  ck_assert_ptr_nonnull(strstr(host.error, "Connection refused"));
  ck_assert_ptr_nonnull(strstr(host.error, tcp_address + 6));
  ck_assert_uint_eq(host.tries, 4); /* no wait for a connection says that the source is there */
  server = listen_somewhere(&port);
  fake_run_until(&host, is_connected);
  close(server);
}
END_TEST

START_TEST(without_reconnect_the_end_is_the_end) {
  int port = 0, server = listen_somewhere(&port);
  start_dialing(port, ", \"reconnect\": false");
  fake_run_until(&host, is_connected);
  int fd = accept(server, NULL, NULL);
  say_text(fd, "one\nlast");
  close(fd);
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_str_eq(host.streams[0]->data, "one\nlast");
  ck_assert(host.streams[0]->complete);
  close(server);
}
END_TEST

START_TEST(names_are_resolved_where_blocking_is_allowed) {
  int port = 0, server = listen_somewhere(&port);
  char address[64];
  snprintf(address, sizeof address, "tcp://localhost:%d", port);
  start(address, "");
  hw_fetch_args args = {.struct_size = sizeof args, .max_bytes = 1000, .max_rows = 10};
  hw_error err;
  ck_assert_int_eq(host.input->ops->fetch(host.instance, &args, &err), HW_FETCH_BLOCK);
  fake_run_until(&host, is_connected);
  close(server);
}
END_TEST

START_TEST(connects_to_a_unix_socket) {
  char address[200];
  int server = bind_unix(fake_path("sock"), true);
  snprintf(address, sizeof address, "unix://%s", fake_path("sock"));
  start(address, ", \"reconnect\": false");
  fake_run_until(&host, is_connected);
  int fd = accept(server, NULL, NULL);
  say_text(fd, "one\n");
  close(fd);
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_str_eq(host.streams[0]->data, "one\n");
  close(server);
}
END_TEST

/* ---- addresses -------------------------------------------------------------- */

static const struct { const char *config, *message; } bad[] = {
    {"{\"address\": \"http://x:1\"}", "is none of tcp-listen://host:port"},
    {"{\"address\": \"tcp-listen://x\"}", "is not of the form tcp-listen://host:port"},
    {"{\"address\": \"tcp://x:\"}", "needs a port between 1 and 65535"},
    {"{\"address\": \"tcp://x:0\"}", "needs a port between 1 and 65535"},
    {"{\"address\": \"udp://x:65536\"}", "needs a port between 0 and 65535"},
    {"{\"address\": \"tcp://::1:80\"}", "in brackets"},
    {"{\"address\": \"unix://relative\"}", "no absolute path"},
    {"{\"address\": \"udp://:0\", \"framing\": \"length\"}", "every datagram is a message"},
    {"{\"address\": \"tcp-listen://:0\", \"length_bytes\": 3}", "must be 1, 2 or 4"},
    {"{\"address\": \"unix:///1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
     "901234567890123456789\"}", "at most 107 bytes"},
};

START_TEST(bad_addresses) {
  ck_assert_int_ne(fake_input(&host, &socket_input_transport, bad[_i].config), HW_OK);
  ck_assert_msg(strstr(host.error, bad[_i].message) != NULL, "%s", host.error);
}
END_TEST

START_TEST(an_address_in_use) {
  int port = 0, server = listen_somewhere(&port);
  char config[128];
  snprintf(config, sizeof config, "{\"address\": \"tcp-listen://127.0.0.1:%d\"}", port);
  ck_assert_int_eq(fake_input(&host, &socket_input_transport, config), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_ptr_nonnull(strstr(host.error, "Address already in use"));
  close(server);
}
END_TEST

static TCase *tcase(Suite *suite, const char *name) {
  TCase *tc = tcase_create(name);
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 20);
  suite_add_tcase(suite, tc);
  return tc;
}

int main(void) {
  Suite *suite = suite_create("socket_input");
  TCase *tc = tcase(suite, "listening");
  tcase_add_test(tc, takes_lines_from_a_client);
  tcase_add_test(tc, a_reset_client_is_not_complete);
  tcase_add_test(tc, serves_many_clients);
  tcase_add_test(tc, is_fair);
  tcase_add_test(tc, more_than_max_clients_wait);
  tcase_add_test(tc, nothing_is_read_while_held);
  tcase_add_test(tc, survives_want_of_room);
  tcase_add_test(tc, goes_on_when_descriptors_run_out);
  tcase_add_test(tc, a_client_that_cannot_be_followed_is_closed);
  tcase_add_test(tc, listens_on_ipv6);
  tc = tcase(suite, "length framing");
  tcase_add_loop_test(tc, length_framing_cut_anywhere, 0, 3);
  tcase_add_test(tc, length_framing_without_room);
  tcase_add_test(tc, messages_in_the_buffer_are_not_forgotten);
  tcase_add_test(tc, long_messages);
  tcase_add_test(tc, a_message_that_is_too_long_ends_its_client);
  tcase_add_test(tc, a_client_that_ends_within_a_message);
  tc = tcase(suite, "datagrams");
  tcase_add_test(tc, each_datagram_is_a_message);
  tcase_add_test(tc, datagrams_without_room);
  tcase_add_test(tc, drops_of_the_kernel_are_counted);
  tcase_add_test(tc, long_datagrams_are_dropped_and_counted);
  tcase_add_test(tc, unix_datagrams);
  tc = tcase(suite, "unix sockets");
  tcase_add_test(tc, unix_stream_and_its_file);
  tcase_add_test(tc, a_socket_left_behind_is_replaced);
  tcase_add_loop_test(tc, a_socket_in_use_and_other_files_are_not, 0, 2);
  tc = tcase(suite, "connecting");
  tcase_add_test(tc, connects_and_reconnects);
  tcase_add_test(tc, a_refused_connection_is_tried_again);
  tcase_add_test(tc, without_reconnect_the_end_is_the_end);
  tcase_add_test(tc, names_are_resolved_where_blocking_is_allowed);
  tcase_add_test(tc, connects_to_a_unix_socket);
  tc = tcase(suite, "addresses");
  tcase_add_loop_test(tc, bad_addresses, 0, sizeof bad / sizeof *bad);
  tcase_add_test(tc, an_address_in_use);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
