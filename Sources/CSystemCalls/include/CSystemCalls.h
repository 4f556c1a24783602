// What Swift cannot say of Linux besides io_uring: processors, threads, descriptors, random bytes.
//
// <features.h> first, and no _GNU_SOURCE, as in every header that Swift imports beside Glibc's module (see CIOUring). What needs
// _GNU_SOURCE lives in the .c files.
#pragma once
#ifndef __linux__
#error "Ringcast is for Linux. On macOS or Windows open the repository in its dev container (.devcontainer)."
#else
#include <features.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

// The processors that a thread (0: the calling one) may run on, ascending; returns how many there are (at most `capacity` are written).
int ringcast_allowed_processors(int thread, int *_Nonnull processors, int capacity);
// Restricts a thread (0: the calling one) to these processors. Returns 0 or an errno.
int ringcast_restrict_thread(int thread, const int *_Nonnull processors, int count);
// Whether a thread may run on that processor and on no other.
bool ringcast_runs_only_on(int thread, int processor);
// The calling thread's number in the kernel.
int ringcast_thread_number(void);
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
// ringcast_accept for a listener that may block. Never blocks; leaves the listener non-blocking.
int ringcast_accept_waiting(int listener);
// From now on a listener ignores new handshakes, which TCP repeats a second later, and completes those that have begun.
int ringcast_ignore_handshakes(int listener);
// Whether somebody listens on a Unix socket: 1 or 0, or -errno when that cannot be known. Never blocks.
int ringcast_unix_answers(const void *_Nonnull address, unsigned length);

// Opens a file for reading, without waiting for what is none (a FIFO). Its descriptor, or -errno.
int ringcast_open_file(const char *_Nonnull path);
// The same for a relative path that may not leave a folder, by symbolic links neither. With `by_names`, and where the kernel has no
// openat2 or a seccomp profile refuses it, links are not followed at all.
int ringcast_open_beneath(const char *_Nonnull folder, const char *_Nonnull path, bool by_names);
// Reads what is in memory: the number of bytes, 0 at the end of the file, or -errno (-EAGAIN: the disk has to be waited for).
long ringcast_read_cached(int file, void *_Nonnull bytes, size_t count, long offset);
#endif
