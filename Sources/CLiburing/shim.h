// <features.h> first: liburing.h defines _XOPEN_SOURCE, and without the default feature macros settled before it, fd_set
// would differ between this module and Glibc's, which breaks debug and sanitizer builds.
#include <features.h>
#include <liburing.h>
