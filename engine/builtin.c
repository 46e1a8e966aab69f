/* builtin.c - the transports and formats that come with Headworks, registered
 * through the descriptor that plugins have. */
#include "engine/engine.h"

#include "connectors/connectors.h"
#include "formats/formats.h"
#include "runtime/registry.h"

static hw_plugin builtin; /* written once */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void describe(void) {
  builtin = (hw_plugin){
      .magic = HW_PLUGIN_MAGIC,
      .abi = HW_PLUGIN_ABI,
      .struct_size = sizeof(hw_plugin),
      .name = "builtin",
      .version = PACKAGE_VERSION,
      .inputs = connectors_inputs,
      .outputs = connectors_outputs,
      .formats = formats_in_use()->formats,
  };
}

/* A second call changes nothing: the registry knows the descriptor. */
hw_status builtin_register(hw_error *err) {
  const char *simd;
  hw_status status = builtin_simd(&simd, err);
  if (status != HW_OK) return status;
  (void)pthread_once(&once, describe);
  return registry_add(&builtin, sizeof builtin, "Headworks itself", err);
}

hw_status builtin_simd(const char **simd, hw_error *err) {
  const formats_set *set;
  hw_status status = formats_choose(&set, err);
  *simd = set->simd;
  return status;
}
