/* socket_input.c - bytes that others send: a listening socket with its clients
 * (socket_server.c), one connection of our own, or a datagram socket
 * (socket_datagrams.c). */
#include "connectors/connectors.h"
#include "connectors/netbind.h"
#include "connectors/netdial.h"
#include "connectors/socket_datagrams.h"
#include "connectors/socket_peer.h"
#include "connectors/socket_server.h"

#include <stdlib.h>
#include <string.h>

#define KINDS                                                                                                          \
  (NETADDR_BIT(NETADDR_TCP_LISTEN) | NETADDR_BIT(NETADDR_TCP) | NETADDR_BIT(NETADDR_UDP) |                             \
   NETADDR_BIT(NETADDR_UNIX_LISTEN) | NETADDR_BIT(NETADDR_UNIX) | NETADDR_BIT(NETADDR_UNIXGRAM))

typedef struct socket_input {
  hw_connector *c;
  netaddr addr;
  socket_framing framing;
  unsigned max_clients;
  int receive_buffer; /* 0: the system's */
  bool reconnect;
  netbind bound;      /* for all kinds but those that connect */
  socket_server *server;
  socket_datagrams *datagrams;
  netdial dial;       /* for those that connect; peer: while connected */
  socket_peer *peer;
} socket_input;

static bool connects(const socket_input *in) { return in->addr.kind == NETADDR_TCP || in->addr.kind == NETADDR_UNIX; }

static hw_status configure(socket_input *in, const hw_config *config, hw_error *err) {
  const char *address = hw_config_string(config, "address");
  bool binds = strncmp(address, "tcp://", 6) != 0;
  hw_error all = {.status = HW_OK};
  hw_status status = netaddr_parse(address, KINDS, binds, &in->addr, &all);
  bool framed = strcmp(hw_config_string(config, "framing"), "length") == 0;
  unsigned length_bytes = (unsigned)hw_config_int(config, "length_bytes");
  if (status == HW_OK && framed && netaddr_socktype(&in->addr) == SOCK_DGRAM)
    status = hw_error_add(&all, HW_EINVAL, "framing: every datagram is a message; \"length\" is for streams");
  if (length_bytes == 3) status = hw_error_add(&all, HW_EINVAL, "length_bytes: must be 1, 2 or 4");
  if (status != HW_OK) return hw_error_set(err, status, "%s", all.message);
  if (framed) in->framing.length_bytes = length_bytes;
  in->framing.max_message = (uint64_t)hw_config_int(config, "max_message_bytes");
  in->max_clients = (unsigned)hw_config_int(config, "max_clients");
  in->receive_buffer = (int)hw_config_int(config, "receive_buffer_bytes");
  in->reconnect = hw_config_bool(config, "reconnect");
  return HW_OK;
}

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  socket_input *in = calloc(1, sizeof *in);
  if (!in) return hw_error_set(err, HW_ENOMEM, "out of memory");
  in->c = c;
  in->bound.fd = -1;
  hw_status status = configure(in, config, err);
  if (status != HW_OK) {
    free(in);
    return status;
  }
  netdial_init(&in->dial, c, &in->addr);
  *instance = in;
  return HW_OK;
}

static void set_receive_buffer(const socket_input *in, int fd) {
  /* The kernel cuts it to what the system allows. */
  if (in->receive_buffer) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &in->receive_buffer, sizeof in->receive_buffer);
}

static hw_status open_input(void *instance, hw_error *err) {
  socket_input *in = instance;
  if (connects(in)) return HW_OK; /* a peer that is not there yet is waited for, in fetch */
  hw_status status = netbind_open(&in->bound, in->c, &in->addr, err);
  if (status != HW_OK) return status;
  set_receive_buffer(in, in->bound.fd);
  hw_connector_log(in->c, HW_LOG_INFO, "listening on %s", in->bound.name);
  hw_input_set_position(in->c, in->bound.name);
  if (netaddr_socktype(&in->addr) == SOCK_STREAM) {
    in->server = socket_server_new(in->c, &in->bound, &in->framing, in->max_clients, err);
    return in->server ? HW_OK : HW_EIO;
  }
  in->datagrams = socket_datagrams_new(in->c, in->bound.fd, in->bound.name, in->framing.max_message);
  return in->datagrams ? HW_OK : hw_error_set(err, HW_ENOMEM, "out of memory to receive datagrams");
}

/* ---- a connection of our own ------------------------------------------------ */

/* HW_FETCH_MORE: connected. */
static hw_fetch connect_peer(socket_input *in, bool may_block, hw_error *err) {
  switch (netdial_run(&in->dial, may_block, err)) {
  case NETDIAL_WAIT: return HW_FETCH_TRYING;
  case NETDIAL_BLOCK: return HW_FETCH_BLOCK;
  case NETDIAL_FAILED: return HW_FETCH_RETRY;
  case NETDIAL_UP: break;
  }
  char name[300];
  netaddr_target(&in->addr, name, sizeof name);
  in->peer = socket_peer_new(in->c, in->dial.fd, name, &in->framing);
  if (in->peer) {
    set_receive_buffer(in, in->dial.fd);
    return HW_FETCH_MORE;
  }
  hw_error_set(err, HW_ENOMEM, "out of memory to read from %s", name);
  return HW_FETCH_RETRY; /* the connection stays */
}

static hw_fetch disconnected(socket_input *in, peer_step step, hw_error *err) {
  if (step == PEER_END) hw_error_set(err, HW_EIO, "%s closed the connection", socket_peer_name(in->peer));
  else if (in->reconnect)
    hw_connector_log(in->c, HW_LOG_WARNING, "what %s had sent when the connection broke may be missing",
                     socket_peer_name(in->peer));
  socket_peer_close(in->peer, step == PEER_END);
  in->peer = NULL;
  netdial_reset(&in->dial);
  if (in->reconnect) return HW_FETCH_RETRY;
  return step == PEER_END ? HW_FETCH_END : HW_FETCH_FATAL;
}

static hw_fetch fetch_from_peer(socket_input *in, const hw_fetch_args *args, hw_error *err) {
  if (!in->peer) {
    hw_fetch result = connect_peer(in, args->may_block, err);
    if (result != HW_FETCH_MORE) return result;
  }
  for (size_t used = 0; used < args->max_bytes;) {
    size_t moved;
    peer_step step = socket_peer_step(in->peer, &moved, err);
    used += moved;
    if (step == PEER_YIELD) return HW_FETCH_MORE;
    if (step == PEER_END || step == PEER_LOST) return disconnected(in, step, err);
    if (step != PEER_EMPTY) continue;
    if (hw_connector_wait_fd(in->c, in->dial.fd, HW_READABLE) == HW_OK) return HW_FETCH_WAIT;
    hw_error_set(err, HW_EIO, "cannot wait for %s", socket_peer_name(in->peer));
    return disconnected(in, PEER_LOST, err);
  }
  return HW_FETCH_MORE;
}

static hw_fetch fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  socket_input *in = instance;
  if (in->server) return socket_server_fetch(in->server, args, err);
  if (in->datagrams) return socket_datagrams_fetch(in->datagrams, args, err);
  return fetch_from_peer(in, args, err);
}

static void destroy(void *instance) {
  socket_input *in = instance;
  socket_server_free(in->server);
  socket_datagrams_free(in->datagrams);
  if (in->peer) socket_peer_free(in->peer);
  netdial_reset(&in->dial);
  if (in->bound.fd >= 0) hw_connector_forget_fd(in->c, in->bound.fd);
  netbind_close(&in->bound);
  free(in);
}

static const char *const framings[] = {"newline", "length", NULL};

static const hw_option options[] = {
    {.name = "address", .type = HW_OPTION_STRING, .flags = HW_OPTION_REQUIRED,
     .description = "tcp-listen://host:port, tcp://host:port (connects), udp://host:port, unix-listen:///path, "
                    "unix:///path (connects) or unixgram:///path; without a host 127.0.0.1, port 0 for any."},
    {.name = "framing", .type = HW_OPTION_CHOICE, .default_text = "newline", .choices = framings,
     .description = "What separates records in a stream: newlines, or a big-endian length before each message."},
    {.name = "length_bytes", .type = HW_OPTION_INT, .default_text = "4", .min = 1, .max = 4, .unit = "bytes",
     .description = "Size of that length: 1, 2 or 4."},
    {.name = "max_message_bytes", .type = HW_OPTION_INT, .default_text = "16777216", .min = 1, .max = UINT32_MAX,
     .unit = "bytes", .description = "A client that announces a longer message is disconnected, a longer datagram "
                                     "is dropped."},
    {.name = "max_clients", .type = HW_OPTION_INT, .default_text = "1024", .min = 1, .max = 1 << 20,
     .description = "Clients served at once; more of them wait."},
    {.name = "reconnect", .type = HW_OPTION_BOOL, .default_text = "true",
     .description = "When a connection of our own ends: connect again. Otherwise that is the end of input."},
    {.name = "receive_buffer_bytes", .type = HW_OPTION_INT, .default_text = "0", .min = 0, .max = 1 << 30,
     .unit = "bytes", .description = "The kernel's buffer, which holds what arrives during pauses; 0: the system's."},
    {.name = NULL},
};

static const hw_input_ops ops = {.create = create, .open = open_input, .fetch = fetch, .destroy = destroy};

const hw_input_transport socket_input_transport = {
    .struct_size = sizeof(hw_input_transport),
    .name = "socket_input",
    .summary = "TCP, UDP and Unix sockets, listening or connecting",
    .options = options,
    .ops = &ops,
};
