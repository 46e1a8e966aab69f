/* file_root.h - the directory that files are opened beneath, whatever their names
 * and links say. */
#ifndef RUNTIME_FILE_ROOT_H
#define RUNTIME_FILE_ROOT_H

#include <headworks/status.h>

typedef struct file_root file_root;

/* option: how the operator calls it ("--file-root"), for the messages. NULL and
 * *err: no directory, no memory, or a kernel that cannot confine (Linux 5.6 can). */
file_root *file_root_new(const char *directory, const char *option, hw_error *err);
void file_root_free(file_root *root);

/* As open(2), with O_CLOEXEC. root NULL: anywhere. Otherwise path is relative to
 * the directory, or absolute and within it; -1 with EXDEV: it leads out of it, by
 * its name, by ".." or by a link (one with an absolute target always does). [any
 * thread] */
int file_root_open(const file_root *root, const char *path, int flags, unsigned mode);

#endif
