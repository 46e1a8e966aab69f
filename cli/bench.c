/* bench.c - headworks bench: a program to the end of its inputs, measured. */
#include "cli/account.h"
#include "cli/human.h"
#include "cli/pauser.h"
#include "cli/session.h"
#include "cli/summary.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

typedef struct measure {
  session *session;
  uint64_t pause_every_us; /* 0: no pauses */
  pauser *pauser;
  /* what came of one run: */
  session_end end;
  double seconds, cpu_seconds;
  uint64_t peak_rss, rows_in, bytes_in, rows_out, bytes_out, bad;
  latency_summary latency;
  pauser_result pauses;
  bool accounted;
  char finding[ACCOUNT_FINDING_MAX];
} measure;

/* ---- measuring ------------------------------------------------------------ */

static double cpu_seconds(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Of this program: what getrusage tells is never less than what its parent had. 0: not known. */
static uint64_t peak_rss(void) {
  FILE *f = fopen("/proc/self/status", "re");
  char line[256];
  unsigned long long kib = 0;
  while (f && fgets(line, sizeof line, f) && sscanf(line, "VmHWM: %llu kB", &kib) != 1) continue;
  if (f) fclose(f);
  return kib * 1024;
}

static void on_running(void *arg) {
  measure *m = arg;
  if (m->pause_every_us) m->pauser = pauser_start(m->session->pipeline, m->pause_every_us);
}

static void on_over(void *arg) {
  measure *m = arg;
  m->cpu_seconds = cpu_seconds() - m->cpu_seconds;
  if (m->pauser) pauser_finish(m->pauser, &m->pauses);
  m->pauser = NULL;
  if (pipeline_get_latency(m->session->pipeline, &m->latency) != HW_OK) m->latency = (latency_summary){0};
}

static void count(measure *m) {
  const pipeline_stats *stats = &m->session->stats;
  for (uint32_t i = 0; i < stats->n_inputs; i++) {
    m->rows_in += stats->inputs[i].total_records;
    m->bytes_in += stats->inputs[i].total_bytes;
  }
  for (uint32_t i = 0; i < stats->n_outputs; i++) {
    m->rows_out += stats->outputs[i].transmitted_records;
    m->bytes_out += stats->outputs[i].transmitted_bytes;
  }
  m->bad = session_bad_records(m->session);
}

/* Why no rate may be printed, or NULL. */
static const char *fault_of(const measure *m) {
  if (m->end == SESSION_FAILED) return m->session->error.message;
  if (m->end == SESSION_CUT) return "it was cut short before everything was written";
  if (session_fatal_error(m->session)) return session_fatal_error(m->session);
  if (m->pauses.untrue) return "a pause was acknowledged and rows still came in";
  if (!m->accounted) return m->finding;
  if (m->rows_in) return NULL;
  return m->bad ? "no row came in: every record was bad" : "no row came in";
}

static void run_once(session *s, measure *m, uint64_t pause_every_us) {
  *m = (measure){.session = s, .pause_every_us = pause_every_us, .cpu_seconds = cpu_seconds()};
  session_hooks hooks = {.arg = m, .interval_us = 1000000, .running = on_running, .over = on_over};
  m->end = session_run(s, &hooks);
  m->seconds = s->ended - s->started;
  m->peak_rss = peak_rss();
  count(m);
  m->accounted = account_check(s->program, &s->stats, m->finding);
}

/* ---- text ----------------------------------------------------------------- */

static void print_quantiles(const char *name, double p50, double p99, double max, uint64_t n, const char *one,
                            const char *more) {
  char a[HUMAN_MAX], b[HUMAN_MAX], c[HUMAN_MAX], d[HUMAN_MAX];
  if (n)
    printf("%-15s p50 %s, p99 %s, max %s (%s %s)\n", name, human_micros(p50, a), human_micros(p99, b),
           human_micros(max, c), human_count(n, d), n == 1 ? one : more);
  else
    printf("%-15s not measured\n", name);
}

static void print_volume(const char *name, uint64_t rows, uint64_t bytes) {
  char a[HUMAN_MAX], b[HUMAN_MAX];
  printf("%-15s %s rows, %s\n", name, human_count(rows, a), human_bytes((double)bytes, b));
}

static void print_measure(const measure *m) {
  char a[HUMAN_MAX], b[HUMAN_MAX], c[HUMAN_MAX];
  print_volume("in", m->rows_in, m->bytes_in);
  print_volume("out", m->rows_out, m->bytes_out);
  if (m->bad) printf("%-15s %s\n", "bad records", human_count(m->bad, a));
  printf("%-15s %s\n", "time", human_seconds(m->seconds, a));
  printf("%-15s %s rows/s, %s/s in, %s/s out\n", "rate", human_count((uint64_t)((double)m->rows_in / m->seconds), a),
         human_bytes((double)m->bytes_in / m->seconds, b), human_bytes((double)m->bytes_out / m->seconds, c));
  printf("%-15s %s (%.2f cores)\n", "CPU", human_seconds(m->cpu_seconds, a), m->cpu_seconds / m->seconds);
  printf("%-15s %s\n", "peak memory", human_bytes((double)m->peak_rss, a));
  print_quantiles("latency", m->latency.p50_us, m->latency.p99_us, m->latency.max_us, m->latency.count, "batch",
                  "batches");
  print_quantiles("pause to true", m->pauses.p50_us, m->pauses.p99_us, m->pauses.max_us, m->pauses.n, "pause",
                  "pauses");
  if (m->pauses.failed) printf("%-15s %zu\n", "pauses refused", m->pauses.failed);
  printf("%-15s %s accounted for at every output\n", "records", m->bad ? "but for the bad ones all" : "all");
}

/* ---- JSON ----------------------------------------------------------------- */

static json_t *rate_json(const measure *m, uint64_t amount) {
  return fault_of(m) ? json_null() : json_real((double)amount / m->seconds);
}

static json_t *quantiles_json(uint64_t n, double p50, double p99, double max) {
  if (!n) return json_null();
  return json_pack("{sI sf sf sf}", "count", (json_int_t)n, "p50", p50, "p99", p99, "max", max);
}

static json_t *measure_json(const measure *m) {
  json_t *json = summary_checked(json_object());
  const struct {
    const char *key;
    json_t *value;
  } members[] = {
      {"fault", fault_of(m) ? json_string(fault_of(m)) : json_null()},
      {"seconds", json_real(m->seconds)},
      {"rows_in", json_integer((json_int_t)m->rows_in)},
      {"bytes_in", json_integer((json_int_t)m->bytes_in)},
      {"rows_out", json_integer((json_int_t)m->rows_out)},
      {"bytes_out", json_integer((json_int_t)m->bytes_out)},
      {"bad_records", json_integer((json_int_t)m->bad)},
      {"rows_per_second", rate_json(m, m->rows_in)},
      {"bytes_in_per_second", rate_json(m, m->bytes_in)},
      {"bytes_out_per_second", rate_json(m, m->bytes_out)},
      {"cpu_seconds", json_real(m->cpu_seconds)},
      {"peak_rss_bytes", json_integer((json_int_t)m->peak_rss)},
      {"latency_us", quantiles_json(m->latency.count, m->latency.p50_us, m->latency.p99_us, m->latency.max_us)},
      {"pause_us", quantiles_json(m->pauses.n, m->pauses.p50_us, m->pauses.p99_us, m->pauses.max_us)},
      {"pauses_refused", json_integer((json_int_t)m->pauses.failed)},
      {"pauses_untrue", json_integer((json_int_t)m->pauses.untrue)},
  };
  for (size_t i = 0; i < sizeof members / sizeof *members; i++)
    if (json_object_set_new(json, members[i].key, members[i].value)) summary_checked(NULL);
  return json;
}

/* ---- the command ---------------------------------------------------------- */

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, compare);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

typedef struct report {
  json_t *runs; /* NULL: text */
  double *rates;
  size_t n;
} report;

/* True: go on with the next. */
static bool report_run(report *r, const measure *m, size_t repeat) {
  const char *fault = fault_of(m);
  if (r->runs && json_array_append_new(r->runs, measure_json(m))) summary_checked(NULL);
  if (fault) {
    cli_complain("%s: no rate, for %s", m->session->path, fault);
    return false;
  }
  r->rates[r->n++] = (double)m->rows_in / m->seconds;
  if (!r->runs && repeat > 1) printf("%srun %zu of %zu\n", r->n > 1 ? "\n" : "", r->n, repeat);
  if (!r->runs) print_measure(m);
  return m->end == SESSION_COMPLETE;
}

static void report_end(report *r, const char *path, bool good) {
  double rate = good && r->n ? median(r->rates, r->n) : 0;
  char text[HUMAN_MAX];
  if (!r->runs && good && r->n > 1) printf("\nmedian rate     %s rows/s\n", human_count((uint64_t)rate, text));
  if (!r->runs) return;
  json_t *json = summary_checked(json_pack("{ss so so}", "program", path, "median_rows_per_second",
                                           good && r->n ? json_real(rate) : json_null(), "runs", r->runs));
  json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
  putchar('\n');
  json_decref(json);
}

static cli_exit bench(session *s, const cli_call *call, size_t repeat, uint64_t pause_every_us) {
  report r = {.runs = cli_has(call, "json") ? summary_checked(json_array()) : NULL,
              .rates = cli_alloc(repeat * sizeof(double))};
  bool good = true;
  for (size_t i = 0; i < repeat; i++) {
    measure m;
    run_once(s, &m, pause_every_us);
    good = fault_of(&m) == NULL;
    if (!report_run(&r, &m, repeat)) break;
  }
  report_end(&r, s->path, good);
  free(r.rates);
  return good ? CLI_OK : CLI_FAILED;
}

cli_exit cli_bench(const cli_call *call) {
  double repeat = 1, every_ms = 20;
  if (!cli_number(call, "repeat", 1, 10000, &repeat) || !cli_number(call, "pause-every", 0.1, 60000, &every_ms))
    return CLI_USAGE;
  session s;
  cli_exit status = session_open(&s, call, NULL, NULL);
  uint64_t pause_every_us = cli_has(call, "no-pauses") ? 0 : (uint64_t)(every_ms * 1000);
  if (status == CLI_OK) status = bench(&s, call, (size_t)repeat, pause_every_us);
  session_close(&s);
  return status;
}
