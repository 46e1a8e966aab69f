/* Few buckets, exact limits. */
#include "runtime/latency.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

static latency l;

START_TEST(buckets) {
  for (uint64_t us = 1; us < 3000; us++) {
    uint32_t i = latency_bucket(us * 1000);
    ck_assert_uint_le(us, latency_limit_us(i));
    if (i > 0) ck_assert_uint_gt(us, latency_limit_us(i - 1));
    ck_assert_uint_eq(latency_bucket(us * 1000 - 999), i); /* (us-1, us] is one bucket or part of it */
  }
  ck_assert_uint_eq(latency_bucket(0), 0);
  ck_assert_uint_eq(latency_bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
  for (uint32_t i = 1; i < LATENCY_BUCKETS - 1; i++) {
    uint64_t below = latency_limit_us(i - 1), limit = latency_limit_us(i);
    ck_assert_uint_gt(limit, below);
    ck_assert_uint_le(limit - below, below / 4 + 1);
  }
  ck_assert_uint_eq(latency_limit_us(LATENCY_BUCKETS - 2), latency_edge_us(LATENCY_EDGES - 1));
}
END_TEST

/* What is told is exact at the edges, whatever is counted. */
START_TEST(edges) {
  latency_counts c;
  for (uint32_t e = 0; e < LATENCY_EDGES; e++) {
    latency_add(&l, latency_edge_us(e) * 1000);
    latency_add(&l, latency_edge_us(e) * 1000 + 1);
  }
  latency_read(&l, &c);
  for (uint32_t e = 0; e < LATENCY_EDGES; e++) ck_assert_uint_eq(c.at_most[e], 2 * e + 1);
  ck_assert_uint_eq(c.count, 2 * LATENCY_EDGES);
}
END_TEST

START_TEST(percentile) {
  latency_counts c;
  latency_read(&l, &c);
  ck_assert_uint_eq(c.p99_us, 0);
  for (unsigned i = 0; i < 99; i++) latency_add(&l, 10000);
  latency_add(&l, 50000000);
  latency_read(&l, &c);
  ck_assert_uint_eq(c.p99_us, 10);
  ck_assert_uint_eq(c.sum_ns, 99 * 10000 + 50000000);
  latency_add(&l, 50000000);
  latency_read(&l, &c);
  ck_assert_uint_ge(c.p99_us, 50000);
  ck_assert_uint_le(c.p99_us, 50000 * 5 / 4);
}
END_TEST

static void *add_many(void *arg) {
  for (unsigned i = 0; i < 100000; i++) latency_add_shared(arg, i);
  return NULL;
}

START_TEST(shared) {
  pthread_t threads[4];
  latency_counts c;
  for (unsigned i = 0; i < 4; i++) ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, &l), 0);
  for (unsigned i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  latency_read(&l, &c);
  ck_assert_uint_eq(c.count, 400000);
  ck_assert_uint_eq(c.sum_ns, UINT64_C(4) * 100000 * 99999 / 2);
}
END_TEST

static void clear(void) { l = (latency){0}; }

int main(void) {
  Suite *s = suite_create("latency");
  TCase *t = tcase_create("latency");
  tcase_add_checked_fixture(t, clear, NULL);
  tcase_add_test(t, buckets);
  tcase_add_test(t, edges);
  tcase_add_test(t, percentile);
  tcase_add_test(t, shared);
  suite_add_tcase(s, t);
  SRunner *runner = srunner_create(s);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed != 0;
}
