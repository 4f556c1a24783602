// What OpenSSL alone needs for a server's half of TLS: the calls that Ringcast makes, in memory, with the same settings. For
// Scripts/bench/limits, which has callgrind count from the beginning of `counted` to its end.
//
//   tls_limit echo|connection|idle COUNT CERTIFICATE KEY
//
// Messages of 20 bytes, their frames 26 and 22; connections with a full handshake and a ticket; bytes that an idle session keeps.
#define _GNU_SOURCE
#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REQUEST = 26, REPLY = 22, WARM_UP = 10 };
typedef struct { char bytes[32768]; int start, end; } Pipe;
typedef struct { Pipe *in, *out; } End;
typedef struct { SSL *server, *client; Pipe up, down; End at_server, at_client; } Pair;
static BIO_METHOD *transport;
static SSL_CTX *server, *client;
static unsigned char ticket_key[64];

static int read_pipe(BIO *bio, char *bytes, int count) {
    Pipe *pipe = ((End *)BIO_get_data(bio))->in;
    BIO_clear_retry_flags(bio);
    if (pipe->start == pipe->end) return BIO_set_retry_read(bio), -1;
    if (count > pipe->end - pipe->start) count = pipe->end - pipe->start;
    memcpy(bytes, pipe->bytes + pipe->start, (size_t)count);
    pipe->start += count;
    if (pipe->start == pipe->end) pipe->start = pipe->end = 0;
    return count;
}

static int write_pipe(BIO *bio, const char *bytes, int count) {
    Pipe *pipe = ((End *)BIO_get_data(bio))->out;
    memcpy(pipe->bytes + pipe->end, bytes, (size_t)count);
    pipe->end += count;
    return count;
}

static long control(BIO *bio, int command, long number, void *pointer) {
    return (void)bio, (void)number, (void)pointer, command == BIO_CTRL_FLUSH;
}

static int seal_ticket(SSL *ssl, unsigned char *name, unsigned char *vector, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seals) {
    if (seals && RAND_bytes(vector, 16) != 1) return 0;
    memset(name, 1, 16);
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, ticket_key, 32),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return (void)ssl, EVP_MAC_CTX_set_params(mac, parameters) == 1 &&
                          EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, ticket_key + 32, vector, seals) == 1;
}

static SSL *session(SSL_CTX *context, End *end) {
    SSL *ssl = SSL_new(context);
    BIO *bio = BIO_new(transport);
    BIO_set_data(bio, end);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    context == server ? SSL_set_accept_state(ssl) : SSL_set_connect_state(ssl);
    return ssl;
}

enum Step { SHAKE_HANDS, ECHO, END };
static inline void take(Pair *pair, enum Step step) {
    char bytes[REQUEST];
    if (step == SHAKE_HANDS) {
        if (!pair->server) pair->server = session(server, &pair->at_server);
        SSL_do_handshake(pair->server);
    } else if (step == ECHO) {
        if (SSL_read(pair->server, bytes, sizeof bytes) == REQUEST) SSL_write(pair->server, bytes, REPLY);
    } else {
        SSL_free(pair->server);
    }
}

static int counts;
__attribute__((noipa)) static void counted(Pair *pair, enum Step step) { take(pair, step); }
static void serve(Pair *pair, enum Step step) { counts ? counted(pair, step) : take(pair, step); }

static void connect_pair(Pair *pair) {
    *pair = (Pair){.at_server = {&pair->up, &pair->down}, .at_client = {&pair->down, &pair->up}};
    pair->client = session(client, &pair->at_client);
    while (SSL_do_handshake(pair->client) != 1 || !SSL_is_init_finished(pair->server)) serve(pair, SHAKE_HANDS);
}

static void echo(Pair *pair) {
    char bytes[REQUEST] = {0};
    SSL_write(pair->client, bytes, REQUEST);
    serve(pair, ECHO);
    if (SSL_read(pair->client, bytes, sizeof bytes) != REPLY) fputs("tls_limit: no echo\n", stderr), exit(1);
}

int main(int argumentCount, char **arguments) {
    if (argumentCount != 5) return fputs("usage: tls_limit echo|connection|idle COUNT CERTIFICATE KEY\n", stderr), 2;
    int count = atoi(arguments[2]);
    transport = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "pipe");
    BIO_meth_set_read(transport, read_pipe);
    BIO_meth_set_write(transport, write_pipe);
    BIO_meth_set_ctrl(transport, control);
    client = SSL_CTX_new(TLS_client_method());
    server = SSL_CTX_new(TLS_server_method());
    // As in TLSContext.
    SSL_CTX_set_options(server, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                    SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(server, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(server, 1);
    SSL_CTX_set_max_send_fragment(server, 16000);
    SSL_CTX_set_ciphersuites(server, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(server, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(server, seal_ticket);
    if (SSL_CTX_use_certificate_chain_file(server, arguments[3]) != 1 ||
        SSL_CTX_use_PrivateKey_file(server, arguments[4], SSL_FILETYPE_PEM) != 1) return ERR_print_errors_fp(stderr), 1;
    int isEcho = !strcmp(arguments[1], "echo"), isIdle = !strcmp(arguments[1], "idle");
    size_t before = 0;
    Pair *pair = malloc(sizeof *pair);
    if (isEcho) connect_pair(pair);
    for (int i = -WARM_UP; i < count; i++) {
        if (i == 0) counts = 1, before = mallinfo2().uordblks;
        if (!isEcho) connect_pair(pair);
        echo(pair);
        if (isEcho) continue;
        SSL_free(pair->client);
        if (!isIdle) serve(pair, END);
    }
    printf("%zu\n", isIdle ? (mallinfo2().uordblks - before) / (size_t)count : (size_t)count);
}
