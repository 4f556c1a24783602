import Ringcast
import Synchronization

/// A message on its way between nodes.
struct InMemoryMessage: Sendable {
    let topic: Topic
    let isText: Bool
    let payload: [UInt8]
}

/// A message on its way into a history.
struct InMemoryAppend: Sendable {
    let bytes: [UInt8]
    let topic: Topic
    let bounds: TopicRule.History
    let retain: Bool
}

/// A node's connection to an engine in this process.
final class InMemoryBackplane: HistoryBackplane {
    private enum Waiting {
        case publish(InMemoryMessage)
        case append(InMemoryAppend)
        case read(Topic, after: Position?, ticket: UInt64)

        var isMessage: Bool { if case .read = self { false } else { true } }
    }

    private struct State {
        var isReachable = true
        var interests: Set<Topic> = []
        var waiting: [Waiting] = []
        /// Messages that are to be lost on the way here.
        var losses = 0

        mutating func isToHave(_ topic: Topic) -> Bool {
            guard isReachable, interests.contains(topic) else { return false }
            guard losses > 0 else { return true }
            losses -= 1
            return false
        }
    }

    private let engine: InMemoryEngine
    let node: ClusterNode
    private let waitingMessages: Int
    private let state = Mutex(State())

    init(_ engine: InMemoryEngine, _ node: ClusterNode, waitingMessages: Int) {
        (self.engine, self.node, self.waitingMessages) = (engine, node, waitingMessages)
    }

    func start() {
        engine.add(self)
        node.noteConnected()
    }

    func stop() async { engine.remove(self) }

    func publish(_ payload: RawSpan, isText: Bool, to topic: Topic) -> BackplaneResult {
        let bytes = unsafe payload.withUnsafeBytes { unsafe [UInt8]($0) }
        return send(.publish(InMemoryMessage(topic: topic, isText: isText, payload: bytes)))
    }

    func append(_ message: [UInt8], to topic: Topic, keeping bounds: TopicRule.History, retain: Bool)
        -> BackplaneResult
    {
        send(.append(InMemoryAppend(bytes: message, topic: topic, bounds: bounds, retain: retain)))
    }

    func read(_ topic: Topic, after position: Position?, ticket: UInt64) {
        _ = send(.read(topic, after: position, ticket: ticket))
    }

    /// Says something to the engine, or keeps it until that can be reached.
    private func send(_ message: Waiting) -> BackplaneResult {
        let result = state.withLock { state -> BackplaneResult in
            guard !state.isReachable else { return .accepted }
            guard !message.isMessage || state.waiting.count(where: \.isMessage) < waitingMessages else {
                return .dropped
            }
            state.waiting.append(message)
            return .waiting
        }
        if result == .accepted { say(message) }
        return result
    }

    private func say(_ message: Waiting) {
        switch message {
        case .publish(let message): engine.publish(message, of: self)
        case .append(let message): engine.append(message)
        case .read(let topic, let position, let ticket):
            node.receive(engine.read(topic, after: position, ticket: ticket))
        }
    }

    func setInterest(_ isInterested: Bool, in topic: Topic) {
        let isReachable = state.withLock { state in
            if isInterested { state.interests.insert(topic) } else { state.interests.remove(topic) }
            return state.isReachable
        }
        if isInterested, isReachable { node.noteFollowing(topic) }
    }

    func receive(_ message: InMemoryMessage) {
        guard state.withLock({ $0.isToHave(message.topic) }) else { return }
        node.receive(unsafe message.payload.span.bytes, isText: message.isText, for: message.topic)
    }

    func receive(_ message: [UInt8], at position: Position, of topic: Topic) {
        guard state.withLock({ $0.isToHave(topic) }) else { return }
        node.receive(message, at: position, of: topic)
    }

    func loseMessages(_ count: Int) { state.withLock { $0.losses += count } }

    func setReachable(_ isReachable: Bool) {
        let changed = state.withLock { state -> (waiting: [Waiting], interests: Set<Topic>)? in
            guard state.isReachable != isReachable else { return nil }
            (state.isReachable, state.losses) = (isReachable, 0)
            guard isReachable else { return ([], []) }
            defer { state.waiting = [] }
            return (state.waiting, state.interests)
        }
        guard let changed else { return }
        guard isReachable else { return node.noteDisconnected("it was cut off") }
        node.noteConnected()
        for topic in changed.interests { node.noteFollowing(topic) }
        for message in changed.waiting { say(message) }
    }
}
