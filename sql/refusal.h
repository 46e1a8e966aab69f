/* refusal.h - what a format or a transport says of settings that it refuses, by
 * option.
 *
 * DESIGN
 * An option table cannot say everything, so an instance checks the rest when it
 * is made, and says "option: why" for each fault (hw_error_add). That is taken
 * apart here, so that each is shown at its own place. Settings with faults of
 * their own are checked as well, with these left out: a user is to see all that
 * is wrong at once. What such a check says may then come of what is left out, so
 * only that is believed which speaks of given options alone. */
#ifndef SQL_REFUSAL_H
#define SQL_REFUSAL_H

#include "runtime/config.h"

/* Calls `fault` for each part of message that begins with an option's name, with
 * `path` and the name; for one that does not, with `elsewhere`. */
void refusal_report(const char *message, const hw_config *config, const char *path, const char *elsewhere,
                    config_fault *fault, void *arg);

#endif
