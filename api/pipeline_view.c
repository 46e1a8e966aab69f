/* pipeline_view.c - a pipeline's record in the contract's exact key sets, in
 * the contract's order. */
#include "api/json_view.h"

#include <string.h>

/* ---- the words ------------------------------------------------------------ */

const char *view_resources_status(deployment_status status) {
  switch (status) {
    case DEPLOYMENT_STOPPED: return "Stopped";
    case DEPLOYMENT_PROVISIONING: return "Provisioning";
    case DEPLOYMENT_STOPPING: return "Stopping";
    case DEPLOYMENT_INITIALIZING:
    case DEPLOYMENT_PAUSED:
    case DEPLOYMENT_RUNNING: break;
  }
  return "Provisioned";
}

const char *view_desired_resources_status(deployment_status desired) {
  return desired == DEPLOYMENT_STOPPED ? "Stopped" : "Provisioned";
}

const char *view_storage_status(bool in_use) { return in_use ? "InUse" : "Cleared"; }

bool view_provisioned(deployment_status status) {
  return status == DEPLOYMENT_INITIALIZING || status == DEPLOYMENT_PAUSED || status == DEPLOYMENT_RUNNING;
}

/* The contract's word for the state a start asked for; NULL: none. */
static const char *initial_word(const char *initial) {
  if (strcmp(initial, "running") == 0) return "Running";
  if (strcmp(initial, "paused") == 0) return "Paused";
  return NULL;
}

/* ---- the program ---------------------------------------------------------- */

static void view_message(json_writer *w, const program_message *m) {
  jw_object(w);
  jw_key_i64(w, "start_line_number", m->line);
  jw_key_i64(w, "start_column", m->column);
  jw_key_i64(w, "end_line_number", m->end_line);
  jw_key_i64(w, "end_column", m->end_column);
  jw_key_bool(w, "warning", m->warning);
  jw_key_string(w, "error_type", m->type ? m->type : "");
  jw_key_string(w, "message", m->message ? m->message : "");
  jw_key_string(w, "snippet", m->snippet);
  jw_object_end(w);
}

void view_messages(json_writer *w, const program_messages *messages, bool failed) {
  jw_object(w);
  jw_key_i64(w, "exit_code", failed);
  jw_key(w, "messages");
  jw_array(w);
  for (uint32_t i = 0; i < messages->n; i++) view_message(w, &messages->items[i]);
  jw_array_end(w);
  jw_object_end(w);
}

/* There is no second compiler: this stage always succeeds at once. */
static void view_rust_compilation(json_writer *w) {
  jw_object(w);
  jw_key_u64(w, "exit_code", 0);
  jw_key_string(w, "stdout", "");
  jw_key_string(w, "stderr", "");
  jw_object_end(w);
}

static bool sql_compiled(program_status status) {
  return status != PROGRAM_PENDING && status != PROGRAM_COMPILING_SQL && status != PROGRAM_SYSTEM_ERROR;
}

static void view_program_error(json_writer *w, const pipeline_info *info) {
  jw_object(w);
  jw_key(w, "sql_compilation");
  if (sql_compiled(info->program_status)) {
    view_messages(w, &info->messages, info->program_status == PROGRAM_SQL_ERROR);
  } else {
    jw_null(w);
  }
  jw_key(w, "rust_compilation");
  if (info->program_status == PROGRAM_SUCCESS) {
    view_rust_compilation(w);
  } else {
    jw_null(w);
  }
  const program_messages *ms = &info->messages;
  bool failed = info->program_status == PROGRAM_SYSTEM_ERROR;
  const char *first = ms->n && ms->items[0].message ? ms->items[0].message : "the compiler failed";
  jw_key_string(w, "system_error", failed ? first : NULL);
  jw_object_end(w);
}

static void view_program_info(json_writer *w, const pipeline_info *info) {
  if (info->program) {
    view_program(w, info->program);
  } else {
    jw_null(w);
  }
}

/* ---- settings ------------------------------------------------------------- */

/* JSON text as it is kept. */
static void view_setting(json_writer *w, const pipeline_info *info, pipeline_member m) {
  const char *text = info->definition->members[m];
  jw_key(w, pipeline_member_name(m));
  jw_raw(w, text, strlen(text));
}

static void view_text(json_writer *w, const pipeline_info *info, pipeline_member m) {
  jw_key_string(w, pipeline_member_name(m), info->definition->members[m]);
}

/* ---- the deployment ------------------------------------------------------- */

void view_deployment_error(json_writer *w, const char *code, const char *message) {
  jw_key(w, "deployment_error");
  if (!message) {
    jw_null(w);
    return;
  }
  jw_object(w);
  jw_key_string(w, "message", message);
  jw_key_string(w, "error_code", code);
  jw_key(w, "details");
  jw_object(w);
  jw_object_end(w);
  jw_object_end(w);
}

static void view_error(json_writer *w, const hw_error *err) {
  const char *code = err->code[0] ? err->code : hw_status_name(err->status);
  view_deployment_error(w, code, err->status == HW_OK ? NULL : err->message);
}

void view_storage_details(json_writer *w, bool in_use) {
  jw_key(w, "storage_status_details");
  if (!in_use) {
    jw_null(w);
    return;
  }
  jw_object(w);
  jw_key(w, "checkpoints");
  jw_array(w);
  jw_array_end(w);
  jw_object_end(w);
}

static void view_storage(json_writer *w, const pipeline_info *info) {
  jw_key_string(w, "storage_status", view_storage_status(info->storage_in_use));
  view_storage_details(w, info->storage_in_use);
}

static void view_deployment(json_writer *w, const pipeline_info *info) {
  jw_key_string(w, "deployment_id", info->deployment_id[0] ? info->deployment_id : NULL);
  jw_key_string(w, "deployment_initial", initial_word(info->deployment_initial));
  jw_key_string(w, "deployment_status", deployment_status_name(info->status));
  jw_key_time(w, "deployment_status_since", info->status_since_us);
  jw_key_string(w, "deployment_desired_status", deployment_status_name(info->desired));
  jw_key_time(w, "deployment_desired_status_since", info->desired_since_us);
}

static void view_resources(json_writer *w, const pipeline_info *info, bool details) {
  jw_key_string(w, "deployment_resources_status", view_resources_status(info->status));
  if (details) jw_key_null(w, "deployment_resources_status_details");
  jw_key_time(w, "deployment_resources_status_since", info->status_since_us);
  jw_key_string(w, "deployment_resources_desired_status", view_resources_status(info->desired));
  jw_key_time(w, "deployment_resources_desired_status_since", info->desired_since_us);
}

static void view_num_errors(json_writer *w, uint64_t num_errors) {
  jw_object(w);
  jw_key_u64(w, "num_errors", num_errors);
  jw_object_end(w);
}

static void view_runtime(json_writer *w, const pipeline_info *info) {
  jw_key_string(w, "deployment_runtime_status", deployment_status_name(info->status));
  jw_key(w, "deployment_runtime_status_details");
  jw_object(w);
  jw_key(w, "connector_stats");
  view_num_errors(w, info->num_errors);
  jw_object_end(w);
  jw_key_time(w, "deployment_runtime_status_since", info->status_since_us);
  jw_key_string(w, "deployment_runtime_desired_status",
                info->desired == DEPLOYMENT_STOPPED ? NULL : deployment_status_name(info->desired));
  jw_key_time(w, "deployment_runtime_desired_status_since", info->desired_since_us);
}

static void view_no_runtime(json_writer *w) {
  jw_key_null(w, "deployment_runtime_status");
  jw_key_null(w, "deployment_runtime_status_details");
  jw_key_null(w, "deployment_runtime_status_since");
  jw_key_null(w, "deployment_runtime_desired_status");
  jw_key_null(w, "deployment_runtime_desired_status_since");
}

/* ---- the record ----------------------------------------------------------- */

static void view_identity(json_writer *w, const pipeline_info *info) {
  jw_key_string(w, "id", info->id);
  view_text(w, info, MEMBER_NAME);
  view_text(w, info, MEMBER_DESCRIPTION);
  view_setting(w, info, MEMBER_TAGS);
  jw_key_time(w, "created_at", info->created_at_us);
  jw_key_u64(w, "version", info->definition->version);
  jw_key_string(w, "platform_version", info->definition->platform_version);
}

static void view_code(json_writer *w, const pipeline_info *info) {
  view_setting(w, info, MEMBER_RUNTIME_CONFIG);
  jw_key(w, pipeline_member_name(MEMBER_CODE));
  jw_text(w, info->definition->members[MEMBER_CODE], info->definition->code_len);
  view_text(w, info, MEMBER_UDF_RUST);
  view_text(w, info, MEMBER_UDF_TOML);
}

static void view_compilation(json_writer *w, const pipeline_info *info, bool whole) {
  jw_key_u64(w, "program_version", info->definition->program_version);
  jw_key_string(w, "program_status", program_status_name(info->program_status));
  jw_key_time(w, "program_status_since", info->program_status_since_us);
  if (!whole) return;
  jw_key(w, "program_error");
  view_program_error(w, info);
  jw_key(w, "program_info");
  view_program_info(w, info);
}

static void view_state(json_writer *w, const pipeline_info *info, bool whole) {
  view_error(w, &info->deployment_error);
  jw_key_u64(w, "refresh_version", info->refresh_version);
  view_storage(w, info);
  view_deployment(w, info);
  view_resources(w, info, whole);
  if (view_provisioned(info->status)) {
    view_runtime(w, info);
  } else {
    view_no_runtime(w);
  }
}

/* What the start was told about bootstrapping. */
static void view_bootstrap(json_writer *w, const pipeline_info *info) {
  if (!info->deployment_initial[0]) {
    jw_key_null(w, "bootstrap_policy");
    jw_key_null(w, "silent_bootstrap");
    jw_key_null(w, "concurrent_bootstrap");
    return;
  }
  jw_key_string(w, "bootstrap_policy", bootstrap_policy_name(info->bootstrap.policy));
  jw_key_bool(w, "silent_bootstrap", info->bootstrap.silent);
  jw_key_bool(w, "concurrent_bootstrap", info->bootstrap.concurrent);
}

static void view_connector_sum(json_writer *w, const pipeline_info *info) {
  jw_key(w, "connectors");
  if (view_provisioned(info->status)) {
    view_num_errors(w, info->num_errors);
  } else {
    jw_null(w);
  }
}

void view_pipeline(json_writer *w, const pipeline_info *info, pipeline_selector selector) {
  bool whole = selector == SELECT_ALL || selector == SELECT_EDITED;
  jw_object(w);
  view_identity(w, info);
  if (whole) view_code(w, info);
  view_setting(w, info, MEMBER_PROGRAM_CONFIG);
  view_compilation(w, info, whole);
  view_state(w, info, whole);
  if (selector != SELECT_EDITED) view_bootstrap(w, info);
  if (selector == SELECT_STATUS_WITH_CONNECTORS) view_connector_sum(w, info);
  jw_object_end(w);
}
