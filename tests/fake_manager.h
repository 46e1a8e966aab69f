/* fake_manager.h - a stand-in for engine/ under the HTTP API: pipelines that are
 * only records, whose control calls are answered when the test says so. It
 * defines what the API uses of engine/manager.h and headworks.h.
 *
 * Every pipeline has the tables `numbers` (inputs c1, C2) and "Quoted" (input q)
 * and the view `v` (output out). */
#ifndef TESTS_FAKE_MANAGER_H
#define TESTS_FAKE_MANAGER_H

#include "engine/egress.h"
#include "engine/ingress.h"
#include "engine/manager.h"
#include "engine/token.h"

/* When a control call is answered. */
typedef enum fake_answer {
  FAKE_AT_ONCE, /* before the call returns */
  FAKE_LATER,   /* by fake_answer_all, on the test's thread */
  FAKE_THREAD,  /* by a thread of the engine's own, soon */
} fake_answer;

hw_engine *fake_engine_new(void);
/* Nothing may be unanswered. */
void fake_engine_free(hw_engine *engine);

void fake_set_answer(hw_engine *engine, fake_answer answer);
/* Every control call fails with this from now on; HW_OK: none does. */
void fake_set_failure(hw_engine *engine, hw_status status, const char *code, const char *message);
/* As fake_set_failure, but the call itself returns it instead of its answer. */
void fake_set_refusal(hw_engine *engine, hw_status status, const char *code, const char *message);
/* Waits until n control calls are unanswered. */
void fake_wait_pending(hw_engine *engine, unsigned n);
/* Answers those that are unanswered; returns how many. */
unsigned fake_answer_all(hw_engine *engine);

/* All pipelines of the engine at once: their state and what their inputs say. */
void fake_set_status(hw_engine *engine, deployment_status status);
void fake_set_program(hw_engine *engine, program_status status);
void fake_set_error(hw_engine *engine, const char *code, const char *message);
void fake_set_quiescent(hw_engine *engine, bool quiescent);
/* What the next answers say of the source's position. */
void fake_set_position(hw_engine *engine, const char *position);
/* How often connector statistics were asked for. */
unsigned fake_stats_calls(hw_engine *engine);
/* Waits until they were asked for n times. */
void fake_wait_stats_calls(hw_engine *engine, unsigned n);
/* References to pipelines that are held beside the engine's own. */
unsigned fake_references(hw_engine *engine);
/* What manager_catalog gives; the test's. At first NULL. */
void fake_set_catalog(hw_engine *engine, catalog *c);
/* Rows that queries have given (fake_query.c), and a wait until every query is freed. */
extern _Atomic uint64_t fake_query_rows;
void fake_wait_no_query(void);
/* Adds n inputs to `numbers` of every pipeline. */
void fake_add_inputs(hw_engine *engine, unsigned n);

/* Gives the egress that is open a chunk; NULL: its end. */
void fake_egress_give(hw_engine *engine, const char *chunk);
bool fake_egress_is_open(hw_engine *engine);

#endif
