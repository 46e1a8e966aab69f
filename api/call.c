/* call.c - what handlers share: query parameters, pipelines, refusals. */
#include "api/call.h"

#include <ctype.h>

bool call_query_bool(const api_call *call, const char *name, bool fallback, bool *out) {
  const char *value = http_query(call->req, name);
  *out = value ? strcmp(value, "true") == 0 : fallback;
  if (!value || *out || strcmp(value, "false") == 0) return true;
  call_refuse_query(call, name, "true, false");
  return false;
}

void call_refuse_query(const api_call *call, const char *name, const char *allowed) {
  const char *value = http_query(call->req, name);
  const reply_detail details[] = {{"parameter", name}, {"value", value}, {NULL, NULL}};
  reply_error(call->req, 400, "InvalidParam", details, "query parameter '%s' is '%.100s'; it can be: %s", name, value,
              allowed);
}

bool call_read_whole(const api_call *call, bool *whole) {
  const char *selector = http_query(call->req, "selector");
  *whole = selector && strcmp(selector, "all") == 0;
  if (!selector || *whole || strcmp(selector, "status") == 0) return true;
  call_refuse_query(call, "selector", "all, status");
  return false;
}

bool call_is_uuid(const char *text) {
  size_t i = 0;
  for (; text[i]; i++) {
    bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) return false;
  }
  return i == 36;
}

hw_pipeline *call_find_pipeline(const api_call *call) {
  const char *name = call->params[PARAM_PIPELINE];
  hw_pipeline *p = hw_pipeline_find(call->context->engine, name);
  if (p) return p;
  const reply_detail details[] = {{"pipeline_name", name}, {NULL, NULL}};
  reply_error(call->req, 404, "UnknownPipelineName", details, "Unknown pipeline name '%.100s'", name);
  return NULL;
}

static void refuse_not_deployed(const api_call *call, hw_pipeline *p, const hw_error *err) {
  pipeline_info info;
  if (pipeline_get_info(p, &info) != HW_OK) {
    http_reply_no_memory(call->req);
    return;
  }
  const reply_detail details[] = {
      {"pipeline_name", info.definition->members[MEMBER_NAME]},
      {"status", view_resources_status(info.status)},
      {"desired_status", view_resources_status(info.desired)},
      {NULL, NULL},
  };
  reply_engine_error(call->req, err, details);
  pipeline_info_fini(&info);
}

/* "table.connector", the table by SQL's rule for names. */
static void name_endpoint(const char *relation, const char *connector, char *out, size_t size) {
  size_t len = strlen(relation);
  bool quoted = len >= 2 && relation[0] == '"' && relation[len - 1] == '"';
  if (quoted) snprintf(out, size, "%.*s.%s", (int)(len - 2), relation + 1, connector);
  else snprintf(out, size, "%s.%s", relation, connector);
  for (char *c = out; !quoted && *c && c < out + len; c++)
    if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
}

static void refuse_endpoint(const api_call *call, hw_pipeline *p, const hw_error *err) {
  char endpoint[300];
  name_endpoint(call->params[PARAM_RELATION], call->params[PARAM_CONNECTOR], endpoint, sizeof endpoint);
  const reply_detail details[] = {{"pipeline_name", hw_pipeline_name(p)}, {"endpoint_name", endpoint}, {NULL, NULL}};
  reply_engine_error(call->req, err, details);
}

void call_refuse(const api_call *call, hw_pipeline *p, const hw_error *err) {
  const reply_detail details[] = {{"pipeline_name", hw_pipeline_name(p)}, {NULL, NULL}};
  if (strcmp(err->code, "PipelineInteractionNotDeployed") == 0) {
    refuse_not_deployed(call, p, err);
  } else if (call->params[PARAM_CONNECTOR]) {
    refuse_endpoint(call, p, err);
  } else {
    reply_engine_error(call->req, err, details);
  }
}
