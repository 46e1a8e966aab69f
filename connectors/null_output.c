/* null_output.c - takes everything and keeps nothing: to run a program, or
 * measure it, without a sink. Without a format it takes batches as they are;
 * with one it pays for the encoding too. */
#include "connectors/connectors.h"

static char the_instance; /* there is nothing to know about one */

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)c, (void)config, (void)err;
  *instance = &the_instance;
  return HW_OK;
}

static hw_write write_bytes(void *instance, const hw_write_args *args, const char *data, size_t len, size_t *written,
                            hw_error *err) {
  (void)instance, (void)args, (void)data, (void)err;
  *written = len;
  return HW_WRITE_OK;
}

static hw_write take(void *instance, const hw_write_args *args, const hw_batch *batch, hw_error *err) {
  (void)instance, (void)args, (void)batch, (void)err;
  return HW_WRITE_OK;
}

static void destroy(void *instance) { (void)instance; }

static const hw_option options[] = {{.name = NULL}};

static const hw_output_ops ops = {.create = create, .write = write_bytes, .take = take, .destroy = destroy};

const hw_output_transport null_output_transport = {
    .struct_size = sizeof(hw_output_transport),
    .name = "null_output",
    .summary = "discards all it is given",
    .capabilities = HW_CAP_ROWS,
    .options = options,
    .ops = &ops,
};
