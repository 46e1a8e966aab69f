/* netbind.h - sockets that wait for others at an address. */
#ifndef CONNECTORS_NETBIND_H
#define CONNECTORS_NETBIND_H

#include "connectors/netaddr.h"

#include <headworks/connector.h>

#include <sys/types.h>

typedef struct netbind {
  int fd;                      /* non-blocking; -1: none */
  char name[NETADDR_TEXT_MAX]; /* where it really is, port 0 resolved */
  dev_t dev;                   /* of the socket file, which goes when it is closed */
  ino_t ino;
  struct sockaddr_un un;       /* how the socket file is reached: where files are confined, through dir */
  int dir;                     /* its directory; -1: not needed */
  const netaddr *addr;
} netbind;

/* Binds (and listens, for the listening kinds). Resolves the host: may block. A
 * Unix socket file that nobody answers is replaced; any other file is not.
 * It lies where c's files may. addr is borrowed until netbind_close. */
hw_status netbind_open(netbind *b, hw_connector *c, const netaddr *addr, hw_error *err);
void netbind_close(netbind *b);

#endif
