/* auth.c - which client is let in to which route.
 *
 * The key is looked at before the body arrives, so nobody without one makes the
 * server hold or parse anything. What a key may not do is told by the roles
 * alone, not by whether the thing asked for is there. */
#include "api/auth.h"

#include <strings.h>

static void refuse(http_request *req, const char *why) {
  outbuf extra = {0};
  http_add_header(&extra, "WWW-Authenticate", "Bearer realm=\"headworks\"");
  reply_error_with(req, 401, "InvalidApiKey", NULL, &extra, "%s; send the header Authorization: Bearer apikey:...",
                   why);
  outbuf_fini(&extra);
}

/* The token behind "Bearer "; NULL: the header is another. */
static const char *bearer(const char *header) {
  if (strncasecmp(header, "Bearer ", 7) != 0) return NULL;
  return header + 7 + strspn(header + 7, " ");
}

static bool let_in(const api_context *context, http_request *req) {
  const char *header = http_header(req, "Authorization");
  if (!header) {
    refuse(req, "this server asks for an API key");
    return false;
  }
  const char *token = bearer(header);
  const api_key *key = token ? keys_match(context->keys, token, strlen(token)) : NULL;
  if (!key) {
    refuse(req, token ? "this is no API key of this server, or it was deleted" : "only API keys are known here");
    return false;
  }
  req->role = key->role;
  req->key = key->serial;
  return true;
}

bool auth_check(const api_context *context, http_request *req, api_role needed) {
  req->role = context->auth ? ROLE_NONE : ROLE_OWNER;
  if (needed == ROLE_NONE || !context->auth) return true;
  if (!let_in(context, req)) return false;
  if (req->role >= (unsigned)needed) return true;
  const reply_detail details[] = {
      {"required_role", api_role_name(needed)}, {"role", api_role_name((api_role)req->role)}, {NULL, NULL}};
  reply_error(req, 403, "InsufficientPermissions", details,
              "this needs the role '%s', and the API key has '%s'; use another key", api_role_name(needed),
              api_role_name((api_role)req->role));
  return false;
}
