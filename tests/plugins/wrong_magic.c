#include "base.h"

BASE_INPUT("wrong_magic_input");

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor;
const hw_plugin hw_plugin_descriptor = {.magic = 0x1234, .abi = HW_PLUGIN_ABI, .struct_size = sizeof(hw_plugin),
                                        .name = "wrong_magic", .inputs = base_inputs};
