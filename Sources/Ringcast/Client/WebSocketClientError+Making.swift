public import WebSocketProtocol

/// Each kind of error, made with what belongs to it; public for tests of its users.
extension WebSocketClientError {
    /// A URL that cannot be used, and what is wrong with it.
    public static func invalidURL(_ what: String) -> Self { Self(reason: .invalidURL(what)) }

    /// A request that cannot be sent, and what is wrong with it.
    public static func invalidRequest(_ what: String) -> Self { Self(reason: .invalidRequest(what)) }

    /// A host whose name has no addresses, in the resolver's words.
    public static func nameNotResolved(hostname: String, _ what: String) -> Self {
        Self(reason: .nameNotResolved(hostname: hostname, what))
    }

    /// A host none of whose addresses can be connected to: the last one, and its error.
    public static func cannotConnect(to address: String, _ what: String) -> Self {
        Self(reason: .cannotConnect(to: address, what))
    }

    /// The end of the handshake timeout, and what was waited for.
    public static func timedOut(_ phase: HandshakePhase) -> Self { Self(reason: .timedOut(phase)) }

    /// TLS that cannot be set up, or a certificate that is not believed, and why.
    public static func tls(_ what: String) -> Self { Self(reason: .tls(what)) }

    /// A server that answers something else than 101.
    public static func refused(_ answer: RefusedHandshake) -> Self { Self(reason: .refused(answer)) }

    /// A proxy that does not open the tunnel.
    public static func proxyRefused(_ answer: RefusedHandshake) -> Self { Self(reason: .proxyRefused(answer)) }

    /// A proxy's answer that is not HTTP, or does not end where it should, and what is wrong with it.
    public static func invalidProxyAnswer(_ what: String) -> Self { Self(reason: .invalidProxyAnswer(what)) }

    /// A server's answer that may not be accepted (RFC 6455 §4.1), and what is wrong with it.
    public static func invalidHandshake(_ what: String) -> Self { Self(reason: .invalidHandshake(what)) }

    /// A redirect beyond those that the request allows, or one that leads nowhere: its `Location`.
    public static func badRedirect(_ location: String) -> Self { Self(reason: .badRedirect(location)) }

    /// A connection that ended before the answer was complete, and what was waited for.
    public static func connectionLost(_ phase: HandshakePhase) -> Self { Self(reason: .connectionLost(phase)) }

    /// A task, or an attempt, that was cancelled.
    public static let cancelled = Self(reason: .cancelled)

    /// Loops that have been stopped, or could not be made, and why.
    public static func stopped(_ what: String) -> Self { Self(reason: .stopped(what)) }

    /// A WebSocket that is closed, and how it was.
    public static func closed(_ code: CloseCode, reason: String) -> Self { Self(reason: .closed(code, reason: reason)) }
}
