/* DESIGN
 * Problem: thousands of clients, of which few have sent something; nobody may
 * take the turn of others; while the connector is held nothing is read, so that
 * the kernel's buffers fill and push back.
 * Structure: the listener and all clients are in an epoll instance of the
 * connector's own, and the runtime waits for that one descriptor. A fetch asks it
 * who is ready, and takes one bounded piece from each: level-triggered events
 * are given out in turns, so nobody starves. Events that a fetch had no time
 * for come again.
 * Guarantees: a client that ends cleanly has its last line taken even without a
 * newline; one that is reset has not.
 * When descriptors run out, or there are max_clients, the listener is taken out
 * of the set: clients wait in the kernel's queue. */
#include "connectors/socket_server.h"
#include "connectors/clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 64
#define ACCEPTS_PER_TURN 64
#define OUT_OF_FDS_NS UINT64_C(1000000000)

typedef struct client {
  socket_peer *peer;
  struct client *next, **prev;
} client;

struct socket_server {
  hw_connector *c;
  const netbind *listener;
  const socket_framing *framing;
  unsigned max_clients, n_clients;
  uint64_t accepted;      /* ever; numbers clients without a name */
  int epoll;
  bool listening;         /* the listener is in the set */
  uint64_t listen_again_ns; /* after descriptors ran out; 0: not waiting for that */
  client *clients;
  client *unfinished;     /* found no room; may hold bytes that epoll knows nothing of any more */
};

/* ---- clients ---------------------------------------------------------------- */

static bool listen_set(socket_server *s, bool on) {
  if (s->listening == on) return true;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(s->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, s->listener->fd, &event) != 0) return false;
  s->listening = on;
  return true;
}

static void unlink_client(socket_server *s, client *cl) {
  *cl->prev = cl->next;
  if (cl->next) cl->next->prev = cl->prev;
  s->n_clients--;
  free(cl);
}

static void close_client(socket_server *s, client *cl, bool complete) {
  if (s->unfinished == cl) s->unfinished = NULL;
  close(socket_peer_fd(cl->peer)); /* leaves the epoll set, too: there is no other descriptor of it */
  socket_peer_close(cl->peer, complete);
  unlink_client(s, cl);
  if (!s->listen_again_ns) listen_set(s, true);
}

static void name_client(socket_server *s, const struct sockaddr *sa, socklen_t len, char name[NETADDR_TEXT_MAX]) {
  s->accepted++;
  if (sa->sa_family == AF_UNIX)
    snprintf(name, NETADDR_TEXT_MAX, "client %llu of %.100s", (unsigned long long)s->accepted, s->listener->name);
  else netaddr_format(sa, len, name);
}

static bool add_client(socket_server *s, int fd, const char *name) {
  client *cl = calloc(1, sizeof *cl);
  if (!cl) return false;
  cl->peer = socket_peer_new(s->c, fd, name, s->framing);
  if (!cl->peer) goto no_peer;
  struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = cl};
  if (epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0) goto no_event;
  cl->next = s->clients;
  cl->prev = &s->clients;
  if (cl->next) cl->next->prev = &cl->next;
  s->clients = cl;
  s->n_clients++;
  return true;
no_event:
  socket_peer_close(cl->peer, false);
no_peer:
  free(cl);
  return false;
}

/* ---- accepting -------------------------------------------------------------- */

/* Faults that are the client's alone do not matter to anybody else. */
static bool is_shortage(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

static void rest_from_accepting(socket_server *s, int error) {
  hw_connector_log(s->c, HW_LOG_WARNING, "cannot accept on %s: %s; clients wait", s->listener->name, strerror(error));
  listen_set(s, false);
  s->listen_again_ns = connectors_now_ns() + OUT_OF_FDS_NS;
}

/* False: nobody is waiting, or nobody can be taken in. */
static bool accept_one(socket_server *s) {
  struct sockaddr_storage sa = {.ss_family = AF_UNSPEC};
  socklen_t len = sizeof sa;
  int fd = accept4(s->listener->fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    int error = errno;
    if (is_shortage(error)) rest_from_accepting(s, error);
    return error == EINTR || error == ECONNABORTED;
  }
  int on = 1;
  char name[NETADDR_TEXT_MAX];
  if (sa.ss_family != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on); /* to notice dead hosts */
  name_client(s, (const struct sockaddr *)&sa, len, name);
  if (add_client(s, fd, name)) return true;
  close(fd);
  rest_from_accepting(s, ENOMEM);
  return false;
}

static void accept_clients(socket_server *s) {
  for (int i = 0; i < ACCEPTS_PER_TURN && s->n_clients < s->max_clients; i++)
    if (!accept_one(s)) break;
  if (s->n_clients >= s->max_clients) listen_set(s, false);
}

/* ---- fetching --------------------------------------------------------------- */

/* False: no room, the turn ends. */
static bool serve(socket_server *s, client *cl, size_t *used, hw_error *err) {
  size_t moved;
  peer_step step = socket_peer_step(cl->peer, &moved, err);
  *used += moved;
  s->unfinished = step == PEER_YIELD ? cl : NULL;
  if (step == PEER_LOST) hw_connector_log(s->c, HW_LOG_WARNING, "%s", err->message);
  if (step == PEER_LOST || step == PEER_END) close_client(s, cl, step == PEER_END);
  return step != PEER_YIELD;
}

static hw_fetch wait_for_events(socket_server *s, hw_error *err) {
  if (s->listen_again_ns) {
    uint64_t now = connectors_now_ns();
    hw_connector_wait_us(s->c, s->listen_again_ns > now ? (s->listen_again_ns - now) / 1000 + 1 : 1);
  }
  if (hw_connector_wait_fd(s->c, s->epoll, HW_READABLE) == HW_OK) return HW_FETCH_WAIT;
  hw_error_set(err, HW_EIO, "cannot wait for clients of %s", s->listener->name);
  return HW_FETCH_RETRY;
}

static void listen_again(socket_server *s) {
  if (!s->listen_again_ns || connectors_now_ns() < s->listen_again_ns) return;
  s->listen_again_ns = 0;
  if (s->n_clients < s->max_clients) listen_set(s, true);
}

hw_fetch socket_server_fetch(socket_server *s, const hw_fetch_args *args, hw_error *err) {
  listen_again(s);
  size_t used = 0;
  if (s->unfinished && !serve(s, s->unfinished, &used, err)) return HW_FETCH_MORE;
  while (used < args->max_bytes) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(s->epoll, events, EVENTS, 0);
    if (n < 0 && errno != EINTR) {
      hw_error_set(err, HW_EIO, "cannot wait for clients of %s: %s", s->listener->name, strerror(errno));
      return HW_FETCH_RETRY;
    }
    if (n == 0) return wait_for_events(s, err);
    for (int i = 0; i < n && used < args->max_bytes; i++) {
      if (!events[i].data.ptr) accept_clients(s);
      else if (!serve(s, events[i].data.ptr, &used, err)) return HW_FETCH_MORE;
    }
  }
  return HW_FETCH_MORE;
}

/* ---- life ------------------------------------------------------------------- */

socket_server *socket_server_new(hw_connector *c, const netbind *listener, const socket_framing *framing,
                                 unsigned max_clients, hw_error *err) {
  socket_server *s = calloc(1, sizeof *s);
  if (!s) goto no_memory;
  s->c = c;
  s->listener = listener;
  s->framing = framing;
  s->max_clients = max_clients;
  s->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (s->epoll < 0 || !listen_set(s, true)) goto failed;
  return s;
failed:
  hw_error_set(err, HW_EIO, "cannot listen on %s: %s", listener->name, strerror(errno));
  socket_server_free(s);
  return NULL;
no_memory:
  hw_error_set(err, HW_ENOMEM, "out of memory");
  return NULL;
}

void socket_server_free(socket_server *s) {
  if (!s) return;
  while (s->clients) {
    client *cl = s->clients;
    close(socket_peer_fd(cl->peer));
    socket_peer_free(cl->peer);
    unlink_client(s, cl);
  }
  if (s->epoll >= 0) {
    hw_connector_forget_fd(s->c, s->epoll);
    close(s->epoll);
  }
  free(s);
}
