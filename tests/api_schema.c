/* api_schema.c - as much of JSON schemas as the server's document uses. */
#include "tests/api_schema.h"
#include "tests/require.h"

#include "api/openapi.h"

#include <check.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const json_t *api_document(void) {
  static json_t *document;
  if (document) return document;
  outbuf text = {0};
  json_writer w;
  char fault[128] = "";
  jw_begin(&w, &text);
  ck_assert_msg(openapi_write(&w, fault, sizeof fault), "malformed: %s", fault);
  json_error_t error;
  document = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error);
  ck_assert_msg(document != NULL, "%s at %d: %.*s", error.text, error.position, 200,
                text.data + (error.position > 100 ? error.position - 100 : 0));
  outbuf_fini(&text);
  return document;
}

/* ---- values --------------------------------------------------------------- */

static int wrong(char *where, size_t size, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  vsnprintf(where, size, fmt, args);
  va_end(args);
  return 0;
}

static const json_t *resolve(const json_t *schema) {
  const char *ref = json_string_value(json_object_get(schema, "$ref"));
  if (!ref) return schema;
  const json_t *schemas = json_object_get(json_object_get(api_document(), "components"), "schemas");
  return json_object_get(schemas, strrchr(ref, '/') + 1);
}

static int is_time(const char *text) {
  int year, month, day, hour, minute, second, end = 0;
  return sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d.%*[0-9]Z%n", &year, &month, &day, &hour, &minute, &second, &end) == 6 &&
         text[end] == '\0' && end > 0;
}

static int is_uuid(const char *text) {
  size_t i = 0;
  for (; text[i]; i++) {
    int dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i])) return 0;
  }
  return i == 36;
}

static int text_fits(const json_t *schema, const json_t *value, char *where, size_t size) {
  const char *text = json_string_value(value), *format = json_string_value(json_object_get(schema, "format"));
  const json_t *words = json_object_get(schema, "enum"), *word;
  size_t i;
  if (!text) return wrong(where, size, "is no string");
  if (format && strcmp(format, "date-time") == 0 && !is_time(text)) return wrong(where, size, "is no time: %s", text);
  if (format && strcmp(format, "uuid") == 0 && !is_uuid(text)) return wrong(where, size, "is no UUID: %s", text);
  if (!words) return 1;
  json_array_foreach(words, i, word) {
    if (json_equal(word, value)) return 1;
  }
  return wrong(where, size, "has an unknown word: %s", text);
}

static int inner_fits(const json_t *schema, const char *name, const json_t *value, char *where, size_t size) {
  char inner[400];
  if (api_schema_fits(schema, value, inner, sizeof inner)) return 1;
  return wrong(where, size, ".%s%s%s", name, *inner == '.' ? "" : " ", inner);
}

static int members_fit(const json_t *schema, json_t *value, char *where, size_t size) {
  const json_t *properties = json_object_get(schema, "properties");
  const json_t *rest = json_object_get(schema, "additionalProperties");
  const char *key;
  json_t *member;
  json_object_foreach(value, key, member) {
    const json_t *inner = json_object_get(properties, key);
    if (!inner && json_is_object(rest)) inner = rest;
    if (!inner && properties && !json_is_true(rest)) return wrong(where, size, "has a member '%s'", key);
    if (inner && !inner_fits(inner, key, member, where, size)) return 0;
  }
  return 1;
}

static int object_fits(const json_t *schema, const json_t *value, char *where, size_t size) {
  const json_t *required = json_object_get(schema, "required"), *name;
  size_t i;
  if (!json_is_object(value)) return wrong(where, size, "is no object");
  json_array_foreach(required, i, name) {
    if (!json_object_get(value, json_string_value(name)))
      return wrong(where, size, "lacks '%s'", json_string_value(name));
  }
  return members_fit(schema, (json_t *)value, where, size); /* cast: jansson iterates mutable objects only */
}

static int items_fit(const json_t *schema, const json_t *value, char *where, size_t size) {
  const json_t *item;
  size_t i;
  char name[24];
  if (!json_is_array(value)) return wrong(where, size, "is no array");
  json_array_foreach(value, i, item) {
    snprintf(name, sizeof name, "%zu", i);
    if (!inner_fits(json_object_get(schema, "items"), name, item, where, size)) return 0;
  }
  return 1;
}

int api_schema_fits(const json_t *schema, const json_t *value, char *where, size_t size) {
  schema = resolve(schema);
  REQUIRE(schema != NULL);
  const char *type = json_string_value(json_object_get(schema, "type"));
  if (json_is_null(value) && json_is_true(json_object_get(schema, "nullable"))) return 1;
  const json_t *all = json_object_get(schema, "allOf");
  if (all) return api_schema_fits(json_array_get(all, 0), value, where, size);
  if (!type) return 1;
  if (strcmp(type, "string") == 0) return text_fits(schema, value, where, size);
  if (strcmp(type, "object") == 0) return object_fits(schema, value, where, size);
  if (strcmp(type, "array") == 0) return items_fit(schema, value, where, size);
  if (strcmp(type, "boolean") == 0) return json_is_boolean(value) || wrong(where, size, "is no boolean");
  if (strcmp(type, "integer") == 0) return json_is_integer(value) || wrong(where, size, "is no integer");
  return json_is_number(value) || wrong(where, size, "is no number");
}

/* ---- replies -------------------------------------------------------------- */

static int path_fits(const char *pattern, const char *path) {
  while (*pattern == '/' && *path == '/') {
    size_t part = strcspn(++pattern, "/"), segment = strcspn(++path, "/?");
    if (*pattern == '{' ? segment == 0 : part != segment || memcmp(pattern, path, part) != 0) return 0;
    pattern += part;
    path += segment;
  }
  return *pattern == '\0' && (*path == '\0' || *path == '?');
}

static const json_t *find_operation(const char *method, const char *path) {
  char name[16] = "";
  for (size_t i = 0; method[i] && i + 1 < sizeof name; i++) name[i] = (char)tolower((unsigned char)method[i]);
  const char *pattern;
  json_t *item;
  json_object_foreach(json_object_get(api_document(), "paths"), pattern, item) {
    const json_t *operation = json_object_get(item, strcmp(name, "head") == 0 ? "get" : name);
    if (operation && path_fits(pattern, path)) return operation;
  }
  return NULL;
}

/* What any request may be answered with, whatever its route. */
static int is_common(const char *code) {
  static const char *const codes[] = {
      "MalformedRequest", "InvalidUrl",       "ForeignHost",      "ForeignOrigin", "RequestTimeout",
      "PayloadTooLarge",  "UriTooLong",       "HeadersTooLarge",  "ServerBusy",    "ExpectationFailed",
      "NotImplemented",   "InvalidParam",     "TooManyConnections", "OutOfMemory", "UnsupportedMediaType",
      "MethodNotAllowed", "HttpVersionNotSupported", "InternalError", "InvalidApiKey", "InsufficientPermissions"};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (strcmp(codes[i], code) == 0) return 1;
  return 0;
}

static void check_code(const char *method, const char *path, const json_t *answer, int status, const json_t *body) {
  const char *code = json_string_value(json_object_get(body, "error_code"));
  ck_assert_msg(code != NULL, "%s %s: %d without error_code", method, path, status);
  if (is_common(code)) return;
  const char *told = json_string_value(json_object_get(answer, "description"));
  ck_assert_msg(told && strstr(told, code), "%s %s: %d %s is not in its description", method, path, status, code);
}

static const json_t *schema_of(const json_t *answer) {
  const json_t *json = json_object_get(json_object_get(answer, "content"), "application/json");
  return json_object_get(json, "schema");
}

void api_check_reply(const char *method, const char *path, int status, const json_t *body) {
  char number[12], where[500];
  const json_t *operation = find_operation(method, path);
  if (!operation) return;
  snprintf(number, sizeof number, "%d", status);
  const json_t *responses = json_object_get(operation, "responses"), *answer = json_object_get(responses, number);
  if (status >= 400) check_code(method, path, answer, status, body);
  if (!answer && status >= 400) answer = json_object_get(responses, "default");
  ck_assert_msg(answer != NULL, "%s %s: %d is not in its description", method, path, status);
  const json_t *schema = schema_of(answer);
  ck_assert_msg(!body == !schema, "%s %s: %d %s", method, path, status, body ? "has a body" : "has no body");
  if (!body) return;
  ck_assert_msg(api_schema_fits(schema, body, where, sizeof where), "%s %s: %d: the reply%s%s", method, path, status,
                *where == '.' ? "" : " ", where);
}
