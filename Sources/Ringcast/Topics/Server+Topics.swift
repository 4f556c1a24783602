public import PubSub

/// Listings are as of now; while other threads subscribe and publish, each figure is a recent one.
extension Server {
    /// Sockets on all loops that are subscribed to a topic, and not closing. Costs a lock and a table lookup.
    /// Any thread.
    public func subscriberCount(of topic: Topic) -> Int { core.registry.find(topic)?.subscriberCount ?? 0 }

    /// Every topic that has subscribers, and how many, in no order. Costs a walk over all topics under a lock. Any
    /// thread.
    public var topics: [(topic: Topic, subscriberCount: Int)] {
        core.registry.list().map { (Topic($0.topic), $0.subscribers) }
    }

    /// References to the sockets that are subscribed to a topic, and not closing, of those whose `ws.data` is of one
    /// type: `for guest in await server.sockets(in: "lobby", of: Guest.self) { guest.close() }`.
    ///
    /// Loop by loop, and within each in no order that means anything. Each loop is asked at a moment of its own: a
    /// socket that subscribes or leaves meanwhile may be among them or not. Costs a turn of each loop with subscribers,
    /// a walk over these, and allocations for each that has had no reference yet. Any task; before the server runs, and
    /// once it has ended, there are none.
    public func sockets<ConnectionData>(
        in topic: Topic, of type: ConnectionData.Type = ConnectionData.self
    ) async -> [WebSocketRef<ConnectionData>] {
        guard let entry = core.registry.find(topic) else { return [] }
        var references: [WebSocketRef<ConnectionData>] = []
        for loop in 0..<group.loopCount where entry.isInterested(loop) {
            let found = await core.lifelines(in: topic, on: loop) { $0 is TypedHandlers<ConnectionData> }
            references += found.map { WebSocketRef($0) }
        }
        return references
    }

    /// Forgets what a topic retains. Costs a lock. Any thread.
    /// - Returns: whether there was anything.
    @discardableResult
    public func clearRetained(of topic: Topic) -> Bool { core.registry.clearRetained(topic) }

    /// How many topics retain a message, and the bytes of these with their frames' headers. Costs a lock. Any thread.
    public var retainedUsage: TopicUsage { TopicUsage(core.registry.retained) }

    /// Decides in which order a topic's subscribers get its messages, in place of the configuration's `topics`; nil
    /// goes back to these. Also for topics that nobody uses yet.
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
    /// `topics` and `slowConsumerPolicy`; nil goes back to these. Also for topics that nobody uses yet.
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

extension SocketCore {
    /// The lifelines of a topic's open subscribers on one loop, of the kinds of sockets that are wanted.
    fileprivate func lifelines(
        in topic: Topic, on loop: Int, of isWanted: @escaping @Sendable (ErasedHandlers) -> Bool
    ) async -> [SocketLifeline] {
        await ask(loop) { $0?.lifelines(in: topic, of: isWanted) ?? [] }
    }
}

extension SocketLoop {
    fileprivate func lifelines(in topic: Topic, of isWanted: (ErasedHandlers) -> Bool) -> [SocketLifeline] {
        guard let entry = core.registry.find(topic) else { return [] }
        var lifelines: [SocketLifeline] = []
        unsafe table.forEachSubscriber(of: entry) { subscriber in
            let session = unsafe Session(subscriber: subscriber)
            guard session.isOpen, session.withKind({ isWanted($0.handlers) }) else { return }
            lifelines.append(session.lifeline)
        }
        return lifelines
    }
}
