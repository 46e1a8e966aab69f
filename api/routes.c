/* routes.c - the one table of routes. Literal parts of a path stand before
 * {parts} that would match them too. */
#include "api/routes.h"

#include <string.h>

#define PIPELINE "/v0/pipelines/{pipeline_name}"
#define TABLE_CONNECTOR PIPELINE "/tables/{table_name}/connectors/{connector_name}"
#define VIEW_CONNECTOR PIPELINE "/views/{view_name}/connectors/{connector_name}"

/* Error codes that many routes share. */
#define NO_PIPELINE "404 UnknownPipelineName"
#define NOT_DEPLOYED NO_PIPELINE "; 503 PipelineInteractionNotDeployed, Initializing"

#define SELECTOR API_PARAMS({"selector", "'all' | 'status' | 'status_with_connectors'", "all", "which members"})
#define EVENT_SELECTOR API_PARAMS({"selector", "'all' | 'status'", "status", "which members"})
#define KEPT "503 CatalogWriteFailed"
#define BAD_SPEC                                                                                              \
  "400 MalformedJson, InvalidBody, EmptyName, TooLongName, NameDoesNotMatchPattern, TooLongDescription, "     \
  "TooManyTags, InvalidTag, InvalidRuntimeConfig, InvalidProgramConfig; 409 DuplicateName; " KEPT
#define BAD_EDIT BAD_SPEC "; 400 UpdateRestrictedToStopped, EditRestrictedToClearedStorage; 410 Terminating"
#define WAIT {"wait", "'drained'", NULL, "reply only when what was fetched before has reached the outputs"}

/* Options of parsers that can be given in an URL; which format knows which is told by docs/reference/formats.md. */
#define FORMAT_OPTIONS \
  {"array", "bool", NULL, "json: each document is an array of records"}, \
      {"update_format", "string", NULL, "json, msgpack: insert_delete, raw"}, \
      {"json_flavor", "string", NULL, "json: how values are spelled"}, \
      {"lines", "string", NULL, "json: multiple or single"}, \
      {"delimiter", "string", NULL, "csv: the character between cells"}, \
      {"headers", "string", NULL, "csv: the first record names the columns"}, \
      {"quote", "string", NULL, "csv: the character around quoted cells"}, \
      {"escape", "string", NULL, "csv: makes the next character stand for itself"}, \
      {"double_quote", "string", NULL, "csv: two quotes stand for one"}, \
      {"quoting", "string", NULL, "csv: quotes have a meaning"}, \
      {"comment", "string", NULL, "csv: lines that begin with it are skipped"}, \
      {"flexible", "string", NULL, "csv: records may be longer or shorter"}, \
      {"trim", "string", NULL, "csv: where blanks are taken off"}, \
      {"mode", "string", NULL, "raw: lines or blob"}, \
      {"column_name", "string", NULL, "raw: the column that gets the bytes"}

static const api_param path_params[] = {
    {"pipeline_name", "string", NULL, "name of a pipeline"},
    {"api_key_name", "string", NULL, "name of an API key"},
    {"event_id", "string", NULL, "identity of an event, or `latest`"},
    {"table_name", "string", NULL, "name of a table by SQL's rule: Numbers is numbers, %22Numbers%22 is Numbers"},
    {"view_name", "string", NULL, "name of a view, by the same rule"},
    {"connector_name", "string", NULL, "name of a connector, exactly as declared"},
    {"event_id", "string", NULL, "UUID of an event, or latest"},
    {"action", "'start' | 'pause'", NULL, "what is to be done"},
};

const api_route api_routes[] = {
    /* ---- the server ---- */
    {HTTP_GET, "/healthz", get_healthz, "Server", "Whether the server answers",
     .answers = API_ANSWERS({200, "Health", "it does"}), .open = true},
    {HTTP_GET, "/config/authentication", get_authentication, "Server", "How to log in",
     .answers = API_ANSWERS({200, "object", "empty: there is no provider of identities"}), .open = true},
    {HTTP_GET, "/v0/config", get_config, "Server", "Version and edition",
     .answers = API_ANSWERS({200, "Configuration", "of this server"})},
    {HTTP_GET, "/v0/config/session", get_session, "Server", "Who the client is to the server",
     .answers = API_ANSWERS({200, "SessionInfo", "the client"})},
    {HTTP_GET, "/v0/config/demos", list_demos, "Server", "Example programs",
     .answers = API_ANSWERS({200, "[Demo]", "the programs"})},
    {HTTP_GET, "/robots.txt", get_robots, "Server", "That nothing here is for search engines",
     .answers = API_ANSWERS({200, "text/plain", "the rules"}), .open = true},
    {HTTP_POST, "/v0/validate_program", validate_program, "Server", "Compiles a program and tells its faults",
     .text = "No pipeline is made of it.", .body = "ValidateProgramRequest",
     .answers = API_ANSWERS({200, "ValidateProgramResponse", "one of the members: how it went"}),
     .errors = "400 MalformedJson, InvalidBody"},
    {HTTP_GET, "/v0/cluster/events", list_cluster_events, "Server", "Changes of the health of the server's parts",
     .query = EVENT_SELECTOR, .answers = API_ANSWERS({200, "[ClusterMonitorEvent]", "the latest first"})},
    {HTTP_GET, "/v0/cluster/events/{event_id}", get_cluster_event, "Server", "One change of the health",
     .query = EVENT_SELECTOR, .answers = API_ANSWERS({200, "ClusterMonitorEvent", "the event"}),
     .errors = "400 InvalidUuidParam; 404 UnknownClusterMonitorEvent"},
    {HTTP_GET, "/v0/cluster_healthz", get_cluster_healthz, "Server", "Health of the parts of the server",
     .text = "They are one process: that this is answered is the health of all three.",
     .answers = API_ANSWERS({200, "HealthStatus", "all are well"})},

    {HTTP_GET, "/api-doc/openapi.json", get_openapi, "Server", "This description of what is served",
     .answers = API_ANSWERS({200, "object", "an OpenAPI document"})},

    /* ---- API keys ---- */
    {HTTP_GET, "/v0/api_keys", list_api_keys, "API keys", "All API keys by name",
     .answers = API_ANSWERS({200, "[ApiKeyDescr]", "the keys, without what makes them keys"}), .role = ROLE_WRITE},
    {HTTP_POST, "/v0/api_keys", post_api_key, "API keys", "Makes an API key",
     .text = "The reply is the only one that shows it. It comes when the key is on disk, where there is one.",
     .body = "NewApiKeyRequest", .answers = API_ANSWERS({201, "NewApiKeyResponse", "the key was made"}),
     .errors = "400 MalformedJson, InvalidBody, EmptyName, TooLongName, NameDoesNotMatchPattern, TooManyApiKeys; "
               "403 RoleExceedsCreator, OwnerAdminNotMintableAsApiKey; 409 DuplicateName; 503 CatalogWriteFailed"},
    {HTTP_GET, "/v0/api_keys/{api_key_name}", get_api_key, "API keys", "One API key",
     .answers = API_ANSWERS({200, "[ApiKeyDescr]", "the key, alone in an array"}), .errors = "404 UnknownApiKey",
     .role = ROLE_WRITE},
    {HTTP_DELETE, "/v0/api_keys/{api_key_name}", delete_api_key, "API keys", "Deletes an API key",
     .text = "It lets nobody in from then on, and streams that it has opened end.",
     .answers = API_ANSWERS({200, NULL, "it is gone"}), .errors = "404 UnknownApiKey; 503 CatalogWriteFailed"},

    /* ---- pipelines ---- */
    {HTTP_GET, "/v0/pipelines", list_pipelines, "Pipelines", "All pipelines by name", .query = SELECTOR,
     .answers = API_ANSWERS({200, "[PipelineSelectedInfo]", "the pipelines"})},
    {HTTP_POST, "/v0/pipelines", create_pipeline, "Pipelines", "Makes a pipeline and begins to compile its program",
     .body = "PostPutPipeline", .answers = API_ANSWERS({201, "PipelineInfo", "the pipeline was made"}),
     .errors = BAD_SPEC},
    {HTTP_GET, PIPELINE, get_pipeline, "Pipelines", "One pipeline", .query = SELECTOR,
     .answers = API_ANSWERS({200, "PipelineSelectedInfo", "the pipeline"}), .errors = NO_PIPELINE},
    {HTTP_PUT, PIPELINE, put_pipeline, "Pipelines", "Gives a pipeline all its members anew, or makes it",
     .text = "What is not given is as in a new pipeline. One that is made must have the name in the path.",
     .body = "PostPutPipeline",
     .answers = API_ANSWERS({200, "PipelineInfo", "the pipeline as it is now"}, {201, "PipelineInfo", "it was made"}),
     .errors = NO_PIPELINE "; " BAD_EDIT "; 400 CannotRenameNonExistingPipeline"},
    {HTTP_PATCH, PIPELINE, patch_pipeline, "Pipelines", "Changes the members of a pipeline that are given",
     .text = "All at once or not at all. Description and tags may be changed at any time, all else while it is "
             "stopped.",
     .body = "PatchPipeline", .answers = API_ANSWERS({200, "PipelineInfo", "the pipeline as it is now"}),
     .errors = NO_PIPELINE "; " BAD_EDIT},
    {HTTP_DELETE, PIPELINE, delete_pipeline, "Pipelines", "Deletes a pipeline that is stopped and cleared",
     .answers = API_ANSWERS({200, NULL, "it is gone"}),
     .errors = NO_PIPELINE "; 400 DeleteRestrictedToFullyStopped, DeleteRestrictedToClearedStorage; 410 Terminating; "
                           KEPT},
    {HTTP_GET, PIPELINE "/events", list_events, "Pipelines", "The latest changes of a pipeline's states, newest first",
     .query = EVENT_SELECTOR, .answers = API_ANSWERS({200, "[PipelineMonitorEvent]", "at most 720 of them"}),
     .errors = NO_PIPELINE},
    {HTTP_GET, PIPELINE "/events/{event_id}", get_event, "Pipelines", "One change of a pipeline's states",
     .query = EVENT_SELECTOR, .answers = API_ANSWERS({200, "PipelineMonitorEvent", "the event"}),
     .errors = NO_PIPELINE "; 400 InvalidUuidParam; 404 UnknownPipelineMonitorEvent, NoPipelineMonitorEventsAvailable"},

    /* ---- running them ---- */
    {HTTP_POST, PIPELINE "/start", start_pipeline, "Lifecycle", "Starts a pipeline",
     .text = "Accepted as well while the program is being compiled: the start follows a success.",
     .query = API_PARAMS({"initial", "'running' | 'paused' | 'standby'", "running", "in which state it comes up"},
                         {"bootstrap_policy", "'allow' | 'reject' | 'await_approval'", "await_approval",
                          "kept and shown, and of no effect while there is no bootstrapping"},
                         {"silent_bootstrap", "bool", "false", "as bootstrap_policy"},
                         {"concurrent_bootstrap", "bool", "false", "as bootstrap_policy"},
                         {"dismiss_error", "bool", "true", "forget the error that stopped it before"}),
     .answers = API_ANSWERS({202, "string", "it is starting"}),
     .errors = NO_PIPELINE "; 400 InvalidBootstrapConfig, InitialStandbyNotAllowed, IllegalPipelineAction, "
                           "InitialImmutableUnlessStopped, BootstrapPolicyImmutableUnlessStopped, "
                           "CannotStartWithUndismissedError, CannotStartWithCompilationError; "
                           "405 UnsupportedPipelineAction; 410 Terminating; " KEPT},
    {HTTP_POST, PIPELINE "/pause", pause_pipeline, "Lifecycle", "Pauses every input of a pipeline",
     .text = "The reply comes when no input fetches and none can begin to.", .query = API_PARAMS(WAIT),
     .answers = API_ANSWERS({202, "string", "it is paused"}),
     .errors = NOT_DEPLOYED ", PauseTimeout, DrainTimeout, DrainInterrupted, CatalogWriteFailed; "
                            "400 InvalidTransition"},
    {HTTP_POST, PIPELINE "/resume", resume_pipeline, "Lifecycle", "Lets a paused pipeline go on",
     .answers = API_ANSWERS({202, "string", "it goes on"}),
     .errors = NOT_DEPLOYED ", CatalogWriteFailed; 400 InvalidTransition"},
    {HTTP_POST, PIPELINE "/stop", stop_pipeline, "Lifecycle", "Stops a pipeline",
     .query = API_PARAMS({"force", "bool", "false", "without waiting for what was fetched to reach the outputs"}),
     .answers = API_ANSWERS({202, "string", "it is stopping"}), .errors = NO_PIPELINE "; " KEPT},
    {HTTP_POST, PIPELINE "/clear", clear_pipeline, "Lifecycle", "Clears the storage of a stopped pipeline",
     .answers = API_ANSWERS({202, "string", "it is being cleared"}),
     .errors = NO_PIPELINE "; 400 StorageStatusImmutableUnlessStopped; 410 Terminating; " KEPT},
    {HTTP_POST, PIPELINE "/dismiss_error", dismiss_pipeline_error, "Lifecycle",
     "Forgets the error that stopped a pipeline",
     .answers = API_ANSWERS({200, "string", "there is none any more"}),
     .errors = NO_PIPELINE "; 400 DismissErrorRestrictedToFullyStopped; " KEPT},

    {HTTP_POST, PIPELINE "/start_transaction", start_transaction, "Lifecycle", "Begins a transaction",
     .text = "What is sent to tables or read by inputs from now on is held back until the commit.",
     .answers = API_ANSWERS({200, "StartTransactionResponse", "it has begun"}),
     .errors = NOT_DEPLOYED "; 409 TransactionInProgress"},
    {HTTP_POST, PIPELINE "/commit_transaction", commit_transaction, "Lifecycle", "Commits the transaction",
     .text = "All that was taken before this call becomes visible, to queries at once. Statistics tell when that has "
             "come to its end: transaction_id is 0 again. Possible as well while a stop waits for it.",
     .answers = API_ANSWERS({200, "string", "the commit has begun"}),
     .errors = NOT_DEPLOYED "; 400 NoTransactionInProgress"},

    /* ---- connectors ---- */
    {HTTP_GET, TABLE_CONNECTOR "/stats", get_table_connector, "Connectors", "Statistics of one input, with its errors",
     .answers = API_ANSWERS({200, "InputEndpointStatus", "the statistics"}),
     .errors = NOT_DEPLOYED "; 404 UnknownInputEndpoint"},
    {HTTP_GET, VIEW_CONNECTOR "/stats", get_view_connector, "Connectors", "Statistics of one output, with its errors",
     .answers = API_ANSWERS({200, "OutputEndpointStatus", "the statistics"}),
     .errors = NOT_DEPLOYED "; 404 UnknownOutputEndpoint"},
    {HTTP_POST, TABLE_CONNECTOR "/{action}", post_table_connector, "Connectors", "Starts or pauses one input",
     .text = "A pause is answered when the input fetches nothing and cannot begin to. Headworks-Epoch, "
             "Headworks-Total-Records and Headworks-Position in the reply tell where it stopped.",
     .query = API_PARAMS(WAIT), .answers = API_ANSWERS({200, NULL, "it is done"}),
     .errors = NOT_DEPLOYED ", PauseTimeout, DrainTimeout, DrainInterrupted, CatalogWriteFailed; "
                            "400 InvalidConnectorAction; 404 UnknownInputEndpoint"},
    {HTTP_POST, VIEW_CONNECTOR "/{action}", post_view_connector, "Connectors", "Starts or pauses one output",
     .text = "A pause is answered when nothing is being written and nothing can begin to be. The output holds what "
             "it is given, by its on_full. Headworks-Epoch and Headworks-Total-Records in the reply tell where it "
             "stopped.",
     .answers = API_ANSWERS({200, NULL, "it is done"}),
     .errors = NOT_DEPLOYED ", PauseTimeout, CatalogWriteFailed; 400 InvalidConnectorAction; "
                            "404 UnknownOutputEndpoint"},

    /* ---- dead letters ---- */
    {HTTP_GET, PIPELINE "/dead_letters", get_dead_letters, "Connectors",
     "Records that could not be read, oldest first",
     .text = "About a mebibyte of them at once: ask for more with 'after', the id of the last one.",
     .query = API_PARAMS({"connector", "string", NULL, "only those of this endpoint ('table.connector')"},
                         {"limit", "integer", "100", "at most so many, up to 1000"},
                         {"after", "integer", "0", "only those with a higher id"}),
     .answers = API_ANSWERS({200, "DeadLetters", "the letters, and how many there are and were"}),
     .errors = NO_PIPELINE},
    {HTTP_DELETE, PIPELINE "/dead_letters", delete_dead_letters, "Connectors", "Drops records that could not be read",
     .query = API_PARAMS({"connector", "string", NULL, "only those of this endpoint; without it all"}),
     .answers = API_ANSWERS({200, "ClearedDeadLetters", "how many they were"}), .errors = NO_PIPELINE},
    {HTTP_POST, PIPELINE "/dead_letters/resubmit", resubmit_dead_letters, "Connectors",
     "Reads records that could not be read once more",
     .text = "Each is parsed alone by its connector's format. If that gives rows, they go into the table and the "
             "letter is gone; else it stays, with the new reason. Pauses do not hold these rows.",
     .body = "ResubmitDeadLetters",
     .answers = API_ANSWERS({200, "ResubmittedDeadLetters", "what became of them"}),
     .errors = NOT_DEPLOYED ", ServerBusy; 400 MalformedJson, InvalidBody"},

    {HTTP_GET, TABLE_CONNECTOR "/completion_token", get_completion_token, "Data",
     "A token for all that one input has taken in",
     .answers = API_ANSWERS({200, "CompletionTokenResponse", "the token"}),
     .errors = NOT_DEPLOYED "; 404 UnknownInputEndpoint", .role = ROLE_WRITE},

    /* ---- data in and out ---- */
    {HTTP_POST, PIPELINE "/ingress/{table_name}", post_ingress, "Data", "Takes rows into a table",
     .text = "A body of any size, parsed as it arrives. Content-Encoding may be gzip or zstd. Headworks-Rows in the "
             "reply tells how many rows landed, Headworks-Token the token, also where the reply is an error.",
     .query = API_PARAMS({"format", "string", "csv", "json, csv, raw, msgpack, or another that is loaded"},
                         {"force", "bool", "false", "take rows while the pipeline is paused"},
                         {"atomic", "bool", "false", "take all rows, as one unit, or none"},
                         {"wait_ms", "integer", "20000", "how long a body may wait to begin, at most 25000"},
                         FORMAT_OPTIONS),
     .body = "*/*", .takes = BODY_STREAM,
     .answers = API_ANSWERS({200, "CompletionTokenResponse", "all rows are taken"}),
     .errors = NOT_DEPLOYED ", PipelineInteractionUnreachable; 404 UnknownInputStream; 400 UnknownInputFormat, "
                            "InputFormatNotSupported, ParserConfigParseError, InvalidParserConfig, ParseErrors, "
                            "InvalidContentEncoding; 413 PayloadTooLarge; 415 UnsupportedMediaType; "
                            "429 ApiConnectionLimit; 500 IngressIncomplete"},
    {HTTP_POST, PIPELINE "/egress/{table_name}", post_egress, "Data", "Follows the changes of a table or view",
     .text = "Or dead letters, as the relation headworks_dead_letters. The reply goes on until the client leaves or "
             "the pipeline stops: a Chunk per line, ended by CR LF. After 3 s without data, and once at the beginning, "
             "comes a line without any.",
     .query = API_PARAMS({"format", "'json' | 'csv'", "csv", "how rows are written"},
                         {"backpressure", "bool", "false",
                          "the pipeline waits for this client; otherwise it loses chunks, and a gap tells how many"},
                         {"array", "bool", "false", "accepted: JSON rows always come as an array"},
                         {"update_format", "string", NULL, "json: insert_delete or raw"},
                         {"send_snapshot", "bool", "false", "begin with what the relation holds"}),
     .body = "EgressConnector", .takes = BODY_OPTIONAL,
     .answers = API_ANSWERS({200, "application/json Chunk", "the changes"}),
     .errors = NOT_DEPLOYED "; 404 UnknownOutputStream; 400 UnknownOutputFormat, EncoderConfigParseError, "
                            "InvalidEncoderConfig, InvalidTransportConfig, OutputFormatNotSpecified, MalformedJson, "
                            "InvalidBody"},
    {HTTP_GET, PIPELINE "/completion_status", get_completion_status, "Data",
     "Whether every output has handled what a token stands for",
     .query = API_PARAMS({"token", "string", API_REQUIRED, "of an ingress request or of completion_token"}),
     .answers = API_ANSWERS({200, "CompletionStatusResponse", "how far it is"}),
     .errors = NOT_DEPLOYED "; 410 PipelineRestarted, UnknownEndpointInCompletionToken"},

    /* ---- what a pipeline holds ---- */
    {HTTP_GET, PIPELINE "/query", get_query, "Data", "Runs SQL over what tables and views hold",
     .text = "SELECT over materialized relations as of one step, and over headworks_dead_letters; and INSERT. Errors "
             "before the first row are a reply of status 400; later ones are the last line of the reply: `ERROR: ...`, "
             "or an object with `error`. Asked to, it speaks WebSocket: one message `{\"sql\", \"format\"}`, then the "
             "rows in text messages, then it closes.",
     .query = API_PARAMS({"sql", "string", NULL, "the statements; required but for a WebSocket"},
                         {"format", "'text' | 'json'", "text", "a table with borders, or one JSON object a line"}),
     .answers = API_ANSWERS({200, "text/plain", "the rows; for json of type application/json"},
                            {101, NULL, "a WebSocket"}),
     .errors = NOT_DEPLOYED "; 400 AdHocQueryError, InvalidHeader; 426 UpgradeRequired; 503 OutOfMemory",
     .role = ROLE_WRITE},

    /* ---- seeing what a pipeline does ---- */
    {HTTP_GET, PIPELINE "/metrics", get_metrics, "Metrics", "Metrics of a pipeline, of the process and of the server",
     .query = API_PARAMS({"format", "'prometheus' | 'json'", "prometheus", "Prometheus' text, or JSON"}),
     .answers = API_ANSWERS({200, "text/plain | [Metric]", "the metrics in this format"}),
     .errors = NOT_DEPLOYED},
    {HTTP_GET, "/v0/metrics", get_all_metrics, "Metrics", "Metrics of all pipelines that are deployed",
     .answers = API_ANSWERS({200, "text/plain", "the metrics, as Prometheus' text"})},
    {HTTP_GET, PIPELINE "/time_series", get_time_series, "Metrics", "What a pipeline did in the last minute",
     .answers = API_ANSWERS({200, "TimeSeries", "a sample a second, the oldest first"}), .errors = NOT_DEPLOYED},
    {HTTP_GET, PIPELINE "/time_series_stream", get_time_series_stream, "Metrics",
     "The samples of the last minute, and each one that follows",
     .answers = API_ANSWERS({200, "application/x-ndjson SampleStatistics", "a line each, until the pipeline stops"}),
     .errors = NOT_DEPLOYED},
    {HTTP_GET, PIPELINE "/circuit_json_profile", get_circuit_json_profile, "Metrics",
     "What each operator of a pipeline has done", .answers = API_ANSWERS({200, "CircuitProfile", "the operators"}),
     .errors = NOT_DEPLOYED},
    {HTTP_GET, PIPELINE "/dataflow_graph", get_dataflow_graph, "Metrics",
     "How the operators of a program hang together",
     .answers = API_ANSWERS({200, "Dataflow", "the graph"}), .errors = NO_PIPELINE ", ProgramNotCompiled"},
    {HTTP_GET, PIPELINE "/support_bundle", get_support_bundle, "Metrics",
     "What somebody who is asked for help wants to see of a pipeline",
     .text = "A ZIP archive without secrets: the program's text is not in it, connectors come with their secrets "
             "masked. Parts that need a running pipeline are there when it runs.",
     .query = API_PARAMS({"collect", "bool", "true", "look at the running pipeline: stats, metrics and profile"},
                         {"limit", "integer", NULL, "how many collections; there is one at most, and 0 leaves it out"},
                         {"stats", "bool", "true", "with stats.json"}, {"metrics", "bool", "true", "with metrics.txt"},
                         {"circuit_profile", "bool", "true", "with circuit_profile.json"},
                         {"logs", "bool", "true", "with logs.txt"},
                         {"pipeline_config", "bool", "true",
                          "with pipeline.json, connectors.json and runtime_config.json"},
                         {"system_config", "bool", "true", "with system.json: versions and the process"},
                         {"dataflow_graph", "bool", "true", "with dataflow_graph.json"},
                         {"heap_profile", "bool", "true", "of no effect: there is none"},
                         {"pipeline_events", "bool", "true", "with events.json"}),
     .answers = API_ANSWERS({200, "application/zip", "the archive"}), .errors = NO_PIPELINE},
    {HTTP_GET, PIPELINE "/logs", get_logs, "Metrics", "The log of a pipeline, followed until one of both leaves",
     .text = "The first line says whether older lines were discarded; a follower who is too slow is told how many "
             "lines it has missed.",
     .answers = API_ANSWERS({200, "text/plain", "lines, the oldest first"}), .errors = NO_PIPELINE},
    {HTTP_GET, PIPELINE "/stats", get_stats, "Metrics", "Statistics of a pipeline and its connectors",
     .query = API_PARAMS({"include_connector_errors", "bool", "false", "with the latest errors of each connector"}),
     .answers = API_ANSWERS({200, "ControllerStatus", "the statistics"}), .errors = NOT_DEPLOYED},
};
const size_t api_n_routes = sizeof api_routes / sizeof *api_routes;

api_role api_route_role(const api_route *r) {
  if (r->open) return ROLE_NONE;
  if (r->role) return r->role;
  return r->method == HTTP_GET ? ROLE_READ : ROLE_WRITE;
}

const api_param *api_path_param(const char *name, size_t len) {
  for (size_t i = 0; i < sizeof path_params / sizeof *path_params; i++) {
    const api_param *param = &path_params[i];
    if (strlen(param->name) == len && memcmp(param->name, name, len) == 0) return param;
  }
  return NULL;
}
