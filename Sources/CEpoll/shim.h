#include <features.h>
#include <sys/epoll.h>
