/* http_server.c - listening on an address and taking connections. */
#include "api/http_conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define REFUSED_MAX 64 /* connections that are being told that there are too many */
#define RECALL_MS 1000u /* of a socket that is lent */
#define RESUME_MS 100

/* ---- addresses ------------------------------------------------------------ */

typedef union socket_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} socket_address;

static hw_status bad_address(const char *text, hw_error *err) {
  return hw_error_set(err, HW_EINVAL,
                      "cannot listen on \"%s\": write ADDRESS:PORT, for example 127.0.0.1:8080 or [::1]:0", text);
}

/* Splits "HOST:PORT"; host without brackets. */
static bool split_address(const char *text, char *host, size_t size, uint16_t *port) {
  const char *colon = strrchr(text, ':');
  if (!colon || colon == text) return false;
  bool bracketed = text[0] == '[' && colon[-1] == ']';
  size_t len = (size_t)(colon - text) - (bracketed ? 2 : 0);
  if (len == 0 || len >= size) return false;
  memcpy(host, text + bracketed, len);
  host[len] = '\0';
  char *end;
  errno = 0;
  unsigned long value = strtoul(colon + 1, &end, 10);
  if (colon[1] < '0' || colon[1] > '9' || *end || errno || value > UINT16_MAX) return false;
  *port = (uint16_t)value;
  return !strchr(host, ':') == !bracketed;
}

static hw_status refuse_remote(const char *text, hw_error *err) {
  return hw_error_set(err, HW_EUNSUPPORTED,
                      "will not listen on \"%s\": without authentication only loopback addresses (127.0.0.0/8, [::1]) "
                      "are allowed; ask for API keys (--auth), or reach the server from elsewhere through a tunnel, "
                      "for example ssh -L; --insecure-listen-anywhere lets everybody who reaches it do everything",
                      text);
}

/* *local: it is an address of the loopback. */
static hw_status parse_address(const char *text, socket_address *out, bool *local, hw_error *err) {
  char host[INET6_ADDRSTRLEN];
  uint16_t port;
  *out = (socket_address){0};
  if (!split_address(text, host, sizeof host, &port)) return bad_address(text, err);
  const char *name = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
  if (inet_pton(AF_INET, name, &out->v4.sin_addr) == 1) {
    out->v4.sin_family = AF_INET;
    out->v4.sin_port = htons(port);
    *local = ntohl(out->v4.sin_addr.s_addr) >> 24 == 127;
  } else if (inet_pton(AF_INET6, name, &out->v6.sin6_addr) == 1) {
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    *local = IN6_IS_ADDR_LOOPBACK(&out->v6.sin6_addr);
  } else {
    return bad_address(text, err);
  }
  return HW_OK;
}

static uint16_t bound_port(evutil_socket_t fd) {
  socket_address bound = {0};
  socklen_t len = sizeof bound;
  if (getsockname(fd, &bound.any, &len) != 0) return 0;
  return ntohs(bound.any.sa_family == AF_INET ? bound.v4.sin_port : bound.v6.sin6_port);
}

/* ---- accepting ------------------------------------------------------------ */

/* Who it is, as far as one client can be told from another: of IPv6 the network,
 * for whoever has one address there has them all. */
static struct in6_addr client_of(const struct sockaddr *from) {
  socket_address address = {.v6 = {0}};
  struct in6_addr client = {{{[10] = 0xFF, [11] = 0xFF}}};
  memcpy(&address, from, from->sa_family == AF_INET6 ? sizeof address.v6 : sizeof address.v4);
  if (from->sa_family == AF_INET) memcpy(&client.s6_addr[12], &address.v4.sin_addr, 4);
  if (from->sa_family != AF_INET6) return client;
  bool whole = IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr) || IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
  client = (struct in6_addr){0};
  memcpy(&client, &address.v6.sin6_addr, whole ? 16 : 8);
  return client;
}

static bool is_this_machine(const struct in6_addr *client) {
  return IN6_IS_ADDR_LOOPBACK(client) || (IN6_IS_ADDR_V4MAPPED(client) && client->s6_addr[12] == 127);
}

/* One client of many may not have all connections. On this machine all are one. */
static bool has_enough(const http_server *server, const struct in6_addr *client) {
  unsigned n = 0;
  if (is_this_machine(client)) return false;
  for (const http_conn *c = server->conns; c; c = c->next) n += !c->refused && IN6_ARE_ADDR_EQUAL(&c->client, client);
  return n >= server->limits.max_per_client;
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len, void *arg) {
  (void)listener, (void)len;
  http_server *server = arg;
  struct in6_addr client = client_of(from);
  bool full = server->n_conns >= server->limits.max_connections || has_enough(server, &client);
  if (full && server->n_refused >= REFUSED_MAX) {
    close(fd);
    return;
  }
  conn_open(server, fd, &client, full);
}

/* Descriptors or memory ran out: trying again at once would only spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg) {
  http_server *server = arg;
  int fault = EVUTIL_SOCKET_ERROR();
  if (server->log)
    logger_write(server->log, HW_LOG_WARNING, "api", "cannot accept a connection: %s; trying again in %d ms",
                 strerror(fault), RESUME_MS);
  evconnlistener_disable(listener);
  event_add(server->resume, &(struct timeval){.tv_usec = RESUME_MS * 1000});
}

static void on_resume(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  http_server *server = arg;
  if (!server->draining) evconnlistener_enable(server->listener);
}

static bool open_listener(http_server *server, const char *text, hw_error *err) {
  socket_address where;
  bool local = false;
  if (parse_address(text, &where, &local, err) != HW_OK) return false;
  server->remote = !local;
  if (server->remote && !server->access.anywhere) {
    (void)refuse_remote(text, err);
    return false;
  }
  socklen_t len = where.any.sa_family == AF_INET ? sizeof where.v4 : sizeof where.v6;
  server->listener = evconnlistener_new_bind(server->base, on_accept, server,
                                             LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
                                             SOMAXCONN, &where.any, (int)len);
  if (!server->listener) {
    hw_error_set(err, HW_EIO, "cannot listen on %s: %s%s", text, strerror(errno),
                 errno == EADDRINUSE ? " (is a server running already? --listen takes another address)" : "");
    return false;
  }
  evconnlistener_set_error_cb(server->listener, on_accept_error);
  server->port = bound_port(evconnlistener_get_fd(server->listener));
  return true;
}

/* ---- the server ----------------------------------------------------------- */

static void fill_limits(http_limits *l) {
#define FILL(member, value)                                                                                            \
  if (l->member == 0) l->member = value
  FILL(max_connections, 2000);
  FILL(max_per_client, l->max_connections / 4 ? l->max_connections / 4 : 1);
  FILL(max_url, 8 * 1024);
  FILL(max_head, 16 * 1024);
  FILL(max_headers, HTTP_MAX_HEADERS);
  FILL(max_bodies, (size_t)64 << 20);
  FILL(max_backlog, (size_t)256 << 20);
  FILL(handshake_ms, 10000);
  FILL(idle_ms, 60000);
  FILL(head_ms, 10000);
  FILL(body_ms, 30000);
  FILL(write_ms, 30000);
  FILL(linger_ms, 2000);
#undef FILL
  if (l->max_headers > HTTP_MAX_HEADERS) l->max_headers = HTTP_MAX_HEADERS;
}

/* A timeout that many timers share, which libevent then keeps in a queue. */
static const struct timeval *shared_timeout(struct event_base *base, unsigned ms) {
  struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
  return event_base_init_common_timeout(base, &tv);
}

static bool set_timeouts(http_server *server) {
  const http_limits *l = &server->limits;
  const unsigned ms[CONN_PHASES] = {
      [CONN_IDLE] = l->idle_ms,   [CONN_HEAD] = l->head_ms,     [CONN_BODY] = l->body_ms,
      [CONN_STREAM] = l->write_ms, [CONN_FLUSH] = l->write_ms, [CONN_CLOSING] = l->write_ms,
      [CONN_LINGER] = l->linger_ms, [CONN_HANDSHAKE] = l->handshake_ms,
  };
  if (!(server->recall_every = shared_timeout(server->base, RECALL_MS))) return false;
  for (int i = 0; i < CONN_PHASES; i++) {
    if (ms[i] == 0) continue;
    server->timeouts[i] = shared_timeout(server->base, ms[i]);
    if (!server->timeouts[i]) return false;
  }
  return true;
}

http_server *http_server_new(struct event_base *base, const char *address, const http_limits *limits,
                             const http_access *access, logger *log, http_handler *handler, void *arg, hw_error *err) {
  http_server *server = calloc(1, sizeof *server);
  if (!server) goto no_memory;
  *server = (http_server){.base = base, .log = log, .handler = handler, .arg = arg};
  if (limits) server->limits = *limits;
  if (access) server->access = *access;
  fill_limits(&server->limits);
  server->resume = event_new(base, -1, 0, on_resume, server);
  server->receive = malloc(HTTP_RECEIVE_SIZE);
  if (!server->resume || !server->receive || !set_timeouts(server)) goto no_memory;
  if (!open_listener(server, address, err)) goto no_listener;
  return server;
no_memory:
  hw_error_set(err, HW_ENOMEM, "out of memory for the HTTP server");
no_listener:
  http_server_free(server);
  return NULL;
}

void http_server_free(http_server *server) {
  if (!server) return;
  server->draining = false;
  while (server->conns) conn_free(server->conns);
  if (server->listener) evconnlistener_free(server->listener);
  if (server->resume) event_free(server->resume);
  outbuf_fini(&server->scratch);
  outbuf_fini(&server->head);
  free(server->receive);
  free(server);
}

void http_server_drain(http_server *server, void (*done)(void *arg), void *arg) {
  evconnlistener_disable(server->listener);
  server->drained = done;
  server->drained_arg = arg;
  for (http_conn *c = server->conns, *next; c; c = next) {
    next = c->next;
    if (c->phase == CONN_IDLE || c->phase == CONN_LINGER || c->phase == CONN_HANDSHAKE)
      conn_free(c);
    else if (c->phase == CONN_STREAM)
      stream_drain(c);
  }
  server->draining = true;
  if (!server->conns) done(arg);
}

void http_server_observe(http_server *server, http_observer *observer, void *arg) {
  server->observer = observer;
  server->observer_arg = arg;
}

uint16_t http_server_port(const http_server *server) { return server->port; }
bool http_server_is_remote(const http_server *server) { return server->remote; }
unsigned http_server_connections(const http_server *server) { return server->n_conns; }
