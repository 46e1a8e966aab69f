/* DESIGN
 * Every call is on a helper thread, so writes may simply sleep. The file is
 * opened for appending in every mode: what another process cuts or adds does not
 * leave a hole. A disk that is full loses nothing: what was written is counted,
 * and the runtime offers the rest again. A failed fdatasync is final, since the
 * kernel may have dropped the pages that it could not write, and a second call
 * would say that all is well.
 * Reopening (log rotation) never cuts a file: when nobody moved it away, writing
 * goes on at its end.
 * Two outputs into one file would cut or mix what the other has written. So a file is
 * locked (flock) while it is written to, before it is cut: against file_outputs of this
 * process and of others, and whatever else takes the lock. */
#include "connectors/connectors.h"
#include "connectors/file_access.h"
#include "connectors/file_claims.h"
#include "connectors/file_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

typedef struct file_output {
  hw_connector *c;
  char *path;
  bool append, sync;
  bool new_name; /* the file was created and its directory is not yet synced */
  int fd;
} file_output;

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  file_output *out = calloc(1, sizeof *out);
  if (!out) return hw_error_set(err, HW_ENOMEM, "out of memory");
  hw_error why = {.status = HW_EINVAL};
  out->c = c;
  out->fd = -1;
  out->append = hw_config_bool(config, "append");
  out->sync = strcmp(hw_config_string(config, "fsync"), "flush") == 0;
  out->path = file_paths_parse_plain(hw_config_string(config, "path"), &why);
  if (!out->path) {
    free(out);
    return hw_error_set(err, why.status, "%s", why.message);
  }
  *instance = out;
  return HW_OK;
}

/* ---- opening ---------------------------------------------------------------- */

static bool is_directory(const file_output *out, const char *path) {
  struct stat st;
  return file_access_stat(out->c, path, &st) == 0 && S_ISDIR(st.st_mode);
}

static hw_status cannot_open(const file_output *out, int error, hw_error *err) {
  char *dir = file_paths_dirname(out->path), why[128];
  if (error == EWOULDBLOCK)
    hw_error_set(err, HW_EINVAL, "\"%s\" is locked: another output, of this program or of another, writes to it, and "
                 "each would destroy what the other writes; give each its own path", out->path);
  else if (error == ENOENT && dir && is_directory(out, dir))
    hw_error_set(err, HW_ENOTFOUND, "cannot create \"%s\": no file can be made there (a link that leads nowhere?)",
                 out->path);
  else if (error == ENOENT && dir)
    hw_error_set(err, HW_ENOTFOUND, "cannot create \"%s\": the directory \"%s\" does not exist", out->path, dir);
  else if (error == ENXIO)
    hw_error_set(err, HW_EIO, "cannot open \"%s\": no process reads from this FIFO yet", out->path);
  else
    hw_error_set(err, HW_EIO, "cannot open \"%s\": %s", out->path, file_access_fault(error, why, sizeof why));
  free(dir);
  return err->status;
}

/* O_NONBLOCK is for FIFOs: opening one without a reader would sleep for ever. */
static int open_file(const file_output *out, int flags) {
  return hw_connector_open_file(out->c, out->path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | flags, 0644);
}

/* Opens the file, new or not; *created tells. -1 and errno. */
static int open_or_create(const file_output *out, bool *created) {
  *created = false;
  int fd = open_file(out, 0);
  if (fd >= 0 || errno != ENOENT) return fd;
  fd = open_file(out, O_CREAT);
  *created = fd >= 0;
  return fd;
}

/* A lock keeps others from writing, but on SMB it keeps them from reading as well (flock(2)). */
static bool locks_let_read(int fd) {
  struct statfs fs;
  return fstatfs(fd, &fs) == 0 && (uint32_t)fs.f_type != UINT32_C(0xff534d42) /* CIFS */ &&
         (uint32_t)fs.f_type != UINT32_C(0xfe534d42) /* SMB2 */;
}

/* No other output writes to it, where there are locks, and cuts it off when asked to.
 * -1 and errno. */
static int take_file(int fd, bool cut) {
  struct stat st;
  if (fstat(fd, &st) != 0) return -1;
  if (!S_ISREG(st.st_mode)) return 0;
  if (locks_let_read(fd) && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return -1;
  return cut ? ftruncate(fd, 0) : 0;
}

/* As open_or_create, and takes it. */
static int open_and_take(const file_output *out, bool cut, bool *created) {
  int fd = open_or_create(out, created);
  if (fd < 0 || take_file(fd, cut) == 0) return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

static bool is_an_input(const file_output *out) {
  struct stat st;
  return file_access_stat(out->c, out->path, &st) == 0 && S_ISREG(st.st_mode) && file_claims_has(out->c, &st);
}

static hw_status open_output(void *instance, hw_error *err) {
  file_output *out = instance;
  if (is_an_input(out))
    return hw_error_set(err, HW_EINVAL, "\"%s\" is read by a file_input: writing to it would destroy what is to be "
                        "read; give the output another path", out->path);
  out->fd = open_and_take(out, !out->append, &out->new_name);
  return out->fd >= 0 ? HW_OK : cannot_open(out, errno, err);
}

static bool is_empty(int fd) {
  struct stat st;
  return fstat(fd, &st) == 0 && st.st_size == 0;
}

/* The name is still that of the file that is open. */
static bool is_in_place(const file_output *out) {
  struct stat named, open;
  return file_access_stat(out->c, out->path, &named) == 0 && fstat(out->fd, &open) == 0 &&
         named.st_dev == open.st_dev && named.st_ino == open.st_ino;
}

static hw_status reopen(void *instance, bool *restarted, hw_error *err) {
  file_output *out = instance;
  bool created;
  if (is_in_place(out)) { /* whose lock is ours already */
    *restarted = is_empty(out->fd);
    return HW_OK;
  }
  int fd = open_and_take(out, false, &created);
  if (fd < 0) return cannot_open(out, errno, err);
  hw_status status = HW_OK;
  if (out->sync && fdatasync(out->fd) != 0 && errno != EINVAL && errno != EROFS)
    status = hw_error_set(err, HW_EIO, "cannot bring \"%s\" to disk before it is reopened: %s", out->path,
                          strerror(errno));
  hw_connector_forget_fd(out->c, out->fd);
  close(out->fd);
  out->fd = fd;
  out->new_name = created;
  *restarted = is_empty(fd);
  return status;
}

/* ---- writing ---------------------------------------------------------------- */

static hw_write write_failed(const file_output *out, int error, hw_error *err) {
  hw_error_set(err, HW_EIO, "cannot write to \"%s\": %s", out->path, strerror(error));
  return error == ENOSPC || error == EDQUOT ? HW_WRITE_RETRY : HW_WRITE_FATAL;
}

/* A FIFO or device that is full. */
static hw_write wait_writable(const file_output *out, hw_error *err) {
  if (hw_connector_wait_fd(out->c, out->fd, HW_WRITABLE) == HW_OK) return HW_WRITE_WAIT;
  return write_failed(out, EAGAIN, err);
}

static hw_write write_bytes(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                            hw_error *err) {
  (void)args;
  file_output *out = instance;
  while (*written < len) {
    ssize_t n = write(out->fd, data + *written, len - *written);
    if (n > 0) *written += (size_t)n;
    else if (n == 0) return write_failed(out, ENOSPC, err);
    else if (errno == EAGAIN) return wait_writable(out, err);
    else if (errno != EINTR) return write_failed(out, errno, err);
  }
  return HW_WRITE_OK;
}

/* So that the name is as durable as the contents. */
static int sync_directory(const file_output *out) {
  char *dir = file_paths_dirname(out->path);
  int fd = dir ? hw_connector_open_file(out->c, dir, O_RDONLY | O_DIRECTORY, 0) : -1;
  free(dir);
  if (fd < 0) return -1;
  int rc = fsync(fd);
  int saved = errno;
  close(fd);
  errno = saved;
  return rc;
}

static hw_write flush(void *instance, const hw_write_args *args, hw_error *err) {
  (void)args;
  file_output *out = instance;
  if (!out->sync) return HW_WRITE_OK;
  bool ok = fdatasync(out->fd) == 0 || errno == EINVAL || errno == EROFS; /* pipes and devices cannot, nor need they */
  if (ok && out->new_name) ok = sync_directory(out) == 0;
  if (ok) {
    out->new_name = false;
    return HW_WRITE_OK;
  }
  hw_error_set(err, HW_EIO, "cannot bring \"%s\" to disk: %s", out->path, strerror(errno));
  return HW_WRITE_FATAL;
}

static void destroy(void *instance) {
  file_output *out = instance;
  if (out->fd >= 0) {
    hw_connector_forget_fd(out->c, out->fd);
    close(out->fd);
  }
  free(out->path);
  free(out);
}

static const char *const policies[] = {"never", "flush", NULL};

static const hw_option options[] = {
    {.name = "path", .type = HW_OPTION_STRING, .flags = HW_OPTION_REQUIRED,
     .description = "The file, or a file:// URL; created with mode 0644 in a directory that exists. One output "
                    "at a time writes to it."},
    {.name = "append", .type = HW_OPTION_BOOL, .default_text = "false",
     .description = "Write behind what the file holds. Otherwise it starts afresh with every start of the pipeline."},
    {.name = "fsync", .type = HW_OPTION_CHOICE, .default_text = "flush", .choices = policies,
     .description = "When bytes are brought to disk: at each flush (after a burst, at least every second under load, "
                    "and before a stop), or when the system gets to it."},
    {.name = NULL},
};

static const hw_output_ops ops = {.create = create,
                                  .open = open_output,
                                  .write = write_bytes,
                                  .flush = flush,
                                  .reopen = reopen,
                                  .destroy = destroy};

const hw_output_transport file_output_transport = {
    .struct_size = sizeof(hw_output_transport),
    .name = "file_output",
    .summary = "a file, anew or appended to; reopened on SIGHUP",
    .capabilities = HW_CAP_BLOCKING,
    .options = options,
    .ops = &ops,
};
