/* msgpack_item.h - one item of MessagePack, straight from the wire.
 *
 * msgpack-c would build a tree of objects for every record, to be walked and
 * thrown away; a row needs each item once, in order, so it is decoded here as it
 * goes by. Lengths are checked against the data before anything is touched. */
#ifndef FORMATS_MSGPACK_ITEM_H
#define FORMATS_MSGPACK_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum mp_kind {
  MP_NIL,
  MP_BOOL,    /* u */
  MP_UINT,    /* u */
  MP_INT,     /* i, negative */
  MP_FLOAT32, /* f */
  MP_FLOAT64, /* f */
  MP_STR,     /* data, len */
  MP_BIN,     /* data, len */
  MP_EXT,     /* data, len, ext_type */
  MP_ARRAY,   /* len items follow */
  MP_MAP,     /* len pairs of items follow */
} mp_kind;

typedef struct mp_item {
  mp_kind kind;
  int8_t ext_type;
  uint32_t len; /* 0 where nothing follows */
  const char *data;
  union {
    uint64_t u;
    int64_t i;
    double f;
  } v;
} mp_item;

typedef enum mp_result {
  MP_READ,
  MP_CUT,    /* the data ends inside the item */
  MP_BROKEN, /* 0xc1, which no item begins with */
} mp_result;

/* Reads the item at *p, and its bytes if it is a string, and moves *p behind it. */
mp_result mp_read(const char **p, const char *end, mp_item *item);

/* Moves *p behind the item there and all that is in it, however deep. */
mp_result mp_skip(const char **p, const char *end);
/* The same in pieces: *left items are still to come, 1 at first. MP_CUT: *p is where to go on. */
mp_result mp_skip_on(const char **p, const char *end, uint64_t *left);

#endif
