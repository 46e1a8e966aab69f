/* unpack.c - gzip and zstd: input is what, two bytes of sizes, bytes. Bytes taken as an
 * archive give the same whatever the sizes of the pieces that go in and come out; bytes
 * that are packed here, as one archive or two, come out again. */
#include "tests/fuzz/fuzz.h"

#include "connectors/unpack.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define OUT_MAX (1u << 18) /* of what comes out, no more is looked at */

typedef struct unpacked {
  fixture_text text;
  hw_status status;
  bool complete, cut;
} unpacked;

static unpacked unpack_pieces(unpack_kind kind, fuzz_input in, size_t step, size_t room) {
  unpacked r = {.status = HW_OK};
  char *out = malloc(room);
  unpack *u = unpack_new(kind);
  if (!u || !out) fixture_fail("no memory");
  fixture_put(&r.text, "", 0);
  while (r.status == HW_OK && r.text.len < OUT_MAX) {
    size_t n = step < in.len ? step : in.len, used, made;
    const char *fault = NULL;
    unsigned char *piece = malloc(n + 1); /* so that nothing behind it is read */
    if (!piece) fixture_fail("no memory");
    if (n) memcpy(piece, in.data, n);
    r.status = unpack_run(u, piece, n, &used, out, room, &made, &fault);
    free(piece);
    if (used > n || made > room || (r.status != HW_OK) != (fault != NULL)) fixture_fail("%zu of %zu used", used, n);
    fixture_put(&r.text, out, made);
    in.data += used;
    in.len -= used;
    if (!used && !made) {
      if (r.status == HW_OK && in.len) fixture_fail("%zu bytes are neither used nor wrong", in.len);
      break;
    }
  }
  r.cut = r.text.len >= OUT_MAX;
  r.complete = unpack_complete(u);
  unpack_free(u);
  free(out);
  return r;
}

/* Of a damaged archive, how much comes out before the fault depends on the pieces. */
static bool is_same(const unpacked *a, const unpacked *b) {
  size_t common = a->text.len < b->text.len ? a->text.len : b->text.len;
  if (a->status != b->status || memcmp(a->text.data, b->text.data, common) != 0) return false;
  return a->status != HW_OK || (a->text.len == b->text.len && a->complete == b->complete);
}

/* libzstd reads formats from before 1.0, but only where their four first bytes come at once. */
static bool holds_old_zstd(fuzz_input in) {
  for (size_t i = 1; i + 3 <= in.len; i++) {
    unsigned char before = (unsigned char)in.data[i - 1];
    if (!memcmp(in.data + i, "\xb5\x2f\xfd", 3) && (before == 0x1e || (before >= 0x22 && before <= 0x27))) return true;
  }
  return false;
}

static void check_pieces(unpack_kind kind, fuzz_input in, size_t step, size_t room) {
  if (kind == UNPACK_ZSTD && holds_old_zstd(in)) return;
  unpacked whole = unpack_pieces(kind, in, SIZE_MAX, OUT_MAX), pieces = unpack_pieces(kind, in, step, room);
  if (!whole.cut && !pieces.cut && !is_same(&whole, &pieces))
    fixture_fail("%zu bytes, status %d, complete %d; in pieces of %zu, %zu: %zu bytes, status %d, complete %d",
                 whole.text.len, whole.status, whole.complete, step, room, pieces.text.len, pieces.status,
                 pieces.complete);
  free(whole.text.data);
  free(pieces.text.data);
}

static void pack_gzip(fixture_text *out, const char *data, size_t len) {
  z_stream z = {0};
  if (deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) fixture_fail("no memory");
  size_t room = deflateBound(&z, len);
  char *packed = malloc(room);
  if (!packed) fixture_fail("no memory");
  z.next_in = (z_const Bytef *)(uintptr_t)data;
  z.avail_in = (uInt)len;
  z.next_out = (Bytef *)packed;
  z.avail_out = (uInt)room;
  if (deflate(&z, Z_FINISH) != Z_STREAM_END) fixture_fail("not packed");
  fixture_put(out, packed, room - z.avail_out);
  (void)deflateEnd(&z);
  free(packed);
}

static void pack_zstd(fixture_text *out, const char *data, size_t len) {
  size_t room = ZSTD_compressBound(len);
  char *packed = malloc(room);
  if (!packed) fixture_fail("no memory");
  size_t n = ZSTD_compress(packed, room, data, len, 1);
  if (ZSTD_isError(n)) fixture_fail("not packed");
  fixture_put(out, packed, n);
  free(packed);
}

static void check_packed(unpack_kind kind, fuzz_input in, size_t step, size_t room) {
  void (*pack)(fixture_text *, const char *, size_t) = kind == UNPACK_GZIP ? pack_gzip : pack_zstd;
  fixture_text packed = {0};
  size_t half = in.len / 2;
  pack(&packed, in.data, half);
  pack(&packed, in.data + half, in.len - half);
  if (unpack_sniff((const unsigned char *)packed.data, packed.len, true) != kind) fixture_fail("not known again");
  unpacked r = unpack_pieces(kind, (fuzz_input){packed.data, packed.len}, step, room);
  if (r.status != HW_OK || !r.complete || r.text.len != in.len || (in.len && memcmp(r.text.data, in.data, in.len) != 0))
    fixture_fail("%zu bytes come out as %zu, status %d", in.len, r.text.len, r.status);
  free(r.text.data);
  free(packed.data);
}

void fuzz_unpack(fuzz_input in) {
  unsigned what = fuzz_choose(&in, 4);
  size_t step = 1 + fuzz_choose(&in, 64), room = 1 + fuzz_choose(&in, 64);
  unpack_kind kind = what % 2 ? UNPACK_ZSTD : UNPACK_GZIP;
  if (what < 2)
    check_pieces(kind, in, step, room);
  else
    check_packed(kind, in, step, room);
}
