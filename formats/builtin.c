/* builtin.c - the formats of one instruction set. */
#include "formats/formats.h"

const formats_set formats_set_here = {
    .simd = SIMD_FILE(HW_SIMD),
    .formats = {[FORMATS_JSON] = &format_json,
                [FORMATS_CSV] = &format_csv,
                [FORMATS_RAW] = &format_raw,
                [FORMATS_MSGPACK] = &format_msgpack},
};
