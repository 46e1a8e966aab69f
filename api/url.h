/* url.h - request targets taken apart, and which hosts are this machine. */
#ifndef API_URL_H
#define API_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define URL_MAX_SEGMENTS 12
#define URL_MAX_QUERY 16

typedef struct url_pair {
  const char *name, *value; /* value "" where the text has no '=' */
} url_pair;

/* Everything points into the text that was taken apart. */
typedef struct url_target {
  unsigned n_segments; /* 0: more than URL_MAX_SEGMENTS */
  const char *segments[URL_MAX_SEGMENTS];
  unsigned n_query;
  url_pair query[URL_MAX_QUERY];
  const char *authority; /* of an absolute-form target, NULL otherwise; not terminated */
  size_t authority_len;
} url_target;

/* Takes a terminated request target apart and decodes its parts in place: each
 * segment is well-formed UTF-8 without NUL, an escaped '/' is part of its
 * segment. Returns NULL, or what is wrong with it. */
const char *url_parse(char *text, url_target *out);

/* Whether a Host header or an authority names this machine's loopback and the
 * port listened on (no port says the same): localhost, 127.0.0.0/8, [::1]. */
bool url_host_is_local(const char *host, size_t len, uint16_t port);
/* Whether what stands in an Origin header behind "scheme://" names the loopback and
 * the port listened on; usual: the scheme's port, which browsers leave out. */
bool url_authority_is_local(const char *authority, uint16_t port, uint16_t usual);
/* Whether a Host header names an address, with or without a port. */
bool url_host_is_address(const char *host, size_t len);
/* Bytes of a host before its port: the brackets of an IPv6 address hold colons. */
size_t url_name_length(const char *host, size_t len);

#endif
