/* file_claims.h - which files the inputs of this process are to read from end to
 * end, so that no output cuts one off before it is read. */
#ifndef CONNECTORS_FILE_CLAIMS_H
#define CONNECTORS_FILE_CLAIMS_H

#include <headworks/connector.h>

#include <stdbool.h>
#include <sys/stat.h>

typedef struct file_claim {
  const char *pattern; /* as of file_paths_parse; the claimer's, as is the struct */
  struct file_claim *next, **prev;
} file_claim;

/* Any thread. */
void file_claims_add(file_claim *claim, const char *pattern);
void file_claims_remove(file_claim *claim); /* one that was never added is left alone */

/* Whether a claimed pattern names this file, as far as c may look. Reads
 * directories: may block. */
bool file_claims_has(hw_connector *c, const struct stat *file);

#endif
