/* Batches as bytes and back, and the files they go through. */
#include "runtime/spill_codec.h"
#include "runtime/spill_file.h"

#include <check.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* ---- batches -------------------------------------------------------------- */

static mem m;
static const hw_field fields[] = {
    {.name = "flag", .type = {.id = HW_TYPE_BOOLEAN, .nullable = true}},
    {.name = "id", .type = {.id = HW_TYPE_BIGINT}},
    {.name = "text", .type = {.id = HW_TYPE_VARCHAR, .nullable = true}},
    {.name = "amount", .type = {.id = HW_TYPE_DECIMAL, .nullable = true, .precision = 38}},
    {.name = "bytes", .type = {.id = HW_TYPE_VARBINARY}},
    {.name = "uuid", .type = {.id = HW_TYPE_UUID, .nullable = true}},
};
static const hw_schema schema = {.name = "t", .n_fields = 6, .fields = fields};

static void setup(void) { ck_assert_int_eq(mem_init(&m, 64 << 20), HW_OK); }
static void teardown(void) {
  ck_assert_uint_eq(atomic_load(&m.used), 0);
  mem_fini(&m);
}

/* What row i holds: some NULLs, empty and long strings, weights other than 1. */
static void put_row(batch *b, uint32_t i, bool weights) {
  hw_column *c = b->pub.columns;
  char text[200];
  memset(text, 'a' + (int)(i % 26), sizeof text);
  if (i % 3) hw_column_set_valid(&c[0], i), ((uint8_t *)c[0].values)[i] = i % 2;
  ((int64_t *)c[1].values)[i] = (int64_t)i * -77777777777;
  if (i % 5) {
    hw_column_set_valid(&c[2], i);
    ck_assert(hw_batch_copy_str(&b->pub, text, i % 200, &((hw_str *)c[2].values)[i]));
    if (i % 2) ((hw_str *)c[2].values)[i].flags = HW_STR_PLAIN;
  }
  if (i % 7) hw_column_set_valid(&c[3], i), ((hw_int128 *)c[3].values)[i] = (hw_int128)i << 100;
  ck_assert(hw_batch_copy_str(&b->pub, &i, i % 4, &((hw_str *)c[4].values)[i]));
  if (i % 2) hw_column_set_valid(&c[5], i), memset(&((hw_uuid *)c[5].values)[i], (int)i, sizeof(hw_uuid));
  if (weights) ck_assert(hw_batch_set_weight(&b->pub, i, i % 2 ? -1 : (int64_t)i));
  b->pub.n_rows = i + 1;
}

static batch *make(uint32_t rows, bool weights) {
  batch *b = batch_new(&m, &schema, rows);
  for (uint32_t i = 0; i < rows; i++) put_row(b, i, weights);
  b->mark = 12345678901;
  b->step = 42;
  b->fetched_ns = 99;
  b->source_bytes = 4711;
  return b;
}

static void expect_same_row(const hw_batch *a, uint32_t i, const hw_batch *b, uint32_t k) {
  ck_assert_int_eq(hw_batch_weight(a, i), hw_batch_weight(b, k));
  for (uint32_t c = 0; c < schema.n_fields; c++) {
    const hw_column *x = &a->columns[c], *y = &b->columns[c];
    size_t width = hw_type_width((hw_type_id)fields[c].type.id);
    ck_assert(hw_column_valid(x, i) == hw_column_valid(y, k));
    if (!hw_column_valid(x, i)) continue;
    if (!hw_type_is_string((hw_type_id)fields[c].type.id)) {
      ck_assert_mem_eq((char *)x->values + i * width, (char *)y->values + k * width, width);
      continue;
    }
    const hw_str *s = &((hw_str *)x->values)[i], *t = &((hw_str *)y->values)[k];
    ck_assert_uint_eq(s->len, t->len);
    ck_assert_uint_eq(s->flags, t->flags);
    if (s->len) ck_assert_mem_eq(s->data, t->data, s->len);
  }
}

static batch *decode(const hw_bytes *bytes, hw_status wanted) {
  batch *b = NULL;
  spill_head head;
  memcpy(&head, bytes->data, sizeof head);
  ck_assert_uint_eq(head.size + sizeof head, bytes->len);
  ck_assert_int_eq(spill_decode(&m, &schema, &head, bytes->data + sizeof head, &b), wanted);
  return b;
}

START_TEST(a_batch_comes_back_as_it_was) {
  uint32_t sizes[] = {1, 64, 1000, 4096};
  hw_bytes bytes = {0};
  for (int k = 0; k < 4; k++) {
    batch *b = make(sizes[k], _i);
    bytes.len = 0;
    ck_assert(spill_encode(b, &bytes));
    batch *back = decode(&bytes, HW_OK);
    ck_assert_uint_eq(back->pub.n_rows, sizes[k]);
    ck_assert_uint_eq(back->mark + back->step + back->fetched_ns + back->source_bytes, 12345678901 + 42 + 99 + 4711);
    for (uint32_t i = 0; i < sizes[k]; i++) expect_same_row(&b->pub, i, &back->pub, i);
    hw_batch_unref(&b->pub);
    hw_batch_unref(&back->pub);
  }
  free(bytes.data);
}
END_TEST

START_TEST(only_selected_rows_are_kept) {
  hw_bytes bytes = {0};
  batch *b = make(1000, true), *v = batch_new_view(b, &schema);
  memcpy(v->pub.columns, b->pub.columns, schema.n_fields * sizeof *v->pub.columns);
  uint32_t *sel = batch_new_sel(v, 100);
  for (uint32_t i = 0; i < 100; i++) sel[i] = i * 9 + 3;
  v->pub.sel = sel;
  v->pub.n_sel = 100;
  ck_assert(spill_encode(v, &bytes));
  batch *back = decode(&bytes, HW_OK);
  ck_assert_uint_eq(hw_batch_count(&back->pub), 100);
  for (uint32_t i = 0; i < 100; i++) expect_same_row(&b->pub, i * 9 + 3, &back->pub, i);
  ck_assert_ptr_null(back->parent); /* and it keeps nothing else alive */
  hw_batch_unref(&back->pub);
  hw_batch_unref(&v->pub);
  hw_batch_unref(&b->pub);
  free(bytes.data);
}
END_TEST

START_TEST(other_bytes_are_no_batch) {
  hw_bytes bytes = {0};
  batch *b = make(50, true);
  ck_assert(spill_encode(b, &bytes));
  for (size_t at = 0; at < bytes.len; at++) {
    if (at >= offsetof(spill_head, size) && at < offsetof(spill_head, rows)) continue; /* decode checks it */
    bytes.data[at] ^= 0x10;
    decode(&bytes, HW_EIO);
    bytes.data[at] ^= 0x10;
  }
  hw_batch_unref(&b->pub);
  free(bytes.data);
}
END_TEST

/* ---- files ------------------------------------------------------------------ */

static char dir[] = "/tmp/test_spill.XXXXXX";
static hw_error err;

static void make_dir(void) { ck_assert_ptr_nonnull(mkdtemp(dir)); }
static void remove_dir(void) { ck_assert_int_eq(remove(dir), 0); } /* empty: files have no names */

static unsigned open_files(void) {
  unsigned n = 0;
  DIR *d = opendir("/proc/self/fd");
  while (readdir(d)) n++;
  closedir(d);
  return n;
}

START_TEST(records_come_out_in_order_and_their_space_comes_back) {
  enum { SIZE = 100000 };
  static char data[SIZE];
  spill_file f;
  unsigned before = open_files(), put = 0, got = 0;
  spill_file_init(&f, dir, 32 << 20);
  ck_assert(spill_file_is_empty(&f));
  ck_assert_int_eq(spill_file_open(&f, &err), HW_OK);
  for (int round = 0; round < 2000; round++) {
    for (int i = 0; i < 3 && put - got < 200; i++) {
      memset(data, (int)(put % 251), SIZE);
      ck_assert_int_eq(spill_file_append(&f, data, SIZE - put % 7, &err), HW_OK);
      put++;
    }
    for (int i = 0; i < 2; i++) {
      ck_assert_int_eq(spill_file_read(&f, data, SIZE - got % 7, &err), HW_OK);
      ck_assert_int_eq((unsigned char)data[got % SIZE], (int)(got % 251));
      got++;
    }
    ck_assert_uint_le(f.on_disk, (put - got + 1) * SIZE + 2 * f.segment_bytes); /* never empty, yet bounded */
    ck_assert_uint_le(open_files(), before + 18);
  }
  for (; got < put; got++) ck_assert_int_eq(spill_file_read(&f, data, SIZE - got % 7, &err), HW_OK);
  ck_assert(spill_file_is_empty(&f));
  ck_assert_uint_eq(f.on_disk, 0);
  ck_assert_int_eq(spill_file_read(&f, data, 1, &err), HW_EIO); /* there is no more */
  spill_file_fini(&f);
  ck_assert_uint_eq(open_files(), before);
}
END_TEST

START_TEST(the_bound_holds) {
  static char data[1 << 20];
  spill_file f;
  spill_file_init(&f, dir, 3 << 20);
  for (int i = 0; i < 3; i++) ck_assert_int_eq(spill_file_append(&f, data, sizeof data, &err), HW_OK);
  ck_assert_int_eq(spill_file_append(&f, data, 1, &err), HW_ELIMIT);
  ck_assert_str_eq(err.message, "max_spill_bytes (3145728) are used up");
  ck_assert_int_eq(spill_file_read(&f, data, sizeof data, &err), HW_OK);
  ck_assert_int_eq(spill_file_append(&f, data, sizeof data, &err), HW_OK); /* there is room again */
  spill_file_fini(&f);
}
END_TEST

/* A write that fails half-way leaves nothing behind; it may be tried again. */
START_TEST(a_disk_that_takes_no_more_loses_nothing) {
  static char data[100000], back[100000];
  struct rlimit no_limit, limit;
  ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &no_limit), 0);
  signal(SIGXFSZ, SIG_IGN);
  spill_file f;
  spill_file_init(&f, dir, 64 << 20);
  memset(data, 1, sizeof data);
  ck_assert_int_eq(spill_file_append(&f, data, sizeof data, &err), HW_OK);
  limit = no_limit;
  limit.rlim_cur = 150000;
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  memset(data, 2, sizeof data);
  ck_assert_int_eq(spill_file_append(&f, data, sizeof data, &err), HW_EIO);
  ck_assert_ptr_nonnull(strstr(err.message, dir));
  ck_assert_uint_eq(f.on_disk, 100000);
  ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &no_limit), 0);
  memset(data, 3, sizeof data);
  ck_assert_int_eq(spill_file_append(&f, data, sizeof data, &err), HW_OK);
  ck_assert_int_eq(spill_file_read(&f, back, sizeof back, &err), HW_OK);
  ck_assert_int_eq(back[99999], 1);
  ck_assert_int_eq(spill_file_read(&f, back, sizeof back, &err), HW_OK);
  ck_assert_mem_eq(back, data, sizeof back);
  spill_file_fini(&f);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_named) {
  spill_file f;
  spill_file_init(&f, "/nowhere/to/be/found", 1 << 20);
  ck_assert_int_eq(spill_file_open(&f, &err), HW_EIO);
  ck_assert_str_eq(err.message, "no spill file can be made in /nowhere/to/be/found: No such file or directory");
  spill_file_fini(&f);
}
END_TEST

int main(void) {
  Suite *s = suite_create("spill");
  TCase *t = tcase_create("batches");
  tcase_add_checked_fixture(t, setup, teardown);
  tcase_add_loop_test(t, a_batch_comes_back_as_it_was, 0, 2);
  tcase_add_test(t, only_selected_rows_are_kept);
  tcase_add_test(t, other_bytes_are_no_batch);
  suite_add_tcase(s, t);
  t = tcase_create("files");
  tcase_set_timeout(t, 60);
  tcase_add_checked_fixture(t, make_dir, remove_dir);
  tcase_add_test(t, records_come_out_in_order_and_their_space_comes_back);
  tcase_add_test(t, the_bound_holds);
  tcase_add_test(t, a_disk_that_takes_no_more_loses_nothing);
  tcase_add_test(t, a_directory_that_is_not_there_is_named);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
