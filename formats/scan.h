/* scan.h - vector kernels of the parsers and encoders, for one instruction set.
 *
 * Each kernel reads SCAN_WIDTH bytes (key kernels: SCAN_KEY bytes) from p, none
 * of which need be inside the data as long as the parse padding covers them, and
 * answers for all of them: bit i of a mask speaks of byte i.
 *
 * scan_portable.h says what each does; the file of a set does the same. What is compiled
 * once, for all sets, gets the portable ones. */
#ifndef FORMATS_SCAN_H
#define FORMATS_SCAN_H

#include "formats/simd.h"

#define SCAN_KEY 32 /* bytes of a learned key */

#ifdef HW_SIMD
#define SCAN_FILE(set) formats/scan_##set.h
#define SCAN_FILE_OF(set) SCAN_FILE(set)
#include SIMD_FILE(SCAN_FILE_OF(HW_SIMD))
#else
#include "formats/scan_portable.h"
#endif

#endif
