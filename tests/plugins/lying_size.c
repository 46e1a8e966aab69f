/* Says that its descriptor is larger than the symbol is. */
#include "base.h"

BASE_INPUT("lying_input");

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor;
const hw_plugin hw_plugin_descriptor = {.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI,
                                        .struct_size = sizeof(hw_plugin) + 64, .name = "lying", .inputs = base_inputs};
