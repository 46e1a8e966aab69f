/* shapes.c - the one table of shapes, in the order of their subjects. */
#include "api/shapes.h"

#include <string.h>

#define RUNTIME_STATUS "'Initializing' | 'Paused' | 'Running'"

/* The members that every selector has, in pieces: the contract puts others between them. */
#define PIPELINE_STATE                                                                                          \
  "program_version: integer, program_status: ProgramStatus, program_status_since: time, "                       \
  "deployment_error: ErrorResponse?, refresh_version: integer, storage_status: 'Cleared' | 'InUse', "           \
  "storage_status_details: StorageStatusDetails?, deployment_id: uuid?, "                                       \
  "deployment_initial: 'Running' | 'Paused'?, deployment_status: CombinedStatus, "                              \
  "deployment_status_since: time, deployment_desired_status: CombinedDesiredStatus, "                           \
  "deployment_desired_status_since: time, deployment_resources_status: ResourcesStatus, "                       \
  "deployment_resources_status_since: time, deployment_resources_desired_status: 'Stopped' | 'Provisioned', "   \
  "deployment_resources_desired_status_since: time, deployment_runtime_status: " RUNTIME_STATUS "?, "           \
  "deployment_runtime_status_details: RuntimeStatusDetails?, deployment_runtime_status_since: time?, "          \
  "deployment_runtime_desired_status: 'Paused' | 'Running'?, deployment_runtime_desired_status_since: time?, "
#define PIPELINE_IDENTITY                                                                                       \
  "id: uuid, name: string, description: string, tags: [string], created_at: time, version: integer, "           \
  "platform_version: string, program_config: ProgramConfig, "

const api_shape api_shapes[] = {
    /* ---- the server ---- */
    {"ErrorResponse", "What every reply of status 400 and above is",
     "message: string, error_code: string, details: object"},
    {"Health", "That the server answers", "status: 'healthy'"},
    {"Configuration", "Version and edition of the server",
     "posthog: string, conceptualhq: string, product_fruits: string, edition: 'Open source', version: string, "
     "revision: string, runtime_revision: string, unstable_features: string?, changelog_url: string, "
     "license_validity: any?, update_info: any?, build_info: BuildInformation, build_source: string"},
    {"BuildInformation", "Members that describe a Rust build, for clients that insist on them; empty",
     "build_timestamp: string, build_cpu: string, build_os: string, cargo_dependencies: string, "
     "cargo_features: string, cargo_debug: string, cargo_opt_level: string, cargo_target_triple: string, "
     "rustc_version: string"},
    {"HealthStatus", "Health of the parts of the server",
     "all_healthy: bool, api: ServiceStatus, compiler: ServiceStatus, runner: ServiceStatus"},
    {"ServiceStatus", "Health of one part",
     "healthy: bool, message: string, unchanged_since: time, checked_at: time"},

    /* ---- API keys ---- */
    {"ApiKeyDescr", "An API key", "id: uuid, name: string, role: MintableKeyRole"},
    {"NewApiKeyRequest", "What an API key is to be", "name: string, role?: MintableKeyRole?"},
    {"NewApiKeyResponse", "An API key that was made", "id: uuid, name: string, api_key: string"},
    {"MintableKeyRole", "What the holder of a key may do", "= 'read' | 'write'"},

    /* ---- more of the server ---- */
    {"ClusterMonitorEvent", "A change of the health of the server's parts",
     "id: uuid, recorded_at: time, all_healthy: bool, api_status: MonitorStatus, compiler_status: MonitorStatus, "
     "runner_status: MonitorStatus, api_self_info?: string?, api_resources_info?: string?, "
     "compiler_self_info?: string?, compiler_resources_info?: string?, runner_self_info?: string?, "
     "runner_resources_info?: string?"},
    {"MonitorStatus", "How a part is", "= 'Healthy' | 'Unhealthy' | 'InitialUnhealthy'"},
    {"SessionInfo", "Who a client is",
     "tenant_id: uuid?, tenant_name: string?, role: 'read' | 'write' | 'admin' | 'owner'?, memberships: [any]"},
    {"Demo", "An example program",
     "name: string, title: string, description: string, program_code: string, udf_rust: string, udf_toml: string"},
    {"ValidateProgramRequest", "A program to be checked; the optional members change nothing",
     "program_code: string, ir?: bool, runtime_version?: string?"},
    {"ValidateProgramResponse", "How a check went: one of these",
     "Success?: ValidProgram, SqlError?: InvalidProgram, SystemError?: FailedValidation"},
    {"ValidProgram", "A program that compiles", "program_info: PartialProgramInfo"},
    {"InvalidProgram", "A program that does not", "info: SqlCompilationInfo"},
    {"FailedValidation", "Nothing can be said of the program", "error: string"},

    /* ---- pipelines ---- */
    {"PostPutPipeline", "What a pipeline is made of",
     "name: string, program_code: string, description?: string?, tags?: [string]?, udf_rust?: string?, "
     "udf_toml?: string?, runtime_config?: object?, program_config?: object?"},
    {"PatchPipeline", "What is to be changed of a pipeline; null is as if it were not there",
     "name?: string?, program_code?: string?, description?: string?, tags?: [string]?, udf_rust?: string?, "
     "udf_toml?: string?, runtime_config?: object?, program_config?: object?"},
    {"PipelineInfo", "A pipeline, as whoever changes it gets it",
     PIPELINE_IDENTITY PIPELINE_STATE
     "runtime_config: RuntimeConfig, program_code: string, udf_rust: string, udf_toml: string, "
     "program_error: ProgramError, program_info: PartialProgramInfo?, deployment_resources_status_details: any?"},
    {"PipelineSelectedInfo", "A pipeline; which of the optional members are there, the selector says",
     PIPELINE_IDENTITY PIPELINE_STATE
     "bootstrap_policy: 'allow' | 'reject' | 'await_approval'?, silent_bootstrap: bool?, "
     "concurrent_bootstrap: bool?, runtime_config?: RuntimeConfig, "
     "program_code?: string, udf_rust?: string, udf_toml?: string, program_error?: ProgramError, "
     "program_info?: PartialProgramInfo?, deployment_resources_status_details?: any?, "
     "connectors?: ConnectorStats?"},
    {"PipelineMonitorEvent", "The states of a pipeline after one of them had changed; details where the selector says",
     "event_id: uuid, recorded_at: time, deployment_resources_status: ResourcesStatus, "
     "deployment_resources_desired_status: 'Stopped' | 'Provisioned', "
     "deployment_runtime_status: " RUNTIME_STATUS "?, deployment_runtime_desired_status: 'Paused' | 'Running'?, "
     "deployment_has_error: bool, program_status: ProgramStatus, storage_status: 'Cleared' | 'InUse', "
     "deployment_resources_status_details?: any?, deployment_runtime_status_details?: any?, "
     "deployment_error?: ErrorResponse?, storage_status_details?: StorageStatusDetails?"},
    {"ProgramStatus", "How far the compilation of a program is",
     "= 'Pending' | 'CompilingSql' | 'SqlCompiled' | 'CompilingRust' | 'Success' | 'SqlError' | 'RustError' | "
     "'SystemError'"},
    {"CombinedStatus", "The state of a pipeline",
     "= 'Stopped' | 'Provisioning' | 'Initializing' | 'Paused' | 'Running' | 'Stopping'"},
    {"CombinedDesiredStatus", "The state that was asked for", "= 'Stopped' | 'Paused' | 'Running'"},
    {"ResourcesStatus", "Whether there is what a pipeline needs to run",
     "= 'Stopped' | 'Provisioning' | 'Provisioned' | 'Stopping'"},
    {"StorageStatusDetails", "What the storage of a pipeline holds", "checkpoints: [any]"},
    {"RuntimeStatusDetails", "More of a running pipeline", "connector_stats: ConnectorStats"},
    {"ConnectorStats", "Sum of the errors of all connectors", "num_errors: integer"},

    /* ---- programs ---- */
    {"ProgramConfig", "How a program is to be compiled; kept and shown",
     "profile: 'dev' | 'unoptimized' | 'optimized' | 'optimized_symbols'?, cache: bool, runtime_version: string?, "
     "use_platform_compiler: bool"},
    {"RuntimeConfig", "How a pipeline is to be run, completed with all defaults; kept and shown",
     "workers: integer, max_rss_mb: integer?, datafusion_memory_mb: integer?, hosts: integer, "
     "storage: StorageOptions?, fault_tolerance: FtConfig, cpu_profiler: bool, tracing: bool, "
     "tracing_endpoint_jaeger: string, min_batch_size_records: integer, max_buffering_delay_usecs: integer, "
     "resources: ResourceConfig, clock_resolution_usecs: integer?, clock_timezone_offset: string?, "
     "pin_cpus: [integer], provisioning_timeout_secs: integer?, max_parallel_connector_init: integer?, "
     "init_containers: any?, checkpoint_during_suspend: bool, http_workers: integer?, io_workers: integer?, "
     "env: {string}, dev_tweaks: object, logging: string?, pipeline_template_configmap: object?"},
    {"StorageOptions", "Where state is to be kept",
     "backend: StorageBackend, min_storage_bytes: integer?, min_step_storage_bytes: integer?, "
     "compression: 'default' | 'none' | 'snappy', cache_mib: integer?"},
    {"StorageBackend", "The kind of storage", "name: 'default' | 'file' | 'object'"},
    {"FtConfig", "Fault tolerance", "model: 'none', checkpoint_interval_secs: integer?"},
    {"ResourceConfig", "Bounds of resources",
     "cpu_cores_min: number?, cpu_cores_max: number?, memory_mb_min: integer?, memory_mb_max: integer?, "
     "storage_mb_max: integer?, storage_class: string?, service_account_name: string?, namespace: string?"},
    {"ProgramError", "What the compilation had to say",
     "sql_compilation: SqlCompilationInfo?, rust_compilation: RustCompilationInfo?, system_error: string?"},
    {"SqlCompilationInfo", "What the SQL compiler had to say", "exit_code: integer, messages: [SqlCompilerMessage]"},
    {"SqlCompilerMessage", "An error or a warning, and where in the program",
     "start_line_number: integer, start_column: integer, end_line_number: integer, end_column: integer, "
     "warning: bool, error_type: string, message: string, snippet: string?"},
    {"RustCompilationInfo", "Nothing is compiled after the SQL: always a success",
     "exit_code: integer, stdout: string, stderr: string"},
    {"PartialProgramInfo", "A compiled program",
     "schema: ProgramSchema, udf_stubs: string, input_connectors: {ConnectorConfig}, "
     "output_connectors: {ConnectorConfig}"},
    {"ProgramSchema", "Tables and views", "inputs: [Relation], outputs: [Relation]"},
    {"Relation", "A table or view",
     "name: string, case_sensitive: bool, fields: [Field], materialized: bool, properties: {PropertyValue}, "
     "primary_key: [string]?"},
    {"Field", "A column",
     "name: string, case_sensitive: bool, columntype: ColumnType, lateness: string?, default: string?, "
     "unused: bool, watermark: string?"},
    {"ColumnType", "The type of a column",
     "type: string, nullable: bool, precision: integer?, scale: integer?, component: ColumnType?, "
     "fields: [Field]?, key: ColumnType?, value: ColumnType?"},
    {"PropertyValue", "A property of a table or view",
     "value: string, key_position: SourcePosition, value_position: SourcePosition"},
    {"SourcePosition", "A range of the program's text",
     "start_line_number: integer, start_column: integer, end_line_number: integer, end_column: integer"},
    {"ConnectorConfig", "A connector as declared, with the name of its table or view; more members by its kind",
     "stream: string, transport: object, ..."},

    /* ---- statistics ---- */
    {"EgressConnector", "A listener as a connector: transport http_output, format json (with array true) or csv",
     "transport: object, format: object, send_snapshot?: bool"},
    {"Chunk", "Changes of a relation, in the order of their numbers. Without data it is a sign of life",
     "sequence_number: integer, snapshot: bool, json_data?: [any], text_data?: string, gap?: Gap, "
     "processed_steps?: integer"},
    {"Gap", "What the client was too slow for", "chunks: integer, rows: integer"},
    {"CompletionTokenResponse", "A completion token", "token: string"},
    {"CompletionStatusResponse", "How far the pipeline is with what a token stands for",
     "status: 'complete' | 'inprogress', step: integer?"},
    {"ControllerStatus", "Statistics of a pipeline and its connectors",
     "global_metrics: GlobalControllerMetrics, suspend_error: any?, checkpoint_activity: CheckpointActivity, "
     "permanent_checkpoint_errors: [any]?, inputs: [InputEndpointStatus], outputs: [OutputEndpointStatus]"},
    {"GlobalControllerMetrics", "Statistics of a pipeline as a whole",
     "state: 'Paused' | 'Running' | 'Terminated', bootstrap_in_progress: bool, "
     "transaction_status: 'NoTransaction' | 'TransactionInProgress' | 'CommitInProgress', transaction_id: integer, "
     "transaction_msecs: integer?, transaction_records: integer?, commit_progress: CommitProgressSummary?, "
     "transaction_initiators: TransactionInitiators, concurrent_bootstrap_phase: 'Inactive', "
     "concurrent_bootstrap_progress: any?, rss_bytes: integer, "
     "memory_pressure: 'low' | 'moderate' | 'high' | 'critical', memory_pressure_epoch: integer, "
     "cpu_msecs: integer, uptime_msecs: integer, start_time: integer, incarnation_uuid: uuid, "
     "initial_start_time: integer, storage_bytes: integer, storage_mb_secs: integer, "
     "runtime_elapsed_msecs: integer, buffered_input_records: integer, buffered_input_bytes: integer, "
     "total_input_records: integer, total_input_bytes: integer, total_processed_records: integer, "
     "total_processed_bytes: integer, total_completed_records: integer, output_stall_msecs: integer, "
     "total_initiated_steps: integer, total_completed_steps: integer, pipeline_complete: bool"},
    {"TransactionInitiators", "Who began the transaction",
     "transaction_id: integer?, initiated_by_api: 'Started' | 'Committed'?, initiated_by_connectors: {any}"},
    {"CommitProgressSummary", "How far a commit is: every operator takes all rows, batch by batch",
     "completed: integer, in_progress: integer, remaining: integer, in_progress_processed_records: integer, "
     "in_progress_total_records: integer"},
    {"StartTransactionResponse", "The transaction that has begun", "transaction_id: integer"},
    {"CheckpointActivity", "Whether a checkpoint is being made", "status: 'idle'"},
    {"TimeSeries", "What a pipeline did in the last minute; now: ms since 1970",
     "now: integer, samples: [SampleStatistics]"},
    {"SampleStatistics", "At t (ms since 1970): records processed, bytes of memory, bytes of storage",
     "t: integer, r: integer, m: integer, s: integer"},
    {"CircuitProfile", "What the operators of a pipeline have done since it was started",
     "incarnation_uuid: uuid, uptime_msecs: integer, steps: integer, output_stall_msecs: integer, "
     "step_time: Durations, completion_latency: Durations, operators: [OperatorProfile]"},
    {"OperatorProfile", "A table or view: rows in and out, batches, the time its expressions took, what it holds",
     "relation: string, kind: 'table' | 'view', inputs: [string], rows_in: integer, rows_out: integer, "
     "batches: integer, micros: integer, stored_rows: integer, stored_bytes: integer"},
    {"Durations", "How many, how long together, and a limit of 99 of 100",
     "count: integer, total_micros: integer, p99_micros: integer"},
    {"Dataflow", "The operators of a program by name; there are no plans of Calcite",
     "calcite_plan: {any}, mir: {MirNode}"},
    {"MirNode", "An operator and what it reads",
     "operation: 'source' | 'filter' | 'map' | 'union' | 'view', inputs: [MirInput], table?: string, view?: string"},
    {"MirInput", "An output of an operator", "node: string, output: integer"},
    {"Metric", "A metric with all its values",
     "key: string, type: 'counter' | 'gauge' | 'histogram', description: string, values: [MetricValue]"},
    {"MetricValue", "One value: a number, or of a histogram its buckets, sum and count; null: without limit",
     "labels: {string}, value: any?"},
    {"ShortEndpointConfig", "The table or view of a connector", "stream: string"},
    {"ConnectorHealth", "Whether a failure of a connector stands",
     "status: 'Healthy' | 'Unhealthy', description: string?"},
    {"ConnectorError", "One error of a connector",
     "timestamp: time, index: integer, tag: string?, message: string"},
    {"InputEndpointStatus", "Statistics of an input",
     "endpoint_name: string, config: ShortEndpointConfig, metrics: InputEndpointMetrics, fatal_error: string?, "
     "parse_errors?: [ConnectorError], transport_errors?: [ConnectorError], health: ConnectorHealth, paused: bool, "
     "barrier: bool, completed_frontier: any?, headworks: InputDetails"},
    {"InputEndpointMetrics", "Counts of an input",
     "total_bytes: integer, total_records: integer, buffered_records: integer, buffered_bytes: integer, "
     "num_transport_errors: integer, num_parse_errors: integer, end_of_input: bool, "
     "processing_latency_p99_micros: integer?"},
    {"InputDetails", "What Headworks knows of an input beyond the contract",
     "active: bool, holds: ['pipeline' | 'user' | 'start_after' | 'backpressure' | 'retry' | 'ended'], "
     "quiescent: bool, epoch: integer, position: string, dropped_records: integer, progress_done: integer, "
     "progress_total: integer"},
    {"OutputEndpointStatus", "Statistics of an output",
     "endpoint_name: string, config: ShortEndpointConfig, metrics: OutputEndpointMetrics, fatal_error: string?, "
     "encode_errors?: [ConnectorError], transport_errors?: [ConnectorError], health: ConnectorHealth, "
     "headworks: OutputDetails"},
    {"OutputEndpointMetrics", "Counts of an output",
     "transmitted_records: integer, transmitted_bytes: integer, queued_records: integer, queued_batches: integer, "
     "buffered_records: integer, buffered_batches: integer, num_encode_errors: integer, "
     "num_transport_errors: integer, total_processed_input_records: integer, total_processed_steps: integer, "
     "memory: integer"},
    {"DeadLetters", "Records that could not be read",
     "letters: [DeadLetter], kept: integer, kept_bytes: integer, total: integer, dropped: integer, "
     "resubmitted: integer, cleared: integer"},
    {"DeadLetter", "A record that could not be read",
     "id: integer, connector: string, position: string, time: time, reason: string, field: string?, "
     "raw_base64: string, raw_text: string, record_bytes: integer, cut: bool"},
    {"ClearedDeadLetters", "How many were dropped", "cleared: integer"},
    {"ResubmitDeadLetters", "Which: 'ids', or all of a connector's endpoint, or with neither all",
     "ids?: [integer], connector?: string"},
    {"ResubmittedDeadLetters", "What became of them; the first fault is that of the first letter that stays",
     "resubmitted: integer, failed: integer, missing: integer, first_fault: string?"},
    {"OutputDetails", "What Headworks knows of an output beyond the contract",
     "paused: bool, active: bool, holds: ['pipeline' | 'user' | 'retry' | 'ended'], epoch: integer, "
     "on_full: 'hold' | 'spill' | 'drop', queued_bytes: integer, "
     "dropped_records: integer, spill_bytes: integer, spilled_records: integer"},
};
const size_t api_n_shapes = sizeof api_shapes / sizeof *api_shapes;

const api_shape *api_find_shape(const char *name, size_t len) {
  for (size_t i = 0; i < api_n_shapes; i++)
    if (strlen(api_shapes[i].name) == len && memcmp(api_shapes[i].name, name, len) == 0) return &api_shapes[i];
  return NULL;
}
