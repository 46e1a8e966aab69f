/* routes.h - the table of routes: what is served, and what clients are told of it.
 *
 * One entry serves and describes: the router reads it to find handlers and to
 * refuse what they do not know, openapi.c to write /api-doc/openapi.json and
 * openapi_reference.c docs/reference/http-api.md. A test refuses entries without
 * description.
 *
 * Types, here and in shapes.h, are words:
 *     string  bool  integer  number  time  uuid  object  any
 *     'a' | 'b'   one of these texts        [T]   an array of T
 *     Name        a shape of shapes.c       {T}   an object whose values are T
 *     T?          T or null */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/call.h"

/* A query parameter, or a {part} of a path. */
typedef struct api_param {
  const char *name; /* NULL ends a list */
  const char *type;
  const char *fallback; /* of a query parameter that is not given; NULL: it has none */
  const char *text;     /* what it is for; a sentence without its period */
} api_param;

#define API_REQUIRED "" /* as a fallback: it must be given */
static inline bool api_param_is_required(const api_param *p) { return p->fallback && !*p->fallback; }

typedef struct api_answer {
  unsigned status;  /* 0 ends a list */
  const char *type; /* "Name": JSON; "text/plain", "application/x-ndjson Name": that media type,
                       after which " | Name" may say that it may be JSON as well; NULL: no body */
  const char *text; /* what it says; a sentence without its period */
} api_answer;

typedef enum api_body {
  BODY_WHOLE,    /* gathered before the handler is called; JSON */
  BODY_OPTIONAL, /* the same, and may be missing */
  BODY_STREAM,   /* the handler is called before it arrives, whatever type it has, and takes it in pieces */
} api_body;

typedef struct api_route {
  enum http_method method;
  const char *path;
  api_handler *handler;
  const char *tag;         /* groups routes in documents */
  const char *summary;     /* what it does; a sentence without its period */
  const char *text;        /* more, where the summary leaves questions; or NULL */
  const api_param *query;  /* what else is given is refused; NULL: none */
  const char *body;        /* type of its body, JSON or with a media type; NULL: a body means nothing */
  const api_answer *answers; /* of 1xx to 3xx */
  /* "404 UnknownPipelineName; 503 Initializing, PauseTimeout": statuses and
   * error codes that this route has beside those every route may have. */
  const char *errors;
  /* What a client must be, where that does not follow from the method: read for
   * GET, write for all else. */
  api_role role;
  bool open; /* anybody may ask, without an API key */
  api_body takes;
} api_route;

#define API_PARAMS(...) ((const api_param[]){__VA_ARGS__, {0}})
#define API_ANSWERS(...) ((const api_answer[]){__VA_ARGS__, {0}})

extern const api_route api_routes[];
extern const size_t api_n_routes;
/* What a client must be. */
api_role api_route_role(const api_route *r);
/* Of the {part} of a path; NULL: nobody has described it. */
const api_param *api_path_param(const char *name, size_t len);

#endif
