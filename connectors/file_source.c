/* DESIGN
 * Problem: a worker must never sleep on a disk, yet nearly every read of a file
 * that is written or was just written is served from the page cache.
 * Structure: a regular file is read with preadv2(RWF_NOWAIT). When the kernel
 * says that it would have to wait, or cannot tell on this file system, the
 * fetch goes to a helper thread, reads there, and asks for the next megabytes
 * to be read ahead, so that the following fetches find them in the cache. Pipes
 * and devices are read when poll says that they are readable: standard input's
 * file description is shared with other processes and must not be made
 * non-blocking. Plain bytes are read straight into the stream's room; archives
 * go through a buffer and are unpacked into it.
 * Guarantees: no byte is read that is not committed, but for those in the
 * archive buffer; after SOURCE_RETRY and SOURCE_YIELD the next call goes on
 * where this one stopped.
 * Rejected: mmap (a file that is cut while it is read raises SIGBUS, and a page
 * fault blocks where nobody can see it). */
#include "connectors/file_source.h"

#include "connectors/file_access.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define READ_AHEAD (4 << 20)
#define PACKED_PIECE (64u << 10)
#define UNPACKED_PIECE (64u << 10) /* of output at a time: unpacking is slow, and others want their turn */

struct file_source {
  hw_connector *c;
  hw_stream *stream;
  char *path;
  int fd;
  file_reading how;
  bool is_stdin, regular, fifo;
  bool nowait;       /* worth asking for a read that does not wait */
  bool memory;       /* lies in memory: a read never waits for long */
  uint64_t start;    /* where in the file it began (standard input may not begin at 0) */
  uint64_t offset;   /* of the next byte to read */
  unpack_kind codec; /* as far as known */
  unsigned char head[UNPACK_HEAD]; /* read to find out the codec, not yet passed on */
  size_t head_len, head_used;
  unpack *unpacker;
  unsigned char *packed; /* PACKED_PIECE bytes, for archives */
  size_t packed_at, packed_len;
  bool held_back;        /* the unpacker may have more to write without more input */
};

/* Standard input has one reader in this process. */
static atomic_flag stdin_taken = ATOMIC_FLAG_INIT;

int file_source_fd(const file_source *s) { return s->fd; }
bool file_source_is_regular(const file_source *s) { return s->regular; }
bool file_source_is_fifo(const file_source *s) { return s->fifo; }
uint64_t file_source_offset(const file_source *s) { return s->offset - s->start; }

/* ---- opening ---------------------------------------------------------------- */

static bool open_stdin(file_source *s, hw_error *err) {
  if (atomic_flag_test_and_set(&stdin_taken)) {
    hw_error_set(err, HW_EEXIST, "standard input is already read by another connector");
    return false;
  }
  s->is_stdin = true;
  int mode = fcntl(STDIN_FILENO, F_GETFL);
  if (mode >= 0 && (mode & O_ACCMODE) == O_WRONLY) {
    hw_error_set(err, HW_EIO, "standard input is closed, or open for writing only");
    return false;
  }
  s->fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
  if (s->fd < 0) hw_error_set(err, HW_EIO, "cannot read standard input: %s", strerror(errno));
  return s->fd >= 0;
}

static bool open_path(file_source *s, hw_error *err) {
  char why[128];
  s->fd = hw_connector_open_file(s->c, s->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0); /* O_NONBLOCK: for FIFOs */
  if (s->fd >= 0) return true;
  hw_error_set(err, errno == ENOENT ? HW_ENOTFOUND : HW_EIO, "cannot open \"%s\": %s", s->path,
               file_access_fault(errno, why, sizeof why));
  return false;
}

static bool inspect(file_source *s, hw_error *err) {
  struct stat st;
  struct statfs fs;
  if (fstat(s->fd, &st) != 0 || fstatfs(s->fd, &fs) != 0) {
    hw_error_set(err, HW_EIO, "cannot examine \"%s\": %s", s->path, strerror(errno));
    return false;
  }
  if (S_ISDIR(st.st_mode)) {
    hw_error_set(err, HW_EINVAL, "\"%s\" is a directory; \"%s/*\" reads the files in it", s->path, s->path);
    return false;
  }
  s->regular = S_ISREG(st.st_mode);
  s->fifo = S_ISFIFO(st.st_mode);
  s->nowait = s->regular;
  s->memory = fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC;
  if (s->regular && s->is_stdin) {
    off_t at = lseek(s->fd, 0, SEEK_CUR);
    s->start = s->offset = at > 0 ? (uint64_t)at : 0;
  }
  if (s->regular) posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* advice: may fail */
  return true;
}

void file_source_free(file_source *s) {
  unpack_free(s->unpacker);
  free(s->packed);
  if (s->fd >= 0) {
    hw_connector_forget_fd(s->c, s->fd);
    close(s->fd);
  }
  if (s->is_stdin) atomic_flag_clear(&stdin_taken);
  free(s->path);
  free(s);
}

static file_source *source_new(hw_connector *c, int fd, const char *path, const file_reading *how, hw_error *err) {
  file_source *s = calloc(1, sizeof *s);
  if (s) {
    s->c = c;
    s->fd = fd;
    s->how = *how;
    s->codec = how->codec;
    if ((s->path = strdup(path))) return s;
    free(s);
  }
  hw_error_set(err, HW_ENOMEM, "cannot open \"%s\": out of memory", path);
  return NULL;
}

/* s is open; on failure it is freed. */
static file_source *set_up(file_source *s, hw_error *err) {
  if (!inspect(s, err)) goto failed;
  s->stream = hw_stream_open(s->c, s->is_stdin ? "stdin" : s->path, s->offset);
  if (s->stream) return s;
  hw_error_set(err, HW_ENOMEM, "cannot open \"%s\": out of memory", s->path);
failed:
  file_source_free(s);
  return NULL;
}

file_source *file_source_open(hw_connector *c, const char *path, const file_reading *how, hw_error *err) {
  file_source *s = source_new(c, -1, path, how, err);
  if (!s) return NULL;
  if (strcmp(path, "-") == 0 ? open_stdin(s, err) : open_path(s, err)) return set_up(s, err);
  file_source_free(s);
  return NULL;
}

file_source *file_source_adopt(hw_connector *c, int fd, const char *path, const file_reading *how, hw_error *err) {
  file_source *s = source_new(c, fd, path, how, err);
  if (s) return set_up(s, err);
  close(fd);
  return NULL;
}

void file_source_close(file_source *s, bool complete) {
  hw_stream_close(s->stream, complete);
  file_source_free(s);
}

bool file_source_reopen(file_source *s, hw_error *err) {
  hw_connector_forget_fd(s->c, s->fd);
  close(s->fd);
  return open_path(s, err);
}

/* ---- raw reads -------------------------------------------------------------- */

static source_step read_failed(const file_source *s, hw_error *err) {
  hw_error_set(err, HW_EIO, "cannot read \"%s\" at offset %llu: %s", s->path, (unsigned long long)s->offset,
               strerror(errno));
  return SOURCE_RETRY;
}

static bool is_before_end(const file_source *s) {
  struct stat st;
  return fstat(s->fd, &st) == 0 && s->offset < (uint64_t)st.st_size;
}

/* Reads what the page cache holds. -1 and EAGAIN: nothing of it. */
static ssize_t read_cached(file_source *s, void *buf, size_t len) {
  struct iovec iov = {.iov_base = buf, .iov_len = len};
  ssize_t got = preadv2(s->fd, &iov, 1, (off_t)s->offset, RWF_NOWAIT);
  if (got == 0 && is_before_end(s)) { /* some kernels say 0 where they mean EAGAIN */
    errno = EAGAIN;
    return -1;
  }
  if (got >= 0 || errno == EAGAIN) return got;
  s->nowait = false; /* not on this file system, or a real fault, which the plain read will name */
  errno = EAGAIN;
  return -1;
}

static source_step read_regular(file_source *s, void *buf, size_t len, bool may_block, size_t *n, hw_error *err) {
  ssize_t got = -1;
  errno = EAGAIN;
  if (s->nowait && !may_block) got = read_cached(s, buf, len);
  if (got < 0 && !may_block && !s->memory) return SOURCE_BLOCK;
  if (got < 0) {
    do got = pread(s->fd, buf, len, (off_t)s->offset);
    while (got < 0 && errno == EINTR);
    if (got < 0) return read_failed(s, err);
    if (!s->memory) posix_fadvise(s->fd, (off_t)s->offset + got, READ_AHEAD, POSIX_FADV_WILLNEED);
  }
  s->offset += (uint64_t)got;
  *n = (size_t)got;
  return got > 0 ? SOURCE_GO : SOURCE_EOF;
}

static source_step wait_readable(file_source *s, hw_error *err) {
  if (hw_connector_wait_fd(s->c, s->fd, HW_READABLE) == HW_OK) return SOURCE_WAIT;
  hw_error_set(err, HW_EIO, "cannot wait for \"%s\" to become readable", s->path);
  return SOURCE_RETRY;
}

static source_step read_pipe(file_source *s, void *buf, size_t len, size_t *n, hw_error *err) {
  struct pollfd p = {.fd = s->fd, .events = POLLIN};
  int ready = poll(&p, 1, 0);
  if (ready == 0 || (ready < 0 && errno == EINTR)) return wait_readable(s, err);
  if (ready < 0) return read_failed(s, err);
  ssize_t got = read(s->fd, buf, len);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return wait_readable(s, err);
  if (got < 0) return read_failed(s, err);
  s->offset += (uint64_t)got;
  *n = (size_t)got;
  return got > 0 ? SOURCE_GO : SOURCE_EOF;
}

/* At SOURCE_GO, *n > 0 bytes were read. */
static source_step read_some(file_source *s, void *buf, size_t len, bool may_block, size_t *n, hw_error *err) {
  return s->regular ? read_regular(s, buf, len, may_block, n, err) : read_pipe(s, buf, len, n, err);
}

/* ---- into the stream -------------------------------------------------------- */

static source_step commit(file_source *s, size_t n, size_t *moved) {
  *moved = n;
  hw_status status = hw_stream_commit(s->stream, n, 0);
  if (status == HW_OK) return SOURCE_GO;
  return status == HW_EAGAIN ? SOURCE_YIELD : SOURCE_REFUSED;
}

/* The first bytes tell what the file is. */
static source_step find_codec(file_source *s, bool may_block, hw_error *err) {
  size_t n = 0;
  source_step step = read_some(s, s->head + s->head_len, sizeof s->head - s->head_len, may_block, &n, err);
  if (step != SOURCE_GO && step != SOURCE_EOF) return step;
  s->head_len += n;
  s->codec = unpack_sniff(s->head, s->head_len, step == SOURCE_EOF && !s->how.grows);
  if (s->codec == UNPACK_UNKNOWN) return step;
  if (s->regular) { /* read them again, together with the rest */
    s->offset = s->start;
    s->head_len = 0;
  }
  return SOURCE_GO;
}

static size_t take_head(file_source *s, void *buf, size_t len) {
  size_t n = s->head_len - s->head_used;
  if (n > len) n = len;
  memcpy(buf, s->head + s->head_used, n);
  s->head_used += n;
  return n;
}

static source_step step_plain(file_source *s, bool may_block, size_t *moved, hw_error *err) {
  size_t room, n = 0;
  char *buf = hw_stream_reserve(s->stream, s->how.piece, &room);
  if (!buf) return SOURCE_YIELD;
  if (s->head_used < s->head_len) return commit(s, take_head(s, buf, room), moved);
  source_step step = read_some(s, buf, room < s->how.piece ? room : s->how.piece, may_block, &n, err);
  source_step after = commit(s, n, moved); /* also of nothing: an idle stream need not keep its buffer */
  return step == SOURCE_GO || after == SOURCE_YIELD ? after : step;
}

static bool start_unpacking(file_source *s) {
  if (!s->packed) s->packed = malloc(PACKED_PIECE);
  if (s->packed && !s->unpacker) s->unpacker = unpack_new(s->codec);
  return s->unpacker != NULL;
}

static source_step fill_packed(file_source *s, bool may_block, hw_error *err) {
  s->packed_at = 0;
  s->packed_len = take_head(s, s->packed, PACKED_PIECE);
  if (s->packed_len) return SOURCE_GO;
  return read_some(s, s->packed, PACKED_PIECE, may_block, &s->packed_len, err);
}

static source_step cannot_unpack(const file_source *s, hw_status status, const char *fault, hw_error *err) {
  if (status != HW_EPARSE) {
    hw_error_set(err, status, "\"%s\" cannot be unpacked: %s", s->path, fault);
    return SOURCE_CORRUPT;
  }
  uint64_t at = file_source_offset(s) - (s->packed_len - s->packed_at);
  hw_error_set(err, HW_EPARSE, "\"%s\" is damaged near offset %llu of the compressed file: %s", s->path,
               (unsigned long long)at, fault);
  return SOURCE_CORRUPT;
}

static source_step step_packed(file_source *s, bool may_block, size_t *moved, hw_error *err) {
  if (!start_unpacking(s)) {
    hw_error_set(err, HW_ENOMEM, "out of memory to unpack \"%s\"", s->path);
    return SOURCE_RETRY;
  }
  if (s->packed_at == s->packed_len && !s->held_back) {
    source_step step = fill_packed(s, may_block, err);
    if (step != SOURCE_GO) return step;
  }
  size_t room, used, made;
  char *buf = hw_stream_reserve(s->stream, UNPACKED_PIECE, &room);
  if (!buf) return SOURCE_YIELD;
  if (room > UNPACKED_PIECE) room = UNPACKED_PIECE;
  const char *fault = NULL;
  hw_status status = unpack_run(s->unpacker, s->packed + s->packed_at, s->packed_len - s->packed_at, &used, buf, room,
                                &made, &fault);
  s->packed_at += used;
  s->held_back = made == room;
  source_step step = made ? commit(s, made, moved) : SOURCE_GO;
  if (status == HW_OK || step == SOURCE_REFUSED) return step;
  return cannot_unpack(s, status, fault, err);
}

source_step file_source_step(file_source *s, bool may_block, size_t *moved, hw_error *err) {
  *moved = 0;
  if (s->codec == UNPACK_UNKNOWN) return find_codec(s, may_block, err);
  return s->codec == UNPACK_PLAIN ? step_plain(s, may_block, moved, err) : step_packed(s, may_block, moved, err);
}

hw_status file_source_check_end(const file_source *s, hw_error *err) {
  if (!s->unpacker || unpack_complete(s->unpacker)) return HW_OK;
  return hw_error_set(err, HW_EPARSE, "\"%s\" is cut off: the archive does not end at offset %llu, where the file does",
                      s->path, (unsigned long long)file_source_offset(s));
}

bool file_source_restart(file_source *s) {
  hw_stream *fresh = hw_stream_open(s->c, s->path, 0);
  if (!fresh) return false;
  hw_stream_close(s->stream, false);
  s->stream = fresh;
  unpack_free(s->unpacker);
  s->unpacker = NULL;
  s->codec = s->how.codec;
  s->start = s->offset = 0;
  s->head_len = s->head_used = s->packed_at = s->packed_len = 0;
  s->held_back = false;
  return true;
}
