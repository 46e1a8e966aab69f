/* http_tls.h - the certificate and key that a server shows, and sessions with them. */
#ifndef API_HTTP_TLS_H
#define API_HTTP_TLS_H

#include <headworks/status.h>

#include <openssl/ssl.h>

typedef struct http_tls http_tls;

/* PEM files: the certificate with its chain, and its key, without a passphrase.
 * May block. NULL and *err: HW_EINVAL names the file and what is wrong with it. */
http_tls *http_tls_new(const char *cert, const char *key, hw_error *err);
/* Sessions keep what they need. */
void http_tls_free(http_tls *tls);
/* Reads the files again: sessions that begin later have what they hold now. When
 * it fails nothing changes. May block. [any thread] */
HW_MUST_USE hw_status http_tls_reload(http_tls *tls, hw_error *err);
/* A session for one connection; NULL: no memory. [any thread] */
SSL *http_tls_session(http_tls *tls);

#endif
