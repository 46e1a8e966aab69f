/* DESIGN
 * Problem: logs grow, are renamed away and written anew (rotation), or are cut
 * to nothing and written on (copytruncate); every line is to be read once.
 * Structure: a file is known by its inode, for names move. A scan lists the
 * names that the pattern matches: an inode not known yet is a new file, one
 * that no name leads to any more is retired. A retired file is still read, for
 * its writer may not have noticed, until it was silent for RETIRE_NS; what takes
 * over its name is opened only after the retired one was read to its end once.
 * A file that is shorter than what was read of it was cut: it starts over.
 * Waiting: filewatch wakes the connector and marks the file that changed; only
 * marked files are read. Where changes can go unnoticed (network file systems,
 * symbolic links, wildcards in directory names, no inotify watch left), all
 * files are looked at every POLL_NS, otherwise every IDLE_NS for safety's sake.
 * Guarantees: an unfinished last line waits for its end; it is given out as it
 * is when its file retires. Descriptors stay open, so an inode number in use
 * here cannot come to mean another file.
 * Limits: a file that is cut and grows past the old length between two looks
 * reads on in the middle: nothing tells the two apart. A file that is renamed to
 * what the pattern does not match before it was opened is not found. */
#include "connectors/file_follow.h"
#include "connectors/clock.h"
#include "connectors/file_access.h"
#include "connectors/file_paths.h"
#include "connectors/filewatch.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>

#define RETIRE_NS UINT64_C(5000000000)
#define POLL_NS UINT64_C(1000000000)
#define IDLE_NS UINT64_C(60000000000)

/* new -> live (open, has a name) -> retired -> gone; live again when a name comes back */
typedef struct followed {
  char *path;          /* its latest name */
  dev_t dev;
  ino_t ino;
  file_source *source; /* NULL: new */
  filewatch *watch;
  bool dirty;          /* to be read */
  bool seen;           /* by the scan at hand */
  bool retired;
  bool drained;        /* read to its end since it retired */
  bool dropped;        /* its contents cannot be read any further */
  bool complained;     /* that it cannot be opened */
  uint64_t quiet_since; /* retired: when it last gave something */
  uint64_t read_before; /* bytes of it that were read before it started over */
} followed;

struct file_follow {
  hw_connector *c;
  char *pattern;
  file_reading how;
  followed **files; /* in the order in which they were found */
  size_t n, capacity;
  size_t turn;      /* whose turn it is */
  filewatch **dirs;
  size_t n_dirs;
  bool polled;      /* changes can go unnoticed */
  bool scan_wanted;
  bool again;       /* another look at all files is worth it */
  uint64_t looked;  /* when all files were last looked at */
  uint64_t gone_bytes; /* of files that are gone, for progress */
};

/* ---- one file --------------------------------------------------------------- */

static void followed_free(followed *file) {
  filewatch_remove(file->watch);
  if (file->source) file_source_free(file->source);
  free(file->path);
  free(file);
}

static followed *followed_new(const char *path, const struct stat *st) {
  followed *file = calloc(1, sizeof *file);
  if (!file || !(file->path = strdup(path))) {
    free(file);
    return NULL;
  }
  file->dev = st->st_dev;
  file->ino = st->st_ino;
  file->dirty = true;
  return file;
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

static void retire(followed *file) {
  file->retired = file->dirty = true;
  file->drained = false;
  file->quiet_since = connectors_now_ns();
}

/* Whether a file that had this one's name before is still to be read to its end. */
static bool has_predecessor(const file_follow *f, const followed *file) {
  for (size_t i = 0; i < f->n; i++) {
    const followed *other = f->files[i];
    if (other == file) break;
    if (other->source && other->retired && !other->drained && strcmp(other->path, file->path) == 0) return true;
  }
  return false;
}

/* HW_ESTATE: the name leads to another file by now, the next scan will see. */
static bool begin(file_follow *f, followed *file, hw_error *err) {
  struct stat st;
  file->source = file_source_open(f->c, file->path, &f->how, err);
  if (!file->source) return false;
  if (fstat(file_source_fd(file->source), &st) != 0 || st.st_ino != file->ino || st.st_dev != file->dev) {
    file_source_close(file->source, true);
    file->source = NULL;
    f->scan_wanted = true;
    hw_error_set(err, HW_ESTATE, "\"%s\" was replaced while it was opened", file->path);
    return false;
  }
  file->watch = filewatch_add(f->c, file->path, FILEWATCH_FILE);
  if (!file->watch || is_silent(f->c, file->path)) f->polled = true;
  return true;
}

/* ---- scanning --------------------------------------------------------------- */

static followed *find(const file_follow *f, const struct stat *st) {
  for (size_t i = 0; i < f->n; i++)
    if (f->files[i]->ino == st->st_ino && f->files[i]->dev == st->st_dev) return f->files[i];
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

static bool rename_to(followed *file, const char *path) {
  if (strcmp(file->path, path) == 0) return true;
  char *copy = strdup(path);
  if (!copy) return false;
  free(file->path);
  file->path = copy;
  return true;
}

/* path exists and has st. False: no memory. */
static bool scan_path(file_follow *f, const char *path, const struct stat *st) {
  followed *file = find(f, st);
  if (file) {
    file->seen = true;
    file->retired = false;
    return rename_to(file, path);
  }
  file = followed_new(path, st);
  if (!file) return false;
  file->seen = true;
  if (append(f, file)) return true;
  followed_free(file);
  return false;
}

static void retire_unseen(file_follow *f) {
  for (size_t i = 0; i < f->n; i++)
    if (!f->files[i]->seen && !f->files[i]->retired) retire(f->files[i]);
}

static hw_status scan(file_follow *f, hw_error *err) {
  file_paths paths;
  hw_status status = file_paths_list(f->c, f->pattern, &paths, err);
  if (status != HW_OK) return status;
  for (size_t i = 0; i < f->n; i++) f->files[i]->seen = false;
  for (size_t i = 0; i < paths.n && status == HW_OK; i++) {
    struct stat st;
    if (file_access_stat(f->c, paths.items[i], &st) != 0 || S_ISDIR(st.st_mode)) continue;
    if (!scan_path(f, paths.items[i], &st)) status = hw_error_set(err, HW_ENOMEM, "out of memory to follow files");
  }
  if (status == HW_OK) retire_unseen(f);
  file_paths_fini(&paths);
  return status;
}

static bool watch_dir(file_follow *f, const char *path) {
  filewatch **dirs = realloc(f->dirs, (f->n_dirs + 1) * sizeof *dirs);
  if (!dirs) return false;
  f->dirs = dirs;
  dirs[f->n_dirs] = filewatch_add(f->c, path, FILEWATCH_DIR);
  if (!dirs[f->n_dirs] || is_silent(f->c, path)) f->polled = true;
  if (dirs[f->n_dirs]) f->n_dirs++;
  return true;
}

/* The directory in which names come and go. With wildcards in its own name
 * there are many, and new ones: those are looked for from time to time. */
static bool watch_directory(file_follow *f) {
  char *dir = file_paths_dirname(f->pattern);
  if (!dir) return false;
  bool ok = true;
  if (file_paths_is_pattern(f->c, dir)) f->polled = true;
  else ok = watch_dir(f, dir);
  free(dir);
  return ok;
}

/* ---- opening and closing ---------------------------------------------------- */

void file_follow_close(file_follow *f) {
  if (!f) return;
  for (size_t i = 0; i < f->n; i++) followed_free(f->files[i]);
  for (size_t i = 0; i < f->n_dirs; i++) filewatch_remove(f->dirs[i]);
  free(f->files);
  free(f->dirs);
  free(f->pattern);
  free(f);
}

static bool begin_all(file_follow *f, hw_error *err) {
  for (size_t i = 0; i < f->n; i++)
    if (!begin(f, f->files[i], err)) return false;
  return true;
}

/* Names the reason why there is nothing to follow. */
static void explain_nothing(const file_follow *f, hw_error *err) {
  if (file_paths_is_pattern(f->c, f->pattern)) {
    hw_error_set(err, HW_ENOTFOUND, "no file matches \"%s\"", f->pattern);
    return;
  }
  file_source *source = file_source_open(f->c, f->pattern, &f->how, err);
  if (!source) return;
  file_source_close(source, true);
  hw_error_set(err, HW_ENOTFOUND, "\"%s\" appeared only now; start again", f->pattern);
}

file_follow *file_follow_open(hw_connector *c, const char *pattern, const file_reading *how, hw_error *err) {
  file_follow *f = calloc(1, sizeof *f);
  if (!f || !(f->pattern = strdup(pattern))) goto no_memory;
  f->c = c;
  f->how = *how;
  f->looked = connectors_now_ns();
  if (!watch_directory(f)) goto no_memory;
  if (scan(f, err) != HW_OK) goto failed;
  if (f->n == 0) {
    explain_nothing(f, err);
    goto failed;
  }
  if (begin_all(f, err)) return f;
  goto failed;
no_memory:
  hw_error_set(err, HW_ENOMEM, "out of memory to follow \"%s\"", pattern);
failed:
  file_follow_close(f);
  return NULL;
}

/* ---- fetching --------------------------------------------------------------- */

static bool was_cut(const followed *file) {
  struct stat st;
  return file_source_is_regular(file->source) && fstat(file_source_fd(file->source), &st) == 0 &&
         (uint64_t)st.st_size < file_source_offset(file->source);
}

/* A FIFO whose last writer went is opened again, to wait for the next one. */
static source_step at_end(file_follow *f, followed *file, hw_error *err) {
  if (was_cut(file)) {
    hw_connector_log(f->c, HW_LOG_INFO, "\"%s\" was cut at offset %llu: reading it from its start", file->path,
                     (unsigned long long)file_source_offset(file->source));
    file->read_before += file_source_offset(file->source);
    if (file_source_restart(file->source)) return SOURCE_GO;
    hw_error_set(err, HW_ENOMEM, "out of memory to follow \"%s\"", file->path);
    return SOURCE_RETRY;
  }
  if (file_source_is_fifo(file->source) && !file->retired)
    return file_source_reopen(file->source, err) ? SOURCE_GO : SOURCE_RETRY;
  file->dirty = false;
  if (file->retired && !file->drained) f->again = true; /* one that took over its name may begin */
  file->drained = true;
  return SOURCE_EOF;
}

/* What it holds cannot be read on: says so once and lets it be. */
static void drop(file_follow *f, followed *file, source_step step, const hw_error *err) {
  if (step == SOURCE_CORRUPT) hw_connector_log(f->c, HW_LOG_ERROR, "%s", err->message);
  file->read_before += file_source_offset(file->source);
  file_source_close(file->source, false);
  filewatch_remove(file->watch);
  file->source = NULL;
  file->watch = NULL;
  file->dirty = false;
  file->dropped = true;
}

/* Reads one file until its end, or the turn's. *used counts the turn's bytes. */
static source_step read_file(file_follow *f, followed *file, const hw_fetch_args *args, size_t *used, hw_error *err) {
  source_step step = SOURCE_GO;
  while (step == SOURCE_GO && *used < args->max_bytes) {
    size_t moved;
    step = file_source_step(file->source, args->may_block, &moved, err);
    *used += file_source_cost(step, moved);
    if (moved) file->quiet_since = connectors_now_ns();
    if (step == SOURCE_EOF) step = at_end(f, file, err);
  }
  if (step == SOURCE_CORRUPT || step == SOURCE_REFUSED) {
    drop(f, file, step, err);
    step = SOURCE_EOF;
  }
  return step;
}

/* Opens a new file when its time has come. SOURCE_GO: it is open. */
static source_step open_when_due(file_follow *f, followed *file, bool may_block) {
  if (file->source) return SOURCE_GO;
  if (file->dropped || file->retired || has_predecessor(f, file)) return SOURCE_EOF;
  if (!may_block) return SOURCE_BLOCK;
  hw_error err;
  if (begin(f, file, &err)) return SOURCE_GO;
  file->dirty = false; /* until all files are looked at again */
  if (err.status == HW_EIO && !file->complained) {
    file->complained = true;
    hw_connector_log(f->c, HW_LOG_WARNING, "%s", err.message);
  }
  return SOURCE_EOF;
}

static hw_fetch fetch_result(source_step step) {
  switch (step) {
  case SOURCE_BLOCK: return HW_FETCH_BLOCK;
  case SOURCE_RETRY: return HW_FETCH_RETRY;
  default: return HW_FETCH_MORE;
  }
}

/* All files that changed, one after the other, from where the last turn ended.
 * HW_FETCH_WAIT: none has anything to give. */
static hw_fetch read_files(file_follow *f, const hw_fetch_args *args, hw_error *err) {
  size_t used = 0;
  f->again = false;
  for (size_t i = 0; i < f->n && used < args->max_bytes; i++) {
    followed *file = f->files[f->turn++ % f->n];
    if (filewatch_take(file->watch)) file->dirty = true;
    if (!file->dirty) continue;
    source_step step = open_when_due(f, file, args->may_block);
    if (step == SOURCE_GO) step = read_file(f, file, args, &used, err);
    if (step == SOURCE_BLOCK || step == SOURCE_YIELD || step == SOURCE_RETRY) return fetch_result(step);
  }
  return used || f->again ? HW_FETCH_MORE : HW_FETCH_WAIT;
}

static void remove_at(file_follow *f, size_t i) {
  followed *file = f->files[i];
  f->gone_bytes += file->read_before + (file->source ? file_source_offset(file->source) : 0);
  memmove(f->files + i, f->files + i + 1, (f->n - i - 1) * sizeof *f->files);
  f->n--;
  if (file->source) file_source_close(file->source, true);
  file->source = NULL;
  followed_free(file);
}

/* Retired files that were silent long enough go; *next: when the next may. */
static void expire(file_follow *f, uint64_t now, uint64_t *next) {
  for (size_t i = f->n; i-- > 0;) {
    followed *file = f->files[i];
    if (!file->retired) continue;
    uint64_t due = file->quiet_since + RETIRE_NS;
    if (!file->source || (due <= now && !file->dirty)) remove_at(f, i);
    else if (due < *next) *next = due;
  }
}

static void report_progress(const file_follow *f) {
  uint64_t done = f->gone_bytes, total = f->gone_bytes;
  for (size_t i = 0; i < f->n; i++) {
    const followed *file = f->files[i];
    struct stat st;
    if (!file->source || fstat(file_source_fd(file->source), &st) != 0) continue;
    uint64_t offset = file_source_offset(file->source);
    done += file->read_before + offset;
    total += file->read_before + ((uint64_t)st.st_size > offset ? (uint64_t)st.st_size : offset);
  }
  hw_input_progress(f->c, done, total);
}

/* Marks what is to be looked at now. */
static void look(file_follow *f, uint64_t now) {
  for (size_t i = 0; i < f->n_dirs; i++)
    if (filewatch_take(f->dirs[i])) f->scan_wanted = true;
  if (now - f->looked < (f->polled ? POLL_NS : IDLE_NS)) return;
  f->looked = now;
  f->scan_wanted = true;
  for (size_t i = 0; i < f->n; i++) f->files[i]->dirty = true;
}

static hw_fetch wait_for_change(file_follow *f, uint64_t now) {
  uint64_t next = f->looked + (f->polled ? POLL_NS : IDLE_NS);
  expire(f, now, &next);
  report_progress(f);
  hw_connector_wait_us(f->c, next > now ? (next - now) / 1000 + 1 : 1);
  return HW_FETCH_WAIT;
}

hw_fetch file_follow_fetch(file_follow *f, const hw_fetch_args *args, hw_error *err) {
  uint64_t now = connectors_now_ns();
  look(f, now);
  if (f->scan_wanted) {
    if (!args->may_block) return HW_FETCH_BLOCK;
    if (scan(f, err) != HW_OK) return HW_FETCH_RETRY;
    f->scan_wanted = false;
  }
  hw_fetch result = read_files(f, args, err);
  return result == HW_FETCH_WAIT ? wait_for_change(f, now) : result;
}
