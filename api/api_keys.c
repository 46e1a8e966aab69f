/* api_keys.c - making, showing and deleting API keys.
 *
 * DESIGN
 * A change is acknowledged when the catalog has it on disk, and the API thread does
 * not wait for that: the change travels to the catalog's thread and back through
 * the mailbox, and the list of keys.h says in between what is under way. A key
 * whose client has left before it learnt the token is deleted again: nobody could
 * use it, and its name would be taken.
 *
 *     change_new ─▸ catalog_post ─▸ hw-catalog: written ─▸ mailbox ─▸ deliver ─▸ reply, free
 *                        ▴                                              │
 *                        └──────── a new key, and nobody there ─────────┘ */
#include "api/call.h"
#include "api/key_token.h"

#include <jansson.h>
#include <stdlib.h>

#define BODY_MAX 4096

typedef struct change {
  catalog_write write; /* first */
  mail mail;
  api_call call; /* API thread; call.req is NULL once the client has left */
  mailbox *box;  /* a reference */
  bool adds;
  char token[KEY_TOKEN_LEN + 1]; /* of an addition, until it was shown */
  bool failed;
  hw_error err; /* why */
} change;

static void change_free(change *ch) {
  mailbox_unref(ch->box);
  explicit_bzero(ch, sizeof *ch);
  free(ch);
}

static change *of_mail(mail *m) { return (change *)((char *)m - offsetof(change, mail)); }

static void discard(mail *m) { change_free(of_mail(m)); }

static void gone(void *arg) { ((change *)arg)->call.req = NULL; }

/* [hw-catalog, or the API thread without one] */
static void written(catalog_write *w, const hw_error *err) {
  change *ch = (change *)w;
  ch->failed = err != NULL;
  if (err) ch->err = *err;
  mailbox_post(ch->box, &ch->mail);
}

static void post(change *ch, catalog_kind kind) {
  ch->write.kind = kind;
  catalog_post(manager_catalog(ch->call.context->engine), &ch->write);
}

/* ---- replies -------------------------------------------------------------- */

static void write_key(json_writer *w, const api_key *key) {
  jw_object(w);
  jw_key_string(w, "id", key->row.id);
  jw_key_string(w, "name", key->row.name);
  jw_key_string(w, "role", key->row.role);
  jw_object_end(w);
}

static void reply_made(const change *ch) {
  json_writer w;
  reply_begin(ch->call.req, &w);
  jw_object(&w);
  jw_key_string(&w, "id", ch->write.row.key.id);
  jw_key_string(&w, "name", ch->write.row.key.name);
  jw_key_string(&w, "api_key", ch->token);
  jw_object_end(&w);
  reply_json(ch->call.req, 201, &w);
}

static void reply_fault(const api_call *call, const char *name, const hw_error *err) {
  const reply_detail details[] = {{"name", name}, {NULL, NULL}};
  reply_engine_error(call->req, err, details);
}

static void reply_unknown(const api_call *call, const char *name) {
  const reply_detail details[] = {{"name", name}, {NULL, NULL}};
  reply_error(call->req, 404, "UnknownApiKey", details, "Unknown API key '%.100s'", name);
}

/* ---- after the catalog ----------------------------------------------------- */

/* Nobody has the token. */
static void take_back(change *ch) {
  keys_delete(ch->call.context->keys, ch->write.row.key.name);
  ch->adds = false;
  post(ch, CATALOG_DELETE_KEY);
}

static void settle(const change *ch) {
  key_ring *ks = ch->call.context->keys;
  const char *name = ch->write.row.key.name;
  bool stays = ch->adds != ch->failed; /* an addition that is done, a deletion that failed */
  if (stays) keys_added(ks, name);
  else keys_remove(ks, name);
}

static void deliver(mail *m) {
  change *ch = of_mail(m);
  settle(ch);
  bool orphan = ch->adds && !ch->failed && !ch->call.req;
  if (orphan) {
    take_back(ch);
    return;
  }
  if (ch->call.req && ch->failed) reply_fault(&ch->call, ch->write.row.key.name, &ch->err);
  else if (ch->call.req && ch->adds) reply_made(ch);
  else if (ch->call.req) reply_empty(ch->call.req, 200, NULL);
  change_free(ch);
}

static change *change_new(const api_call *call, bool adds) {
  change *ch = calloc(1, sizeof *ch);
  if (!ch) {
    http_reply_no_memory(call->req);
    return NULL;
  }
  ch->write.done = written;
  ch->mail = (mail){.deliver = deliver, .discard = discard};
  ch->call = *call;
  ch->box = mailbox_ref(call->context->box);
  ch->adds = adds;
  return ch;
}

/* ---- the body of a POST ---------------------------------------------------- */

/* Each check replies and returns false when the request is refused. */

static bool check_body(const api_call *call, const json_t *body, const json_error_t *fault) {
  if (json_is_object(body)) return true;
  if (body) reply_error(call->req, 400, "InvalidBody", NULL, "the body must be a JSON object");
  else
    reply_error(call->req, 400, "MalformedJson", NULL, "the body is not JSON: line %d, column %d: %s", fault->line,
                fault->column, fault->text);
  return false;
}

static bool refuse_member(const api_call *call, const char *name, const char *wanted) {
  const reply_detail details[] = {{"member", name}, {NULL, NULL}};
  reply_error(call->req, 400, "InvalidBody", details, "'%s' must be %s", name, wanted);
  return false;
}

/* The role asked for, by default the creator's own as far as a key can have it. */
static bool take_role(const api_call *call, const json_t *body, api_role *role) {
  const json_t *member = json_object_get(body, "role");
  api_role creator = (api_role)call->req->role;
  *role = ROLE_WRITE; /* whoever may make keys has this at least */
  if (!member || json_is_null(member)) return true;
  const char *name = json_string_value(member);
  if (!name || !api_role_parse(name, role)) return refuse_member(call, "role", "\"read\" or \"write\"");
  const reply_detail details[] = {{"role", name}, {"creator_role", api_role_name(creator)}, {NULL, NULL}};
  if (*role > creator) {
    reply_error(call->req, 403, "RoleExceedsCreator", details, "a key of the role '%s' cannot make one of '%s'",
                api_role_name(creator), name);
    return false;
  }
  if (*role <= ROLE_WRITE) return true;
  reply_error(call->req, 403, "OwnerAdminNotMintableAsApiKey", details,
              "an API key has the role 'read' or 'write', never '%s'", name);
  return false;
}

static void add_key(const api_call *call, const json_t *body) {
  api_role role;
  hw_error err;
  const char *name = json_string_value(json_object_get(body, "name"));
  if (!name) {
    (void)refuse_member(call, "name", "there, a string");
    return;
  }
  if (!take_role(call, body, &role)) return;
  change *ch = change_new(call, true);
  if (!ch) return;
  hw_status status = keys_make(name, role, &ch->write.row.key, ch->token, &err);
  if (status == HW_OK) status = keys_add(call->context->keys, &ch->write.row.key, &err);
  if (status != HW_OK) {
    reply_fault(call, name, &err);
    change_free(ch);
    return;
  }
  http_defer(call->req, gone, ch);
  post(ch, CATALOG_PUT_KEY);
}

/* ---- handlers --------------------------------------------------------------- */

void post_api_key(const api_call *call) {
  const outbuf *text = &call->req->body;
  json_error_t fault;
  if (text->len > BODY_MAX) {
    reply_error(call->req, 413, "PayloadTooLarge", NULL, "the body is larger than %d bytes", BODY_MAX);
    return;
  }
  json_t *body = json_loadb(text->data ? text->data : "", text->len, JSON_REJECT_DUPLICATES, &fault);
  if (check_body(call, body, &fault)) add_key(call, body);
  json_decref(body);
}

void list_api_keys(const api_call *call) {
  json_writer w;
  const api_key *key;
  reply_begin(call->req, &w);
  jw_array(&w);
  for (size_t i = 0; (key = keys_at(call->context->keys, i)); i++)
    if (key->state == KEY_LIVE) write_key(&w, key);
  jw_array_end(&w);
  reply_json(call->req, 200, &w);
}

/* The LIVE key in the path; NULL: 404 has been replied. */
static const api_key *find_key(const api_call *call) {
  const char *name = call->params[0];
  const api_key *key = keys_find(call->context->keys, name);
  if (key && key->state == KEY_LIVE) return key;
  reply_unknown(call, name);
  return NULL;
}

/* An array, as the contract's schema has it. */
void get_api_key(const api_call *call) {
  json_writer w;
  const api_key *key = find_key(call);
  if (!key) return;
  reply_begin(call->req, &w);
  jw_array(&w);
  write_key(&w, key);
  jw_array_end(&w);
  reply_json(call->req, 200, &w);
}

/* From here on the key lets nobody in, and what it has running ends. */
void delete_api_key(const api_call *call) {
  const api_key *key = find_key(call);
  change *ch = key ? change_new(call, false) : NULL;
  if (!ch) return;
  uint64_t serial = key->serial;
  ch->write.row.key = key->row;
  keys_delete(call->context->keys, key->row.name);
  http_defer(call->req, gone, ch);
  post(ch, CATALOG_DELETE_KEY);
  http_end_streams(call->context->http, serial);
}
