public import PubSub

/// A backplane whose engine remembers: it gives the messages of topics with a history their numbers, keeps them for all
/// nodes, and sends each, with its number, to those that are interested. What is said of `Backplane` goes for it, and
/// of such topics a message comes to this node, too, whoever has published it. Any thread; what a call costs, the loop
/// that publishes or subscribes pays.
///
/// What the engine sends may get lost, or come late; a node notices by the numbers, and reads. Hence the one promise
/// beyond `Backplane`'s: whenever the engine has begun to send a topic, after `setInterest` and when it was away, the
/// backplane says so by `ClusterNode.noteFollowing`. All that is appended from that moment on is sent; what was before
/// it, a `read` after it has.
public protocol HistoryBackplane: Backplane {
    /// Has the engine give a message the topic's next number, keep it, and send it to the nodes that are interested.
    /// Those of one calling thread to one topic are numbered in their order. While the engine is away they wait, as far
    /// as there is room. One whose answer a lost connection has taken along is appended again, and has one number all
    /// the same.
    /// - Parameters:
    ///   - message: bytes that are handed back as they are.
    ///   - topic: whose message it is.
    ///   - bounds: how much of the topic the engine keeps. All of it may be gone a day after its last message, or when
    ///     that is too old; not earlier.
    ///   - retain: whether it is what `HistoryPage.retained` has from now on.
    /// - Returns: `dropped` where it will have no number. What was accepted and then given up the backplane counts:
    ///   `ClusterNode.noteDropped`.
    func append(
        _ message: [UInt8], to topic: Topic, keeping bounds: TopicRule.History, retain: Bool
    ) -> BackplaneResult

    /// Asks the engine what it has of a topic, and hands the answer to `ClusterNode.receive(_:)`, once, as soon as the
    /// engine is there. It comes to the engine behind what this node has appended before, and in front of what it
    /// appends from now on.
    /// - Parameters:
    ///   - topic: whose history is asked for.
    ///   - position: which messages the answer has: those behind it, of which the oldest may make a page. Where it is
    ///     of an earlier numbering, those behind the offset at which that one ended, or behind its own if that is less;
    ///     where it is of none that the engine knows, all that are kept. Nil: none, but how far the topic has come.
    ///   - ticket: what the answer says it answers.
    func read(_ topic: Topic, after position: Position?, ticket: UInt64)
}

/// What an engine answers to a `read`.
public struct HistoryPage: Sendable {
    /// A message, with its number.
    public struct Message: Sendable {
        /// Its number.
        public let offset: UInt64
        /// How long ago it was appended, by the engine's clock.
        public let age: Duration
        /// As it was appended.
        public let bytes: [UInt8]

        /// A message that was kept.
        public init(offset: UInt64, age: Duration, bytes: [UInt8]) {
            (self.offset, self.age, self.bytes) = (offset, age, bytes)
        }
    }

    /// Whose history it is.
    public let topic: Topic
    /// What was asked.
    public let ticket: UInt64
    /// The numbering's name, never used before; 0 if the engine knows nothing of the topic. An engine begins another
    /// one whenever it cannot rule out that it has forgotten messages which nodes have seen, such as when it starts.
    public let epoch: UInt64
    /// The numberings that this one has gone on from, newest first, and the offset at which each had ended as far as
    /// the engine remembers; as many as it likes.
    public let earlier: [Position]
    /// The offset of the oldest message that is kept; `last + 1` where none is.
    public let first: UInt64
    /// The offset of the newest message, kept or not.
    public let last: UInt64
    /// What was asked for, oldest first.
    public let messages: [Message]
    /// The message that the topic retains, for pages that were asked for without a position.
    public let retained: Message?

    /// An answer.
    public init(
        topic: Topic, ticket: UInt64, epoch: UInt64, earlier: [Position] = [], first: UInt64, last: UInt64,
        messages: [Message] = [], retained: Message? = nil
    ) {
        (self.topic, self.ticket, self.epoch, self.earlier) = (topic, ticket, epoch, earlier)
        (self.first, self.last, self.messages, self.retained) = (first, last, messages, retained)
    }
}
