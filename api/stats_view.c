/* stats_view.c - statistics of pipelines and connectors in the contract's key
 * sets. What Headworks knows beyond them stands under "headworks". Members about
 * bootstrapping and storage have the values they have while there is none of it. */
#include "api/json_view.h"

/* ---- a pipeline ----------------------------------------------------------- */

/* Every relation is an operator, and all take part from the first row to the last. */
static void view_commit(json_writer *w, const pipeline_stats *s) {
  jw_object(w);
  jw_key_u64(w, "completed", 0);
  jw_key_u64(w, "in_progress", s->n_relations);
  jw_key_u64(w, "remaining", 0);
  jw_key_u64(w, "in_progress_processed_records", s->transaction.committed);
  jw_key_u64(w, "in_progress_total_records", s->transaction.records);
  jw_object_end(w);
}

static void u64_or_null(json_writer *w, const char *key, bool some, uint64_t value) {
  if (some) jw_key_u64(w, key, value);
  else jw_key_null(w, key);
}

static void view_transaction(json_writer *w, const pipeline_stats *s) {
  const transaction_stats *t = &s->transaction;
  bool some = t->open || t->committing;
  jw_key_string(w, "transaction_status",
                t->open ? "TransactionInProgress" : t->committing ? "CommitInProgress" : "NoTransaction");
  jw_key_u64(w, "transaction_id", t->id);
  u64_or_null(w, "transaction_msecs", some, t->age_us / 1000);
  u64_or_null(w, "transaction_records", some, t->records);
  jw_key(w, "commit_progress");
  if (t->committing) view_commit(w, s);
  else jw_null(w);
  jw_key(w, "transaction_initiators");
  jw_object(w);
  u64_or_null(w, "transaction_id", some, t->id);
  jw_key_string(w, "initiated_by_api", t->open ? "Started" : t->committing ? "Committed" : NULL);
  jw_key(w, "initiated_by_connectors");
  jw_object(w);
  jw_object_end(w);
  jw_object_end(w);
}

static void view_process(json_writer *w, const pipeline_stats *s) {
  uint64_t start = s->start_time_us > 0 ? (uint64_t)s->start_time_us / 1000000 : 0;
  jw_key_u64(w, "rss_bytes", s->rss_bytes);
  jw_key_string(w, "memory_pressure", "low");
  jw_key_u64(w, "memory_pressure_epoch", 0);
  jw_key_u64(w, "cpu_msecs", s->cpu_us / 1000);
  jw_key_u64(w, "uptime_msecs", s->uptime_us / 1000);
  jw_key_u64(w, "start_time", start);
  jw_key_string(w, "incarnation_uuid", s->incarnation);
  jw_key_u64(w, "initial_start_time", start);
  jw_key_u64(w, "storage_bytes", 0);
  jw_key_u64(w, "storage_mb_secs", 0);
  jw_key_u64(w, "runtime_elapsed_msecs", s->cpu_us / 1000);
}

static void view_counts(json_writer *w, const pipeline_stats *s) {
  jw_key_u64(w, "buffered_input_records", s->buffered_input_records);
  jw_key_u64(w, "buffered_input_bytes", s->buffered_input_bytes);
  jw_key_u64(w, "total_input_records", s->total_input_records);
  jw_key_u64(w, "total_input_bytes", s->total_input_bytes);
  jw_key_u64(w, "total_processed_records", s->total_processed_records);
  jw_key_u64(w, "total_processed_bytes", s->total_processed_bytes);
  jw_key_u64(w, "total_completed_records", s->total_completed_records);
  jw_key_u64(w, "output_stall_msecs", s->output_stall_us / 1000);
  jw_key_u64(w, "total_initiated_steps", s->initiated_steps);
  jw_key_u64(w, "total_completed_steps", s->completed_steps);
  jw_key_bool(w, "pipeline_complete", s->complete);
}

static void view_global(json_writer *w, const pipeline_stats *s) {
  jw_object(w);
  jw_key_string(w, "state", s->running ? "Running" : "Paused");
  jw_key_bool(w, "bootstrap_in_progress", false);
  view_transaction(w, s);
  jw_key_string(w, "concurrent_bootstrap_phase", "Inactive");
  jw_key_null(w, "concurrent_bootstrap_progress");
  view_process(w, s);
  view_counts(w, s);
  jw_object_end(w);
}

static void view_connectors(json_writer *w, const connector_stats *items, uint32_t n, bool with_errors) {
  jw_array(w);
  for (uint32_t i = 0; i < n; i++) view_connector(w, &items[i], with_errors);
  jw_array_end(w);
}

void view_stats(json_writer *w, const pipeline_stats *s, bool with_errors) {
  jw_object(w);
  jw_key(w, "global_metrics");
  view_global(w, s);
  jw_key_null(w, "suspend_error");
  jw_key(w, "checkpoint_activity");
  jw_object(w);
  jw_key_string(w, "status", "idle");
  jw_object_end(w);
  jw_key_null(w, "permanent_checkpoint_errors");
  jw_key(w, "inputs");
  view_connectors(w, s->inputs, s->n_inputs, with_errors);
  jw_key(w, "outputs");
  view_connectors(w, s->outputs, s->n_outputs, with_errors);
  jw_object_end(w);
}

/* ---- a connector ---------------------------------------------------------- */

static void view_errors(json_writer *w, const char *key, const connector_error_list *list) {
  jw_key(w, key);
  jw_array(w);
  for (uint32_t i = 0; i < list->n; i++) {
    const connector_error *e = &list->items[i];
    jw_object(w);
    jw_key_time(w, "timestamp", e->timestamp_us);
    jw_key_u64(w, "index", e->index);
    jw_key_string(w, "tag", e->tag[0] ? e->tag : NULL);
    jw_key_string(w, "message", e->message ? e->message : "");
    jw_object_end(w);
  }
  jw_array_end(w);
}

static void view_health(json_writer *w, const connector_stats *s) {
  jw_key(w, "health");
  jw_object(w);
  jw_key_string(w, "status", s->healthy ? "Healthy" : "Unhealthy");
  jw_key_string(w, "description", s->healthy ? NULL : s->health_reason);
  jw_object_end(w);
}

static void view_endpoint(json_writer *w, const connector_stats *s) {
  jw_key_string(w, "endpoint_name", s->endpoint);
  jw_key(w, "config");
  jw_object(w);
  jw_key_string(w, "stream", s->relation);
  jw_object_end(w);
}

static void view_input_metrics(json_writer *w, const connector_stats *s) {
  jw_key(w, "metrics");
  jw_object(w);
  jw_key_u64(w, "total_bytes", s->total_bytes);
  jw_key_u64(w, "total_records", s->total_records);
  jw_key_u64(w, "buffered_records", s->buffered_records);
  jw_key_u64(w, "buffered_bytes", s->buffered_bytes);
  jw_key_u64(w, "num_transport_errors", s->num_transport_errors);
  jw_key_u64(w, "num_parse_errors", s->num_parse_errors);
  jw_key_bool(w, "end_of_input", s->end_of_input);
  jw_key(w, "processing_latency_p99_micros");
  if (s->processing.count) jw_u64(w, s->processing.p99_us);
  else jw_null(w);
  jw_object_end(w);
}

/* The blank-separated reasons as an array of words. */
static void view_holds(json_writer *w, const char *holds) {
  jw_key(w, "holds");
  jw_array(w);
  for (size_t len; *(holds += strspn(holds, " ")); holds += len) {
    len = strcspn(holds, " ");
    jw_text(w, holds, len);
  }
  jw_array_end(w);
}

static void view_gate(json_writer *w, const connector_stats *s) {
  jw_key_bool(w, "active", s->active);
  view_holds(w, s->holds);
  jw_key_u64(w, "epoch", s->epoch);
}

static void view_input_more(json_writer *w, const connector_stats *s) {
  jw_key(w, "headworks");
  jw_object(w);
  view_gate(w, s);
  jw_key_bool(w, "quiescent", s->quiescent);
  jw_key_string(w, "position", s->position ? s->position : "");
  jw_key_u64(w, "dropped_records", s->dropped_records);
  jw_key_u64(w, "progress_done", s->progress_done);
  jw_key_u64(w, "progress_total", s->progress_total);
  jw_object_end(w);
}

static void view_input(json_writer *w, const connector_stats *s, bool with_errors) {
  view_endpoint(w, s);
  view_input_metrics(w, s);
  jw_key_string(w, "fatal_error", s->fatal_error);
  if (with_errors) {
    view_errors(w, "parse_errors", &s->parse_errors);
    view_errors(w, "transport_errors", &s->transport_errors);
  }
  view_health(w, s);
  jw_key_bool(w, "paused", s->paused);
  jw_key_bool(w, "barrier", false);
  jw_key_null(w, "completed_frontier");
  view_input_more(w, s);
}

/* There is no buffer between the encoder and the transport, so buffered_* are 0. */
static void view_output_metrics(json_writer *w, const connector_stats *s) {
  jw_key(w, "metrics");
  jw_object(w);
  jw_key_u64(w, "transmitted_records", s->transmitted_records);
  jw_key_u64(w, "transmitted_bytes", s->transmitted_bytes);
  jw_key_u64(w, "queued_records", s->queued_records);
  jw_key_u64(w, "queued_batches", s->queued_batches);
  jw_key_u64(w, "buffered_records", 0);
  jw_key_u64(w, "buffered_batches", 0);
  jw_key_u64(w, "num_encode_errors", s->num_encode_errors);
  jw_key_u64(w, "num_transport_errors", s->num_transport_errors);
  jw_key_u64(w, "total_processed_input_records", s->total_processed_input_records);
  jw_key_u64(w, "total_processed_steps", s->total_processed_steps);
  jw_key_u64(w, "memory", s->memory);
  jw_object_end(w);
}

static void view_output(json_writer *w, const connector_stats *s, bool with_errors) {
  view_endpoint(w, s);
  view_output_metrics(w, s);
  jw_key_string(w, "fatal_error", s->fatal_error);
  if (with_errors) {
    view_errors(w, "encode_errors", &s->encode_errors);
    view_errors(w, "transport_errors", &s->transport_errors);
  }
  view_health(w, s);
  jw_key(w, "headworks");
  jw_object(w);
  jw_key_bool(w, "paused", s->paused);
  view_gate(w, s);
  jw_key_string(w, "on_full", s->on_full);
  jw_key_u64(w, "queued_bytes", s->queued_bytes);
  jw_key_u64(w, "dropped_records", s->dropped_records);
  jw_key_u64(w, "spill_bytes", s->spill_bytes);
  jw_key_u64(w, "spilled_records", s->spilled_records);
  jw_object_end(w);
}

void view_connector(json_writer *w, const connector_stats *s, bool with_errors) {
  jw_object(w);
  if (s->is_input) {
    view_input(w, s, with_errors);
  } else {
    view_output(w, s, with_errors);
  }
  jw_object_end(w);
}
