/* builtin.c - the transports and formats that come with Headworks, registered
 * through the descriptor that plugins have. */
#include "engine/engine.h"

#include "connectors/connectors.h"
#include "formats/formats.h"
#include "runtime/registry.h"

static const hw_plugin builtin = {
    .magic = HW_PLUGIN_MAGIC,
    .abi = HW_PLUGIN_ABI,
    .struct_size = sizeof(hw_plugin),
    .name = "builtin",
    .version = PACKAGE_VERSION,
    .inputs = connectors_inputs,
    .outputs = connectors_outputs,
    .formats = formats_builtin,
};

/* A second call changes nothing: the registry knows the descriptor. */
hw_status builtin_register(hw_error *err) { return registry_add(&builtin, sizeof builtin, "Headworks itself", err); }
