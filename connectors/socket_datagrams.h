/* socket_datagrams.h - a bound datagram socket: each datagram is a message. One
 * thread at a time. The descriptor stays its owner's. */
#ifndef CONNECTORS_SOCKET_DATAGRAMS_H
#define CONNECTORS_SOCKET_DATAGRAMS_H

#include <headworks/connector.h>

typedef struct socket_datagrams socket_datagrams;

/* NULL: no memory. max_message: longer datagrams are dropped, counted and said. */
socket_datagrams *socket_datagrams_new(hw_connector *c, int fd, const char *name, uint64_t max_message);
hw_fetch socket_datagrams_fetch(socket_datagrams *d, const hw_fetch_args *args, hw_error *err);
void socket_datagrams_free(socket_datagrams *d); /* NULL is fine; leaves the stream to the runtime */

#endif
