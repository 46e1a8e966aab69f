/* DESIGN
 * Problem: who may write programs may name any file that the server can open. A
 * check of the name before the open is none: a directory on the way may become a
 * link in between.
 * Structure: the kernel does both in one step, openat2(2) with RESOLVE_BENEATH
 * below a descriptor of the directory, for each open anew. Only the part of an
 * absolute name that leads to the directory is compared as text.
 * Guarantees: a descriptor that file_root_open returns is that of a file that lay
 * beneath the directory at one moment of the call. Hard links and mounts beneath
 * it are what the operator put there.
 * Rejected: realpath and a comparison (the race above); walking the components
 * with O_NOFOLLOW (no links at all, and more system calls); chroot (one for the
 * whole process, and a capability). */
#include "runtime/file_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RACE_TRIES 100 /* EAGAIN: somebody renamed something just then */

struct file_root {
  int fd;
  char *given; /* absolute; its links as they stand */
  char *real;  /* its links followed */
};

static int open_beneath(int fd, const char *path, int flags, unsigned mode) {
  const struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                               .mode = flags & O_CREAT ? mode : 0,
                               .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  long got = -1;
  for (int i = 0; i < RACE_TRIES; i++) {
    got = syscall(SYS_openat2, fd, path, &how, sizeof how);
    if (got >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return (int)got;
}

/* ---- the directory ---------------------------------------------------------- */

/* Its name as an absolute one; NULL: no memory, or no working directory. */
static char *absolute(const char *directory) {
  if (*directory == '/') return strdup(directory);
  char *here = getcwd(NULL, 0), *whole = NULL;
  size_t size = here ? strlen(here) + strlen(directory) + 2 : 0;
  if (here) whole = malloc(size);
  if (whole) {
    size_t len = strlen(here);
    memcpy(whole, here, len);
    whole[len] = '/';
    memcpy(whole + len + 1, directory, strlen(directory) + 1);
  }
  free(here);
  return whole;
}

static bool kernel_confines(const file_root *root) {
  int fd = open_beneath(root->fd, ".", O_PATH, 0);
  if (fd < 0) return false;
  close(fd);
  return true;
}

file_root *file_root_new(const char *directory, const char *option, hw_error *err) {
  file_root *root = calloc(1, sizeof *root);
  if (!root) goto no_memory;
  root->fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root->fd < 0) {
    hw_error_set(err, HW_EINVAL, "%s: cannot open the directory \"%s\": %s", option, directory, strerror(errno));
    goto failed;
  }
  root->given = absolute(directory);
  root->real = realpath(directory, NULL);
  if (!root->given || !root->real) goto no_memory;
  if (kernel_confines(root)) return root;
  hw_error_set(err, HW_EUNSUPPORTED, "%s: this system cannot confine files to a directory (openat2: %s); Linux 5.6 can",
               option, strerror(errno));
  goto failed;
no_memory:
  hw_error_set(err, HW_ENOMEM, "%s: out of memory", option);
failed:
  file_root_free(root);
  return NULL;
}

void file_root_free(file_root *root) {
  if (!root) return;
  if (root->fd >= 0) close(root->fd);
  free(root->given);
  free(root->real);
  free(root);
}

/* ---- opening ---------------------------------------------------------------- */

static const char *skip_slashes(const char *path) {
  while (*path == '/') path++;
  return path;
}

/* The part of an absolute path after directory, which is absolute too; NULL: it
 * does not begin with it. */
static const char *within(const char *path, const char *directory) {
  for (;;) {
    path = skip_slashes(path);
    directory = skip_slashes(directory);
    if (!*directory) return *path ? path : ".";
    size_t len = strcspn(directory, "/");
    if (strncmp(path, directory, len) != 0 || (path[len] && path[len] != '/')) return NULL;
    path += len;
    directory += len;
  }
}

int file_root_open(const file_root *root, const char *path, int flags, unsigned mode) {
  if (!root) return open(path, flags | O_CLOEXEC, (mode_t)mode);
  const char *rest = path;
  if (*path == '/') {
    rest = within(path, root->given);
    if (!rest) rest = within(path, root->real);
    if (!rest) {
      errno = EXDEV;
      return -1;
    }
  }
  return open_beneath(root->fd, rest, flags, mode);
}
