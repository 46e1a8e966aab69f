/* compile.c - from program text to a program, on a helper thread. */
#include "engine/pipeline.h"
#include "sql/compile.h"

#include <stdio.h>

static void compiled(hw_pipeline *p, program *prog) {
  pipeline_set_program_status(p, PROGRAM_SQL_COMPILED);
  pipeline_set_program_status(p, PROGRAM_COMPILING_RUST);
  p->program = prog;
  pipeline_set_program_status(p, PROGRAM_SUCCESS);
  if (p->run) run_begin(p->run);
}

static void not_compiled(hw_pipeline *p) {
  uint32_t n = p->messages.n_errors;
  pipeline_set_program_status(p, n ? PROGRAM_SQL_ERROR : PROGRAM_SYSTEM_ERROR);
  if (!p->run) return;
  hw_error err;
  const program_message *first = p->messages.n ? &p->messages.items[0] : NULL;
  if (first)
    (void)hw_error_set(&err, HW_ECOMPILE, "the program does not compile (%u error%s): line %d, column %d: %s", n,
                       n == 1 ? "" : "s", first->line, first->column, first->message);
  else
    (void)hw_error_set(&err, HW_ECOMPILE, "the program does not compile: out of memory");
  run_fail(p->run, &err, "StartFailedDueToFailedCompilation");
}

/* What is to be compiled, a reference; NULL: another has done it. */
static pipeline_definition *begin(hw_pipeline *p) {
  pipeline_definition *d = NULL;
  pipeline_lock(p);
  if (p->program_status == PROGRAM_PENDING) {
    d = pipeline_definition_ref(p->definition);
    pipeline_set_program_status(p, PROGRAM_COMPILING_SQL);
  }
  pipeline_unlock(p);
  return d;
}

/* Whether what was compiled is still what the pipeline is made of. */
static bool is_current(const hw_pipeline *p, const pipeline_definition *d) {
  return p->definition->program_version == d->program_version && p->program_status == PROGRAM_COMPILING_SQL;
}

void pipeline_compile(hw_pipeline *p) {
  pipeline_definition *d = begin(p);
  if (!d) return;
  program_messages messages = {0};
  program *prog = program_compile(d->members[MEMBER_CODE], d->code_len, &messages);

  pipeline_lock(p);
  bool current = is_current(p, d);
  if (current) {
    p->messages = messages;
    if (prog)
      compiled(p, prog);
    else
      not_compiled(p);
  }
  pipeline_unlock(p);
  pipeline_definition_unref(d);
  if (current) return;
  program_unref(prog);
  program_messages_fini(&messages);
}

static void compile_job(void *arg) {
  hw_pipeline *p = arg;
  hw_engine *engine = p->engine;
  pipeline_compile(p);
  hw_pipeline_unref(p);
  engine_leave(engine);
}

hw_status pipeline_compile_later(hw_pipeline *p, hw_error *err) {
  engine_enter(p->engine);
  if (sched_call(p->engine->rt->sched, compile_job, hw_pipeline_ref(p)) == HW_OK) return HW_OK;
  hw_pipeline_unref(p);
  engine_leave(p->engine);
  return hw_error_set(err, HW_ENOMEM, "no memory to compile pipeline '%s'", p->name);
}
