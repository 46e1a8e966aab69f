/* input.h - an input connector at work: gate, fetches, streams, queue.
 *
 * DESIGN
 * An input is a task. Each run of it is one fetch: it enters the gate, parses
 * what streams still hold, lets the transport bring in more (which parses it on
 * the way, see stream.c), queues the rows for the circuit and leaves the gate.
 * All that a pause promises to stand still moves only between enter and leave.
 *
 * Held by backpressure, the input is woken by the pipeline's task when the queue
 * has room again; by the other reasons, by whoever lifts them. */
#ifndef RUNTIME_INPUT_H
#define RUNTIME_INPUT_H

#include "runtime/connector.h"
#include "runtime/source.h"

typedef struct input {
  hw_connector c; /* first */
  source source;
  bool unpausable;          /* a pause of the pipeline does not hold it; a stop does */
  struct input *next_extra; /* of those that came while the deployment ran */
  /* the task's own, while it is in the gate */
  batch *open;          /* being filled */
  hw_batch *lent;       /* with the transport, see hw_input_batch */
  uint32_t rows_wanted; /* capacity of the next batch */
  hw_stream *streams;   /* all, newest first */
  hw_stream *unparsed;  /* those with bytes that found no room */
  hw_stream *ahead;     /* the one with pieces that are parsed ahead; NULL: none */
  bool awaits;          /* it cannot go on before pieces are parsed */
  uint64_t now_ns;      /* when this fetch began */
  bool starved;         /* the memory budget refused a block in this fetch */
  uint32_t starvations; /* fetches in a row that it did so */
  bool ended;           /* the transport has no more, or failed; streams may still hold bytes */
  _Atomic bool resumed; /* a hold was lifted since the last fetch */
  _Atomic uint64_t total_records, total_bytes, dropped, progress_done, progress_total;
  _Atomic bool end_of_input;
  _Atomic uint32_t uses; /* its own task and the pieces that are being parsed */
} input;

hw_status input_init(input *in, deployment *d, runtime *rt, uint32_t index, const program_connector *spec,
                     const hw_schema *schema, hw_error *err);
void input_fini(input *in); /* its task is closed */
/* Destroys the instance and lets go of streams and batches; when its uses have ended. */
void input_drop(input *in);
/* Ends a use; the last one drops it and tells the deployment. [any thread] */
void input_unuse(input *in);

/* Lifts reasons and lets it run if that opened the gate. [any thread] */
void input_release(input *in, uint32_t reasons);

/* ---- between input.c and stream.c, inside the gate ---- */

/* The batch being filled, made if there is none; NULL: the queue is full or
 * memory is short. */
batch *input_open_batch(input *in);
/* Rows that the queue's bound still allows, beyond those in the open batch. */
uint64_t input_rows_allowed(const input *in);
/* Queues the batch being filled, if it holds rows. */
void input_flush(input *in);
/* Queues a chain of batches as one (NULL: no rows), with `loose` bytes of input
 * beside those that they count; false: no room yet, nothing was taken. */
bool input_push_unit(input *in, batch *unit, uint64_t loose);
/* Counts n bytes of the source as done with: with the rows being made, if any. */
void input_account(input *in, uint64_t n);
/* Whether nothing is under way: then memory is not refused, or inputs could wait
 * for each other's for ever, and for that of a pipeline that stands still. */
bool input_is_empty(const input *in);
/* Parses what found no room before; true: nothing is left of it. */
bool input_parse_rest(input *in);
/* Whether a piece is being parsed at this moment: it will notify the task. */
bool input_is_parsed_ahead(const input *in);
void stream_free(hw_stream *s);

/* ---- for transports inside the engine, which want to know more of a stream ---- */

/* Called on the input's task, inside the gate. Caller's memory. */
typedef struct stream_watch {
  /* A record was bad; `event` is its number in the stream, from 1. */
  void (*bad)(struct stream_watch *w, const hw_bad_record *bad, uint64_t event);
  /* Its rows are about to be queued; false: they shall not. Of atomic streams only. */
  bool (*commit)(struct stream_watch *w);
  /* All that the stream held is parsed and queued; `rows` of it landed. It is freed with the return. */
  void (*closed)(struct stream_watch *w, uint64_t rows);
} stream_watch;

/* NULL: nobody any more. */
void stream_watch_set(hw_stream *s, stream_watch *watch);
/* Its rows are kept back until it is closed, then queued as one unit, or let go
 * if any record was bad. What it holds is bounded by who reserves: bytes given to
 * it find memory beyond the budget. Before the first byte. */
void stream_make_atomic(hw_stream *s);
/* None of its rows shall be queued, whatever it still holds. */
void stream_spoil(hw_stream *s);
uint64_t stream_rows(const hw_stream *s); /* that are queued, or about to be */

#endif
