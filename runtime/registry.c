/* registry.c - the transports and formats of this process, by name.
 *
 * DESIGN
 * One per process, because a program is compiled without an engine and because
 * plugins are never unloaded. Three lists that only grow, in the order of
 * registration, under one lock; what they point to is constant, so a lookup's
 * result needs no lock. There are a dozen entries: a linear search is enough.
 *
 * A plugin joins whole or not at all: everything is checked, and all memory is
 * had, before the first name is added. The same descriptor a second time (two
 * engines, a directory named twice) is no fault and changes nothing. */
#include "runtime/registry.h"

#include "runtime/descriptor.h"

#include <dirent.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ORIGIN_MAX 512

typedef struct entry {
  const char *name;
  const void *object; /* hw_input_transport, hw_output_transport or hw_format */
  const hw_plugin *plugin;
  const char *origin; /* kept for the life of the process */
} entry;

typedef enum kind { KIND_INPUT, KIND_OUTPUT, KIND_FORMAT, KINDS } kind;

typedef struct list {
  entry *items;
  size_t n, capacity;
} list;

static const char *const kind_names[KINDS] = {"input transport", "output transport", "format"};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects lists */
static list lists[KINDS];

/* ---- looking up ---------------------------------------------------------- */

static const entry *find(kind k, const char *name) {
  for (size_t i = 0; i < lists[k].n; i++)
    if (strcmp(lists[k].items[i].name, name) == 0) return &lists[k].items[i];
  return NULL;
}

static const void *lookup(kind k, const char *name) {
  pthread_mutex_lock(&lock);
  const entry *e = find(k, name);
  const void *object = e ? e->object : NULL;
  pthread_mutex_unlock(&lock);
  return object;
}

static const void *lookup_at(kind k, unsigned i) {
  pthread_mutex_lock(&lock);
  const void *object = i < lists[k].n ? lists[k].items[i].object : NULL;
  pthread_mutex_unlock(&lock);
  return object;
}

const hw_input_transport *registry_input(const char *name) { return lookup(KIND_INPUT, name); }
const hw_output_transport *registry_output(const char *name) { return lookup(KIND_OUTPUT, name); }
const hw_format *registry_format(const char *name) { return lookup(KIND_FORMAT, name); }
const hw_input_transport *registry_input_at(unsigned i) { return lookup_at(KIND_INPUT, i); }
const hw_output_transport *registry_output_at(unsigned i) { return lookup_at(KIND_OUTPUT, i); }
const hw_format *registry_format_at(unsigned i) { return lookup_at(KIND_FORMAT, i); }

/* ---- adding -------------------------------------------------------------- */

static bool registered(const hw_plugin *plugin) {
  for (int k = 0; k < KINDS; k++)
    for (size_t i = 0; i < lists[k].n; i++)
      if (lists[k].items[i].plugin == plugin) return true;
  return false;
}

static bool list_reserve(list *l, size_t more) {
  if (l->capacity - l->n >= more) return true;
  size_t capacity = l->capacity * 2 > l->n + more ? l->capacity * 2 : l->n + more + 8;
  entry *items = realloc(l->items, capacity * sizeof *items);
  if (!items) return false;
  l->items = items;
  l->capacity = capacity;
  return true;
}

static hw_status no_memory(const char *origin, hw_error *err) {
  return hw_error_set(err, HW_ENOMEM, "no memory for plugin %s", origin);
}

/* Appends to a list of its own first, so that names the plugin uses twice and
 * names that are taken are found before anything is registered. */
static hw_status gather(list *fresh, kind k, const char *name, const void *object, const entry *from, hw_error *err) {
  if (!object || !list_reserve(fresh, 1)) return no_memory(from->origin, err);
  for (size_t i = 0; i < fresh->n; i++)
    if (strcmp(fresh->items[i].name, name) == 0)
      return hw_error_set(err, HW_EEXIST, "plugin %s offers the %s \"%s\" twice", from->origin, kind_names[k], name);
  const entry *taken = find(k, name);
  if (taken)
    return hw_error_set(err, HW_EEXIST, "plugin %s: the %s \"%s\" is already there, from %s: rename or remove one",
                        from->origin, kind_names[k], name, taken->origin);
  fresh->items[fresh->n++] = (entry){.name = name, .object = object, .plugin = from->plugin, .origin = from->origin};
  return HW_OK;
}

static hw_status gather_all(list fresh[KINDS], const hw_plugin *p, const entry *from, hw_error *err) {
  hw_status st = HW_OK;
  list *inputs = &fresh[KIND_INPUT], *outputs = &fresh[KIND_OUTPUT], *formats = &fresh[KIND_FORMAT];
  for (size_t i = 0; p->inputs && p->inputs[i] && st == HW_OK; i++)
    st = gather(inputs, KIND_INPUT, p->inputs[i]->name, descriptor_whole_input(p->inputs[i]), from, err);
  for (size_t i = 0; p->outputs && p->outputs[i] && st == HW_OK; i++)
    st = gather(outputs, KIND_OUTPUT, p->outputs[i]->name, descriptor_whole_output(p->outputs[i]), from, err);
  for (size_t i = 0; p->formats && p->formats[i] && st == HW_OK; i++)
    st = gather(formats, KIND_FORMAT, p->formats[i]->name, descriptor_whole_format(p->formats[i]), from, err);
  for (int k = 0; k < KINDS && st == HW_OK; k++)
    if (!list_reserve(&lists[k], fresh[k].n)) st = no_memory(from->origin, err);
  return st;
}

static hw_status add_locked(const hw_plugin *plugin, const char *origin, hw_error *err) {
  if (registered(plugin)) return HW_OK;
  char *kept = strdup(origin);
  if (!kept) return no_memory(origin, err);
  list fresh[KINDS] = {0};
  hw_status status = gather_all(fresh, plugin, &(entry){.plugin = plugin, .origin = kept}, err);
  for (int k = 0; k < KINDS; k++) {
    if (status == HW_OK && fresh[k].n > 0) {
      memcpy(lists[k].items + lists[k].n, fresh[k].items, fresh[k].n * sizeof *fresh[k].items);
      lists[k].n += fresh[k].n;
    }
    free(fresh[k].items);
  }
  if (status != HW_OK) free(kept);
  return status;
}

hw_status registry_add(const hw_plugin *plugin, size_t size, const char *origin, hw_error *err) {
  hw_status status = descriptor_check(plugin, size, origin, err);
  if (status != HW_OK) return status;
  pthread_mutex_lock(&lock);
  status = add_locked(plugin, origin, err);
  pthread_mutex_unlock(&lock);
  return status;
}

/* ---- shared objects ------------------------------------------------------ */

/* Tells apart what dlopen tells in the words of a linker, if at all. */
static hw_status look_at_file(const char *path, hw_error *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return hw_error_set(err, errno == ENOENT ? HW_ENOTFOUND : HW_EIO, "plugin %s cannot be opened: %s", path,
                                  strerror(errno));
  char magic[SELFMAG];
  ssize_t n = read(fd, magic, sizeof magic);
  close(fd);
  if (n != (ssize_t)sizeof magic || memcmp(magic, ELFMAG, SELFMAG) != 0)
    return hw_error_set(err, HW_EINVAL, "plugin %s is not a shared object (no ELF file)", path);
  return HW_OK;
}

static hw_status refuse_dlopen(const char *path, hw_error *err) {
  static const char undefined[] = "undefined symbol: ";
  const char *why = dlerror();
  if (!why) why = "unknown reason";
  const char *symbol = strstr(why, undefined);
  if (symbol)
    return hw_error_set(err, HW_EABI,
                        "plugin %s needs the symbol \"%s\", which neither it nor this Headworks has: link the library "
                        "that has it, or build the plugin against this Headworks",
                        path, symbol + sizeof undefined - 1);
  size_t len = strlen(path);
  if (strncmp(why, path, len) == 0 && strncmp(why + len, ": ", 2) == 0) why += len + 2;
  return hw_error_set(err, HW_EINVAL, "plugin %s cannot be loaded: %s", path, why);
}

/* The size of the object at `descriptor` by the ELF symbol table; 0: no symbol. */
static size_t symbol_size(const void *descriptor) {
  Dl_info info;
  const ElfW(Sym) *sym = NULL;
  if (!dladdr1(descriptor, &info, (void **)&sym, RTLD_DL_SYMENT) || !sym || info.dli_saddr != descriptor) return 0;
  return sym->st_size;
}

static hw_status add_loaded(void *handle, const char *path, hw_error *err) {
  const hw_plugin *plugin = dlsym(handle, HW_PLUGIN_SYMBOL);
  if (!plugin)
    return hw_error_set(err, HW_EABI, "plugin %s does not export %s: define it with HW_PLUGIN_EXPORT, see "
                        "headworks/plugin.h", path, HW_PLUGIN_SYMBOL);
  size_t size = symbol_size(plugin);
  if (size == 0) return hw_error_set(err, HW_EABI, "plugin %s: the symbol %s has no size", path, HW_PLUGIN_SYMBOL);
  return registry_add(plugin, size, path, err);
}

static hw_status too_long(const char *start, hw_error *err) {
  return hw_error_set(err, HW_EINVAL, "the path of a plugin is longer than %d bytes: %s...", ORIGIN_MAX - 1, start);
}

hw_status registry_load(const char *path, hw_error *err) {
  char file[ORIGIN_MAX]; /* with a slash, or dlopen would search the library path */
  if (snprintf(file, sizeof file, "%s%s", strchr(path, '/') ? "" : "./", path) >= (int)sizeof file)
    return too_long(file, err);
  hw_status status = look_at_file(file, err);
  if (status != HW_OK) return status;
  void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!handle) return refuse_dlopen(file, err);
  status = add_loaded(handle, file, err);
  if (status != HW_OK) dlclose(handle);
  return status;
}

static int is_shared_object(const struct dirent *d) {
  size_t len = strlen(d->d_name);
  return len > 3 && strcmp(d->d_name + len - 3, ".so") == 0;
}

static hw_status load_file(const char *directory, const char *name, hw_error *err) {
  char path[ORIGIN_MAX];
  if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) return too_long(path, err);
  return registry_load(path, err);
}

static hw_status load_directory(const char *directory, hw_error *err) {
  struct dirent **files;
  int n = scandir(directory, &files, is_shared_object, alphasort);
  if (n < 0) return hw_error_set(err, HW_EIO, "the plugin directory %s cannot be read: %s", directory, strerror(errno));
  hw_status status = HW_OK;
  for (int i = 0; i < n; i++) {
    if (status == HW_OK) status = load_file(directory, files[i]->d_name, err);
    free(files[i]);
  }
  free(files);
  return status;
}

bool registry_is_barren(const char *path) {
  struct dirent **files;
  int n = scandir(path, &files, is_shared_object, NULL);
  if (n < 0) return false; /* a file */
  for (int i = 0; i < n; i++) free(files[i]);
  free(files);
  return n == 0;
}

static hw_status load_entry(const char *path, hw_error *err) {
  struct stat st;
  if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) return load_directory(path, err);
  return registry_load(path, err);
}

hw_status registry_load_path(const char *paths, hw_error *err) {
  char *copy = strdup(paths);
  if (!copy) return hw_error_set(err, HW_ENOMEM, "no memory for the plugin path");
  hw_status status = HW_OK;
  char *rest = copy, *path;
  while (status == HW_OK && (path = strsep(&rest, ":")) != NULL)
    if (*path) status = load_entry(path, err);
  free(copy);
  return status;
}
