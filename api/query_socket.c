/* query_socket.c - one query per WebSocket.
 *
 *     client: {"sql": "SELECT ...", "format": "json"}     one text message
 *     server: rows, a text message per piece ... then closes
 *
 * What goes wrong is told as at the end of a reply in pieces: a line "ERROR: ..."
 * or an object with "error". Frames are wslay's: masks, fragments, pings, limits
 * of length, UTF-8 and the closing handshake.
 *
 * A client that asks for nothing within a time is closed, so is one that goes on
 * talking while its query runs. */
#include "api/query_socket.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <strings.h>
#include <wslay/wslay.h>

#define ASK_MAX (1u << 20)  /* bytes of the client's message */
#define ASK_SECONDS 30
#define CLOSE_SECONDS 5     /* for the client's part of the closing handshake */

typedef struct query_socket {
  api_call call;         /* req is NULL once the client has left */
  hw_pipeline *pipeline; /* a reference */
  wslay_event_context_ptr frames;
  struct event *timer;
  query_reply *reply; /* NULL: none runs */
  query_format format;
  bool asked;
  bool busy;       /* inside of a call that may find the client gone, or end it */
  bool done;       /* both sides have closed */
  const char *in;  /* what came in and is not read yet */
  size_t in_len;
} query_socket;

/* ---- handshake ----------------------------------------------------------------- */

/* Whether a header's list has a word. */
static bool has_word(const char *list, const char *word) {
  size_t len = strlen(word);
  while (list && *list) {
    list += strspn(list, ", \t");
    size_t n = strcspn(list, ", \t");
    if (n == len && strncasecmp(list, word, len) == 0) return true;
    list += n;
  }
  return false;
}

bool query_socket_is_asked(const http_request *req) { return has_word(http_header(req, "Upgrade"), "websocket"); }

#define ACCEPT_SIZE 32

/* base64(SHA-1(key and a constant)), by the RFC. */
static bool make_accept(const char *key, char *out) {
  static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  char text[96];
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned len;
  int n = snprintf(text, sizeof text, "%.32s%s", key, guid);
  if (!EVP_Digest(text, (size_t)n, digest, &len, EVP_sha1(), NULL) || len != 20) return false;
  EVP_EncodeBlock((unsigned char *)out, digest, (int)len);
  return true;
}

static bool check_handshake(http_request *req, char *accept) {
  const char *key = http_header(req, "Sec-WebSocket-Key"), *version = http_header(req, "Sec-WebSocket-Version");
  if (!version || strcmp(version, "13") != 0) {
    outbuf extra = {0};
    http_add_header(&extra, "Sec-WebSocket-Version", "13");
    reply_error_with(req, 426, "UpgradeRequired", NULL, &extra, "WebSocket is spoken in version 13 only, not %.20s",
                     version ? version : "none");
    outbuf_fini(&extra);
    return false;
  }
  if (key && strlen(key) == 24 && has_word(http_header(req, "Connection"), "upgrade") && make_accept(key, accept))
    return true;
  reply_error(req, 400, "InvalidHeader", NULL,
              "this is no WebSocket handshake: Connection: Upgrade and a Sec-WebSocket-Key of 24 characters are "
              "wanted");
  return false;
}

/* ---- life ------------------------------------------------------------------------ */

static void socket_free(query_socket *s) {
  if (s->frames) wslay_event_context_free(s->frames);
  if (s->timer) event_free(s->timer);
  hw_pipeline_unref(s->pipeline);
  free(s);
}

static void forget_query(query_socket *s) {
  if (s->reply) query_reply_leave(s->reply);
  s->reply = NULL;
}

static void on_gone(void *arg) {
  query_socket *s = arg;
  s->call.req = NULL;
  forget_query(s);
  if (!s->busy) socket_free(s);
}

static void arm(query_socket *s, int seconds) {
  const struct timeval after = {.tv_sec = seconds};
  event_add(s->timer, &after);
}

/* After what may have ended it: sends what is to be sent, and sees to an end. */
static void leave(query_socket *s) {
  if (s->call.req && wslay_event_want_write(s->frames) && wslay_event_send(s->frames) != 0) s->done = true;
  if (s->call.req && (!wslay_event_want_read(s->frames) || wslay_event_get_close_received(s->frames))) forget_query(s);
  /* After a fault of the client's nothing is read any more, its closing frame neither. */
  bool heard = wslay_event_get_close_received(s->frames) || !wslay_event_want_read(s->frames);
  bool closed = heard && wslay_event_get_close_sent(s->frames);
  if (s->call.req && (s->done || closed)) {
    http_request *req = s->call.req;
    s->call.req = NULL;
    forget_query(s);
    http_stream_end(req);
  }
  s->busy = false;
  if (!s->call.req) socket_free(s);
}

static void say(query_socket *s, const char *text, size_t len) {
  const struct wslay_event_msg message = {.opcode = WSLAY_TEXT_FRAME, .msg = (const uint8_t *)text, .msg_length = len};
  if (wslay_event_queue_msg(s->frames, &message) != 0) s->done = true;
}

/* wslay would send it before what was said. */
static void say_close(query_socket *s, uint16_t status) {
  if (wslay_event_send(s->frames) != 0) s->done = true;
  (void)wslay_event_queue_close(s->frames, status, NULL, 0);
  arm(s, CLOSE_SECONDS);
}

static void say_error(query_socket *s, const char *message) {
  outbuf bytes = {0};
  query_write_error(s->format, message, &bytes);
  if (bytes.failed) s->done = true;
  else say(s, bytes.data, bytes.len);
  outbuf_fini(&bytes);
}

static void on_timer(evutil_socket_t fd, short what, void *arg) {
  (void)fd, (void)what;
  query_socket *s = arg;
  s->busy = true;
  if (wslay_event_get_close_sent(s->frames)) s->done = true;
  else say_close(s, WSLAY_CODE_POLICY_VIOLATION);
  leave(s);
}

/* ---- the query --------------------------------------------------------------------- */

static void on_room(void *arg) {
  query_socket *s = arg;
  if (s->reply) query_reply_taken(s->reply);
}

static void on_piece(void *arg, const char *data, size_t len) {
  query_socket *s = arg;
  s->busy = true;
  if (len) say(s, data, len);
  if (wslay_event_send(s->frames) != 0) s->done = true;
  if (s->call.req && http_stream_backlog(s->call.req)) http_stream_on_room(s->call.req, on_room, s);
  else on_room(s);
  leave(s);
}

static void on_end(void *arg, const hw_error *err) {
  query_socket *s = arg;
  s->busy = true;
  s->reply = NULL;
  if (err) say_error(s, err->message);
  say_close(s, err ? WSLAY_CODE_INTERNAL_SERVER_ERROR : WSLAY_CODE_NORMAL_CLOSURE);
  leave(s);
}

static const char *text_of(const json_t *object, const char *key) {
  return json_string_value(json_object_get(object, key));
}

/* NULL: begun; otherwise what is wrong. */
static const char *begin_query(query_socket *s, const json_t *ask, hw_error *err) {
  const char *sql = text_of(ask, "sql"), *name = text_of(ask, "format");
  query_format format = query_format_find(name ? name : "text");
  if (!sql) return "the message must be an object like {\"sql\": \"SELECT ...\", \"format\": \"json\"}";
  if (format == QUERY_FORMATS) return "there is no such format for the rows of a query here; there are: text, json";
  s->format = format;
  const query_client client = {.arg = s, .piece = on_piece, .end = on_end};
  s->reply = query_reply_new(s->call.context, s->pipeline, sql, strlen(sql), format, &client, err);
  return s->reply ? NULL : err->message;
}

static void take_ask(query_socket *s, const struct wslay_event_on_msg_recv_arg *message) {
  if (s->asked) {
    say_close(s, WSLAY_CODE_POLICY_VIOLATION);
    forget_query(s);
    return;
  }
  s->asked = true;
  event_del(s->timer);
  hw_error err = {0};
  json_t *ask = json_loadb((const char *)message->msg, message->msg_length, JSON_REJECT_DUPLICATES, NULL);
  const char *wrong = begin_query(s, ask, &err);
  json_decref(ask);
  if (!wrong) return;
  say_error(s, wrong);
  say_close(s, WSLAY_CODE_POLICY_VIOLATION);
}

/* ---- frames ---------------------------------------------------------------------------- */

static ssize_t recv_bytes(wslay_event_context_ptr frames, uint8_t *to, size_t len, int flags, void *arg) {
  (void)flags;
  query_socket *s = arg;
  if (s->in_len == 0) {
    wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
    return -1;
  }
  if (len > s->in_len) len = s->in_len;
  memcpy(to, s->in, len);
  s->in += len;
  s->in_len -= len;
  return (ssize_t)len;
}

static ssize_t send_bytes(wslay_event_context_ptr frames, const uint8_t *data, size_t len, int flags, void *arg) {
  (void)flags;
  query_socket *s = arg;
  if (s->call.req) http_stream_send(s->call.req, (const char *)data, len);
  if (s->call.req) return (ssize_t)len;
  wslay_event_set_error(frames, WSLAY_ERR_CALLBACK_FAILURE);
  return -1;
}

static void on_message(wslay_event_context_ptr frames, const struct wslay_event_on_msg_recv_arg *message, void *arg) {
  (void)frames;
  query_socket *s = arg;
  if (message->opcode == WSLAY_TEXT_FRAME || message->opcode == WSLAY_BINARY_FRAME) take_ask(s, message);
}

static void on_data(http_request *req, const char *data, size_t len) {
  query_socket *s = (query_socket *)(uintptr_t)req->context;
  s->busy = true;
  s->in = data;
  s->in_len = len;
  while (s->call.req && !s->done && s->in_len && wslay_event_want_read(s->frames))
    if (wslay_event_recv(s->frames) != 0) s->done = true;
  leave(s);
}

/* ---- opening ------------------------------------------------------------------------------ */

static query_socket *socket_new(const api_call *call, hw_pipeline *p) {
  static const struct wslay_event_callbacks callbacks = {
      .recv_callback = recv_bytes, .send_callback = send_bytes, .on_msg_recv_callback = on_message};
  query_socket *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->call = *call;
  s->pipeline = hw_pipeline_ref(p);
  s->timer = event_new(call->context->base, -1, 0, on_timer, s);
  if (s->timer && wslay_event_context_server_init(&s->frames, &callbacks, s) == 0) {
    wslay_event_config_set_max_recv_msg_length(s->frames, ASK_MAX);
    return s;
  }
  socket_free(s);
  return NULL;
}

static void upgrade(const api_call *call, query_socket *s, const char *accept) {
  outbuf extra = {0};
  http_add_header(&extra, "Upgrade", "websocket");
  http_add_header(&extra, "Sec-WebSocket-Accept", accept);
  call->req->context = s;
  call->req->data = on_data;
  bool open = http_upgrade(call->req, &extra, on_gone, s);
  outbuf_fini(&extra);
  if (open) arm(s, ASK_SECONDS);
  else socket_free(s);
}

void query_socket_open(const api_call *call) {
  char accept[ACCEPT_SIZE];
  if (!check_handshake(call->req, accept)) return;
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  query_socket *s = socket_new(call, p);
  hw_pipeline_unref(p);
  if (s) upgrade(call, s, accept);
  else http_reply_no_memory(call->req);
}
