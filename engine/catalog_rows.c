/* catalog_rows.c - the catalog's rows into and out of the database. */
#include "engine/catalog_impl.h"

#include <stdlib.h>
#include <string.h>

static const char *const texts[STATEMENTS] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_PUT_DEFINITION] =
        "INSERT INTO pipelines (id, name, code, udf_rust, udf_toml, definition) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (id) DO UPDATE SET name = ?2, code = ?3, udf_rust = ?4, udf_toml = ?5, definition = ?6",
    [STATEMENT_PUT_STATE] = "INSERT INTO pipeline_states (id, state) VALUES (?1, ?2)"
                            " ON CONFLICT (id) DO UPDATE SET state = ?2",
    [STATEMENT_DELETE_PIPELINE] = "DELETE FROM pipelines WHERE id = ?1",
    [STATEMENT_PUT_KEY] = "INSERT INTO api_keys (id, name, role, hash, created_at_us) VALUES (?1, ?2, ?3, ?4, ?5)"
                          " ON CONFLICT (id) DO UPDATE SET name = ?2, role = ?3, hash = ?4, created_at_us = ?5",
    [STATEMENT_DELETE_KEY] = "DELETE FROM api_keys WHERE id = ?1",
};

bool catalog_prepare(catalog_file *f) {
  for (int i = 0; i < STATEMENTS; i++) {
    if (sqlite3_prepare_v3(f->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &f->statements[i], NULL) != SQLITE_OK)
      return false;
  }
  return true;
}

int catalog_step(catalog_file *f, catalog_statement s) {
  int code = sqlite3_step(f->statements[s]);
  if (code != SQLITE_DONE) code = sqlite3_errcode(f->db);
  (void)sqlite3_reset(f->statements[s]);
  return code;
}

/* ---- writing --------------------------------------------------------------- */

/* Texts are bound, not copied: they live until the step is over. A fault in
 * binding is one of memory, and shows as an empty value that the schema refuses. */
static void bind(sqlite3_stmt *statement, int at, const char *text) {
  (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static int finish(catalog_file *f, catalog_statement s) {
  int code = catalog_step(f, s);
  (void)sqlite3_clear_bindings(f->statements[s]);
  return code;
}

static int put_definition(catalog_file *f, const catalog_pipeline *row) {
  sqlite3_stmt *statement = f->statements[STATEMENT_PUT_DEFINITION];
  bind(statement, 1, row->id);
  bind(statement, 2, row->name);
  (void)sqlite3_bind_blob64(statement, 3, row->code_len ? row->code : "", row->code_len, SQLITE_STATIC);
  bind(statement, 4, row->udf_rust);
  bind(statement, 5, row->udf_toml);
  bind(statement, 6, row->definition);
  return finish(f, STATEMENT_PUT_DEFINITION);
}

static int put_pipeline(catalog_file *f, const catalog_pipeline *row) {
  int code = row->definition ? put_definition(f, row) : SQLITE_DONE;
  if (code != SQLITE_DONE || !row->state) return code;
  bind(f->statements[STATEMENT_PUT_STATE], 1, row->id);
  bind(f->statements[STATEMENT_PUT_STATE], 2, row->state);
  return finish(f, STATEMENT_PUT_STATE);
}

static int put_key(catalog_file *f, const catalog_key *row) {
  sqlite3_stmt *statement = f->statements[STATEMENT_PUT_KEY];
  bind(statement, 1, row->id);
  bind(statement, 2, row->name);
  bind(statement, 3, row->role);
  (void)sqlite3_bind_blob(statement, 4, row->hash, sizeof row->hash, SQLITE_STATIC);
  (void)sqlite3_bind_int64(statement, 5, row->created_at_us);
  return finish(f, STATEMENT_PUT_KEY);
}

static int delete_row(catalog_file *f, catalog_statement s, const char *id) {
  bind(f->statements[s], 1, id);
  return finish(f, s);
}

int catalog_apply(catalog_file *f, const catalog_write *w) {
  switch (w->kind) {
  case CATALOG_PUT_PIPELINE: return put_pipeline(f, &w->row.pipeline);
  case CATALOG_DELETE_PIPELINE: return delete_row(f, STATEMENT_DELETE_PIPELINE, w->row.pipeline.id);
  case CATALOG_PUT_KEY: return put_key(f, &w->row.key);
  case CATALOG_DELETE_KEY: break;
  }
  return delete_row(f, STATEMENT_DELETE_KEY, w->row.key.id);
}

/* ---- reading --------------------------------------------------------------- */

/* Called for each row. */
typedef hw_status row_reader(sqlite3_stmt *statement, void *arg, hw_error *err);

static hw_status unreadable(const catalog *c, hw_error *err) {
  return catalog_file_error(&c->file, "CatalogUnavailable", "cannot be read", err);
}

static hw_status read_all(catalog *c, const char *sql, row_reader *read, void *arg, hw_error *err) {
  sqlite3_stmt *statement = NULL;
  hw_status status = HW_OK;
  pthread_mutex_lock(&c->file_lock);
  int code = sqlite3_prepare_v2(c->file.db, sql, -1, &statement, NULL) == SQLITE_OK ? SQLITE_ROW : SQLITE_ERROR;
  while (code == SQLITE_ROW && status == HW_OK) {
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW) status = read(statement, arg, err);
  }
  if (status == HW_OK && code != SQLITE_DONE) status = unreadable(c, err);
  sqlite3_finalize(statement);
  pthread_mutex_unlock(&c->file_lock);
  return status;
}

/* Copies a text column that must fit; false: it does not. */
static bool copy_column(sqlite3_stmt *statement, int at, char *out, size_t size) {
  const char *text = (const char *)sqlite3_column_text(statement, at);
  size_t len = (size_t)sqlite3_column_bytes(statement, at);
  if (!text || len >= size) return false;
  memcpy(out, text, len + 1);
  return true;
}

static hw_status malformed(const char *table, hw_error *err) {
  return hw_error_code(err, HW_EIO, "CatalogUnavailable", "the catalog holds a malformed row in its table %s", table);
}

typedef struct pipeline_loader {
  catalog_take_pipeline *take;
  void *arg;
} pipeline_loader;

static hw_status read_pipeline(sqlite3_stmt *statement, void *arg, hw_error *err) {
  const pipeline_loader *loader = arg;
  catalog_pipeline row = {0};
  if (!copy_column(statement, 0, row.id, sizeof row.id)) return malformed("pipelines", err);
  row.name = (const char *)sqlite3_column_text(statement, 1);
  row.code = (const char *)sqlite3_column_text(statement, 2); /* as text: with a terminator */
  row.code_len = (size_t)sqlite3_column_bytes(statement, 2);
  row.udf_rust = (const char *)sqlite3_column_text(statement, 3);
  row.udf_toml = (const char *)sqlite3_column_text(statement, 4);
  row.definition = (const char *)sqlite3_column_text(statement, 5);
  row.state = (const char *)sqlite3_column_text(statement, 6);
  if (!row.code) row.code = "";
  bool whole = row.name && row.udf_rust && row.udf_toml && row.definition;
  return whole ? loader->take(loader->arg, &row, err) : malformed("pipelines", err);
}

hw_status catalog_load_pipelines(catalog *c, catalog_take_pipeline *take, void *arg, hw_error *err) {
  pipeline_loader loader = {.take = take, .arg = arg};
  return read_all(c,
                  "SELECT id, name, code, udf_rust, udf_toml, definition, state FROM pipelines"
                  " LEFT JOIN pipeline_states USING (id) ORDER BY name", read_pipeline, &loader, err);
}

typedef struct key_list {
  catalog_key *items;
  size_t n, capacity;
} key_list;

static bool reserve(key_list *list) {
  if (list->n < list->capacity) return true;
  size_t capacity = list->capacity ? list->capacity * 2 : 16;
  catalog_key *items = realloc(list->items, capacity * sizeof *items);
  if (!items) return false;
  list->items = items;
  list->capacity = capacity;
  return true;
}

static hw_status read_key(sqlite3_stmt *statement, void *arg, hw_error *err) {
  key_list *list = arg;
  if (!reserve(list)) return hw_error_set(err, HW_ENOMEM, "no memory to read the API keys");
  catalog_key *key = &list->items[list->n];
  *key = (catalog_key){0};
  bool fits = copy_column(statement, 0, key->id, sizeof key->id) &&
              copy_column(statement, 1, key->name, sizeof key->name) &&
              copy_column(statement, 2, key->role, sizeof key->role) &&
              sqlite3_column_bytes(statement, 3) == CATALOG_KEY_HASH_SIZE;
  if (!fits) return malformed("api_keys", err);
  memcpy(key->hash, sqlite3_column_blob(statement, 3), sizeof key->hash);
  key->created_at_us = sqlite3_column_int64(statement, 4);
  list->n++;
  return HW_OK;
}

hw_status catalog_load_keys(catalog *c, catalog_key **out, size_t *n, hw_error *err) {
  key_list list = {0};
  hw_status status = HW_OK;
  if (c)
    status = read_all(c, "SELECT id, name, role, hash, created_at_us FROM api_keys ORDER BY name", read_key, &list,
                      err);
  if (status != HW_OK) {
    free(list.items);
    list = (key_list){0};
  }
  *out = list.items;
  *n = list.n;
  return status;
}
