/* output.h - an output connector at work: queue, encoder, sink.
 *
 * DESIGN
 * An output is a task that takes batches from its queue, encodes them into one
 * buffer of some hundred KiB and writes that out; the buffer stays until the
 * sink has taken all of it, so a sink that fails for a time loses nothing. The
 * circuit's side (output_offer.c) never waits. Rows are encoded one by one, and where
 * each ends in the buffer is kept: a row counts as written when the sink has taken
 * its last byte, however much it takes at a time.
 *
 * Each run of the task that calls the sink does so inside the gate (gate.h), as a
 * fetch of an input does: so a pause of an output is true when no call is in progress
 * and none can begin.
 *
 * `done_mark` says how far this sink has come: all that the pipeline had taken in
 * up to there is written. Several batches may have one mark, so it is reached when
 * one with a later mark is written, or nothing is in hand: an output with nothing
 * in hand is always up to date. */
#ifndef RUNTIME_OUTPUT_H
#define RUNTIME_OUTPUT_H

#include "runtime/batch_list.h"
#include "runtime/connector.h"
#include "runtime/queue.h"

#include <headworks/format.h>

typedef struct spill spill;

/* Where in the buffer a row ends; several, of an encoder that takes more at a time than it was asked to. */
typedef struct row_end {
  size_t at;
  uint32_t rows;
} row_end;

typedef enum output_phase { OUTPUT_OPEN, OUTPUT_FINISH, OUTPUT_FINISHED } output_phase;

typedef struct output {
  hw_connector c; /* first */
  queue queue;
  /* the pipeline's task */
  batch_list waiting;      /* found no slot */
  uint64_t ceiling;        /* see output_offer.c; 0: none */
  bool touched;            /* in the deployment's list */
  _Atomic bool pipeline_waits; /* wants to be notified when there is room */
  _Atomic bool catches_up; /* there is a ceiling */
  spill *spill;            /* NULL: on_full is another */
  /* the output's task */
  /* Called before the first batch is taken, until it answers HW_WRITE_OK; or NULL. */
  hw_write (*prelude)(void *instance);
  void *encoder;           /* NULL: takes whole batches */
  bool begun;              /* the document's opening is written */
  batch *current;          /* being encoded */
  uint32_t taken;          /* rows of it that are in `bytes` */
  batch *encoded[64];      /* done, but their bytes are not all written */
  uint32_t n_encoded;
  hw_bytes bytes;
  size_t sent;             /* of bytes */
  row_end *ends;           /* in bytes; made when there is one */
  uint32_t n_ends, ends_sent;
  uint32_t bad;            /* rows that could not be encoded in the call at hand */
  uint64_t settled;        /* rows of `current` and `encoded` that are written, or were bad */
  uint64_t last_mark, last_step; /* of the last batch that is written */
  uint64_t flushed_us;     /* when last */
  bool dirty;              /* something was written since */
  bool ended;              /* the document's end is in bytes, or written */
  /* shared */
  _Atomic bool reopen;
  _Atomic uint32_t phase;  /* output_phase: set to FINISH by the pipeline, to FINISHED by the output */
  _Atomic bool failed;
  _Atomic uint64_t transmitted_records, transmitted_bytes, done_mark, done_step;
  _Atomic uint64_t dropped_records; /* for want of room, or after it failed for good */
} output;

hw_status output_init(output *out, deployment *d, runtime *rt, uint32_t index, const program_connector *spec,
                      const hw_schema *schema, hw_error *err);
void output_fini(output *out);
void output_drop(output *out); /* destroys the instance, lets go of batches; from `closed` */

/* The pipeline's task. Takes a reference of b. */
hw_status output_offer(output *out, const batch *b);
/* Moves what waits into the queue; true: the output can be given more. */
bool output_accepts(output *out);
/* It has become less in the queue: the output's task. */
void output_tell_room(output *out);
/* For good: what it holds and is given from now on is counted as dropped. [its task, the spill's] */
void output_fail(output *out, const hw_error *err);
void output_count_dropped(output *out, uint64_t records); /* [any thread] */
/* What it was given and has not handled, in memory or spilled. [any thread] */
uint64_t output_batches(const output *out);
uint64_t output_records(const output *out);

/* Whether everything it was given has been handled. [any thread] */
bool output_is_idle(const output *out);
/* How far it has come, given how far the pipeline has. [any thread] */
uint64_t output_mark(const output *out, uint64_t pipeline_mark);

/* Ends the document and flushes once everything is written; phase tells. */
void output_finish(output *out);
void output_reopen(output *out);

/* What an output tells its deployment: a batch is with the sink; it has room
 * again, is idle, finished or failed. */
void deployment_output_written(deployment *d, output *out, const batch *b);
void deployment_output_progress(deployment *d, output *out);

#endif
