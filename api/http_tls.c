/* http_tls.c - the certificate and key that a server shows, and sessions with them.
 *
 * What both sides may agree on: TLS 1.2 and 1.3, with keys that are forgotten
 * after each session (forward secrecy) and ciphers that also authenticate;
 * neither compression nor renegotiation. Sessions give their buffers back while
 * nothing goes through them: a thousand idle ones cost little. */
#include "api/http_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CIPHERS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"

struct http_tls {
  char *cert, *key;
  pthread_mutex_t lock;
  SSL_CTX *context; /* protected by lock */
};

/* The first thing that OpenSSL had to say; the rest is forgotten. */
static const char *reason(void) {
  const char *text = ERR_reason_error_string(ERR_peek_error());
  ERR_clear_error();
  return text ? text : "unknown reason";
}

/* A key behind a passphrase is none: nobody is there to be asked for it. */
static int no_passphrase(char *buf, int size, int writing, void *arg) {
  (void)buf, (void)size, (void)writing, (void)arg;
  return 0;
}

static hw_status refuse_file(const char *what, const char *path, hw_error *err) {
  if (access(path, R_OK) != 0)
    return hw_error_set(err, HW_EINVAL, "TLS: cannot read the %s \"%s\": %s", what, path, strerror(errno));
  return hw_error_set(err, HW_EINVAL, "TLS: \"%s\" is no %s in PEM%s: %s", path, what,
                      *what == 'k' ? ", without a passphrase" : "", reason());
}

static hw_status load_files(SSL_CTX *context, const http_tls *tls, hw_error *err) {
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(context, tls->cert) != 1) return refuse_file("certificate", tls->cert, err);
  if (SSL_CTX_use_PrivateKey_file(context, tls->key, SSL_FILETYPE_PEM) == 1) return HW_OK;
  if (ERR_GET_REASON(ERR_peek_error()) != X509_R_KEY_VALUES_MISMATCH) return refuse_file("key", tls->key, err);
  ERR_clear_error();
  return hw_error_set(err, HW_EINVAL, "TLS: the key \"%s\" is not that of the certificate \"%s\"", tls->key, tls->cert);
}

static SSL_CTX *new_context(const http_tls *tls, hw_error *err) {
  ERR_clear_error();
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (!context || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context, CIPHERS_1_2) != 1) {
    hw_error_set(err, HW_EIO, "TLS: OpenSSL refuses: %s", reason());
    goto failed;
  }
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (load_files(context, tls, err) == HW_OK) return context;
failed:
  SSL_CTX_free(context);
  return NULL;
}

http_tls *http_tls_new(const char *cert, const char *key, hw_error *err) {
  http_tls *tls = calloc(1, sizeof *tls);
  if (!tls) goto no_memory;
  if (pthread_mutex_init(&tls->lock, NULL) != 0) goto no_lock;
  tls->cert = strdup(cert);
  tls->key = strdup(key);
  if (!tls->cert || !tls->key) {
    http_tls_free(tls);
    goto no_memory;
  }
  tls->context = new_context(tls, err);
  if (tls->context) return tls;
  http_tls_free(tls);
  return NULL;
no_lock:
  free(tls);
no_memory:
  hw_error_set(err, HW_ENOMEM, "TLS: out of memory");
  return NULL;
}

void http_tls_free(http_tls *tls) {
  if (!tls) return;
  SSL_CTX_free(tls->context);
  pthread_mutex_destroy(&tls->lock);
  free(tls->cert);
  free(tls->key);
  free(tls);
}

hw_status http_tls_reload(http_tls *tls, hw_error *err) {
  SSL_CTX *fresh = new_context(tls, err);
  if (!fresh) return HW_EINVAL;
  pthread_mutex_lock(&tls->lock);
  SSL_CTX *old = tls->context;
  tls->context = fresh;
  pthread_mutex_unlock(&tls->lock);
  SSL_CTX_free(old);
  return HW_OK;
}

SSL *http_tls_session(http_tls *tls) {
  pthread_mutex_lock(&tls->lock);
  SSL *session = SSL_new(tls->context);
  pthread_mutex_unlock(&tls->lock);
  ERR_clear_error();
  return session;
}
