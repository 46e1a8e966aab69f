/* uuid.h - identities. */
#ifndef RUNTIME_UUID_H
#define RUNTIME_UUID_H

#include <headworks/status.h>

#define UUID_TEXT_SIZE 37 /* with the terminator */

/* A random (version 4) UUID as text. Any thread. HW_EIO: the system has no
 * random numbers to give. */
hw_status uuid_make(char text[UUID_TEXT_SIZE], hw_error *err);

#endif
