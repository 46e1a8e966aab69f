/* DESIGN
 * Problem: logs grow, are renamed away and written anew (rotation), or are cut
 * to nothing and written on (copytruncate); every line is to be read once.
 * Structure: a file is known by its inode, for names move. A scan
 * (file_follow_find.c) lists the names that the pattern matches: an inode not
 * known yet is a new file, which is opened there and then, for its name may soon
 * lead elsewhere; one that no name leads to any more is retired. When a file's
 * turn to be read comes is another matter: what takes over a name is read only
 * after those that had it before were read to their end once. A retired file is
 * still read, for its writer may not have noticed, until it was silent for
 * RETIRE_NS. A file that is shorter than what was read of it was cut: it starts
 * over.
 * Waiting: filewatch wakes the connector and marks the file that changed; only
 * marked files are read. While the connector is held, `attend` goes on scanning:
 * opening is not fetching, and rotation does not wait for a pause to end. Where
 * changes can go unnoticed (network file systems, symbolic links, wildcards in
 * directory names, no inotify watch left), all files are looked at every
 * FOLLOW_POLL_NS, otherwise every FOLLOW_IDLE_NS for safety's sake.
 * Guarantees: an unfinished last line waits for its end; it is given out as it
 * is when its file retires. Descriptors stay open, so an inode number in use
 * here cannot come to mean another file. A file that a scan saw is read, or it
 * is an error that says so: no more than FOLLOW_AHEAD files are kept open before
 * their turn, so one beyond them can go away unread.
 * Limits: a file that is cut and grows past the old length between two looks
 * reads on in the middle: nothing tells the two apart. A file that is renamed to
 * what the pattern does not match before any scan saw it is not found. */
#include "connectors/file_follow.h"
#include "connectors/clock.h"
#include "connectors/file_follow_impl.h"
#include "connectors/file_paths.h"

#include <stdlib.h>
#include <string.h>

#define RETIRE_NS UINT64_C(5000000000)

/* ---- whose turn it is ------------------------------------------------------- */

/* Whether a file that had this one's name before is still to be read to its end. */
static bool has_predecessor(const file_follow *f, const followed *file) {
  for (size_t i = 0; i < f->n; i++) {
    const followed *other = f->files[i];
    if (other == file) break;
    if (other->retired && !other->drained && !other->dropped && strcmp(other->path, file->path) == 0) return true;
  }
  return false;
}

/* Starts to read a file that was found. May block. */
static bool begin(file_follow *f, followed *file, hw_error *err) {
  if (file->fd < 0 && !follow_open_found(f, file, err)) return false;
  int fd = file->fd;
  file->fd = -1;
  f->n_ahead--;
  file->source = file_source_adopt(f->c, fd, file->path, &f->how, err);
  if (!file->source) return false;
  file->watch = filewatch_add(f->c, file_source_fd(file->source), FILEWATCH_FILE);
  if (!file->watch) f->polled = true;
  file->quiet_since = connectors_now_ns();
  return true;
}

/* ---- opening and closing ---------------------------------------------------- */

void file_follow_close(file_follow *f) {
  if (!f) return;
  for (size_t i = 0; i < f->n; i++) follow_free(f, f->files[i]);
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
  if (!follow_watch_directory(f)) goto no_memory;
  if (follow_scan(f, err) != HW_OK) goto failed;
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
  if (file->dropped || has_predecessor(f, file)) return SOURCE_EOF;
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

/* Retired files that were silent long enough go; *next: when the next may. */
static void expire(file_follow *f, uint64_t now, uint64_t *next) {
  for (size_t i = f->n; i-- > 0;) {
    followed *file = f->files[i];
    if (!file->retired) continue;
    uint64_t due = file->quiet_since + RETIRE_NS;
    if (file->dropped || (due <= now && !file->dirty)) follow_remove(f, i);
    else if (due < *next) *next = due;
  }
}

static void report_progress(const file_follow *f) {
  uint64_t done = f->gone_bytes, total = f->gone_bytes;
  for (size_t i = 0; i < f->n; i++) {
    const followed *file = f->files[i];
    struct stat st;
    if (fstat(file->source ? file_source_fd(file->source) : file->fd, &st) != 0) continue; /* fd may be -1 */
    uint64_t offset = file->source ? file_source_offset(file->source) : 0;
    done += file->read_before + offset;
    total += file->read_before + ((uint64_t)st.st_size > offset ? (uint64_t)st.st_size : offset);
  }
  hw_input_progress(f->c, done, total);
}

static uint64_t next_look(const file_follow *f) {
  return f->looked + (f->polled ? FOLLOW_POLL_NS : FOLLOW_IDLE_NS);
}

static hw_fetch wait_until(file_follow *f, uint64_t now, uint64_t next) {
  hw_connector_wait_us(f->c, next > now ? (next - now) / 1000 + 1 : 1);
  return HW_FETCH_WAIT;
}

static hw_fetch wait_for_change(file_follow *f, uint64_t now) {
  uint64_t next = next_look(f);
  expire(f, now, &next);
  report_progress(f);
  return wait_until(f, now, next);
}

hw_fetch file_follow_fetch(file_follow *f, const hw_fetch_args *args, hw_error *err) {
  uint64_t now = connectors_now_ns();
  follow_look(f, now);
  if (f->scan_wanted && !args->may_block) return HW_FETCH_BLOCK;
  if (f->scan_wanted && follow_scan(f, err) != HW_OK) return HW_FETCH_RETRY;
  hw_fetch result = read_files(f, args, err);
  return result == HW_FETCH_WAIT ? wait_for_change(f, now) : result;
}

/* A scan that fails is tried again: the next fetch will say why, if it still does. */
hw_fetch file_follow_attend(file_follow *f, bool may_block) {
  uint64_t now = connectors_now_ns();
  hw_error err;
  follow_look(f, now);
  if (f->scan_wanted && !may_block) return HW_FETCH_BLOCK;
  bool failed = f->scan_wanted && follow_scan(f, &err) != HW_OK;
  return wait_until(f, now, failed ? now + FOLLOW_POLL_NS : next_look(f));
}
