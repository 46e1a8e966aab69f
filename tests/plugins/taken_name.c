/* Offers a name that good.c has, after one that would be free. */
#include "base.h"

static const hw_option options[] = {{0}};
static const hw_input_ops ops = {.create = base_create, .fetch = base_fetch, .destroy = base_destroy};
static const hw_input_transport free_one = {
    .struct_size = sizeof free_one, .name = "free_input", .summary = "", .options = options, .ops = &ops};
static const hw_input_transport taken_one = {
    .struct_size = sizeof taken_one, .name = "good_input", .summary = "", .options = options, .ops = &ops};
static const hw_input_transport *const inputs[] = {&free_one, &taken_one, NULL};

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor;
const hw_plugin hw_plugin_descriptor = {BASE_HEAD, .name = "taken", .inputs = inputs};
