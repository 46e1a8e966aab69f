/* sanitizers.h - what this is built with, which gcc says by macros and clang by features. */
#ifndef TESTS_SANITIZERS_H
#define TESTS_SANITIZERS_H

#ifdef __has_feature
#define SANITIZERS_FEATURE(name) __has_feature(name)
#else
#define SANITIZERS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || SANITIZERS_FEATURE(address_sanitizer)
#define SANITIZED_ADDRESS 1
#else
#define SANITIZED_ADDRESS 0
#endif

#if defined(__SANITIZE_THREAD__) || SANITIZERS_FEATURE(thread_sanitizer)
#define SANITIZED_THREAD 1
#else
#define SANITIZED_THREAD 0
#endif

/* What a test does n times, or to n rows: a quarter of it where every access to memory is checked. */
#if SANITIZED_ADDRESS || SANITIZED_THREAD
#define SANITIZED_SHARE(n) ((n) / 4)
#else
#define SANITIZED_SHARE(n) (n)
#endif

#endif
