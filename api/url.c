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
  size_t scheme = strncasecmp(text, "http://", 7) == 0 ? 7 : strncasecmp(text, "https://", 8) == 0 ? 8 : 0;
  if (!scheme) return NULL;
  out->authority = text + scheme;
  out->authority_len = strcspn(text + scheme, "/?#");
  return text + scheme + out->authority_len;
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
  if (!path) return "the request target is neither a path nor an http:// or https:// URL";
  if (strchr(path, '#')) return "the request target contains a fragment";
  char *query = strchr(path, '?');
  if (query) *query++ = '\0';
  const char *fault = parse_path(*path == '/' ? path + 1 : path, out);
  return fault ? fault : parse_query(query, out);
}

/* text as an address of family; brackets belong to IPv6. */
static bool parse_address(int family, const char *name, size_t len, void *out) {
  char text[INET6_ADDRSTRLEN];
  if (family == AF_INET6) {
    if (len < 2 || name[0] != '[' || name[len - 1] != ']') return false;
    name++;
    len -= 2;
  }
  if (len >= sizeof text) return false;
  memcpy(text, name, len);
  text[len] = '\0';
  return inet_pton(family, text, out) == 1;
}

static bool loopback_name(const char *name, size_t len) {
  struct in_addr address;
  if (len == 9 && strncasecmp(name, "localhost", 9) == 0) return true;
  if (len == 5 && memcmp(name, "[::1]", 5) == 0) return true;
  return parse_address(AF_INET, name, len, &address) && ntohl(address.s_addr) >> 24 == 127;
}

static bool read_port(const char *text, size_t len, unsigned *port) {
  *port = 0;
  if (len == 0 || len > 5) return false;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9') return false;
    *port = *port * 10 + (unsigned)(text[i] - '0');
  }
  return true;
}

size_t url_name_length(const char *host, size_t len) {
  const char *from = len && *host == '[' ? memchr(host, ']', len) : host;
  if (!from) return len;
  const char *colon = memchr(from, ':', len - (size_t)(from - host));
  return colon ? (size_t)(colon - host) : len;
}

bool url_host_is_local(const char *host, size_t len, uint16_t port) {
  size_t name = url_name_length(host, len);
  unsigned given = port;
  if (name < len && !read_port(host + name + 1, len - name - 1, &given)) return false;
  return given == port && loopback_name(host, name);
}

bool url_host_is_address(const char *host, size_t len) {
  struct in6_addr address; /* room for either */
  unsigned port;
  size_t name = url_name_length(host, len);
  if (name < len && !read_port(host + name + 1, len - name - 1, &port)) return false;
  return parse_address(AF_INET, host, name, &address) || parse_address(AF_INET6, host, name, &address);
}

bool url_authority_is_local(const char *authority, uint16_t port, uint16_t usual) {
  size_t len = strlen(authority);
  /* Without a port, it is the usual one's page, which may be another server's. */
  if (url_name_length(authority, len) == len && port != usual) return false;
  return url_host_is_local(authority, len, port);
}
