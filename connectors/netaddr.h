/* netaddr.h - where a socket connects to or listens: the `address` option. */
#ifndef CONNECTORS_NETADDR_H
#define CONNECTORS_NETADDR_H

#include <stdbool.h>
#include <stddef.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <headworks/status.h>

typedef enum netaddr_kind {
  NETADDR_TCP_LISTEN,  /* tcp-listen://host:port */
  NETADDR_TCP,         /* tcp://host:port */
  NETADDR_UDP,         /* udp://host:port */
  NETADDR_UNIX_LISTEN, /* unix-listen:///path */
  NETADDR_UNIX,        /* unix:///path */
  NETADDR_UNIXGRAM,    /* unixgram:///path */
} netaddr_kind;

#define NETADDR_BIT(kind) (1u << (kind))
#define NETADDR_TEXT_MAX 160 /* bytes of an address as text, terminator included */

typedef struct netaddr {
  netaddr_kind kind;
  char host[256]; /* "127.0.0.1" where none is given */
  char port[6];   /* digits */
  struct sockaddr_un un;
} netaddr;

/* `kinds`: NETADDR_BIT of those that are allowed. A host is a name, an IPv4
 * address or an IPv6 address in brackets. Port 0 only where it is bound. */
hw_status netaddr_parse(const char *text, unsigned kinds, bool binds, netaddr *out, hw_error *err);

static inline bool netaddr_is_unix(const netaddr *a) { return a->kind >= NETADDR_UNIX_LISTEN; }
static inline int netaddr_socktype(const netaddr *a) {
  return a->kind == NETADDR_UDP || a->kind == NETADDR_UNIXGRAM ? SOCK_DGRAM : SOCK_STREAM;
}

/* "127.0.0.1:5123", "[::1]:5123", "/run/x.sock"; "unnamed" for a Unix socket without a path. */
void netaddr_format(const struct sockaddr *sa, socklen_t len, char text[NETADDR_TEXT_MAX]);
/* The address as it was written, without its scheme. */
void netaddr_target(const netaddr *a, char *text, size_t size);

#endif
