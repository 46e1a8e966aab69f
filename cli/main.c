/* main.c - the table of commands, and the way into one of them. */
#include "cli/cli.h"
#include "engine/engine.h"

#include <headworks/headworks.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* ---- option tables -------------------------------------------------------- */

static const cli_option program_options[] = {
    {"set", 's', "NAME=VALUE", "give ${NAME} in the program's text a value; may be given many times"},
    {0}};

static const cli_option engine_options[] = {
    {"workers", 'w', "N", "threads that run connectors and circuits (default: one per core)"},
    {"memory", 'm', "MIB", "memory for rows on their way, all pipelines together (default: 1024)"},
    {"spill-dir", 0, "DIR", "where outputs with \"on_full\": \"spill\" put rows (default: TMPDIR, else /var/tmp)"},
    {"state-memory", 0, "MIB", "memory for what tables and views hold, all pipelines together (default: 2048)"},
    {"dead-letters", 0, "N", "bad records that are kept of each pipeline (default: 10000)"},
    {"query-memory", 0, "MIB", "memory for what ad-hoc queries gather, all together (default: 256)"},
    {"plugin-path", 'p', "PATHS", "load plugins: files and directories of *.so, colon-separated; before "
                                  "those of HEADWORKS_PLUGIN_PATH"},
    {"log-level", 'l', "LEVEL", "error, warning, info or debug, to standard error (default: warning; serve: info)"},
    {0}};

static const cli_option file_options[] = {
    {"file-root", 0, "DIR", "let connectors open files beneath DIR only; relative paths start there"},
    {"secrets-dir", 0, "DIR", "where connectors' ${secret:kubernetes:NAME/KEY} is the file NAME/KEY"},
    {0}};

static const cli_option json_options[] = {{"json", 'j', NULL, "print JSON for scripts"}, {0}};

static const cli_option run_options[] = {
    {"json", 'j', NULL, "print the summary as one line of JSON, the last on standard output"},
    {"quiet", 'q', NULL, "no progress, no summary; errors only"},
    {"strict", 0, NULL, "bad records and faults (a cut archive, a lost peer) make the exit status 1"},
    {"drain-timeout", 0, "SECONDS", "after SIGINT or SIGTERM: time to write what was read (default: 10)"},
    {0}};

static const cli_option bench_options[] = {
    {"json", 'j', NULL, "print JSON for scripts"},
    {"repeat", 'n', "N", "run it N times and report each, and the median rate (default: 1)"},
    {"no-pauses", 0, NULL, "do not pause and start the busiest input while it runs"},
    {"pause-every", 0, "MS", "time between two pauses (default: 20)"},
    {0}};

static const cli_option serve_options[] = {
    {"listen", 'L', "ADDR:PORT", "address and port (default: 127.0.0.1:8080; port 0: any free one)"},
    {"auth", 0, NULL, "let in only who shows an API key of the data directory"},
    {"insecure-listen-anywhere", 0, NULL, "without --auth: listen on other than loopback addresses all the same"},
    {"tls-cert", 0, "FILE", "speak TLS with this certificate (PEM, with its chain); read again on SIGHUP"},
    {"tls-key", 0, "FILE", "the key of --tls-cert (PEM, without a passphrase)"},
    {"allowed-host", 0, "NAME", "a name that clients may call this server by (NAME or NAME:PORT); may be given "
                                "many times"},
    {"max-connections", 0, "N", "connections of clients at a time (default: 2000); more are told to come back"},
    {"max-client-connections", 0, "N", "of these, from one address but the loopback's (default: a quarter)"},
    {"idle-timeout", 0, "SECONDS", "close connections that ask for nothing for so long (default: 60)"},
    {"cors-origin", 0, "ORIGIN", "let pages of this origin (https://HOST[:PORT]) ask; may be given many times"},
    {"data-dir", 'D', "DIR", "where pipelines and keys survive a restart; none: nowhere (default: "
                             "$XDG_STATE_HOME/headworks, or ~/.local/state/headworks)"},
    {"drain-timeout", 0, "SECONDS", "after SIGINT or SIGTERM: time to write what was read (default: 10)"},
    {"worker-nice", 0, "N", "lower the priority of the threads that run connectors and circuits by N, so that requests "
                            "are answered at once while they keep every core busy (0 to 19; default: 5)"},
    {0}};

static const cli_option client_options[] = {
    {"ca", 0, "FILE", "certificates to trust for https:// (default: HEADWORKS_CA, else the system's)"},
    {"url", 'u', "URL", "the server (default: HEADWORKS_URL, else http://127.0.0.1:8080)"},
    {"timeout", 't', "SECONDS", "longest wait for a reply, or for a state to be reached (default: 30)"},
    {"json", 'j', NULL, "print the server's reply as JSON"},
    {0}};

static const cli_option create_options[] = {
    {"description", 'd', "TEXT", "a note shown in listings"},
    {"replace", 0, NULL, "where the pipeline is there already, give it this program; its settings stay"},
    {"no-wait", 0, NULL, "do not wait for the program to be compiled"},
    {0}};

static const cli_option start_options[] = {
    {"paused", 0, NULL, "open every connector, but leave the pipeline paused"},
    {"no-wait", 0, NULL, "do not wait until it runs"},
    {0}};

static const cli_option stop_options[] = {
    {"force", 'f', NULL, "do not wait for rows on their way to be written"},
    {"no-wait", 0, NULL, "do not wait until it is stopped"},
    {0}};

static const cli_option connector_options[] = {
    {"drained", 0, NULL, "pause: wait until what was read has reached the outputs as well"}, {0}};

static const cli_option letters_options[] = {
    {"connector", 'c', "ENDPOINT", "only those of this input, TABLE.CONNECTOR"},
    {"limit", 'n', "N", "list: at most so many (default: 100)"},
    {"after", 0, "ID", "list: only those with a higher id"},
    {0}};

static const cli_option query_options[] = {
    {"ca", 0, "FILE", "certificates to trust for https:// (default: HEADWORKS_CA, else the system's)"},
    {"url", 'u', "URL", "the server (default: HEADWORKS_URL, else http://127.0.0.1:8080)"},
    {"timeout", 't', "SECONDS", "longest wait for the next rows (default: 30)"},
    {"format", 'f', "FORMAT", "text: a table; json: one object a line (default: text)"},
    {"json", 'j', NULL, "short for --format json"},
    {0}};

static const cli_option key_options[] = {
    {"data-dir", 'D', "DIR", "in this data directory, while no server has it, instead of on the server"},
    {0}};

static const cli_option key_create_options[] = {
    {"role", 'r', "ROLE", "read: look; write: everything (default: write)"},
    {0}};

static const cli_option connectors_options[] = {
    {"json", 'j', NULL, "print JSON for scripts"},
    {"markdown", 0, NULL, "print the page of the reference: --transports (default) or --formats"},
    {"transports", 0, NULL, "only transports"},
    {"formats", 0, NULL, "only formats"},
    {"plugin-path", 'p', "PATHS", "load plugins first: files and directories of *.so, colon-separated"},
    {0}};

static const cli_option help_options[] = {
    {"markdown", 0, NULL, "print the page of the reference: of all commands, or of `http-api`, `metrics`"}, {0}};

#define OPTIONS(...) ((const cli_option *const[]){__VA_ARGS__, NULL})

/* ---- the commands --------------------------------------------------------- */

static cli_exit version(const cli_call *call) {
  const char *simd;
  hw_error err;
  if (builtin_simd(&simd, &err) != HW_OK) {
    cli_complain("%s", err.message);
    return CLI_USAGE;
  }
  if (cli_has(call, "json"))
    printf("{\"version\": \"%s\", \"plugin_abi\": %d, \"simd\": \"%s\"}\n", hw_version(), HW_PLUGIN_ABI, simd);
  else
    printf("headworks %s (plugin ABI %d, %s)\n", hw_version(), HW_PLUGIN_ABI, simd);
  return CLI_OK;
}

const cli_command cli_commands[] = {
    {"run", "FILE.sql", "run a program here, in the foreground, until its inputs end",
     "Shows progress on a terminal, a line every few seconds otherwise, then a summary; all on standard\n"
     "error, for standard output may carry rows. FILE - is standard input. In its text, ${NAME} stands for\n"
     "what --set gives it, ${NAME:-default} has a default, and $${NAME} is left as ${NAME}.\n"
     "\n"
     "Bad records and faults are counted and reported, and do not fail the run unless --strict is given.\n"
     "What was tried again until it worked (a peer that came late, a disk that was full) is no fault.\n"
     "SIGINT and SIGTERM stop reading, write what was read, report and exit; a second one ends at once.\n"
     "SIGHUP opens the outputs' files anew.",
     OPTIONS(program_options, run_options, file_options, engine_options), 1, 1, cli_run},
    {"serve", "", "serve the HTTP API",
     "Pipelines, and what is wanted of them, are kept in the data directory: after a restart they are there and\n"
     "run again (docs/durability.md). On other than loopback addresses it listens only with --auth\n"
     "(docs/security.md). Signals are handled as by `headworks run`.",
     OPTIONS(serve_options, file_options, engine_options), 0, 0, cli_serve},
    {"pipeline create", "NAME FILE.sql", "make a pipeline of a program and compile it", NULL,
     OPTIONS(program_options, create_options, client_options), 2, 2, cli_pipeline_create},
    {"pipeline list", "", "list the pipelines", NULL, OPTIONS(client_options), 0, 0, cli_pipeline_list},
    {"pipeline show", "NAME", "show a pipeline's state and errors", NULL, OPTIONS(client_options), 1, 1,
     cli_pipeline_show},
    {"pipeline start", "NAME", "open its connectors and run it", NULL, OPTIONS(start_options, client_options), 1, 1,
     cli_pipeline_start},
    {"pipeline pause", "NAME", "hold every input of it",
     "Returns when no input fetches and none can begin to.", OPTIONS(client_options), 1, 1, cli_pipeline_pause},
    {"pipeline resume", "NAME", "let its inputs go on",
     "Inputs that were paused one by one stay paused.", OPTIONS(client_options), 1, 1, cli_pipeline_resume},
    {"pipeline stop", "NAME", "stop it: write what was read, close everything", NULL,
     OPTIONS(stop_options, client_options), 1, 1, cli_pipeline_stop},
    {"pipeline delete", "NAME", "delete a stopped pipeline",
     "Its storage is cleared first.", OPTIONS(client_options), 1, 1, cli_pipeline_delete},
    {"pipeline stats", "NAME", "show what its connectors have done", NULL, OPTIONS(client_options), 1, 1,
     cli_pipeline_stats},
    {"connector", "PIPELINE RELATION CONNECTOR start|pause|stats", "start, pause or look at one connector",
     "A pause returns when it is true: no fetch is in progress and none can begin, so the rows counted stay\n"
     "the same until the connector is started. It prints where the connector stands. RELATION is a\n"
     "table (its connectors are inputs) or a view (outputs); upper and lower case are the same unless it is in\n"
     "double quotes. A paused output writes nothing; what it is given waits within its bounds.",
     OPTIONS(connector_options, client_options), 4, 4, cli_connector},
    {"dead-letters", "PIPELINE [list|clear|resubmit [ID...]]", "records that could not be read",
     "Each input's bad records are kept with place, reason and bytes, up to bounds (serve --dead-letters).\n"
     "resubmit has those of the ids, or all, read once more: what gives rows now goes into the table and\n"
     "is a dead letter no longer. The exit status is 1 when one stays.",
     OPTIONS(letters_options, client_options), 1, 1000, cli_dead_letters},
    {"query", "PIPELINE [SQL]", "run SQL over what a pipeline's tables and views hold",
     "SELECT from materialized tables and views, INSERT into tables (docs/query.md). Rows go to standard\n"
     "output as they come. Without SQL, statements are read from standard input, each up to a ';' at the\n"
     "end of a line, and run one after the other; on a terminal a failed one is told and the next is read,\n"
     "otherwise it is the last. The exit status is 5 for a query that is refused, 1 for one that fails\n"
     "after its first rows.",
     OPTIONS(query_options), 1, 2, cli_query},
    {"api-key create", "NAME", "make an API key and print it, once",
     "With --data-dir no server is needed: so the first key is made, before `headworks serve --auth`\n"
     "starts on the same directory. Clients show the key as `Authorization: Bearer apikey:...`, these\n"
     "commands when it is in HEADWORKS_API_KEY. It cannot be shown again: only a hash of it is kept.",
     OPTIONS(key_create_options, key_options, client_options), 1, 1, cli_api_key_create},
    {"api-key list", "", "list the API keys", NULL, OPTIONS(key_options, client_options), 0, 0, cli_api_key_list},
    {"api-key delete", "NAME", "delete an API key",
     "It lets nobody in from then on, and ends what it has running.", OPTIONS(key_options, client_options), 1, 1,
     cli_api_key_delete},
    {"validate", "FILE.sql", "check a program, its connectors' settings included",
     "Opens nothing. Prints every fault with its place, and exits with 3 when there is one.",
     OPTIONS(program_options, json_options, engine_options), 1, 1, cli_validate},
    {"connectors", "[NAME]", "list transports and formats with their options", NULL, OPTIONS(connectors_options), 0,
     1, cli_connectors},
    {"bench", "FILE.sql", "run a program to the end of its inputs and measure it",
     "Reports rows and bytes per second, CPU time, peak memory, the latency from ingest to output, and how\n"
     "long a pause takes to be true (the busiest input is paused and started again while it runs). Every\n"
     "record is accounted for at every output; where one is missing, no rate is printed and the exit status\n"
     "is 1. SIGINT and SIGTERM end the inputs early.",
     OPTIONS(program_options, bench_options, file_options, engine_options), 1, 1, cli_bench},
    {"version", "", "print the version, and the instruction set that formats use",
     "Formats use the fastest set that the processor has. HEADWORKS_SIMD names another (portable, sse42,\n"
     "avx2, neon), with the same results; one that is not there is refused by all commands that run an engine.",
     OPTIONS(json_options), 0, 0, version},
    {"help", "[COMMAND | exit-codes]", "explain a command", NULL, OPTIONS(help_options), 0, 2, cli_help},
    {0}};

/* ---- dispatch ------------------------------------------------------------- */

/* The command that argv[1..] begins with, and how many words it has. */
static const cli_command *find_command(int argc, char **argv, int *words) {
  for (const cli_command *command = cli_commands; command->name; command++) {
    size_t first = strcspn(command->name, " ");
    if (strlen(argv[1]) != first || strncmp(argv[1], command->name, first) != 0) continue;
    *words = command->name[first] ? 2 : 1;
    if (*words == 1 || (argc > 2 && strcmp(argv[2], command->name + first + 1) == 0)) return command;
  }
  return NULL;
}

static cli_exit run_command(const cli_command *command, int argc, char **argv) {
  cli_call call;
  bool help;
  cli_exit status = cli_parse(&call, command, argc, argv, &help);
  if (status == CLI_OK && help)
    cli_print_usage(stdout, command);
  else if (status == CLI_OK)
    status = command->run(&call);
  cli_call_fini(&call);
  return status;
}

/* Output that could not be written (a full disk, a closed pipe) is a failure. */
static cli_exit close_output(cli_exit status) {
  bool bad = ferror(stdout) != 0;
  if (fclose(stdout) == 0 && !bad) return status;
  cli_complain("standard output could not be written");
  return status == CLI_OK ? CLI_FAILED : status;
}

static char version_word[] = "version";

static cli_exit dispatch(int argc, char **argv) {
  if (argc < 2) {
    cli_help_overview(stderr);
    return CLI_USAGE;
  }
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
    cli_help_overview(stdout);
    return CLI_OK;
  }
  if (strcmp(argv[1], "--version") == 0) argv[1] = version_word;
  int words;
  const cli_command *command = find_command(argc, argv, &words);
  if (!command) return cli_help_unknown(argc - 1, (const char *const *)argv + 1);
  return run_command(command, argc - words, argv + words);
}

/* Whoever started us may have closed a standard descriptor. The next file that is
 * opened would get its number, and what is meant for a terminal go into it. Each
 * is kept taken by a descriptor that cannot be used: reading standard input and
 * writing standard output fail, rows are not thrown away unseen. */
static bool take_closed_descriptors(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY) != fd) return false; /* the lowest free one */
  }
  return true;
}

int main(int argc, char **argv) {
  if (take_closed_descriptors()) return (int)close_output(dispatch(argc, argv));
  cli_complain("a standard descriptor is closed, and /dev/null cannot be opened in its place");
  return CLI_FAILED;
}
