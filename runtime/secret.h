/* secret.h - references in settings that stand for a secret:
 *
 *     ${env:NAME}                     the variable NAME of the process's environment
 *     ${secret:kubernetes:NAME/KEY}   the file NAME/KEY below the secrets directory
 *
 * A text is a reference only as a whole. What it stands for is looked up at each
 * start of a pipeline, given to transports and formats, and shown to nobody. */
#ifndef RUNTIME_SECRET_H
#define RUNTIME_SECRET_H

#include "runtime/file_root.h"

#include <stdbool.h>
#include <stddef.h>

#define SECRET_MAX 65536 /* bytes of one */

/* Secrets that somebody knows, and their texts' owner. All 0: none. */
typedef struct secret_list {
  char **items;
  size_t n;
} secret_list;

void secret_list_fini(secret_list *known); /* overwrites them first */

/* Whether text begins and ends as a reference does. */
bool secret_is_reference(const char *text);
/* What is wrong with a reference; NULL: nothing. Reads nothing outside the text. */
const char *secret_fault(const char *reference);
/* What a reference without fault stands for; the list keeps it. dir NULL: there is
 * no secrets directory. May block on a file. HW_ENOTFOUND, HW_EINVAL, HW_EIO,
 * HW_ENOMEM: *err names the reference, never what it stands for. */
hw_status secret_resolve(const file_root *dir, const char *reference, secret_list *known, const char **value,
                         hw_error *err);
/* Puts *** where text has a secret, or eight bytes in a row of one: a part of it
 * may have been cut out. text gets no longer. */
void secret_redact(const secret_list *known, char *text);

#endif
