// What Swift cannot say of the kernel interface, and what liburing 2.3 does not know of it yet.
//
// <features.h> (in CSystemCalls.h) first, and no _GNU_SOURCE: liburing.h defines _XOPEN_SOURCE, and fd_set would differ from the
// Glibc module's. What needs _GNU_SOURCE lives in the .c files.
#pragma once
#ifndef __linux__
#error "Ringcast is for Linux. On macOS or Windows open the repository in its dev container (.devcontainer)."
#else
// Before liburing.h, so that what both include belongs to one module: Swift takes msghdr and iovec from CSystemCalls.
#include <CSystemCalls.h>
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

// The next completion, or NULL: no system call. Pair it with io_uring_cq_advance(ring, 1).
static inline struct io_uring_cqe *_Nullable ringcast_next_completion(struct io_uring *_Nonnull ring) {
    unsigned head = *ring->cq.khead;
    if (head == io_uring_smp_load_acquire(ring->cq.ktail)) return NULL;
    return &ring->cq.cqes[head & ring->cq.ring_mask];
}

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
#endif
