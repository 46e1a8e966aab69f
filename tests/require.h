/* require.h - assertions for loops that go round very often: Check's own report each
 * one that holds to the parent, which costs more than what is tested. */
#ifndef TESTS_REQUIRE_H
#define TESTS_REQUIRE_H

#include <check.h>

#define REQUIRE_MSG(condition, ...)                                                                                    \
  do {                                                                                                                 \
    if (!(condition)) ck_abort_msg(__VA_ARGS__);                                                                       \
  } while (0)
#define REQUIRE(condition) REQUIRE_MSG(condition, "not so: %s", #condition)

#endif
