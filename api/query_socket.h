/* query_socket.h - ad-hoc queries over WebSocket (RFC 6455). */
#ifndef API_QUERY_SOCKET_H
#define API_QUERY_SOCKET_H

#include "api/query_reply.h"

/* Whether the request asks for a WebSocket. */
bool query_socket_is_asked(const http_request *req);
/* Makes the connection one, or refuses: 400 for a handshake that is not one. */
void query_socket_open(const api_call *call);

/* query.c: 400 for a format that is not offered. */
void query_refuse_format(http_request *req, const char *name);

#endif
