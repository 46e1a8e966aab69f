/* datagen_zipf.h - ranks 1 .. n with probability proportional to rank^-e. */
#ifndef CONNECTORS_DATAGEN_ZIPF_H
#define CONNECTORS_DATAGEN_ZIPF_H

#include "connectors/datagen_random.h"

typedef struct datagen_zipf {
  double n, e;
  double area_first, area_all; /* of the hat function, see datagen_zipf.c */
  double squeeze;
} datagen_zipf;

/* n = 0 stands for 2^64. e > 0. */
void datagen_zipf_init(datagen_zipf *z, uint64_t n, double e);
/* A rank less 1. */
uint64_t datagen_zipf_draw(const datagen_zipf *z, datagen_stream *s);

#endif
