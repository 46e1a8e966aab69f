/* demos.c - the examples that need nothing but the server, as demos. */
#include "api/call.h"

static const struct demo {
  const char *name, *title, *description, *code;
} demos[] = {
#include "api/demos.inc"
};

void list_demos(const api_call *call) {
  json_writer w;
  reply_begin(call->req, &w);
  jw_array(&w);
  for (size_t i = 0; i < sizeof demos / sizeof *demos; i++) {
    jw_object(&w);
    jw_key_string(&w, "name", demos[i].name);
    jw_key_string(&w, "title", demos[i].title);
    jw_key_string(&w, "description", demos[i].description);
    jw_key_string(&w, "program_code", demos[i].code);
    jw_key_string(&w, "udf_rust", "");
    jw_key_string(&w, "udf_toml", "");
    jw_object_end(&w);
  }
  jw_array_end(&w);
  reply_json(call->req, 200, &w);
}
