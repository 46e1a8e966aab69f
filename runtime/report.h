/* report.h - records that could not be read or written, as people see them. */
#ifndef RUNTIME_REPORT_H
#define RUNTIME_REPORT_H

#include "runtime/connector.h"

#include <headworks/format.h>

/* The inside of format.h's hw_report: first member of whoever collects. */
struct hw_report {
  void (*add)(hw_report *r, const hw_bad_record *bad);
};

/* Counts the record and keeps a line: reason, column, position, first bytes. */
void report_add(hw_connector *c, error_kind kind, const char *stream, uint64_t offset, const hw_bad_record *bad);

#endif
