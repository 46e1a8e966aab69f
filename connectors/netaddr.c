#include "connectors/netaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *scheme, *form;
} kinds_known[] = {
    [NETADDR_TCP_LISTEN] = {"tcp-listen://", "tcp-listen://host:port"},
    [NETADDR_TCP] = {"tcp://", "tcp://host:port"},
    [NETADDR_UDP] = {"udp://", "udp://host:port"},
    [NETADDR_UNIX_LISTEN] = {"unix-listen://", "unix-listen:///path"},
    [NETADDR_UNIX] = {"unix://", "unix:///path"},
    [NETADDR_UNIXGRAM] = {"unixgram://", "unixgram:///path"},
};
#define N_KINDS (sizeof kinds_known / sizeof *kinds_known)

static hw_status unknown_scheme(const char *text, unsigned kinds, hw_error *err) {
  char forms[256];
  size_t len = 0;
  for (size_t i = 0; i < N_KINDS; i++)
    if (kinds & NETADDR_BIT(i))
      len += (size_t)snprintf(forms + len, sizeof forms - len, "%s%s", len ? ", " : "", kinds_known[i].form);
  return hw_error_set(err, HW_EINVAL, "address: \"%s\" is none of %s", text, forms);
}

static hw_status parse_path(const char *text, const char *path, netaddr *out, hw_error *err) {
  if (*path != '/')
    return hw_error_set(err, HW_EINVAL, "address: \"%s\" has no absolute path; %s is the form", text,
                        kinds_known[out->kind].form);
  size_t len = strlen(path);
  if (len >= sizeof out->un.sun_path)
    return hw_error_set(err, HW_EINVAL, "address: the path of a Unix socket has at most %zu bytes, this has %zu",
                        sizeof out->un.sun_path - 1, len);
  out->un.sun_family = AF_UNIX;
  memcpy(out->un.sun_path, path, len + 1);
  return HW_OK;
}

static hw_status parse_port(const char *text, const char *port, bool binds, netaddr *out, hw_error *err) {
  size_t digits = strspn(port, "0123456789");
  long number = digits > 0 && digits <= 5 && !port[digits] ? strtol(port, NULL, 10) : -1;
  if (number < (binds ? 0 : 1) || number > 65535)
    return hw_error_set(err, HW_EINVAL, "address: \"%s\" needs a port between %d and 65535 after the last colon", text,
                        binds ? 0 : 1);
  snprintf(out->port, sizeof out->port, "%ld", number);
  return HW_OK;
}

static hw_status parse_host(const char *text, const char *at, bool binds, netaddr *out, hw_error *err) {
  const char *colon = strrchr(at, ':');
  if (!colon || strchr(at, '/'))
    return hw_error_set(err, HW_EINVAL, "address: \"%s\" is not of the form %s", text, kinds_known[out->kind].form);
  size_t len = (size_t)(colon - at);
  bool brackets = len >= 2 && at[0] == '[' && at[len - 1] == ']';
  if (!brackets && memchr(at, ':', len))
    return hw_error_set(err, HW_EINVAL,
                        "address: an IPv6 address is put in brackets, as in tcp://[::1]:9000, not \"%s\"", text);
  if (brackets) at++, len -= 2;
  if (len == 0) at = "127.0.0.1", len = 9;
  if (len >= sizeof out->host) return hw_error_set(err, HW_EINVAL, "address: the host's name is too long");
  memcpy(out->host, at, len);
  return parse_port(text, colon + 1, binds, out, err);
}

hw_status netaddr_parse(const char *text, unsigned kinds, bool binds, netaddr *out, hw_error *err) {
  memset(out, 0, sizeof *out);
  size_t i = 0;
  while (i < N_KINDS && strncmp(text, kinds_known[i].scheme, strlen(kinds_known[i].scheme)) != 0) i++;
  if (i == N_KINDS || !(kinds & NETADDR_BIT(i))) return unknown_scheme(text, kinds, err);
  out->kind = (netaddr_kind)i;
  const char *at = text + strlen(kinds_known[i].scheme);
  return netaddr_is_unix(out) ? parse_path(text, at, out, err) : parse_host(text, at, binds, out, err);
}

void netaddr_format(const struct sockaddr *sa, socklen_t len, char text[NETADDR_TEXT_MAX]) {
  char host[INET6_ADDRSTRLEN] = "?";
  if (sa->sa_family == AF_INET) {
    const struct sockaddr_in *in = (const void *)sa;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    snprintf(text, NETADDR_TEXT_MAX, "%s:%u", host, ntohs(in->sin_port));
  } else if (sa->sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const void *)sa;
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    snprintf(text, NETADDR_TEXT_MAX, "[%s]:%u", host, ntohs(in6->sin6_port));
  } else {
    const struct sockaddr_un *un = (const void *)sa;
    bool named = len > sizeof(sa_family_t) && un->sun_path[0];
    snprintf(text, NETADDR_TEXT_MAX, "%s", named ? un->sun_path : "unnamed");
  }
}

void netaddr_target(const netaddr *a, char *text, size_t size) {
  if (netaddr_is_unix(a)) snprintf(text, size, "%s", a->un.sun_path);
  else snprintf(text, size, strchr(a->host, ':') ? "[%s]:%s" : "%s:%s", a->host, a->port);
}
