/* options.c - command lines by option tables, and what is said about bad ones. */
#include "cli/cli.h"

#include "runtime/config.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_INDEX 256 /* getopt's value of the first option: past every letter */
#define MAX_OPTIONS 64

static void complain(const char *fmt, va_list args) {
  fputs("headworks: ", stderr);
  vfprintf(stderr, fmt, args);
  fputc('\n', stderr);
}

void cli_complain(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  complain(fmt, args);
  va_end(args);
}

cli_exit cli_misuse(const cli_call *call, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  complain(fmt, args);
  va_end(args);
  fprintf(stderr, "Try: headworks %s --help\n", call->command->name);
  return CLI_USAGE;
}

/* The tables of a command, flattened for getopt_long. */
typedef struct parser {
  const cli_option *known[MAX_OPTIONS];
  struct option longs[MAX_OPTIONS + 2]; /* and --help, and the end */
  char shorts[2 * MAX_OPTIONS + 4];
  int n;
} parser;

static void parser_add(parser *p, const cli_option *option, size_t *n_shorts) {
  if (p->n == MAX_OPTIONS) abort(); /* a table in this program has grown: raise MAX_OPTIONS */
  p->known[p->n] = option;
  p->longs[p->n] = (struct option){option->name, option->argument ? required_argument : no_argument, NULL,
                                   FIRST_INDEX + p->n};
  p->n++;
  if (!option->letter) return;
  p->shorts[(*n_shorts)++] = option->letter;
  if (option->argument) p->shorts[(*n_shorts)++] = ':';
}

static void parser_init(parser *p, const cli_command *command) {
  *p = (parser){.shorts = ":h"}; /* ':' first: getopt is silent and tells a missing argument apart */
  size_t n_shorts = 2;
  for (const cli_option *const *table = command->options; table && *table; table++)
    for (const cli_option *option = *table; option->name; option++) parser_add(p, option, &n_shorts);
  p->longs[p->n] = (struct option){"help", no_argument, NULL, 'h'};
}

static const cli_option *parser_find(const parser *p, int value) {
  if (value >= FIRST_INDEX && value < FIRST_INDEX + p->n) return p->known[value - FIRST_INDEX];
  for (int i = 0; i < p->n; i++)
    if (p->known[i]->letter && p->known[i]->letter == value) return p->known[i];
  return NULL;
}

static void add_setting(cli_call *call, const cli_option *option, const char *value) {
  call->settings = cli_grow(call->settings, (call->n_settings + 1) * sizeof *call->settings);
  call->settings[call->n_settings++] = (struct cli_setting){option, value};
}

/* The names of p's options, of which `word` (len bytes) may begin several or be a slip of one. */
static cli_exit unknown_long(const cli_call *call, const parser *p, const char *word, size_t len) {
  const char *names[MAX_OPTIONS + 2] = {0}, *first = NULL;
  char *typed = cli_printf("%.*s", (int)len, word);
  cli_exit status = CLI_OK;
  for (int i = 0; i <= p->n; i++) {
    names[i] = p->longs[i].name;
    if (strncmp(names[i], typed, len) != 0) continue;
    if (first)
      status = cli_misuse(call, "--%s is short for --%s and --%s alike: write more of it", typed, first, names[i]);
    if (first) break;
    first = names[i];
  }
  const char *nearest = status == CLI_OK ? config_nearest(typed, names) : NULL;
  if (nearest)
    status = cli_misuse(call, "%s has no option --%s; did you mean --%s?", call->command->name, typed, nearest);
  else if (status == CLI_OK)
    status = cli_misuse(call, "%s has no option --%s", call->command->name, typed);
  free(typed);
  return status;
}

/* Of a long option getopt sets optopt only where it is known and takes no argument,
 * to its value; which for --help is a letter that is never unknown. */
static cli_exit unknown_option(const cli_call *call, const parser *p, const char *word) {
  if (optopt && optopt < FIRST_INDEX && optopt != 'h')
    return cli_misuse(call, "%s has no option -%c", call->command->name, optopt);
  size_t len = strcspn(word + 2, "=");
  if (optopt) return cli_misuse(call, "option --%.*s takes no argument", (int)len, word + 2);
  return unknown_long(call, p, word + 2, len);
}

static cli_exit check_count(const cli_call *call) {
  const cli_command *command = call->command;
  if (call->n_args < command->min_args)
    return cli_misuse(call, "%s needs %s", command->name, command->arguments);
  if (call->n_args > command->max_args)
    return cli_misuse(call, "%s: one argument too many: '%s'", command->name, call->args[command->max_args]);
  return CLI_OK;
}

cli_exit cli_parse(cli_call *call, const cli_command *command, int argc, char **argv, bool *help) {
  *call = (cli_call){.command = command};
  *help = false;
  parser p;
  parser_init(&p, command);
  optind = 0; /* glibc: start anew, permuting */
  for (;;) {
    int value = getopt_long(argc, argv, p.shorts, p.longs, NULL);
    if (value == -1) break;
    if (value == 'h') {
      *help = true;
      return CLI_OK;
    }
    if (value == ':') return cli_misuse(call, "option %s needs an argument", argv[optind - 1]);
    const cli_option *option = parser_find(&p, value);
    if (!option) return unknown_option(call, &p, argv[optind - 1]);
    add_setting(call, option, optarg);
  }
  call->args = (const char *const *)argv + optind;
  call->n_args = argc - optind;
  return check_count(call);
}

void cli_call_fini(cli_call *call) { free(call->settings); }

static const struct cli_setting *last_setting(const cli_call *call, const char *option) {
  for (size_t i = call->n_settings; i-- > 0;)
    if (strcmp(call->settings[i].option->name, option) == 0) return &call->settings[i];
  return NULL;
}

bool cli_has(const cli_call *call, const char *option) { return last_setting(call, option) != NULL; }

const char *cli_value(const cli_call *call, const char *option) {
  const struct cli_setting *setting = last_setting(call, option);
  return setting ? setting->value : NULL;
}

const char **cli_values(const cli_call *call, const char *option) {
  const char **values = NULL;
  size_t n = 0;
  for (size_t i = 0; i < call->n_settings; i++) {
    if (strcmp(call->settings[i].option->name, option) != 0) continue;
    values = cli_grow(values, (n + 2) * sizeof *values);
    values[n++] = call->settings[i].value;
    values[n] = NULL;
  }
  return values;
}

bool cli_number(const cli_call *call, const char *option, double min, double max, double *out) {
  const char *text = cli_value(call, option);
  if (!text) return true;
  char *end;
  errno = 0;
  double number = strtod(text, &end);
  if (!errno && end != text && !*end && isfinite(number) && number >= min && number <= max) {
    *out = number;
    return true;
  }
  (void)cli_misuse(call, "--%s %s: a number from %.15g to %.15g is wanted", option, text, min, max);
  return false;
}

bool cli_log_level(const cli_call *call, hw_log_level *level) {
  static const char *const names[] = {"error", "warning", "info", "debug"};
  const char *text = cli_value(call, "log-level");
  if (!text) return true;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(text, names[i]) == 0) {
      *level = (hw_log_level)i;
      return true;
    }
  (void)cli_misuse(call, "--log-level %s: error, warning, info or debug is wanted", text);
  return false;
}
