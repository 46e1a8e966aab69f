/* manager.h - the pipelines of an engine as the HTTP API and the CLI see them.
 *
 * Functions here never wait (invariant 7), except where they say so. Strings in
 * a snapshot are copies that the matching *_fini frees. */
#ifndef ENGINE_MANAGER_H
#define ENGINE_MANAGER_H

#include "engine/catalog.h"
#include "runtime/program.h"
#include "runtime/stats.h"

#include <headworks/headworks.h>

#define PIPELINE_NAME_MAX 63
#define PIPELINE_DESCRIPTION_MAX 300

typedef enum program_status {
  PROGRAM_PENDING, PROGRAM_COMPILING_SQL, PROGRAM_SQL_COMPILED, PROGRAM_COMPILING_RUST, PROGRAM_SUCCESS,
  PROGRAM_SQL_ERROR, PROGRAM_RUST_ERROR, PROGRAM_SYSTEM_ERROR,
} program_status;

/* The contract's words for deployment_status; those of deployment_desired_status
 * are Stopped, Paused and Running. */
typedef enum deployment_status {
  DEPLOYMENT_STOPPED, DEPLOYMENT_PROVISIONING, DEPLOYMENT_INITIALIZING, DEPLOYMENT_PAUSED, DEPLOYMENT_RUNNING,
  DEPLOYMENT_STOPPING,
} deployment_status;

const char *program_status_name(program_status s);       /* "Pending", "CompilingSql", ... */
const char *deployment_status_name(deployment_status s); /* "Stopped", ... */

typedef struct pipeline_info {
  char id[37];                 /* UUID text */
  char *name, *description;
  char *program_code;
  int64_t created_at_us;       /* since 1970 */
  uint64_t version, program_version, refresh_version;
  program_status program_status;
  int64_t program_status_since_us;
  program *program;            /* a reference, NULL until Success */
  program_messages messages;   /* of the last compilation; deep copies */
  deployment_status status, desired;
  int64_t status_since_us, desired_since_us;
  char deployment_id[37];      /* "" when not deployed */
  char deployment_initial[8];  /* "", "running", "paused" */
  bool storage_in_use;         /* storage_status InUse instead of Cleared */
  hw_error deployment_error;   /* status HW_OK: none */
  uint64_t num_errors;         /* sum over connectors; while deployed */
  char *settings;              /* as pipeline_set_settings got it, a copy; NULL: never */
} pipeline_info;

hw_status pipeline_get_info(hw_pipeline *p, pipeline_info *out); /* HW_OK or HW_ENOMEM */
void pipeline_info_fini(pipeline_info *info);
/* Keeps text (copied) with the pipeline: what a user set that the engine hands
 * back but does not read (tags, runtime_config, ..., as JSON). HW_OK or HW_ENOMEM. */
hw_status pipeline_set_settings(hw_pipeline *p, const char *text);

/* Makes a pipeline and starts compiling it elsewhere; program_status tells.
 * err->code is the contract's (EmptyName, TooLongName, NameDoesNotMatchPattern,
 * TooLongDescription, DuplicateName). */
hw_status manager_create(hw_engine *engine, const char *name, const char *description, const char *program, size_t len,
                         hw_pipeline **out, hw_error *err);
/* All pipelines by name, each a reference; the caller frees the array. */
hw_status manager_list(hw_engine *engine, hw_pipeline ***out, size_t *n);
/* What DELETE does: as hw_pipeline_delete, but storage must have been cleared
 * before. DeleteRestrictedToFullyStopped, DeleteRestrictedToClearedStorage. */
hw_status manager_delete(hw_pipeline *p, hw_error *err);

/* Starting: accepted (HW_OK) or refused by the contract's codes; what follows is
 * seen in pipeline_get_info. Starting while the program still compiles is accepted. */
hw_status manager_start(hw_pipeline *p, hw_run_state initial, hw_error *err);
/* Accepted in every state. */
hw_status manager_stop(hw_pipeline *p, bool force, hw_error *err);
/* Drops the record of a finished deployment's storage: storage_status Cleared. */
hw_status manager_clear(hw_pipeline *p, hw_error *err);
hw_status manager_dismiss_error(hw_pipeline *p, hw_error *err);
/* Pause and resume: hw_pipeline_pause, hw_pipeline_resume; err->code is
 * PipelineInteractionNotDeployed, Initializing, InvalidTransition, PauseTimeout.
 * Connectors: hw_connector_pause, hw_connector_start; codes the same and
 * UnknownInputEndpoint. */

/* Pause or start of one connector, of a table (input) or of a view; done is called
 * as for hw_connector_pause, if this is HW_OK. The codes also UnknownOutputEndpoint. */
hw_status pipeline_control_connector(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                     bool pause, hw_done *done, void *arg, hw_error *err);

/* ---- what survives the process --------------------------------------------- */

/* Has the engine keep what must survive in this directory (catalog.h); at most
 * once, before anything is made. Waits. */
HW_MUST_USE hw_status manager_open_catalog(hw_engine *engine, const char *directory, hw_error *err);
/* NULL: nothing is kept. */
catalog *manager_catalog(hw_engine *engine);

/* ---- statistics ----------------------------------------------------------- */

/* Of a deployed pipeline; err->code PipelineInteractionNotDeployed, Initializing. */
hw_status pipeline_get_stats(hw_pipeline *p, bool with_errors, pipeline_stats *out, hw_error *err);
/* Of one connector: is_input chooses table or view; err->code UnknownInputEndpoint,
 * UnknownOutputEndpoint as well. *out is freed with connector_stats_fini. */
hw_status pipeline_get_connector_stats(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                       connector_stats *out, hw_error *err);
/* As latency_summary tells. */
hw_status pipeline_get_latency(hw_pipeline *p, latency_summary *out);

#endif
