/* file_follow.h - files that are read on as they grow, see the DESIGN comment
 * in file_follow.c. One thread at a time. */
#ifndef CONNECTORS_FILE_FOLLOW_H
#define CONNECTORS_FILE_FOLLOW_H

#include "connectors/file_source.h"

typedef struct file_follow file_follow;

/* Opens what pattern names now; none is an error. May block. NULL and *err. */
file_follow *file_follow_open(hw_connector *c, const char *pattern, const file_reading *how, hw_error *err);
hw_fetch file_follow_fetch(file_follow *f, const hw_fetch_args *args, hw_error *err);
/* Between fetches that a hold keeps away: keeps hold of files whose names go.
 * HW_FETCH_WAIT or HW_FETCH_BLOCK, as in headworks/connector.h. */
hw_fetch file_follow_attend(file_follow *f, bool may_block);
void file_follow_close(file_follow *f); /* NULL is fine */

#endif
