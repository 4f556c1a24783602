// What Swift cannot say of the kernel interface, and what liburing 2.3 does not know of it yet.
//
// <features.h> first, and no _GNU_SOURCE: liburing.h defines _XOPEN_SOURCE, and fd_set would differ from the Glibc module's.
// What needs _GNU_SOURCE lives in the .c files.
#pragma once
#ifndef __linux__
#error "Ringcast is for Linux. On macOS or Windows open the repository in its dev container (.devcontainer)."
#else
#include <features.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

// The next completion, or NULL: no system call. Pair it with io_uring_cq_advance(ring, 1).
static inline struct io_uring_cqe *_Nullable ringcast_next_completion(struct io_uring *_Nonnull ring) {
    unsigned head = *ring->cq.khead;
    if (head == io_uring_smp_load_acquire(ring->cq.ktail)) return NULL;
    return &ring->cq.cqes[head & ring->cq.ring_mask];
}

// What liburing 2.3 does not know of the kernel.
enum {
    RINGCAST_FEAT_MIN_TIMEOUT = 1 << 15,  // Linux 6.12: IORING_FEAT_MIN_TIMEOUT
};

// Macros over an enum that has a name in newer liburings and none in older ones: Swift sees neither the same way.
enum {
    RINGCAST_SKIP_SUCCESS = IOSQE_CQE_SKIP_SUCCESS,
    RINGCAST_FIXED_FILE = IOSQE_FIXED_FILE,
    RINGCAST_BUFFER_SELECT = IOSQE_BUFFER_SELECT,
};

// Hands over every submission and waits for `count` completions, `microseconds` at most; if there is none by then, for the first one,
// until `limit` is over. For kernels with RINGCAST_FEAT_MIN_TIMEOUT. The number of submissions, or -errno as liburing's functions.
int ringcast_submit_and_gather(struct io_uring *_Nonnull ring, bool is_registered, unsigned count, unsigned microseconds,
                               const struct __kernel_timespec *_Nonnull limit);

// The processors this process may run on, ascending; returns how many there are (at most `capacity` are written).
int ringcast_allowed_processors(int *_Nonnull processors, int capacity);
// Restricts a thread (0: the calling one) to these processors. Returns 0 or an errno.
int ringcast_restrict_thread(int thread, const int *_Nonnull processors, int count);
// Pins the calling thread; 0, or an errno.
int ringcast_pin_thread(int processor);
void ringcast_name_thread(const char *_Nonnull name);

// An 8-byte counter that wakes its reader; close-on-exec. -errno on failure.
int ringcast_eventfd(void);

// One pointer per thread: the loop that the thread runs.
void *_Nullable ringcast_current_loop(void);
void ringcast_set_current_loop(void *_Nullable loop);

// socket(2) & co. with flags whose names are not plain integers in Swift.
int ringcast_tcp_socket(int family);
int ringcast_stream_pair(int descriptors[_Nonnull 2]);
// Fills memory from the kernel's cryptographic generator; 0, or -errno.
int ringcast_random_bytes(void *_Nonnull bytes, int count);
// Bytes sent that the peer has not acknowledged.
int ringcast_untaken_bytes(int socket);
// A connection that waits on a non-blocking listener: its descriptor, close-on-exec, or -EAGAIN when none does.
int ringcast_accept(int listener);
// ringcast_accept for a listener that may block. Never blocks; leaves the listener
// non-blocking.
int ringcast_accept_waiting(int listener);
// From now on a listener ignores new handshakes, which TCP repeats a second later, and completes those that have begun.
int ringcast_ignore_handshakes(int listener);
// Whether somebody listens on a Unix socket: 1 or 0, or -errno when that cannot be known. Never blocks.
int ringcast_unix_answers(const void *_Nonnull address, unsigned length);
#endif
