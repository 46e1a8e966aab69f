/* reply.h - replies in JSON, and the one shape of an error:
 *
 *     {"message": "...", "error_code": "CamelCase", "details": {...}}
 *
 * on every 4xx and 5xx, those of the protocol included. */
#ifndef API_REPLY_H
#define API_REPLY_H

#include "api/http.h"
#include "api/json_write.h"

/* Members of "details"; a list ends with a NULL key. A NULL value is null. */
typedef struct reply_detail {
  const char *key, *value;
} reply_detail;

/* details NULL: {}. */
void reply_error(http_request *req, unsigned status, const char *code, const reply_detail *details, const char *fmt,
                 ...) HW_PRINTF(5, 6);
/* As reply_error, with more header lines. */
void reply_error_with(http_request *req, unsigned status, const char *code, const reply_detail *details,
                      const outbuf *extra, const char *fmt, ...) HW_PRINTF(6, 7);
/* The engine's error with one detail that is an array; list: words between commas. */
void reply_error_list(http_request *req, unsigned status, const hw_error *err, const char *key, const char *list);
/* What the engine refused: status and code follow err->code, or err->status
 * where there is none. */
void reply_engine_error(http_request *req, const hw_error *err, const reply_detail *details);

/* Begins a JSON body in the server's scratch buffer ... */
void reply_begin(http_request *req, json_writer *w);
/* ... and sends it. */
void reply_json(http_request *req, unsigned status, const json_writer *w);
/* A body that is one JSON string. */
void reply_sentence(http_request *req, unsigned status, const char *fmt, ...) HW_PRINTF(3, 4);
void reply_empty(http_request *req, unsigned status, const outbuf *extra);

#endif
