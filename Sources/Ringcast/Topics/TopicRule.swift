public import PubSub

/// What a server's configuration says of some topics. Where several rules match a topic, the first one that says
/// anything of a matter decides it; what `Server` says of one topic (`setOrder`, `setSlowConsumerPolicy`) goes before
/// all rules.
public struct TopicRule: Sendable {
    /// A topic's name, or the beginning of names and a `*`.
    public let pattern: String
    /// The order of these topics' messages, or nil to leave that to other rules.
    public let order: TopicOrder?
    /// What becomes of these topics' messages at subscribers that do not keep up, or nil to leave that to other rules
    /// and the server's policy.
    public let slowConsumerPolicy: SlowConsumerPolicy?

    /// A rule for one topic or many. It is looked at when a topic is used for the first time, under a lock.
    /// - Parameter pattern: a name. A `*` at its end stands for any rest, an empty one too; elsewhere it is a `*`.
    public static func matching(
        _ pattern: String, order: TopicOrder? = nil, slowConsumerPolicy: SlowConsumerPolicy? = nil
    ) -> TopicRule {
        precondition(!pattern.isEmpty, "no topic has an empty name: \"*\" matches all")
        slowConsumerPolicy?.check()
        return TopicRule(pattern: pattern, order: order, slowConsumerPolicy: slowConsumerPolicy)
    }

    /// Whether the rule is about a topic.
    public func matches(_ topic: Topic) -> Bool {
        pattern.last == "*" ? topic.name.hasPrefix(pattern.dropLast()) : topic.name == pattern
    }
}

extension ServerConfiguration {
    /// All that is configured for a topic, as one word that loops read without a lock.
    func policyWord(of topic: Topic) -> UInt32 {
        let rules = topics.filter { $0.matches(topic) }
        let policy = rules.lazy.compactMap(\.slowConsumerPolicy).first ?? slowConsumerPolicy
        let order = rules.lazy.compactMap(\.order).first ?? .perPublisher
        return policy.word | order.word
    }
}
