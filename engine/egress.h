/* egress.h - a relation's changes, to a client that takes them chunk by chunk.
 *
 *     egress *e = egress_open(p, &options, &events, &err);
 *     on events.ready: while (egress_take(e, &line)) send it;
 *                      when the client has it: egress_taken(e)
 *     egress_close(e);
 *
 * A chunk is one line of JSON, ended by CR LF:
 *
 *     {"sequence_number":N,"snapshot":false,"json_data":[...]}     or "text_data":"..."
 *     {"sequence_number":N,"snapshot":false,"gap":{"chunks":k,"rows":r}}
 *
 * Numbers begin with 0 and have no holes. With backpressure the pipeline waits for
 * the client, one chunk at a time; without it, chunks that find EGRESS_CHUNKS
 * others or EGRESS_BYTES waiting are lost, whole, and a gap says how many.
 *
 * THREADS  One for all calls about one egress. Events come from any thread, none
 *          after egress_close has returned; they must not block, nor call a
 *          function of this file. */
#ifndef ENGINE_EGRESS_H
#define ENGINE_EGRESS_H

#include <headworks/headworks.h>

#include <jansson.h>

typedef struct egress egress;

#define EGRESS_CHUNKS 100u
#define EGRESS_BYTES (8u << 20)

typedef struct egress_options {
  const char *relation; /* table or view, by SQL's rule for names */
  const char *format;   /* "json", "csv" */
  const json_t *config; /* the format's options, an object; NULL: none */
  bool backpressure;
  bool snapshot;        /* begin with what the relation holds */
} egress_options;

typedef struct egress_events {
  void *arg;
  void (*ready)(void *arg); /* there is a chunk, or the egress has begun, or ended */
} egress_events;

/* It shows in the statistics as output {relation}.api-{uuid}. NULL:
 * UnknownOutputStream, UnknownOutputFormat, EncoderConfigParseError,
 * InvalidEncoderConfig, InvalidTransportConfig (nothing to make a snapshot of),
 * PipelineInteractionNotDeployed, Initializing, HW_ENOMEM. */
egress *egress_open(hw_pipeline *p, const egress_options *options, const egress_events *events, hw_error *err);

/* The next chunk; the caller frees line->data. False: none now. */
bool egress_take(egress *e, hw_bytes *line);
/* The client has all that was taken. */
void egress_taken(egress *e);

typedef struct egress_state {
  uint64_t next;      /* number of the chunk that egress_take gives next */
  uint64_t steps;     /* of the pipeline, of which all changes were taken; 0: not known now */
  bool begun;         /* what comes into the pipeline from now on is seen */
  bool ended;         /* the pipeline has stopped; what can still be taken is all */
  bool cut;           /* ended before all could be handed over */
} egress_state;

egress_state egress_look(egress *e);
/* Ends it; e is gone. */
void egress_close(egress *e);

#endif
