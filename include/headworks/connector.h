/* connector.h - transports: where bytes or rows come from and go to.
 *
 * A transport is described by a struct hw_input_transport or
 * hw_output_transport in a plugin's descriptor, see plugin.h. Every built-in
 * one uses this file and nothing else of Headworks.
 *
 * THREADS  Calls into an instance never overlap; they come from the threads of
 *          a pool, so an instance must not keep thread-local state. Functions
 *          below marked [any thread] may be called from threads of your own,
 *          all others only from inside a call into the instance.
 * PAUSING  The runtime pauses a connector by not calling `fetch`. An instance
 *          never needs to know; `resume` tells those that measure time, and
 *          `attend` lets it look after a source that does not stand still.
 * BLOCKING No call may block for longer than a fraction of a millisecond,
 *          unless it says below that it may. */
#ifndef HEADWORKS_CONNECTOR_H
#define HEADWORKS_CONNECTOR_H

#include <headworks/options.h>
#include <headworks/status.h>
#include <headworks/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The runtime's side of one connector, input or output. */
typedef struct hw_connector hw_connector;

/* The table it feeds or the view it reads, and its name "table.connector". Both
 * live as long as the connector. */
HW_API const hw_schema *hw_connector_schema(const hw_connector *c);
HW_API const char *hw_connector_endpoint(const hw_connector *c);

/* ---- waiting: before returning WAIT or TRYING, arm at least one of these --- */

#define HW_READABLE 1u
#define HW_WRITABLE 2u

/* Be called again once fd is ready, or in error or hung up (one shot). It must
 * stay open until then or until hw_connector_forget_fd. Several fds may be armed;
 * arming one again replaces what it was armed for. HW_EINVAL: not an fd that can
 * be waited for (closed, a regular file); HW_ENOMEM. */
HW_API HW_MUST_USE hw_status hw_connector_wait_fd(hw_connector *c, int fd, unsigned events);
HW_API void hw_connector_forget_fd(hw_connector *c, int fd); /* before closing an fd that may be armed */
/* Be called again after this many microseconds (one shot, replaces the last). */
HW_API void hw_connector_wait_us(hw_connector *c, uint64_t us);
/* Be called again now. [any thread] from create until destroy. */
HW_API void hw_connector_wake(hw_connector *c);

typedef enum hw_log_level { HW_LOG_ERROR = 0, HW_LOG_WARNING = 1, HW_LOG_INFO = 2, HW_LOG_DEBUG = 3 } hw_log_level;

/* Logs with the connector's name before it. Levels up to HW_LOG_WARNING also
 * count as a transport error and are kept in the connector's error list.
 * [any thread] */
HW_API void hw_connector_log(hw_connector *c, hw_log_level level, const char *fmt, ...) HW_PRINTF(3, 4);

/* Opens a file as open(2) does, with O_CLOEXEC: the way in which every transport
 * opens what its settings name. Where the operator confines files to a directory
 * (--file-root), path is relative to it, or absolute and within it; what leads out
 * of it, by its name or a link, is refused with EXDEV. -1: errno. May block where
 * open does. [any thread] */
HW_API int hw_connector_open_file(hw_connector *c, const char *path, int flags, unsigned mode);
/* Whether files are confined so: for what cannot be opened as a file, such as the
 * address of a socket, and has to be reached through the descriptor of one. [any
 * thread] */
HW_API bool hw_connector_is_confined(const hw_connector *c);

/* ---- inputs -------------------------------------------------------------- */

typedef enum hw_fetch {
  HW_FETCH_MORE = 0,  /* call again as soon as it is this connector's turn */
  HW_FETCH_WAIT = 1,  /* nothing now; something is armed, or hw_connector_wake will come */
  HW_FETCH_END = 2,   /* end of input; fetch is not called again */
  HW_FETCH_BLOCK = 3, /* going on may block (a slow disk, name resolution): call again with may_block */
  HW_FETCH_RETRY = 4, /* source lost: *err says why; call again after a growing delay. What it returns next,
                         BLOCK and TRYING apart, says that the source is back, and that nothing is missing: what
                         may be is logged besides, as a warning */
  HW_FETCH_FATAL = 5, /* cannot go on: *err says why; fetch is not called again */
  HW_FETCH_TRYING = 6, /* as WAIT, while the source is not there yet (a connection being made): a fault that
                          RETRY told stands, and its delay goes on growing */
} hw_fetch;

typedef struct hw_fetch_args {
  uint32_t struct_size;
  bool may_block;     /* on a helper thread: blocking, until `interrupt`, is fine */
  size_t max_bytes;   /* stop after about this much, so that others get their turn */
  uint32_t max_rows;  /* likewise, for transports that make rows */
} hw_fetch_args;

/* A stream of bytes for the connector's format to parse, or of whole messages.
 * Each has its own parser; a transport opens one per file, per client … */
typedef struct hw_stream hw_stream;

/* name is for people and positions ("access.log", "127.0.0.1:5123"; copied),
 * offset is that of the first byte to come. NULL: no memory, or the format
 * refused (it is logged). From open or fetch; not with HW_CAP_ROWS. */
HW_API hw_stream *hw_stream_open(hw_connector *c, const char *name, uint64_t offset);

/* Room to put bytes: at least 1, at most *room, `want` if it can. NULL: none now
 * (memory budget, queue bounds): return HW_FETCH_MORE, the runtime holds the
 * connector until there is. Good until the next call for this stream, or
 * until fetch returns; need not be used. */
HW_API void *hw_stream_reserve(hw_stream *s, size_t want, size_t *room);

#define HW_MESSAGE_END 1u /* a message (datagram, frame) ends here, and with it any open record */

/* n bytes were put there (0 is fine); parses them and sends rows on. HW_OK, or
 * HW_EAGAIN: taken, but bounds are reached: return HW_FETCH_MORE now, and the
 * rest is parsed before fetch is called again; or HW_EPARSE: what the stream
 * holds cannot be followed, close it. Within a message HW_EPARSE means no more
 * than the rest of that message, which is dropped: go on to its end. */
HW_API HW_MUST_USE hw_status hw_stream_commit(hw_stream *s, size_t n, unsigned flags);

/* No more bytes will come. `complete`: what is left is the last record;
 * otherwise an unfinished record is reported as bad, as cut off. The stream is
 * the runtime's afterwards. Streams that are open at `destroy` are dropped, with
 * what they hold of an unfinished record. */
HW_API void hw_stream_close(hw_stream *s, bool complete);

/* For transports that make rows themselves: a batch to fill, with room for at
 * least 1 row (capacity says), or NULL: none now, return HW_FETCH_MORE. It must
 * be handed back in the same fetch, before the next is asked for, with rows or
 * without: hw_input_commit takes it; `bytes` is what its rows count as in the
 * statistics. */
HW_API hw_batch *hw_input_batch(hw_connector *c);
HW_API void hw_input_commit(hw_connector *c, hw_batch *batch, uint64_t bytes);

/* Where the source stands after what was committed so far, in its own words,
 * where that is not "stream@offset". Copied; cut to 511 bytes. */
HW_API void hw_input_set_position(hw_connector *c, const char *position);
/* How far along, for progress displays: bytes read of bytes there are (0: unknown). */
HW_API void hw_input_progress(hw_connector *c, uint64_t done, uint64_t total);
/* Rows that the source itself says were lost (a datagram socket's drops). */
HW_API void hw_input_count_drops(hw_connector *c, uint64_t n);

typedef struct hw_input_ops {
  /* Checks config beyond its table (*err as of hw_parser_ops.create) and makes an
   * instance; touches nothing outside the process. Also called, and destroyed at once, to validate a
   * program: then c is good for its schema only. */
  hw_status (*create)(hw_connector *c, const hw_config *config, void **instance, hw_error *err);
  /* Opens the source. May block. On failure the pipeline's start fails. NULL: nothing to open. */
  hw_status (*open)(void *instance, hw_error *err);
  /* Brings in some data. Only called while pipeline and connector are Running. */
  hw_fetch (*fetch)(void *instance, const hw_fetch_args *args, hw_error *err);
  /* A hold (pause, start_after) is over; before the next fetch. May be NULL. */
  void (*resume)(void *instance);
  /* Makes a blocking open or fetch return soon; from another thread while that
   * call runs (the one exception to "never overlap"), again every few
   * milliseconds until it has: one may come before the call blocks. An
   * interrupted open fails, an interrupted fetch returns HW_FETCH_BLOCK or what
   * it has come to. It must not block, nor call a function of this file. NULL:
   * never blocks long. */
  void (*interrupt)(void *instance);
  /* Closes the source and frees the instance, open or not. */
  void (*destroy)(void *instance);
} hw_input_ops;

/* Capabilities of a transport. */
#define HW_CAP_ROWS 1u     /* input: makes rows itself, a format is refused.
                              output: can take rows, a format is optional */
#define HW_CAP_BLOCKING 2u /* every fetch or write may block: always on a helper thread */
#define HW_CAP_REPLAY 4u   /* the same position gives the same rows again */
#define HW_CAP_FORMAT 8u   /* input with HW_CAP_ROWS: a format may be given all the same; nothing is asked of it */

typedef struct hw_input_transport {
  uint32_t struct_size;     /* sizeof(hw_input_transport) as compiled */
  const char *name;         /* as written in a connector's "transport": {"name": …}; unique among inputs */
  const char *summary;      /* one line for people */
  unsigned capabilities;    /* HW_CAP_* */
  const hw_option *options; /* ends with a {0} entry; never NULL */
  const hw_input_ops *ops;
  /* Looks after the source while a hold (a pause, a full queue) keeps fetch away,
   * and brings nothing in: no stream, no batch. Called once open has succeeded,
   * when what is armed comes or hw_connector_wake. HW_FETCH_WAIT, or HW_FETCH_BLOCK:
   * call again with may_block. NULL, or beyond struct_size: nothing is to be done. */
  hw_fetch (*attend)(void *instance, bool may_block);
} hw_input_transport;

/* ---- outputs ------------------------------------------------------------- */

typedef enum hw_write {
  HW_WRITE_OK = 0,    /* *written bytes are taken; fewer than given: call again */
  HW_WRITE_WAIT = 1,  /* sink is not ready; something is armed */
  HW_WRITE_BLOCK = 2, /* going on may block: call again with may_block */
  HW_WRITE_RETRY = 3, /* sink is not to be had (disk full, peer gone): *err says why; again after a delay. What
                         may be lost by it is logged besides, as a warning */
  HW_WRITE_FATAL = 4, /* cannot go on: *err says why */
} hw_write;

typedef struct hw_write_args {
  uint32_t struct_size;
  bool may_block;
} hw_write_args;

typedef struct hw_output_ops {
  /* As for inputs. */
  hw_status (*create)(hw_connector *c, const hw_config *config, void **instance, hw_error *err);
  hw_status (*open)(void *instance, hw_error *err); /* may block; NULL: nothing to open */
  /* Takes the first *written of len bytes, which are whole rows at their end
   * and continue where the last call stopped; data is good for the call only.
   * A RETRY or WAIT may have taken some: *written says (set to 0 before the
   * call). After any result but FATAL what was not taken comes again. */
  hw_write (*write)(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                    hw_error *err);
  /* For HW_CAP_ROWS, when no format is given: takes the whole batch (borrowed;
   * take a reference to keep it). NULL otherwise. */
  hw_write (*take)(void *instance, const hw_write_args *args, const hw_batch *batch, hw_error *err);
  /* All that was written is to be safe now, by the sink's policy; called after
   * a burst of writes, and before a stop; its results mean what they mean for
   * write. May be NULL. */
  hw_write (*flush)(void *instance, const hw_write_args *args, hw_error *err);
  /* Start the destination anew where that means something (log rotation:
   * SIGHUP). *restarted: the next bytes are the first of a new document. It may
   * block with HW_CAP_BLOCKING only. May be NULL. */
  hw_status (*reopen)(void *instance, bool *restarted, hw_error *err);
  void (*interrupt)(void *instance); /* as for inputs */
  void (*destroy)(void *instance);
} hw_output_ops;

typedef struct hw_output_transport { /* as for inputs */
  uint32_t struct_size;
  const char *name;
  const char *summary;
  unsigned capabilities;
  const hw_option *options;
  const hw_output_ops *ops;
} hw_output_transport;

#ifdef __cplusplus
}
#endif
#endif
