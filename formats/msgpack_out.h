/* msgpack_out.h - the encoding half of format "msgpack". */
#ifndef FORMATS_MSGPACK_OUT_H
#define FORMATS_MSGPACK_OUT_H

#include <headworks/format.h>

extern const hw_option mp_encoder_options[];
extern const hw_encoder_ops mp_encoder_ops;

#endif
