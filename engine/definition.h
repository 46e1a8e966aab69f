/* definition.h - what a user sets on a pipeline: its program and its settings.
 *
 * A definition never changes; an edit makes a new one. So whoever has a reference
 * (a compilation, a reply, a write to the catalog) needs no lock and no copy. */
#ifndef ENGINE_DEFINITION_H
#define ENGINE_DEFINITION_H

#include <headworks/status.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PIPELINE_NAME_MAX 63
#define PIPELINE_DESCRIPTION_MAX 300 /* characters */

typedef enum pipeline_member {
  MEMBER_NAME,
  MEMBER_DESCRIPTION,
  MEMBER_TAGS,           /* JSON array */
  MEMBER_RUNTIME_CONFIG, /* JSON object, complete; as is the other */
  MEMBER_PROGRAM_CONFIG,
  MEMBER_CODE,
  MEMBER_UDF_RUST,
  MEMBER_UDF_TOML,
  PIPELINE_MEMBERS,
} pipeline_member;

/* What is asked for. NULL: not given (made: empty; edited: stays). The JSON texts
 * are checked and completed by whoever asks. */
typedef struct pipeline_spec {
  const char *members[PIPELINE_MEMBERS];
  size_t code_len; /* of MEMBER_CODE, which may hold any bytes */
} pipeline_spec;

typedef struct pipeline_definition {
  _Atomic unsigned refs;
  char *members[PIPELINE_MEMBERS]; /* all there, NUL-terminated */
  size_t code_len;
  uint64_t version, program_version;
  char platform_version[32];       /* that the program was made for */
} pipeline_definition;

/* The name of a member as JSON has it. */
const char *pipeline_member_name(pipeline_member m);
/* EmptyName, TooLongName, NameDoesNotMatchPattern, TooLongDescription. */
hw_status pipeline_spec_check(const pipeline_spec *spec, hw_error *err);
/* `base` (NULL: none, versions 1) with what the spec gives in its place; a
 * reference, or NULL: no memory. */
pipeline_definition *pipeline_definition_new(const pipeline_definition *base, const pipeline_spec *spec);
pipeline_definition *pipeline_definition_ref(pipeline_definition *d); /* [any thread] */
void pipeline_definition_unref(pipeline_definition *d);               /* NULL: nothing [any thread] */
/* Whether the spec would change the member; JSON is compared by meaning. */
bool pipeline_spec_changes(const pipeline_spec *spec, const pipeline_definition *d, pipeline_member m);

#endif
