/* server.c - the life of the HTTP server: event loop, thread, stop.
 *
 * One event base, one thread, and a worker for bodies. A stop comes as a message
 * through the mailbox, so that nothing but the mailbox and the worker's queue is
 * shared with other threads. Order at the end: connections first (what waits for
 * an answer learns that the client is gone), then the worker, then the mailbox is
 * closed; a callback that the engine still owes finds it closed and frees what
 * it carries. */
#include "api/server.h"

#include "api/http_tls.h"
#include "api/metrics.h"
#include "api/request_count.h"
#include "api/router.h"
#include "api/series.h"
#include "runtime/uuid.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

#define DEFAULT_LISTEN "127.0.0.1:8080"
#define DEFAULT_STOP_MS 5000
#define DEFAULT_ATOMIC_MAX (UINT64_C(64) << 20)
#define DEFAULT_DRAIN_MS 30000

/* A message of the server to itself. */
typedef struct order {
  mail mail;
  api_server *server;
} order;

struct api_server {
  struct event_base *base;
  http_server *http;
  http_tls *tls; /* NULL: none */
  api_context context;
  api_counters counters;
  logger log;
  bool has_log;
  struct event *deadline;
  unsigned stop_ms;
  order stop, stop_now; /* each is posted once at most */
  _Atomic bool stop_sent, now_sent;
  bool started; /* thread runs; owner of the server */
  pthread_t thread;
};

/* ---- stopping ------------------------------------------------------------- */

static void leave_loop(void *arg) {
  api_server *server = arg;
  event_base_loopbreak(server->base);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  leave_loop(arg);
}

static void deliver_stop(mail *m) {
  api_server *server = ((order *)m)->server;
  const struct timeval wait = {.tv_sec = server->stop_ms / 1000,
                               .tv_usec = (suseconds_t)(server->stop_ms % 1000) * 1000};
  event_add(server->deadline, &wait);
  http_server_drain(server->http, leave_loop, server);
}

static void deliver_stop_now(mail *m) { leave_loop(((order *)m)->server); }

static void discard_order(mail *m) { (void)m; /* the server has ended already */ }

void api_server_stop(api_server *server, bool now) {
  bool again = atomic_exchange(&server->stop_sent, true);
  if (!again && !now) mailbox_post(server->context.box, &server->stop.mail);
  if ((again || now) && !atomic_exchange(&server->now_sent, true))
    mailbox_post(server->context.box, &server->stop_now.mail);
}

/* ---- running -------------------------------------------------------------- */

/* A socket that the other side has closed must not end the process: the loop's
 * thread does not take SIGPIPE, and one that came is forgotten. */
void api_server_run(api_server *server) {
  sigset_t pipe_only, before;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
  event_base_dispatch(server->base);
  if (!sigismember(&before, SIGPIPE)) {
    const struct timespec at_once = {0};
    while (sigtimedwait(&pipe_only, NULL, &at_once) < 0 && errno == EINTR) continue;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *thread_main(void *arg) {
  api_server_run(arg);
  return NULL;
}

hw_status api_server_start(api_server *server, hw_error *err) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's, not ours */
  int fault = pthread_create(&server->thread, NULL, thread_main, server);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (fault) return hw_error_set(err, HW_EIO, "cannot start the API thread: %s", strerror(fault));
  pthread_setname_np(server->thread, "hw-api");
  server->started = true;
  return HW_OK;
}

/* ---- birth and death ------------------------------------------------------ */

static struct event_base *new_base(void) {
  struct event_config *config = event_config_new();
  if (!config) return NULL;
  event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK); /* one thread only */
  struct event_base *base = event_base_new_with_config(config);
  event_config_free(config);
  return base;
}

static int64_t now_us(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return (int64_t)now.tv_sec * 1000000 + now.tv_usec;
}

static void set_orders(api_server *server) {
  server->stop = (order){.mail = {.deliver = deliver_stop, .discard = discard_order}, .server = server};
  server->stop_now = (order){.mail = {.deliver = deliver_stop_now, .discard = discard_order}, .server = server};
}

static bool open_parts(api_server *server, const api_options *options) {
  api_context *context = &server->context;
  server->has_log = logger_init(&server->log, options->log_level, options->log, options->log_arg) == HW_OK;
  server->base = new_base();
  if (!server->has_log || !server->base) return false;
  context->base = server->base;
  context->box = mailbox_new(server->base);
  context->series = series_board_new(server->base, context->engine);
  server->deadline = event_new(server->base, -1, 0, on_deadline, server);
  if (!context->box || !server->deadline || !context->series) return false;
  server->counters.requests = request_counts_new();
  if (!server->counters.requests) return false;
  context->worker = worker_new(context->box);
  context->keys = keys_new();
  return context->worker && context->keys;
}

static bool load_keys(api_server *server, const api_options *options, hw_error *err) {
  api_context *context = &server->context;
  if (keys_load(context->keys, manager_catalog(context->engine), err) != HW_OK) return false;
  bool any = keys_at(context->keys, 0) != NULL;
  if (any && !options->auth)
    logger_write(&server->log, HW_LOG_WARNING, "api", "there are API keys, but nobody is asked for one (--auth)");
  if (any || !options->auth) return true;
  hw_error_set(err, HW_ESTATE,
               "authentication is asked for, but there is no API key yet, so nobody could get in: make one with "
               "`headworks api-key create NAME --data-dir DIR` before the server starts on the same directory");
  return false;
}

static bool open_tls(api_server *server, const api_options *options, hw_error *err) {
  if (!options->tls_cert && !options->tls_key) return true;
  if (options->tls_cert && options->tls_key) server->tls = http_tls_new(options->tls_cert, options->tls_key, err);
  else hw_error_set(err, HW_EINVAL, "TLS takes a certificate and its key: --tls-cert FILE --tls-key FILE");
  return server->tls != NULL;
}

static void warn_of_strangers(api_server *server, const api_options *options) {
  if (!http_server_is_remote(server->http)) return;
  if (!options->auth)
    logger_write(&server->log, HW_LOG_WARNING, "api", "whoever reaches this server may do everything: no API keys are "
                 "asked for (--auth)");
  else if (!server->tls)
    logger_write(&server->log, HW_LOG_WARNING, "api", "API keys and rows cross the network for all to read: there is "
                 "no TLS (--tls-cert, --tls-key)");
}

static bool open_http(api_server *server, const api_options *options, hw_error *err) {
  const http_access access = {.anywhere = options->auth || options->anywhere,
                              .tls = server->tls,
                              .hosts = options->allowed_hosts,
                              .origins = options->cors_origins};
  server->http = http_server_new(server->base, options->listen ? options->listen : DEFAULT_LISTEN, &options->limits,
                                 &access, &server->log, router_handle, &server->context, err);
  server->context.http = server->http;
  if (server->http) http_server_observe(server->http, request_counts_observe, server->counters.requests);
  if (server->http) warn_of_strangers(server, options);
  return server->http != NULL;
}

api_server *api_server_new(hw_engine *engine, const api_options *options, hw_error *err) {
  static const api_options defaults = {.log_level = HW_LOG_INFO};
  const api_options *o = options ? options : &defaults;
  api_server *server = calloc(1, sizeof *server);
  if (!server) goto no_memory;
  server->stop_ms = o->stop_ms ? o->stop_ms : DEFAULT_STOP_MS;
  server->context.engine = engine;
  server->context.started_us = now_us();
  server->context.counters = &server->counters;
  server->context.auth = o->auth;
  server->context.atomic_max = o->atomic_max ? o->atomic_max : DEFAULT_ATOMIC_MAX;
  if (uuid_make(server->context.id, err) != HW_OK) goto no_http;
  server->context.drain_ms = o->drain_ms ? o->drain_ms : DEFAULT_DRAIN_MS;
  set_orders(server);
  if (!open_parts(server, o)) goto no_memory;
  if (!load_keys(server, o, err) || !open_tls(server, o, err) || !open_http(server, o, err)) goto no_http;
  return server;
no_memory:
  hw_error_set(err, HW_ENOMEM, "no memory, file descriptors or threads for the API server");
no_http:
  api_server_free(server);
  return NULL;
}

void api_server_free(api_server *server) {
  if (!server) return;
  if (server->started) {
    api_server_stop(server, true);
    pthread_join(server->thread, NULL);
  }
  http_server_free(server->http);
  http_tls_free(server->tls);
  worker_free(server->context.worker);
  if (server->deadline) event_free(server->deadline);
  series_board_free(server->context.series);
  if (server->context.box) mailbox_close(server->context.box);
  mailbox_unref(server->context.box);
  keys_free(server->context.keys);
  if (server->base) event_base_free(server->base);
  if (server->has_log) logger_fini(&server->log);
  request_counts_free(server->counters.requests);
  free(server);
}

hw_status api_server_reload_tls(api_server *server, hw_error *err) {
  return server->tls ? http_tls_reload(server->tls, err) : HW_OK;
}

uint16_t api_server_port(const api_server *server) { return http_server_port(server->http); }
