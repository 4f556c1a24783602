import HTTPProtocol
public import HTTPTypes

/// What a request is answered with: a response, whole or streamed, a file, a topic's events, an upgrade to a WebSocket,
/// or one of them later.
///
/// A reply may be thrown as well as returned, wherever requests are answered: `throw Reply.response(.unauthorized)`. A
/// response may be given any number of times; an upgrade with data once, since the data belongs to its socket: a second
/// time is a programming error, which is logged and answered with 500.
public struct Reply: Error {
    enum Kind: Sendable {
        case response(Response)
        case stream(StreamedResponse)
        case events(EventsResponse)
        case file(FileReply)
        case upgrade(Upgrade)
        case deferred(@Sendable () async throws -> sending Reply, within: Duration?)
    }

    let kind: Kind
    /// Who waits for the answer; nil nearly always.
    var observer: AnswerObserver?

    init(kind: Kind, observer: AnswerObserver? = nil) {
        self.kind = kind
        self.observer = observer
    }

    /// A response with text. Its status is a final one: 1xx is a programming error, which is logged and answered with
    /// 500 (`.upgrade` sends its 101 itself). Without a `Content-Type` among the headers it is sent as
    /// `text/plain; charset=utf-8`.
    ///
    /// Header values never break out of their line: HTTPTypes makes spaces of CR, LF and NUL when a field is made, and
    /// of most control characters; one that is left (`HTTPField(name:lenientValue:)`) is a programming error, which is
    /// logged and answered with 500.
    public static func response(
        _ status: HTTPResponse.Status, _ body: String = "", headers: HTTPFields = [:]
    ) -> Reply {
        Reply(kind: .response(Response(status: status, text: body, headers: headers)))
    }

    /// A response with bytes. Without a `Content-Type` among the headers it is sent as `application/octet-stream`.
    public static func response(_ status: HTTPResponse.Status, bytes: [UInt8], headers: HTTPFields = [:]) -> Reply {
        Reply(kind: .response(Response(status: status, bytes: bytes, headers: headers)))
    }

    /// Makes a WebSocket of the connection. A request that is no valid WebSocket handshake (RFC 6455 §4.2.1) is
    /// answered instead with what is wrong with it; a plain GET, which asks for no WebSocket, with 426.
    /// - Parameters:
    ///   - handlers: what kind of socket it becomes.
    ///   - data: what `ws.data` starts as.
    ///   - headers: added to the 101 response; those that belong to the handshake are left out.
    ///   - subprotocol: used if the client offers it; nil takes the first of the configuration's that the client
    ///     offers.
    public static func upgrade<ConnectionData>(
        to handlers: WebSocketHandlers<ConnectionData>, with data: sending ConnectionData, headers: HTTPFields = [:],
        subprotocol: String? = nil
    ) -> Reply {
        Reply(kind: .upgrade(Upgrade(to: handlers, with: data, headers: headers, subprotocol: subprotocol)))
    }

    /// Makes a WebSocket without data of the connection.
    public static func upgrade(
        to handlers: WebSocketHandlers<Void>, headers: HTTPFields = [:], subprotocol: String? = nil
    ) -> Reply {
        upgrade(to: handlers, with: (), headers: headers, subprotocol: subprotocol)
    }

    /// Answers later, with what `body` returns; if it throws, with 500. `body` runs as a task on the connection's loop,
    /// so it must not block; `await` frees the loop. Take what it needs of the request with `request.copy()`. Until it
    /// is done the connection reads nothing more.
    ///
    /// The task is cancelled within a second when the client has left: when it has reset the connection, or has said
    /// that it will send no more (a FIN; whether it still reads cannot be known). Such a client is answered nothing,
    /// and an upgrade does not become a socket. Costs a system call for each look, about one a second.
    /// - Parameters:
    ///   - timeout: how long the reply may take; then the task is cancelled, and the client answered 503. By default
    ///     `ServerLimits.deferredReplyTimeout`.
    ///   - body: makes the reply.
    public static func deferred(
        within timeout: Duration? = nil, _ body: @escaping @Sendable () async throws -> sending Reply
    ) -> Reply {
        Reply(kind: .deferred(body, within: timeout))
    }
}

/// A response before it is encoded.
struct Response {
    /// The answer to a client when something went wrong on this side.
    static let internalServerError = Response(status: .internalServerError, text: "Internal Server Error\n")

    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: [UInt8]

    init(status: HTTPResponse.Status, text: String, headers: HTTPFields = [:]) {
        self.init(status: status, body: [UInt8](text.utf8), headers: headers, type: "text/plain; charset=utf-8")
    }

    init(status: HTTPResponse.Status, bytes: [UInt8], headers: HTTPFields = [:]) {
        self.init(status: status, body: bytes, headers: headers, type: MediaType.unknown)
    }

    private init(status: HTTPResponse.Status, body: [UInt8], headers: HTTPFields, type: String) {
        self.status = status
        self.headers = headers
        self.body = body
        if !body.isEmpty, headers[.contentType] == nil { self.headers[.contentType] = type }
    }
}

/// What turns a connection into a socket, with the user's type of data erased.
struct Upgrade: Sendable {
    let handlers: ErasedHandlers
    let options: WebSocketOptions
    let data: any UpgradeData
    var headers: HTTPFields
    let subprotocol: String?

    init<ConnectionData>(
        to handlers: WebSocketHandlers<ConnectionData>, with data: ConnectionData, headers: HTTPFields,
        subprotocol: String?
    ) {
        self.handlers = handlers.typed
        options = handlers.options
        self.data = TypedUpgradeData(data)
        self.headers = headers
        self.subprotocol = subprotocol
    }
}
