/* The outputs: files, standard output, sockets, nothing. */
#include "connectors/connectors.h"
#include "runtime/batch.h"
#include "tests/fake_host.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static fake_host host;

static void setup(void) {
  signal(SIGPIPE, SIG_IGN);
  fake_host_init(&host, "x INT");
}
static void teardown(void) { fake_host_fini(&host); }

static size_t put(const char *text) {
  size_t written;
  ck_assert_int_eq(fake_write(&host, text, strlen(text), &written), HW_WRITE_OK);
  return written;
}

static hw_write flush(void) {
  hw_write_args args = {.struct_size = sizeof args, .may_block = true};
  hw_error err = {0};
  hw_write result = host.output->ops->flush(host.instance, &args, &err);
  snprintf(host.error, sizeof host.error, "%s", err.message);
  return result;
}

/* ---- file_output ------------------------------------------------------------ */

static const char *config_for(const char *path, const char *more) {
  static char text[512];
  snprintf(text, sizeof text, "{\"path\": \"%s\"%s}", path, more);
  return text;
}

static void start_file(const char *path, const char *more) {
  fake_start_output(&host, &file_output_transport, config_for(path, more));
}

static void check_file(const char *path, const char *expected) {
  char *text = fake_read_file(path);
  ck_assert_ptr_nonnull(text);
  ck_assert_str_eq(text, expected);
  free(text);
}

START_TEST(writes_a_file) {
  umask(022);
  start_file(fake_path("out"), "");
  put("one\n");
  put("two\n");
  ck_assert_int_eq(flush(), HW_WRITE_OK);
  check_file(fake_path("out"), "one\ntwo\n");
  struct stat st;
  ck_assert_int_eq(stat(fake_path("out"), &st), 0);
  ck_assert_uint_eq(st.st_mode & 0777, 0644);
}
END_TEST

START_TEST(starts_afresh) {
  fake_write_file(fake_path("out"), "old old old\n");
  start_file(fake_path("out"), "");
  put("new\n");
  check_file(fake_path("out"), "new\n");
}
END_TEST

START_TEST(appends) {
  fake_write_file(fake_path("out"), "old\n");
  start_file(fake_path("out"), ", \"append\": true, \"fsync\": \"never\"");
  put("new\n");
  ck_assert_int_eq(flush(), HW_WRITE_OK);
  check_file(fake_path("out"), "old\nnew\n");
}
END_TEST

START_TEST(takes_urls) {
  char url[256];
  snprintf(url, sizeof url, "file://%s", fake_path("a%20b"));
  start_file(url, "");
  put("x\n");
  check_file(fake_path("a b"), "x\n");
}
END_TEST

static void reopen(bool expected_restart) {
  hw_error err = {0};
  bool restarted = !expected_restart;
  ck_assert_int_eq(host.output->ops->reopen(host.instance, &restarted, &err), HW_OK);
  ck_assert_int_eq(restarted, expected_restart);
}

START_TEST(reopens) {
  start_file(fake_path("out"), "");
  put("one\n");
  ck_assert_int_eq(rename(fake_path("out"), fake_path("out.1")), 0);
  put("two\n");
  reopen(true);
  put("three\n");
  check_file(fake_path("out.1"), "one\ntwo\n");
  check_file(fake_path("out"), "three\n");
  reopen(false); /* nobody moved it: nothing is lost */
  put("four\n");
  check_file(fake_path("out"), "three\nfour\n");
}
END_TEST

START_TEST(a_failed_reopen_keeps_the_file) {
  ck_assert_int_eq(mkdir(fake_path("dir"), 0755), 0);
  start_file(fake_path("dir/out"), "");
  ck_assert_int_eq(rename(fake_path("dir"), fake_path("moved")), 0);
  hw_error err = {0};
  bool restarted = false;
  ck_assert_int_ne(host.output->ops->reopen(host.instance, &restarted, &err), HW_OK);
  ck_assert_ptr_nonnull(strstr(err.message, "does not exist"));
  put("one\n");
  check_file(fake_path("moved/out"), "one\n");
}
END_TEST

START_TEST(a_full_disk_is_waited_for) {
  size_t written;
  start_file("/dev/full", "");
  ck_assert_int_eq(fake_write(&host, "one\n", 4, &written), HW_WRITE_RETRY);
  ck_assert_uint_eq(written, 0);
  ck_assert_ptr_nonnull(strstr(host.error, "No space left on device"));
  ck_assert_ptr_nonnull(strstr(host.error, "/dev/full"));
}
END_TEST

/* A write that the kernel takes in part counts what it took. */
START_TEST(partial_writes_are_counted) {
  size_t written;
  signal(SIGXFSZ, SIG_IGN);
  start_file(fake_path("out"), "");
  setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 6, .rlim_max = RLIM_INFINITY});
  ck_assert_int_eq(fake_write(&host, "0123456789", 10, &written), HW_WRITE_FATAL);
  ck_assert_uint_eq(written, 6);
  check_file(fake_path("out"), "012345");
}
END_TEST

START_TEST(outputs_that_cannot_be_opened) {
  static const struct { const char *path, *message; } bad[] = {
      {"/nonexistent/dir/out", "the directory \"/nonexistent/dir\" does not exist"},
      {"/tmp", "Is a directory"},
  };
  ck_assert_int_eq(fake_output(&host, &file_output_transport, config_for(bad[_i].path, "")), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_msg(strstr(host.error, bad[_i].message) != NULL, "%s", host.error);
}
END_TEST

START_TEST(a_fifo_needs_a_reader) {
  size_t written;
  ck_assert_int_eq(mkfifo(fake_path("fifo"), 0600), 0);
  ck_assert_int_eq(fake_output(&host, &file_output_transport, config_for(fake_path("fifo"), "")), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_ptr_nonnull(strstr(host.error, "no process reads"));
  int fd = open(fake_path("fifo"), O_RDONLY | O_NONBLOCK);
  ck_assert_int_eq(fake_open(&host), HW_OK);
  static char much[1 << 20];
  hw_write result = fake_write_once(&host, much, sizeof much, &written);
  ck_assert_int_eq(result, HW_WRITE_WAIT);
  ck_assert_uint_gt(written, 0);
  ck_assert_int_eq(flush(), HW_WRITE_OK);
  close(fd);
}
END_TEST

/* ---- stdout_output ---------------------------------------------------------- */

static int saved_stdout;

static void become_stdout(int fd) {
  fflush(stdout);
  saved_stdout = dup(STDOUT_FILENO);
  ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
}

static void restore_stdout(void) { dup2(saved_stdout, STDOUT_FILENO); }

static void make_pair(bool sockets, int ends[2]) {
  if (sockets) ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  else ck_assert_int_eq(pipe(ends), 0);
}

/* _i: 0 a pipe, 1 a socket. Its reader is slow; nothing sleeps, nothing is lost. */
START_TEST(stdout_waits_for_its_reader) {
  int ends[2];
  static char data[1 << 20], got[1 << 20];
  for (size_t i = 0; i < sizeof data; i++) data[i] = (char)(i * 31);
  make_pair(_i, ends);
  become_stdout(ends[1]);
  fake_start_output(&host, &stdout_output_transport, "{}");
  size_t sent = 0, received = 0, n;
  while (received < sizeof data) {
    if (sent < sizeof data) {
      hw_write result = fake_write_once(&host, data + sent, sizeof data - sent, &n);
      sent += n;
      ck_assert(result == HW_WRITE_OK || result == HW_WRITE_WAIT);
    }
    ssize_t r = read(ends[0], got + received, 100000);
    ck_assert_int_gt(r, 0);
    received += (size_t)r;
  }
  restore_stdout();
  ck_assert_int_eq(memcmp(data, got, sizeof data), 0);
  ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); /* others share it */
}
END_TEST

START_TEST(stdout_without_a_reader) {
  int ends[2];
  size_t written;
  make_pair(_i, ends);
  become_stdout(ends[1]);
  fake_start_output(&host, &stdout_output_transport, "{}");
  close(ends[0]);
  hw_write result = fake_write(&host, "one\n", 4, &written);
  restore_stdout();
  ck_assert_int_eq(result, HW_WRITE_FATAL);
  ck_assert_str_eq(host.error, "standard output was closed");
}
END_TEST

START_TEST(stdout_to_a_file) {
  int fd = open(fake_path("out"), O_WRONLY | O_CREAT, 0644);
  ck_assert_int_eq(write(fd, "before\n", 7), 7);
  become_stdout(fd);
  fake_start_output(&host, &stdout_output_transport, "{}");
  put("one\n");
  restore_stdout();
  check_file(fake_path("out"), "before\none\n");
  ck_assert_uint_eq(host.blocks, 1); /* a file is written on a helper thread */
}
END_TEST

/* As the program leaves it when it was started with standard output closed. */
START_TEST(stdout_that_cannot_be_written) {
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  become_stdout(fd);
  ck_assert_int_eq(fake_output(&host, &stdout_output_transport, "{}"), HW_OK);
  hw_status status = fake_open(&host);
  restore_stdout();
  close(fd);
  ck_assert_int_eq(status, HW_EIO);
  ck_assert_ptr_nonnull(strstr(host.error, "closed, or open for reading only"));
}
END_TEST

START_TEST(stdout_that_is_closed) {
  fflush(stdout);
  saved_stdout = dup(STDOUT_FILENO);
  close(STDOUT_FILENO);
  ck_assert_int_eq(fake_output(&host, &stdout_output_transport, "{}"), HW_OK);
  hw_status status = fake_open(&host);
  restore_stdout();
  ck_assert_int_ne(status, HW_OK);
  ck_assert_ptr_nonnull(strstr(host.error, "standard output"));
}
END_TEST

/* ---- socket_output ---------------------------------------------------------- */

static int listen_tcp(int *port, int type) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof at;
  int on = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
  if (type == SOCK_STREAM) ck_assert_int_eq(listen(fd, 8), 0);
  ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &len), 0);
  *port = ntohs(at.sin_port);
  return fd;
}

static void start_socket(const char *scheme, int port, const char *more) {
  char config[256];
  snprintf(config, sizeof config, "{\"address\": \"%s://127.0.0.1:%d\"%s}", scheme, port, more);
  fake_start_output(&host, &socket_output_transport, config);
}

static void read_exactly(int fd, char *out, size_t len) {
  for (size_t n = 0; n < len;) {
    ssize_t r = recv(fd, out + n, len - n, 0);
    ck_assert_int_gt(r, 0);
    n += (size_t)r;
  }
  out[len] = 0;
}

START_TEST(sends_over_tcp) {
  char got[32];
  int port = 0, server = listen_tcp(&port, SOCK_STREAM);
  start_socket("tcp", port, "");
  put("one\ntwo\n");
  int fd = accept(server, NULL, NULL);
  read_exactly(fd, got, 8);
  ck_assert_str_eq(got, "one\ntwo\n");
  close(fd);
  close(server);
}
END_TEST

START_TEST(retries_until_somebody_listens) {
  size_t written;
  int port = 0, server = listen_tcp(&port, SOCK_STREAM);
  close(server);
  start_socket("tcp", port, "");
  ck_assert_int_eq(fake_write(&host, "one\n", 4, &written), HW_WRITE_RETRY);
  ck_assert_uint_eq(written, 0);
  ck_assert_ptr_nonnull(strstr(host.error, "Connection refused"));
  server = listen_tcp(&port, SOCK_STREAM);
  fake_now_ns += UINT64_C(1000000000);
  put("one\n");
  close(server);
}
END_TEST

/* Rows "<number> xxx...\n", so that every byte tells its row. */
static char *many_rows(size_t rows, size_t row_size) {
  char *text = malloc(rows * row_size + 1);
  for (size_t i = 0; i < rows; i++) {
    int n = snprintf(text + i * row_size, row_size, "%zu ", i);
    memset(text + i * row_size + n, 'x', row_size - (size_t)n - 1);
    text[(i + 1) * row_size - 1] = '\n';
  }
  text[rows * row_size] = 0;
  return text;
}

/* Lets the instance connect, with nothing to write yet. */
static int connect_output(int server) {
  size_t n = 0;
  hw_write_args args = {.struct_size = sizeof args};
  hw_error err;
  hw_write result = host.output->ops->write(host.instance, &args, "", 0, &n, &err);
  int fd = accept(server, NULL, NULL);
  if (result == HW_WRITE_WAIT) ck_assert(fake_wait(&host, 5000));
  return fd;
}

/* The first connection breaks in the middle of a row: the second one begins with
 * a whole row, and with the first that was not reported as written. */
static void check_break(const char *more, size_t unit) {
  size_t rows = 20000, size = 501, written = 0, n;
  char *text = many_rows(rows, size);
  char first[64];
  int port = 0, server = listen_tcp(&port, SOCK_STREAM);
  start_socket("tcp", port, more);
  int fd = connect_output(server);
  hw_write result;
  do { /* until the kernel's buffers are full */
    result = fake_write_once(&host, text + written, rows * size - written, &n);
    written += n;
  } while (result == HW_WRITE_OK);
  ck_assert_int_eq(result, HW_WRITE_WAIT);
  ck_assert_uint_eq(written % unit, 0);
  ck_assert_uint_lt(written, rows * size);
  close(fd); /* with unread bytes: a reset */
  do result = fake_write_once(&host, text + written, rows * size - written, &n), written += n;
  while (result == HW_WRITE_WAIT && fake_wait(&host, 5000));
  ck_assert_int_eq(result, HW_WRITE_RETRY);
  ck_assert_ptr_nonnull(strstr(host.error, "lost the connection"));
  fake_now_ns += UINT64_C(1000000000);
  size_t expected = written / size;
  fd = connect_output(server);
  ck_assert_int_eq(fake_write_once(&host, text + written, rows * size - written, &n), HW_WRITE_WAIT);
  read_exactly(fd, first, 10);
  ck_assert_uint_eq(strtoull(first, NULL, 10), expected);
  ck_assert_ptr_nonnull(strchr(first, ' '));
  close(fd);
  close(server);
  free(text);
}

START_TEST(a_cut_row_is_sent_again) { check_break("", 501); }
END_TEST
START_TEST(without_newlines_the_whole_buffer_is_sent_again) { check_break(", \"framing\": \"none\"", 20000 * 501); }
END_TEST

START_TEST(bytes_that_nobody_read_do_not_cost_the_last_rows) {
  char got[64];
  int port = 0, server = listen_tcp(&port, SOCK_STREAM);
  start_socket("tcp", port, "");
  put("one\n");
  int fd = accept(server, NULL, NULL);
  ck_assert_int_eq(send(fd, "hello\n", 6, 0), 6);
  put("two\n");
  fake_host_fini(&host);
  fake_host_init(&host, "x INT");
  read_exactly(fd, got, 8);
  ck_assert_str_eq(got, "one\ntwo\n");
  ck_assert_int_eq(recv(fd, got, 1, 0), 0);
  close(fd);
  close(server);
}
END_TEST

START_TEST(a_row_a_datagram) {
  char got[64];
  int port = 0, server = listen_tcp(&port, SOCK_DGRAM);
  start_socket("udp", port, "");
  put("one\n\ntwo\nlast");
  ck_assert_int_eq(recv(server, got, sizeof got, 0), 3);
  ck_assert_int_eq(memcmp(got, "one", 3), 0);
  ck_assert_int_eq(recv(server, got, sizeof got, 0), 3);
  ck_assert_int_eq(memcmp(got, "two", 3), 0);
  ck_assert_int_eq(recv(server, got, sizeof got, 0), 4);
  close(server);
}
END_TEST

START_TEST(a_row_too_long_for_a_datagram) {
  char got[64];
  int port = 0, server = listen_tcp(&port, SOCK_DGRAM);
  char *text = many_rows(1, 70000);
  start_socket("udp", port, "");
  put(text);
  put("one\n");
  ck_assert_int_eq(recv(server, got, sizeof got, 0), 3);
  ck_assert(fake_logged(&host, "does not fit a datagram"));
  free(text);
  close(server);
}
END_TEST

START_TEST(unix_datagrams_wait_for_room) {
  char config[256], got[64], line[32];
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  snprintf(at.sun_path, sizeof at.sun_path, "%s", fake_path("sock"));
  int server = socket(AF_UNIX, SOCK_DGRAM, 0);
  ck_assert_int_eq(bind(server, (struct sockaddr *)&at, sizeof at), 0);
  snprintf(config, sizeof config, "{\"address\": \"unixgram://%s\"}", at.sun_path);
  fake_start_output(&host, &socket_output_transport, config);
  char *text = many_rows(3000, 20);
  size_t sent = 0, n;
  for (int i = 0; i < 3000;) {
    if (sent < 60000) {
      hw_write result = fake_write_once(&host, text + sent, 60000 - sent, &n);
      ck_assert(result == HW_WRITE_OK || result == HW_WRITE_WAIT);
      sent += n;
    }
    while (recv(server, got, sizeof got, MSG_DONTWAIT) > 0) {
      snprintf(line, sizeof line, "%d ", i++);
      ck_assert_int_eq(strncmp(got, line, strlen(line)), 0);
    }
  }
  free(text);
  close(server);
}
END_TEST

START_TEST(bad_output_addresses) {
  static const struct { const char *config, *message; } bad[] = {
      {"{\"address\": \"tcp-listen://:9\"}", "is none of tcp://host:port, udp://host:port"},
      {"{\"address\": \"udp://:9\", \"framing\": \"none\"}", "a datagram takes one row"},
      {"{\"address\": \"tcp://:0\"}", "needs a port"},
  };
  ck_assert_int_ne(fake_output(&host, &socket_output_transport, bad[_i].config), HW_OK);
  ck_assert_msg(strstr(host.error, bad[_i].message) != NULL, "%s", host.error);
}
END_TEST

/* ---- null_output, empty_input ----------------------------------------------- */

START_TEST(nothing_takes_everything) {
  fake_start_output(&host, &null_output_transport, "{}");
  ck_assert_uint_eq(put("anything"), 8);
  ck_assert(host.output->capabilities & HW_CAP_ROWS);
  hw_write_args args = {.struct_size = sizeof args};
  hw_error err;
  ck_assert_int_eq(host.output->ops->take(host.instance, &args, NULL, &err), HW_WRITE_OK);
}
END_TEST

START_TEST(empty_is_at_its_end) {
  fake_start_input(&host, &empty_input_transport, "{}");
  ck_assert_int_eq(fake_fetch(&host), HW_FETCH_END);
  ck_assert_uint_eq(host.rows, 0);
}
END_TEST

START_TEST(every_transport_is_listed_once) {
  const char *names[32];
  size_t n = 0;
  for (size_t i = 0; connectors_inputs[i]; i++) {
    ck_assert_uint_eq(connectors_inputs[i]->struct_size, sizeof(hw_input_transport));
    ck_assert_str_ne(connectors_inputs[i]->summary, "");
    names[n++] = connectors_inputs[i]->name;
  }
  for (size_t i = 0; connectors_outputs[i]; i++) {
    ck_assert_uint_eq(connectors_outputs[i]->struct_size, sizeof(hw_output_transport));
    ck_assert_str_ne(connectors_outputs[i]->summary, "");
    names[n++] = connectors_outputs[i]->name;
  }
  ck_assert_uint_eq(n, 8);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < i; k++) ck_assert_str_ne(names[i], names[k]);
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
  Suite *suite = suite_create("outputs");
  TCase *tc = tcase(suite, "file_output");
  tcase_add_test(tc, writes_a_file);
  tcase_add_test(tc, starts_afresh);
  tcase_add_test(tc, appends);
  tcase_add_test(tc, takes_urls);
  tcase_add_test(tc, reopens);
  tcase_add_test(tc, a_failed_reopen_keeps_the_file);
  tcase_add_test(tc, a_full_disk_is_waited_for);
  tcase_add_test(tc, partial_writes_are_counted);
  tcase_add_loop_test(tc, outputs_that_cannot_be_opened, 0, 2);
  tcase_add_test(tc, a_fifo_needs_a_reader);
  tc = tcase(suite, "stdout_output");
  tcase_add_loop_test(tc, stdout_waits_for_its_reader, 0, 2);
  tcase_add_loop_test(tc, stdout_without_a_reader, 0, 2);
  tcase_add_test(tc, stdout_to_a_file);
  tcase_add_test(tc, stdout_that_is_closed);
  tcase_add_test(tc, stdout_that_cannot_be_written);
  tc = tcase(suite, "socket_output");
  tcase_add_test(tc, sends_over_tcp);
  tcase_add_test(tc, retries_until_somebody_listens);
  tcase_add_test(tc, a_cut_row_is_sent_again);
  tcase_add_test(tc, without_newlines_the_whole_buffer_is_sent_again);
  tcase_add_test(tc, bytes_that_nobody_read_do_not_cost_the_last_rows);
  tcase_add_test(tc, a_row_a_datagram);
  tcase_add_test(tc, a_row_too_long_for_a_datagram);
  tcase_add_test(tc, unix_datagrams_wait_for_room);
  tcase_add_loop_test(tc, bad_output_addresses, 0, 3);
  tc = tcase(suite, "others");
  tcase_add_test(tc, nothing_takes_everything);
  tcase_add_test(tc, empty_is_at_its_end);
  tcase_add_test(tc, every_transport_is_listed_once);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
