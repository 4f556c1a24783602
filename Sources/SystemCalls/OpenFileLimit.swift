internal import Glibc

/// The process's limit of open files, which every connection counts against.
package enum OpenFileLimit {
    /// Raises the soft limit, which is meant for programs that use `select`, to the hard one.
    /// - Returns: the hard limit, if the kernel tells it.
    @discardableResult
    package static func raise() -> UInt? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return limit.rlim_max
    }
}
