#include "connectors/file_claims.h"

#include "connectors/file_access.h"
#include "connectors/file_paths.h"

#include <pthread.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects the list */
static file_claim *claims;

void file_claims_add(file_claim *claim, const char *pattern) {
  claim->pattern = pattern;
  pthread_mutex_lock(&lock);
  claim->prev = &claims;
  claim->next = claims;
  if (claims) claims->prev = &claim->next;
  claims = claim;
  pthread_mutex_unlock(&lock);
}

void file_claims_remove(file_claim *claim) {
  pthread_mutex_lock(&lock); /* others that are removed write to prev, too */
  if (claim->prev) *claim->prev = claim->next;
  if (claim->prev && claim->next) claim->next->prev = claim->prev;
  pthread_mutex_unlock(&lock);
}

static bool names(hw_connector *c, const char *pattern, const struct stat *file) {
  file_paths paths;
  hw_error err;
  bool found = false;
  if (file_paths_list(c, pattern, &paths, &err) != HW_OK) return false; /* its own open tells */
  for (size_t i = 0; i < paths.n && !found; i++) {
    struct stat st;
    found = file_access_stat(c, paths.items[i], &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
  }
  file_paths_fini(&paths);
  return found;
}

bool file_claims_has(hw_connector *c, const struct stat *file) {
  bool found = false;
  pthread_mutex_lock(&lock);
  for (const file_claim *claim = claims; claim && !found; claim = claim->next)
    found = names(c, claim->pattern, file);
  pthread_mutex_unlock(&lock);
  return found;
}
