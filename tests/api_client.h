/* api_client.h - an HTTP client for tests that says exactly what it is told. */
#ifndef TESTS_API_CLIENT_H
#define TESTS_API_CLIENT_H

#include "api/server.h"
#include "tests/fake_manager.h"

#include <jansson.h>

/* A server on a free port over a fake engine, in a thread of its own. */
typedef struct api_fixture {
  hw_engine *engine;
  api_server *server;
  uint16_t port;
} api_fixture;

/* options->listen and the log are set here. NULL: defaults. */
api_fixture api_fixture_open(const api_options *options);
void api_fixture_close(api_fixture *f);

typedef struct api_client {
  int fd;
  uint16_t port;
  char *data; /* received and not yet taken */
  size_t len;
} api_client;

typedef struct api_reply {
  int status; /* 0: the server closed before a whole reply */
  char *head; /* status line and headers */
  char *body; /* terminated */
  size_t len;
} api_reply;

/* Every read gives up (and fails the test) after 10 s. */
api_client api_connect(uint16_t port);
void api_disconnect(api_client *c);
void api_send(api_client *c, const char *data, size_t len);
void api_say(api_client *c, const char *text);
/* "Host: 127.0.0.1:PORT" is put in for every "{host}". */
void api_sayf(api_client *c, const char *fmt, ...) HW_PRINTF(2, 3);
/* The next reply. head_only: to a HEAD. */
api_reply api_receive(api_client *c, bool head_only);
/* Reads on to the end; whether the server closed (or reset) the connection. */
bool api_closed(api_client *c);
void api_reply_free(api_reply *r);
/* Value of a header, "" if there is none; until the thread's next call. */
const char *api_header(const api_reply *r, const char *name);

/* One request on a connection of its own; body NULL: none, else application/json. */
api_reply api_request(uint16_t port, const char *method, const char *path, const char *body);
/* The reply is JSON: status, Content-Type and body are checked, and its shape held
 * against the server's own description. A new reference. */
json_t *api_json(uint16_t port, const char *method, const char *path, const char *body, int status);
/* The reply is an error of the one shape with this code. */
void api_expect_error(uint16_t port, const char *method, const char *path, const char *body, int status,
                      const char *code);
void api_check_error(const api_reply *r, int status, const char *code);
/* The object's keys are these, blank separated, no more and no fewer. */
void api_check_keys(const json_t *object, const char *keys);

#endif
