/* As built against a later Headworks of the same ABI, whose structs have grown. */
#include "base.h"

typedef struct newer_transport {
  hw_input_transport known;
  const void *more[4];
} newer_transport;

typedef struct newer_plugin {
  hw_plugin known;
  const void *more[8];
} newer_plugin;

static const hw_option options[] = {{0}};
static const hw_input_ops ops = {.create = base_create, .fetch = base_fetch, .destroy = base_destroy};
static const newer_transport input = {
    .known = {.struct_size = sizeof input, .name = "newer_input", .summary = "", .options = options, .ops = &ops}};
static const hw_input_transport *const inputs[] = {&input.known, NULL};

HW_PLUGIN_EXPORT const newer_plugin hw_plugin_descriptor;
const newer_plugin hw_plugin_descriptor = {.known = {.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI,
                                                     .struct_size = sizeof(newer_plugin), .name = "newer",
                                                     .inputs = inputs}};
