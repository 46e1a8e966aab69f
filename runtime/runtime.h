/* runtime.h - what all pipelines of an engine share: threads, memory, log. */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include "runtime/file_root.h"
#include "runtime/log.h"
#include "runtime/mem.h"
#include "runtime/sched.h"

typedef struct runtime {
  logger log;
  mem mem;                   /* of batches and buffers */
  struct mem state;          /* of what tables and views hold */
  struct mem queries;        /* of what ad-hoc queries gather */
  sched *sched;
  file_root *files;   /* NULL: connectors open files anywhere */
  file_root *secrets; /* NULL: there is no directory of secrets */
  uint64_t pause_timeout_us; /* how long a pause may wait for a fetch to end */
  uint64_t turn_us;          /* a pipeline's turn ends after so long, when the work in hand allows */
  char *spill_dir;
  int statm; /* STATS_STATM, for statistics; -1: it cannot be had */
  _Atomic uint64_t transactions_held; /* bytes of batches that open transactions hold */
  _Atomic uint64_t bodies_waiting; /* bytes that clients have sent and no parser has taken */
} runtime;

typedef struct runtime_options {
  unsigned workers;       /* 0: one per core */
  unsigned worker_nice;   /* see sched.h */
  uint64_t memory_limit;  /* bytes; 0: 1 GiB */
  uint64_t state_limit;   /* bytes; 0: 2 GiB */
  uint64_t query_limit;   /* bytes; 0: 256 MiB */
  uint64_t pause_timeout_us; /* 0: 5 s */
  uint64_t turn_us;          /* 0: 200 us */
  const char *spill_dir;  /* where outputs spill to (copied); NULL: $TMPDIR, else /var/tmp */
  hw_log_level log_level;
  hw_log_function *log;
  void *log_arg;
  const char *file_root, *secrets_dir; /* directories; NULL: none */
} runtime_options;

runtime *runtime_new(const runtime_options *options, hw_error *err);
/* Every deployment must be gone. */
void runtime_free(runtime *rt);

#endif
