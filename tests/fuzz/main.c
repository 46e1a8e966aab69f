/* main.c - what libFuzzer calls: the target that the environment's FUZZ_TARGET names. */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const fuzz_target *target;

void fixture_fail(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  (void)vfprintf(stderr, fmt, args);
  va_end(args);
  (void)fputc('\n', stderr);
  abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  const char *name = getenv("FUZZ_TARGET");
  target = name ? fuzz_target_named(name) : NULL;
  if (target) return 0;
  (void)fprintf(stderr, "FUZZ_TARGET must be one of:");
  for (target = fuzz_targets; target->name; target++) (void)fprintf(stderr, " %s", target->name);
  (void)fprintf(stderr, "\n");
  exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  target->run((fuzz_input){(const char *)data, size});
  return 0;
}
