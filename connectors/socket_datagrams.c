/* DESIGN
 * Datagrams are received many at a call, each into a slot that holds the longest
 * there can be over IP, and are then copied one behind the other into the
 * stream. Those that found no room stay in their slots for the next fetch. The
 * kernel tells with each datagram how many it has dropped for want of buffer
 * space since the socket was made; the difference is counted. */
#include "connectors/socket_datagrams.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SLOTS 16u
#define SLOT_BYTES (64u << 10)

typedef struct control_room {
  _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint32_t))];
} control_room;

struct socket_datagrams {
  hw_connector *c;
  hw_stream *stream;
  int fd;
  uint64_t max_message;
  uint64_t too_long;
  uint32_t dropped; /* as the kernel said last; it counts modulo 2^32 */
  unsigned n, next; /* datagrams in the slots, and the first that is not passed on */
  size_t at;        /* bytes of that one that are */
  char *slots;      /* SLOTS * SLOT_BYTES; the pages that are never touched cost nothing */
  struct mmsghdr messages[SLOTS];
  struct iovec parts[SLOTS];
  control_room control[SLOTS];
};

socket_datagrams *socket_datagrams_new(hw_connector *c, int fd, const char *name, uint64_t max_message) {
  socket_datagrams *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  d->c = c;
  d->fd = fd;
  d->max_message = max_message;
  d->slots = malloc(SLOTS * SLOT_BYTES);
  d->stream = d->slots ? hw_stream_open(c, name, 0) : NULL;
  if (d->stream) {
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on); /* not for Unix sockets: they do not drop */
    return d;
  }
  socket_datagrams_free(d);
  return NULL;
}

void socket_datagrams_free(socket_datagrams *d) {
  if (!d) return;
  free(d->slots);
  free(d);
}

static void prepare(socket_datagrams *d) {
  for (unsigned i = 0; i < SLOTS; i++) {
    d->parts[i] = (struct iovec){.iov_base = d->slots + i * SLOT_BYTES, .iov_len = SLOT_BYTES};
    d->messages[i].msg_hdr = (struct msghdr){.msg_iov = &d->parts[i], .msg_iovlen = 1,
                                             .msg_control = d->control[i].bytes,
                                             .msg_controllen = sizeof d->control[i].bytes};
  }
}

static void count_drops(socket_datagrams *d, struct msghdr *header) {
  for (struct cmsghdr *cm = CMSG_FIRSTHDR(header); cm; cm = CMSG_NXTHDR(header, cm)) {
    if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SO_RXQ_OVFL) continue;
    uint32_t now;
    memcpy(&now, CMSG_DATA(cm), sizeof now);
    if (now != d->dropped) hw_input_count_drops(d->c, now - d->dropped);
    d->dropped = now;
  }
}

/* Said at the 1st, 2nd, 4th, 8th …, for whoever sends them may send many. */
static void refuse(socket_datagrams *d) {
  hw_input_count_drops(d->c, 1);
  d->too_long++;
  if ((d->too_long & (d->too_long - 1)) != 0) return;
  uint64_t most = d->max_message < SLOT_BYTES ? d->max_message : SLOT_BYTES;
  hw_connector_log(d->c, HW_LOG_WARNING, "%llu datagram%s longer than %llu bytes dropped so far",
                   (unsigned long long)d->too_long, d->too_long == 1 ? "" : "s", (unsigned long long)most);
}

/* The datagram at next, from `at`. HW_EAGAIN: the stream takes no more now. */
static hw_status pass_on(socket_datagrams *d, size_t len) {
  hw_status status = HW_OK;
  while (d->at < len && status != HW_EAGAIN) { /* a stream may give less room than it takes */
    size_t room;
    char *buf = hw_stream_reserve(d->stream, len - d->at, &room);
    if (!buf) return HW_EAGAIN;
    size_t n = len - d->at < room ? len - d->at : room;
    memcpy(buf, d->slots + d->next * SLOT_BYTES + d->at, n);
    d->at += n;
    status = hw_stream_commit(d->stream, n, d->at == len ? HW_MESSAGE_END : 0);
  }
  return status;
}

/* What the slots hold; false: not all found room. */
static bool pass_on_all(socket_datagrams *d, size_t *used) {
  while (d->next < d->n) {
    const struct mmsghdr *m = &d->messages[d->next];
    hw_status status = HW_OK;
    if (m->msg_hdr.msg_flags & MSG_TRUNC || m->msg_len > d->max_message) refuse(d);
    else if ((status = pass_on(d, m->msg_len)) == HW_EAGAIN && d->at < m->msg_len) return false;
    *used += m->msg_len;
    d->next++;
    d->at = 0;
    if (status == HW_EAGAIN) return false;
  }
  return true;
}

/* Fills the slots; 0: nothing is there; negative: errno. */
static int receive(socket_datagrams *d) {
  prepare(d);
  int n;
  do n = recvmmsg(d->fd, d->messages, SLOTS, MSG_DONTWAIT, NULL);
  while (n < 0 && errno == EINTR);
  d->next = 0;
  d->n = n > 0 ? (unsigned)n : 0;
  for (unsigned i = 0; i < d->n; i++) count_drops(d, &d->messages[i].msg_hdr);
  return n >= 0 ? n : errno == EAGAIN ? 0 : -errno;
}

hw_fetch socket_datagrams_fetch(socket_datagrams *d, const hw_fetch_args *args, hw_error *err) {
  for (size_t used = 0; used < args->max_bytes;) {
    if (!pass_on_all(d, &used)) return HW_FETCH_MORE;
    int n = receive(d);
    if (n < 0) {
      hw_error_set(err, HW_EIO, "cannot receive: %s", strerror(-n));
      return HW_FETCH_RETRY;
    }
    if (n > 0) continue;
    if (hw_connector_wait_fd(d->c, d->fd, HW_READABLE) == HW_OK) return HW_FETCH_WAIT;
    hw_error_set(err, HW_EIO, "cannot wait for datagrams");
    return HW_FETCH_RETRY;
  }
  return HW_FETCH_MORE;
}
