/* DESIGN
 * A connection is made by a chain of steps, each of which returns at once but
 * for the resolution of a host's name: resolve, then try each address in turn
 * with a non-blocking connect and a time limit. Numeric addresses and Unix
 * sockets never block. The growing delay between attempts is the runtime's. */
#include "connectors/netdial.h"
#include "connectors/clock.h"
#include "connectors/file_access.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ATTEMPT_NS UINT64_C(10000000000)

void netdial_init(netdial *d, hw_connector *c, const netaddr *addr) { *d = (netdial){.c = c, .addr = addr, .fd = -1}; }

static void close_socket(netdial *d) {
  if (d->fd < 0) return;
  hw_connector_forget_fd(d->c, d->fd);
  close(d->fd);
  d->fd = -1;
}

void netdial_reset(netdial *d) {
  close_socket(d);
  if (d->list) freeaddrinfo(d->list);
  d->list = d->at = NULL;
  d->connected = false;
}

static netdial_step fail(netdial *d, const char *why, hw_error *err) {
  char target[300];
  netaddr_target(d->addr, target, sizeof target);
  hw_error_set(err, HW_EIO, "cannot connect to %s: %s", target, why);
  netdial_reset(d);
  return NETDIAL_FAILED;
}

static netdial_step up(netdial *d) {
  int on = 1;
  if (d->addr->kind == NETADDR_TCP) {
    setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* whole buffers are written, nothing to gather */
    setsockopt(d->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  d->connected = true;
  return NETDIAL_UP;
}

static int resolve(netdial *d, int flags) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = netaddr_socktype(d->addr),
                           .ai_flags = AI_NUMERICSERV | flags};
  int rc = getaddrinfo(d->addr->host, d->addr->port, &hints, &d->list);
  if (rc != 0) d->list = NULL;
  d->at = d->list;
  return rc;
}

static netdial_step wait_connected(netdial *d, hw_error *err) {
  uint64_t now = connectors_now_ns();
  if (hw_connector_wait_fd(d->c, d->fd, HW_WRITABLE) != HW_OK) return fail(d, "cannot wait for the connection", err);
  hw_connector_wait_us(d->c, d->give_up_ns > now ? (d->give_up_ns - now) / 1000 + 1 : 1);
  return NETDIAL_WAIT;
}

/* 0: connected; EINPROGRESS; any other errno: failed. */
static int start(netdial *d, const struct sockaddr *sa, socklen_t len) {
  d->fd = socket(sa->sa_family, netaddr_socktype(d->addr) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (d->fd < 0) return errno;
  d->give_up_ns = connectors_now_ns() + ATTEMPT_NS;
  return connect(d->fd, sa, len) == 0 ? 0 : errno;
}

/* Where files are confined, through a descriptor of the socket's file, which no
 * link leads out of. As start. */
static int start_unix(netdial *d) {
  struct sockaddr_un un = d->addr->un;
  if (!hw_connector_is_confined(d->c)) return start(d, (const void *)&un, sizeof un);
  int file = hw_connector_open_file(d->c, un.sun_path, O_PATH, 0);
  if (file < 0) return errno;
  snprintf(un.sun_path, sizeof un.sun_path, "/proc/self/fd/%d", file);
  int error = start(d, (const void *)&un, sizeof un);
  close(file);
  return error;
}

static netdial_step dial_unix(netdial *d, hw_error *err) {
  char why[128];
  int error = start_unix(d);
  if (error == 0) return up(d);
  return fail(d, error == EAGAIN ? "its queue of connections is full" : file_access_fault(error, why, sizeof why), err);
}

/* Tries address after address; the last one's fault is reported. */
static netdial_step dial_next(netdial *d, int error, hw_error *err) {
  while (d->at) {
    const struct addrinfo *ai = d->at;
    d->at = ai->ai_next;
    close_socket(d);
    error = start(d, ai->ai_addr, ai->ai_addrlen);
    if (error == 0) return up(d);
    if (error == EINPROGRESS) return wait_connected(d, err);
  }
  return fail(d, strerror(error), err);
}

static netdial_step check_attempt(netdial *d, hw_error *err) {
  struct pollfd p = {.fd = d->fd, .events = POLLOUT};
  if (poll(&p, 1, 0) <= 0) {
    if (connectors_now_ns() < d->give_up_ns) return wait_connected(d, err);
    return dial_next(d, ETIMEDOUT, err);
  }
  int error = 0;
  socklen_t len = sizeof error;
  if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) error = errno;
  return error == 0 ? up(d) : dial_next(d, error, err);
}

static netdial_step begin(netdial *d, bool may_block, hw_error *err) {
  if (netaddr_is_unix(d->addr)) return dial_unix(d, err);
  int rc = resolve(d, AI_NUMERICHOST);
  if (rc == EAI_NONAME && !may_block) return NETDIAL_BLOCK;
  if (rc == EAI_NONAME) rc = resolve(d, 0);
  if (rc != 0) return fail(d, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc), err);
  return dial_next(d, 0, err);
}

netdial_step netdial_run(netdial *d, bool may_block, hw_error *err) {
  if (d->connected) return NETDIAL_UP;
  return d->fd >= 0 ? check_attempt(d, err) : begin(d, may_block, err);
}
