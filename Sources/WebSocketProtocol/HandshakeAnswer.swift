/// A handshake that is in order.
public struct HandshakeAcceptance: Hashable, Sendable {
    /// The value of `Sec-WebSocket-Accept`.
    public var acceptValue: String
    /// The value of `Sec-WebSocket-Protocol`; nil: the header is left out.
    public var subprotocol: String?

    /// What `Handshake.accept` makes; public for tests of its users.
    public init(acceptValue: String, subprotocol: String? = nil) {
        self.acceptValue = acceptValue
        self.subprotocol = subprotocol
    }
}

/// A handshake that is not: the HTTP response that says so.
public struct HandshakeRefusal: Error {
    /// The HTTP status: 400, 403, 405 or 426.
    public var status: Int
    /// Headers that the status asks for.
    public var headers: [(name: String, value: String)]
    /// A sentence for the body of the response and for logs.
    public var reason: String

    /// What `Handshake.accept` throws; public for tests of its users.
    public init(status: Int, headers: [(name: String, value: String)], reason: String) {
        self.status = status
        self.headers = headers
        self.reason = reason
    }
}

extension HandshakeRefusal {
    static func badRequest(_ reason: String) -> HandshakeRefusal {
        HandshakeRefusal(status: 400, headers: [], reason: reason)
    }

    /// RFC 6455 §4.4: the answer names the version that would do. RFC 9110 §15.5.22: 426 comes with an Upgrade header.
    static var unsupportedVersion: HandshakeRefusal {
        HandshakeRefusal(
            status: 426,
            headers: [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")],
            reason: "Only version 13 of WebSocket is spoken here.")
    }
}
