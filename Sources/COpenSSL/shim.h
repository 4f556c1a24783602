// OpenSSL 3, and as functions what it has as macros or with variable arguments: Swift imports neither.
//
// <features.h> first, and no _GNU_SOURCE, as in every header that Swift imports beside Glibc's module (see CIOUring).
#pragma once
#include <features.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#error "Ringcast needs OpenSSL 3."
#endif

static inline void ringcast_tls_set_minimum_version(SSL_CTX *context, int version) {
    SSL_CTX_set_min_proto_version(context, version);
}
// No renegotiation (TLS 1.3 has none), no compression (CRIME), and the server chooses the cipher.
static inline void ringcast_tls_set_options(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
}
static inline void ringcast_tls_set_modes(SSL_CTX *context, long modes) { SSL_CTX_set_mode(context, modes); }
static inline void ringcast_tls_read_ahead(SSL_CTX *context) { SSL_CTX_set_read_ahead(context, 1); }
static inline void ringcast_tls_set_session_cache(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}
static inline int ringcast_tls_set_maximum_fragment(SSL_CTX *context, long byteCount) {
    return (int)SSL_CTX_set_max_send_fragment(context, byteCount);
}
static inline int ringcast_tls_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline void ringcast_tls_on_server_name(
    SSL_CTX *context, int (*choose)(SSL *, int *, void *), void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, choose);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}
static inline int ringcast_tls_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}
// Session tickets are encrypted with AES-256-CBC and authenticated with HMAC-SHA-256, as OpenSSL does by default. `secret` has 32
// bytes for either. 1 on success.
static inline int ringcast_tls_use_ticket_key(const unsigned char *secret, const unsigned char *vector,
                                              EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)secret, 32),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
           EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, secret + 32, vector, seals) == 1;
}
static inline void ringcast_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void ringcast_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
static inline int ringcast_error_library(unsigned long error) { return ERR_GET_LIB(error); }
static inline int ringcast_error_reason(unsigned long error) { return ERR_GET_REASON(error); }
static inline BIO *ringcast_bio_of(const void *bytes, int count) { return BIO_new_mem_buf(bytes, count); }
static inline unsigned long ringcast_name_flags(void) { return XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB; }
