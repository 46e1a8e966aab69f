/* stats.h - snapshots of what a running pipeline has done. Every number is
 * counted where it happens and read from atomics: taking a snapshot waits for
 * nobody. Strings are copies that the *_fini functions free. */
#ifndef RUNTIME_STATS_H
#define RUNTIME_STATS_H

#include <stdbool.h>
#include <stdint.h>

/* Durations: how many were at most 1 us, 4 us, 16 us, ... 67 s. */
#define LATENCY_EDGES 14u
static inline uint64_t latency_edge_us(uint32_t edge) { return UINT64_C(1) << 2 * edge; }

typedef struct latency_counts {
  uint64_t at_most[LATENCY_EDGES];
  uint64_t count, sum_ns;
  uint64_t p99_us; /* an upper limit, at most a quarter above; 0: none were counted */
} latency_counts;

typedef struct connector_error {
  int64_t timestamp_us;
  uint64_t index;    /* of all errors of this kind, from 0 */
  char tag[32];
  char *message;     /* at most 8 KiB */
} connector_error;

typedef struct connector_error_list {
  uint32_t n;
  connector_error *items; /* oldest first, at most 100 */
} connector_error_list;

typedef struct connector_stats {
  char *endpoint;          /* "table.connector" */
  char *relation, *name;
  bool is_input;
  char *config_json;       /* the connector object, secrets masked */
  char *fatal_error;       /* NULL: none */
  bool healthy;            /* no failure standing */
  char *health_reason;     /* NULL when healthy */
  bool paused;             /* by the user */
  bool active;             /* nothing holds it */
  char holds[128];         /* reasons it is held, blank separated, as "pipeline user start_after" */
  uint64_t epoch;          /* of its latest pause or start */
  uint64_t dropped_records; /* an input's by its source; an output's for want of room, or after it failed */
  /* inputs */
  bool quiescent;          /* everything it took in has reached the sinks */
  uint64_t taken_mark;     /* records that the pipeline had taken up to and with its last batch */
  char *position;
  uint64_t total_bytes, total_records, buffered_bytes, buffered_records;
  uint64_t progress_done, progress_total;
  bool end_of_input;
  uint64_t buffered_batches;
  latency_counts processing; /* from the fetch of a batch until it is through the circuit */
  /* outputs */
  uint64_t transmitted_records, transmitted_bytes, queued_records, queued_batches, queued_bytes;
  uint64_t total_processed_input_records, total_processed_steps, memory;
  const char *on_full;     /* "hold", "spill", "drop" */
  uint64_t spill_bytes;    /* on disk now; the rows there count as queued */
  uint64_t spilled_records; /* that were ever written there */
  /* both */
  uint64_t num_transport_errors, num_parse_errors, num_encode_errors;
  uint64_t recovered_errors; /* of the transport errors: tries, after which it went on; nothing is lost by them */
  connector_error_list parse_errors, transport_errors, encode_errors; /* filled when asked for */
} connector_stats;

/* What came out of a relation and what its filters held back: with the inputs'
 * and outputs' counts this accounts for every record (`headworks bench`). A row
 * counts once, whatever its weight. */
typedef struct relation_stats {
  uint64_t records;  /* rows that came out: of a table, those that its inputs brought; of a view, its changes */
  uint64_t filtered; /* rows that the WHERE of its branches dropped */
  uint64_t batches;  /* a table's, or those that its branches took in */
  uint64_t ns;       /* that its branches took */
  /* of a table with a PRIMARY KEY, where `records` counts the changes that its rows made: */
  uint64_t brought;  /* rows that its inputs brought */
  uint64_t ignored;  /* of them, deletes and updates of keys that were not there */
  /* of a relation that holds state, as of the last step: */
  uint64_t stored_rows;
  uint64_t stored_bytes;
} relation_stats;

/* What a pipeline's transaction is at; zeros where there is none. */
typedef struct transaction_stats {
  bool open, committing;   /* one of them, or neither */
  uint64_t id;
  uint64_t age_us;         /* since its start */
  uint64_t records;        /* that it has taken */
  uint64_t committed;      /* of them those that the circuit has had */
  uint64_t held_bytes;
  bool full;               /* it can take no more: inputs wait for its commit */
} transaction_stats;

typedef struct pipeline_stats {
  bool running;            /* state Running, else Paused */
  bool complete;           /* pipeline_complete */
  uint64_t total_input_records, total_input_bytes, buffered_input_records, buffered_input_bytes;
  uint64_t total_processed_records, total_processed_bytes, total_completed_records;
  uint64_t initiated_steps, completed_steps;
  uint64_t output_stall_us, output_stalls; /* how long and how often the circuit stood still for its outputs */
  uint64_t wakeups;          /* runs of the pipeline's task */
  latency_counts step_time;  /* of a step of the circuit */
  latency_counts completion; /* from the fetch of a batch to its last byte written, once for each output */
  uint64_t rss_bytes, cpu_us, memory_in_use;
  int64_t start_time_us;   /* since 1970 */
  uint64_t uptime_us;
  char incarnation[37];
  transaction_stats transaction;
  latency_counts transaction_ingest, transaction_commit; /* from start to commit, from there to its end */
  uint32_t n_inputs, n_outputs;
  connector_stats *inputs, *outputs;
  uint32_t n_relations;    /* as in the program; 0: not counted */
  relation_stats *relations;
} pipeline_stats;

void pipeline_stats_fini(pipeline_stats *s);
void connector_stats_fini(connector_stats *s);

#define STATS_STATM "/proc/self/statm"
uint64_t stats_resident_bytes(void); /* of the process; 0: not known [any thread] */
/* The same, from STATS_STATM that is open: opening it takes most of the time. */
uint64_t stats_resident_of(int statm);

/* Latencies, for `headworks bench`: quantiles in microseconds of the time from
 * the fetch of a batch to its last byte written, and their count. */
typedef struct latency_summary {
  uint64_t count;
  double p50_us, p99_us, max_us;
} latency_summary;

#endif
