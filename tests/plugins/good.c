/* Offers one of each, with every type of option. */
#include "base.h"

static const char *const colours[] = {"red", "green", NULL};
static const hw_option options[] = {
    {.name = "count", .type = HW_OPTION_INT, .default_text = "3", .min = 1, .max = 9, .description = "How many."},
    {.name = "offset", .type = HW_OPTION_INT, .default_text = "-5", .description = "Where."},
    {.name = "colour", .type = HW_OPTION_CHOICE, .default_text = "red", .choices = colours, .description = "Which."},
    {.name = "loud", .type = HW_OPTION_BOOL, .default_text = "false", .description = "Whether."},
    {.name = "ratio", .type = HW_OPTION_DOUBLE, .default_text = "0.5", .description = "How much."},
    {.name = "path", .type = HW_OPTION_STRING, .flags = HW_OPTION_REQUIRED, .description = "What."},
    {.name = "plan", .type = HW_OPTION_JSON, .default_text = "[]", .description = "How."},
    {0},
};
static const hw_option none[] = {{0}};

static const hw_input_ops input_ops = {.create = base_create, .fetch = base_fetch, .destroy = base_destroy};
static const hw_output_ops output_ops = {.create = base_create, .write = base_write, .destroy = base_destroy};
static const hw_parser_ops parser_ops = {.create = base_open, .parse = base_parse, .destroy = base_destroy};

static const hw_input_transport input = {
    .struct_size = sizeof input, .name = "good_input", .summary = "", .options = options, .ops = &input_ops};
static const hw_output_transport output = {
    .struct_size = sizeof output, .name = "good_output", .summary = "", .options = none, .ops = &output_ops};
static const hw_format format = {.struct_size = sizeof format, .name = "good_format", .summary = "",
                                 .parser_options = none, .parser = &parser_ops};

static const hw_input_transport *const inputs[] = {&input, NULL};
static const hw_output_transport *const outputs[] = {&output, NULL};
static const hw_format *const formats[] = {&format, NULL};

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor;
const hw_plugin hw_plugin_descriptor = {BASE_HEAD, .name = "good", .version = "1.0", .inputs = inputs,
                                        .outputs = outputs, .formats = formats};
