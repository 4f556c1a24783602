import Reactor

/// What a connection is at the moment, kept in its context pointer: the lowest bits tell a session's memory (1, or 3
/// for a stream of events) from the objects of an exchange (0), of an outbound attempt (2) and of a carrier (4).
enum ConnectionRole {
    case http(HTTPExchange)
    /// A client's, on its way to become a socket.
    case outbound(ConnectionAttempt)
    case socket(Session)
    /// A stream of server-sent events, which is a session too.
    case events(Session)
    /// One that speaks HTTP/2: its streams are connections, each with a role of its own.
    case carrier(HTTP2Carrier)
    /// A connection that is closing: what it still brings is dropped.
    case none

    init(_ connection: Connection) {
        guard let context = unsafe connection.context else {
            self = .none
            return
        }
        // Safe: `context` wrote it, and both live until the connection's context is changed.
        switch UInt(bitPattern: context) & 7 {
        case 1: self = unsafe .socket(Session(subscriber: context - 1))
        case 2: self = unsafe .outbound(Unmanaged<ConnectionAttempt>.fromOpaque(context - 2).takeUnretainedValue())
        case 3: self = unsafe .events(Session(subscriber: context - 3))
        case 4: self = unsafe .carrier(Unmanaged<HTTP2Carrier>.fromOpaque(context - 4).takeUnretainedValue())
        default: self = unsafe .http(Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue())
        }
    }

    /// The pointer for this role. It owns nothing: the loop keeps exchanges and attempts, and a session its own memory.
    var context: UnsafeMutableRawPointer? {
        switch self {
        case .http(let exchange): unsafe Unmanaged.passUnretained(exchange).toOpaque()
        case .outbound(let attempt): unsafe Unmanaged.passUnretained(attempt).toOpaque() + 2
        case .socket(let session): unsafe session.subscriber + 1
        case .events(let session): unsafe session.subscriber + 3
        case .carrier(let carrier): unsafe Unmanaged.passUnretained(carrier).toOpaque() + 4
        case .none: nil
        }
    }
}
