/* request_count.c - a row of counters for each entry of the table of routes.
 *
 * The API thread alone counts; whoever collects metrics reads meanwhile. */
#include "api/request_count.h"

#include "api/routes.h"

#include <stdlib.h>

typedef struct route_counters {
  _Atomic uint64_t by_class[STATUS_CLASSES];
  latency duration;
} route_counters;

struct request_counts {
  route_counters *routes; /* as in api_routes; the last: all that reached none */
};

request_counts *request_counts_new(void) {
  request_counts *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  c->routes = calloc(request_counts_n(), sizeof *c->routes);
  if (c->routes) return c;
  free(c);
  return NULL;
}

void request_counts_free(request_counts *c) {
  if (!c) return;
  free(c->routes);
  free(c);
}

size_t request_counts_n(void) { return api_n_routes + 1; }

void request_counts_observe(void *arg, const http_request *req, unsigned status, uint64_t ns) {
  const request_counts *c = arg;
  const api_route *route = req->route;
  route_counters *r = &c->routes[route ? (size_t)(route - api_routes) : api_n_routes];
  unsigned class = status / 100 - 1;
  /* Relaxed, one writer: counts only, which order nothing. */
  if (class < STATUS_CLASSES)
    atomic_store_explicit(&r->by_class[class], atomic_load_explicit(&r->by_class[class], memory_order_relaxed) + 1,
                          memory_order_relaxed);
  latency_add(&r->duration, ns);
}

bool request_counts_read(const request_counts *c, size_t i, request_count *out) {
  const route_counters *r = &c->routes[i];
  bool other = i == api_n_routes;
  *out = (request_count){.method = other ? "other" : http_method_str(api_routes[i].method),
                         .path = other ? "other" : api_routes[i].path};
  uint64_t n = 0;
  for (unsigned k = 0; k < STATUS_CLASSES; k++)
    n += out->by_class[k] = atomic_load_explicit(&r->by_class[k], memory_order_relaxed); /* relaxed: as above */
  latency_read(&r->duration, &out->duration);
  return n > 0;
}
