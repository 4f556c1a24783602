#define _GNU_SOURCE
#include "CSystemCalls.h"

#ifdef __linux__
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

// sched_getaffinity refuses a set that is smaller than the kernel's own: grow until it fits.
int ringcast_allowed_processors(int thread, int *processors, int capacity) {
    for (int size = 1024; size <= 1 << 20; size *= 2) {
        cpu_set_t *set = CPU_ALLOC(size);
        if (set == NULL) return 0;
        size_t bytes = CPU_ALLOC_SIZE(size);
        if (sched_getaffinity(thread, bytes, set) == 0) {
            int found = 0;
            for (int processor = 0; processor < size; processor++) {
                if (!CPU_ISSET_S(processor, bytes, set)) continue;
                if (found < capacity) processors[found] = processor;
                found++;
            }
            CPU_FREE(set);
            return found;
        }
        CPU_FREE(set);
        if (errno != EINVAL) return 0;
    }
    return 0;
}

bool ringcast_runs_only_on(int thread, int processor) {
    cpu_set_t set[8];  // 8,192 processors, as many as kernels are built for
    return sched_getaffinity(thread, sizeof set, set) == 0 && CPU_COUNT_S(sizeof set, set) == 1 &&
           CPU_ISSET_S(processor, sizeof set, set);
}

int ringcast_pin_thread(int processor) {
    size_t bytes = CPU_ALLOC_SIZE(processor + 1);
    cpu_set_t *set = CPU_ALLOC(processor + 1);
    if (set == NULL) return ENOMEM;
    CPU_ZERO_S(bytes, set);
    CPU_SET_S(processor, bytes, set);
    int result = pthread_setaffinity_np(pthread_self(), bytes, set);
    CPU_FREE(set);
    return result;
}

int ringcast_restrict_thread(int thread, const int *processors, int count) {
    int highest = 0;
    for (int i = 0; i < count; i++)
        if (processors[i] > highest) highest = processors[i];
    size_t bytes = CPU_ALLOC_SIZE(highest + 1);
    cpu_set_t *set = CPU_ALLOC(highest + 1);
    if (set == NULL) return ENOMEM;
    CPU_ZERO_S(bytes, set);
    for (int i = 0; i < count; i++) CPU_SET_S(processors[i], bytes, set);
    int result = sched_setaffinity(thread, bytes, set) == 0 ? 0 : errno;
    CPU_FREE(set);
    return result;
}

int ringcast_thread_number(void) { return gettid(); }

void ringcast_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

#endif
