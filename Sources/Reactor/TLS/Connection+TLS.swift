extension Connection {
    /// Whether what is sent and received is encrypted on the way.
    public var isSecure: Bool { slot.wire.state.tls != nil }

    /// What TLS agreed on; nil for a plain connection, and before the handshake is done. Costs some copies.
    public var tls: TLSInformation? { slot.wire.state.tls?.information }

    /// Begins TLS as a client. `ConnectionHandler.secured` tells when it is done, `securingFailed` why it is not; what
    /// is sent meanwhile goes out after it. The time that it may take is for the caller to bound (`setDeadline`).
    ///
    /// Nothing may be queued, and nothing of what the peer sent before may be left unconsumed.
    /// - Parameters:
    ///   - client: whom to believe, and what to show.
    ///   - hostname: whom the server's certificate has to name, an address or a name without its port, unless the
    ///     configuration names another.
    /// - Returns: false if TLS cannot begin: it is there already, something is queued, or the connection is not open.
    public func startTLS(_ client: TLSClient, hostname: String) -> Bool {
        slot.state.withLoop { $0.startTLS(slot, client, hostname: hostname) }
    }
}
