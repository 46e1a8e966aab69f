/* states.c - the state machines of a pipeline.
 *
 *   program_status
 *
 *     Pending ─▸ CompilingSql ─▸ SqlCompiled ─▸ CompilingRust ─▸ Success
 *                     │                               │
 *                     ├▸ SqlError                     ├▸ RustError
 *                     └▸ SystemError                  └▸ SystemError
 *
 *     and any ─▸ Pending, when the program is edited.
 *     refresh_version moves with every state but the two Compiling ones.
 *
 *   deployment_status
 *
 *     Stopped ─▸ Provisioning ─▸ Initializing ─▸ Running ◂─▸ Paused
 *        ▴            │               │  │          │         ▴ │
 *        │            │               │  └──────────┼─────────┘ │
 *        │            ▾               ▾             ▾           ▾
 *        └───────────────────────────── Stopping ◂──────────────┘
 *
 *     refresh_version moves with every state.
 *
 *   deployment_desired_status: Stopped, Paused, Running, any to any.
 *
 * The names are those of the HTTP API, where CompilingRust stands for what a
 * compiler does after the SQL is understood. */
#include "engine/pipeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BIT(state) (1u << (state))

typedef struct state {
  const char *name;
  unsigned next;      /* BIT of each state that may follow */
  bool silent;        /* users need not look again */
} state;

static const state program_states[] = {
    [PROGRAM_PENDING] = {"Pending", BIT(PROGRAM_COMPILING_SQL), false},
    [PROGRAM_COMPILING_SQL] = {"CompilingSql",
                               BIT(PROGRAM_SQL_COMPILED) | BIT(PROGRAM_SQL_ERROR) | BIT(PROGRAM_SYSTEM_ERROR), true},
    [PROGRAM_SQL_COMPILED] = {"SqlCompiled", BIT(PROGRAM_COMPILING_RUST), false},
    [PROGRAM_COMPILING_RUST] = {"CompilingRust",
                                BIT(PROGRAM_SUCCESS) | BIT(PROGRAM_RUST_ERROR) | BIT(PROGRAM_SYSTEM_ERROR), true},
    [PROGRAM_SUCCESS] = {"Success", 0, false},
    [PROGRAM_SQL_ERROR] = {"SqlError", 0, false},
    [PROGRAM_RUST_ERROR] = {"RustError", 0, false},
    [PROGRAM_SYSTEM_ERROR] = {"SystemError", 0, false},
};

static const state deployment_states[] = {
    [DEPLOYMENT_STOPPED] = {"Stopped", BIT(DEPLOYMENT_PROVISIONING), false},
    [DEPLOYMENT_PROVISIONING] = {"Provisioning", BIT(DEPLOYMENT_INITIALIZING) | BIT(DEPLOYMENT_STOPPING), false},
    [DEPLOYMENT_INITIALIZING] = {"Initializing",
                                 BIT(DEPLOYMENT_PAUSED) | BIT(DEPLOYMENT_RUNNING) | BIT(DEPLOYMENT_STOPPING), false},
    [DEPLOYMENT_PAUSED] = {"Paused", BIT(DEPLOYMENT_RUNNING) | BIT(DEPLOYMENT_STOPPING), false},
    [DEPLOYMENT_RUNNING] = {"Running", BIT(DEPLOYMENT_PAUSED) | BIT(DEPLOYMENT_STOPPING), false},
    [DEPLOYMENT_STOPPING] = {"Stopping", BIT(DEPLOYMENT_STOPPED), false},
};

const char *program_status_name(program_status s) { return program_states[s].name; }
const char *deployment_status_name(deployment_status s) { return deployment_states[s].name; }

int64_t wall_clock_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- events ---------------------------------------------------------------- */

static char *copy_or_null(const char *text) { return *text ? strdup(text) : NULL; }

/* Lost without memory, or random numbers. */
static void record_event(hw_pipeline *p) {
  pipeline_event event = {.recorded_at_us = wall_clock_us(), .status = p->status, .desired = p->desired,
                          .program_status = p->program_status, .storage_in_use = p->storage_in_use};
  if (uuid_make(event.id, NULL) != HW_OK) return;
  if (p->deployment_error.status != HW_OK) {
    event.error_code = copy_or_null(p->deployment_error.code);
    event.error_message = copy_or_null(p->deployment_error.message);
  }
  event_ring_add(&p->events, &event);
}

/* ---- setters --------------------------------------------------------------- */

void pipeline_touch(hw_pipeline *p) {
  assert(p->locked);
  p->refresh_version++;
}

void pipeline_set_program_status(hw_pipeline *p, program_status to) {
  const state *from = &program_states[p->program_status];
  assert(p->locked);
  assert((from->next | BIT(PROGRAM_PENDING)) & BIT(to));
  pipeline_log(p, HW_LOG_DEBUG, "program %s -> %s", from->name, program_states[to].name);
  p->program_status = to;
  p->program_status_since_us = wall_clock_us();
  if (!program_states[to].silent) pipeline_touch(p);
  record_event(p);
}

void pipeline_set_status(hw_pipeline *p, deployment_status to) {
  const state *from = &deployment_states[p->status];
  assert(p->locked);
  assert(from->next & BIT(to));
  pipeline_log(p, HW_LOG_INFO, "%s -> %s", from->name, deployment_states[to].name);
  p->status = to;
  p->status_since_us = wall_clock_us();
  pipeline_touch(p);
  record_event(p);
  pthread_cond_broadcast(&p->changed);
}

void pipeline_set_desired(hw_pipeline *p, deployment_status to) {
  assert(p->locked);
  assert(to == DEPLOYMENT_STOPPED || to == DEPLOYMENT_PAUSED || to == DEPLOYMENT_RUNNING);
  if (p->desired == to) return;
  pipeline_log(p, HW_LOG_DEBUG, "desired %s -> %s", deployment_status_name(p->desired), deployment_status_name(to));
  p->desired = to;
  p->desired_since_us = wall_clock_us();
  pipeline_touch(p);
  record_event(p);
  pthread_cond_broadcast(&p->changed);
}

/* A run's error is told with the state that follows from it. */
void pipeline_set_error(hw_pipeline *p, const hw_error *error) {
  assert(p->locked);
  p->deployment_error = error ? *error : (hw_error){.status = HW_OK};
  pipeline_changed(p, false);
  if (error) return;
  pipeline_touch(p);
  record_event(p);
}

void pipeline_set_storage(hw_pipeline *p, bool in_use) {
  assert(p->locked);
  if (p->storage_in_use == in_use) return;
  p->storage_in_use = in_use;
  pipeline_changed(p, false);
  pipeline_touch(p);
  record_event(p);
}
