#include "formats/csv.h"

#include <string.h>

void csv_dialect_character(const hw_config *config, const char *option, char *out, bool *is_set, hw_error *all) {
  const char *text = hw_config_string(config, option);
  *is_set = text && *text;
  if (!*is_set) return;
  bool tab = strcmp(text, "\\t") == 0, ascii = (unsigned char)text[0] < 0x80 && text[0] != '\n' && text[0] != '\r';
  if (ascii && text[1] && !tab)
    (void)hw_error_add(all, HW_EINVAL, "%s: \"%s\" is more than one character", option, text);
  else if (!ascii)
    (void)hw_error_add(all, HW_EINVAL, "%s: must be an ASCII character other than CR and LF", option);
  else
    *out = tab ? '\t' : text[0];
}

static void check_characters(const csv_dialect *d, hw_error *all) {
  if (d->quoting && csv_dialect_is_value_character(d->quote))
    (void)hw_error_add(all, HW_EINVAL, "quote: '%c' may stand inside a number or a date", d->quote);
  if (d->quoting && d->quote == d->delimiter)
    (void)hw_error_add(all, HW_EINVAL, "quote: must differ from the delimiter");
  if (d->has_comment && d->comment == d->delimiter)
    (void)hw_error_add(all, HW_EINVAL, "comment: must differ from the delimiter");
  if (d->has_escape && d->escape == d->delimiter)
    (void)hw_error_add(all, HW_EINVAL, "escape: must differ from the delimiter");
}

hw_status csv_dialect_check(const csv_dialect *d, hw_error *all, hw_error *err) {
  if (all->status == HW_OK) check_characters(d, all);
  return all->status == HW_OK ? HW_OK : hw_error_set(err, all->status, "%s", all->message);
}

bool csv_dialect_is_value_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr("+-.: ", c));
}
