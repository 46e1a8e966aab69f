/* status.c - names and sentences of status codes; building error values. */
#include <headworks/status.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *hw_status_name(hw_status status) {
  switch (status) {
#define X(code, number, sentence)                                                                                      \
  case code:                                                                                                           \
    return #code;
    HW_STATUS_MAP(X)
#undef X
  }
  return "HW_UNKNOWN";
}

const char *hw_status_text(hw_status status) {
  switch (status) {
#define X(code, number, sentence)                                                                                      \
  case code:                                                                                                           \
    return sentence;
    HW_STATUS_MAP(X)
#undef X
  }
  return "unknown status";
}

/* Takes an incomplete UTF-8 sequence off the end of text that was cut at len. */
static size_t whole_characters(const char *text, size_t len) {
  size_t start = len;
  while (start > 0 && len - start < 4 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
  if (start == 0) return len;
  unsigned char lead = (unsigned char)text[start - 1];
  size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  return len - (start - 1) < need ? start - 1 : len;
}

/* Puts it behind the first `at` bytes of the message. */
static void put_message(hw_error *err, size_t at, const char *fmt, va_list args) {
  size_t room = sizeof err->message - at;
  int n = vsnprintf(err->message + at, room, fmt, args);
  if (n < 0) err->message[at] = '\0';
  if (n >= (int)room) err->message[whole_characters(err->message, sizeof err->message - 1)] = '\0';
}

static void set_message(hw_error *err, const char *fmt, va_list args) { put_message(err, 0, fmt, args); }

hw_status hw_error_set(hw_error *err, hw_status status, const char *fmt, ...) {
  if (!err) return status;
  err->status = status;
  err->code[0] = '\0';
  va_list args;
  va_start(args, fmt);
  set_message(err, fmt, args);
  va_end(args);
  return status;
}

hw_status hw_error_add(hw_error *err, hw_status status, const char *fmt, ...) {
  if (!err) return status;
  bool first = err->status == HW_OK;
  if (first) *err = (hw_error){.status = status};
  size_t len = strlen(err->message);
  if (!first && len + 2 < sizeof err->message) len += (size_t)snprintf(err->message + len, 3, "; ");
  va_list args;
  va_start(args, fmt);
  put_message(err, len, fmt, args);
  va_end(args);
  return err->status;
}

hw_status hw_error_code(hw_error *err, hw_status status, const char *code, const char *fmt, ...) {
  if (!err) return status;
  err->status = status;
  snprintf(err->code, sizeof err->code, "%s", code);
  va_list args;
  va_start(args, fmt);
  set_message(err, fmt, args);
  va_end(args);
  return status;
}
