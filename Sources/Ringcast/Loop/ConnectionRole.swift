import Reactor

/// What a connection is at the moment, kept in its context pointer: the lowest bit tells a session's memory from an
/// exchange's object.
enum ConnectionRole {
    case http(HTTPExchange)
    case socket(Session)
    /// Closing: nothing is expected of it any more.
    case none

    init(_ connection: Connection) {
        guard let context = unsafe connection.context else {
            self = .none
            return
        }
        // Safe: `context` wrote it, and both live until the connection's context is changed.
        if UInt(bitPattern: context) & 1 == 1 {
            self = unsafe .socket(Session(subscriber: context - 1))
        } else {
            self = unsafe .http(Unmanaged<HTTPExchange>.fromOpaque(context).takeUnretainedValue())
        }
    }

    /// The context for this role. It owns nothing: the loop keeps its exchanges, a session its own memory.
    var context: UnsafeMutableRawPointer? {
        switch self {
        case .http(let exchange): unsafe Unmanaged.passUnretained(exchange).toOpaque()
        case .socket(let session): unsafe session.subscriber + 1
        case .none: nil
        }
    }
}
