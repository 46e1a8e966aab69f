/* egress.c - a relation's changes, to clients.
 *
 * DESIGN
 * An egress is an output like any other, whose sink is this file: it takes whole
 * batches on its task and makes chunks of them with the format's encoder. Chunks
 * wait in an outbox until the client's thread takes them.
 *
 *     circuit ─queue─▸ take: batch ─▸ chunks ─▸ outbox ─egress_take─▸ client
 *                        ▴ WAIT                            │
 *                        └────────── woken ◂── egress_taken┘
 *
 * With backpressure a batch stays in hand until the client has its last chunk, so
 * the output is "idle" (and what came in "complete") only then, and the queue before
 * it holds the pipeline as every output's does. Without, take never waits.
 *
 * Of dead letters, which no circuit brings, the output takes what there is from their
 * list, whenever one has come or the client has taken something, as its prelude.
 *
 * A batch's deletions come before its insertions, and a chunk is cut at about
 * CHUNK_BYTES, between rows. */
#include "engine/egress.h"

#include "engine/pipeline.h"
#include "runtime/config.h"
#include "runtime/deployment_extra.h"
#include "runtime/deployment_impl.h"
#include "runtime/letter_rows.h"
#include "runtime/registry.h"
#include "runtime/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (512u << 10)
#define QUEUED_RECORDS 1000000
#define QUEUED_BYTES (INT64_C(64) << 20)

typedef struct chunk {
  struct chunk *next;
  hw_bytes line;
  bool snapshot;
} chunk;

struct egress {
  extra_spec extra; /* first */
  char name[UUID_TEXT_SIZE + 4], endpoint[256];
  char *json;
  _Atomic unsigned refs; /* its owner's and the output's */
  deployment *d;         /* a reference */
  hw_connector *c;
  const hw_format *format;
  hw_config *config;
  bool csv, backpressure;
  egress_events events;
  pthread_mutex_t lock;  /* protects what follows */
  chunk *first, *last;
  uint32_t n_waiting;
  size_t waiting;        /* bytes */
  uint64_t next;         /* number */
  uint64_t lost_chunks, lost_rows; /* not told yet */
  bool taken;            /* by the client: all that was in the outbox */
  bool begun, ended, cut, closed;
  /* the output's task */
  void *encoder;
  hw_bytes body;         /* of the chunk being made */
  uint32_t *rows[2];     /* of the batch in hand: deleted and inserted ones */
  uint32_t n_rows[2], rows_room;
  uint32_t pass, at;     /* the next row is rows[pass][at] */
  bool in_hand;
  letters_watch watch;   /* of dead letters */
  bool from_start;       /* of them those that are there already */
  uint64_t letter, first_new; /* the last one that was taken; of those that came since it has begun */
  store_snapshot *snapshot; /* set once, before `begun`; NULL: none, or all of it is handed over */
  uint32_t next_piece;
  hw_batch *piece;       /* of the snapshot, or of dead letters, in hand */
  bool shows_past;       /* the piece is of what there was when it began */
};

/* ---- life -------------------------------------------------------------------- */

static void egress_unref(egress *e) {
  if (atomic_fetch_sub(&e->refs, 1) != 1) return;
  for (chunk *c = e->first, *next; c; c = next) {
    next = c->next;
    free(c->line.data);
    free(c);
  }
  if (e->encoder) e->format->encoder->destroy(e->encoder);
  config_free(e->config);
  pthread_mutex_destroy(&e->lock);
  free(e->body.data);
  free(e->rows[0]);
  free(e->rows[1]);
  free(e->json);
  deployment_unref(e->d);
  free(e);
}

static void free_spec(extra_spec *extra) { egress_unref((egress *)extra); }

/* Lock held. Its owner learns that there is something to look at. */
static void tell(egress *e) {
  if (!e->closed) e->events.ready(e->events.arg);
}

/* ---- chunks ------------------------------------------------------------------- */

static bool add(hw_bytes *out, const char *text, size_t len) {
  if (!hw_bytes_reserve(out, len)) return false;
  memcpy(out->data + out->len, text, len);
  out->len += len;
  return true;
}

/* Text as a JSON string. */
static bool add_string(hw_bytes *out, const char *text, size_t len) {
  static const char hex[] = "0123456789abcdef";
  if (!hw_bytes_reserve(out, 6 * len + 2)) return false;
  char *to = out->data + out->len;
  *to++ = '"';
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c >= 0x20 && c != '"' && c != '\\') {
      *to++ = (char)c;
      continue;
    }
    *to++ = '\\';
    if (c == '\n') *to++ = 'n';
    else if (c >= 0x20) *to++ = (char)c;
    else to += snprintf(to, 6, "u00%c%c", hex[c >> 4], hex[c & 15]);
  }
  *to++ = '"';
  out->len = (size_t)(to - out->data);
  return true;
}

/* The encoder's lines as elements of an array: a line break is never within one. */
static bool add_array(hw_bytes *out, const char *lines, size_t len) {
  if (!hw_bytes_reserve(out, len + 2)) return false;
  char *to = out->data + out->len;
  *to++ = '[';
  memcpy(to, lines, len);
  for (char *at = to; (at = memchr(at, '\n', (size_t)(to + len - at)));) *at++ = ',';
  to += len;
  if (len) to--; /* the last comma */
  *to++ = ']';
  out->len = (size_t)(to - out->data);
  return true;
}

/* Its number is put in when its place is sure: room for that is at the line's start. */
#define HEAD_ROOM 64u

static chunk *chunk_new(const egress *e) {
  chunk *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  bool ok = hw_bytes_reserve(&c->line, HEAD_ROOM + e->body.len + 32);
  if (ok) c->line.len = HEAD_ROOM;
  if (e->csv)
    ok = ok && add(&c->line, "\"text_data\":", 12) && add_string(&c->line, e->body.data, e->body.len);
  else
    ok = ok && add(&c->line, "\"json_data\":", 12) && add_array(&c->line, e->body.data, e->body.len);
  if (ok && add(&c->line, "}\r\n", 3)) return c;
  free(c->line.data);
  free(c);
  return NULL;
}

/* Lock held. */
static void number(egress *e, chunk *c) {
  char head[HEAD_ROOM];
  int n = snprintf(head, sizeof head, "{\"sequence_number\":%llu,\"snapshot\":%s,", (unsigned long long)e->next++,
                   c->snapshot ? "true" : "false");
  memmove(c->line.data + n, c->line.data + HEAD_ROOM, c->line.len - HEAD_ROOM);
  memcpy(c->line.data, head, (size_t)n);
  c->line.len -= HEAD_ROOM - (size_t)n;
}

/* Lock held. */
static void append(egress *e, chunk *c) {
  number(e, c);
  c->next = NULL;
  if (e->first) e->last->next = c;
  else e->first = c;
  e->last = c;
  e->n_waiting++;
  e->waiting += c->line.len;
  e->taken = false;
}

/* Lock held. Says what was lost, once there is room again; without memory later. */
static void append_gap(egress *e) {
  if (!e->lost_chunks) return;
  chunk *c = calloc(1, sizeof *c);
  char text[96];
  unsigned long long chunks = e->lost_chunks, rows = e->lost_rows;
  int n = snprintf(text, sizeof text, "\"gap\":{\"chunks\":%llu,\"rows\":%llu}}\r\n", chunks, rows);
  if (!c || !hw_bytes_reserve(&c->line, HEAD_ROOM + (size_t)n)) {
    free(c);
    return;
  }
  c->line.len = HEAD_ROOM;
  (void)add(&c->line, text, (size_t)n); /* there is room */
  e->lost_chunks = e->lost_rows = 0;
  append(e, c);
}

static bool is_full(const egress *e) { return e->n_waiting >= EGRESS_CHUNKS || e->waiting >= EGRESS_BYTES; }

/* Hands over what was encoded: `rows` of it. Rows that were lost are counted. Of a
 * snapshot none are, for that waits. */
static hw_status hand_over(egress *e, uint32_t rows) {
  output *out = (output *)e->c;
  chunk *c = e->body.len ? chunk_new(e) : NULL;
  if (e->body.len && !c) return HW_ENOMEM;
  e->body.len = 0;
  if (!c) return HW_OK;
  size_t len = c->line.len;
  c->snapshot = e->piece && e->shows_past;
  pthread_mutex_lock(&e->lock);
  bool full = !e->backpressure && !c->snapshot && is_full(e);
  if (!full) append_gap(e);
  bool lost = e->closed || full || e->lost_chunks;
  if (full || e->lost_chunks) {
    e->lost_chunks++;
    e->lost_rows += rows;
  } else if (!e->closed) {
    append(e, c);
    tell(e);
  }
  pthread_mutex_unlock(&e->lock);
  if (!lost) {
    atomic_fetch_add(&out->transmitted_bytes, len);
    return HW_OK;
  }
  out->bad += rows;
  atomic_fetch_add(&out->dropped_records, rows);
  free(c->line.data);
  free(c);
  return HW_OK;
}

/* ---- the output's task ----------------------------------------------------------- */

typedef struct encode_report {
  hw_report report;
  egress *e;
} encode_report;

static void on_bad(hw_report *r, const hw_bad_record *bad) {
  egress *e = ((encode_report *)r)->e;
  ((output *)e->c)->bad++;
  report_add(e->c, ERROR_ENCODE, NULL, 0, bad);
}

static bool make_rows_room(egress *e, uint32_t n) {
  if (n <= e->rows_room) return true;
  for (unsigned k = 0; k < 2; k++) {
    uint32_t *rows = realloc(e->rows[k], n * sizeof *rows);
    if (!rows) return false;
    e->rows[k] = rows;
  }
  e->rows_room = n;
  return true;
}

/* Deleted rows first. False: no memory. */
static bool sort_rows(egress *e, const hw_batch *b) {
  uint32_t n = hw_batch_count(b);
  if (!make_rows_room(e, n)) return false;
  e->n_rows[0] = e->n_rows[1] = 0;
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = hw_batch_row(b, i);
    unsigned k = hw_batch_weight(b, row) > 0;
    e->rows[k][e->n_rows[k]++] = row;
  }
  e->pass = e->at = 0;
  return e->in_hand = true;
}

/* Fills the body with rows; *rows: how many. */
static hw_status encode(egress *e, const hw_batch *b, uint32_t *rows) {
  encode_report er = {.report = {on_bad}, .e = e};
  hw_status st = HW_OK;
  *rows = 0;
  for (; e->pass < 2 && st == HW_OK && e->body.len < CHUNK_BYTES; ) {
    hw_batch part = *b;
    part.sel = e->rows[e->pass];
    part.n_sel = e->n_rows[e->pass];
    uint32_t n = 0;
    if (e->at < part.n_sel)
      st = e->format->encoder->encode(e->encoder, &part, e->at, CHUNK_BYTES, &e->body, &er.report, &n);
    *rows += n;
    e->at += n;
    if (e->at == part.n_sel) e->pass++, e->at = 0;
  }
  return st;
}

/* Whether the client has all that was handed over. */
static bool was_taken(egress *e) {
  pthread_mutex_lock(&e->lock);
  bool taken = e->taken || e->closed;
  pthread_mutex_unlock(&e->lock);
  return taken;
}

static hw_write out_of_memory(egress *e) {
  hw_connector_wait_us(e->c, 1000);
  return HW_WRITE_WAIT;
}

static hw_write take(void *instance, const hw_write_args *args, const hw_batch *b, hw_error *err) {
  (void)args, (void)err;
  egress *e = instance;
  if (!e->in_hand && !sort_rows(e, b)) return out_of_memory(e);
  for (;;) {
    if (e->backpressure && !was_taken(e)) return HW_WRITE_WAIT; /* egress_taken wakes us */
    if (e->pass == 2 && !e->body.len) break;
    uint32_t rows;
    hw_status st = encode(e, b, &rows);
    if (hand_over(e, rows) != HW_OK || (st != HW_OK && !rows)) return out_of_memory(e);
  }
  e->in_hand = false;
  return HW_WRITE_OK;
}

/* ---- the snapshot ---------------------------------------------------------------------- */

/* It is always waited for: by the output, and by the pipeline once its queue is full. */
static bool has_room(egress *e) {
  pthread_mutex_lock(&e->lock);
  bool room = e->closed || (e->begun && (e->backpressure ? e->taken : !is_full(e)));
  pthread_mutex_unlock(&e->lock);
  return room;
}

/* The next piece that holds rows; *more false: there is none. Rows that wait for
 * their insertion (of negative weight) are not there for anybody. */
static hw_status take_piece(egress *e, bool *more) {
  hw_status st = HW_OK;
  *more = true;
  while (!e->piece && st == HW_OK && (*more = e->next_piece < store_snapshot_pieces(e->snapshot, 0)))
    st = store_snapshot_piece(e->snapshot, 0, e->next_piece++, &e->piece);
  if (st != HW_OK) e->next_piece--;
  e->shows_past = true;
  if (!e->piece || e->in_hand) return st;
  if (!sort_rows(e, e->piece)) return HW_ENOMEM;
  e->pass = 1;
  return HW_OK;
}

static void drop_snapshot(egress *e) {
  if (e->piece) hw_batch_unref(e->piece);
  e->piece = NULL;
  e->in_hand = false;
  store_snapshot_free(e->snapshot);
  e->snapshot = NULL;
}

static hw_write send_snapshot(void *instance) {
  egress *e = instance;
  for (bool more;;) {
    if (!has_room(e)) return HW_WRITE_WAIT; /* on_attached and egress_taken wake us */
    if (!e->snapshot) return HW_WRITE_OK;
    if (take_piece(e, &more) != HW_OK) return out_of_memory(e);
    if (!more) break;
    uint32_t rows;
    hw_status st = encode(e, e->piece, &rows);
    if (hand_over(e, rows) != HW_OK || (st != HW_OK && !rows)) return out_of_memory(e);
    if (e->pass < 2) continue;
    hw_batch_unref(e->piece);
    e->piece = NULL;
    e->in_hand = false;
  }
  drop_snapshot(e);
  return HW_WRITE_OK;
}

/* ---- dead letters ----------------------------------------------------------------------- */

static dead_letters *letters_of(const egress *e) {
  return e->extra.spec.relation == PROGRAM_LETTERS ? deployment_dead_letters(e->d) : NULL;
}

static void on_letter(void *arg) { hw_connector_wake(((egress *)arg)->c); }

/* HW_EAGAIN: there are none. */
static hw_status take_letters(egress *e) {
  batch *b;
  if (e->piece && e->in_hand) return HW_OK;
  if (!e->piece) {
    e->shows_past = e->letter < e->first_new;
    hw_status st = letter_rows_next(letters_of(e), &e->c->rt->queries, &e->letter, &b);
    if (st != HW_OK) return st;
    e->piece = &b->pub;
  }
  return sort_rows(e, e->piece) ? HW_OK : HW_ENOMEM;
}

/* Nobody is interested any more, or it has not begun. */
static bool is_idle(egress *e) {
  pthread_mutex_lock(&e->lock);
  bool idle = e->closed || !e->begun;
  pthread_mutex_unlock(&e->lock);
  return idle;
}

/* All it has to do: no batch ever comes, so this is called whenever it is woken. */
static hw_write send_letters(void *instance) {
  egress *e = instance;
  output *out = (output *)e->c;
  while (!is_idle(e) && has_room(e)) { /* on_attached and egress_taken wake us */
    hw_status st = take_letters(e);
    if (st == HW_EAGAIN) return HW_WRITE_WAIT; /* on_letter wakes us */
    if (st != HW_OK) return out_of_memory(e);
    uint32_t rows;
    st = encode(e, e->piece, &rows);
    if (hand_over(e, rows) != HW_OK || (st != HW_OK && !rows)) return out_of_memory(e);
    atomic_fetch_add(&out->transmitted_records, rows);
    if (e->pass < 2) continue;
    hw_batch_unref(e->piece);
    e->piece = NULL;
    e->in_hand = false;
  }
  return HW_WRITE_WAIT;
}

static void watch_letters(egress *e) {
  e->watch = (letters_watch){.call = on_letter, .arg = e};
  ((output *)e->c)->prelude = send_letters;
  dead_letters_watch(letters_of(e), &e->watch);
}

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config, (void)err;
  egress *e = (egress *)(uintptr_t)c->spec;
  e->c = c;
  if (letters_of(e)) watch_letters(e);
  if (e->extra.wants_snapshot) ((output *)c)->prelude = send_snapshot;
  *instance = e;
  return HW_OK;
}

/* Nothing is handed over any more. */
static void destroy(void *instance) {
  egress *e = instance;
  bool in_hand = e->in_hand || e->snapshot;
  if (letters_of(e)) dead_letters_unwatch(letters_of(e), &e->watch);
  drop_snapshot(e);
  pthread_mutex_lock(&e->lock);
  e->ended = true;
  e->cut = in_hand || output_batches((output *)e->c) > 0;
  tell(e);
  pthread_mutex_unlock(&e->lock);
}

static const hw_output_ops ops = {.create = create, .take = take, .destroy = destroy};
static const hw_option no_options[] = {{0}};

static const hw_output_transport transport = {
    .struct_size = sizeof(hw_output_transport),
    .name = "http_output",
    .summary = "Replies of the HTTP API that go on",
    .capabilities = HW_CAP_ROWS,
    .options = no_options,
    .ops = &ops,
};

/* ---- its owner -------------------------------------------------------------------- */

bool egress_take(egress *e, hw_bytes *line) {
  pthread_mutex_lock(&e->lock);
  chunk *c = e->first;
  if (c) {
    e->first = c->next;
    e->n_waiting--;
    e->waiting -= c->line.len;
    *line = c->line;
  }
  pthread_mutex_unlock(&e->lock);
  free(c);
  return c != NULL;
}

void egress_taken(egress *e) {
  pthread_mutex_lock(&e->lock);
  if (!e->first) e->taken = true;
  if (!is_full(e)) append_gap(e);
  if (e->first) tell(e);
  if (!e->ended) hw_connector_wake(e->c); /* under the lock: it is not destroyed meanwhile */
  pthread_mutex_unlock(&e->lock);
}

/* What the pipeline had done before the look, then whether this output had all of it. */
static uint64_t steps_taken(egress *e) {
  uint64_t steps = atomic_load(&e->d->steps);
  return output_batches((output *)e->c) == 0 ? steps : 0;
}

egress_state egress_look(egress *e) {
  pthread_mutex_lock(&e->lock);
  egress_state s = {.next = e->next - e->n_waiting, .begun = e->begun, .ended = e->ended, .cut = e->cut};
  if (!e->ended && e->begun && !e->first && e->taken) s.steps = steps_taken(e);
  pthread_mutex_unlock(&e->lock);
  return s;
}

void egress_close(egress *e) {
  pthread_mutex_lock(&e->lock);
  e->closed = true;
  pthread_mutex_unlock(&e->lock);
  deployment_remove_output(e->d, &e->extra); /* it may have ended already */
  egress_unref(e);
}

/* ---- opening ------------------------------------------------------------------------ */

/* On the pipeline's task, between steps. */
static void on_attached(extra_spec *extra, store_snapshot *s) {
  egress *e = (egress *)extra;
  pthread_mutex_lock(&e->lock);
  e->snapshot = s;
  if (letters_of(e)) e->first_new = dead_letters_counts(letters_of(e)).total; /* ids count up with it */
  if (!e->from_start) e->letter = e->first_new;
  e->begun = true;
  tell(e);
  pthread_mutex_unlock(&e->lock);
}

static hw_status find_relation(const program *prog, const char *name, uint32_t *out, hw_error *err) {
  int r = program_find_relation(prog, name);
  bool letters = r < 0 && program_names_letters(name);
  *out = letters ? PROGRAM_LETTERS : (uint32_t)r;
  if (r >= 0 || letters) return HW_OK;
  char there[400] = "";
  size_t at = 0;
  for (uint32_t i = 0; i < prog->n_relations && at < sizeof there; i++)
    at += (size_t)snprintf(there + at, sizeof there - at, "%s%s", at ? ", " : "", prog->relations[i].schema.name);
  return hw_error_code(err, HW_ENOTFOUND, "UnknownOutputStream", "unknown output table or view '%.100s' (there is: %s)",
                       name, at ? there : "none");
}

static void on_fault(void *arg, const char *path, const char *message) {
  hw_error *err = arg;
  if (err->status == HW_OK)
    (void)hw_error_code(err, HW_EINVAL, "EncoderConfigParseError", "format option %s: %s", path, message);
}

/* Elements are put together here, so the encoder is asked for lines. */
static json_t *lines_config(const json_t *config) {
  json_t *copy = config ? json_copy((json_t *)(uintptr_t)config) : json_object();
  if (copy) json_object_del(copy, "array");
  return copy;
}

static hw_status make_encoder(egress *e, const hw_schema *schema, const json_t *config, hw_error *err) {
  hw_error why = {.status = HW_OK};
  json_t *lines = lines_config(config);
  e->config = lines ? config_new(e->format->encoder_options, lines, "", on_fault, &why) : NULL;
  json_decref(lines);
  if (!e->config) {
    if (why.status == HW_OK) (void)hw_error_set(&why, HW_ENOMEM, "no memory for the options of the format");
    if (err) *err = why;
    return why.status;
  }
  hw_status status = e->format->encoder->create(e->config, schema, &e->encoder, &why);
  if (status == HW_OK) return HW_OK;
  if (status == HW_ENOMEM) return hw_error_set(err, status, "%s", why.message);
  return hw_error_code(err, HW_EINVAL, "InvalidEncoderConfig", "format %s for \"%.100s\": %s", e->format->name,
                       schema->name, why.message);
}

static bool name_it(egress *e, const char *relation, hw_error *err) {
  memcpy(e->name, "api-", 4);
  if (uuid_make(e->name + 4, err) != HW_OK) return false;
  snprintf(e->endpoint, sizeof e->endpoint, "%.200s.%s", relation, e->name);
  json_t *all = config_to_json(e->config);
  json_t *object = json_pack("{s:{s:s,s:{s:b}}, s:{s:s,s:O}}", "transport", "name", transport.name, "config",
                             "backpressure", e->backpressure, "format", "name", e->format->name, "config", all);
  e->json = object ? json_dumps(object, JSON_COMPACT) : NULL;
  json_decref(all);
  json_decref(object);
  if (!e->json) (void)hw_error_set(err, HW_ENOMEM, "no memory for a listener");
  return e->json;
}

/* Takes the reference to d. One reference: the output's. */
static egress *egress_new(deployment *d, const hw_format *f, const egress_options *o, const egress_events *events) {
  egress *e = calloc(1, sizeof *e);
  if (!e) goto no_memory;
  if (pthread_mutex_init(&e->lock, NULL) != 0) goto no_lock;
  atomic_init(&e->refs, 1);
  e->d = d;
  e->format = f;
  e->csv = strcmp(f->name, "csv") == 0;
  e->backpressure = o->backpressure;
  e->events = *events;
  e->taken = true;
  return e;

no_lock:
  free(e);
no_memory:
  deployment_unref(d);
  return NULL;
}

static hw_status find_format(const char *name, const hw_format **out, hw_error *err) {
  *out = strcmp(name, "json") == 0 || strcmp(name, "csv") == 0 ? registry_format(name) : NULL;
  if (*out) return HW_OK;
  return hw_error_code(err, HW_EINVAL, "UnknownOutputFormat", "unknown output format '%.60s' (known: json, csv)", name);
}

egress *egress_open(hw_pipeline *p, const egress_options *o, const egress_events *events, hw_error *err) {
  uint32_t relation;
  const hw_format *f;
  deployment *d = pipeline_deployment(p, err);
  if (!d) return NULL;
  const program *prog = deployment_program(d);
  if (find_relation(prog, o->relation, &relation, err) != HW_OK || find_format(o->format, &f, err) != HW_OK) {
    deployment_unref(d);
    return NULL;
  }
  bool letters = relation == PROGRAM_LETTERS;
  const hw_schema *schema = letters ? &program_letters_schema : &prog->relations[relation].schema;
  if (o->snapshot && !letters && !program_relation_is_stored(&prog->relations[relation])) {
    (void)hw_error_code(err, HW_EINVAL, "InvalidTransportConfig",
                        "send_snapshot needs a relation that is kept, and \"%.100s\" is not materialized",
                        schema->name);
    deployment_unref(d);
    return NULL;
  }
  egress *e = egress_new(d, f, o, events);
  if (!e) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for a listener");
    return NULL;
  }
  if (make_encoder(e, schema, o->config, err) != HW_OK || !name_it(e, schema->name, err)) {
    egress_unref(e);
    return NULL;
  }
  e->from_start = o->snapshot;
  e->extra = (extra_spec){.free = free_spec, .attached = on_attached, .wants_snapshot = o->snapshot && !letters};
  e->extra.spec = (program_connector){.name = e->name, .endpoint = e->endpoint, .relation = relation,
                                      .output = &transport, .max_queued_records = QUEUED_RECORDS,
                                      .max_queued_bytes = QUEUED_BYTES, .json = e->json};
  atomic_fetch_add(&e->refs, 1);
  if (deployment_add_output(d, &e->extra, err)) return e;
  egress_unref(e);
  return NULL;
}
