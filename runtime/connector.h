/* connector.h - what inputs and outputs have in common (the inside of
 * headworks/connector.h): the instance, its task, its errors and its health. */
#ifndef RUNTIME_CONNECTOR_H
#define RUNTIME_CONNECTOR_H

#include "runtime/control.h"
#include "runtime/dead_letters.h"
#include "runtime/deployment.h"
#include "runtime/gate.h"

#include <headworks/connector.h>

#define CONNECTOR_ERRORS_KEPT 100u
#define CONNECTOR_ERROR_BYTES 8192u
#define CONNECTOR_POSITION_MAX 512u
#define CONNECTOR_RETRY_FIRST_US UINT64_C(100000)
#define CONNECTOR_RETRY_MOST_US UINT64_C(30000000)

/* The last errors of one kind; protected by the connector's lock. */
typedef struct error_ring {
  uint64_t total;
  connector_error *items; /* CONNECTOR_ERRORS_KEPT of them, made with the first error */
} error_ring;

typedef enum error_kind { ERROR_TRANSPORT, ERROR_PARSE, ERROR_ENCODE, ERROR_KINDS } error_kind;

struct hw_connector {
  task task;
  deployment *d;
  runtime *rt;
  const program_connector *spec;
  const hw_schema *schema;
  /* The program's, or copies with the secrets in place; format_config may be NULL. */
  const hw_config *transport_config, *format_config;
  hw_config *resolved[2]; /* of these, its own */
  secret_list secrets;    /* that it knows; fixed before anything runs */
  uint32_t index;        /* in the program */
  void *instance;        /* NULL: not created */
  dead_letters *letters;  /* where an input's bad records go; NULL: nowhere. The deployment's */
  const _Atomic uint64_t *counted; /* records that a pause promises to stand still */
  void (*release)(hw_connector *c, uint32_t reasons); /* lifts reasons; lets it run if that opened the gate */
  void (*held)(hw_connector *c); /* told that a pause is true; under the control's lock; NULL: need not know */
  uint32_t retries;      /* in a row; the task's own */
  uint64_t retry_at_us;  /* 0: no retry is due; the task's own */
  uint64_t wait_at_us;   /* when the instance last asked to be called again; the task's own */
  _Atomic bool opened;   /* open succeeded, or there is none */
  _Atomic uint64_t counts[ERROR_KINDS];
  _Atomic uint64_t recovered; /* transport errors that were tries, after which it went on */
  alignas(64) gate gate;
  control control;
  pthread_mutex_t lock;  /* protects all below */
  error_ring errors[ERROR_KINDS];
  char *fatal;           /* why it can never go on */
  char *trouble;         /* why it is not healthy at the moment */
  char position[CONNECTOR_POSITION_MAX];

  pthread_mutex_t blocking_lock; /* held around interrupt, which may log: not the one above */
  bool blocking;         /* a call into the instance that may block is in progress; protected by it */
};

/* Its gate is open; the caller sets `counted` and `release`. HW_OK or HW_ENOMEM. */
hw_status connector_init(hw_connector *c, deployment *d, runtime *rt, uint32_t index, task_run *run, bool blocking);
void connector_fini(hw_connector *c);
/* Looks up what the settings refer to: before the instance is created. May block.
 * connector_fini in every case. */
hw_status connector_resolve(hw_connector *c, hw_error *err);
/* What an instance says may hold a secret that it knows: hides it. */
void connector_redact(const hw_connector *c, hw_error *err);

/* Whether the transport takes its settings for this schema: makes an instance
 * and drops it. Opens nothing. */
hw_status connector_try(const program_connector *spec, const hw_schema *schema, hw_error *err);

int64_t connector_wall_us(void); /* since 1970 */

/* Counts, keeps and logs. [any thread] */
void connector_add_error(hw_connector *c, error_kind kind, const char *tag, const char *fmt, ...) HW_PRINTF(4, 5);
/* Standing state; NULL clears. */
void connector_set_trouble(hw_connector *c, const char *why);
void connector_set_fatal(hw_connector *c, const char *why);
bool connector_failed(hw_connector *c);

/* The next delay after a failed try, doubling up to a bound, with jitter. */
uint64_t connector_next_delay(hw_connector *c);
/* A try worked: those that failed before it have cost nothing but time. The task's own. */
void connector_recovered(hw_connector *c);

/* Around a call that may block, so that interrupt meets only such a call. */
void connector_enter_blocking(hw_connector *c);
void connector_leave_blocking(hw_connector *c);
void connector_interrupt(hw_connector *c);

/* Fills in what both kinds share; HW_OK or HW_ENOMEM. */
hw_status connector_fill_stats(hw_connector *c, bool with_errors, connector_stats *out);

#endif
