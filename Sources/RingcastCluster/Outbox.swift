import Ringcast
import Synchronization

/// Commands that wait for the backplane's loop, in the order in which they were published. Any thread; a lock for each
/// publish, which its loop takes once per turn.
final class Outbox: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        /// Publishes among the bytes.
        var count = 0
        /// Whether the loop was asked to look, and has not yet.
        var isAnnounced = false
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Bytes that may wait.
    let byteLimit: Int

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// Adds a command.
    /// - Parameter append: writes it behind the bytes that wait.
    /// - Returns: what becomes of it, and whether the loop has to be asked to look.
    func add(_ append: (inout [UInt8]) -> Void) -> (result: BackplaneResult, isFirst: Bool) {
        state.withLock { state in
            guard !state.isClosed, state.bytes.count < byteLimit else { return (.dropped, false) }
            append(&state.bytes)
            state.count += 1
            defer { state.isAnnounced = true }
            return (state.bytes.count > byteLimit / 2 ? .waiting : .accepted, !state.isAnnounced)
        }
    }

    /// Takes everything that waits.
    func take() -> (bytes: [UInt8], count: Int) {
        state.withLock { state in
            defer {
                // Room of the usual size is kept for what comes next.
                let capacity = state.bytes.count > 1 << 18 ? 0 : state.bytes.count
                (state.bytes, state.count, state.isAnnounced) = ([], 0, false)
                state.bytes.reserveCapacity(capacity)
            }
            return (state.bytes, state.count)
        }
    }

    var isEmpty: Bool { byteCount == 0 }
    var byteCount: Int { state.withLock { $0.bytes.count } }

    /// Takes nothing more, and tells how many publishes are thrown away.
    func close() -> Int {
        state.withLock { state in
            defer { (state.bytes, state.count, state.isClosed) = ([], 0, true) }
            return state.count
        }
    }
}

/// Topics whose interest the engine is to hear of: of each the last word. Any thread. Empty while the engine is away,
/// since it is told of all topics when it is back.
final class InterestOutbox: Sendable {
    private struct State {
        /// Whether the engine is there.
        var isOpen = false
        var order: [Topic] = []
        /// Those before have been taken.
        var first = 0
        var words: [Topic: Bool] = [:]
        var isAnnounced = false

        mutating func add(_ isInterested: Bool, in topic: Topic) {
            if words.updateValue(isInterested, forKey: topic) == nil { order.append(topic) }
        }
    }

    private let state = Mutex(State())

    /// - Returns: whether the loop has to be asked to look.
    func add(_ isInterested: Bool, in topic: Topic) -> Bool {
        state.withLock { state in
            guard state.isOpen else { return false }
            state.add(isInterested, in: topic)
            defer { state.isAnnounced = true }
            return !state.isAnnounced
        }
    }

    /// The engine is there, and knows of no topic: begins with all that matter.
    func restart(_ topics: () -> [Topic]) {
        state.withLock { $0 = State(isOpen: true) }
        // Whoever changes something from here on is heard; what was changed before, `topics` knows.
        let all = topics()
        for start in stride(from: 0, to: all.count, by: 1_024) {
            state.withLock { state in
                for topic in all[start..<min(start + 1_024, all.count)] where state.words[topic] == nil {
                    state.add(true, in: topic)
                }
            }
        }
    }

    /// The engine is away.
    func suspend() { state.withLock { $0 = State() } }

    /// Takes up to `count` words, oldest first.
    func take(_ count: Int) -> [(topic: Topic, isInterested: Bool)] {
        state.withLock { state in
            let end = min(state.first + count, state.order.count)
            let words = state.order[state.first..<end].map { ($0, state.words.removeValue(forKey: $0) ?? false) }
            state.first = end
            if end == state.order.count { (state.order, state.first, state.isAnnounced) = ([], 0, false) }
            return words
        }
    }

    var isEmpty: Bool { state.withLock { $0.order.isEmpty } }
}
