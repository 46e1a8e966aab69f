/* cli.h - what the commands of the program `headworks` share.
 *
 * A command is one entry of the table in main.c: its words, its options as a
 * table, its help text and a function. Parsing, `--help`, `headworks help` and
 * docs/cli.md all come from that table. Everything here runs on the main thread
 * unless it says otherwise. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <headworks/connector.h>

/* X(name, number, sentence): the exit statuses, for the code and for the help. */
#define CLI_EXIT_MAP(X)                                                                                      \
  X(CLI_OK, 0, "done")                                                                                       \
  X(CLI_FAILED, 1, "tried and failed: a connector or the pipeline failed, rows are missing, a wait ran out") \
  X(CLI_USAGE, 2, "the command line makes no sense, or a file that it names cannot be read")                 \
  X(CLI_PROGRAM, 3, "the SQL program has errors")                                                            \
  X(CLI_UNREACHABLE, 4, "no server answers")                                                                 \
  X(CLI_REFUSED, 5, "the server refused the request and said why")                                           \
  X(CLI_INTERRUPTED, 130, "a second SIGINT or SIGTERM ended it at once")

typedef enum cli_exit {
#define X(name, number, sentence) name = number,
  CLI_EXIT_MAP(X)
#undef X
} cli_exit;

typedef struct cli_option {
  const char *name;     /* long name; NULL ends a table */
  char letter;          /* short name, or 0 */
  const char *argument; /* name of its argument, or NULL: a flag */
  const char *help;     /* one line */
} cli_option;

typedef struct cli_call cli_call;

typedef struct cli_command {
  const char *name;      /* one or two words; NULL ends a table */
  const char *arguments; /* as in the usage line */
  const char *summary;   /* one line */
  const char *help;      /* paragraphs for --help, or NULL */
  const cli_option *const *options; /* tables that apply, ended by NULL */
  int min_args, max_args;
  cli_exit (*run)(const cli_call *call);
} cli_command;

/* One parsed command line. Borrows from argv. */
struct cli_call {
  const cli_command *command;
  const char *const *args;
  int n_args;
  struct cli_setting {
    const cli_option *option;
    const char *value;
  } *settings; /* in the order given */
  size_t n_settings;
};

extern const cli_command cli_commands[];

/* ---- options.c ------------------------------------------------------------ */

/* Parses what follows the command's words. Prints what is wrong; *help is set
 * when --help was asked for. call is freed with cli_call_fini in every case. */
cli_exit cli_parse(cli_call *call, const cli_command *command, int argc, char **argv, bool *help);
void cli_call_fini(cli_call *call);

bool cli_has(const cli_call *call, const char *option);
const char *cli_value(const cli_call *call, const char *option); /* the last one given, or NULL */
/* All that were given, in order, ended by NULL; freed with free(). NULL: none. */
const char **cli_values(const cli_call *call, const char *option);
/* The last one given as a number; *out stays as it is when there is none. False:
 * out of range or no number, which has been said. */
bool cli_number(const cli_call *call, const char *option, double min, double max, double *out);
/* --log-level likewise. */
bool cli_log_level(const cli_call *call, hw_log_level *level);

/* ---- help.c --------------------------------------------------------------- */

void cli_print_usage(FILE *to, const cli_command *command);
cli_exit cli_help(const cli_call *call); /* the command `help` */
void cli_help_overview(FILE *to);
/* What to say to words that are no command, among them `pipeline --help`. */
cli_exit cli_help_unknown(int n_words, const char *const *words);

/* "headworks: ...": to standard error. The second returns CLI_USAGE and points to --help. */
void cli_complain(const char *fmt, ...) HW_PRINTF(1, 2);
cli_exit cli_misuse(const cli_call *call, const char *fmt, ...) HW_PRINTF(2, 3);

/* ---- base.c: a command line tool that gets no memory says so and ends ------ */

void *cli_alloc(size_t size); /* zeroed */
void *cli_grow(void *old, size_t size);
char *cli_strdup(const char *s);
char *cli_printf(const char *fmt, ...) HW_PRINTF(1, 2); /* to memory of the caller's */

double cli_now(void); /* monotonic, in seconds */

/* ---- the commands --------------------------------------------------------- */

cli_exit cli_serve(const cli_call *call);
cli_exit cli_run(const cli_call *call);
cli_exit cli_bench(const cli_call *call);
cli_exit cli_validate(const cli_call *call);
cli_exit cli_connectors(const cli_call *call);
cli_exit cli_pipeline_create(const cli_call *call);
cli_exit cli_pipeline_list(const cli_call *call);
cli_exit cli_pipeline_show(const cli_call *call);
cli_exit cli_pipeline_start(const cli_call *call);
cli_exit cli_pipeline_pause(const cli_call *call);
cli_exit cli_pipeline_resume(const cli_call *call);
cli_exit cli_pipeline_stop(const cli_call *call);
cli_exit cli_pipeline_delete(const cli_call *call);
cli_exit cli_pipeline_stats(const cli_call *call);
cli_exit cli_dead_letters(const cli_call *call);
cli_exit cli_connector(const cli_call *call);
cli_exit cli_query(const cli_call *call);
cli_exit cli_api_key_create(const cli_call *call);
cli_exit cli_api_key_list(const cli_call *call);
cli_exit cli_api_key_delete(const cli_call *call);

#endif
