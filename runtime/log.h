/* log.h - one place through which every line of log goes. */
#ifndef RUNTIME_LOG_H
#define RUNTIME_LOG_H

#include <headworks/headworks.h>

#include <pthread.h>
#include <stdarg.h>

typedef struct logger {
  hw_log_level level;       /* fixed after logger_init */
  hw_log_function *write;   /* NULL: standard error */
  void *arg;
  pthread_mutex_t lock;     /* one line at a time */
} logger;

/* One more who gets the lines of somebody's log, whatever the logger's level is,
 * from HW_LOG_INFO up. [any thread, several at once] */
typedef struct log_tap {
  void (*line)(void *arg, hw_log_level level, const char *line); /* NULL: nobody */
  void *arg;
} log_tap;

hw_status logger_init(logger *l, hw_log_level level, hw_log_function *write, void *arg);
void logger_fini(logger *l);
/* Any thread. `about` stands before the message ("pipeline demo"), may be NULL. */
void logger_write(logger *l, hw_log_level level, const char *about, const char *fmt, ...) HW_PRINTF(4, 5);
void logger_vwrite(logger *l, hw_log_level level, const char *about, const char *fmt, va_list args) HW_PRINTF(4, 0);

void logger_vtell(logger *l, const log_tap *tap, hw_log_level level, const char *about, const char *fmt, va_list args)
    HW_PRINTF(5, 0);

#endif
