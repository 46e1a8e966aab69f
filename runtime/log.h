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

hw_status logger_init(logger *l, hw_log_level level, hw_log_function *write, void *arg);
void logger_fini(logger *l);
/* Any thread. `about` stands before the message ("pipeline demo"), may be NULL. */
void logger_write(logger *l, hw_log_level level, const char *about, const char *fmt, ...) HW_PRINTF(4, 5);
void logger_vwrite(logger *l, hw_log_level level, const char *about, const char *fmt, va_list args) HW_PRINTF(4, 0);

#endif
