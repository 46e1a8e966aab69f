/* test_corpora.c - the inputs that fuzzing starts from, and those that once found
 * something, in every build. */
#include "tests/format_fixture.h"
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 65536

/* So that nothing behind the input is read, it ends where its memory does. */
static void run_file(const fuzz_target *target, const char *path) {
  static char bytes[INPUT_MAX];
  FILE *file = fopen(path, "rb");
  if (!file) ck_abort_msg("%s cannot be read", path);
  size_t n = fread(bytes, 1, sizeof bytes, file);
  ck_assert(feof(file) && !ferror(file));
  ck_assert_int_eq(fclose(file), 0);
  char *copy = malloc(n + 1);
  ck_assert_ptr_nonnull(copy);
  memcpy(copy, bytes, n);
  mark_point();
  target->run((fuzz_input){copy, n});
  free(copy);
}

START_TEST(corpus) {
  char directory[1024], path[2048];
  const char *root = getenv("SRCDIR");
  struct dirent **files;
  (void)snprintf(directory, sizeof directory, "%s/tests/fuzz/corpus/%s", root ? root : ".", fuzz_targets[_i].name);
  int n = scandir(directory, &files, NULL, alphasort), run = 0;
  ck_assert_msg(n > 0, "%s cannot be read", directory);
  for (int i = 0; i < n; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", directory, files[i]->d_name);
    if (files[i]->d_name[0] != '.') {
      run_file(&fuzz_targets[_i], path);
      run++;
    }
    free(files[i]);
  }
  free(files);
  ck_assert_int_gt(run, 2);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("corpora");
  TCase *all = tcase_create("corpora");
  int n = 0;
  while (fuzz_targets[n].name) n++;
  tcase_set_timeout(all, 60);
  tcase_add_loop_test(all, corpus, 0, n);
  suite_add_tcase(suite, all);
  return fixture_run(suite);
}
