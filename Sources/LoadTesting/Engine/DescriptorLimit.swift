internal import SystemCalls

/// The limit of open files, which every connection counts against.
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one.
    /// - Throws: a sentence where the hard limit is not enough for so many connections.
    package static func raise(for connections: Int, loops: Int) throws(LoadFailure) {
        guard let limit = OpenFileLimit.raise() else { return }
        if let complaint = complaint(connections: connections, loops: loops, limit: limit) {
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
