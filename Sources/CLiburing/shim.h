#ifndef __linux__
#error "Ringcast is for Linux: it stands on io_uring, which no other system has."
#else
// <features.h> first: liburing.h defines _XOPEN_SOURCE, and without the default feature macros settled before it, fd_set
// would differ between this module and Glibc's, which breaks debug and sanitizer builds.
#include <features.h>
#include <liburing.h>
#endif
