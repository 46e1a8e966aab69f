#include "connectors/netbind.h"

#include "connectors/file_access.h"
#include "connectors/file_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static hw_status failed(const netaddr *a, const char *why, hw_error *err) {
  char target[300];
  netaddr_target(a, target, sizeof target);
  return hw_error_set(err, HW_EIO, "cannot listen on %s: %s", target, why);
}

static int open_socket(int family, int socktype) {
  int fd = socket(family, socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  /* So that a restart need not wait for old connections to time out. */
  if (fd >= 0 && family != AF_UNIX && socktype == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return fd;
}

static void close_keeping_errno(int fd) {
  int saved = errno;
  close(fd);
  errno = saved;
}

/* -1 and errno. */
static int bind_to(const struct sockaddr *sa, socklen_t len, int socktype) {
  int fd = open_socket(sa->sa_family, socktype);
  if (fd < 0) return -1;
  if (bind(fd, sa, len) == 0 && (socktype != SOCK_STREAM || listen(fd, SOMAXCONN) == 0)) return fd;
  close_keeping_errno(fd);
  return -1;
}

static hw_status bind_inet(netbind *b, hw_error *err) {
  const netaddr *a = b->addr;
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = netaddr_socktype(a),
                           .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list;
  int rc = getaddrinfo(a->host, a->port, &hints, &list);
  if (rc != 0) return failed(a, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc), err);
  for (const struct addrinfo *ai = list; ai && b->fd < 0; ai = ai->ai_next)
    b->fd = bind_to(ai->ai_addr, ai->ai_addrlen, ai->ai_socktype);
  int saved = errno;
  freeaddrinfo(list);
  return b->fd >= 0 ? HW_OK : failed(a, strerror(saved), err);
}

/* ---- Unix sockets ----------------------------------------------------------- */

/* The address through a descriptor of its directory, which no link leads out of. */
static hw_status place_within(netbind *b, hw_connector *c, hw_error *err) {
  char why[128], *dir = file_paths_dirname(b->addr->un.sun_path);
  if (!dir) return hw_error_set(err, HW_ENOMEM, "out of memory");
  b->dir = hw_connector_open_file(c, dir, O_PATH | O_DIRECTORY, 0);
  free(dir);
  if (b->dir < 0) return failed(b->addr, file_access_fault(errno, why, sizeof why), err);
  const char *name = strrchr(b->addr->un.sun_path, '/') + 1; /* it is absolute */
  int len = snprintf(b->un.sun_path, sizeof b->un.sun_path, "/proc/self/fd/%d/%s", b->dir, name);
  return len < (int)sizeof b->un.sun_path ? HW_OK : failed(b->addr, "its name is too long", err);
}

/* Whether the file is a socket that no process answers any more. */
static bool is_stale(const netbind *b) {
  struct stat st;
  if (lstat(b->un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) return false;
  int fd = open_socket(AF_UNIX, netaddr_socktype(b->addr));
  if (fd < 0) return false;
  bool refused = connect(fd, (const void *)&b->un, sizeof b->un) != 0 && errno == ECONNREFUSED;
  close(fd);
  return refused;
}

static hw_status bind_unix(netbind *b, hw_connector *c, hw_error *err) {
  const netaddr *a = b->addr;
  const struct sockaddr *sa = (const void *)&b->un;
  b->un = a->un;
  hw_status status = hw_connector_is_confined(c) ? place_within(b, c, err) : HW_OK;
  if (status != HW_OK) return status;
  b->fd = bind_to(sa, sizeof b->un, netaddr_socktype(a));
  if (b->fd < 0 && errno == EADDRINUSE) {
    if (!is_stale(b)) return failed(a, "the file exists and is not a socket that was left behind", err);
    if (unlink(b->un.sun_path) == 0) b->fd = bind_to(sa, sizeof b->un, netaddr_socktype(a));
  }
  if (b->fd < 0) return failed(a, strerror(errno), err);
  struct stat st;
  if (lstat(b->un.sun_path, &st) == 0) {
    b->dev = st.st_dev;
    b->ino = st.st_ino;
  }
  return HW_OK;
}

/* Only our own: another process may have replaced it meanwhile. */
static void unlink_own(const netbind *b) {
  struct stat st;
  const char *path = b->un.sun_path;
  if (lstat(path, &st) == 0 && st.st_ino == b->ino && st.st_dev == b->dev) unlink(path);
}

static void close_dir(netbind *b) {
  if (b->dir >= 0) close(b->dir);
  b->dir = -1;
}

hw_status netbind_open(netbind *b, hw_connector *c, const netaddr *addr, hw_error *err) {
  *b = (netbind){.fd = -1, .dir = -1, .addr = addr};
  hw_status status = netaddr_is_unix(addr) ? bind_unix(b, c, err) : bind_inet(b, err);
  if (status != HW_OK) {
    close_dir(b);
    return status;
  }
  if (netaddr_is_unix(addr)) {
    netaddr_target(addr, b->name, sizeof b->name);
    return HW_OK;
  }
  struct sockaddr_storage sa;
  socklen_t len = sizeof sa;
  if (getsockname(b->fd, (struct sockaddr *)&sa, &len) != 0) {
    status = failed(addr, strerror(errno), err);
    netbind_close(b);
    return status;
  }
  netaddr_format((const struct sockaddr *)&sa, len, b->name);
  return HW_OK;
}

void netbind_close(netbind *b) {
  if (b->fd < 0) return;
  if (netaddr_is_unix(b->addr)) unlink_own(b);
  close(b->fd);
  b->fd = -1;
  close_dir(b);
}
