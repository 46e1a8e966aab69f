#include "connectors/connectors.h"

const hw_input_transport *const connectors_inputs[] = {
    &file_input_transport, &socket_input_transport, &datagen_transport, &empty_input_transport, NULL,
};

const hw_output_transport *const connectors_outputs[] = {
    &file_output_transport, &stdout_output_transport, &socket_output_transport, &null_output_transport, NULL,
};
