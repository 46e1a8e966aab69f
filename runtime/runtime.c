#include "runtime/runtime.h"
#include "runtime/stats.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY_LIMIT_DEFAULT (UINT64_C(1) << 30)
#define STATE_LIMIT_DEFAULT (UINT64_C(2) << 30)
#define QUERY_LIMIT_DEFAULT (UINT64_C(256) << 20)
#define PAUSE_TIMEOUT_DEFAULT_US (5 * UINT64_C(1000000))
#define TURN_DEFAULT_US 200u

static const char *choose_spill_dir(const runtime_options *o) {
  if (o->spill_dir) return o->spill_dir;
  const char *tmp = getenv("TMPDIR");
  return tmp && *tmp ? tmp : "/var/tmp";
}

static void close_statm(const runtime *rt) {
  if (rt->statm >= 0) close(rt->statm);
}

runtime *runtime_new(const runtime_options *o, hw_error *err) {
  runtime *rt = aligned_alloc(64, (sizeof *rt + 63) & ~(size_t)63);
  if (!rt) goto no_memory;
  if (logger_init(&rt->log, o->log_level, o->log, o->log_arg) != HW_OK) goto no_log;
  if (!(rt->spill_dir = strdup(choose_spill_dir(o)))) goto no_dir;
  if (mem_init(&rt->mem, o->memory_limit ? o->memory_limit : MEMORY_LIMIT_DEFAULT) != HW_OK) goto no_mem;
  if (mem_init(&rt->state, o->state_limit ? o->state_limit : STATE_LIMIT_DEFAULT) != HW_OK) goto no_state;
  if (mem_init(&rt->queries, o->query_limit ? o->query_limit : QUERY_LIMIT_DEFAULT) != HW_OK) goto no_queries;
  rt->pause_timeout_us = o->pause_timeout_us ? o->pause_timeout_us : PAUSE_TIMEOUT_DEFAULT_US;
  rt->turn_us = o->turn_us ? o->turn_us : TURN_DEFAULT_US;
  rt->files = rt->secrets = NULL;
  atomic_init(&rt->bodies_waiting, 0);
  atomic_init(&rt->transactions_held, 0);
  if (o->file_root && !(rt->files = file_root_new(o->file_root, "--file-root", err))) goto no_files;
  if (o->secrets_dir && !(rt->secrets = file_root_new(o->secrets_dir, "--secrets-dir", err))) goto no_secrets;
  rt->statm = open(STATS_STATM, O_RDONLY | O_CLOEXEC);
  rt->sched = sched_new(o->workers, o->worker_nice, err);
  if (rt->sched) return rt;

  close_statm(rt);
  file_root_free(rt->secrets);
no_secrets:
  file_root_free(rt->files);
no_files:
  mem_fini(&rt->queries);
  mem_fini(&rt->state);
  mem_fini(&rt->mem);
  free(rt->spill_dir);
  logger_fini(&rt->log);
  free(rt);
  return NULL;
no_queries:
  mem_fini(&rt->state);
no_state:
  mem_fini(&rt->mem);
no_mem:
  free(rt->spill_dir);
no_dir:
  logger_fini(&rt->log);
no_log:
  free(rt);
no_memory:
  hw_error_set(err, HW_ENOMEM, "no memory for an engine");
  return NULL;
}

void runtime_free(runtime *rt) {
  if (!rt) return;
  sched_free(rt->sched);
  close_statm(rt);
  file_root_free(rt->secrets);
  file_root_free(rt->files);
  mem_fini(&rt->queries);
  mem_fini(&rt->state);
  mem_fini(&rt->mem);
  logger_fini(&rt->log);
  free(rt->spill_dir);
  free(rt);
}
