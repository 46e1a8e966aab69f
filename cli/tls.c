#include "cli/tls.h"

#include <arpa/inet.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct tls_trust {
  SSL_CTX *context;
  int fault;  /* X509_V_*; X509_V_OK: none */
  bool plain; /* what answered the handshake was not TLS */
};

/* Keeps the first fault, for it is the one that counts. */
static int on_verify(int good, X509_STORE_CTX *store) {
  SSL *session = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  tls_trust *trust = SSL_get_app_data(session);
  if (!good && trust->fault == X509_V_OK) trust->fault = X509_STORE_CTX_get_error(store);
  return good;
}

static bool load_trusted(SSL_CTX *context, const char *file) {
  if (!file || !*file) return SSL_CTX_set_default_verify_paths(context) == 1;
  return SSL_CTX_load_verify_file(context, file) == 1;
}

tls_trust *tls_trust_open(const cli_call *call) {
  const char *file = cli_value(call, "ca");
  if (!file) file = getenv("HEADWORKS_CA");
  tls_trust *trust = cli_alloc(sizeof *trust);
  trust->context = SSL_CTX_new(TLS_client_method());
  if (!trust->context || SSL_CTX_set_min_proto_version(trust->context, TLS1_2_VERSION) != 1) {
    cli_complain("OpenSSL refuses to make a TLS client");
  } else if (!load_trusted(trust->context, file)) {
    const char *why = ERR_reason_error_string(ERR_peek_last_error());
    cli_complain("no certificates to trust can be read from %s: %s", file ? file : "the system's directory",
                 why ? why : "unknown reason");
  } else {
    SSL_CTX_set_verify(trust->context, SSL_VERIFY_PEER, on_verify);
    return trust;
  }
  ERR_clear_error();
  tls_trust_close(trust);
  return NULL;
}

void tls_trust_close(tls_trust *trust) {
  if (!trust) return;
  SSL_CTX_free(trust->context);
  free(trust);
}

static bool expect_host(SSL *session, const char *host) {
  unsigned char address[16];
  if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
  return SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
}

struct bufferevent *tls_connection(tls_trust *trust, struct event_base *base, const char *host) {
  SSL *session = SSL_new(trust->context);
  struct bufferevent *bev = NULL;
  trust->fault = X509_V_OK;
  trust->plain = false;
  if (session && SSL_set_app_data(session, trust) == 1 && expect_host(session, host))
    bev = bufferevent_openssl_socket_new(base, -1, session, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
  if (!bev) SSL_free(session);
  else bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
  return bev;
}

/* What somebody who does not speak TLS says looks like a record of a strange version or length. */
static bool is_no_tls(unsigned long error) {
  int reason = ERR_GET_REASON(error);
  return ERR_GET_LIB(error) == ERR_LIB_SSL && (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
                                               reason == SSL_R_PACKET_LENGTH_TOO_LONG);
}

bool tls_connection_over(tls_trust *trust, struct bufferevent *bev) {
  bool answered = SSL_is_init_finished(bufferevent_openssl_get_ssl(bev));
  if (answered) return true;
  for (unsigned long error; (error = bufferevent_get_openssl_error(bev)) != 0;) {
    answered |= ERR_GET_LIB(error) == ERR_LIB_SSL;
    trust->plain |= is_no_tls(error);
  }
  return answered;
}

bool tls_is_missing(const tls_trust *trust) { return trust && trust->plain; }

const char *tls_distrust(const tls_trust *trust) {
  return trust && trust->fault != X509_V_OK ? X509_verify_cert_error_string(trust->fault) : NULL;
}
