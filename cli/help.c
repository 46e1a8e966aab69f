/* help.c - help texts, all made from the table of commands. */
#include "cli/cli.h"

#include "api/metrics.h"
#include "api/openapi.h"
#include "runtime/config.h"

#include <stdlib.h>
#include <string.h>

/* ---- one command ---------------------------------------------------------- */

/* "  -s, --set NAME=VALUE  help", wrapped to the help's own column. */
static void print_option(FILE *to, const cli_option *option) {
  char left[48];
  char letter[8] = "    ";
  if (option->letter) snprintf(letter, sizeof letter, "-%c, ", option->letter);
  int n = snprintf(left, sizeof left, "  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
                   option->argument ? option->argument : "");
  fprintf(to, "%-32s%s%s\n", left, n >= 32 ? "  " : "", option->help);
}

void cli_print_usage(FILE *to, const cli_command *command) {
  fprintf(to, "Usage: headworks %s%s%s [options]\n\n%c%s.\n", command->name, *command->arguments ? " " : "",
          command->arguments, command->summary[0] - 'a' + 'A', command->summary + 1);
  if (command->help) fprintf(to, "\n%s\n", command->help);
  fputs("\nOptions:\n", to);
  for (const cli_option *const *table = command->options; *table; table++)
    for (const cli_option *option = *table; option->name; option++) print_option(to, option);
  print_option(to, &(cli_option){"help", 'h', NULL, "show this"});
}

/* ---- all of them ---------------------------------------------------------- */

static void print_commands(FILE *to, const char *group) {
  size_t len = group ? strlen(group) : 0;
  for (const cli_command *command = cli_commands; command->name; command++)
    if (!group || (strncmp(command->name, group, len) == 0 && command->name[len] == ' '))
      fprintf(to, "  %-17s %s\n", command->name, command->summary);
}

void cli_help_overview(FILE *to) {
  fputs("Headworks runs SQL programs over streams of rows: connectors bring rows in, views\n"
        "change them, connectors take them out.\n\n"
        "Usage: headworks COMMAND [arguments] [options]\n\nCommands:\n",
        to);
  print_commands(to, NULL);
  fputs("\n`headworks COMMAND --help` explains one; `headworks help exit-codes` the exit status.\n", to);
}

static bool is_group(const char *word) {
  size_t len = strlen(word);
  for (const cli_command *command = cli_commands; command->name; command++)
    if (strncmp(command->name, word, len) == 0 && command->name[len] == ' ') return true;
  return false;
}

static void print_group(FILE *to, const char *word) {
  fprintf(to, "Usage: headworks %s COMMAND [arguments] [options]\n\nCommands:\n", word);
  print_commands(to, word);
}

static const char *nearest_command(const char *word) {
  const char *names[64];
  size_t n = 0;
  for (const cli_command *command = cli_commands; command->name && n < 63; command++) names[n++] = command->name;
  names[n] = NULL;
  return config_nearest(word, names);
}

cli_exit cli_help_unknown(int n_words, const char *const *words) {
  if (is_group(words[0])) {
    bool asked = n_words > 1 && (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0);
    if (n_words > 1 && !asked) cli_complain("%s has no command '%s'", words[0], words[1]);
    print_group(asked ? stdout : stderr, words[0]);
    return asked ? CLI_OK : CLI_USAGE;
  }
  const char *nearest = nearest_command(words[0]);
  if (nearest)
    cli_complain("there is no command '%s'; did you mean '%s'?", words[0], nearest);
  else
    cli_complain("there is no command '%s'; `headworks help` lists them", words[0]);
  return CLI_USAGE;
}

/* ---- exit codes ----------------------------------------------------------- */

static const struct {
  int number;
  const char *sentence;
} exits[] = {
#define X(name, number, sentence) {number, sentence},
    CLI_EXIT_MAP(X)
#undef X
};
#define N_EXITS (sizeof exits / sizeof *exits)

static void print_exits(void) {
  for (size_t i = 0; i < N_EXITS; i++) printf("%4d  %s\n", exits[i].number, exits[i].sentence);
}

/* ---- the reference page --------------------------------------------------- */

static void print_markdown_command(const cli_command *command) {
  printf("## headworks %s\n\n```\n", command->name);
  cli_print_usage(stdout, command);
  puts("```\n");
}

static void print_markdown(void) {
  puts("# The program `headworks`\n\n"
       "<!-- Made by `headworks help --markdown`. Change cli/main.c instead. -->\n");
  puts("Commands that speak with a server (`pipeline ...`, `connector`, `dead-letters`, `query`, `api-key ...`) find\n"
       "it at `HEADWORKS_URL`, by default `http://127.0.0.1:8080`, and show it the API key in `HEADWORKS_API_KEY`,\n"
       "where there is one. Commands that run an engine (`run`, `serve`, `bench`, `validate`) load the plugins that\n"
       "`--plugin-path` and `HEADWORKS_PLUGIN_PATH` name.\n\n"
       "## Exit status\n\n| status | meaning |\n|---|---|");
  for (size_t i = 0; i < N_EXITS; i++) printf("| %d | %s |\n", exits[i].number, exits[i].sentence);
  putchar('\n');
  for (const cli_command *command = cli_commands; command->name; command++) print_markdown_command(command);
}

/* Pages of the reference that other tables make. */
static cli_exit print_page(const char *name) {
  outbuf page = {0};
  if (strcmp(name, "http-api") == 0) openapi_write_reference(&page);
  if (strcmp(name, "metrics") == 0) metrics_write_reference(&page);
  bool ok = page.len > 0 && !page.failed;
  if (ok) fwrite(page.data, 1, page.len, stdout);
  else cli_complain("there is no page '%s'; there are: http-api, metrics", name);
  outbuf_fini(&page);
  return ok ? CLI_OK : CLI_USAGE;
}

/* ---- the command ---------------------------------------------------------- */

static cli_exit help_about(const cli_call *call) {
  char *name = call->n_args == 2 ? cli_printf("%s %s", call->args[0], call->args[1]) : cli_strdup(call->args[0]);
  cli_exit status = CLI_USAGE;
  for (const cli_command *command = cli_commands; command->name; command++)
    if (strcmp(command->name, name) == 0) {
      cli_print_usage(stdout, command);
      status = CLI_OK;
    }
  if (status == CLI_USAGE && call->n_args == 1 && is_group(name)) {
    print_group(stdout, name);
    status = CLI_OK;
  }
  if (status == CLI_USAGE) cli_complain("there is no command '%s'; `headworks help` lists them", name);
  free(name);
  return status;
}

cli_exit cli_help(const cli_call *call) {
  if (call->n_args == 1 && cli_has(call, "markdown"))
    return print_page(call->args[0]);
  if (cli_has(call, "markdown"))
    print_markdown();
  else if (call->n_args == 0)
    cli_help_overview(stdout);
  else if (strcmp(call->args[0], "exit-codes") == 0)
    print_exits();
  else
    return help_about(call);
  return CLI_OK;
}
