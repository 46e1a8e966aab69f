/* json_view.h - pipelines, programs and statistics as the contract's JSON. */
#ifndef API_JSON_VIEW_H
#define API_JSON_VIEW_H

#include "api/json_write.h"
#include "engine/manager.h"

/* What a reply about a pipeline holds. */
typedef enum pipeline_selector {
  SELECT_ALL,                    /* the whole record */
  SELECT_STATUS,                 /* without program and configuration */
  SELECT_STATUS_WITH_CONNECTORS, /* SELECT_STATUS and the sum of connector errors */
  SELECT_EDITED,                 /* reply to a POST: SELECT_ALL without what bootstrapping is told at a start */
} pipeline_selector;

void view_pipeline(json_writer *w, const pipeline_info *info, pipeline_selector selector);
/* The program's relations and connectors ("program_info"). */
void view_program(json_writer *w, const program *p);
/* Its connectors alone, secrets masked. */
void view_connectors_of(json_writer *w, const program *p);
/* What the SQL compiler had to say ("sql_compilation"). */
void view_messages(json_writer *w, const program_messages *messages, bool failed);
/* The word of deployment_resources_status for a status. */
const char *view_resources_status(deployment_status status);
/* That of deployment_resources_desired_status: Stopped or Provisioned. */
const char *view_desired_resources_status(deployment_status desired);
/* Whether deployment_runtime_status and the like say something. */
bool view_provisioned(deployment_status status);
/* Of a pipeline or an event: "deployment_error", which may be null, and storage. */
void view_deployment_error(json_writer *w, const char *code, const char *message);
const char *view_storage_status(bool in_use);
void view_storage_details(json_writer *w, bool in_use);

/* A program's operators ("dataflow_graph"), and what each has done. */
void view_dataflow(json_writer *w, const program *p);
void view_profile(json_writer *w, const program *p, const pipeline_stats *stats);

void view_event(json_writer *w, const pipeline_event *event, bool whole);
void view_stats(json_writer *w, const pipeline_stats *stats, bool with_errors);
void view_connector(json_writer *w, const connector_stats *stats, bool with_errors);

#endif
