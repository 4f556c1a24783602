import Reactor
import Ringcast

/// The one loop of a backplane: its links, and what goes over them.
final class EngineLoop: ConnectionHandler {
    let eventLoop: EventLoop
    let options: EngineOptions
    private let node: ClusterNode
    private let outbox: Outbox
    private let interests: InterestOutbox
    private let history: HistoryOutbox
    private var links: [EngineLink] = []
    var generator: any RandomNumberGenerator = SystemRandomNumberGenerator()
    /// Runs when nothing waits for the engine any more, once, and at the latest at a time, in the loop's milliseconds.
    private var whenDone: (run: () -> Void, deadline: UInt64)?

    init(
        _ eventLoop: EventLoop, _ options: EngineOptions, _ node: ClusterNode, _ outbox: Outbox,
        _ interests: InterestOutbox, _ history: HistoryOutbox
    ) {
        (self.eventLoop, self.options, self.node, self.outbox, self.interests, self.history) =
            (eventLoop, options, node, outbox, interests, history)
    }

    var now: UInt64 { eventLoop.now }

    func begin() {
        links = options.language.purposes.map { EngineLink(self, $0) }
        wakeTimeReached()
    }

    // MARK: What links tell

    /// A link's engine takes commands: it hears of what it is to send, and answers behind that.
    func restore(_ link: EngineLink) {
        if link.purpose.contains(.receiving) { interests.restart { node.interests } } else { link.probe() }
    }

    func linkChanged() {
        if links.allSatisfy(\.isOpen) { node.noteConnected() }
    }

    /// Notes publishes of which nobody knows whether the engine has them.
    func lost(_ unconfirmed: Int) { node.noteDropped(unconfirmed) }

    func lost(_ link: EngineLink, _ reason: String) {
        if link.purpose.contains(.receiving) { interests.suspend() }
        if link.purpose.contains(.remembering) { history.restart() }
        node.noteDisconnected("\(options.address.place): \(reason)")
        if case .waiting(let time) = link.phase { eventLoop.wakeHandler(at: time) }
    }

    func refused(_ reason: String) { node.noteDropped(1, because: reason) }

    func noteRoundTrip(from time: UInt64) { node.noteRoundTrip(.milliseconds(Int64(now - time))) }

    /// Hands a message to the node, and tells whether its loops keep up.
    func received(
        _ envelope: UnsafeRawBufferPointer, named name: UnsafeRawBufferPointer, by conversation: any EngineConversation
    ) -> Bool {
        guard let envelope = unsafe Envelope(envelope), unsafe !envelope.node.elementsEqual(node.id.utf8),
            let topic = unsafe conversation.topic(of: name)
        else { return true }
        // Safe: the span is used during the call alone.
        return node.receive(unsafe envelope.payload.bytes, isText: envelope.isText, for: topic)
    }

    /// Hands a message of a history to the node, and tells whether its loops keep up.
    func received(_ message: [UInt8], at position: Position, of topic: Topic) -> Bool {
        node.receive(message, at: position, of: topic)
    }

    /// The engine sends a topic with history from now on.
    func following(_ topic: Topic) { node.noteFollowing(topic) }

    /// The engine has answered what was asked of a history first.
    func remembered(_ answer: HistoryAnswer) throws(EngineFailure) {
        switch (history.oldest, answer) {
        case (.append, .appended): history.removeOldest()
        case (.append, .refused(let reason)), (.append, .unusable(let reason)):
            history.removeOldest()
            refused(reason)
        case (.read(let topic, _, let ticket), .page(let page)):
            history.removeOldest()
            node.receive(page.of(topic, ticket))
        case (.read(let topic, _, let ticket), .unusable(let reason)):
            history.removeOldest()
            node.noteUnusable(topic, because: reason)
            node.receive(HistoryAnswerPage().of(topic, ticket))
        case (.read, .refused(let reason)):
            // Asked again later: somebody waits for it.
            throw EngineFailure(reason: "the engine refuses to tell of a history: \(reason)")
        default: throw EngineFailure(reason: "the engine has answered something that was not asked")
        }
    }

    // MARK: Turns

    func turnEnds() {
        for link in links {
            if link.purpose.contains(.receiving) { sendInterests(on: link) }
            if link.purpose.contains(.publishing) { sendPublishes(on: link) }
            if link.purpose.contains(.remembering) { sendRequests(on: link) }
        }
        if let (_, deadline) = whenDone, isIdle || now >= deadline { end() }
    }

    private func sendPublishes(on link: EngineLink) {
        guard link.isOpen, links.allSatisfy(\.isOpen), let slot = link.writable else { return }
        let (bytes, count) = outbox.take()
        guard count > 0 else { return }
        link.publish(bytes, count: count, on: Connection(slot))
    }

    private func sendInterests(on link: EngineLink) {
        while let slot = link.writable {
            let words = interests.take(256)
            if words.isEmpty { break }
            var bytes: [UInt8] = []
            for (topic, isInterested) in words {
                link.conversation.appendInterest(isInterested, in: topic, into: &bytes)
            }
            link.send(bytes, on: Connection(slot))
            // Once it is open, each change is answered, or a probe is.
            if link.phase == .restoring { link.noteProgress() }
        }
        if link.phase == .restoring, interests.isEmpty { link.probe() }
    }

    private func sendRequests(on link: EngineLink) {
        while link.isOpen, links.allSatisfy(\.isOpen), let slot = link.writable {
            let requests = history.take()
            if requests.isEmpty { return }
            var bytes: [UInt8] = []
            for request in requests { link.conversation.appendRequest(request, into: &bytes) }
            link.send(bytes, on: Connection(slot))
        }
    }

    /// Gives up the links when the engine has everything, or is away, or so many milliseconds are over; then runs
    /// `body`.
    func endWhenIdle(within time: UInt64, _ body: @escaping () -> Void) {
        whenDone = (body, now + time)
        eventLoop.wakeHandler(at: now + time)
    }

    private var isIdle: Bool {
        links.contains(where: \.isAway)
            || links.allSatisfy { $0.isOpen && $0.unconfirmed == 0 } && outbox.isEmpty && !history.hasAppends
    }

    func wakeTimeReached() {
        siftReads()
        let next = links.map { $0.tick() }.min() ?? now + 1_000
        eventLoop.wakeHandler(at: min(next, whenDone?.deadline ?? .max))
    }

    /// Takes back what was to be read for those who have left while the engine is away.
    private func siftReads() {
        guard let reads = history.readsToSift() else { return }
        let interests = Set(node.interests)
        var newest: Set<HistoryOutbox.UnsentRead> = []
        // Of one topic the newest read of each kind has an answer that somebody waits for.
        let unwanted = reads.reversed().filter { !interests.contains($0.topic) || !newest.insert($0).inserted }
        history.takeBack(Set(unwanted.map(\.ticket)))
    }

    func stopping() { end() }

    private func end() {
        for link in links { link.abandon() }
        links = []
        whenDone.take()?.run()
    }

    // MARK: Connections

    func connected(_ connection: Connection) { link(of: connection)?.connected(connection) ?? connection.abort() }

    func secured(_ connection: Connection) { link(of: connection)?.secured(connection) }

    func securingFailed(_ connection: Connection, _ reason: String) { link(of: connection)?.lose(reason) }

    func received(_ bytes: inout MutableRawSpan, on connection: Connection) -> Int {
        let count = bytes.byteCount
        if let link = link(of: connection) {
            unsafe bytes.bytes.withUnsafeBytes { unsafe link.received($0, on: connection) }
        }
        return count
    }

    func closed(_ connection: Connection, _ reason: DisconnectReason) {
        link(of: connection)?.closed(connection, reason.sentence)
    }

    /// Nil for a connection that was given up.
    private func link(of connection: Connection) -> EngineLink? {
        // Safe: links live as long as the loop's handler, and a link takes itself out of a connection that it gives up.
        unsafe connection.context.map { unsafe Unmanaged<EngineLink>.fromOpaque($0).takeUnretainedValue() }
    }
}
