#include "api/zip.h"

#include <zlib.h>

#define VERSION_NEEDED 20 /* 2.0: deflate */
#define METHOD_DEFLATE 8

static void add_u16(outbuf *b, uint32_t v) {
  outbuf_add_char(b, (char)(v & 0xff));
  outbuf_add_char(b, (char)(v >> 8 & 0xff));
}

static void add_u32(outbuf *b, uint32_t v) {
  add_u16(b, v & 0xffff);
  add_u16(b, v >> 16);
}

/* The time of day and the date, as ZIP has them, in UTC. */
static void add_time(outbuf *b, time_t now) {
  struct tm utc;
  gmtime_r(&now, &utc);
  uint32_t year = utc.tm_year < 80 ? 0 : (uint32_t)utc.tm_year - 80;
  add_u16(b, (uint32_t)(utc.tm_hour << 11 | utc.tm_min << 5 | utc.tm_sec / 2));
  add_u16(b, year << 9 | (uint32_t)(utc.tm_mon + 1) << 5 | (uint32_t)utc.tm_mday);
}

typedef struct entry {
  const char *name;
  uint32_t crc, packed, size, offset;
} entry;

/* What the header before a file and its entry in the directory have in common. */
static void add_common(outbuf *b, const zip_writer *zip, const entry *e) {
  add_u16(b, VERSION_NEEDED);
  add_u16(b, 0); /* flags */
  add_u16(b, METHOD_DEFLATE);
  add_time(b, zip->now);
  add_u32(b, e->crc);
  add_u32(b, e->packed);
  add_u32(b, e->size);
  add_u16(b, (uint32_t)strlen(e->name));
  add_u16(b, 0); /* extra */
}

static void add_to_directory(zip_writer *zip, const entry *e) {
  outbuf *b = &zip->directory;
  add_u32(b, 0x02014b50);
  add_u16(b, VERSION_NEEDED);
  add_common(b, zip, e);
  add_u16(b, 0); /* comment */
  add_u16(b, 0); /* disk */
  add_u16(b, 0); /* internal attributes */
  add_u32(b, 0); /* external attributes */
  add_u32(b, e->offset);
  outbuf_add_str(b, e->name);
}

/* Raw deflate, as ZIP has it, to the end of packed. */
static bool deflate_into(outbuf *packed, const char *data, size_t len) {
  z_stream z = {0};
  if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) return false;
  uLong most = deflateBound(&z, len);
  bool ok = outbuf_reserve(packed, most);
  if (ok) {
    z.next_in = (Bytef *)data; /* cast: read only */
    z.avail_in = (uInt)len;
    z.next_out = (Bytef *)packed->data + packed->len;
    z.avail_out = (uInt)most;
    ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
    packed->len += z.total_out;
  }
  deflateEnd(&z);
  return ok;
}

void zip_add(zip_writer *zip, const char *name, const char *data, size_t len) {
  outbuf packed = {0};
  if (!deflate_into(&packed, data, len)) zip->out->failed = true;
  entry e = {.name = name, .packed = (uint32_t)packed.len, .size = (uint32_t)len, .offset = (uint32_t)zip->out->len};
  e.crc = (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)data, (uInt)len);
  add_u32(zip->out, 0x04034b50);
  add_common(zip->out, zip, &e);
  outbuf_add_str(zip->out, name);
  outbuf_add(zip->out, packed.data, packed.len);
  add_to_directory(zip, &e);
  zip->n++;
  outbuf_fini(&packed);
}

void zip_end(zip_writer *zip) {
  uint32_t offset = (uint32_t)zip->out->len;
  outbuf_add(zip->out, zip->directory.data, zip->directory.len);
  add_u32(zip->out, 0x06054b50);
  add_u16(zip->out, 0); /* this disk */
  add_u16(zip->out, 0); /* the directory's disk */
  add_u16(zip->out, zip->n);
  add_u16(zip->out, zip->n);
  add_u32(zip->out, (uint32_t)zip->directory.len);
  add_u32(zip->out, offset);
  add_u16(zip->out, 0); /* comment */
  zip->out->failed |= zip->directory.failed;
  outbuf_fini(&zip->directory);
}
