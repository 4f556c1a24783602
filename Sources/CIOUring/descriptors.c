#define _GNU_SOURCE
#include "CIOUring.h"

#ifdef __linux__
#include <errno.h>
#include <linux/sockios.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int ringcast_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

int ringcast_tcp_socket(int family) {
    int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return descriptor < 0 ? -errno : descriptor;
}

int ringcast_stream_pair(int descriptors[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, descriptors) < 0 ? -errno : 0;
}

int ringcast_untaken_bytes(int socket) {
    int count = 0;
    return ioctl(socket, SIOCOUTQ, &count) < 0 ? 0 : count;
}

static _Thread_local void *current_loop;
void *ringcast_current_loop(void) { return current_loop; }
void ringcast_set_current_loop(void *loop) { current_loop = loop; }

#endif
