/* json_out.h - the encoding half of format "json". */
#ifndef FORMATS_JSON_OUT_H
#define FORMATS_JSON_OUT_H

#include "formats/simd.h"

#include <headworks/format.h>

extern const hw_option json_encoder_options[];
extern const hw_encoder_ops json_encoder_ops;

#endif
