#include "connectors/file_access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Closes fd, if it is one, and leaves errno alone. */
static int done(int fd, int result) {
  int saved = errno;
  if (fd >= 0) close(fd);
  errno = saved;
  return fd < 0 ? -1 : result;
}

int file_access_pin(hw_connector *c, const char *path, struct stat *st) {
  int fd = hw_connector_open_file(c, path, O_PATH, 0);
  if (fd < 0 || fstat(fd, st) == 0) return fd;
  return done(fd, -1);
}

int file_access_reopen(int fd) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  return open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC); /* O_NONBLOCK: for FIFOs */
}

int file_access_stat(hw_connector *c, const char *path, struct stat *st) {
  int fd = hw_connector_open_file(c, path, O_PATH, 0);
  return done(fd, fd < 0 ? -1 : fstat(fd, st));
}

int file_access_lstat(hw_connector *c, const char *path, struct stat *st) {
  int fd = hw_connector_open_file(c, path, O_PATH | O_NOFOLLOW, 0);
  return done(fd, fd < 0 ? -1 : fstat(fd, st));
}

int file_access_statfs(hw_connector *c, const char *path, struct statfs *fs) {
  int fd = hw_connector_open_file(c, path, O_PATH, 0);
  return done(fd, fd < 0 ? -1 : fstatfs(fd, fs));
}

int file_access_readable(hw_connector *c, const char *path, struct stat *st) {
  int fd = hw_connector_open_file(c, path, O_PATH, 0);
  bool ok = fd >= 0 && fstat(fd, st) == 0 && faccessat(fd, "", R_OK, AT_EACCESS | AT_EMPTY_PATH) == 0;
  return done(fd, ok ? 0 : -1);
}

DIR *file_access_opendir(hw_connector *c, const char *path) {
  int fd = hw_connector_open_file(c, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
  DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
  if (!dir) (void)done(fd, -1);
  return dir;
}

const char *file_access_fault(int error, char *buf, size_t size) {
  if (error == EXDEV) return "it leads out of the directory that --file-root confines files to";
  return strerror_r(error, buf, size);
}
