/* embed.c - a pipeline inside another program: rows pushed from C, a view's
 * changes read by a callback.
 *
 *     cc embed.c $(pkg-config --cflags --libs headworks) -o embed && ./embed
 *
 * docs/plugins.md says how both find a Headworks that is installed under a prefix of its own. */
#include <headworks/headworks.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROWS 1000000

static const char program[] = "CREATE TABLE orders (id BIGINT NOT NULL, amount BIGINT NOT NULL);"
                              "CREATE VIEW large AS SELECT id, amount * 2 AS doubled FROM orders WHERE amount >= 50;";

typedef struct total {
  int64_t rows, sum;
} total;

static int64_t amount_of(int64_t id) { return id % 100; }

/* Called by one thread of the engine at a time, with each batch of changes. The
 * rows of a batch are those that its selection names, each with a weight. */
static void add_changes(void *arg, const hw_batch *batch) {
  total *t = arg;
  const int64_t *doubled = batch->columns[1].values;
  for (uint32_t i = 0; i < hw_batch_count(batch); i++) {
    uint32_t row = hw_batch_row(batch, i);
    int64_t weight = hw_batch_weight(batch, row);
    t->rows += weight;
    t->sum += weight * doubled[row];
  }
}

static int64_t fill(hw_batch *batch, int64_t id) {
  int64_t *ids = batch->columns[0].values, *amounts = batch->columns[1].values;
  for (; id < ROWS && batch->n_rows < batch->capacity; id++, batch->n_rows++) {
    ids[batch->n_rows] = id;
    amounts[batch->n_rows] = amount_of(id);
  }
  return id;
}

static hw_status push_rows(hw_pipeline *p, hw_error *err) {
  hw_producer *producer = hw_producer_open(p, "orders", err);
  if (!producer) return err->status;
  hw_status status = HW_OK;
  for (int64_t id = 0; id < ROWS && status == HW_OK;) {
    hw_batch *batch = hw_producer_batch(producer);
    if (!batch) {
      status = hw_error_set(err, HW_ENOMEM, "no batch within the memory budget");
      break;
    }
    id = fill(batch, id);
    status = hw_producer_push(producer, batch, -1); /* takes the batch; waits for room */
    if (status != HW_OK) (void)hw_error_set(err, status, "%s", hw_status_text(status));
  }
  hw_producer_close(producer);
  return status;
}

/* Stopping without force lets what was pushed reach the callback first. */
static hw_status run(hw_pipeline *p, total *t, hw_error *err) {
  hw_listener *listener = hw_listener_open(p, "large", add_changes, t, err);
  if (!listener) return err->status;
  hw_status status = hw_pipeline_start(p, HW_RUNNING, NULL, NULL, err);
  if (status == HW_OK) status = push_rows(p, err);
  if (status == HW_OK) status = hw_pipeline_stop(p, false, NULL, NULL, err);
  hw_listener_close(listener);
  return status;
}

int main(void) {
  hw_error err;
  hw_engine_options options = {.struct_size = sizeof options, .log_level = HW_LOG_WARNING};
  hw_engine *engine = hw_engine_new(&options, &err);
  hw_pipeline *p = NULL;
  total got = {0}, want = {0};
  hw_status status = engine ? hw_pipeline_create(engine, "embedded", program, strlen(program), &p, &err) : err.status;
  if (status == HW_OK) status = run(p, &got, &err);
  if (status != HW_OK) fprintf(stderr, "embed: %s\n", err.message);
  if (p) hw_pipeline_unref(p);
  if (engine) hw_engine_free(engine);
  if (status != HW_OK) return 1;

  for (int64_t id = 0; id < ROWS; id++)
    if (amount_of(id) >= 50) {
      want.rows++;
      want.sum += amount_of(id) * 2;
    }
  printf("%" PRId64 " of %d rows passed, their sum is %" PRId64 "\n", got.rows, ROWS, got.sum);
  if (got.rows == want.rows && got.sum == want.sum) return 0;
  fprintf(stderr, "embed: %" PRId64 " rows and a sum of %" PRId64 " were to be expected\n", want.rows, want.sum);
  return 1;
}
