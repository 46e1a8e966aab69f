/* base.h - what the plugins of these tests are made of: each changes one thing. */
#ifndef TESTS_PLUGINS_BASE_H
#define TESTS_PLUGINS_BASE_H

#include <headworks/plugin.h>

__attribute__((unused)) static hw_status base_create(hw_connector *c, const hw_config *config, void **instance,
                                                     hw_error *err) {
  (void)c;
  (void)config;
  (void)err;
  *instance = (void *)"none";
  return HW_OK;
}

__attribute__((unused)) static hw_fetch base_fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  (void)instance;
  (void)args;
  (void)err;
  return HW_FETCH_END;
}

__attribute__((unused)) static hw_write base_write(void *instance, const hw_write_args *args, const char *data,
                                                   size_t len, size_t *written, hw_error *err) {
  (void)instance;
  (void)args;
  (void)data;
  (void)err;
  *written = len;
  return HW_WRITE_OK;
}

__attribute__((unused)) static hw_status base_parse(void *parser, const char *data, size_t len, bool final,
                                                    hw_batch *batch, hw_report *report, size_t *consumed) {
  (void)parser;
  (void)data;
  (void)final;
  (void)batch;
  (void)report;
  *consumed = len;
  return HW_OK;
}

__attribute__((unused)) static hw_status base_open(const hw_config *config, const hw_schema *schema, void **parser,
                                                   hw_error *err) {
  (void)config;
  (void)schema;
  (void)err;
  *parser = (void *)"none";
  return HW_OK;
}

__attribute__((unused)) static void base_destroy(void *instance) { (void)instance; }

#define BASE_OPTIONS static const hw_option base_options[] = {{0}}
#define BASE_INPUT_OPS \
  static const hw_input_ops base_input_ops = {.create = base_create, .fetch = base_fetch, .destroy = base_destroy}

/* An input that has nothing wrong with it. */
#define BASE_INPUT(input_name)                                                                        \
  BASE_OPTIONS;                                                                                       \
  BASE_INPUT_OPS;                                                                                     \
  static const hw_input_transport base_input = {.struct_size = sizeof base_input, .name = input_name, \
                                                .summary = "", .options = base_options,               \
                                                .ops = &base_input_ops};                              \
  static const hw_input_transport *const base_inputs[] = {&base_input, NULL}

#define BASE_HEAD .magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI, .struct_size = sizeof(hw_plugin)

#endif
