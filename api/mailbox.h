/* mailbox.h - messages from any thread to the API thread.
 *
 * A queue behind a mutex and an eventfd in the event loop, which is written to
 * only when the queue was empty: many messages cost one wake-up. The mailbox
 * outlives the server for as long as somebody may still post. */
#ifndef API_MAILBOX_H
#define API_MAILBOX_H

#include <event2/event.h>

typedef struct mailbox mailbox;

/* Embedded in the sender's struct, which it hands over with the post: exactly
 * one of the two is called with it. */
typedef struct mail {
  struct mail *next;
  void (*deliver)(struct mail *m); /* [API thread] */
  void (*discard)(struct mail *m); /* the mailbox is closed [any thread] */
} mail;

mailbox *mailbox_new(struct event_base *base); /* one reference; NULL: errno says why */
mailbox *mailbox_ref(mailbox *box);            /* [any thread] */
void mailbox_unref(mailbox *box);              /* [any thread] */
void mailbox_post(mailbox *box, mail *m);      /* [any thread] */
/* Discards what waits and what comes later. [API thread, or after it] */
void mailbox_close(mailbox *box);

#endif
