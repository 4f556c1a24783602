import PubSub
import Reactor

extension TopicRule {
    /// How much of a topic's messages is kept, so that who was away gets what it has missed: the newest ones within all
    /// bounds. They are kept in memory, in the frames that were sent, once for all loops: a message takes its own bytes
    /// and some fifty more, and its compressed forms if somebody wanted them. All topics together keep
    /// `ServerLimits.historyBytes`.
    public struct History: Hashable, Sendable {
        /// Messages of each topic.
        public let messages: Int
        /// Bytes of memory that the messages of each topic take.
        public let bytes: Int
        /// How long a message is kept; nil: as long as there is room. What is too old is never handed out; its memory
        /// is given back with the topic's next message or subscriber, or when all topics keep too much.
        public let age: Duration?

        /// Bounds for each topic.
        public init(messages: Int, bytes: Int = 1 << 20, age: Duration? = nil) {
            (self.messages, self.bytes, self.age) = (messages, bytes, age)
        }

        func check() {
            precondition(messages > 0 && bytes > 0, "a history keeps at least one message and one byte")
            precondition(age.map { $0 > .zero } ?? true, "a history keeps its messages for some time")
        }

        func rule(tag: Int, isShared: Bool) -> HistoryRule {
            HistoryRule(messages: messages, bytes: bytes, age: age?.milliseconds, tag: tag, isShared: isShared)
        }
    }
}

extension ServerConfiguration {
    /// Whether a topic has a history. O(rules); without rules nothing.
    func keepsHistory(of topic: Topic) -> Bool { !topics.isEmpty && historyRule(of: topic) != nil }
}

extension SocketCore {
    /// How the messages of a topic with history say their positions.
    func stamping(of history: TopicHistory) -> Stamping? { configuration.topics[history.rule.tag].stamping }

    /// Whether a topic's messages are encoded anew when they are numbered.
    func isStamped(_ entry: TopicEntry) -> Bool { entry.history.map { stamping(of: $0) != nil } ?? false }
}
