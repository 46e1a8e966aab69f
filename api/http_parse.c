/* http_parse.c - from bytes to a request: http-parser, and what it leaves to us.
 *
 * http-parser finds the parts and refuses broken ones: bad tokens, NUL and other
 * control bytes, two lengths, a length beside chunks, a last coding other than
 * chunked, chunk sizes that overflow. Debian builds it without its strict mode:
 * blanks in header names and control bytes in URLs, which that lets pass, are
 * refused here; a misspelt "HTTP" and odd bytes where a chunk's line ends are let
 * pass. Here are also the bounds, and the rules about the whole of a request:
 * version, codings, target, Expect; http_guard.c has those about Host and Origin.
 * What is refused before the request is whole closes the connection: where the
 * next one would begin is not certain, or not worth reading up to. */
#include "api/http_conn.h"

#include "api/reply.h"
#include "runtime/sched.h"

#include <stdlib.h>
#include <strings.h>

static http_conn *conn_of(http_parser *parser) { return parser->data; }

/* Callbacks of the parser return it to make the parser stop. */
#define STOP (-1)

#define HEADER_EXTRA 4 /* bytes of a header beside name and value: colon, blank, CR, LF */

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* ---- gathering ------------------------------------------------------------ */

static int begin(http_parser *parser) {
  http_conn *c = conn_of(parser);
  conn_set_phase(c, CONN_HEAD);
  c->armed = -1;
  c->head_bytes = c->url_len = 0;
  c->trailers = false;
  c->part = PART_NONE;
  return 0;
}

static int gather_url(http_parser *parser, const char *data, size_t len) {
  http_conn *c = conn_of(parser);
  if (len > c->server->limits.max_url - c->url_len) {
    reply_error(&c->request, 414, "UriTooLong", NULL, "the URL is longer than %u bytes", c->server->limits.max_url);
    return STOP;
  }
  c->url_len += (unsigned)len;
  outbuf_add(&c->head, data, len);
  return 0;
}

/* Counts bytes of headers or trailers; STOP: too many, and replied so. */
static int count_head(http_conn *c, size_t len) {
  if (len > c->server->limits.max_head - c->head_bytes) {
    reply_error(&c->request, 431, "HeadersTooLarge", NULL, "the headers are larger than %u bytes",
                c->server->limits.max_head);
    return STOP;
  }
  c->head_bytes += (unsigned)len;
  return 0;
}

/* Ends what stands in head: the URL, a name without value, or a value, which
 * the parser leaves with the blanks after it. */
static void end_part(http_conn *c) {
  size_t start = c->part == PART_VALUE ? c->headers[c->n_headers - 1].value : c->head.len;
  while (c->head.len > start && (c->head.data[c->head.len - 1] == ' ' || c->head.data[c->head.len - 1] == '\t'))
    c->head.len--;
  outbuf_add_char(&c->head, '\0');
}

static int begin_name(http_conn *c) {
  if (c->trailers) return 0;
  if (c->n_headers == c->server->limits.max_headers) {
    reply_error(&c->request, 431, "HeadersTooLarge", NULL, "more than %u headers", c->server->limits.max_headers);
    return STOP;
  }
  end_part(c);
  c->headers[c->n_headers++] = (http_span){.name = (unsigned)c->head.len, .value = (unsigned)c->head.len};
  return 0;
}

static void begin_value(http_conn *c) {
  if (c->trailers) return;
  end_part(c);
  c->headers[c->n_headers - 1].value = (unsigned)c->head.len;
}

static int gather_name(http_parser *parser, const char *data, size_t len) {
  http_conn *c = conn_of(parser);
  bool first = c->part != PART_NAME;
  if (count_head(c, len + (first ? HEADER_EXTRA : 0)) == STOP || (first && begin_name(c) == STOP)) return STOP;
  c->part = PART_NAME;
  if (memchr(data, ' ', len)) { /* the parser may have been built to let it pass */
    reply_error(&c->request, 400, "MalformedRequest", NULL, "malformed request: a blank in a header's name");
    return STOP;
  }
  if (!c->trailers) outbuf_add(&c->head, data, len);
  return 0;
}

static int gather_value(http_parser *parser, const char *data, size_t len) {
  http_conn *c = conn_of(parser);
  if (count_head(c, len) == STOP) return STOP;
  if (c->part != PART_VALUE) begin_value(c);
  c->part = PART_VALUE;
  if (!c->trailers) outbuf_add(&c->head, data, len);
  return 0;
}

static void end_head(http_conn *c) {
  end_part(c);
  c->part = PART_NONE;
  c->trailers = true;
}

const char *http_header(const http_request *req, const char *name) {
  const http_conn *c = req->conn;
  for (unsigned i = 0; i < c->n_headers; i++) {
    if (strcasecmp(c->head.data + c->headers[i].name, name) == 0) return c->head.data + c->headers[i].value;
  }
  return NULL;
}

unsigned count_headers(const http_conn *c, const char *name) {
  unsigned n = 0;
  for (unsigned i = 0; i < c->n_headers; i++) n += strcasecmp(c->head.data + c->headers[i].name, name) == 0;
  return n;
}

const char *http_query(const http_request *req, const char *name) {
  for (unsigned i = 0; i < req->target.n_query; i++) {
    if (strcmp(req->target.query[i].name, name) == 0) return req->target.query[i].value;
  }
  return NULL;
}

/* ---- admitting ------------------------------------------------------------ */

/* Each check replies and returns false when the request is refused. */

static bool check_version(http_request *req) {
  const http_parser *parser = &req->conn->parser;
  if (parser->http_major == 1 && parser->http_minor <= 1) return true;
  reply_error(req, 505, "HttpVersionNotSupported", NULL, "HTTP/%d.%d is not spoken here, only 1.0 and 1.1",
              parser->http_major, parser->http_minor);
  return false;
}

static bool check_target(http_request *req) {
  const char *fault = url_parse(req->conn->head.data, &req->target);
  if (!fault) return true;
  reply_error(req, 400, "InvalidUrl", NULL, "%s", fault);
  return false;
}

static bool check_expect(http_request *req) {
  const char *expect = http_header(req, "Expect");
  if (!expect || req->conn->parser.http_minor == 0) return true;
  req->expects = strcasecmp(expect, "100-continue") == 0;
  if (req->expects) return true;
  reply_error(req, 417, "ExpectationFailed", NULL, "the only expectation known is 100-continue, not \"%.100s\"",
              expect);
  return false;
}

static bool check_room(http_request *req) {
  const http_server *server = req->conn->server;
  if (!req->conn->head.failed && server->backlog <= server->limits.max_backlog) return true;
  reply_error(req, 503, "ServerBusy", NULL, "no memory for more requests until clients take their replies; try again");
  return false;
}

static bool check_method(http_request *req) {
  if (req->method != HTTP_CONNECT) return true;
  reply_error(req, 501, "NotImplemented", NULL, "this server is not a proxy");
  return false;
}

/* The parser looks at the last coding only, but a body has all that are named, one
 * over the other. */
static bool check_codings(http_request *req) {
  const char *coding = http_header(req, "Transfer-Encoding");
  if (!coding) return true;
  bool several = count_headers(req->conn, "Transfer-Encoding") > 1;
  if (!several && strcasecmp(coding, "chunked") == 0) return true;
  reply_error(req, 501, "NotImplemented", NULL, "the only transfer coding known is chunked, once, not \"%.100s\"%s",
              coding, several ? " and more" : "");
  return false;
}

static bool admit(http_request *req) {
  return check_room(req) && check_version(req) && check_method(req) && check_codings(req) && check_target(req) &&
         guard_host(req) && guard_origin(req) && check_expect(req);
}

/* The body is announced: decides what becomes of it before it arrives. */
static int begin_body(http_conn *c) {
  http_request *req = &c->request;
  conn_set_phase(c, CONN_BODY);
  c->server->handler(c->server->arg, req);
  if (c->phase != CONN_BODY || c->dead) return STOP;
  if (req->expects)
    conn_send(c, &(struct iovec){.iov_base = (char *)continue_line, .iov_len = sizeof continue_line - 1}, 1);
  return 0;
}

static int admit_head(http_parser *parser) {
  http_conn *c = conn_of(parser);
  http_request *req = &c->request;
  end_head(c);
  req->began_ns = sched_now_ns();
  req->method = (enum http_method)parser->method;
  req->keep_alive = http_should_keep_alive(parser) && !c->server->draining;
  if (parser->flags & F_CONTENTLENGTH) req->content_length = parser->content_length;
  req->has_body = parser->flags & F_CHUNKED || (parser->flags & F_CONTENTLENGTH && parser->content_length > 0);
  parser->upgrade = 0; /* an offer to change the protocol may be ignored */
  if (!admit(req)) return STOP;
  return req->has_body ? begin_body(c) : 0;
}

static int take_body(http_parser *parser, const char *data, size_t len) {
  http_conn *c = conn_of(parser);
  http_request *req = &c->request;
  if (req->data && !c->lent) req->data(req, data, len);
  if (c->paused) http_parser_pause(parser, 1);
  return c->phase == CONN_BODY && !c->dead ? 0 : STOP;
}

static int end_message(http_parser *parser) {
  conn_of(parser)->whole = true;
  http_parser_pause(parser, 1);
  return 0;
}

/* ---- collecting ----------------------------------------------------------- */

static void refuse_large(http_request *req) {
  reply_error(req, 413, "PayloadTooLarge", NULL, "the body is larger than %zu bytes", req->max_body);
}

static bool bodies_have_room(const http_request *req, size_t more) {
  const http_server *server = req->conn->server;
  return server->bodies + more <= server->limits.max_bodies;
}

static void collect(http_request *req, const char *data, size_t len) {
  if (len > req->max_body - req->body.len) {
    refuse_large(req);
    return;
  }
  size_t before = req->body.capacity;
  outbuf_add(&req->body, data, len);
  req->conn->server->bodies += req->body.capacity - before;
  if (req->body.failed || !bodies_have_room(req, 0))
    reply_error(req, 503, "ServerBusy", NULL, "no memory for request bodies now; try again");
}

void http_collect_body(http_request *req, size_t max) {
  req->max_body = max;
  req->data = collect;
  if (req->content_length != UINT64_MAX && req->content_length > max) refuse_large(req);
}

outbuf http_take_body(http_request *req) {
  outbuf body = req->body;
  req->conn->server->bodies -= body.capacity;
  req->body = (outbuf){0};
  return body;
}

/* ---- the parser ----------------------------------------------------------- */

static const http_parser_settings settings = {
    .on_message_begin = begin,
    .on_url = gather_url,
    .on_header_field = gather_name,
    .on_header_value = gather_value,
    .on_headers_complete = admit_head,
    .on_body = take_body,
    .on_message_complete = end_message,
};

void parse_init(http_conn *c) {
  http_parser_init(&c->parser, HTTP_REQUEST);
  c->parser.data = c;
  parse_release(c);
}

static void refuse_text(http_conn *c, enum http_errno fault) {
  unsigned status = 400;
  const char *code = "MalformedRequest";
  if (fault == HPE_INVALID_VERSION) status = 505, code = "HttpVersionNotSupported";
  if (fault == HPE_HEADER_OVERFLOW) status = 431, code = "HeadersTooLarge";
  if (fault == HPE_INVALID_TRANSFER_ENCODING) status = 501, code = "NotImplemented";
  reply_error(&c->request, status, code, NULL, "malformed request: %s", http_errno_description(fault));
}

size_t parse_some(http_conn *c, const char *data, size_t len) {
  http_parser_pause(&c->parser, 0);
  size_t taken = http_parser_execute(&c->parser, &settings, data, len);
  enum http_errno fault = HTTP_PARSER_ERRNO(&c->parser);
  /* A fault in the very first byte comes before the parser has begun a message. */
  if (fault != HPE_OK && fault != HPE_PAUSED && c->phase <= CONN_BODY && !c->dead) {
    conn_abandon(c);
    refuse_text(c, fault);
  }
  return taken;
}

void parse_cut_short(http_conn *c) {
  conn_abandon(c);
  reply_error(&c->request, 400, "MalformedRequest", NULL, "the request ends in the middle of its %s",
              c->phase == CONN_BODY ? "body" : "headers");
}

/* The parser counts the bytes of a body with a length, and does not look at them. */
void parse_over(http_conn *c, uint64_t len) {
  while (len > 0 && !c->dead) {
    size_t part = len < HTTP_RECEIVE_SIZE ? (size_t)len : HTTP_RECEIVE_SIZE;
    (void)parse_some(c, c->server->receive, part);
    len -= part;
  }
}

void parse_release(http_conn *c) {
  http_request *req = &c->request;
  outbuf body = http_take_body(req);
  outbuf_fini(&body);
  *req = (http_request){.conn = c, .content_length = UINT64_MAX};
  outbuf_reset(&c->head, HTTP_HEAD_KEPT);
  c->n_headers = 0;
  c->paused = c->lent = false;
}
