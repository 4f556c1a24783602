import HTTPProtocol
public import HTTPTypes
public import Reactor

/// A request as it arrived: borrowed from the receive buffer, valid while `fetch` runs, on the connection's loop.
///
/// What is asked for is decoded then and there; all else costs nothing. `copy()` makes a request that can be kept.
public struct Request: ~Escapable {
    let head: RequestHead
    let peer: Peer
    /// The whole body, without the framing of chunks. Empty when there is none, and where the route reads its bodies as
    /// they come: see `body(streaming:)`. `bytes` and `string` copy it.
    public let body: RawSpan
    /// Where the body comes from if it is read as it comes.
    let lentPipe: LentPipe?
    /// The route that the request has come to, where the server has routes.
    let match: RouteMatch?
    /// Whether the route was asked before the body was read.
    let isAccepted: Bool

    /// Who knows the other end and the server: the connection and its loop, which are asked when they are read, or a
    /// copy. Safe: a request is lent while its loop answers it, and does not outlive that.
    @safe enum Peer {
        case connection(ConnectionSlot, Unmanaged<SocketLoop>)
        case known(RequestCopy.Peer)
    }

    @_lifetime(copy head, copy body)
    init(
        head: RequestHead, body: RawSpan, peer: Peer, pipe: LentPipe? = nil, match: RouteMatch? = nil,
        isAccepted: Bool = false
    ) {
        self.head = head
        self.body = body
        self.peer = peer
        lentPipe = pipe
        self.match = match
        self.isAccepted = isAccepted
    }

    /// The method, as it was sent.
    public var method: HTTPRequest.Method { head.method }

    /// The request target as it was sent: path and query, percent-encoded.
    public var rawTarget: String { head.target }

    /// The path, percent-decoded, without the query.
    public var path: String { head.path }

    /// The first value of a query parameter, percent-decoded; nil if there is no such parameter.
    public func query(_ name: String) -> String? { head.query(name) }

    /// All query parameters in order, percent-decoded: a copy.
    public var queryItems: [(name: String, value: String)] { head.queryItems }

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

    /// The body as an array: a copy.
    public var bytes: [UInt8] {
        // Safe: the buffer is copied before the closure returns.
        unsafe body.withUnsafeBytes { unsafe [UInt8]($0) }
    }

    /// The body as a string: a copy. What is not UTF-8 comes out repaired.
    public var string: String { unsafe body.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }

    /// The other end of the connection; nil once it is gone. Costs a system call.
    public var remoteAddress: SocketAddress? {
        switch peer {
        case .connection(let slot, _): Connection(slot).remoteAddress
        case .known(let peer): peer.remoteAddress
        }
    }

    /// Whether the request came by TLS (`https`, `wss`).
    public var isSecure: Bool {
        switch peer {
        case .connection(let slot, _): Connection(slot).isSecure
        case .known(let peer): peer.tls != nil
        }
    }

    /// What TLS agreed on, the subject of the client's certificate among it (`peerSubject`); nil without TLS. Costs
    /// some copies.
    public var tls: TLSInformation? {
        switch peer {
        case .connection(let slot, _): Connection(slot).tls
        case .known(let peer): peer.tls
        }
    }

    /// The server that was asked: to publish, to count, to list. Costs a reference count, which loops share. A copy of
    /// the request keeps its server.
    public var server: Server {
        guard let server = knownServer else { preconditionFailure("a request without a Server") }
        return server
    }

    private var knownServer: Server? {
        switch peer {
        // Safe: the loop outlives the requests that it answers.
        case .connection(_, let loop): unsafe loop._withUnsafeGuaranteedRef { $0.server }
        case .known(let peer): peer.server
        }
    }

    var trustedProxies: [AddressRange] {
        switch peer {
        // Safe: as in `knownServer`.
        case .connection(_, let loop):
            unsafe loop._withUnsafeGuaranteedRef { $0.core.configuration.trustedProxies }
        case .known(let peer): peer.trustedProxies
        }
    }

    /// Whether the client asks for a WebSocket, rightly or wrongly: `.upgrade` answers a wrong handshake by itself.
    public var isWebSocketUpgrade: Bool { head.layout.requestsUpgrade && head.layout.namesWebSocket }

    /// A copy that can be kept and used on any thread: for deferred replies.
    public func copy() -> RequestCopy {
        // Safe: copied before the closure returns.
        let headBytes = unsafe head.bytes.extracting(first: head.layout.byteCount).withUnsafeBytes {
            unsafe [UInt8]($0)
        }
        return RequestCopy(
            head: headBytes, layout: head.layout, bodyBytes: bytes, pipe: lentPipe?.pipe,
            route: match.map(RouteCopy.init),
            peer: .init(remoteAddress: remoteAddress, tls: tls, server: knownServer, trustedProxies: trustedProxies))
    }
}
