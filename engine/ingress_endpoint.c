#include "engine/ingress_endpoint.h"

#include "runtime/config.h"
#include "runtime/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As the contract has it for HTTP inputs; a body waits where it is. */
#define QUEUED_RECORDS 100000
#define QUEUED_BYTES (INT64_C(64) << 20)
#define RECORD_BYTES (INT64_C(16) << 20)

static void endpoint_free(extra_spec *extra) {
  ingress_endpoint *e = (ingress_endpoint *)extra;
  config_free(extra->spec.format_config);
  pthread_mutex_destroy(&e->lock);
  free(e->json);
  free(e);
}

/* ---- the table and the format ---------------------------------------------- */

static hw_status find_table(const program *prog, const char *table, uint32_t *out, hw_error *err) {
  int r = program_find_relation(prog, table);
  *out = (uint32_t)r;
  if (r >= 0 && prog->relations[r].kind == PROGRAM_TABLE) return HW_OK;
  char there[400] = "";
  size_t at = 0;
  for (uint32_t i = 0; i < prog->n_relations && at < sizeof there; i++)
    if (prog->relations[i].kind == PROGRAM_TABLE)
      at += (size_t)snprintf(there + at, sizeof there - at, "%s%s", at ? ", " : "", prog->relations[i].schema.name);
  return hw_error_code(err, HW_ENOTFOUND, "UnknownInputStream",
                       "unknown input table or stream '%.100s'%s (there is: %s)", table,
                       r >= 0 ? ", which is a view" : "", at ? there : "none");
}

static hw_status find_format(const char *name, const hw_format **out, hw_error *err) {
  *out = registry_format(name);
  if (*out && (*out)->parser) return HW_OK;
  char known[200] = "";
  size_t at = 0;
  const hw_format *f;
  for (unsigned i = 0; (f = registry_format_at(i)) && at < sizeof known; i++)
    if (f->parser) at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at ? ", " : "", f->name);
  return hw_error_code(err, HW_EINVAL, "UnknownInputFormat", "unknown input format '%.60s' (known: %s)", name, known);
}

/* Ways of writing updates that the contract knows and no parser here reads. */
static hw_status check_update_format(const json_t *config, hw_error *err) {
  static const char *const foreign[] = {"weighted", "redis", "snowflake"};
  const char *name = json_string_value(json_object_get(config, "update_format"));
  for (size_t i = 0; name && i < sizeof foreign / sizeof *foreign; i++)
    if (strcmp(name, foreign[i]) == 0)
      return hw_error_code(err, HW_EINVAL, "InputFormatNotSupported",
                           "update_format '%s' cannot be read: send insert_delete, raw or debezium", name);
  return HW_OK;
}

static void on_fault(void *arg, const char *path, const char *message) {
  hw_error *err = arg;
  if (err->status == HW_OK)
    (void)hw_error_code(err, HW_EINVAL, "ParserConfigParseError", "format option %s: %s", path, message);
}

static hw_status read_config(const hw_format *f, const json_t *config, hw_config **out, hw_error *err) {
  hw_error why = {.status = HW_OK};
  hw_status status = check_update_format(config, err);
  if (status != HW_OK) return status;
  *out = config_new(f->parser_options, config, "", on_fault, &why);
  if (*out) return HW_OK;
  if (why.status == HW_OK) (void)hw_error_set(&why, HW_ENOMEM, "no memory for the options of format %s", f->name);
  if (err) *err = why;
  return why.status;
}

/* Whether the format can do it with these columns, before an endpoint stands for it. */
static hw_status try_format(const hw_format *f, const hw_config *config, const hw_schema *schema, hw_error *err) {
  hw_error why = {.status = HW_OK};
  void *parser;
  hw_status status = f->parser->create(config, schema, &parser, &why);
  if (status == HW_OK) {
    f->parser->destroy(parser);
    return HW_OK;
  }
  if (status == HW_ENOMEM) return hw_error_set(err, status, "%s", why.message);
  return hw_error_code(err, HW_EINVAL, "InvalidParserConfig", "format %s for table \"%.100s\": %s", f->name,
                       schema->name, why.message);
}

/* ---- its name --------------------------------------------------------------- */

/* FNV-1a, 64 bits. */
static uint64_t hash(uint64_t h, const char *text) {
  for (; *text; text++) h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return h;
}

/* Everything that makes an endpoint of its own, as text. */
static char *describe(const hw_format *f, const hw_config *config, bool force) {
  json_t *all = config_to_json(config);
  json_t *object = json_pack("{s:{s:s,s:{s:b}}, s:{s:s,s:O}}", "transport", "name", ingress_transport.name, "config",
                             "force", force, "format", "name", f->name, "config", all);
  char *text = object ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
  json_decref(all);
  json_decref(object);
  return text;
}

/* Names follow from what they stand for; should two have one hash, the second goes by the next. */
static void name_endpoint(deployment *d, ingress_endpoint *e, const char *table) {
  uint64_t h = hash(UINT64_C(0xcbf29ce484222325), e->json);
  for (;; h++) {
    snprintf(e->name, sizeof e->name, "api-ingress-%016llx", (unsigned long long)h);
    snprintf(e->endpoint, sizeof e->endpoint, "%.200s.%s", table, e->name);
    const ingress_endpoint *there = (ingress_endpoint *)deployment_find_input(d, e->endpoint);
    if (!there || (strcmp(there->json, e->json) == 0 && there->extra.spec.relation == e->extra.spec.relation)) return;
  }
}

/* ---- making ----------------------------------------------------------------- */

static ingress_endpoint *endpoint_new(deployment *d, uint32_t relation, const hw_format *f, hw_config *config,
                                      bool force) {
  ingress_endpoint *e = calloc(1, sizeof *e);
  if (!e) return NULL;
  if (pthread_mutex_init(&e->lock, NULL) != 0) goto no_lock;
  if (!(e->json = describe(f, config, force))) goto no_text;
  e->extra.free = endpoint_free;
  e->extra.spec = (program_connector){.name = e->name, .endpoint = e->endpoint, .relation = relation, .is_input = true,
                                      .input = &ingress_transport, .format = f, .format_config = config,
                                      .max_queued_records = QUEUED_RECORDS, .max_queued_bytes = QUEUED_BYTES,
                                      .max_record_bytes = RECORD_BYTES, .json = e->json};
  name_endpoint(d, e, deployment_program(d)->relations[relation].schema.name);
  return e;

no_text:
  pthread_mutex_destroy(&e->lock);
no_lock:
  free(e);
  return NULL;
}

ingress_endpoint *ingress_endpoint_get(deployment *d, const ingress_options *o, hw_error *err) {
  uint32_t relation;
  const hw_format *f;
  hw_config *config;
  const program *prog = deployment_program(d);
  if (find_table(prog, o->table, &relation, err) != HW_OK || find_format(o->format, &f, err) != HW_OK ||
      read_config(f, o->config, &config, err) != HW_OK)
    return NULL;
  if (try_format(f, config, &prog->relations[relation].schema, err) != HW_OK) {
    config_free(config);
    return NULL;
  }
  ingress_endpoint *e = endpoint_new(d, relation, f, config, o->force);
  if (!e) {
    config_free(config);
    (void)hw_error_set(err, HW_ENOMEM, "no memory for an ingress endpoint");
    return NULL;
  }
  ingress_endpoint *there = (ingress_endpoint *)deployment_find_input(d, e->endpoint);
  if (!there) return (ingress_endpoint *)deployment_add_input(d, &e->extra, o->force, err);
  endpoint_free(&e->extra);
  return there;
}
