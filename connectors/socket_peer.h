/* socket_peer.h - one connection that sends: its bytes, framed, into a stream.
 * One thread at a time. The descriptor stays its owner's. */
#ifndef CONNECTORS_SOCKET_PEER_H
#define CONNECTORS_SOCKET_PEER_H

#include <headworks/connector.h>

typedef struct socket_framing {
  unsigned length_bytes; /* of the big-endian length before each message: 1, 2, 4; 0: newlines */
  uint64_t max_message;  /* bytes of the longest message that is taken */
} socket_framing;

typedef struct socket_peer socket_peer;

/* fd is non-blocking. how is borrowed. NULL: no memory. */
socket_peer *socket_peer_new(hw_connector *c, int fd, const char *name, const socket_framing *how);

typedef enum peer_step {
  PEER_GO,    /* bytes went on: there may be more */
  PEER_EMPTY, /* nothing there now */
  PEER_YIELD, /* no room: return HW_FETCH_MORE */
  PEER_END,   /* the other side is done, and ended where a message may end */
  PEER_LOST,  /* it is not: *err says what happened */
} peer_step;

/* Takes a bounded piece; *moved is what went into the stream. */
peer_step socket_peer_step(socket_peer *p, size_t *moved, hw_error *err);

void socket_peer_close(socket_peer *p, bool complete); /* closes the stream, frees p */
void socket_peer_free(socket_peer *p);                 /* leaves the stream to the runtime */
int socket_peer_fd(const socket_peer *p);
const char *socket_peer_name(const socket_peer *p);

#endif
