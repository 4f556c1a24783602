public import PubSub
import Reactor
import Synchronization
import WebSocketProtocol

/// A server as its backplane sees it: what comes from the engine is told to it. Any thread. A call costs a lock;
/// `receive` what `Server.publish` costs on a thread that is no loop.
public final class ClusterNode: Sendable {
    /// The node's name in the cluster: 16 hexadecimal digits, drawn when the server was made.
    public let id: String
    /// Whether some of the server's topics have a history that the engine is to keep.
    public let keepsHistories: Bool
    let interest: ClusterInterest
    let roster = ClusterRoster()
    let counters = ClusterCounters()
    private let events: (@Sendable (Server, ClusterEvent) -> Void)?
    private let state = Mutex(State())

    private enum Link: Equatable {
        case unknown, connected, away
    }

    private struct State {
        /// The server's, from start to stop.
        var core: SocketCore?
        /// Whether the server's loops have ended.
        var haveLoopsEnded = false
        var link = Link.unknown
        /// Why the engine is away, and why it refuses messages, as far as the log says so.
        var loggedReason: String?
        var loggedRefusal: String?
        /// Given up since the last event that said so.
        var untoldDrops = 0
        /// When the next event of drops may come, in milliseconds.
        var nextDropEvent: UInt64 = 0

        mutating func takeDrops(now: UInt64, atOnce: Bool) -> Int? {
            guard untoldDrops > 0, atOnce || now >= nextDropEvent else { return nil }
            nextDropEvent = now + 1_000
            defer { untoldDrops = 0 }
            return untoldDrops
        }
    }

    init(_ cluster: Cluster, keepsHistories: Bool = false) {
        self.keepsHistories = keepsHistories
        id = cluster.nodeID ?? Self.drawID()
        interest = ClusterInterest(linger: cluster.interestLinger.milliseconds)
        events = cluster.events
    }

    private static func drawID() -> String {
        let number = String(UInt64.random(in: 1 ... .max), radix: 16)
        return String(repeating: "0", count: 16 - number.utf8.count) + number
    }

    /// Whether bytes are the name of a node.
    package static func isID(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.count == 16 && bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    var core: SocketCore? { state.withLock { $0.core } }

    /// Hands over to a server's loops what comes, from now on.
    func attach(_ core: SocketCore) { state.withLock { $0.core = core } }

    /// The server's loops have ended: what happens from here on is told by whoever finds out.
    func loopsHaveEnded() { state.withLock { $0.haveLoopsEnded = true } }

    /// Lets go of the server.
    func detach() { state.withLock { $0.core = nil } }
}

// MARK: What a backplane tells

extension ClusterNode {
    /// The topics that have subscribers here, or had some a moment ago: what the engine is to send after the connection
    /// was lost. O(topics), under a lock.
    public var interests: [Topic] { interest.topics + noticeTopics }

    /// What this node hears of others on, beside messages.
    var noticeTopics: [Topic] { [ClusterNotice.all, ClusterNotice.topic(of: id)] }

    /// Hands a message of another node to the subscribers here. Messages that one thread hands over keep their order.
    /// - Returns: whether the loops keep up. If not, the backplane should read less of the engine for a moment, or they
    ///   will drop messages.
    @discardableResult
    public func receive(_ payload: RawSpan, isText: Bool, for topic: Topic) -> Bool {
        let core = core
        guard !ClusterNotice.isReserved(topic) else {
            let notice = unsafe payload.withUnsafeBytes { ClusterNotice(unsafe [UInt8]($0)) }
            if let core, let notice { core.cluster?.heard(notice, core) }
            return true
        }
        counters.received.add(1, ordering: .relaxed)
        guard let core else { return true }
        return unsafe payload.withUnsafeBytes { unsafe core.arrived($0, as: isText ? .text : .binary, for: topic) }
    }

    /// Notes that the engine takes messages, and sends those of the topics that this node is interested in: the
    /// backplane has subscribed anew before it calls this. If it was away, messages of other nodes may be missing.
    public func noteConnected() {
        let before = state.withLock { state in
            defer { (state.link, state.loggedReason) = (.connected, nil) }
            return state.link
        }
        guard before != .connected else { return }
        tell(.connected)
        tellDrops(atOnce: true)
        if before == .away {
            counters.gaps.add(1, ordering: .relaxed)
            tell(.gap)
        }
        // Others hear at once that this node is there.
        roster.hereIsDue()
        core?.run(LoopJob { $0?.wakeTimeReached() }, on: 0)
    }

    /// Notes that the engine is away. Called again and again while attempts fail, it is told once, and logged whenever
    /// the reason is another one.
    public func noteDisconnected(_ reason: String) {
        let (before, isNews) = state.withLock { state in
            defer { (state.link, state.loggedReason) = (.away, reason) }
            return (state.link, state.loggedReason != reason)
        }
        if before == .connected { counters.disconnects.add(1, ordering: .relaxed) }
        if before != .away {
            tell(.disconnected(reason))
        } else if isNews {
            core?.log(.warning, "the cluster's engine is still away: \(reason.onOneLine)")
        }
    }

    /// Counts messages for other nodes that were accepted and are given up.
    /// - Parameters:
    ///   - count: how many.
    ///   - reason: what the engine said of it, if it has refused them.
    public func noteDropped(_ count: Int, because reason: String? = nil) {
        guard count > 0 else { return }
        counters.dropped.add(count, ordering: .relaxed)
        state.withLock { $0.untoldDrops += count }
        if let reason { logRefusal("messages: \(reason)") }
        tellDrops()
    }

    /// Logs what the engine refuses, and why, unless that was the last such line.
    func logRefusal(_ sentence: String) {
        let isNews = state.withLock { state in
            defer { state.loggedRefusal = sentence }
            return state.loggedRefusal != sentence
        }
        if isNews { core?.log(.error, "the cluster's engine refuses \(sentence.onOneLine)") }
    }

    /// Tells of messages that were given up, at most once a second unless it has to be at once.
    func tellDrops(atOnce: Bool = false) {
        let now = core?.group?.milliseconds ?? 0
        if let drops = state.withLock({ $0.takeDrops(now: now, atOnce: atOnce) }) { tell(.dropped(drops)) }
    }

    /// Whether the engine takes messages, as far as anybody knows.
    var isConnected: Bool { state.withLock { $0.link == .connected } }

    /// Notes how long the engine took to answer.
    public func noteRoundTrip(_ time: Duration) {
        counters.roundTrip.store(Int(time / .microseconds(1)), ordering: .relaxed)
    }

    func tell(_ event: ClusterEvent) {
        guard let core else { return }
        switch event {
        case .connected: core.log(.notice, "the cluster's engine is connected")
        case .disconnected(let reason): core.log(.warning, "the cluster's engine is away: \(reason.onOneLine)")
        case .gap: core.log(.warning, "messages of other nodes may be missing: the cluster's engine was away")
        case .historyGap(let topic): core.log(.warning, "messages of the history of \(topic.name.onOneLine) are lost")
        case .dropped(let count): core.log(.warning, "\(count) messages for other nodes were dropped")
        }
        guard let events, let group = core.group else { return }
        if state.withLock({ $0.haveLoopsEnded }) {
            if let server = core.server { events(server, event) }
            return
        }
        // On a loop, behind what is under way: this may be the middle of a publish.
        group.executor(of: 0).execute { if let server = core.server { events(server, event) } }
    }
}
