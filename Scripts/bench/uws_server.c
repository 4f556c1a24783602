// uws_server PORT echo|chat: uWebSockets behind its C interface, the reference that `compare` measures against.
//
// echo sends every message back. chat has one group: every message goes to every member, the sender too, behind the sender's name
// when the query has one (?name=N); a connection to /pub publishes and is not a member.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsocketify_cdef.h"

enum { NO_TLS = 0, NAME_SIZE = 63 };
static const char GROUP[] = "room";
#define GROUP_LENGTH (sizeof GROUP - 1)

typedef struct {
    int only_publishes;
    size_t name_length;
    char name[NAME_SIZE];
} Member;

static uws_app_t *app;

static void listening(struct us_listen_socket_t *socket, uws_app_listen_config_t config, void *user) {
    printf("%s %d\n", socket ? "listening" : "FAILED", config.port);
    fflush(stdout);
}

static void echo_message(uws_websocket_t *ws, const char *message, size_t length, uws_opcode_t opcode, void *user) {
    uws_ws_send(NO_TLS, ws, message, length, opcode);
}

static void chat_upgrade(uws_res_t *response, uws_req_t *request, uws_socket_context_t *context, void *user) {
    Member *member = calloc(1, sizeof *member);
    const char *text, *key, *protocol, *extensions;
    size_t length = uws_req_get_query(request, "name", 4, &text);
    member->name_length = length > NAME_SIZE ? NAME_SIZE : length;
    memcpy(member->name, text, member->name_length);
    length = uws_req_get_url(request, &text);
    member->only_publishes = length == 4 && !memcmp(text, "/pub", 4);

    size_t key_length = uws_req_get_header(request, "sec-websocket-key", 17, &key);
    size_t protocol_length = uws_req_get_header(request, "sec-websocket-protocol", 22, &protocol);
    size_t extensions_length = uws_req_get_header(request, "sec-websocket-extensions", 24, &extensions);
    uws_res_upgrade(NO_TLS, response, member, key, key_length, protocol, protocol_length, extensions, extensions_length, context);
}

static void chat_open(uws_websocket_t *ws, void *user) {
    Member *member = uws_ws_get_user_data(NO_TLS, ws);
    if (!member->only_publishes) uws_ws_subscribe(NO_TLS, ws, GROUP, GROUP_LENGTH);
}

static void chat_message(uws_websocket_t *ws, const char *message, size_t length, uws_opcode_t opcode, void *user) {
    Member *member = uws_ws_get_user_data(NO_TLS, ws);
    if (!member->name_length) {
        uws_publish(NO_TLS, app, GROUP, GROUP_LENGTH, message, length, opcode, false);
        return;
    }
    char line[member->name_length + 2 + length];
    memcpy(line, member->name, member->name_length);
    memcpy(line + member->name_length, ": ", 2);
    memcpy(line + member->name_length + 2, message, length);
    uws_publish(NO_TLS, app, GROUP, GROUP_LENGTH, line, sizeof line, opcode, false);
}

static void chat_close(uws_websocket_t *ws, int code, const char *reason, size_t length, void *user) {
    free(uws_ws_get_user_data(NO_TLS, ws));
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: uws_server PORT echo|chat\n");
        return 2;
    }
    struct us_socket_context_options_t options = {0};
    socketify_loop *loop = socketify_create_loop();
    uws_get_loop_with_native(socketify_get_native_loop(loop));
    app = uws_create_app(NO_TLS, options);

    uws_socket_behavior_t behavior = {.compression = DISABLED, .maxPayloadLength = 16 << 20, .idleTimeout = 120,
                                      .maxBackpressure = 64 << 20, .sendPingsAutomatically = true};
    if (!strcmp(argv[2], "chat")) {
        behavior.upgrade = chat_upgrade;
        behavior.open = chat_open;
        behavior.message = chat_message;
        behavior.close = chat_close;
    } else {
        behavior.message = echo_message;
    }
    uws_ws(NO_TLS, app, "/*", behavior, NULL);
    uws_app_listen_config_t config = {.port = atoi(argv[1]), .host = "127.0.0.1", .options = 0};
    uws_app_listen_with_config(NO_TLS, app, config, listening, NULL);
    return socketify_loop_run(loop, SOCKETIFY_RUN_DEFAULT);
}
