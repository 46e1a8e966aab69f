/* run.c - headworks run: a program in the foreground. */
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/summary.h"

#include <stdlib.h>

static void on_tick(void *arg, const pipeline_stats *now) { progress_tick(arg, now); }
static void on_over(void *arg) { progress_clear(arg); }

static cli_exit judge(const cli_call *call, const session *s, session_end end) {
  if (end == SESSION_FAILED) cli_complain("%s: %s", s->path, s->error.message);
  if (end == SESSION_CUT) cli_complain("%s: not everything that was read could be written in time", s->path);
  if (end == SESSION_FAILED || end == SESSION_CUT) return CLI_FAILED;
  if (session_fatal_error(s)) {
    cli_complain("%s: %s", s->path, session_fatal_error(s));
    return CLI_FAILED;
  }
  uint64_t bad = session_bad_records(s), faults = session_faults(s);
  bool strict = cli_has(call, "strict"), say = strict || !cli_has(call, "quiet");
  if (bad && say)
    cli_complain("%s: %llu bad record%s left out", s->path, (unsigned long long)bad, bad == 1 ? " was" : "s were");
  if (faults && say)
    cli_complain("%s: %llu fault%s of sources or sinks: rows may be missing", s->path, (unsigned long long)faults,
                 faults == 1 ? "" : "s");
  return strict && (bad || faults) ? CLI_FAILED : CLI_OK;
}

static void report(const cli_call *call, const session *s, session_end end) {
  if (!cli_has(call, "quiet")) summary_print(stderr, s, end);
  if (!cli_has(call, "json")) return;
  json_t *json = summary_json(s, end);
  char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
  if (text) puts(text); /* a failure to write is seen when standard output is closed */
  free(text);
  json_decref(json);
}

cli_exit cli_run(const cli_call *call) {
  progress p;
  progress_init(&p, cli_has(call, "quiet"));
  session s;
  cli_exit status = session_open(&s, call, progress_log, &p);
  if (status == CLI_OK) {
    progress_attend(&p, s.program);
    session_hooks hooks = {.arg = &p, .interval_us = progress_interval_us(&p), .tick = on_tick, .over = on_over};
    session_end end = session_run(&s, &hooks);
    report(call, &s, end);
    status = judge(call, &s, end);
  }
  session_close(&s);
  return status;
}
