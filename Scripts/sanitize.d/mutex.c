// Tells ThreadSanitizer of locks that it cannot see. Synchronization.Mutex takes and gives back a free lock with atomics
// in the calling code, which is instrumented; for one that is contended it calls into libswiftSynchronization.so, which is
// not, and there the kernel hands the lock over (FUTEX_LOCK_PI). Who got the lock that way has nothing that orders it
// behind who had it, and every access under a contended lock is reported as a race.
//
// Loaded in front of that library (LD_PRELOAD), these three stand for its calls and say what they have done. Nothing is
// suppressed: what no lock orders is reported as before, which Scripts/sanitize shows each time (locking.swift).
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>

// Absent where a program that a test starts has no sanitizer.
__attribute__((weak)) void __tsan_acquire(void *address);
__attribute__((weak)) void __tsan_release(void *address);

#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context))
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define TRY_LOCK "$s15Synchronization12_MutexHandleV12_tryLockSlowSbyF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

typedef SWIFT void lock_function(uint32_t thread, SELF void *handle);
typedef SWIFT bool try_lock_function(SELF void *handle);
typedef SWIFT void unlock_function(SELF void *handle);

static lock_function *library_lock;
static try_lock_function *library_try_lock;
static unlock_function *library_unlock;

__attribute__((constructor)) static void find(void) {
    library_lock = (lock_function *)dlsym(RTLD_NEXT, LOCK);
    library_try_lock = (try_lock_function *)dlsym(RTLD_NEXT, TRY_LOCK);
    library_unlock = (unlock_function *)dlsym(RTLD_NEXT, UNLOCK);
}

SWIFT void lock(uint32_t thread, SELF void *handle) __asm__(LOCK);
SWIFT bool try_lock(SELF void *handle) __asm__(TRY_LOCK);
SWIFT void unlock(SELF void *handle) __asm__(UNLOCK);

SWIFT void lock(uint32_t thread, SELF void *handle) {
    library_lock(thread, handle);
    if (__tsan_acquire) __tsan_acquire(handle);
}

SWIFT bool try_lock(SELF void *handle) {
    bool is_locked = library_try_lock(handle);
    if (is_locked && __tsan_acquire) __tsan_acquire(handle);
    return is_locked;
}

SWIFT void unlock(SELF void *handle) {
    if (__tsan_release) __tsan_release(handle);
    library_unlock(handle);
}
