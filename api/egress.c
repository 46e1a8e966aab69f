/* egress.c - a relation's changes, as a reply that goes on.
 *
 * DESIGN
 * A tap is born with the request and lives until its client leaves or the
 * pipeline stops. The engine says by mail that there is something to look at; what
 * a look finds is sent while little of the reply waits in the connection, the rest
 * when the client has taken that. So what a slow client makes wait is bounded
 * twice: here by SENT_AHEAD and one chunk, in the engine by its outbox.
 *
 * A timer sends a line without data after QUIET_MS without any, as clients expect,
 * and sooner, once, when there is news of the steps that the client has seen all
 * changes of. The first such line says that the tap has begun: what comes into
 * the pipeline after it is seen. */
#include "api/call.h"
#include "engine/egress.h"

#include <stdatomic.h>
#include <stdlib.h>

#define QUIET_MS 3000
#define NEWS_MS 100
#define SENT_AHEAD (256u << 10)

typedef struct tap {
  mail mail;
  _Atomic unsigned refs;   /* the request's, and one while the mail is under way */
  _Atomic bool posted;
  http_request *req;       /* NULL: over */
  mailbox *box;            /* a reference */
  egress *egress;          /* NULL: not open yet, or closed */
  struct event *timer;
  uint64_t steps;          /* told last */
  bool greeted;            /* the first line is sent */
} tap;

static void tap_unref(tap *t) {
  if (atomic_fetch_sub(&t->refs, 1) != 1) return;
  mailbox_unref(t->box);
  free(t);
}

static tap *of_mail(mail *m) { return (tap *)m; }
static void discard(mail *m) { tap_unref(of_mail(m)); }

/* The request is over, or about to be. */
static void end(tap *t) {
  t->req = NULL;
  event_free(t->timer);
  egress_close(t->egress); /* no event comes from here on */
  t->egress = NULL;
  tap_unref(t);
}

/* ---- sending ------------------------------------------------------------------ */

/* Whoever sends may find that the client has left: the tap is over then, and only
 * a reference of one's own keeps it. */

static void arm(tap *t, unsigned ms) {
  if (!t->req) return;
  const struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
  event_add(t->timer, &wait); /* without memory the line does not come */
}

static void send_idle_line(tap *t, const egress_state *s) {
  char line[120];
  int n = snprintf(line, sizeof line, "{\"sequence_number\":%llu,\"snapshot\":false", (unsigned long long)s->next);
  unsigned long long steps = s->steps;
  if (steps) n += snprintf(line + n, sizeof line - (size_t)n, ",\"processed_steps\":%llu", steps);
  n += snprintf(line + n, sizeof line - (size_t)n, "}\r\n");
  if (s->steps) t->steps = s->steps;
  t->greeted = true;
  http_stream_send(t->req, line, (size_t)n);
}

static void pump(void *arg);

/* All that there is has been sent: is there more to say, or is it over? */
static void settle(tap *t) {
  egress_state s = egress_look(t->egress);
  if (s.ended) {
    http_request *req = t->req;
    end(t);
    if (s.cut) http_stream_abort(req);
    else http_stream_end(req);
    return;
  }
  if (s.begun && !t->greeted) send_idle_line(t, &s);
  arm(t, s.steps != t->steps ? NEWS_MS : QUIET_MS);
}

static void send_what_is_there(tap *t) {
  hw_bytes line;
  bool sent = false;
  if (http_stream_backlog(t->req) == 0) egress_taken(t->egress);
  while (t->req && http_stream_backlog(t->req) < SENT_AHEAD && egress_take(t->egress, &line)) {
    http_stream_send(t->req, line.data, line.len);
    free(line.data);
    t->greeted = sent = true;
  }
  if (!t->req) return;
  if (http_stream_backlog(t->req) > 0) {
    http_stream_on_room(t->req, pump, t);
  } else {
    if (sent) egress_taken(t->egress);
    settle(t);
  }
}

/* Sends what may be sent; is called again when the client has taken it. */
static void pump(void *arg) {
  tap *t = arg;
  atomic_fetch_add(&t->refs, 1);
  send_what_is_there(t);
  tap_unref(t);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  tap *t = arg;
  if (http_stream_backlog(t->req) > 0) return; /* pump will be called, and arms it again */
  atomic_fetch_add(&t->refs, 1);
  egress_state s = egress_look(t->egress);
  if (s.begun && !s.ended) send_idle_line(t, &s);
  arm(t, QUIET_MS);
  tap_unref(t);
}

static void deliver(mail *m) {
  tap *t = of_mail(m);
  atomic_store(&t->posted, false); /* what is ready from here on is told again */
  if (t->req) pump(t);
  tap_unref(t);
}

/* [any thread] */
static void on_ready(void *arg) {
  tap *t = arg;
  if (atomic_exchange(&t->posted, true)) return;
  atomic_fetch_add(&t->refs, 1);
  mailbox_post(t->box, &t->mail);
}

static void client_gone(void *arg) { end(arg); }

/* ---- what was asked for ---------------------------------------------------------- */

typedef struct wanted {
  egress_options options;
  json_t *body, *config; /* what options point into; config NULL: in body */
} wanted;

static void wanted_fini(wanted *w) {
  json_decref(w->body);
  json_decref(w->config);
}

/* Each replies and returns false when the request is refused. */

static bool refuse(const api_call *call, const char *code, const char *message) {
  reply_error(call->req, 400, code, NULL, "%s", message);
  return false;
}

static bool read_query(const api_call *call, wanted *w) {
  const char *format = http_query(call->req, "format"), *update = http_query(call->req, "update_format");
  bool array;
  w->options.format = format ? format : "csv";
  w->config = update ? json_pack("{s:s}", "update_format", update) : json_object();
  if (!w->config) {
    http_reply_no_memory(call->req);
    return false;
  }
  w->options.config = w->config;
  return call_query_bool(call, "backpressure", false, &w->options.backpressure) &&
         call_query_bool(call, "array", false, &array) && /* data always comes as one */
         call_query_bool(call, "send_snapshot", false, &w->options.snapshot);
}

/* A member that is to be true, false or missing. */
static bool read_flag(const json_t *object, const char *name, bool *out) {
  const json_t *value = json_object_get(object, name);
  *out = json_is_true(value);
  return !value || json_is_boolean(value);
}

static bool read_connector(const api_call *call, wanted *w) {
  const json_t *transport = json_object_get(w->body, "transport"), *format = json_object_get(w->body, "format");
  const char *name = json_string_value(json_object_get(transport, "name"));
  w->options.format = json_string_value(json_object_get(format, "name"));
  w->options.config = json_object_get(format, "config");
  if (!name || strcmp(name, "http_output") != 0)
    return refuse(call, "InvalidTransportConfig", "transport.name of a listener must be \"http_output\"");
  if (!w->options.format)
    return refuse(call, "OutputFormatNotSpecified", "\"format\" is missing: {\"name\": \"json\" or \"csv\", ...}");
  if (w->options.config && !json_is_object(w->options.config))
    return refuse(call, "EncoderConfigParseError", "format.config must be an object");
  if (strcmp(w->options.format, "json") == 0 && !json_is_true(json_object_get(w->options.config, "array")))
    return refuse(call, "InvalidEncoderConfig", "format.config.array must be true: rows come in arrays");
  if (!read_flag(json_object_get(transport, "config"), "backpressure", &w->options.backpressure) ||
      !read_flag(w->body, "send_snapshot", &w->options.snapshot))
    return refuse(call, "InvalidParam", "backpressure and send_snapshot must be true or false");
  return true;
}

static bool read_body(const api_call *call, wanted *w) {
  json_error_t fault;
  w->body = json_loadb(call->req->body.data, call->req->body.len, JSON_REJECT_DUPLICATES, &fault);
  if (!w->body) {
    reply_error(call->req, 400, "MalformedJson", NULL, "the body is no JSON: %s", fault.text);
    return false;
  }
  if (!json_is_object(w->body))
    return refuse(call, "InvalidBody",
                  "the body must be an object, a connector: {\"transport\": ..., \"format\": ...}");
  if (call->req->target.n_query)
    return refuse(call, "InvalidParam", "a connector in the body and parameters in the URL do not go together");
  return read_connector(call, w);
}

/* ---- beginning --------------------------------------------------------------------- */

static tap *tap_new(const api_call *call) {
  tap *t = calloc(1, sizeof *t);
  if (!t) return NULL;
  t->timer = event_new(call->context->base, -1, 0, on_timer, t);
  if (!t->timer) {
    free(t);
    return NULL;
  }
  t->mail = (mail){.deliver = deliver, .discard = discard};
  atomic_init(&t->refs, 1);
  t->box = mailbox_ref(call->context->box);
  return t;
}

/* Events wait for the reply's head: they come by mail, to this thread. */
static void begin(const api_call *call, tap *t) {
  t->req = call->req;
  if (http_stream_begin(call->req, 200, "application/json", NULL, true, client_gone, t)) {
    arm(t, QUIET_MS);
    return;
  }
  end(t);
}

static void open_tap(const api_call *call, hw_pipeline *p, const egress_options *o) {
  hw_error err = {0};
  tap *t = tap_new(call);
  if (!t) {
    http_reply_no_memory(call->req);
    return;
  }
  const egress_events events = {.arg = t, .ready = on_ready};
  t->egress = egress_open(p, o, &events, &err);
  if (t->egress) {
    begin(call, t);
    return;
  }
  call_refuse(call, p, &err);
  event_free(t->timer);
  tap_unref(t);
}

void post_egress(const api_call *call) {
  wanted w = {.options.relation = call->params[PARAM_RELATION]};
  bool ok = call->req->body.len ? read_body(call, &w) : read_query(call, &w);
  hw_pipeline *p = ok ? call_find_pipeline(call) : NULL;
  if (p) {
    open_tap(call, p, &w.options);
    hw_pipeline_unref(p);
  }
  wanted_fini(&w);
}
