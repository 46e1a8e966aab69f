/* ingress.h - bytes that a client sends, into a table.
 *
 *     ingress_body *b = ingress_begin(p, &options, &events, &err);
 *     while (more) if (!ingress_write(b, data, len)) wait for events.room; (or ingress_lend)
 *     ingress_end(b);
 *     ... events.done: ingress_result(b) says what became of it
 *     ingress_release(b);
 *
 * Parsing happens on the engine's threads. A body waits while the pipeline is
 * paused (unless forced) and while queues are full; what waits of it is bounded,
 * and ingress_write says when that is full.
 *
 * THREADS  One for all calls about one body. Events come from any thread, also
 *          from inside a call; they must not block, nor call a function of this
 *          file. */
#ifndef ENGINE_INGRESS_H
#define ENGINE_INGRESS_H

#include "connectors/unpack.h"

#include <headworks/headworks.h>

#include <jansson.h>

typedef struct ingress_body ingress_body;

typedef struct ingress_options {
  const char *table;    /* by SQL's rule for names */
  const char *format;   /* "json", "csv", ... */
  const json_t *config; /* the format's options, an object; numbers and booleans may be strings */
  bool force;           /* does not wait while the pipeline is paused */
  bool atomic;          /* all rows, as one unit, or none */
  uint64_t atomic_max;  /* most bytes of an atomic body, unpacked */
  unpack_kind packed;   /* UNPACK_PLAIN, UNPACK_GZIP, UNPACK_ZSTD */
} ingress_options;

typedef struct ingress_events {
  void *arg;
  void (*room)(void *arg); /* after ingress_write returned false, or ingress_lend true */
  void (*done)(void *arg); /* once, the last event: the outcome stands */
} ingress_events;

/* The first use of a table and format options makes an input endpoint, which
 * stays until the pipeline stops. NULL: UnknownInputStream, UnknownInputFormat,
 * InputFormatNotSupported, InvalidParserConfig, ApiConnectionLimit,
 * PipelineInteractionNotDeployed, Initializing, HW_ENOMEM; PipelineInteractionUnreachable:
 * a transaction is full. */
ingress_body *ingress_begin(hw_pipeline *p, const ingress_options *options, const ingress_events *events,
                            hw_error *err);
/* Takes a copy of all of data; false: enough waits, write no more before `room`. */
bool ingress_write(ingress_body *b, const char *data, size_t len);
/* Instead of writing the next bytes: they are in the socket fd, from which the engine receives
 * at most `most` of them, and nobody else any until events.room: then there was nothing more in
 * it (or its end, or an error, or that was most), and ingress_received tells how many it were
 * since. ingress_cut, ingress_refuse (true) and events.done take it back as well. Does not
 * block; false: not a body for that, write it. */
bool ingress_lend(ingress_body *b, int fd, uint64_t most);
/* Takes it back at once: a body that stands still does not look at its socket. False: it is back, or
 * events.room is on its way. */
bool ingress_recall(ingress_body *b);
uint64_t ingress_received(ingress_body *b);
void ingress_end(ingress_body *b); /* that was all of it */
/* That was not all, and no more will come. Whole records that were read before are taken
 * all the same, but of an atomic body none. */
void ingress_cut(ingress_body *b);
/* Gives up if something of it waits and none was taken; true: nor will be. An atomic
 * body that was unpacked or parsed further since the last call goes on: ask again. */
bool ingress_refuse(ingress_body *b);
/* After `done`, or when `done` means nothing any more (then it must be harmless). */
void ingress_release(ingress_body *b);

#define INGRESS_FAULTS_KEPT 1000u
#define INGRESS_TEXT_MAX 256u /* bytes of a bad record that are kept */

typedef struct ingress_fault {
  uint64_t event;     /* number of the record in the body, from 1 */
  char tag[24];
  char *field;        /* column; NULL: none */
  char *reason;
  char *text;         /* the record's first bytes */
  size_t text_len;
} ingress_fault;

typedef struct ingress_result {
  hw_error error;     /* HW_OK: all of it was read. HW_ELIMIT: larger than atomic_max; HW_EPARSE: cannot be
                         unpacked; HW_ESTATE: the pipeline stops; HW_ECANCELED: cut or refused; HW_ENOMEM */
  uint64_t rows;      /* that landed */
  uint64_t n_faults;  /* records that were bad */
  const ingress_fault *faults; /* the last of them, at most INGRESS_FAULTS_KEPT, a ring: number i at i % KEPT */
  char token[128];    /* of what the endpoint has taken in with this body */
} ingress_result;

/* After `done`; lives as long as the body. */
const ingress_result *ingress_outcome(const ingress_body *b);

#endif
