/* catalog.h - what must survive the process: a SQLite file in a data directory.
 *
 *     catalog *c = catalog_open("/var/lib/headworks", &err);
 *     catalog_load_pipelines(c, take_pipeline, arg, &err);
 *     catalog_post(c, &write->base);     ... base.done is called when it is on disk
 *     catalog_close(c);
 *
 * DESIGN
 * A control call is acknowledged when it is on disk, and nobody may wait for a
 * disk but one thread, hw-catalog. It takes all writes that were posted since it
 * looked last, makes one transaction of them, commits (one fsync of the write-ahead
 * log, however many they are) and calls each write's done. So a busy disk makes
 * transactions larger, not a queue longer.
 *
 * Writes are applied in the order they were posted. Each is a whole row, never a
 * difference, so one that failed is made good by the next of the same row. A write
 * that violates a rule of the schema fails alone; anything else that goes wrong (no
 * space, no permission, an I/O error) rolls the whole transaction back and fails
 * every write in it. The file is the truth only after a commit; the engine's
 * memory is it before, and what to do about a failed write is for the poster.
 *
 * FILES  The directory is made with mode 0700 and must not be writable by others;
 *        the file catalog.db in it has mode 0600. The file `lock` is locked for as
 *        long as the catalog is open, and the database itself exclusively: two
 *        servers cannot share a directory.
 * ERRORS Code CatalogUnavailable when it cannot be opened, CatalogWriteFailed for
 *        a write. */
#ifndef ENGINE_CATALOG_H
#define ENGINE_CATALOG_H

#include "runtime/stats.h"
#include "runtime/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct catalog catalog;

/* Makes directory and file where they are missing. May block: not for the API's
 * thread. HW_EINVAL: the directory is not fit; HW_ESTATE: another process has it;
 * HW_EUNSUPPORTED: a newer version made it; HW_EIO: damaged or not accessible. */
catalog *catalog_open(const char *directory, hw_error *err);
/* Commits what was posted, then closes. Nothing may be posted any more. Waits. NULL: nothing. */
void catalog_close(catalog *c);
const char *catalog_path(const catalog *c); /* of the file; lives as long as c */

/* ---- writes --------------------------------------------------------------- */

typedef enum catalog_kind {
  CATALOG_PUT_PIPELINE,
  CATALOG_DELETE_PIPELINE, /* with its state; not there: done all the same */
  CATALOG_PUT_KEY,
  CATALOG_DELETE_KEY,
} catalog_kind;

/* A pipeline's row. JSON texts are the engine's own: nothing here reads them. */
typedef struct catalog_pipeline {
  char id[UUID_TEXT_SIZE];
  const char *name, *code; /* with definition, as are the UDF texts; code may hold any bytes */
  size_t code_len;
  const char *udf_rust, *udf_toml;
  const char *definition;  /* NULL: it, name and texts stay as they are */
  const char *state;       /* NULL: stays as it is */
} catalog_pipeline;

#define CATALOG_KEY_NAME_MAX 255
#define CATALOG_KEY_ROLE_MAX 31
#define CATALOG_KEY_HASH_SIZE 32

/* An API key. The key itself is never here, only a hash of it. */
typedef struct catalog_key {
  char id[UUID_TEXT_SIZE];
  char name[CATALOG_KEY_NAME_MAX + 1]; /* UTF-8; no two keys have the same */
  char role[CATALOG_KEY_ROLE_MAX + 1];
  uint8_t hash[CATALOG_KEY_HASH_SIZE];
  int64_t created_at_us; /* since 1970 */
} catalog_key;

/* Embedded in the poster's struct, which belongs to the catalog from the post
 * until done is called; so does everything the row points to. */
typedef struct catalog_write {
  struct catalog_write *next;
  catalog_kind kind;
  union {
    catalog_pipeline pipeline; /* of DELETE: the id */
    catalog_key key;           /* of DELETE: the id */
  } row;
  /* err NULL: it is on disk. Owns w from then on. Must not block. [hw-catalog, or
   * the poster inside catalog_post] */
  void (*done)(struct catalog_write *w, const hw_error *err);
  uint64_t waited_us; /* from the post to done; 0 without a catalog */
  uint64_t posted_us; /* the catalog's own */
} catalog_write;

/* Never waits, never fails: what goes wrong is told to done. c NULL: nothing is
 * kept, done is called at once. [any thread, no lock that done would take] */
void catalog_post(catalog *c, catalog_write *w);

/* ---- reading; for the start: waits for a commit in progress ---------------- */

/* Borrowed for the call; not HW_OK ends the loading with that status and *err. */
typedef hw_status catalog_take_pipeline(void *arg, const catalog_pipeline *row, hw_error *err);
/* In the order of their names. code is NUL-terminated here. */
hw_status catalog_load_pipelines(catalog *c, catalog_take_pipeline *take, void *arg, hw_error *err);
/* All keys by name; the caller frees the array. c NULL: none. */
hw_status catalog_load_keys(catalog *c, catalog_key **out, size_t *n, hw_error *err);

/* ---- numbers -------------------------------------------------------------- */

typedef struct catalog_stats {
  uint64_t commits, writes;   /* transactions, and the writes in them */
  uint64_t failed_writes;
  uint64_t waiting;           /* posted, not done */
  latency_counts commit_time; /* of a transaction, one that failed too */
} catalog_stats;

void catalog_get_stats(const catalog *c, catalog_stats *out); /* c NULL: all 0. [any thread] */

#endif
