/* letters.c - the dead letters of a pipeline: listed, cleared, submitted again. */
#include "engine/pipeline.h"

#include <stdio.h>

hw_status pipeline_list_letters(hw_pipeline *p, const char *connector, uint64_t after, uint64_t n,
                                dead_letter **out) {
  return dead_letters_list(p->letters, connector, after, n, PIPELINE_LETTERS_BYTES, out);
}

dead_letters_count pipeline_count_letters(hw_pipeline *p) { return dead_letters_counts(p->letters); }

uint64_t pipeline_clear_letters(hw_pipeline *p, const char *connector) {
  return dead_letters_clear(p->letters, connector);
}

/* What speaks against the letter itself; the rest speaks against any at the moment. */
static bool is_its_fault(hw_status status) {
  return status == HW_EPARSE || status == HW_ENOTFOUND || status == HW_EUNSUPPORTED;
}

/* Takes the letter. False: there is no point in going on with others. */
static bool resubmit(hw_pipeline *p, deployment *d, dead_letter *letter, letters_outcome *outcome) {
  hw_error why = {0};
  hw_status status = deployment_resubmit(d, letter, &why);
  if (status == HW_OK) {
    dead_letters_settle(p->letters, letter);
    outcome->resubmitted++;
    return true;
  }
  outcome->failed++;
  /* Of a cut one the old reason tells more; a fault of the moment is none of the record's. */
  dead_letters_give_back(p->letters, letter, status == HW_EPARSE ? why.message : NULL);
  if (!outcome->first.status || !is_its_fault(status)) outcome->first = why;
  return is_its_fault(status);
}

hw_status pipeline_resubmit_letters(hw_pipeline *p, const uint64_t *ids, size_t n, letters_outcome *outcome,
                                    hw_error *err) {
  *outcome = (letters_outcome){0};
  deployment *d = pipeline_deployment(p, err);
  if (!d) return HW_ESTATE;
  bool go_on = true;
  for (size_t i = 0; i < n && go_on; i++) {
    dead_letter *letter = dead_letters_take(p->letters, ids[i]);
    if (letter) go_on = resubmit(p, d, letter, outcome);
    else outcome->missing++;
  }
  deployment_unref(d);
  return HW_OK;
}

hw_status pipeline_resubmit_all_letters(hw_pipeline *p, const char *connector, letters_outcome *outcome,
                                        hw_error *err) {
  *outcome = (letters_outcome){0};
  deployment *d = pipeline_deployment(p, err);
  if (!d) return HW_ESTATE;
  uint64_t last = dead_letters_counts(p->letters).total, at = 0; /* not those that come meanwhile */
  bool go_on = true;
  while (go_on && at < last) {
    dead_letter *letter = dead_letters_take_next(p->letters, connector, at, last);
    if (!letter) break;
    at = letter->id;
    go_on = resubmit(p, d, letter, outcome);
  }
  deployment_unref(d);
  return HW_OK;
}
