/* limits.h - what clients may take of the server: sizes, numbers, times. */
#ifndef API_LIMITS_H
#define API_LIMITS_H

#include <stddef.h>

#define HTTP_MAX_HEADERS 100

/* Zero means the default in brackets. */
typedef struct http_limits {
  unsigned max_connections; /* [2,000] more get 503 and are closed */
  unsigned max_per_client;  /* of these, from one address that is not this machine's [a quarter]; of IPv6, one /64 */
  unsigned max_url;         /* bytes of a request target [8 KiB] */
  unsigned max_head;        /* bytes of all headers [16 KiB] */
  unsigned max_headers;     /* [100] at most HTTP_MAX_HEADERS */
  size_t max_bodies;        /* bytes of collected bodies, all connections together [64 MiB] */
  size_t max_backlog;       /* bytes of replies not yet taken, all connections together [256 MiB] */
  unsigned handshake_ms;    /* for a TLS handshake, as a whole [10,000] */
  unsigned idle_ms;         /* between requests [60,000] */
  unsigned head_ms;         /* from the first byte of a request to the end of its headers [10,000] */
  unsigned body_ms;         /* without a byte of an announced body [30,000] */
  unsigned write_ms;        /* without the client taking a byte of a reply [30,000] */
  unsigned linger_ms;       /* reading on after the last reply, so that it arrives [2,000] */
} http_limits;

#endif
