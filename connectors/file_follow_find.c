/* file_follow_find.c - which files a pattern has named, see the DESIGN comment in
 * file_follow.c. */
#include "connectors/clock.h"
#include "connectors/file_access.h"
#include "connectors/file_follow_impl.h"
#include "connectors/file_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- one file --------------------------------------------------------------- */

static void let_go_of_fd(file_follow *f, followed *file) {
  if (file->fd < 0) return;
  close(file->fd);
  file->fd = -1;
  f->n_ahead--;
}

void follow_free(file_follow *f, followed *file) {
  filewatch_remove(file->watch);
  if (file->source) file_source_free(file->source);
  let_go_of_fd(f, file);
  free(file->path);
  free(file);
}

static followed *followed_new(const char *path, const struct stat *st) {
  followed *file = calloc(1, sizeof *file);
  if (!file || !(file->path = strdup(path))) {
    free(file);
    return NULL;
  }
  file->fd = -1;
  file->dev = st->st_dev;
  file->ino = st->st_ino;
  file->dirty = true;
  return file;
}

static bool is(const followed *file, const struct stat *st) {
  return file->ino == st->st_ino && file->dev == st->st_dev;
}

static followed *find(const file_follow *f, const struct stat *st) {
  for (size_t i = 0; i < f->n; i++)
    if (is(f->files[i], st)) return f->files[i];
  return NULL;
}

static bool append(file_follow *f, followed *file) {
  if (f->n == f->capacity) {
    size_t capacity = f->capacity ? f->capacity * 2 : 8;
    followed **files = realloc(f->files, capacity * sizeof *files);
    if (!files) return false;
    f->files = files;
    f->capacity = capacity;
  }
  f->files[f->n++] = file;
  return true;
}

void follow_remove(file_follow *f, size_t i) {
  followed *file = f->files[i];
  f->gone_bytes += file->read_before + (file->source ? file_source_offset(file->source) : 0);
  memmove(f->files + i, f->files + i + 1, (f->n - i - 1) * sizeof *f->files);
  f->n--;
  if (file->source) file_source_close(file->source, true);
  file->source = NULL;
  follow_free(f, file);
}

/* Whether somebody else's writing on this file system goes unnoticed. */
static bool is_silent(hw_connector *c, const char *path) {
  static const long notifying[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, TMPFS_MAGIC, F2FS_SUPER_MAGIC};
  struct statfs fs;
  struct stat st;
  if (file_access_statfs(c, path, &fs) != 0 || file_access_lstat(c, path, &st) != 0 || S_ISLNK(st.st_mode)) return true;
  for (size_t i = 0; i < sizeof notifying / sizeof *notifying; i++)
    if (fs.f_type == notifying[i]) return false;
  return true;
}

/* fd: what a name led to; opens that very file, whatever its name means by now. */
static void open_ahead(file_follow *f, followed *file, int fd) {
  if (f->n_ahead >= FOLLOW_AHEAD) return;
  file->fd = file_access_reopen(fd);
  file->fault = file->fd < 0 ? errno : 0;
  if (file->fd < 0) return;
  f->n_ahead++;
  if (is_silent(f->c, file->path)) f->polled = true;
}

bool follow_open_found(file_follow *f, followed *file, hw_error *err) {
  struct stat st;
  char why[128];
  int fd = file_access_pin(f->c, file->path, &st);
  file->fault = fd < 0 ? errno : 0;
  bool same = fd >= 0 && is(file, &st);
  if (same) open_ahead(f, file, fd);
  if (fd >= 0) close(fd);
  if (file->fd >= 0) return true;
  if (fd >= 0 && !same) {
    f->scan_wanted = true;
    hw_error_set(err, HW_ESTATE, "\"%s\" was replaced before it was opened", file->path);
    return false;
  }
  hw_error_set(err, file->fault == ENOENT ? HW_ENOTFOUND : file->fault ? HW_EIO : HW_ELIMIT, "cannot open \"%s\": %s",
               file->path,
               file->fault ? file_access_fault(file->fault, why, sizeof why) : "too many others wait to be read");
  return false;
}

/* ---- scanning --------------------------------------------------------------- */

static bool rename_to(followed *file, const char *path) {
  if (strcmp(file->path, path) == 0) return true;
  char *copy = strdup(path);
  if (!copy) return false;
  free(file->path);
  file->path = copy;
  return true;
}

static bool found_again(file_follow *f, followed *file, const char *path, int fd) {
  file->seen = true;
  file->retired = false;
  if (!file->source && file->fd < 0 && !file->dropped) open_ahead(f, file, fd);
  return rename_to(file, path);
}

static bool found_new(file_follow *f, const char *path, const struct stat *st, int fd) {
  followed *file = followed_new(path, st);
  if (!file) return false;
  file->seen = true;
  if (!append(f, file)) {
    follow_free(f, file);
    return false;
  }
  open_ahead(f, file, fd);
  return true;
}

/* False: no memory. */
static bool scan_path(file_follow *f, const char *path) {
  struct stat st;
  int fd = file_access_pin(f->c, path, &st);
  if (fd < 0) return true;
  followed *file = S_ISDIR(st.st_mode) ? NULL : find(f, &st);
  bool ok = S_ISDIR(st.st_mode) || (file ? found_again(f, file, path, fd) : found_new(f, path, &st, fd));
  close(fd);
  return ok;
}

static void report_lost(const file_follow *f, const followed *file) {
  char why[128];
  if (file->fault)
    hw_connector_log(f->c, HW_LOG_ERROR, "\"%s\" was renamed or deleted before it could be opened (%s): not read",
                     file->path, file_access_fault(file->fault, why, sizeof why));
  else
    hw_connector_log(f->c, HW_LOG_ERROR,
                     "\"%s\" was renamed or deleted while %u files before it were waiting to be read, more than are "
                     "kept open: not read",
                     file->path, FOLLOW_AHEAD);
}

static void retire(followed *file) {
  file->retired = file->dirty = true;
  file->drained = false;
  file->quiet_since = connectors_now_ns();
}

/* Of those that no name leads to any more, an open one is read to its end. */
static void retire_unseen(file_follow *f) {
  for (size_t i = f->n; i-- > 0;) {
    followed *file = f->files[i];
    if (file->seen || file->retired) continue;
    bool open = file->source || file->fd >= 0;
    if (open) retire(file);
    if (!open && !file->dropped) report_lost(f, file);
    if (!open) follow_remove(f, i);
  }
}

hw_status follow_scan(file_follow *f, hw_error *err) {
  file_paths paths;
  hw_status status = file_paths_list(f->c, f->pattern, &paths, err);
  if (status != HW_OK) return status;
  for (size_t i = 0; i < f->n; i++) f->files[i]->seen = false;
  for (size_t i = 0; i < paths.n && status == HW_OK; i++)
    if (!scan_path(f, paths.items[i])) status = hw_error_set(err, HW_ENOMEM, "out of memory to follow files");
  if (status == HW_OK) {
    retire_unseen(f);
    f->scan_wanted = false;
  }
  file_paths_fini(&paths);
  return status;
}

/* ---- what to look at -------------------------------------------------------- */

static bool watch_dir(file_follow *f, const char *path) {
  filewatch **dirs = realloc(f->dirs, (f->n_dirs + 1) * sizeof *dirs);
  if (!dirs) return false;
  f->dirs = dirs;
  int fd = hw_connector_open_file(f->c, path, O_PATH | O_DIRECTORY, 0);
  dirs[f->n_dirs] = fd >= 0 ? filewatch_add(f->c, fd, FILEWATCH_DIR) : NULL;
  if (fd >= 0) close(fd);
  if (!dirs[f->n_dirs] || is_silent(f->c, path)) f->polled = true;
  if (dirs[f->n_dirs]) f->n_dirs++;
  return true;
}

/* With wildcards in the directory's own name there are many, and new ones: those
 * are looked for from time to time. */
bool follow_watch_directory(file_follow *f) {
  char *dir = file_paths_dirname(f->pattern);
  if (!dir) return false;
  bool ok = true;
  if (file_paths_is_pattern(f->c, dir)) f->polled = true;
  else ok = watch_dir(f, dir);
  free(dir);
  return ok;
}

void follow_look(file_follow *f, uint64_t now) {
  for (size_t i = 0; i < f->n_dirs; i++)
    if (filewatch_take(f->dirs[i])) f->scan_wanted = true;
  if (now - f->looked < (f->polled ? FOLLOW_POLL_NS : FOLLOW_IDLE_NS)) return;
  f->looked = now;
  f->scan_wanted = true;
  for (size_t i = 0; i < f->n; i++) f->files[i]->dirty = true;
}
