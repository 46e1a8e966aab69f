/* The log of a pipeline: bounded, read at any pace, and what was lost is told. */
#include "engine/logbook.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char text[2 * LOGBOOK_BYTES];

/* Everything from *at on. */
static size_t read_all(logbook *book, logbook_place *at, uint64_t *lost) {
  size_t len = 0, n;
  uint64_t more;
  *lost = 0;
  while ((n = logbook_read(book, at, text + len, 2 * LOGBOOK_LINE_BYTES, &more))) {
    len += n;
    *lost += more;
  }
  *lost += more;
  text[len] = '\0';
  return len;
}

static unsigned count_lines(void) {
  unsigned n = 0;
  const char *end = text + strlen(text);
  for (const char *at = text; (at = memchr(at, '\n', (size_t)(end - at))); at++) n++;
  return n;
}

START_TEST(lines_in_order) {
  logbook *book = logbook_new();
  logbook_place at = {0};
  uint64_t lost;
  ck_assert_uint_eq(read_all(book, &at, &lost), 0);
  logbook_add(book, HW_LOG_INFO, "one");
  logbook_add(book, HW_LOG_ERROR, "two");
  read_all(book, &at, &lost);
  ck_assert_uint_eq(lost, 0);
  ck_assert_uint_eq(count_lines(), 2);
  char *second = strchr(text, '\n') + 1;
  ck_assert(strstr(text, "Z  INFO one\n") && strstr(text, "Z  INFO one\n") < second);
  ck_assert_ptr_nonnull(strstr(second, "Z ERROR two\n"));
  ck_assert_uint_eq(read_all(book, &at, &lost), 0);
  logbook_add(book, HW_LOG_WARNING, "three");
  read_all(book, &at, &lost);
  ck_assert_uint_eq(count_lines(), 1);
  ck_assert_ptr_nonnull(strstr(text, " three\n"));
  ck_assert_uint_eq(logbook_lines(book), 3);
  logbook_free(book);
}
END_TEST

/* The oldest go first; whoever has not read them is told how many. */
START_TEST(bounded) {
  enum { LINES = 60000 };
  logbook *book = logbook_new();
  logbook_place at = {0}, late = {0};
  uint64_t lost;
  char line[32];
  for (unsigned i = 0; i < LINES; i++) {
    snprintf(line, sizeof line, "line %u", i);
    logbook_add(book, HW_LOG_INFO, line);
    if (i == 9) read_all(book, &at, &lost);
  }
  size_t len = read_all(book, &at, &lost);
  unsigned kept = count_lines();
  ck_assert_uint_le(len, LOGBOOK_BYTES);
  ck_assert_uint_gt(len, LOGBOOK_BYTES - 100);
  ck_assert_uint_le(kept, 50000);
  ck_assert_uint_eq(lost + kept, LINES - 10);
  snprintf(line, sizeof line, " line %u\n", LINES - kept);
  ck_assert_ptr_nonnull(strstr(text, line));
  ck_assert(strstr(text, line) < strchr(text, '\n') + 1);
  ck_assert_uint_eq(logbook_skip_lost(book, &late), LINES - kept);
  ck_assert_uint_eq(logbook_skip_lost(book, &late), 0);
  read_all(book, &late, &lost);
  ck_assert_uint_eq(lost, 0);
  ck_assert_uint_eq(count_lines(), kept);
  logbook_free(book);
}
END_TEST

START_TEST(long_lines_are_cut) {
  logbook *book = logbook_new();
  logbook_place at = {0};
  uint64_t lost;
  char *line = malloc(3 * LOGBOOK_LINE_BYTES);
  memset(line, 'x', 3 * LOGBOOK_LINE_BYTES - 1);
  line[3 * LOGBOOK_LINE_BYTES - 1] = '\0';
  for (unsigned i = 0; i < 1000; i++) logbook_add(book, HW_LOG_INFO, line);
  read_all(book, &at, &lost);
  ck_assert_uint_eq(strcspn(text, "\n"), LOGBOOK_LINE_BYTES - 1);
  ck_assert_uint_eq(lost + count_lines(), 1000);
  free(line);
  logbook_free(book);
}
END_TEST

static void count_growth(void *arg) { atomic_fetch_add((_Atomic unsigned *)arg, 1); }

START_TEST(watches) {
  logbook *book = logbook_new();
  _Atomic unsigned a = 0, b = 0;
  logbook_watch first = {.grew = count_growth, .arg = &a}, second = {.grew = count_growth, .arg = &b};
  logbook_add_watch(book, &first);
  logbook_add_watch(book, &second);
  logbook_add(book, HW_LOG_INFO, "x");
  logbook_remove_watch(book, &first);
  logbook_add(book, HW_LOG_INFO, "x");
  ck_assert(!logbook_is_closed(book));
  logbook_close(book);
  ck_assert(logbook_is_closed(book));
  logbook_remove_watch(book, &second);
  ck_assert_uint_eq(a, 1);
  ck_assert_uint_eq(b, 3);
  logbook_free(book);
}
END_TEST

#define WRITERS 4
#define EACH 20000

static void *write_lines(void *arg) {
  char line[32];
  for (unsigned i = 0; i < EACH; i++) {
    snprintf(line, sizeof line, "%u", i);
    logbook_add(arg, HW_LOG_INFO, line);
  }
  return NULL;
}

/* Read and lost make up what was written, whoever races. */
START_TEST(writers_and_a_reader) {
  logbook *book = logbook_new();
  pthread_t threads[WRITERS];
  logbook_place at = {0};
  uint64_t lost, read = 0;
  for (unsigned i = 0; i < WRITERS; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, write_lines, book), 0);
  while (read < WRITERS * EACH) {
    read_all(book, &at, &lost);
    read += lost + count_lines();
  }
  for (unsigned i = 0; i < WRITERS; i++) pthread_join(threads[i], NULL);
  ck_assert_uint_eq(read, WRITERS * EACH);
  ck_assert_uint_eq(at.line, WRITERS * EACH);
  logbook_free(book);
}
END_TEST

int main(void) {
  Suite *s = suite_create("logbook");
  TCase *t = tcase_create("logbook");
  tcase_add_test(t, lines_in_order);
  tcase_add_test(t, bounded);
  tcase_add_test(t, long_lines_are_cut);
  tcase_add_test(t, watches);
  tcase_add_test(t, writers_and_a_reader);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
