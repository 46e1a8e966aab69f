/* check.h - as much of Check as the format tests use, for machines that it is not
 * built for: tests run one after the other in one process, and the first failure
 * ends it. */
#ifndef TESTS_CROSS_CHECK_H
#define TESTS_CROSS_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct cross_test {
  const char *name;
  void (*run)(void);
} cross_test;

typedef struct Suite {
  const char *name;
  size_t n;
  cross_test tests[128];
} Suite;
typedef Suite TCase; /* a suite has one list of tests, whatever the cases */
typedef Suite SRunner;

#define START_TEST(test)                                                                                               \
  static void test##_run(void);                                                                                        \
  static const cross_test test = {#test, test##_run};                                                                  \
  static void test##_run(void)
#define END_TEST

Suite *suite_create(const char *name);
TCase *tcase_create(const char *name);
void tcase_add_test_(TCase *tcase, const cross_test *test);
#define tcase_add_test(tcase, test) tcase_add_test_(tcase, &test)
static inline void tcase_set_timeout(TCase *tcase, double seconds) { (void)tcase, (void)seconds; }
void suite_add_tcase(Suite *suite, TCase *tcase);

#define CK_ENV 0
SRunner *srunner_create(Suite *suite);
void srunner_run_all(SRunner *runner, int mode);
static inline int srunner_ntests_failed(const SRunner *runner) { (void)runner; return 0; }
static inline void srunner_free(SRunner *runner) { free(runner); }

_Noreturn void ck_failed(const char *file, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define ck_abort_msg(...) ck_failed(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert_msg(condition, ...) ((condition) ? (void)0 : ck_failed(__FILE__, __LINE__, __VA_ARGS__))
#define ck_assert(condition) ck_assert_msg(condition, "not so: %s", #condition)
#define ck_assert_int_eq(a, b) ck_assert((int64_t)(a) == (int64_t)(b))
#define ck_assert_int_ge(a, b) ck_assert((int64_t)(a) >= (int64_t)(b))
#define ck_assert_uint_eq(a, b) ck_assert((uint64_t)(a) == (uint64_t)(b))
#define ck_assert_uint_gt(a, b) ck_assert((uint64_t)(a) > (uint64_t)(b))
#define ck_assert_uint_le(a, b) ck_assert((uint64_t)(a) <= (uint64_t)(b))
#define ck_assert_uint_lt(a, b) ck_assert((uint64_t)(a) < (uint64_t)(b))
#define ck_assert_str_eq(a, b) ck_assert(strcmp(a, b) == 0)
#define ck_assert_mem_eq(a, b, n) ck_assert(memcmp(a, b, n) == 0)
#define ck_assert_ptr_null(p) ck_assert((p) == NULL)
#define ck_assert_ptr_nonnull(p) ck_assert((p) != NULL)

#endif
