import PubSub
import Reactor

extension SocketLoop {
    /// Hands a new subscriber what its topic retains.
    func deliver(retained bytes: [UInt8], of topic: Topic, to session: Session) {
        // Safe: the log gives room for exactly the frame.
        let frame = unsafe bytes.withUnsafeBytes { bytes in
            unsafe loop.share(bytes.count) { unsafe $0.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count) }
        }
        var held: [UInt8]? = bytes
        deliver(frame, of: table.entry(for: topic), to: session, holding: &held)
        reportDrops(of: frame)
    }

    /// The fan-out of a frame that is not for every subscriber here: some have got something newer when they
    /// subscribed.
    func deliver(
        _ frame: SharedBytes, to entry: TopicEntry, stamp: UInt64, except excluded: SubscriptionTable.Subscriber?
    ) {
        var held: [UInt8]?
        loop.keep(frame)
        defer { loop.release(frame) }
        settleFanOut()
        unsafe counters.pointee.fanOutWork += UInt64(table.localMemberCount(of: entry))
        unsafe table.subscribers(of: entry, stamp: stamp).forEach { subscriber in
            guard unsafe subscriber != excluded else { return }
            deliver(frame, of: entry, to: unsafe Session(subscriber: subscriber), holding: &held)
        }
        reportDrops(of: frame)
    }

    func deliver(
        _ frame: SharedBytes, of entry: TopicEntry, to session: Session, holding held: inout [UInt8]?
    ) {
        let policy = SlowConsumerPolicy(word: entry.policy)
        if session.isBehind(isGoverned: policy != .dropNewest) {
            _ = session.deliver(frame, holding: &held, policy: policy, of: entry)
            return
        }
        switch session.deliver(frame) {
        case .queued, .queuedBehind:
            unsafe counters.pointee.deliveries += 1
            unsafe counters.pointee.messagesOut += 1
        case .atLimit: break
        case .closed: unsafe counters.pointee.dropsClosed += 1
        }
    }
}

extension Session {
    /// Subscribes, and hands over what the topic retains. False: nothing changed.
    func subscribe(to topic: Topic) -> Bool {
        let loop = loop
        settleFanOut()
        let standing = standing
        let result = unsafe loop.table.subscribe(subscriber, memberships: &memberships, to: topic, standing: standing)
        guard result == .added else { return false }
        if flags.contains(.deflates) { loop.table.noteVariants(1 << UInt8(form), of: memberships) }
        let count = loop.table.changedCount
        if let frame = loop.table.takeRetained(by: memberships) { loop.deliver(retained: frame, of: topic, to: self) }
        reportSubscription(to: topic, before: count - 1, after: count)
        return true
    }
}
