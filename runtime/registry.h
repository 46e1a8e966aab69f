/* registry.h - transports and formats by name: built in, or from plugins. */
#ifndef RUNTIME_REGISTRY_H
#define RUNTIME_REGISTRY_H

#include <headworks/plugin.h>

/* Checks the descriptor (magic, ABI, sizes, tables) and adds what it offers. A
 * name that is taken is refused. `size` is that of the object as the ELF symbol
 * tells, or 0 when not known. Thread: before the first program is compiled, or
 * any thread (locked). */
hw_status registry_add(const hw_plugin *plugin, size_t size, const char *origin, hw_error *err);
/* Loads a shared object and adds its descriptor. */
hw_status registry_load(const char *path, hw_error *err);
/* Loads every *.so in each directory of a colon-separated list (or a named file). */
hw_status registry_load_path(const char *paths, hw_error *err);
/* Whether path is a directory in which that finds nothing to load. */
bool registry_is_barren(const char *path);

const hw_input_transport *registry_input(const char *name);
const hw_output_transport *registry_output(const char *name);
const hw_format *registry_format(const char *name);

/* For listings and "did you mean": the i-th, or NULL past the end. */
const hw_input_transport *registry_input_at(unsigned i);
const hw_output_transport *registry_output_at(unsigned i);
const hw_format *registry_format_at(unsigned i);

#endif
