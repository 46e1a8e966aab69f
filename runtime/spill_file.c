#include "runtime/spill_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEGMENTS 16u /* about as many files as a full spill has */
#define SEGMENT_BYTES_MIN (UINT64_C(1) << 20)

struct spill_segment {
  spill_segment *next;
  int fd;
  uint64_t written, read; /* bytes */
};

void spill_file_init(spill_file *f, const char *dir, uint64_t most) {
  uint64_t part = most / SEGMENTS;
  *f = (spill_file){.dir = dir, .most = most, .segment_bytes = part > SEGMENT_BYTES_MIN ? part : SEGMENT_BYTES_MIN};
}

static void drop_oldest(spill_file *f) {
  spill_segment *s = f->oldest;
  f->oldest = s->next;
  if (!f->oldest) f->newest = NULL;
  f->on_disk -= s->written;
  close(s->fd); /* nothing of it is wanted any more, so there is nothing to fail */
  free(s);
}

void spill_file_fini(spill_file *f) {
  while (f->oldest) drop_oldest(f);
}

/* ---- making files -------------------------------------------------------- */

/* For file systems without O_TMPFILE. */
static int open_and_unlink(const char *dir) {
  char path[4096];
  int n = snprintf(path, sizeof path, "%s/headworks-spill.XXXXXX", dir);
  if (n < 0 || (size_t)n >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int fd = mkostemp(path, O_CLOEXEC);
  if (fd >= 0) unlink(path);
  return fd;
}

static int open_unnamed(const char *dir) {
  int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  return fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) ? open_and_unlink(dir) : fd;
}

static hw_status add_segment(spill_file *f, hw_error *err) {
  spill_segment *s = calloc(1, sizeof *s);
  if (!s) return hw_error_set(err, HW_EIO, "no memory for another spill file");
  s->fd = open_unnamed(f->dir);
  if (s->fd < 0) {
    hw_error_set(err, HW_EIO, "no spill file can be made in %s: %s", f->dir, strerror(errno));
    free(s);
    return HW_EIO;
  }
  if (f->newest)
    f->newest->next = s;
  else
    f->oldest = s;
  f->newest = s;
  return HW_OK;
}

hw_status spill_file_open(spill_file *f, hw_error *err) { return f->newest ? HW_OK : add_segment(f, err); }

/* ---- records ------------------------------------------------------------- */

/* Files that have been read to their end are gone, all but the newest. */
bool spill_file_is_empty(const spill_file *f) { return !f->oldest || f->oldest->read == f->oldest->written; }

static hw_status write_all(const spill_file *f, const char *data, size_t n, hw_error *err) {
  const spill_segment *s = f->newest;
  for (size_t done = 0; done < n;) {
    ssize_t w = pwrite(s->fd, data + done, n - done, (off_t)(s->written + done));
    if (w < 0 && errno == EINTR) continue;
    if (w <= 0) return hw_error_set(err, HW_EIO, "a spill file in %s: %s", f->dir, strerror(w < 0 ? errno : ENOSPC));
    done += (size_t)w;
  }
  return HW_OK;
}

/* What a failed write has left behind takes no space. */
static void cut_back(const spill_segment *s) {
  while (ftruncate(s->fd, (off_t)s->written) != 0 && errno == EINTR) continue;
}

hw_status spill_file_append(spill_file *f, const void *data, size_t n, hw_error *err) {
  if (n > f->most - f->on_disk)
    return hw_error_set(err, HW_ELIMIT, "max_spill_bytes (%llu) are used up", (unsigned long long)f->most);
  bool next = !f->newest || f->newest->written >= f->segment_bytes;
  if (next && add_segment(f, err) != HW_OK) return HW_EIO;
  if (write_all(f, data, n, err) != HW_OK) {
    cut_back(f->newest);
    return HW_EIO;
  }
  f->newest->written += n;
  f->on_disk += n;
  return HW_OK;
}

/* The space of what has been read comes back. */
static void forget_read(spill_file *f) {
  while (f->oldest && f->oldest->read == f->oldest->written) {
    spill_segment *s = f->oldest;
    if (s != f->newest) {
      drop_oldest(f);
      continue;
    }
    if (s->written && ftruncate(s->fd, 0) == 0) {
      f->on_disk -= s->written;
      s->written = s->read = 0;
    } else if (s->written) {
      drop_oldest(f); /* a new one will be made */
    }
    return;
  }
}

hw_status spill_file_read(spill_file *f, void *data, size_t n, hw_error *err) {
  forget_read(f); /* an empty file may have been followed by another */
  spill_segment *s = f->oldest;
  if (!s || n > s->written - s->read)
    return hw_error_set(err, HW_EIO, "a spill file in %s ends within a record", f->dir);
  for (size_t done = 0; done < n;) {
    ssize_t r = pread(s->fd, (char *)data + done, n - done, (off_t)(s->read + done));
    if (r < 0 && errno == EINTR) continue;
    if (r <= 0)
      return hw_error_set(err, HW_EIO, "a spill file in %s: %s", f->dir,
                          r < 0 ? strerror(errno) : "it ends within a record");
    done += (size_t)r;
  }
  s->read += n;
  forget_read(f);
  return HW_OK;
}
