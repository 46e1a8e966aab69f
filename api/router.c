/* router.c - the search in the table of routes, and what is refused by it.
 *
 * A request gets the first route whose path and method are its own. HEAD is
 * answered as GET without the body. A query parameter that the route does not
 * know is refused: "?inital=paused" must not start a pipeline running. */
#include "api/router.h"

#include "api/auth.h"
#include "api/routes.h"
#include "api/series.h"

#include <strings.h>

#define JSON_BODY_MAX (2 << 20)
#define IGNORED_BODY_MAX (64 << 10) /* of requests whose body means nothing */
/* ---- finding -------------------------------------------------------------- */

/* Whether the pattern's part at *at (after its '/') matches the segment; steps over it. */
static bool part_matches(const char **at, const char *segment) {
  size_t len = strcspn(*at, "/");
  const char *part = *at;
  *at += len;
  if (*part == '{') return *segment != '\0';
  return strncmp(part, segment, len) == 0 && segment[len] == '\0';
}

static bool path_matches(const api_route *r, const url_target *target) {
  const char *at = r->path;
  unsigned i = 0;
  for (; *at == '/' && i < target->n_segments; i++) {
    at++;
    if (!part_matches(&at, target->segments[i])) return false;
  }
  return *at == '\0' && i == target->n_segments && i > 0;
}

static bool method_matches(const api_route *r, enum http_method method) {
  return r->method == method || (method == HTTP_HEAD && r->method == HTTP_GET);
}

static const api_route *find(const http_request *req) {
  for (size_t i = 0; i < api_n_routes; i++) {
    const api_route *r = &api_routes[i];
    if (method_matches(r, req->method) && path_matches(r, &req->target)) return r;
  }
  return NULL;
}

/* ---- refusing ------------------------------------------------------------- */

/* The methods that this path has, as an Allow header has them; empty: no such path. */
static void add_allowed(outbuf *allowed, const url_target *target) {
  for (size_t i = 0; i < api_n_routes; i++) {
    if (!path_matches(&api_routes[i], target)) continue;
    if (allowed->len) outbuf_add_str(allowed, ", ");
    outbuf_add_str(allowed, http_method_str(api_routes[i].method));
    if (api_routes[i].method == HTTP_GET) outbuf_add_str(allowed, ", HEAD");
  }
  outbuf_add_char(allowed, '\0');
}

static void refuse_method(http_request *req, const char *allowed) {
  const reply_detail details[] = {{"method", http_method_str(req->method)}, {"allowed", allowed}, {NULL, NULL}};
  outbuf extra = {0};
  http_add_header(&extra, "Allow", allowed);
  reply_error_with(req, 405, "MethodNotAllowed", details, &extra, "%s is not served here; %s is",
                   http_method_str(req->method), allowed);
  outbuf_fini(&extra);
}

static void refuse_path(http_request *req) {
  outbuf allowed = {0};
  add_allowed(&allowed, &req->target);
  if (allowed.failed) {
    http_reply_no_memory(req);
  } else if (allowed.len > 1) {
    refuse_method(req, allowed.data);
  } else {
    reply_error(req, 404, "NotFound", NULL, "there is nothing at this path");
  }
  outbuf_fini(&allowed);
}

/* ---- checking ------------------------------------------------------------- */

/* Each check replies and returns false when the request is refused. */

static bool knows_query(const api_route *r, const char *name) {
  for (const api_param *known = r->query; known && known->name; known++) {
    if (strcmp(known->name, name) == 0) return true;
  }
  return false;
}

/* A {part} of the path that is said again, as Feldera's SDK does: the same value is of no effect. */
static bool repeats_part(const http_request *req, const api_route *r, const url_pair *pair) {
  unsigned segment = 0;
  size_t len = strlen(pair->name);
  for (const char *at = strchr(r->path, '/'); at; at = strchr(at + 1, '/'), segment++) {
    if (at[1] != '{' || strncmp(at + 2, pair->name, len) != 0 || at[len + 2] != '}') continue;
    return strcmp(pair->value, req->target.segments[segment]) == 0;
  }
  return false;
}

static bool refuse_query(http_request *req, const api_route *r, const char *name) {
  const reply_detail details[] = {{"parameter", name}, {NULL, NULL}};
  outbuf known = {0};
  for (const api_param *p = r->query; p && p->name; p++) outbuf_printf(&known, "%s%s", known.len ? ", " : "", p->name);
  reply_error(req, 400, "InvalidParam", details, "there is no query parameter '%.100s' here (there is: %.*s)", name,
              known.len ? (int)known.len : 4, known.len ? known.data : "none");
  outbuf_fini(&known);
  return false;
}

static bool check_query(http_request *req, const api_route *r) {
  const url_target *target = &req->target;
  for (unsigned i = 0; i < target->n_query; i++) {
    const url_pair *pair = &target->query[i];
    if (!knows_query(r, pair->name) && !repeats_part(req, r, pair)) return refuse_query(req, r, pair->name);
    if (pair->value == http_query(req, pair->name)) continue;
    reply_error(req, 400, "InvalidParam", NULL, "query parameter '%s' is given twice", pair->name);
    return false;
  }
  return true;
}

static bool is_json(const char *type) {
  static const char json[] = "application/json";
  size_t len = sizeof json - 1;
  return type && strncasecmp(type, json, len) == 0 && strchr(";\t ", type[len]);
}

static bool check_type(http_request *req) {
  const char *type = http_header(req, "Content-Type");
  if (!req->has_body || is_json(type)) return true;
  reply_error(req, 415, "UnsupportedMediaType", NULL, "the body must be application/json, not %.100s",
              type ? type : "of no stated type");
  return false;
}

/* ---- handling ------------------------------------------------------------- */

/* Puts the segments that stand for {parts} into params. */
static void fill_params(api_call *call, const api_route *r) {
  unsigned segment = 0, param = 0;
  for (const char *at = strchr(r->path, '/'); at; at = strchr(at + 1, '/'), segment++) {
    if (at[1] == '{') call->params[param++] = call->req->target.segments[segment];
  }
}

static void handle(http_request *req) {
  const api_context *context = req->context;
  const api_route *r = req->route;
  api_call call = {.context = context, .req = req};
  fill_params(&call, r);
  r->handler(&call);
}

void router_handle(void *arg, http_request *req) {
  const api_route *r = find(req);
  req->route = r; /* for who counts requests, those that are refused too */
  if (http_answer_preflight(req) || !auth_check(arg, req, r ? api_route_role(r) : ROLE_READ)) return;
  if (!r) {
    refuse_path(req);
    return;
  }
  if (!check_query(req, r) || (r->takes != BODY_STREAM && !check_type(req))) return;
  series_board_wake(((const api_context *)arg)->series);
  req->context = arg;
  if (r->takes == BODY_STREAM) {
    handle(req);
    return;
  }
  req->complete = handle;
  http_collect_body(req, r->body ? JSON_BODY_MAX : IGNORED_BODY_MAX);
}
