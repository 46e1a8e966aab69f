/* DESIGN
 * Problem: standard output may be a pipe whose reader is slow or stopped, and a
 * worker must not sleep on it; but its file description is shared with other
 * processes, so it must not be made non-blocking either.
 * A pipe or terminal is opened again through /proc: that gives a description of
 * our own, which may be non-blocking. A socket takes MSG_DONTWAIT. A file is
 * written where blocking is allowed. Where the second opening fails (no /proc,
 * another user's terminal), at most PIPE_BUF bytes are written when poll says
 * that there is room, which is what pipes promise to take without blocking.
 * The reader's end is final: nobody else can ever read this pipe. SIGPIPE must
 * be ignored or blocked by the program, as it is on the runtime's threads. */
#include "connectors/connectors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum stdout_kind { STDOUT_OWN, STDOUT_SOCKET, STDOUT_FILE, STDOUT_POLLED } stdout_kind;

typedef struct stdout_output {
  hw_connector *c;
  int fd;
  stdout_kind kind;
  bool owner; /* of standard output */
} stdout_output;

static atomic_flag stdout_taken = ATOMIC_FLAG_INIT; /* two would mix their rows */

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config;
  stdout_output *out = calloc(1, sizeof *out);
  if (!out) return hw_error_set(err, HW_ENOMEM, "out of memory");
  out->c = c;
  out->fd = -1;
  *instance = out;
  return HW_OK;
}

static hw_status open_output(void *instance, hw_error *err) {
  stdout_output *out = instance;
  struct stat st;
  if (atomic_flag_test_and_set(&stdout_taken))
    return hw_error_set(err, HW_EEXIST, "another output writes to standard output already: their rows would mix");
  out->owner = true;
  int mode = fcntl(STDOUT_FILENO, F_GETFL);
  if (mode < 0 || fstat(STDOUT_FILENO, &st) != 0)
    return hw_error_set(err, HW_EIO, "cannot write to standard output: %s", strerror(errno));
  if ((mode & O_ACCMODE) == O_RDONLY)
    return hw_error_set(err, HW_EIO, "standard output is closed, or open for reading only: redirect it to where the "
                                     "rows shall go");
  out->kind = S_ISSOCK(st.st_mode) ? STDOUT_SOCKET : S_ISREG(st.st_mode) ? STDOUT_FILE : STDOUT_OWN;
  if (out->kind == STDOUT_OWN) {
    out->fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (out->fd >= 0) return HW_OK;
    out->kind = STDOUT_POLLED;
  }
  out->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (out->fd >= 0) return HW_OK;
  return hw_error_set(err, HW_EIO, "cannot write to standard output: %s", strerror(errno));
}

static ssize_t write_polled(int fd, const char *data, size_t len) {
  struct pollfd p = {.fd = fd, .events = POLLOUT};
  if (poll(&p, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

static ssize_t write_some(const stdout_output *out, const char *data, size_t len) {
  switch (out->kind) {
  case STDOUT_SOCKET: return send(out->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
  case STDOUT_POLLED: return write_polled(out->fd, data, len);
  default: return write(out->fd, data, len);
  }
}

static hw_write write_failed(int error, hw_error *err) {
  if (error == EPIPE || error == ECONNRESET) hw_error_set(err, HW_EIO, "standard output was closed");
  else hw_error_set(err, HW_EIO, "cannot write to standard output: %s", strerror(error));
  return error == ENOSPC || error == EDQUOT ? HW_WRITE_RETRY : HW_WRITE_FATAL;
}

static hw_write wait_writable(const stdout_output *out, hw_error *err) {
  if (hw_connector_wait_fd(out->c, out->fd, HW_WRITABLE) == HW_OK) return HW_WRITE_WAIT;
  return write_failed(EAGAIN, err);
}

static hw_write write_bytes(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                            hw_error *err) {
  const stdout_output *out = instance;
  if (out->kind == STDOUT_FILE && !args->may_block) return HW_WRITE_BLOCK;
  while (*written < len) {
    ssize_t n = write_some(out, data + *written, len - *written);
    if (n > 0) *written += (size_t)n;
    else if (n == 0) return write_failed(ENOSPC, err);
    else if (errno == EAGAIN) return wait_writable(out, err);
    else if (errno != EINTR) return write_failed(errno, err);
  }
  return HW_WRITE_OK;
}

static void destroy(void *instance) {
  stdout_output *out = instance;
  if (out->fd >= 0) {
    hw_connector_forget_fd(out->c, out->fd);
    close(out->fd);
  }
  if (out->owner) atomic_flag_clear(&stdout_taken);
  free(out);
}

static const hw_option options[] = {{.name = NULL}};

static const hw_output_ops ops = {
    .create = create, .open = open_output, .write = write_bytes, .destroy = destroy};

const hw_output_transport stdout_output_transport = {
    .struct_size = sizeof(hw_output_transport),
    .name = "stdout_output",
    .summary = "standard output",
    .options = options,
    .ops = &ops,
};
