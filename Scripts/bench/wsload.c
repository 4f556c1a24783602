// wsload: a single-threaded epoll WebSocket load generator for loopback. It checks the handshake and the length of every message.
//
//   wsload echo   -p PORT -c CONNECTIONS -d DEPTH -s SIZE -t SECONDS [-L: latency of each answer]
//   wsload echo   -p PORT -c CONNECTIONS -s SIZE -t SECONDS -R RATE: so many messages a second in all, evenly, answered or not
//   wsload chat   -p PORT -c CLIENTS -t SECONDS [-D milliseconds between batches (64; 0: at once)] [-k frames per send()]
//   wsload fanout -p PORT -c SUBSCRIBERS -n PUBLISHERS -W WINDOW -s SIZE -t SECONDS
//   wsload idle   -p PORT -c CONNECTIONS -t SECONDS
//
// All: -w SECONDS of warm-up (1), -P PID of the server (its CPU and memory are sampled), -x PATH (/), -X PATH of publishers (/pub)
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "sampling.h"

typedef struct {
    int fd, number;
    // The frame being read: its head as far as it has come, then how much of its payload is still to come.
    uint32_t head_length;
    uint8_t head[10], opcode;
    uint64_t payload_left;
    // What is to be written, out of the repeating output; `position` counts in that output without end.
    uint8_t waits_for_room;
    uint64_t to_send, position;
    uint64_t asked_at;  // when the last message was sent, for latency
    uint8_t is_asking;  // paced: it waits for an answer
} Connection;

enum { OPCODE_BINARY = 2, OPCODE_TEXT = 1, OPCODE_CLOSE = 8, LATENCIES = 65536 /* µs, longer ones count as the last */ };
static const size_t INPUT_SIZE = 256 * 1024;

// 50 short texts, 595 bytes in all: the lengths of the chat workload that Bun publishes.
static const int TEXT_LENGTHS[] = {12, 14, 14, 14, 14, 14, 14, 14, 14, 14, 28, 22, 3,  8,  6,  6,  3,  5,  10, 10, 14, 14, 14, 28, 22,
                                   3,  8,  6,  6,  3,  5,  10, 10, 14, 14, 14, 28, 14, 14, 14, 28, 22, 3,  8,  6,  6,  3,  5,  10, 10};
static const char FILLER[] = "abcdefghijklmnopqrstuvwxyz0123456789";
enum { TEXTS = sizeof TEXT_LENGTHS / sizeof *TEXT_LENGTHS, CHAT_ROUNDS = 32 };

static struct {
    enum { ECHO, CHAT, FANOUT, IDLE } mode;
    const char *name, *path, *publisher_path;
    int port, connections, publishers, depth, size, window, batch_ms, frames_per_send, server_pid, latency, rate;
    double seconds, warmup;
} options = {.path = "/", .publisher_path = "/pub", .port = 9001, .connections = 64, .publishers = 1, .depth = 1, .size = 20,
             .window = 16, .batch_ms = 64, .seconds = 4, .warmup = 1};

// The frames that every connection sends, again and again.
static struct {
    char *bytes;
    size_t length, frame_length, chunk;  // chunk: the most that one send() takes; 0: no bound
    int frames;
} output;

static struct {
    uint64_t received, sent, control, bad, bytes_in, reads, writes, batches;
    uint64_t latency[LATENCIES];
} count;

static Connection *connections;
static int epoll;
static char *input;
static int64_t expected_length = -1;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(Connection *c, int operation, uint32_t events) {
    struct epoll_event event = {events, {.ptr = c}};
    epoll_ctl(epoll, operation, c->fd, &event);
}

// ---- frames

static size_t write_frame(char *out, int opcode, const char *payload, size_t length) {
    size_t n = 0;
    out[n++] = (char)(0x80 | opcode);
    if (length < 126) {
        out[n++] = (char)(0x80 | length);
    } else if (length < 65536) {
        out[n++] = (char)(0x80 | 126);
        out[n++] = (char)(length >> 8);
        out[n++] = (char)length;
    } else {
        out[n++] = (char)(0x80 | 127);
        for (int i = 7; i >= 0; i--) out[n++] = (char)((uint64_t)length >> (8 * i));
    }
    uint8_t mask[4];
    for (int i = 0; i < 4; i++) out[n++] = (char)(mask[i] = rand());
    for (size_t i = 0; i < length; i++) out[n++] = payload[i] ^ mask[i & 3];
    return n;
}

static inline uint32_t head_length(const uint8_t *head) {
    uint32_t length = head[1] & 127;
    return length < 126 ? 2 : length == 126 ? 4 : 10;
}

static inline uint64_t payload_length(const uint8_t *head) {
    uint64_t length = head[1] & 127;
    if (length == 126) return head[2] << 8 | head[3];
    if (length < 126) return length;
    length = 0;
    for (int i = 0; i < 8; i++) length = length << 8 | head[2 + i];
    return length;
}

static inline int is_data(int opcode) { return opcode <= OPCODE_BINARY; }

static inline void check_frame(int opcode, uint64_t length) {
    if (is_data(opcode)) {
        if (expected_length >= 0 && (int64_t)length != expected_length) count.bad++;
        return;
    }
    count.control++;
    if (opcode == OPCODE_CLOSE) {
        fprintf(stderr, "close frame\n");
        exit(1);
    }
}

// Reads `length` bytes and returns how many data messages are complete.
static uint64_t parse(Connection *c, const uint8_t *p, size_t length) {
    const uint8_t *end = p + length;
    uint64_t messages = 0;
    while (p < end) {
        if (c->payload_left) {
            uint64_t here = end - p;
            if (here > c->payload_left) here = c->payload_left;
            p += here;
            c->payload_left -= here;
            if (!c->payload_left && is_data(c->opcode)) messages++;
            continue;
        }
        const uint8_t *head = p;
        if (c->head_length == 0 && end - p >= 10) {  // the whole head is here, whatever its length
            p += head_length(head);
        } else {
            c->head[c->head_length++] = *p++;
            if (c->head_length < 2 || c->head_length < head_length(c->head)) continue;
            c->head_length = 0;
            head = c->head;
        }
        c->opcode = head[0] & 15;
        c->payload_left = payload_length(head);
        check_frame(c->opcode, c->payload_left);
        if (c->payload_left <= (uint64_t)(end - p)) {
            p += c->payload_left;
            c->payload_left = 0;
            if (is_data(c->opcode)) messages++;
        }
    }
    return messages;
}

static void prepare_output(void) {
    char *payload = malloc(options.size + 1);
    memset(payload, 'T', options.size);
    int repeats = options.mode == FANOUT ? options.window : options.depth < 1 ? 1 : options.depth;
    if (options.mode == CHAT) {
        output.bytes = malloc(CHAT_ROUNDS * TEXTS * 64);
        output.frames = CHAT_ROUNDS * TEXTS;
        for (int i = 0; i < output.frames; i++)
            output.length += write_frame(output.bytes + output.length, OPCODE_TEXT, FILLER, TEXT_LENGTHS[i % TEXTS]);
        output.frame_length = output.length;
        if (options.frames_per_send) output.chunk = output.length * options.frames_per_send / output.frames;
    } else if (options.mode != IDLE) {
        int opcode = options.mode == ECHO ? OPCODE_BINARY : OPCODE_TEXT;
        output.bytes = malloc((size_t)repeats * (options.size + 14));
        output.frames = repeats;
        for (int i = 0; i < repeats; i++)
            output.length += output.frame_length = write_frame(output.bytes + output.length, opcode, payload, options.size);
        expected_length = options.size;
    }
    free(payload);
}

// ---- connections

static void open_connection(Connection *c, const char *path) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options.port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0) die("socket");
    if (connect(c->fd, (void *)&address, sizeof address)) die("connect");
    int one = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);

    // The key and its answer are the example of RFC 6455, section 1.3.
    char text[4096], *end = NULL;
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     path, options.port);
    if (send(c->fd, text, n, 0) != n) die("send");
    size_t length = 0;
    while (!end) {
        ssize_t got = recv(c->fd, text + length, sizeof text - 1 - length, 0);
        if (got <= 0) die("handshake recv");
        length += got;
        text[length] = 0;
        end = strstr(text, "\r\n\r\n");
    }
    if (strncmp(text, "HTTP/1.1 101", 12) || !strcasestr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")) {
        fprintf(stderr, "bad handshake: %s\n", text);
        exit(1);
    }
    end += 4;
    count.received += parse(c, (uint8_t *)end, text + length - end);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void open_connections(void) {
    connections = calloc(options.connections + options.publishers, sizeof(Connection));
    for (int i = 0; i < options.connections + options.publishers; i++) {
        char path[128];
        if (options.mode == CHAT)
            snprintf(path, sizeof path, "%s?name=Alice%d", options.path, i);
        else
            snprintf(path, sizeof path, "%s", i < options.connections ? options.path : options.publisher_path);
        connections[i].number = i;
        open_connection(&connections[i], path);
    }
}

// Writes what is to be sent, as far as the socket takes it.
static void write_output(Connection *c) {
    while (c->to_send) {
        size_t offset = c->position % output.length, length = output.length - offset;
        if (length > c->to_send) length = c->to_send;
        if (output.chunk && length > output.chunk) length = output.chunk;
        ssize_t written = send(c->fd, output.bytes + offset, length, MSG_NOSIGNAL);
        count.writes++;
        if (written < 0) {
            if (errno != EAGAIN) die("send");
            if (!c->waits_for_room) {
                c->waits_for_room = 1;
                watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            }
            return;
        }
        c->position += written;
        c->to_send -= written;
    }
    if (c->waits_for_room) {
        c->waits_for_room = 0;
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
    }
    if (output.frame_length && c->position % output.frame_length == 0) c->position = 0;
}

static void send_frames(Connection *c, uint64_t frames) {
    c->to_send += frames * output.frame_length;
    count.sent += frames;
    write_output(c);
}

static void send_batch(Connection *c) {
    c->to_send += output.length;
    count.sent += output.frames;
    write_output(c);
}

static void read_input(Connection *c) {
    ssize_t length = recv(c->fd, input, INPUT_SIZE, 0);
    count.reads++;
    if (length < 0 && errno == EAGAIN) return;
    if (length <= 0) {
        fprintf(stderr, "conn %d closed by server r=%zd errno=%d\n", c->number, length, errno);
        exit(1);
    }
    count.bytes_in += length;
    uint64_t messages = parse(c, (uint8_t *)input, length);
    count.received += messages;
    if (options.mode != ECHO || !messages) return;
    c->is_asking = 0;
    if (options.latency) {
        uint64_t now = now_ns(), us = (now - c->asked_at) / 1000;
        count.latency[us < LATENCIES ? us : LATENCIES - 1]++;
        c->asked_at = now;
    }
    if (options.rate) return;
    send_frames(c, messages);
}

// ---- workloads

static void start_sending(void) {
    for (int i = 0; i < options.connections + options.publishers; i++) {
        Connection *c = &connections[i];
        c->asked_at = now_ns();
        if (options.rate) {
            continue;
        } else if (options.mode == ECHO) {
            send_frames(c, options.depth);
        } else if (options.mode == CHAT) {
            send_batch(c);
        } else if (i >= options.connections) {
            int share = options.window / options.publishers;
            send_frames(c, share < 1 ? 1 : share);
        }
    }
}

// Keeps as many publishes outstanding as the window allows, shared out over the publishers.
static void publish(void) {
    uint64_t subscribers = options.connections, window = options.window;
    while (count.sent * subscribers < count.received + window * subscribers) {
        uint64_t room = count.received / subscribers + window - count.sent;
        if (!room) return;
        for (int i = 0; i < options.publishers && room; i++) {
            int rest = options.publishers - i;
            uint64_t share = (room + rest - 1) / rest;
            send_frames(&connections[options.connections + i], share);
            room -= share;
        }
    }
}

// Sends what is due by now, from one connection after the other; one whose answer has not come is passed over.
static void pace(uint64_t elapsed) {
    static uint64_t turns;
    for (uint64_t due = (uint64_t)(elapsed * 1e-9 * options.rate); turns < due; turns++) {
        Connection *c = &connections[turns % options.connections];
        if (c->is_asking) continue;
        c->is_asking = 1;
        c->asked_at = now_ns();
        send_frames(c, 1);
    }
}

static struct {
    uint64_t target, next_tick, tick_ns;
    int waiting;
} chat;

static void prepare_chat(uint64_t now) {
    chat.target = (uint64_t)options.connections * options.connections * output.frames;
    chat.tick_ns = options.batch_ms * 1000000ull;
    chat.next_tick = now + chat.tick_ns;
}

// Everyone sends the next batch at a tick, once everyone has got everyone's last one.
static void continue_chat(void) {
    if (!chat.waiting && count.received >= chat.target) {
        chat.waiting = 1;
        count.batches++;
    }
    uint64_t now = now_ns();
    int tick = chat.tick_ns == 0 || now >= chat.next_tick;
    while (chat.tick_ns && chat.next_tick <= now) chat.next_tick += chat.tick_ns;
    if (!tick || !chat.waiting) return;
    chat.waiting = 0;
    chat.target += (uint64_t)options.connections * options.connections * output.frames;
    for (int i = 0; i < options.connections; i++) send_batch(&connections[i]);
}

// ---- measuring

typedef struct {
    uint64_t at, received, sent, reads, writes, bytes_in;
    Cpu server;
    double core0, core1, own;
} Sample;

static Sample take_sample(uint64_t now) {
    return (Sample){now, count.received, count.sent, count.reads, count.writes, count.bytes_in,
                    process_cpu(options.server_pid), core_busy(0), core_busy(1), own_cpu()};
}

static double percentile(double share) {
    uint64_t total = 0, sum = 0;
    for (int i = 0; i < LATENCIES; i++) total += count.latency[i];
    for (int i = 0; i < LATENCIES && total; i++) {
        sum += count.latency[i];
        if (sum >= total * share) return i;
    }
    return 0;
}

static void report(Sample from, Sample to) {
    double seconds = (to.at - from.at) / 1e9, cpu = to.server.total - from.server.total;
    uint64_t received = to.received - from.received, sent = to.sent - from.sent;
    printf("{\"mode\":\"%s\",\"conns\":%d,\"secs\":%.2f,\"recv_per_s\":%.0f,\"sent_per_s\":%.0f,", options.name, options.connections,
           seconds, received / seconds, sent / seconds);
    printf("\"srv_cpu_s\":%.2f,\"srv_cpu_pct\":%.0f,\"srv_us_per_recv\":%.3f,\"srv_user_frac\":%.2f,", cpu, 100 * cpu / seconds,
           received ? cpu * 1e6 / received : 0, cpu > 0 ? (to.server.user - from.server.user) / cpu : 0);
    printf("\"cli_cpu_pct\":%.0f,\"cpu0_pct\":%.0f,\"cpu1_pct\":%.0f,", 100 * (to.own - from.own) / seconds,
           100 * (to.core0 - from.core0) / seconds, 100 * (to.core1 - from.core1) / seconds);
    printf("\"recv_per_read\":%.1f,\"cli_sends_per_s\":%.0f,\"rx_MBps\":%.1f,\"srv_rss_kB\":%ld,",
           (double)received / (to.reads - from.reads + 1), (to.writes - from.writes) / seconds,
           (to.bytes_in - from.bytes_in) / seconds / 1e6, resident_kB(options.server_pid));
    printf("\"bad\":%lu,\"ctrl\":%lu,\"batches\":%lu,\"p50_us\":%.0f,\"p99_us\":%.0f}\n", count.bad, count.control, count.batches,
           percentile(0.5), percentile(0.99));
}

static int run_idle(void) {
    long before = resident_kB(options.server_pid);
    uint64_t start = now_ns();
    open_connections();
    double connected = (now_ns() - start) / 1e9;
    usleep(500000);
    long at_first = resident_kB(options.server_pid);
    double cpu = process_cpu(options.server_pid).total;
    usleep((useconds_t)(options.seconds * 1e6));
    long at_last = resident_kB(options.server_pid);
    printf("{\"mode\":\"idle\",\"conns\":%d,\"connect_s\":%.3f,\"rss0_kB\":%ld,\"rss1_kB\":%ld,\"rss2_kB\":%ld,", options.connections,
           connected, before, at_first, at_last);
    printf("\"bytes_per_conn\":%.0f,\"idle_cpu_s\":%.2f}\n", (at_last - before) * 1024.0 / options.connections,
           process_cpu(options.server_pid).total - cpu);
    return 0;
}

static int run(void) {
    open_connections();
    usleep(200000);
    count.received = 0;
    start_sending();
    uint64_t start = now_ns();
    uint64_t warm = start + (uint64_t)(options.warmup * 1e9), end = warm + (uint64_t)(options.seconds * 1e9);
    Sample first = {0};
    prepare_chat(start);
    for (;;) {
        struct epoll_event events[1024];
        int n = epoll_wait(epoll, events, 1024, options.rate ? 0 : options.mode == CHAT && chat.waiting ? 1 : 100);
        uint64_t now = now_ns();
        if (!first.at && now >= warm) {
            first = take_sample(now);
            memset(count.latency, 0, sizeof count.latency);
        }
        if (first.at && now >= end) {
            report(first, take_sample(now));
            return count.bad ? 3 : 0;
        }
        for (int i = 0; i < n; i++) {
            Connection *c = events[i].data.ptr;
            if (events[i].events & EPOLLOUT) write_output(c);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_input(c);
        }
        if (options.rate) pace(now - start);
        if (options.mode == FANOUT) publish();
        if (options.mode == CHAT) continue_chat();
    }
}

static int parse_options(int count_of_words, char **words) {
    static const char *const modes[] = {"echo", "chat", "fanout", "idle"};
    int mode = 0, option;
    options.name = count_of_words > 1 ? words[1] : "";
    while (mode < 4 && strcmp(options.name, modes[mode])) mode++;
    if (mode == 4) return 0;
    options.mode = mode;
    optind = 2;
    while ((option = getopt(count_of_words, words, "p:c:d:s:t:w:P:n:W:D:k:x:X:R:L")) > 0) switch (option) {
            case 'p': options.port = atoi(optarg); break;
            case 'c': options.connections = atoi(optarg); break;
            case 'd': options.depth = atoi(optarg); break;
            case 's': options.size = atoi(optarg); break;
            case 't': options.seconds = atof(optarg); break;
            case 'w': options.warmup = atof(optarg); break;
            case 'P': options.server_pid = atoi(optarg); break;
            case 'n': options.publishers = atoi(optarg); break;
            case 'W': options.window = atoi(optarg); break;
            case 'D': options.batch_ms = atoi(optarg); break;
            case 'k': options.frames_per_send = atoi(optarg); break;
            case 'x': options.path = optarg; break;
            case 'X': options.publisher_path = optarg; break;
            case 'L': options.latency = 1; break;
            case 'R': options.rate = atoi(optarg), options.latency = 1; break;
            default: return 0;
        }
    if (options.mode != FANOUT) options.publishers = 0;
    return 1;
}

int main(int argc, char **argv) {
    if (!parse_options(argc, argv)) {
        fprintf(stderr, "usage: wsload echo|chat|fanout|idle [options]; they are listed at the head of wsload.c\n");
        return 2;
    }
    epoll = epoll_create1(0);
    input = malloc(INPUT_SIZE);
    prepare_output();
    return options.mode == IDLE ? run_idle() : run();
}
