/* auth.h - which client is let in to which route. On the API thread. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/call.h"

/* Sets req->role and req->key by the request's Authorization header; false: it
 * shows no key, a wrong one, or one that may less than `needed`, and 401 or 403
 * was replied. Without --auth everybody is let in as owner. */
bool auth_check(const api_context *context, http_request *req, api_role needed);

#endif
