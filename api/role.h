/* role.h - what a client may do: each role may all that those before it may. */
#ifndef API_ROLE_H
#define API_ROLE_H

#include <stdbool.h>

typedef enum api_role {
  ROLE_NONE,  /* of a route: open to everybody; of a client: it has shown nothing */
  ROLE_READ,  /* looks */
  ROLE_WRITE, /* makes, runs and changes pipelines, their rows, and keys */
  ROLE_ADMIN, /* above every key: manages users, where there are some */
  ROLE_OWNER, /* whoever reaches a server that asks for no keys */
} api_role;

const char *api_role_name(api_role role);                  /* "read"; of ROLE_NONE "none" */
bool api_role_parse(const char *name, api_role *out);      /* false: no role has this name; ROLE_NONE has none */

#endif
