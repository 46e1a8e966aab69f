/* headworks.h - Headworks inside another program.
 *
 * An engine owns the threads, the memory budget and any number of named
 * pipelines. A pipeline is a SQL program; started, it runs the program's
 * connectors and circuit until it is stopped.
 *
 *     hw_engine *engine = hw_engine_new(NULL, &err);
 *     hw_pipeline *p;
 *     hw_pipeline_create(engine, "demo", program, strlen(program), &p, &err);
 *     hw_pipeline_start(p, HW_RUNNING, NULL, NULL, &err);
 *     ...
 *     hw_pipeline_stop(p, false, NULL, NULL, &err);
 *     hw_pipeline_unref(p);
 *     hw_engine_free(engine);
 *
 * THREADS  Every function may be called from any thread, several at once,
 *          except where it says otherwise. Callbacks come from the engine's
 *          threads: they must be short and must not call a function that waits.
 * WAITING  A control call (start, pause, resume, stop, connector start and
 *          pause) takes `done`. NULL: the call returns when it is done, with its
 *          result. Otherwise it returns HW_OK at once and done is called exactly
 *          once, possibly before the return; or it returns an error and done is
 *          never called. */
#ifndef HEADWORKS_HEADWORKS_H
#define HEADWORKS_HEADWORKS_H

#include <headworks/connector.h>
#include <headworks/format.h>
#include <headworks/plugin.h>
#include <headworks/status.h>
#include <headworks/types.h>
#include <headworks/value.h>

#ifdef __cplusplus
extern "C" {
#endif

HW_API const char *hw_version(void); /* "0.1.0" */

/* ---- engine -------------------------------------------------------------- */

typedef struct hw_engine hw_engine;

/* line is borrowed, without a time and without a newline. */
typedef void hw_log_function(void *arg, hw_log_level level, const char *line);

typedef struct hw_engine_options {
  uint32_t struct_size;      /* sizeof(hw_engine_options) */
  unsigned workers;          /* threads that run connectors and circuits; 0: one per core */
  uint64_t memory_limit;     /* bytes for batches and buffers, all pipelines together; 0: 1 GiB. A pipeline whose
                                views need more than a quarter for one row fails (HW_ELIMIT, "MemoryLimit") */
  hw_log_level log_level;    /* 0: errors only; without options HW_LOG_INFO */
  hw_log_function *log;      /* NULL: to standard error; [any thread], one at a time */
  void *log_arg;
  uint32_t drain_timeout_ms; /* how long a stop waits for what was fetched to be written; 0: 10 s */
  uint32_t pause_timeout_ms; /* how long a pause waits for a fetch to end; 0: 5 s */
  const char *file_root;     /* directory that connectors' files are confined to; NULL: none */
  const char *spill_dir;     /* where outputs with on_full = spill make their files; NULL: $TMPDIR, else /var/tmp */
  const char *secrets_dir;   /* where ${secret:kubernetes:NAME/KEY} is the file NAME/KEY; NULL: nowhere */
  uint64_t state_limit;      /* bytes for what tables and views hold, all pipelines together; 0: 2 GiB.
                                A pipeline that would go beyond it fails (HW_ELIMIT, "StateLimit") */
  uint64_t dead_letters;     /* bad records that are kept of a pipeline; 0: 10,000 */
  uint64_t dead_letter_bytes; /* bytes that these may take together; 0: 32 MiB */
  uint64_t query_limit;      /* bytes for what ad-hoc queries sort, group and insert, all together; 0: 256 MiB */
  unsigned worker_nice;      /* by how much lower (as nice(1) counts, up to 19) the priority of the threads is that run
                                connectors and circuits, so that others of the process get a processor at once */
} hw_engine_options;

/* options NULL: defaults. One engine per process is enough; several may exist. */
HW_API hw_engine *hw_engine_new(const hw_engine_options *options, hw_error *err);
/* Stops every pipeline by force, joins all threads, frees everything. Waits.
 * Producers must be closed before; of pipelines and listeners that are still
 * held, only hw_pipeline_unref and hw_listener_close may be called afterwards. */
HW_API void hw_engine_free(hw_engine *engine);
/* Loads plugins: a colon-separated list of files and of directories with *.so. */
HW_API HW_MUST_USE hw_status hw_engine_load_plugins(hw_engine *engine, const char *paths, hw_error *err);
/* Starts every output's destination anew, where that means something (SIGHUP). */
HW_API void hw_engine_reopen(hw_engine *engine);

/* ---- pipelines ----------------------------------------------------------- */

typedef struct hw_pipeline hw_pipeline;

typedef enum hw_run_state { HW_PAUSED = 0, HW_RUNNING = 1 } hw_run_state;

/* What a control call came to; borrowed for the callback. */
typedef struct hw_reply {
  uint32_t struct_size;
  hw_status status;
  const hw_error *error;     /* NULL when status is HW_OK */
  /* of a connector's pause or start: */
  uint64_t epoch;            /* number of this transition, per connector, from 1 */
  uint64_t total_records;    /* rows taken in (of an output: written) so far; still until the next start */
  const char *position;      /* in the source, "" when it has none */
  /* since 0.2: */
  uint64_t kept_us;          /* of the time until now, how long the catalog took to have it on disk */
} hw_reply;

typedef void hw_done(void *arg, const hw_reply *reply);

/* Makes a pipeline and compiles its program (len bytes) before it returns. The
 * caller gets a reference; the engine keeps the pipeline until it is deleted.
 * HW_EINVAL: not a name (letters, digits, _ and -); HW_EEXIST; HW_ECOMPILE: *err
 * holds the faults as text, and there is no pipeline. */
HW_API HW_MUST_USE hw_status hw_pipeline_create(hw_engine *engine, const char *name, const char *program, size_t len,
                                                hw_pipeline **out, hw_error *err);
HW_API hw_pipeline *hw_pipeline_find(hw_engine *engine, const char *name); /* a reference, or NULL */
HW_API hw_pipeline *hw_pipeline_ref(hw_pipeline *p);
HW_API void hw_pipeline_unref(hw_pipeline *p);
/* Takes it out of the engine, with what runs have left in storage; only when
 * stopped, else HW_ESTATE. References stay good. */
HW_API HW_MUST_USE hw_status hw_pipeline_delete(hw_pipeline *p, hw_error *err);
HW_API const char *hw_pipeline_name(const hw_pipeline *p); /* lives as long as p; it may be renamed over HTTP */

/* Opens every connector, then lets them run (or stay paused). Done when all are
 * open, or when one could not be: then the pipeline is stopped again. */
HW_API hw_status hw_pipeline_start(hw_pipeline *p, hw_run_state initial, hw_done *done, void *arg, hw_error *err);
/* Done when no input connector fetches and none can begin to. */
HW_API hw_status hw_pipeline_pause(hw_pipeline *p, hw_done *done, void *arg, hw_error *err);
HW_API hw_status hw_pipeline_resume(hw_pipeline *p, hw_done *done, void *arg, hw_error *err);
/* Stops fetching, lets what was fetched reach the sinks and be flushed (force:
 * does not), closes everything. */
HW_API hw_status hw_pipeline_stop(hw_pipeline *p, bool force, hw_done *done, void *arg, hw_error *err);
/* Waits until the pipeline is complete (every input at its end, every producer
 * closed and every output written), stopped or failed, at most timeout_ms
 * (negative: for ever). HW_OK: complete. HW_ETIMEOUT. HW_ESTATE: stopped before;
 * HW_EEVAL and others: its failure. */
HW_API HW_MUST_USE hw_status hw_pipeline_wait(hw_pipeline *p, int64_t timeout_ms, hw_error *err);

/* ---- connectors ---------------------------------------------------------- */

/* table by SQL's identifier rule (quotes make it exact), connector exact. A
 * pause is done when it is true: no fetch in progress, none can begin. */
HW_API hw_status hw_connector_pause(hw_pipeline *p, const char *relation, const char *connector, hw_done *done,
                                    void *arg, hw_error *err);
HW_API hw_status hw_connector_start(hw_pipeline *p, const char *relation, const char *connector, hw_done *done,
                                    void *arg, hw_error *err);

/* ---- rows from and to the program ---------------------------------------- */

/* A producer of rows for one table: a queue of its own into the circuit. One
 * thread at a time per producer. Valid while the pipeline is started. */
typedef struct hw_producer hw_producer;

HW_API hw_producer *hw_producer_open(hw_pipeline *p, const char *table, hw_error *err);
/* A batch to fill (see types.h), or NULL: no memory within the budget now, for
 * other batches hold it: try again later. */
HW_API hw_batch *hw_producer_batch(hw_producer *producer);
/* Hands the batch over in every case. Waits for room up to timeout_ms (negative:
 * for ever); HW_ETIMEOUT: dropped, nothing was taken. HW_ESTATE: stopped.
 * HW_EINVAL: a row that the table does not take (a delete from an append_only
 * one, an update in one without PRIMARY KEY): dropped, nothing was taken. */
HW_API HW_MUST_USE hw_status hw_producer_push(hw_producer *producer, hw_batch *batch, int64_t timeout_ms);
HW_API void hw_producer_close(hw_producer *producer); /* what was pushed is still processed */

/* Called with each batch of a relation's changes, in order, one call at a time;
 * the batch is borrowed. Keeping the circuit waiting is the callback's right. */
typedef void hw_listener_function(void *arg, const hw_batch *batch);
typedef struct hw_listener hw_listener;

/* Before the start or while running. From the next step on. */
HW_API hw_listener *hw_listener_open(hw_pipeline *p, const char *relation, hw_listener_function *call, void *arg,
                                     hw_error *err);
/* After the return the callback is not running and will not be called again
 * (not from inside the callback). */
HW_API void hw_listener_close(hw_listener *listener);

#ifdef __cplusplus
}
#endif
#endif
