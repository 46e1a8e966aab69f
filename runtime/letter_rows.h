/* letter_rows.h - dead letters as rows of the system relation headworks_dead_letters.
 *
 * A snapshot has the letters that there are when it is taken. */
#ifndef RUNTIME_LETTER_ROWS_H
#define RUNTIME_LETTER_ROWS_H

#include "runtime/batch.h"
#include "runtime/dead_letters.h"
#include "runtime/program.h"

/* The next letters behind id *last, some of them, oldest first, as a batch of m; *last
 * becomes the id of the last one. HW_EAGAIN: there are none. HW_ELIMIT: the budget of
 * m; HW_ENOMEM. */
HW_MUST_USE hw_status letter_rows_next(dead_letters *dl, mem *m, uint64_t *last, batch **out);
/* All there are: *out is an array of *n references, to be given back with
 * letter_rows_free. dl NULL: none. HW_ELIMIT, HW_ENOMEM. */
HW_MUST_USE hw_status letter_rows(dead_letters *dl, mem *m, batch ***out, uint32_t *n);
void letter_rows_free(batch **batches, uint32_t n);

#endif
