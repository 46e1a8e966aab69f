/* sets.c - which instruction set the formats run with. */
#include "formats/formats.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is compiled in, slowest first -------------------------------------- */

extern const formats_set formats_set_portable, formats_set_sse42, formats_set_avx2, formats_set_neon;

typedef struct known_set {
  const formats_set *set;
  bool (*runs_here)(void);
} known_set;

static bool everywhere(void) {
  return true;
}

#if defined(__x86_64__)

/* What Makefile.am compiles the set for. */
static bool has_sse42(void) {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
}
static bool has_avx2(void) {
  return has_sse42() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}

static const known_set known[] = {
    {&formats_set_portable, everywhere}, {&formats_set_sse42, has_sse42}, {&formats_set_avx2, has_avx2}};

#elif defined(__aarch64__)

static const known_set known[] = {{&formats_set_portable, everywhere}, {&formats_set_neon, everywhere}};

#else

static const known_set known[] = {{&formats_set_portable, everywhere}};

#endif

#define N_KNOWN (sizeof known / sizeof *known)

const formats_set *formats_named(const char *simd) {
  for (size_t i = 0; i < N_KNOWN; i++)
    if (!strcmp(known[i].set->simd, simd) && known[i].runs_here()) return known[i].set;
  return NULL;
}

/* ---- the one in use ------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct { /* written once */
  const char *names[N_KNOWN + 1];
  const formats_set *set;
  hw_error fault;
} choice;

static void fault_name(const char *wanted) {
  char names[128];
  int used = 0;
  for (size_t i = 0; choice.names[i]; i++)
    used += snprintf(names + used, sizeof names - (size_t)used, "%s%s", i ? ", " : "", choice.names[i]);
  (void)hw_error_set(&choice.fault, HW_EINVAL,
                     "HEADWORKS_SIMD=%.32s: no instruction set that this program and this processor have (valid here: "
                     "%s)",
                     wanted, names);
}

static void choose(void) {
  const char *wanted = getenv("HEADWORKS_SIMD");
  size_t n = 0;
  for (size_t i = 0; i < N_KNOWN; i++) {
    if (!known[i].runs_here()) continue;
    choice.names[n++] = known[i].set->simd;
    choice.set = known[i].set;
  }
  if (!wanted || !*wanted) return;
  const formats_set *named = formats_named(wanted);
  if (named)
    choice.set = named;
  else
    fault_name(wanted);
}

const char *const *formats_names(void) {
  (void)pthread_once(&once, choose);
  return choice.names;
}

hw_status formats_choose(const formats_set **set, hw_error *err) {
  (void)pthread_once(&once, choose);
  *set = choice.set;
  if (choice.fault.status == HW_OK) return HW_OK;
  return hw_error_set(err, choice.fault.status, "%s", choice.fault.message);
}

const formats_set *formats_in_use(void) {
  (void)pthread_once(&once, choose);
  return choice.set;
}
