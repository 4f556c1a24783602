extension SubscriptionTable {
    /// Calls `body` once for each subscriber of the topic on this loop: the fan-out. No allocation and no reference
    /// counting per subscriber, and in an optimised build no call either.
    ///
    /// `body` may subscribe, unsubscribe, and visit: who unsubscribes before its turn is passed over, who subscribes
    /// meanwhile is not visited.
    // Every type it names is @usableFromInline: one that is not, and the compiler silently keeps the body to itself.
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

    /// The newest member that `isWanted` accepts; it changes nothing. Costs as many calls as it takes to find one.
    @inline(__always)
    package func newestSubscriber(of entry: TopicEntry, where isWanted: (Subscriber) -> Bool) -> Subscriber? {
        guard let index = entry.localIndex(of: loop) else { return nil }
        let topic = self[index]
        var position = topic.end
        while position > 0 {
            position -= 1
            if let subscriber = unsafe topic[position].subscriber, unsafe isWanted(subscriber) {
                return unsafe subscriber
            }
        }
        return nil
    }

    /// nil: there is nobody to visit, and no visit has begun.
    @usableFromInline
    package func beginVisit(of entry: TopicEntry) -> LocalTopic? {
        guard let index = entry.localIndex(of: loop) else { return nil }
        visits += 1
        return self[index]
    }

    @usableFromInline
    package func endVisit() {
        visits -= 1
        if visits > 0 || vacancies.isEmpty { return }
        for vacancy in vacancies { fill(vacancy.position, of: vacancy.topic) }
        vacancies = []
        forgetIdleTopicsIfMany()
    }
}
