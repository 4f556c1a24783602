/// The server's half of the opening handshake (RFC 6455 §4.2): a request in, a decision out.
public enum Handshake {
    /// Judges a request, and gives what the 101 response has to say.
    ///
    /// - Parameters:
    ///   - request: what has come.
    ///   - subprotocols: the subprotocols of the server, the one it likes best first. The first that the client
    ///     offers too is chosen, if there is one.
    ///   - originPolicy: which pages may open a connection.
    /// - Throws: the response to send instead, with the reason in words.
    public static func accept(
        _ request: HandshakeRequest, subprotocols: [String] = [], originPolicy: OriginPolicy = .sameOrigin
    ) throws(HandshakeRefusal) -> HandshakeAcceptance {
        guard request.method == "GET" else {
            throw HandshakeRefusal(
                status: 405, headers: [("Allow", "GET")], reason: "A WebSocket handshake is a GET request.")
        }
        guard request.isHTTP11 else { throw .badRequest("A WebSocket handshake needs HTTP/1.1.") }
        guard FieldValue.contains(request.upgrade, token: "websocket") else {
            throw .upgradeRequired("Here is a WebSocket: ask for it with an upgrade (RFC 6455).")
        }
        guard FieldValue.contains(request.connection, token: "upgrade") else {
            throw .badRequest("The Connection header does not say Upgrade.")
        }
        // §4.4: the version goes before the key, whose form an other version may define differently.
        guard request.version == "13" else { throw .unsupportedVersion }
        let acceptValue = request.isExtendedConnect ? "" : try acceptValue(of: request)
        guard !request.hasBody else { throw .badRequest("A WebSocket handshake has no body.") }
        guard originPolicy.permits(origin: request.origin, host: request.host) else {
            throw HandshakeRefusal(status: 403, headers: [], reason: "This origin is not allowed.")
        }
        return HandshakeAcceptance(
            acceptValue: acceptValue,
            subprotocol: chosenProtocol(offered: request.subprotocols, supported: subprotocols))
    }

    /// §4.1: the key is a nonce of 16 bytes in Base64.
    private static func acceptValue(of request: HandshakeRequest) throws(HandshakeRefusal) -> String {
        guard let key = request.key, Base64.decodedLength(of: key) == 16 else {
            throw .badRequest("Sec-WebSocket-Key is missing, or is not 16 bytes in Base64.")
        }
        return acceptValue(forKey: key)
    }

    /// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (§4.2.2 step 5.4).
    public static func acceptValue(forKey key: String) -> String {
        Base64.encode(SHA1.digest(of: (key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
    }

    /// Whether the client means to speak WebSocket, right or wrong: it asks for an upgrade to it.
    public static func isUpgrade(_ request: HandshakeRequest) -> Bool {
        isUpgrade(upgrade: request.upgrade, connection: request.connection)
    }

    /// Whether the two headers that decide it ask for an upgrade to WebSocket.
    public static func isUpgrade(upgrade: String?, connection: String?) -> Bool {
        FieldValue.contains(upgrade, token: "websocket") && FieldValue.contains(connection, token: "upgrade")
    }

    /// The first of the server's that the client offers too. Names are compared as they are: RFC 6455 ignores case
    /// (§2.1) only where it says so.
    private static func chosenProtocol(offered: [String], supported: [String]) -> String? {
        let names = offered.flatMap(FieldValue.members)
        return supported.first { name in names.contains { $0 == name } }
    }
}

/// What the 101 response to a handshake in order says.
public struct HandshakeAcceptance: Hashable, Sendable {
    /// The value of `Sec-WebSocket-Accept`; empty for an extended CONNECT, whose answer has none.
    public var acceptValue: String
    /// The value of `Sec-WebSocket-Protocol`; nil to leave the header out.
    public var subprotocol: String?

    /// What `Handshake.accept` makes; public for tests of its users.
    public init(acceptValue: String, subprotocol: String? = nil) {
        self.acceptValue = acceptValue
        self.subprotocol = subprotocol
    }
}

/// The HTTP response to a handshake that is not in order.
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

    /// RFC 6455 §4.4: the answer names the version that would do.
    static var unsupportedVersion: HandshakeRefusal {
        upgradeRequired("Only version 13 of WebSocket is spoken here.")
    }

    /// RFC 9110 §15.5.22: 426 says what to upgrade to.
    static func upgradeRequired(_ reason: String) -> HandshakeRefusal {
        HandshakeRefusal(
            status: 426,
            headers: [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13")],
            reason: reason)
    }
}
