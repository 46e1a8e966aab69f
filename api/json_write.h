/* json_write.h - JSON text straight into an outbuf, keys in the order written.
 *
 *     jw_begin(&w, &out);
 *     jw_object(&w);
 *     jw_key(&w, "name"); jw_string(&w, name);
 *     jw_key(&w, "rows"); jw_u64(&w, rows);
 *     jw_object_end(&w);
 *
 * No tree is built and nothing is allocated but the buffer's growth: a hot
 * reply costs little more than copying its bytes. Text that is not well-formed
 * UTF-8 is made so: what is broken becomes U+FFFD. */
#ifndef API_JSON_WRITE_H
#define API_JSON_WRITE_H

#include "api/outbuf.h"

#include <stdint.h>

typedef struct json_writer {
  outbuf *out;
  bool comma; /* the next key or element needs one before it */
} json_writer;

static inline void jw_begin(json_writer *w, outbuf *out) { *w = (json_writer){.out = out}; }

static inline void jw_separate(json_writer *w) {
  if (w->comma) outbuf_add_char(w->out, ',');
  w->comma = true;
}

static inline void jw_open(json_writer *w, char bracket) {
  jw_separate(w);
  outbuf_add_char(w->out, bracket);
  w->comma = false;
}

static inline void jw_close(json_writer *w, char bracket) {
  outbuf_add_char(w->out, bracket);
  w->comma = true;
}

static inline void jw_object(json_writer *w) { jw_open(w, '{'); }
static inline void jw_object_end(json_writer *w) { jw_close(w, '}'); }
static inline void jw_array(json_writer *w) { jw_open(w, '['); }
static inline void jw_array_end(json_writer *w) { jw_close(w, ']'); }

/* A key that needs no escapes (every key that is written in our code). */
static inline void jw_key(json_writer *w, const char *key) {
  size_t len = strlen(key);
  outbuf *out = w->out;
  if (!outbuf_reserve(out, len + 4)) return;
  char *to = out->data + out->len;
  if (w->comma) *to++ = ',';
  *to++ = '"';
  memcpy(to, key, len);
  memcpy(to + len, "\":", 2);
  out->len = (size_t)(to + len + 2 - out->data);
  w->comma = false;
}

/* A value that is JSON text already. */
static inline void jw_raw(json_writer *w, const char *json, size_t len) {
  jw_separate(w);
  outbuf_add(w->out, json, len);
}

static inline void jw_null(json_writer *w) { jw_raw(w, "null", 4); }
static inline void jw_bool(json_writer *w, bool v) { jw_raw(w, v ? "true" : "false", v ? 4 : 5); }
void jw_u64(json_writer *w, uint64_t v);
void jw_i64(json_writer *w, int64_t v);
void jw_text(json_writer *w, const char *s, size_t len);
/* NULL is written as null. */
void jw_string(json_writer *w, const char *s);
/* Microseconds since 1970 as RFC 3339 in UTC. */
void jw_time(json_writer *w, int64_t us);

/* A key with an escaped name (a name that a user chose). */
void jw_key_text(json_writer *w, const char *key);

static inline void jw_key_u64(json_writer *w, const char *key, uint64_t v) { jw_key(w, key), jw_u64(w, v); }
static inline void jw_key_i64(json_writer *w, const char *key, int64_t v) { jw_key(w, key), jw_i64(w, v); }
static inline void jw_key_bool(json_writer *w, const char *key, bool v) { jw_key(w, key), jw_bool(w, v); }
static inline void jw_key_null(json_writer *w, const char *key) { jw_key(w, key), jw_null(w); }
static inline void jw_key_string(json_writer *w, const char *key, const char *v) { jw_key(w, key), jw_string(w, v); }
static inline void jw_key_time(json_writer *w, const char *key, int64_t us) { jw_key(w, key), jw_time(w, us); }

#endif
