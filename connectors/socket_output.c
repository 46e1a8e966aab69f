/* DESIGN
 * Problem: a connection breaks in the middle of a row, and the next one must
 * begin with a whole row, not with the second half of one.
 * Structure: of the bytes offered, `sent` counts those that are with the kernel.
 * Only whole units are reported as written: rows that end in a newline, or with
 * framing none the whole buffer. The runtime therefore offers a unit that is not
 * yet complete again, and the instance skips what it has sent of it. After a
 * break `sent` is 0, and the unit goes out from its start.
 * Datagram sockets send one row a datagram, without its newline.
 * Guarantees: the other side sees whole rows at the start of every connection.
 * A row that was cut by a break comes again; rows that were in the kernels'
 * buffers at the break are lost: a byte stream without answers cannot tell. */
#include "connectors/connectors.h"
#include "connectors/netdial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define KINDS                                                                                                          \
  (NETADDR_BIT(NETADDR_TCP) | NETADDR_BIT(NETADDR_UDP) | NETADDR_BIT(NETADDR_UNIX) | NETADDR_BIT(NETADDR_UNIXGRAM))

typedef struct socket_output {
  hw_connector *c;
  netaddr addr;
  netdial dial;
  bool lines;        /* units end in newlines */
  size_t sent;       /* bytes of the first unit offered that this connection has */
  bool used;         /* this connection has taken something */
  uint64_t too_long; /* datagrams that could not be sent */
} socket_output;

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  socket_output *out = calloc(1, sizeof *out);
  if (!out) return hw_error_set(err, HW_ENOMEM, "out of memory");
  out->c = c;
  out->lines = strcmp(hw_config_string(config, "framing"), "newline") == 0;
  hw_status status = netaddr_parse(hw_config_string(config, "address"), KINDS, false, &out->addr, err);
  if (status == HW_OK && !out->lines && netaddr_socktype(&out->addr) == SOCK_DGRAM)
    status = hw_error_set(err, HW_EINVAL, "framing: a datagram takes one row, so rows must end in newlines");
  if (status != HW_OK) {
    free(out);
    return status;
  }
  netdial_init(&out->dial, c, &out->addr);
  *instance = out;
  return HW_OK;
}

static hw_write broken(socket_output *out, int error, hw_error *err) {
  char target[300];
  netaddr_target(&out->addr, target, sizeof target);
  hw_error_set(err, HW_EIO, "lost the connection to %s: %s", target, strerror(error));
  if (out->used)
    hw_connector_log(out->c, HW_LOG_WARNING, "rows on their way to %s when the connection broke may be lost", target);
  netdial_reset(&out->dial);
  out->used = false;
  out->sent = 0;
  return HW_WRITE_RETRY;
}

static hw_write wait_writable(socket_output *out, hw_error *err) {
  if (hw_connector_wait_fd(out->c, out->dial.fd, HW_WRITABLE) == HW_OK) return HW_WRITE_WAIT;
  return broken(out, EBADF, err);
}

/* ---- streams ---------------------------------------------------------------- */

/* How much of data[0 .. sent), of len offered, is whole units. */
static size_t whole_units(const socket_output *out, const char *data, size_t sent, size_t len) {
  if (sent == len) return len; /* what is offered ends with a whole row */
  const char *newline = out->lines && sent ? memrchr(data, '\n', sent) : NULL;
  return newline ? (size_t)(newline - data) + 1 : 0;
}

static hw_write send_stream(socket_output *out, const char *data, size_t len, size_t *written, hw_error *err) {
  hw_write result = HW_WRITE_OK;
  size_t sent = out->sent;
  while (result == HW_WRITE_OK && sent < len) {
    ssize_t n = send(out->dial.fd, data + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) sent += (size_t)n, out->used = true;
    else if (errno == EAGAIN) result = wait_writable(out, err);
    else if (errno != EINTR) result = broken(out, errno, err);
  }
  *written = whole_units(out, data, sent, len);
  if (out->dial.connected) out->sent = sent - *written;
  return result;
}

/* ---- datagrams -------------------------------------------------------------- */

/* Said at the 1st, 2nd, 4th, 8th …, as there may be many. */
static void refuse(socket_output *out, size_t len) {
  out->too_long++;
  if ((out->too_long & (out->too_long - 1)) != 0) return;
  hw_connector_log(out->c, HW_LOG_WARNING, "a row of %zu bytes does not fit a datagram; %llu dropped so far", len,
                   (unsigned long long)out->too_long);
}

static hw_write datagram_failed(socket_output *out, int error, size_t len, hw_error *err) {
  switch (error) {
  case EINTR: return HW_WRITE_OK;
  case EAGAIN: return wait_writable(out, err);
  case EMSGSIZE: refuse(out, len); return HW_WRITE_OK;
  default: return broken(out, error, err);
  }
}

/* One row a datagram. What the last call could not send is offered again. */
static hw_write send_datagrams(socket_output *out, const char *data, size_t len, size_t *written, hw_error *err) {
  hw_write result = HW_WRITE_OK;
  while (result == HW_WRITE_OK && *written < len) {
    const char *row = data + *written;
    const char *newline = memchr(row, '\n', len - *written);
    size_t size = newline ? (size_t)(newline - row) : len - *written;
    ssize_t n = size ? send(out->dial.fd, row, size, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    int error = n < 0 ? errno : 0;
    out->used = out->used || n > 0;
    if (error) result = datagram_failed(out, error, size, err);
    if (!error || error == EMSGSIZE) *written += size + (newline != NULL);
  }
  return result;
}

/* ---- the calls -------------------------------------------------------------- */

static hw_write write_bytes(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                            hw_error *err) {
  socket_output *out = instance;
  switch (netdial_run(&out->dial, args->may_block, err)) {
  case NETDIAL_WAIT: return HW_WRITE_WAIT;
  case NETDIAL_BLOCK: return HW_WRITE_BLOCK;
  case NETDIAL_FAILED: return HW_WRITE_RETRY;
  case NETDIAL_UP: break;
  }
  return netaddr_socktype(&out->addr) == SOCK_STREAM ? send_stream(out, data, len, written, err)
                                                     : send_datagrams(out, data, len, written, err);
}

/* Bytes that the other side sent and nobody read would make close() reset the
 * connection, and with it what is still on its way. */
static void say_goodbye(const socket_output *out) {
  char unread[4096];
  int left = 256; /* of such reads: a flood is not waited for */
  while (left-- > 0 && recv(out->dial.fd, unread, sizeof unread, MSG_DONTWAIT) > 0) {
  }
  shutdown(out->dial.fd, SHUT_WR);
}

static void destroy(void *instance) {
  socket_output *out = instance;
  if (out->dial.connected && netaddr_socktype(&out->addr) == SOCK_STREAM) say_goodbye(out);
  netdial_reset(&out->dial);
  free(out);
}

static const char *const framings[] = {"newline", "none", NULL};

static const hw_option options[] = {
    {.name = "address", .type = HW_OPTION_STRING, .flags = HW_OPTION_REQUIRED,
     .description = "Where to connect: tcp://host:port, udp://host:port, unix:///path or unixgram:///path."},
    {.name = "framing", .type = HW_OPTION_CHOICE, .default_text = "newline", .choices = framings,
     .description = "What the format's rows end in. After a break a stream begins with the row that was cut; with "
                    "none, with the whole buffer of rows. Datagram sockets send a row a datagram."},
    {.name = NULL},
};

static const hw_output_ops ops = {.create = create, .write = write_bytes, .destroy = destroy};

const hw_output_transport socket_output_transport = {
    .struct_size = sizeof(hw_output_transport),
    .name = "socket_output",
    .summary = "a TCP, UDP or Unix socket of another program",
    .options = options,
    .ops = &ops,
};
