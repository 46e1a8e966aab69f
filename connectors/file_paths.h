/* file_paths.h - what a `path` option means: a path, a URL, a pattern, "-". */
#ifndef CONNECTORS_FILE_PATHS_H
#define CONNECTORS_FILE_PATHS_H

#include <headworks/connector.h>

#include <stdbool.h>
#include <stddef.h>

/* The pattern for file_paths_list that text stands for: a copy, or the path of a
 * file:// URL with its %XX undone, where an escaped wildcard is protected by a
 * backslash. NULL and *err: a URL that is none of a local file, or no memory. */
char *file_paths_parse(const char *text, hw_error *err);

/* The same for outputs, where nothing is a wildcard. */
char *file_paths_parse_plain(const char *text, hw_error *err);

typedef struct file_paths {
  char **items;
  size_t n;
} file_paths;

/* Whether it has wildcards, and is not the name of a file that exists. */
bool file_paths_is_pattern(hw_connector *c, const char *pattern);

/* The files that pattern names, sorted bytewise, directories left out; a path
 * without wildcards is listed as it is. None is HW_OK with n = 0. Reads
 * directories, those only in which c's files may be: may block. HW_EIO: one
 * cannot be read; HW_ENOMEM. */
hw_status file_paths_list(hw_connector *c, const char *pattern, file_paths *out, hw_error *err);
void file_paths_fini(file_paths *paths);

/* The directory part of a path or pattern; NULL: no memory. */
char *file_paths_dirname(const char *path);

#endif
