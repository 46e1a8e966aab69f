/* netdial.h - connecting to an address without ever sleeping on a worker. */
#ifndef CONNECTORS_NETDIAL_H
#define CONNECTORS_NETDIAL_H

#include "connectors/netaddr.h"

#include <headworks/connector.h>

struct addrinfo;

typedef struct netdial {
  hw_connector *c;
  const netaddr *addr;
  int fd;                 /* connected or connecting; -1: neither */
  bool connected;
  struct addrinfo *list;  /* what the host resolved to; NULL: not resolved */
  struct addrinfo *at;    /* the one that is tried */
  uint64_t give_up_ns;    /* when the attempt under way has failed */
} netdial;

typedef enum netdial_step {
  NETDIAL_UP,     /* connected: fd */
  NETDIAL_WAIT,   /* an attempt is under way: something is armed */
  NETDIAL_BLOCK,  /* the host's name has to be resolved: where blocking is allowed */
  NETDIAL_FAILED, /* *err says why; call again later */
} netdial_step;

void netdial_init(netdial *d, hw_connector *c, const netaddr *addr);
netdial_step netdial_run(netdial *d, bool may_block, hw_error *err);
/* Closes what there is; the next run begins anew. */
void netdial_reset(netdial *d);

#endif
