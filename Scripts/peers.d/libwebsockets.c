// libwebsockets: libwebsockets PORT plain|compress [CERTIFICATE KEY]
// A publish is one counted buffer; the library frames (and compresses) it per receiver. The endpoints are those of
// `ringcast serve`.
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_SIZE = 128, WRITES_PER_TURN = 64 };

typedef struct {
    size_t length;
    int references, is_binary;
    unsigned char room[LWS_PRE];  // the header is written in front of the payload, again for every receiver
    unsigned char payload[];
} Message;

typedef struct Link {
    struct Link *next;
    Message *message;
} Link;

typedef struct Group Group;
typedef struct Session {
    struct lws *wsi;
    Group *group;
    struct Session *next, **link;  // in the group's list, when it subscribes
    Link *first, **last;           // what waits to be written
    Message *incoming;
    size_t capacity;
    char prefix[NAME_SIZE];
    int is_echo, hears_itself;
} Session;

struct Group {
    char name[NAME_SIZE];
    Session *members;
    Group *next;
};

static Group *groups;

static Group *group_named(const char *name) {
    Group *group = groups;
    while (group && strcmp(group->name, name)) group = group->next;
    if (!group) {
        group = calloc(1, sizeof *group);
        snprintf(group->name, sizeof group->name, "%s", name);
        group->next = groups;
        groups = group;
    }
    return group;
}

static void release(Message *message) {
    if (message && --message->references == 0) free(message);
}

static void enqueue(Session *session, Message *message) {
    Link *link = malloc(sizeof *link);
    *link = (Link){NULL, message};
    message->references++;
    *session->last = link;
    session->last = &link->next;
    lws_callback_on_writable(session->wsi);
}

static void join(Session *session) {
    session->next = session->group->members;
    session->link = &session->group->members;
    if (session->next) session->next->link = &session->next;
    session->group->members = session;
}

// Finds out what the path asks for. Not 0: there is nothing.
static int opened(Session *session, struct lws *wsi) {
    char path[NAME_SIZE] = "", name[NAME_SIZE] = "";
    memset(session, 0, sizeof *session);
    session->wsi = wsi;
    session->last = &session->first;
    lws_hdr_copy(wsi, path, sizeof path, WSI_TOKEN_GET_URI);
    if (!strcmp(path, "/echo")) {
        session->is_echo = 1;
    } else if (!strcmp(path, "/chat")) {
        session->group = group_named("chat");
        session->hears_itself = 1;
        const char *value = lws_get_urlarg_by_name(wsi, "name=", name, sizeof name - 2);
        if (value && *value) snprintf(session->prefix, sizeof session->prefix, "%.*s: ", NAME_SIZE - 3, value);
        join(session);
    } else if (!strncmp(path, "/topic/", 7) || !strncmp(path, "/publish/", 9)) {
        session->group = group_named(strchr(path + 1, '/'));
        if (path[1] == 't') join(session);
    } else {
        return -1;
    }
    return 0;
}

static void closed(Session *session) {
    if (session->link) {
        *session->link = session->next;
        if (session->next) session->next->link = session->link;
    }
    while (session->first) {
        Link *link = session->first;
        session->first = link->next;
        release(link->message);
        free(link);
    }
    release(session->incoming);
}

static void append(Session *session, const void *bytes, size_t length) {
    Message *message = session->incoming;
    size_t needed = (message ? message->length : 0) + length;
    if (!message || needed > session->capacity) {
        size_t fresh = message ? message->length : 0;
        session->capacity = message ? 2 * needed : needed;
        message = session->incoming = realloc(message, sizeof *message + session->capacity);
        message->length = fresh;
        message->references = 1;
    }
    memcpy(message->payload + message->length, bytes, length);
    message->length += length;
}

static void received(Session *session, const void *bytes, size_t length) {
    int is_binary = lws_frame_is_binary(session->wsi);
    if (!session->incoming && *session->prefix && !is_binary) append(session, session->prefix, strlen(session->prefix));
    append(session, bytes, length);
    if (!lws_is_final_fragment(session->wsi) || lws_remaining_packet_payload(session->wsi)) return;
    Message *message = session->incoming;
    session->incoming = NULL;
    message->is_binary = is_binary;
    if (session->is_echo) {
        enqueue(session, message);
    } else {
        for (Session *member = session->group->members; member; member = member->next)
            if (member != session || session->hears_itself) enqueue(member, message);
    }
    release(message);
}

static int writable(Session *session) {
    for (int i = 0; session->first && i < WRITES_PER_TURN; i++) {
        Link *link = session->first;
        Message *message = link->message;
        session->first = link->next;
        if (!session->first) session->last = &session->first;
        int written = lws_write(session->wsi, message->payload, message->length, message->is_binary ? LWS_WRITE_BINARY : LWS_WRITE_TEXT);
        int failed = written < (int)message->length;
        release(message);
        free(link);
        if (failed) return -1;
        if (lws_send_pipe_choked(session->wsi)) break;
    }
    if (session->first) lws_callback_on_writable(session->wsi);
    return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *bytes, size_t length) {
    Session *session = user;
    switch (reason) {
        case LWS_CALLBACK_ESTABLISHED: return opened(session, wsi);
        case LWS_CALLBACK_CLOSED: closed(session); return 0;
        case LWS_CALLBACK_RECEIVE: received(session, bytes, length); return 0;
        case LWS_CALLBACK_SERVER_WRITEABLE: return writable(session);
        default: return lws_callback_http_dummy(wsi, reason, user, bytes, length);
    }
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 5) {
        fprintf(stderr, "usage: libwebsockets PORT plain|compress [CERTIFICATE KEY]\n");
        return 2;
    }
    static const struct lws_protocols protocols[] = {
        {"default", callback, sizeof(Session), 65536, 0, NULL, 0}, {NULL, NULL, 0, 0, 0, NULL, 0}};
    static const struct lws_extension extensions[] = {
        {"permessage-deflate", lws_extension_callback_pm_deflate,
         "permessage-deflate; server_no_context_takeover; client_no_context_takeover"},
        {NULL, NULL, NULL}};
    struct lws_context_creation_info info = {.port = atoi(argv[1]), .iface = "127.0.0.1", .protocols = protocols, .gid = -1,
                                             .uid = -1, .pt_serv_buf_size = 65536, .vhost_name = "localhost"};
    if (!strcmp(argv[2], "compress")) info.extensions = extensions;
    if (argc == 5) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_cert_filepath = argv[3];
        info.ssl_private_key_filepath = argv[4];
    }
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&info);
    if (!context) return 1;
    while (lws_service(context, 0) >= 0) continue;
    lws_context_destroy(context);
    return 1;
}
