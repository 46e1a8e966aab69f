/* key_token.h - the secret that is an API key: 256 random bits behind "apikey:".
 *
 * Nobody keeps a token but its user: what is compared and what is stored is its
 * SHA-256. With that many random bits a slow hash would protect nothing. */
#ifndef API_KEY_TOKEN_H
#define API_KEY_TOKEN_H

#include <headworks/status.h>

#include <stddef.h>
#include <stdint.h>

#define KEY_TOKEN_PREFIX "apikey:"
#define KEY_TOKEN_LEN (sizeof KEY_TOKEN_PREFIX - 1 + 64)
#define KEY_TOKEN_HASH 32

/* A new token, terminated; forget it with explicit_bzero. HW_EIO: the system has
 * no random numbers to give. Any thread. */
HW_MUST_USE hw_status key_token_make(char token[KEY_TOKEN_LEN + 1], hw_error *err);
/* HW_EIO: the library refuses. Any thread. */
HW_MUST_USE hw_status key_token_hash(const char *token, size_t len, uint8_t hash[KEY_TOKEN_HASH], hw_error *err);

#endif
