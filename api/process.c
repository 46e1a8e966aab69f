#include "api/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t time_us(struct timeval t) { return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec; }

static uint64_t limit_of(int resource) {
  struct rlimit limit;
  if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) return 0;
  return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : (uint64_t)limit.rlim_cur;
}

/* One less than there are entries: the look itself has one open. */
static uint64_t count_fds(void) {
  uint64_t n = 0;
  DIR *dir = opendir("/proc/self/fd");
  if (!dir) return 0;
  for (const struct dirent *e; (e = readdir(dir));) n += e->d_name[0] != '.';
  closedir(dir);
  return n ? n - 1 : 0;
}

static void read_status(process_stats *out) {
  const struct {
    const char *key;
    uint64_t *to, unit;
  } keys[] = {
      {"VmSize:", &out->virtual_bytes, 1024},
      {"VmRSS:", &out->resident_bytes, 1024},
      {"VmSwap:", &out->swap_bytes, 1024},
      {"Threads:", &out->threads, 1},
  };
  char line[256];
  unsigned long long value;
  FILE *f = fopen("/proc/self/status", "re");
  while (f && fgets(line, sizeof line, f))
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
      size_t len = strlen(keys[i].key);
      if (strncmp(line, keys[i].key, len) == 0 && sscanf(line + len, "%llu", &value) == 1)
        *keys[i].to = value * keys[i].unit;
    }
  if (f) fclose(f);
}

static uint64_t clock_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* The kernel tells it in ticks since the machine started; field 22, after the
 * name in parentheses, which may hold blanks. */
static uint64_t start_time_us(void) {
  char text[1024];
  FILE *f = fopen("/proc/self/stat", "re");
  size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
  if (f) fclose(f);
  text[n] = '\0';
  const char *at = strrchr(text, ')');
  unsigned long long ticks;
  for (unsigned i = 0; at && i < 20; i++) at = strchr(at + 1, ' ');
  if (!at || sscanf(at, " %llu", &ticks) != 1) return 0;
  uint64_t age_us = clock_us(CLOCK_BOOTTIME) - (uint64_t)ticks * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
  return clock_us(CLOCK_REALTIME) - age_us;
}

void process_read(process_stats *out) {
  struct rusage usage;
  *out = (process_stats){0};
  if (getrusage(RUSAGE_SELF, &usage) == 0) out->cpu_us = time_us(usage.ru_utime) + time_us(usage.ru_stime);
  out->start_time_us = start_time_us();
  out->open_fds = count_fds();
  out->max_fds = limit_of(RLIMIT_NOFILE);
  out->virtual_max_bytes = limit_of(RLIMIT_AS);
  read_status(out);
}
