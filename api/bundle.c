/* bundle.c - support_bundle: what somebody who is asked for help wants to see of
 * a pipeline, in one ZIP archive.
 *
 * No secrets: the program's text is left out, connectors come with their secrets
 * masked, of runtime_config.env the names only. The worker collects and packs. */
#include "api/call.h"

#include "api/metrics.h"
#include "api/zip.h"

#include <jansson.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WITH_STATS = 1, WITH_METRICS = 2, WITH_LOGS = 4, WITH_CONFIG = 8, WITH_SYSTEM = 16, WITH_GRAPH = 32,
       WITH_PROFILE = 64, WITH_EVENTS = 128 };

typedef struct bundle {
  job job;               /* first */
  api_call call;         /* API thread; call.req is NULL once the client has left */
  hw_pipeline *pipeline; /* a reference */
  unsigned with;
  /* The worker's: */
  zip_writer zip;
  outbuf out, file;      /* the archive; the file that is being written */
  pipeline_info info;
  bool failed;
} bundle;

static void bundle_free(bundle *b) {
  hw_pipeline_unref(b->pipeline);
  outbuf_fini(&b->out);
  outbuf_fini(&b->file);
  free(b);
}

static void discard(mail *m) { bundle_free((bundle *)m); }

static void gone(void *arg) { ((bundle *)arg)->call.req = NULL; }

/* ---- files, on the worker ------------------------------------------------- */

static json_writer begin_file(bundle *b) {
  json_writer w;
  outbuf_reset(&b->file, SIZE_MAX);
  jw_begin(&w, &b->file);
  return w;
}

static void end_file(bundle *b, const char *name) {
  b->failed |= b->file.failed;
  zip_add(&b->zip, name, b->file.data ? b->file.data : "", b->file.len);
}

static void add_stats(bundle *b) {
  pipeline_stats stats;
  if (pipeline_get_stats(b->pipeline, true, &stats, NULL) != HW_OK) return; /* it does not run */
  json_writer w = begin_file(b);
  view_stats(&w, &stats, true);
  if (b->with & WITH_STATS) end_file(b, "stats.json");
  w = begin_file(b);
  view_profile(&w, b->info.program, &stats);
  if (b->with & WITH_PROFILE) end_file(b, "circuit_profile.json");
  pipeline_stats_fini(&stats);
}

static void add_metrics(bundle *b) {
  metrics_view view = {0};
  (void)begin_file(b);
  if (metrics_add_pipeline(&view, b->pipeline, NULL) == HW_OK) {
    process_read(&view.process);
    metrics_write_prometheus(&b->file, &view);
    end_file(b, "metrics.txt");
  }
  metrics_view_fini(&view);
}

static void add_logs(bundle *b) {
  static const size_t piece = 16 * LOGBOOK_LINE_BYTES;
  logbook_place at = {0};
  uint64_t lost = 1;
  (void)begin_file(b);
  for (size_t n = 1; n && outbuf_reserve(&b->file, piece); b->file.len += n)
    n = logbook_read(pipeline_logbook(b->pipeline), &at, b->file.data + b->file.len, piece, &lost);
  end_file(b, "logs.txt");
}

static int add_dumped(const char *text, size_t len, void *arg) {
  outbuf_add(arg, text, len);
  return 0;
}

/* runtime_config with the values of its env masked; a new reference, NULL: no memory. */
static json_t *masked_config(const pipeline_info *info) {
  json_t *config = json_loads(info->definition->members[MEMBER_RUNTIME_CONFIG], 0, NULL), *value;
  json_t *env = json_object_get(config, "env");
  const char *name;
  void *next;
  json_object_foreach_safe(env, next, name, value) { json_object_set_new(env, name, json_string("***")); }
  return config;
}

static void add_config(bundle *b) {
  json_writer w = begin_file(b);
  view_pipeline(&w, &b->info, SELECT_STATUS);
  end_file(b, "pipeline.json");
  if (b->info.program) {
    w = begin_file(b);
    view_connectors_of(&w, b->info.program);
    end_file(b, "connectors.json");
  }
  (void)begin_file(b);
  json_t *config = masked_config(&b->info);
  if (!config || json_dump_callback(config, add_dumped, &b->file, JSON_INDENT(2)) != 0) b->failed = true;
  json_decref(config);
  end_file(b, "runtime_config.json");
}

static void add_graph(bundle *b) {
  if (!b->info.program) return;
  json_writer w = begin_file(b);
  view_dataflow(&w, b->info.program);
  end_file(b, "dataflow_graph.json");
}

static void add_events(bundle *b) {
  pipeline_event *events;
  size_t n;
  if (pipeline_get_events(b->pipeline, NULL, &events, &n) != HW_OK) {
    b->failed = true;
    return;
  }
  json_writer w = begin_file(b);
  jw_array(&w);
  for (size_t i = 0; i < n; i++) view_event(&w, &events[i], true);
  jw_array_end(&w);
  pipeline_events_free(events, n);
  end_file(b, "events.json");
}

static void add_system(bundle *b) {
  process_stats process;
  process_read(&process);
  json_writer w = begin_file(b);
  jw_object(&w);
  jw_key_string(&w, "version", hw_version());
  jw_key_i64(&w, "plugin_abi", HW_PLUGIN_ABI);
  jw_key_i64(&w, "processors", sysconf(_SC_NPROCESSORS_ONLN));
  jw_key_u64(&w, "resident_bytes", process.resident_bytes);
  jw_key_u64(&w, "open_fds", process.open_fds);
  jw_key_u64(&w, "threads", process.threads);
  jw_key_time(&w, "process_started_at", (int64_t)process.start_time_us);
  jw_object_end(&w);
  end_file(b, "system.json");
}

static void pack(job *j) {
  bundle *b = (bundle *)j;
  b->failed = pipeline_get_info(b->pipeline, &b->info) != HW_OK;
  if (b->failed) return;
  b->zip = (zip_writer){.out = &b->out, .now = time(NULL)};
  if (b->with & (WITH_STATS | WITH_PROFILE)) add_stats(b);
  if (b->with & WITH_METRICS) add_metrics(b);
  if (b->with & WITH_LOGS) add_logs(b);
  if (b->with & WITH_CONFIG) add_config(b);
  if (b->with & WITH_GRAPH) add_graph(b);
  if (b->with & WITH_SYSTEM) add_system(b);
  if (b->with & WITH_EVENTS) add_events(b);
  zip_end(&b->zip);
  pipeline_info_fini(&b->info);
  b->failed |= b->out.failed;
}

/* ---- on the API thread ---------------------------------------------------- */

static void deliver(mail *m) {
  bundle *b = (bundle *)m;
  outbuf extra = {0};
  if (b->call.req && b->failed) {
    http_reply_no_memory(b->call.req);
  } else if (b->call.req) {
    outbuf_printf(&extra, "Content-Disposition: attachment; filename=\"%s-support-bundle.zip\"\r\n",
                  hw_pipeline_name(b->pipeline));
    http_reply(b->call.req, 200, "application/zip", &extra, b->out.data, b->out.len);
  }
  outbuf_fini(&extra);
  bundle_free(b);
}

/* Nothing is collected but when it is asked for, so without `collect`, or with a
 * limit of 0, only what needs no look at the running pipeline is in it. */
static bool read_parts(const api_call *call, unsigned *with) {
  static const struct {
    const char *name;
    unsigned bits;
  } parts[] = {
      {"stats", WITH_STATS},           {"metrics", WITH_METRICS},      {"logs", WITH_LOGS},
      {"pipeline_config", WITH_CONFIG}, {"system_config", WITH_SYSTEM}, {"dataflow_graph", WITH_GRAPH},
      {"circuit_profile", WITH_PROFILE}, {"heap_profile", 0},            {"pipeline_events", WITH_EVENTS},
      {"collect", WITH_STATS | WITH_METRICS | WITH_PROFILE},
  };
  *with = ~0u;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    bool wanted;
    if (!call_query_bool(call, parts[i].name, true, &wanted)) return false;
    if (!wanted) *with &= ~parts[i].bits;
  }
  const char *limit = http_query(call->req, "limit");
  if (limit && (!*limit || strspn(limit, "0123456789") != strlen(limit))) {
    call_refuse_query(call, "limit", "an integer that is not negative");
    return false;
  }
  if (limit && strtoull(limit, NULL, 10) == 0) *with &= ~(unsigned)(WITH_STATS | WITH_METRICS | WITH_PROFILE);
  return true;
}

void get_support_bundle(const api_call *call) {
  unsigned with;
  if (!read_parts(call, &with)) return;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  bundle *b = calloc(1, sizeof *b);
  if (!b) {
    hw_pipeline_unref(p);
    http_reply_no_memory(call->req);
    return;
  }
  *b = (bundle){.job = {.mail = {.deliver = deliver, .discard = discard}, .run = pack}, .call = *call};
  b->pipeline = p;
  b->with = with;
  if (worker_submit(call->context->worker, &b->job)) {
    http_defer(call->req, gone, b);
    return;
  }
  bundle_free(b);
  reply_error(call->req, 503, "ServerBusy", NULL, "too many requests wait for the worker; try again");
}
