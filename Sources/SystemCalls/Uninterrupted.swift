internal import Glibc

/// Makes a system call that says -1 again for as long as it is interrupted: by a signal, or by a ring that was closed
/// on the same thread, which interrupts it once more later.
///
/// A `connect` that is made again goes on with the first one.
package func uninterrupted<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
