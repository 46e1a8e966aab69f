/* empty_input.c - no rows, and the end of input at once: a table that is given
 * its rows in other ways, or a label for others to start after. */
#include "connectors/connectors.h"

static char the_instance; /* there is nothing to know about one */

static hw_status create(hw_connector *c, const hw_config *config, void **instance, hw_error *err) {
  (void)c, (void)config, (void)err;
  *instance = &the_instance;
  return HW_OK;
}

static hw_fetch fetch(void *instance, const hw_fetch_args *args, hw_error *err) {
  (void)instance, (void)args, (void)err;
  return HW_FETCH_END;
}

static void destroy(void *instance) { (void)instance; }

static const hw_option options[] = {{.name = NULL}};

static const hw_input_ops ops = {.create = create, .fetch = fetch, .destroy = destroy};

const hw_input_transport empty_input_transport = {
    .struct_size = sizeof(hw_input_transport),
    .name = "empty_input",
    .summary = "no rows; at its end at once",
    .capabilities = HW_CAP_ROWS | HW_CAP_REPLAY | HW_CAP_FORMAT,
    .options = options,
    .ops = &ops,
};
