/* A stream that several workers parse at once: its rows, faults, positions and
 * counts are those of a text that is read line by line. */
#include "tests/runtime_fixture.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES (2u << 20)
#define LONG 300000u /* longer than what a fetch brings */
#define FAULTS 100u  /* the last ones, which a connector keeps */

typedef struct expected {
  char *text, *rows; /* what is read; what the sink gets */
  size_t text_len, rows_len;
  uint64_t good, bad;
  uint64_t at[FAULTS]; /* offsets of the last bad records, by their number modulo FAULTS */
} expected;

static expected ex;

static unsigned next_random(unsigned *seed) { return (*seed = *seed * 1664525u + 1013904223u) >> 8; }

static void add_bad(void) {
  ex.at[ex.bad++ % FAULTS] = ex.text_len;
  memcpy(ex.text + ex.text_len, ex.bad % 2 ? "x\n" : "#\n", 2);
  ex.text_len += 2;
}

static void add_long(void) {
  memset(ex.text + ex.text_len, '0', LONG);
  ex.text_len += LONG;
  ex.text[ex.text_len++] = '\n';
  memcpy(ex.rows + ex.rows_len, "0\n", 2);
  ex.rows_len += 2;
  ex.good++;
}

static void add_row(unsigned n) {
  int len = snprintf(ex.text + ex.text_len, 16, "%u\n", n);
  memcpy(ex.rows + ex.rows_len, ex.text + ex.text_len, (size_t)len);
  ex.text_len += (size_t)len;
  ex.rows_len += (size_t)len;
  ex.good++;
}

/* One line in `bad` is bad, one in `longer` long; 0: none. */
static void make_text(unsigned bad, unsigned longer, unsigned seed) {
  free(ex.text);
  free(ex.rows);
  ex = (expected){.text = malloc(BYTES + LONG + 100), .rows = malloc(BYTES + LONG + 100)};
  ck_assert(ex.text && ex.rows);
  for (unsigned n = 0; ex.text_len < BYTES; n++) {
    unsigned r = next_random(&seed);
    if (bad && r % bad == 0)
      add_bad();
    else if (longer && r % longer == 1)
      add_long();
    else
      add_row(n);
  }
  ex.text[ex.text_len] = '\0';
}

typedef struct way {
  unsigned bad, longer;
  size_t piece;
  unsigned workers;
  int64_t max_batch, max_queued;
  uint64_t memory;
  unsigned starves;
} way;

static const way ways[] = {
    {.piece = 200000, .workers = 4},
    {.piece = 100000, .workers = 2},
    {.piece = 1 << 20, .workers = 3},
    {.piece = 200000, .workers = 3, .bad = 50},
    {.piece = 150000, .workers = 4, .bad = 60000},
    {.piece = 100000, .workers = 4, .bad = 200000, .longer = 100000},
    {.piece = 1000, .workers = 4, .bad = 60000},
    {.piece = 200000, .workers = 4, .max_batch = 100},
    {.piece = 200000, .workers = 4, .max_queued = 5000},
    {.piece = 200000, .workers = 3, .memory = 2 << 20, .bad = 100000},
    {.piece = 200000, .workers = 4, .starves = 30000},
};

static void make(const way *w, unsigned seed) {
  make_text(w->bad, w->longer, seed);
  fx_bytes = true;
  fx_text = ex.text;
  fx_piece = w->piece;
  fx_options.workers = w->workers;
  fx_options.memory_limit = w->memory;
  atomic_store(&fx_parser_starves, w->starves);
  atomic_store(&fx_followed, 0);
  fx_make(1, 1, 0);
  sched_pretend_cores(fx_rt->sched, 64); /* or two have enough to do without */
  fx_connectors[0].max_record_bytes = 1 << 20;
  fx_connectors[0].max_batch_size = w->max_batch;
  if (w->max_queued) fx_connectors[0].max_queued_records = w->max_queued;
}

static void check_faults(const connector_stats *s) {
  ck_assert_uint_eq(s->num_parse_errors, ex.bad);
  uint64_t n = ex.bad < FAULTS ? ex.bad : FAULTS;
  ck_assert_uint_eq(s->parse_errors.n, n);
  for (uint64_t i = 0; i < n; i++) {
    char place[40];
    snprintf(place, sizeof place, " at s@%llu: ", (unsigned long long)ex.at[(ex.bad - n + i) % FAULTS]);
    ck_assert_msg(strstr(s->parse_errors.items[i].message, place) != NULL, "\"%s\" instead of%s",
                  s->parse_errors.items[i].message, place);
  }
}

static void check_all(void) {
  char position[40];
  connector_stats s = fx_stats(0);
  ck_assert_uint_eq(s.total_records, ex.good);
  ck_assert_uint_eq(s.total_bytes, ex.text_len);
  snprintf(position, sizeof position, "s@%zu", ex.text_len);
  ck_assert_str_eq(s.position, position);
  check_faults(&s);
  connector_stats_fini(&s);
  ck_assert_uint_eq(fx_sinks[0].len, ex.rows_len);
  ck_assert(memcmp(fx_sinks[0].data, ex.rows, ex.rows_len) == 0);
}

/* Where there are workers for it, pieces are large enough, but not so that each fills the queue, and no fault
 * keeps it alone, some are parsed ahead. */
static bool goes_ahead(const way *w) {
  return w->workers > 2 && w->piece >= 65536 && w->piece <= 200000 && w->bad != 50 && !w->starves && !w->memory &&
         !w->max_queued;
}

START_TEST(it_reads_as_line_by_line) {
  const way *w = &ways[_i];
  make(w, 1);
  fx_run();
  FX_WAIT(atomic_load(&fx_complete));
  check_all();
  if (goes_ahead(w)) ck_assert_uint_gt(atomic_load(&fx_followed), 0);
  fx_stop(false);
}
END_TEST

/* What a pause promises holds while it lasts, and nothing is lost or repeated. */
static void pause_and_start(unsigned *seed) {
  fx_reply r = fx_call(next_random(seed) % 2 ? 0 : DEPLOYMENT_ALL, true);
  ck_assert_int_eq(r.status, HW_OK);
  connector_stats before = fx_stats(0);
  for (unsigned i = next_random(seed) % 200; i > 0; i--) sched_yield();
  connector_stats after = fx_stats(0);
  ck_assert_uint_eq(before.total_records, after.total_records);
  ck_assert_uint_eq(before.total_bytes, after.total_bytes);
  ck_assert_uint_eq(before.num_parse_errors, after.num_parse_errors);
  ck_assert(!before.position || strcmp(before.position, after.position) == 0);
  connector_stats_fini(&before);
  connector_stats_fini(&after);
  ck_assert_int_eq(fx_call(0, false).status, HW_OK);
  ck_assert_int_eq(fx_call(DEPLOYMENT_ALL, false).status, HW_OK);
  for (unsigned i = next_random(seed) % 20; i > 0; i--) sched_yield();
}

START_TEST(a_pause_is_true_and_costs_nothing) {
  unsigned rounds = getenv("HW_FULL") ? 50 : 1, seed = (unsigned)_i;
  for (unsigned round = 0; round < rounds; round++) {
    make(&ways[_i], round);
    fx_run();
    while (!atomic_load(&fx_complete)) pause_and_start(&seed);
    check_all();
    fx_stop(false);
  }
}
END_TEST

/* The parsers of pieces end before what they use. */
START_TEST(a_stop_comes_at_any_moment) {
  unsigned rounds = getenv("HW_FULL") ? 400 : 8, seed = 3;
  for (unsigned round = 0; round < rounds; round++) {
    make(&ways[round % 6], round);
    fx_run();
    uint64_t rows = next_random(&seed) % ex.good;
    while (fx_total(0) < rows) sched_yield();
    fx_stop(round % 2);
  }
}
END_TEST

/* A source that now and then goes on only when all it has brought so far has come out: nothing
 * stays behind because it may block. */
static uint64_t brought;
static unsigned plays;

static hw_fetch play_and_wait(fx_source *s, const hw_fetch_args *args, hw_error *err) {
  if (plays % 3 == 2) {
    if (!args->may_block) return HW_FETCH_BLOCK;
    while (atomic_load(&fx_sinks[0].rows) < brought && atomic_load(&s->interrupts) == 0) sched_yield();
  }
  size_t at = s->at;
  plays++;
  hw_fetch r = fx_play(s, args, err);
  for (; at < s->at; at++) brought += s->text[at] == '\n';
  return r;
}

START_TEST(nothing_waits_for_a_fetch_that_blocks) {
  const way *w = &ways[_i ? 7 : 0]; /* which both go ahead */
  for (unsigned round = 0; round < 2; round++) {
    brought = plays = 0;
    fx_fetches[0] = play_and_wait;
    make(w, round);
    fx_run();
    FX_WAIT(atomic_load(&fx_complete));
    check_all();
    ck_assert_uint_gt(atomic_load(&fx_followed), 0);
    fx_stop(false);
  }
}
END_TEST

int main(void) {
  Suite *s = suite_create("ahead");
  TCase *t = tcase_create("ahead");
  tcase_set_timeout(t, 120);
  tcase_add_loop_test(t, it_reads_as_line_by_line, 0, sizeof ways / sizeof *ways);
  int paused = getenv("HW_FULL") ? (int)(sizeof ways / sizeof *ways) : 6;
  tcase_add_loop_test(t, a_pause_is_true_and_costs_nothing, 0, paused);
  tcase_add_test(t, a_stop_comes_at_any_moment);
  tcase_add_loop_test(t, nothing_waits_for_a_fetch_that_blocks, 0, 2);
  suite_add_tcase(s, t);
  SRunner *r = srunner_create(s);
  srunner_run_all(r, CK_NORMAL);
  int failures = srunner_ntests_failed(r);
  srunner_free(r);
  return failures != 0;
}
