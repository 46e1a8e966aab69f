#include "connectors/file_paths.h"

#include "connectors/file_access.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Undoes %XX; `protect` puts a backslash before what would be a wildcard. */
static hw_status decode(const char *from, bool protect, char *to, hw_error *err) {
  for (const char *at = from; *at; at++) {
    if (*at != '%') {
      *to++ = *at;
      continue;
    }
    int high = hex_digit(at[1]), low = high < 0 ? -1 : hex_digit(at[2]);
    char c = (char)(high * 16 + low);
    if (low < 0 || c == 0)
      return hw_error_set(err, HW_EINVAL, "path: \"%.3s\" is not a byte written as %%XX (in \"%s\")", at, from);
    if (protect && strchr("*?[\\", c)) *to++ = '\\';
    *to++ = c;
    at += 2;
  }
  *to = 0;
  return HW_OK;
}

/* The length of the scheme that text begins with, if it is a URL; else 0. */
static size_t scheme_length(const char *text) {
  size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
  return strncmp(text + n, "://", 3) == 0 ? n : 0;
}

static char *parse(const char *text, bool protect, hw_error *err) {
  char *path = NULL;
  if (strncmp(text, "file://", 7) != 0) {
    size_t scheme = scheme_length(text);
    if (scheme) {
      hw_error_set(err, HW_EUNSUPPORTED,
                   "path: \"%s\" is a URL of the scheme \"%.*s\", and only file:// is a file's; a relative path that "
                   "looks like one begins with \"./\"",
                   text, (int)scheme, text);
      return NULL;
    }
    if (!*text) hw_error_set(err, HW_EINVAL, "path: must not be empty");
    else if (!(path = strdup(text))) hw_error_set(err, HW_ENOMEM, "out of memory");
    return path;
  }
  const char *at = text + 7;
  if (strncmp(at, "localhost/", 10) == 0) at += 9;
  if (*at != '/') {
    hw_error_set(err, HW_EINVAL, "path: \"%s\" names another machine; the URL of a local file is file:///absolute/path",
                 text);
    return NULL;
  }
  path = malloc(strlen(at) * 2 + 1);
  if (!path) hw_error_set(err, HW_ENOMEM, "out of memory");
  else if (decode(at, protect, path, err) != HW_OK) {
    free(path);
    path = NULL;
  }
  return path;
}

char *file_paths_parse(const char *text, hw_error *err) { return parse(text, true, err); }
char *file_paths_parse_plain(const char *text, hw_error *err) { return parse(text, false, err); }

bool file_paths_is_pattern(hw_connector *c, const char *pattern) {
  struct stat st;
  return strpbrk(pattern, "*?[\\") && file_access_lstat(c, pattern, &st) != 0;
}

static hw_status add(file_paths *paths, const char *path) {
  char *copy = strdup(path);
  char **items = copy ? realloc(paths->items, (paths->n + 1) * sizeof *items) : NULL;
  if (!items) {
    free(copy);
    return HW_ENOMEM;
  }
  paths->items = items;
  items[paths->n++] = copy;
  return HW_OK;
}

void file_paths_fini(file_paths *paths) {
  for (size_t i = 0; i < paths->n; i++) free(paths->items[i]);
  free(paths->items);
  *paths = (file_paths){0};
}

static int by_bytes(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static hw_status add_files(hw_connector *c, const glob_t *found, file_paths *out) {
  for (size_t i = 0; i < found->gl_pathc; i++) {
    struct stat st;
    if (file_access_stat(c, found->gl_pathv[i], &st) == 0 && S_ISDIR(st.st_mode)) continue;
    if (add(out, found->gl_pathv[i]) != HW_OK) return HW_ENOMEM;
  }
  if (out->n) qsort(out->items, out->n, sizeof *out->items, by_bytes);
  return HW_OK;
}

/* For whom glob looks around, and what it met: it passes nothing on. Good until
 * the thread's next glob. */
static _Thread_local hw_connector *glob_for;
static _Thread_local int glob_error;

/* A directory that does not exist is no fault, only no match. */
static int on_glob_error(const char *path, int error) {
  (void)path;
  glob_error = error;
  return error != ENOENT && error != ENOTDIR;
}

static void *glob_opendir(const char *path) { return file_access_opendir(glob_for, path); }
static struct dirent *glob_readdir(void *dir) { return readdir(dir); }
static void glob_closedir(void *dir) { closedir(dir); }
static int glob_stat(const char *path, struct stat *st) { return file_access_stat(glob_for, path, st); }
static int glob_lstat(const char *path, struct stat *st) { return file_access_lstat(glob_for, path, st); }

/* glob's order depends on the locale, so it is told not to sort. */
static int run_glob(hw_connector *c, const char *pattern, glob_t *found) {
  *found = (glob_t){.gl_opendir = glob_opendir,
                    .gl_readdir = glob_readdir,
                    .gl_closedir = glob_closedir,
                    .gl_stat = glob_stat,
                    .gl_lstat = glob_lstat};
  glob_for = c;
  return glob(pattern, GLOB_NOSORT | GLOB_ALTDIRFUNC, on_glob_error, found);
}

static hw_status list_aborted(const char *pattern, hw_error *err) {
  char why[128];
  return hw_error_set(err, HW_EIO, "cannot read a directory that \"%s\" leads through: %s", pattern,
                      file_access_fault(glob_error, why, sizeof why));
}

hw_status file_paths_list(hw_connector *c, const char *pattern, file_paths *out, hw_error *err) {
  *out = (file_paths){0};
  hw_status status = HW_OK;
  if (!file_paths_is_pattern(c, pattern)) {
    status = add(out, pattern);
  } else {
    glob_t found;
    int rc = run_glob(c, pattern, &found);
    if (rc == 0) status = add_files(c, &found, out);
    else if (rc == GLOB_NOSPACE) status = HW_ENOMEM;
    else if (rc == GLOB_ABORTED) status = list_aborted(pattern, err);
    if (rc == 0) globfree(&found);
  }
  if (status == HW_ENOMEM) hw_error_set(err, HW_ENOMEM, "out of memory to list \"%s\"", pattern);
  if (status != HW_OK) file_paths_fini(out);
  return status;
}

char *file_paths_dirname(const char *path) {
  const char *slash = strrchr(path, '/');
  if (!slash) return strdup(".");
  return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}
