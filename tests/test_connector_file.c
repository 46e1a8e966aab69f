/* file_input without follow: paths, patterns, pipes, archives, faults. */
#include "connectors/connectors.h"
#include "tests/fake_host.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

static fake_host host;

static const char *config_for(const char *path, const char *more) {
  static char text[512];
  snprintf(text, sizeof text, "{\"path\": \"%s\"%s}", path, more);
  return text;
}

static void start(const char *path, const char *more) {
  fake_start_input(&host, &file_input_transport, config_for(path, more));
}

static void setup(void) { fake_host_init(&host, "x INT"); }
static void teardown(void) { fake_host_fini(&host); }

static void check_all(const char *expected) {
  char *all = fake_all_bytes(&host);
  ck_assert_str_eq(all, expected);
  free(all);
}

START_TEST(reads_a_file) {
  fake_write_file(fake_path("a"), "one\ntwo");
  start(fake_path("a"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("one\ntwo");
  ck_assert(host.streams[0]->closed && host.streams[0]->complete);
  ck_assert_str_eq(host.streams[0]->name, fake_path("a"));
  ck_assert_uint_eq(host.progress_done, 7);
  ck_assert_uint_eq(host.progress_total, 7);
}
END_TEST

/* A file that was just written is in the page cache: no helper thread is needed. */
START_TEST(does_not_block_on_cached_files) {
  char *text = calloc(1, 300001);
  memset(text, 'x', 300000);
  fake_write_file(fake_path("a"), text);
  free(text);
  start(fake_path("a"), "");
  ck_assert_int_eq(fake_fetch(&host), HW_FETCH_MORE);
  if (host.blocks) return; /* this file system cannot tell */
  host.never_block = true;
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_uint_eq(host.streams[0]->len, 300000);
}
END_TEST

START_TEST(keeps_to_its_turn) {
  char *text = calloc(1, 100001);
  memset(text, 'x', 100000);
  fake_write_file(fake_path("a"), text);
  free(text);
  host.max_bytes = 10000;
  start(fake_path("a"), ", \"buffer_size_bytes\": 400");
  ck_assert_int_eq(fake_fetch(&host), HW_FETCH_MORE);
  ck_assert_uint_gt(host.streams[0]->len, 5000);
  ck_assert_uint_lt(host.streams[0]->len, 10400);
}
END_TEST

START_TEST(survives_want_of_room) {
  char *text = calloc(1, 5001);
  for (int i = 0; i < 5000; i++) text[i] = (char)('a' + i % 26);
  fake_write_file(fake_path("a"), text);
  host.room_most = 7;
  host.refuse_every = 3;
  host.full_every = 5;
  start(fake_path("a"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all(text);
  free(text);
}
END_TEST

START_TEST(reads_patterns_in_order) {
  fake_write_file(fake_path("b.log"), "b\n");
  fake_write_file(fake_path("a.log"), "a\n");
  fake_write_file(fake_path("c.txt"), "c\n");
  ck_assert_int_eq(mkdir(fake_path("d.log"), 0755), 0);
  start(fake_path("*.log"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_uint_eq(host.n_streams, 2);
  check_all("a\nb\n");
  ck_assert_uint_eq(host.progress_total, 4);
}
END_TEST

START_TEST(reads_urls) {
  char url[256];
  fake_write_file(fake_path("a b*.log"), "star\n");
  fake_write_file(fake_path("a bc.log"), "other\n");
  snprintf(url, sizeof url, "file://%s", fake_path("a%20b%2A.log"));
  start(url, "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("star\n");
}
END_TEST

START_TEST(other_urls_are_refused_at_once) {
  static const char *const urls[] = {"http://example.org/a", "S3://bucket/a", "files:///a"};
  ck_assert_int_eq(fake_input(&host, &file_input_transport, config_for(urls[_i], "")), HW_EUNSUPPORTED);
  ck_assert_ptr_nonnull(strstr(host.error, urls[_i]));
  ck_assert_ptr_nonnull(strstr(host.error, "file://"));
}
END_TEST

START_TEST(a_file_with_wildcards_in_its_name_wins) {
  fake_write_file(fake_path("x[1]"), "brackets\n");
  fake_write_file(fake_path("x1"), "plain\n");
  start(fake_path("x[1]"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("brackets\n");
}
END_TEST

static void check_open_fails(const char *path, const char *message) {
  ck_assert_int_eq(fake_input(&host, &file_input_transport, config_for(path, "")), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_msg(strstr(host.error, message) && strstr(host.error, path), "%s", host.error);
}

START_TEST(missing_file) { check_open_fails("/nonexistent/file", "No such file or directory"); }
END_TEST
START_TEST(missing_match) { check_open_fails("/nonexistent/*.log", "no file matches"); }
END_TEST
START_TEST(directory) { check_open_fails("/tmp", "is a directory"); }
END_TEST

START_TEST(unreadable_file) {
  if (geteuid() == 0) return; /* may read everything */
  fake_write_file(fake_path("secret"), "x");
  ck_assert_int_eq(chmod(fake_path("secret"), 0), 0);
  check_open_fails(fake_path("secret"), "Permission denied");
}
END_TEST

static void check_create_fails(const char *config, const char *message) {
  ck_assert_int_ne(fake_input(&host, &file_input_transport, config), HW_OK);
  ck_assert_msg(strstr(host.error, message) != NULL, "%s", host.error);
}

START_TEST(foreign_host) { check_create_fails("{\"path\": \"file://example.org/x\"}", "another machine"); }
END_TEST
START_TEST(bad_escape) { check_create_fails("{\"path\": \"file:///x%zz\"}", "%XX"); }
END_TEST
START_TEST(followed_stdin) { check_create_fails("{\"path\": \"-\", \"follow\": true}", "cannot be followed"); }
END_TEST

START_TEST(a_file_that_vanished_does_not_stop_the_others) {
  fake_write_file(fake_path("a"), "a\n");
  fake_write_file(fake_path("b"), "b\n");
  fake_write_file(fake_path("c"), "c\n");
  start(fake_path("[abc]"), "");
  ck_assert_int_eq(unlink(fake_path("b")), 0);
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("a\nc\n");
  ck_assert(fake_logged(&host, "ERROR cannot open"));
}
END_TEST

/* ---- pipes ------------------------------------------------------------------ */

static bool has_first(fake_host *h) { return h->n_streams && h->streams[0]->len == 4; }

START_TEST(reads_standard_input) {
  int ends[2];
  ck_assert_int_eq(pipe(ends), 0);
  ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  close(ends[0]);
  start("-", "");
  host.never_block = true;
  ck_assert_int_eq(fake_fetch(&host), HW_FETCH_WAIT);
  ck_assert_int_eq(write(ends[1], "one\n", 4), 4);
  fake_run_until(&host, has_first);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_int_eq(write(ends[1], "two", 3), 3);
  close(ends[1]);
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("one\ntwo");
  ck_assert_str_eq(host.streams[0]->name, "stdin");
  ck_assert_int_eq(fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
}
END_TEST

START_TEST(reads_standard_input_from_where_it_stands) {
  char line[4];
  fake_write_file(fake_path("a"), "one\ntwo\n");
  int fd = open(fake_path("a"), O_RDONLY);
  ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
  ck_assert_int_eq(read(STDIN_FILENO, line, 4), 4);
  start("-", "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("two\n");
  ck_assert_uint_eq(host.streams[0]->offset, 4);
}
END_TEST

START_TEST(standard_input_has_one_reader) {
  fake_host other;
  start("-", "");
  fake_host_init(&other, "x INT");
  ck_assert_int_eq(fake_input(&other, &file_input_transport, "{\"path\": \"-\"}"), HW_OK);
  ck_assert_int_ne(fake_open(&other), HW_OK);
  ck_assert_ptr_nonnull(strstr(other.error, "another connector"));
  fake_host_fini(&other);
}
END_TEST

START_TEST(a_fifo_waits_for_its_writer) {
  ck_assert_int_eq(mkfifo(fake_path("fifo"), 0600), 0);
  start(fake_path("fifo"), "");
  ck_assert_int_eq(fake_fetch(&host), HW_FETCH_WAIT);
  int fd = open(fake_path("fifo"), O_WRONLY | O_NONBLOCK);
  ck_assert_int_ge(fd, 0);
  ck_assert_int_eq(write(fd, "one\n", 4), 4);
  fake_run_until(&host, has_first);
  close(fd);
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("one\n");
}
END_TEST

/* ---- archives --------------------------------------------------------------- */

static void write_bytes(const char *path, const void *data, size_t len, const char *mode) {
  FILE *f = fopen(path, mode);
  ck_assert_ptr_nonnull(f);
  ck_assert_uint_eq(fwrite(data, 1, len, f), len);
  fclose(f);
}

/* Lines "0\n" .. , about 400 KB, that compress, but not to nothing. */
static char *many_lines(void) {
  char *text = calloc(1, 1 << 20), *at = text;
  for (unsigned i = 0; i < 40000; i++) at += snprintf(at, 32, "%u %u\n", i, i * 2654435761u);
  return text;
}

static void append_gzip(const char *path, const char *text) {
  gzFile f = gzopen(path, "ab");
  ck_assert_int_eq(gzwrite(f, text, (unsigned)strlen(text)), (int)strlen(text));
  ck_assert_int_eq(gzclose(f), Z_OK);
}

static void append_zstd(const char *path, const char *text) {
  size_t most = ZSTD_compressBound(strlen(text));
  char *out = malloc(most);
  size_t n = ZSTD_compress(out, most, text, strlen(text), 3);
  ck_assert(!ZSTD_isError(n));
  write_bytes(path, out, n, "ab");
  free(out);
}

typedef void append_function(const char *path, const char *text);
static append_function *const appenders[] = {append_gzip, append_zstd};

START_TEST(unpacks) {
  char *text = many_lines();
  appenders[_i](fake_path("a"), text);
  host.room_most = 1000;
  host.full_every = 7;
  start(fake_path("a"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all(text);
  ck_assert(host.streams[0]->complete);
  ck_assert_uint_eq(host.n_errors, 0);
  ck_assert_uint_eq(host.progress_done, host.progress_total);
  ck_assert_uint_lt(host.progress_total, strlen(text));
  free(text);
}
END_TEST

START_TEST(unpacks_archives_in_a_row) {
  appenders[_i](fake_path("a"), "one\n");
  appenders[_i](fake_path("a"), "");
  appenders[_i](fake_path("a"), "two\n");
  start(fake_path("a"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("one\ntwo\n");
  ck_assert_uint_eq(host.n_errors, 0);
}
END_TEST

START_TEST(a_cut_archive_gives_what_it_has) {
  char *text = many_lines();
  appenders[_i](fake_path("a"), text);
  struct stat st;
  ck_assert_int_eq(stat(fake_path("a"), &st), 0);
  ck_assert_int_eq(truncate(fake_path("a"), st.st_size / 2), 0);
  fake_write_file(fake_path("b"), "next\n");
  start(fake_path("[ab]"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_uint_eq(host.n_streams, 2);
  ck_assert_uint_gt(host.streams[0]->len, 1000);
  ck_assert_int_eq(memcmp(host.streams[0]->data, text, host.streams[0]->len), 0);
  ck_assert(!host.streams[0]->complete);
  ck_assert_str_eq(host.streams[1]->data, "next\n");
  ck_assert(fake_logged(&host, "is cut off"));
  ck_assert(fake_logged(&host, fake_path("a")));
  free(text);
}
END_TEST

START_TEST(a_damaged_archive_gives_what_it_has) {
  char *text = many_lines();
  appenders[_i](fake_path("a"), text);
  int fd = open(fake_path("a"), O_WRONLY);
  ck_assert_int_eq(pwrite(fd, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16, 120000), 16);
  close(fd);
  fake_write_file(fake_path("b"), "next\n");
  start(fake_path("[ab]"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert(!host.streams[0]->complete);
  ck_assert_uint_gt(host.streams[0]->len, 1000);
  ck_assert_str_eq(host.streams[1]->data, "next\n");
  ck_assert(fake_logged(&host, "is damaged near offset"));
  free(text);
}
END_TEST

START_TEST(unpacks_from_a_pipe) {
  int ends[2];
  appenders[_i](fake_path("a"), "from a pipe\n");
  char *packed = fake_read_file(fake_path("a"));
  struct stat st;
  ck_assert_int_eq(stat(fake_path("a"), &st), 0);
  ck_assert_int_eq(pipe(ends), 0);
  ck_assert_int_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
  start("-", "");
  for (off_t i = 0; i < st.st_size; i++) { /* a byte at a time */
    ck_assert_int_eq(write(ends[1], packed + i, 1), 1);
    ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  }
  close(ends[1]);
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("from a pipe\n");
  ck_assert(host.streams[0]->complete);
  free(packed);
}
END_TEST

START_TEST(zero_padding_behind_gzip_is_ignored) {
  append_gzip(fake_path("a"), "one\n");
  write_bytes(fake_path("a"), (char[600]){0}, 600, "ab");
  start(fake_path("a"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all("one\n");
  ck_assert_uint_eq(host.n_errors, 0);
}
END_TEST

START_TEST(none_reads_an_archive_as_it_is) {
  append_gzip(fake_path("a"), "one\n");
  start(fake_path("a"), ", \"compression\": \"none\"");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_int_eq(memcmp(host.streams[0]->data, "\x1f\x8b\x08", 3), 0);
}
END_TEST

static const char *const packed_settings[] = {", \"compression\": \"gzip\"", ", \"compression\": \"zstd\""};
static const char *const refusals[] = {"cannot be unpacked: it is no gzip archive",
                                       "cannot be unpacked: it is no zstd archive"};

/* Which is no damage. */
START_TEST(what_is_no_archive_is_refused) {
  fake_write_file(fake_path("a"), "plain text\n");
  start(fake_path("a"), packed_settings[_i]);
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_uint_eq(host.streams[0]->len, 0);
  ck_assert(fake_logged(&host, refusals[_i]));
  ck_assert(!fake_logged(&host, "damaged"));
}
END_TEST

/* An empty frame, as `zstd --long=31` begins one. */
START_TEST(a_window_too_large_names_its_limit) {
  write_bytes(fake_path("a"), "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9, "wb");
  start(fake_path("a"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert(fake_logged(&host, "cannot be unpacked: its window is larger than 128 MiB"));
  ck_assert(!fake_logged(&host, "damaged"));
}
END_TEST

/* Files that begin like an archive and end before that is certain. */
START_TEST(short_files_are_plain) {
  static const char *const texts[] = {"", "\x1f", "\x1f\x8b", "(", "\x28\xb5\x2f", "P", "a"};
  fake_write_file(fake_path("a"), texts[_i]);
  start(fake_path("a"), "");
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  check_all(texts[_i]);
  ck_assert_uint_eq(host.n_errors, 0);
}
END_TEST

START_TEST(what_cannot_be_parsed_ends_its_file_only) {
  fake_write_file(fake_path("a"), "a\n");
  fake_write_file(fake_path("b"), "b\n");
  start(fake_path("[ab]"), "");
  host.parse_error = true;
  ck_assert_int_eq(fake_run(&host), HW_FETCH_END);
  ck_assert_uint_eq(host.n_streams, 2);
  ck_assert(host.streams[0]->closed && !host.streams[0]->complete);
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
  Suite *suite = suite_create("file_input");
  TCase *tc = tcase(suite, "paths");
  tcase_add_test(tc, reads_a_file);
  tcase_add_test(tc, does_not_block_on_cached_files);
  tcase_add_test(tc, keeps_to_its_turn);
  tcase_add_test(tc, survives_want_of_room);
  tcase_add_test(tc, reads_patterns_in_order);
  tcase_add_test(tc, reads_urls);
  tcase_add_loop_test(tc, other_urls_are_refused_at_once, 0, 3);
  tcase_add_test(tc, a_file_with_wildcards_in_its_name_wins);
  tc = tcase(suite, "faults");
  tcase_add_test(tc, missing_file);
  tcase_add_test(tc, missing_match);
  tcase_add_test(tc, directory);
  tcase_add_test(tc, unreadable_file);
  tcase_add_test(tc, foreign_host);
  tcase_add_test(tc, bad_escape);
  tcase_add_test(tc, followed_stdin);
  tcase_add_test(tc, a_file_that_vanished_does_not_stop_the_others);
  tcase_add_test(tc, what_cannot_be_parsed_ends_its_file_only);
  tc = tcase(suite, "pipes");
  tcase_add_test(tc, reads_standard_input);
  tcase_add_test(tc, reads_standard_input_from_where_it_stands);
  tcase_add_test(tc, standard_input_has_one_reader);
  tcase_add_test(tc, a_fifo_waits_for_its_writer);
  tc = tcase(suite, "archives");
  tcase_add_loop_test(tc, unpacks, 0, 2);
  tcase_add_loop_test(tc, unpacks_archives_in_a_row, 0, 2);
  tcase_add_loop_test(tc, a_cut_archive_gives_what_it_has, 0, 2);
  tcase_add_loop_test(tc, a_damaged_archive_gives_what_it_has, 0, 2);
  tcase_add_loop_test(tc, unpacks_from_a_pipe, 0, 2);
  tcase_add_test(tc, zero_padding_behind_gzip_is_ignored);
  tcase_add_test(tc, none_reads_an_archive_as_it_is);
  tcase_add_loop_test(tc, what_is_no_archive_is_refused, 0, 2);
  tcase_add_test(tc, a_window_too_large_names_its_limit);
  tcase_add_loop_test(tc, short_files_are_plain, 0, 7);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
