/* Batches and their memory: budget, recycling, views, arenas, weights. */
#include "runtime/batch.h"
#include "runtime/histogram.h"
#include "tests/require.h"

#include <check.h>
#include <string.h>

static mem m;
static const hw_field fields[] = {
    {.name = "id", .type = {.id = HW_TYPE_BIGINT}},
    {.name = "text", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}},
    {.name = "amount", .type = {.id = HW_TYPE_DECIMAL, .nullable = true, .precision = 38}},
};
static const hw_schema schema = {.name = "t", .n_fields = 3, .fields = fields};

static void setup(void) { ck_assert_int_eq(mem_init(&m, 4 << 20), HW_OK); }
static void teardown(void) {
  ck_assert_uint_eq(atomic_load(&m.used), 0); /* every test gives back what it took */
  mem_fini(&m);
}

START_TEST(arrays_are_aligned_and_start_empty) {
  for (uint32_t rows = 1; rows <= BATCH_ROWS_MAX; rows *= 4) {
    batch *b = batch_new(&m, &schema, rows);
    ck_assert_ptr_nonnull(b);
    ck_assert_uint_ge(b->pub.capacity, rows);
    ck_assert_uint_eq(b->pub.n_rows, 0);
    for (uint32_t i = 0; i < 3; i++) ck_assert_uint_eq((uintptr_t)b->pub.columns[i].values % 64, 0);
    ck_assert_ptr_null(b->pub.columns[0].validity);
    for (uint32_t i = 0; i < b->pub.capacity; i++) ck_assert(!hw_column_valid(&b->pub.columns[1], i));
    for (uint32_t i = 0; i < b->pub.capacity; i++) hw_column_set_valid(&b->pub.columns[1], i);
    memset(b->pub.columns[2].values, 0xff, b->pub.capacity * sizeof(hw_int128));
    hw_batch_unref(&b->pub);
  }
}
END_TEST

START_TEST(the_budget_holds_and_comes_back) {
  block *taken[64];
  unsigned n = 0;
  while (n < 64 && (taken[n] = mem_get(&m, 200000))) n++;
  ck_assert_uint_eq(n, 16); /* 4 MiB of 256 KiB each */
  ck_assert_uint_le(atomic_load(&m.used), m.limit);
  ck_assert_ptr_null(mem_get(&m, 1));
  block *more = mem_get_essential(&m, 1);
  ck_assert_ptr_nonnull(more);
  block_unref(more);
  while (n > 0) block_unref(taken[--n]);
}
END_TEST

START_TEST(the_last_block_comes_back_first) {
  mem large; /* of a very small budget hardly anything is kept */
  ck_assert_int_eq(mem_init(&large, 64 << 20), HW_OK);
  block *a = mem_get(&large, 200000), *b = mem_get(&large, 200000);
  block_unref(a);
  block_unref(b);
  ck_assert_ptr_eq(mem_get(&large, 200000), b);
  block_unref(b);
  mem_fini(&large);
}
END_TEST

START_TEST(sizes_that_cannot_be_are_refused) {
  ck_assert_ptr_null(mem_get(&m, SIZE_MAX));
  ck_assert_ptr_null(mem_get(&m, SIZE_MAX / 2));
  ck_assert_ptr_null(mem_get(&m, 5 << 20));
}
END_TEST

START_TEST(a_view_keeps_its_parent) {
  block *shared = mem_get(&m, 100);
  batch *parent = batch_new(&m, &schema, 64);
  ck_assert(batch_keep(parent, shared) && batch_keep(parent, shared));
  ck_assert_uint_eq(parent->n_keep, 2);
  block_unref(shared);
  memcpy(shared->data, "hello", 5);
  ((hw_str *)parent->pub.columns[1].values)[0] = (hw_str){.data = shared->data, .len = 5};
  parent->pub.n_rows = 1;
  batch *view = batch_new_view(parent, &schema);
  view->pub.columns[1] = parent->pub.columns[1];
  hw_batch_unref(&parent->pub);
  const hw_str *s = &((hw_str *)view->pub.columns[1].values)[0];
  ck_assert(memcmp(s->data, "hello", s->len) == 0);
  hw_batch_unref(&view->pub);
}
END_TEST

START_TEST(only_so_many_blocks_are_kept) {
  batch *b = batch_new(&m, &schema, 64);
  for (unsigned i = 1; i < BATCH_KEEP; i++) {
    block *k = mem_get(&m, 10);
    ck_assert(batch_keep(b, k));
    block_unref(k);
  }
  block *k = mem_get(&m, 10);
  ck_assert(!batch_keep(b, k));
  block_unref(k);
  hw_batch_unref(&b->pub);
}
END_TEST

START_TEST(strings_live_in_the_arena) {
  batch *b = batch_new(&m, &schema, 64);
  hw_str strings[500];
  char text[300];
  for (unsigned i = 0; i < 500; i++) {
    memset(text, (int)('a' + i % 26), sizeof text);
    ck_assert(hw_batch_copy_str(&b->pub, text, i % sizeof text, &strings[i]));
  }
  for (unsigned i = 0; i < 500; i++) {
    ck_assert_uint_eq(strings[i].len, i % sizeof text);
    for (unsigned k = 0; k < strings[i].len; k++) REQUIRE(strings[i].data[k] == (char)('a' + i % 26));
  }
  char *first = hw_batch_alloc(&b->pub, 1000);
  hw_batch_trim(&b->pub, 1000);
  ck_assert_ptr_eq(hw_batch_alloc(&b->pub, 100), first); /* what is trimmed comes again */
  ck_assert_ptr_nonnull(hw_batch_alloc(&b->pub, 1 << 20)); /* larger than a chunk */
  ck_assert_ptr_null(hw_batch_alloc(&b->pub, 8 << 20));   /* past the budget */
  hw_batch_unref(&b->pub);
}
END_TEST

START_TEST(a_compact_copy_stands_alone) {
  batch *parent = batch_new(&m, &schema, 64);
  for (uint32_t i = 0; i < 64; i++) {
    ((int64_t *)parent->pub.columns[0].values)[i] = i;
    if (i % 3 == 0) {
      ck_assert(hw_batch_copy_str(&parent->pub, "abcdef", i % 7, &((hw_str *)parent->pub.columns[1].values)[i]));
      hw_column_set_valid(&parent->pub.columns[1], i);
    }
    ck_assert(hw_batch_set_weight(&parent->pub, i, (int64_t)i - 10));
  }
  parent->pub.n_rows = 64;
  batch *view = batch_new_view(parent, &schema);
  static const uint32_t sel[] = {3, 4, 63};
  for (uint32_t i = 0; i < 3; i++) view->pub.columns[i] = parent->pub.columns[i];
  view->pub.sel = sel;
  view->pub.n_sel = 3;
  batch *b = batch_compact(view);
  ck_assert_ptr_nonnull(b);
  hw_batch_unref(&view->pub);
  hw_batch_unref(&parent->pub);
  ck_assert_uint_eq(hw_batch_count(&b->pub), 3);
  for (uint32_t i = 0; i < 3; i++) {
    const hw_column *text = &b->pub.columns[1];
    ck_assert_int_eq(((int64_t *)b->pub.columns[0].values)[i], sel[i]);
    ck_assert_int_eq(hw_batch_weight(&b->pub, i), (int64_t)sel[i] - 10);
    ck_assert_int_eq(hw_column_valid(text, i), sel[i] % 3 == 0);
    if (sel[i] % 3 == 0) ck_assert_uint_eq(((hw_str *)text->values)[i].len, sel[i] % 7);
  }
  hw_batch_unref(&b->pub);
}
END_TEST

START_TEST(weights_are_there_when_needed) {
  batch *b = batch_new(&m, &schema, 64);
  ck_assert(hw_batch_set_weight(&b->pub, 3, 1));
  ck_assert_ptr_null(b->pub.weights);
  ck_assert(hw_batch_set_weight(&b->pub, 3, -1));
  ck_assert_int_eq(hw_batch_weight(&b->pub, 2), 1);
  ck_assert_int_eq(hw_batch_weight(&b->pub, 3), -1);
  ck_assert_int_eq(hw_batch_weight(&b->pub, 63), 1);
  hw_column_set_valid(&b->pub.columns[1], 3);
  hw_batch_clear_row(&b->pub, 3);
  ck_assert_int_eq(hw_batch_weight(&b->pub, 3), 1);
  ck_assert(!hw_column_valid(&b->pub.columns[1], 3));
  hw_batch_unref(&b->pub);
}
END_TEST

START_TEST(histogram_quantiles_are_close) {
  static histogram h;
  ck_assert_uint_eq(histogram_quantile(&h, 0.5), 0);
  for (uint64_t v = 1; v <= 100000; v++) histogram_add(&h, v);
  ck_assert_uint_ge(histogram_quantile(&h, 0.5), 50000);
  ck_assert_uint_le(histogram_quantile(&h, 0.5), 52000);
  ck_assert_uint_ge(histogram_quantile(&h, 0.99), 99000);
  ck_assert_uint_eq(histogram_quantile(&h, 1.0), 100000);
  for (unsigned shift = 0; shift < 60; shift++) {
    uint64_t v = UINT64_C(1) << shift;
    ck_assert_uint_ge(histogram_upper(histogram_bucket(v)), v);
    ck_assert_uint_le(histogram_upper(histogram_bucket(v)), v + v / 16);
    ck_assert_uint_lt(histogram_bucket(v), HISTOGRAM_BUCKETS);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("batch");
  TCase *t = tcase_create("batch");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_test(t, arrays_are_aligned_and_start_empty);
  tcase_add_test(t, the_budget_holds_and_comes_back);
  tcase_add_test(t, the_last_block_comes_back_first);
  tcase_add_test(t, sizes_that_cannot_be_are_refused);
  tcase_add_test(t, a_view_keeps_its_parent);
  tcase_add_test(t, only_so_many_blocks_are_kept);
  tcase_add_test(t, strings_live_in_the_arena);
  tcase_add_test(t, a_compact_copy_stands_alone);
  tcase_add_test(t, weights_are_there_when_needed);
  tcase_add_test(t, histogram_quantiles_are_close);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
