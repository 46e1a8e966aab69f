/* connectors.h - the built-in transports, each described by one descriptor. */
#ifndef CONNECTORS_CONNECTORS_H
#define CONNECTORS_CONNECTORS_H

#include <headworks/connector.h>

extern const hw_input_transport file_input_transport;
extern const hw_input_transport socket_input_transport;
extern const hw_input_transport datagen_transport;
extern const hw_input_transport empty_input_transport;

extern const hw_output_transport file_output_transport;
extern const hw_output_transport stdout_output_transport;
extern const hw_output_transport socket_output_transport;
extern const hw_output_transport null_output_transport;

/* All of them, as a plugin's descriptor wants them: each list ends with NULL. */
extern const hw_input_transport *const connectors_inputs[];
extern const hw_output_transport *const connectors_outputs[];

#endif
