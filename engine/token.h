/* token.h - completion tokens: "all that this input had taken in by then".
 *
 * A token is base64url text of {"u": incarnation, "e": number of the input,
 * "c": records}. It needs no memory here, so there may be any number of them; it
 * is good as long as the deployment that made it. */
#ifndef ENGINE_TOKEN_H
#define ENGINE_TOKEN_H

#include "runtime/deployment.h"

#define TOKEN_SIZE 128 /* with the terminator */

/* Any thread. */
void token_write(char out[TOKEN_SIZE], const deployment *d, uint64_t input, uint64_t records);

/* Of what a connector of a table has taken in. err->code: UnknownInputEndpoint,
 * PipelineInteractionNotDeployed, Initializing. */
hw_status pipeline_get_token(hw_pipeline *p, const char *table, const char *connector, char out[TOKEN_SIZE],
                             hw_error *err);
/* Whether every output has handled what the token stands for, and the step that
 * brought the last of it (0: not taken by the circuit yet). err->code: InvalidParam,
 * PipelineRestarted, UnknownEndpointInCompletionToken, and those above. */
hw_status pipeline_get_completion(hw_pipeline *p, const char *token, bool *complete, uint64_t *step, hw_error *err);

#endif
