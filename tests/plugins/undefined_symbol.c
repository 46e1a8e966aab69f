#include "base.h"

hw_status hw_of_a_later_version(void);

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)base_create(c, config, instance, err);
  return hw_of_a_later_version();
}

static const hw_option options[] = {{0}};
static const hw_input_ops ops = {.create = create, .fetch = base_fetch, .destroy = base_destroy};
static const hw_input_transport input = {
    .struct_size = sizeof input, .name = "undefined_input", .summary = "", .options = options, .ops = &ops};
static const hw_input_transport *const inputs[] = {&input, NULL};

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor;
const hw_plugin hw_plugin_descriptor = {BASE_HEAD, .name = "undefined_symbol", .inputs = inputs};
