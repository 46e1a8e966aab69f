/* Exports something else under the descriptor's name. */
#include "base.h"

HW_PLUGIN_EXPORT const uint32_t hw_plugin_descriptor[2];
const uint32_t hw_plugin_descriptor[2] = {HW_PLUGIN_MAGIC, HW_PLUGIN_ABI};
