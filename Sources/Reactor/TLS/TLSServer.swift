internal import Synchronization

/// The TLS side of a listener, shared by all loops: which context new connections get.
package final class TLSServer: Sendable {
    private let context: Mutex<TLSContext>
    /// How long a handshake may take (ms).
    let handshakeTimeout: UInt64
    let warnings: [String]

    package init(_ configuration: TLSConfiguration) throws(ReactorError) {
        let timeout = configuration.handshakeTimeout
        guard timeout > .zero, timeout <= .seconds(86_400) else {
            throw ReactorError("a handshake's timeout is more than 0 and at most a day")
        }
        handshakeTimeout = timeout.milliseconds
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
    package func reload(_ configuration: TLSConfiguration) throws(ReactorError) -> [String] {
        let successor = try TLSContext(server: configuration, predecessor: current)
        context.withLock { $0 = successor }
        return successor.warnings
    }
}

extension TLSServer {
    /// One for each listener, in order; nil for those that are plain.
    static func make(_ configuration: LoopGroupConfiguration) throws(ReactorError) -> [TLSServer?] {
        var servers: [TLSServer?] = []
        for listener in configuration.listeners {
            guard let tls = listener.tls else {
                servers.append(nil)
                continue
            }
            let server = try TLSServer(tls)
            for warning in server.warnings { configuration.log(.warning, warning) }
            servers.append(server)
        }
        return servers
    }
}

extension LoopGroup {
    /// Gives new connections of a listener other certificates, and whatever else the configuration says (but for the
    /// handshake's timeout). Those that are open keep what they have. Costs the reading of the files; no loop waits.
    /// - Parameters:
    ///   - configuration: read now; see `TLSConfiguration`.
    ///   - listener: one that speaks TLS already, by its place in the configuration.
    /// - Throws: a sentence, and then everything stays as it was.
    public func reload(tls configuration: TLSConfiguration, listener: Int = 0) throws(ReactorError) {
        guard tls.indices.contains(listener), let server = tls[listener] else {
            throw ReactorError("listener \(listener) speaks no TLS: only a new server can change that", .tls)
        }
        for warning in try server.reload(configuration) { log(.warning, warning) }
    }
}
