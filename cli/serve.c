/* serve.c - headworks serve: the HTTP API over an engine. */
#include "cli/session.h"

#include "api/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"
#define DEFAULT_DRAIN 10.0
#define WORKER_NICE 5 /* requests go before rows */

typedef struct service {
  signals signals;
  hw_engine *engine;
  api_server *server;
  double drain_seconds;
  char *directory;               /* of the data; NULL: none */
  const char **hosts, **origins; /* of the server, which borrows them */
  /* at the end: */
  hw_pipeline **pipelines;
  reply *replies; /* one each */
  size_t n;
} service;

/* For people and for scripts, which wait for this line. */
static void announce(const service *s, const char *listen, bool tls) {
  const char *colon = strrchr(listen, ':');
  int host = colon ? (int)(colon - listen) : (int)strlen(listen);
  printf("listening on %s://%.*s:%u\n", tls ? "https" : "http", host, listen, api_server_port(s->server));
  fflush(stdout);
}

/* ---- serving -------------------------------------------------------------- */

/* Outputs' files and the certificate, all of which may have been moved away. */
static void reopen(service *s) {
  hw_error err;
  hw_engine_reopen(s->engine);
  if (api_server_reload_tls(s->server, &err) != HW_OK) cli_complain("%s; the old ones stay in use", err.message);
}

/* Returns when the first signal to end has come. */
static void serve_until_signal(service *s) {
  for (;;) {
    signals_event event = signals_wait(&s->signals, UINT64_C(3600) * 1000000);
    if (event == SIGNALS_END) return;
    if (event == SIGNALS_REOPEN) reopen(s);
  }
}

/* ---- stopping ------------------------------------------------------------- */

/* Asks every pipeline to stop, until the server is started again. */
static void ask_stops(service *s) {
  s->replies = cli_alloc(s->n * sizeof *s->replies);
  for (size_t i = 0; i < s->n; i++) {
    reply *r = &s->replies[i];
    hw_error err = {0};
    reply_init(r, &s->signals);
    reply_called(r, manager_leave(s->pipelines[i], reply_done, r, &err), &err);
  }
}

/* Returns when all have answered, or at the deadline. */
static void wait_stops(service *s, double deadline) {
  for (size_t i = 0; i < s->n; i++)
    while (!atomic_load(&s->replies[i].done)) {
      double left = deadline - cli_now();
      if (left <= 0) return;
      (void)signals_wait(&s->signals, (uint64_t)(left * 1e6));
    }
}

static cli_exit report_stops(const service *s) {
  cli_exit status = CLI_OK;
  for (size_t i = 0; i < s->n; i++) {
    const reply *r = &s->replies[i];
    bool done = atomic_load(&r->done);
    if (done && r->status == HW_OK) continue;
    cli_complain("pipeline %s: %s", hw_pipeline_name(s->pipelines[i]),
                 done ? r->error.message : "not everything that was read could be written in time");
    status = CLI_FAILED;
  }
  return status;
}

/* Lets every pipeline write what it has read. */
static cli_exit stop_pipelines(service *s) {
  if (manager_list(s->engine, &s->pipelines, &s->n) != HW_OK) {
    cli_complain("out of memory: the pipelines are stopped by force");
    return CLI_FAILED;
  }
  ask_stops(s);
  wait_stops(s, cli_now() + s->drain_seconds);
  return report_stops(s);
}

/* The replies go last: the engine may answer one as late as it is freed. */
static void close_service(service *s) {
  signals_restore(); /* should something hang, a signal ends the process */
  if (s->server) api_server_free(s->server);
  for (size_t i = 0; i < s->n; i++) hw_pipeline_unref(s->pipelines[i]);
  if (s->engine) hw_engine_free(s->engine);
  free(s->pipelines);
  free(s->hosts);
  free(s->origins);
  free(s->directory);
  free(s->replies);
  signals_close(&s->signals);
}

/* ---- data directory --------------------------------------------------------- */

/* Where it is when nobody says: $XDG_STATE_HOME/headworks, by default
 * ~/.local/state/headworks; the caller frees it. NULL: there is no home. */
static char *default_directory(void) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  char *path = NULL;
  int len = -1;
  if (state && *state == '/')
    len = asprintf(&path, "%s/headworks", state);
  else if (home && *home == '/')
    len = asprintf(&path, "%s/.local/state/headworks", home);
  return len < 0 ? NULL : path;
}

static cli_exit open_catalog(service *s) {
  hw_error err;
  if (manager_open_catalog(s->engine, s->directory, &err) == HW_OK) return CLI_OK;
  cli_complain("%s", err.message);
  return CLI_FAILED;
}

static cli_exit open_data(service *s, const cli_call *call) {
  const char *asked = cli_value(call, "data-dir");
  if (asked && strcmp(asked, "none") == 0) return CLI_OK;
  s->directory = asked ? cli_strdup(asked) : default_directory();
  if (!s->directory) {
    cli_complain("neither XDG_STATE_HOME nor HOME says where data may be kept: use --data-dir DIR, or --data-dir none");
    return CLI_USAGE;
  }
  return open_catalog(s);
}

/* ---- the command ---------------------------------------------------------- */

static bool take_limits(const cli_call *call, http_limits *limits) {
  double connections = 0, of_one = 0, idle = 0;
  if (!cli_number(call, "max-connections", 1, 1e6, &connections) ||
      !cli_number(call, "max-client-connections", 1, 1e6, &of_one) ||
      !cli_number(call, "idle-timeout", 0.001, 86400, &idle))
    return false;
  limits->max_connections = (unsigned)connections;
  limits->max_per_client = (unsigned)of_one;
  limits->idle_ms = (unsigned)(idle * 1000);
  return true;
}

static bool check_port(const cli_call *call, const char *listen) {
  const char *colon = strrchr(listen, ':');
  if (!colon || strspn(colon + 1, "0123456789") != strlen(colon + 1) || strtoul(colon + 1, NULL, 10) <= UINT16_MAX)
    return true; /* or wrong otherwise */
  (void)cli_misuse(call, "--listen %s: ports end at %u", listen, UINT16_MAX);
  return false;
}

static cli_exit complain_of_start(const service *s, const cli_call *call, const hw_error *err) {
  cli_complain("%s", err->message);
  if (cli_has(call, "auth") && s->directory && err->status == HW_ESTATE && !s->server)
    cli_complain("here: headworks api-key create NAME --data-dir %s", s->directory);
  return err->status == HW_EINVAL ? CLI_USAGE : CLI_FAILED; /* EINVAL: no address at all */
}

static cli_exit start_server(service *s, const cli_call *call) {
  const char *listen = cli_value(call, "listen");
  if (listen && !check_port(call, listen)) return CLI_USAGE;
  api_options options = {.listen = listen ? listen : DEFAULT_LISTEN,
                         .auth = cli_has(call, "auth"),
                         .anywhere = cli_has(call, "insecure-listen-anywhere"),
                         .tls_cert = cli_value(call, "tls-cert"),
                         .tls_key = cli_value(call, "tls-key"),
                         .allowed_hosts = s->hosts = cli_values(call, "allowed-host"),
                         .cors_origins = s->origins = cli_values(call, "cors-origin"),
                         .log_level = HW_LOG_INFO};
  if (!cli_log_level(call, &options.log_level) || !take_limits(call, &options.limits)) return CLI_USAGE;
  hw_error err;
  s->server = api_server_new(s->engine, &options, &err);
  if (!s->server || api_server_start(s->server, &err) != HW_OK) return complain_of_start(s, call, &err);
  announce(s, options.listen, options.tls_cert != NULL);
  return CLI_OK;
}

/* A connection each, and the files of connectors: as many descriptors as we may have. */
static void raise_descriptors(void) {
  struct rlimit files;
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0)
    cli_complain("the limit of open files stays as it is: %s", strerror(errno));
}

static cli_exit serve(service *s, const cli_call *call) {
  raise_descriptors();
  cli_exit status;
  s->engine = session_engine(call, WORKER_NICE, HW_LOG_INFO, NULL, NULL, &status);
  if (s->engine) status = open_data(s, call);
  if (s->engine && status == CLI_OK) status = start_server(s, call);
  if (status != CLI_OK) return status;
  serve_until_signal(s);
  api_server_stop(s->server, false); /* requests under way are answered while the pipelines drain */
  return stop_pipelines(s);
}

cli_exit cli_serve(const cli_call *call) {
  service s = {.drain_seconds = DEFAULT_DRAIN};
  if (!cli_number(call, "drain-timeout", 0, 86400, &s.drain_seconds)) return CLI_USAGE;
  cli_exit status = CLI_FAILED;
  if (signals_open(&s.signals))
    status = serve(&s, call);
  else
    cli_complain("signals cannot be taken: %s", strerror(errno));
  close_service(&s);
  return status;
}
