/* zip.h - a ZIP archive put together in memory (of less than 4 GiB, as are its files).
 *
 *     zip_writer zip = {.out = &out};
 *     zip_add(&zip, "stats.json", data, len);
 *     zip_end(&zip);
 *
 * Names are ours: plain ASCII, without "..". Without memory out is marked failed. */
#ifndef API_ZIP_H
#define API_ZIP_H

#include "api/outbuf.h"

#include <stdint.h>
#include <time.h>

typedef struct zip_writer {
  outbuf *out;
  time_t now;       /* of all files */
  outbuf directory; /* private, as is the next */
  uint16_t n;
} zip_writer;

void zip_add(zip_writer *zip, const char *name, const char *data, size_t len);
void zip_end(zip_writer *zip); /* and frees what it holds */

#endif
