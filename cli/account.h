/* account.h - is every record at every sink? */
#ifndef CLI_ACCOUNT_H
#define CLI_ACCOUNT_H

#include "runtime/program.h"
#include "runtime/stats.h"

#define ACCOUNT_FINDING_MAX 256

/* Follows the plan from the inputs to the outputs: what came into a relation
 * must have left it, been filtered, or been counted as an error. True: all of
 * it. Otherwise finding says where the first are missing. */
bool account_check(const program *p, const pipeline_stats *stats, char finding[ACCOUNT_FINDING_MAX]);

#endif
