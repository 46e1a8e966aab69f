#include "formats/msgpack_item.h"

#include <string.h>

static uint64_t big_endian(const char *p, unsigned size) {
  uint64_t v = 0;
  for (unsigned i = 0; i < size; i++) v = v << 8 | (unsigned char)p[i];
  return v;
}

/* What a first byte from 0xc0 to 0xdf announces. */
typedef struct announced {
  uint8_t kind;
  uint8_t size;  /* bytes of number or length after it */
  uint8_t fixed; /* length of a fixext */
} announced;

#define BROKEN 0xff

static const announced first_bytes[32] = {
    {MP_NIL, 0, 0},  {BROKEN, 0, 0},  {MP_BOOL, 0, 0}, {MP_BOOL, 0, 0}, {MP_BIN, 1, 0},     {MP_BIN, 2, 0},
    {MP_BIN, 4, 0},  {MP_EXT, 1, 0},  {MP_EXT, 2, 0},  {MP_EXT, 4, 0},  {MP_FLOAT32, 4, 0}, {MP_FLOAT64, 8, 0},
    {MP_UINT, 1, 0}, {MP_UINT, 2, 0}, {MP_UINT, 4, 0}, {MP_UINT, 8, 0}, {MP_INT, 1, 0},     {MP_INT, 2, 0},
    {MP_INT, 4, 0},  {MP_INT, 8, 0},  {MP_EXT, 0, 1},  {MP_EXT, 0, 2},  {MP_EXT, 0, 4},     {MP_EXT, 0, 8},
    {MP_EXT, 0, 16}, {MP_STR, 1, 0},  {MP_STR, 2, 0},  {MP_STR, 4, 0},  {MP_ARRAY, 2, 0},   {MP_ARRAY, 4, 0},
    {MP_MAP, 2, 0},  {MP_MAP, 4, 0},
};

/* A two's complement number of `size` bytes. */
static void set_signed(mp_item *item, uint64_t bits, unsigned size) {
  item->v.i = (int64_t)(bits << (64 - 8 * size)) >> (64 - 8 * size);
  if (item->v.i >= 0) item->kind = MP_UINT;
}

static void set_float(mp_item *item, uint64_t bits) {
  float f;
  uint32_t word = (uint32_t)bits;
  if (item->kind == MP_FLOAT64) {
    memcpy(&item->v.f, &bits, sizeof bits);
  } else {
    memcpy(&f, &word, sizeof f);
    item->v.f = (double)f;
  }
}

/* The bytes of a str, bin or ext item, whose length is known. */
static mp_result take_bytes(const char **p, const char *end, mp_item *item) {
  size_t type = item->kind == MP_EXT;
  if ((size_t)(end - *p) < type || (size_t)(end - *p) - type < item->len) return MP_CUT;
  if (type) item->ext_type = (int8_t) * *p;
  item->data = *p + type;
  *p = item->data + item->len;
  return MP_READ;
}

static mp_result read_long(const char **p, const char *end, unsigned char first, mp_item *item) {
  const announced *a = &first_bytes[first - 0xc0];
  if (a->kind == BROKEN) return MP_BROKEN;
  if ((size_t)(end - *p) < a->size) return MP_CUT;
  uint64_t bits = big_endian(*p, a->size);
  *p += a->size;
  item->kind = (mp_kind)a->kind;
  switch (item->kind) {
  case MP_NIL: return MP_READ;
  case MP_BOOL: item->v.u = first & 1; return MP_READ;
  case MP_UINT: item->v.u = bits; return MP_READ;
  case MP_INT: set_signed(item, bits, a->size); return MP_READ;
  case MP_FLOAT32:
  case MP_FLOAT64: set_float(item, bits); return MP_READ;
  case MP_ARRAY:
  case MP_MAP: item->len = (uint32_t)bits; return MP_READ;
  case MP_STR:
  case MP_BIN:
  case MP_EXT: break;
  }
  item->len = a->fixed ? a->fixed : (uint32_t)bits;
  return take_bytes(p, end, item);
}

mp_result mp_read(const char **p, const char *end, mp_item *item) {
  if (*p >= end) return MP_CUT;
  unsigned char first = (unsigned char)*(*p)++;
  item->len = 0;
  if (first < 0x80) {
    item->kind = MP_UINT;
    item->v.u = first;
  } else if (first >= 0xe0) {
    item->kind = MP_INT;
    item->v.i = (int8_t)first;
  } else if (first < 0xa0) {
    item->kind = first < 0x90 ? MP_MAP : MP_ARRAY;
    item->len = first & 15;
  } else if (first < 0xc0) {
    item->kind = MP_STR;
    item->len = first & 31;
    return take_bytes(p, end, item);
  } else {
    return read_long(p, end, first, item);
  }
  return MP_READ;
}

mp_result mp_skip_on(const char **p, const char *end, uint64_t *left) {
  while (*left > 0) {
    mp_item item;
    const char *start = *p;
    mp_result result = mp_read(p, end, &item);
    if (result == MP_CUT) *p = start;
    if (result != MP_READ) return result;
    --*left;
    if (item.kind == MP_ARRAY) *left += item.len;
    if (item.kind == MP_MAP) *left += (uint64_t)item.len * 2;
  }
  return MP_READ;
}

mp_result mp_skip(const char **p, const char *end) {
  return mp_skip_on(p, end, &(uint64_t){1});
}
