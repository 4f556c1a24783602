#define _GNU_SOURCE
#include "CSystemCalls.h"

#ifdef __linux__
#include <errno.h>
#include <sys/random.h>

int ringcast_random_bytes(void *bytes, int count) {
    int filled = 0;
    while (filled < count) {
        // A large draw may be cut short by a signal.
        ssize_t drawn = getrandom((char *)bytes + filled, (size_t)(count - filled), 0);
        if (drawn < 0 && errno != EINTR) return -errno;
        if (drawn > 0) filled += (int)drawn;
    }
    return 0;
}
#endif
