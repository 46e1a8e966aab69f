/* catalog_impl.h - the inside of the catalog, shared by its files. */
#ifndef ENGINE_CATALOG_IMPL_H
#define ENGINE_CATALOG_IMPL_H

#include "engine/catalog.h"
#include "runtime/latency.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

typedef enum catalog_statement {
  STATEMENT_BEGIN,
  STATEMENT_COMMIT,
  STATEMENT_ROLLBACK,
  STATEMENT_PUT_DEFINITION,
  STATEMENT_PUT_STATE,
  STATEMENT_DELETE_PIPELINE,
  STATEMENT_PUT_KEY,
  STATEMENT_DELETE_KEY,
  STATEMENTS,
} catalog_statement;

/* The directory and the database in it. */
typedef struct catalog_file {
  char *path;  /* of the database */
  int lock_fd; /* -1: none */
  sqlite3 *db;
  sqlite3_stmt *statements[STATEMENTS];
} catalog_file;

struct catalog {
  catalog_file file;
  pthread_mutex_t file_lock; /* protects file.db: a transaction, or a load */
  pthread_mutex_t lock;      /* protects the next four */
  pthread_cond_t posted;
  catalog_write *first, **last;
  bool closing;
  pthread_t thread;
  _Atomic uint64_t commits, writes, failed_writes, waiting;
  latency commit_time; /* hw-catalog's */
};

/* ---- catalog_file.c ------------------------------------------------------- */

hw_status catalog_file_open(catalog_file *f, const char *directory, hw_error *err);
void catalog_file_close(catalog_file *f);
/* Describes what the database said last. */
hw_status catalog_file_error(const catalog_file *f, const char *code, const char *what, hw_error *err);

/* ---- catalog_rows.c ------------------------------------------------------- */

bool catalog_prepare(catalog_file *f);
/* SQLITE_DONE, or what went wrong. */
int catalog_step(catalog_file *f, catalog_statement s);
/* Inside a transaction. SQLITE_DONE; SQLITE_CONSTRAINT: this write alone is refused. */
int catalog_apply(catalog_file *f, const catalog_write *w);

#endif
