/* program_view.c - a compiled program's relations and connectors ("program_info"). */
#include "api/json_view.h"

#include <headworks/value.h>

/* ---- types and defaults --------------------------------------------------- */

/* The contract's words; hw_type_name has SQL's own. */
static const char *type_word(uint8_t id) {
  static const char *const words[HW_TYPE_COUNT] = {
      [HW_TYPE_NULL] = "NULL",         [HW_TYPE_BOOLEAN] = "BOOLEAN",     [HW_TYPE_TINYINT] = "TINYINT",
      [HW_TYPE_SMALLINT] = "SMALLINT", [HW_TYPE_INT] = "INTEGER",         [HW_TYPE_BIGINT] = "BIGINT",
      [HW_TYPE_UTINYINT] = "UTINYINT", [HW_TYPE_USMALLINT] = "USMALLINT", [HW_TYPE_UINT] = "UINTEGER",
      [HW_TYPE_UBIGINT] = "UBIGINT",   [HW_TYPE_REAL] = "REAL",           [HW_TYPE_DOUBLE] = "DOUBLE",
      [HW_TYPE_DECIMAL] = "DECIMAL",   [HW_TYPE_CHAR] = "CHAR",           [HW_TYPE_VARCHAR] = "VARCHAR",
      [HW_TYPE_BINARY] = "BINARY",     [HW_TYPE_VARBINARY] = "VARBINARY", [HW_TYPE_DATE] = "DATE",
      [HW_TYPE_TIME] = "TIME",         [HW_TYPE_TIMESTAMP] = "TIMESTAMP", [HW_TYPE_UUID] = "UUID",
  };
  return id < HW_TYPE_COUNT && words[id] ? words[id] : "NULL";
}

static void view_type(json_writer *w, const hw_type *type) {
  jw_object(w);
  jw_key_string(w, "type", type_word(type->id));
  jw_key_bool(w, "nullable", type->nullable);
  jw_key(w, "precision");
  if (type->id == HW_TYPE_DECIMAL) {
    jw_u64(w, type->precision);
  } else if (hw_type_is_string(type->id)) {
    jw_i64(w, type->length ? (int64_t)type->length : -1); /* -1: no bound */
  } else {
    jw_null(w);
  }
  jw_key(w, "scale");
  if (type->id == HW_TYPE_DECIMAL) {
    jw_u64(w, type->scale);
  } else {
    jw_null(w);
  }
  jw_key_null(w, "component");
  jw_key_null(w, "fields");
  jw_key_null(w, "key");
  jw_key_null(w, "value");
  jw_object_end(w);
}

/* Text of a value of a type without quotes around it. */
static size_t format_number(const hw_type *type, const hw_value *v, char *out) {
  switch (type->id) {
    case HW_TYPE_REAL: return hw_format_f32(v->u.f32, out);
    case HW_TYPE_DOUBLE: return hw_format_f64(v->u.f64, out);
    case HW_TYPE_DECIMAL: return hw_format_decimal(v->u.dec, type->scale, out);
    case HW_TYPE_UTINYINT:
    case HW_TYPE_USMALLINT:
    case HW_TYPE_UINT:
    case HW_TYPE_UBIGINT: return hw_format_u64(v->u.u64, out);
    default: return hw_format_i64(v->u.i64, out);
  }
}

static size_t format_quoted(const hw_type *type, const hw_value *v, char *out) {
  switch (type->id) {
    case HW_TYPE_DATE: return hw_format_date((int32_t)v->u.i64, out);
    case HW_TYPE_TIME: return hw_format_time(v->u.i64, out);
    case HW_TYPE_TIMESTAMP: return hw_format_timestamp(v->u.i64, out);
    case HW_TYPE_UUID: return hw_format_uuid(&v->u.uuid, out);
    default: return 0;
  }
}

static void add_quoted(outbuf *sql, const char *text, size_t len) {
  outbuf_add_char(sql, '\'');
  for (size_t i = 0; i < len; i++) {
    if (text[i] == '\'') outbuf_add_char(sql, '\'');
    outbuf_add_char(sql, text[i]);
  }
  outbuf_add_char(sql, '\'');
}

static void add_hex(outbuf *sql, const hw_str *bytes) {
  outbuf_add_str(sql, "x'");
  for (uint32_t i = 0; i < bytes->len; i++) outbuf_printf(sql, "%02x", (unsigned char)bytes->data[i]);
  outbuf_add_char(sql, '\'');
}

/* The default as it would be written in SQL. */
static void add_default(outbuf *sql, const hw_type *type, const hw_value *v) {
  char text[HW_VALUE_TEXT_MAX];
  if (v->is_null) {
    outbuf_add_str(sql, "NULL");
  } else if (type->id == HW_TYPE_BOOLEAN) {
    outbuf_add_str(sql, v->u.boolean ? "TRUE" : "FALSE");
  } else if (hw_type_is_text(type->id)) {
    add_quoted(sql, v->u.str.data, v->u.str.len);
  } else if (hw_type_is_string(type->id)) {
    add_hex(sql, &v->u.str);
  } else if (hw_type_is_numeric(type->id)) {
    outbuf_add(sql, text, format_number(type, v, text));
  } else {
    add_quoted(sql, text, format_quoted(type, v, text));
  }
}

static void view_default(json_writer *w, const hw_field *field) {
  jw_key(w, "default");
  if (!field->has_default) {
    jw_null(w);
    return;
  }
  outbuf sql = {0};
  add_default(&sql, &field->type, &field->default_value);
  if (sql.failed) w->out->failed = true;
  jw_text(w, sql.data, sql.len);
  outbuf_fini(&sql);
}

/* ---- relations ------------------------------------------------------------ */

static void view_field(json_writer *w, const hw_field *field) {
  jw_object(w);
  jw_key_string(w, "name", field->name);
  jw_key_bool(w, "case_sensitive", field->case_sensitive);
  jw_key(w, "columntype");
  view_type(w, &field->type);
  jw_key_null(w, "lateness");
  view_default(w, field);
  jw_key_bool(w, "unused", false);
  jw_key_null(w, "watermark");
  jw_object_end(w);
}

/* Where a property begins; its end is not kept. */
static void view_position(json_writer *w, const char *key, int line, int column) {
  jw_key(w, key);
  jw_object(w);
  jw_key_i64(w, "start_line_number", line);
  jw_key_i64(w, "start_column", column);
  jw_key_i64(w, "end_line_number", line);
  jw_key_i64(w, "end_column", column);
  jw_object_end(w);
}

static void view_property(json_writer *w, const program_property *property) {
  jw_key_text(w, property->key);
  jw_object(w);
  jw_key_string(w, "value", property->value);
  view_position(w, "key_position", property->key_line, property->key_column);
  view_position(w, "value_position", property->value_line, property->value_column);
  jw_object_end(w);
}

static void view_key_columns(json_writer *w, const program_relation *r) {
  jw_key(w, "primary_key");
  if (r->n_key == 0) {
    jw_null(w);
    return;
  }
  jw_array(w);
  for (uint32_t i = 0; i < r->n_key; i++) jw_string(w, r->schema.fields[r->key[i]].name);
  jw_array_end(w);
}

static void view_relation(json_writer *w, const program_relation *r) {
  jw_object(w);
  jw_key_string(w, "name", r->schema.name);
  jw_key_bool(w, "case_sensitive", r->case_sensitive);
  jw_key(w, "fields");
  jw_array(w);
  for (uint32_t i = 0; i < r->schema.n_fields; i++) view_field(w, &r->schema.fields[i]);
  jw_array_end(w);
  jw_key_bool(w, "materialized", r->materialized);
  jw_key(w, "properties");
  jw_object(w);
  for (uint32_t i = 0; i < r->n_properties; i++) view_property(w, &r->properties[i]);
  jw_object_end(w);
  view_key_columns(w, r);
  jw_object_end(w);
}

static void view_relations(json_writer *w, const char *key, const program *p, program_kind kind) {
  jw_key(w, key);
  jw_array(w);
  for (uint32_t i = 0; i < p->n_relations; i++) {
    const program_relation *r = &p->relations[i];
    if (r->kind == kind && !r->local) view_relation(w, r);
  }
  jw_array_end(w);
}

/* ---- connectors ----------------------------------------------------------- */

/* The connector object as it was compiled, with "stream" put in front. */
static void view_connector_config(json_writer *w, const program *p, const program_connector *c) {
  const char *members = c->json + 1; /* after the brace */
  jw_key_text(w, c->endpoint);
  jw_object(w);
  jw_key_string(w, "stream", p->relations[c->relation].schema.name);
  size_t len = strlen(members);
  if (members[strspn(members, " \t\r\n")] == '}') {
    jw_object_end(w);
  } else {
    jw_raw(w, members, len); /* its closing brace is ours */
  }
}

static void view_connector_configs(json_writer *w, const char *key, const program *p, bool is_input) {
  jw_key(w, key);
  jw_object(w);
  for (uint32_t i = 0; i < p->n_connectors; i++) {
    if (p->connectors[i].is_input == is_input) view_connector_config(w, p, &p->connectors[i]);
  }
  jw_object_end(w);
}

void view_program(json_writer *w, const program *p) {
  jw_object(w);
  jw_key(w, "schema");
  jw_object(w);
  view_relations(w, "inputs", p, PROGRAM_TABLE);
  view_relations(w, "outputs", p, PROGRAM_VIEW);
  jw_object_end(w);
  jw_key_string(w, "udf_stubs", "");
  view_connector_configs(w, "input_connectors", p, true);
  view_connector_configs(w, "output_connectors", p, false);
  jw_object_end(w);
}

void view_connectors_of(json_writer *w, const program *p) {
  jw_object(w);
  view_connector_configs(w, "input_connectors", p, true);
  view_connector_configs(w, "output_connectors", p, false);
  jw_object_end(w);
}
