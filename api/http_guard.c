/* http_guard.c - which names this server answers to, and pages of which origins
 * may ask it.
 *
 * DESIGN
 * A browser carries out what any page tells it, on this machine's behalf and behind
 * its firewall. Two headers that pages cannot choose say what it does: Host names
 * the server that the page means (a foreign name that was made to point here,
 * "rebinding", stays foreign), Origin the page's own server.
 *
 * Host must be this machine's loopback with the port listened on, or a name that
 * the operator gave. A server that listens elsewhere also answers to addresses: an
 * address in Host cannot have been rebound.
 * Origin, where there is one, must be this server itself: as Host names it, or by
 * another name of the loopback. Origins that the operator gave may ask as well, and
 * only they get the headers by which a browser shows its page the reply. */
#include "api/http_conn.h"

#include "api/reply.h"

#include <stdio.h>
#include <strings.h>

/* Each check replies and returns false when the request is refused. */

/* ---- Host ------------------------------------------------------------------ */

static bool is_allowed_name(const http_server *server, const char *host, size_t len) {
  size_t name = url_name_length(host, len);
  for (const char *const *known = server->access.hosts; known && *known; known++) {
    size_t n = strlen(*known);
    bool with_port = url_name_length(*known, n) < n;
    if (n == (with_port ? len : name) && strncasecmp(*known, host, n) == 0) return true;
  }
  return false;
}

static bool is_own_name(const http_server *server, const char *host, size_t len) {
  if (url_host_is_local(host, len, server->port) || is_allowed_name(server, host, len)) return true;
  return server->remote && url_host_is_address(host, len);
}

static bool refuse_host(http_request *req, const char *host, size_t len) {
  const http_server *server = req->conn->server;
  reply_error(req, 403, "ForeignHost", NULL,
              "this server answers to localhost, 127.0.0.0/8 and [::1] with port %u%s and to names given by "
              "--allowed-host, not to \"%.*s\"",
              server->port, server->remote ? ", to addresses" : "", (int)(len < 100 ? len : 100), host);
  return false;
}

bool guard_host(http_request *req) {
  const http_conn *c = req->conn;
  unsigned n = count_headers(c, "Host");
  if (n > 1 || (n == 0 && c->parser.http_minor == 1)) {
    reply_error(req, 400, "MalformedRequest", NULL, n ? "more than one Host header" : "the Host header is missing");
    return false;
  }
  const char *host = http_header(req, "Host");
  if (host && !is_own_name(c->server, host, strlen(host))) return refuse_host(req, host, strlen(host));
  const url_target *target = &req->target;
  if (target->authority && !is_own_name(c->server, target->authority, target->authority_len))
    return refuse_host(req, target->authority, target->authority_len);
  return true;
}

/* ---- Origin ----------------------------------------------------------------- */

static bool is_same_origin(const http_request *req, const char *origin) {
  const http_server *server = req->conn->server;
  const char *host = http_header(req, "Host"), *scheme = server->access.tls ? "https://" : "http://";
  size_t len = strlen(scheme);
  if (strncmp(origin, scheme, len) != 0) return false;
  if (host && strcasecmp(origin + len, host) == 0) return true;
  return url_authority_is_local(origin + len, server->port, server->access.tls ? 443 : 80);
}

static const char *find_allowed(const http_server *server, const char *origin) {
  for (const char *const *known = server->access.origins; known && *known; known++)
    if (strcasecmp(*known, origin) == 0) return *known;
  return NULL;
}

bool guard_origin(http_request *req) {
  const http_conn *c = req->conn;
  const char *origin = http_header(req, "Origin");
  if (!origin) return true;
  bool one = count_headers(c, "Origin") == 1;
  if (one && is_same_origin(req, origin)) return true;
  if (one && (req->cors = find_allowed(c->server, origin))) return true;
  reply_error(req, 403, "ForeignOrigin", NULL,
              "requests from pages of \"%.100s\" are refused; --cors-origin lets them in", origin);
  return false;
}

/* ---- CORS ------------------------------------------------------------------- */

void guard_add_cors(const http_request *req, outbuf *head) {
  if (!req->cors) {
    if (req->conn->server->access.origins) outbuf_add_str(head, "Vary: Origin\r\n");
    return;
  }
  outbuf_printf(head,
                "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
                "Access-Control-Expose-Headers: Headworks-Epoch, Headworks-Position, Headworks-Total-Records\r\n",
                req->cors);
}

bool http_answer_preflight(http_request *req) {
  if (!req->cors || req->method != HTTP_OPTIONS || !http_header(req, "Access-Control-Request-Method")) return false;
  outbuf extra = {0};
  http_add_header(&extra, "Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
  http_add_header(&extra, "Access-Control-Allow-Headers", "Authorization, Content-Type, Content-Encoding");
  http_add_header(&extra, "Access-Control-Max-Age", "600");
  reply_empty(req, 200, &extra);
  outbuf_fini(&extra);
  return true;
}
