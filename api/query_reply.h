/* query_reply.h - an ad-hoc query on its way to a client.
 *
 * The query runs on helper threads, which also write its rows as bytes; here
 * they come piece by piece, on the API thread, and go to whatever talks to the
 * client: a reply in pieces, or a WebSocket. */
#ifndef API_QUERY_REPLY_H
#define API_QUERY_REPLY_H

#include "api/call.h"
#include "api/query_write.h"

typedef struct query_reply query_reply;

/* All on the API thread. */
typedef struct query_client {
  void *arg;
  /* The next piece; the client tells by query_reply_taken when it has gone out.
   * len 0: there are columns, and no piece yet. */
  void (*piece)(void *arg, const char *data, size_t len);
  /* The end; NULL: all went well. Afterwards nothing is called, and the reply is gone. */
  void (*end)(void *arg, const hw_error *err);
} query_client;

/* Begins a query; p is borrowed. NULL: *err says why, and nothing is called. */
query_reply *query_reply_new(const api_context *context, hw_pipeline *p, const char *sql, size_t len,
                             query_format format, const query_client *client, hw_error *err);
/* The client has taken all pieces so far: more may come. */
void query_reply_taken(query_reply *r);
/* The client has left: the query is cancelled, nothing is called any more, and the reply is gone. */
void query_reply_leave(query_reply *r);

#endif
