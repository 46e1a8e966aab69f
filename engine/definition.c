/* definition.c - what a user sets on a pipeline, checked and kept (definition.h). */
#include "engine/definition.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define ALNUM "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const struct {
  const char *name, *fallback;
  bool json;
} members[PIPELINE_MEMBERS] = {
    [MEMBER_NAME] = {"name", "", false},
    [MEMBER_DESCRIPTION] = {"description", "", false},
    [MEMBER_TAGS] = {"tags", "[]", true},
    [MEMBER_RUNTIME_CONFIG] = {"runtime_config", "{}", true},
    [MEMBER_PROGRAM_CONFIG] = {"program_config", "{}", true},
    [MEMBER_CODE] = {"program_code", "", false},
    [MEMBER_UDF_RUST] = {"udf_rust", "", false},
    [MEMBER_UDF_TOML] = {"udf_toml", "", false},
};

const char *pipeline_member_name(pipeline_member m) { return members[m].name; }

/* ---- checks ---------------------------------------------------------------- */

static hw_status check_name(const char *name, hw_error *err) {
  size_t len = strlen(name);
  if (len == 0) return hw_error_code(err, HW_EINVAL, "EmptyName", "the name of a pipeline must not be empty");
  if (len > PIPELINE_NAME_MAX)
    return hw_error_code(err, HW_EINVAL, "TooLongName",
                         "the name of a pipeline has at most %d characters, this one has %zu", PIPELINE_NAME_MAX, len);
  if (strspn(name, ALNUM "_-") != len || !strchr(ALNUM, name[0]) || !strchr(ALNUM, name[len - 1]))
    return hw_error_code(err, HW_EINVAL, "NameDoesNotMatchPattern",
                         "the name '%s' must be letters, digits, '_' and '-', with a letter or digit at both ends "
                         "(pattern: '^([A-Za-z0-9][-A-Za-z0-9_]*)?[A-Za-z0-9]$')", name);
  return HW_OK;
}

static hw_status check_description(const char *description, hw_error *err) {
  size_t characters = 0;
  for (const char *c = description; *c; c++) characters += ((unsigned char)*c & 0xC0) != 0x80;
  if (characters <= PIPELINE_DESCRIPTION_MAX) return HW_OK;
  return hw_error_code(err, HW_EINVAL, "TooLongDescription",
                       "the description of a pipeline has at most %d characters, this one has %zu",
                       PIPELINE_DESCRIPTION_MAX, characters);
}

hw_status pipeline_spec_check(const pipeline_spec *spec, hw_error *err) {
  const char *name = spec->members[MEMBER_NAME], *description = spec->members[MEMBER_DESCRIPTION];
  hw_status status = name ? check_name(name, err) : HW_OK;
  return status == HW_OK && description ? check_description(description, err) : status;
}

/* ---- life ------------------------------------------------------------------ */

static char *copy_bytes(const char *bytes, size_t len) {
  char *copy = malloc(len + 1);
  if (!copy) return NULL;
  memcpy(copy, bytes, len);
  copy[len] = '\0';
  return copy;
}

/* The bytes of a member: given, or as before, or empty. */
static const char *choose(const pipeline_definition *base, const pipeline_spec *spec, pipeline_member m, size_t *len) {
  const char *text = spec->members[m];
  if (text) {
    *len = m == MEMBER_CODE ? spec->code_len : strlen(text);
    return text;
  }
  text = base ? base->members[m] : members[m].fallback;
  *len = base && m == MEMBER_CODE ? base->code_len : strlen(text);
  return text;
}

pipeline_definition *pipeline_definition_new(const pipeline_definition *base, const pipeline_spec *spec) {
  pipeline_definition *d = calloc(1, sizeof *d);
  if (!d) return NULL;
  atomic_init(&d->refs, 1);
  d->version = base ? base->version : 1;
  d->program_version = base ? base->program_version : 1;
  const char *platform = base ? base->platform_version : PACKAGE_VERSION;
  memcpy(d->platform_version, platform, strnlen(platform, sizeof d->platform_version - 1));
  for (int m = 0; m < PIPELINE_MEMBERS; m++) {
    size_t len;
    const char *text = choose(base, spec, (pipeline_member)m, &len);
    d->members[m] = copy_bytes(text, len);
    if (!d->members[m]) goto no_memory;
    if (m == MEMBER_CODE) d->code_len = len;
  }
  return d;
no_memory:
  pipeline_definition_unref(d);
  return NULL;
}

pipeline_definition *pipeline_definition_ref(pipeline_definition *d) {
  atomic_fetch_add(&d->refs, 1);
  return d;
}

void pipeline_definition_unref(pipeline_definition *d) {
  if (!d || atomic_fetch_sub(&d->refs, 1) > 1) return;
  for (int m = 0; m < PIPELINE_MEMBERS; m++) free(d->members[m]);
  free(d);
}

/* ---- comparing ------------------------------------------------------------- */

static bool same_json(const char *a, const char *b) {
  json_t *left = json_loads(a, JSON_DECODE_ANY, NULL), *right = json_loads(b, JSON_DECODE_ANY, NULL);
  bool same = left && right && json_equal(left, right);
  json_decref(left);
  json_decref(right);
  return same;
}

bool pipeline_spec_changes(const pipeline_spec *spec, const pipeline_definition *d, pipeline_member m) {
  const char *now = d->members[m], *wanted = spec->members[m];
  if (!wanted) return false;
  if (m == MEMBER_CODE) return spec->code_len != d->code_len || memcmp(wanted, now, d->code_len) != 0;
  return strcmp(wanted, now) != 0 && !(members[m].json && same_json(wanted, now));
}
