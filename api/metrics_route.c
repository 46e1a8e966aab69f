/* metrics_route.c - /metrics of one pipeline and of all.
 *
 * Hundreds of pipelines with thousands of connectors make megabytes of text, so
 * the worker collects and writes it. */
#include "api/call.h"

#include "api/metrics.h"

#include <stdlib.h>

typedef struct collection {
  job job;               /* first */
  api_call call;         /* API thread; call.req is NULL once the client has left */
  hw_pipeline *pipeline; /* a reference; NULL: all */
  hw_engine *engine;
  const api_counters *counters;
  bool json;
  metrics_view view;
  /* Written by the worker: */
  outbuf text;
  hw_error err;          /* status HW_OK: the text is there */
} collection;

static void collection_free(collection *c) {
  hw_pipeline_unref(c->pipeline);
  metrics_view_fini(&c->view);
  outbuf_fini(&c->text);
  free(c);
}

static void discard(mail *m) { collection_free((collection *)m); }

static void gone(void *arg) { ((collection *)arg)->call.req = NULL; }

/* ---- on the worker -------------------------------------------------------- */

/* Those that are not deployed have nothing to tell. */
static hw_status add_all(collection *c) {
  hw_pipeline **all;
  size_t n;
  hw_error err;
  if (manager_list(c->engine, &all, &n) != HW_OK) return hw_error_set(&c->err, HW_ENOMEM, "out of memory");
  for (size_t i = 0; i < n; i++) {
    if (metrics_add_pipeline(&c->view, all[i], &err) == HW_ENOMEM) c->err = err;
    hw_pipeline_unref(all[i]);
  }
  free(all);
  return c->err.status;
}

static void collect(job *j) {
  collection *c = (collection *)j;
  hw_status status = c->pipeline ? metrics_add_pipeline(&c->view, c->pipeline, &c->err) : add_all(c);
  if (status != HW_OK) return;
  process_read(&c->view.process);
  manager_memory(c->engine, &c->view.server.memory_used, &c->view.server.memory_limit);
  catalog_get_stats(manager_catalog(c->engine), &c->view.server.catalog);
  if (metrics_add_requests(&c->view, c->counters->requests, &c->err) != HW_OK) return;
  latency_read(&c->counters->pause_true, &c->view.server.pause_true);
  latency_read(&c->counters->pause_replied, &c->view.server.pause_replied);
  if (c->json) metrics_write_json(&c->text, &c->view);
  else metrics_write_prometheus(&c->text, &c->view);
  if (c->text.failed) (void)hw_error_set(&c->err, HW_ENOMEM, "out of memory");
}

/* ---- on the API thread ---------------------------------------------------- */

/* The type is exactly this: clients compare it. */
static void deliver(mail *m) {
  collection *c = (collection *)m;
  if (c->call.req && c->err.status == HW_OK)
    http_reply(c->call.req, 200, c->json ? "application/json" : "text/plain", NULL, c->text.data, c->text.len);
  else if (c->call.req && c->pipeline)
    call_refuse(&c->call, c->pipeline, &c->err);
  else if (c->call.req)
    reply_engine_error(c->call.req, &c->err, NULL);
  collection_free(c);
}

static void begin(const api_call *call, hw_pipeline *p, bool json) {
  collection *c = calloc(1, sizeof *c);
  if (!c) {
    hw_pipeline_unref(p);
    http_reply_no_memory(call->req);
    return;
  }
  *c = (collection){.job = {.mail = {.deliver = deliver, .discard = discard}, .run = collect}, .call = *call,
                    .pipeline = p, .engine = call->context->engine, .counters = call->context->counters, .json = json};
  c->view.server.connections = http_server_connections(call->context->http);
  if (worker_submit(call->context->worker, &c->job)) {
    http_defer(call->req, gone, c);
    return;
  }
  collection_free(c);
  reply_error(call->req, 503, "ServerBusy", NULL, "too many requests wait for the worker; try again");
}

void get_metrics(const api_call *call) {
  const char *format = http_query(call->req, "format");
  bool json = format && strcmp(format, "json") == 0;
  if (format && !json && strcmp(format, "prometheus") != 0) {
    call_refuse_query(call, "format", "prometheus, json");
    return;
  }
  hw_pipeline *p = call_find_pipeline(call);
  if (p) begin(call, p, json);
}

void get_all_metrics(const api_call *call) { begin(call, NULL, false); }
