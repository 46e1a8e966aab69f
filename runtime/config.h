/* config.h - checks settings against option tables (the inside of options.h). */
#ifndef RUNTIME_CONFIG_H
#define RUNTIME_CONFIG_H

#include <headworks/options.h>

#include <jansson.h>

/* Called for each fault; `path` is the place inside the JSON ("transport.config.rate"). */
typedef void config_fault(void *arg, const char *path, const char *message);

/* A checked copy of object (an object, or NULL for {}), with defaults. Every
 * fault is reported, with the nearest known name for an unknown one; NULL when
 * there was any. Borrows the table, which must outlive it. */
hw_config *config_new(const hw_option *table, const json_t *object, const char *path, config_fault *fault, void *arg);
void config_free(hw_config *config);

/* All settings, defaults included, secrets as "***" (a new reference). */
json_t *config_to_json(const hw_config *config);

/* The name in the NULL-ended list that s is most likely a slip of, or NULL. */
const char *config_nearest(const char *s, const char *const *names);

#endif
