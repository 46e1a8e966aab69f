#include "runtime/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LINE_MAX_BYTES 2048

static const char *const level_names[] = {"error", "warning", "info", "debug"};

hw_status logger_init(logger *l, hw_log_level level, hw_log_function *write, void *arg) {
  l->level = level;
  l->write = write;
  l->arg = arg;
  return pthread_mutex_init(&l->lock, NULL) == 0 ? HW_OK : HW_ENOMEM;
}

void logger_fini(logger *l) { pthread_mutex_destroy(&l->lock); }

static void write_stderr(hw_log_level level, const char *line) {
  struct timespec now;
  struct tm utc;
  char stamp[32];
  clock_gettime(CLOCK_REALTIME, &now);
  gmtime_r(&now.tv_sec, &utc);
  strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  fprintf(stderr, "%s.%03ldZ %s %s\n", stamp, now.tv_nsec / 1000000, level_names[level], line);
}

static void write_line(logger *l, hw_log_level level, const char *line) {
  pthread_mutex_lock(&l->lock);
  if (l->write)
    l->write(l->arg, level, line);
  else
    write_stderr(level, line);
  pthread_mutex_unlock(&l->lock);
}

void logger_vtell(logger *l, const log_tap *tap, hw_log_level level, const char *about, const char *fmt,
                  va_list args) {
  bool tapped = tap && tap->line && (level <= HW_LOG_INFO || level <= l->level);
  if (level > l->level && !tapped) return;
  char line[LINE_MAX_BYTES];
  int n = about ? snprintf(line, sizeof line, "%s: ", about) : 0;
  if (n < 0) return;
  size_t at = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
  vsnprintf(line + at, sizeof line - at, fmt, args);
  for (char *c = line; *c; c++)
    if ((unsigned char)*c < 0x20) *c = ' '; /* one line, whatever came from outside */
  if (level <= l->level) write_line(l, level, line);
  if (tapped) tap->line(tap->arg, level, line);
}

void logger_vwrite(logger *l, hw_log_level level, const char *about, const char *fmt, va_list args) {
  logger_vtell(l, NULL, level, about, fmt, args);
}

void logger_write(logger *l, hw_log_level level, const char *about, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  logger_vwrite(l, level, about, fmt, args);
  va_end(args);
}
