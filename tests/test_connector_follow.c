/* file_input with follow: growth, rotation, cutting, new files. */
#include "connectors/connectors.h"
#include "connectors/filewatch.h"
#include "tests/fake_host.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static fake_host host, teller;
static filewatch *told;
static int told_dir;
static const char *awaited;
static unsigned awaited_streams;

/* Nothing here may depend on polling: the timers stand still. */
static void setup(void) {
  fake_host_init(&host, "x INT");
  host.timers_held = true;
  fake_host_init(&teller, "x INT");
  teller.timers_held = true;
  ck_assert_int_eq(fake_input(&teller, &empty_input_transport, "{}"), HW_OK);
  ck_assert_int_eq(mkdir(fake_path("told.d"), 0700), 0);
  told_dir = open(fake_path("told.d"), O_RDONLY | O_DIRECTORY);
  ck_assert_int_ge(told_dir, 0);
  told = filewatch_add(teller.c, told_dir, FILEWATCH_DIR);
  ck_assert_ptr_nonnull(told);
}
static void teardown(void) {
  filewatch_remove(told);
  close(told_dir);
  fake_host_fini(&teller);
  fake_host_fini(&host);
}

/* What happened to files before has been told: one thread tells of all, in their order. */
static void changes_are_told(void) {
  static unsigned n;
  char name[32];
  snprintf(name, sizeof name, "told.d/%u", n++);
  fake_write_file(fake_path(name), "");
  while (!filewatch_take(told)) ck_assert(fake_wait(&teller, 5000));
}

static void start(const char *path) {
  char config[256];
  snprintf(config, sizeof config, "{\"path\": \"%s\", \"follow\": true}", path);
  fake_start_input(&host, &file_input_transport, config);
}

static bool has_bytes(fake_host *h) {
  char *all = fake_all_bytes(h);
  bool same = strcmp(all, awaited) == 0;
  free(all);
  return same;
}

static bool has_streams(fake_host *h) { return h->n_streams == awaited_streams; }

static void await(const char *bytes) {
  awaited = bytes;
  fake_run_until(&host, has_bytes);
}

/* Time passes: what waits for silence or polls goes on. */
static void let_time_pass(uint64_t seconds) {
  changes_are_told();
  fake_now_ns += seconds * UINT64_C(1000000000);
  host.timer = false;
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
}

START_TEST(reads_on_as_a_file_grows) {
  fake_write_file(fake_path("a"), "one\ntw");
  start(fake_path("a"));
  await("one\ntw");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_append_file(fake_path("a"), "o\n");
  await("one\ntwo\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_uint_eq(host.n_streams, 1);
  ck_assert(!host.streams[0]->closed);
  ck_assert_uint_eq(host.progress_done, 8);
}
END_TEST

START_TEST(an_unfinished_line_is_kept_waiting) {
  fake_write_file(fake_path("a"), "half");
  start(fake_path("a"));
  await("half");
  let_time_pass(3600);
  ck_assert(!host.streams[0]->closed);
}
END_TEST

START_TEST(idles_without_a_timer_below_a_minute) {
  fake_write_file(fake_path("a"), "one\n");
  start(fake_path("a"));
  await("one\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert(host.timer);
  ck_assert_uint_ge(host.timer_ns - fake_now_ns, UINT64_C(59000000000));
}
END_TEST

START_TEST(survives_rotation_by_rename) {
  fake_write_file(fake_path("a"), "one\n");
  start(fake_path("a"));
  await("one\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_append_file(fake_path("a"), "two\n"); /* not seen before the rename */
  ck_assert_int_eq(rename(fake_path("a"), fake_path("a.1")), 0);
  fake_append_file(fake_path("a.1"), "late\n"); /* the writer has not noticed */
  fake_write_file(fake_path("a"), "new\n");
  await("one\ntwo\nlate\nnew\n");
  ck_assert_uint_eq(host.n_streams, 2);
  fake_append_file(fake_path("a.1"), "later\n");
  fake_append_file(fake_path("a"), "newer\n");
  await("one\ntwo\nlate\nlater\nnew\nnewer\n");
  ck_assert(!host.streams[0]->closed);
  let_time_pass(6);
  ck_assert(host.streams[0]->closed && host.streams[0]->complete);
  ck_assert(!host.streams[1]->closed);
  ck_assert_uint_eq(host.n_errors, 0);
}
END_TEST

START_TEST(many_rotations_lose_and_repeat_nothing) {
  char expected[4096] = "", line[32], old[64];
  fake_write_file(fake_path("a"), "");
  start(fake_path("a"));
  for (int i = 0; i < 20; i++) {
    snprintf(line, sizeof line, "line %d\n", i);
    strncat(expected, line, sizeof expected - strlen(expected) - 1);
    fake_append_file(fake_path("a"), line);
    snprintf(old, sizeof old, "old.%d", i);
    ck_assert_int_eq(rename(fake_path("a"), fake_path(old)), 0);
    fake_write_file(fake_path("a"), "");
    awaited_streams = (unsigned)i + 2;
    fake_run_until(&host, has_streams);
    let_time_pass(1); /* the last five are still open */
  }
  await(expected);
  ck_assert_uint_eq(host.n_streams, 21);
}
END_TEST

static void rotate(const char *old, const char *text) {
  ck_assert_int_eq(rename(fake_path("a"), fake_path(old)), 0);
  fake_write_file(fake_path("a"), text);
}

/* The directory tells, and the runtime lets it look, as it does while a connector is held. */
static void notice_while_held(void) {
  changes_are_told();
  ck_assert(fake_wait(&host, 0));
  fake_attend(&host);
}

START_TEST(rotations_while_it_is_held_lose_nothing) {
  fake_write_file(fake_path("a"), "0\n");
  start(fake_path("a"));
  await("0\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_append_file(fake_path("a"), "1\n");
  rotate("a.1", "2\n");
  notice_while_held();
  rotate("a.2", "3\n");
  notice_while_held();
  rotate("a.3", "4\n");
  notice_while_held();
  ck_assert_uint_eq(host.n_streams, 1);
  fake_append_file(fake_path("a.2"), "late\n"); /* of a file that is not read yet */
  let_time_pass(3600);
  await("0\n1\n2\nlate\n3\n4\n");
  ck_assert_uint_eq(host.n_errors, 0);
}
END_TEST

/* None of them is read before the first: the room is refused. */
START_TEST(rotations_while_it_lags_lose_nothing) {
  fake_write_file(fake_path("a"), "0\n");
  start(fake_path("a"));
  host.refuse_every = 1;
  for (int i = 1; i <= 3; i++) {
    char old[16], text[16];
    snprintf(old, sizeof old, "a.%d", i);
    snprintf(text, sizeof text, "%d\n", i);
    rotate(old, text);
    changes_are_told();
    ck_assert(fake_wait(&host, 0));
    ck_assert_int_eq(fake_fetch(&host), HW_FETCH_MORE);
  }
  host.refuse_every = 0;
  await("0\n1\n2\n3\n");
}
END_TEST

START_TEST(what_comes_back_late_to_a_rotated_file_is_read) {
  fake_write_file(fake_path("a"), "0\n");
  start(fake_path("a"));
  rotate("a.1", "1\n");
  notice_while_held();
  rotate("a.2", "2\n");
  notice_while_held();
  await("0\n1\n2\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_append_file(fake_path("a.2"), "late\n"); /* its own watch tells, not that of its name */
  await("0\n1\nlate\n2\n");
}
END_TEST

/* No more descriptors than the bound; what goes away unread beyond it is told. */
START_TEST(files_kept_open_are_bounded) {
  char expected[8192];
  size_t len = 0;
  fake_write_file(fake_path("a"), "");
  start(fake_path("a"));
  for (int i = 0; i < 300; i++) {
    char old[16], text[16];
    snprintf(old, sizeof old, "a.%d", i);
    snprintf(text, sizeof text, "%d\n", i);
    rotate(old, text);
    notice_while_held();
    if (i < 256 || i == 299) len += (size_t)snprintf(expected + len, sizeof expected - len, "%s", text);
  }
  ck_assert_uint_eq(host.n_errors, 43);
  ck_assert(fake_logged(&host, "256 files before it were waiting to be read"));
  await(expected);
}
END_TEST

START_TEST(a_file_that_could_not_be_opened_and_went_is_told) {
  fake_write_file(fake_path("a"), "0\n");
  start(fake_path("a"));
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  struct rlimit limit, none;
  ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
  rotate("a.1", "1\n");
  changes_are_told();
  ck_assert(fake_wait(&host, 0));
  int next = dup(0);
  close(next);
  none = (struct rlimit){.rlim_cur = (rlim_t)next + 1, .rlim_max = limit.rlim_max}; /* one: to look, not to open */
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
  fake_attend(&host);
  ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  rotate("a.2", "2\n");
  notice_while_held();
  await("0\n2\n");
  ck_assert(fake_logged(&host, "/a\" was renamed or deleted before it could be opened (Too many open files)"));
  ck_assert_uint_eq(host.n_errors, 1);
}
END_TEST

START_TEST(survives_rotation_by_truncation) {
  fake_write_file(fake_path("a"), "a long first line\n");
  start(fake_path("a"));
  await("a long first line\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_write_file(fake_path("a"), "new\n"); /* "w" cuts it */
  await("a long first line\nnew\n");
  ck_assert_uint_eq(host.n_streams, 2);
  ck_assert_uint_eq(host.streams[1]->offset, 0);
  ck_assert(fake_logged(&host, "was cut at offset 18"));
}
END_TEST

START_TEST(picks_up_new_files) {
  fake_write_file(fake_path("a.log"), "a\n");
  start(fake_path("*.log"));
  await("a\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_write_file(fake_path("b.log"), "b\n");
  await("a\nb\n");
  fake_write_file(fake_path("other"), "no\n");
  fake_append_file(fake_path("b.log"), "b2\n");
  fake_append_file(fake_path("a.log"), "a2\n");
  await("a\na2\nb\nb2\n");
  ck_assert_uint_eq(host.n_streams, 2);
}
END_TEST

/* What was read under one name is not read again under another. */
START_TEST(a_name_that_still_matches_is_no_new_file) {
  fake_write_file(fake_path("x.log"), "one\n");
  start(fake_path("x*"));
  await("one\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_int_eq(rename(fake_path("x.log"), fake_path("x.log.1")), 0);
  fake_write_file(fake_path("x.log"), "two\n");
  await("one\ntwo\n");
  fake_append_file(fake_path("x.log.1"), "late\n");
  await("one\nlate\ntwo\n");
  let_time_pass(60);
  ck_assert(!host.streams[0]->closed);
}
END_TEST

START_TEST(a_deleted_file_ends_after_a_while) {
  fake_write_file(fake_path("a"), "one\nlast");
  fake_write_file(fake_path("b"), "");
  start(fake_path("[ab]"));
  await("one\nlast");
  ck_assert_int_eq(unlink(fake_path("a")), 0);
  changes_are_told();
  ck_assert(fake_wait(&host, 0)); /* the directory says so */
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert(!host.streams[0]->closed);
  let_time_pass(6);
  ck_assert(host.streams[0]->closed && host.streams[0]->complete);
  fake_append_file(fake_path("b"), "on\n");
  await("one\nlaston\n");
}
END_TEST

START_TEST(follows_a_growing_archive) {
  gzFile f = gzopen(fake_path("a.gz"), "wb");
  gzputs(f, "one\n");
  gzclose(f);
  start(fake_path("a.gz"));
  await("one\n");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  f = gzopen(fake_path("a.gz"), "ab");
  gzputs(f, "two\n");
  gzclose(f);
  await("one\ntwo\n");
}
END_TEST

START_TEST(a_fifo_gets_writer_after_writer) {
  ck_assert_int_eq(mkfifo(fake_path("fifo"), 0600), 0);
  start(fake_path("fifo"));
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  static const char *const texts[] = {"one\n", "one\ntwo\n", "one\ntwo\nthree\n"};
  size_t done = 0;
  for (unsigned i = 0; i < 3; i++) {
    int fd = open(fake_path("fifo"), O_WRONLY | O_NONBLOCK);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, texts[i] + done, strlen(texts[i]) - done), (int)(strlen(texts[i]) - done));
    done = strlen(texts[i]);
    close(fd);
    await(texts[i]);
    ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  }
  ck_assert_uint_eq(host.n_streams, 1);
}
END_TEST

START_TEST(a_device_at_its_end_is_left_alone) {
  start("/dev/null");
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
}
END_TEST

/* Two connectors on one file share the kernel's watch. */
START_TEST(two_follow_one_file) {
  fake_host other;
  fake_host_init(&other, "x INT");
  other.timers_held = true;
  char config[256];
  fake_write_file(fake_path("a"), "");
  snprintf(config, sizeof config, "{\"path\": \"%s\", \"follow\": true}", fake_path("a"));
  start(fake_path("a"));
  fake_start_input(&other, &file_input_transport, config);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  ck_assert_int_eq(fake_drain(&other), HW_FETCH_WAIT);
  fake_append_file(fake_path("a"), "one\n");
  await("one\n");
  fake_run_until(&other, has_bytes);
  fake_host_fini(&other);
  fake_append_file(fake_path("a"), "two\n");
  await("one\ntwo\n");
}
END_TEST

START_TEST(many_files) {
  char name[32];
  for (int i = 0; i < 200; i++) {
    snprintf(name, sizeof name, "f%03d", i);
    fake_write_file(fake_path(name), "");
  }
  start(fake_path("f*"));
  awaited_streams = 200;
  fake_run_until(&host, has_streams);
  ck_assert_int_eq(fake_drain(&host), HW_FETCH_WAIT);
  fake_append_file(fake_path("f123"), "x\n");
  await("x\n");
  ck_assert_str_eq(fake_stream_named(&host, fake_path("f123"))->data, "x\n");
}
END_TEST

START_TEST(a_missing_file_is_an_error) {
  ck_assert_int_eq(fake_input(&host, &file_input_transport, "{\"path\": \"/nonexistent/x\", \"follow\": true}"), HW_OK);
  ck_assert_int_ne(fake_open(&host), HW_OK);
  ck_assert_ptr_nonnull(strstr(host.error, "/nonexistent/x"));
}
END_TEST

START_TEST(the_turn_goes_round) {
  char *text = calloc(1, 30001);
  memset(text, 'x', 30000);
  fake_write_file(fake_path("a"), text);
  fake_write_file(fake_path("b"), "b\n");
  free(text);
  host.room_most = 1000;
  host.max_bytes = 9000;
  start(fake_path("[ab]"));
  ck_assert_int_eq(fake_fetch(&host), HW_FETCH_MORE);
  ck_assert_uint_lt(host.streams[0]->len, 30000);
  ck_assert_int_eq(fake_fetch(&host), HW_FETCH_MORE);
  ck_assert_uint_eq(host.streams[1]->len, 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("file_input follow");
  TCase *tc = tcase_create("follow");
  tcase_add_checked_fixture(tc, setup, teardown);
  tcase_set_timeout(tc, 20);
  suite_add_tcase(suite, tc);
  tcase_add_test(tc, reads_on_as_a_file_grows);
  tcase_add_test(tc, an_unfinished_line_is_kept_waiting);
  tcase_add_test(tc, idles_without_a_timer_below_a_minute);
  tcase_add_test(tc, survives_rotation_by_rename);
  tcase_add_test(tc, many_rotations_lose_and_repeat_nothing);
  tcase_add_test(tc, rotations_while_it_is_held_lose_nothing);
  tcase_add_test(tc, rotations_while_it_lags_lose_nothing);
  tcase_add_test(tc, what_comes_back_late_to_a_rotated_file_is_read);
  tcase_add_test(tc, files_kept_open_are_bounded);
  tcase_add_test(tc, a_file_that_could_not_be_opened_and_went_is_told);
  tcase_add_test(tc, survives_rotation_by_truncation);
  tcase_add_test(tc, picks_up_new_files);
  tcase_add_test(tc, a_name_that_still_matches_is_no_new_file);
  tcase_add_test(tc, a_deleted_file_ends_after_a_while);
  tcase_add_test(tc, follows_a_growing_archive);
  tcase_add_test(tc, a_fifo_gets_writer_after_writer);
  tcase_add_test(tc, a_device_at_its_end_is_left_alone);
  tcase_add_test(tc, two_follow_one_file);
  tcase_add_test(tc, many_files);
  tcase_add_test(tc, a_missing_file_is_an_error);
  tcase_add_test(tc, the_turn_goes_round);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_NORMAL);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
