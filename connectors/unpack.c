#include "connectors/unpack.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

struct unpack {
  unpack_kind kind;
  bool inside; /* an archive has begun and not ended */
  bool begun;  /* there was one */
  z_stream gzip;
  ZSTD_DCtx *zstd;
};

/* Whether head agrees with the magic as far as both go. */
static bool agrees(const unsigned char *head, size_t len, const char *magic, size_t size) {
  return memcmp(head, magic, len < size ? len : size) == 0;
}

/* Zstandard's frames for data that is to be skipped: 0x184D2A50 to ..5F. */
static bool agrees_skippable(const unsigned char *head, size_t len) {
  return (len == 0 || (head[0] & 0xf0) == 0x50) && (len < 2 || agrees(head + 1, len - 1, "\x2a\x4d\x18", 3));
}

unpack_kind unpack_sniff(const unsigned char *head, size_t len, bool end) {
  bool gzip = agrees(head, len, "\x1f\x8b\x08", 3);
  bool zstd = agrees(head, len, "\x28\xb5\x2f\xfd", 4) || agrees_skippable(head, len);
  if (!gzip && !zstd) return UNPACK_PLAIN;
  if (gzip && len >= 3) return UNPACK_GZIP;
  if (zstd && len >= 4) return UNPACK_ZSTD;
  return end ? UNPACK_PLAIN : UNPACK_UNKNOWN;
}

unpack *unpack_new(unpack_kind kind) {
  assert(kind == UNPACK_GZIP || kind == UNPACK_ZSTD);
  unpack *u = calloc(1, sizeof *u);
  if (!u) return NULL;
  u->kind = kind;
  bool ok;
  if (kind == UNPACK_GZIP) {
    ok = inflateInit2(&u->gzip, 15 + 16) == Z_OK; /* largest window; gzip's header, not zlib's */
  } else {
    u->zstd = ZSTD_createDCtx();
    ok = u->zstd != NULL;
  }
  if (ok) return u;
  free(u);
  return NULL;
}

void unpack_free(unpack *u) {
  if (!u) return;
  if (u->kind == UNPACK_GZIP) inflateEnd(&u->gzip);
  else ZSTD_freeDCtx(u->zstd);
  free(u);
}

bool unpack_complete(const unpack *u) { return !u->inside; }

/* Between two members: zero bytes are padding (tapes, block devices). */
static size_t skip_padding(const unsigned char *in, size_t len) {
  size_t n = 0;
  while (n < len && in[n] == 0) n++;
  return n;
}

static hw_status run_gzip(unpack *u, const unsigned char *in, size_t len, size_t *used, char *out, size_t room,
                          size_t *made, const char **fault) {
  if (!u->inside) {
    *used = skip_padding(in, len);
    if (*used == len) return HW_OK;
    if (in[*used] != 0x1f) {
      *fault = u->begun ? "bytes that are not gzip data follow the end of the archive"
                        : "it is no gzip archive; with \"compression\": \"auto\" its first bytes decide";
      return u->begun ? HW_EPARSE : HW_EUNSUPPORTED;
    }
    inflateReset(&u->gzip);
    u->inside = u->begun = true;
  }
  z_stream *z = &u->gzip;
  z->next_in = (z_const Bytef *)(in + *used);
  z->avail_in = (uInt)(len - *used);
  z->next_out = (Bytef *)out;
  z->avail_out = (uInt)room;
  int rc = inflate(z, Z_NO_FLUSH);
  *used = len - z->avail_in;
  *made = room - z->avail_out;
  if (rc == Z_STREAM_END) u->inside = false;
  if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR) return HW_OK;
  *fault = rc == Z_MEM_ERROR ? "not enough memory" : rc == Z_NEED_DICT ? "it needs a dictionary" : z->msg;
  if (!*fault) *fault = "invalid data";
  return rc == Z_MEM_ERROR ? HW_ENOMEM : rc == Z_NEED_DICT ? HW_EUNSUPPORTED : HW_EPARSE;
}

static hw_status zstd_failed(const unpack *u, size_t rc, const char **fault) {
  switch (ZSTD_getErrorCode(rc)) {
  case ZSTD_error_frameParameter_windowTooLarge:
    *fault = "its window is larger than 128 MiB, the most that is used; pack it with zstd --long=27 or less";
    return HW_ELIMIT;
  case ZSTD_error_memory_allocation: *fault = "not enough memory"; return HW_ENOMEM;
  case ZSTD_error_dictionary_wrong: *fault = "it needs a dictionary"; return HW_EUNSUPPORTED;
  case ZSTD_error_prefix_unknown:
    if (u->begun) break;
    *fault = "it is no zstd archive; with \"compression\": \"auto\" its first bytes decide";
    return HW_EUNSUPPORTED;
  default: break;
  }
  *fault = ZSTD_getErrorName(rc);
  return HW_EPARSE;
}

static hw_status run_zstd(unpack *u, const unsigned char *in, size_t len, size_t *used, char *out, size_t room,
                          size_t *made, const char **fault) {
  ZSTD_inBuffer source = {.src = in, .size = len};
  ZSTD_outBuffer sink = {.dst = out, .size = room};
  size_t rc = ZSTD_decompressStream(u->zstd, &sink, &source);
  *used = source.pos;
  *made = sink.pos;
  if (ZSTD_isError(rc)) return zstd_failed(u, rc, fault);
  if (*used || *made) u->inside = rc != 0; /* else it was asked at a frame's end for more, and had none */
  u->begun = u->begun || (*used && !u->inside); /* bytes of a first frame alone may yet prove to be none */
  return HW_OK;
}

hw_status unpack_run(unpack *u, const unsigned char *in, size_t len, size_t *used, char *out, size_t room, size_t *made,
                     const char **fault) {
  *used = *made = 0;
  if (len > INT_MAX) len = INT_MAX;
  if (room > INT_MAX) room = INT_MAX;
  return u->kind == UNPACK_GZIP ? run_gzip(u, in, len, used, out, room, made, fault)
                                : run_zstd(u, in, len, used, out, room, made, fault);
}
