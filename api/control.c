/* control.c - control calls whose reply comes when they have come true.
 *
 * DESIGN
 * Problem: a pause is true only when no fetch is in progress. The engine says so
 * by a callback, on any thread, before or after the call returns; meanwhile the
 * API thread serves others, the client may leave, the server may be stopped.
 *
 * Structure: a control is born with the request and freed after its outcome was
 * delivered, on the API thread, or discarded, when the mailbox is closed:
 *
 *     control_new ─▸ engine ─ control_done ─▸ mailbox ─▸ deliver ─▸ reply, free
 *                                                │           └▸ drained? ask the
 *                                                └▸ discard     stats by a timer
 *
 * The callback copies the reply into the control and posts it: from the post on
 * it belongs to the API thread, before it to the engine. Only `req` in between is
 * the API thread's: it is NULL once the client has left.
 *
 * "Drained" has no event in the engine: it is a state seen in the statistics,
 * which cost nobody anything. So it is polled, after 1 ms, then twice as long each
 * time up to 50 ms, and given up after drain_ms. A start in between ends the wait. */
#include "api/control.h"

#include "api/metrics.h"
#include "runtime/sched.h"

#include <stdlib.h>

#define POLL_FIRST_MS 1
#define POLL_LAST_MS 50

struct control {
  mail mail;
  api_call call;         /* API thread; call.req is NULL once the client has left */
  mailbox *box;          /* a reference */
  hw_pipeline *pipeline; /* a reference */
  control_succeed *succeed;
  deployment_status former;
  bool drained; /* wanted */
  bool is_pause;
  uint64_t began_ns;
  /* The outcome; written by whoever calls control_done. */
  hw_status status;
  hw_error error;
  uint64_t epoch, total_records, kept_us;
  char *position;
  uint64_t true_ns;
  /* Waiting to be drained; API thread. */
  struct event *timer; /* NULL: not yet */
  unsigned poll_ms, waited_ms;
};

/* ---- birth and death ------------------------------------------------------ */

static void control_free(control *op) {
  if (op->timer) event_free(op->timer);
  hw_pipeline_unref(op->pipeline);
  mailbox_unref(op->box);
  free(op->position);
  free(op);
}

static control *of_mail(mail *m) { return (control *)m; }

static void discard(mail *m) { control_free(of_mail(m)); }

/* The client has left. While it was being drained nobody else holds the control. */
static void gone(void *arg) {
  control *op = arg;
  op->call.req = NULL;
  if (op->timer) control_free(op);
}

/* ---- replying ------------------------------------------------------------- */

static void reply_success(control *op) {
  const hw_reply reply = {
      .struct_size = sizeof reply,
      .status = HW_OK,
      .epoch = op->epoch,
      .total_records = op->total_records,
      .position = op->position ? op->position : "",
      .kept_us = op->kept_us,
  };
  http_set_kept(op->call.req, op->kept_us);
  op->succeed(&op->call, op, &reply);
  if (op->is_pause && !op->drained)
    latency_add(&op->call.context->counters->pause_replied, sched_now_ns() - op->began_ns);
  control_free(op);
}

static void reply_failure(control *op) {
  http_set_kept(op->call.req, op->kept_us);
  if (op->pipeline)
    call_refuse(&op->call, op->pipeline, &op->error);
  else
    reply_engine_error(op->call.req, &op->error, NULL);
  control_free(op);
}

/* ---- drained -------------------------------------------------------------- */

typedef enum drain_state { DRAIN_GOING_ON, DRAIN_DONE, DRAIN_INTERRUPTED } drain_state;

static hw_status look_at_connector(control *op, drain_state *state) {
  connector_stats stats;
  const char *const *params = op->call.params;
  hw_status status = pipeline_get_connector_stats(op->pipeline, true, params[PARAM_RELATION], params[PARAM_CONNECTOR],
                                                  &stats, &op->error);
  if (status != HW_OK) return status;
  *state = !stats.paused ? DRAIN_INTERRUPTED : stats.quiescent ? DRAIN_DONE : DRAIN_GOING_ON;
  connector_stats_fini(&stats);
  return HW_OK;
}

static hw_status look_at_pipeline(control *op, drain_state *state) {
  pipeline_stats stats;
  hw_status status = pipeline_get_stats(op->pipeline, false, &stats, &op->error);
  if (status != HW_OK) return status;
  *state = stats.running ? DRAIN_INTERRUPTED : DRAIN_DONE;
  for (uint32_t i = 0; i < stats.n_inputs && *state == DRAIN_DONE; i++) {
    if (!stats.inputs[i].quiescent) *state = DRAIN_GOING_ON;
  }
  pipeline_stats_fini(&stats);
  return HW_OK;
}

static void refuse_drain(control *op, const char *code, const char *message) {
  const reply_detail details[] = {{"pipeline_name", hw_pipeline_name(op->pipeline)}, {NULL, NULL}};
  reply_error(op->call.req, 503, code, details, "%s", message);
  control_free(op);
}

static void poll_later(control *op) {
  const struct timeval delay = {.tv_usec = (suseconds_t)op->poll_ms * 1000};
  op->waited_ms += op->poll_ms;
  op->poll_ms = op->poll_ms * 2 < POLL_LAST_MS ? op->poll_ms * 2 : POLL_LAST_MS;
  if (event_add(op->timer, &delay) == 0) return;
  http_reply_no_memory(op->call.req);
  control_free(op);
}

static void look(control *op) {
  drain_state state = DRAIN_GOING_ON;
  hw_status status = op->call.params[PARAM_CONNECTOR] ? look_at_connector(op, &state) : look_at_pipeline(op, &state);
  if (status != HW_OK) {
    reply_failure(op);
  } else if (state == DRAIN_DONE) {
    reply_success(op);
  } else if (state == DRAIN_INTERRUPTED) {
    refuse_drain(op, "DrainInterrupted", "was started again before everything it had taken in reached the outputs");
  } else if (op->waited_ms >= op->call.context->drain_ms) {
    refuse_drain(op, "DrainTimeout", "is paused, but not everything it took in has reached the outputs yet");
  } else {
    poll_later(op);
  }
}

static void on_poll(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  look(arg);
}

static void begin_drain(control *op) {
  op->poll_ms = POLL_FIRST_MS;
  op->timer = event_new(op->call.context->base, -1, 0, on_poll, op);
  if (op->timer) {
    look(op);
  } else {
    http_reply_no_memory(op->call.req);
    control_free(op);
  }
}

/* ---- the outcome ---------------------------------------------------------- */

static void deliver(mail *m) {
  control *op = of_mail(m);
  if (op->is_pause && op->status == HW_OK)
    latency_add(&op->call.context->counters->pause_true, op->true_ns - op->began_ns);
  if (!op->call.req) {
    control_free(op);
  } else if (op->status != HW_OK) {
    reply_failure(op);
  } else if (op->drained) {
    begin_drain(op);
  } else {
    reply_success(op);
  }
}

void control_done(void *arg, const hw_reply *reply) {
  control *op = arg;
  op->status = reply->status;
  op->true_ns = sched_now_ns();
  if (reply->error) op->error = *reply->error;
  op->error.status = reply->status;
  op->epoch = reply->epoch;
  op->total_records = reply->total_records;
  op->kept_us = reply->kept_us;
  if (reply->position && *reply->position) {
    op->position = strdup(reply->position);
    if (!op->position) op->status = hw_error_set(&op->error, HW_ENOMEM, "out of memory");
  }
  /* The post may free the mailbox's last other reference and the control itself. */
  mailbox *box = mailbox_ref(op->box);
  mailbox_post(box, &op->mail);
  mailbox_unref(box);
}

control *control_new(const api_call *call, hw_pipeline *p, bool drained, control_succeed *succeed) {
  control *op = calloc(1, sizeof *op);
  if (!op) {
    hw_pipeline_unref(p);
    http_reply_no_memory(call->req);
    return NULL;
  }
  op->mail = (mail){.deliver = deliver, .discard = discard};
  op->call = *call;
  op->box = mailbox_ref(call->context->box);
  op->pipeline = p;
  op->succeed = succeed;
  op->drained = drained;
  op->began_ns = sched_now_ns();
  http_defer(call->req, gone, op);
  return op;
}

control *control_new_found(const api_call *call, control_succeed *succeed) {
  hw_pipeline *p = call_find_pipeline(call);
  return p ? control_new(call, p, false, succeed) : NULL;
}

void control_begun(control *op, hw_status status, const hw_error *err) {
  if (status == HW_OK) return; /* control_done has been or will be called */
  op->error = *err;
  op->error.status = status;
  reply_failure(op);
}

void control_drop(control *op) { control_free(op); }

hw_pipeline *control_pipeline(const control *op) { return op->pipeline; }
void control_set_pipeline(control *op, hw_pipeline *p) { op->pipeline = p; }

deployment_status control_former(const control *op) { return op->former; }
void control_set_former(control *op, deployment_status status) { op->former = status; }

void control_set_pause(control *op) { op->is_pause = true; }

bool control_read_wait(const api_call *call, bool *drained) {
  const char *wait = http_query(call->req, "wait");
  *drained = wait && strcmp(wait, "drained") == 0;
  if (!wait || *drained) return true;
  call_refuse_query(call, "wait", "drained");
  return false;
}
