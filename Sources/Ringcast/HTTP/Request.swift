import HTTPProtocol
public import HTTPTypes
public import Reactor
import WebSocketProtocol

/// A request as it arrived: borrowed from the receive buffer, valid while `fetch` runs.
///
/// What is asked for is decoded then and there; all else costs nothing. `copy()` makes a request that can be kept.
public struct Request: ~Escapable {
    let head: RequestHead
    private let peer: Peer
    /// The whole body, without the framing of chunks. Empty when there is none.
    public let body: RawSpan

    /// Who knows the remote address and what TLS agreed on: the connection, which is asked when they are read, or a
    /// copy.
    enum Peer {
        case connection(ConnectionSlot)
        case known(SocketAddress?, TLSInformation?)
    }

    @_lifetime(copy head, copy body)
    init(head: RequestHead, body: RawSpan, peer: Peer) {
        self.head = head
        self.body = body
        self.peer = peer
    }

    /// The method, as it was sent.
    public var method: HTTPRequest.Method { head.method }

    /// The request target as it was sent: path and query.
    public var target: String { head.target }

    /// The path, percent-decoded, without the query.
    public var path: String { head.path }

    /// The first value of a query parameter, percent-decoded; nil if there is no such parameter.
    public func query(_ name: String) -> String? { head.query(name) }

    /// The value of a header, nil if it is not there; several are joined by commas. Names are case-insensitive.
    public func header(_ name: HTTPField.Name) -> String? { head.header(name) }

    /// Every value of a header, in order.
    public func headers(_ name: HTTPField.Name) -> [String] { head.headers(name) }

    /// The host that is asked for, with its port if one was given: from the target if it names one, else the `Host`
    /// header.
    public var host: String? { head.authority }

    /// The value of the first cookie of that name; nil if there is none. Case counts; quotes around the value are taken
    /// off.
    public func cookie(_ name: String) -> String? { head.cookie(name) }

    /// All headers: a copy.
    public var headers: HTTPFields { head.fields }

    /// The other end of the connection; nil once it is gone. Costs a system call.
    public var remoteAddress: SocketAddress? {
        switch peer {
        case .connection(let slot): Connection(slot).remoteAddress
        case .known(let address, _): address
        }
    }

    /// Whether the request came by TLS (`https`, `wss`).
    public var isSecure: Bool {
        switch peer {
        case .connection(let slot): Connection(slot).isSecure
        case .known(_, let tls): tls != nil
        }
    }

    /// What TLS agreed on, the subject of the client's certificate among it (`peerSubject`); nil without TLS. Costs
    /// some copies.
    public var tls: TLSInformation? {
        switch peer {
        case .connection(let slot): Connection(slot).tls
        case .known(_, let tls): tls
        }
    }

    /// Whether the client asks for a WebSocket, rightly or wrongly: `.upgrade` answers a wrong handshake by itself.
    public var isWebSocketUpgrade: Bool {
        head.layout.requestsUpgrade && Handshake.isUpgrade(upgrade: header(.upgrade), connection: header(.connection))
    }

    /// A copy that can be kept and used on any thread: for deferred replies.
    public func copy() -> RequestCopy {
        // Safe: both arrays copy the bytes before the closures return.
        let headBytes = unsafe head.bytes.extracting(first: head.layout.byteCount).withUnsafeBytes {
            unsafe [UInt8]($0)
        }
        let bodyBytes = unsafe body.withUnsafeBytes { unsafe [UInt8]($0) }
        return RequestCopy(
            head: headBytes, layout: head.layout, bodyBytes: bodyBytes, remoteAddress: remoteAddress, tls: tls)
    }
}

/// A request that owns its bytes, for any thread. `request` is the view of it that `fetch` gets.
public struct RequestCopy: Sendable {
    private let head: [UInt8]
    private let layout: RequestHeadLayout
    private let bodyBytes: [UInt8]
    /// The other end of the connection, as it was when the copy was made.
    public let remoteAddress: SocketAddress?
    private let tls: TLSInformation?

    init(
        head: [UInt8], layout: RequestHeadLayout, bodyBytes: [UInt8], remoteAddress: SocketAddress?,
        tls: TLSInformation?
    ) {
        self.tls = tls
        self.head = head
        self.layout = layout
        self.bodyBytes = bodyBytes
        self.remoteAddress = remoteAddress
    }

    /// The request, borrowed from this copy.
    public var request: Request {
        @_lifetime(borrow self)
        get {
            Request(
                head: RequestHead(bytes: unsafe head.span.bytes, layout: layout), body: unsafe bodyBytes.span.bytes,
                peer: .known(remoteAddress, tls))
        }
    }
}
