/* worker.h - one thread for what would hold up the API thread: parsing bodies. */
#ifndef API_WORKER_H
#define API_WORKER_H

#include "api/mailbox.h"

#include <stdbool.h>

typedef struct worker worker;

/* Embedded in the caller's struct, first. After run, its mail is posted. */
typedef struct job {
  mail mail;
  struct job *next;
  void (*run)(struct job *j); /* [worker thread] */
} job;

#define WORKER_MAX_JOBS 32 /* waiting; each may hold a whole body */

worker *worker_new(mailbox *box); /* NULL: no memory or no thread */
/* Finishes the job it is at, discards those that wait, joins the thread. */
void worker_free(worker *w);
/* false: too many wait; the job is still the caller's. [API thread] */
bool worker_submit(worker *w, job *j);

#endif
