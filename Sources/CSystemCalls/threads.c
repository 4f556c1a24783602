#include "CSystemCalls.h"

#ifdef __linux__
static _Thread_local void *current_loop;
void *ringcast_current_loop(void) { return current_loop; }
void ringcast_set_current_loop(void *loop) { current_loop = loop; }
#endif
