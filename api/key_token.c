#include "api/key_token.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

static hw_status random_bytes(uint8_t *to, size_t len, hw_error *err) {
  while (len > 0) {
    ssize_t n = getrandom(to, len, 0);
    if (n < 0 && errno != EINTR)
      return hw_error_set(err, HW_EIO, "no random numbers for an API key: %s", strerror(errno));
    if (n > 0) to += n, len -= (size_t)n;
  }
  return HW_OK;
}

hw_status key_token_make(char token[KEY_TOKEN_LEN + 1], hw_error *err) {
  static const char digits[] = "0123456789abcdef";
  uint8_t bits[32];
  hw_status status = random_bytes(bits, sizeof bits, err);
  if (status != HW_OK) return status;
  size_t len = sizeof KEY_TOKEN_PREFIX - 1;
  memcpy(token, KEY_TOKEN_PREFIX, len);
  for (size_t i = 0; i < sizeof bits; i++) {
    token[len++] = digits[bits[i] >> 4];
    token[len++] = digits[bits[i] & 15];
  }
  token[len] = '\0';
  explicit_bzero(bits, sizeof bits);
  return HW_OK;
}

hw_status key_token_hash(const char *token, size_t len, uint8_t hash[KEY_TOKEN_HASH], hw_error *err) {
  if (EVP_Digest(token, len, hash, NULL, EVP_sha256(), NULL) == 1) return HW_OK;
  return hw_error_set(err, HW_EIO, "SHA-256 cannot be computed: OpenSSL refuses");
}
