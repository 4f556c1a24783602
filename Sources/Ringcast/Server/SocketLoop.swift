// Ringcast/Server: the configuration, life and statistics of a server, and what runs on one loop: `Server` with
// `SocketCore`, which all threads share; `SocketLoop`, which one loop has to itself; `LoopMessage` between them.
//
// Events are only told apart here, by `ConnectionRole`: what a request, a socket or a publish does is in `HTTP/`,
// `Session/` and `Topics/`; how bytes come and go, in Reactor.

import HTTPProtocol
import HTTPTypes
import PubSub
import Reactor
import WebSocketProtocol

/// Everything of a server or a group of clients that lives on one event loop. Used on the loop's thread only, without
/// locks.
///
/// Every connection starts as an `HTTPExchange`; an upgrade turns it into a `Session`. The connection's context pointer
/// says which.
@safe final class SocketLoop: ConnectionHandler {
    let core: SocketCore
    /// Not retained: the loop owns its handler, and outlives it.
    unowned(unsafe) private let unownedLoop: EventLoop
    let table: SubscriptionTable
    /// Outside the object, so that counting a message costs an addition and no exclusivity check.
    let counters: UnsafeMutablePointer<LoopCounters>
    private let published: PublishedCounters
    var sessions = SessionTable()
    /// How many of the sessions are streams of events, and no sockets.
    var eventStreamCount = 0
    let compression = LoopCompression()
    var date = DateHeader()
    let limits: RequestLimits
    /// What a head is read by. How long a body may be depends on the route that the head leads to.
    let headLimits: RequestLimits
    /// What the frames of this loop's client sockets are masked with.
    let maskingKeys = MaskingKeyPool()
    /// Clients' attempts that are no sockets yet, by their ids.
    var attempts: [UInt64: ConnectionAttempt] = [:]
    /// Clients that wait to connect again.
    var backoffs = BackoffQueue()
    /// Clients' connections that outlive their sockets, and who waits for their end.
    var farewells: [ConnectionID: Farewell] = [:]
    /// What the ledger has counted of this loop's connections; empty where there are no bounds.
    var admissions: [ConnectionID: Admission] = [:]
    /// Connections over the bounds that shake hands to be answered 503.
    var refusals: Set<ConnectionID> = []
    /// What requests are answered with.
    var application: Application
    /// What `server` has found. Not retained: whoever runs a server keeps it, and nothing is handled on loops that do
    /// not run.
    unowned(unsafe) private var knownServer: Server?
    /// The socket whose `open` handler is running, and what is known of its handshake.
    private(set) var opening: OpeningHandshake?
    /// Where the payload lies that a handler has been given and that may be sent from the receive buffer, once.
    var lendable: UnsafeRawPointer?
    /// The exchanges of connections that speak HTTP, kept here: a context pointer owns nothing.
    private(set) var exchanges: [ObjectIdentifier: HTTPExchange] = [:]
    /// The connections that speak HTTP/2, kept here likewise.
    var carriers: [ObjectIdentifier: HTTP2Carrier] = [:]
    private var kinds: [ObjectIdentifier: SocketKind] = [:]
    /// Sockets that a handler has terminated in this turn.
    private var ending: [(slot: UInt32, serial: UInt64)] = []
    private(set) var isStopping = false
    var logLimit = LogLimit()
    /// The paths that this loop's sockets were asked for at, for logs.
    var paths = PathTable()
    /// What has been published in a row and not handed to its subscribers yet.
    var run: FanOutRun?
    /// When topics are to be sampled more closely, if there is less to do by then.
    var samplingEnds: UInt64 = 0
    /// Memory for the next run.
    var spareEnds: [Int] = []
    /// What the fan-out that is under way has dropped and `dropped` handlers are to hear of.
    var noticedDrops: [NoticedDrop] = []
    /// Whether `reportNamedDrops` waits for the end of `reportingDropsBehind`.
    var keepsDropReports = false
    /// Whether a `dropped` handler is running, or what one has sent from another loop is being delivered: what is
    /// dropped meanwhile is counted, and not reported.
    var isReportingDrop = false
    /// What closing sockets have left and `subscription` handlers are to hear of.
    var departures = FIFO<Departure>()
    /// Topics whose home is here, with members that have joined or left.
    var changedPresences = FIFO<Topic>()
    /// Topics whose home is here, and whose histories a cluster's engine keeps.
    var feeds: [Topic: HistoryFeed] = [:]
    /// Subscribers here that came before it was known where their topic is.
    var newcomers: [Topic: Set<Newcomer>] = [:]
    /// Subscriptions here that have waited for an engine's answer.
    var resumingCount: UInt64 = 0
    /// The cells of `LoopLocal`s, by who they belong to.
    var locals: [ObjectIdentifier: AnyObject] = [:]

    /// - Parameter application: clients' loops answer no requests.
    init(core: SocketCore, loop: EventLoop, application: Application = .notFound) {
        self.core = core
        self.application = application
        unsafe unownedLoop = loop
        table = SubscriptionTable(
            loop: loop.index, registry: core.registry,
            maxTopicsPerSubscriber: core.configuration.limits.topicsPerSocket)
        unsafe counters = .allocate(capacity: 1)
        unsafe counters.initialize(to: LoopCounters())
        published = core.counters[loop.index]
        limits = core.configuration.limits.requestLimits
        headLimits = core.configuration.limits.headLimits
    }

    deinit {
        unsafe counters.deallocate()
        maskingKeys.deallocate()
    }

    var eventLoop: EventLoop { unsafe unownedLoop }

    /// Where this loop counts what happens seldom.
    var events: LoopEvents { published.events }

    /// Where this loop notes which topics cause most of it.
    var topicMeters: TopicMeters { published.topics }

    /// The server whose loop this is; nil on the loops of clients.
    var server: Server? {
        if let server = unsafe knownServer { return server }
        let server = core.server
        unsafe knownServer = server
        return server
    }

    var now: UInt64 { eventLoop.now }

    func opened(_ connection: Connection) {
        let refusal =
            admit(connection)
            ? nil : HTTPRefusal(status: .serviceUnavailable, reason: "there is no room for more connections")
        if refusal != nil { events.refusedConnections.add(1) }
        if let options = core.configuration.http2, connection.tls?.applicationProtocol == HTTP2Options.name {
            return carry(connection, options, refusing: refusal)
        }
        let exchange = exchange(on: connection)
        if let refusal { exchange.refuse(refusal, on: connection) }
    }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        switch ConnectionRole(connection) {
        case .socket(let session): return session.receive(&bytes, from: 0, on: self)
        case .http(let exchange):
            let consumed = exchange.receive(&bytes, on: connection)
            switch ConnectionRole(connection) {
            // Frames may follow the handshake in the same segment.
            case .socket(let session) where !session.isHeld: return session.receive(&bytes, from: consumed, on: self)
            case .carrier(let carrier): carrier.receive(&bytes, from: consumed)
            default: return consumed
            }
        case .carrier(let carrier): carrier.receive(&bytes)
        case .outbound(let attempt):
            let consumed = attempt.receive(bytes.bytes, on: connection)
            guard case .socket(let session) = ConnectionRole(connection), !session.isHeld else { return consumed }
            return session.receive(&bytes, from: consumed, on: self)
        case .events, .none: break
        }
        return bytes.byteCount
    }

    func blocked(_ connection: Connection) {
        switch ConnectionRole(connection) {
        case .socket(let session), .events(let session): session.fallBehind()
        case .http, .outbound, .carrier, .none: break
        }
    }

    func drained(_ connection: Connection) {
        switch ConnectionRole(connection) {
        case .socket(let session), .events(let session): session.drained()
        case .http(let exchange): exchange.drained(connection)
        case .carrier: connection.gatherAtTurnsEnd()
        case .outbound, .none: break
        }
    }

    func inputEnded(_ connection: Connection) {
        switch ConnectionRole(connection) {
        // A stream's client has ended its request.
        case .events where connection.isCarried: break
        case .socket(let session), .events(let session): session.peerEnded(.endOfInput)
        case .http(let exchange): exchange.inputEnded(connection)
        case .outbound(let attempt): attempt.inputEnded(connection)
        case .carrier, .none: connection.close()
        }
    }

    func deadlineReached(_ connection: Connection) {
        switch ConnectionRole(connection) {
        case .socket(let session), .events(let session): session.deadlineReached(now: now)
        case .http(let exchange): exchange.deadlineReached(connection)
        case .outbound(let attempt): attempt.deadlineReached(connection)
        case .carrier(let carrier): carrier.deadlineReached()
        case .none: connection.close()
        }
    }

    func closed(_ connection: Connection, _ reason: DisconnectReason) {
        dismiss(connection)
        switch ConnectionRole(connection) {
        case .socket(let session), .events(let session): session.connectionEnded(reason.text)
        case .http(let exchange): release(exchange)
        case .outbound(let attempt): attempt.closed(connection, reason)
        case .carrier(let carrier): release(carrier, reason)
        case .none: break
        }
        if connection.isCarried { leaveCarrier(connection) }
        sayFarewell(to: connection)
    }

    var messageWork: UInt64 { unsafe counters.pointee.fanOutWork }

    func turnEnds() {
        repeat {
            while let (slot, serial) = ending.popLast() {
                guard let session = sessions.find(slot: slot, serial: serial) else { continue }
                let connection = session.connection
                session.end(.abnormalClosure, reason: "")
                connection.abort()
            }
            // Settling and reporting run handlers, which may terminate sockets and publish.
            settleFanOut()
            if !noticedDrops.isEmpty { reportNamedDrops() }
            if !departures.isEmpty { reportDepartures() }
            if !changedPresences.isEmpty { reportPresences() }
        } while unsafe !ending.isEmpty || counters.pointee.unsettledFrames > 0
        if now >= samplingEnds { relaxSampling() }
        unsafe counters.pointee.sockets = UInt64(sessions.count - eventStreamCount)
        unsafe counters.pointee.eventStreams = UInt64(eventStreamCount)
        unsafe published.store(counters.pointee)
    }

    func stopping() {
        isStopping = true
        stopSessions()
        stopAttempts()
    }
}

extension SocketLoop {
    func endAtTurnsEnd(_ session: Session) { ending.append((session.slot, session.serial)) }

    /// This loop's form of a kind of socket, made at its first socket and dropped after its last.
    func kind(of handlers: ErasedHandlers, options: WebSocketOptions) -> SocketKind {
        if let kind = kinds[ObjectIdentifier(handlers)] { return kind }
        let kind = SocketKind(handlers: handlers, options: options, loop: self)
        kinds[ObjectIdentifier(handlers)] = kind
        return kind
    }

    func forget(_ kind: SocketKind) { kinds[ObjectIdentifier(kind.handlers)] = nil }

    /// Has a connection speak HTTP.
    /// - Parameter bodyFollows: of a stream of HTTP/2, whether its request has a body.
    @discardableResult
    func exchange(on connection: Connection, bodyFollows: Bool = false) -> HTTPExchange {
        let exchange = HTTPExchange(loop: self, connection: connection, bodyFollows: bodyFollows)
        exchanges[ObjectIdentifier(exchange)] = exchange
        unsafe connection.context = ConnectionRole.http(exchange).context
        exchange.opened(connection)
        return exchange
    }

    /// Lets go of an exchange whose connection has stopped speaking HTTP.
    func release(_ exchange: HTTPExchange) {
        exchange.detach()
        exchanges[ObjectIdentifier(exchange)] = nil
    }

    /// Turns a connection whose handshake has been answered into a socket, and calls its open handler.
    func open(
        _ upgrade: Upgrade, on connection: Connection, role: Role = .server, path: String, answer: HTTPFields = [:],
        subprotocol: String?, deflate: DeflateParameters? = nil
    ) {
        let kind = kind(of: upgrade.handlers, options: upgrade.options)
        let session = unsafe makeSession(of: kind, on: connection, role: role, path: path) { memory in
            unsafe upgrade.data.initialize(memory)
        }
        unsafe connection.context = ConnectionRole.socket(session).context
        if connection.isBlocked { session.fallBehind() }
        if let deflate { session.agree(on: deflate, role: role) }
        if let subprotocol { session.makeExtras().subprotocol = subprotocol }
        session.startLiveness(now: now)
        // The answer to the handshake comes before all frames.
        connection.keepInFront()
        opening = OpeningHandshake(serial: session.serial, answer: answer)
        defer { opening = nil }
        do { try session.withHandlers { try $0.open(session) } } catch { session.handlerFailed(error) }
    }
}
