/* series.h - the clock of the server, and those who follow it: once a second
 * every deployed pipeline is looked at, and each follower of a time series gets
 * the sample. While no pipeline processes anything and nobody follows, the clock
 * rests, so that an idle server is not woken; the next request wakes it. All on
 * the API thread. */
#ifndef API_SERIES_H
#define API_SERIES_H

#include <headworks/headworks.h>

#include <event2/event.h>

typedef struct series_board series_board;

series_board *series_board_new(struct event_base *base, hw_engine *engine); /* NULL: no memory */
/* Nobody may follow any more. */
void series_board_free(series_board *board);
void series_board_wake(series_board *board);
/* Looks now, besides the clock: for tests. */
void series_board_tick(series_board *board);

#endif
