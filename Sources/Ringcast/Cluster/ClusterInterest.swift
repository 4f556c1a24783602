import PubSub
import Synchronization

/// Which topics have subscribers on this node: what the engine is asked to send.
///
/// Loops tell of their first subscriber of a topic and of the end of their last one; the backplane hears of the first
/// loop, and of the last once that has stayed so for a while. Its calls are made under the lock, so that those for one
/// topic come in order. O(1), and a dictionary's entry for each topic.
final class ClusterInterest: Sendable {
    private struct Interest {
        /// Loops with subscribers.
        var loops = 0
        /// When the last loop's last subscriber left.
        var idleSince: UInt64 = 0
        /// The read by which it has begun; nil for topics without a history in the engine.
        var start: UInt64?

        func isIdle(since time: UInt64) -> Bool { loops == 0 && idleSince == time }
    }

    private struct State {
        /// Who is told, while the server runs.
        var backplane: (any Backplane)?
        /// The backplane, if its engine remembers.
        var history: (any HistoryBackplane)?
        /// Where copies of histories are, which nothing keeps up to date once the engine sends their topics no more.
        var registry: TopicRegistry?
        var topics: [Topic: Interest] = [:]
        /// Topics in the order in which they became idle; some have subscribers again.
        var idle = FIFO<(topic: Topic, since: UInt64)>()

        func begin(_ interest: Interest, in topic: Topic) {
            backplane?.setInterest(true, in: topic)
            // In front of everything that this node appends from now on: who subscribes now gets all of that.
            if let start = interest.start { history?.read(topic, after: nil, ticket: start) }
        }
    }

    /// In milliseconds.
    let linger: UInt64
    private let state = Mutex(State())
    /// Numbers the reads of histories.
    private let tickets = Atomic<UInt64>(0)

    init(linger: UInt64) { self.linger = linger }

    /// Tells the backplane of all there is, and of changes from now on.
    func begin(telling backplane: any Backplane, _ history: (any HistoryBackplane)?, _ registry: TopicRegistry) {
        state.withLock { state in
            (state.backplane, state.history, state.registry) = (backplane, history, registry)
            for (topic, interest) in state.topics { state.begin(interest, in: topic) }
        }
    }

    /// Tells the backplane nothing more.
    func end() { state.withLock { ($0.backplane, $0.history, $0.registry) = (nil, nil, nil) } }

    /// A number above those of all reads so far.
    func nextTicket() -> UInt64 { tickets.add(1, ordering: .relaxed).newValue }

    var lastTicket: UInt64 { tickets.load(ordering: .relaxed) }

    /// The read by which the interest in a topic with history has begun; nil while there is none.
    func start(of topic: Topic) -> UInt64? { state.withLock { $0.topics[topic]?.start } }

    var topics: [Topic] { state.withLock { Array($0.topics.keys) } }
    var count: Int { state.withLock { $0.topics.count } }

    /// Notes that a loop has its first subscriber of a topic.
    /// - Parameter hasHistory: whether the engine keeps the topic's history.
    func add(_ topic: Topic, hasHistory: Bool = false) {
        state.withLock { state in
            if state.topics[topic] == nil {
                let interest = Interest(start: hasHistory ? nextTicket() : nil)
                state.topics[topic] = interest
                state.begin(interest, in: topic)
            }
            state.topics[topic]?.loops += 1
        }
    }

    /// Notes that a loop's last subscriber of a topic has left.
    /// - Returns: when to `sweep`, in milliseconds; nil while other loops have subscribers.
    func remove(_ topic: Topic, now: UInt64) -> UInt64? {
        state.withLock { state in
            guard var interest = state.topics[topic] else { return nil }
            interest.loops -= 1
            interest.idleSince = now
            state.topics[topic] = interest
            guard interest.loops == 0 else { return nil }
            state.idle.append((topic, now))
            return now + linger
        }
    }

    /// Ends the interest in topics that have been idle for long enough.
    /// - Returns: when to sweep next, in milliseconds, nil if nothing is idle; and topics with history that ended.
    func sweep(now: UInt64) -> (next: UInt64?, ended: [Topic]) {
        state.withLock { state in
            var ended: [Topic] = []
            while let first = state.idle.first, first.since + linger <= now {
                _ = state.idle.popFirst()
                // Somebody may have come meanwhile, and left again later.
                guard let interest = state.topics[first.topic], interest.isIdle(since: first.since) else { continue }
                state.topics[first.topic] = nil
                if interest.start != nil {
                    // Under this lock: who subscribes from now on does not take what is here for the end.
                    state.registry?.forgetNumbering(of: first.topic)
                    ended.append(first.topic)
                }
                state.backplane?.setInterest(false, in: first.topic)
            }
            return (state.idle.first.map { $0.since + linger }, ended)
        }
    }
}
