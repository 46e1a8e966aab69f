#include "runtime/uuid.h"

#include <headworks/value.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

hw_status uuid_make(char text[UUID_TEXT_SIZE], hw_error *err) {
  hw_uuid id;
  ssize_t n;
  do n = getrandom(id.bytes, sizeof id.bytes, 0);
  while (n < 0 && errno == EINTR);
  if (n != (ssize_t)sizeof id.bytes)
    return hw_error_set(err, HW_EIO, "no random numbers for an identity: %s", strerror(errno));
  id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0F) | 0x40);
  id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3F) | 0x80);
  char room[HW_VALUE_TEXT_MAX];
  size_t len = hw_format_uuid(&id, room);
  memcpy(text, room, len);
  text[len] = '\0';
  return HW_OK;
}
