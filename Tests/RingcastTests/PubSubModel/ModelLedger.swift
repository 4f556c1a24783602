import Ringcast

/// What one member may and must receive by SEMANTICS.md, and what it did receive.
struct ModelLedger {
    /// A message on its way to the member.
    struct Due {
        var number: Int
        var isRequired: Bool
    }

    struct Change {
        var round: Int
        var number: Int
        var isSubscribed: Bool
    }

    let member: Int
    let loop: Int
    let limit: Int
    /// When it was closed, by the round and by the number on its loop.
    var left: (round: Int, number: Int)?

    private var subscriptions: Set<Int> = []
    private var changes: [Int: [Change]] = [:]
    private var due: [[Due]]
    /// Bytes that may be queued for it. Below the limit nothing may be dropped.
    private var pendingByteCount = 0

    init(member: Int, loop: Int, limit: Int, sourceCount: Int) {
        (self.member, self.loop, self.limit) = (member, loop, limit)
        due = Array(repeating: [], count: sourceCount)
    }

    func isSubscribed(to topic: Int) -> Bool { changes[topic]?.last?.isSubscribed ?? subscriptions.contains(topic) }

    mutating func note(_ change: Change, topic: Int) { changes[topic, default: []].append(change) }

    /// What happened in a segment adds to what is due. Returns a fault of a publish's result.
    mutating func enter(_ events: [[ModelBoard.Event]]) -> String? {
        var fault: String?
        var entered: [[Due]] = Array(repeating: [], count: due.count)
        for (source, events) in events.enumerated() {
            for event in events {
                guard let isRequired = isRequired(event, from: source) else { continue }
                entered[source].append(Due(number: event.number, isRequired: isRequired))
                pendingByteCount += event.byteCount
                if isRequired, case .published(_, _, .dropped) = event.act {
                    fault =
                        "message \(event.number) of \(source) was said to reach nobody, but \(member) was subscribed"
                }
            }
        }
        // A queue that may have been at its limit may have dropped any of them.
        let mayDrop = pendingByteCount >= limit
        for source in due.indices {
            due[source] += entered[source].map { Due(number: $0.number, isRequired: $0.isRequired && !mayDrop) }
        }
        for (topic, changes) in changes {
            if changes.last!.isSubscribed { subscriptions.insert(topic) } else { subscriptions.remove(topic) }
        }
        changes = [:]
        return fault
    }

    /// Holds what came against what was due. Everything due is settled by it.
    mutating func settle(_ received: [(source: Int, number: Int)]) -> String? {
        var next = Array(repeating: 0, count: due.count)
        for message in received {
            let list = due[message.source]
            var index = next[message.source]
            while index < list.count, list[index].number < message.number {
                if list[index].isRequired { return lost(list[index], of: message.source) }
                index += 1
            }
            guard index < list.count, list[index].number == message.number else {
                return
                    "message \(message.number) of \(message.source) came to \(member) twice, out of order, or without its subscription"
            }
            next[message.source] = index + 1
        }
        for source in due.indices {
            if let missing = due[source][next[source]...].first(where: \.isRequired) {
                return lost(missing, of: source)
            }
            due[source] = []
        }
        pendingByteCount = 0
        return nil
    }

    private func lost(_ message: Due, of source: Int) -> String {
        "message \(message.number) of \(source) did not come to \(member)"
    }

    /// Whether an event's message must come; nil: it must not.
    private func isRequired(_ event: ModelBoard.Event, from source: Int) -> Bool? {
        if let left, source == loop ? event.number > left.number : event.round > left.round { return nil }
        switch event.act {
        case .joined, .left, .changed: return nil
        case .sent(let receiver, let result):
            guard receiver == member else { return nil }
            // A refused one never comes; one that is on its way when the socket closes is lost.
            if case .dropped = result { return nil }
            return source == loop || left == nil
        case .published(let topic, let publisher, _):
            guard publisher != member else { return nil }
            return source == loop ? isRequiredAtHome(event, topic) : isRequiredFromAbroad(event, topic)
        }
    }

    /// On one loop everything has an order.
    private func isRequiredAtHome(_ event: ModelBoard.Event, _ topic: Int) -> Bool? {
        let last = changes[topic]?.last { $0.number < event.number }
        return last?.isSubscribed ?? subscriptions.contains(topic) ? true : nil
    }

    /// Between loops only what did not overlap has one: a change in the publish's own round, or in a later one while the message is on
    /// its way, may or may not count.
    private func isRequiredFromAbroad(_ event: ModelBoard.Event, _ topic: Int) -> Bool? {
        let changes = changes[topic] ?? []
        let before = changes.last { $0.round < event.round }?.isSubscribed ?? subscriptions.contains(topic)
        let later = changes.filter { $0.round >= event.round }
        if before { return left == nil && later.allSatisfy(\.isSubscribed) }
        return later.contains(where: \.isSubscribed) ? false : nil
    }
}
