import HTTPProtocol
public import Reactor

/// A request that owns its bytes, for any thread. `request` is the view of it that `fetch` gets.
public struct RequestCopy: Sendable {
    private let head: [UInt8]
    private let layout: RequestHeadLayout
    private let bodyBytes: [UInt8]
    private let pipe: BodyPipe?
    private let routeCopy: RouteCopy?
    private let peer: Peer

    /// What the connection and its loop knew when the copy was made.
    struct Peer: Sendable {
        let remoteAddress: SocketAddress?
        let tls: TLSInformation?
        /// Nil in tests that have no server.
        let server: Server?
        let trustedProxies: [AddressRange]
    }

    init(
        head: [UInt8], layout: RequestHeadLayout, bodyBytes: [UInt8], pipe: BodyPipe?, route: RouteCopy?, peer: Peer
    ) {
        self.head = head
        self.layout = layout
        self.bodyBytes = bodyBytes
        self.pipe = pipe
        routeCopy = route
        self.peer = peer
    }

    /// The other end of the connection, as it was when the copy was made.
    public var remoteAddress: SocketAddress? { peer.remoteAddress }

    /// The request, borrowed from this copy.
    public var request: Request {
        @_lifetime(borrow self)
        get {
            Request(
                head: RequestHead(bytes: unsafe head.span.bytes, layout: layout), body: unsafe bodyBytes.span.bytes,
                peer: .known(peer), pipe: pipe.map(LentPipe.init), match: routeCopy?.match)
        }
    }
}
