// The least that a WebSocket server does on io_uring: receive, unmask, send. What Ringcast costs beyond it is Ringcast's own, and what
// it costs itself is the kernel's. One loop, whole requests, messages below 64 KiB, nothing checked: for Scripts/bench/limits alone.
//
//   limit PORT     /echo; /topic/… hears what is sent to /publish/…
#define _GNU_SOURCE
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 1024, BUFFER_SIZE = 8192, CONNECTIONS = 65536, QUEUE_LIMIT = 1 << 20 };
enum Operation { ACCEPT, RECEIVE, SEND, BLOCKED_SEND, OTHER }; enum Role { REQUEST, ECHO, TOPIC, PUBLISH };
typedef struct { uint8_t *at; size_t count, room; } Bytes;
typedef struct {
    enum Role role;
    int place, is_dirty, is_blocked, ends;  // place: among the subscribers
    Bytes coming, going, held;              // to be sent; with the kernel; the beginning of a frame
    size_t taken;                           // of what is with the kernel
} Connection;

static struct io_uring ring;
static _Alignas(4096) struct io_uring_buf places[BUFFERS];
static uint8_t memory[BUFFERS][BUFFER_SIZE];
static Connection connections[CONNECTIONS];
static int subscribers[CONNECTIONS], subscriber_count, dirty[CONNECTIONS], dirty_count, flushed[CONNECTIONS], flushed_count;

static struct io_uring_sqe *ask(enum Operation operation, int opcode, int socket, const void *bytes, size_t count, int flags) {
    struct io_uring_sqe *sqe;
    while (!(sqe = io_uring_get_sqe(&ring))) io_uring_submit(&ring);
    io_uring_prep_rw(opcode, sqe, socket, bytes, count, 0);
    sqe->msg_flags = flags;
    sqe->user_data = (uint64_t)socket << 8 | operation;
    if (operation == RECEIVE) sqe->ioprio = IORING_RECV_MULTISHOT, sqe->flags = IOSQE_BUFFER_SELECT;
    if (operation == SEND || operation == OTHER) sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    return sqe;
}

static void offer(int buffer) {
    io_uring_buf_ring_add((struct io_uring_buf_ring *)places, memory[buffer], BUFFER_SIZE, buffer, BUFFERS - 1, 0);
    io_uring_buf_ring_advance((struct io_uring_buf_ring *)places, 1);
}

static void append(Bytes *bytes, const void *more, size_t count) {
    if (bytes->count + count > bytes->room) bytes->at = realloc(bytes->at, bytes->room = 2 * (bytes->count + count));
    memcpy(bytes->at + bytes->count, more, count);
    bytes->count += count;
}

static void queue(int socket, const void *bytes, size_t count) {
    Connection *c = &connections[socket];
    if (c->coming.count < QUEUE_LIMIT) append(&c->coming, bytes, count);
    if (!c->is_dirty) c->is_dirty = 1, dirty[dirty_count++] = socket;
}

static void upgrade(int socket, const uint8_t *request, size_t count) {
    char text[BUFFER_SIZE + 1] = "", key[64] = "";
    uint8_t hash[SHA_DIGEST_LENGTH], answer[33] = "";
    memcpy(text, request, count);
    char *line = strcasestr(text, "\r\nSec-WebSocket-Key:");
    if (!line || sscanf(line + 20, "%24s", key) != 1) return (void)shutdown(socket, SHUT_RDWR);
    strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    EVP_EncodeBlock(answer, SHA1((uint8_t *)key, strlen(key), hash), sizeof hash);
    static const char head[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
    queue(socket, head, sizeof head - 1), queue(socket, answer, 28), queue(socket, "\r\n\r\n", 4);
    Connection *c = &connections[socket];
    c->role = strncmp(text, "GET /topic/", 11) == 0 ? TOPIC : strncmp(text, "GET /publish/", 13) == 0 ? PUBLISH : ECHO;
    if (c->role == TOPIC) subscribers[c->place = subscriber_count++] = socket;
}

static void received(int socket, uint8_t *bytes, size_t count) {
    Connection *c = &connections[socket];
    if (c->role == REQUEST) return upgrade(socket, bytes, count);
    if (c->held.count) append(&c->held, bytes, count), bytes = c->held.at, count = c->held.count;
    uint8_t *at = bytes, *end = bytes + count;
    for (size_t header, length; end - at >= 6; at += header + length) {
        header = (at[1] & 127) < 126 ? 6 : 8;
        length = header == 6 ? at[1] & 127 : (size_t)at[2] << 8 | at[3];
        if (end - at < (ptrdiff_t)(header + length)) break;
        for (size_t i = 0; i < length; i++) at[header + i] ^= at[header - 4 + (i & 3)];
        at[1] &= 127, memmove(at + 4, at, header - 4);  // what is sent has the same header, but for the mask
        if ((at[4] & 15) == 8) c->ends = 1;
        if (c->role != PUBLISH || c->ends) queue(socket, at + 4, header - 4 + length);
        else for (int i = 0; i < subscriber_count; i++) queue(subscribers[i], at + 4, header - 4 + length);
    }
    if (bytes == c->held.at) memmove(bytes, at, c->held.count = (size_t)(end - at));
    else append(&c->held, at, (size_t)(end - at));
}

static void ended(int socket) {
    Connection *c = &connections[socket];
    if (c->role == TOPIC) connections[subscribers[c->place] = subscribers[--subscriber_count]].place = c->place;
    free(c->coming.at), free(c->going.at), free(c->held.at);
    *c = (Connection){.is_dirty = c->is_dirty};
    ask(OTHER, IORING_OP_CLOSE, socket, NULL, 0, 0);
}

// A send that the socket takes whole says nothing. What it leaves over goes once there is room.
static void flush(int socket) {
    Connection *c = &connections[socket];
    c->is_dirty = 0;
    if (c->is_blocked || !c->coming.count) return;
    Bytes sent = c->going;
    c->going = c->coming, c->coming = sent, c->coming.count = 0, c->taken = c->going.count;
    ask(SEND, IORING_OP_SEND, socket, c->going.at, c->taken, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
    flushed[flushed_count++] = socket;
}

// The turn behind it: those that were not silent have answered.
static void settle(int socket) {
    Connection *c = &connections[socket];
    const uint8_t *rest = c->going.at + c->taken;
    c->is_blocked = c->taken < c->going.count;
    if (c->is_blocked) ask(BLOCKED_SEND, IORING_OP_SEND, socket, rest, c->going.count - c->taken, MSG_WAITALL | MSG_NOSIGNAL);
    else if (c->ends) ask(OTHER, IORING_OP_SHUTDOWN, socket, NULL, SHUT_WR, 0);
}

int main(int count, char **arguments) {
    struct sockaddr_in address = {AF_INET, htons(count > 1 ? atoi(arguments[1]) : 0), {htonl(INADDR_LOOPBACK)}, {0}};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096) ||
        io_uring_queue_init(4096, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)) return perror("limit"), 1;
    io_uring_register_buf_ring(&ring, &(struct io_uring_buf_reg){.ring_addr = (uint64_t)places, .ring_entries = BUFFERS}, 0);
    for (int i = 0; i < BUFFERS; i++) offer(i);
    ask(ACCEPT, IORING_OP_ACCEPT, listener, NULL, 0, 0)->ioprio = IORING_ACCEPT_MULTISHOT;
    struct io_uring_cqe *cqe;
    for (unsigned head, seen;; io_uring_cq_advance(&ring, seen)) {
        seen = 0, io_uring_submit_and_wait(&ring, 1);
        io_uring_for_each_cqe(&ring, head, cqe)
            if ((cqe->user_data & 255) == SEND) connections[cqe->user_data >> 8].taken = cqe->res > 0 ? cqe->res : 0;
        while (flushed_count) settle(flushed[--flushed_count]);
        io_uring_for_each_cqe(&ring, head, cqe) {
            int socket = (int)(cqe->user_data >> 8), result = cqe->res, buffer = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
            enum Operation operation = cqe->user_data & 255;
            seen++;
            if (operation == ACCEPT && result >= 0) ask(RECEIVE, IORING_OP_RECV, result, NULL, 0, 0);
            if (operation == BLOCKED_SEND) connections[socket].is_blocked = 0, queue(socket, "", 0);
            if (operation != RECEIVE) continue;
            if (result > 0) received(socket, memory[buffer], (size_t)result), offer(buffer);
            if (result <= 0 && result != -ENOBUFS) ended(socket);
            else if (!(cqe->flags & IORING_CQE_F_MORE)) ask(RECEIVE, IORING_OP_RECV, socket, NULL, 0, 0);
        }
        while (dirty_count) flush(dirty[--dirty_count]);
    }
}
