/// What `SubscriptionTable.subscribe` did.
package enum SubscribeResult: Hashable, Sendable {
    case added
    case already
    /// The subscriber is at its bound of topics.
    case tooMany
}

extension SubscriptionTable {
    /// Subscribes. Every publish that happens after its return, on whichever loop, reaches the subscriber.
    ///
    /// O(min(topics of the subscriber, subscribers of the topic here)), to see whether it has subscribed already.
    package func subscribe(
        _ subscriber: Subscriber, memberships list: inout MembershipList, to topic: Topic,
        standing: Standing = .keepsUp
    ) -> SubscribeResult {
        assert(topic.isValid, "check the topic's length first")
        if membership(in: list, of: topic) != nil { return .already }
        if memberships.count(of: list) >= maxTopicsPerSubscriber { return .tooMany }
        let index = index(for: topic)
        let local = self[index]
        let membership = memberships.insert(topic: index, position: local.end, into: &list)
        unsafe local.append(subscriber, membership: membership)
        memberJoined(index, standing)
        return .added
    }

    /// Unsubscribes, and tells whether there was a subscription. No publish made after its return reaches the
    /// subscriber. Costs as much as `subscribe`.
    package func unsubscribe(
        memberships list: inout MembershipList, from topic: Topic, standing: Standing = .keepsUp
    ) -> Bool {
        guard let membership = membership(in: list, of: topic) else { return false }
        remove(membership, from: &list, standing)
        forgetIdleTopicsIfMany()
        return true
    }

    /// Ends all of a subscriber's subscriptions. O(topics of the subscriber).
    package func unsubscribeAll(memberships list: inout MembershipList, standing: Standing = .keepsUp) {
        while !list.isEmpty { remove(list.head, from: &list, standing) }
        forgetIdleTopicsIfMany()
    }

    /// Whether the subscriber is subscribed to the topic. Costs as much as `subscribe`.
    package func isSubscribed(_ list: MembershipList, to topic: Topic) -> Bool {
        membership(in: list, of: topic) != nil
    }

    /// The subscriber's topics, in the order of subscription. O(topics of the subscriber).
    package func topics(of list: MembershipList) -> [Topic] {
        var topics: [Topic] = []
        topics.reserveCapacity(memberships.count(of: list))
        var index = list.head
        while index != Membership.none {
            topics.append(self[Int(memberships[index].topic)].entry.topic)
            index = memberships[index].next
        }
        return topics.reversed()
    }

    /// How many topics the subscriber has. O(1).
    package func topicCount(of list: MembershipList) -> Int { memberships.count(of: list) }

    /// Walks the subscriber's topics and the topic's subscribers side by side, until one of the walks finds the
    /// membership or ends.
    func membership(in list: MembershipList, of topic: Topic) -> UInt32? {
        guard !list.isEmpty, let index = knownIndex(of: topic) else { return nil }
        let subscriber = unsafe subscriber(of: list)
        let local = self[index]
        // Both walks begin at the newest, which is the likeliest to be asked for.
        var candidate = list.head
        var position = local.end
        while candidate != Membership.none && position > 0 {
            if memberships[candidate].topic == UInt32(index) { return candidate }
            candidate = memberships[candidate].next
            position -= 1
            let member = local[position]
            if unsafe member.subscriber == subscriber { return member.membership }
        }
        return nil
    }

    /// Whose list this is, which is what stands among a topic's members for each of its memberships.
    private func subscriber(of list: MembershipList) -> Subscriber? {
        let first = memberships[list.head]
        return unsafe self[Int(first.topic)][Int(first.position)].subscriber
    }

    private func remove(_ membership: UInt32, from list: inout MembershipList, _ standing: Standing) {
        let index = Int(memberships[membership].topic)
        let position = Int(memberships[membership].position)
        memberships.remove(membership, from: &list)
        self[index].vacate(position)
        if visits > 0 {
            vacancies.append((index, position))
        } else {
            fill(position, of: index)
        }
        memberLeft(index, standing)
    }

    func fill(_ position: Int, of index: Int) {
        if let moved = self[index].fill(position) {
            memberships[moved].position = UInt32(position)
        }
    }
}
