/* tls.h - a client's side of TLS: whose certificates are believed. */
#ifndef CLI_TLS_H
#define CLI_TLS_H

#include "cli/cli.h"

#include <event2/bufferevent.h>

typedef struct tls_trust tls_trust;

/* By --ca and HEADWORKS_CA, else what the system trusts. NULL: said. */
tls_trust *tls_trust_open(const cli_call *call);
void tls_trust_close(tls_trust *trust);
/* A connection to be made to host, whose certificate must be for that name or
 * address. NULL: no memory. The trust must outlive it. */
struct bufferevent *tls_connection(tls_trust *trust, struct event_base *base, const char *host);
/* The connection is not used any more, but still there: what was wrong with it is kept. Whether
 * there was somebody at the other end. */
bool tls_connection_over(tls_trust *trust, struct bufferevent *bev);
/* Whether who answered the last connection did not speak TLS. */
bool tls_is_missing(const tls_trust *trust);
/* Why the last certificate was not believed; NULL: it was, or none came. */
const char *tls_distrust(const tls_trust *trust);

#endif
