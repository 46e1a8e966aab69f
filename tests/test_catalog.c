/* test_catalog.c - the catalog's file: what is told to be on disk is read again,
 * and what cannot be written or opened is told with which words. */
#include "engine/catalog.h"
#include "tests/sync_vfs.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[200], file[300];
static hw_error err;

static void set_up(void) {
  snprintf(dir, sizeof dir, "/tmp/test_catalog.XXXXXX");
  ck_assert_ptr_nonnull(mkdtemp(dir));
  snprintf(file, sizeof file, "%s/catalog.db", dir);
  err = (hw_error){.status = HW_OK};
}

static void tear_down(void) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", dir);
  ck_assert_int_eq(system(command), 0);
}

static catalog *open_it(void) {
  catalog *c = catalog_open(dir, &err);
  ck_assert_msg(c != NULL, "%s", err.message);
  return c;
}

static void assert_refused(const char *words, hw_status status) {
  err = (hw_error){.status = HW_OK};
  catalog *c = catalog_open(dir, &err);
  ck_assert_ptr_null(c);
  ck_assert_msg(strstr(err.message, words) != NULL, "no \"%s\" in: %s", words, err.message);
  ck_assert_str_eq(err.code, "CatalogUnavailable");
  ck_assert_int_eq(err.status, status);
}

/* ---- writes, and waiting for them ----------------------------------------- */

typedef struct mark {
  catalog_write base; /* first */
  hw_error error;     /* protected by lock, as is done */
  bool done;
} mark;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void on_done(catalog_write *w, const hw_error *why) {
  mark *m = (mark *)w;
  pthread_mutex_lock(&lock);
  ck_assert(!m->done);
  m->error = why ? *why : (hw_error){.status = HW_OK};
  m->done = true;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static const hw_error *wait_for(mark *m) {
  pthread_mutex_lock(&lock);
  while (!m->done) pthread_cond_wait(&changed, &lock);
  pthread_mutex_unlock(&lock);
  return &m->error;
}

static void make_id(char id[UUID_TEXT_SIZE], unsigned n) {
  snprintf(id, UUID_TEXT_SIZE, "00000000-0000-4000-8000-%012x", n);
}

static void pipeline_write(mark *m, unsigned n, const char *name, const char *code, const char *definition,
                           const char *state) {
  *m = (mark){.base = {.kind = CATALOG_PUT_PIPELINE, .done = on_done}};
  catalog_pipeline *row = &m->base.row.pipeline;
  make_id(row->id, n);
  row->name = name;
  row->code = code;
  row->code_len = code ? strlen(code) : 0;
  row->udf_rust = row->udf_toml = "";
  row->definition = definition;
  row->state = state;
}

static void put(catalog *c, unsigned n, const char *name, const char *code, const char *definition,
                const char *state) {
  mark m;
  pipeline_write(&m, n, name, code, definition, state);
  catalog_post(c, &m.base);
  const hw_error *why = wait_for(&m);
  ck_assert_msg(why->status == HW_OK, "%s", why->message);
}

static void key_write(mark *m, catalog_kind kind, unsigned n, const char *name) {
  *m = (mark){.base = {.kind = kind, .done = on_done}};
  catalog_key *key = &m->base.row.key;
  make_id(key->id, n);
  snprintf(key->name, sizeof key->name, "%s", name);
  snprintf(key->role, sizeof key->role, "write");
  memset(key->hash, (int)n, sizeof key->hash);
  key->created_at_us = 1700000000000000 + (int64_t)n;
}

/* ---- what was read --------------------------------------------------------- */

/* Rows as one text: "name:code:definition:state;". */
static hw_status add_row(void *arg, const catalog_pipeline *row, hw_error *e) {
  (void)e;
  char *text = arg;
  size_t at = strlen(text);
  ck_assert_uint_eq(row->code_len, strlen(row->code));
  snprintf(text + at, 1000 - at, "%s:%s:%s:%s;", row->name, row->code, row->definition,
           row->state ? row->state : "none");
  return HW_OK;
}

static void assert_rows(catalog *c, const char *want) {
  char text[1000] = "";
  ck_assert_int_eq(catalog_load_pipelines(c, add_row, text, &err), HW_OK);
  ck_assert_str_eq(text, want);
}

/* ---- tests ----------------------------------------------------------------- */

START_TEST(rows_come_back) {
  catalog *c = open_it();
  put(c, 2, "b", "SELECT 1", "{\"v\":1}", "{\"s\":1}");
  put(c, 1, "a", "", "{}", NULL);
  put(c, 2, NULL, NULL, NULL, "{\"s\":2}"); /* the state alone */
  assert_rows(c, "a::{}:none;b:SELECT 1:{\"v\":1}:{\"s\":2};");
  catalog_close(c);
  c = open_it();
  assert_rows(c, "a::{}:none;b:SELECT 1:{\"v\":1}:{\"s\":2};");
  put(c, 2, "z", "SELECT 2", "{\"v\":2}", NULL); /* renamed: the state stays */
  assert_rows(c, "a::{}:none;z:SELECT 2:{\"v\":2}:{\"s\":2};");
  mark m = {.base = {.kind = CATALOG_DELETE_PIPELINE, .done = on_done}};
  make_id(m.base.row.pipeline.id, 2);
  catalog_post(c, &m.base);
  ck_assert_int_eq(wait_for(&m)->status, HW_OK);
  assert_rows(c, "a::{}:none;");
  put(c, 2, "b", "", "{}", NULL); /* and its state was not left behind */
  assert_rows(c, "a::{}:none;b::{}:none;");
  catalog_close(c);
}
END_TEST

START_TEST(keys_come_back) {
  catalog *c = open_it();
  catalog_key *keys;
  size_t n;
  mark m;
  key_write(&m, CATALOG_PUT_KEY, 7, "second");
  catalog_post(c, &m.base);
  ck_assert_int_eq(wait_for(&m)->status, HW_OK);
  key_write(&m, CATALOG_PUT_KEY, 8, "first");
  catalog_post(c, &m.base);
  ck_assert_int_eq(wait_for(&m)->status, HW_OK);
  catalog_close(c);
  c = open_it();
  ck_assert_int_eq(catalog_load_keys(c, &keys, &n, &err), HW_OK);
  ck_assert_uint_eq(n, 2);
  ck_assert_str_eq(keys[0].name, "first");
  ck_assert_str_eq(keys[1].role, "write");
  ck_assert_int_eq(keys[1].hash[31], 7);
  ck_assert_int_eq(keys[1].created_at_us, 1700000000000007);
  free(keys);
  key_write(&m, CATALOG_DELETE_KEY, 7, "");
  catalog_post(c, &m.base);
  ck_assert_int_eq(wait_for(&m)->status, HW_OK);
  ck_assert_int_eq(catalog_load_keys(c, &keys, &n, &err), HW_OK);
  ck_assert_uint_eq(n, 1);
  free(keys);
  catalog_close(c);
}
END_TEST

START_TEST(a_refused_row_fails_alone) {
  enum { N = 50 };
  static mark marks[N];
  static char names[N][16];
  catalog *c = open_it();
  put(c, 1000, "taken", "", "{}", NULL);
  for (unsigned i = 0; i < N; i++) {
    snprintf(names[i], sizeof names[i], "p%u", i);
    pipeline_write(&marks[i], i, i % 10 == 3 ? "taken" : names[i], "", "{}", "{}");
  }
  for (unsigned i = 0; i < N; i++) catalog_post(c, &marks[i].base);
  for (unsigned i = 0; i < N; i++) {
    const hw_error *why = wait_for(&marks[i]);
    ck_assert_int_eq(why->status == HW_OK, i % 10 != 3);
    if (why->status != HW_OK) ck_assert_str_eq(why->code, "CatalogWriteFailed");
  }
  catalog_stats stats;
  catalog_get_stats(c, &stats);
  ck_assert_uint_eq(stats.writes, 1 + N - N / 10);
  ck_assert_uint_eq(stats.failed_writes, N / 10);
  ck_assert_uint_eq(stats.waiting, 0);
  catalog_close(c);
}
END_TEST

/* While one commit is on its way to the disk, what is posted gathers for the next. */
START_TEST(many_writes_share_commits) {
  enum { N = 5000 };
  mark *marks = calloc(N, sizeof *marks);
  ck_assert_ptr_nonnull(marks);
  catalog *c = open_it();
  put(c, 1, "p", "", "{}", NULL);
  for (unsigned i = 0; i < N; i++) pipeline_write(&marks[i], 1, NULL, NULL, NULL, i == N - 1 ? "last" : "earlier");
  for (unsigned i = 0; i < N; i++) catalog_post(c, &marks[i].base);
  for (unsigned i = 0; i < N; i++) ck_assert_int_eq(wait_for(&marks[i])->status, HW_OK);
  catalog_stats stats;
  catalog_get_stats(c, &stats);
  ck_assert_uint_eq(stats.writes, N + 1);
  ck_assert_uint_lt(stats.commits, N / 2);
  ck_assert_uint_eq(stats.commit_time.count, stats.commits);
  ck_assert_uint_gt(stats.commit_time.sum_ns, 0);
  assert_rows(c, "p::{}:last;");
  catalog_close(c);
  free(marks);
}
END_TEST

/* The files may not grow: as a full disk. Then they may again. */
START_TEST(a_full_disk_is_told) {
  catalog *c = open_it();
  put(c, 1, "p", "", "{}", "before");
  static char large[200000];
  memset(large, 'x', sizeof large - 1);
  struct rlimit before, tight;
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
  tight = (struct rlimit){.rlim_cur = 65536, .rlim_max = before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &tight), 0);
  mark m;
  pipeline_write(&m, 1, NULL, NULL, NULL, large);
  catalog_post(c, &m.base);
  const hw_error *why = wait_for(&m);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
  ck_assert_int_eq(why->status, HW_EIO);
  ck_assert_str_eq(why->code, "CatalogWriteFailed");
  ck_assert_msg(strstr(why->message, file) != NULL, "%s", why->message);
  assert_rows(c, "p::{}:before;");
  put(c, 1, NULL, NULL, NULL, "after");
  assert_rows(c, "p::{}:after;");
  catalog_close(c);
}
END_TEST

START_TEST(files_are_private) {
  struct stat st;
  char deeper[300];
  snprintf(deeper, sizeof deeper, "%s/a/b", dir);
  umask(0);
  catalog *c = catalog_open(deeper, &err);
  ck_assert_msg(c != NULL, "%s", err.message);
  put(c, 1, "p", "", "{}", NULL);
  ck_assert_int_eq(stat(deeper, &st), 0);
  ck_assert_uint_eq(st.st_mode & 0777, 0700);
  static const char *const names[] = {"catalog.db", "catalog.db-wal", "lock"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", deeper, names[i]);
    ck_assert_msg(stat(path, &st) == 0, "%s is not there", path);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
  }
  catalog_close(c);
}
END_TEST

START_TEST(two_servers_cannot_share) {
  catalog *c = open_it();
  assert_refused("in use by another server, process ", HW_ESTATE);
  catalog_close(c);
  catalog_close(open_it());
}
END_TEST

static void execute(const char *sql) {
  sqlite3 *db;
  ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
  ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(foreign_files_are_refused) {
  catalog_close(open_it());
  execute("PRAGMA user_version=2");
  assert_refused("made by a newer Headworks", HW_EUNSUPPORTED);
  execute("PRAGMA user_version=1; PRAGMA application_id=5");
  assert_refused("not a catalog of Headworks", HW_EINVAL);
  FILE *f = fopen(file, "w");
  ck_assert_ptr_nonnull(f);
  for (int i = 0; i < 10000; i++) fputs("this is no database. ", f);
  ck_assert_int_eq(fclose(f), 0);
  assert_refused("is damaged: put a backup in its place", HW_EIO);
}
END_TEST

START_TEST(unfit_directories_are_refused) {
  ck_assert_int_eq(chmod(dir, 0770), 0);
  assert_refused("writable by no other", HW_EINVAL);
  ck_assert_int_eq(chmod(dir, 0755), 0);
  catalog_close(open_it());
  ck_assert_ptr_null(catalog_open("", &err));
  ck_assert_int_eq(err.status, HW_EINVAL);
  ck_assert_ptr_null(catalog_open("/dev/null/data", &err));
  ck_assert_int_eq(err.status, HW_EIO);
}
END_TEST

/* ---- kills, and power cuts --------------------------------------------------- */

static void copy_file(const char *from, const char *to) {
  char part[400], data[65536];
  snprintf(part, sizeof part, "%s.part", to);
  FILE *in = fopen(from, "r"), *out = fopen(part, "w");
  ck_assert(in && out);
  for (size_t n; (n = fread(data, 1, sizeof data, in)) > 0;) ck_assert_uint_eq(fwrite(data, 1, n, out), n);
  fclose(in);
  ck_assert_int_eq(fclose(out), 0);
  ck_assert_int_eq(rename(part, to), 0); /* whole, or not at all */
}

/* What of a file is on disk: after each sync the whole of it is copied to FILE.synced. */
static void remember_sync(const char *path) {
  char to[400];
  snprintf(to, sizeof to, "%s.synced", path);
  copy_file(path, to);
}

static void name_files(const char *name, char path[300], char synced[400]) {
  snprintf(path, 300, "%s/%s", dir, name);
  snprintf(synced, 400, "%s.synced", path);
}

/* What is there is on disk: all of it was closed long ago. */
static void all_is_synced(void) {
  char path[300], synced[400];
  name_files("catalog.db-wal", path, synced);
  (void)unlink(synced);
  name_files("catalog.db", path, synced);
  if (access(path, F_OK) == 0) copy_file(path, synced);
}

/* The power is cut: what was not synced is gone. */
static void drop_unsynced(void) {
  static const char *const names[] = {"catalog.db", "catalog.db-wal"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char path[300], synced[400];
    name_files(names[i], path, synced);
    if (access(synced, F_OK) == 0)
      copy_file(synced, path);
    else
      (void)unlink(path);
  }
}

/* In a child: writes for ever, and tells each that is kept. */
static void write_and_tell(int round, int fd) {
  catalog *c = catalog_open(dir, &err);
  for (unsigned i = 0; c; i++) {
    char name[32];
    mark m;
    snprintf(name, sizeof name, "p%u-%d", i, round);
    pipeline_write(&m, (unsigned)round * 1000000 + i, name, "", "{}", name);
    catalog_post(c, &m.base);
    if (wait_for(&m)->status != HW_OK || write(fd, "x", 1) != 1) break;
  }
  _exit(1);
}

/* Kills a child that writes after it has told `least` rows; how many it had told. */
static unsigned kill_writer(int round, unsigned least, bool power) {
  int told[2];
  ck_assert_int_eq(pipe(told), 0);
  pid_t child = fork();
  if (child == 0) {
    if (power) sync_vfs_install(remember_sync);
    write_and_tell(round, told[1]);
  }
  close(told[1]);
  unsigned n = 0;
  char byte;
  for (; n < least; n++) ck_assert_int_eq(read(told[0], &byte, 1), 1);
  ck_assert_int_eq(kill(child, SIGKILL), 0);
  while (read(told[0], &byte, 1) == 1) n++;
  close(told[0]);
  ck_assert_int_eq(waitpid(child, NULL, 0), child);
  return n;
}

static int count_rows(int round) {
  char sql[200];
  sqlite3 *db;
  sqlite3_stmt *count;
  ck_assert_int_eq(sqlite3_open(file, &db), SQLITE_OK);
  snprintf(sql, sizeof sql, "SELECT count(*) FROM pipelines JOIN pipeline_states USING (id) WHERE name LIKE '%%-%d'",
           round);
  ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &count, NULL), SQLITE_OK);
  ck_assert_int_eq(sqlite3_step(count), SQLITE_ROW);
  int rows = sqlite3_column_int(count, 0);
  sqlite3_finalize(count);
  sqlite3_close(db);
  return rows;
}

/* Nothing is lost that was told to be kept, whenever it ends; _i: 1 with power cuts. */
START_TEST(a_kill_loses_nothing) {
  for (int round = 0; round < 5; round++) {
    if (_i == 1) all_is_synced();
    unsigned n = kill_writer(round, 20U + (unsigned)round * 7, _i == 1);
    if (_i == 1) drop_unsynced();
    catalog_close(open_it());
    int rows = count_rows(round);
    ck_assert_int_ge(rows, (int)n);
    ck_assert_int_le(rows, (int)n + 1); /* one may have been kept and not told */
  }
}
END_TEST

START_TEST(without_a_catalog_nothing_waits) {
  mark m;
  catalog_key *keys;
  size_t n;
  pipeline_write(&m, 1, "p", "", "{}", NULL);
  catalog_post(NULL, &m.base);
  ck_assert(m.done);
  ck_assert_int_eq(m.error.status, HW_OK);
  ck_assert_int_eq(catalog_load_keys(NULL, &keys, &n, &err), HW_OK);
  ck_assert_uint_eq(n, 0);
  catalog_close(NULL);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("catalog");
  TCase *tc = tcase_create("catalog");
  tcase_add_checked_fixture(tc, set_up, tear_down);
  tcase_add_test(tc, rows_come_back);
  tcase_add_test(tc, keys_come_back);
  tcase_add_test(tc, a_refused_row_fails_alone);
  tcase_add_test(tc, many_writes_share_commits);
  tcase_add_test(tc, a_full_disk_is_told);
  tcase_add_test(tc, files_are_private);
  tcase_add_test(tc, two_servers_cannot_share);
  tcase_add_test(tc, foreign_files_are_refused);
  tcase_add_test(tc, unfit_directories_are_refused);
  tcase_add_loop_test(tc, a_kill_loses_nothing, 0, 2);
  tcase_add_test(tc, without_a_catalog_nothing_waits);
  suite_add_tcase(suite, tc);
  SRunner *runner = srunner_create(suite);
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
