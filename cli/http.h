/* http.h - a client of the API: one request at a time, and it waits for the reply. */
#ifndef CLI_HTTP_H
#define CLI_HTTP_H

#include "cli/cli.h"

#include <jansson.h>

typedef struct http_client http_client;

typedef struct http_reply {
  int status;          /* 200, 404, ... */
  char *body;          /* terminated */
  size_t len;
  json_t *json;        /* the body, NULL when it is none */
  char *epoch, *position, *total_records; /* of the headers Headworks-Epoch, ...; NULL: not there */
} http_reply;

/* By --url, HEADWORKS_URL and --timeout. NULL: said, and *status tells. */
http_client *http_open(const cli_call *call, cli_exit *status);
void http_close(http_client *client);

/* Sends the request; body NULL: none, otherwise JSON. CLI_OK: 2xx. Anything else
 * has been said (the server's message, or that it does not answer). *reply is
 * freed with http_reply_fini in every case. */
cli_exit http_request(http_client *client, const char *method, const char *path, const json_t *body,
                      http_reply *reply);
/* The same, for a caller that says itself what a reply other than 2xx means. */
cli_exit http_request_quiet(http_client *client, const char *method, const char *path, const json_t *body,
                            http_reply *reply);
/* A GET whose body, if the reply is 2xx, goes to `take` piece by piece; --timeout
 * is then the longest wait for a piece. */
typedef void http_take(void *arg, const char *data, size_t len);
cli_exit http_request_pieces(http_client *client, const char *path, http_take *take, void *arg, http_reply *reply);
void http_reply_fini(http_reply *reply);

/* Says what the server refused: its message, or its status when it has none. */
void http_complain(const http_reply *reply);
const char *http_error_code(const http_reply *reply); /* "" when it has none */

double http_timeout(const http_client *client); /* seconds */

/* A path of printf's parts: each %s is percent-encoded. Freed with free(). */
char *http_path(const char *fmt, ...) HW_PRINTF(1, 2);

#endif
