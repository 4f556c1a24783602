import PubSub
import Reactor

extension SocketLoop {
    /// Hands a new subscriber what its topic retains.
    func hand(retained bytes: [UInt8], of topic: Topic, to session: Session) {
        let entry = table.entry(for: topic)
        let frame = unsafe bytes.withUnsafeBytes { unsafe eventLoop.share(EncodedFrame($0)) }
        var renditions: FrameRenditions? = FrameRenditions(copy: bytes)
        let drops = unsafe counters.pointee.fanOutDrops
        var tally = FanOutTally()
        tally.hand(frame, of: entry, SlowConsumerPolicy(word: entry.policy), to: session, making: &renditions)
        count(tally, of: entry, dropsBefore: drops)
        reportDrops(of: frame)
    }
}

extension Session {
    @discardableResult
    func subscribeIfOpen(
        to topic: Topic, after position: Position? = nil, _ completion: (@Sendable (Resumption) -> Void)? = nil
    ) -> Resumption {
        guard topic.isValid, isOpen else { return .unchanged }
        return subscribe(to: topic, after: position, completion)
    }

    /// Subscribes, and hands over what the topic has for a newcomer: what it kept behind the position, or what it
    /// retains.
    /// - Parameter completion: hears what a subscription that is `.resuming` has come to; of no other one.
    func subscribe(
        to topic: Topic, after position: Position? = nil, _ completion: (@Sendable (Resumption) -> Void)? = nil
    ) -> Resumption {
        let loop = loop
        settleFanOut()
        let standing = standing
        let result = unsafe loop.table.subscribe(subscriber, memberships: &memberships, to: topic, standing: standing)
        guard result == .added else { return .unchanged }
        if traits.contains(.deflates) { loop.table.noteVariants(1 << UInt8(form), of: memberships) }
        let count = loop.table.changedCount
        var resumption: Resumption = position == nil ? .new : .gap
        if let replay = loop.table.takeReplay(by: memberships, after: position, now: loop.now) {
            resumption = replay.resumption
            if !replay.isWaiting {
                hand(replay, of: topic)
            } else if let position {
                waitForHistory(of: topic, after: position, completion)
            } else {
                loop.newcomers[topic, default: []].insert(Newcomer(slot: slot, serial: serial))
            }
        } else if let frame = loop.table.takeRetained(by: memberships) {
            loop.hand(retained: frame, of: topic, to: self)
        }
        if let result = ResumptionResult(resumption) { loop.events.resumptions.count(result) }
        reportSubscription(to: topic, before: count - 1, after: count)
        return resumption
    }
}
