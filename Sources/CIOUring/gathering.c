#define _GNU_SOURCE
#include "CIOUring.h"

#ifdef __linux__
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

// struct io_uring_getevents_arg as of Linux 6.12: older headers call the third field `pad`.
struct wait_argument {
    uint64_t sigmask;
    uint32_t sigmask_size;
    uint32_t min_wait_usec;
    uint64_t timeout;
};
_Static_assert(sizeof(struct wait_argument) == sizeof(struct io_uring_getevents_arg), "an argument of the system call");

// What liburing does before each of its own calls, and exports no function for: shows the kernel the submissions written so far.
static unsigned show_submissions(struct io_uring *ring) {
    struct io_uring_sq *queue = &ring->sq;
    unsigned tail = queue->sqe_tail;
    // Entry i is always described by submission i. A ring without the table of that (IORING_SETUP_NO_SQARRAY, which liburing asks for
    // from 2.6 on and gets from Linux 6.6 on) has no array: there the kernel knows.
    if (queue->array != NULL)
        for (unsigned i = queue->sqe_head; i != tail; i++) queue->array[i & queue->ring_mask] = i & queue->ring_mask;
    queue->sqe_head = tail;
    io_uring_smp_store_release(queue->ktail, tail);
    return tail - io_uring_smp_load_acquire(queue->khead);
}

int ringcast_submit_and_gather(struct io_uring *ring, bool is_registered, unsigned count, unsigned microseconds,
                               const struct __kernel_timespec *limit) {
    struct wait_argument argument = {.min_wait_usec = microseconds, .timeout = (uint64_t)(uintptr_t)limit};
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | (is_registered ? IORING_ENTER_REGISTERED_RING : 0);
    int descriptor = is_registered ? ring->enter_ring_fd : ring->ring_fd;
    long result = syscall(__NR_io_uring_enter, descriptor, show_submissions(ring), count, flags, &argument, sizeof argument);
    return result < 0 ? -errno : (int)result;
}
#endif
