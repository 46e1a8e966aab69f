#include "base.h"

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor;
const hw_plugin hw_plugin_descriptor = {BASE_HEAD, .name = "empty"};
