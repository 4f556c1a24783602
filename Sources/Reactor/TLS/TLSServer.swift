internal import Synchronization

/// The TLS side of a listener, shared by all loops: which context new connections get.
final class TLSServer: Sendable {
    private let context: Mutex<TLSContext>
    /// How long a handshake may take (ms).
    let handshakeTimeout: UInt64
    let warnings: [String]

    init(_ configuration: TLSConfiguration) throws(ReactorError) {
        let timeout = configuration.handshakeTimeout
        guard timeout > .zero, timeout <= .seconds(86_400) else {
            throw ReactorError("a handshake's timeout is more than 0 and at most a day")
        }
        handshakeTimeout = UInt64(timeout / .milliseconds(1))
        let context = try TLSContext(server: configuration)
        warnings = context.warnings
        self.context = Mutex(context)
    }

    /// Looked up once per connection, by the loop that has it: beside a handshake a lock that nobody else holds for
    /// longer than it takes to copy a reference costs nothing.
    var current: TLSContext { context.withLock { $0 } }

    /// New connections get other certificates from now on; those that are open keep what they have. Tickets of before
    /// stay good, unless clients show certificates.
    /// - Returns: what was noticed.
    func reload(_ configuration: TLSConfiguration) throws(ReactorError) -> [String] {
        let successor = try TLSContext(server: configuration, predecessor: current)
        context.withLock { $0 = successor }
        return successor.warnings
    }
}
