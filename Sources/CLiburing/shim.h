#ifndef __linux__
#error "Ringcast is for Linux. On macOS or Windows open the repository in its dev container (.devcontainer)."
#else
// <features.h> first: liburing.h defines _XOPEN_SOURCE, and without the default feature macros settled before it, fd_set
// would differ between this module and Glibc's, which breaks debug and sanitizer builds.
#include <features.h>
#include <liburing.h>
#endif
