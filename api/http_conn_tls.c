/* http_conn_tls.c - what is different about a connection that speaks TLS: its
 * first phase, its last words, and clients that do not speak it.
 *
 * The bufferevent does the work between; everything goes through its buffers, as
 * nothing can be put on the socket past the session. A handshake is a phase of its
 * own with its own time, which no byte prolongs. */
#include "api/http_conn.h"

#include "api/http_tls.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/socket.h>

static const char plain_body[] =
    "{\"message\":\"this port speaks TLS, and the request came without; write https://\","
    "\"error_code\":\"TlsRequired\",\"details\":{}}";

struct bufferevent *tls_open(http_server *server, evutil_socket_t fd, SSL **session) {
  *session = http_tls_session(server->access.tls);
  if (!*session) return NULL;
  struct bufferevent *bev = bufferevent_openssl_socket_new(server->base, fd, *session, BUFFEREVENT_SSL_ACCEPTING,
                                                           BEV_OPT_CLOSE_ON_FREE);
  if (!bev) {
    SSL_free(*session);
    return NULL;
  }
  bufferevent_openssl_set_allow_dirty_shutdown(bev, 1); /* HTTP itself tells what was cut short */
  return bev;
}

void tls_say_goodbye(http_conn *c) {
  if (!c->tls || !SSL_is_init_finished(c->tls)) return;
  ERR_clear_error();
  (void)SSL_shutdown(c->tls); /* one alert; whether it arrives is not known, nor does it matter */
  ERR_clear_error();
}

/* The answer to a plain request, in the one shape of an error. What the client has
 * sent is read, or it would see a reset instead. */
static void answer_plain(const http_conn *c) {
  char text[512], drop[4096];
  int len = snprintf(text, sizeof text,
                     "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n%s",
                     sizeof plain_body - 1, plain_body);
  if (send(c->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT) != len) return;
  (void)shutdown(c->fd, SHUT_WR);
  for (int i = 0; i < 16 && recv(c->fd, drop, sizeof drop, MSG_DONTWAIT) > 0; i++) continue;
}

void tls_handshake_failed(http_conn *c) {
  unsigned long fault, first = 0;
  while ((fault = bufferevent_get_openssl_error(c->bev)))
    if (!first) first = fault;
  logger *log = c->server->log;
  if (log && log->level >= HW_LOG_DEBUG)
    logger_write(log, HW_LOG_DEBUG, "api", "a TLS handshake failed: %s",
                 first ? ERR_reason_error_string(first) : "the client left");
  if (ERR_GET_LIB(first) == ERR_LIB_SSL && ERR_GET_REASON(first) == SSL_R_HTTP_REQUEST) answer_plain(c);
  c->dead = true;
}
