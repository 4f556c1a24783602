#define _GNU_SOURCE
#include "CSystemCalls.h"

#ifdef __linux__
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

// A FIFO without a writer does not block, a terminal does not become this process's.
#define READING (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int opened(int folder, const char *name, int flags) {
    int descriptor;
    do descriptor = openat(folder, name, flags);
    while (descriptor < 0 && errno == EINTR);
    return descriptor < 0 ? -errno : descriptor;
}

int ringcast_open_file(const char *path) { return opened(AT_FDCWD, path, READING); }

// Name by name, following no symbolic link: never above where it begins.
static int open_by_names(int folder, const char *path) {
    int place = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    if (place < 0) return -errno;
    while (place >= 0) {
        const char *end = strchrnul(path, '/');
        char name[NAME_MAX + 1];
        size_t length = (size_t)(end - path);
        int next = length > NAME_MAX ? -ENAMETOOLONG : length == 0 ? -ENOENT : 0;
        if (next == 0) {
            memcpy(name, path, length);
            name[length] = 0;
            if (strcmp(name, "..") == 0) next = -EXDEV;
        }
        if (next == 0) next = opened(place, name, O_NOFOLLOW | (*end ? O_PATH | O_DIRECTORY | O_CLOEXEC : READING));
        close(place);
        place = next;
        if (*end == 0) break;
        path = end + 1;
    }
    return place;
}

int ringcast_open_beneath(const char *folder, const char *path, bool by_names) {
    int base = opened(AT_FDCWD, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base < 0) return base;
    long result = -ENOSYS;
    if (!by_names) {
        struct open_how how = {.flags = READING, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
        // EAGAIN: something was renamed meanwhile, so that a ".." in a link could not be judged.
        for (int attempts = 0; attempts < 8; attempts++) {
            result = syscall(SYS_openat2, base, path, &how, sizeof how);
            if (result < 0) result = -errno;
            if (result != -EINTR && result != -EAGAIN) break;
        }
    }
    // What seccomp profiles that do not know it answer.
    if (result == -ENOSYS || result == -EPERM) result = open_by_names(base, path);
    close(base);
    return (int)result;
}

long ringcast_read_cached(int file, void *bytes, size_t count, long offset) {
    struct iovec piece = {bytes, count};
    ssize_t result;
    do result = preadv2(file, &piece, 1, offset, RWF_NOWAIT);
    while (result < 0 && errno == EINTR);
    if (result < 0 && errno == EOPNOTSUPP) {
        // A file system that is nothing but memory has no need to tell.
        struct statfs system;
        if (fstatfs(file, &system) < 0 || system.f_type != TMPFS_MAGIC) return -EOPNOTSUPP;
        do result = pread(file, bytes, count, offset);
        while (result < 0 && errno == EINTR);
    }
    return result < 0 ? -errno : result;
}
#endif
