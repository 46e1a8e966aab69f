/* deployment_extra.h - connectors that come while a deployment runs: where the
 * bodies that clients send go in, and where clients listen.
 *
 * Inputs stay until the deployment has ended; outputs may leave before. Both show
 * in the statistics and count for completion as those of the program do, and are
 * numbered after them. */
#ifndef RUNTIME_DEPLOYMENT_EXTRA_H
#define RUNTIME_DEPLOYMENT_EXTRA_H

#include "runtime/deployment.h"
#include "runtime/store.h"

/* What it is made of; first member of the owner's struct. */
typedef struct extra_spec {
  program_connector spec;
  /* Nobody looks at it any more; any thread. Also after a failure to add it. */
  void (*free)(struct extra_spec *spec);
  /* Of an output: every change of a later step will be offered to it, and none of
   * an earlier one, which the snapshot shows (where one was wanted, else NULL; it
   * becomes the callback's). On the pipeline's task, between steps, with the
   * deployment's lock held. */
  void (*attached)(struct extra_spec *spec, store_snapshot *s);
  bool wants_snapshot; /* deployment_add_output refuses with HW_EINVAL where there is nothing to show */
} extra_spec;

#define EXTRA_INPUTS_MAX 4096u /* of one deployment */

/* Takes spec in every case. Where an input with the same endpoint name is there,
 * that one's spec is the result. unpausable: a pause of the pipeline does not hold
 * it. NULL: ApiConnectionLimit, PipelineInteractionNotDeployed (it stops), HW_ENOMEM. */
extra_spec *deployment_add_input(deployment *d, extra_spec *spec, bool unpausable, hw_error *err);
/* The input there is with this endpoint name, or NULL; as long as the deployment. */
extra_spec *deployment_find_input(deployment *d, const char *endpoint);

/* Whether a table has such an input, by its connector's name, and its number. */
bool deployment_find_extra(deployment *d, uint32_t relation, const char *connector, uint64_t *number);

/* The same for an output; its instance may be called from now on. With PROGRAM_LETTERS
 * as its relation it is offered nothing, and gets no snapshot. */
extra_spec *deployment_add_output(deployment *d, extra_spec *spec, hw_error *err);
/* Takes it away: its instance is destroyed, soon, and its spec freed. Once, and
 * not after its instance was destroyed. [any thread but inside the instance] */
void deployment_remove_output(deployment *d, extra_spec *spec);

/* More is to come (or has come) that completion has to wait for. */
void deployment_hold_completion(deployment *d);
void deployment_release_completion(deployment *d);

/* ---- completion tokens ---- */

/* Whether the first `records` of an input have been handled by every output;
 * `input`: a number as connector_number gives it. *step: the one that brought the
 * last of them, 0 while that is not known. HW_ENOTFOUND: no such input;
 * HW_ENOMEM. [any thread] */
hw_status deployment_is_complete(deployment *d, uint64_t input, uint64_t records, bool *complete, uint64_t *step);
/* The records that an input has taken in. HW_ENOTFOUND. */
hw_status deployment_input_records(deployment *d, uint64_t input, uint64_t *records);

#endif
