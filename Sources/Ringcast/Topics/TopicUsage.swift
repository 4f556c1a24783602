/// What topics take up that keep messages: those of retained ones, or of histories.
public struct TopicUsage: Hashable, Sendable {
    /// How many topics keep any.
    public let topics: Int
    /// The bytes of memory that their messages take.
    public let bytes: Int

    /// What `Server.retainedUsage` makes; public for tests of its users.
    public init(topics: Int, bytes: Int) {
        self.topics = topics
        self.bytes = bytes
    }

    init(_ usage: (topics: Int, bytes: Int)) { self.init(topics: usage.topics, bytes: usage.bytes) }
}
