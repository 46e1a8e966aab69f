/* Files beneath a directory: what the file connectors, and file_root_open under
 * them, open and what they refuse, whatever names, links and renames say. */
#include "connectors/connectors.h"
#include "tests/fake_host.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static fake_host host;

#define OUT "leads out of the directory that --file-root confines files to"

static void make_dir(const char *name) { ck_assert_int_eq(mkdir(fake_path(name), 0755), 0); }

static void make_link(const char *target, const char *name) { ck_assert_int_eq(symlink(target, fake_path(name)), 0); }

/* root/: the directory; outside/: what nobody may reach. */
static void setup(void) {
  hw_error err;
  fake_host_init(&host, "x INT");
  make_dir("root");
  make_dir("root/sub");
  make_dir("outside");
  fake_write_file(fake_path("outside/secret"), "secret\n");
  fake_write_file(fake_path("root/a.csv"), "a\n");
  fake_write_file(fake_path("root/sub/b.csv"), "b\n");
  host.files = file_root_new(fake_path("root"), "--file-root", &err);
  ck_assert_msg(host.files != NULL, "%s", err.message);
}

static void teardown(void) {
  file_root *files = host.files;
  fake_host_fini(&host);
  file_root_free(files);
}

static const char *config_for(const char *path, const char *more) {
  static char text[512];
  snprintf(text, sizeof text, "{\"path\": \"%s\"%s}", path, more);
  return text;
}

static void check_reads(const char *path, const char *expected) {
  fake_start_input(&host, &file_input_transport, config_for(path, ""));
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  char *all = fake_all_bytes(&host);
  ck_assert_str_eq(all, expected);
  free(all);
}

static void check_input_refused(const char *path, const char *more) {
  ck_assert_int_eq(fake_input(&host, &file_input_transport, config_for(path, more)), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_msg(strstr(host.error, OUT) != NULL, "%s", host.error);
  ck_assert_msg(strstr(host.error, path) != NULL, "%s", host.error);
}

static void check_output_refused(const char *path) {
  ck_assert_int_eq(fake_output(&host, &file_output_transport, config_for(path, "")), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_msg(strstr(host.error, OUT) != NULL, "%s", host.error);
  ck_assert_msg(strstr(host.error, path) != NULL, "%s", host.error);
}

/* ---- what is let through --------------------------------------------------- */

START_TEST(relative_names_start_at_the_directory) { check_reads("a.csv", "a\n"); }
END_TEST
START_TEST(absolute_names_within) { check_reads(fake_path("root/sub/b.csv"), "b\n"); }
END_TEST
START_TEST(odd_spellings_within) { check_reads("sub//../sub/./b.csv", "b\n"); }
END_TEST
START_TEST(patterns_within) { check_reads("*.csv", "a\n"); }
END_TEST
START_TEST(absolute_patterns_within) { check_reads(fake_path("root/s*/*.csv"), "b\n"); }
END_TEST

START_TEST(links_within) {
  make_link("sub/b.csv", "root/link");
  check_reads("link", "b\n");
}
END_TEST

START_TEST(a_directory_known_by_a_link) {
  hw_error err;
  make_link("root", "alias");
  file_root_free(host.files);
  host.files = file_root_new(fake_path("alias"), "--file-root", &err);
  ck_assert_ptr_nonnull(host.files);
  check_reads(fake_path("alias/a.csv"), "a\n");
}
END_TEST

START_TEST(writes_within) {
  size_t written = 0;
  struct stat st;
  hw_error err;
  const hw_write_args args = {.struct_size = sizeof args, .may_block = true};
  fake_start_output(&host, &file_output_transport, config_for("sub/new", ""));
  ck_assert_int_eq(fake_write(&host, "row\n", 4, &written), HW_WRITE_OK);
  /* It brings the directory to disk, too. */
  ck_assert_int_eq(file_output_transport.ops->flush(host.instance, &args, &err), HW_WRITE_OK);
  ck_assert_int_eq(stat(fake_path("root/sub/new"), &st), 0);
  ck_assert_int_eq(st.st_size, 4);
}
END_TEST

static bool has_more(fake_host *h) { return h->n_streams == 1 && h->streams[0]->len == strlen("a\nmore\n"); }

START_TEST(follows_within) {
  host.timers_held = true; /* only the watch can wake it */
  fake_start_input(&host, &file_input_transport, config_for("*.csv", ", \"follow\": true"));
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_append_file(fake_path("root/a.csv"), "more\n");
  fake_run_until(&host, has_more);
}
END_TEST

/* ---- what is refused -------------------------------------------------------- */

START_TEST(absolute_names_outside) { check_input_refused("/etc/passwd", ""); }
END_TEST
START_TEST(dots) { check_input_refused("../outside/secret", ""); }
END_TEST
START_TEST(dots_in_the_middle) { check_input_refused("sub/../../outside/secret", ""); }
END_TEST
START_TEST(urls) {
  ck_assert_int_eq(fake_input(&host, &file_input_transport, "{\"path\": \"file:///etc/passwd\"}"), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_msg(strstr(host.error, OUT) != NULL, "%s", host.error);
}
END_TEST
START_TEST(patterns_outside) { check_input_refused("../outside/*", ""); }
END_TEST
START_TEST(followed_outside) { check_input_refused("../outside/secret", ", \"follow\": true"); }
END_TEST
START_TEST(followed_patterns_outside) { check_input_refused("/etc/*.conf", ", \"follow\": true"); }
END_TEST

START_TEST(a_neighbour_whose_name_begins_alike) {
  make_dir("rooted");
  fake_write_file(fake_path("rooted/x"), "x\n");
  check_input_refused(fake_path("rooted/x"), "");
}
END_TEST

START_TEST(links_outside) {
  make_link("../outside/secret", "root/link");
  check_input_refused("link", "");
}
END_TEST

START_TEST(links_to_absolute_names) {
  make_link(fake_path("outside"), "root/dir");
  check_input_refused("dir/secret", "");
}
END_TEST

START_TEST(magic_links) {
  make_link("/proc/self/root/etc/passwd", "root/magic");
  check_input_refused("magic", "");
}
END_TEST

/* Passed over in silence it would be missed by nobody. */
START_TEST(patterns_that_match_links_outside) {
  make_link("../outside/secret", "root/b.csv");
  ck_assert_int_eq(fake_input(&host, &file_input_transport, config_for("[ab].csv", "")), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_msg(strstr(host.error, "\"b.csv\": it " OUT) != NULL, "%s", host.error);
}
END_TEST

START_TEST(patterns_through_links_outside) {
  make_link("../outside", "root/dir");
  check_input_refused("dir/*", "");
}
END_TEST

START_TEST(outputs_outside) {
  check_output_refused("../outside/new");
  ck_assert_int_ne(access(fake_path("outside/new"), F_OK), 0);
}
END_TEST

START_TEST(outputs_through_links) {
  make_link("../outside/new", "root/link"); /* O_CREAT would make what the link names */
  check_output_refused("link");
  ck_assert_int_ne(access(fake_path("outside/new"), F_OK), 0);
}
END_TEST

START_TEST(outputs_over_what_is_outside) {
  make_link("../outside/secret", "root/link");
  check_output_refused("link");
  struct stat st;
  ck_assert_int_eq(stat(fake_path("outside/secret"), &st), 0);
  ck_assert_int_eq(st.st_size, 7);
}
END_TEST

START_TEST(a_link_that_appears_before_a_reopen) {
  bool restarted;
  hw_error err;
  fake_start_output(&host, &file_output_transport, config_for("log", ""));
  ck_assert_int_eq(unlink(fake_path("root/log")), 0);
  make_link("../outside/secret", "root/log");
  ck_assert_int_ne(file_output_transport.ops->reopen(host.instance, &restarted, &err), HW_OK);
  ck_assert_msg(strstr(err.message, OUT) != NULL, "%s", err.message);
}
END_TEST

/* ---- sockets with names in the file system ------------------------------------ */

static const char *address_for(const char *scheme, const char *path) {
  static char text[512];
  snprintf(text, sizeof text, "{\"address\": \"%s://%s\"}", scheme, path);
  return text;
}

static int dial(const char *path) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_ge(fd, 0);
  snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
  ck_assert_int_eq(connect(fd, (const void *)&un, sizeof un), 0);
  return fd;
}

static int await_at(const char *path) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ck_assert_int_ge(fd, 0);
  snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
  ck_assert_int_eq(bind(fd, (const void *)&un, sizeof un), 0);
  ck_assert_int_eq(listen(fd, 5), 0);
  return fd;
}

static bool has_row(fake_host *h) { return h->n_streams == 1 && h->streams[0]->len == 4; }

START_TEST(sockets_within) {
  struct stat st;
  fake_start_input(&host, &socket_input_transport, address_for("unix-listen", fake_path("root/sub/socket")));
  int fd = dial(fake_path("root/sub/socket"));
  ck_assert_int_eq(write(fd, "row\n", 4), 4);
  fake_run_until(&host, has_row);
  close(fd);
  file_root *files = host.files;
  fake_host_fini(&host);
  ck_assert_int_ne(lstat(fake_path("root/sub/socket"), &st), 0); /* it is taken away with the connector */
  fake_host_init(&host, "x INT");
  host.files = files;
}
END_TEST

START_TEST(stale_sockets_within) {
  close(await_at(fake_path("root/socket")));
  fake_start_input(&host, &socket_input_transport, address_for("unix-listen", fake_path("root/socket")));
  close(dial(fake_path("root/socket")));
}
END_TEST

START_TEST(sockets_outside) {
  struct stat st;
  make_link("../outside", "root/dir");
  static const char *const paths[] = {"outside/socket", "root/../outside/socket", "root/dir/socket"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    const char *config = address_for("unix-listen", fake_path(paths[i]));
    ck_assert_int_eq(fake_input(&host, &socket_input_transport, config), HW_OK);
    ck_assert_int_ne(fake_open(&host), HW_OK);
    ck_assert_msg(strstr(host.error, OUT) != NULL, "%s", host.error);
    ck_assert_int_ne(lstat(fake_path("outside/socket"), &st), 0);
    file_root *files = host.files;
    fake_host_fini(&host);
    fake_host_init(&host, "x INT");
    host.files = files;
  }
}
END_TEST

START_TEST(dialling_within) {
  int fd = await_at(fake_path("root/sub/socket"));
  make_link("sub/socket", "root/link");
  fake_start_input(&host, &socket_input_transport, address_for("unix", fake_path("root/link")));
  (void)fake_drain(&host);
  int peer = accept(fd, NULL, NULL);
  ck_assert_int_eq(write(peer, "row\n", 4), 4);
  fake_run_until(&host, has_row);
  close(peer);
  close(fd);
}
END_TEST

START_TEST(dialling_outside) {
  int fd = await_at(fake_path("outside/socket"));
  make_link("../outside/socket", "root/link");
  fake_start_input(&host, &socket_input_transport, address_for("unix", fake_path("root/link")));
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_RETRY);
  ck_assert_msg(strstr(host.error, OUT) != NULL, "%s", host.error);
  ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
  ck_assert_int_eq(accept(fd, NULL, NULL), -1);
  close(fd);
}
END_TEST

/* ---- races ------------------------------------------------------------------ */

static _Atomic bool flipping;

/* "swing" is a directory and a link to outside/ in turn. */
static void *flip(void *arg) {
  (void)arg;
  int dir = open(fake_path("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
  while (flipping) (void)!renameat2(dir, "swing", dir, "link", RENAME_EXCHANGE);
  close(dir);
  return NULL;
}

START_TEST(renames_in_mid_open) {
  char text[16];
  unsigned inside = 0, refused = 0;
  make_dir("root/swing");
  fake_write_file(fake_path("root/swing/secret"), "inside\n");
  make_link("../outside", "root/link");
  pthread_t thread;
  flipping = true;
  ck_assert_int_eq(pthread_create(&thread, NULL, flip, NULL), 0);
  while (inside < 2000 || refused < 100) {
    int fd = file_root_open(host.files, "swing/../swing/secret", O_RDONLY, 0);
    if (fd < 0) {
      ck_assert_msg(errno == EXDEV || errno == EAGAIN, "%s", strerror(errno));
      refused++;
      continue;
    }
    ck_assert_int_eq(read(fd, text, sizeof text), 7);
    ck_assert_int_eq(memcmp(text, "inside\n", 7), 0);
    close(fd);
    inside++;
  }
  flipping = false;
  pthread_join(thread, NULL);
}
END_TEST

/* ---- the directory itself ------------------------------------------------------ */

START_TEST(a_directory_that_does_not_exist) {
  hw_error err;
  ck_assert_ptr_null(file_root_new(fake_path("nowhere"), "--file-root", &err));
  ck_assert_ptr_nonnull(strstr(err.message, "--file-root: cannot open the directory"));
  ck_assert_ptr_null(file_root_new(fake_path("root/a.csv"), "--file-root", &err));
  ck_assert_ptr_nonnull(strstr(err.message, "Not a directory"));
}
END_TEST

static TCase *tcase(Suite *suite, const char *name) {
  TCase *tc = tcase_create(name);
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 30);
  suite_add_tcase(suite, tc);
  return tc;
}

int main(void) {
  Suite *suite = suite_create("confined files");
  TCase *tc = tcase(suite, "within");
  tcase_add_test(tc, relative_names_start_at_the_directory);
  tcase_add_test(tc, absolute_names_within);
  tcase_add_test(tc, odd_spellings_within);
  tcase_add_test(tc, patterns_within);
  tcase_add_test(tc, absolute_patterns_within);
  tcase_add_test(tc, links_within);
  tcase_add_test(tc, a_directory_known_by_a_link);
  tcase_add_test(tc, writes_within);
  tcase_add_test(tc, follows_within);
  tc = tcase(suite, "outside");
  tcase_add_test(tc, absolute_names_outside);
  tcase_add_test(tc, dots);
  tcase_add_test(tc, dots_in_the_middle);
  tcase_add_test(tc, urls);
  tcase_add_test(tc, patterns_outside);
  tcase_add_test(tc, followed_outside);
  tcase_add_test(tc, followed_patterns_outside);
  tcase_add_test(tc, a_neighbour_whose_name_begins_alike);
  tcase_add_test(tc, links_outside);
  tcase_add_test(tc, links_to_absolute_names);
  tcase_add_test(tc, magic_links);
  tcase_add_test(tc, patterns_that_match_links_outside);
  tcase_add_test(tc, patterns_through_links_outside);
  tcase_add_test(tc, outputs_outside);
  tcase_add_test(tc, outputs_through_links);
  tcase_add_test(tc, outputs_over_what_is_outside);
  tcase_add_test(tc, a_link_that_appears_before_a_reopen);
  tc = tcase(suite, "sockets");
  tcase_add_test(tc, sockets_within);
  tcase_add_test(tc, stale_sockets_within);
  tcase_add_test(tc, sockets_outside);
  tcase_add_test(tc, dialling_within);
  tcase_add_test(tc, dialling_outside);
  tc = tcase(suite, "races");
  tcase_add_test(tc, renames_in_mid_open);
  tc = tcase(suite, "the directory");
  tcase_add_test(tc, a_directory_that_does_not_exist);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
