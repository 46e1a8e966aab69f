/* reply.c - replies in JSON, and the one shape of an error. */
#include "api/reply.h"

#include <stdarg.h>
#include <stdio.h>

static const char json_type[] = "application/json"; /* clients compare it exactly */

void reply_begin(http_request *req, json_writer *w) { jw_begin(w, http_scratch(req)); }

static void send_json(http_request *req, unsigned status, const outbuf *extra, const json_writer *w) {
  if (w->out->failed) {
    http_reply_no_memory(req);
  } else {
    http_reply(req, status, json_type, extra, w->out->data, w->out->len);
  }
}

void reply_json(http_request *req, unsigned status, const json_writer *w) { send_json(req, status, NULL, w); }

void reply_sentence(http_request *req, unsigned status, const char *fmt, ...) {
  char text[256];
  va_list args;
  va_start(args, fmt);
  vsnprintf(text, sizeof text, fmt, args);
  va_end(args);
  json_writer w;
  reply_begin(req, &w);
  jw_string(&w, text);
  reply_json(req, status, &w);
}

void reply_empty(http_request *req, unsigned status, const outbuf *extra) {
  if (extra && extra->failed) {
    http_reply_no_memory(req);
  } else {
    http_reply(req, status, NULL, extra, NULL, 0);
  }
}

static void send_error(http_request *req, unsigned status, const char *code, const reply_detail *details,
                       const outbuf *extra, const char *message) {
  json_writer w;
  reply_begin(req, &w);
  jw_object(&w);
  jw_key_string(&w, "message", message);
  jw_key_string(&w, "error_code", code);
  jw_key(&w, "details");
  jw_object(&w);
  for (; details && details->key; details++) jw_key_string(&w, details->key, details->value);
  jw_object_end(&w);
  jw_object_end(&w);
  send_json(req, status, extra, &w);
}

static void write_list(json_writer *w, const char *key, const char *list) {
  jw_key(w, key);
  jw_array(w);
  for (size_t len; *list; list += len + (list[len] != '\0')) {
    len = strcspn(list, ",");
    jw_text(w, list, len);
  }
  jw_array_end(w);
}

void reply_error_list(http_request *req, unsigned status, const hw_error *err, const char *key, const char *list) {
  json_writer w;
  reply_begin(req, &w);
  jw_object(&w);
  jw_key_string(&w, "message", err->message);
  jw_key_string(&w, "error_code", err->code);
  jw_key(&w, "details");
  jw_object(&w);
  write_list(&w, key, list);
  jw_object_end(&w);
  jw_object_end(&w);
  send_json(req, status, NULL, &w);
}

/* A message as long as the engine's may be, and what an URL adds. */
#define MESSAGE_MAX (HW_ERROR_MAX + 256)

void reply_error(http_request *req, unsigned status, const char *code, const reply_detail *details, const char *fmt,
                 ...) {
  char message[MESSAGE_MAX];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  send_error(req, status, code, details, NULL, message);
}

void reply_error_with(http_request *req, unsigned status, const char *code, const reply_detail *details,
                      const outbuf *extra, const char *fmt, ...) {
  char message[MESSAGE_MAX];
  va_list args;
  va_start(args, fmt);
  vsnprintf(message, sizeof message, fmt, args);
  va_end(args);
  send_error(req, status, code, details, extra, message);
}

/* ---- the engine's codes --------------------------------------------------- */

/* Codes whose status does not follow from the kind of failure. */
static const struct {
  const char *code;
  unsigned status;
} codes[] = {
    {"AdHocQueryError", 400},
    {"UnknownPipelineName", 404},
    {"UnknownInputEndpoint", 404},
    {"UnknownOutputEndpoint", 404},
    {"UnknownInputStream", 404},
    {"UnknownOutputStream", 404},
    {"DuplicateName", 409},
    {"TransactionInProgress", 409},
    {"Terminating", 410},
    {"PipelineRestarted", 410},
    {"UnknownEndpointInCompletionToken", 410},
    {"ApiConnectionLimit", 429},
    {"InitializationError", 500},
    {"EnterpriseFeature", 501},
    {"PipelineInteractionNotDeployed", 503},
    {"PipelineInteractionUnreachable", 503},
    {"PipelineUnavailable", 503},
    {"Initializing", 503},
    {"Suspended", 503},
    {"PauseTimeout", 503},
    {"CatalogWriteFailed", 503},
};

/* Kinds of failure, and the word for each where the engine has no better one. */
static const struct {
  hw_status engine;
  unsigned status;
  const char *code;
} kinds[] = {
    {HW_ENOMEM, 503, "OutOfMemory"},   {HW_EINVAL, 400, "InvalidParam"},      {HW_ENOTFOUND, 404, "NotFound"},
    {HW_EEXIST, 409, "DuplicateName"}, {HW_ESTATE, 400, "InvalidTransition"}, {HW_EAGAIN, 503, "Unavailable"},
    {HW_ETIMEOUT, 503, "Timeout"},     {HW_ELIMIT, 503, "LimitReached"},      {HW_EUNSUPPORTED, 501, "NotSupported"},
    {HW_ECANCELED, 503, "Canceled"},
};

static unsigned status_of(const hw_error *err, const char **code) {
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    *code = codes[i].code;
    if (strcmp(err->code, *code) == 0) return codes[i].status;
  }
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    *code = err->code[0] ? err->code : kinds[i].code;
    if (kinds[i].engine == err->status) return kinds[i].status;
  }
  *code = err->code[0] ? err->code : "InternalError";
  return 500;
}

void reply_engine_error(http_request *req, const hw_error *err, const reply_detail *details) {
  const char *code;
  unsigned status = status_of(err, &code);
  send_error(req, status, code, details, NULL, err->message[0] ? err->message : hw_status_text(err->status));
}
