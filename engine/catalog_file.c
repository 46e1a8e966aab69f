/* catalog_file.c - the data directory, its lock, and the database in it. */
#include "engine/catalog_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x48577331 /* "HWs1": tells our files from others */
#define BUSY_MS 2000              /* a reader from outside, such as a backup, may hold the file so long */

/* Version 1. What later versions change is added below it, step by step, never edited. */
static const char schema[] =
    "CREATE TABLE pipelines (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, code BLOB NOT NULL,"
    " udf_rust TEXT NOT NULL, udf_toml TEXT NOT NULL, definition TEXT NOT NULL) STRICT;"
    "CREATE TABLE pipeline_states (id TEXT PRIMARY KEY REFERENCES pipelines(id) ON DELETE CASCADE,"
    " state TEXT NOT NULL) STRICT;"
    "CREATE TABLE api_keys (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,"
    " hash BLOB NOT NULL UNIQUE, created_at_us INTEGER NOT NULL) STRICT;";

/* ---- directory ------------------------------------------------------------- */

static hw_status unusable(hw_error *err, const char *what, const char *path) {
  return hw_error_code(err, HW_EIO, "CatalogUnavailable", "%s %s: %s", what, path, strerror(errno));
}

/* Makes the directory, and those above it. */
static hw_status make_directory(const char *directory, hw_error *err) {
  char path[4096];
  size_t len = strlen(directory);
  if (len == 0 || len >= sizeof path)
    return hw_error_code(err, HW_EINVAL, "CatalogUnavailable", "the data directory needs a path of 1 to %zu bytes",
                         sizeof path - 1);
  memcpy(path, directory, len + 1);
  for (char *c = path + 1; *c; c++) {
    if (*c != '/') continue;
    *c = '\0';
    if (mkdir(path, 0700) != 0 && errno != EEXIST) return unusable(err, "cannot make the data directory", path);
    *c = '/';
  }
  if (mkdir(path, 0700) == 0 || errno == EEXIST) return HW_OK;
  return unusable(err, "cannot make the data directory", path);
}

/* Who may write in it could put a file of his own in the catalog's place. */
static hw_status check_directory(const char *directory, hw_error *err) {
  struct stat st;
  if (stat(directory, &st) != 0) return unusable(err, "cannot look at the data directory", directory);
  if (!S_ISDIR(st.st_mode))
    return hw_error_code(err, HW_EINVAL, "CatalogUnavailable", "the data directory %s is not a directory", directory);
  if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
    return hw_error_code(err, HW_EINVAL, "CatalogUnavailable",
                         "the data directory %s must belong to the user that runs the server and be writable by no "
                         "other: chown it, or chmod 700 it", directory);
  return HW_OK;
}

static char *join(const char *directory, const char *name) {
  char *path;
  return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static hw_status no_memory(hw_error *err) {
  return hw_error_code(err, HW_ENOMEM, "CatalogUnavailable", "no memory for the catalog");
}

/* ---- lock ------------------------------------------------------------------ */

static hw_status locked_by_other(const char *directory, int fd, hw_error *err) {
  char pid[16] = "";
  ssize_t n = read(fd, pid, sizeof pid - 1);
  pid[n > 0 ? strcspn(pid, "\n") : 0] = '\0';
  return hw_error_code(err, HW_ESTATE, "CatalogUnavailable",
                       "the data directory %s is in use by another server%s%s: give this one a --data-dir of its own",
                       directory, *pid ? ", process " : "", pid);
}

/* The number in it is for people only. */
static void write_pid(int fd) {
  char pid[16];
  int len = snprintf(pid, sizeof pid, "%d\n", (int)getpid());
  if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)len, 0) < 0) return;
}

static hw_status lock_directory(catalog_file *f, const char *directory, hw_error *err) {
  char *path = join(directory, "lock");
  if (!path) return no_memory(err);
  hw_status status = HW_OK;
  f->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (f->lock_fd < 0)
    status = unusable(err, "cannot open", path);
  else if (flock(f->lock_fd, LOCK_EX | LOCK_NB) != 0)
    status = errno == EWOULDBLOCK ? locked_by_other(directory, f->lock_fd, err) : unusable(err, "cannot lock", path);
  else
    write_pid(f->lock_fd);
  free(path);
  return status;
}

/* ---- database -------------------------------------------------------------- */

hw_status catalog_file_error(const catalog_file *f, const char *code, const char *what, hw_error *err) {
  int number = f->db ? sqlite3_system_errno(f->db) : 0;
  const char *said = f->db ? sqlite3_errmsg(f->db) : "out of memory";
  return hw_error_code(err, HW_EIO, code, "the catalog %s %s: %s%s%s%s", f->path, what, said, number ? " (" : "",
                       number ? strerror(number) : "", number ? ")" : "");
}

static hw_status not_opened(const catalog_file *f, hw_error *err) {
  int code = f->db ? sqlite3_errcode(f->db) : SQLITE_NOMEM;
  if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
    return catalog_file_error(f, "CatalogUnavailable",
                              "is damaged: put a backup in its place, or move it away to begin with none", err);
  return catalog_file_error(f, "CatalogUnavailable", "cannot be used", err);
}

static bool run(const catalog_file *f, const char *sql) {
  return sqlite3_exec(f->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* The one integer that a statement gives; false: it gives none. */
static bool ask(const catalog_file *f, const char *sql, int64_t *out) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(f->db, sql, -1, &statement, NULL) != SQLITE_OK) return false;
  bool any = sqlite3_step(statement) == SQLITE_ROW;
  if (any) *out = sqlite3_column_int64(statement, 0);
  return sqlite3_finalize(statement) == SQLITE_OK && any;
}

/* SQLite gives its journal the modes of the file, which must be there before. */
static hw_status make_file(const catalog_file *f, hw_error *err) {
  int fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return unusable(err, "cannot open the catalog", f->path);
  hw_status status = fchmod(fd, 0600) == 0 ? HW_OK : unusable(err, "cannot set the mode of the catalog", f->path);
  close(fd);
  return status;
}

static bool configure(const catalog_file *f) {
  sqlite3_extended_result_codes(f->db, 0);
  return sqlite3_busy_timeout(f->db, BUSY_MS) == SQLITE_OK && run(f, "PRAGMA locking_mode=EXCLUSIVE") &&
         run(f, "PRAGMA journal_mode=WAL") && run(f, "PRAGMA synchronous=FULL") && run(f, "PRAGMA foreign_keys=ON");
}

static hw_status check_sound(const catalog_file *f, hw_error *err) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(f->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK)
    return not_opened(f, err);
  hw_status status = HW_OK;
  const char *text = sqlite3_step(statement) == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
  if (!text) {
    status = not_opened(f, err);
  } else if (strcmp(text, "ok") != 0) {
    status = hw_error_code(err, HW_EIO, "CatalogUnavailable",
                           "the catalog %s is damaged (%.200s): put a backup in its place, or move it away to begin "
                           "with none", f->path, text);
  }
  sqlite3_finalize(statement);
  return status;
}

static hw_status make_schema(const catalog_file *f, hw_error *err) {
  char sql[sizeof schema + 200];
  snprintf(sql, sizeof sql, "BEGIN IMMEDIATE; %s PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT;", schema,
           APPLICATION_ID, SCHEMA_VERSION);
  return run(f, sql) ? HW_OK : not_opened(f, err);
}

static hw_status check_schema(const catalog_file *f, hw_error *err) {
  int64_t version, application;
  if (!ask(f, "PRAGMA user_version", &version) || !ask(f, "PRAGMA application_id", &application))
    return not_opened(f, err);
  if (version == 0 && application == 0) return make_schema(f, err);
  if (application != APPLICATION_ID)
    return hw_error_code(err, HW_EINVAL, "CatalogUnavailable", "%s is a database, but not a catalog of Headworks",
                         f->path);
  if (version > SCHEMA_VERSION)
    return hw_error_code(err, HW_EUNSUPPORTED, "CatalogUnavailable",
                         "the catalog %s has version %lld, made by a newer Headworks; this one reads up to version %d: "
                         "run the newer one, or use another --data-dir", f->path, (long long)version, SCHEMA_VERSION);
  return HW_OK;
}

static hw_status open_database(catalog_file *f, hw_error *err) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX | SQLITE_OPEN_NOFOLLOW;
  if (sqlite3_open_v2(f->path, &f->db, flags, NULL) != SQLITE_OK || !configure(f)) return not_opened(f, err);
  hw_status status = check_sound(f, err);
  if (status == HW_OK) status = check_schema(f, err);
  if (status == HW_OK && !catalog_prepare(f)) status = not_opened(f, err);
  return status;
}

hw_status catalog_file_open(catalog_file *f, const char *directory, hw_error *err) {
  *f = (catalog_file){.lock_fd = -1};
  hw_status status = make_directory(directory, err);
  if (status == HW_OK) status = check_directory(directory, err);
  if (status != HW_OK) return status;
  f->path = join(directory, "catalog.db");
  status = f->path ? lock_directory(f, directory, err) : no_memory(err);
  if (status == HW_OK) status = make_file(f, err);
  if (status == HW_OK) status = open_database(f, err);
  if (status != HW_OK) catalog_file_close(f);
  return status;
}

void catalog_file_close(catalog_file *f) {
  for (int i = 0; i < STATEMENTS; i++) sqlite3_finalize(f->statements[i]);
  sqlite3_close(f->db);
  if (f->lock_fd >= 0) close(f->lock_fd); /* and unlocks */
  free(f->path);
  *f = (catalog_file){.lock_fd = -1};
}
