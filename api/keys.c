#include "api/keys.h"

#include "api/key_token.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define NAME_MAX_LENGTH 63

struct key_ring {
  api_key *items; /* by name */
  size_t n, capacity;
  uint64_t serial; /* the last one given */
};

/* ---- roles ---------------------------------------------------------------- */

static const char *const role_names[] = {"none", "read", "write", "admin", "owner"};

const char *api_role_name(api_role role) { return role_names[role]; }

bool api_role_parse(const char *name, api_role *out) {
  for (int role = ROLE_READ; role <= ROLE_OWNER; role++) {
    if (strcmp(role_names[role], name) != 0) continue;
    *out = (api_role)role;
    return true;
  }
  return false;
}

/* ---- the list ------------------------------------------------------------- */

key_ring *keys_new(void) { return calloc(1, sizeof(key_ring)); }

void keys_free(key_ring *ks) {
  if (!ks) return;
  free(ks->items);
  free(ks);
}

/* Where the name is, or belongs. */
static size_t place_of(const key_ring *ks, const char *name) {
  size_t i = 0;
  while (i < ks->n && strcmp(ks->items[i].row.name, name) < 0) i++;
  return i;
}

static api_key *find(const key_ring *ks, const char *name) {
  size_t i = place_of(ks, name);
  return i < ks->n && strcmp(ks->items[i].row.name, name) == 0 ? &ks->items[i] : NULL;
}

const api_key *keys_find(const key_ring *ks, const char *name) { return find(ks, name); }
const api_key *keys_at(const key_ring *ks, size_t i) { return i < ks->n ? &ks->items[i] : NULL; }

static bool reserve(key_ring *ks) {
  if (ks->n < ks->capacity) return true;
  size_t capacity = ks->capacity ? ks->capacity * 2 : 8;
  api_key *items = realloc(ks->items, capacity * sizeof *items);
  if (!items) return false;
  ks->items = items;
  ks->capacity = capacity;
  return true;
}

static hw_status insert(key_ring *ks, const catalog_key *row, key_state state, hw_error *err) {
  api_role role;
  if (!api_role_parse(row->role, &role))
    return hw_error_set(err, HW_EINVAL, "API key '%s' has the role '%s', which this version does not know", row->name,
                        row->role);
  if (!reserve(ks)) return hw_error_set(err, HW_ENOMEM, "out of memory for API keys");
  size_t i = place_of(ks, row->name);
  memmove(&ks->items[i + 1], &ks->items[i], (ks->n - i) * sizeof *ks->items);
  ks->items[i] = (api_key){.row = *row, .role = role, .state = state, .serial = ++ks->serial};
  ks->n++;
  return HW_OK;
}

hw_status keys_load(key_ring *ks, catalog *c, hw_error *err) {
  catalog_key *rows;
  size_t n;
  hw_status status = catalog_load_keys(c, &rows, &n, err);
  for (size_t i = 0; status == HW_OK && i < n; i++) status = insert(ks, &rows[i], KEY_LIVE, err);
  if (status == HW_OK) free(rows);
  return status;
}

hw_status keys_add(key_ring *ks, const catalog_key *row, hw_error *err) {
  if (find(ks, row->name))
    return hw_error_code(err, HW_EEXIST, "DuplicateName", "an API key named '%s' exists already", row->name);
  if (ks->n >= KEYS_MAX)
    return hw_error_code(err, HW_ESTATE, "TooManyApiKeys", "there are %d API keys, the most that can be; delete some",
                         KEYS_MAX);
  return insert(ks, row, KEY_ADDING, err);
}

static void set_state(key_ring *ks, const char *name, key_state state) {
  api_key *key = find(ks, name);
  assert(key && key->state != state);
  key->state = state;
}

void keys_added(key_ring *ks, const char *name) { set_state(ks, name, KEY_LIVE); }
void keys_delete(key_ring *ks, const char *name) { set_state(ks, name, KEY_DELETING); }

void keys_remove(key_ring *ks, const char *name) {
  api_key *key = find(ks, name);
  assert(key);
  size_t i = (size_t)(key - ks->items);
  ks->n--;
  memmove(key, key + 1, (ks->n - i) * sizeof *key);
}

const api_key *keys_match(const key_ring *ks, const char *token, size_t len) {
  uint8_t hash[KEY_TOKEN_HASH];
  const api_key *found = NULL;
  if (key_token_hash(token, len, hash, NULL) != HW_OK) return NULL;
  for (size_t i = 0; i < ks->n; i++) {
    bool same = CRYPTO_memcmp(ks->items[i].row.hash, hash, sizeof hash) == 0;
    if (same && ks->items[i].state == KEY_LIVE) found = &ks->items[i];
  }
  return found;
}

/* ---- new ones ------------------------------------------------------------- */

hw_status keys_check_name(const char *name, hw_error *err) {
  static const char inside[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  size_t len = strlen(name);
  if (len == 0) return hw_error_code(err, HW_EINVAL, "EmptyName", "the name of an API key must not be empty");
  if (len > NAME_MAX_LENGTH)
    return hw_error_code(err, HW_EINVAL, "TooLongName", "the name of an API key has at most %d bytes, this one %zu",
                         NAME_MAX_LENGTH, len);
  if (strspn(name, inside) == len) return HW_OK;
  return hw_error_code(err, HW_EINVAL, "NameDoesNotMatchPattern",
                       "'%s' is no name of an API key: letters, digits, _ and - make one", name);
}

hw_status keys_make(const char *name, api_role role, catalog_key *row, char *token, hw_error *err) {
  struct timeval now;
  *row = (catalog_key){0};
  hw_status status = keys_check_name(name, err);
  if (status == HW_OK) status = uuid_make(row->id, err);
  if (status == HW_OK) status = key_token_make(token, err);
  if (status == HW_OK) status = key_token_hash(token, KEY_TOKEN_LEN, row->hash, err);
  if (status != HW_OK) return status;
  memcpy(row->name, name, strlen(name) + 1);
  memcpy(row->role, role_names[role], strlen(role_names[role]) + 1);
  gettimeofday(&now, NULL);
  row->created_at_us = (int64_t)now.tv_sec * 1000000 + now.tv_usec;
  return HW_OK;
}
