/* control.h - control calls whose reply comes when they have come true. */
#ifndef API_CONTROL_H
#define API_CONTROL_H

#include "api/call.h"

typedef struct control control;

/* Writes the reply to a call that has succeeded; `reply` is borrowed. */
typedef void control_succeed(const api_call *call, const control *op, const hw_reply *reply);

/* For the request of the call; takes the reference to p, which may be NULL and come
 * later. NULL: replied.
 * drained: the reply waits until what was fetched has reached the sinks, too. */
control *control_new(const api_call *call, hw_pipeline *p, bool drained, control_succeed *succeed);
/* For the pipeline in the path; NULL: replied. */
control *control_new_found(const api_call *call, control_succeed *succeed);
/* The pipeline's status when the call was made, for the reply. */
deployment_status control_former(const control *op);
void control_set_former(control *op, deployment_status status);
hw_pipeline *control_pipeline(const control *op); /* lives as long as op */
void control_set_pipeline(control *op, hw_pipeline *p); /* takes the reference */
/* How long it takes is counted with the pauses. */
void control_set_pause(control *op);
/* For hw_pipeline_pause and the like: [any thread] */
void control_done(void *op, const hw_reply *reply);
/* What that call returned; op is not to be touched afterwards. */
void control_begun(control *op, hw_status status, const hw_error *err);
/* For a call that was refused and has been replied to. */
void control_drop(control *op);
/* Reads ?wait=drained; false: it has another value, and has been replied to. */
bool control_read_wait(const api_call *call, bool *drained);

#endif
