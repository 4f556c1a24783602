public import PubSub

/// Listings are as of now; while other threads subscribe and publish, each figure is a recent one.
extension Server {
    /// Sockets on all loops that are subscribed to a topic, and not closing. Costs a lock and a table lookup.
    /// Any thread.
    public func subscriberCount(of topic: Topic) -> Int { core.registry.find(topic)?.subscriberCount ?? 0 }

    /// Every topic that has subscribers, and how many, in no order. Costs a walk over all topics under a lock. Any
    /// thread.
    public var topics: [(topic: Topic, subscribers: Int)] {
        core.registry.list().map { (Topic($0.topic), $0.subscribers) }
    }

    /// Forgets what a topic retains. Costs a lock. Any thread.
    /// - Returns: whether there was anything.
    @discardableResult
    public func clearRetained(_ topic: Topic) -> Bool { core.registry.clearRetained(topic) }

    /// How many topics retain a message, and the bytes of these with their frames' headers. Any thread.
    public var retainedMessages: (topics: Int, bytes: Int) { core.registry.retained }

    /// Decides in which order a topic's subscribers get its messages, in place of what the configuration's `topics`
    /// say; nil goes back to that. Also for topics that nobody uses yet.
    ///
    /// With `.total`, all that is published after this has returned has one order for everybody. What was published
    /// before, and is still on its way, may come before or behind it, once as ever. Remembered until it is taken back.
    /// Costs a lock; reading it costs publishers nothing. Any thread.
    public func setOrder(_ order: TopicOrder?, for topic: Topic) {
        core.registry.setPolicy(order?.word, in: TopicOrder.mask, for: topic)
    }

    /// The order that a topic's messages have now. Any thread.
    public func order(of topic: Topic) -> TopicOrder { TopicOrder(word: core.registry.policy(of: topic)) }

    /// Decides what becomes of a topic's messages at subscribers that do not keep up, in place of the configuration's
    /// `topics` and `slowConsumerPolicy`; nil goes back to that one. Also for topics that nobody uses yet.
    ///
    /// Messages that reach a loop from now on follow it; those that wait keep the policy they came with. Remembered
    /// until it is taken back. Costs a lock; reading it costs publishers nothing. Any thread.
    public func setSlowConsumerPolicy(_ policy: SlowConsumerPolicy?, for topic: Topic) {
        policy?.check()
        core.registry.setPolicy(policy?.word, in: SlowConsumerPolicy.mask, for: topic)
    }

    /// The policy that a topic's messages follow now. Any thread.
    public func slowConsumerPolicy(of topic: Topic) -> SlowConsumerPolicy {
        SlowConsumerPolicy(word: core.registry.policy(of: topic))
    }
}
