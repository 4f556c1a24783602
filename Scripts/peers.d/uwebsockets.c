// uWebSockets behind its C interface: uwebsockets PORT plain|compress [CERTIFICATE KEY]
// Native topics; a publish is framed (and compressed) once. The endpoints are those of `ringcast serve`.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsocketify_cdef.h"

enum { COMPRESS_FROM = 1024 };
static const char CHAT[] = "chat";

typedef struct {
    char *topic, *name;
    int subscribes, hears_itself;
} Member;

static uws_app_t *app;
static int tls, compresses;

static bool deflated(size_t length) { return compresses && length >= COMPRESS_FROM; }

static void listening(struct us_listen_socket_t *socket, uws_app_listen_config_t config, void *user) {
    (void)user;
    if (!socket) {
        fprintf(stderr, "port %d is taken\n", config.port);
        exit(1);
    }
}

static void echo_message(uws_websocket_t *ws, const char *message, size_t length, uws_opcode_t opcode, void *user) {
    (void)user;
    uws_ws_send_with_options(tls, ws, message, length, opcode, deflated(length), true);
}

static void upgrade(Member *member, uws_res_t *response, uws_req_t *request, uws_socket_context_t *context) {
    const char *key, *protocol, *extensions;
    size_t key_length = uws_req_get_header(request, "sec-websocket-key", 17, &key);
    size_t protocol_length = uws_req_get_header(request, "sec-websocket-protocol", 22, &protocol);
    size_t extensions_length = uws_req_get_header(request, "sec-websocket-extensions", 24, &extensions);
    uws_res_upgrade(tls, response, member, key, key_length, protocol, protocol_length, extensions, extensions_length, context);
}

static Member *new_member(char *topic, int subscribes) {
    Member *member = calloc(1, sizeof *member);
    member->topic = topic;
    member->subscribes = subscribes;
    return member;
}

static void chat_upgrade(uws_res_t *response, uws_req_t *request, uws_socket_context_t *context, void *user) {
    (void)user;
    Member *member = new_member(strdup(CHAT), 1);
    const char *name;
    size_t length = uws_req_get_query(request, "name", 4, &name);
    if (length) member->name = strndup(name, length);
    member->hears_itself = 1;
    upgrade(member, response, request, context);
}

static void topic_upgrade(uws_res_t *response, uws_req_t *request, uws_socket_context_t *context, void *user) {
    const char *topic;
    size_t length = uws_req_get_parameter(request, 0, &topic);
    char *name = NULL;
    if (asprintf(&name, "topic/%.*s", (int)length, topic) < 0) abort();
    upgrade(new_member(name, user != NULL), response, request, context);
}

static void opened(uws_websocket_t *ws, void *user) {
    (void)user;
    Member *member = uws_ws_get_user_data(tls, ws);
    if (member->subscribes) uws_ws_subscribe(tls, ws, member->topic, strlen(member->topic));
}

static void publish(uws_websocket_t *ws, Member *member, const char *message, size_t length, uws_opcode_t opcode) {
    size_t topic_length = strlen(member->topic);
    if (member->hears_itself || !member->subscribes)  // a socket publishes only if it is subscribed to something
        uws_publish(tls, app, member->topic, topic_length, message, length, opcode, deflated(length));
    else
        uws_ws_publish_with_options(tls, ws, member->topic, topic_length, message, length, opcode, deflated(length));
}

static void member_message(uws_websocket_t *ws, const char *message, size_t length, uws_opcode_t opcode, void *user) {
    (void)user;
    Member *member = uws_ws_get_user_data(tls, ws);
    if (!member->name || opcode != TEXT) {
        publish(ws, member, message, length, opcode);
        return;
    }
    size_t name_length = strlen(member->name);
    char line[name_length + 2 + length];
    memcpy(line, member->name, name_length);
    memcpy(line + name_length, ": ", 2);
    memcpy(line + name_length + 2, message, length);
    publish(ws, member, line, sizeof line, opcode);
}

static void closed(uws_websocket_t *ws, int code, const char *reason, size_t length, void *user) {
    (void)code, (void)reason, (void)length, (void)user;
    Member *member = uws_ws_get_user_data(tls, ws);
    free(member->topic);
    free(member->name);
    free(member);
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: uwebsockets PORT plain|compress [CERTIFICATE KEY]\n");
        return 2;
    }
    compresses = !strcmp(argv[2], "compress");
    tls = argc == 5;
    struct us_socket_context_options_t options = {0};
    if (tls) options.cert_file_name = argv[3], options.key_file_name = argv[4];
    socketify_loop *loop = socketify_create_loop();
    uws_get_loop_with_native(socketify_get_native_loop(loop));
    app = uws_create_app(tls, options);

    uws_socket_behavior_t behavior = {.compression = compresses ? SHARED_COMPRESSOR | SHARED_DECOMPRESSOR : DISABLED,
                                      .maxPayloadLength = 16 << 20, .idleTimeout = 120, .maxBackpressure = 16 << 20,
                                      .sendPingsAutomatically = true, .message = echo_message};
    uws_ws(tls, app, "/echo", behavior, NULL);
    behavior.open = opened;
    behavior.message = member_message;
    behavior.close = closed;
    behavior.upgrade = chat_upgrade;
    uws_ws(tls, app, "/chat", behavior, NULL);
    behavior.upgrade = topic_upgrade;
    uws_ws(tls, app, "/topic/:topic", behavior, "subscribes");
    uws_ws(tls, app, "/publish/:topic", behavior, NULL);
    uws_app_listen_config_t config = {.port = atoi(argv[1]), .host = "127.0.0.1"};
    uws_app_listen_with_config(tls, app, config, listening, NULL);
    return socketify_loop_run(loop, SOCKETIFY_RUN_DEFAULT);
}
