extension SubscriptionTable {
    /// Calls `body` once for each subscriber of the topic on this loop: the fan-out. No allocation and no reference
    /// counting per subscriber, and in an optimised build no call either.
    ///
    /// `body` may subscribe, unsubscribe, and visit: whoever unsubscribes before being visited is passed over, whoever
    /// subscribes meanwhile is not visited.
    // Every type named here is @usableFromInline; with one that is not, the compiler silently inlines nothing.
    @inlinable @inline(__always)
    package func forEachSubscriber(of entry: TopicEntry, _ body: (Subscriber) -> Void) {
        guard let topic = beginVisit(of: entry) else { return }
        // Taken before `body` can append. The members are looked up anew each time, since they move as they grow;
        // places do not go before `endVisit`.
        let end = topic.end
        var position = 0
        while position < end {
            if let subscriber = unsafe topic.members.unsafelyUnwrapped[position].subscriber {
                unsafe body(subscriber)
            }
            position &+= 1
        }
        endVisit()
    }

    /// The newest member that `isWanted`, which must change nothing, accepts. Costs a call for each member until then.
    @inline(__always)
    package func newestSubscriber(of entry: TopicEntry, where isWanted: (Subscriber) -> Bool) -> Subscriber? {
        guard let topic = localTopic(of: entry) else { return nil }
        var position = topic.end
        while position > 0 {
            position -= 1
            if let subscriber = unsafe topic[position].subscriber, unsafe isWanted(subscriber) {
                return unsafe subscriber
            }
        }
        return nil
    }

    /// Begins a visit of the topic's members, if the topic is known here: else there is nobody to visit, and no visit.
    @usableFromInline
    package func beginVisit(of entry: TopicEntry) -> LocalTopic? {
        guard let topic = localTopic(of: entry) else { return nil }
        visits += 1
        return topic
    }

    /// Fills the places that were emptied during the visit, once no visit is under way.
    @usableFromInline
    package func endVisit() {
        visits -= 1
        if visits > 0 || vacancies.isEmpty { return }
        for vacancy in vacancies { fill(vacancy.position, of: vacancy.topic) }
        vacancies = []
        forgetIdleTopicsIfMany()
    }
}
