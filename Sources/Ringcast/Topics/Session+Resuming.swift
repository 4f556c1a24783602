import PubSub
import Reactor

/// A subscription that waits for what a cluster's engine has of its topic.
struct ResumingSubscription {
    /// Tells it from an earlier one of the same socket to the same topic.
    let id: UInt64
    let position: Position
    /// Hears what it has come to.
    let completion: (@Sendable (Resumption) -> Void)?
}

extension Session {
    /// Hands a new subscriber what it has missed, or what the topic retains.
    func hand(_ replay: SubscriptionTable.Replay, of topic: Topic) {
        loop.hand(replay.frames, of: topic, to: self)
        if let frame = replay.retained { loop.hand(retained: frame, of: topic, to: self) }
    }

    /// Asks the topic's home loop to call `resume` when there is an answer. Until then nothing of the topic is for this
    /// socket.
    func waitForHistory(
        of topic: Topic, after position: Position, _ completion: (@Sendable (Resumption) -> Void)?
    ) {
        let loop = loop
        loop.resumingCount += 1
        let id = loop.resumingCount
        makeExtras().resuming[topic] = ResumingSubscription(id: id, position: position, completion: completion)
        let waiter = HistoryFeed.Waiter(position: position, ticket: loop.lastTicket)
        let key = waiterKey(id)
        onHome(of: topic) { $0.wait(key, waiter, for: topic) }
    }

    private func waiterKey(_ id: UInt64) -> HistoryFeed.WaiterKey {
        HistoryFeed.WaiterKey(loop: loop.eventLoop.index, slot: slot, serial: serial, id: id)
    }

    private func onHome(of topic: Topic, _ body: @escaping @Sendable (SocketLoop) -> Void) {
        let core = loop.core
        core.run(LoopJob { if let loop = $0 { body(loop) } }, on: topic.home(among: core.counters.count))
    }

    /// Goes on with a subscription that has waited, unless it was given up meanwhile.
    func resume(_ topic: Topic, _ id: UInt64, isFinal: Bool) {
        guard let waiting = extras?.resuming[topic], waiting.id == id else { return }
        settleFanOut()
        let loop = loop
        extras?.resuming[topic] = nil
        guard
            let replay = loop.table.resume(
                memberships, in: topic, after: waiting.position, now: loop.now, isFinal: isFinal)
        else {
            waiting.completion?(.unchanged)
            return
        }
        // What the home loop had a moment ago may be gone again.
        if replay.isWaiting { return waitForHistory(of: topic, after: waiting.position, waiting.completion) }
        hand(replay, of: topic)
        if let result = ResumptionResult(replay.resumption) { loop.events.resumptions.count(result) }
        if traits.contains(.events), isOpen { sayBeginning(replay.resumption, at: replay.position) }
        waiting.completion?(replay.resumption)
        guard isOpen else { return }
        do { try withHandlers { try $0.resumed(self, topic, replay.resumption) } } catch { handlerFailed(error) }
    }

    /// Gives up waiting for a topic's history.
    func stopResuming(_ topic: Topic) {
        if !loop.newcomers.isEmpty { loop.newcomers[topic]?.remove(Newcomer(slot: slot, serial: serial)) }
        guard let waiting = extras?.resuming.removeValue(forKey: topic) else { return }
        // While the engine is away people come and go.
        let key = waiterKey(waiting.id)
        onHome(of: topic) { $0.feeds[topic]?.waiters[key] = nil }
        waiting.completion?(.unchanged)
    }

    /// As `stopResuming(_:)`, of all topics.
    func stopResuming() {
        if !loop.newcomers.isEmpty { loop.table.topics(of: memberships).forEach(stopResuming) }
        guard let extras, !extras.resuming.isEmpty else { return }
        for topic in extras.resuming.keys { stopResuming(topic) }
    }
}

/// A subscriber that came, without a position, before this node knew where its topic is. What comes is for it; what the
/// topic retains it has not got yet.
struct Newcomer: Hashable {
    let slot: UInt32
    let serial: UInt64
}

extension SocketLoop {
    /// Hands what a topic retains to those who came before that was known. Called by the topic's home loop, in front of
    /// everything that it hands on.
    func greetNewcomers(of topic: Topic, _ retained: [UInt8]?, at position: Position) {
        for newcomer in newcomers.removeValue(forKey: topic) ?? [] {
            guard let session = sessions.find(slot: newcomer.slot, serial: newcomer.serial), session.isOpen,
                table.isSubscribed(session.memberships, to: topic)
            else { continue }
            settleFanOut()
            if let retained { hand(retained: retained, of: topic, to: session) }
            if session.traits.contains(.events), session.isOpen { session.sayBeginning(.new, at: position) }
        }
    }
}

extension SocketLifeline {
    /// What a subscription has come to that begins on the socket's loop, however long that takes.
    func resumption(
        _ subscribe: @escaping @Sendable (Session, @escaping @Sendable (Resumption) -> Void) -> Resumption
    ) async -> Resumption {
        await withCheckedContinuation { continuation in
            runOrFail { session in
                guard let session else { return continuation.resume(returning: .unchanged) }
                let result = subscribe(session) { continuation.resume(returning: $0) }
                if result != .resuming { continuation.resume(returning: result) }
            }
        }
    }
}
