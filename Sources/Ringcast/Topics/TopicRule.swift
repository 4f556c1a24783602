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
    /// What is kept of these topics' messages, or nil to leave that to other rules; by default nothing.
    public let history: History?
    /// How these topics' messages say their positions, if there is a history and they do.
    public let stamping: Stamping?
    /// Whether these topics' messages cross to the cluster's other nodes, or nil to leave that to other rules; by
    /// default they do, where there is a cluster.
    public let scope: TopicScope?

    /// A rule for one topic or many. It is looked at when a topic is used for the first time, under a lock.
    /// - Parameters:
    ///   - pattern: a name. A `*` at its end stands for any rest, an empty one too; elsewhere it is a `*`.
    ///   - order: whether all subscribers get the messages in one order.
    ///   - slowConsumerPolicy: what becomes of messages at subscribers that do not keep up.
    ///   - history: makes the topics' order total, whatever else says of it: messages are kept in one order.
    ///   - stamping: needs a history.
    ///   - scope: whether messages cross to other nodes of a cluster.
    public static func matching(
        _ pattern: String, order: TopicOrder? = nil, slowConsumerPolicy: SlowConsumerPolicy? = nil,
        history: History? = nil, stamping: Stamping? = nil, scope: TopicScope? = nil
    ) -> TopicRule {
        precondition(!pattern.isEmpty, "no topic has an empty name: \"*\" matches all")
        precondition(history == nil || order != .perPublisher, "\(pattern): a history needs the order .total")
        precondition(stamping == nil || history != nil, "\(pattern): without a history there are no positions to stamp")
        slowConsumerPolicy?.check()
        history?.check()
        return TopicRule(
            pattern: pattern, order: order, slowConsumerPolicy: slowConsumerPolicy, history: history,
            stamping: stamping, scope: scope)
    }

    /// Whether the rule is about a topic.
    public func matches(_ topic: Topic) -> Bool {
        pattern.last == "*" ? topic.name.hasPrefix(pattern.dropLast()) : topic.name == pattern
    }
}

extension ServerConfiguration {
    /// All that is configured for a topic, as one word that loops read without a lock.
    /// - Parameter remembers: whether the cluster's engine keeps histories; else topics with one do not cross.
    func policyWord(of topic: Topic, remembers: Bool = false) -> UInt32 {
        let rules = topics.filter { $0.matches(topic) }
        let policy = rules.lazy.compactMap(\.slowConsumerPolicy).first ?? slowConsumerPolicy
        let order = rules.lazy.compactMap(\.order).first ?? .perPublisher
        // Whatever rules say of a topic with a history: nobody is to take two numberings for one.
        let isOfServer = ClusterNotice.isReserved(topic) || !remembers && rules.contains { $0.history != nil }
        let scope = isOfServer ? .local : rules.lazy.compactMap(\.scope).first ?? .cluster
        return policy.word | scope.word | (historyRule(of: topic) == nil ? order.word : TopicOrder.wordOfHistory)
    }

    /// What is to be kept of a topic; its tag is the index of the rule that says so.
    func historyRule(of topic: Topic, remembers: Bool = false) -> HistoryRule? {
        guard let index = topics.firstIndex(where: { $0.history != nil && $0.matches(topic) }) else { return nil }
        let isShared = remembers && topics.lazy.filter { $0.matches(topic) }.compactMap(\.scope).first != .local
        return topics[index].history.map { $0.rule(tag: index, isShared: isShared) }
    }
}
