/* reply.c - the answer to a control call. */
#include "cli/reply.h"

void reply_init(reply *r, signals *s) {
  r->signals = s;
  atomic_init(&r->done, false);
  r->status = HW_OK;
  r->error = (hw_error){0};
}

void reply_set(reply *r, hw_status status, const hw_error *error) {
  signals *s = r->signals; /* r may be gone once done is set */
  r->status = status;
  if (error && *error->message)
    r->error = *error;
  else if (status != HW_OK)
    (void)hw_error_set(&r->error, status, "%s", hw_status_text(status));
  atomic_store(&r->done, true);
  signals_ring(s);
}

void reply_done(void *arg, const hw_reply *from) { reply_set(arg, from->status, from->error); }

void reply_called(reply *r, hw_status status, const hw_error *error) {
  if (status != HW_OK) reply_set(r, status, error);
}
