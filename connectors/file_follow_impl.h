/* file_follow_impl.h - what finding (file_follow_find.c) and reading
 * (file_follow.c) of followed files share. */
#ifndef CONNECTORS_FILE_FOLLOW_IMPL_H
#define CONNECTORS_FILE_FOLLOW_IMPL_H

#include "connectors/file_follow.h"
#include "connectors/filewatch.h"

#include <sys/stat.h>

#define FOLLOW_POLL_NS UINT64_C(1000000000)
#define FOLLOW_IDLE_NS UINT64_C(60000000000)
#define FOLLOW_AHEAD 256u /* files that may be open before their turn to be read */

/* found (fd, or -1 where it could not be opened yet) -> live (source, has a name)
 * -> retired -> gone; live again when a name comes back. A found one may retire
 * before it is live: it is read when those before it are. */
typedef struct followed {
  char *path;          /* its latest name */
  dev_t dev;
  ino_t ino;
  int fd;              /* found: open, not read yet */
  int fault;           /* why it could not be opened: errno; 0: too many were open */
  file_source *source;
  filewatch *watch;    /* with source; NULL: it cannot be watched */
  bool dirty;          /* to be read */
  bool seen;           /* by the scan at hand */
  bool retired;
  bool drained;        /* read to its end since it retired */
  bool dropped;        /* its contents cannot be read any further */
  bool complained;     /* that it cannot be opened */
  uint64_t quiet_since; /* retired: when it last gave something */
  uint64_t read_before; /* bytes of it that were read before it started over */
} followed;

struct file_follow {
  hw_connector *c;
  char *pattern;
  file_reading how;
  followed **files; /* in the order in which they were found */
  size_t n, capacity;
  size_t n_ahead;   /* of them, those with fd */
  size_t turn;      /* whose turn it is */
  filewatch **dirs;
  size_t n_dirs;
  bool polled;      /* changes can go unnoticed */
  bool scan_wanted;
  bool again;       /* another look at all files is worth it */
  uint64_t looked;  /* when all files were last looked at */
  uint64_t gone_bytes; /* of files that are gone, for progress */
};

/* Watches the directory in which names come and go. False: no memory. May block. */
bool follow_watch_directory(file_follow *f);
/* Notes what must be looked at now: sets scan_wanted, marks files. */
void follow_look(file_follow *f, uint64_t now);
/* Lists the names: opens new files, retires those without a name, and reports the
 * ones that went unread. Clears scan_wanted on success. May block. */
hw_status follow_scan(file_follow *f, hw_error *err);
/* Opens a found file by its name, which may lead to another by now (HW_ESTATE: the
 * next scan will see). May block. */
bool follow_open_found(file_follow *f, followed *file, hw_error *err);
/* Takes it off the list and frees it; its stream ends as complete. */
void follow_remove(file_follow *f, size_t i);
void follow_free(file_follow *f, followed *file); /* leaves its stream to the runtime */

#endif
