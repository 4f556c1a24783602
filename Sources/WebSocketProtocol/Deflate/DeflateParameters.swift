/// What a server's answer says about permessage-deflate, and both sides keep to (RFC 7692 §7.1).
public struct DeflateParameters: Hashable, Sendable {
    /// The server's messages refer to nothing before them (§7.1.1.1).
    public var serverNoContextTakeover: Bool
    /// The client's messages refer to nothing before them (§7.1.1.2).
    public var clientNoContextTakeover: Bool
    /// The logarithm of the server's window, 8 to 15 (§7.1.2.1). An answer that does not mention it (nil) means 15.
    public var serverMaxWindowBits: Int?
    /// The logarithm of the client's window, 8 to 15 (§7.1.2.2). An answer that does not mention it (nil) means 15.
    public var clientMaxWindowBits: Int?

    /// An answer that mentions what is given, and nothing else.
    public init(
        serverNoContextTakeover: Bool = false, clientNoContextTakeover: Bool = false, serverMaxWindowBits: Int? = nil,
        clientMaxWindowBits: Int? = nil
    ) {
        self.serverNoContextTakeover = serverNoContextTakeover
        self.clientNoContextTakeover = clientNoContextTakeover
        self.serverMaxWindowBits = serverMaxWindowBits
        self.clientMaxWindowBits = clientMaxWindowBits
    }

    /// The value of `Sec-WebSocket-Extensions` that gives this answer.
    public var headerValue: String {
        var value = PerMessageDeflate.extensionName
        if serverNoContextTakeover { value += "; server_no_context_takeover" }
        if clientNoContextTakeover { value += "; client_no_context_takeover" }
        if let serverMaxWindowBits { value += "; server_max_window_bits=\(serverMaxWindowBits)" }
        if let clientMaxWindowBits { value += "; client_max_window_bits=\(clientMaxWindowBits)" }
        return value
    }

    /// How the side `role` sends.
    public func outgoing(of role: Role) -> Direction { role == .server ? server : client }

    /// How the other side sends to `role`.
    public func incoming(of role: Role) -> Direction { role == .server ? client : server }

    /// One direction of a connection.
    public struct Direction: Hashable, Sendable {
        /// The logarithm of the window's size: 8 to 15.
        public let windowBits: Int
        /// Whether messages may refer to those before them.
        public let keepsContext: Bool
    }

    private var server: Direction {
        Direction(windowBits: serverMaxWindowBits ?? 15, keepsContext: !serverNoContextTakeover)
    }

    private var client: Direction {
        Direction(windowBits: clientMaxWindowBits ?? 15, keepsContext: !clientNoContextTakeover)
    }
}

/// The parameters of one `permessage-deflate` as they came, in an offer or in an answer.
struct DeflateFields {
    /// The value of `client_max_window_bits` (RFC 7692 §7.1.2.2).
    enum ClientWindow: Hashable {
        /// No value, which only an offer may have.
        case any
        case atMost(Int)
    }

    private(set) var serverNoContextTakeover = false
    private(set) var clientNoContextTakeover = false
    private(set) var serverMaxWindowBits: Int?
    private(set) var clientWindow: ClientWindow?

    /// Fails at an unknown parameter, one that came twice, and one with a wrong value (RFC 7692 §7.1).
    init?(_ parameters: [ExtensionList.Parameter]) {
        for (name, value) in parameters {
            switch name {
            case "server_no_context_takeover":
                guard value == nil, !serverNoContextTakeover else { return nil }
                serverNoContextTakeover = true
            case "client_no_context_takeover":
                guard value == nil, !clientNoContextTakeover else { return nil }
                clientNoContextTakeover = true
            case "server_max_window_bits":
                guard let bits = Self.windowBits(value), serverMaxWindowBits == nil else { return nil }
                serverMaxWindowBits = bits
            case "client_max_window_bits":
                guard clientWindow == nil else { return nil }
                if value == nil {
                    clientWindow = .any
                } else {
                    guard let bits = Self.windowBits(value) else { return nil }
                    clientWindow = .atMost(bits)
                }
            default: return nil
            }
        }
    }

    /// A decimal number from 8 to 15 without leading zeros.
    private static func windowBits(_ value: String?) -> Int? {
        guard let value, let bits = Int(value), 8...15 ~= bits, "\(bits)" == value else { return nil }
        return bits
    }
}
