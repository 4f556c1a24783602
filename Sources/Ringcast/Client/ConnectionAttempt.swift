import HTTPProtocol
import HTTPTypes
import Reactor
import WebSocketProtocol

/// A client's connection on its way to become a socket.
///
///     addresses → connected → (proxy) → (TLS) → request sent → 101 → `Session`
///         ▲                                          │
///         └──────────────── redirect ────────────────┘
///
/// One deadline covers all of it. It ends in `SocketLoop.open`, or in `fail`, once.
final class ConnectionAttempt {
    unowned let loop: SocketLoop
    /// The attempt's number in its group, by which a `ClientAttempt` finds it.
    let id: UInt64
    let request: ClientRequest
    let upgrade: Upgrade
    /// The TLS context, or why there is none. Made where the request was, since that reads files; nil where `wss`
    /// cannot come up.
    let tls: Result<TLSClient, WebSocketClientError>?
    /// Where the attempt goes, after the redirects so far.
    var url: WebSocketURL
    var phase = HandshakePhase.nameResolution
    /// When the handshake has taken too long, in the loop's milliseconds.
    let deadline: UInt64
    var redirectsLeft: Int
    /// Whether a redirect has led to another server, which is not to hear what was meant for the first.
    var isRedirected: Bool { !url.hasSameOrigin(as: request.url) }

    /// The name that is being looked up.
    var resolution: ResolutionRequest?
    /// Addresses that have not been tried.
    var candidates: ArraySlice<ConnectAddress> = []
    /// Connections that race each other; the winner alone, once there is one.
    var racing: [Racer] = []
    /// Why the last address failed.
    var lastFailure: WebSocketClientError?
    /// When the next address is tried although the last one has not failed yet, in the loop's milliseconds.
    var nextCandidateTime: UInt64?

    var handshake: ClientHandshake
    var parser = ResponseHeadParser()
    var interimCount = 0
    /// An answer other than 101, of whose body the beginning is awaited.
    var refusal: RefusalCollector?

    private let failed: @Sendable (WebSocketClientError) -> Void
    private(set) var isOver = false

    init(
        id: UInt64, request: ClientRequest, upgrade: Upgrade, tls: Result<TLSClient, WebSocketClientError>?,
        on loop: SocketLoop, failed: @escaping @Sendable (WebSocketClientError) -> Void
    ) {
        self.loop = loop
        self.id = id
        self.request = request
        self.upgrade = upgrade
        self.tls = tls
        self.failed = failed
        url = request.url
        redirectsLeft = request.maxRedirects
        deadline = loop.now + request.handshakeTimeout.milliseconds
        handshake = ClientHandshake(
            subprotocols: request.subprotocols, perMessageDeflate: upgrade.options.perMessageDeflate)
    }

    /// Fails behind the call of `connect`, from within which nobody is to hear of it.
    func failLater(_ error: WebSocketClientError) {
        let executor = loop.eventLoop.executor
        let bound = LoopBound(self, executor: executor)
        executor.execute { bound.use { $0.fail(error) } }
    }

    /// Ends without a socket. Whatever is under way is given up.
    func fail(_ error: WebSocketClientError) {
        guard !isOver else { return }
        giveUpConnections()
        finish()
        failed(error)
    }

    /// Ends, one way or the other.
    private func finish() {
        isOver = true
        resolution?.cancel()
        loop.attempts[id] = nil
    }

    /// Ends with a socket, which takes the connection over.
    func succeed(_ agreement: HandshakeAgreement, _ answer: HTTPFields, on connection: Connection) {
        finish()
        connection.setDeadline(nil)
        loop.open(
            upgrade, on: connection, role: .client, path: String(url.target.prefix { $0 != "?" }), answer: answer,
            subprotocol: agreement.subprotocol, deflate: agreement.deflate)
    }

    /// Closes every connection of this attempt without hearing of it again.
    func giveUpConnections() {
        for racer in racing { Self.abandon(Connection(racer.slot)) }
        racing = []
    }

    static func abandon(_ connection: Connection) {
        unsafe connection.context = nil
        connection.abort()
    }
}

/// A connection under way, and where it leads.
struct Racer {
    let slot: ConnectionSlot
    let address: ConnectAddress
}
