/* progress.h - what `run` shows while it runs: one line that is written over on
 * a terminal, a line every few seconds otherwise. To standard error. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "cli/session.h"

typedef struct progress {
  bool terminal, quiet;
  bool shown;            /* a line stands that the next output must clear; under the lock of stderr */
  const program *program; /* for the bounds of the queues */
  double started, last;
  uint64_t last_bytes;
} progress;

void progress_init(progress *p, bool quiet);
/* Before the first tick: what runs. Where its rows go to the terminal that the
 * line would stand on, no line is shown. */
void progress_attend(progress *p, const struct program *running);
uint64_t progress_interval_us(const progress *p);
void progress_tick(progress *p, const pipeline_stats *now);
/* Takes the line away. */
void progress_clear(progress *p);
/* An engine's log function (arg: a progress): keeps the line out of the way. */
void progress_log(void *arg, hw_log_level level, const char *line);

#endif
