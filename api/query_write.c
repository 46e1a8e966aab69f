/* query_write.c - the formats of replies to ad-hoc queries. */
#include "api/query_write.h"

#include "api/json_write.h"
#include "runtime/config.h"
#include "runtime/registry.h"
#include "runtime/report.h"

#include <stdlib.h>

static const struct {
  const char *name, *type;
} formats[QUERY_FORMATS] = {
    [QUERY_TEXT] = {"text", "text/plain"},
    [QUERY_JSON] = {"json", "application/json"},
};

query_format query_format_find(const char *name) {
  unsigned i = 0;
  while (i < QUERY_FORMATS && strcmp(formats[i].name, name) != 0) i++;
  return (query_format)i;
}

const char *query_format_type(query_format format) { return formats[format].type; }

/* JSON is what the format of that name makes, its rows as they are. */
struct query_writer {
  hw_report report; /* first */
  query_table *table; /* QUERY_TEXT */
  const hw_format *json;
  hw_config *config;
  void *encoder;
  bool refused; /* a row cannot be expressed */
};

static void on_refused(hw_report *r, const hw_bad_record *bad) {
  (void)bad;
  ((query_writer *)r)->refused = true;
}

static hw_status open_json(query_writer *w, const hw_schema *schema, hw_error *err) {
  w->json = registry_format("json");
  json_t *settings = json_pack("{ss}", "update_format", "raw");
  if (w->json && settings) w->config = config_new(w->json->encoder_options, settings, "format", NULL, NULL);
  json_decref(settings);
  if (!w->config) return hw_error_set(err, HW_ENOMEM, "no memory for a reply");
  return w->json->encoder->create(w->config, schema, &w->encoder, err);
}

query_writer *query_writer_new(query_format format, const hw_schema *schema, hw_error *err) {
  query_writer *w = calloc(1, sizeof *w);
  if (!w) {
    (void)hw_error_set(err, HW_ENOMEM, "no memory for a reply");
    return NULL;
  }
  w->report.add = on_refused;
  hw_status st = HW_OK;
  if (format == QUERY_JSON) st = open_json(w, schema, err);
  else if (!(w->table = query_table_new(schema))) st = hw_error_set(err, HW_ENOMEM, "no memory for a reply");
  if (st == HW_OK) return w;
  query_writer_free(w);
  return NULL;
}

void query_writer_free(query_writer *w) {
  if (!w) return;
  query_table_free(w->table);
  if (w->encoder) w->json->encoder->destroy(w->encoder);
  config_free(w->config);
  free(w);
}

/* An outbuf is a hw_bytes that remembers a failure. */
static void encode(query_writer *w, const hw_batch *batch, outbuf *out) {
  hw_bytes bytes = {.data = out->data, .len = out->len, .capacity = out->capacity};
  hw_status st = HW_OK;
  for (uint32_t first = 0, taken = 0; st == HW_OK && first < hw_batch_count(batch); first += taken)
    st = w->json->encoder->encode(w->encoder, batch, first, SIZE_MAX, &bytes, &w->report, &taken);
  *out = (outbuf){.data = bytes.data, .len = bytes.len, .capacity = bytes.capacity};
  out->failed = st != HW_OK || w->refused;
}

void query_writer_rows(query_writer *w, const hw_batch *batch, outbuf *out) {
  if (w->table) query_table_rows(w->table, batch, out);
  else encode(w, batch, out);
}

void query_writer_end(query_writer *w, outbuf *out) {
  if (w->table) query_table_end(w->table, out);
}

void query_write_error(query_format format, const char *message, outbuf *out) {
  if (format == QUERY_TEXT) {
    outbuf_printf(out, "ERROR: %s\n", message);
    return;
  }
  json_writer w;
  jw_begin(&w, out);
  jw_object(&w);
  jw_key_string(&w, "error", message);
  jw_object_end(&w);
  outbuf_add_char(out, '\n');
}
