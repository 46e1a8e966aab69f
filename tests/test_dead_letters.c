/* Dead letters: their bounds, who takes them, and what becomes of them when they are
 * submitted again. */
#include "runtime/dead_letters.h"
#include "runtime/deployment_impl.h"
#include "runtime/letter_rows.h"
#include "tests/runtime_fixture.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dead_letters *dl;

static void add(const char *connector, const char *raw) {
  dead_letter l = {.connector = connector, .position = "s@1", .reason = "bad", .field = "", .raw = raw,
                   .raw_len = strlen(raw), .record_len = strlen(raw)};
  dead_letters_add(dl, &l);
}

/* "1 2 3": the ids of what is listed. */
static const char *ids(const char *connector, uint64_t after, uint64_t n) {
  static char text[4000];
  dead_letter *list;
  size_t at = 0;
  text[0] = '\0';
  ck_assert_int_eq(dead_letters_list(dl, connector, after, n, 1 << 20, &list), HW_OK);
  for (dead_letter *l = list; l; l = l->next)
    at += (size_t)snprintf(text + at, sizeof text - at, "%s%llu", at ? " " : "", (unsigned long long)l->id);
  dead_letters_free_list(list);
  return text;
}

START_TEST(letters_are_listed_in_order) {
  dl = dead_letters_new(0, 0);
  for (int i = 0; i < 6; i++) add(i % 2 ? "t.b" : "t.a", "raw");
  ck_assert_str_eq(ids(NULL, 0, 100), "1 2 3 4 5 6");
  ck_assert_str_eq(ids("t.a", 0, 100), "1 3 5");
  ck_assert_str_eq(ids("t.b", 2, 1), "4");
  ck_assert_str_eq(ids(NULL, 6, 100), "");
  ck_assert_str_eq(ids("t.c", 0, 100), "");
  ck_assert_uint_eq(dead_letters_clear(dl, "t.b"), 3);
  ck_assert_str_eq(ids(NULL, 0, 100), "1 3 5");
  add("t.b", "more");
  ck_assert_str_eq(ids(NULL, 0, 100), "1 3 5 7");
  ck_assert_uint_eq(dead_letters_clear(dl, NULL), 4);
  dead_letters_count c = dead_letters_counts(dl);
  ck_assert_uint_eq(c.letters + c.bytes, 0);
  ck_assert_uint_eq(c.total, 7);
  ck_assert_uint_eq(c.cleared, 7);
  dead_letters_unref(dl);
}
END_TEST

START_TEST(the_oldest_go_first) {
  char raw[1000] = "";
  memset(raw, 'x', sizeof raw - 1);
  dl = dead_letters_new(_i ? 0 : 10, _i ? 10 * (999 + 300) : 0);
  for (int i = 0; i < 1000; i++) {
    add("t.a", raw);
    dead_letters_count c = dead_letters_counts(dl);
    if (_i) ck_assert_uint_le(c.bytes, 10 * (999 + 300));
    else ck_assert_uint_le(c.letters, 10);
    ck_assert_uint_eq(c.letters + c.dropped, (uint64_t)i + 1);
  }
  ck_assert_uint_ge(dead_letters_counts(dl).letters, 10);
  ck_assert_ptr_nonnull(strstr(ids(NULL, 0, 100), "999 1000"));
  dead_letters_unref(dl);
}
END_TEST

START_TEST(long_records_are_cut_and_say_so) {
  size_t len = 3 * DEAD_LETTER_RAW_MOST;
  char *raw = malloc(len + 1);
  memset(raw, 'y', len);
  raw[len] = '\0';
  dl = dead_letters_new(0, 0);
  add("t.a", raw);
  dead_letter *l = dead_letters_take(dl, 1);
  ck_assert_uint_eq(l->raw_len, DEAD_LETTER_RAW_MOST);
  ck_assert_uint_eq(l->record_len, len);
  ck_assert(l->cut);
  dead_letters_give_back(dl, l, NULL);
  dead_letters_unref(dl);
  free(raw);
}
END_TEST

START_TEST(a_letter_that_was_taken_is_nobody_elses) {
  dl = dead_letters_new(4, 0);
  for (int i = 0; i < 4; i++) add("t.a", "raw");
  dead_letter *second = dead_letters_take(dl, 2), *last = dead_letters_take_next(dl, "t.a", 3, 4);
  ck_assert_uint_eq(last->id, 4);
  ck_assert_ptr_null(dead_letters_take(dl, 2));
  ck_assert_ptr_null(dead_letters_take_next(dl, NULL, 3, 4));
  ck_assert_ptr_null(dead_letters_take(dl, 77));
  ck_assert_str_eq(ids(NULL, 0, 9), "1 3");
  dead_letters_give_back(dl, second, "another reason");
  add("t.a", "raw");
  ck_assert_str_eq(ids(NULL, 0, 9), "1 2 3 5");
  dead_letters_settle(dl, last);
  second = dead_letters_take(dl, 2);
  ck_assert_str_eq(second->reason, "another reason");
  add("t.a", "raw");
  dead_letters_give_back(dl, second, NULL); /* the bound holds, whoever comes back */
  ck_assert_str_eq(ids(NULL, 0, 9), "2 3 5 6");
  dead_letters_count c = dead_letters_counts(dl);
  ck_assert_uint_eq(c.letters + c.dropped + c.resubmitted, c.total);
  dead_letters_unref(dl);
}
END_TEST

/* ---- in a deployment -------------------------------------------------------------- */

static const char *fault_of(const char *raw, bool cut) {
  static hw_error err;
  dead_letter l = {.connector = "t.0", .raw = raw, .raw_len = strlen(raw), .cut = cut, .position = "", .reason = "",
                   .field = ""};
  memset(&err, 0, sizeof err);
  return deployment_resubmit(fx_dep, &l, &err) == HW_OK ? "" : err.message;
}

START_TEST(bad_records_become_letters_and_can_be_submitted_again) {
  dl = dead_letters_new(0, 0);
  fx_letters = dl;
  fx_bytes = true;
  fx_text = "1\nx\n2\nyy\n3\n";
  fx_piece = 4;
  fx_make(1, 1, 0);
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  ck_assert_str_eq(ids("t.0", 0, 9), "1 2");
  dead_letter *l = dead_letters_take(dl, 2);
  ck_assert_str_eq(l->raw, "yy");
  ck_assert_str_eq(l->position, "s@6");
  ck_assert_str_eq(l->reason, "not a number");
  ck_assert(!l->cut && l->time_us > 1500000000000000);
  dead_letters_give_back(dl, l, NULL);
  ck_assert_str_eq(fault_of("yy", false), "not a number");
  ck_assert_str_eq(fault_of("7", true), "only the first 1 bytes of this record are kept");
  ck_assert_str_eq(fault_of("", false), "format lines makes no row of this record alone, without what came before it");
  uint64_t rows = atomic_load(&fx_sinks[0].rows);
  ck_assert_uint_eq(rows, 3);
  ck_assert_str_eq(fault_of("8\nx\n9", false), "not a number"); /* all rows of it or none */
  ck_assert_str_eq(fault_of("8\n9", false), "");
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == 5);
  ck_assert_int_eq(memcmp(fx_sinks[0].data + fx_sinks[0].len - 4, "8\n9\n", 4), 0);
  ck_assert_int_eq(fx_call(0, true).status, HW_OK);
  ck_assert_str_eq(fault_of("10", false), ""); /* a pause is for what the source brings */
  FX_WAIT(atomic_load(&fx_sinks[0].rows) == 6);
  deployment_stop(fx_dep, false, sched_now_us() + 20000000);
  FX_WAIT(atomic_load(&fx_stopped));
  ck_assert_str_eq(fault_of("11", false), "the pipeline is stopping");
  fx_free();
  ck_assert_str_eq(ids(NULL, 0, 9), "1 2"); /* they outlive the run */
  dead_letters_unref(dl);
}
END_TEST

/* Two hands at the same letters: each is settled once. */
static _Atomic unsigned settled;

static void *settle_all(void *arg) {
  (void)arg;
  for (dead_letter *l; (l = dead_letters_take_next(dl, NULL, 0, 1000));) {
    if (l->id % 3 == 0 && strcmp(l->reason, "bad") == 0) {
      dead_letters_give_back(dl, l, "again");
      continue;
    }
    atomic_fetch_add(&settled, 1);
    dead_letters_settle(dl, l);
  }
  return NULL;
}

START_TEST(each_letter_is_settled_once) {
  pthread_t threads[3];
  dl = dead_letters_new(0, 0);
  for (int i = 0; i < 1000; i++) add("t.a", "raw");
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, settle_all, NULL);
  for (int i = 0; i < 500; i++) add("t.b", "raw");
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  settle_all(NULL); /* one may have been given back after the others had looked */
  ck_assert_uint_eq(atomic_load(&settled), 1000);
  ck_assert_uint_eq(dead_letters_counts(dl).resubmitted, 1000);
  ck_assert_uint_eq(dead_letters_counts(dl).letters, 500);
  dead_letters_unref(dl);
}
END_TEST

/* ---- as rows ---------------------------------------------------------------- */

static mem rows_memory;

static hw_str text_at(const batch *b, uint32_t column, uint32_t row) {
  return ((const hw_str *)b->pub.columns[column].values)[row];
}

START_TEST(letters_are_rows) {
  ck_assert_int_eq(mem_init(&rows_memory, 64 << 20), HW_OK);
  dl = dead_letters_new(0, 0);
  add("t.a", "text");
  dead_letter odd = {.connector = "t.b", .position = "s\xff@1", .reason = "bad", .field = "id", .raw = "\xff\0x",
                     .raw_len = 3, .record_len = 70000, .time_us = 17, .cut = true};
  dead_letters_add(dl, &odd);
  uint64_t last = 0;
  batch *b, *none;
  ck_assert_int_eq(letter_rows_next(dl, &rows_memory, &last, &b), HW_OK);
  ck_assert_uint_eq(last, 2);
  ck_assert_uint_eq(b->pub.n_rows, 2);
  ck_assert_int_eq(((const int64_t *)b->pub.columns[0].values)[1], 2);
  ck_assert_int_eq(memcmp(text_at(b, 1, 0).data, "t.a", 3), 0);
  ck_assert_int_eq(memcmp(text_at(b, 2, 1).data, "s?@1", 4), 0);
  ck_assert_int_eq(((const int64_t *)b->pub.columns[3].values)[1], 17);
  ck_assert(!hw_column_valid(&b->pub.columns[5], 0) && hw_column_valid(&b->pub.columns[5], 1));
  ck_assert_uint_eq(text_at(b, 6, 1).len, 3);
  ck_assert_int_eq(memcmp(text_at(b, 6, 1).data, "\xff\0x", 3), 0);
  ck_assert(hw_column_valid(&b->pub.columns[7], 0) && !hw_column_valid(&b->pub.columns[7], 1));
  ck_assert_int_eq(((const int64_t *)b->pub.columns[8].values)[1], 70000);
  ck_assert_uint_eq(((const uint8_t *)b->pub.columns[9].values)[1], 1);
  ck_assert_int_eq(letter_rows_next(dl, &rows_memory, &last, &none), HW_EAGAIN);
  hw_batch_unref(&b->pub);
  dead_letters_unref(dl);
  mem_fini(&rows_memory);
}
END_TEST

START_TEST(many_letters_are_many_batches) {
  ck_assert_int_eq(mem_init(&rows_memory, 64 << 20), HW_OK);
  dl = dead_letters_new(0, 0);
  for (int i = 0; i < 5000; i++) add("t.a", "raw");
  batch **all;
  uint32_t n, rows = 0;
  ck_assert_int_eq(letter_rows(dl, &rows_memory, &all, &n), HW_OK);
  for (uint32_t i = 0; i < n; i++)
    for (uint32_t row = 0; row < all[i]->pub.n_rows; row++)
      ck_assert_int_eq(((const int64_t *)all[i]->pub.columns[0].values)[row], ++rows);
  ck_assert_uint_eq(rows, 5000);
  ck_assert_uint_gt(n, 1);
  letter_rows_free(all, n);
  mem_fini(&rows_memory);
  ck_assert_int_eq(mem_init(&rows_memory, 100000), HW_OK);
  ck_assert_int_eq(letter_rows(dl, &rows_memory, &all, &n), HW_ELIMIT);
  ck_assert_uint_eq(atomic_load(&rows_memory.used), 0);
  mem_fini(&rows_memory);
  dead_letters_unref(dl);
}
END_TEST

static void count_call(void *arg) { ++*(int *)arg; }

START_TEST(who_watches_is_called) {
  int calls[2] = {0};
  letters_watch w[2] = {{.call = count_call, .arg = &calls[0]}, {.call = count_call, .arg = &calls[1]}};
  dl = dead_letters_new(0, 0);
  add("t.a", "raw");
  dead_letters_watch(dl, &w[0]);
  dead_letters_watch(dl, &w[1]);
  add("t.a", "raw");
  dead_letters_unwatch(dl, &w[0]);
  add("t.a", "raw");
  dead_letters_unwatch(dl, &w[1]);
  add("t.a", "raw");
  ck_assert_int_eq(calls[0], 1);
  ck_assert_int_eq(calls[1], 2);
  dead_letters_unref(dl);
}
END_TEST

int main(void) {
  Suite *s = suite_create("dead letters");
  TCase *t = tcase_create("dead letters");
  tcase_set_timeout(t, 60);
  tcase_add_test(t, letters_are_listed_in_order);
  tcase_add_loop_test(t, the_oldest_go_first, 0, 2);
  tcase_add_test(t, long_records_are_cut_and_say_so);
  tcase_add_test(t, a_letter_that_was_taken_is_nobody_elses);
  tcase_add_test(t, bad_records_become_letters_and_can_be_submitted_again);
  tcase_add_test(t, each_letter_is_settled_once);
  tcase_add_test(t, letters_are_rows);
  tcase_add_test(t, many_letters_are_many_batches);
  tcase_add_test(t, who_watches_is_called);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
