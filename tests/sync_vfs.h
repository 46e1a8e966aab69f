/* sync_vfs.h - a file system under SQLite that tells each sync. */
#ifndef TESTS_SYNC_VFS_H
#define TESTS_SYNC_VFS_H

/* Becomes the one that SQLite uses from now on, in this process; told is called
 * after each sync, by whoever synced, before it goes on. */
void sync_vfs_install(void (*told)(const char *path));

#endif
