/* formats.h - the formats that come with Headworks, for the processor at hand. */
#ifndef FORMATS_FORMATS_H
#define FORMATS_FORMATS_H

#include "formats/simd.h"

#include <headworks/format.h>

typedef enum formats_index { FORMATS_JSON, FORMATS_CSV, FORMATS_RAW, FORMATS_MSGPACK, FORMATS_N } formats_index;

/* All formats as compiled for one instruction set. They give the same rows, faults
 * and positions, and the same bytes, whatever the set. */
typedef struct formats_set {
  const char *simd;                      /* its name: "portable", "sse42", "avx2", "neon" */
  const hw_format *formats[FORMATS_N + 1]; /* by formats_index, ended by NULL */
} formats_set;

#ifdef HW_SIMD /* a file that is compiled for each set: simd.h */

extern const formats_set formats_set_here;
extern const hw_format format_json, format_csv, format_raw, format_msgpack;

#else

/* The set of that name. NULL: not compiled in, or more than this processor has. */
const formats_set *formats_named(const char *simd);
/* The names of those this processor can run, slowest first, ended by NULL. */
const char *const *formats_names(void);

/* The set in use: what the environment variable HEADWORKS_SIMD named when this was
 * first called, else the fastest that the processor can run. HW_EINVAL: it names
 * none such; the sentence says which there are. Thread: any. Does not block. */
hw_status formats_choose(const formats_set **set, hw_error *err);
/* The same; the fastest where the variable is wrong. */
const formats_set *formats_in_use(void);

/* The formats of the set in use, as errno is the errno of the thread. */
#define format_json (*formats_in_use()->formats[FORMATS_JSON])
#define format_csv (*formats_in_use()->formats[FORMATS_CSV])
#define format_raw (*formats_in_use()->formats[FORMATS_RAW])
#define format_msgpack (*formats_in_use()->formats[FORMATS_MSGPACK])

#endif
#endif
