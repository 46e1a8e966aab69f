/* manager.h - the pipelines of an engine as the HTTP API and the CLI see them.
 *
 * Functions here never wait (invariant 7), except where they say so. Strings in
 * a snapshot are copies that the matching *_fini frees. */
#ifndef ENGINE_MANAGER_H
#define ENGINE_MANAGER_H

#include "engine/catalog.h"
#include "engine/definition.h"
#include "engine/logbook.h"
#include "runtime/dead_letters.h"
#include "runtime/deployment.h"
#include "runtime/program.h"
#include "runtime/stats.h"

#include <headworks/headworks.h>

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

typedef enum bootstrap_policy { BOOTSTRAP_AWAIT_APPROVAL, BOOTSTRAP_ALLOW, BOOTSTRAP_REJECT } bootstrap_policy;

/* There is no bootstrapping; what a start is told about it is kept and shown. */
typedef struct bootstrap {
  bootstrap_policy policy;
  bool silent, concurrent;
} bootstrap;

const char *bootstrap_policy_name(bootstrap_policy policy); /* "await_approval", ... */

typedef struct pipeline_info {
  char id[37];                 /* UUID text */
  pipeline_definition *definition; /* a reference */
  int64_t created_at_us;       /* since 1970 */
  uint64_t refresh_version;
  program_status program_status;
  int64_t program_status_since_us;
  program *program;            /* a reference, NULL until Success */
  program_messages messages;   /* of the last compilation; deep copies */
  deployment_status status, desired;
  int64_t status_since_us, desired_since_us;
  char deployment_id[37];      /* "" when not deployed */
  char deployment_initial[8];  /* "", "running", "paused" */
  bootstrap bootstrap;         /* as the start was told; while there is a run */
  bool storage_in_use;         /* storage_status InUse instead of Cleared */
  hw_error deployment_error;   /* status HW_OK: none */
  uint64_t num_errors;         /* sum over connectors; while deployed */
} pipeline_info;

hw_status pipeline_get_info(hw_pipeline *p, pipeline_info *out); /* HW_OK or HW_ENOMEM */
void pipeline_info_fini(pipeline_info *info);

/* All pipelines by name, each a reference; the caller frees the array. */
hw_status manager_list(hw_engine *engine, hw_pipeline ***out, size_t *n);

/* ---- changes --------------------------------------------------------------- */

/* Each of these is refused at once with the contract's code, or accepted (HW_OK):
 * then done (NULL: nobody is told) is called exactly once, when the change is on
 * disk (catalog.h), or at once where nothing is kept, maybe before the return. With
 * an error it is in effect (of create and delete: it is not), but would be lost with
 * the process: CatalogWriteFailed. So it is with hw_pipeline_pause and the others of
 * headworks.h, which are done when they are true and on disk. */

/* Makes a pipeline and starts compiling it elsewhere; program_status tells. Nobody
 * finds it before it is kept. *out gets a reference. pipeline_spec_check's codes;
 * DuplicateName. */
hw_status manager_create(hw_engine *engine, const pipeline_spec *spec, hw_pipeline **out, hw_done *done, void *arg,
                         hw_error *err);
/* Edits it, all at once or not at all. What is given and different counts in
 * version; what the program is made of is compiled anew (program_version). replace
 * (PUT): it is also made for this version of Headworks. UpdateRestrictedToStopped;
 * EditRestrictedToClearedStorage, with the fields in *not_allowed (NULL: not told),
 * comma-separated; pipeline_spec_check's codes; DuplicateName. */
#define EDIT_FIELDS_MAX 300
hw_status manager_edit(hw_pipeline *p, const pipeline_spec *spec, bool replace, char not_allowed[EDIT_FIELDS_MAX],
                       hw_done *done, void *arg, hw_error *err);
/* What DELETE does: as hw_pipeline_delete, but storage must have been cleared
 * before. DeleteRestrictedToFullyStopped, DeleteRestrictedToClearedStorage. */
hw_status manager_delete(hw_pipeline *p, hw_done *done, void *arg, hw_error *err);

typedef struct start_options {
  hw_run_state initial;
  bootstrap bootstrap;
  bool dismiss; /* the error of an earlier run does not stand in the way, and is dismissed */
} start_options;

/* Starting: what follows is seen in pipeline_get_info. Starting while the program
 * still compiles is accepted. */
hw_status manager_start(hw_pipeline *p, const start_options *options, hw_done *done, void *arg, hw_error *err);
/* Accepted in every state. */
hw_status manager_stop(hw_pipeline *p, bool force, hw_done *done, void *arg, hw_error *err);
/* As hw_pipeline_stop without force, but it is not what anybody wants of the
 * pipeline: it will be started again with the next process that opens the catalog.
 * This one does not start, edit (but for description and tags), clear or delete it any
 * more: Terminating. */
hw_status manager_leave(hw_pipeline *p, hw_done *done, void *arg, hw_error *err);
/* Drops the record of a finished deployment's storage: storage_status Cleared. */
hw_status manager_clear(hw_pipeline *p, hw_done *done, void *arg, hw_error *err);
hw_status manager_dismiss_error(hw_pipeline *p, hw_done *done, void *arg, hw_error *err);
/* Pause and resume: hw_pipeline_pause, hw_pipeline_resume; err->code is
 * PipelineInteractionNotDeployed, Initializing, InvalidTransition, PauseTimeout.
 * Connectors: hw_connector_pause, hw_connector_start; codes the same and
 * UnknownInputEndpoint. */

/* Pause or start of one connector, of a table (input) or of a view; done is called
 * as for hw_connector_pause, if this is HW_OK. The codes also UnknownOutputEndpoint. */
hw_status pipeline_control_connector(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                     bool pause, hw_done *done, void *arg, hw_error *err);

/* ---- what survives the process --------------------------------------------- */

/* Has the engine keep what must survive in this directory (catalog.h), and brings
 * back what is there: pipelines are compiled, and those that were asked to run start
 * again, with the connectors paused that were, and read their inputs from the
 * beginning. At most once, before anything is made. Waits for the reading. */
HW_MUST_USE hw_status manager_open_catalog(hw_engine *engine, const char *directory, hw_error *err);
/* NULL: nothing is kept. */
catalog *manager_catalog(hw_engine *engine);

/* ---- events ---------------------------------------------------------------- */

#define PIPELINE_EVENTS_MAX 720

/* States as they were after one of them had changed. */
typedef struct pipeline_event {
  char id[37]; /* UUID text */
  int64_t recorded_at_us;
  deployment_status status, desired;
  program_status program_status;
  bool storage_in_use;
  char *error_code, *error_message; /* NULL: no deployment error */
} pipeline_event;

/* The latest, newest first; with id one of them, or "latest": *n is 0 when there is
 * none such. *out is freed by pipeline_events_free. HW_OK or HW_ENOMEM. */
hw_status pipeline_get_events(hw_pipeline *p, const char *id, pipeline_event **out, size_t *n);
void pipeline_events_free(pipeline_event *events, size_t n);

/* ---- dead letters ---------------------------------------------------------- */

#define PIPELINE_LETTERS_BYTES (UINT64_C(1) << 20) /* of one listing */

typedef struct letters_outcome {
  uint64_t resubmitted, failed; /* the latter were given back */
  uint64_t missing;             /* ids that there are no letters of */
  hw_error first;               /* of those that failed: why the first did, or why it went no further */
} letters_outcome;

/* Copies of the oldest ones behind id `after`, of one connector's endpoint (NULL: of
 * any), at most n, and about PIPELINE_LETTERS_BYTES. *out is freed with
 * dead_letters_free_list. HW_OK or HW_ENOMEM. */
hw_status pipeline_list_letters(hw_pipeline *p, const char *connector, uint64_t after, uint64_t n, dead_letter **out);
dead_letters_count pipeline_count_letters(hw_pipeline *p);
uint64_t pipeline_clear_letters(hw_pipeline *p, const char *connector); /* how many */
/* Submits them again (deployment_resubmit): those of the ids, or all of a connector
 * (NULL: all) that there are now. Parses: not on the API thread. err->code
 * PipelineInteractionNotDeployed, Initializing; otherwise HW_OK, and *outcome says. */
hw_status pipeline_resubmit_letters(hw_pipeline *p, const uint64_t *ids, size_t n, letters_outcome *outcome,
                                    hw_error *err);
hw_status pipeline_resubmit_all_letters(hw_pipeline *p, const char *connector, letters_outcome *outcome,
                                        hw_error *err);

/* ---- transactions ---------------------------------------------------------- */

/* As deployment_start_transaction and deployment_commit_transaction, with their codes
 * and those of pipeline_get_stats. */
HW_MUST_USE hw_status pipeline_start_transaction(hw_pipeline *p, uint64_t *id, hw_error *err);
HW_MUST_USE hw_status pipeline_commit_transaction(hw_pipeline *p, hw_error *err);

/* ---- statistics ----------------------------------------------------------- */

/* Bytes of batches and buffers, of all pipelines, and the most there may be. */
void manager_memory(const hw_engine *engine, uint64_t *used, uint64_t *limit);
/* Of a deployed pipeline; err->code PipelineInteractionNotDeployed, Initializing. */
hw_status pipeline_get_stats(hw_pipeline *p, bool with_errors, pipeline_stats *out, hw_error *err);
/* What a pipeline did in the last minute: a sample for each manager_sample. */
#define PIPELINE_SAMPLES 60
typedef struct pipeline_sample {
  int64_t at_us; /* since 1970 */
  uint64_t processed_records, resident_bytes, storage_bytes;
} pipeline_sample;
/* Looks at every deployed pipeline; to be called once a second by who serves. *moved:
 * one of them has processed something since the last look. HW_OK or HW_ENOMEM. */
hw_status manager_sample(hw_engine *engine, uint64_t resident_bytes, bool *moved);
/* Of the present run, oldest first; err->code as with pipeline_get_stats. */
hw_status pipeline_get_samples(hw_pipeline *p, pipeline_sample out[PIPELINE_SAMPLES], uint32_t *n, hw_error *err);
/* Of one connector: is_input chooses table or view; err->code UnknownInputEndpoint,
 * UnknownOutputEndpoint as well. *out is freed with connector_stats_fini. */
hw_status pipeline_get_connector_stats(hw_pipeline *p, bool is_input, const char *relation, const char *connector,
                                       connector_stats *out, hw_error *err);
/* The run of a deployed pipeline, as a reference for the caller: deployment_stats of it
 * goes on telling after the run is over. NULL: *err as of pipeline_get_stats. */
deployment *pipeline_deployment(hw_pipeline *p, hw_error *err);
/* As latency_summary tells. */
hw_status pipeline_get_latency(hw_pipeline *p, latency_summary *out);

void pipeline_copy_id(const hw_pipeline *p, char out[37]); /* UUID text */
/* The lines of its log, the starts and stops of its deployments included. Good as
 * long as a reference to p; closed when p is deleted. */
logbook *pipeline_logbook(hw_pipeline *p);

#endif
