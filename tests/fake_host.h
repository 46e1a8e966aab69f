/* fake_host.h - the runtime's side of <headworks/connector.h>, for unit tests of
 * transports: records what an instance does, plays the poller, the parser and the
 * queue, refuses room where a test says so, and stops the clock.
 *
 * It checks the contract on the way and fails the running Check test when an
 * instance breaks it: waits for nothing, keeps a batch, fills more than its room,
 * goes on after it was told that there is none. One thread, one instance a host. */
#ifndef TESTS_FAKE_HOST_H
#define TESTS_FAKE_HOST_H

#include "runtime/file_root.h"

#include <headworks/connector.h>

#include <stdatomic.h>

typedef struct fake_stream {
  struct fake_host *host;
  char *name;
  uint64_t offset;
  char *data;       /* all that was committed */
  size_t len, capacity;
  size_t *ends;     /* where messages ended */
  size_t n_ends;
  size_t room;      /* handed out and not committed */
  bool closed, complete;
} fake_stream;

#define FAKE_FDS 16

typedef struct fake_host {
  /* what a test may set */
  size_t room_most;          /* bytes a stream gives at a time; 0: 1 MiB */
  unsigned refuse_every;     /* every n-th request for room or a batch gets none; 0: never */
  unsigned full_every;       /* every n-th commit says HW_EAGAIN; 0: never */
  bool parse_error;          /* every commit says HW_EPARSE */
  size_t max_bytes;          /* of a fetch; 0: 256 KiB */
  uint32_t max_rows;         /* of a fetch; 0: 4096 */
  uint32_t capacity;         /* rows of a batch; 0: 1024 */
  bool timers_held;          /* timers do not fire: something else must come */
  bool never_block;          /* answers to HW_FETCH_BLOCK are a failure */
  file_root *files;          /* what files are confined to; the test's */
  /* what the instance did */
  fake_stream **streams;     /* in the order of opening */
  size_t n_streams;
  char *log;                 /* lines "LEVEL text\n" */
  unsigned n_errors;         /* lines of level warning or error */
  char position[256];
  uint64_t progress_done, progress_total, drops;
  hw_batch **batches;        /* those that came with rows */
  size_t n_batches;
  uint64_t rows, bytes;
  unsigned blocks;           /* HW_FETCH_BLOCK and HW_WRITE_BLOCK answers */
  unsigned tries;            /* HW_FETCH_TRYING answers, which pass for HW_FETCH_WAIT */
  char error[HW_ERROR_MAX];  /* the last one that a call returned */
  /* its own */
  struct hw_connector *c;
  const hw_input_transport *input;
  const hw_output_transport *output;
  hw_config *config;
  void *instance;
  hw_schema schema;
  struct { int fd; unsigned events; } armed[FAKE_FDS];
  unsigned n_armed;
  bool timer;
  uint64_t timer_ns;
  int wake_fd;
  unsigned asked, committed;
  bool must_yield;           /* room was refused, or a commit was full */
  hw_batch *lent;
  bool held;                 /* in fake_attend */
} fake_host;

/* fields: "id INT, name VARCHAR(10) NULL, price DECIMAL(10,2)": NOT NULL unless it says NULL. */
void fake_host_init(fake_host *h, const char *fields);
void fake_host_fini(fake_host *h); /* destroys the instance */

/* Checks config (JSON text) and creates an instance. On failure the message is in
 * h->error: all faults of the table, or what create said. */
hw_status fake_input(fake_host *h, const hw_input_transport *transport, const char *config);
hw_status fake_output(fake_host *h, const hw_output_transport *transport, const char *config);
hw_status fake_open(fake_host *h);
/* Both, which must work. */
void fake_start_input(fake_host *h, const hw_input_transport *transport, const char *config);
void fake_start_output(fake_host *h, const hw_output_transport *transport, const char *config);

/* One call; HW_FETCH_BLOCK is answered at once, HW_FETCH_RETRY is returned. */
hw_fetch fake_fetch(fake_host *h);
/* Fetches until the answer is none of MORE and BLOCK. */
hw_fetch fake_drain(fake_host *h);
/* Fetches, and waits for what is armed, until done(h) is true: fails after 5 s. */
typedef bool fake_done(fake_host *h);
void fake_run_until(fake_host *h, fake_done *done);
/* The same until the end of input, or what ends it. */
hw_fetch fake_run(fake_host *h);
/* Waits for what is armed; false: nothing came within so many ms. The timer
 * counts by the fake clock, which is moved to it when nothing else came. */
bool fake_wait(fake_host *h, int timeout_ms);
void fake_resume(fake_host *h);
/* What the runtime calls while the connector is held; opening streams or making rows in it fails. */
void fake_attend(fake_host *h);

/* Writes all of it, waiting where the instance says so; another answer ends it.
 * RETRY is returned, *written says how much was taken. */
hw_write fake_write(fake_host *h, const char *data, size_t len, size_t *written);
/* One call. */
hw_write fake_write_once(fake_host *h, const char *data, size_t len, size_t *written);

/* Nanoseconds that connectors_now_ns answers; it stands still. */
extern _Atomic uint64_t fake_now_ns;

/* The stream of that name, or NULL; all bytes of all streams, in order, as a string. */
fake_stream *fake_stream_named(const fake_host *h, const char *name);
char *fake_all_bytes(const fake_host *h);
/* Row i of all rows, and the batch it is in. */
const hw_batch *fake_row(const fake_host *h, uint64_t i, uint32_t *row);
/* Whether the log has the text. */
bool fake_logged(const fake_host *h, const char *text);

/* A directory of the test's own, made with the first call, removed at exit; a
 * path in it (static memory, good for the next seven calls). */
const char *fake_path(const char *name);
void fake_write_file(const char *path, const char *text);
void fake_append_file(const char *path, const char *text);
char *fake_read_file(const char *path); /* as a string; NULL: there is none */

#endif
