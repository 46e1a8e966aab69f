/* format.h - formats: bytes to rows (parser) and rows to bytes (encoder).
 *
 * A format is described by one struct hw_format in a plugin's descriptor, see
 * plugin.h. An instance belongs to one byte stream (a file, a client, a sink)
 * and is called by one thread at a time, though not always the same one. No
 * call may block. */
#ifndef HEADWORKS_FORMAT_H
#define HEADWORKS_FORMAT_H

#include <headworks/options.h>
#include <headworks/status.h>
#include <headworks/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Readable bytes after the end of what a parser is given: vector code may load
 * up to this much past `data + len` (and must ignore what it finds there). */
#define HW_PARSE_PADDING 64

/* ---- parsers ------------------------------------------------------------- */

/* Collects what was wrong with records; owned by the runtime. */
typedef struct hw_report hw_report;

typedef struct hw_bad_record {
  const char *start;  /* first byte of the record, inside the data given to parse */
  size_t len;         /* of the record, as far as it is known */
  uint32_t index;     /* which row of that record, for records that hold several; else 0 */
  const char *field;  /* column it failed on, or NULL */
  const char *tag;    /* short constant word for the kind of fault, or NULL */
  const char *reason; /* a sentence: what was found and what would be right */
} hw_bad_record;

/* Counts the record as bad and keeps position, reason and first bytes (copied,
 * with field and tag). The record must have left no row in the batch (or none
 * that counts in n_rows). */
HW_API void hw_report_bad(hw_report *report, const hw_bad_record *bad);

typedef struct hw_parser_ops {
  /* Makes an instance for one stream into rows of schema (borrowed, outlives
   * it). config has been checked against the format's option table; what the
   * table cannot say is checked here. On failure *err says what and how, and
   * begins with "option: " where it is about one: hw_error_add for several. Also
   * called, and destroyed at once, to validate a program. */
  hw_status (*create)(const hw_config *config, const hw_schema *schema, void **parser, hw_error *err);

  /* Turns whole records at the start of data into rows appended to batch, and
   * sets *consumed to the bytes of data that are done with (rows, bad records,
   * white space). It stops when the batch is full (n_rows == capacity), when
   * what is left is not a whole record, or at the end.
   *
   * `final`: nothing follows data in this stream or message; a record that
   * merely lacks its terminator is taken, a cut one is a bad record, and all of
   * data must be consumed unless the batch is full. The parser is then as new.
   *
   * Column strings may point into data: the batch keeps those bytes alive and
   * unchanged. data ends in HW_PARSE_PADDING readable bytes. A record comes
   * again from its start when it was not whole, at another address: what is kept
   * of it, if anything, is for can_go_on (below).
   *
   * Returns HW_OK, or HW_EPARSE when the stream cannot be followed any further
   * (no way to find the next record): the rest of the stream, or of the message
   * for framed sources, is dropped after the error that was reported; or
   * HW_ENOMEM, with *consumed at the last whole record, to be called again
   * when memory is there. */
  hw_status (*parse)(void *parser, const char *data, size_t len, bool final, hw_batch *batch, hw_report *report,
                     size_t *consumed);

  /* Bytes of data up to and including the next place where a record can start,
   * when the record at hand is given up for its length; 0: not in this data.
   * NULL: the format cannot tell, the stream is given up. */
  size_t (*skip)(void *parser, const char *data, size_t len);

  void (*destroy)(void *parser);
} hw_parser_ops;

/* ---- encoders ------------------------------------------------------------ */

/* A growing run of bytes; grown by hw_bytes_reserve, after which `capacity -
 * len` is at least as asked (false: no memory, nothing has changed). Write at
 * data + len and count len up. The runtime owns data. */
typedef struct hw_bytes {
  char *data;
  size_t len;
  size_t capacity;
} hw_bytes;

HW_API HW_MUST_USE bool hw_bytes_grow(hw_bytes *bytes, size_t room);
static inline HW_MUST_USE bool hw_bytes_reserve(hw_bytes *bytes, size_t room) {
  return bytes->capacity - bytes->len >= room || hw_bytes_grow(bytes, room);
}

typedef struct hw_encoder_ops {
  /* As for parsers. */
  hw_status (*create)(const hw_config *config, const hw_schema *schema, void **encoder, hw_error *err);

  /* Appends rows first .. of batch (counted as hw_batch_count does; the
   * physical row is hw_batch_row) to out until it has taken all, or at least
   * `soft_limit` bytes are in out; sets *taken to the rows done. A row of
   * weight w stands |w| times, as insert or delete. A row that this format
   * cannot express is reported, counts as taken and leaves no bytes. Rows are
   * never cut. HW_ENOMEM: *taken rows are in out, whole. */
  hw_status (*encode)(void *encoder, const hw_batch *batch, uint32_t first, size_t soft_limit, hw_bytes *out,
                      hw_report *report, uint32_t *taken);

  /* Appends what opens or closes the document, for formats that have such (a
   * CSV header, the brackets of an array); either may be NULL. `begin` is also
   * called when an output starts anew (a file reopened). HW_ENOMEM: nothing was
   * appended. */
  hw_status (*begin)(void *encoder, hw_bytes *out);
  hw_status (*end)(void *encoder, hw_bytes *out);

  void (*destroy)(void *encoder);
} hw_encoder_ops;

typedef struct hw_format {
  uint32_t struct_size; /* sizeof(hw_format) as compiled */
  const char *name;     /* as written in a connector's "format": {"name": …} */
  const char *summary;  /* one line for people */
  const hw_option *parser_options;  /* ends with a {0} entry; NULL only when there is no parser */
  const hw_option *encoder_options;
  const hw_parser_ops *parser;      /* NULL: cannot be used on input */
  const hw_encoder_ops *encoder;    /* NULL: cannot be used on output */
  /* Of a parser whose last parse, not final, left a record at the start of data
   * that was not whole: whether parsing may come to more now that there are len
   * bytes. False spares the call, so it must be certain. It is asked again, about
   * more bytes, until the next parse or skip, and may keep in the parser how far
   * it looked: a long record that comes in small pieces should be looked at once,
   * not once a piece. NULL, or beyond struct_size: parse is called with each piece. */
  bool (*can_go_on)(void *parser, const char *data, size_t len);
  /* Where a long run of bytes may be parted, so that two instances parse at once:
   * data begins where a record of parser begins; the answer is how much of it to
   * give to an instance that is new, up to where a record probably ends, while
   * another one goes on behind it. 0: nowhere, now. Where a record ends may be
   * guessed: an instance that has not consumed all it was given tells of a bad
   * guess, and the runtime lets parser itself read it all. What is promised is that
   * between two records parser, in the state it is in, and a new instance that follows
   * it read on alike, and that a batch that is full ends between two records, too.
   * NULL, or beyond struct_size: never. */
  size_t (*part)(void *parser, const char *data, size_t len);
  /* After part, before parser gets what was parted: has it read on as `from` does, with
   * what from has learned of the stream (a header). parser is new, or has read an earlier
   * part; from is between two records, and nothing of it may be kept: it goes on at once.
   * HW_OK, or HW_ENOMEM, after which parser is destroyed. NULL, or beyond struct_size:
   * instances learn nothing that another one would need. */
  hw_status (*follow)(void *parser, const void *from);
} hw_format;

#ifdef __cplusplus
}
#endif
#endif
