#include "base.h"

BASE_INPUT("foreign_input");

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor;
const hw_plugin hw_plugin_descriptor = {.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI + 41,
                                        .struct_size = sizeof(hw_plugin), .name = "foreign", .inputs = base_inputs};
