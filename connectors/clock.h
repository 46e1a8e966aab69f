/* clock.h - the one clock that connectors measure time with. It stands alone in
 * its file so that a test can put a clock of its own in its place. */
#ifndef CONNECTORS_CLOCK_H
#define CONNECTORS_CLOCK_H

#include <stdint.h>

/* Nanoseconds since some fixed point; never goes back. Any thread. */
uint64_t connectors_now_ns(void);

#endif
