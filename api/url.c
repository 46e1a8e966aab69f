/* url.c - request targets taken apart, and which hosts are this machine. */
#include "api/url.h"

#include <headworks/value.h>

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Decodes in place; NULL or what is wrong. */
static const char *decode(char *text, bool plus_is_blank) {
  char *to = text;
  for (const char *from = text; *from; from++) {
    char c = *from;
    if (c == '+' && plus_is_blank) c = ' ';
    if (c == '%') {
      int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
      if (low < 0) return "a '%' in the URL is not followed by two hexadecimal digits";
      c = (char)(high << 4 | low);
      if (c == '\0') return "the URL contains an escaped NUL";
      from += 2;
    }
    *to++ = c;
  }
  *to = '\0';
  return hw_utf8_valid(text, (size_t)(to - text)) ? NULL : "the URL is not well-formed UTF-8";
}

static const char *parse_query(char *text, url_target *out) {
  for (char *next; text; text = next) {
    next = strchr(text, '&');
    if (next) *next++ = '\0';
    if (!*text) continue;
    if (out->n_query == URL_MAX_QUERY) return "the URL has too many query parameters";
    char *value = strchr(text, '=');
    if (value) *value++ = '\0';
    const char *fault = decode(text, true);
    if (!fault && value) fault = decode(value, true);
    if (fault) return fault;
    out->query[out->n_query++] = (url_pair){.name = text, .value = value ? value : ""};
  }
  return NULL;
}

/* path starts after its first '/'. */
static const char *parse_path(char *path, url_target *out) {
  for (char *next; path; path = next) {
    next = strchr(path, '/');
    if (next) *next++ = '\0';
    const char *fault = decode(path, false);
    if (fault) return fault;
    if (out->n_segments == URL_MAX_SEGMENTS) {
      out->n_segments = 0;
      return NULL;
    }
    out->segments[out->n_segments++] = path;
  }
  return NULL;
}

/* Steps over scheme and authority of an absolute-form target; NULL: it is none. */
static char *parse_authority(char *text, url_target *out) {
  if (strncasecmp(text, "http://", 7) != 0) return NULL;
  out->authority = text + 7;
  out->authority_len = strcspn(text + 7, "/?#");
  return text + 7 + out->authority_len;
}

/* Whether all bytes are printable ASCII; others must be escaped. */
static bool is_printable(const char *text) {
  for (; *text; text++) {
    if (*text <= ' ' || *text > '~') return false;
  }
  return true;
}

const char *url_parse(char *text, url_target *out) {
  *out = (url_target){0};
  if (!is_printable(text)) return "the URL contains a byte that must be percent-encoded";
  char *path = *text == '/' ? text : parse_authority(text, out);
  if (!path) return "the request target is neither a path nor an http:// URL";
  if (strchr(path, '#')) return "the request target contains a fragment";
  char *query = strchr(path, '?');
  if (query) *query++ = '\0';
  const char *fault = parse_path(*path == '/' ? path + 1 : path, out);
  return fault ? fault : parse_query(query, out);
}

static bool loopback_ipv4(const char *name, size_t len) {
  char text[INET_ADDRSTRLEN];
  struct in_addr address;
  if (len >= sizeof text) return false;
  memcpy(text, name, len);
  text[len] = '\0';
  return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

static bool loopback_name(const char *name, size_t len) {
  if (len == 9 && strncasecmp(name, "localhost", 9) == 0) return true;
  if (len == 5 && memcmp(name, "[::1]", 5) == 0) return true;
  return loopback_ipv4(name, len);
}

static bool is_port(const char *text, size_t len, uint16_t port) {
  unsigned value = 0;
  if (len == 0 || len > 5) return false;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (unsigned)(text[i] - '0');
  }
  return value == port;
}

/* Bytes of the name before a port; the brackets of an IPv6 address hold colons. */
static size_t name_length(const char *host, size_t len) {
  const char *from = len && *host == '[' ? memchr(host, ']', len) : host;
  if (!from) return len;
  const char *colon = memchr(from, ':', len - (size_t)(from - host));
  return colon ? (size_t)(colon - host) : len;
}

bool url_host_is_local(const char *host, size_t len, uint16_t port) {
  size_t name = name_length(host, len);
  if (name < len && !is_port(host + name + 1, len - name - 1, port)) return false;
  return loopback_name(host, name);
}

bool url_origin_is_local(const char *origin, uint16_t port) {
  if (strncmp(origin, "http://", 7) != 0) return false;
  const char *host = origin + 7;
  size_t len = strlen(host);
  /* A browser leaves the port out only where it is 80: without it, the page is another server's. */
  if (name_length(host, len) == len && port != 80) return false;
  return url_host_is_local(host, len, port);
}
