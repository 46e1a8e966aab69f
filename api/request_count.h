/* request_count.h - requests counted by their route, and how long they took.
 *
 * There are as many counts as routes, and one for all that reached none: however
 * odd the paths that are asked for, no label is made of them. */
#ifndef API_REQUEST_COUNT_H
#define API_REQUEST_COUNT_H

#include "api/http.h"
#include "runtime/latency.h"

#define STATUS_CLASSES 5u /* 1xx to 5xx */

typedef struct request_counts request_counts;

/* What was counted of one route. */
typedef struct request_count {
  const char *method, *path; /* of the table of routes; "other" of requests that reached none */
  uint64_t by_class[STATUS_CLASSES];
  latency_counts duration;
} request_count;

request_counts *request_counts_new(void); /* NULL: no memory */
void request_counts_free(request_counts *c);
/* An http_observer; arg are the request_counts. */
void request_counts_observe(void *arg, const http_request *req, unsigned status, uint64_t ns);
/* How many there are to read, and the one at i < n; false: no request was counted there. [any thread] */
size_t request_counts_n(void);
bool request_counts_read(const request_counts *c, size_t i, request_count *out);

#endif
