/* scan.h - vector kernels of the parsers; picks the file for this machine.
 *
 * Each kernel reads SCAN_WIDTH bytes (key kernels: SCAN_KEY bytes) from p, none
 * of which need be inside the data as long as the parse padding covers them, and
 * answers for all of them: bit i of a mask speaks of byte i. */
#ifndef FORMATS_SCAN_H
#define FORMATS_SCAN_H

#define SCAN_KEY 32 /* bytes of a learned key */

#if defined(__SSE2__) && !defined(HW_SCAN_PORTABLE)
#include "formats/scan_sse2.h"
#else
#include "formats/scan_portable.h"
#endif

#endif
