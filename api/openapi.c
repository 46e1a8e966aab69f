/* openapi.c - /api-doc/openapi.json, written from the tables the router reads. */
#include "api/openapi.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- errors and media types ----------------------------------------------- */

unsigned openapi_next_error(const char **at, const char **codes, size_t *len) {
  char *end;
  unsigned long status = strtoul(*at, &end, 10);
  if (status < 400 || status > 599 || *end != ' ') return 0;
  *codes = end + 1;
  *len = strcspn(*codes, ";");
  *at = *codes + *len;
  *at += strspn(*at, "; ");
  return (unsigned)status;
}

const char *openapi_media(const char *type, size_t *len, const char **rest) {
  static const char json[] = "application/json";
  size_t word = strcspn(type, " ");
  bool media = memchr(type, '/', word) != NULL;
  *len = media ? word : sizeof json - 1;
  *rest = media ? type + word + strspn(type + word, " ") : type;
  return media ? type : json;
}

/* ---- an operation --------------------------------------------------------- */

/* get_v0_pipelines_pipeline_name_stats */
static void write_id(json_writer *w, const api_route *r) {
  outbuf id = {0};
  for (const char *c = http_method_str(r->method); *c; c++) outbuf_add_char(&id, (char)tolower((unsigned char)*c));
  for (const char *c = r->path; *c; c++) {
    if (*c == '/') outbuf_add_char(&id, '_');
    else if (isalnum((unsigned char)*c) || *c == '_') outbuf_add_char(&id, *c);
  }
  jw_key(w, "operationId");
  jw_text(w, id.data, id.len);
  w->out->failed |= id.failed;
  outbuf_fini(&id);
}

/* A parameter's default is JSON text, of a string without its quotes. */
static bool write_parameter_type(json_writer *w, const api_param *p) {
  bool quoted = strcmp(p->type, "bool") != 0 && strcmp(p->type, "integer") != 0;
  jw_key(w, "schema");
  if (!openapi_write_type(w, p->type)) return false;
  if (!p->fallback || api_param_is_required(p)) return true;
  w->out->len--; /* into the object just closed */
  jw_key(w, "default");
  if (quoted) jw_string(w, p->fallback);
  else jw_raw(w, p->fallback, strlen(p->fallback));
  jw_object_end(w);
  return true;
}

static bool write_parameter(json_writer *w, const api_param *p, const char *in) {
  bool in_path = strcmp(in, "path") == 0;
  if (!p || !p->type || !p->text) return false;
  jw_object(w);
  jw_key_string(w, "name", p->name);
  jw_key_string(w, "in", in);
  jw_key_string(w, "description", p->text);
  jw_key_bool(w, "required", in_path || api_param_is_required(p));
  if (!write_parameter_type(w, p)) return false;
  jw_object_end(w);
  return true;
}

static bool write_parameters(json_writer *w, const api_route *r) {
  jw_key(w, "parameters");
  jw_array(w);
  for (const char *at = strchr(r->path, '{'); at; at = strchr(at + 1, '{'))
    if (!write_parameter(w, api_path_param(at + 1, strcspn(at + 1, "}")), "path")) return false;
  for (const api_param *p = r->query; p && p->name; p++)
    if (!write_parameter(w, p, "query")) return false;
  jw_array_end(w);
  return true;
}

static bool write_media(json_writer *w, const char *media, size_t len, const char *type) {
  char key[64];
  snprintf(key, sizeof key, "%.*s", (int)len, media);
  jw_key(w, key);
  jw_object(w);
  jw_key(w, "schema");
  if (!openapi_write_type(w, type)) return false;
  jw_object_end(w);
  return true;
}

static bool write_content(json_writer *w, const char *type) {
  size_t len;
  const char *rest, *media = openapi_media(type, &len, &rest);
  bool either = *rest == '|'; /* or JSON */
  jw_key(w, "content");
  jw_object(w);
  if (!write_media(w, media, len, *rest && !either ? rest : "string")) return false;
  if (either && !write_media(w, "application/json", 16, rest + 1)) return false;
  jw_object_end(w);
  return true;
}

static bool write_body(json_writer *w, const api_route *r) {
  if (!r->body) return true;
  jw_key(w, "requestBody");
  jw_object(w);
  jw_key_bool(w, "required", r->takes == BODY_WHOLE);
  if (!write_content(w, r->body)) return false;
  jw_object_end(w);
  return true;
}

/* ---- its replies ---------------------------------------------------------- */

static void key_status(json_writer *w, unsigned status) {
  char key[12];
  snprintf(key, sizeof key, "%u", status);
  jw_key(w, key);
  jw_object(w);
}

static bool write_answers(json_writer *w, const api_route *r) {
  for (const api_answer *a = r->answers; a->status; a++) {
    if (!a->text) return false;
    key_status(w, a->status);
    jw_key_string(w, "description", a->text);
    if (a->type && !write_content(w, a->type)) return false;
    jw_object_end(w);
  }
  return true;
}

/* The codes of a status, of which `errors` may have several pieces. */
static void write_error(json_writer *w, unsigned status, const char *errors) {
  const char *codes;
  size_t len;
  unsigned other;
  outbuf text = {0};
  while ((other = openapi_next_error(&errors, &codes, &len)))
    if (other == status) outbuf_printf(&text, "%s%.*s", text.len ? ", " : "", (int)len, codes);
  key_status(w, status);
  jw_key(w, "description");
  jw_text(w, text.data, text.len);
  (void)write_content(w, "ErrorResponse");
  jw_object_end(w);
  w->out->failed |= text.failed;
  outbuf_fini(&text);
}

static bool is_first(const char *errors, const char *here, unsigned status) {
  const char *codes;
  size_t len;
  while (errors < here)
    if (openapi_next_error(&errors, &codes, &len) == status) return false;
  return true;
}

static bool write_errors(json_writer *w, const char *errors) {
  const char *at = errors, *codes;
  size_t len;
  while (*at) {
    const char *here = at;
    unsigned status = openapi_next_error(&at, &codes, &len);
    if (!status) return false;
    if (is_first(errors, here, status)) write_error(w, status, errors);
  }
  return true;
}

static bool write_refusals(json_writer *w, const api_route *r) {
  outbuf errors = {0};
  if (r->errors) outbuf_add_str(&errors, r->errors);
  if (r->query) outbuf_printf(&errors, "%s400 InvalidParam", errors.len ? "; " : "");
  if (!r->open) outbuf_printf(&errors, "%s401 InvalidApiKey; 403 InsufficientPermissions", errors.len ? "; " : "");
  outbuf_add_char(&errors, '\0');
  bool ok = !errors.failed && write_errors(w, errors.data);
  w->out->failed |= errors.failed;
  outbuf_fini(&errors);
  jw_key(w, "default");
  jw_object(w);
  jw_key_string(w, "description", "the request is malformed, or a bound of the server is reached");
  ok = ok && write_content(w, "ErrorResponse");
  jw_object_end(w);
  return ok;
}

static void write_description(json_writer *w, const api_route *r) {
  outbuf text = {0};
  if (r->text) outbuf_printf(&text, "%s ", r->text);
  if (r->open) outbuf_add_str(&text, "Asks for no API key.");
  else outbuf_printf(&text, "Required role: `%s` or higher.", api_role_name(api_route_role(r)));
  jw_key(w, "description");
  jw_text(w, text.data, text.len);
  w->out->failed |= text.failed;
  outbuf_fini(&text);
}

static void write_security(json_writer *w, const api_route *r) {
  jw_key(w, "security");
  jw_array(w);
  if (!r->open) {
    jw_object(w);
    jw_key(w, "API key");
    jw_array(w);
    jw_array_end(w);
    jw_object_end(w);
  }
  jw_array_end(w);
}

static bool write_operation(json_writer *w, const api_route *r) {
  if (!r->tag || !r->summary || !r->answers) return false;
  jw_object(w);
  jw_key(w, "tags");
  jw_array(w);
  jw_string(w, r->tag);
  jw_array_end(w);
  write_id(w, r);
  jw_key_string(w, "summary", r->summary);
  write_description(w, r);
  write_security(w, r);
  if (!write_parameters(w, r) || !write_body(w, r)) return false;
  jw_key(w, "responses");
  jw_object(w);
  if (!write_answers(w, r) || !write_refusals(w, r)) return false;
  jw_object_end(w);
  jw_object_end(w);
  return true;
}

/* ---- the document --------------------------------------------------------- */

static void write_info(json_writer *w) {
  jw_key_string(w, "openapi", "3.0.3");
  jw_key(w, "info");
  jw_object(w);
  jw_key_string(w, "title", "Headworks");
  jw_key_string(w, "description",
                "Pipelines of SQL over streams of rows. HEAD is answered wherever GET is. A query parameter that a "
                "path does not have, or that is given twice, is refused.");
  jw_key_string(w, "version", hw_version());
  jw_key(w, "license");
  jw_object(w);
  jw_key_string(w, "name", "MIT");
  jw_object_end(w);
  jw_object_end(w);
}

static bool seen_before(size_t i) {
  for (size_t j = 0; j < i; j++)
    if (strcmp(api_routes[j].path, api_routes[i].path) == 0) return true;
  return false;
}

/* All methods of the path of route i; *at tells which was the last. */
static bool write_path(json_writer *w, size_t i, size_t *at) {
  jw_key(w, api_routes[i].path);
  jw_object(w);
  for (*at = i; *at < api_n_routes; (*at)++) {
    const api_route *r = &api_routes[*at];
    if (strcmp(r->path, api_routes[i].path) != 0) continue;
    char method[16] = "";
    for (size_t c = 0; c + 1 < sizeof method && http_method_str(r->method)[c]; c++)
      method[c] = (char)tolower((unsigned char)http_method_str(r->method)[c]);
    jw_key(w, method);
    if (!write_operation(w, r)) return false;
  }
  jw_object_end(w);
  return true;
}

static bool write_paths(json_writer *w, char *fault, size_t size) {
  size_t at;
  jw_key(w, "paths");
  jw_object(w);
  for (size_t i = 0; i < api_n_routes; i++) {
    if (seen_before(i) || write_path(w, i, &at)) continue;
    snprintf(fault, size, "%s %s", http_method_str(api_routes[at].method), api_routes[at].path);
    return false;
  }
  jw_object_end(w);
  return true;
}

static void write_security_schemes(json_writer *w) {
  jw_key(w, "securitySchemes");
  jw_object(w);
  jw_key(w, "API key");
  jw_object(w);
  jw_key_string(w, "type", "http");
  jw_key_string(w, "scheme", "bearer");
  jw_key_string(w, "description", "An API key, where the server was started with --auth");
  jw_object_end(w);
  jw_object_end(w);
}

static bool write_shapes(json_writer *w, char *fault, size_t size) {
  jw_key(w, "components");
  jw_object(w);
  jw_key(w, "schemas");
  jw_object(w);
  for (size_t i = 0; i < api_n_shapes; i++) {
    jw_key(w, api_shapes[i].name);
    if (openapi_write_shape(w, &api_shapes[i])) continue;
    snprintf(fault, size, "shape %s", api_shapes[i].name);
    return false;
  }
  jw_object_end(w);
  write_security_schemes(w);
  jw_object_end(w);
  return true;
}

bool openapi_write(json_writer *w, char *fault, size_t size) {
  jw_object(w);
  write_info(w);
  if (!write_paths(w, fault, size) || !write_shapes(w, fault, size)) return false;
  jw_object_end(w);
  return true;
}

void get_openapi(const api_call *call) {
  char fault[128];
  json_writer w;
  reply_begin(call->req, &w);
  if (openapi_write(&w, fault, sizeof fault)) {
    reply_json(call->req, 200, &w);
  } else {
    reply_error(call->req, 500, "InternalError", NULL, "the description of %s is malformed", fault);
  }
}
