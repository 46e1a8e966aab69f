/* cpu_input.c - a source from outside of Headworks' tree: how busy each processor
 * is, sampled from /proc/stat.
 *
 * The table has the columns cpu INT, busy BIGINT and idle BIGINT, in this order;
 * the last two are ticks of USER_HZ since boot. */
#include <headworks/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct cpu_input {
  hw_connector *connector;
  int fd;
  uint64_t interval_us, next_us;
  int64_t samples_left, sample; /* samples_left is negative: no end */
  const char *line;             /* in text: what is not yet a row */
  char text[65536];
} cpu_input;

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static hw_status check_columns(const hw_schema *schema, hw_error *err) {
  static const hw_type_id types[] = {HW_TYPE_INT, HW_TYPE_BIGINT, HW_TYPE_BIGINT};
  bool good = schema->n_fields == 3;
  for (uint32_t i = 0; good && i < 3; i++) good = schema->fields[i].type.id == types[i];
  return good ? HW_OK
              : hw_error_set(err, HW_EINVAL, "table \"%s\" must have the columns cpu INT, busy BIGINT, idle BIGINT",
                             schema->name);
}

static hw_status cpu_create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  hw_status status = check_columns(hw_connector_schema(c), err);
  if (status != HW_OK) return status;
  cpu_input *in = calloc(1, sizeof *in);
  if (!in) return hw_error_set(err, HW_ENOMEM, "out of memory");
  int64_t samples = hw_config_int(config, "samples");
  in->connector = c;
  in->fd = -1;
  in->interval_us = (uint64_t)hw_config_int(config, "interval_ms") * 1000;
  in->samples_left = samples ? samples : -1;
  in->line = in->text;
  *instance = in;
  return HW_OK;
}

static hw_status cpu_open(void *instance, hw_error *err) {
  cpu_input *in = instance;
  in->fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
  return in->fd >= 0 ? HW_OK : hw_error_set(err, HW_EIO, "/proc/stat: %s", strerror(errno));
}

static void take_sample(cpu_input *in, ssize_t len) {
  char position[32];
  in->text[len] = '\0';
  in->line = in->text;
  in->next_us = now_us() + in->interval_us;
  if (in->samples_left > 0) in->samples_left--;
  snprintf(position, sizeof position, "sample %lld", (long long)++in->sample);
  hw_input_set_position(in->connector, position);
}

static void put(hw_batch *batch, uint32_t column, int64_t value) {
  hw_column *c = &batch->columns[column];
  if (column == 0)
    ((int32_t *)c->values)[batch->n_rows] = (int32_t)value;
  else
    ((int64_t *)c->values)[batch->n_rows] = value;
  hw_column_set_valid(c, batch->n_rows);
}

/* The line "cpu3 user nice system idle ..." becomes a row, any other does not. */
static void add_row(const cpu_input *in, hw_batch *batch) {
  int cpu;
  long long user, nice, system, idle;
  if (sscanf(in->line, "cpu%d %lld %lld %lld %lld", &cpu, &user, &nice, &system, &idle) != 5) return;
  if (in->line[3] == ' ') return; /* "cpu  ...": the sum of the others */
  put(batch, 0, cpu);
  put(batch, 1, user + nice + system);
  put(batch, 2, idle);
  batch->n_rows++;
}

static hw_fetch cpu_fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  (void)args;
  cpu_input *in = instance;
  if (!*in->line) {
    uint64_t now = now_us();
    if (in->samples_left == 0) return HW_FETCH_END;
    if (now < in->next_us) {
      hw_connector_wait_us(in->connector, in->next_us - now);
      return HW_FETCH_WAIT;
    }
    ssize_t len = pread(in->fd, in->text, sizeof in->text - 1, 0);
    if (len < 0) {
      (void)hw_error_set(err, HW_EIO, "/proc/stat: %s", strerror(errno));
      return HW_FETCH_RETRY;
    }
    take_sample(in, len);
  }
  hw_batch *batch = hw_input_batch(in->connector);
  if (!batch) return HW_FETCH_MORE; /* no room now: the runtime calls again when there is */
  const char *begin = in->line;
  while (batch->n_rows < batch->capacity && *in->line) {
    add_row(in, batch);
    in->line += strcspn(in->line, "\n");
    in->line += *in->line == '\n';
  }
  hw_input_commit(in->connector, batch, (uint64_t)(in->line - begin));
  return HW_FETCH_MORE;
}

static void cpu_destroy(void *instance) {
  cpu_input *in = instance;
  if (in->fd >= 0) close(in->fd);
  free(in);
}

static const hw_option options[] = {
    {.name = "interval_ms", .type = HW_OPTION_INT, .default_text = "1000", .min = 1, .max = 3600000, .unit = "ms",
     .description = "Time between two samples."},
    {.name = "samples", .type = HW_OPTION_INT, .default_text = "0", .min = 0, .max = INT64_MAX,
     .description = "End of input after so many samples; 0: no end."},
    {0}};

static const hw_input_ops ops = {.create = cpu_create, .open = cpu_open, .fetch = cpu_fetch, .destroy = cpu_destroy};

static const hw_input_transport transport = {.struct_size = sizeof transport, .name = "cpu_input",
                                             .summary = "processor times of this machine, sampled",
                                             .capabilities = HW_CAP_ROWS, .options = options, .ops = &ops};

static const hw_input_transport *const inputs[] = {&transport, NULL};

HW_PLUGIN_EXPORT const hw_plugin hw_plugin_descriptor = {.magic = HW_PLUGIN_MAGIC, .abi = HW_PLUGIN_ABI,
                                                         .struct_size = sizeof(hw_plugin), .name = "cpu",
                                                         .version = "1.0", .inputs = inputs};
