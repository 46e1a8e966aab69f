/* progress.c - what `run` shows while it runs. */
#include "cli/progress.h"

#include "cli/human.h"
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TERMINAL_INTERVAL_US 200000
#define PLAIN_INTERVAL_US 5000000

void progress_init(progress *p, bool quiet) {
  const char *term = getenv("TERM");
  *p = (progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0};
}

/* Rows and a line that is written over make each other unreadable. */
static bool rows_share_terminal(const progress *p, const struct program *running) {
  if (!p->terminal || !isatty(STDOUT_FILENO)) return false;
  for (uint32_t i = 0; i < running->n_connectors; i++) {
    const program_connector *c = &running->connectors[i];
    if (!c->is_input && strcmp(c->output->name, "stdout_output") == 0) return true;
  }
  return false;
}

void progress_attend(progress *p, const struct program *running) {
  p->program = running;
  if (rows_share_terminal(p, running)) p->quiet = true;
}

uint64_t progress_interval_us(const progress *p) { return p->terminal ? TERMINAL_INTERVAL_US : PLAIN_INTERVAL_US; }

/* ---- numbers -------------------------------------------------------------- */

static double fill_of(const program_connector *c, const pipeline_stats *now) {
  for (uint32_t i = 0; i < now->n_inputs; i++) {
    const connector_stats *input = &now->inputs[i];
    if (strcmp(input->endpoint, c->endpoint) != 0) continue;
    double records = (double)input->buffered_records / (double)c->max_queued_records;
    double bytes = (double)input->buffered_bytes / (double)c->max_queued_bytes;
    return records > bytes ? records : bytes;
  }
  return 0;
}

/* The fullest queue, as a share of its bound. */
static double queue_fill(const progress *p, const pipeline_stats *now) {
  double fullest = 0;
  for (uint32_t i = 0; i < p->program->n_connectors; i++) {
    const program_connector *c = &p->program->connectors[i];
    double fill = c->is_input ? fill_of(c, now) : 0;
    if (fill > fullest) fullest = fill;
  }
  return fullest < 1 ? fullest : 1;
}

/* Share of the inputs that is read; negative: one of them does not know its end. */
static double share_done(const pipeline_stats *now) {
  double done = 0, total = 0;
  for (uint32_t i = 0; i < now->n_inputs; i++) {
    const connector_stats *input = &now->inputs[i];
    if (!input->progress_total && !input->end_of_input) return -1;
    done += (double)input->progress_done;
    total += (double)input->progress_total;
  }
  return total > 0 ? done / total : -1;
}

static uint64_t rows_out(const pipeline_stats *now) {
  uint64_t n = 0;
  for (uint32_t i = 0; i < now->n_outputs; i++) n += now->outputs[i].transmitted_records;
  return n;
}

static uint64_t errors(const pipeline_stats *now) {
  uint64_t n = 0;
  for (uint32_t i = 0; i < now->n_inputs; i++)
    n += now->inputs[i].num_parse_errors + session_connector_faults(&now->inputs[i]);
  for (uint32_t i = 0; i < now->n_outputs; i++)
    n += now->outputs[i].num_encode_errors + session_connector_faults(&now->outputs[i]);
  return n;
}

/* ---- the line ------------------------------------------------------------- */

static void print_end(FILE *to, double share, double elapsed) {
  if (share < 0) return;
  fprintf(to, "  %.0f%%", share * 100);
  char left[HUMAN_MAX];
  if (share > 0 && share < 1) fprintf(to, "  ETA %s", human_seconds(elapsed * (1 - share) / share, left));
}

static void print_line(progress *p, const pipeline_stats *now) {
  double time = cli_now();
  if (p->started <= 0) p->started = p->last = time - (double)progress_interval_us(p) / 1e6;
  double speed = (double)(now->total_input_bytes - p->last_bytes) / (time - p->last);
  p->last = time;
  p->last_bytes = now->total_input_bytes;
  char a[HUMAN_MAX], b[HUMAN_MAX], c[HUMAN_MAX], d[HUMAN_MAX];
  fprintf(stderr, "%s  in %s rows, %s, %s/s", human_seconds(time - p->started, a),
          human_count(now->total_input_records, b), human_bytes((double)now->total_input_bytes, c),
          human_bytes(speed, d));
  fprintf(stderr, "  out %s rows  queue %.0f%%", human_count(rows_out(now), a), queue_fill(p, now) * 100);
  print_end(stderr, share_done(now), time - p->started);
  if (errors(now)) fprintf(stderr, "  errors %s", human_count(errors(now), a));
}

void progress_clear(progress *p) {
  flockfile(stderr);
  if (p->shown) fputs("\r\033[K", stderr);
  p->shown = false;
  funlockfile(stderr);
}

void progress_tick(progress *p, const pipeline_stats *now) {
  if (p->quiet) return;
  flockfile(stderr);
  if (p->shown) fputs("\r\033[K", stderr);
  print_line(p, now);
  p->shown = p->terminal;
  if (!p->terminal) fputc('\n', stderr);
  fflush(stderr);
  funlockfile(stderr);
}

void progress_log(void *arg, hw_log_level level, const char *line) {
  static const char of_all[] = "pipeline ";
  if (level == HW_LOG_ERROR && strncmp(line, of_all, sizeof of_all - 1) == 0) return; /* told when the run has ended */
  progress *p = arg;
  flockfile(stderr);
  if (p->shown) fputs("\r\033[K", stderr);
  p->shown = false;
  fprintf(stderr, "%s\n", line);
  funlockfile(stderr);
}
