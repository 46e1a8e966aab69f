/* ingress.c - bytes that clients send, into tables.
 *
 * DESIGN
 * An endpoint is an input like any other, whose transport is this file: its gate,
 * queue, statistics, errors and pauses are those of every input. A body is one
 * stream of it, with a parser of its own, as a client of a socket is one. So
 * "paused" is one thing for all inputs, and only the endpoint's task parses.
 *
 *     client's thread ─ingress_write─▸ inbox of the body ─fetch─▸ stream ─▸ rows
 *            ⋮              ◂── events.room ──┘      ▴     └─ events.done ─▸
 *            └───ingress_lend─▸ the client's socket ─┘
 *
 * A large body that comes fast is received by the task itself: its owner lends the
 * socket, and gets it back when there is nothing in it. That spares the way through
 * another thread, and a copy.
 *
 * Bodies with something to read stand in a list; a fetch serves the first
 * for its share and puts it behind the others. An inbox holds INBOX_MOST bytes (of
 * very many bodies less) and one more piece; the client's thread then stops reading
 * from the client until half of that is gone.
 *
 * What may still be refused is decided under the endpoint's lock: a body is
 * `fresh` until its first bytes go to the parser, an atomic one until its rows
 * are about to be queued.
 *
 * An input per body was rejected: it would cost a ring, a gate and a place in
 * every transition of the pipeline for each of thousands of small requests. */
#include "engine/ingress.h"

#include "engine/ingress_endpoint.h"
#include "engine/pipeline.h"
#include "engine/token.h"
#include "runtime/input.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define INBOX_MOST (4u << 20)
#define INBOX_LEAST (128u << 10)       /* when many bodies wait: so much of each */
#define INBOXES_MOST (UINT64_C(64) << 20) /* of all bodies together, before that */
#define UNPACK_AT_ONCE (64u << 10)
#define RECEIVE_AT_ONCE (256u << 10)   /* from a socket that was lent */

typedef struct piece {
  struct piece *next;
  size_t len, at; /* at: bytes that are done with */
  size_t room;
  char data[];
} piece;

struct ingress_body {
  stream_watch watch; /* first */
  _Atomic unsigned refs; /* its owner's, and the endpoint's until it is done */
  deployment *d;      /* a reference */
  ingress_endpoint *e;
  ingress_events events;
  bool atomic;
  uint64_t atomic_max;
  uint64_t number;    /* of this endpoint's bodies; set before the task can see it */
  /* protected by the endpoint's lock */
  ingress_body *next, **link; /* of all */
  ingress_body *next_ready;
  bool ready;         /* stands in the list */
  piece *first, *last;
  piece *spare;       /* to be used again: memory that comes and goes has to be cleared by the system each time */
  size_t waiting;     /* bytes, those at hand included */
  bool full;          /* its owner waits for room */
  bool ended, cut;    /* no more will come; cut: and that was not all */
  bool fresh;         /* may still be refused */
  bool refused;
  bool begun;         /* the task knows it */
  bool over;          /* done was called */
  bool no_memory;     /* a piece was lost */
  uint64_t bytes_seen; /* when a refusal was last asked for */
  pthread_mutex_t socket_lock; /* held while it is received from: taken back, nobody uses it any more */
  int socket;
  uint64_t received;  /* from it, since it was lent */
  _Atomic uint64_t lent; /* bytes that may still be received from it; 0: it is its owner's. Set under socket_lock */
  /* the endpoint's task */
  piece *at_hand;
  hw_stream *stream;
  bool closing;       /* the stream is closed: on_closed will come */
  bool claimed;       /* not fresh any more */
  unpack *unpack;     /* NULL: plain */
  _Atomic uint64_t bytes; /* given to the parser */
  ingress_result result;
  ingress_fault *faults;
};

/* ---- life ------------------------------------------------------------------ */

static void free_pieces(piece *p) {
  for (piece *next; p; p = next) {
    next = p->next;
    free(p);
  }
}

static void free_fault(ingress_fault *f) {
  free(f->field);
  free(f->reason);
  free(f->text);
}

void ingress_release(ingress_body *b) {
  if (atomic_fetch_sub(&b->refs, 1) != 1) return;
  free_pieces(b->first);
  free_pieces(b->spare);
  free_pieces(b->at_hand);
  pthread_mutex_destroy(&b->socket_lock);
  unpack_free(b->unpack);
  for (uint32_t i = 0; b->faults && i < INGRESS_FAULTS_KEPT; i++) free_fault(&b->faults[i]);
  free(b->faults);
  deployment_unref(b->d);
  free(b);
}

const ingress_result *ingress_outcome(const ingress_body *b) { return &b->result; }

/* Lock held. */
static void join(ingress_endpoint *e, ingress_body *b) {
  b->next = e->bodies;
  b->link = &e->bodies;
  if (b->next) b->next->link = &b->next;
  e->bodies = b;
  b->number = ++e->n_bodies;
  atomic_store(&((input *)e->c)->end_of_input, false);
}

/* Lock held. Out of the list of those with something to do. */
static void unlist(ingress_endpoint *e, ingress_body *b) {
  ingress_body *before = NULL;
  for (ingress_body *at = e->first; at; before = at, at = at->next_ready) {
    if (at != b) continue;
    if (before) before->next_ready = b->next_ready;
    else e->first = b->next_ready;
    if (e->last == b) e->last = before;
    b->ready = false;
    return;
  }
}

/* Lock held. Nobody looks for it any more. */
static void leave(ingress_endpoint *e, ingress_body *b) {
  atomic_fetch_sub(&e->c->rt->bodies_waiting, b->waiting);
  b->waiting = 0;
  if (b->ready) unlist(e, b);
  *b->link = b->next;
  if (b->next) b->next->link = b->link;
  b->over = true;
  if (!e->bodies) atomic_store(&((input *)e->c)->end_of_input, true);
}

bool ingress_recall(ingress_body *b) {
  pthread_mutex_lock(&b->socket_lock);
  bool lent = atomic_exchange(&b->lent, 0) > 0;
  pthread_mutex_unlock(&b->socket_lock);
  return lent;
}

/* The end: tells its owner. The result is filled in, and the body out of every list. */
static void tell_done(ingress_body *b) {
  b->result.faults = b->faults;
  (void)ingress_recall(b);
  deployment_release_completion(b->d);
  b->events.done(b->events.arg);
  ingress_release(b);
}

/* ---- bad records ------------------------------------------------------------ */

static char *copy(const char *text, size_t len) {
  char *out = malloc(len + 1);
  if (!out) return NULL;
  if (len) memcpy(out, text, len);
  out[len] = '\0';
  return out;
}

/* Without memory it is counted, and its texts are lost. */
static void on_bad(stream_watch *w, const hw_bad_record *bad, uint64_t event) {
  ingress_body *b = (ingress_body *)w;
  uint64_t n = b->result.n_faults++;
  if (!b->faults) b->faults = calloc(INGRESS_FAULTS_KEPT, sizeof *b->faults);
  if (!b->faults) return;
  ingress_fault *f = &b->faults[n % INGRESS_FAULTS_KEPT];
  free_fault(f);
  *f = (ingress_fault){.event = event};
  if (bad->tag) strncpy(f->tag, bad->tag, sizeof f->tag - 1);
  f->field = bad->field ? copy(bad->field, strlen(bad->field)) : NULL;
  f->reason = copy(bad->reason, strlen(bad->reason));
  f->text_len = bad->start ? (bad->len < INGRESS_TEXT_MAX ? bad->len : INGRESS_TEXT_MAX) : 0;
  f->text = copy(bad->start, f->text_len);
  if (!f->text) f->text_len = 0;
}

static bool on_commit(stream_watch *w) {
  ingress_body *b = (ingress_body *)w;
  pthread_mutex_lock(&b->e->lock);
  bool refused = b->refused || b->cut;
  b->fresh = b->fresh && refused;
  pthread_mutex_unlock(&b->e->lock);
  return !refused;
}

/* ---- the end ----------------------------------------------------------------- */

static void out_of_endpoint(ingress_body *b) {
  pthread_mutex_lock(&b->e->lock);
  leave(b->e, b);
  pthread_mutex_unlock(&b->e->lock);
}

static void on_closed(stream_watch *w, uint64_t rows) {
  ingress_body *b = (ingress_body *)w;
  b->stream = NULL;
  b->result.rows = rows;
  if (b->result.error.status == HW_OK && b->cut)
    (void)hw_error_set(&b->result.error, HW_ECANCELED, "the body was cut off");
  uint64_t number = b->e->c->index;
  token_write(b->result.token, b->d, number, atomic_load(&((input *)b->e->c)->total_records));
  out_of_endpoint(b);
  tell_done(b);
}

static hw_status fail(ingress_body *b, hw_status status, const char *message) {
  if (b->result.error.status == HW_OK) (void)hw_error_set(&b->result.error, status, "%s", message);
  return status;
}

/* Ends what has begun; on_closed follows, now or when all is parsed. */
static void close_stream(ingress_body *b) {
  bool whole = b->result.error.status == HW_OK && !b->cut;
  if (!whole) stream_spoil(b->stream); /* an atomic body's rows */
  b->closing = true;
  hw_stream_close(b->stream, whole);
}

/* It has no stream: nothing of it was taken. */
static void end_untouched(ingress_body *b, hw_status status, const char *message) {
  (void)fail(b, status, message);
  out_of_endpoint(b);
  tell_done(b);
}

/* ---- the endpoint's task ------------------------------------------------------ */

typedef enum served {
  SERVED_ALL,     /* of what there was */
  SERVED_SHARE,   /* more is there */
  SERVED_NO_ROOM, /* more may be there */
  SERVED_END,     /* the body is out of our hands */
} served;

static size_t inbox_size(const ingress_body *b) {
  return atomic_load(&b->e->c->rt->bodies_waiting) < INBOXES_MOST ? INBOX_MOST : INBOX_LEAST;
}

/* The next piece, taken from the inbox when the one before is done with. */
static piece *piece_at_hand(ingress_body *b) {
  if (b->at_hand && b->at_hand->at < b->at_hand->len) return b->at_hand;
  size_t done = b->at_hand ? b->at_hand->len : 0;
  piece *used = b->at_hand;
  pthread_mutex_lock(&b->e->lock);
  if (used) {
    used->next = b->spare; /* at most as many as an inbox holds */
    b->spare = used;
  }
  b->at_hand = b->first;
  if (b->first) b->first = b->first->next;
  b->waiting -= done;
  atomic_fetch_sub(&b->e->c->rt->bodies_waiting, done);
  bool room = b->full && b->waiting <= inbox_size(b) / 2 && !b->refused && !b->cut;
  if (room) b->full = false;
  pthread_mutex_unlock(&b->e->lock);
  if (b->at_hand) b->at_hand->next = NULL;
  if (room) b->events.room(b->events.arg);
  return b->at_hand;
}

/* From the socket, when that is lent; 0: it is not, or not any more. */
static size_t receive(ingress_body *b, char *to, size_t room) {
  pthread_mutex_lock(&b->socket_lock);
  uint64_t lent = atomic_load(&b->lent);
  if (room > lent) room = (size_t)lent;
  ssize_t n = room ? recv(b->socket, to, room, MSG_DONTWAIT) : 0;
  size_t got = n > 0 ? (size_t)n : 0;
  b->received += got;
  lent = got ? lent - got : 0; /* nothing there, the end, an error: its owner sees to it */
  bool back = room && lent == 0;
  atomic_store(&b->lent, lent);
  pthread_mutex_unlock(&b->socket_lock);
  if (back) b->events.room(b->events.arg);
  return got;
}

/* From in, or without one from the socket, to the stream's room; HW_EPARSE: cannot be unpacked. */
static hw_status fill(ingress_body *b, const char *in, size_t len, size_t *used, char *out, size_t room, size_t *made) {
  const char *fault = "";
  if (!in) {
    *made = receive(b, out, room);
    return HW_OK;
  }
  if (!b->unpack) {
    *used = *made = len < room ? len : room;
    memcpy(out, in, *made);
    return HW_OK;
  }
  hw_status st = unpack_run(b->unpack, (const unsigned char *)in, len, used, out, room, made, &fault);
  if (st != HW_OK) (void)hw_error_set(&b->result.error, HW_EPARSE, "the body cannot be unpacked: %s", fault);
  return st;
}

/* From here on it cannot be refused, unless it was. Atomic bodies: see on_commit. */
static bool claim(ingress_body *b) {
  if (b->claimed || b->atomic) return true;
  pthread_mutex_lock(&b->e->lock);
  b->claimed = !b->refused;
  b->fresh = b->fresh && b->refused;
  pthread_mutex_unlock(&b->e->lock);
  return b->claimed;
}

/* Gives some bytes to the parser (in NULL: the socket's). HW_EAGAIN: no room; another: the body has failed. */
static hw_status feed(ingress_body *b, const char *in, size_t len, size_t *used, size_t *made, size_t most) {
  size_t room, want = b->unpack ? UNPACK_AT_ONCE : in && len < most ? len : most;
  *used = *made = 0;
  char *out = hw_stream_reserve(b->stream, want, &room);
  if (!out) return HW_EAGAIN;
  if (!claim(b)) return fail(b, HW_ECANCELED, "the body was refused");
  hw_status st = fill(b, in, len, used, out, room, made);
  uint64_t bytes = atomic_fetch_add(&b->bytes, *made) + *made;
  if (b->atomic && bytes > b->atomic_max) st = fail(b, HW_ELIMIT, "the body is larger than an atomic one may be");
  hw_status committed = hw_stream_commit(b->stream, *made, 0); /* what cannot be followed is reported, and dropped */
  if (st != HW_OK) return st;
  return committed == HW_EAGAIN ? HW_EAGAIN : HW_OK;
}

/* What the unpacker still holds back at the end. */
static hw_status feed_rest(ingress_body *b) {
  size_t used, made = 1;
  hw_status st = HW_OK;
  while (b->unpack && made && st == HW_OK) st = feed(b, "", 0, &used, &made, UNPACK_AT_ONCE);
  if (st == HW_OK && b->unpack && !unpack_complete(b->unpack))
    st = fail(b, HW_EPARSE, "the body cannot be unpacked: it ends in the middle");
  return st;
}

static bool open_stream(ingress_body *b) {
  char name[32];
  snprintf(name, sizeof name, "body %llu", (unsigned long long)b->number);
  b->stream = hw_stream_open(b->e->c, name, 0);
  if (!b->stream) return false;
  stream_watch_set(b->stream, &b->watch);
  if (b->atomic) stream_make_atomic(b->stream);
  return true;
}

typedef struct moment {
  bool ended, stopped, no_memory;
} moment;

static moment look(ingress_body *b) {
  pthread_mutex_lock(&b->e->lock);
  moment m = {.ended = b->ended, .stopped = b->refused || b->cut, .no_memory = b->no_memory};
  pthread_mutex_unlock(&b->e->lock);
  return m;
}

static served serve(ingress_body *b, size_t *left) {
  if (b->closing) return SERVED_END;
  if (!b->stream && !open_stream(b)) {
    end_untouched(b, HW_ENOMEM, "no memory to read the body");
    return SERVED_END;
  }
  moment m = look(b);
  hw_status st = m.no_memory ? fail(b, HW_ENOMEM, "no memory for the body; what came before has landed") : HW_OK;
  while (st == HW_OK && !m.stopped) {
    bool lent = atomic_load(&b->lent); /* before the look for a piece: what was written first goes first */
    piece *p = piece_at_hand(b);
    if (!p && !lent) break;
    if (*left == 0) return SERVED_SHARE;
    size_t used, made;
    if (p) st = feed(b, p->data + p->at, p->len - p->at, &used, &made, *left);
    else st = feed(b, NULL, 0, &used, &made, RECEIVE_AT_ONCE);
    if (p) p->at += used;
    *left -= made < *left ? made : *left;
  }
  if (st == HW_OK && !m.stopped && !m.ended) return SERVED_ALL;
  if (st == HW_OK && !m.stopped) st = feed_rest(b);
  if (st == HW_EAGAIN) return SERVED_NO_ROOM;
  close_stream(b);
  return SERVED_END;
}

/* Lock held. */
static void list_ready(ingress_endpoint *e, ingress_body *b) {
  if (b->ready || b->over) return;
  b->ready = true;
  b->next_ready = NULL;
  if (e->first) e->last->next_ready = b;
  else e->first = b;
  e->last = b;
}

static ingress_body *next_ready(ingress_endpoint *e) {
  pthread_mutex_lock(&e->lock);
  ingress_body *b = e->first;
  if (b) {
    e->first = b->next_ready;
    b->ready = false;
    b->begun = true;
  }
  pthread_mutex_unlock(&e->lock);
  return b;
}

static void list_again(ingress_endpoint *e, ingress_body *b) {
  pthread_mutex_lock(&e->lock);
  list_ready(e, b);
  pthread_mutex_unlock(&e->lock);
}

static hw_fetch fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  (void)err;
  ingress_endpoint *e = instance;
  for (size_t left = args->max_bytes; left > 0;) {
    ingress_body *b = next_ready(e);
    if (!b) return HW_FETCH_WAIT; /* ingress_write and the like wake us */
    served s = serve(b, &left);
    if (s == SERVED_SHARE || s == SERVED_NO_ROOM) list_again(e, b);
    if (s == SERVED_NO_ROOM) return HW_FETCH_MORE;
  }
  return HW_FETCH_MORE;
}

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config, (void)err;
  ingress_endpoint *e = (ingress_endpoint *)(uintptr_t)c->spec;
  e->c = c;
  atomic_store(&((input *)c)->end_of_input, true);
  *instance = e;
  return HW_OK;
}

/* The pipeline stops: so do all bodies. */
static void destroy(void *instance) {
  ingress_endpoint *e = instance;
  for (;;) {
    pthread_mutex_lock(&e->lock);
    e->closed = true;
    ingress_body *b = e->bodies;
    if (b) leave(e, b);
    pthread_mutex_unlock(&e->lock);
    if (!b) return;
    if (b->stream) {
      b->result.rows = stream_rows(b->stream);
      stream_watch_set(b->stream, NULL);
    }
    b->stream = NULL;
    if (b->result.error.status == HW_OK)
      (void)hw_error_code(&b->result.error, HW_ESTATE, "PipelineInteractionNotDeployed",
                          "the pipeline was stopped before all of the body was read: %llu of its rows had been taken",
                          (unsigned long long)b->result.rows);
    tell_done(b);
  }
}

static const hw_input_ops ops = {.create = create, .fetch = fetch, .destroy = destroy};
static const hw_option no_options[] = {{0}};

const hw_input_transport ingress_transport = {
    .struct_size = sizeof(hw_input_transport),
    .name = "http_input",
    .summary = "Bodies of requests to the HTTP API",
    .options = no_options,
    .ops = &ops,
};

/* ---- its owner ------------------------------------------------------------------ */

/* With a body there is more to come. */
static void not_complete(hw_pipeline *p) {
  pipeline_lock(p);
  p->complete = false;
  pipeline_unlock(p);
}

static ingress_body *body_new(deployment *d, ingress_endpoint *e, const ingress_options *o,
                              const ingress_events *events) {
  ingress_body *b = calloc(1, sizeof *b);
  if (!b) return NULL;
  if (o->packed > UNPACK_PLAIN && !(b->unpack = unpack_new(o->packed))) {
    free(b);
    return NULL;
  }
  if (pthread_mutex_init(&b->socket_lock, NULL) != 0) {
    unpack_free(b->unpack);
    free(b);
    return NULL;
  }
  b->watch = (stream_watch){.bad = on_bad, .commit = on_commit, .closed = on_closed};
  atomic_init(&b->refs, 2);
  b->d = d;
  b->e = e;
  b->events = *events;
  b->atomic = o->atomic;
  b->atomic_max = o->atomic_max;
  b->fresh = true;
  return b;
}

/* A body that began could only wait, in the middle, for a commit that may be its own client's to ask for. */
static bool is_admitted(const deployment *d, hw_error *err) {
  if (!deployment_transaction_is_full(d)) return true;
  (void)hw_error_code(err, HW_EAGAIN, "PipelineInteractionUnreachable",
                      "the open transaction holds as much as there is memory for (a half of --memory, all transactions "
                      "together): nothing of the body was taken; commit the transaction, then send it again");
  return false;
}

ingress_body *ingress_begin(hw_pipeline *p, const ingress_options *o, const ingress_events *events, hw_error *err) {
  deployment *d = pipeline_deployment(p, err);
  if (!d) return NULL;
  ingress_endpoint *e = is_admitted(d, err) ? ingress_endpoint_get(d, o, err) : NULL;
  if (!e) goto refused;
  ingress_body *b = body_new(d, e, o, events);
  if (!b) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for the body");
    goto refused;
  }
  deployment_hold_completion(d);
  not_complete(p);
  pthread_mutex_lock(&e->lock);
  bool closed = e->closed;
  if (!closed) join(e, b);
  pthread_mutex_unlock(&e->lock);
  if (!closed) return b;
  atomic_fetch_sub(&b->refs, 1);
  ingress_release(b);
  (void)hw_error_code(err, HW_ESTATE, "PipelineInteractionNotDeployed", "the pipeline is stopping");
  return NULL;

refused:
  deployment_unref(d);
  return NULL;
}

/* Lock held, so that the endpoint cannot end meanwhile: something to do for the task. */
static void wake_task(ingress_body *b) {
  if (b->over || b->ready) return;
  list_ready(b->e, b);
  hw_connector_wake(b->e->c);
}

static piece *take_spare(ingress_body *b) {
  pthread_mutex_lock(&b->e->lock);
  piece *p = b->spare;
  if (p) b->spare = p->next;
  pthread_mutex_unlock(&b->e->lock);
  return p;
}

static piece *new_piece(ingress_body *b, const char *data, size_t len) {
  piece *p = take_spare(b);
  if (p && p->room < len) {
    free(p);
    p = NULL;
  }
  size_t room = p ? p->room : len;
  if (!p && !(p = malloc(sizeof *p + room))) return NULL;
  *p = (piece){.len = len, .room = room};
  memcpy(p->data, data, len);
  return p;
}

bool ingress_write(ingress_body *b, const char *data, size_t len) {
  piece *p = new_piece(b, data, len);
  pthread_mutex_lock(&b->e->lock);
  assert(!b->ended && !b->refused);
  if (!p) b->no_memory = true;
  if (p && !b->over) {
    if (b->first) b->last->next = p;
    else b->first = p;
    b->last = p;
    b->waiting += len;
    atomic_fetch_add(&b->e->c->rt->bodies_waiting, len);
    p = NULL;
  }
  b->full = b->waiting >= inbox_size(b);
  bool full = b->full;
  wake_task(b);
  pthread_mutex_unlock(&b->e->lock);
  free(p);
  return !full;
}

void ingress_end(ingress_body *b) {
  pthread_mutex_lock(&b->e->lock);
  b->ended = true;
  wake_task(b);
  pthread_mutex_unlock(&b->e->lock);
}

bool ingress_lend(ingress_body *b, int fd, uint64_t most) {
  if (b->unpack) return false;
  pthread_mutex_lock(&b->e->lock);
  bool wanted = !b->over;
  if (wanted) {
    pthread_mutex_lock(&b->socket_lock);
    b->socket = fd;
    b->received = 0;
    atomic_store(&b->lent, most);
    pthread_mutex_unlock(&b->socket_lock);
    wake_task(b);
  }
  pthread_mutex_unlock(&b->e->lock);
  return wanted;
}

uint64_t ingress_received(ingress_body *b) {
  pthread_mutex_lock(&b->socket_lock);
  uint64_t n = b->received;
  b->received = 0;
  pthread_mutex_unlock(&b->socket_lock);
  return n;
}

/* Lock held; leaves it. No more of the body is wanted. What the task does not know
 * ends at once, so that a pipeline that stands still gathers none. */
static void drop(ingress_body *b, const char *why) {
  ingress_endpoint *e = b->e;
  piece *pieces = b->first;
  b->first = NULL;
  (void)ingress_recall(b);
  bool gone = !b->begun && !b->over;
  if (gone) leave(e, b);
  else wake_task(b);
  pthread_mutex_unlock(&e->lock);
  free_pieces(pieces);
  if (!gone) return;
  (void)fail(b, HW_ECANCELED, why);
  tell_done(b);
}

void ingress_cut(ingress_body *b) {
  pthread_mutex_lock(&b->e->lock);
  b->cut = true;
  drop(b, "the body was cut off");
}

bool ingress_refuse(ingress_body *b) {
  pthread_mutex_lock(&b->e->lock);
  uint64_t bytes = atomic_load(&b->bytes);
  bool blocked = b->fresh && !b->over && (b->waiting || b->ended || atomic_load(&b->lent)) && bytes == b->bytes_seen;
  b->bytes_seen = bytes;
  if (!blocked) {
    pthread_mutex_unlock(&b->e->lock);
    return false;
  }
  b->refused = true;
  drop(b, "the body was refused");
  return true;
}
