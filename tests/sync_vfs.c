/* sync_vfs.c - a file system under SQLite that tells each sync: the usual one, in
 * whose place every call goes on. It has no shared memory: the catalog needs none. */
#include "tests/sync_vfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct told_file {
  sqlite3_file base; /* first */
  char path[300];
  sqlite3_file *real;
} told_file;

static sqlite3_vfs *real_vfs, our_vfs;
static void (*tell)(const char *path);

static sqlite3_file *real_of(sqlite3_file *f) { return ((told_file *)f)->real; }

static int f_sync(sqlite3_file *f, int flags) {
  int code = real_of(f)->pMethods->xSync(real_of(f), flags);
  if (code == SQLITE_OK) tell(((told_file *)f)->path);
  return code;
}

#define PASS(name, parameters, ...) \
  static int f_##name parameters { return real_of(f)->pMethods->x##name(real_of(f), ##__VA_ARGS__); }
PASS(Read, (sqlite3_file *f, void *to, int n, sqlite3_int64 at), to, n, at)
PASS(Write, (sqlite3_file *f, const void *from, int n, sqlite3_int64 at), from, n, at)
PASS(Truncate, (sqlite3_file *f, sqlite3_int64 size), size)
PASS(FileSize, (sqlite3_file *f, sqlite3_int64 *size), size)
PASS(Lock, (sqlite3_file *f, int level), level)
PASS(Unlock, (sqlite3_file *f, int level), level)
PASS(CheckReservedLock, (sqlite3_file *f, int *out), out)
PASS(FileControl, (sqlite3_file *f, int op, void *arg), op, arg)
PASS(SectorSize, (sqlite3_file *f))
PASS(DeviceCharacteristics, (sqlite3_file *f))

static int f_close(sqlite3_file *f) {
  int code = real_of(f)->pMethods->xClose(real_of(f));
  free(real_of(f));
  return code;
}

static int our_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out) {
  (void)vfs;
  static const sqlite3_io_methods methods = {.iVersion = 1,
                                             .xClose = f_close, .xRead = f_Read, .xWrite = f_Write,
                                             .xTruncate = f_Truncate, .xSync = f_sync, .xFileSize = f_FileSize,
                                             .xLock = f_Lock, .xUnlock = f_Unlock,
                                             .xCheckReservedLock = f_CheckReservedLock,
                                             .xFileControl = f_FileControl, .xSectorSize = f_SectorSize,
                                             .xDeviceCharacteristics = f_DeviceCharacteristics};
  told_file *s = (told_file *)f;
  *s = (told_file){.real = calloc(1, (size_t)real_vfs->szOsFile)};
  if (!s->real) abort();
  snprintf(s->path, sizeof s->path, "%s", name ? name : "");
  int code = real_vfs->xOpen(real_vfs, name, s->real, flags, out);
  if (s->real->pMethods) s->base.pMethods = &methods;
  return code;
}

void sync_vfs_install(void (*told)(const char *path)) {
  tell = told;
  real_vfs = sqlite3_vfs_find(NULL);
  our_vfs = *real_vfs;
  our_vfs.zName = "told";
  our_vfs.szOsFile = sizeof(told_file);
  our_vfs.xOpen = our_open;
  if (sqlite3_vfs_register(&our_vfs, 1) != SQLITE_OK) abort();
}
