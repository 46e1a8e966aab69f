/* metrics.c - the one table of metrics, and their two spellings.
 *
 * An entry says where in a snapshot its number stands. A family is told once,
 * with the samples of all pipelines, as Prometheus' text format asks for. */
#include "api/metrics.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

typedef enum metric_kind { COUNTER, GAUGE, HISTOGRAM } metric_kind;
static const char *const kind_names[] = {"counter", "gauge", "histogram"};

typedef enum metric_scope { OF_PIPELINE, OF_INPUT, OF_OUTPUT, OF_PROCESS, OF_SERVER, OF_ROUTE, OF_STATUS } metric_scope;
static const char *const scope_labels[] = {"`pipeline`, `pipeline_name`", "the same and `endpoint`",
                                           "the same and `endpoint`", "none", "none",
                                           "`method`, `path`", "the same and `status`"};

typedef enum member_type { MEMBER_U64, MEMBER_I64, MEMBER_BOOL, MEMBER_LATENCY } member_type;

typedef struct metric {
  const char *name;
  metric_kind kind;
  metric_scope scope;
  member_type type;
  size_t offset;  /* in the scope's struct */
  double divisor; /* what is told is the member divided by this */
  const char *help;
} metric;

#define PIPELINE(member) OF_PIPELINE, MEMBER_U64, offsetof(metrics_pipeline, member)
#define INPUT(member) OF_INPUT, MEMBER_U64, offsetof(connector_stats, member)
#define OUTPUT(member) OF_OUTPUT, MEMBER_U64, offsetof(connector_stats, member)
#define PROCESS(member) OF_PROCESS, MEMBER_U64, offsetof(process_stats, member)
#define SERVER(member) OF_SERVER, MEMBER_U64, offsetof(metrics_server, member)

static const metric metrics[] = {
    /* ---- those of the contract ---- */
    {"records_input_total", COUNTER, PIPELINE(stats.total_input_records), 1, "Records taken in from all inputs"},
    {"records_input_bytes_total", COUNTER, PIPELINE(stats.total_input_bytes), 1, "Bytes taken in from all inputs"},
    {"records_input_buffered", GAUGE, PIPELINE(stats.buffered_input_records), 1,
     "Records taken in that wait for the circuit"},
    {"records_input_buffered_bytes", GAUGE, PIPELINE(stats.buffered_input_bytes), 1, "Bytes of input of these records"},
    {"records_processed_total", COUNTER, PIPELINE(stats.total_processed_records), 1,
     "Records that are through the circuit"},
    {"records_processed_bytes_total", COUNTER, PIPELINE(stats.total_processed_bytes), 1,
     "Bytes of input of these records"},
    {"dbsp_steps_total", COUNTER, PIPELINE(stats.completed_steps), 1, "Steps of the circuit"},
    {"dbsp_step_latency_seconds", HISTOGRAM, OF_PIPELINE, MEMBER_LATENCY, offsetof(metrics_pipeline, stats.step_time),
     1, "Time that a step of the circuit takes"},
    {"transaction_ingest_seconds", HISTOGRAM, OF_PIPELINE, MEMBER_LATENCY,
     offsetof(metrics_pipeline, stats.transaction_ingest), 1, "From the start of a transaction to its commit"},
    {"transaction_commit_seconds", HISTOGRAM, OF_PIPELINE, MEMBER_LATENCY,
     offsetof(metrics_pipeline, stats.transaction_commit), 1, "From the commit of a transaction to its end"},
    {"pipeline_complete", COUNTER, OF_PIPELINE, MEMBER_BOOL, offsetof(metrics_pipeline, stats.complete), 1,
     "1 when every input is at its end and every output has all"},
    {"pipeline_start_time_seconds", COUNTER, OF_PIPELINE, MEMBER_I64,
     offsetof(metrics_pipeline, stats.start_time_us), 1e6, "When the pipeline was started, since 1970"},
    {"output_stall_seconds_total", COUNTER, PIPELINE(stats.output_stall_us), 1e6,
     "Time that the circuit stood still for its outputs"},
    {"input_connector_bytes_total", COUNTER, INPUT(total_bytes), 1, "Bytes taken in"},
    {"input_connector_records_total", COUNTER, INPUT(total_records), 1, "Records taken in"},
    {"input_connector_errors_parse_total", COUNTER, INPUT(num_parse_errors), 1, "Records that could not be read"},
    {"input_connector_errors_transport_total", COUNTER, INPUT(num_transport_errors), 1, "Errors of the source"},
    {"input_connector_buffered_records", GAUGE, INPUT(buffered_records), 1, "Records that wait for the circuit"},
    {"input_connector_buffered_records_bytes", GAUGE, INPUT(buffered_bytes), 1, "Bytes of input of these records"},
    {"input_connector_end_of_input", GAUGE, OF_INPUT, MEMBER_BOOL, offsetof(connector_stats, end_of_input), 1,
     "1 when the source has no more"},
    {"input_connector_running", GAUGE, OF_INPUT, MEMBER_BOOL, offsetof(connector_stats, active), 1,
     "1 when nothing holds it"},
    {"input_connector_processing_latency_seconds", HISTOGRAM, OF_INPUT, MEMBER_LATENCY,
     offsetof(connector_stats, processing), 1, "From the fetch of a batch until it is through the circuit"},
    {"output_connector_bytes_total", COUNTER, OUTPUT(transmitted_bytes), 1, "Bytes written"},
    {"output_connector_records_total", COUNTER, OUTPUT(transmitted_records), 1, "Records written"},
    {"output_connector_errors_encode_total", COUNTER, OUTPUT(num_encode_errors), 1,
     "Records that could not be encoded"},
    {"output_connector_errors_transport_total", COUNTER, OUTPUT(num_transport_errors), 1, "Errors of the destination"},
    {"output_connector_queued_records", GAUGE, OUTPUT(queued_records), 1, "Records that wait to be written"},
    {"output_connector_queued_batches", GAUGE, OUTPUT(queued_batches), 1, "Batches that wait to be written"},
    {"process_cpu_seconds_total", COUNTER, PROCESS(cpu_us), 1e6, "CPU time of the process"},
    {"process_start_time_seconds", COUNTER, PROCESS(start_time_us), 1e6, "When the process was started, since 1970"},
    {"process_open_fds", GAUGE, PROCESS(open_fds), 1, "Open file descriptors"},
    {"process_max_fds", GAUGE, PROCESS(max_fds), 1, "How many may be open"},
    {"process_resident_memory_bytes", GAUGE, PROCESS(resident_bytes), 1, "Memory that is resident"},
    {"process_swap_bytes", GAUGE, PROCESS(swap_bytes), 1, "Memory that is swapped out"},
    {"process_virtual_memory_bytes", GAUGE, PROCESS(virtual_bytes), 1, "Address space in use"},
    {"process_virtual_memory_max_bytes", GAUGE, PROCESS(virtual_max_bytes), 1, "How much may be in use"},
    {"process_threads", GAUGE, PROCESS(threads), 1, "Threads of the process"},

    {"http_requests_total", COUNTER, OF_STATUS, MEMBER_U64, 0, 1,
     "Requests replied to, by the path as the reference has it and the class of the status; path other: by no "
     "endpoint"},
    {"http_request_duration_seconds", HISTOGRAM, OF_ROUTE, MEMBER_LATENCY, offsetof(request_count, duration), 1,
     "From the end of a request's head to the beginning of its reply"},

    /* ---- ours ---- */
    {"headworks_stalls_total", COUNTER, PIPELINE(stats.output_stalls), 1,
     "How often the circuit stood still for its outputs"},
    {"headworks_wakeups_total", COUNTER, PIPELINE(stats.wakeups), 1, "Runs of the pipeline's task"},
    {"headworks_completion_latency_seconds", HISTOGRAM, OF_PIPELINE, MEMBER_LATENCY,
     offsetof(metrics_pipeline, stats.completion), 1,
     "From the fetch of a batch to its last byte written, once for each output"},
    {"headworks_completed_records_total", COUNTER, PIPELINE(stats.total_completed_records), 1,
     "Records of input whose every consequence is written"},
    {"headworks_transaction_records", GAUGE, PIPELINE(stats.transaction.records), 1,
     "Records that the open transaction has taken"},
    {"headworks_transaction_bytes", GAUGE, PIPELINE(stats.transaction.held_bytes), 1, "Memory that it holds"},
    {"headworks_transaction_full", GAUGE, OF_PIPELINE, MEMBER_BOOL,
     offsetof(metrics_pipeline, stats.transaction.full), 1, "1 when it can hold no more: inputs wait for its commit"},
    {"headworks_log_lines_total", COUNTER, PIPELINE(log_lines), 1, "Lines of the pipeline's log"},
    {"headworks_state_rows", GAUGE, PIPELINE(state_rows), 1,
     "Rows that tables with a key and materialized relations hold"},
    {"headworks_state_bytes", GAUGE, PIPELINE(state_bytes), 1, "Memory of these rows"},
    {"headworks_dead_letters_total", COUNTER, PIPELINE(letters.total), 1, "Dead letters there ever were"},
    {"headworks_dead_letters_dropped_total", COUNTER, PIPELINE(letters.dropped), 1,
     "Dead letters that were given up for want of room"},
    {"headworks_dead_letters_kept", GAUGE, PIPELINE(letters.letters), 1, "Dead letters that are kept"},
    {"headworks_dead_letters_kept_bytes", GAUGE, PIPELINE(letters.bytes), 1, "Memory of these"},
    {"headworks_input_queue_batches", GAUGE, INPUT(buffered_batches), 1,
     "Batches in the ring between the input and the circuit, which has room for 128"},
    {"headworks_input_dropped_total", COUNTER, INPUT(dropped_records), 1, "Records that the source itself lost"},
    {"headworks_input_epoch", COUNTER, INPUT(epoch), 1, "Pauses and starts of the input"},
    {"headworks_input_quiescent", GAUGE, OF_INPUT, MEMBER_BOOL, offsetof(connector_stats, quiescent), 1,
     "1 when all it took in has reached the outputs"},
    {"headworks_output_queue_bytes", GAUGE, OUTPUT(memory), 1, "Memory of batches that wait to be written"},
    {"headworks_output_dropped_total", COUNTER, OUTPUT(dropped_records), 1,
     "Records given up for want of room, or after a failure"},
    {"headworks_output_running", GAUGE, OF_OUTPUT, MEMBER_BOOL, offsetof(connector_stats, active), 1,
     "1 when nothing holds it"},
    {"headworks_output_epoch", COUNTER, OUTPUT(epoch), 1, "Pauses and starts of the output"},
    {"headworks_output_spill_bytes", GAUGE, OUTPUT(spill_bytes), 1, "Bytes on disk that wait to be written"},
    {"headworks_output_spilled_records_total", COUNTER, OUTPUT(spilled_records), 1, "Records that went over the disk"},
    {"headworks_memory_used_bytes", GAUGE, SERVER(memory_used), 1, "Memory of batches and buffers"},
    {"headworks_memory_limit_bytes", GAUGE, SERVER(memory_limit), 1, "How much that may be"},
    {"headworks_catalog_commits_total", COUNTER, SERVER(catalog.commits), 1, "Transactions of the catalog"},
    {"headworks_catalog_writes_total", COUNTER, SERVER(catalog.writes), 1, "Changes in these"},
    {"headworks_catalog_failed_writes_total", COUNTER, SERVER(catalog.failed_writes), 1,
     "Changes that could not be made durable"},
    {"headworks_catalog_waiting", GAUGE, SERVER(catalog.waiting), 1, "Changes that are not durable yet"},
    {"headworks_catalog_commit_seconds", HISTOGRAM, OF_SERVER, MEMBER_LATENCY,
     offsetof(metrics_server, catalog.commit_time), 1, "Time that a transaction of the catalog takes, the disk's sync "
     "included"},
    {"headworks_pause_true_seconds", HISTOGRAM, OF_SERVER, MEMBER_LATENCY, offsetof(metrics_server, pause_true), 1,
     "From the request of a pause until it is true"},
    {"headworks_pause_reply_seconds", HISTOGRAM, OF_SERVER, MEMBER_LATENCY, offsetof(metrics_server, pause_replied), 1,
     "From the request of a pause to its reply"},
    {"headworks_connections", GAUGE, SERVER(connections), 1, "Clients that are connected"},
    {"headworks_pipelines", GAUGE, SERVER(pipelines), 1, "Pipelines that are deployed, of those asked for"},
};
#define N_METRICS (sizeof metrics / sizeof *metrics)

/* ---- the snapshot --------------------------------------------------------- */

static hw_status fill_pipeline(metrics_pipeline *to, hw_pipeline *p, hw_error *err) {
  *to = (metrics_pipeline){0};
  hw_status status = pipeline_get_stats(p, false, &to->stats, err);
  if (status != HW_OK) return status;
  to->name = strdup(hw_pipeline_name(p));
  pipeline_copy_id(p, to->id);
  to->log_lines = logbook_lines(pipeline_logbook(p));
  to->letters = pipeline_count_letters(p);
  for (uint32_t i = 0; i < to->stats.n_relations; i++) {
    to->state_rows += to->stats.relations[i].stored_rows;
    to->state_bytes += to->stats.relations[i].stored_bytes;
  }
  if (to->name) return HW_OK;
  pipeline_stats_fini(&to->stats);
  return hw_error_set(err, HW_ENOMEM, "out of memory");
}

hw_status metrics_add_pipeline(metrics_view *view, hw_pipeline *p, hw_error *err) {
  metrics_pipeline *grown = realloc(view->pipelines, (view->n_pipelines + 1) * sizeof *grown);
  if (!grown) return hw_error_set(err, HW_ENOMEM, "out of memory");
  view->pipelines = grown;
  hw_status status = fill_pipeline(&grown[view->n_pipelines], p, err);
  if (status == HW_OK) view->server.pipelines = ++view->n_pipelines;
  return status;
}

hw_status metrics_add_requests(metrics_view *view, const request_counts *counts, hw_error *err) {
  size_t n = request_counts_n();
  view->routes = calloc(n, sizeof *view->routes);
  if (!view->routes) return hw_error_set(err, HW_ENOMEM, "out of memory");
  for (size_t i = 0; i < n; i++) view->n_routes += request_counts_read(counts, i, &view->routes[view->n_routes]);
  return HW_OK;
}

void metrics_view_fini(metrics_view *view) {
  for (size_t i = 0; i < view->n_pipelines; i++) {
    free(view->pipelines[i].name);
    pipeline_stats_fini(&view->pipelines[i].stats);
  }
  free(view->pipelines);
  free(view->routes);
  *view = (metrics_view){0};
}

/* ---- samples -------------------------------------------------------------- */

typedef struct label {
  const char *name, *value; /* name NULL: no more */
} label;

typedef struct sample {
  const metric *metric;
  const void *from; /* the scope's struct */
  label labels[4];
} sample;

typedef void sample_writer(void *to, const sample *s);

static double value_of(const sample *s) {
  const char *at = (const char *)s->from + s->metric->offset;
  switch (s->metric->type) {
    case MEMBER_BOOL: return *(const bool *)at;
    case MEMBER_I64: return (double)*(const int64_t *)at / s->metric->divisor;
    case MEMBER_U64:
    case MEMBER_LATENCY: break;
  }
  uint64_t v = *(const uint64_t *)at;
  return v == UINT64_MAX ? INFINITY : (double)v / s->metric->divisor;
}

static const latency_counts *counts_of(const sample *s) {
  return (const latency_counts *)((const char *)s->from + s->metric->offset);
}

#define OF(p) {"pipeline", (p)->id}, {"pipeline_name", (p)->name}

static void each_connector(const metric *m, const metrics_pipeline *p, sample_writer *write, void *to) {
  uint32_t n = m->scope == OF_INPUT ? p->stats.n_inputs : p->stats.n_outputs;
  const connector_stats *items = m->scope == OF_INPUT ? p->stats.inputs : p->stats.outputs;
  for (uint32_t i = 0; i < n; i++) write(to, &(sample){m, &items[i], {OF(p), {"endpoint", items[i].endpoint}}});
}

static void each_status(const metric *m, const request_count *r, sample_writer *write, void *to) {
  static const char *const classes[STATUS_CLASSES] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  for (unsigned i = 0; i < STATUS_CLASSES; i++) {
    const sample s = {m, &r->by_class[i], {{"method", r->method}, {"path", r->path}, {"status", classes[i]}}};
    if (r->by_class[i]) write(to, &s);
  }
}

static void each_route(const metric *m, const metrics_view *view, sample_writer *write, void *to) {
  for (size_t i = 0; i < view->n_routes; i++) {
    const request_count *r = &view->routes[i];
    if (m->scope == OF_STATUS) each_status(m, r, write, to);
    else write(to, &(sample){m, r, {{"method", r->method}, {"path", r->path}}});
  }
}

static void each_sample(const metric *m, const metrics_view *view, sample_writer *write, void *to) {
  if (m->scope == OF_PROCESS) write(to, &(sample){m, &view->process, {{0}}});
  if (m->scope == OF_SERVER) write(to, &(sample){m, &view->server, {{0}}});
  if (m->scope == OF_ROUTE || m->scope == OF_STATUS) each_route(m, view, write, to);
  for (size_t i = 0; i < view->n_pipelines; i++) {
    const metrics_pipeline *p = &view->pipelines[i];
    if (m->scope == OF_PIPELINE) write(to, &(sample){m, p, {OF(p)}});
    if (m->scope == OF_INPUT || m->scope == OF_OUTPUT) each_connector(m, p, write, to);
  }
}

static bool has_samples(const metric *m, const metrics_view *view) {
  if (m->scope == OF_PROCESS || m->scope == OF_SERVER) return true;
  if (m->scope == OF_ROUTE || m->scope == OF_STATUS) return view->n_routes > 0;
  for (size_t i = 0; i < view->n_pipelines; i++) {
    const pipeline_stats *stats = &view->pipelines[i].stats;
    if (m->scope == OF_PIPELINE || (m->scope == OF_INPUT ? stats->n_inputs : stats->n_outputs)) return true;
  }
  return false;
}

/* ---- Prometheus' text ----------------------------------------------------- */

/* 15 digits: a time since 1970 to a hundred thousandth of a second, and no digit more than a double is sure of. */
static void add_number(outbuf *out, double v) {
  if (isinf(v)) outbuf_add_str(out, "+Inf");
  else if (v == floor(v) && v < 9e15) outbuf_printf(out, "%.0f", v);
  else outbuf_printf(out, "%.15g", v);
}

/* Label values: backslash, quote and newline are escaped. */
static void add_label(outbuf *out, const char *name, const char *value, bool *first) {
  outbuf_add_char(out, *first ? '{' : ',');
  *first = false;
  outbuf_printf(out, "%s=\"", name);
  for (; *value; value++) {
    if (*value == '\n') {
      outbuf_add_str(out, "\\n");
      continue;
    }
    if (*value == '\\' || *value == '"') outbuf_add_char(out, '\\');
    outbuf_add_char(out, *value);
  }
  outbuf_add_char(out, '"');
}

static void add_line(outbuf *out, const sample *s, const char *suffix, const char *le, double value) {
  bool first = true;
  outbuf_printf(out, "%s%s", s->metric->name, suffix);
  for (const label *l = s->labels; l->name; l++) add_label(out, l->name, l->value, &first);
  if (le) add_label(out, "le", le, &first);
  outbuf_add_str(out, first ? " " : "} ");
  add_number(out, value);
  outbuf_add_char(out, '\n');
}

static void write_text(void *to, const sample *s) {
  outbuf *out = to;
  if (s->metric->kind != HISTOGRAM) {
    add_line(out, s, "", NULL, value_of(s));
    return;
  }
  const latency_counts *counts = counts_of(s);
  char le[32];
  for (uint32_t i = 0; i < LATENCY_EDGES; i++) {
    snprintf(le, sizeof le, "%.6f", (double)latency_edge_us(i) / 1e6);
    add_line(out, s, "_bucket", le, (double)counts->at_most[i]);
  }
  add_line(out, s, "_bucket", "+Inf", (double)counts->count);
  add_line(out, s, "_sum", NULL, (double)counts->sum_ns / 1e9);
  add_line(out, s, "_count", NULL, (double)counts->count);
}

void metrics_write_prometheus(outbuf *out, const metrics_view *view) {
  for (size_t i = 0; i < N_METRICS; i++) {
    const metric *m = &metrics[i];
    if (!has_samples(m, view)) continue;
    outbuf_printf(out, "# HELP %s %s.\n# TYPE %s %s\n", m->name, m->help, m->name, kind_names[m->kind]);
    each_sample(m, view, write_text, out);
  }
}

/* ---- JSON ----------------------------------------------------------------- */

static void write_number(json_writer *w, double v) {
  jw_separate(w);
  if (isinf(v)) outbuf_add_str(w->out, "null");
  else add_number(w->out, v);
}

static void write_buckets(json_writer *w, const latency_counts *counts) {
  uint64_t below = 0;
  jw_key(w, "buckets");
  jw_array(w);
  for (uint32_t i = 0; i <= LATENCY_EDGES; i++) {
    uint64_t at_most = i < LATENCY_EDGES ? counts->at_most[i] : counts->count;
    jw_object(w);
    if (i > 0) jw_key(w, "gt"), write_number(w, (double)latency_edge_us(i - 1) / 1e6);
    if (i < LATENCY_EDGES) jw_key(w, "le"), write_number(w, (double)latency_edge_us(i) / 1e6);
    jw_key_u64(w, "count", at_most - below);
    jw_object_end(w);
    below = at_most;
  }
  jw_array_end(w);
}

static void write_sample(void *to, const sample *s) {
  json_writer *w = to;
  jw_object(w);
  jw_key(w, "labels");
  jw_object(w);
  for (const label *l = s->labels; l->name; l++) jw_key_string(w, l->name, l->value);
  jw_object_end(w);
  jw_key(w, "value");
  if (s->metric->kind == HISTOGRAM) {
    const latency_counts *counts = counts_of(s);
    jw_object(w);
    write_buckets(w, counts);
    jw_key(w, "sum"), write_number(w, (double)counts->sum_ns / 1e9);
    jw_key_u64(w, "count", counts->count);
    jw_object_end(w);
  } else {
    write_number(w, value_of(s));
  }
  jw_object_end(w);
}

void metrics_write_json(outbuf *out, const metrics_view *view) {
  json_writer w;
  jw_begin(&w, out);
  jw_array(&w);
  for (size_t i = 0; i < N_METRICS; i++) {
    const metric *m = &metrics[i];
    if (!has_samples(m, view)) continue;
    jw_object(&w);
    jw_key_string(&w, "key", m->name);
    jw_key_string(&w, "type", kind_names[m->kind]);
    jw_key_string(&w, "description", m->help);
    jw_key(&w, "values");
    jw_array(&w);
    each_sample(m, view, write_sample, &w);
    jw_array_end(&w);
    jw_object_end(&w);
  }
  jw_array_end(&w);
}

/* ---- the reference -------------------------------------------------------- */

void metrics_write_reference(outbuf *out) {
  outbuf_add_str(out,
                 "# Metrics\n\n<!-- Made by `headworks help --markdown metrics`. Change api/metrics.c instead. -->\n\n"
                 "`GET /v0/pipelines/{p}/metrics` tells them of one pipeline, `GET /v0/metrics` of all that are "
                 "deployed, as\nPrometheus' text, or with `?format=json` (the first one only) as JSON.\n\n"
                 "All pipelines live in one process: what is of the process is told without labels.\n\n"
                 "| metric | type | labels | |\n|---|---|---|---|\n");
  for (size_t i = 0; i < N_METRICS; i++)
    outbuf_printf(out, "| `%s` | %s | %s | %s |\n", metrics[i].name, kind_names[metrics[i].kind],
                  scope_labels[metrics[i].scope], metrics[i].help);
}
