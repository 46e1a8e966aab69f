/* Validates the ring: order and completeness over millions of items between two
 * threads, with positions that start just before wrap-around. And what is told
 * of a queue while both its ends move. */
#include "runtime/queue.h"
#include "tests/require.h"
#include "tests/sanitizers.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>

#if SANITIZED_THREAD
#define ITEMS 100000u
#else
#define ITEMS 1000000u
#endif

typedef struct run {
  ring ring;
  uintptr_t total; /* items */
  ring_pos burst; /* items per push and pop */
  bool one_by_one;
} run;

static void *item(uintptr_t i) { return (void *)(i + 1); }

static void *produce(void *arg) {
  run *r = arg;
  void *items[64];
  for (uintptr_t i = 0; i < r->total;) {
    ring_pos n = 0;
    while (n < r->burst && i + n < r->total) {
      items[n] = item(i + n);
      n++;
    }
    ring_pos done = r->one_by_one ? ring_push(&r->ring, items[0]) : ring_push_many(&r->ring, items, n);
    if (!done) sched_yield();
    i += done;
  }
  return NULL;
}

static void consume(run *r) {
  void *items[64];
  for (uintptr_t next = 0; next < r->total;) {
    ring_pos n;
    if (r->one_by_one)
      n = (items[0] = ring_pop(&r->ring)) != NULL;
    else
      n = ring_pop_many(&r->ring, items, r->burst);
    if (!n) sched_yield();
    for (ring_pos i = 0; i < n; i++) REQUIRE(items[i] == item(next++));
  }
}

static void validate(uintptr_t total, ring_pos size, ring_pos first, ring_pos burst) {
  run r = {.total = total, .burst = burst, .one_by_one = burst == 1};
  pthread_t producer;
  ck_assert(ring_init(&r.ring, size, first));
  ck_assert_int_eq(pthread_create(&producer, NULL, produce, &r), 0);
  consume(&r);
  ck_assert_int_eq(pthread_join(producer, NULL), 0);
  ck_assert_uint_eq(ring_count(&r.ring), 0);
  ck_assert_uint_eq(atomic_load(&r.ring.tail), (ring_pos)(first + total));
  ring_fini(&r.ring);
}

START_TEST(one_by_one) { validate(ITEMS, 1024, UINT32_MAX - 1000, 1); }
END_TEST

START_TEST(bursts) { validate(4 * ITEMS, 1024, UINT32_MAX - ITEMS / 2, 64); }
END_TEST

START_TEST(one_slot) { validate(ITEMS / 50, 1, UINT32_MAX - 5, 1); }
END_TEST

START_TEST(bursts_larger_than_the_ring) { validate(ITEMS / 2, 8, 0, 64); }
END_TEST

START_TEST(full_and_empty) {
  ring r;
  ck_assert(ring_init(&r, 4, UINT32_MAX - 1));
  ck_assert_ptr_null(ring_pop(&r));
  for (uintptr_t i = 0; i < 4; i++) {
    ck_assert_uint_eq(ring_room(&r, 4), 4 - i);
    ck_assert(ring_push(&r, item(i)));
    ck_assert_uint_eq(ring_count(&r), i + 1);
  }
  ck_assert(!ring_push(&r, item(9)));
  void *some[2] = {item(9), item(9)};
  ck_assert_uint_eq(ring_push_many(&r, some, 2), 0);
  ck_assert_uint_eq(ring_ready(&r, 4), 4);
  for (uintptr_t i = 0; i < 4; i++) ck_assert_ptr_eq(ring_pop(&r), item(i));
  ck_assert_ptr_null(ring_pop(&r));
  ring_fini(&r);
}
END_TEST

/* A queue's counters, moved as by its two ends. */
#define HELD_MOST 4u

typedef struct counted {
  queue queue;
  _Atomic bool over;
} counted;

static void *count_in(void *arg) {
  counted *c = arg;
  while (!atomic_load(&c->over))
    if (queue_records(&c->queue) < HELD_MOST) queue_add(&c->queue.in, 1, 1, 1);
  return NULL;
}

static void *count_out(void *arg) {
  counted *c = arg;
  while (!atomic_load(&c->over))
    if (queue_records(&c->queue)) queue_add(&c->queue.out, 1, 1, 1);
  return NULL;
}

START_TEST(what_a_queue_holds_is_never_beyond_its_bound) {
  counted c = {0};
  pthread_t ends[2];
  ck_assert_int_eq(pthread_create(&ends[0], NULL, count_in, &c), 0);
  ck_assert_int_eq(pthread_create(&ends[1], NULL, count_out, &c), 0);
  uint64_t most = 0; /* asserted afterwards: an assertion makes others wait */
  for (unsigned i = 0; i < ITEMS || atomic_load(&c.queue.out.records) < ITEMS / 10; i++) {
    uint64_t n = queue_records(&c.queue);
    if (n > most) most = n;
  }
  atomic_store(&c.over, true);
  for (unsigned i = 0; i < 2; i++) ck_assert_int_eq(pthread_join(ends[i], NULL), 0);
  ck_assert_uint_le(most, HELD_MOST);
}
END_TEST

int main(void) {
  Suite *s = suite_create("ring");
  TCase *t = tcase_create("ring");
  tcase_set_timeout(t, 120);
  tcase_add_test(t, full_and_empty);
  tcase_add_test(t, one_by_one);
  tcase_add_test(t, bursts);
  tcase_add_test(t, one_slot);
  tcase_add_test(t, bursts_larger_than_the_ring);
  tcase_add_test(t, what_a_queue_holds_is_never_beyond_its_bound);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failed = srunner_ntests_failed(r);
  srunner_free(r);
  return failed != 0;
}
