/* server.h - Headworks' HTTP server over an engine's pipelines.
 *
 *     api_server *server = api_server_new(engine, &options, &err);
 *     api_server_start(server, &err);   a thread of its own, or
 *     api_server_run(server);           the caller's, until it is stopped
 *     api_server_stop(server, false);
 *     api_server_free(server);
 *     hw_engine_free(engine);
 *
 * The engine must outlive the server. A process that means to use the whole of
 * max_connections needs RLIMIT_NOFILE to allow as many descriptors and some
 * more; when they run out, accepting waits until there are some again. */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "api/limits.h"

#include <headworks/headworks.h>

typedef struct api_server api_server;

/* Zero means the default in brackets. */
typedef struct api_options {
  const char *listen; /* ADDRESS:PORT; port 0: any free one ["127.0.0.1:8080"] */
  bool auth;          /* only who shows an API key is let in; there must be one */
  bool anywhere;      /* without that: listen on other than loopback addresses all the same */
  const char *tls_cert, *tls_key; /* PEM files: clients speak TLS; both or neither [neither] */
  const char *const *allowed_hosts; /* NULL-ended: names in Host headers beside the loopback's [none] */
  const char *const *cors_origins;  /* NULL-ended: origins of pages that may ask [none] */
  http_limits limits;
  unsigned stop_ms;       /* how long a stop waits for replies [5,000] */
  uint64_t atomic_max;    /* most bytes of a body that is taken whole or not at all [64 MiB] */
  unsigned drain_ms;      /* how long a pause waits to be drained [30,000] */
  hw_log_level log_level; /* HW_LOG_DEBUG logs each request */
  hw_log_function *log;   /* NULL: standard error */
  void *log_arg;
} api_options;

/* Listens from now on. options NULL: all defaults. */
api_server *api_server_new(hw_engine *engine, const api_options *options, hw_error *err);
/* Serves on the calling thread until stopped; once. */
void api_server_run(api_server *server);
/* Serves on a thread of its own; once. */
hw_status api_server_start(api_server *server, hw_error *err);
/* Accepts no more, answers what is under way for at most stop_ms, then run
 * returns. now, or a second call: without waiting. [any thread, not a signal handler] */
void api_server_stop(api_server *server, bool now);
/* Stops it if need be, joins its thread; not while another thread is in
 * api_server_run. */
void api_server_free(api_server *server);

/* Reads the certificate and its key again; without TLS nothing. When it fails the
 * old ones stay. May block. [any thread] */
HW_MUST_USE hw_status api_server_reload_tls(api_server *server, hw_error *err);
/* The port listened on. [any thread] */
uint16_t api_server_port(const api_server *server);

#endif
