/* pauser.h - measures how long a pause takes to be true, while a pipeline runs. */
#ifndef CLI_PAUSER_H
#define CLI_PAUSER_H

#include <headworks/headworks.h>

#include <stdbool.h>
#include <stddef.h>

typedef struct pauser pauser;

typedef struct pauser_result {
  size_t n;      /* pauses */
  size_t untrue; /* after which rows or position still moved */
  size_t failed; /* not acknowledged */
  double p50_us, p99_us, max_us; /* from the request to the acknowledgement */
} pauser_result;

/* Starts a thread that, every interval_us, pauses the input that has taken in
 * most rows since, and starts it again. NULL: no thread to be had. */
pauser *pauser_start(hw_pipeline *p, uint64_t interval_us);
/* Ends the thread; every connector it paused is started again. */
void pauser_finish(pauser *ps, pauser_result *out);

#endif
