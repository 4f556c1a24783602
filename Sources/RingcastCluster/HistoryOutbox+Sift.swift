import Ringcast
import Synchronization

/// Reads wait for an engine that is away, however long: those for topics that nobody is subscribed to any more are
/// taken back, or clients that come and go would make them more and more.
extension HistoryOutbox {
    /// A read that was not sent yet. Two are alike if they ask the same of one topic.
    struct UnsentRead: Hashable {
        let topic: Topic
        /// Whether it asks for messages, and not how far the topic has come.
        let hasPosition: Bool
        let ticket: UInt64

        static func == (one: Self, other: Self) -> Bool {
            one.topic == other.topic && one.hasPosition == other.hasPosition
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(topic)
            hasher.combine(hasPosition)
        }
    }

    /// The reads that wait, oldest first, once twice as many requests do as the last look has left; nil before.
    func readsToSift() -> [UnsentRead]? {
        state.withLock { state in
            let waiting = state.unsent[state.firstUnsent...]
            guard waiting.count >= state.siftLimit else { return nil }
            return waiting.compactMap { request in
                guard case .read(let topic, let position, let ticket) = request else { return nil }
                return UnsentRead(topic: topic, hasPosition: position != nil, ticket: ticket)
            }
        }
    }

    /// Takes back reads that have not been sent. What comes in meanwhile stays.
    func takeBack(_ tickets: Set<UInt64>) {
        state.withLock { state in
            let kept = state.unsent[state.firstUnsent...].filter { request in
                if case .read(_, _, let ticket) = request { !tickets.contains(ticket) } else { true }
            }
            (state.unsent, state.firstUnsent) = (kept, 0)
            state.siftLimit = max(Self.siftMinimum, 2 * kept.count)
        }
    }
}
