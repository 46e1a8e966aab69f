#include "engine/token.h"

#include "engine/pipeline.h"
#include "runtime/deployment_extra.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Three bytes are four letters; no padding. */
static void encode(char *out, const char *text, size_t len) {
  for (size_t i = 0; i < len; i += 3) {
    uint32_t bits = 0;
    size_t n = len - i < 3 ? len - i : 3;
    for (size_t k = 0; k < 3; k++) bits = bits << 8 | (k < n ? (unsigned char)text[i + k] : 0);
    for (size_t k = 0; k <= n; k++) *out++ = letters[bits >> (18 - 6 * k) & 63];
  }
  *out = '\0';
}

/* Returns the length; 0: not such text, or longer than room. */
static size_t decode(const char *token, char *out, size_t room) {
  uint32_t bits = 0, n_bits = 0;
  size_t n = 0;
  for (; *token; token++) {
    const char *letter = strchr(letters, *token);
    if (!letter || n == room) return 0;
    bits = (bits << 6 | (uint32_t)(letter - letters)) & 0xffffff;
    n_bits += 6;
    if (n_bits < 8) continue;
    n_bits -= 8;
    out[n++] = (char)(bits >> n_bits);
  }
  return n;
}

void token_write(char out[TOKEN_SIZE], const deployment *d, uint64_t input, uint64_t records) {
  char text[TOKEN_SIZE / 4 * 3];
  int len = snprintf(text, sizeof text, "{\"u\":\"%s\",\"e\":%llu,\"c\":%llu}", deployment_incarnation(d),
                     (unsigned long long)input, (unsigned long long)records);
  encode(out, text, (size_t)len);
}

static deployment *find(hw_pipeline *p, const char *table, const char *connector, uint64_t *input, hw_error *err) {
  deployment *d = pipeline_deployment(p, err);
  if (!d) return NULL;
  const program *prog = deployment_program(d);
  int r = program_find_relation(prog, table);
  int c = r < 0 ? -1 : program_find_connector(prog, (uint32_t)r, true, connector);
  if (c >= 0) *input = (uint64_t)c;
  if (c >= 0 || (r >= 0 && deployment_find_extra(d, (uint32_t)r, connector, input))) return d;
  (void)pipeline_find_connector(p, prog, true, table, connector, err); /* says so */
  deployment_unref(d);
  return NULL;
}

hw_status pipeline_get_token(hw_pipeline *p, const char *table, const char *connector, char out[TOKEN_SIZE],
                             hw_error *err) {
  hw_error why = {0};
  uint64_t input = 0, records = 0;
  deployment *d = find(p, table, connector, &input, &why);
  if (!d) {
    if (err) *err = why;
    return why.status;
  }
  (void)deployment_input_records(d, input, &records); /* it is there */
  token_write(out, d, input, records);
  deployment_unref(d);
  return HW_OK;
}

typedef struct token {
  char incarnation[37];
  uint64_t input, records;
} token;

static hw_status read_token(const char *text, token *out, hw_error *err) {
  char plain[TOKEN_SIZE];
  size_t len = decode(text, plain, sizeof plain);
  json_t *object = len ? json_loadb(plain, len, 0, NULL) : NULL;
  const char *incarnation;
  json_int_t input, records;
  bool ok = object && json_unpack(object, "{s:s,s:I,s:I}", "u", &incarnation, "e", &input, "c", &records) == 0 &&
            strlen(incarnation) < sizeof out->incarnation && input >= 0 && records >= 0;
  if (ok) {
    *out = (token){.input = (uint64_t)input, .records = (uint64_t)records};
    memcpy(out->incarnation, incarnation, strlen(incarnation) + 1);
  }
  json_decref(object);
  if (ok) return HW_OK;
  return hw_error_code(err, HW_EINVAL, "InvalidParam",
                       "'%.140s' is not a completion token: use the text that an ingress request or a connector's "
                       "completion_token gave", text);
}

static hw_status look(deployment *d, const token *t, bool *complete, uint64_t *step, hw_error *err) {
  if (strcmp(t->incarnation, deployment_incarnation(d)) != 0)
    return hw_error_code(err, HW_ESTATE, "PipelineRestarted",
                         "the completion token was made by run %s of the pipeline, and this is run %s: what it stands "
                         "for cannot be told any more", t->incarnation, deployment_incarnation(d));
  hw_status status = deployment_is_complete(d, t->input, t->records, complete, step);
  if (status == HW_ENOTFOUND)
    return hw_error_code(err, HW_ESTATE, "UnknownEndpointInCompletionToken",
                         "the completion token is about input endpoint number %llu, which the pipeline does not have",
                         (unsigned long long)t->input);
  return status == HW_OK ? HW_OK : hw_error_set(err, status, "no memory to follow the completion of an input");
}

hw_status pipeline_get_completion(hw_pipeline *p, const char *text, bool *complete, uint64_t *step, hw_error *err) {
  hw_error why = {0};
  token t;
  deployment *d = pipeline_deployment(p, &why);
  hw_status status = d ? read_token(text, &t, &why) : why.status;
  if (status == HW_OK) status = look(d, &t, complete, step, &why);
  deployment_unref(d);
  if (status != HW_OK && err) *err = why;
  return status;
}
