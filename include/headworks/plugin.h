/* plugin.h - the descriptor through which transports and formats join Headworks.
 *
 * A plugin is a shared object that exports one constant:
 *
 *     HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor = {
 *       .magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI,
 *       .struct_size = sizeof(hw_plugin), .name = "acme", .version = "1.0",
 *       .inputs = my_inputs, ...
 *     };
 *
 * The built-in connectors and formats are registered through the very same
 * struct. Whatever it points to must stay unchanged while the process lives:
 * plugins are never unloaded. */
#ifndef HEADWORKS_PLUGIN_H
#define HEADWORKS_PLUGIN_H

#include <headworks/connector.h>
#include <headworks/format.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HW_PLUGIN_MAGIC UINT32_C(0x48574b53) /* "HWKS" */

/* History of the ABI. Structs only ever grow at their end; struct_size tells
 * how much of one a plugin knows. The number rises when an old plugin could no
 * longer work.
 *   1  the first
 *      grown by: hw_schema.n_key, key, append_only; hw_batch.updates, given
 *      (keys and partial updates of tables). Rows of a table with a key that
 *      know nothing of these are inserts and deletes, as before.
 *      grown by: hw_format.part, follow (several parsers for one stream). */
#define HW_PLUGIN_ABI 1

#define HW_PLUGIN_SYMBOL "hw_plugin_descriptor"

#ifdef __cplusplus
#define HW_PLUGIN_EXPORT extern "C" HW_API
#else
#define HW_PLUGIN_EXPORT HW_API
#endif

typedef struct hw_plugin {
  uint32_t magic;
  uint32_t abi;
  uint32_t struct_size;
  uint32_t reserved; /* 0 */
  const char *name;
  const char *version;
  const hw_input_transport *const *inputs;   /* each list ends with NULL; */
  const hw_output_transport *const *outputs; /* NULL: none */
  const hw_format *const *formats;
} hw_plugin;

#ifdef __cplusplus
}
#endif
#endif
