/// What a server's answer says about permessage-deflate, and both sides keep to (RFC 7692 §7.1).
public struct DeflateParameters: Hashable, Sendable {
    /// The server's messages refer to nothing before them (§7.1.1.1).
    public var serverNoContextTakeover: Bool
    /// The client's messages refer to nothing before them (§7.1.1.2).
    public var clientNoContextTakeover: Bool
    /// The server's window, 8 to 15 (§7.1.2.1). Nil: not mentioned, which is 15.
    public var serverMaxWindowBits: Int?
    /// The client's window, 8 to 15 (§7.1.2.2). Nil: not mentioned, which is 15.
    public var clientMaxWindowBits: Int?

    /// Nothing mentioned, unless it is given.
    public init(
        serverNoContextTakeover: Bool = false, clientNoContextTakeover: Bool = false, serverMaxWindowBits: Int? = nil,
        clientMaxWindowBits: Int? = nil
    ) {
        self.serverNoContextTakeover = serverNoContextTakeover
        self.clientNoContextTakeover = clientNoContextTakeover
        self.serverMaxWindowBits = serverMaxWindowBits
        self.clientMaxWindowBits = clientMaxWindowBits
    }

    /// The value of `Sec-WebSocket-Extensions` that says so.
    public var headerValue: String {
        var value = PerMessageDeflate.extensionName
        if serverNoContextTakeover { value += "; server_no_context_takeover" }
        if clientNoContextTakeover { value += "; client_no_context_takeover" }
        if let serverMaxWindowBits { value += "; server_max_window_bits=\(serverMaxWindowBits)" }
        if let clientMaxWindowBits { value += "; client_max_window_bits=\(clientMaxWindowBits)" }
        return value
    }

    /// How the side that receives as `role` sends.
    public func outgoing(of role: Role) -> Direction { role == .server ? server : client }

    /// How the other side sends to it.
    public func incoming(of role: Role) -> Direction { role == .server ? client : server }

    /// One direction of a connection.
    public struct Direction: Hashable, Sendable {
        /// 8 to 15.
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

extension PerMessageDeflate {
    static let extensionName = "permessage-deflate"
}

/// The parameters of one `permessage-deflate` as they came, from either side.
struct DeflateFields {
    /// A window that a client may be asked to keep to. In an offer it needs no value (RFC 7692 §7.1.2.2).
    enum ClientWindow: Hashable {
        case any
        case atMost(Int)
    }

    private(set) var serverNoContextTakeover = false
    private(set) var clientNoContextTakeover = false
    private(set) var serverMaxWindowBits: Int?
    private(set) var clientWindow: ClientWindow?

    /// nil: an unknown parameter, one that came twice, or one with a wrong value (§7.1).
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
        switch value {
        case "8": 8
        case "9": 9
        case "10": 10
        case "11": 11
        case "12": 12
        case "13": 13
        case "14": 14
        case "15": 15
        default: nil
        }
    }
}
