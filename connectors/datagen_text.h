/* datagen_text.h - made-up names, addresses, sentences: the strategies for text.
 * All of it is plain (see HW_STR_PLAIN). */
#ifndef CONNECTORS_DATAGEN_TEXT_H
#define CONNECTORS_DATAGEN_TEXT_H

#include "connectors/datagen_random.h"

#include <headworks/types.h>

/* One of both is set. */
typedef struct datagen_text {
  const struct datagen_list *list;    /* it picks from here */
  const struct datagen_maker *maker;  /* it puts something together */
} datagen_text;

/* False: there is no such strategy. */
bool datagen_text_find(const char *name, datagen_text *out);
/* The i-th name, or NULL past the end. */
const char *datagen_text_name(size_t i);

/* How many words, sentences or characters it makes when no range says so: [*low,
 * *high). False: it has no such number. */
bool datagen_text_default_range(datagen_text t, uint64_t *low, uint64_t *high);

/* Bytes one text may need when that number is below high. */
size_t datagen_text_most(datagen_text t, uint64_t high);

/* Writes one; returns its length. */
size_t datagen_text_write(datagen_text t, datagen_stream *s, uint64_t low, uint64_t high, char *out);

/* The strings it picks from, when it only picks: they live for ever. Or NULL. */
const hw_str *datagen_text_list(datagen_text t, uint32_t *n);

#endif
