/* config.h - checks settings against option tables (the inside of options.h). */
#ifndef RUNTIME_CONFIG_H
#define RUNTIME_CONFIG_H

#include "runtime/secret.h"

#include <headworks/options.h>

#include <jansson.h>

/* Called for each fault; `path` is the place inside the JSON ("transport.config.rate"). */
typedef void config_fault(void *arg, const char *path, const char *message);

/* A checked copy of object (an object, or NULL for {}), with defaults. Every
 * fault is reported, with the nearest known name for an unknown one; NULL when
 * there was any. Borrows the table, which must outlive it. */
hw_config *config_new(const hw_option *table, const json_t *object, const char *path, config_fault *fault, void *arg);
/* The same, but what is faulty is left as if it were not given, so that the rest
 * can be looked at. NULL only when that cannot be: a required option is missing
 * or faulty, object is none, or there is no memory. */
hw_config *config_read(const hw_option *table, const json_t *object, const char *path, config_fault *fault, void *arg);
bool config_has_faults(const hw_config *config); /* config_read reported some */
const hw_option *config_table(const hw_config *config);
void config_free(hw_config *config);

/* All settings, defaults included, secrets as "***" (a new reference). */
json_t *config_to_json(const hw_config *config);

/* Whether a setting, or a text within one of type JSON, refers to a secret. */
bool config_has_references(const hw_config *config);
/* Reports each reference that is malformed; false: there is one. */
bool config_check_references(const hw_config *config, const char *path, config_fault *fault, void *arg);
/* A copy with what the references stand for in their place; the list keeps the
 * secrets, and must outlive the copy. NULL and *err: the first that cannot be
 * resolved, with its place. */
hw_config *config_resolve(const hw_config *config, const char *path, const file_root *secrets, secret_list *known,
                          hw_error *err);

/* The name in the NULL-ended list that s is most likely a slip of, or NULL. */
const char *config_nearest(const char *s, const char *const *names);

#endif
