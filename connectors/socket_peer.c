/* DESIGN
 * With newline framing the kernel copies straight into the stream's room. With
 * length framing small messages come many to a read: they pass through a buffer,
 * from which each is copied into the stream; what is left of a message longer
 * than that goes straight in again. The buffer exists only while it holds bytes,
 * so an idle connection costs its struct alone. */
#include "connectors/socket_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PIECE (64u << 10)
#define PIECE_MOST (256u << 10) /* of a connection that brings as much as it is asked for */

struct socket_peer {
  hw_connector *c;
  hw_stream *stream;
  const socket_framing *how;
  int fd;
  char *name;
  size_t want; /* newline framing: bytes of the next read */
  /* length framing: */
  unsigned header_len;  /* bytes of the length that are known */
  bool in_message;      /* the length is known, its bytes are not all there */
  uint64_t length;      /* as far as known; then: bytes of the message to come */
  unsigned char *piece; /* PIECE bytes; NULL: nothing is buffered */
  size_t at, len;
};

int socket_peer_fd(const socket_peer *p) { return p->fd; }
const char *socket_peer_name(const socket_peer *p) { return p->name; }

socket_peer *socket_peer_new(hw_connector *c, int fd, const char *name, const socket_framing *how) {
  socket_peer *p = calloc(1, sizeof *p);
  if (!p) return NULL;
  p->c = c;
  p->fd = fd;
  p->how = how;
  p->want = PIECE;
  p->name = strdup(name);
  p->stream = p->name ? hw_stream_open(c, name, 0) : NULL;
  if (p->stream) return p;
  socket_peer_free(p);
  return NULL;
}

void socket_peer_free(socket_peer *p) {
  free(p->piece);
  free(p->name);
  free(p);
}

void socket_peer_close(socket_peer *p, bool complete) {
  hw_stream_close(p->stream, complete);
  socket_peer_free(p);
}

static size_t least(size_t a, uint64_t b) { return a < b ? a : (size_t)b; }

/* PEER_GO: *n > 0 bytes were received. */
static peer_step receive(socket_peer *p, void *buf, size_t len, size_t *n, hw_error *err) {
  ssize_t got;
  do got = recv(p->fd, buf, len, MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  *n = got > 0 ? (size_t)got : 0;
  if (got > 0) return PEER_GO;
  if (got == 0) return PEER_END;
  if (errno == EAGAIN) return PEER_EMPTY;
  hw_error_set(err, HW_EIO, "lost %s: %s", p->name, strerror(errno));
  return PEER_LOST;
}

static peer_step step_lines(socket_peer *p, size_t *moved, hw_error *err) {
  size_t room;
  char *buf = hw_stream_reserve(p->stream, p->want, &room);
  if (!buf) return PEER_YIELD;
  peer_step step = receive(p, buf, room, moved, err);
  if (*moved == room) p->want = least(2 * p->want, PIECE_MOST);
  if (*moved < PIECE / 2) p->want = PIECE;
  if (step == PEER_END || step == PEER_LOST) return step;    /* an error is told once */
  hw_status status = hw_stream_commit(p->stream, *moved, 0); /* of nothing too: lets go of the buffer */
  if (status == HW_EAGAIN) return PEER_YIELD;
  if (status == HW_OK || step == PEER_EMPTY) return step;
  hw_error_set(err, HW_EPARSE, "closed %s: what it sends cannot be followed any further", p->name);
  return PEER_LOST;
}

/* ---- length framing --------------------------------------------------------- */

static bool take_header(socket_peer *p) {
  while (p->header_len < p->how->length_bytes && p->at < p->len) {
    p->length = p->length << 8 | p->piece[p->at++];
    p->header_len++;
  }
  return p->header_len == p->how->length_bytes;
}

static peer_step begin_message(socket_peer *p, hw_error *err) {
  if (p->length > p->how->max_message) {
    hw_error_set(err, HW_ELIMIT, "closed %s: a message of %llu bytes is longer than max_message_bytes (%llu)", p->name,
                 (unsigned long long)p->length, (unsigned long long)p->how->max_message);
    return PEER_LOST;
  }
  p->in_message = p->length > 0;
  p->header_len = 0;
  return PEER_GO;
}

/* n bytes of the message are in the stream's room. What a parser cannot follow
 * is dropped up to the message's end, and the next one is a new start. */
static peer_step commit_part(socket_peer *p, size_t n, size_t *moved) {
  p->length -= n;
  p->in_message = p->length > 0;
  *moved += n;
  hw_status status = hw_stream_commit(p->stream, n, p->in_message ? 0 : HW_MESSAGE_END);
  return status == HW_EAGAIN ? PEER_YIELD : PEER_GO;
}

static peer_step pass_on(socket_peer *p, size_t *moved) {
  size_t room, want = least(p->len - p->at, p->length);
  char *buf = hw_stream_reserve(p->stream, want, &room);
  if (!buf) return PEER_YIELD;
  size_t n = least(want, room);
  memcpy(buf, p->piece + p->at, n);
  p->at += n;
  return commit_part(p, n, moved);
}

static peer_step pass_on_all(socket_peer *p, size_t *moved, hw_error *err) {
  peer_step step = PEER_GO;
  while (step == PEER_GO && p->at < p->len) {
    if (p->in_message) step = pass_on(p, moved);
    else if (take_header(p)) step = begin_message(p, err);
  }
  return step;
}

static peer_step receive_direct(socket_peer *p, size_t *moved, hw_error *err) {
  size_t room, n;
  char *buf = hw_stream_reserve(p->stream, least(PIECE, p->length), &room);
  if (!buf) return PEER_YIELD;
  peer_step step = receive(p, buf, least(least(room, PIECE), p->length), &n, err);
  return step == PEER_GO ? commit_part(p, n, moved) : step;
}

static peer_step check_end(socket_peer *p, hw_error *err) {
  if (!p->in_message && p->header_len == 0) return PEER_END;
  hw_error_set(err, HW_EPARSE, "%s ended within a message", p->name);
  return PEER_LOST;
}

static peer_step step_messages(socket_peer *p, size_t *moved, hw_error *err) {
  peer_step step;
  if (!p->piece && p->in_message && p->length >= PIECE) {
    step = receive_direct(p, moved, err);
    return step == PEER_END ? check_end(p, err) : step;
  }
  if (!p->piece) {
    if (!(p->piece = malloc(PIECE))) return PEER_YIELD;
    p->at = p->len = 0;
    step = receive(p, p->piece, PIECE, &p->len, err);
  } else {
    step = PEER_GO;
  }
  if (step == PEER_GO) step = pass_on_all(p, moved, err);
  if (p->at == p->len) {
    free(p->piece);
    p->piece = NULL;
  }
  return step == PEER_END ? check_end(p, err) : step;
}

peer_step socket_peer_step(socket_peer *p, size_t *moved, hw_error *err) {
  *moved = 0;
  return p->how->length_bytes ? step_messages(p, moved, err) : step_lines(p, moved, err);
}
