/* router.h - which handler answers which request. */
#ifndef API_ROUTER_H
#define API_ROUTER_H

#include "api/call.h"

/* For http_server_new; arg is the api_context. Checks path, method, query
 * parameters, type and size of the body, then calls the route's handler. */
void router_handle(void *arg, http_request *req);

#endif
