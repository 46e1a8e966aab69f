#include "runtime/secret.h"

#include <headworks/value.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART_BYTES 8 /* so many bytes in a row are no coincidence */

static const char env_prefix[] = "${env:", file_prefix[] = "${secret:";
static const char kubernetes_prefix[] = "${secret:kubernetes:";

/* ---- references ------------------------------------------------------------- */

static bool begins(const char *text, const char *prefix) { return strncmp(text, prefix, strlen(prefix)) == 0; }

bool secret_is_reference(const char *text) {
  size_t len = strlen(text);
  return len > 0 && text[len - 1] == '}' && (begins(text, env_prefix) || begins(text, file_prefix));
}

/* Bytes of `at` that are of the letters that names are made of; more: other ones. */
static size_t span(const char *at, const char *more) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
  size_t n = 0;
  while (at[n] && (strchr(letters, at[n]) || strchr(more, at[n]))) n++;
  return n;
}

/* A name of a file: not "", not "..", nothing that leads elsewhere. */
static bool is_file_name(const char *at, size_t len) { return len > 0 && len <= 253 && at[0] != '.'; }

const char *secret_fault(const char *reference) {
  if (begins(reference, env_prefix)) {
    const char *name = reference + strlen(env_prefix);
    size_t len = span(name, "");
    bool good = len > 0 && (name[0] < '0' || name[0] > '9') && strcmp(name + len, "}") == 0;
    return good ? NULL : "a reference to a variable is ${env:NAME}, of letters, digits and _";
  }
  if (!begins(reference, kubernetes_prefix))
    return "a reference to a secret is ${secret:kubernetes:NAME/KEY}; no other provider is known";
  const char *name = reference + strlen(kubernetes_prefix);
  size_t name_len = span(name, "-.");
  const char *key = name + name_len + (name[name_len] == '/');
  size_t key_len = span(key, "-.");
  bool good = name[name_len] == '/' && is_file_name(name, name_len) && is_file_name(key, key_len) &&
              strcmp(key + key_len, "}") == 0;
  return good ? NULL : "a reference to a secret is ${secret:kubernetes:NAME/KEY}, both of letters, digits, '-', '_' "
                       "and '.', which does not come first";
}

/* ---- what they stand for ------------------------------------------------------ */

static void forget(char *text) {
  if (text) explicit_bzero(text, strlen(text));
  free(text);
}

void secret_list_fini(secret_list *known) {
  for (size_t i = 0; i < known->n; i++) forget(known->items[i]);
  free(known->items);
  *known = (secret_list){0};
}

/* Takes value over in every case. */
static hw_status keep(secret_list *known, char *value, hw_error *err) {
  char **items = realloc(known->items, (known->n + 1) * sizeof *items);
  if (!items) {
    forget(value);
    return hw_error_set(err, HW_ENOMEM, "out of memory for a secret");
  }
  known->items = items;
  items[known->n++] = value;
  return HW_OK;
}

/* The name between prefix and '}', with memory of the caller's. */
static char *inner(const char *reference, const char *prefix) {
  size_t skip = strlen(prefix);
  return strndup(reference + skip, strlen(reference) - skip - 1);
}

static hw_status read_variable(const char *reference, char **value, hw_error *err) {
  char *name = inner(reference, env_prefix);
  if (!name) return hw_error_set(err, HW_ENOMEM, "out of memory for a secret");
  const char *text = begins(name, "HEADWORKS_") ? NULL : getenv(name); /* those are the program's own */
  free(name);
  if (!text) return hw_error_set(err, HW_ENOTFOUND, "%s: the environment has no such variable", reference);
  *value = strdup(text);
  return *value ? HW_OK : hw_error_set(err, HW_ENOMEM, "out of memory for a secret");
}

/* All of fd; -1 and errno, EFBIG when it is too large. */
static ssize_t read_all(int fd, char *to, size_t room) {
  size_t len = 0;
  for (;;) {
    ssize_t n = read(fd, to + len, room - len);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? -1 : (ssize_t)len;
    len += (size_t)n;
    if (len < room) continue;
    errno = EFBIG;
    return -1;
  }
}

static hw_status cannot_read(const char *reference, int error, hw_error *err) {
  const char *why = strerror(error);
  if (error == ENOENT) why = "there is no such file below the secrets directory";
  if (error == EXDEV) why = "the file leads out of the secrets directory";
  if (error == EFBIG) why = "the file is larger than 64 KiB";
  return hw_error_set(err, error == ENOENT ? HW_ENOTFOUND : HW_EIO, "%s: %s", reference, why);
}

/* An editor's or echo's line end does not belong to the secret. */
static size_t without_line_end(const char *text, size_t len) {
  if (len && text[len - 1] == '\n') len--;
  if (len && text[len - 1] == '\r') len--;
  return len;
}

static hw_status take_text(const char *reference, const char *text, size_t len, char **value, hw_error *err) {
  len = without_line_end(text, len);
  if (memchr(text, '\0', len) || !hw_utf8_valid(text, len))
    return hw_error_set(err, HW_EINVAL, "%s: the file holds no text: a NUL byte, or what is not UTF-8", reference);
  *value = strndup(text, len);
  return *value ? HW_OK : hw_error_set(err, HW_ENOMEM, "out of memory for a secret");
}

static hw_status read_file(const file_root *dir, const char *reference, char **value, hw_error *err) {
  if (!dir)
    return hw_error_set(err, HW_ENOTFOUND, "%s: there is no secrets directory (--secrets-dir)", reference);
  char *path = inner(reference, kubernetes_prefix), *text = malloc(SECRET_MAX + 1);
  int fd = -1;
  hw_status status = HW_ENOMEM;
  if (!path || !text) {
    hw_error_set(err, HW_ENOMEM, "out of memory for a secret");
    goto end;
  }
  fd = file_root_open(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  ssize_t len = fd >= 0 ? read_all(fd, text, SECRET_MAX + 1) : -1;
  status = len < 0 ? cannot_read(reference, errno, err) : take_text(reference, text, (size_t)len, value, err);
end:
  if (text) explicit_bzero(text, SECRET_MAX + 1);
  free(text);
  free(path);
  if (fd >= 0) close(fd);
  return status;
}

hw_status secret_resolve(const file_root *dir, const char *reference, secret_list *known, const char **value,
                         hw_error *err) {
  char *text = NULL;
  hw_status status = begins(reference, env_prefix) ? read_variable(reference, &text, err)
                                                   : read_file(dir, reference, &text, err);
  if (status == HW_OK) status = keep(known, text, err);
  if (status == HW_OK) *value = text;
  return status;
}

/* ---- redaction ---------------------------------------------------------------- */

/* The most bytes at the start of text that are in a row in secret, if they are enough. */
static size_t match(const char *text, const char *secret) {
  size_t len = strlen(secret), least = len < PART_BYTES ? len : PART_BYTES, most = 0;
  for (size_t i = 0; i + least <= len; i++) {
    size_t n = 0;
    while (secret[i + n] && secret[i + n] == text[n]) n++;
    if (n > most) most = n;
  }
  return most >= least ? most : 0;
}

void secret_redact(const secret_list *known, char *text) {
  if (known->n == 0) return;
  char *to = text;
  while (*text) {
    size_t hidden = 0;
    for (size_t i = 0; i < known->n; i++) {
      size_t n = match(text, known->items[i]);
      if (n > hidden) hidden = n;
    }
    for (size_t i = 0; i < hidden && i < 3; i++) *to++ = '*';
    if (hidden) text += hidden;
    else *to++ = *text++;
  }
  *to = '\0';
}
