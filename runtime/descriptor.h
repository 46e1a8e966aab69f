/* descriptor.h - whether what a plugin says about itself can be believed. */
#ifndef RUNTIME_DESCRIPTOR_H
#define RUNTIME_DESCRIPTOR_H

#include <headworks/plugin.h>

/* Checks the descriptor and everything it points to. `size` is that of the
 * object as the ELF symbol tells, 0: not known. `origin` names the plugin in the
 * one sentence of *err. Any thread. */
hw_status descriptor_check(const hw_plugin *plugin, size_t size, const char *origin, hw_error *err);

/* A plugin compiled against an older minor version has shorter structs. These
 * give one that is whole: the struct itself, or a copy for the life of the
 * process in which every member that the plugin does not know is 0. NULL: no
 * memory. After descriptor_check only. */
const hw_input_transport *descriptor_whole_input(const hw_input_transport *t);
const hw_output_transport *descriptor_whole_output(const hw_output_transport *t);
const hw_format *descriptor_whole_format(const hw_format *f);

#endif
