/* sql_fixture.c - compiling programs in tests. */
#include "tests/sql_fixture.h"

#include "runtime/registry.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a plugin to refer to -------------------------------------------------- */

static const hw_option file_options[] = {
    {"path", HW_OPTION_STRING, HW_OPTION_REQUIRED, NULL, 0, 0, NULL, NULL, "file"},
    {"size", HW_OPTION_INT, 0, "8192", 1, 100000, "bytes", NULL, "size"},
    {"key", HW_OPTION_STRING, HW_OPTION_SECRET, NULL, 0, 0, NULL, NULL, "key"},
    {"dotted.name", HW_OPTION_BOOL, 0, "false", 0, 0, NULL, NULL, "dotted"},
    {0},
};

static const hw_option no_options[] = {{0}};

static const hw_option lines_options[] = {
    {"columns", HW_OPTION_INT, 0, NULL, 1, 100, NULL, NULL, "columns wanted"},
    {0},
};

/* Transports count their instances, too, and refuse a table of this name. What
 * follows must never be called by the compiler. */
int sql_transports, sql_transports_made;

static hw_status transport_create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)config;
  if (strcmp(hw_connector_schema(c)->name, "refused") == 0)
    return hw_error_set(err, HW_EINVAL, "nothing for %s", hw_connector_endpoint(c));
  hw_connector_log(c, HW_LOG_WARNING, "nobody hears this");
  sql_transports++;
  sql_transports_made++;
  *instance = &sql_transports;
  return HW_OK;
}
static void transport_destroy(void *instance) { --*(int *)instance; }
static hw_fetch no_fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  (void)instance, (void)args, (void)err;
  abort();
}
static hw_write no_write(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                         hw_error *err) {
  (void)instance, (void)args, (void)data, (void)len, (void)written, (void)err;
  abort();
}
static hw_write no_take(void *instance, const hw_write_args *args, const hw_batch *batch, hw_error *err) {
  (void)instance, (void)args, (void)batch, (void)err;
  abort();
}

static const hw_input_ops input_ops = {.create = transport_create, .fetch = no_fetch, .destroy = transport_destroy};
static const hw_output_ops output_ops = {.create = transport_create, .write = no_write, .take = no_take,
                                         .destroy = transport_destroy};

/* The format counts its instances, and refuses tables of another width. */
int sql_instances, sql_instances_made;

static hw_status lines_create(const hw_config *config, const hw_schema *schema, void **instance, hw_error *err) {
  int64_t wanted = hw_config_int(config, "columns");
  if (wanted && wanted != schema->n_fields)
    return hw_error_set(err, HW_EINVAL, "%s has %u columns", schema->name, schema->n_fields);
  sql_instances++;
  sql_instances_made++;
  *instance = &sql_instances;
  return HW_OK;
}
static void lines_destroy(void *instance) { --*(int *)instance; }
static hw_status lines_parse(void *parser, const char *data, size_t len, bool final, hw_batch *batch, hw_report *report,
                             size_t *consumed) {
  (void)parser, (void)data, (void)len, (void)final, (void)batch, (void)report, (void)consumed;
  abort();
}
static hw_status lines_encode(void *encoder, const hw_batch *batch, uint32_t first, size_t soft_limit, hw_bytes *out,
                              hw_report *report, uint32_t *taken) {
  (void)encoder, (void)batch, (void)first, (void)soft_limit, (void)out, (void)report, (void)taken;
  abort();
}

static const hw_parser_ops parser_ops = {.create = lines_create, .parse = lines_parse, .destroy = lines_destroy};
static const hw_encoder_ops encoder_ops = {.create = lines_create, .encode = lines_encode, .destroy = lines_destroy};

static const hw_input_transport file_in = {sizeof file_in, "t_file_input", "file", 0, file_options, &input_ops, NULL};
static const hw_input_transport gen_in = {sizeof gen_in, "t_gen", "rows", HW_CAP_ROWS, no_options, &input_ops, NULL};
static const hw_output_transport file_out = {sizeof file_out, "t_file_output", "file", 0, file_options, &output_ops};
static const hw_output_transport null_out = {sizeof null_out, "t_null", "none", HW_CAP_ROWS, no_options, &output_ops};
static const hw_format lines = {.struct_size = sizeof lines, .name = "t_lines", .summary = "lines",
                                .parser_options = lines_options, .encoder_options = lines_options,
                                .parser = &parser_ops, .encoder = &encoder_ops};
static const hw_format parse_only = {.struct_size = sizeof parse_only, .name = "t_parse", .summary = "p",
                                     .parser_options = no_options, .parser = &parser_ops};

static const hw_input_transport *const inputs[] = {&file_in, &gen_in, NULL};
static const hw_output_transport *const outputs[] = {&file_out, &null_out, NULL};
static const hw_format *const formats[] = {&lines, &parse_only, NULL};
static const hw_plugin plugin = {.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI, .struct_size = sizeof plugin,
                                 .name = "test", .version = "1", .inputs = inputs, .outputs = outputs,
                                 .formats = formats};

void sql_register(void) {
  hw_error err;
  ck_assert_msg(registry_add(&plugin, sizeof plugin, "test", &err) == HW_OK, "%s", err.message);
}

/* ---- compiling -------------------------------------------------------------- */

program_messages sql_messages;

program *sql_compile(const char *text, size_t len) {
  program_messages_fini(&sql_messages);
  return program_compile(text, len, &sql_messages);
}

/* All messages as lines "line:column-end_line:end_column type: message". */
const char *sql_messages_text(void) {
  static char text[32768];
  size_t len = 0;
  text[0] = '\0';
  for (uint32_t i = 0; i < sql_messages.n && len < sizeof text; i++) {
    const program_message *m = &sql_messages.items[i];
    len += (size_t)snprintf(text + len, sizeof text - len, "%s%d:%d-%d:%d %s: %s\n", m->warning ? "warning " : "",
                            m->line, m->column, m->end_line, m->end_column, m->type, m->message);
  }
  return text;
}

program *sql_compile_good(const char *text) {
  program *p = sql_compile(text, strlen(text));
  ck_assert_msg(p != NULL, "%s\n%s", text, sql_messages_text());
  ck_assert_uint_eq(sql_messages.n_errors, 0);
  return p;
}

void sql_type_text(const hw_type *t, char *out, size_t size) {
  char params[32] = "";
  if (t->id == HW_TYPE_DECIMAL) snprintf(params, sizeof params, "(%u,%u)", t->precision, t->scale);
  else if (t->length) snprintf(params, sizeof params, "(%u)", t->length);
  snprintf(out, size, "%s%s%s", hw_type_name((hw_type_id)t->id), params, t->nullable ? "?" : "");
}
