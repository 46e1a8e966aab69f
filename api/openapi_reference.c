/* openapi_reference.c - docs/reference/http-api.md, from the tables the router reads. */
#include "api/openapi.h"

/* A type within a table of Markdown, where '|' would end the cell. */
static void add_type(outbuf *out, const char *type) {
  outbuf_add_char(out, '`');
  for (; *type; type++) {
    if (*type == '|') outbuf_add_char(out, '\\');
    outbuf_add_char(out, *type);
  }
  outbuf_add_char(out, '`');
}

static void add_query(outbuf *out, const api_route *r) {
  if (!r->query) return;
  outbuf_add_str(out, "| query | type | default | |\n|---|---|---|---|\n");
  for (const api_param *p = r->query; p->name; p++) {
    outbuf_printf(out, "| `%s` | ", p->name);
    add_type(out, p->type);
    outbuf_printf(out, " | %s%s%s | %s |\n", p->fallback && *p->fallback ? "`" : "",
                  !p->fallback ? "none" : *p->fallback ? p->fallback : "must be given",
                  p->fallback && *p->fallback ? "`" : "", p->text);
  }
  outbuf_add_char(out, '\n');
}

static void add_answers(outbuf *out, const api_route *r) {
  outbuf_add_str(out, "| status | body | |\n|---|---|---|\n");
  for (const api_answer *a = r->answers; a->status; a++) {
    outbuf_printf(out, "| %u | ", a->status);
    if (a->type) add_type(out, a->type);
    else outbuf_add_str(out, "empty");
    outbuf_printf(out, " | %s |\n", a->text);
  }
  const char *errors = r->errors ? r->errors : "", *codes;
  size_t len;
  unsigned status;
  while ((status = openapi_next_error(&errors, &codes, &len)))
    outbuf_printf(out, "| %u | `ErrorResponse` | %.*s |\n", status, (int)len, codes);
  outbuf_add_char(out, '\n');
}

static void add_route(outbuf *out, const api_route *r) {
  outbuf_printf(out, "### %s %s\n\n%s.", http_method_str(r->method), r->path, r->summary);
  outbuf_printf(out, "%s%s\n\n", r->text ? " " : "", r->text ? r->text : "");
  if (r->open) outbuf_add_str(out, "Asks for no API key.\n\n");
  else outbuf_printf(out, "Asks for the role `%s`.\n\n", api_role_name(api_route_role(r)));
  if (r->body) {
    outbuf_add_str(out, r->takes == BODY_OPTIONAL ? "May take a body: " : "Takes a body: ");
    add_type(out, r->body);
    outbuf_add_str(out, ".\n\n");
  }
  add_query(out, r);
  add_answers(out, r);
}

static void add_shape(outbuf *out, const api_shape *shape) {
  outbuf_printf(out, "### %s\n\n%s.\n\n```\n", shape->name, shape->text);
  const char *at = shape->members + (*shape->members == '=' ? 2 : 0);
  /* One member a line. No type has a comma within. */
  for (size_t len; *at; at += len + strspn(at + len, ", ")) {
    len = strcspn(at, ",");
    outbuf_printf(out, "%.*s\n", (int)len, at);
  }
  outbuf_add_str(out, "```\n\n");
}

static bool is_first_of_tag(size_t i) {
  for (size_t j = 0; j < i; j++)
    if (strcmp(api_routes[j].tag, api_routes[i].tag) == 0) return false;
  return true;
}

void openapi_write_reference(outbuf *out) {
  outbuf_add_str(out,
                 "# Endpoints\n\n<!-- Made by `headworks help --markdown http-api`. "
                 "Change api/routes.c and api/shapes.c instead. -->\n\n"
                 "What is served, as `/api-doc/openapi.json` tells it to programs. [http-api.md](../http-api.md) "
                 "explains what is\nbehind it, and has the errors that every endpoint may answer with.\n\n"
                 "Types: `'a' | 'b'` is one of these texts, `[T]` an array, `{T}` an object whose values are `T`, `T?` "
                 "may be null,\n`name?: T` may be missing; capitalized names are [shapes](#shapes).\n\n");
  for (size_t i = 0; i < api_n_routes; i++) {
    if (!is_first_of_tag(i)) continue;
    outbuf_printf(out, "## %s\n\n", api_routes[i].tag);
    for (size_t j = i; j < api_n_routes; j++)
      if (strcmp(api_routes[j].tag, api_routes[i].tag) == 0) add_route(out, &api_routes[j]);
  }
  outbuf_add_str(out, "## Shapes\n\n");
  for (size_t i = 0; i < api_n_shapes; i++) add_shape(out, &api_shapes[i]);
  if (out->len && !out->failed) out->len--; /* no blank line at the end */
}
