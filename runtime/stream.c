/* stream.c - bytes of one stream to rows.
 *
 * DESIGN
 * A stream has a buffer block that the transport fills behind the bytes that
 * are not parsed yet:
 *
 *      0 ........ parsed ........ filled ........ capacity - HW_PARSE_PADDING
 *        in batches    a cut record     free
 *
 * Parsing makes rows whose strings point into the block; the batch keeps the
 * block. A block is never written where a batch may look: when it is full, the
 * cut record at its end moves to a new block. Small reads share a block, so that
 * a slow stream does not pin one per row.
 *
 * A record that comes in many pieces is not parsed with each of them: where the
 * format can tell that the last ones do not complete it (can_go_on), they wait.
 *
 * A record longer than the connector's limit is reported once and passed over up
 * to where the format finds the next one.
 *
 * When rows find no room (queue or memory), the bytes stay where they are, the
 * stream is listed as unparsed, and the input parses it before it fetches.
 *
 * An atomic stream fills batches of its own, chained to a unit, which enters the
 * queue when the stream is closed: one entry, however many batches. */
#include "runtime/ahead.h"
#include "runtime/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READ_LEAST 4096u

struct hw_stream {
  input *in;
  hw_stream *next, **prev;            /* all of the input */
  hw_stream *next_unparsed;
  void *parser;
  block *buf;                         /* NULL: none at the moment */
  size_t parsed, filled;
  uint64_t offset;                    /* in the source, of the first byte that is not taken in */
  bool waiting;                       /* what is there was parsed, and is no whole record */
  bool listed;                        /* as unparsed */
  bool message_end;                   /* a message ends at `filled` */
  bool closing, cut;                  /* no more bytes; cut: the last record is not whole */
  bool skipping;                      /* within a record that is too long */
  bool midway;                        /* the parser has seen the start of a message, and not its end */
  bool broken;                        /* cannot be followed: bytes are dropped */
  stream_watch *watch;                /* NULL: nobody */
  uint64_t rows, bad, events;         /* so far; events: all records, of either kind */
  bool atomic, spoilt;                /* spoilt: no row of it shall be queued */
  batch *open;                        /* atomic: being filled */
  batch *unit, *unit_last;            /* atomic: those that are full */
  uint64_t loose;                     /* atomic: bytes that no batch counts */
  ahead *ahead;                       /* pieces before the buffer; NULL: there were none yet */
  char *name;
};

/* ---- reports ------------------------------------------------------------- */

/* `data` is where parsing began, for positions. */
typedef struct parse_report {
  hw_report report;
  hw_stream *stream;
  const char *data;
  const batch *batch; /* NULL: none is being filled */
  uint32_t counted;   /* rows of it that are counted */
} parse_report;

/* A row that the table does not take does not land: input_flush reports it and
 * leaves it out; of an atomic stream none lands then. */
static void count_refused(hw_stream *s, uint64_t event, const char *tag, const char *why) {
  if (s->atomic) connector_add_error(&s->in->c, ERROR_PARSE, tag, "a row for \"%s\" %s", s->in->c.schema->name, why);
  s->bad++;
  s->rows--;
  hw_bad_record bad = {.tag = tag, .reason = why};
  if (s->watch) s->watch->bad(s->watch, &bad, event);
}

/* The rows that were made since the last look, in the order of the stream. */
static void count_rows(parse_report *pr) {
  hw_stream *s = pr->stream;
  if (!pr->batch) return;
  uint32_t first = pr->counted, end = pr->batch->pub.n_rows;
  pr->counted = end;
  s->rows += end - first;
  s->events += end - first;
  if (!batch_may_be_refused(pr->batch)) return;
  const char *tag, *why;
  for (uint32_t row = first; row < end; row++)
    if ((why = batch_refusal(pr->batch, row, &tag))) count_refused(s, s->events - (end - row) + 1, tag, why);
}

static void report_bad(hw_report *r, const hw_bad_record *bad) {
  parse_report *pr = (parse_report *)r;
  hw_stream *s = pr->stream;
  uint64_t at = s->offset + (uint64_t)(bad->start >= pr->data ? bad->start - pr->data : 0);
  count_rows(pr);
  report_add(&s->in->c, ERROR_PARSE, s->name, at, bad);
  s->bad++;
  s->events++;
  if (s->watch) s->watch->bad(s->watch, bad, s->events);
}

static void report_stream(hw_stream *s, const char *tag, const char *reason) {
  parse_report pr = {.report = {report_bad}, .stream = s, .data = s->buf ? s->buf->data + s->parsed : NULL};
  hw_bad_record bad = {.start = pr.data, .len = s->filled - s->parsed, .tag = tag, .reason = reason};
  report_bad(&pr.report, &bad);
}

/* ---- buffers ------------------------------------------------------------- */

static size_t buffer_room(const hw_stream *s) {
  if (!s->buf) return 0;
  size_t end = s->buf->capacity - HW_PARSE_PADDING;
  return end > s->filled ? end - s->filled : 0;
}

/* Bytes for a block with `tail` and about `want` more: a little less than wanted
 * where that makes it a block size down. */
static size_t buffer_size(size_t tail, size_t want) {
  size_t overhead = sizeof(block) + HW_PARSE_PADDING + tail, p = 1;
  while (p <= (overhead + want) / 2) p *= 2;
  return p >= overhead + (want + 1) / 2 ? p - sizeof(block) : tail + want + HW_PARSE_PADDING;
}

/* Moves the cut record to a block with room for about `want` more bytes. */
static bool buffer_renew(hw_stream *s, size_t want, bool essential) {
  size_t tail = s->filled - s->parsed;
  size_t size = buffer_size(tail, want);
  if (s->buf && block_is_mine(s->buf) && s->buf->capacity >= size) {
    memmove(s->buf->data, s->buf->data + s->parsed, tail);
  } else {
    if (tail > want) size += tail; /* a long record: grow by doubling */
    mem *m = &s->in->c.rt->mem;
    block *b = essential ? mem_get_essential(m, size) : mem_get(m, size);
    if (!b) return false;
    if (s->buf) memcpy(b->data, s->buf->data + s->parsed, tail);
    block_unref(s->buf);
    s->buf = b;
  }
  s->parsed = 0;
  s->filled = tail;
  return true;
}

void *hw_stream_reserve(hw_stream *s, size_t want, size_t *room) {
  TASK_ASSERT(&s->in->c.task);
  if (s->listed) return NULL;
  if (s->in->ahead && s->in->ahead != s) { /* its rows come first */
    s->in->awaits = true;
    return NULL;
  }
  if (want == 0) want = 1;
  size_t least = want < READ_LEAST ? want : READ_LEAST;
  if (buffer_room(s) < least && !buffer_renew(s, want, false) &&
      !((s->atomic || input_is_empty(s->in)) && buffer_renew(s, least, true))) {
    s->in->starved = true;
    return NULL;
  }
  *room = buffer_room(s);
  if (*room > want) *room = want;
  return s->buf->data + s->filled;
}

/* ---- parsing ------------------------------------------------------------- */

static void list_unparsed(hw_stream *s) {
  if (s->listed) return;
  s->listed = true;
  hw_stream **end = &s->in->unparsed; /* in order of arrival */
  while (*end) end = &(*end)->next_unparsed;
  s->next_unparsed = NULL;
  *end = s;
}

/* n bytes are done with. */
static void advance(hw_stream *s, size_t n) {
  s->waiting = false;
  s->parsed += n;
  s->offset += n;
  if (!s->atomic)
    input_account(s->in, n);
  else if (s->open)
    s->open->source_bytes += n;
  else
    s->loose += n;
}

/* ---- units --------------------------------------------------------------- */

static batch *open_batch(hw_stream *s) {
  input *in = s->in;
  if (!s->atomic) return input_open_batch(in);
  if (s->open) return s->open;
  s->open = batch_new_essential(&in->c.rt->mem, in->c.schema, s->unit ? BATCH_ROWS_MAX : BATCH_ROWS_MIN);
  if (s->open) s->open->fetched_ns = in->now_ns;
  in->starved = in->starved || !s->open;
  return s->open;
}

static void flush_batch(hw_stream *s) {
  batch *b = s->open;
  if (!s->atomic) input_flush(s->in);
  s->open = NULL;
  if (!b) return;
  if (!b->pub.n_rows) {
    s->loose += b->source_bytes;
    hw_batch_unref(&b->pub);
    return;
  }
  if (s->unit)
    s->unit_last->unit_next = b;
  else
    s->unit = b;
  s->unit_last = b;
}

/* At the end of an atomic stream; false: the queue has no room yet. */
static bool settle_unit(hw_stream *s) {
  flush_batch(s);
  bool waits = s->unit && queue_is_full(&s->in->source.queue);
  if (!s->bad && !s->spoilt && waits) return false;
  if (!s->bad && !s->spoilt && s->watch && !s->watch->commit(s->watch)) s->spoilt = true;
  if (s->bad || s->spoilt) {
    queue_drop(s->unit);
    s->unit = NULL;
    s->rows = 0;
    s->loose = s->offset;
  }
  if (!input_push_unit(s->in, s->unit, s->loose)) return false;
  s->unit = NULL;
  return true;
}

static bool ends_here(const hw_stream *s) { return s->message_end || s->closing; }

/* Passes over a record that is too long. True: its end was found. */
static bool skip_record(hw_stream *s) {
  const hw_parser_ops *ops = s->in->c.spec->format->parser;
  size_t have = s->filled - s->parsed;
  size_t n = ops->skip ? ops->skip(s->parser, s->buf->data + s->parsed, have) : 0;
  advance(s, n ? n : have);
  if (n || ends_here(s)) s->skipping = false;
  return n != 0;
}

/* What is left after the parser is not a whole record: true when there is now
 * something else to parse. */
static bool check_length(hw_stream *s) {
  size_t have = s->filled - s->parsed;
  if (have <= (size_t)s->in->c.spec->max_record_bytes) return false;
  char reason[128];
  snprintf(reason, sizeof reason, "record is longer than max_record_bytes (%lld): it is passed over",
           (long long)s->in->c.spec->max_record_bytes);
  report_stream(s, "too_long", reason);
  if (!s->in->c.spec->format->parser->skip) s->broken = true;
  s->skipping = true;
  return true;
}

/* One call of the parser. False: no room for rows, or no memory. */
static bool parse_some(hw_stream *s, bool *again) {
  input *in = s->in;
  batch *b = open_batch(s);
  if (!b) return false;
  if (!batch_keep(b, s->buf)) {
    flush_batch(s);
    *again = true;
    return true;
  }
  const char *data = s->buf->data + s->parsed;
  size_t have = s->filled - s->parsed, consumed = 0;
  parse_report pr = {.report = {report_bad}, .stream = s, .data = data, .batch = b, .counted = b->pub.n_rows};
  bool final = ends_here(s) && !s->cut;
  hw_status st = in->c.spec->format->parser->parse(s->parser, data, have, final, &b->pub, &pr.report, &consumed);
  count_rows(&pr);
  advance(s, consumed);
  s->midway = st != HW_OK || !final || s->parsed < s->filled;
  if (st == HW_EPARSE) {
    s->broken = true;
    return true;
  }
  if (st == HW_ENOMEM) {
    in->starved = true;
    flush_batch(s);
    return false;
  }
  bool full = b->pub.n_rows == b->pub.capacity;
  if (full) flush_batch(s);
  s->waiting = !full && !final && s->parsed < s->filled;
  *again = full || (final && consumed > 0);
  return true;
}

/* Whether parsing may come to more than it did before the last bytes came. */
static bool can_go_on(const hw_stream *s) {
  const hw_format *format = s->in->c.spec->format;
  if (!s->waiting || ends_here(s) || !format->can_go_on) return true;
  return format->can_go_on(s->parser, s->buf->data + s->parsed, s->filled - s->parsed);
}

/* A parser that knows nothing of what came before; false: no memory, the old one stays. */
static bool renew_parser(hw_stream *s) {
  const program_connector *spec = s->in->c.spec;
  hw_error err = {0};
  void *fresh;
  if (spec->format->parser->create(s->in->c.format_config, s->in->c.schema, &fresh, &err) != HW_OK) return false;
  spec->format->parser->destroy(s->parser);
  s->parser = fresh;
  return true;
}

/* At the end of a message or of the stream, with what the parser left over. */
static void finish_rest(hw_stream *s) {
  if (s->parsed < s->filled && !s->skipping && !s->broken)
    report_stream(s, "truncated", "the input ends within this record");
  if (s->buf) advance(s, s->filled - s->parsed);
  if (s->message_end && s->midway) {
    s->broken = !renew_parser(s);
    s->midway = s->broken;
  }
  s->message_end = false;
  s->skipping = false;
}

/* Parses all that can be; false: rows found no room. */
static bool parse(hw_stream *s) {
  for (bool again = true; again && s->parsed < s->filled;) {
    again = false;
    if (s->broken) {
      advance(s, s->filled - s->parsed);
    } else if (s->skipping) {
      again = skip_record(s);
    } else {
      if (can_go_on(s) && !parse_some(s, &again)) return false;
      again = again || s->broken || (!ends_here(s) && check_length(s));
    }
  }
  if (ends_here(s)) finish_rest(s);
  return true;
}

/* ---- pieces that others parse, see ahead.h ------------------------------- */

static bool may_part(const hw_stream *s) {
  const hw_format *format = s->in->c.spec->format;
  if (!format->part || s->filled - s->parsed < AHEAD_LEAST_BYTES) return false;
  /* Streams take turns, and one with pieces would be before the others for ever; and who
   * may block in every fetch would wait for each piece. */
  if (s->in->streams->next || s->in->c.spec->input->capabilities & HW_CAP_BLOCKING) return false;
  if (s->in->ahead) return s->in->ahead == s && !ends_here(s);
  return !(s->atomic || ends_here(s) || s->skipping || s->broken || s->listed || s->in->unparsed) &&
         sched_workers(s->in->c.rt->sched) > 1 && s->in->source.queue.max_records >= BATCH_ROWS_MAX;
}

static uint32_t rows_of_a_batch(const input *in) {
  int64_t most = in->c.spec->max_batch_size;
  return most > 0 && most < in->rows_wanted ? (uint32_t)most : in->rows_wanted;
}

/* Makes a piece of what is in the buffer, but for a cut record, which goes to a new
 * one: nobody writes to a block that a parser reads. */
static void part(hw_stream *s) {
  if (!may_part(s) || (!s->ahead && !(s->ahead = ahead_new(s->in))) || !ahead_wants(s->ahead)) return;
  const char *data = s->buf->data + s->parsed;
  size_t len = s->in->c.spec->format->part(s->parser, data, s->filled - s->parsed);
  if (!len) return;
  block *b = block_ref(s->buf);
  s->parsed += len;
  if (!buffer_renew(s, s->filled - s->parsed + 1, false)) {
    s->parsed -= len;
    block_unref(b);
    return;
  }
  input_flush(s->in); /* rows that came before */
  s->waiting = false;
  s->midway = true;
  s->in->ahead = s;
  ahead_add(s->ahead, s->parser, b, data, len, rows_of_a_batch(s->in));
}

/* Bytes as they would be had they never been parted. False: not yet, or no memory. */
static bool put_together(hw_stream *s) {
  if (!ahead_all_done(s->ahead)) {
    s->in->awaits = true;
    return false;
  }
  size_t before = ahead_bytes(s->ahead), tail = s->filled - s->parsed;
  block *b = mem_get_essential(&s->in->c.rt->mem, before + tail + HW_PARSE_PADDING);
  if (!b) {
    s->in->starved = true;
    return false;
  }
  ahead_take_back(s->ahead, b->data);
  if (tail) memcpy(b->data + before, s->buf->data + s->parsed, tail);
  block_unref(s->buf);
  s->buf = b;
  s->parsed = 0;
  s->filled = before + tail;
  return true;
}

static void take_in(hw_stream *s, batch *b) {
  input *in = s->in;
  uint64_t bytes = b->source_bytes;
  b->source_bytes = 0;
  in->open = b;
  parse_report pr = {.report = {report_bad}, .stream = s, .batch = b};
  count_rows(&pr);
  s->offset += bytes;
  input_account(in, bytes);
  input_flush(in);
}

/* Takes in what is parsed of the pieces, in order. False: it waits for room, or for
 * memory, or for workers to be done with what has to be put together again. */
static bool collect(hw_stream *s) {
  input *in = s->in;
  if (in->ahead != s) return true;
  for (piece *p; (p = ahead_first(s->ahead)) && atomic_load(&p->done);) {
    bool exact = p->exact;
    while (exact && p->first && !queue_is_full(&in->source.queue)) {
      exact = p->first->pub.n_rows <= input_rows_allowed(in); /* or it is cut there */
      if (exact) take_in(s, piece_take(p));
    }
    if (!exact) {
      if (!put_together(s)) return false; /* after which there is no piece */
    } else if (p->first) {
      return false;
    } else {
      ahead_drop_first(s->ahead);
    }
  }
  if (!s->ahead->n) in->ahead = NULL;
  return true;
}

static void set_position(hw_stream *s) {
  char text[CONNECTOR_POSITION_MAX];
  snprintf(text, sizeof text, "%s@%llu", s->name, (unsigned long long)s->offset);
  hw_input_set_position(&s->in->c, text);
}

/* An idle stream keeps no buffer. */
static void drop_empty_buffer(hw_stream *s) {
  if (!s->buf || s->parsed < s->filled) return;
  if (buffer_room(s) >= READ_LEAST && !block_is_mine(s->buf)) return; /* go on filling it */
  block_unref(s->buf);
  s->buf = NULL;
  s->parsed = s->filled = 0;
}

/* Behind the pieces that are ahead: those of another stream, or its own when reading on
 * makes none: it ends, there is no place to cut in as much as a piece has, or no room for one. */
static bool must_wait(const hw_stream *s) {
  return s->in->ahead != s || ends_here(s) || s->filled - s->parsed >= AHEAD_LEAST_BYTES || ahead_is_full(s->ahead);
}

static bool parse_what_is_due(hw_stream *s) {
  if (!collect(s)) return false;
  if (!s->in->ahead) return parse(s);
  if (!must_wait(s)) return true;
  s->in->awaits = true;
  return false;
}

static bool parse_and_settle(hw_stream *s) {
  bool done = parse_what_is_due(s);
  set_position(s);
  if (done) drop_empty_buffer(s);
  return done;
}

hw_status hw_stream_commit(hw_stream *s, size_t n, unsigned flags) {
  TASK_ASSERT(&s->in->c.task);
  s->filled += n;
  if (flags & HW_MESSAGE_END) s->message_end = true;
  part(s);
  if (!parse_and_settle(s)) {
    list_unparsed(s);
    return HW_EAGAIN;
  }
  if (s->broken) return HW_EPARSE;
  return queue_is_full(&s->in->source.queue) ? HW_EAGAIN : HW_OK;
}

/* Everything it held is parsed, and queued. */
static void finish(hw_stream *s) {
  stream_watch *watch = s->watch;
  if (watch) input_flush(s->in); /* so that it can say that all is queued */
  if (watch) watch->closed(watch, s->rows);
  stream_free(s);
}

static bool parse_closing(hw_stream *s) { return parse_and_settle(s) && (!s->atomic || settle_unit(s)); }

bool input_is_parsed_ahead(const input *in) { return in->ahead && !ahead_all_done(in->ahead->ahead); }

bool input_parse_rest(input *in) {
  hw_stream *first = in->ahead;
  if (first && !(first->listed ? collect(first) : parse_and_settle(first))) {
    list_unparsed(first);
    return false;
  }
  while (in->unparsed) {
    hw_stream *s = in->unparsed;
    if (!(s->closing ? parse_closing(s) : parse_and_settle(s))) return false;
    in->unparsed = s->next_unparsed;
    s->listed = false;
    if (s->closing) finish(s);
  }
  return true;
}

/* ---- life ---------------------------------------------------------------- */

hw_stream *hw_stream_open(hw_connector *c, const char *name, uint64_t offset) {
  input *in = (input *)c;
  hw_error err = {0};
  hw_stream *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  if (!(s->name = strdup(name))) goto no_name;
  secret_redact(&c->secrets, s->name);
  if (c->spec->format->parser->create(c->format_config, c->schema, &s->parser, &err) != HW_OK) goto no_parser;
  s->in = in;
  s->offset = offset;
  s->prev = &in->streams;
  s->next = in->streams;
  if (s->next) s->next->prev = &s->next;
  in->streams = s;
  return s;

no_parser:
  hw_connector_log(c, HW_LOG_ERROR, "cannot parse %s: %s", name, err.message);
  free(s->name);
no_name:
  free(s);
  return NULL;
}

void hw_stream_close(hw_stream *s, bool complete) {
  TASK_ASSERT(&s->in->c.task);
  s->closing = true;
  s->cut = !complete;
  if (s->listed) return; /* parsed, and freed, when there is room */
  if (parse_closing(s))
    finish(s);
  else
    list_unparsed(s);
}

void stream_watch_set(hw_stream *s, stream_watch *watch) { s->watch = watch; }
void stream_make_atomic(hw_stream *s) { s->atomic = true; }
void stream_spoil(hw_stream *s) { s->spoilt = true; }
uint64_t stream_rows(const hw_stream *s) { return s->atomic ? 0 : s->rows; }

void stream_free(hw_stream *s) {
  if (s->open) hw_batch_unref(&s->open->pub);
  queue_drop(s->unit);
  ahead_free(s->ahead);
  if (s->in->ahead == s) s->in->ahead = NULL;
  *s->prev = s->next;
  if (s->next) s->next->prev = s->prev;
  s->in->c.spec->format->parser->destroy(s->parser);
  block_unref(s->buf);
  free(s->name);
  free(s);
}
