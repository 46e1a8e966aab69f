/* file_access.h - looking at files by their names, beneath the directory that the
 * connector's files are confined to, where there is one. All may block on a slow
 * file system; all fail with errno, EXDEV where the name leads out. */
#ifndef CONNECTORS_FILE_ACCESS_H
#define CONNECTORS_FILE_ACCESS_H

#include <headworks/connector.h>

#include <dirent.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* A descriptor that holds what path leads to and is good for nothing else (O_PATH),
 * and *st; file_access_reopen opens that for reading, whatever path leads to by
 * then. Neither takes over a descriptor. */
int file_access_pin(hw_connector *c, const char *path, struct stat *st);
int file_access_reopen(int fd);

int file_access_stat(hw_connector *c, const char *path, struct stat *st);
int file_access_lstat(hw_connector *c, const char *path, struct stat *st);
int file_access_statfs(hw_connector *c, const char *path, struct statfs *fs);
/* As stat, and whether it could be opened for reading: -1 if not. */
int file_access_readable(hw_connector *c, const char *path, struct stat *st);
DIR *file_access_opendir(hw_connector *c, const char *path); /* NULL: errno */

/* What went wrong, as a part of a sentence that has named the file; buf is where
 * it may be put. */
const char *file_access_fault(int error, char *buf, size_t size);

#endif
