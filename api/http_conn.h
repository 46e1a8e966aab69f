/* http_conn.h - the inside of HTTP connections, shared by http_*.c. */
#ifndef API_HTTP_CONN_H
#define API_HTTP_CONN_H

#include "api/http.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event_struct.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <openssl/ssl.h>

#define HTTP_INPUT_MAX (64 * 1024)   /* bytes that may wait before more is read */
#define HTTP_RECEIVE_SIZE (256 * 1024) /* bytes of a body read at a time */
#define HTTP_HEAD_KEPT 2048        /* bytes of head buffer an idle connection keeps */
#define HTTP_SCRATCH_KEPT (1 << 20)

/*   accepted ─▸ IDLE ─▸ HEAD ─▸ BODY ─▸ BUSY ─▸ STREAM ─▸ FLUSH ─▸ IDLE
 *                │        │       │       │        │        │
 *                └────────┴───────┴───────┴────────┴────────┴─▸ CLOSING ─▸ LINGER ─▸ freed
 * A connection that speaks TLS begins in HANDSHAKE, and goes on to IDLE.
 * HEAD goes straight to BUSY when there is no body, BUSY to FLUSH when the reply
 * is whole, and on to IDLE when it went out at once. Every phase may end in
 * freed. */
typedef enum conn_phase {
  CONN_IDLE,    /* between requests */
  CONN_HEAD,    /* a request line or its headers are arriving */
  CONN_BODY,    /* its body is arriving */
  CONN_BUSY,    /* it is whole; its reply is being made */
  CONN_STREAM,  /* its reply is going out in pieces; or, upgraded, bytes go both ways */
  CONN_FLUSH,   /* replied; the client has not taken all of it */
  CONN_CLOSING, /* the last reply is being taken */
  CONN_LINGER,  /* shut for writing: what still comes is read and dropped, or the client would see a reset */
  CONN_HANDSHAKE, /* before the first request: who speaks, and with which keys */
} conn_phase;
#define CONN_PHASES 9

typedef struct http_span {
  unsigned name, value; /* offsets in head */
} http_span;

typedef struct http_conn {
  http_server *server;
  struct http_conn *next, **link; /* in the server's list */
  struct bufferevent *bev;
  SSL *tls; /* the bufferevent's; NULL: none */
  int fd;
  struct in6_addr client; /* IPv4 mapped; of IPv6 the network */
  conn_phase phase;
  int armed;      /* phase the timer runs for, -1: none */
  bool dead;      /* to be freed when the stack has unwound */
  bool ended;     /* the client sends no more */
  bool whole;     /* the parser has come to the end of a request */
  bool refused;   /* over max_connections: got its 503 */
  bool held;      /* not read from: enough waits */
  bool trailers;  /* headers now come after the body */
  bool paused;    /* the body is not taken for now */
  bool flows;     /* the last read of the body brought much */
  bool lent;      /* the socket is: others receive from it, and what is parsed of the body they have had */
  bool upgraded;  /* what comes in is no HTTP any more */
  enum { PART_NONE, PART_NAME, PART_VALUE } part; /* of a header: what the parser gave last */
  unsigned depth; /* entries on the stack */
  size_t backlog; /* counted in server->backlog */
  size_t lingered;
  uint64_t streamed, taken; /* bytes given to a stream, and those that the client had taken when its timer was armed */
  struct event timer;
  http_parser parser;
  http_request request;
  unsigned head_bytes; /* of headers and trailers, seen so far */
  unsigned url_len;
  unsigned n_headers;
  outbuf head; /* URL, then names and values, each terminated */
  http_span headers[HTTP_MAX_HEADERS];
} http_conn;

struct http_server {
  struct event_base *base;
  struct evconnlistener *listener;
  struct event *resume; /* accepts again some time after descriptors ran out */
  uint16_t port;
  http_limits limits;
  http_access access;
  bool remote; /* listens on an address that is not a loopback one */
  const struct timeval *timeouts[CONN_PHASES]; /* NULL: the phase has none */
  const struct timeval *recall_every;
  logger *log;
  http_handler *handler;
  void *arg;
  http_observer *observer; /* or NULL */
  void *observer_arg;
  http_conn *conns;
  unsigned n_conns, n_refused; /* refused ones are counted apart */
  size_t bodies, backlog;
  outbuf scratch, head;
  char *receive; /* HTTP_RECEIVE_SIZE bytes, for one read */
  char date[40];
  int64_t date_second;
  bool draining;
  void (*drained)(void *arg);
  void *drained_arg;
};

/* Takes the socket over in every case. */
void conn_open(http_server *server, evutil_socket_t fd, const struct in6_addr *client, bool refuse);
void conn_free(http_conn *c);
/* Every way in from the event loop is bracketed by these: the connection may be
 * freed in the last leave. */
void conn_enter(http_conn *c);
void conn_leave(http_conn *c);
void conn_set_phase(http_conn *c, conn_phase phase);
/* Parses what has arrived as far as it may be. */
void conn_process(http_conn *c);
/* Sends bytes; what the socket does not take waits in the connection. */
void conn_send(http_conn *c, struct iovec *parts, int n);
size_t conn_unsent(const http_conn *c);
/* Tells the handler that waits for the request at hand, if one does, that it is over. */
void conn_abandon(http_conn *c);
/* After a reply was sent: what comes next. */
void conn_replied(http_conn *c, bool keep_alive);

/* TLS (http_conn_tls.c). */
struct bufferevent *tls_open(http_server *server, evutil_socket_t fd, SSL **session); /* NULL: no memory */
void tls_say_goodbye(http_conn *c);      /* nothing more is sent */
void tls_handshake_failed(http_conn *c); /* it is dead with the return */

/* The head of a reply, in the server's buffer (http_reply.c). */
void reply_head_begin(const http_request *req, unsigned status);
void reply_head_end(const http_request *req, const char *type, const outbuf *extra);
/* It is made: for the log and the observer. */
void reply_note(const http_request *req, unsigned status, size_t len);

/* Streams (http_stream.c). */
void stream_input(http_conn *c);   /* what arrived while one goes on */
void stream_emptied(http_conn *c); /* the client has taken all */
void stream_drain(http_conn *c);   /* the server is to stop */

/* Who may ask (http_guard.c); false: refused, and replied so. */
bool guard_host(http_request *req);
bool guard_origin(http_request *req);
void guard_add_cors(const http_request *req, outbuf *head); /* the lines for req's origin */

/* Parsing (http_parse.c). */
void parse_init(http_conn *c);
/* Parses up to the end of the request at most; returns the bytes taken. When the
 * text is no HTTP, it has been replied to. */
size_t parse_some(http_conn *c, const char *data, size_t len);
/* len bytes of the body at hand, of known length and longer than that, were received elsewhere. */
void parse_over(http_conn *c, uint64_t len);
/* The client has ended in the middle of a request. */
void parse_cut_short(http_conn *c);
unsigned count_headers(const http_conn *c, const char *name);
/* Frees what the request has gathered. */
void parse_release(http_conn *c);

#endif
