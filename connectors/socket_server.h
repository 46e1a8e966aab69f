/* socket_server.h - a listening socket and its clients. One thread at a time. */
#ifndef CONNECTORS_SOCKET_SERVER_H
#define CONNECTORS_SOCKET_SERVER_H

#include "connectors/netbind.h"
#include "connectors/socket_peer.h"

typedef struct socket_server socket_server;

/* listener and framing are borrowed. NULL and *err. */
socket_server *socket_server_new(hw_connector *c, const netbind *listener, const socket_framing *framing,
                                 unsigned max_clients, hw_error *err);
hw_fetch socket_server_fetch(socket_server *s, const hw_fetch_args *args, hw_error *err);
void socket_server_free(socket_server *s); /* NULL is fine */

#endif
