import Reactor
import Ringcast
import Synchronization

/// What an engine's backplane needs to know.
struct EngineOptions: Sendable {
    let language: any EngineLanguage
    let address: EngineAddress
    /// Nil for plain connections.
    let tls: TLSClient?
    /// Bytes of publishes that may wait for the engine.
    let waitingBytes: Int
    /// How long to wait between attempts.
    let reconnect: ReconnectPolicy
    /// Finds the engine's addresses.
    var resolver = Resolver.shared
}

/// A backplane over one engine: a thread with a loop of its own, so that the server's loops do no more than write into
/// an outbox, and hear of what comes as of any other thread's publish.
final class EngineBackplane: Backplane {
    private let group: LoopGroup
    private let options: EngineOptions
    let outbox: Outbox
    private let interests = InterestOutbox()
    /// What is asked of an engine that remembers: `RememberingBackplane`.
    let history: HistoryOutbox
    private let node: ClusterNode
    private let textHeader: [UInt8]
    private let binaryHeader: [UInt8]

    convenience init(_ options: EngineOptions, _ node: ClusterNode) throws(ServerError) {
        try self.init(options, node) { makeHandler throws(ReactorError) in
            try LoopGroup(
                configuration: LoopGroupConfiguration(loops: .count(1), pinsThreads: false, listeners: []),
                makeHandler: makeHandler)
        }
    }

    /// - Parameter makeGroup: makes the backplane's loop; in tests one that its maker turns.
    init(
        _ options: EngineOptions, _ node: ClusterNode,
        makeGroup: (@escaping @Sendable (EventLoop) -> any ConnectionHandler) throws(ReactorError) -> LoopGroup
    ) throws(ServerError) {
        (self.options, self.node) = (options, node)
        let (outbox, interests) = (Outbox(byteLimit: options.waitingBytes), interests)
        let history = HistoryOutbox(byteLimit: options.waitingBytes)
        (self.outbox, self.history) = (outbox, history)
        textHeader = Envelope.header(isText: true, node: node.id)
        binaryHeader = Envelope.header(isText: false, node: node.id)
        do throws(ReactorError) {
            group = try makeGroup { EngineLoop($0, options, node, outbox, interests, history) }
        } catch {
            throw ServerError("the cluster's loop cannot be made: \(error)", code: error.code)
        }
    }

    func start() {
        group.start()
        onLoop { $0?.begin() }
    }

    func publish(_ payload: RawSpan, isText: Bool, to topic: Topic) -> BackplaneResult {
        guard payload.byteCount + Envelope.headerByteCount <= options.language.longestEnvelope else { return .dropped }
        let header = isText ? textHeader : binaryHeader
        let (result, isFirst) = unsafe payload.withUnsafeBytes { payload in
            outbox.add { unsafe options.language.appendPublish(header, payload, to: topic, into: &$0) }
        }
        if isFirst { wake() }
        return result
    }

    func setInterest(_ isInterested: Bool, in topic: Topic) {
        if interests.add(isInterested, in: topic) { wake() }
    }

    func stop() async {
        group.start()
        // When the engine has everything that was published, or is away, or two seconds are over.
        await withCheckedContinuation { continuation in
            onLoop { loop in
                guard let loop else { return continuation.resume() }
                loop.endWhenIdle(within: 2_000) { continuation.resume() }
            }
        }
        node.noteDropped(outbox.close() + history.close())
        group.stop()
        await group.ended()
    }

    /// Of a history's messages.
    var longestMessage: Int { options.language.longestEnvelope - 64 }

    /// The loop looks into the outboxes at the end of each turn.
    func wake() { group.executor(of: 0).execute {} }

    /// - Parameter body: is given nothing once the loop has ended.
    private func onLoop(_ body: @escaping @Sendable (EngineLoop?) -> Void) {
        group.executor(of: 0).execute { body(LoopGroup.currentLoop?.installedHandler as? EngineLoop) }
    }
}
