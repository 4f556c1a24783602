import PubSub
import Reactor

extension SocketLoop {
    /// Hands a new subscriber what its topic retains.
    func hand(retained bytes: [UInt8], of topic: Topic, to session: Session) {
        let entry = table.entry(for: topic)
        let frame = unsafe bytes.withUnsafeBytes { unsafe eventLoop.share(EncodedFrame($0)) }
        var copy: [UInt8]? = bytes
        var tally = FanOutTally()
        tally.hand(frame, of: entry, SlowConsumerPolicy(word: entry.policy), to: session, keeping: &copy)
        count(tally)
        reportDrops(of: frame)
    }
}

extension Session {
    @discardableResult
    func subscribeIfOpen(to topic: Topic) -> Bool {
        guard topic.isValid, isOpen else { return false }
        return subscribe(to: topic)
    }

    /// Subscribes, and hands over what the topic retains.
    /// - Returns: false if nothing changed.
    func subscribe(to topic: Topic) -> Bool {
        let loop = loop
        settleFanOut()
        let standing = standing
        let result = unsafe loop.table.subscribe(subscriber, memberships: &memberships, to: topic, standing: standing)
        guard result == .added else { return false }
        if traits.contains(.deflates) { loop.table.noteVariants(1 << UInt8(form), of: memberships) }
        let count = loop.table.changedCount
        if let frame = loop.table.takeRetained(by: memberships) { loop.hand(retained: frame, of: topic, to: self) }
        reportSubscription(to: topic, before: count - 1, after: count)
        return true
    }
}
