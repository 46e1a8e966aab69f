/* session.h - one pipeline in this process, for `run` and `bench`: made of a
 * program file, run to its end or to a signal, drained, stopped. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/cli.h"
#include "cli/reply.h"
#include "engine/manager.h"

#include <headworks/headworks.h>

typedef enum session_end {
  SESSION_COMPLETE, /* every input at its end, every output written */
  SESSION_ENDED,    /* a signal ended the inputs; what was read is written */
  SESSION_CUT,      /* a signal, but not everything was written in time */
  SESSION_FAILED,   /* s->error says why */
} session_end;

/* All on the main thread; each may be NULL. */
typedef struct session_hooks {
  void *arg;
  uint64_t interval_us;                              /* between two ticks */
  void (*running)(void *arg);                        /* it has started */
  void (*tick)(void *arg, const pipeline_stats *now);
  void (*over)(void *arg);                           /* it ends: no more ticks; it still can be asked for things */
} session_hooks;

typedef struct session {
  hw_engine *engine;
  hw_pipeline *pipeline; /* while session_run runs */
  program *program;      /* as compiled */
  const char *path;      /* of the program file; borrowed */
  char *text;
  size_t text_len;
  double drain_seconds;  /* after a signal */
  pipeline_stats stats;  /* of the end, error lists included */
  double started, ended; /* cli_now when start was asked for, and when the last row was written */
  hw_error error;
  signals signals;
  reply start, pause, stop, force, wait;
} session;

/* Loads them; a directory without any is warned of. paths may be NULL. False: said. */
bool session_load_plugins(hw_engine *engine, const char *paths);

/* An engine by the options --workers, --worker-nice (by default `nice`), --memory, --log-level, --plugin-path and
 * the variable HEADWORKS_PLUGIN_PATH; log NULL: standard error. NULL: the reason
 * has been printed, *status tells how to exit. */
hw_engine *session_engine(const cli_call *call, double nice, hw_log_level level, hw_log_function *log, void *log_arg,
                          cli_exit *status);

/* Blocks the signals, makes the engine, reads and compiles the call's first
 * argument. What fails has been printed. session_close in every case. */
cli_exit session_open(session *s, const cli_call *call, hw_log_function *log, void *log_arg);
void session_close(session *s);

/* Makes a pipeline of the program, runs it to its end and deletes it. After
 * SESSION_COMPLETE it may be called again. */
session_end session_run(session *s, const session_hooks *hooks);

/* Bad records, faults of transports (cut files, lost peers, retries that came to nothing), and
 * whether a connector failed for good, by s->stats. */
uint64_t session_bad_records(const session *s);
uint64_t session_connector_faults(const connector_stats *c); /* without tries after which it went on */
uint64_t session_faults(const session *s);
const char *session_fatal_error(const session *s);

#endif
