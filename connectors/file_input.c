/* file_input.c - files, pipes and standard input: read once from beginning to
 * end, one after the other (here), or followed as they grow (file_follow.c). */
#include "connectors/connectors.h"
#include "connectors/file_access.h"
#include "connectors/file_claims.h"
#include "connectors/file_follow.h"
#include "connectors/file_paths.h"
#include "connectors/file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE (256u << 10)

typedef struct file_input {
  hw_connector *c;
  char *pattern;
  file_claim claim;      /* without follow: no output may write to what is read */
  bool follow;
  file_reading how;
  file_follow *followed; /* with follow; all below: without */
  file_paths paths;
  size_t next;           /* in paths */
  file_source *source;   /* being read; NULL: none */
  uint64_t done_bytes;   /* of the files before it */
  uint64_t total_bytes;  /* of all files, as they were at open; 0: unknown */
} file_input;

static unpack_kind codec_of(const char *choice) {
  if (strcmp(choice, "none") == 0) return UNPACK_PLAIN;
  if (strcmp(choice, "gzip") == 0) return UNPACK_GZIP;
  return strcmp(choice, "zstd") == 0 ? UNPACK_ZSTD : UNPACK_UNKNOWN;
}

static void destroy(void *instance) {
  file_input *in = instance;
  file_claims_remove(&in->claim);
  file_follow_close(in->followed);
  if (in->source) file_source_free(in->source);
  file_paths_fini(&in->paths);
  free(in->pattern);
  free(in);
}

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  file_input *in = calloc(1, sizeof *in);
  if (!in) return hw_error_set(err, HW_ENOMEM, "out of memory");
  in->c = c;
  in->follow = hw_config_bool(config, "follow");
  in->how.codec = codec_of(hw_config_string(config, "compression"));
  in->how.grows = in->follow;
  in->how.piece = PIECE;
  if (hw_config_is_set(config, "buffer_size_bytes"))
    in->how.piece = (size_t)hw_config_int(config, "buffer_size_bytes");
  hw_error why = {.status = HW_EINVAL};
  in->pattern = file_paths_parse(hw_config_string(config, "path"), &why);
  if (in->pattern && in->follow && strcmp(in->pattern, "-") == 0) {
    hw_error_set(&why, HW_EINVAL, "follow: standard input cannot be followed; it is read until its writers are gone");
    free(in->pattern);
    in->pattern = NULL;
  }
  if (!in->pattern) {
    destroy(in);
    return hw_error_set(err, why.status, "%s", why.message);
  }
  if (!in->follow && strcmp(in->pattern, "-") != 0) file_claims_add(&in->claim, in->pattern);
  *instance = in;
  return HW_OK;
}

/* ---- files one after the other ---------------------------------------------- */

/* What the sizes add up to, and whether all can be opened when their turn
 * comes: a program should not run for hours before it finds that out. */
static hw_status check_paths(file_input *in, hw_error *err) {
  for (size_t i = 0; i < in->paths.n; i++) {
    const char *path = in->paths.items[i];
    struct stat st;
    if (strcmp(path, "-") == 0) continue;
    char why[128];
    if (file_access_readable(in->c, path, &st) != 0)
      return hw_error_set(err, errno == ENOENT ? HW_ENOTFOUND : HW_EIO, "cannot open \"%s\": %s", path,
                          file_access_fault(errno, why, sizeof why));
    if (S_ISREG(st.st_mode)) in->total_bytes += (uint64_t)st.st_size;
  }
  return HW_OK;
}

static hw_status open_sequence(file_input *in, hw_error *err) {
  hw_status status = file_paths_list(in->c, in->pattern, &in->paths, err);
  if (status == HW_OK) status = check_paths(in, err);
  if (status != HW_OK) return status;
  if (in->paths.n == 0) return hw_error_set(err, HW_ENOTFOUND, "no file matches \"%s\"", in->pattern);
  in->source = file_source_open(in->c, in->paths.items[in->next++], &in->how, err);
  return in->source ? HW_OK : err->status;
}

static hw_status open_input(void *instance, hw_error *err) {
  file_input *in = instance;
  hw_error why = {.status = HW_OK};
  hw_status status = HW_OK;
  if (!in->follow) {
    status = open_sequence(in, &why);
  } else {
    in->followed = file_follow_open(in->c, in->pattern, &in->how, &why);
    if (!in->followed) status = why.status;
  }
  return status == HW_OK ? HW_OK : hw_error_set(err, status, "%s", why.message);
}

static void report_progress(const file_input *in) {
  uint64_t done = in->done_bytes + (in->source ? file_source_offset(in->source) : 0);
  hw_input_progress(in->c, done, done > in->total_bytes && in->total_bytes ? done : in->total_bytes);
}

static void finish_source(file_input *in, bool complete) {
  in->done_bytes += file_source_offset(in->source);
  file_source_close(in->source, complete);
  in->source = NULL;
}

/* HW_FETCH_MORE: a file is open, or was skipped with a message. */
static hw_fetch open_next(file_input *in, bool may_block) {
  if (in->next == in->paths.n) return HW_FETCH_END;
  if (!may_block) return HW_FETCH_BLOCK;
  hw_error err;
  in->source = file_source_open(in->c, in->paths.items[in->next++], &in->how, &err);
  if (!in->source) hw_connector_log(in->c, HW_LOG_ERROR, "%s", err.message);
  return HW_FETCH_MORE;
}

/* The end of a file, good or bad. */
static void end_source(file_input *in, source_step step, hw_error *err) {
  bool whole = step == SOURCE_EOF && file_source_check_end(in->source, err) == HW_OK;
  if (!whole && step != SOURCE_REFUSED) hw_connector_log(in->c, HW_LOG_ERROR, "%s", err->message);
  finish_source(in, whole);
}

static hw_fetch read_sequence(file_input *in, const hw_fetch_args *args, hw_error *err) {
  for (size_t used = 0; used < args->max_bytes;) {
    if (!in->source) {
      hw_fetch result = open_next(in, args->may_block);
      if (result != HW_FETCH_MORE) return result;
      continue;
    }
    size_t moved;
    source_step step = file_source_step(in->source, args->may_block, &moved, err);
    used += file_source_cost(step, moved);
    switch (step) {
    case SOURCE_GO: break;
    case SOURCE_YIELD: return HW_FETCH_MORE;
    case SOURCE_BLOCK: return HW_FETCH_BLOCK;
    case SOURCE_WAIT: return HW_FETCH_WAIT;
    case SOURCE_RETRY: return HW_FETCH_RETRY;
    default: end_source(in, step, err);
    }
  }
  return HW_FETCH_MORE;
}

static hw_fetch fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  file_input *in = instance;
  if (in->follow) return file_follow_fetch(in->followed, args, err);
  hw_fetch result = read_sequence(in, args, err);
  report_progress(in);
  return result;
}

/* Files that are read once are all open in time, or keep their names. */
static hw_fetch attend(void *instance, bool may_block) {
  file_input *in = instance;
  return in->follow ? file_follow_attend(in->followed, may_block) : HW_FETCH_WAIT;
}

static const char *const compressions[] = {"auto", "none", "gzip", "zstd", NULL};

static const hw_option options[] = {
    {.name = "path", .type = HW_OPTION_STRING, .flags = HW_OPTION_REQUIRED,
     .description = "A file, a file:// URL, a pattern with * ? [...], or - for standard input."},
    {.name = "follow", .type = HW_OPTION_BOOL, .default_text = "false",
     .description = "Read on as files grow, are rotated by renaming or cut to nothing, and as new ones appear."},
    {.name = "compression", .type = HW_OPTION_CHOICE, .default_text = "auto", .choices = compressions,
     .description = "What files are packed with; auto tells by their first bytes."},
    {.name = "buffer_size_bytes", .type = HW_OPTION_INT, .default_text = "8192", .min = 1, .max = 16 << 20,
     .unit = "bytes", .description = "Size of one read of an uncompressed file; when not set, 256 KiB are used."},
    {.name = NULL},
};

static const hw_input_ops ops = {.create = create, .open = open_input, .fetch = fetch, .destroy = destroy};

const hw_input_transport file_input_transport = {
    .struct_size = sizeof(hw_input_transport),
    .name = "file_input",
    .summary = "files, pipes and standard input, once or as they grow",
    .options = options,
    .ops = &ops,
    .attend = attend,
};
