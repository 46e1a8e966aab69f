/* query_reply.c - from the helper threads to the API thread, and not too fast.
 *
 * DESIGN
 *     engine ─rows▸ writer ─▸ piece ─▸ mailbox ─▸ deliver ─▸ client
 *        ▴                                                     │
 *        └───────── pipeline_query_continue ◂── taken ◂────────┘
 *
 * `ahead` counts the bytes that were posted and not taken. Beyond a bound the
 * query is told to hold; when the client has taken enough it goes on. So a client
 * that does not read costs that bound, and no thread.
 *
 * The reply is freed with the last of its references: the client's, until end or
 * leave; the query's, until its last mail. */
#include "api/query_reply.h"

#include "engine/query.h"

#include <stdatomic.h>
#include <stdlib.h>

#define AHEAD_MAX (256u << 10)

typedef struct piece {
  mail mail;
  query_reply *reply;
  outbuf bytes;
} piece;

struct query_reply {
  mail last; /* the query's end */
  _Atomic unsigned refs;
  mailbox *box; /* a reference */
  pipeline_query *query;
  query_format format;
  _Atomic size_t ahead;
  /* helper threads': */
  query_writer *writer;
  bool failed; /* there was no memory */
  hw_error error; /* of the end; status HW_OK: none */
  /* API thread's: */
  query_client client;
  bool left;        /* nobody is to be called */
  size_t delivered; /* bytes of ahead that the client was given */
};

static void reply_unref(query_reply *r) {
  if (atomic_fetch_sub(&r->refs, 1) != 1) return;
  pipeline_query_unref(r->query);
  query_writer_free(r->writer);
  mailbox_unref(r->box);
  free(r);
}

/* ---- pieces: helper threads, then the API thread -------------------------------- */

static void piece_free(piece *p) {
  outbuf_fini(&p->bytes);
  free(p);
}

static void discard_piece(mail *m) { piece_free((piece *)m); }

static void deliver_piece(mail *m) {
  piece *p = (piece *)m;
  query_reply *r = p->reply; /* its last mail is still to come */
  r->delivered += p->bytes.len;
  if (!r->left) r->client.piece(r->client.arg, p->bytes.data, p->bytes.len);
  piece_free(p);
}

/* Takes the bytes. */
static bool post(query_reply *r, outbuf *bytes) {
  piece *p = bytes->failed ? NULL : calloc(1, sizeof *p);
  if (!p) {
    outbuf_fini(bytes);
    r->failed = true;
    pipeline_query_cancel(r->query);
    return false;
  }
  *p = (piece){.mail = {.deliver = deliver_piece, .discard = discard_piece}, .reply = r, .bytes = *bytes};
  size_t ahead = atomic_fetch_add(&r->ahead, bytes->len) + bytes->len;
  mailbox_post(r->box, &p->mail);
  return ahead < AHEAD_MAX;
}

static void on_begin(void *arg, const hw_schema *schema) {
  query_reply *r = arg;
  hw_error err;
  r->writer = query_writer_new(r->format, schema, &err);
  if (r->writer) return;
  r->failed = true;
  pipeline_query_cancel(r->query);
}

static bool on_rows(void *arg, const hw_batch *batch) {
  query_reply *r = arg;
  outbuf bytes = {0};
  if (r->failed) return false;
  query_writer_rows(r->writer, batch, &bytes);
  if (bytes.len || bytes.failed) return post(r, &bytes);
  outbuf_fini(&bytes);
  return true;
}

/* ---- the end --------------------------------------------------------------------- */

static query_reply *of_last(mail *m) { return (query_reply *)m; }

static void discard_last(mail *m) { reply_unref(of_last(m)); }

static void deliver_last(mail *m) {
  query_reply *r = of_last(m);
  if (!r->left) {
    r->left = true;
    r->client.end(r->client.arg, r->error.status == HW_OK ? NULL : &r->error);
    reply_unref(r);
  }
  reply_unref(r);
}

static void on_done(void *arg, const hw_error *err) {
  query_reply *r = arg;
  outbuf bytes = {0};
  if (err) r->error = *err;
  if (!err && r->writer) {
    query_writer_end(r->writer, &bytes);
    (void)post(r, &bytes);
  }
  if (r->failed) (void)hw_error_set(&r->error, HW_ENOMEM, "no memory for the reply");
  query_writer_free(r->writer); /* it refers to what the query has */
  r->writer = NULL;
  mailbox_post(r->box, &r->last);
}

/* ---- the API thread ----------------------------------------------------------------- */

query_reply *query_reply_new(const api_context *context, hw_pipeline *p, const char *sql, size_t len,
                             query_format format, const query_client *client, hw_error *err) {
  query_reply *r = calloc(1, sizeof *r);
  if (!r) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for a query");
    return NULL;
  }
  r->last = (mail){.deliver = deliver_last, .discard = discard_last};
  atomic_init(&r->refs, 2);
  r->format = format;
  r->client = *client;
  const query_events events = {.arg = r, .begin = on_begin, .rows = on_rows, .done = on_done};
  r->query = pipeline_query_new(p, sql, len, &events, err);
  if (!r->query) {
    free(r);
    return NULL;
  }
  r->box = mailbox_ref(context->box);
  pipeline_query_start(r->query);
  return r;
}

void query_reply_taken(query_reply *r) {
  size_t n = r->delivered, before = atomic_fetch_sub(&r->ahead, n);
  r->delivered = 0;
  if (before >= AHEAD_MAX && before - n < AHEAD_MAX) pipeline_query_continue(r->query);
}

void query_reply_leave(query_reply *r) {
  r->left = true;
  pipeline_query_cancel(r->query);
  reply_unref(r);
}
