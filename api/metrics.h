/* metrics.h - numbers for monitoring: which there are, and how they are told. */
#ifndef API_METRICS_H
#define API_METRICS_H

#include "api/json_write.h"
#include "api/process.h"
#include "api/request_count.h"
#include "engine/catalog.h"
#include "engine/manager.h"
#include "runtime/latency.h"

/* Counted by the API, on whichever thread. */
typedef struct api_counters {
  latency pause_true;    /* from a pause's request until it is true; failed ones are not counted */
  latency pause_replied; /* until its reply is written */
  request_counts *requests;
} api_counters;

/* A deployed pipeline. */
typedef struct metrics_pipeline {
  char id[37];
  char *name;
  uint64_t log_lines, state_rows, state_bytes;
  dead_letters_count letters;
  pipeline_stats stats;
} metrics_pipeline;

/* What the server is asked for besides. */
typedef struct metrics_server {
  uint64_t connections, pipelines; /* now */
  uint64_t memory_used, memory_limit;
  catalog_stats catalog;
  latency_counts pause_true, pause_replied;
} metrics_server;

/* One look at everything. */
typedef struct metrics_view {
  size_t n_pipelines;
  metrics_pipeline *pipelines;
  size_t n_routes; /* those that were asked for */
  request_count *routes;
  process_stats process;
  metrics_server server;
} metrics_view;

/* Adds a pipeline; HW_OK, HW_ENOMEM, or *err: it is not deployed. [any thread] */
hw_status metrics_add_pipeline(metrics_view *view, hw_pipeline *p, hw_error *err);
/* The requests that were counted; HW_OK or HW_ENOMEM. [any thread] */
hw_status metrics_add_requests(metrics_view *view, const request_counts *counts, hw_error *err);
void metrics_view_fini(metrics_view *view);

void metrics_write_prometheus(outbuf *out, const metrics_view *view);
void metrics_write_json(outbuf *out, const metrics_view *view);
/* docs/reference/metrics.md. */
void metrics_write_reference(outbuf *out);

#endif
