/* transaction.c - transactions of a pipeline (runtime/transaction.h). */
#include "engine/pipeline.h"

hw_status pipeline_start_transaction(hw_pipeline *p, uint64_t *id, hw_error *err) {
  deployment *d = pipeline_deployment(p, err);
  if (!d) return HW_ESTATE;
  hw_status status = deployment_start_transaction(d, id, err);
  deployment_unref(d);
  return status;
}

/* One that stops without force waits for the commit. */
static deployment *find_committing(hw_pipeline *p, hw_error *err) {
  pipeline_lock(p);
  bool stopping = p->status == DEPLOYMENT_STOPPING && p->run && p->run->deployment;
  bool ok = stopping || pipeline_check_interactive(p, err) == HW_OK;
  deployment *d = ok ? deployment_ref(p->run->deployment) : NULL;
  pipeline_unlock(p);
  return d;
}

hw_status pipeline_commit_transaction(hw_pipeline *p, hw_error *err) {
  deployment *d = find_committing(p, err);
  if (!d) return HW_ESTATE;
  hw_status status = deployment_commit_transaction(d, err);
  deployment_unref(d);
  return status;
}
