import HTTPProtocol

/// Why the body of a request does not come to its end: a `code` to be switched on.
///
/// Whatever it is, the client is not answered by whoever reads: it has been answered, or it has left.
public struct RequestBodyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of thing went wrong.
    public let code: Code

    /// A kind of error, to be switched on. More may come: a `switch` needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name, for logs.
        public let name: String
        /// As `name`.
        public var description: String { name }
    }

    /// An error with this code.
    public init(_ code: Code) { self.code = code }

    /// The error in a sentence.
    public var description: String {
        switch code {
        case .tooLarge: "the request body is over the route's limit"
        case .timedOut: "the request body came too slowly"
        case .malformed: "the chunks of the request body are malformed"
        case .disconnected: "the client left within the request body"
        case .answered: "the request was answered before its body was read"
        case .cancelled: "the task that read the request body was cancelled"
        case .beingRead: "the request body is being read by another task"
        default: code.name
        }
    }
}

extension RequestBodyError.Code {
    /// More bytes than the route takes. The client is answered 413.
    public static let tooLarge = Self(name: "tooLarge")
    /// The client was slower than `ServerLimits.bodyTimeout` allows. It is answered 408.
    public static let timedOut = Self(name: "timedOut")
    /// Chunks that are none. The client is answered 400.
    public static let malformed = Self(name: "malformed")
    /// The connection ended: the client left, or the server stopped and had no more patience.
    public static let disconnected = Self(name: "disconnected")
    /// The reply was given, or was late, before the body was complete.
    public static let answered = Self(name: "answered")
    /// The task that reads was cancelled.
    public static let cancelled = Self(name: "cancelled")
    /// Another task waits for the next piece.
    public static let beingRead = Self(name: "beingRead")
}

extension RequestBodyError {
    static let disconnected = Self(.disconnected)
    static let answered = Self(.answered)
    static let cancelled = Self(.cancelled)
    static let beingRead = Self(.beingRead)

    init(_ refusal: HTTPRefusal) {
        switch refusal.status {
        case .contentTooLarge: self.init(.tooLarge)
        case .requestTimeout: self.init(.timedOut)
        default: self.init(.malformed)
        }
    }
}
