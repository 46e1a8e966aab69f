/* ingress_endpoint.h - the input that bodies of one table and one set of format
 * options go through: its name, its format, its place in the deployment. */
#ifndef ENGINE_INGRESS_ENDPOINT_H
#define ENGINE_INGRESS_ENDPOINT_H

#include "engine/ingress.h"
#include "runtime/connector.h"
#include "runtime/deployment_extra.h"

/* One per table and options; its transport is ingress_transport. */
typedef struct ingress_endpoint {
  extra_spec extra; /* first */
  char name[32], endpoint[256];
  char *json;       /* as statistics show it */
  hw_connector *c;  /* set when the input is made */
  pthread_mutex_t lock; /* protects what follows */
  ingress_body *bodies; /* all */
  ingress_body *first, *last; /* those with something to do, in order */
  uint64_t n_bodies;    /* so far */
  bool closed;
} ingress_endpoint;

extern const hw_input_transport ingress_transport; /* ingress.c */

/* The endpoint there is, or a new one; good as long as the deployment. NULL: see
 * ingress_begin. */
ingress_endpoint *ingress_endpoint_get(deployment *d, const ingress_options *o, hw_error *err);

#endif
