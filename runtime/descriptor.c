/* descriptor.c - checks of plugin descriptors.
 *
 * DESIGN
 * A shared object can be anything: built for another ABI, half finished, or with
 * a struct_size that was typed in by hand. Whatever can be known without calling
 * into it is checked here, outermost struct first, and nothing is read before
 * the size that holds it has been found right. The first fault ends the check
 * with a sentence that names the plugin, the thing and the remedy.
 *
 * What a struct had in the first ABI is its smallest size. Larger than ours is
 * fine: it comes from a newer Headworks of the same ABI, of which ours knows the
 * beginning. Absurdly large is not: no struct here will ever reach SIZE_LIMIT. */
#include "runtime/descriptor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))
#define PLUGIN_SIZE_1 END_OF(hw_plugin, formats)
#define INPUT_SIZE_1 END_OF(hw_input_transport, ops)
#define OUTPUT_SIZE_1 END_OF(hw_output_transport, ops)
#define FORMAT_SIZE_1 END_OF(hw_format, encoder)

#define SIZE_LIMIT 4096
#define LIST_LIMIT 1000   /* entries of a list that has lost its end */
#define NAME_LIMIT 64

/* What is being checked, for the sentences. */
typedef struct subject {
  const char *origin;
  const char *kind; /* "input transport", ...; NULL: the plugin itself */
  const char *name;
  hw_error *err;
} subject;

static hw_status refuse(const subject *s, hw_status status, const char *fmt, ...) HW_PRINTF(3, 4);

static hw_status refuse(const subject *s, hw_status status, const char *fmt, ...) {
  char what[HW_ERROR_MAX / 2];
  va_list args;
  va_start(args, fmt);
  vsnprintf(what, sizeof what, fmt, args);
  va_end(args);
  if (!s->kind) return hw_error_set(s->err, status, "plugin %s %s", s->origin, what);
  return hw_error_set(s->err, status, "plugin %s: %s \"%s\" %s", s->origin, s->kind, s->name ? s->name : "", what);
}

static bool good_name(const char *name) {
  if (!name || !*name) return false;
  size_t len = strnlen(name, NAME_LIMIT + 1);
  return len <= NAME_LIMIT && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == len;
}

static hw_status refuse_name(const subject *s) {
  return refuse(s, HW_EINVAL, "needs a name of 1 to %d letters, digits, '_', '-', '.'", NAME_LIMIT);
}

static hw_status check_size(const subject *s, uint32_t size, size_t least) {
  if (size < least)
    return refuse(s, HW_EABI, "says its struct has %" PRIu32 " bytes, but the first ABI's has %zu: "
                  "set struct_size to sizeof", size, least);
  if (size > SIZE_LIMIT)
    return refuse(s, HW_EABI, "says its struct has %" PRIu32 " bytes, which none has: set struct_size to sizeof", size);
  return HW_OK;
}

/* ---- option tables ------------------------------------------------------- */

static bool whole_number(const char *text, int64_t *out) {
  char *end;
  errno = 0;
  *out = strtoll(text, &end, 10);
  return end != text && !*end && errno == 0;
}

static bool is_choice(const hw_option *o, const char *text) {
  for (const char *const *c = o->choices; *c; c++)
    if (strcmp(*c, text) == 0) return true;
  return false;
}

static bool default_fits(const hw_option *o) {
  const char *text = o->default_text;
  int64_t n;
  char *end;
  switch (o->type) {
  case HW_OPTION_BOOL: return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
  case HW_OPTION_INT: return whole_number(text, &n) && ((o->min == 0 && o->max == 0) || (n >= o->min && n <= o->max));
  case HW_OPTION_DOUBLE: strtod(text, &end); return end != text && !*end;
  case HW_OPTION_CHOICE: return is_choice(o, text);
  case HW_OPTION_STRING:
  case HW_OPTION_JSON: return true;
  }
  return false;
}

static hw_status check_option(const subject *s, const hw_option *table, uint32_t i) {
  const hw_option *o = &table[i];
  if (!good_name(o->name)) return refuse(s, HW_EINVAL, "has an option without a proper name (entry %" PRIu32 ")", i);
  for (uint32_t j = 0; j < i; j++)
    if (strcmp(table[j].name, o->name) == 0) return refuse(s, HW_EINVAL, "has the option \"%s\" twice", o->name);
  if (o->type < HW_OPTION_BOOL || o->type > HW_OPTION_JSON)
    return refuse(s, HW_EINVAL, "has an option \"%s\" of unknown type %d", o->name, (int)o->type);
  if (o->type == HW_OPTION_INT && o->min > o->max)
    return refuse(s, HW_EINVAL, "has an option \"%s\" with min above max", o->name);
  if (o->type == HW_OPTION_CHOICE && (!o->choices || !o->choices[0]))
    return refuse(s, HW_EINVAL, "has an option \"%s\" of type choice without choices", o->name);
  if (!o->description) return refuse(s, HW_EINVAL, "has an option \"%s\" without a description", o->name);
  if (o->default_text && !default_fits(o))
    return refuse(s, HW_EINVAL, "has an option \"%s\" whose default \"%s\" is not one of its values", o->name,
                  o->default_text);
  return HW_OK;
}

static hw_status check_options(const subject *s, const hw_option *table) {
  if (!table) return refuse(s, HW_EINVAL, "has no option table: an empty one is an entry without a name");
  for (uint32_t i = 0; table[i].name; i++) {
    if (i == LIST_LIMIT) return refuse(s, HW_EINVAL, "has an option table without an end: end it with {0}");
    hw_status status = check_option(s, table, i);
    if (status != HW_OK) return status;
  }
  return HW_OK;
}

/* ---- transports and formats ---------------------------------------------- */

typedef struct operation {
  const char *name;
  bool there;
} operation;

static hw_status check_operations(const subject *s, const operation *ops, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!ops[i].there) return refuse(s, HW_EINVAL, "lacks the function \"%s\"", ops[i].name);
  return HW_OK;
}
#define CHECK_OPERATIONS(s, ...) \
  check_operations(s, (const operation[]){__VA_ARGS__}, sizeof((const operation[]){__VA_ARGS__}) / sizeof(operation))

static hw_status check_name(subject *s, const char *name) {
  if (!good_name(name)) return refuse_name(s);
  s->name = name;
  return HW_OK;
}

static hw_status check_input(subject *s, const void *object) {
  const hw_input_transport *t = object;
  *s = (subject){.origin = s->origin, .err = s->err, .kind = "input transport"};
  hw_status status = check_size(s, t->struct_size, INPUT_SIZE_1);
  if (status == HW_OK) status = check_name(s, t->name);
  if (status != HW_OK) return status;
  if (!t->ops) return refuse(s, HW_EINVAL, "has no ops");
  status = CHECK_OPERATIONS(s, {"create", t->ops->create}, {"fetch", t->ops->fetch}, {"destroy", t->ops->destroy});
  return status == HW_OK ? check_options(s, t->options) : status;
}

static hw_status check_output(subject *s, const void *object) {
  const hw_output_transport *t = object;
  *s = (subject){.origin = s->origin, .err = s->err, .kind = "output transport"};
  hw_status status = check_size(s, t->struct_size, OUTPUT_SIZE_1);
  if (status == HW_OK) status = check_name(s, t->name);
  if (status != HW_OK) return status;
  if (!t->ops) return refuse(s, HW_EINVAL, "has no ops");
  bool rows = t->capabilities & HW_CAP_ROWS;
  status = CHECK_OPERATIONS(s, {"create", t->ops->create}, {"destroy", t->ops->destroy},
                            {"write", t->ops->write || rows}, {"take", t->ops->take || !rows});
  return status == HW_OK ? check_options(s, t->options) : status;
}

static hw_status check_parser(subject *s, const hw_format *f) {
  hw_status status = CHECK_OPERATIONS(s, {"parser.create", f->parser->create}, {"parser.parse", f->parser->parse},
                                      {"parser.destroy", f->parser->destroy});
  return status == HW_OK ? check_options(s, f->parser_options) : status;
}

static hw_status check_encoder(subject *s, const hw_format *f) {
  hw_status status = CHECK_OPERATIONS(s, {"encoder.create", f->encoder->create}, {"encoder.encode", f->encoder->encode},
                                      {"encoder.destroy", f->encoder->destroy});
  return status == HW_OK ? check_options(s, f->encoder_options) : status;
}

static hw_status check_format(subject *s, const void *object) {
  const hw_format *f = object;
  *s = (subject){.origin = s->origin, .err = s->err, .kind = "format"};
  hw_status status = check_size(s, f->struct_size, FORMAT_SIZE_1);
  if (status == HW_OK) status = check_name(s, f->name);
  if (status != HW_OK) return status;
  if (!f->parser && !f->encoder) return refuse(s, HW_EINVAL, "has neither parser nor encoder");
  if (f->parser) status = check_parser(s, f);
  if (status == HW_OK && f->encoder) status = check_encoder(s, f);
  return status;
}

/* ---- the descriptor ------------------------------------------------------ */

static hw_status check_abi(const subject *s, uint32_t abi) {
  if (abi == HW_PLUGIN_ABI) return HW_OK;
  return refuse(s, HW_EABI, "was built for plugin ABI %" PRIu32 ", this Headworks has %d: %s", abi, HW_PLUGIN_ABI,
                abi > HW_PLUGIN_ABI ? "run a newer Headworks, or build the plugin against this one's headers"
                                    : "build the plugin against this one's headers");
}

static hw_status check_plugin(const subject *s, const hw_plugin *plugin, size_t size) {
  if (size != 0 && size < PLUGIN_SIZE_1)
    return refuse(s, HW_EABI, "has a descriptor of %zu bytes, but the first ABI's has %zu", size, PLUGIN_SIZE_1);
  if (plugin->magic != HW_PLUGIN_MAGIC)
    return refuse(s, HW_EABI, "has the magic number 0x%08" PRIx32 " instead of 0x%08" PRIx32
                  ": set .magic to HW_PLUGIN_MAGIC", plugin->magic, HW_PLUGIN_MAGIC);
  hw_status status = check_abi(s, plugin->abi);
  if (status == HW_OK) status = check_size(s, plugin->struct_size, PLUGIN_SIZE_1);
  if (status != HW_OK) return status;
  if (size != 0 && plugin->struct_size > size)
    return refuse(s, HW_EABI, "says its descriptor has %" PRIu32 " bytes, but the symbol has %zu: "
                  "set struct_size to sizeof", plugin->struct_size, size);
  return good_name(plugin->name) ? HW_OK : refuse_name(s);
}

/* Lists of pointers to any one type end with NULL; a missing list is empty. */
static const void *list_at(const void *list, size_t i) {
  const void *item = NULL;
  if (list) memcpy(&item, (const char *)list + i * sizeof item, sizeof item);
  return item;
}

static hw_status check_list(subject *s, const void *list, hw_status (*check)(subject *s, const void *object)) {
  hw_status status = HW_OK;
  for (size_t i = 0; status == HW_OK && list_at(list, i); i++) {
    if (i == LIST_LIMIT) return refuse(s, HW_EINVAL, "comes last in a list without an end: end it with NULL");
    status = check(s, list_at(list, i));
  }
  return status;
}

hw_status descriptor_check(const hw_plugin *plugin, size_t size, const char *origin, hw_error *err) {
  subject s = {.origin = origin, .err = err};
  hw_status status = check_plugin(&s, plugin, size);
  if (status != HW_OK) return status;
  if (!list_at(plugin->inputs, 0) && !list_at(plugin->outputs, 0) && !list_at(plugin->formats, 0))
    return refuse(&s, HW_EINVAL, "offers no transport and no format");
  status = check_list(&s, plugin->inputs, check_input);
  if (status == HW_OK) status = check_list(&s, plugin->outputs, check_output);
  if (status == HW_OK) status = check_list(&s, plugin->formats, check_format);
  return status;
}

/* ---- older structs ------------------------------------------------------- */

static const void *whole(const void *object, uint32_t size, size_t ours) {
  if (size >= ours) return object;
  void *copy = calloc(1, ours);
  if (copy) memcpy(copy, object, size);
  return copy;
}

const hw_input_transport *descriptor_whole_input(const hw_input_transport *t) {
  return whole(t, t->struct_size, sizeof *t);
}
const hw_output_transport *descriptor_whole_output(const hw_output_transport *t) {
  return whole(t, t->struct_size, sizeof *t);
}
const hw_format *descriptor_whole_format(const hw_format *f) { return whole(f, f->struct_size, sizeof *f); }
