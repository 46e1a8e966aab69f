/* transactions.c - starting and committing transactions. */
#include "api/call.h"

static void reply_started(const api_call *call, uint64_t id) {
  json_writer w;
  reply_begin(call->req, &w);
  jw_object(&w);
  jw_key_u64(&w, "transaction_id", id);
  jw_object_end(&w);
  reply_json(call->req, 200, &w);
}

void start_transaction(const api_call *call) {
  uint64_t id;
  hw_error err = {0};
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  if (pipeline_start_transaction(p, &id, &err) == HW_OK)
    reply_started(call, id);
  else
    call_refuse(call, p, &err);
  hw_pipeline_unref(p);
}

void commit_transaction(const api_call *call) {
  hw_error err = {0};
  hw_pipeline *p = call_find_pipeline(call);
  if (!p) return;
  if (pipeline_commit_transaction(p, &err) == HW_OK)
    reply_sentence(call->req, 200, "Transaction commit initiated");
  else
    call_refuse(call, p, &err);
  hw_pipeline_unref(p);
}
