/* runtime_fixture.h - a deployment whose sources, sinks and formats are played
 * by the test: every fetch and write is a function of its own. */
#ifndef TESTS_RUNTIME_FIXTURE_H
#define TESTS_RUNTIME_FIXTURE_H

#include "runtime/deployment.h"
#include "runtime/program.h"

#include <pthread.h>

#define FX_MOST 64

/* ---- a place to wait for things ---- */

extern pthread_mutex_t fx_lock;
extern pthread_cond_t fx_changed;
void fx_tell(void);
/* Waits until something is told, at most ms; false: nothing was. Lock held. */
bool fx_listen(int ms);

#define FX_WAIT(condition)                                          \
  do {                                                              \
    pthread_mutex_lock(&fx_lock);                                   \
    while (!(condition)) pthread_cond_wait(&fx_changed, &fx_lock);  \
    pthread_mutex_unlock(&fx_lock);                                 \
  } while (0)

/* ---- sources ---- */

typedef struct fx_source {
  hw_connector *c;
  uint32_t index;
  int64_t next, limit;   /* of the rows that fx_count makes */
  hw_stream *stream;
  const char *text;      /* of what fx_play plays */
  size_t at, piece;
  _Atomic int fetches, interrupts;
} fx_source;

typedef hw_fetch fx_fetch(fx_source *s, const hw_fetch_args *args, hw_error *err);
extern fx_fetch *fx_fetches[FX_MOST];
extern fx_source *fx_sources[FX_MOST];
extern int64_t fx_limit;    /* for all */
extern const char *fx_text; /* for all */
extern size_t fx_piece;
extern bool fx_bytes;       /* sources bring bytes, in lines; else rows */

fx_fetch fx_count;  /* rows index, index + FX_MOST, … `limit` of them */
fx_fetch fx_play;   /* the text, in pieces; '|' ends a message and is not part of it */

/* Every n-th call of the parser lacks memory; 0: none. */
extern _Atomic unsigned fx_parser_starves;
extern _Atomic uint64_t fx_parsed; /* bytes that the parser was given, over and over */
extern _Atomic unsigned fx_followed; /* so often a parser was told to read on as another does: of each piece */
extern bool fx_parser_skips;
extern hw_status fx_encoder_fails;

/* ---- sinks ---- */

typedef struct fx_sink {
  hw_connector *c;
  char *data;
  size_t len, capacity;
  _Atomic uint64_t rows;
  _Atomic bool waits;     /* answers WAIT */
  _Atomic bool fatal;     /* answers FATAL to write */
  _Atomic bool fatal_flush;
  _Atomic unsigned retries; /* answers RETRY so often, having taken a part */
  _Atomic int writes, reopens, flushes;
} fx_sink;

extern fx_sink fx_sinks[FX_MOST];
void fx_resume_sink(fx_sink *s);

/* ---- a program and its deployment ---- */

extern runtime *fx_rt;
extern runtime_options fx_options;
extern program_connector *fx_connectors; /* inputs first */
extern deployment *fx_dep;
extern dead_letters *fx_letters; /* where bad records go; NULL: nowhere */
extern hw_error fx_opened_error, fx_failed_error, fx_complete_error, fx_stopped_error;
extern _Atomic int fx_opened, fx_failed, fx_complete, fx_stopped;

/* t and v hold state; n is the primary key of t; t takes inserts only */
extern bool fx_materialized, fx_keyed, fx_append_only;
/* Table 0: t(n BIGINT) with inputs; and a view v of `branches` times `SELECT n FROM t`,
 * to which the outputs belong (0: they belong to the table). */
void fx_make(uint32_t n_inputs, uint32_t n_outputs, uint32_t branches);
void fx_deploy(void);
void fx_run(void);             /* deploys, waits until open, starts */
void fx_stop(bool force);      /* and frees all */
void fx_free(void);            /* after `stopped` */

typedef struct fx_reply {
  bool done;
  hw_status status;
  uint64_t total, epoch;
  char code[HW_ERROR_CODE_MAX];
} fx_reply;
void fx_ask(uint32_t connector, bool pause, fx_reply *r); /* does not wait */
fx_reply fx_call(uint32_t connector, bool pause);

connector_stats fx_stats(uint32_t connector);
uint64_t fx_total(uint32_t connector);
/* Whether a sink holds rows 0, FX_MOST, 2 FX_MOST, … of input 0, in order and nothing else. */
bool fx_sink_counts_to(const fx_sink *s, int64_t n);

#endif
