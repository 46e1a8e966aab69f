/* keys.h - the API keys, as the API thread knows them: in memory, so that a request
 * is let in or refused without asking a disk.
 *
 *     (not there) ─ keys_add ─▸ ADDING ─ keys_added ─▸ LIVE ─ keys_delete ─▸ DELETING ─▸ (not there)
 *                                  └─ keys_remove ─▸ (not there)     └─ keys_added ─▸ LIVE again
 *
 * A key lets in while it is LIVE only: not before the catalog has it, and not from
 * the moment on in which its deletion was asked for. Its name is taken all along.
 * All on the API thread. */
#ifndef API_KEYS_H
#define API_KEYS_H

#include "api/role.h"
#include "engine/catalog.h"

#define KEYS_MAX 1000 /* each is compared with every token */

typedef enum key_state { KEY_ADDING, KEY_LIVE, KEY_DELETING } key_state;

typedef struct api_key {
  catalog_key row;
  api_role role;
  key_state state;
  uint64_t serial; /* from 1, never used twice */
} api_key;

typedef struct key_ring key_ring;

key_ring *keys_new(void); /* NULL: no memory */
void keys_free(key_ring *ks);

/* What the catalog has, LIVE. Waits: for the start. c NULL: nothing. */
hw_status keys_load(key_ring *ks, catalog *c, hw_error *err);

/* The LIVE key that token is, or NULL. Takes as long for a wrong one as for a right one. */
const api_key *keys_match(const key_ring *ks, const char *token, size_t len);
/* By name, in any state, or NULL. Good until keys change. */
const api_key *keys_find(const key_ring *ks, const char *name);
/* The i-th by name, in any state; NULL past the end. */
const api_key *keys_at(const key_ring *ks, size_t i);

/* ADDING. row is copied. HW_EEXIST, HW_ESTATE (too many), HW_ENOMEM. */
hw_status keys_add(key_ring *ks, const catalog_key *row, hw_error *err);
void keys_added(key_ring *ks, const char *name);  /* LIVE from now on */
void keys_delete(key_ring *ks, const char *name); /* DELETING */
void keys_remove(key_ring *ks, const char *name);

/* Whether name can be a key's: HW_EINVAL with the contract's codes. Any thread. */
hw_status keys_check_name(const char *name, hw_error *err);
/* A new key's row and its token, which is shown once and then forgotten by
 * explicit_bzero. Any thread. */
hw_status keys_make(const char *name, api_role role, catalog_key *row, char *token, hw_error *err);

#endif
