public import PubSub
import Reactor
import Synchronization

/// What a backplane whose engine remembers tells. All of it is handled in a later turn of the topic's home loop, what
/// one thread tells of a topic in its order.
extension ClusterNode {
    /// What an engine may count up to: beyond it somebody plays with it.
    private static let offsetLimit: UInt64 = 1 << 48
    /// Bytes that may wait for home loops before the backplane is asked to read less.
    private static let waitingLimit = 8 << 20

    /// Notes that the engine sends, from now on, everything that is appended to a topic: it has just begun to, or it is
    /// back. What was appended before is read. Costs a lock and an allocation.
    public func noteFollowing(_ topic: Topic) {
        guard keepsHistories, let core, core.registry.find(topic)?.history?.rule.isShared ?? false else { return }
        onHome(of: topic) { $0.followed(topic) }
    }

    /// Takes a message that some node has appended to a topic, this one or another, as it was appended. Costs an
    /// allocation.
    /// - Returns: whether the loops keep up; see `receive(_:isText:for:)`.
    @discardableResult
    public func receive(_ message: [UInt8], at position: Position, of topic: Topic) -> Bool {
        guard position.epoch > 0, 1...Self.offsetLimit ~= position.offset else { return true }
        if let message = SharedMessage(message), !message.isOf(id) { counters.received.add(1, ordering: .relaxed) }
        return hand(message.count, to: topic) { $0.arrived(message, at: position, of: topic) }
    }

    /// Takes what the engine has answered to a `HistoryBackplane.read`. Costs an allocation.
    /// - Returns: whether the loops keep up; see `receive(_:isText:for:)`.
    @discardableResult
    public func receive(_ page: HistoryPage) -> Bool {
        guard isPossible(page) else { return true }
        return hand(page.messages.reduce(0) { $0 + $1.bytes.count }, to: page.topic) { $0.arrived(page) }
    }

    /// Whether this node has subscribers of a topic whose history the engine keeps, or had some a moment ago.
    package func follows(historyOf topic: Topic) -> Bool { interest.start(of: topic) != nil }

    /// Notes that the engine cannot keep the history of a topic, whatever is done: something else is in its place.
    package func noteUnusable(_ topic: Topic, because reason: String) {
        logRefusal("the history of \(topic.name): \(reason)")
    }

    /// Whether a page's numbers can be those of a history, so that one can calculate with them.
    private func isPossible(_ page: HistoryPage) -> Bool {
        let offsets = page.messages.map(\.offset)
        return page.last <= Self.offsetLimit && page.earlier.allSatisfy { $0.offset <= Self.offsetLimit }
            && 1...page.last + 1 ~= page.first && offsets.allSatisfy { $0 > 0 && $0 <= page.last }
            && zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 }
    }

    /// Notes that messages of a topic with history are lost to the subscribers here.
    func noteHistoryGap(in topic: Topic) {
        counters.historyGaps.add(1, ordering: .relaxed)
        tell(.historyGap(topic))
    }

    private func hand(_ byteCount: Int, to topic: Topic, _ body: @escaping @Sendable (SocketLoop) -> Void) -> Bool {
        let counters = counters
        let waiting = counters.waitingHistory.add(byteCount, ordering: .relaxed).newValue
        onHome(of: topic) { loop in
            counters.waitingHistory.subtract(byteCount, ordering: .relaxed)
            body(loop)
        } orElse: {
            counters.waitingHistory.subtract(byteCount, ordering: .relaxed)
        }
        return waiting < Self.waitingLimit
    }

    /// Has the topic's home loop do something in one of its next turns, never at once: this may be the middle of a
    /// publish, under a lock.
    func onHome(
        of topic: Topic, _ body: @escaping @Sendable (SocketLoop) -> Void, orElse: @escaping @Sendable () -> Void = {}
    ) {
        guard let core, let group = core.group else { return orElse() }
        group.executor(of: topic.home(among: core.counters.count)).execute {
            if let loop = core.currentLoop { body(loop) } else { orElse() }
        }
    }
}
