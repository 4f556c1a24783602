internal import Glibc

/// The limit of open files, which every connection counts against.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one.
    /// - Throws: a sentence where the hard limit is not enough for so many connections.
    package static func raise(for connections: Int, loops: Int) throws(LoadFailure) {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        if let complaint = complaint(connections: connections, loops: loops, limit: limit.rlim_max) {
            throw LoadFailure(complaint)
        }
    }

    /// The sentence for a limit that is too low; nil where it is enough.
    static func complaint(connections: Int, loops: Int, limit: UInt) -> String? {
        // Standard streams, a ring and an event per loop, and what libraries open.
        let needed = connections + 32 + 4 * loops
        guard needed > limit else { return nil }
        return "\(connections) connections need \(needed) open files, and only \(limit) are allowed here: "
            + "raise the hard limit (as root: ulimit -Hn \(needed)), or ask for fewer"
    }
}
