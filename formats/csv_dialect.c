#include "formats/csv.h"

#include <string.h>

hw_status csv_dialect_character(const hw_config *config, const char *option, char *out, bool *is_set, hw_error *err) {
  const char *text = hw_config_string(config, option);
  *is_set = text && *text;
  if (!*is_set) return HW_OK;
  *out = !strcmp(text, "\\t") ? '\t' : text[0];
  if ((text[1] && *out != '\t') || (text[1] && strcmp(text, "\\t") != 0))
    return hw_error_set(err, HW_EINVAL, "%s: \"%s\" is more than one character", option, text);
  if ((unsigned char)*out >= 0x80 || *out == '\n' || *out == '\r')
    return hw_error_set(err, HW_EINVAL, "%s: must be an ASCII character other than CR and LF", option);
  return HW_OK;
}

hw_status csv_dialect_check(const csv_dialect *d, hw_error *err) {
  const char *same = NULL;
  if (d->quoting && csv_dialect_is_value_character(d->quote))
    return hw_error_set(err, HW_EINVAL, "quote: '%c' may stand inside a number or a date", d->quote);
  if (d->quoting && d->quote == d->delimiter) same = "quote";
  if (d->has_comment && d->comment == d->delimiter) same = "comment";
  if (d->has_escape && d->escape == d->delimiter) same = "escape";
  if (same) return hw_error_set(err, HW_EINVAL, "%s: must differ from the delimiter", same);
  return HW_OK;
}

bool csv_dialect_is_value_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("+-.: ", c));
}
