/* Says that its descriptor is smaller than the first ABI's. */
#include "base.h"

BASE_INPUT("short_input");

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor;
const hw_plugin hw_plugin_descriptor = {.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI, .struct_size = 16,
                                        .name = "short", .inputs = base_inputs};
