/* http.c - a client of the API.
 *
 * One event base, one connection a request: commands make a handful of requests,
 * on the loopback. */
#include "cli/http.h"

#include "cli/tls.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DEFAULT_URL "http://127.0.0.1:8080"
#define DEFAULT_TIMEOUT 30.0
#define MAX_BODY (64 << 20)

struct http_client {
  struct event_base *base;
  char *url; /* as given, for messages */
  char *host;
  char *authority; /* for the Host header */
  char *authorization; /* NULL: none */
  uint16_t port;
  bool secure;     /* https */
  tls_trust *trust; /* with it */
  double timeout;
};

/* ---- the server's address ------------------------------------------------- */

static bool set_server(http_client *client, const struct evhttp_uri *uri) {
  const char *scheme = evhttp_uri_get_scheme(uri), *host = evhttp_uri_get_host(uri);
  const char *path = evhttp_uri_get_path(uri);
  int port = evhttp_uri_get_port(uri);
  client->secure = scheme && strcasecmp(scheme, "https") == 0;
  if (!scheme || (!client->secure && strcasecmp(scheme, "http") != 0) || !host || !*host || port == 0) return false;
  if (path && *path && strcmp(path, "/") != 0) return false;
  client->port = (uint16_t)(port >= 0 ? port : client->secure ? 443 : 80);
  client->authority = cli_printf("%s:%u", host, client->port);
  size_t len = strlen(host);
  bool bracketed = host[0] == '[' && host[len - 1] == ']';
  client->host = bracketed ? cli_printf("%.*s", (int)len - 2, host + 1) : cli_strdup(host);
  return true;
}

static bool parse_url(http_client *client) {
  struct evhttp_uri *uri = evhttp_uri_parse(client->url);
  bool good = uri && set_server(client, uri);
  if (uri) evhttp_uri_free(uri);
  return good;
}

http_client *http_open(const cli_call *call, cli_exit *status) {
  const char *url = cli_value(call, "url");
  if (!url) url = getenv("HEADWORKS_URL");
  if (!url || !*url) url = DEFAULT_URL;
  http_client *client = cli_alloc(sizeof *client);
  client->url = cli_strdup(url);
  const char *key = getenv("HEADWORKS_API_KEY");
  if (key && *key) client->authorization = cli_printf("Bearer %s", key);
  client->timeout = DEFAULT_TIMEOUT;
  *status = CLI_USAGE;
  if (!cli_number(call, "timeout", 0.001, 86400, &client->timeout)) goto fail;
  if (!parse_url(client)) {
    (void)cli_misuse(call, "%s is no address of a server: http://HOST:PORT or https://HOST:PORT is wanted", url);
    goto fail;
  }
  if (client->secure && !(client->trust = tls_trust_open(call))) goto fail;
  *status = CLI_FAILED;
  client->base = event_base_new();
  if (!client->base) {
    cli_complain("no event loop could be made: %s", strerror(errno));
    goto fail;
  }
  *status = CLI_OK;
  return client;
fail:
  http_close(client);
  return NULL;
}

void http_close(http_client *client) {
  if (!client) return;
  if (client->base) event_base_free(client->base);
  tls_trust_close(client->trust);
  free(client->url);
  free(client->host);
  free(client->authority);
  free(client->authorization);
  free(client);
}

double http_timeout(const http_client *client) { return client->timeout; }

/* ---- one exchange --------------------------------------------------------- */

typedef struct exchange {
  http_reply *reply;
  http_take *take; /* NULL: the body is one whole */
  void *take_arg;
  struct evbuffer *refusal; /* what came instead of the pieces */
  enum { PENDING, ANSWERED, TIMED_OUT, BROKEN, UNREADABLE } state;
  bool connected; /* or nothing has been sent */
} exchange;

static char *copy_header(struct evhttp_request *request, const char *name) {
  const char *value = evhttp_find_header(evhttp_request_get_input_headers(request), name);
  return value ? cli_strdup(value) : NULL;
}

/* A request that failed comes here with code 0, or as NULL after on_error. */
static void on_reply(struct evhttp_request *request, void *arg) {
  exchange *x = arg;
  int code = request ? evhttp_request_get_response_code(request) : 0;
  if (!code) {
    if (x->state == PENDING) x->state = BROKEN;
    return;
  }
  struct evbuffer *in = x->take ? x->refusal : evhttp_request_get_input_buffer(request);
  http_reply *reply = x->reply;
  x->state = ANSWERED;
  reply->status = code;
  reply->len = evbuffer_get_length(in);
  reply->body = cli_alloc(reply->len + 1);
  if (evbuffer_remove(in, reply->body, reply->len) < 0) x->state = UNREADABLE;
  reply->json = json_loadb(reply->body, reply->len, JSON_DECODE_ANY, NULL);
  reply->epoch = copy_header(request, "Headworks-Epoch");
  reply->position = copy_header(request, "Headworks-Position");
  reply->total_records = copy_header(request, "Headworks-Total-Records");
}

/* Of a connection that was there. */
static void on_close(struct evhttp_connection *connection, void *arg) {
  (void)connection;
  ((exchange *)arg)->connected = true;
}

/* A piece of the body. */
static void on_piece(struct evhttp_request *request, void *arg) {
  exchange *x = arg;
  struct evbuffer *in = evhttp_request_get_input_buffer(request);
  size_t len = evbuffer_get_length(in);
  if (evhttp_request_get_response_code(request) / 100 != 2) {
    (void)evbuffer_add_buffer(x->refusal, in);
    return;
  }
  x->take(x->take_arg, (const char *)evbuffer_pullup(in, -1), len);
  evbuffer_drain(in, len);
}

static void on_error(enum evhttp_request_error error, void *arg) {
  exchange *x = arg;
  if (error == EVREQ_HTTP_TIMEOUT)
    x->state = TIMED_OUT;
  else if (error == EVREQ_HTTP_INVALID_HEADER || error == EVREQ_HTTP_DATA_TOO_LONG)
    x->state = UNREADABLE;
  else
    x->state = BROKEN;
}

static bool add_body(struct evhttp_request *request, const json_t *body) {
  if (!body) return true;
  struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
  char *text = json_dumps(body, JSON_COMPACT);
  bool good = text && evbuffer_add(evhttp_request_get_output_buffer(request), text, strlen(text)) == 0;
  char *length = cli_printf("%zu", good ? strlen(text) : 0);
  good = good && evhttp_add_header(headers, "Content-Type", "application/json") == 0 &&
         evhttp_add_header(headers, "Content-Length", length) == 0; /* libevent sees to POST's and PUT's only */
  free(length);
  free(text);
  return good;
}

static bool add_authorization(const http_client *client, struct evkeyvalq *headers) {
  return !client->authorization || evhttp_add_header(headers, "Authorization", client->authorization) == 0;
}

static struct evhttp_request *make_request(const http_client *client, const json_t *body, exchange *x) {
  struct evhttp_request *request = evhttp_request_new(on_reply, x);
  if (!request) return NULL;
  evhttp_request_set_error_cb(request, on_error);
  if (x->take) evhttp_request_set_chunked_cb(request, on_piece);
  struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
  if (evhttp_add_header(headers, "Host", client->authority) == 0 &&
      evhttp_add_header(headers, "Connection", "close") == 0 && add_authorization(client, headers) &&
      add_body(request, body))
    return request;
  evhttp_request_free(request);
  return NULL;
}

static struct evhttp_connection *connect_to(const http_client *client) {
  struct bufferevent *bev = NULL;
  if (client->secure && !(bev = tls_connection(client->trust, client->base, client->host))) return NULL;
  return evhttp_connection_base_bufferevent_new(client->base, NULL, bev, client->host, client->port);
}

static void try_once(http_client *client, const char *method, const char *path, const json_t *body, exchange *x) {
  struct evhttp_connection *connection = connect_to(client);
  struct evhttp_request *request = connection ? make_request(client, body, x) : NULL;
  if (request) {
    double whole = floor(client->timeout);
    struct timeval timeout = {(time_t)whole, (suseconds_t)((client->timeout - whole) * 1e6)};
    evhttp_connection_set_timeout_tv(connection, &timeout);
    evhttp_connection_set_max_body_size(connection, x->take ? -1 : MAX_BODY);
    enum evhttp_cmd_type type = strcmp(method, "GET") == 0      ? EVHTTP_REQ_GET
                                : strcmp(method, "DELETE") == 0 ? EVHTTP_REQ_DELETE
                                : strcmp(method, "PATCH") == 0  ? EVHTTP_REQ_PATCH
                                                                : EVHTTP_REQ_POST;
    x->state = PENDING;
    x->connected = false;
    evhttp_connection_set_closecb(connection, on_close, x);
    /* The connection owns the request now, also when this fails. */
    if (evhttp_make_request(connection, request, type, path) == 0) event_base_dispatch(client->base);
  }
  if (connection && client->secure)
    x->connected |= tls_connection_over(client->trust, evhttp_connection_get_bufferevent(connection));
  if (connection) evhttp_connection_free(connection);
}

/* A server that is just being started gets a second to listen, or the timeout where that is shorter. */
static void exchange_run(http_client *client, const char *method, const char *path, const json_t *body, exchange *x) {
  double end = cli_now() + (client->timeout < 1 ? client->timeout : 1);
  for (;;) {
    try_once(client, method, path, body, x);
    if (x->state != BROKEN || x->connected || cli_now() >= end) return;
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  }
}

/* ---- what callers see ----------------------------------------------------- */

const char *http_error_code(const http_reply *reply) {
  const char *code = json_string_value(json_object_get(reply->json, "error_code"));
  return code ? code : "";
}

/* The server's sentence speaks of the header, which these commands make of the variable. */
static void complain_of_key(const http_reply *reply) {
  const char *key = getenv("HEADWORKS_API_KEY");
  const char *why = key && *key ? "the server does not take the API key in HEADWORKS_API_KEY: it has no such key, "
                                  "or no longer"
                                : "the server asks for an API key: set HEADWORKS_API_KEY to one (apikey:...)";
  cli_complain("%s (%d %s)", why, reply->status, http_error_code(reply));
}

void http_complain(const http_reply *reply) {
  if (reply->status == 401) {
    complain_of_key(reply);
    return;
  }
  const char *message = json_string_value(json_object_get(reply->json, "message"));
  if (message)
    cli_complain("%s (%d %s)", message, reply->status, http_error_code(reply));
  else
    cli_complain("the server answered %d without saying why: is it Headworks?", reply->status);
}

static cli_exit outcome(const http_client *client, const exchange *x) {
  switch (x->state) {
  case ANSWERED:
    return x->reply->status / 100 == 2 ? CLI_OK : CLI_REFUSED;
  case TIMED_OUT:
    cli_complain("%s did not answer within %g s", client->url, client->timeout);
    return CLI_UNREACHABLE;
  case UNREADABLE:
    cli_complain("the answer of %s cannot be read: is it Headworks?", client->url);
    return CLI_UNREACHABLE;
  default:
    if (tls_distrust(client->trust))
      cli_complain("the certificate of %s is not trusted: %s; --ca names whom to trust", client->url,
                   tls_distrust(client->trust));
    else if (tls_is_missing(client->trust))
      cli_complain("the server at %s does not speak TLS: try http://", client->url);
    else if (x->connected)
      cli_complain("%s ended the connection without an answer", client->url);
    else
      cli_complain("no server answers at %s: is `headworks serve` running?", client->url);
    return CLI_UNREACHABLE;
  }
}

cli_exit http_request_quiet(http_client *client, const char *method, const char *path, const json_t *body,
                            http_reply *reply) {
  *reply = (http_reply){0};
  exchange x = {.reply = reply};
  exchange_run(client, method, path, body, &x);
  return outcome(client, &x);
}

cli_exit http_request_pieces(http_client *client, const char *path, http_take *take, void *arg, http_reply *reply) {
  *reply = (http_reply){0};
  exchange x = {.reply = reply, .take = take, .take_arg = arg, .refusal = evbuffer_new()};
  if (x.refusal) exchange_run(client, "GET", path, NULL, &x);
  cli_exit status = outcome(client, &x);
  if (status == CLI_REFUSED) http_complain(reply);
  if (x.refusal) evbuffer_free(x.refusal);
  return status;
}

cli_exit http_request(http_client *client, const char *method, const char *path, const json_t *body,
                      http_reply *reply) {
  cli_exit status = http_request_quiet(client, method, path, body, reply);
  if (status == CLI_REFUSED) http_complain(reply);
  return status;
}

void http_reply_fini(http_reply *reply) {
  json_decref(reply->json);
  free(reply->body);
  free(reply->epoch);
  free(reply->position);
  free(reply->total_records);
}

/* ---- paths ---------------------------------------------------------------- */

static char *add_text(char *path, const char *text, size_t len) {
  char *longer = cli_printf("%s%.*s", path, (int)len, text);
  free(path);
  return longer;
}

static char *add_encoded(char *path, const char *text) {
  char *encoded = evhttp_uriencode(text, -1, 0);
  if (!encoded) {
    cli_complain("out of memory");
    exit(CLI_FAILED);
  }
  path = add_text(path, encoded, strlen(encoded));
  free(encoded);
  return path;
}

char *http_path(const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  char *path = cli_strdup("");
  while (*fmt) {
    const char *percent = strstr(fmt, "%s");
    size_t literal = percent ? (size_t)(percent - fmt) : strlen(fmt);
    path = add_text(path, fmt, literal);
    fmt += literal;
    if (!percent) break;
    path = add_encoded(path, va_arg(args, const char *));
    fmt += 2;
  }
  va_end(args);
  return path;
}
