/* datagen_words.h - word lists for datagen_text.c. */
#ifndef CONNECTORS_DATAGEN_WORDS_H
#define CONNECTORS_DATAGEN_WORDS_H

#include <headworks/types.h>

typedef struct datagen_list {
  char letter;         /* by which templates name it; 0: they do not */
  const char *name;    /* the strategy that picks from it; NULL: none does */
  const hw_str *items;
  uint32_t n;
} datagen_list;

/* Ends with items = NULL. */
extern const datagen_list datagen_lists[];

#endif
