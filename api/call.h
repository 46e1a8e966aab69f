/* call.h - what a handler gets, and what handlers share. All on the API thread. */
#ifndef API_CALL_H
#define API_CALL_H

#include "api/json_view.h"
#include "api/keys.h"
#include "api/reply.h"
#include "api/worker.h"
#include "engine/manager.h"

/* One for the life of the server. */
typedef struct api_context {
  hw_engine *engine;
  struct event_base *base;
  mailbox *box;
  worker *worker;
  http_server *http;
  key_ring *keys;
  bool auth; /* only who shows one of the keys is let in */
  struct api_counters *counters;
  struct series_board *series;
  int64_t started_us; /* since 1970 */
  char id[37];        /* UUID of this run of the server */
  unsigned drain_ms;
  uint64_t atomic_max; /* bytes */
} api_context;

#define API_MAX_PARAMS 4

/* Parameters are the path's {parts} in order; they live as long as the request. */
typedef struct api_call {
  const api_context *context;
  http_request *req;
  const char *params[API_MAX_PARAMS];
} api_call;

typedef void api_handler(const api_call *call);

enum { PARAM_PIPELINE, PARAM_RELATION, PARAM_CONNECTOR, PARAM_ACTION };

/* A boolean query parameter; false: it is neither "true" nor "false", and has
 * been replied to. */
bool call_query_bool(const api_call *call, const char *name, bool fallback, bool *out);
/* selector=all or status (default), of events; false: replied, as above. */
bool call_read_whole(const api_call *call, bool *whole);
/* Whether it is UUID text. */
bool call_is_uuid(const char *text);
/* 400 for a query parameter that has none of the allowed values. */
void call_refuse_query(const api_call *call, const char *name, const char *allowed);
/* The pipeline in the path, a reference; NULL: 404 has been replied. */
hw_pipeline *call_find_pipeline(const api_call *call);
/* Replies with what the engine refused for this pipeline, with the contract's
 * details; not over with the pipeline. */
void call_refuse(const api_call *call, hw_pipeline *p, const hw_error *err);

/* ?selector=, of pipelines; false: refused, and replied so. */
bool call_read_selector(const api_call *call, pipeline_selector *out);
/* The pipeline's record. Without memory the writer is marked failed. */
void call_write_pipeline(json_writer *w, hw_pipeline *p, pipeline_selector selector);
/* The same as the reply. */
void call_reply_pipeline(const api_call *call, unsigned status, hw_pipeline *p, pipeline_selector selector);

/* Handlers, by file. */
api_handler get_healthz, get_config, get_authentication, get_session, get_robots;      /* platform.c */
api_handler get_cluster_healthz, list_cluster_events, get_cluster_event;               /* cluster.c */
api_handler list_demos;                                                                /* demos.c */
api_handler validate_program;                                                          /* validate.c */
api_handler get_openapi;                                                               /* openapi.c */
api_handler list_api_keys, post_api_key, get_api_key, delete_api_key;                   /* api_keys.c */
api_handler list_pipelines;                                                            /* listing.c */
api_handler get_pipeline, delete_pipeline;                                             /* pipelines.c */
api_handler create_pipeline, put_pipeline, patch_pipeline;                             /* edit.c */
api_handler list_events, get_event;                                                    /* events.c */
api_handler start_pipeline, stop_pipeline, clear_pipeline, dismiss_pipeline_error;     /* lifecycle.c */
api_handler pause_pipeline, resume_pipeline;                                           /* lifecycle.c */
api_handler start_transaction, commit_transaction;                  /* transactions.c */
api_handler post_ingress, get_completion_token, get_completion_status;                 /* ingress.c */
api_handler post_egress;                                                               /* egress.c */
api_handler get_stats, get_table_connector, get_view_connector;   /* connectors.c */
api_handler get_dead_letters, delete_dead_letters, resubmit_dead_letters; /* dead_letters.c */
api_handler post_table_connector, post_view_connector;             /* connectors.c */
api_handler get_logs;                                              /* logs.c */
api_handler get_metrics, get_all_metrics;                          /* metrics_route.c */
api_handler get_time_series, get_time_series_stream;               /* series.c */
api_handler get_dataflow_graph, get_circuit_json_profile;          /* profile.c */
api_handler get_support_bundle;                                    /* bundle.c */
api_handler get_query;                                             /* query.c */

#endif
