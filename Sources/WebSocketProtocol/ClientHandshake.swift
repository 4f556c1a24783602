/// The client's half of the opening handshake (RFC 6455 §4.1): what to ask, and what the answer has to be.
public struct ClientHandshake: Hashable, Sendable {
    /// The value of `Sec-WebSocket-Key`: a nonce of 16 bytes in Base64.
    public let key: String
    /// The subprotocols that are asked for, the one liked best first.
    public let subprotocols: [String]
    /// The compression that is offered.
    public let perMessageDeflate: PerMessageDeflate

    /// A handshake with a new random key.
    public init(subprotocols: [String] = [], perMessageDeflate: PerMessageDeflate = false) {
        var generator = SystemRandomNumberGenerator()
        self.init(
            nonce: (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }, subprotocols: subprotocols,
            perMessageDeflate: perMessageDeflate)
    }

    /// A handshake with a known key, for tests.
    /// - Precondition: `nonce` has 16 bytes.
    package init(nonce: [UInt8], subprotocols: [String] = [], perMessageDeflate: PerMessageDeflate = false) {
        precondition(nonce.count == 16, "a nonce has 16 bytes (RFC 6455 §4.1)")
        key = Base64.encode(nonce)
        self.subprotocols = subprotocols
        self.perMessageDeflate = perMessageDeflate
    }

    /// Judges a 101 response.
    /// - Throws: the violation for which the client has to fail the connection.
    public func check(_ response: HandshakeResponse) throws(HandshakeViolation) -> HandshakeAgreement {
        // The server has switched to one protocol: any other beside it is a contradiction.
        let protocols = response.upgrade.map(FieldValue.members) ?? []
        guard !protocols.isEmpty, protocols.allSatisfy({ FieldValue.equal($0.utf8, "websocket".utf8) }) else {
            throw .upgrade
        }
        guard FieldValue.contains(response.connection, token: "upgrade") else { throw .connection }
        guard response.accept == Handshake.acceptValue(forKey: key) else { throw .acceptValue }
        if let chosen = response.subprotocol {
            guard subprotocols.contains(where: { $0 == chosen }) else { throw .subprotocol(chosen) }
        }
        do throws(NegotiationFailure) {
            let deflate = try perMessageDeflate.confirm(answer: response.extensions)
            return HandshakeAgreement(subprotocol: response.subprotocol, deflate: deflate)
        } catch {
            throw .extensions(error.reason)
        }
    }

    /// Whether a name may stand in `Sec-WebSocket-Protocol`: whether it is a token (RFC 6455 §4.1).
    public static func isSubprotocol(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy(FieldValue.isToken)
    }
}

/// What a client has to know of a 101 response to judge it. A header that came several times is given with its values
/// joined by commas, one that did not come as nil.
public struct HandshakeResponse: Hashable, Sendable {
    /// `Upgrade`: a list of protocols.
    public var upgrade: String?
    /// `Connection`: a list of tokens.
    public var connection: String?
    /// `Sec-WebSocket-Accept`.
    public var accept: String?
    /// `Sec-WebSocket-Protocol`.
    public var subprotocol: String?
    /// `Sec-WebSocket-Extensions`.
    public var extensions: String?

    /// A response with these headers and no others.
    public init(
        upgrade: String? = nil, connection: String? = nil, accept: String? = nil, subprotocol: String? = nil,
        extensions: String? = nil
    ) {
        self.upgrade = upgrade
        self.connection = connection
        self.accept = accept
        self.subprotocol = subprotocol
        self.extensions = extensions
    }
}

/// What both sides have agreed on in the opening handshake.
public struct HandshakeAgreement: Hashable, Sendable {
    /// The subprotocol that the server chose; nil if it chose none.
    public var subprotocol: String?
    /// How messages are compressed; nil if they are not.
    public var deflate: DeflateParameters?
}

/// What is wrong with a 101 response (RFC 6455 §4.1, steps 2 to 6 of what a client has to validate).
@nonexhaustive public enum HandshakeViolation: Error, Hashable, Sendable, CustomStringConvertible {
    /// `Upgrade` names another protocol than `websocket`, or several.
    case upgrade
    /// `Connection` lacks the token `upgrade`.
    case connection
    /// `Sec-WebSocket-Accept` does not answer the key.
    case acceptValue
    /// A subprotocol that was not asked for.
    case subprotocol(String)
    /// An extension that was not offered, or parameters that do not fit the offer: which, in words.
    case extensions(String)

    /// What is wrong, as a part of a sentence.
    public var description: String {
        switch self {
        case .upgrade: "the Upgrade header does not say websocket"
        case .connection: "the Connection header does not say Upgrade"
        case .acceptValue: "Sec-WebSocket-Accept is not the answer to the key"
        case .subprotocol(let name): "the subprotocol \"\(name)\" was not asked for"
        case .extensions(let reason): reason
        }
    }
}
