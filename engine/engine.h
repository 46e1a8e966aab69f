/* engine.h - the inside of an engine: what its pipelines share. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "engine/catalog.h"
#include "runtime/runtime.h"

#include <headworks/headworks.h>

#include <pthread.h>
#include <stdatomic.h>

struct hw_engine {
  runtime *rt;
  catalog *catalog;         /* NULL: nothing is kept */
  uint64_t dead_letters, dead_letter_bytes; /* kept for each pipeline; 0: as dead_letters.h says */
  uint64_t drain_timeout_us;
  _Atomic bool closing;     /* no pipeline is made or started any more */
  _Atomic unsigned busy;    /* compilations and runs, from engine_enter to engine_leave */
  pthread_mutex_t lock;     /* protects what follows; may be taken under a pipeline's */
  pthread_cond_t idle;      /* busy has become 0 */
  hw_pipeline **pipelines;  /* by name; a reference each */
  size_t n_pipelines, capacity;
};

/* Registers what is built in, once per process. HW_EINVAL as builtin_simd. */
hw_status builtin_register(hw_error *err);
/* The instruction set that formats run with, see HEADWORKS_SIMD; HW_EINVAL: the
 * variable asks for one that is not there. */
hw_status builtin_simd(const char **simd, hw_error *err);

/* Keep the runtime alive for a compilation or a run. The last engine_leave lets
 * hw_engine_free go on. [any thread; enter also under a pipeline's lock] */
void engine_enter(hw_engine *engine);
void engine_leave(hw_engine *engine);

/* Gives it another name (pipeline_intern_name), by which it is found from now on.
 * DuplicateName. */
hw_status engine_rename(hw_engine *engine, hw_pipeline *p, const char *name, hw_error *err);
/* Takes a reference of its own; DuplicateName, or HW_ESTATE when closing. */
hw_status engine_add(hw_engine *engine, hw_pipeline *p, hw_error *err);
void engine_remove(hw_engine *engine, hw_pipeline *p);
hw_status engine_check_name_free(hw_engine *engine, const char *name, hw_error *err);

#endif
