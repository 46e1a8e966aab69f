/* http.h - HTTP/1.x: requests in, replies out, within bounds.
 *
 * One http_server belongs to one event base and its thread; nothing here may be
 * called from any other. It knows no route and no JSON beyond the one shape of
 * an error (reply.h). How a connection lives is told in http_conn.c. */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "api/limits.h"
#include "api/outbuf.h"
#include "api/url.h"
#include "runtime/log.h"

#include <event2/event.h>
#include <http_parser.h>

typedef struct http_server http_server;
typedef struct http_request http_request;

struct http_request {
  struct http_conn *conn;
  enum http_method method;
  url_target target;
  bool has_body;           /* one is announced, perhaps of length 0 in chunks */
  uint64_t content_length; /* UINT64_MAX: not announced */
  /* What becomes of the body: data gets its pieces as they arrive (NULL: they
   * are dropped), complete is called when the request is whole. Set by the
   * server's handler; data is not called once a reply was made. */
  void (*data)(http_request *req, const char *data, size_t len);
  void (*complete)(http_request *req);
  /* Or NULL: asked whether it would rather receive the next bytes of a body that comes fast
   * from the socket itself, on whatever thread, `most` of them at most. True: the body is
   * paused, and when it is resumed the socket is the connection's again. */
  bool (*lend)(http_request *req, int fd, uint64_t most);
  /* Now and then while it is lent: the body is to be resumed, if that is not under way. So a
   * client that leaves is noticed, and one that sends nothing, while nobody receives. */
  void (*recall)(http_request *req);
  const void *route, *context; /* the handler's own */
  unsigned role;               /* likewise, as is the next: what the client may do */
  uint64_t key;                /* by which key; 0: none */
  const char *cors;            /* the origin of the page that asks, where it is one of http_access.origins */
  outbuf body;                 /* what http_collect_body has gathered */
  size_t max_body;
  /* A client that ends its side while it waits for the reply has left, so that
   * nothing is done for nobody. False: it may want to read it all the same. */
  bool leaves;
  /* private */
  bool keep_alive, expects, answered;
  uint64_t kept_us;
  uint64_t began_ns; /* when its head was whole; 0: it never was */
  bool streams, chunked, endless; /* of a reply in pieces */
  void (*gone)(void *arg);
  void *gone_arg;
  void (*room)(void *arg);
  void *room_arg;
};

/* Called for each request before its body arrives: either replies, or sets what
 * becomes of the body and of the whole. */
typedef void http_handler(void *arg, http_request *req);

/* Told of each reply, when its head is made: its status, and how long the request
 * took since its own head was whole (0: it never was). */
typedef void http_observer(void *arg, const http_request *req, unsigned status, uint64_t ns);

/* Who may reach a server, and how. Borrowed for its life; all 0: the loopback. */
typedef struct http_access {
  bool anywhere;              /* the address need not be a loopback one */
  struct http_tls *tls;       /* clients speak TLS; NULL: they do not */
  const char *const *hosts;   /* NULL-ended or NULL: names in Host headers beside the loopback's, port or none */
  const char *const *origins; /* likewise: of pages that may ask, "https://console.example" */
} http_access;

/* Listens on address ("127.0.0.1:8080", "[::1]:0", "localhost:80"). access NULL: all 0. */
http_server *http_server_new(struct event_base *base, const char *address, const http_limits *limits,
                             const http_access *access, logger *log, http_handler *handler, void *arg, hw_error *err);
/* One observer at most; before the first request. */
void http_server_observe(http_server *server, http_observer *observer, void *arg);
/* Closes every connection at once; their requests' gone is called. */
void http_server_free(http_server *server);
/* Accepts no more, lets each request that is under way have its reply, closes
 * its connection after it, and calls done when none is left. */
void http_server_drain(http_server *server, void (*done)(void *arg), void *arg);
/* Ends the streams and upgraded connections that were let in by this key. */
void http_end_streams(http_server *server, uint64_t key);
uint16_t http_server_port(const http_server *server);
bool http_server_is_remote(const http_server *server); /* others than this machine can reach it */
unsigned http_server_connections(const http_server *server);

/* The header's value, or NULL. The name's case does not matter. */
const char *http_header(const http_request *req, const char *name);
/* The query parameter's value, or NULL. */
const char *http_query(const http_request *req, const char *name);
/* Makes the body gather in req->body; more than max bytes are refused with 413. */
void http_collect_body(http_request *req, size_t max);
/* Moves the collected body to the caller, who frees it. */
outbuf http_take_body(http_request *req);

/* The reply may come later: gone(arg) is called if the client leaves before, or
 * if what remains of its body is refused. From the handler on. */
void http_defer(http_request *req, void (*gone)(void *arg), void *arg);

/* Takes no more of the body for now: data may get the rest of the piece at hand,
 * then nothing until the body is resumed, and the client's clock stands still. */
void http_body_pause(http_request *req);
/* received: bytes of it that were received by whom the socket was lent to. */
void http_body_resume(http_request *req, uint64_t received);

/* The reply, exactly once; req is over with the return. extra: whole header
 * lines, each ended by CR LF. type NULL: no body. The body is copied as far as
 * it cannot be sent at once. */
void http_reply(http_request *req, unsigned status, const char *type, const outbuf *extra, const char *body,
                size_t len);
/* A reply in pieces, of unknown length (http_stream.c). Begun like http_reply;
 * false: there is nothing to send (HEAD, or the client is gone), and req is over.
 * Otherwise gone(arg), or http_stream_end, is the end of req. endless: it ends
 * when the server does. From the handler's `complete` on. */
bool http_stream_begin(http_request *req, unsigned status, const char *type, const outbuf *extra, bool endless,
                       void (*gone)(void *arg), void *arg);
/* Sends a piece; what the socket does not take waits, so look at the backlog. */
void http_stream_send(http_request *req, const char *data, size_t len);
void http_stream_end(http_request *req);
/* The same, for one that has failed half-way: the client sees that it is not whole. */
void http_stream_abort(http_request *req);
size_t http_stream_backlog(const http_request *req); /* bytes the client has not taken */
/* room(arg) is called once when the client has taken all of it; NULL: nobody. */
void http_stream_on_room(http_request *req, void (*room)(void *arg), void *arg);

/* Replies 101 and makes the connection a two-way stream of bytes: what comes in
 * goes to req->data, http_stream_send sends. `extra` has its header lines. False
 * as with http_stream_begin. */
bool http_upgrade(http_request *req, const outbuf *extra, void (*gone)(void *arg), void *arg);

/* Replies to a browser that asks whether a page may ask; false: it does not. */
bool http_answer_preflight(http_request *req);

/* The reply will tell that it waited so long for the disk (Server-Timing: catalog);
 * 0: nothing. */
void http_set_kept(http_request *req, uint64_t us);
/* 503, from constant text. */
void http_reply_no_memory(http_request *req);
/* An empty buffer to write the body in; good until the next reply. */
outbuf *http_scratch(http_request *req);

/* A header line for `extra`; bytes of value that may not stand there become '?'. */
void http_add_header(outbuf *extra, const char *name, const char *value);

#endif
