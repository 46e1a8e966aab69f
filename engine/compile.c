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

void pipeline_compile(hw_pipeline *p) {
  pipeline_lock(p);
  pipeline_set_program_status(p, PROGRAM_COMPILING_SQL);
  pipeline_unlock(p);

  program_messages messages = {0};
  program *prog = program_compile(p->code, p->code_len, &messages);

  pipeline_lock(p);
  p->messages = messages;
  if (prog)
    compiled(p, prog);
  else
    not_compiled(p);
  pipeline_unlock(p);
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
